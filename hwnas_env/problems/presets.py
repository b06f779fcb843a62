"""Preset budgets: quantiles of the cost over the networks that a device can run."""

import decimal

from hwnas_env.engines.model import Model
from hwnas_env.engines.space import SearchSpace

SAMPLED = {"q05": 0.05, "q95": 0.95}
"""The quantiles between which sampled budgets are drawn."""


def compute_presets(space: SearchSpace, model: Model, column: int) -> dict[str, float]:
    """Returns a device's budgets by name, rounded up to 4 significant digits.

    Args:
        space: says which quantiles tight, medium and loose are.
        model: of the space on the device.
        column: of the cost.
    """
    fractions = {**space.budgets, **SAMPLED}
    values = model.quantiles(column, list(fractions.values()))
    named = zip(fractions, values, strict=True)
    return {name: round_up(float(value)) for name, value in named}


_ROUNDING = decimal.Context(prec=4, rounding=decimal.ROUND_CEILING)


def round_up(value: float) -> float:
    """Rounds a positive number up to 4 significant digits.

    Example:
        >>> round_up(0.123412), round_up(3.0)
        (0.1235, 3.0)
    """
    return float(_ROUNDING.create_decimal(repr(value)))
