"""N episodes of mode construct side by side, in tables and in layers."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import gymnasium as gym
import numpy as np
import numpy.typing as npt

from hwnas_env.engines.additive import extremes, largest_prefixes
from hwnas_env.engines.layered import LayeredModel
from hwnas_env.engines.links import Linear, Link
from hwnas_env.engines.table import TableModel
from hwnas_env.engines.walk import RATIO_LIMIT
from hwnas_env.envs.config import EnvConfig
from hwnas_env.envs.prefix_table import prefixes
from hwnas_env.envs.query_columns import Columns
from hwnas_env.envs.rows import Look, Rows, check_discrete
from hwnas_env.errors import InvalidActionError
from hwnas_env.types import BoolArray, FloatArray, IntArray


class ConstructRows(Rows):
    """Rows of mode construct: see :class:`hwnas_env.envs.construct.ConstructEnv`."""

    def __init__(self, config: EnvConfig, count: int) -> None:
        """Makes room for episodes of L steps."""
        space = config.space
        super().__init__(config, count, ones=space.offsets[-1] + space.length)
        config.require_exact()
        self.action_space = gym.spaces.Discrete(space.choices)
        self.steps_before_reward = space.length - 1
        self._meaning = space.action_words

    def start(self, rows: IntArray, genotype: Any) -> None:
        """Starts episodes; see :meth:`Rows.start`."""
        self._root(rows)
        for action in genotype or ():
            self._take(rows, np.full(len(rows), action))

    @abstractmethod
    def _root(self, rows: IntArray) -> None:
        """Puts rows at the empty prefix."""

    @abstractmethod
    def _take(self, rows: IntArray, actions: IntArray) -> None:
        """Decides the next position of rows."""

    def check_start(self, genotype: Any) -> list[int]:
        """Checks a prefix of decisions; -1 up to the end stands for undecided."""
        length = self.config.length
        array = np.atleast_1d(np.asarray(genotype))
        if array.size == 0:
            return []
        whole = array.dtype.kind in "iu" and array.ndim == 1
        prefix: list[int] | None = array.tolist() if whole else None
        whole_length = prefix is not None and len(prefix) == length
        while whole_length and prefix and prefix[-1] < 0:
            prefix.pop()
        if prefix is None or len(prefix) >= length:
            message = (
                f"genotype: expected a prefix of at most {length - 1} decisions, "
                f"got {genotype!r}"
            )
            raise InvalidActionError(message)
        for action, names in zip(prefix, self.config.space.operations_at, strict=False):
            if not 0 <= action < len(names):
                message = (
                    f"genotype: expected decisions from 0 to {len(names) - 1} "
                    f"({', '.join(names)}), got {genotype!r}"
                )
                raise InvalidActionError(message)
        return prefix

    def check(self, actions: Any) -> IntArray:
        """Returns ``(N,)`` actions; see :meth:`Rows.check`."""
        choices = self.config.choices
        return check_discrete(actions, self.count, choices, meaning=self._meaning)

    def ended(self) -> tuple[BoolArray, BoolArray]:
        """Terminates the rows that are complete."""
        return self.due(), np.zeros(self.count, dtype=np.bool_)


class TableRows(ConstructRows):
    """Rows in a space small enough to enumerate: a prefix is a number.

    Where every row has its device's usual budget, all that a row shows is looked up in
    tables that are worked out in advance; else it is computed from the costs that the
    prefix can reach.
    """

    def __init__(self, config: EnvConfig, count: int) -> None:
        """Stacks the devices' tables."""
        super().__init__(config, count)
        models = [problem.model for problem in config.problems]
        trees = []
        for problem, model in zip(config.problems, models, strict=True):
            assert isinstance(model, TableModel), "small spaces have tables"
            trees.append(model.tree(problem.metric_column))
        self._lowest = np.concatenate([tree.lowest for tree in trees])
        self._highest = np.concatenate([tree.highest for tree in trees])
        self._children = np.concatenate([tree.children for tree in trees])
        self._first_child = trees[0].first_child
        self._counts = (~np.isnan(trees[0].children)).sum(axis=1)
        self._prefixes, self._leaves = len(trees[0].lowest), trees[0].leaves
        self._genotypes, self._one_hot = prefixes(config.space)
        self._prefix = np.zeros(count, dtype=np.int64)
        if config.fixed:
            tables = [config.prefix_table(n) for n in range(len(models))]
            self._observation = _joined([table.observation for table in tables])
            self._records = _joined([table.records for table in tables])
            self._networks = _joined([table.network_records for table in tables])

    @property
    def looked_up(self) -> bool:
        """Whether every row is looked up."""
        return self.usual and self.config.fixed

    def networks(self) -> tuple[IntArray, Columns]:
        """Looks complete rows up: the ledger's keys, and columns with the reward."""
        numbers = self._prefix - self._leaves
        if self.config.several:
            numbers += self.number * self.config.space.size
        records = self._networks.take(numbers)
        return numbers, {name: records[name] for name in records.dtype.names[:-1]}

    def _root(self, rows: IntArray) -> None:
        self._prefix[rows] = 0

    def _take(self, rows: IntArray, actions: IntArray) -> None:
        prefix = self._prefix[rows]
        if not self.config.space.uniform:
            actions = actions % self._counts.take(prefix)
        self._prefix[rows] = self._first_child.take(prefix) + actions

    def advance(self, actions: npt.NDArray[Any], rows: IntArray | None = None) -> None:
        """Decides the next position of every row."""
        if rows is not None or not self.config.space.uniform:
            moving = np.arange(self.count) if rows is None else rows
            self._take(moving, actions[moving])
            return
        prefix = self._prefix  # where positions are alike, a child's number is a sum
        prefix *= self.config.choices
        prefix += actions
        prefix += 1

    def due(self) -> BoolArray:
        """Marks the rows that are complete."""
        return np.asarray(self._prefix >= self._leaves)

    def look(self) -> Look:
        """Returns what the episodes show."""
        prefix = self._prefix
        place = prefix
        if self.config.several:
            place = prefix + self.number * self._prefixes
        if self.looked_up:
            records = self._records.take(place)
            return Look(
                self._observation.take(place, axis=0),
                records["mask"],
                records["genotype"],
                records["completable"],
            )
        low, high = self._lowest.take(place), self._highest.take(place)
        completable = low <= self.budget
        pair = np.stack([low, np.where(high == -np.inf, np.inf, high)], axis=1)
        ratios = np.minimum(np.maximum(pair / self.budget[:, None], 0.0), RATIO_LIMIT)
        return Look(
            self.observe(self._one_hot.take(prefix, axis=0), ratios),
            self._open(completable),
            self._genotypes.take(prefix, axis=0),
            completable,
        )

    def _open(self, completable: BoolArray) -> npt.NDArray[np.int8]:
        """Returns the masks ``(N, K)``; all ones for a complete prefix."""
        inner = np.minimum(self._prefix, self._leaves - 1)
        if self.config.several:
            inner = inner + self.number * self._leaves
        children = self._children.take(inner, axis=0)
        meets = children <= self.budget[:, None]
        if not self.config.space.uniform:
            meets |= ~completable[:, None] & ~np.isnan(children)
            meets |= (self._prefix >= self._leaves)[:, None]
        else:
            meets |= (~completable | (self._prefix >= self._leaves))[:, None]
        return np.asarray(meets).view(np.int8)


