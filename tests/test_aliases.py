"""Metrics that are another one times a factor, or a factor over another one."""

import itertools

import numpy as np
import pytest

import hwnas_env
from hwnas_env.errors import InvalidArgumentError
from hwnas_env.problems.problem import Problem
from hwnas_env.types import FloatArray, Genotypes

INVERSE = [("toychain", "small"), ("toychain", "large"), ("toyragged", "small")]


def every(problem: Problem) -> Genotypes:
    counts = problem.space.choices_at
    return np.array(list(itertools.product(*map(range, counts))), dtype=np.int8)


def problem_of(space: str, dataset: str) -> Problem:
    return hwnas_env.make_problem(space, device="toybox", dataset=dataset)


def column(problem: Problem, rows: Genotypes, name: str) -> FloatArray:
    return problem.evaluate(rows).costs[:, problem.metrics.index(name)]


@pytest.mark.parametrize(("space", "dataset"), INVERSE)
def test_throughput_is_a_thousand_over_the_time_of_one(
    space: str, dataset: str
) -> None:
    problem = problem_of(space, dataset)
    rows = every(problem)
    runs = problem.evaluate(rows).deployable
    latency = column(problem, rows, "latency_ms")[runs]
    assert (column(problem, rows, "throughput_ips")[runs] == 1000.0 / latency).all()


@pytest.mark.parametrize(("space", "dataset"), INVERSE)
def test_a_front_maximises_throughput(space: str, dataset: str) -> None:
    problem = problem_of(space, dataset)
    fast = problem.pareto_front(("accuracy", "throughput_ips"))
    short = problem.pareto_front(("accuracy", "latency_ms"))
    assert fast.points[:, 1].tolist() == (1000.0 / short.points[:, 1]).tolist()
    rows = every(problem)
    runs = problem.evaluate(rows).deployable
    accuracy = problem.evaluate(rows).accuracy_percent[runs]
    speed = column(problem, rows, "throughput_ips")[runs]
    beaten = [
        ((accuracy >= a) & (speed >= s) & ((accuracy > a) | (speed > s))).any()
        for a, s in zip(accuracy, speed, strict=True)
    ]
    best = np.unique(np.stack([accuracy, speed], axis=1)[~np.array(beaten)], axis=0)
    assert np.unique(fast.points, axis=0).tolist() == best.tolist()


def test_a_budget_on_what_is_maximised_names_what_it_can_be_on() -> None:
    with pytest.raises(InvalidArgumentError, match="set one on latency_ms"):
        hwnas_env.make_problem("toychain", device="toybox", metric="throughput_ips")


def test_an_alias_and_its_metric_are_one_objective() -> None:
    problem = problem_of("toychain", "small")
    with pytest.warns(UserWarning, match="throughput is 1000.0 / latency: the two are"):
        problem.pareto_front(("accuracy", "latency_ms", "throughput_ips"))
    with pytest.warns(UserWarning, match="energy is 3.0 x latency: the two are one"):
        problem.pareto_front(("accuracy", "latency_ms", "energy_mj"))


@pytest.mark.parametrize("device", ["a100", "zcu102"])
def test_the_usual_front_is_on_latency_or_the_budgets_metric(device: str) -> None:
    problem = hwnas_env.make_problem("mnasnet", device=device)
    front = problem.pareto_front()
    assert front.objectives == ("accuracy", problem.metric)
