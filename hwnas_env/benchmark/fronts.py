"""Measures archives: what share of the exact front's hypervolume they reach."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from hwnas_env.benchmark.tasks import Task, cached_by_data
from hwnas_env.maths.indicators import non_dominated
from hwnas_env.moved import renamed
from hwnas_env.problems.problem import Problem
from hwnas_env.types import FloatArray, IntArray

FRONT_AGENTS = ("random", "nsga2", "scalarised_ppo")
"""Agents that search fronts: at random, by several objectives, by drawn weights."""

BEYOND = 0.1
"""How far the reference point lies beyond the exact front's nadir, in its range."""


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


@cached_by_data
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


if not TYPE_CHECKING:
    __getattr__ = renamed(__name__)
