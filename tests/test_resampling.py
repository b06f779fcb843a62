"""Aggregates and intervals: closed forms, brute force, hostile input."""

import itertools

import numpy as np
import pytest
from scipy import stats

from hwnas_env.errors import InvalidArgumentError
from hwnas_env.maths import rank_tests, resampling
from hwnas_env.maths.resampling import (
    Tasks,
    bootstrap,
    check_tasks,
    improvement,
    interquartile_mean,
    mean_of_tasks,
    median_of_tasks,
    optimality_gap,
    profile,
    tasks_of,
)
from hwnas_env.types import FloatArray


@pytest.mark.parametrize("shape", [(1, 1), (2, 1), (3, 2), (5, 7), (10, 18)])
def test_the_interquartile_mean_is_a_trimmed_mean(
    shape: tuple[int, int], rng: np.random.Generator
) -> None:
    scores = rng.normal(size=shape)
    ours = interquartile_mean(tasks_of(scores))
    assert ours == pytest.approx(stats.trim_mean(scores, 0.25, axis=None), rel=1e-12)


def test_aggregates_have_closed_forms() -> None:
    tasks = tasks_of([[0.0, 1.0, 4.0], [0.5, 2.0, 4.0]])
    assert mean_of_tasks(tasks) == pytest.approx((0.25 + 1.5 + 4.0) / 3)
    assert median_of_tasks(tasks) == pytest.approx(1.5)
    assert optimality_gap(tasks) == pytest.approx(1 - (0.25 + 1 + 1) / 3)
    assert interquartile_mean(tasks) == pytest.approx((0.5 + 1 + 2 + 4) / 4)


def test_tasks_with_different_runs_weigh_the_same_in_means() -> None:
    tasks = [np.array([1.0]), np.array([0.0, 0.0, 0.0])]
    assert mean_of_tasks(tasks) == 0.5
    # ... and by their runs in the interquartile mean: the middle of 0, 0, 0, 1
    assert interquartile_mean(tasks) == 0.0
    found = bootstrap(mean_of_tasks, tasks, rng=np.random.default_rng(0))
    assert (found.low, found.value, found.high) == (0.5, 0.5, 0.5)


def test_an_interval_is_that_of_every_possible_resample() -> None:
    # Two tasks of three runs: 27 x 27 resamples, all as likely.
    tasks = [np.array([0.0, 1.0, 5.0]), np.array([2.0, 3.0, 4.0])]
    exact = [
        float(np.mean(a) + np.mean(b)) / 2
        for a in itertools.product(tasks[0], repeat=3)
        for b in itertools.product(tasks[1], repeat=3)
    ]
    rng = np.random.default_rng(1)
    found = bootstrap(mean_of_tasks, tasks, repetitions=60_000, level=0.8, rng=rng)
    share_below = np.mean(np.array(exact) <= found.low + 1e-9)
    share_above = np.mean(np.array(exact) >= found.high - 1e-9)
    assert share_below >= 0.1 - 0.005
    assert share_above >= 0.1 - 0.005
    step = 0.1  # the nearest atoms inside leave no more than a tenth outside
    assert np.mean(np.array(exact) < found.low - 1e-9) <= step + 0.005
    assert np.mean(np.array(exact) > found.high + 1e-9) <= step + 0.005


def test_intervals_cover_the_truth_about_as_often_as_they_say() -> None:
    rng = np.random.default_rng(3)
    hits = 0
    for _ in range(200):
        tasks = tasks_of(rng.normal(size=(20, 6)))
        found = bootstrap(mean_of_tasks, tasks, repetitions=300, rng=rng)
        hits += bool(found.low <= 0.0 <= found.high)
    assert 0.88 <= hits / 200 <= 0.99


def test_runs_are_resampled_with_all_their_points() -> None:
    # Two points of a run are mirrored, so that their sum never moves.
    runs = np.array([1.0, 2.0, 7.0, 9.0])
    curve = [np.stack([runs, -runs])]
    found = bootstrap(mean_of_tasks, curve, rng=np.random.default_rng(0))
    assert found.value.shape == found.low.shape == (2,)
    assert found.low[0] == pytest.approx(-found.high[1])
    assert found.high[0] == pytest.approx(-found.low[1])


