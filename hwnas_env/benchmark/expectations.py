"""What random search is expected to find: exact, or from a committed seeded study."""

import functools
import hashlib
import importlib.resources
import json
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from hwnas_env.benchmark.fronts import Volume, volume_of
from hwnas_env.benchmark.tasks import Task, cached_by_data
from hwnas_env.engines.forms import TableSpace
from hwnas_env.engines.noise import uniform_numbers
from hwnas_env.engines.table import TableModel
from hwnas_env.engines.walk import draw_allowed
from hwnas_env.envs.vector import HWNASVectorEnv
from hwnas_env.maths.elementary import log, ordered_sum, whole_power
from hwnas_env.problems.budget import BudgetedProblem
from hwnas_env.problems.problem import Problem
from hwnas_env.types import FloatArray, Genotypes

SAMPLE, CHUNK = 100_000, 20_000
"""Networks from which expectations on layers are computed where they are not committed,
and how many at a time."""

STUDIED_SAMPLE = 500_000
STUDIED_TABLE_RUNS, STUDIED_LAYER_RUNS = 4000, 500
"""Networks, and runs on several objectives where the space is a table and where it is
layers, that the committed expectations are of."""

QUERIES = tuple(np.unique(np.round(np.geomspace(1, 10_000, 41)).astype(int)).tolist())
MOST_FRONT_QUERIES = 1000

FILE = "expectations.json"


def table_key(task: Task) -> str:
    """Returns a task's name in the committed table."""
    problem = task.problem()
    usual = problem.dataset == problem.space.default_dataset
    where = task.env_id if usual else f"{task.env_id} {problem.dataset}"
    if task.objectives:
        return f"{where} {' '.join(task.objectives)}"
    return f"{where} {task.metric} {task.budget}"


def data_digest(task: Task) -> str:
    """Returns a hash of the data behind a task, and of its budget's number."""
    problem = task.problem()
    parts = [f"{name} {p.sha256}" for name, p in problem.provenance.items()]
    parts.append(repr(task.limit(problem)))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


def tabled(task: Task, queries: int) -> tuple[float, float] | None:
    """Returns a committed expectation and its standard error.

    Between the committed numbers of queries, linear in their logarithm.

    Args:
        task: what is searched.
        queries: how many.

    Returns:
        None where nothing is committed: for other data, or more queries.
    """
    table = load_table()
    part = table["share" if task.objectives else "accuracy"].get(table_key(task))
    if part is None or part["data"] != data_digest(task):
        return None
    known = table["queries"][: len(part["expected"])]
    if not known[0] <= queries <= known[-1]:
        return None
    place = log(queries), log(known)
    expected = float(np.interp(*place, part["expected"]))
    return expected, float(np.interp(*place, part["error"]))


@functools.cache
def load_table() -> dict[str, Any]:
    """Returns the committed expectations."""
    file = importlib.resources.files("hwnas_env.benchmark") / FILE
    values: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return values


def accuracy_entry(task: Task, *, sample: int = STUDIED_SAMPLE) -> dict[str, Any]:
    """Computes what the table holds of a task with one objective.

    Args:
        task: on a space of layers.
        sample: networks.
    """
    accuracy = sampled_accuracy(task, sample)
    rows = [sampled_maximum(accuracy, queries) for queries in QUERIES]
    return {
        "data": data_digest(task),
        "expected": [round(value, 5) for value, _ in rows],
        "error": [float(f"{error:.2g}") for _, error in rows],
    }


def share_entry(task: Task) -> dict[str, Any]:
    """Computes what the table holds of a task with several objectives.

    Args:
        task: with objectives.
    """
    table = isinstance(task.problem().space, TableSpace)
    runs = STUDIED_TABLE_RUNS if table else STUDIED_LAYER_RUNS
    places = [queries for queries in QUERIES if queries <= MOST_FRONT_QUERIES]
    shares = sampled_shares(task, places, runs=runs)
    errors = shares.std(axis=0, ddof=1) / math.sqrt(runs)
    return {
        "data": data_digest(task),
        "expected": np.round(shares.mean(axis=0), 6).tolist(),
        "error": [float(f"{error:.2g}") for error in errors],
    }


def sampled_shares(task: Task, places: Sequence[int], *, runs: int) -> FloatArray:
    """Returns shares of the exact hypervolume in runs of random search.

    By numbers that are the same on every machine.

    Args:
        task: with objectives.
        places: numbers of queries, rising.
        runs: how many.

    Returns:
        ``(runs, len(places))``.
    """
    volume, count = volume_of(task), runs * places[-1]
    points = _sampled_points(task, volume, count).reshape(runs, places[-1], -1)
    return np.array([[volume.share(run[:n]) for n in places] for run in points])


