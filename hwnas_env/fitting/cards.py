"""How far a fit is from measured networks that it did not see."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from hwnas_env.devices import Device
from hwnas_env.fitting.known import costs_of
from hwnas_env.fitting.rows import MeasuredRows
from hwnas_env.maths.statistics import kendall_tau_b
from hwnas_env.types import BoolArray, FloatArray

FOLDS = 5
RESAMPLES = 200
"""Draws of the validation networks, for the standard deviation of tau-b."""


def predicted(rows: MeasuredRows, coefficients: Mapping[str, Any]) -> FloatArray:
    """Returns what coefficients say that the rows cost: ``(N,)``."""
    entry = {"kind": "fitted", "method": "", **coefficients}
    metric = next(iter(rows.values))
    facts = {"metrics": [metric], "columns": {rows.dataset: {metric: entry}}}
    device = Device("fitted", "Fitted", {rows.space.name: facts})
    return costs_of(rows.space, device, rows.dataset, rows.genotypes)[metric]


def judged(
    rows: MeasuredRows, metric: str, coefficients: Mapping[str, Any]
) -> dict[str, Any]:
    """Compares coefficients with the validation networks: a fidelity as values."""
    apart = rows.marked(validation=True)
    estimate = predicted(rows, coefficients)
    return _card(rows, metric, estimate, apart, "networks that were not fitted")


def cross_validated(
    rows: MeasuredRows, metric: str, fit: Callable[[BoolArray], Mapping[str, Any]]
) -> dict[str, Any]:
    """Compares fits to four fifths of the networks with the fifth that they lack.

    Args:
        rows: measured networks.
        metric: one of theirs.
        fit: rows ``(N,)`` bool to coefficients.
    """
    # by name, so that the order of rows does not matter
    order = np.argsort(np.array(rows.space.words(rows.genotypes)), kind="stable")
    folds = np.zeros(len(order), dtype=np.int64)
    folds[order] = np.arange(len(order)) % FOLDS
    estimate = np.zeros(len(folds))
    for fold in range(FOLDS):
        inside = folds == fold
        estimate[inside] = predicted(rows, fit(~inside))[inside]
    every = np.ones(len(folds), dtype=np.bool_)
    return _card(rows, metric, estimate, every, f"{FOLDS}-fold cross-validation")


def _card(
    rows: MeasuredRows,
    metric: str,
    estimate: FloatArray,
    chosen: BoolArray,
    method: str,
) -> dict[str, Any]:
    """Compares estimates ``(N,)`` with the costs of chosen rows.

    Networks whose output ignores their input are left out: nobody searches for one, and
    one among few would rule the mean error.
    """
    chosen = chosen & ~rows.space.constant(rows.genotypes)
    estimate = estimate[chosen]
    costs = rows.costs(metric)[chosen]
    ratio = np.sort(np.maximum(estimate / costs, costs / estimate))
    error = 100.0 * np.abs(estimate - costs) / costs
    card: dict[str, Any] = {
        "n": len(costs),
        "tau_b": _tau(estimate, costs),
        "mape_percent": _short(error.mean()),
        "worst_percent": _short(error.max()),
        "method": method,
        "tau_b_deviation": _deviation(estimate, costs),
        # the ratio that nine of ten networks stay within, either way
        "ratio_90": _up(ratio[int(np.ceil(0.9 * len(ratio))) - 1]),
    }
    if metric in rows.again:
        passes = rows.values[metric], rows.again[metric]
        card["repeat_tau_b"] = _tau(*(np.asarray(one)[chosen] for one in passes))
    return card


def _tau(one: FloatArray, other: FloatArray) -> float | None:
    one, other = np.asarray(one), np.asarray(other)
    if len(one) < 3 or one.min() == one.max() or other.min() == other.max():
        return None
    return round(kendall_tau_b(one, other), 4)


def _deviation(one: FloatArray, other: FloatArray) -> float | None:
    """Returns the standard deviation of tau-b over networks drawn with replacement."""
    rng = np.random.default_rng(0)
    draws = rng.integers(0, len(one), (RESAMPLES, len(one)))
    taus = [_tau(one[rows], other[rows]) for rows in draws]
    known = [tau for tau in taus if tau is not None]
    return round(float(np.std(known)), 4) if known else None


def _up(value: Any) -> float:
    """Rounds up to 3 decimals, so that as many networks stay within."""
    return math.ceil(float(value) * 1000.0) / 1000.0


def _short(value: Any) -> float:
    return float(f"{value:.4g}")
