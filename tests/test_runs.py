"""Runs that fail, hang, are killed and go on."""

import json
import math
import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hwnas_env import make_problem
from hwnas_env.benchmark.front_studies import run_fronts
from hwnas_env.benchmark.fronts import Volume, archive_of
from hwnas_env.benchmark.jobs import Job
from hwnas_env.benchmark.runner import run_all
from hwnas_env.benchmark.runs import Limits, Run, Task, run_once
from hwnas_env.benchmark.suite_runs import run_suite
from hwnas_env.benchmark.suites import SUITES
from hwnas_env.errors import (
    DataError,
    InvalidArgumentError,
    UnknownNameError,
)

CELL = Task("HWNAS-NASBench201-EdgeTPU-v0")
NET = Task("HWNAS-FBNet-Pixel3-v0")
OBJECTIVES = ("accuracy", "latency_ms")


@pytest.mark.parametrize(
    ("agent", "error", "queries"),
    [
        ("Raises", "RuntimeError: no more ideas", 12),
        ("Garbage", "InvalidGenotypeError: nasbench201: expected genotypes", 0),
        ("Greedy", "BudgetExhaustedError: 15 queries asked for, 5 of 50 left", 45),
        ("Leaves", "SystemExit: 4", 0),
        ("Speechless", "_ExitsWhenReadError: no message (SystemExit)", 0),
        ("Cancels", "CancelledError: enough", 0),
    ],
)
def test_a_run_that_fails_says_why_and_keeps_what_it_found(
    agent: str, error: str, queries: int
) -> None:
    runs = run_all(CELL, [f"misbehaving:{agent}", "random"], seeds=2, queries=50)
    for run in runs[:2]:
        assert run.error.startswith(error)
        assert run.queries >= queries
        assert len(run.curve) == run.queries
        assert bool(run.incumbent) == (not math.isnan(run.accuracy_percent))
        if queries:
            assert run.incumbent
    assert [run.error for run in runs[2:]] == ["", ""]
    assert [run.queries for run in runs[2:]] == [50, 50]


@pytest.mark.parametrize(
    ("agent", "seconds", "error"),
    [
        ("Hangs", 3.0, "TimeoutError: no end within 3 seconds"),
        ("Dies", 600.0, "the process died with exit code 3"),
    ],
)
def test_a_run_that_hangs_or_dies_is_marked_and_nothing_else_is_lost(
    agent: str, seconds: float, error: str, tmp_path: Path
) -> None:
    patient, hasty = (
        Limits(20, timeout_seconds=600.0),
        Limits(20, None, "charged", seconds),
    )

    def both() -> list[Run]:
        good = run_all(CELL, ["random"], seeds=1, limits=patient, folder=tmp_path)
        bad = [f"misbehaving:{agent}"]
        return good + run_all(CELL, bad, seeds=1, limits=hasty, folder=tmp_path)

    runs = both()
    assert [run.error for run in runs] == ["", error]
    assert runs[0].queries == 20
    assert runs[0] == run_once(CELL, "random", seed=0, limits=patient)
    assert runs == both()


def test_an_agent_that_cannot_be_made_is_named_before_anything_runs() -> None:
    for task in (CELL, Task(CELL.env, objectives=("accuracy", "latency_ms"))):
        with pytest.raises(InvalidArgumentError, match=r"Unmade' cannot be made: Sys"):
            run_all(task, ["random", "misbehaving:Unmade"], seeds=1, queries=5)


def test_a_front_may_begin_with_what_cannot_run() -> None:
    volume = Volume(make_problem("nasbench201", device="edgetpu"), OBJECTIVES)
    for columns in (2, 3):
        points = np.array([[np.inf] * columns, [0.5] * columns, [np.inf] * columns])
        curve, archive = archive_of(volume, points[:, :2])
        assert curve[0] == 0.0
        assert curve[1] == curve[2] > 0
        assert archive.tolist() == [1]


