"""The suites' zero: committed, current, and computed again."""

import json
import math

import numpy as np
import pytest

from hwnas_env.benchmark import expectations as found
from hwnas_env.benchmark.runs import Limits, Run, Task, run_once
from hwnas_env.benchmark.scores import (
    expected_best,
    expected_share,
    log10_regret,
    score,
)
from hwnas_env.benchmark.suites import SUITES

TASKS = {
    found.table_key(task): task
    for suite in SUITES.values()
    for task in suite.tasks
    if task.objectives or not task.problem().space.has_numbers
}
FRONT = Task(
    "HWNAS-NASBench201-EdgeTPU-v0", budget=None, objectives=("accuracy", "latency_ms")
)
NET = Task("HWNAS-FBNet-EdgeTPU-v0")


def test_every_suite_task_without_a_closed_form_is_committed_and_current() -> None:
    table = found.load_table()
    assert set(TASKS) == {*table["accuracy"], *table["share"]}
    assert tuple(table["queries"]) == found.QUERIES
    for key, task in TASKS.items():
        part = table["share" if task.objectives else "accuracy"][key]
        assert part["data"] == found.data_digest(task)
        most = found.MOST_FRONT_QUERIES if task.objectives else found.QUERIES[-1]
        assert len(part["expected"]) == sum(q <= most for q in found.QUERIES)
        assert part["expected"] == sorted(part["expected"])
        assert all(error > 0 for error in part["error"])
        assert found.tabled(task, most) is not None
        assert found.tabled(task, most + 1) is None
    assert len(json.dumps(table)) < 60_000


def test_other_data_are_not_answered_from_the_table() -> None:
    assert found.tabled(NET, 100) is not None
    for other in (
        Task(NET.env, budget=1.5),
        Task(NET.env, dataset="cifar100"),
        Task(FRONT.env, "cifar100", budget=None, objectives=FRONT.objectives),
    ):
        assert found.tabled(other, 100) is None


@pytest.mark.slow
def test_an_entry_of_one_objective_comes_out_again() -> None:
    key = found.table_key(NET)
    again = found.accuracy_entry(NET)
    committed = found.load_table()["accuracy"][key]
    assert again["data"] == committed["data"]
    assert again["expected"] == pytest.approx(committed["expected"], abs=1e-5)
    assert again["error"] == pytest.approx(committed["error"], rel=0.1)


@pytest.mark.slow
def test_an_entry_of_several_objectives_comes_out_again() -> None:
    again = found.share_entry(FRONT)
    committed = found.load_table()["share"][found.table_key(FRONT)]
    assert again["data"] == committed["data"]
    assert again["expected"] == pytest.approx(committed["expected"], abs=1e-6)


def test_the_sampled_zero_agrees_with_the_exact_one() -> None:
    task = Task("HWNAS-NASBench201-FPGA-v0")
    drawn = found.sampled_accuracy(task, 40_000)
    for queries in (1, 10, 100):
        sampled, error = found.sampled_maximum(drawn, queries)
        exact = expected_best(task, queries)
        assert exact.error_percent == 0.0
        assert abs(sampled - exact.accuracy_percent) < 5 * error


def test_maxima_of_draws_have_their_closed_form() -> None:
    values, chance = np.array([1.0, 2.0, 4.0]), np.array([0.5, 0.25, 0.25])
    assert found.expected_maximum(values, chance, 1) == pytest.approx(2.0)
    two = 1 * 0.25 + 2 * (0.5625 - 0.25) + 4 * (1 - 0.5625)
    assert found.expected_maximum(values, chance, 2) == pytest.approx(two)


def test_between_committed_numbers_the_table_is_close() -> None:
    drawn = found.sampled_accuracy(NET)
    for queries in (7, 45, 450, 4500):
        direct, error = found.sampled_maximum(drawn, queries)
        committed = expected_best(NET, queries)
        difference = abs(committed.accuracy_percent - direct)
        assert difference < 5 * math.hypot(error, committed.error_percent)


def test_random_search_scores_zero_on_fronts_and_the_exact_front_one() -> None:
    limits = Limits(50)
    runs = [run_once(FRONT, "random", seed=s, limits=limits) for s in range(60)]
    shares = np.array([run.share for run in runs])
    expected = expected_share(FRONT, 50)
    error = math.hypot(shares.std(ddof=1) / math.sqrt(60), expected.error)
    assert abs(shares.mean() - expected.share) < 4 * error
    scores = [score(FRONT, run, limits) for run in runs]
    assert np.mean(scores) == pytest.approx(
        (shares.mean() - expected.share) / (1 - expected.share)
    )
    everything = run_once(FRONT, "exhaustive", seed=0, limits=Limits(15_625))
    assert everything.share == pytest.approx(1.0)
    assert expected_share(FRONT, 1200).share > expected_share(FRONT, 1000).share - 0.01


def test_logarithms_of_regret_have_a_floor() -> None:
    task = Task("HWNAS-NASBench201-FPGA-v0", budget="tight")
    run = run_once(task, "random", seed=0, queries=5)
    assert log10_regret(run) == pytest.approx(math.log10(run.regret_percent))
    best = run_once(task, "exhaustive", seed=0, queries=15_625)
    assert best.regret_percent == 0.0
    assert log10_regret(best) == -3.0
    assert score(task, best, Limits(15_625)) == pytest.approx(1.0)


def test_runs_without_a_network_score_as_an_accuracy_of_zero() -> None:
    nothing = (math.nan, math.nan, math.nan)
    empty = Run(NET.env, "random", 0, 3, 3, 0.0, "", *nothing, curve=())
    zero, one = expected_best(NET, 40).accuracy_percent, NET.problem().optimum("medium")
    expected = -zero / (one.accuracy_percent - zero)
    assert score(NET, empty, Limits(40)) == pytest.approx(expected)
    front = Run(FRONT.env, "random", 0, 1, objectives=FRONT.objectives, share=0.0)
    zero = expected_share(FRONT, 40).share
    assert score(FRONT, front, Limits(40)) == pytest.approx(-zero / (1 - zero))


def test_who_stops_early_gains_nothing() -> None:
    """Stops at the first good network, or after one query: worse than going on."""
    task = Task("HWNAS-NASBench201-EdgeGPU-v0")
    whole = [run_once(task, "random", seed=s, queries=200) for s in range(40)]
    stopped = []
    for run in whole:
        good = np.flatnonzero(np.array(run.curve) > 90.5)
        queries = int(good[0]) + 1 if len(good) else 200
        stopped.append(run_once(task, "random", seed=run.seed, queries=queries))
    limits = Limits(200)
    full = [score(task, run, limits) for run in whole]
    early = [score(task, run, limits) for run in stopped]
    assert all(a <= b for a, b in zip(early, full, strict=True))
    assert np.mean(early) < np.mean(full)
