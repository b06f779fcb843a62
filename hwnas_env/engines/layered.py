"""A search space of sums over layers: exact answers by dynamic programming.

Labels are prefixes with their sums so far. Of two prefixes in one state, one whose sums
are no worse in every objective stays no worse under any completion; the other is
dropped. Sums are exact, and so are optima and fronts.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from hwnas_env.engines.additive import (
    Additive,
    extremes,
    largest_prefixes,
    smallest_value,
)
from hwnas_env.engines.model import Answer, Model, Objective, Optimum, ParetoFront
from hwnas_env.engines.quantiles import quantiles
from hwnas_env.engines.states import merged
from hwnas_env.engines.walk import LayeredWalk
from hwnas_env.errors import InvalidArgumentError, NotExactError
from hwnas_env.maths.indicators import distinct_rows, non_dominated
from hwnas_env.types import AccuracyFunction, Evaluation, FloatArray, Genotypes

MOST_OBJECTIVES = 3


@dataclass(frozen=True, eq=False)
class LayeredModel(Model):
    """A layered space on one device.

    Attributes:
        name: the space's, for messages.
        quantities: the M costs; behind them the seconds of training, where they are
            known, and last the accuracy in percent, unless a function gives it.
        timed: whether the seconds of training are known.
        accuracy_function: genotypes to percent, or None.
        noise: genotypes to percentage points that evaluations add, or None; optima
            and fronts are those of the accuracy without it.
    """

    name: str
    quantities: Additive
    timed: bool = False
    accuracy_function: AccuracyFunction | None = None
    noise: AccuracyFunction | None = None

    @property
    def has_train_seconds(self) -> bool:
        """Whether training times are known."""
        return self.timed

    @functools.cached_property
    def _n_costs(self) -> int:
        """Number of cost columns, M."""
        scored = self.accuracy_function is None
        return len(self.quantities.links) - self.timed - scored

    def evaluate(
        self, genotypes: Genotypes, *, uniforms: FloatArray | None = None
    ) -> Evaluation:
        """Gathers and adds; see :meth:`Model.evaluate`."""
        del uniforms  # there are no runs to draw among
        values = self.quantities.values(genotypes)
        accuracy, costs = self._split(genotypes, values)
        if self.noise is not None:
            accuracy = np.clip(accuracy + self.noise(genotypes), 0.0, 100.0)
        seconds = values[:, self._n_costs].copy() if self.timed else None
        deployable = np.ones(len(genotypes), dtype=np.bool_)
        return Evaluation(accuracy, costs, deployable, seconds)

    def evaluate_one(self, genotype: Sequence[int]) -> Answer | None:
        """Adds numbers; see :meth:`Model.evaluate_one`."""
        if self.accuracy_function is not None or self.noise is not None:
            return None
        values, count = self.quantities.values_of_one(genotype), self._n_costs
        return Answer(values[-1], values[:count], values[count] if self.timed else None)

    def _split(
        self, genotypes: Genotypes, values: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Returns accuracy ``(N,)`` without noise and costs ``(N, M)``."""
        costs = values[:, : self._n_costs]
        if self.accuracy_function is not None:
            return self.accuracy_function(genotypes), costs
        return values[:, -1].copy(), costs

    def _mean(self, genotypes: Genotypes) -> tuple[FloatArray, FloatArray]:
        """Returns what :meth:`_split` does, of genotypes alone."""
        return self._split(genotypes, self.quantities.values(genotypes))

    def known_costs(self, genotypes: Genotypes, column: int) -> FloatArray:
        """Sums one cost; see :meth:`Model.known_costs`."""
        return self.cost(column).values(genotypes)[:, 0]

    def with_cost(self, column: int, quantity: Additive) -> "LayeredModel":
        """Returns the same model with another cost as a column.

        Args:
            column: of the costs.
            quantity: one quantity, without states.
        """
        model = replace(self, quantities=self.quantities.with_column(column, quantity))
        model._kept[(column,)] = quantity
        return model

    def cost(self, column: int) -> Additive:
        """Returns one quantity alone, with no more states than it needs."""
        return self._only((column,))

    def _only(self, columns: tuple[int, ...]) -> Additive:
        """Returns some of the quantities, with no more states than they need."""
        found = self._kept.get(columns)
        if found is None:
            found = self._kept[columns] = merged(self.quantities.columns(columns))
        return found

    @functools.cached_property
    def _kept(self) -> dict[tuple[int, ...], Additive]:
        return {}

    def walk(self, column: int, budget: float) -> LayeredWalk:
        """Prepares the limits; see :meth:`Model.walk`."""
        return LayeredWalk(self.cost(column), budget=budget)

    def smallest(self, column: int) -> float:
        """See :meth:`Model.smallest`."""
        return smallest_value(self.cost(column))

    def largest(self, column: int) -> float:
        """See :meth:`Model.largest`."""
        quantity = self.cost(column)
        largest = quantity.start + extremes(quantity)[1][0, 0]
        return float(quantity.links[0](largest)[0])

    def quantiles(self, column: int, fractions: Sequence[float]) -> FloatArray:
        """Convolves the layers; see :func:`hwnas_env.engines.quantiles.quantiles`."""
        return quantiles(self.cost(column), fractions)

    def optimum(self, column: int, budget: float) -> Optimum:
        """Searches by dynamic programming; see :meth:`Model.optimum`.

        Raises:
            NotExactError: the accuracy is a function of unknown form.
        """
        columns = (column, self.accuracy_column())
        front = self._front(columns, np.array([1.0, -1.0]), budget)
        accuracy, costs = self._mean(front)
        cost = costs[:, column]
        best = np.lexsort((cost, -accuracy))[:1]
        return Optimum(front[best], float(accuracy[best[0]]), float(cost[best[0]]))

    def pareto_front(self, objectives: tuple[Objective, ...]) -> ParetoFront:
        """Searches by dynamic programming; see :meth:`Model.pareto_front`.

        Raises:
            InvalidArgumentError: more than three objectives.
            NotExactError: the accuracy is a function of unknown form.
        """
        names = tuple(objective.name for objective in objectives)
        if len(objectives) > MOST_OBJECTIVES:
            message = (
                f"exact fronts of {self.name} have at most 3 objectives (accuracy and "
                f"one or two costs), got {len(names)}: {', '.join(names)}"
            )
            raise InvalidArgumentError(message)
        columns = tuple(
            self.accuracy_column() if o.column < 0 else o.column for o in objectives
        )
        signs = np.array([1.0 if o.minimise else -1.0 for o in objectives])
        genotypes = self._front(columns, signs, None)
        table = np.column_stack(self._mean(genotypes))
        points = table[:, [objective.column + 1 for objective in objectives]]
        kept = np.flatnonzero(non_dominated(points * signs))
        kept = kept[distinct_rows(points[kept])]
        kept = kept[np.lexsort((points[kept] * signs).T[::-1])]
        return ParetoFront(names, genotypes[kept], points[kept])

    def cheapest_train_seconds(self) -> float:
        """Returns the shortest training of any network.

        Raises:
            NotExactError: training times are not known.
        """
        if not self.timed:
            message = f"{self.name} has no training times"
            raise NotExactError(message)
        return self.smallest(self._n_costs)

    def accuracy_column(self) -> int:
        """Returns the place of the accuracy among the quantities.

        Raises:
            NotExactError: it is not one of them, but a function of unknown form.
        """
        if self.accuracy_function is not None:
            message = (
                "this accuracy is a function, not a sum over layers, so no optimum or "
                f'front of {self.name} is exact; accuracy="mean" has them, and so has '
                f"a table of additive scores {self.quantities.entries.shape[0::2]}"
            )
            raise NotExactError(message)
        return len(self.quantities.links) - 1

    def _front(
        self, columns: tuple[int, ...], signs: FloatArray, budget: float | None
    ) -> Genotypes:
        """Returns one genotype for every non-dominated sum of the columns.

        Args:
            columns: of ``quantities``.
            signs: 1 for each that is minimised, -1 for each that is maximised.
            budget: bound on the first column's value; None for no bound.
        """
        quantities = self._only(columns)
        limits = None
        if budget is not None:
            limits = largest_prefixes(quantities.columns([0]), [budget])[0][0]
        entries = quantities.entries * signs
        sums = quantities.start[None, :] * signs
        states = np.zeros(1, dtype=np.int64)
        history = []
        for layer in range(len(entries)):
            sums, states, parent, block = _extend(
                sums,
                states,
                entries[layer, :, : quantities.blocks_at[layer]],
                quantities.next_state[layer, :, : quantities.blocks_at[layer]],
            )
            if limits is not None:
                within = sums[:, 0] <= limits[layer + 1][states]
            else:
                within = np.ones(len(sums), dtype=np.bool_)
            kept = _non_dominated_by_state(sums, states, np.flatnonzero(within))
            sums, states = sums[kept], states[kept]
            history.append((parent[kept], block[kept]))
        return _trace(history)


