"""Checks of constructor arguments that several wrappers take."""

import math
from collections.abc import Mapping, Sequence
from typing import TypeGuard

import numpy as np

from hwnas_env.errors import InvalidArgumentError, shown


def at_least_zero(name: str, value: object) -> float:
    """Returns a finite number of at least 0 as a float.

    Raises:
        InvalidArgumentError: it is not one.
    """
    if not (is_finite(value) and value >= 0):
        message = f"{name}: expected a number of at least 0, got {shown(value)}"
        raise InvalidArgumentError(message)
    return float(value)


def is_finite(value: object) -> TypeGuard[float]:
    """Whether a value is a finite number, and no flag."""
    number = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
    try:
        return number and math.isfinite(value)  # type: ignore[arg-type]
    except (OverflowError, TypeError):  # an int beyond floats, a complex number
        return False


def plain(value: object) -> object:
    """Returns arguments as a specification in JSON carries them: no NumPy inside."""
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        return [plain(item) for item in value]
    return value
