"""A score for a run that means the same on every task, and does not saturate.

0 is what masked random search is expected to find with as many queries, 1 is the exact
optimum; a run that does worse than random search is expected to has a negative score.
"""

import functools
import math
from dataclasses import dataclass

import numpy as np

from hwnas_env.accuracy.noise import uniform_numbers
from hwnas_env.benchmark.runs import Run, Task
from hwnas_env.envs.vector import HWNASVectorEnv
from hwnas_env.problems.budget import BudgetedProblem
from hwnas_env.problems.problem import Problem
from hwnas_env.problems.tabular import TableModel
from hwnas_env.types import FloatArray

SAMPLE, CHUNK = 100_000, 20_000
"""Networks from which FBNet's expectations are computed, and how many at a time."""


@dataclass(frozen=True)
class Expectation:
    """The incumbent that masked random search is expected to have.

    Attributes:
        accuracy_percent: its accuracy.
        error_percent: standard error of that; 0 where it is exact.
    """

    accuracy_percent: float
    error_percent: float


def expected_best(task: Task, queries: int) -> Expectation:
    """Returns what masked random search is expected to find.

    Exact on NAS-Bench-201, where every network's chance of being drawn is known. On
    FBNet from 100,000 networks, drawn by numbers that are the same on every machine.

    Args:
        task: what is searched.
        queries: how many draws.
    """
    accuracy, chance = _distribution(task)
    best = _expected_maximum(accuracy, chance, queries)
    if task.problem().space.has_numbers:
        return Expectation(best, 0.0)
    # batch means: ten parts of the sample, each on its own
    parts = [_sampled(task)[part::10] for part in range(10)]
    means = [
        _expected_maximum(np.sort(part), np.full(len(part), 1 / len(part)), queries)
        for part in parts
    ]
    return Expectation(best, float(np.std(means, ddof=1) / math.sqrt(10)))


def score(task: Task, run: Run) -> float:
    """Returns a run's score; that of a run without a feasible network is -inf.

    Args:
        task: what was searched.
        run: what was found.
    """
    if not run.incumbent:
        return -math.inf
    optimum = run.accuracy_percent + run.regret_percent
    chance = expected_best(task, max(1, run.queries)).accuracy_percent
    return (run.accuracy_percent - chance) / (optimum - chance)


def _expected_maximum(accuracy: FloatArray, chance: FloatArray, queries: int) -> float:
    """Returns E[max of n draws] of values in rising order and their chances."""
    below = np.minimum(np.cumsum(chance), 1.0)
    below[-1] = 1.0
    reached = below**queries
    return float((accuracy * np.diff(reached, prepend=0.0)).sum())


@functools.lru_cache(maxsize=64)
def _distribution(task: Task) -> tuple[FloatArray, FloatArray]:
    """Returns accuracies in rising order, and how likely each is to be drawn."""
    problem = task.problem()
    if not problem.space.has_numbers:
        accuracy = np.sort(_sampled(task))
        return accuracy, np.full(len(accuracy), 1.0 / len(accuracy))
    chance = masked_chances(problem, task.limit(problem))
    rows = problem.space.from_keys(np.arange(problem.space.size))
    accuracy = problem.evaluate(rows).accuracy_percent
    order = np.argsort(accuracy, kind="stable")
    return accuracy[order], chance[order]


def masked_chances(problem: Problem, limit: float | None) -> FloatArray:
    """Returns how likely masked uniform decisions end in each cell: ``(K^L,)``.

    Args:
        problem: of a space that can be enumerated.
        limit: the budget, or None; cells in the order of their keys.
    """
    model = problem.model
    assert isinstance(model, TableModel), "asked only where cells are enumerated"
    tree = model.tree(problem.metric_column)
    largest = model.largest(problem.metric_column)
    masks = tree.masks(slice(None), largest if limit is None else limit)
    shares = masks / masks.sum(axis=1, keepdims=True)
    chance, first = np.ones(1), 0
    while first < tree.leaves:
        level = shares[first : first + len(chance)]
        first += len(chance)
        chance = (chance[:, None] * level).reshape(-1)
    return chance


@functools.lru_cache(maxsize=64)
def _sampled(task: Task) -> FloatArray:
    """Returns accuracies of networks that masked uniform decisions build."""
    problem = task.problem()
    limit = task.limit(problem)
    largest = problem.model.largest(problem.metric_column)
    envs = HWNASVectorEnv(
        problem.space.name,
        problem.device.name,
        num_envs=CHUNK,
        budget=largest if limit is None else limit,
        ledger=BudgetedProblem(problem),
    )
    _, infos = envs.reset()
    found = []
    for chunk in range(SAMPLE // CHUNK):
        for depth in range(problem.space.length):
            masks = infos["action_mask"].astype(np.bool_)
            uniforms = uniform_numbers(CHUNK, stream=chunk * 64 + depth)
            which = (uniforms * masks.sum(axis=1)).astype(np.int64)
            actions = (np.cumsum(masks, axis=1) > which[:, None]).argmax(axis=1)
            *_, infos = envs.step(actions)
        found.append(infos["final_info"]["accuracy_percent"])
    return np.concatenate(found)