def test_the_same_seed_gives_the_same_interval() -> None:
    tasks = tasks_of(np.random.default_rng(0).normal(size=(5, 4)))
    one, two, other = (
        bootstrap(interquartile_mean, tasks, rng=np.random.default_rng(seed))
        for seed in (7, 7, 8)
    )
    assert (one.low, one.high) == (two.low, two.high)
    assert (one.low, one.high) != (other.low, other.high)
    before = [task.copy() for task in tasks]
    improvement(tasks, tasks, rng=np.random.default_rng(0))
    assert all((a == b).all() for a, b in zip(tasks, before, strict=True))


def test_chunks_are_as_many_samples_as_were_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[tuple[int, ...]] = []

    def counting(tasks: Tasks) -> FloatArray:
        asked.append(tasks[0].shape)
        return mean_of_tasks(tasks)

    monkeypatch.setattr(resampling, "CHUNK", 70)
    tasks = tasks_of(np.random.default_rng(0).normal(size=(5, 2)))
    found = bootstrap(counting, tasks, repetitions=45, rng=np.random.default_rng(1))
    assert sorted(asked) == [(3, 5), (5,), *[(7, 5)] * 6]
    assert found.low < found.value < found.high
    monkeypatch.setattr(resampling, "CHUNK", 1)  # less than one sample
    found = bootstrap(counting, tasks, repetitions=3, rng=np.random.default_rng(1))
    assert asked.count((1, 5)) == 3


def test_improvement_counts_pairs_and_half_of_ties(rng: np.random.Generator) -> None:
    ours = [rng.integers(0, 5, size=6).astype(float) for _ in range(3)]
    theirs = [rng.integers(0, 5, size=n).astype(float) for n in (4, 6, 9)]
    brute = np.mean(
        [
            np.mean([1.0 if x > y else 0.5 if x == y else 0.0 for x in a for y in b])
            for a, b in zip(ours, theirs, strict=True)
        ]
    )
    found = improvement(ours, theirs, rng=rng)
    assert found.value == pytest.approx(brute)
    assert found.low <= found.value <= found.high
    back = improvement(theirs, ours, rng=rng)
    assert found.value + back.value == pytest.approx(1.0)
    same = improvement([np.ones(4)], [np.ones(3)], rng=rng)
    assert (same.low, same.value, same.high) == (0.5, 0.5, 0.5)
    sure = improvement([np.ones(1)], [np.zeros(1)], rng=rng)
    assert (sure.low, sure.value, sure.high) == (1.0, 1.0, 1.0)


def test_improvement_is_resampled_like_runs_drawn_one_by_one() -> None:
    rng = np.random.default_rng(5)
    ours, theirs = rng.normal(0.5, size=8), rng.normal(size=5)
    found = improvement([ours], [theirs], repetitions=20_000, rng=rng)
    drawn = []
    for _ in range(20_000):
        a, b = rng.choice(ours, 8), rng.choice(theirs, 5)
        drawn.append((a[:, None] > b).mean())
    assert np.quantile(drawn, 0.025) == pytest.approx(found.low, abs=0.026)
    assert np.quantile(drawn, 0.975) == pytest.approx(found.high, abs=0.026)


def test_profiles_fall_from_one_to_zero(rng: np.random.Generator) -> None:
    tasks = tasks_of(rng.random((6, 5)))
    cuts = np.linspace(-0.1, 1.1, 13)
    found = profile(tasks, cuts, rng=rng)
    assert found.value[0] == 1.0
    assert found.value[-1] == 0.0
    assert (np.diff(found.value) <= 0).all()
    assert ((found.low <= found.value) & (found.value <= found.high)).all()
    brute = [np.mean([x > cut for task in tasks for x in task]) for cut in cuts]
    assert found.value == pytest.approx(np.array(brute))
    at_value = profile([np.array([0.5])], np.array([0.5]), rng=rng)
    assert at_value.value == 0.0  # above means above


@pytest.mark.parametrize(
    "scores",
    [[], [[]], [[[]]], [1.0], [[np.nan]], [[1.0, np.inf]], np.zeros((0, 3))],
)
def test_scores_that_are_none_raise(scores: object) -> None:
    with pytest.raises(InvalidArgumentError, match="scores"):
        tasks_of(scores)  # type: ignore[arg-type]


