"""What a problem computes with: a table of all networks, or sums over layers."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from hwnas_env.engines.choices import Choices
from hwnas_env.engines.walk import Overview, Walk, overview_of
from hwnas_env.showing import Columned, Outlined, cut, line, number
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
class Optimum(Columned):
    """The best deployable networks within a budget.

    Attributes:
        genotypes: ``(P, L)`` int8, all that reach the accuracy (one where the
            space is layers), the cheapest first.
        accuracy_percent: their mean accuracy.
        cost: cost of the first, in the metric's unit.
        metric: that metric's name.
        space: what reads and writes the genotypes.
    """

    genotypes: Genotypes
    accuracy_percent: float
    cost: float
    metric: str = ""
    space: Choices | None = None

    @property
    def architectures(self) -> list[str]:
        """The networks by name, the cheapest first."""
        return _architectures(self.space, self.genotypes)

    def columns(self) -> dict[str, Any]:
        """Returns the accuracy and the architecture of every network."""
        accuracy = [self.accuracy_percent] * len(self.genotypes)
        return {"accuracy_percent": accuracy, "architecture": self.architectures}

    def __repr__(self) -> str:
        """Returns the accuracy, the cost and the network."""
        more = len(self.genotypes) - 1
        if more < 0:
            return line("Optimum", "of no network")
        others = f" and {more} more" if more else ""
        cost = f"{self.metric} {number(self.cost)}"
        name = cut(self.architectures[0], 80)
        return line("Optimum", f"{self.accuracy_percent:.2f} %, {cost}: {name}{others}")


@dataclass(frozen=True, eq=False)
class ParetoFront(Columned):
    """The deployable networks that no other beats in all objectives.

    Attributes:
        objectives: their names.
        genotypes: ``(P, L)`` int8; equal points are all there where the space is
            enumerated, and stand once where it is layers.
        points: ``(P, k)`` float64 in the units of people: percent and the metrics'.
        space: what reads and writes the genotypes.
    """

    objectives: tuple[str, ...]
    genotypes: Genotypes
    points: FloatArray
    space: Choices | None = None

    def __len__(self) -> int:
        """Returns the number of points."""
        return len(self.points)

    @property
    def architectures(self) -> list[str]:
        """The networks by name."""
        return _architectures(self.space, self.genotypes)

    def columns(self) -> dict[str, Any]:
        """Returns every objective, and the architecture."""
        found = dict(zip(self.objectives, self.points.T, strict=True))
        return {**found, "architecture": self.architectures}

    def __repr__(self) -> str:
        """Returns the objectives and their ranges on the front."""
        if not len(self):
            return line("ParetoFront", "of no network")
        ends = zip(self.points.min(axis=0), self.points.max(axis=0), strict=True)
        ranges = [
            f"{name} {number(low)} to {number(high)}"
            for name, (low, high) in zip(self.objectives, ends, strict=True)
        ]
        return line("ParetoFront", f"of {len(self)} networks: {', '.join(ranges)}")


def _architectures(space: Choices | None, genotypes: Genotypes) -> list[str]:
    if space is None:
        return [str(row) for row in genotypes.tolist()]
    return [space.decode(row) for row in genotypes]


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


class Model(Outlined, ABC):
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