def test_a_folder_that_cannot_be_written_is_a_clear_error(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(DataError, match="cannot be written"):
        run_all(CELL, ["random"], seeds=1, queries=5, folder=blocked / "records")


def test_limits_are_checked_before_anything_runs() -> None:
    with pytest.raises(InvalidArgumentError, match="got neither"):
        Limits(None)
    with pytest.raises(InvalidArgumentError, match="timeout"):
        Limits(3, timeout_seconds=0)
    with pytest.raises(UnknownNameError, match="did you mean 'free'"):
        run_all(CELL, ["random"], seeds=1, limits=Limits(3, repeats="fre"))
    with pytest.raises(InvalidArgumentError, match="no training times"):
        run_all(NET, ["random"], seeds=1, limits=Limits(None, train_seconds=9.0))


def test_a_lone_name_is_not_taken_for_a_list_of_letters() -> None:
    names: Any
    for names in ("random", [5], None, {"random"}):
        with pytest.raises(InvalidArgumentError, match="expected a sequence of names"):
            run_all(CELL, names, seeds=1, queries=5)
    with pytest.raises(InvalidArgumentError, match=r"write \['random'\]"):
        run_all(CELL, "random", seeds=1, queries=5)
    lone: Any = "accuracy"
    with pytest.raises(InvalidArgumentError, match="objectives"):
        run_fronts(CELL, ["random"], lone, seeds=1, limits=Limits(5))
    with pytest.raises(InvalidArgumentError, match="objectives"):
        run_all(Task(CELL.env, objectives=lone), ["random"], seeds=1, queries=5)
    with pytest.raises(InvalidArgumentError, match="agents"):
        run_suite(SUITES["smoke"], "random", seeds=1, limits=Limits(5))


def test_seconds_and_free_repeats_limit_runs() -> None:
    timed = run_once(CELL, "random", seed=0, limits=Limits(None, 100_000.0))
    assert timed.queries > 10
    assert timed.train_seconds <= 100_000.0
    free = Limits(30, repeats="free")
    for agent in ("evolution", "reinforce"):
        run = run_once(CELL, agent, seed=0, limits=free)
        assert run.unique_queries == 30 <= run.queries


def test_no_budget_leaves_deployability_alone() -> None:
    task = Task(CELL.env, budget=None)
    run = run_once(task, "evolution", seed=0, queries=200)
    problem = task.problem()
    assert run.accuracy_percent > problem.optimum("medium").accuracy_percent - 1.0
    assert run.regret_percent >= 0


def test_shares_of_the_exact_front_grow_to_one() -> None:
    problem = make_problem("nasbench201", device="fpga")
    names = ("accuracy", "latency_ms")
    volume = Volume(problem, names)
    front = problem.pareto_front(names)
    evaluation = problem.evaluate(front.genotypes)
    points = volume.points(evaluation.accuracy_percent, evaluation.costs)
    assert volume.share(points) == pytest.approx(1.0)
    assert 0 < volume.share(points[:3]) < 1
    assert volume.share(points[:0]) == 0.0
    task = Task(NET.env, objectives=names)
    for agent in ("random", "nsga2", "scalarised_ppo"):
        run = run_once(task, agent, seed=0, limits=Limits(60))
        assert run.queries == len(run.curve) == 60
        assert list(run.curve) == sorted(run.curve)
        assert 0 < run.share <= 1
        assert run.archive
        again = run_once(task, agent, seed=0, limits=Limits(60))
        assert again == run


def test_fronts_are_summarised_best_first() -> None:
    names = ["accuracy", "latency_ms", "parameters_m"]
    task = Task(CELL.env, budget=None)
    found = run_fronts(
        task,
        ["random", "nsga2", "misbehaving:Raises"],
        names,
        seeds=2,
        limits=Limits(40),
    )
    shares = [row["share"] for row in found["agents"]]
    assert shares == sorted(shares, reverse=True)
    failed = {row["agent"]: row["failed"] for row in found["agents"]}
    assert failed == {"random": 0, "nsga2": 0, "misbehaving:Raises": 2}
    json.dumps(found)
    with pytest.raises(InvalidArgumentError, match="two objectives"):
        run_fronts(task, ["random"], names[:1], seeds=1, limits=Limits(5))


def test_curves_and_incumbents_follow_the_queries() -> None:
    run = run_once(NET, "random", seed=3, queries=40)
    assert len(run.curve) == 40
    assert list(run.curve) == sorted(run.curve)
    problem = NET.problem()
    genotype = problem.encode(run.incumbent)
    evaluation = problem.evaluate(genotype)
    assert run.accuracy_percent == run.curve[-1] == evaluation.accuracy_percent[0]
    assert run.cost == evaluation.costs[0, 0]
    assert np.isfinite(run.cost)

    job = Job(CELL, "random", 0, Limits(5))
    with pytest.warns(DeprecationWarning, match=r"use Job\.sort_key"):
        assert job.order() == job.sort_key()


def test_runs_are_equal_if_they_found_the_same_and_nothing_is_the_same_too() -> None:
    task = Task(CELL.env, objectives=OBJECTIVES)
    for asked in (CELL, task):
        run = run_once(asked, "misbehaving:Garbage", seed=0, queries=5)
        again = pickle.loads(pickle.dumps(run))
        assert again == run
        assert hash(again) == hash(run)
        assert run != replace(run, error="")
        assert json.loads(json.dumps(run.as_dict())) == run.as_dict()
    assert "incumbent" not in run.as_dict()
    assert run.share == 0.0
    assert run != "a run"


def test_learners_and_searchers_run_alike_in_any_number_of_processes() -> None:
    agents = ["ppo", "evolution"]
    one, two = (run_all(CELL, agents, seeds=2, queries=60, jobs=n) for n in (1, 2))
    assert one == two
    assert [run.error for run in one] == [""] * 4