def _sampled_points(task: Task, volume: Volume, count: int) -> FloatArray:
    """Returns normalised points of networks that masked decisions build."""
    problem = task.problem()
    if not problem.space.has_numbers:
        networks = sampled_networks(task, -(-count // CHUNK) * CHUNK)[:count]
        answer = problem.evaluate_valid(networks)
        return volume.points(answer.accuracy_percent, answer.costs)
    chance = masked_chances(problem, task.limit(problem))
    rows = problem.space.from_keys(np.arange(problem.space.size))
    answer = problem.evaluate_valid(rows)
    reached = np.cumsum(chance) / ordered_sum(chance)
    drawn = np.searchsorted(reached, uniform_numbers(count, stream=0), side="right")
    return volume.points(answer.accuracy_percent, answer.costs)[drawn]


def expected_maximum(accuracy: FloatArray, chance: FloatArray, queries: int) -> float:
    """Returns E[max of n draws] of values in rising order and their chances.

    Args:
        accuracy: ``(N,)`` rising.
        chance: ``(N,)`` of each to be drawn.
        queries: how many draws.
    """
    below = np.minimum(np.cumsum(chance), 1.0)
    below[-1] = 1.0
    reached = whole_power(below, queries)
    return float(ordered_sum(accuracy * np.diff(reached, prepend=0.0)))


def sampled_maximum(accuracy: FloatArray, queries: int) -> tuple[float, float]:
    """Returns E[max of n draws], and its standard error by ten parts of the sample.

    Args:
        accuracy: ``(N,)`` of networks as they were drawn.
        queries: how many draws.
    """
    parts = [accuracy, *(accuracy[part::10] for part in range(10))]
    whole, *means = (
        expected_maximum(np.sort(part), np.full(len(part), 1 / len(part)), queries)
        for part in parts
    )
    return whole, float(np.std(means, ddof=1) / math.sqrt(10))


def masked_chances(problem: Problem, limit: float | None) -> FloatArray:
    """Returns how likely masked uniform decisions end in each network: ``(size,)``.

    Args:
        problem: of a space that can be enumerated.
        limit: the budget, or None; networks in the order of their keys.
    """
    model = problem.model
    assert isinstance(model, TableModel), "asked only where all are enumerated"
    tree = model.tree(problem.metric_column)
    largest = model.largest(problem.metric_column)
    masks = tree.masks(slice(None), largest if limit is None else limit)
    shares = masks / masks.sum(axis=1, keepdims=True)
    chance, first = np.ones(1), 0
    for count in tree.counts:
        level = shares[first : first + len(chance), :count]
        first += len(chance)
        chance = (chance[:, None] * level).reshape(-1)
    return chance


@cached_by_data
def cell_distribution(task: Task) -> tuple[FloatArray, FloatArray]:
    """Returns cells' accuracies in rising order, and how likely each is to be drawn."""
    problem = task.problem()
    chance = masked_chances(problem, task.limit(problem))
    rows = problem.space.from_keys(np.arange(problem.space.size))
    accuracy = problem.evaluate(rows).accuracy_percent
    order = np.argsort(accuracy, kind="stable")
    return accuracy[order], chance[order]


@cached_by_data
def sampled_accuracy(task: Task, sample: int = SAMPLE) -> FloatArray:
    """Returns accuracies ``(sample,)`` of networks that masked decisions build.

    Args:
        task: what is searched.
        sample: a multiple of ``CHUNK``.
    """
    networks = sampled_networks(task, sample)
    return task.problem().evaluate_valid(networks).accuracy_percent


def sampled_networks(task: Task, sample: int) -> Genotypes:
    """Returns networks ``(sample, L)`` that masked decisions build.

    By numbers that are the same on every machine.

    Args:
        task: what is searched.
        sample: a multiple of ``CHUNK``.
    """
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
    for chunk in range(sample // CHUNK):
        for depth in range(problem.space.length):
            masks = infos["action_mask"].astype(np.bool_)
            uniforms = uniform_numbers(CHUNK, stream=chunk * 64 + depth)
            *_, infos = envs.step(draw_allowed(masks, uniforms))
        found.append(infos["final_info"]["genotype"].astype(np.int8))
    return np.concatenate(found)
