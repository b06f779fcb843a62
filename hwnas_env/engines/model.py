"""What a problem computes with: a table of all networks, or sums over layers."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hwnas_env.engines.walk import Walk
from hwnas_env.types import Evaluation, FloatArray, Genotypes


@dataclass(frozen=True)
class Objective:
    """One objective: the accuracy, or a metric by its column.

    Attributes:
        name: "accuracy" or a metric's name.
        column: its column in ``costs``; -1 for the accuracy.
        minimise: True where less is better.
    """

    name: str
    column: int
    minimise: bool


@dataclass(frozen=True, eq=False)
class Optimum:
    """The best deployable networks within a budget.

    Attributes:
        genotypes: ``(P, L)`` int8, all that reach the accuracy (one where the
            space is layers), the cheapest first.
        accuracy_percent: their mean accuracy.
        cost: cost of the first, in the metric's unit.
    """

    genotypes: Genotypes
    accuracy_percent: float
    cost: float


@dataclass(frozen=True, eq=False)
class ParetoFront:
    """The deployable networks that no other beats in all objectives.

    Attributes:
        objectives: their names.
        genotypes: ``(P, L)`` int8; equal points are all there where the space is
            enumerated, and stand once where it is layers.
        points: ``(P, k)`` float64 in the units of people: percent and the metrics'.
    """

    objectives: tuple[str, ...]
    genotypes: Genotypes
    points: FloatArray


class Model(ABC):
    """Computes everything that a problem answers; genotypes are valid already."""

    @property
    def has_train_seconds(self) -> bool:
        """Whether training times are known."""
        return False

    @property
    def networks_without_run(self) -> int:
        """How many networks lack the run that evaluation answers with."""
        return 0

    @abstractmethod
    def evaluate(
        self, genotypes: Genotypes, *, uniforms: FloatArray | None = None
    ) -> Evaluation:
        """Evaluates genotypes ``(N, L)``; ``(N,)`` uniforms draw among runs."""

    @abstractmethod
    def known_costs(self, genotypes: Genotypes, column: int) -> FloatArray:
        """Returns one cost of genotypes: ``(N,)``, inf where not deployable."""

    @abstractmethod
    def walk(self, column: int, budget: float) -> Walk:
        """Prepares the walk under a budget on one cost column."""

    @abstractmethod
    def smallest(self, column: int) -> float:
        """Returns the smallest cost of a deployable network."""

    @abstractmethod
    def largest(self, column: int) -> float:
        """Returns the largest cost of a deployable network, or a bound on it."""

    @abstractmethod
    def quantiles(self, column: int, fractions: Sequence[float]) -> FloatArray:
        """Returns quantiles of a cost over the deployable space: ``(Q,)``."""

    @abstractmethod
    def optimum(self, column: int, budget: float) -> Optimum:
        """Returns the best networks whose cost is at most the budget."""

    @abstractmethod
    def pareto_front(self, objectives: tuple[Objective, ...]) -> ParetoFront:
        """Returns the exact front."""

    @abstractmethod
    def cheapest_train_seconds(self) -> float:
        """Returns the shortest training of any network."""


def accuracy_from_runs(runs: FloatArray, uniforms: FloatArray) -> FloatArray:
    """Draws one run a row, uniformly among those there are: ``(N,)``.

    Args:
        runs: ``(N, R)`` with NaN behind the runs that a network has.
        uniforms: ``(N,)`` in [0, 1).
    """
    count = (~np.isnan(runs)).sum(axis=1)
    which = (uniforms * count).astype(np.int64)
    return np.asarray(runs[np.arange(len(runs)), which])
