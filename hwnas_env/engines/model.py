"""What a problem computes with: a table of all networks, or sums over layers."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from hwnas_env.engines.walk import Overview, Walk, overview_of
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


class Answer(NamedTuple):
    """What one deployable network comes to.

    Attributes:
        accuracy_percent: a number.
        costs: M numbers in the order of ``problem.metrics``, in their units.
        train_seconds: simulated seconds of training, None where they are not known.
    """

    accuracy_percent: float
    costs: list[float]
    train_seconds: float | None


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

    def evaluate_one(self, genotype: Sequence[int]) -> Answer | None:
        """Evaluates one valid genotype without arrays, which is quicker.

        Returns:
            The same bits as :meth:`evaluate`; None where only that has them.
        """
        del genotype
        return None

    @abstractmethod
    def known_costs(self, genotypes: Genotypes, column: int) -> FloatArray:
        """Returns one cost of genotypes: ``(N,)``, inf where not deployable."""

    @abstractmethod
    def walk(self, column: int, budget: float) -> Walk:
        """Prepares the walk under a budget on one cost column."""

    @property
    def exact(self) -> bool:
        """Whether masks, optima and fronts can be computed."""
        return True

    def overview(self, column: int, budget: float) -> Overview:
        """Says what is known of all networks under a budget on one cost column."""
        return overview_of(self.walk(column, budget))

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