def _extend(
    sums: FloatArray,
    states: np.ndarray,
    entries: FloatArray,
    next_state: np.ndarray,
) -> tuple[FloatArray, np.ndarray, np.ndarray, np.ndarray]:
    """Appends every block to every label: sums, states, parents, blocks."""
    labels, blocks = len(sums), entries.shape[1]
    longer = (sums[:, None, :] + entries[states]).reshape(labels * blocks, -1)
    parent = np.repeat(np.arange(labels, dtype=np.int32), blocks)
    block = np.tile(np.arange(blocks, dtype=np.int8), labels)
    return longer, next_state[states].reshape(-1), parent, block


def _non_dominated_by_state(
    sums: FloatArray, states: np.ndarray, rows: np.ndarray
) -> np.ndarray:
    """Returns the rows to keep: per state the non-dominated, equal ones once."""
    kept = []
    for state in np.unique(states[rows]):
        mine = rows[states[rows] == state]
        mine = mine[non_dominated(sums[mine])]
        kept.append(mine[distinct_rows(sums[mine])])
    return np.concatenate(kept) if kept else rows


def _trace(history: list[tuple[np.ndarray, np.ndarray]]) -> Genotypes:
    """Reads the genotypes of the last labels back from parents and blocks."""
    label = np.arange(len(history[-1][0]))
    columns = []
    for parent, block in reversed(history):
        columns.append(block[label])
        label = parent[label]
    return np.stack(columns[::-1], axis=1).astype(np.int8)
