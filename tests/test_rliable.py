"""Our aggregates and intervals against rliable's, where that is installed.

Values are compared as numbers. rliable draws its resamples from NumPy's global
generator, whatever ``random_state`` says, so ends of intervals are compared as
distributions over repetitions.
"""

from typing import Any

import numpy as np
import pytest

from hwnas_env.maths.resampling import (
    Estimate,
    Statistic,
    bootstrap,
    improvement,
    interquartile_mean,
    mean_of_tasks,
    median_of_tasks,
    optimality_gap,
    profile,
    tasks_of,
)

library: Any = pytest.importorskip("rliable.library", reason="rliable is missing")
metrics: Any = pytest.importorskip("rliable.metrics", reason="rliable is missing")

REPEATS, SAMPLES = 30, 400


def scores(shift: float, runs: int = 8) -> np.ndarray[Any, Any]:
    rng = np.random.default_rng(17)
    return rng.gamma(2.0, size=(runs, 6)) * 0.3 + shift


def assert_same_ends(ours: list[Estimate], theirs: list[np.ndarray]) -> None:  # type: ignore[type-arg]
    """The means of the ends agree within four standard errors."""
    mine = np.array([[found.low, found.high] for found in ours])
    other = np.array([np.asarray(found).reshape(mine.shape[1:]) for found in theirs])
    error = np.sqrt((mine.var(axis=0, ddof=1) + other.var(axis=0, ddof=1)) / REPEATS)
    assert (np.abs(mine.mean(axis=0) - other.mean(axis=0)) <= 4 * error + 1e-12).all()
    assert (mine[:, 0] <= mine[:, 1]).all()
    assert mine.std(axis=0).max() > 0


AGGREGATES: list[tuple[Statistic, str]] = [
    (interquartile_mean, "aggregate_iqm"),
    (mean_of_tasks, "aggregate_mean"),
    (median_of_tasks, "aggregate_median"),
    (optimality_gap, "aggregate_optimality_gap"),
]


@pytest.mark.parametrize(("ours", "name"), AGGREGATES)
def test_aggregates_and_their_intervals_agree(ours: Statistic, name: str) -> None:
    theirs = getattr(metrics, name)
    for runs in (1, 3, 8):
        table = scores(0.0, runs)
        assert ours(tasks_of(table)) == pytest.approx(theirs(table), rel=1e-12)
    np.random.seed(0)  # noqa: NPY002 - the generator that rliable reads
    table, rng = scores(0.0), np.random.default_rng(0)
    found, expected = [], []
    for _ in range(REPEATS):
        found.append(bootstrap(ours, tasks_of(table), repetitions=SAMPLES, rng=rng))
        _, ends = library.get_interval_estimates(
            {"a": table}, lambda x: np.array([theirs(x)]), reps=SAMPLES
        )
        expected.append(ends["a"])
    assert_same_ends(found, expected)


def test_improvement_and_its_interval_agree() -> None:
    one, two = scores(0.05).round(1), scores(0.0, runs=5).round(1)  # with ties
    np.random.seed(1)  # noqa: NPY002 - the generator that rliable reads
    rng = np.random.default_rng(1)
    found, expected = [], []
    for _ in range(REPEATS):
        found.append(
            improvement(tasks_of(one), tasks_of(two), repetitions=200, rng=rng)
        )
        value, ends = library.get_interval_estimates(
            {"a": [one, two]},
            lambda x, y: np.array([metrics.probability_of_improvement(x, y)]),
            reps=200,
        )
        assert found[-1].value == pytest.approx(value["a"][0], rel=1e-12)
        expected.append(ends["a"])
    assert_same_ends(found, expected)


def test_profiles_and_their_bands_agree() -> None:
    table, cuts = scores(0.0), np.linspace(0.0, 2.0, 9)
    np.random.seed(2)  # noqa: NPY002 - the generator that rliable reads
    rng = np.random.default_rng(2)
    found, expected = [], []
    for _ in range(REPEATS):
        found.append(profile(tasks_of(table), cuts, repetitions=200, rng=rng))
        value, ends = library.create_performance_profile({"a": table}, cuts, reps=200)
        assert found[-1].value == pytest.approx(value["a"], abs=1e-12)
        expected.append(ends["a"])
    assert_same_ends(found, expected)