def _joined(tables: Any) -> Any:
    """Puts the tables of several devices one behind another; one stays as it is."""
    return tables[0] if len(tables) == 1 else np.concatenate(tables)


class LayeredRows(ConstructRows):
    """Rows in a space of layers: a prefix is its sum so far and the layer state.

    Tables of several devices are stacked, with states padded to the most that one has.
    """

    def __init__(self, config: EnvConfig, count: int) -> None:
        """Stacks the devices' tables."""
        super().__init__(config, count)
        costs = []
        for problem in config.problems:
            assert isinstance(problem.model, LayeredModel), "large spaces have layers"
            costs.append(problem.model.cost(problem.metric_column))
        self._costs = costs
        self._link = _Links([cost.links[0] for cost in costs])
        self._offsets = np.array(config.space.offsets)
        self._counts = np.array(config.space.choices_at)
        self._states = max(cost.states for cost in costs)
        self._entries = self._stack([cost.entries[..., 0] for cost in costs])
        self._following = self._stack([cost.next_state for cost in costs])
        low, high = zip(*(extremes(cost) for cost in costs), strict=True)
        # smallest and largest sum of what is left, side by side
        reach = np.stack([self._stack(low), self._stack(high)], axis=-1)
        self._reach = np.ascontiguousarray(reach.reshape(-1, 2))
        self._start = np.array([cost.start[0] for cost in costs])
        length, choices, states = config.length, config.choices, self._states
        self._limits = np.full((count, length + 1, states), -np.inf)
        self._steps = np.full((count, length, states, choices), -np.inf)
        self._row = np.arange(count)
        self._depth = np.zeros(count, dtype=np.int64)
        self._sum = np.zeros(count)
        self._state = np.zeros(count, dtype=np.int64)
        self._genotype = np.full((count, length), -1, dtype=np.int8)
        # one column more than is shown, where the position goes after the last decision
        self._shown = np.zeros((count, self.ones + 1), dtype=np.float32)

    def _stack(self, tables: Any) -> Any:
        """Pads the states of tables ``(L, S, ...)`` and puts them one upon another."""
        padded = []
        for table in tables:
            width = [(0, 0)] * table.ndim
            width[1] = (0, self._states - table.shape[1])
            padded.append(np.pad(table, width))
        return np.stack(padded)

    def place(self, rows: IntArray, numbers: IntArray, budgets: FloatArray) -> None:
        """Gives rows their devices and budgets; see :meth:`Rows.place`."""
        same = (self.number[rows] == numbers) & (self.budget[rows] == budgets)
        self._limit(rows[~same], numbers[~same], budgets[~same])
        super().place(rows, numbers, budgets)

    def _limit(self, rows: IntArray, numbers: IntArray, budgets: FloatArray) -> None:
        """Works out which sums leave which blocks open, for rows of new budgets."""
        for number in np.unique(numbers).tolist():
            mine = numbers == number
            distinct, which = np.unique(budgets[mine], return_inverse=True)
            limits, steps = largest_prefixes(self._costs[number], distinct)
            states = limits.shape[2]
            self._limits[rows[mine], :, :states] = limits[which]
            self._steps[rows[mine], :, :states] = steps[which]

    def _root(self, rows: IntArray) -> None:
        self._depth[rows] = 0
        self._sum[rows] = self._start[self.number[rows]]
        self._state[rows] = 0
        self._genotype[rows] = -1
        self._shown[rows] = 0.0
        self._shown[rows, self._offsets[-1]] = 1.0

    def advance(self, actions: npt.NDArray[Any], rows: IntArray | None = None) -> None:
        """Decides the next position of every row."""
        if rows is None:
            self._take(self._row, actions)
        else:
            self._take(rows, actions[rows])

    def due(self) -> BoolArray:
        """Marks the rows that are complete."""
        return np.asarray(self._depth == self.config.length)

    def _take(self, rows: IntArray, actions: IntArray) -> None:
        length, choices = self.config.length, self.config.choices
        depth = self._depth.take(rows)
        if not self.config.space.uniform:
            actions = actions % self._counts.take(depth)
        entry = depth * self._states
        if self.config.several:
            entry += self.number.take(rows) * (length * self._states)
        if self._states > 1:
            entry += self._state.take(rows)
        entry *= choices
        entry += actions
        self._sum[rows] += self._entries.take(entry)
        if self._states > 1:
            self._state[rows] = self._following.take(entry)
        self._depth[rows] = depth + 1
        # flat places: one index array is quicker than two
        self._genotype.reshape(-1)[rows * length + depth] = actions
        shown, place = self._shown.reshape(-1), rows * (self.ones + 1)
        shown[place + self._offsets.take(depth) + actions] = 1.0
        place += depth
        place += self._offsets[-1]
        shown[place] = 0.0
        shown[place + 1] = 1.0

    def look(self) -> Look:
        """Returns what the episodes show."""
        length, depth = self.config.length, self._depth
        here = depth * self._states + self._state
        limit = self._limits.take(self._row * ((length + 1) * self._states) + here)
        completable = self._sum <= limit
        complete = depth == length
        step = self._row * (length * self._states) + here
        step -= complete * self._states  # any place, where nothing is left to decide
        steps = self._steps.reshape(-1, self.config.choices).take(step, axis=0)
        meets = self._sum[:, None] <= steps
        if self.config.space.uniform:
            meets |= (complete | ~completable)[:, None]
        else:
            exists = self.config.space.existing.take(depth, axis=0, mode="clip") == 1
            meets |= (complete[:, None] | exists) & (complete | ~completable)[:, None]
        if self.config.several:
            here += self.number * ((length + 1) * self._states)
        reach = self._reach.take(here, axis=0)
        reach += self._sum[:, None]
        self._link.divide(reach, self.number, self.budget)
        np.maximum(reach, 0.0, out=reach)
        np.minimum(reach, RATIO_LIMIT, out=reach)
        return Look(
            self.observe(self._shown[:, :-1], reach),
            meets.view(np.int8),
            self._genotype.copy(),
            completable,
        )


class _Links:
    """The links of several devices' costs, applied to sums of rows."""

    def __init__(self, links: Sequence[Link]) -> None:
        """Takes one link a device."""
        self._links = links
        self._linear = all(isinstance(link, Linear) for link in links)
        if self._linear:
            parts = [(x.floor, x.scale / x.unit) for x in links]  # type: ignore[attr-defined]
            self._floor, self._scale = np.array(parts).T

    def divide(self, sums: FloatArray, numbers: IntArray, budgets: FloatArray) -> None:
        """Turns sums ``(N, 2)`` in place into costs over budgets ``(N,)``."""
        if self._linear:  # as the walk of one environment does, in the same order
            np.maximum(sums, self._floor.take(numbers)[:, None], out=sums)
            sums *= (self._scale.take(numbers) / budgets)[:, None]
            return
        for number, link in enumerate(self._links):
            mine = numbers == number
            if isinstance(link, Linear):
                factor = link.scale / link.unit / budgets[mine]
                sums[mine] = np.maximum(sums[mine], link.floor) * factor[:, None]
            else:
                sums[mine] = link(sums[mine]) / budgets[mine][:, None]