def test_ragged_tasks_are_checked() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(InvalidArgumentError, match="no runs"):
        check_tasks([np.zeros(3), np.zeros(0)])
    with pytest.raises(InvalidArgumentError, match="no runs"):
        check_tasks([np.float64(3.0)])  # type: ignore[list-item]
    with pytest.raises(InvalidArgumentError, match="before the runs"):
        check_tasks([np.zeros((2, 3)), np.zeros((4, 3))])
    with pytest.raises(InvalidArgumentError, match="the same tasks"):
        improvement([np.zeros(2)], [np.zeros(2), np.zeros(2)], rng=rng)
    for keywords in ({"repetitions": 0}, {"level": 1.0}, {"level": 0.0}):
        with pytest.raises(InvalidArgumentError, match="level"):
            bootstrap(mean_of_tasks, [np.zeros(2)], rng=rng, **keywords)  # type: ignore[arg-type]


def test_ranks_share_the_mean_of_ties(rng: np.random.Generator) -> None:
    table = rng.integers(0, 4, size=(20, 6)).astype(float)
    expected = stats.rankdata(-table, axis=1)
    assert (rank_tests.ranks(table) == expected).all()
    for wrong in (np.zeros(3), np.zeros((0, 2)), np.array([[np.nan]])):
        with pytest.raises(InvalidArgumentError, match="scores"):
            rank_tests.ranks(wrong)


@pytest.mark.parametrize("ties", [False, True])
def test_friedman_agrees_with_scipy(ties: bool, rng: np.random.Generator) -> None:
    table = rng.normal(size=(9, 4)) + np.array([0.0, 0.4, 0.8, 0.1])
    table = table.round(0) if ties else table
    found = rank_tests.friedman(table)
    expected = stats.friedmanchisquare(*table.T)
    assert found.statistic == pytest.approx(expected.statistic)
    assert found.p == pytest.approx(expected.pvalue)
    assert (found.tasks, found.agents) == (9, 4)


def test_friedman_of_nothing_to_tell_apart() -> None:
    found = rank_tests.friedman(np.ones((3, 4)))
    assert (found.statistic, found.p) == (0.0, 1.0)
    for shape in ((1, 3), (3, 1)):
        with pytest.raises(InvalidArgumentError, match="at least two"):
            rank_tests.friedman(np.ones(shape))


def test_holm_is_the_textbooks() -> None:
    adjusted = rank_tests.holm([0.01, 0.02, 0.03, 0.5])
    assert adjusted == pytest.approx([0.04, 0.06, 0.06, 0.5])
    assert rank_tests.holm([0.9, 0.8]).tolist() == [1.0, 1.0]
    assert rank_tests.holm([]).tolist() == []


def test_pairwise_tests_are_scipys_adjusted(rng: np.random.Generator) -> None:
    table = rng.normal(size=(12, 3)) + np.array([0.0, 1.0, 1.0])
    matrix = rank_tests.wilcoxon_matrix(table)
    pairs = [(0, 1), (0, 2), (1, 2)]
    raw = [stats.wilcoxon(table[:, i], table[:, j]).pvalue for i, j in pairs]
    assert [matrix[i, j] for i, j in pairs] == pytest.approx(rank_tests.holm(raw))
    assert (matrix == matrix.T).all()
    assert (np.diag(matrix) == 1).all()
    assert rank_tests.wilcoxon_matrix(np.ones((5, 2)))[0, 1] == 1.0
    runs = [rng.normal(size=n) for n in (5, 7, 9)]
    whitney = rank_tests.mann_whitney_matrix(runs)
    raw = [stats.mannwhitneyu(runs[i], runs[j]).pvalue for i, j in pairs]
    assert [whitney[i, j] for i, j in pairs] == pytest.approx(rank_tests.holm(raw))
    assert rank_tests.mann_whitney_matrix([np.ones(1)]).tolist() == [[1.0]]
    with pytest.raises(InvalidArgumentError, match="agent 1"):
        rank_tests.mann_whitney_matrix([np.ones(2), np.zeros(0)])
