"""Aggregates of many runs on many tasks, with stratified bootstrap intervals.

The estimators are those of Agarwal et al., "Deep reinforcement learning at the edge of
the statistical precipice", NeurIPS 2021. The runs of an agent are a sequence of arrays,
one a task, with runs on the last axis: ``(..., runs)``. Tasks may have different
numbers of runs; leading axes (points of a curve, thresholds) are the same everywhere
and are kept. A matrix ``(runs, tasks)`` goes through :func:`tasks_of` first.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from hwnas_env.errors import InvalidArgumentError
from hwnas_env.types import FloatArray

Tasks: TypeAlias = Sequence[FloatArray]
"""One array ``(..., runs)`` a task."""

Statistic: TypeAlias = Callable[[Tasks], FloatArray]
"""From arrays ``(..., runs)`` to ``(...)``."""

REPETITIONS = 2000
LEVEL = 0.95
CHUNK = 4_000_000
"""Numbers that are resampled at a time, so that memory does not grow with samples."""


@dataclass(frozen=True, eq=False)
class Estimate:
    """A statistic with a percentile interval; three arrays of one shape.

    Attributes:
        value: of the runs themselves.
        low: lower end.
        high: upper end.
    """

    value: FloatArray
    low: FloatArray
    high: FloatArray


def tasks_of(scores: npt.ArrayLike) -> list[FloatArray]:
    """Splits a matrix ``(runs, tasks)`` into one array ``(runs,)`` a task.

    Raises:
        InvalidArgumentError: no matrix, an empty one, or a number that is not finite.

    Example:
        >>> [task.tolist() for task in tasks_of([[1, 2], [3, 4]])]
        [[1.0, 3.0], [2.0, 4.0]]
    """
    table = np.asarray(scores, dtype=np.float64)
    if table.ndim != 2:
        message = f"scores: expected (runs, tasks), got shape {table.shape}"
        raise InvalidArgumentError(message)
    return check_tasks(list(table.T.copy()))


def check_tasks(tasks: Tasks) -> list[FloatArray]:
    """Returns the tasks, checked.

    Raises:
        InvalidArgumentError: no task, one without runs, a number that is not finite,
            or leading axes that differ.
    """
    found = [np.asarray(task, dtype=np.float64) for task in tasks]
    if not found:
        message = "scores: expected at least one task, got none"
        raise InvalidArgumentError(message)
    for place, task in enumerate(found):
        if task.ndim == 0 or task.shape[-1] == 0:
            message = f"scores: task {place} has no runs: shape {task.shape}"
            raise InvalidArgumentError(message)
        if task.shape[:-1] != found[0].shape[:-1]:
            message = (
                f"scores: task {place} has shape {task.shape}, "
                f"expected {found[0].shape[:-1]} before the runs"
            )
            raise InvalidArgumentError(message)
        if not np.isfinite(task).all():
            message = f"scores: task {place} has a number that is not finite"
            raise InvalidArgumentError(message)
    return found


def interquartile_mean(tasks: Tasks) -> FloatArray:
    """Returns the mean of the middle half of all runs on all tasks: ``(...)``.

    A quarter of the N runs, rounded down, is cut at each end, as by
    ``scipy.stats.trim_mean``. A task counts by its number of runs.

    Example:
        >>> float(interquartile_mean([np.array([0.0, 1, 2, 99])]))
        1.5
    """
    pooled = np.concatenate(tasks, axis=-1)
    size = pooled.shape[-1]
    cut = size // 4
    if cut:
        pooled = np.partition(pooled, (cut, size - cut - 1), axis=-1)
    return np.asarray(pooled[..., cut : size - cut].mean(axis=-1))


def mean_of_tasks(tasks: Tasks) -> FloatArray:
    """Returns the mean over tasks of their means: ``(...)``."""
    return np.asarray(np.mean([task.mean(axis=-1) for task in tasks], axis=0))


def median_of_tasks(tasks: Tasks) -> FloatArray:
    """Returns the median over tasks of their means: ``(...)``."""
    return np.asarray(np.median([task.mean(axis=-1) for task in tasks], axis=0))


def optimality_gap(tasks: Tasks) -> FloatArray:
    """Returns how far runs stay below 1, mean over tasks; above 1 counts as 1."""
    return 1.0 - mean_of_tasks([np.minimum(task, 1.0) for task in tasks])


def bootstrap(
    statistic: Statistic,
    tasks: Tasks,
    *,
    repetitions: int = REPETITIONS,
    level: float = LEVEL,
    rng: np.random.Generator,
) -> Estimate:
    """Estimates a statistic, resampling runs with replacement within each task.

    Args:
        statistic: of arrays ``(..., runs)``.
        tasks: one array ``(..., runs)`` a task. A run is drawn with all of its points.
        repetitions: bootstrap samples.
        level: share of samples between the interval's ends.
        rng: draws them.

    Raises:
        InvalidArgumentError: as :func:`check_tasks`; repetitions below 1, or a level
            outside 0 to 1.
    """
    _check(repetitions, level)
    found = check_tasks(tasks)
    chunk = max(1, CHUNK // sum(task.size for task in found))
    samples = [
        statistic(_resample(found, min(chunk, repetitions - done), rng=rng))
        for done in range(0, repetitions, chunk)
    ]
    return _estimate(statistic(found), np.concatenate(samples, axis=-1), level=level)


def profile(
    tasks: Tasks,
    thresholds: FloatArray,
    *,
    repetitions: int = REPETITIONS,
    level: float = LEVEL,
    rng: np.random.Generator,
) -> Estimate:
    """Returns the share of runs above each threshold: arrays ``(T,)``; tasks weigh one.

    Args:
        tasks: one array ``(runs,)`` a task.
        thresholds: ``(T,)``.
        repetitions: bootstrap samples.
        level: of the band, at each threshold on its own.
        rng: draws the samples.

    Raises:
        InvalidArgumentError: as :func:`bootstrap`.
    """
    cuts = np.asarray(thresholds, dtype=np.float64)[:, None]
    above = [(task > cuts).astype(np.float64) for task in check_tasks(tasks)]
    return bootstrap(
        mean_of_tasks, above, repetitions=repetitions, level=level, rng=rng
    )


def improvement(
    ours: Tasks,
    theirs: Tasks,
    *,
    repetitions: int = REPETITIONS,
    level: float = LEVEL,
    rng: np.random.Generator,
) -> Estimate:
    """Estimates how likely a run of ours is better than one of theirs on the same task.

    The mean over tasks of P(X > Y) + P(X = Y) / 2, more being better.

    Args:
        ours: one array ``(runs,)`` a task.
        theirs: the same tasks; numbers of runs may differ.
        repetitions: bootstrap samples, of both.
        level: share of samples between the interval's ends.
        rng: draws them.

    Raises:
        InvalidArgumentError: as :func:`bootstrap`; not the same number of tasks.
    """
    _check(repetitions, level)
    ours, theirs = check_tasks(ours), check_tasks(theirs)
    if len(ours) != len(theirs):
        message = f"expected the same tasks, got {len(ours)} and {len(theirs)}"
        raise InvalidArgumentError(message)
    values, samples = [], []
    for mine, other in zip(ours, theirs, strict=True):
        wins = (mine[:, None] > other) + 0.5 * (mine[:, None] == other)
        values.append(wins.mean())
        # How often each run is drawn says as much as which ones are.
        a, b = (
            rng.multinomial(runs, np.full(runs, 1.0 / runs), size=repetitions)
            for runs in wins.shape
        )
        samples.append(((a @ wins) * b).sum(axis=1) / wins.size)
    mean = np.mean(samples, axis=0)
    return _estimate(np.asarray(np.mean(values)), mean, level=level)


def _resample(
    tasks: Tasks, repetitions: int, *, rng: np.random.Generator
) -> list[FloatArray]:
    """Draws runs within each task: arrays ``(..., repetitions, runs)``."""
    drawn = []
    for task in tasks:
        runs = task.shape[-1]
        drawn.append(task[..., rng.integers(runs, size=(repetitions, runs))])
    return drawn


def _estimate(value: FloatArray, samples: FloatArray, *, level: float) -> Estimate:
    low, high = np.quantile(samples, [(1 - level) / 2, (1 + level) / 2], axis=-1)
    return Estimate(np.asarray(value), np.asarray(low), np.asarray(high))


def _check(repetitions: int, level: float) -> None:
    if repetitions < 1 or not 0 < level < 1:
        message = (
            "expected repetitions of at least 1 and a level between 0 and 1, "
            f"got {repetitions} and {level}"
        )
        raise InvalidArgumentError(message)
