"""Multi-objective runs: what share of the exact front's hypervolume is reached."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hwnas_env.arguments import check_names
from hwnas_env.benchmark.faults import fault_words
from hwnas_env.benchmark.runs import Limits, Task, check_types, digits, make_agent
from hwnas_env.maths.indicators import non_dominated
from hwnas_env.problems.budget import BudgetedProblem
from hwnas_env.problems.problem import Problem
from hwnas_env.types import FloatArray, IntArray

FRONT_AGENTS = ("random", "nsga2", "scalarised_ppo")
"""Agents that search fronts: at random, by several objectives, by drawn weights."""

BEYOND = 0.1
"""How far the reference point lies beyond the exact front's nadir, in its range."""


@dataclass(frozen=True)
class FrontRun:
    """What one multi-objective run found.

    Attributes:
        env: the environment's id.
        agent: the agent's name.
        seed: the run's seed.
        objectives: their names.
        queries: queries spent.
        share: hypervolume of the archive over that of the exact front.
        curve: that share after every query.
        archive: names of the networks that no other found one dominates.
        unique_queries: distinct networks among the queries.
        train_seconds: simulated seconds of training spent; 0 where there are none.
        networks: every query in order, a digit a position.
        error: why the run failed; empty where it did not.
    """

    env: str
    agent: str
    seed: int
    objectives: tuple[str, ...]
    queries: int
    share: float
    curve: tuple[float, ...]
    archive: tuple[str, ...]
    unique_queries: int = 0
    train_seconds: float = 0.0
    networks: tuple[str, ...] = ()
    error: str = ""


class Volume:
    """Measures points by the exact front; everything is minimised inside."""

    def __init__(self, problem: Problem, objectives: Sequence[str]) -> None:
        """Computes the exact front; see :meth:`Problem.pareto_front`."""
        self.objectives = problem.objectives(objectives)
        self._signs = np.array([1.0 if o.minimise else -1.0 for o in self.objectives])
        front = problem.pareto_front(objectives).points * self._signs
        self.size = len(front)
        self._ideal, nadir = front.min(axis=0), front.max(axis=0)
        self._range = np.where(nadir > self._ideal, nadir - self._ideal, 1.0)
        self._whole = self._volume((front - self._ideal) / self._range)

    def points(self, accuracy_percent: FloatArray, costs: FloatArray) -> FloatArray:
        """Returns normalised points ``(N, k)``: the front's ideal 0, its nadir 1."""
        table = np.column_stack([accuracy_percent, costs])
        chosen = table[:, [objective.column + 1 for objective in self.objectives]]
        points = np.asarray((chosen * self._signs - self._ideal) / self._range)
        points[~np.isfinite(costs).all(axis=1)] = np.inf  # not deployable
        return points

    def share(self, points: FloatArray) -> float:
        """Returns the points' hypervolume over that of the exact front."""
        return self._volume(points) / self._whole

    def _volume(self, points: FloatArray) -> float:
        import moocore

        within = points[(points < 1.0 + BEYOND).all(axis=1)]
        if len(within) == 0:
            return 0.0
        reference = np.full(points.shape[1], 1.0 + BEYOND)
        return float(moocore.hypervolume(within, ref=reference))


@functools.lru_cache(maxsize=64)
def volume_of(task: Task) -> Volume:
    """Returns what measures a task's archives; kept, since exact fronts take time."""
    return Volume(task.problem(), task.objectives)


def archive_of(volume: Volume, points: FloatArray) -> tuple[list[float], IntArray]:
    """Follows an archive through a run.

    Args:
        volume: measures it.
        points: ``(Q, k)`` of every query in order, inf where not deployable.

    Returns:
        The share of the exact hypervolume after every query, and the final archive's
        places.
    """
    curve: list[float] = []
    share, archive = 0.0, np.zeros(0, dtype=np.int64)
    for place in range(len(points)):
        if np.isfinite(points[place]).all():  # else not deployable, in no archive
            candidates = np.append(archive, place)
            kept = candidates[non_dominated(points[candidates])]
            if len(kept) != len(archive) or (kept != archive).any():
                share, archive = volume.share(points[kept]), kept
        curve.append(share)
    return curve, archive


def front_run(task: Task, agent: str, *, seed: int, limits: Limits) -> FrontRun:
    """Lets an agent spend one ledger on several objectives.

    An agent whose configuration has ``objectives`` is given them; another one searches
    for accuracy, and its queries are an archive all the same.

    Args:
        task: what is searched; its budget is the agent's.
        agent: a name out of ``AGENTS``, or "package.module:Class".
        seed: of the agent's generator, together with the agent's name.
        limits: what it may spend.

    Raises:
        UnknownNameError: no agent, or no objective, has that name.
        InvalidArgumentError: the task has no objectives.
    """
    check_types(task, limits)
    check_names(task.objectives, what="objectives")
    problem = task.problem()
    ledger = limits.ledger(problem)
    searching = make_agent(task, problem, agent, seed=seed)
    error = ""
    try:
        searching.search(ledger)
    except KeyboardInterrupt:
        raise
    except BaseException as raised:  # an agent's fault is its run's alone
        error = fault_words(raised)
    return front_summary(task, agent, seed=seed, ledger=ledger, error=error)


def front_summary(
    task: Task, agent: str, *, seed: int, ledger: BudgetedProblem, error: str
) -> FrontRun:
    """Returns the run that a ledger's history amounts to.

    Args:
        task: what was searched.
        agent: who searched.
        seed: its seed.
        ledger: with its history.
        error: why the agent failed; empty where it did not.
    """
    problem, volume, history = ledger.problem, volume_of(task), ledger.history()
    uniforms = np.zeros(len(history.genotypes))
    evaluation = problem.evaluate_valid(history.genotypes, uniforms=uniforms)
    points = volume.points(history.accuracy_percent, evaluation.costs)
    curve, archive = archive_of(volume, points)
    names = dict.fromkeys(problem.decode(history.genotypes[row]) for row in archive)
    return FrontRun(
        env=task.env.removeprefix("hwnas_env:"),
        agent=agent,
        seed=seed,
        objectives=task.objectives,
        queries=ledger.queries,
        share=curve[-1] if curve else 0.0,
        curve=tuple(curve),
        archive=tuple(names),
        unique_queries=ledger.unique_queries,
        train_seconds=ledger.train_seconds,
        networks=digits(history.genotypes),
        error=error,
    )


def front_failed(task: Task, agent: str, *, seed: int, error: str) -> FrontRun:
    """Returns the run of an agent of which nothing is left but why."""
    env = task.env.removeprefix("hwnas_env:")
    return FrontRun(env, agent, seed, task.objectives, 0, 0.0, (), (), error=error)
