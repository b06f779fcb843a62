"""Computes the preset budgets that are committed in ``budgets.json``."""

import decimal
from typing import Any

from hwnas_env.devices import DEVICES
from hwnas_env.metrics import METRICS
from hwnas_env.problems.catalog import build_problem
from hwnas_env.spaces import SEARCH_SPACES

FRACTIONS = {
    "nasbench201": {"tight": 0.10, "medium": 0.25, "loose": 0.50},
    "fbnet": {"tight": 0.25, "medium": 0.70, "loose": 0.95},
}
"""Quantiles of the deployable space's cost; FBNet-C is above loose on most devices."""

SAMPLED = {"q05": 0.05, "q95": 0.95}


def compute_presets() -> dict[str, Any]:
    """Returns the budgets of every space, device, dataset and metric.

    Quantiles of the built-in costs, rounded up to 4 significant digits.
    """
    return {
        space.name: {
            device.name: {
                dataset: {
                    metric: _presets(space.name, device.name, dataset, metric)
                    for metric in device.metrics_in(space.name)
                    if METRICS[metric].budgetable
                }
                for dataset in space.datasets
            }
            for device in DEVICES.values()
        }
        for space in SEARCH_SPACES.values()
    }


def _presets(space: str, device: str, dataset: str, metric: str) -> dict[str, float]:
    found = SEARCH_SPACES[space]
    problem = build_problem(
        found, DEVICES[device], dataset, metric, "builtin", "mean", presets={}
    )
    fractions = {**FRACTIONS[space], **SAMPLED}
    values = problem.model.quantiles(problem.metric_column, list(fractions.values()))
    return {
        name: round_up(float(value))
        for name, value in zip(fractions, values, strict=True)
    }


def round_up(value: float, *, digits: int = 4) -> float:
    """Rounds a positive number up to significant digits.

    Example:
        >>> round_up(0.123412), round_up(3.0)
        (0.1235, 3.0)
    """
    rounding = decimal.Context(prec=digits, rounding=decimal.ROUND_CEILING)
    return float(rounding.create_decimal(repr(value)))
