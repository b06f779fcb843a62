"""Checks of constructor arguments that several wrappers take."""

import numpy as np

from hwnas_env.errors import InvalidArgumentError


def at_least_zero(name: str, value: float) -> float:
    """Returns a finite number of at least 0 as a float.

    Raises:
        InvalidArgumentError: it is not one.
    """
    number = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
    if not number or not (np.isfinite(value) and value >= 0):
        message = f"{name}: expected a number of at least 0, got {value!r}"
        raise InvalidArgumentError(message)
    return float(value)
