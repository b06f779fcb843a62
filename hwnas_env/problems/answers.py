"""Checks what a search space answers with, so that a mistake in one names its place."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from hwnas_env.engines.additive import Additive, extremes
from hwnas_env.engines.columns import (
    FunctionCosts,
    LayeredAccuracy,
    LayeredCosts,
    TableAccuracy,
    TableCosts,
)
from hwnas_env.engines.forms import TableSpace
from hwnas_env.engines.space import SearchSpace
from hwnas_env.errors import InvalidArgumentError, shown, unknown_name
from hwnas_env.metrics import METRICS

PERCENT = (0.0, 100.0)
COST = (0.0, np.inf)


def check_answers(
    space: SearchSpace,
    costs: TableCosts | LayeredCosts | FunctionCosts,
    counts: Mapping[str, Any],
    scores: TableAccuracy | LayeredAccuracy,
) -> None:
    """Raises unless costs, counts and accuracy are what a space of this form has.

    Args:
        space: the search space that they are of.
        costs: on one device.
        counts: by metric, ``(size,)`` numbers or one quantity each.
        scores: the accuracy.

    Raises:
        InvalidArgumentError: another type or shape, or a value out of its range.
        UnknownNameError: what is counted is no metric, so that it has no unit.
    """
    table = isinstance(space, TableSpace)
    expected = TableAccuracy if table else LayeredAccuracy
    if not isinstance(scores, expected):
        _refuse(f"{space.name}: accuracy", f"a {expected.__name__}", shown(scores))
    for metric in counts:
        if metric not in METRICS:
            raise unknown_name(metric, METRICS, what=f"metric of {space.name}.counts")
    named = {f"counts: {metric}": column for metric, column in counts.items()}
    if isinstance(space, TableSpace):
        _check_tables(space, costs, named, scores)
    else:
        _check_sums(space, costs, named, scores)


def _check_tables(
    space: TableSpace, costs: Any, counts: Mapping[str, Any], scores: Any
) -> None:
    every = np.ones(space.size, dtype=np.bool_)
    for name, column in costs.values.items():
        _check_column(space, f"costs: {name}", column, costs.deployable, COST)
    for name, column in counts.items():
        _check_column(space, name, column, every, COST)
    _check_column(space, "accuracy", scores.mean, every, PERCENT)
    if scores.runs is not None:
        shape = np.shape(scores.runs)
        if len(shape) != 2 or shape[0] != space.size:
            _refuse(f"{space.name}: accuracy: runs", f"({space.size}, R)", str(shape))
        for run, column in enumerate(scores.runs.T):
            there = ~np.isnan(column)
            _check_column(space, f"accuracy: run {run}", column, there, PERCENT)
    if scores.train_seconds is not None:
        seconds = scores.train_seconds
        _check_column(space, "accuracy: train_seconds", seconds, every, COST)


def _check_column(
    space: TableSpace, name: str, column: Any, where: Any, bounds: tuple[float, float]
) -> None:
    """Raises unless a column has one number a network, in bounds where it counts."""
    place = f"{space.name}: {name}"
    if np.shape(column) != (space.size,):
        _refuse(place, f"shape ({space.size},)", f"shape {np.shape(column)}")
    values = np.asarray(column)
    fine = (values >= bounds[0]) & (values <= bounds[1]) & np.isfinite(values)
    wrong = where & ~fine
    if wrong.any():
        row = int(np.argmax(wrong))
        network = space.decode(space.from_index([row])[0])
        _refuse(f"{place}: number {row}, of {network}", _words(bounds), values[row])


def _check_sums(
    space: SearchSpace, costs: Any, counts: Mapping[str, Any], scores: Any
) -> None:
    quantities = dict(counts)
    if isinstance(costs, LayeredCosts):
        quantities |= {f"costs: {m}": q for m, q in costs.quantities.items()}
    if scores.train_seconds is not None:
        quantities["accuracy: train_seconds"] = scores.train_seconds
    for name, quantity in quantities.items():
        _check_quantity(space, name, quantity, COST)
    if (scores.score is None) == (scores.function is None):
        _refuse(f"{space.name}: accuracy", "a score, or a function", "both or none")
    if scores.score is not None:
        _check_quantity(space, "accuracy", scores.score, PERCENT)


def _check_quantity(
    space: SearchSpace, name: str, quantity: Any, bounds: tuple[float, float]
) -> None:
    """Raises unless a quantity is of this space's layers, and in bounds everywhere."""
    place = f"{space.name}: {name}"
    if not isinstance(quantity, Additive):
        _refuse(place, "an Additive", shown(quantity))
    if quantity.blocks_at != space.choices_at or len(quantity.links) != 1:
        came = f"{len(quantity.links)} of {quantity.blocks_at}"
        _refuse(place, f"one quantity of {space.choices_at} choices", came)
    low, high = extremes(quantity)
    between = np.linspace(low[0, 0], high[0, 0], 65) + quantity.start[0]
    values = np.asarray(quantity.links[0](between))
    if values.shape != between.shape or not (np.diff(values) >= 0).all():
        _refuse(place, "a link that is a function and never falls", shown(values))
    least, most = values[0], values[-1]
    if not bounds[0] <= least <= most <= bounds[1] or not np.isfinite(most):
        _refuse(place, _words(bounds), f"{least:g} to {most:g}")


def _words(bounds: tuple[float, float]) -> str:
    if np.isfinite(bounds[1]):
        return f"{bounds[0]:g} to {bounds[1]:g}"
    return f"finite numbers of at least {bounds[0]:g}"


def _refuse(place: str, expected: str, came: object) -> None:
    message = f"{place}: expected {expected}, got {came}"
    raise InvalidArgumentError(message)
