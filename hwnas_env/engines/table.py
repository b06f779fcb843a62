"""A search space small enough to enumerate: every answer is a look-up or a scan."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from hwnas_env.engines.forms import TableSpace
from hwnas_env.engines.model import (
    Answer,
    Model,
    Objective,
    Optimum,
    ParetoFront,
    accuracy_from_runs,
)
from hwnas_env.engines.prefix_tree import PrefixTree
from hwnas_env.engines.walk import TableWalk
from hwnas_env.errors import NotMeasuredError
from hwnas_env.maths.indicators import non_dominated
from hwnas_env.types import BoolArray, Evaluation, FloatArray, Genotypes


@dataclass(frozen=True, eq=False)
class TableModel(Model):
    """A table space on one device; all rows in lexicographic order of genotypes.

    Attributes:
        space: whose networks they are.
        accuracy_percent: ``(size,)`` mean over the runs there are.
        accuracy_runs: ``(size, R)`` run by run, NaN behind those a network has, or
            None where there is one value only.
        chosen_run: the run that evaluation answers with; None for the mean.
        costs: ``(size, M)``, device metrics inf where not deployable.
        deployable: ``(size,)``.
        train_seconds: ``(size,)``, or None where unknown.
    """

    space: TableSpace

    accuracy_percent: FloatArray
    accuracy_runs: FloatArray | None
    chosen_run: int | None
    costs: FloatArray
    deployable: BoolArray
    train_seconds: FloatArray | None

    @property
    def has_train_seconds(self) -> bool:
        """Whether training times are known."""
        return self.train_seconds is not None

    @property
    def networks_without_run(self) -> int:
        """How many networks lack the chosen run."""
        if self.chosen_run is None or self.accuracy_runs is None:
            return 0
        return int(np.isnan(self.accuracy_runs[:, self.chosen_run]).sum())

    def evaluate(
        self, genotypes: Genotypes, *, uniforms: FloatArray | None = None
    ) -> Evaluation:
        """Looks genotypes ``(N, L)`` up; see :meth:`Model.evaluate`."""
        rows = self.space.numbers(genotypes)
        if uniforms is not None and self.accuracy_runs is not None:
            accuracy = accuracy_from_runs(self.accuracy_runs[rows], uniforms)
        elif self.chosen_run is not None and self.accuracy_runs is not None:
            accuracy = self.accuracy_runs[rows, self.chosen_run]
            if np.isnan(accuracy).any():
                raise self._lacks_run(genotypes[np.isnan(accuracy)])
        else:
            accuracy = self.accuracy_percent.take(rows)
        seconds = None if self.train_seconds is None else self.train_seconds.take(rows)
        costs = self.costs.take(rows, axis=0)
        return Evaluation(accuracy, costs, self.deployable.take(rows), seconds)

    def evaluate_one(self, genotype: Sequence[int]) -> Answer | None:
        """Looks one genotype up; see :meth:`Model.evaluate_one`."""
        row = 0
        for choice, count in zip(genotype, self.space.choices_at, strict=True):
            row = row * count + choice
        if self.chosen_run is not None or not self.deployable.item(row):
            return None
        seconds = self.train_seconds
        return Answer(
            self.accuracy_percent.item(row),
            self.costs[row].tolist(),
            None if seconds is None else seconds.item(row),
        )

    def known_costs(self, genotypes: Genotypes, column: int) -> FloatArray:
        """Looks one cost up; see :meth:`Model.known_costs`."""
        rows = self.space.numbers(genotypes)
        return np.where(self.deployable[rows], self.costs[rows, column], np.inf)

    def walk(self, column: int, budget: float) -> TableWalk:
        """Prepares every prefix; see :meth:`Model.walk`."""
        return TableWalk(self.tree(column), budget=budget)

    def with_cost(self, column: int, cost: FloatArray) -> "TableModel":
        """Returns the same model with another cost ``(size,)`` as a column."""
        costs = self.costs.copy()
        costs[:, column] = cost
        costs.setflags(write=False)
        return replace(self, costs=costs)

    def tree(self, column: int) -> PrefixTree:
        """Returns what prefixes can reach of one cost; computed once."""
        if column not in self._trees:
            counts = self.space.choices_at
            self._trees[column] = PrefixTree.of(self._cost(column), counts=counts)
        return self._trees[column]

    @functools.cached_property
    def _trees(self) -> dict[int, PrefixTree]:
        return {}

    def smallest(self, column: int) -> float:
        """See :meth:`Model.smallest`."""
        return float(self._cost(column).min())

    def largest(self, column: int) -> float:
        """See :meth:`Model.largest`."""
        return float(self.costs[self.deployable, column].max())

    def quantiles(self, column: int, fractions: Sequence[float]) -> FloatArray:
        """Returns attained costs that at least those fractions do not exceed."""
        costs = self.costs[self.deployable, column]
        return np.asarray(np.quantile(costs, fractions, method="inverted_cdf"))

    def optimum(self, column: int, budget: float) -> Optimum:
        """Scans the table; see :meth:`Model.optimum`."""
        cost = self._cost(column)
        within = np.flatnonzero(cost <= budget)
        accuracy = self.accuracy_percent[within]
        best = within[accuracy == accuracy.max()]
        best = best[np.argsort(cost[best], kind="stable")]
        return Optimum(
            self.space.all_genotypes[best],
            float(self.accuracy_percent[best[0]]),
            float(cost[best[0]]),
        )

    def pareto_front(self, objectives: tuple[Objective, ...]) -> ParetoFront:
        """Compares all deployable rows; see :meth:`Model.pareto_front`."""
        rows = np.flatnonzero(self.deployable)
        table = np.column_stack([self.accuracy_percent, self.costs])[rows]
        points = table[:, [objective.column + 1 for objective in objectives]]
        signs = np.array([1.0 if o.minimise else -1.0 for o in objectives])
        kept = np.flatnonzero(non_dominated(points * signs))
        kept = kept[np.lexsort((points[kept] * signs).T[::-1])]
        return ParetoFront(
            tuple(objective.name for objective in objectives),
            self.space.all_genotypes[rows[kept]],
            points[kept],
        )

    def cheapest_train_seconds(self) -> float:
        """See :meth:`Model.cheapest_train_seconds`."""
        assert self.train_seconds is not None, "asked only where they are known"
        return float(self.train_seconds.min())

    def _lacks_run(self, genotypes: Genotypes) -> NotMeasuredError:
        assert self.accuracy_runs is not None, "a run was chosen among runs"
        row = self.space.numbers(genotypes[:1])[0]
        count = int((~np.isnan(self.accuracy_runs[row])).sum())
        return NotMeasuredError(
            f"run {self.chosen_run} asked for, counted from 0, but genotype "
            f"{genotypes[0].tolist()} has {count} runs; accuracy='mean' averages those "
            "there are, 'sampled' draws among them"
        )

    def _cost(self, column: int) -> FloatArray:
        return np.where(self.deployable, self.costs[:, column], np.inf)
