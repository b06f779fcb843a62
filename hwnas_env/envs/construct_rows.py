"""N episodes of mode construct side by side, in tables and in layers."""

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any

import gymnasium as gym
import numpy as np
import numpy.typing as npt

from hwnas_env.engines.additive import Additive, extremes, last_sums, needs
from hwnas_env.engines.layered import LayeredModel
from hwnas_env.engines.links import Linear, Link
from hwnas_env.engines.prefix_tree import PrefixTree
from hwnas_env.engines.table import TableModel
from hwnas_env.engines.walk import RATIO_LIMIT
from hwnas_env.envs.checks import numbers_of
from hwnas_env.envs.config import EnvConfig
from hwnas_env.envs.prefix_table import prefixes
from hwnas_env.envs.query_columns import Columns
from hwnas_env.envs.rows import Look, Rows, check_discrete
from hwnas_env.errors import InvalidActionError, shown
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
        genotype = numbers_of(self.config.space, genotype)
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
                f"got {shown(genotype)}"
            )
            raise InvalidActionError(message)
        for action, names in zip(prefix, self.config.space.operations_at, strict=False):
            if not 0 <= action < len(names):
                message = (
                    f"genotype: expected decisions from 0 to {len(names) - 1} "
                    f"({', '.join(names)}), got {shown(genotype)}"
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
        devices, first = len(config.problems), self._tree(0)
        self._first_child = first.first_child
        self._counts = (~np.isnan(first.children)).sum(axis=1)
        self._prefixes, self._leaves = len(first.lowest), first.leaves
        self._lowest, self._highest = np.empty((2, devices * self._prefixes))
        self._children = np.empty((devices * self._leaves, config.choices))
        for number in range(devices):
            self.take_in(number)
        self._genotypes, self._one_hot = prefixes(config.space)
        self._prefix = np.zeros(count, dtype=np.int64)
        if config.fixed:
            tables = [config.prefix_table(number) for number in range(devices)]
            self._observation = _joined([table.observation for table in tables])
            self._records = _joined([table.records for table in tables])
            self._networks = _joined([table.network_records for table in tables])

    def _tree(self, number: int) -> PrefixTree:
        problem = self.config.problems[number]
        assert isinstance(problem.model, TableModel), "small spaces have tables"
        return problem.model.tree(problem.metric_column)

    def take_in(self, number: int) -> None:
        """Writes a device's tables among the others; see :meth:`Rows.take_in`."""
        tree = self._tree(number)
        prefixes = slice(number * self._prefixes, (number + 1) * self._prefixes)
        inner = slice(number * self._leaves, (number + 1) * self._leaves)
        self._lowest[prefixes], self._highest[prefixes] = tree.lowest, tree.highest
        self._children[inner] = tree.children

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
        prefix, place = self._prefix, self._place()
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

    def masks(self) -> BoolArray:
        """Returns the masks; see :meth:`Rows.masks`."""
        place = self._place()
        if self.looked_up:
            return np.asarray(self._records.take(place)["mask"].astype(np.bool_))
        return self._open(self._lowest.take(place) <= self.budget).view(np.bool_)

    def _place(self) -> IntArray:
        """Where the rows' prefixes stand in the tables of all devices."""
        if not self.config.several:
            return self._prefix
        return self._prefix + self.number * self._prefixes

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
    """Rows in a space of layers: a prefix is its sum so far and a node.

    A node is a state of a device: tables of several devices stand side by side, with
    states padded to the most that one has. An action is open where the sum so far and
    what a completion that begins with it needs are at most the row's last sum.
    """

    def __init__(self, config: EnvConfig, count: int) -> None:
        """Puts the devices' tables side by side."""
        super().__init__(config, count)
        devices, length = len(config.problems), config.length
        self._costs = [self._cost(number) for number in range(devices)]
        self._ratios = Ratios([cost.links[0] for cost in self._costs], count)
        self._offsets = np.array(config.space.offsets)
        self._counts = np.array(config.space.choices_at)
        self._states = max(cost.states for cost in self._costs)
        self._nodes = self._states * devices
        shape = length, self._nodes, config.choices
        self._entries = np.zeros(shape)
        self._following = np.zeros(shape, dtype=np.int64)
        self._low, self._high = np.zeros((2, length + 1, self._nodes))
        self._needs = np.zeros((length + 1, self._nodes, config.choices))
        self._needs[-1] = -np.inf  # all is open there
        self._start = np.zeros(devices)
        for number in range(devices):
            self.take_in(number)
        self._last = np.zeros(count)
        self._common: int | None = 0
        self._depths = np.zeros(count, dtype=np.int64)
        self._sum = np.zeros(count)
        self._node = np.zeros(count, dtype=np.int64)
        self._genotype = np.full((count, config.length), -1, dtype=np.int8)
        width = self.observation_space.shape[0]
        self._shown = np.zeros((count, width), dtype=np.float32)
        self._first = np.arange(count) * width

    def _cost(self, number: int) -> Additive:
        problem = self.config.problems[number]
        assert isinstance(problem.model, LayeredModel), "large spaces have layers"
        return problem.model.cost(problem.metric_column)

    def take_in(self, number: int) -> None:
        """Writes a device's tables among the others; see :meth:`Rows.take_in`."""
        cost = self._costs[number] = self._cost(number)
        first = number * self._states
        nodes = slice(first, first + cost.states)
        self._entries[:, nodes] = cost.entries[..., 0]
        self._following[:, nodes] = first + cost.next_state
        self._low[:, nodes], self._high[:, nodes] = extremes(cost)
        self._needs[:-1, nodes] = needs(cost)
        self._start[number] = cost.start[0]

    def place(self, rows: IntArray, numbers: IntArray, budgets: FloatArray) -> None:
        """Gives rows their devices and budgets; see :meth:`Rows.place`."""
        super().place(rows, numbers, budgets)
        for number, mine in by_device(numbers, len(self._costs)):
            self._last[rows[mine]] = last_sums(self._costs[number], budgets[mine])
        self._ratios.place(rows, numbers, budgets)
        self._shown[:, self.ones + 2 :] = self.tail

    def _root(self, rows: IntArray) -> None:
        self._set_depth(rows, 0)
        where: Any = slice(None) if len(rows) == self.count else rows
        number = self.number[where]
        self._sum[where] = self._start.take(number)
        self._node[where] = number * self._states
        self._genotype[where] = -1
        self._shown[where, : self.ones] = 0.0
        self._shown[where, self._offsets[-1]] = 1.0

    @property
    def _depth(self) -> int | IntArray:
        """How many positions are decided: one number where all rows agree."""
        return self._depths if self._common is None else self._common

    def _set_depth(self, rows: IntArray, depth: int | IntArray) -> None:
        self._depths[:] = self._depth
        self._depths[rows] = depth
        first = self._depths.item(0)
        self._common = first if (self._depths == first).all() else None

    def advance(self, actions: npt.NDArray[Any], rows: IntArray | None = None) -> None:
        """Decides the next position of every row."""
        depth = self._common
        if rows is not None or depth is None:
            moving = np.arange(self.count) if rows is None else rows
            self._take(moving, actions[moving])
            return
        # the same where all rows are at one position: slices in place of look-ups
        if not self.config.space.uniform:
            actions = actions % self._counts[depth]
        entry = actions
        if self._nodes > 1:
            entry = self._node * self.config.choices
            entry += actions
        self._sum += self._entries[depth].take(entry)
        if self._states > 1:
            self._node = self._following[depth].take(entry)
        self._common = depth + 1
        self._genotype[:, depth] = actions
        ones = self._first + (actions + self._offsets[depth])
        self._shown.reshape(-1)[ones] = 1.0
        place = self._offsets[-1] + depth
        self._shown[:, place] = 0.0
        self._shown[:, place + 1] = 1.0  # after the last decision look writes over it

    def _take(self, rows: IntArray, actions: IntArray) -> None:
        self._depths[:] = self._depth
        depth = self._depths[rows]
        if not self.config.space.uniform:
            actions = actions % self._counts.take(depth)
        entry = depth * self._nodes + self._node[rows]
        entry *= self.config.choices
        entry += actions
        self._sum[rows] += self._entries.take(entry)
        self._node[rows] = self._following.take(entry)
        self._set_depth(rows, depth + 1)
        self._genotype[rows, depth] = actions
        place = self._offsets[-1] + depth
        self._shown[rows, self._offsets.take(depth) + actions] = 1.0
        self._shown[rows, place] = 0.0
        self._shown[rows, place + 1] = 1.0

    def due(self) -> BoolArray:
        """Marks the rows that are complete."""
        due = np.zeros(self.count, dtype=np.bool_)
        due |= self._depth == self.config.length
        return due

    def _here(self, table: FloatArray) -> FloatArray:
        """Looks up, in a table ``(L + 1, nodes, ...)``, where every row is.

        Returns:
            ``(N, ...)``, or one row for all.
        """
        if self._common is None:
            flat = table.reshape(-1, *table.shape[2:])
            place = self._depths * self._nodes + self._node
            return np.asarray(flat.take(place, axis=0))
        layer = table[self._common]
        return layer if self._nodes == 1 else np.asarray(layer.take(self._node, axis=0))

    def look(self) -> Look:
        """Returns what the episodes show."""
        reach = np.empty((2, self.count))
        np.add(self._here(self._low), self._sum, out=reach[0])
        np.add(self._here(self._high), self._sum, out=reach[1])
        completable = reach[0] <= self._last
        self._mask = self._open(completable)
        self._shown[:, self.ones : self.ones + 2] = self._ratios(reach).T
        return Look(
            self._shown.copy(),
            self._mask.copy().view(np.int8),
            self._genotype.copy(),
            completable,
        )

    def _open(self, completable: BoolArray) -> BoolArray:
        """Returns the masks ``(N, K)``."""
        mask = self._here(self._needs) <= (self._last - self._sum)[:, None]
        if np.count_nonzero(completable) < self.count:
            space, past = self.config.space, ~completable[:, None]
            if not space.uniform:
                exists = space.existing.take(self._depth, axis=0, mode="clip")
                past = past & (exists == 1)
            mask |= past
        return np.asarray(mask)

    def masks(self) -> BoolArray:
        """Returns the masks; see :meth:`Rows.masks`."""
        return self._mask.copy()


def by_device(numbers: IntArray, devices: int) -> Iterator[tuple[int, Any]]:
    """Yields devices that rows have, and which rows those are; all, of one device."""
    if devices == 1:
        yield 0, slice(None)
        return
    for number in np.unique(numbers).tolist():
        yield number, numbers == number


class Ratios:
    """Costs over budgets as they are observed, from sums of rows."""

    def __init__(self, links: Sequence[Link], count: int) -> None:
        """Takes one link a device; no row has a budget yet."""
        self._links = links
        self._linear = all(isinstance(link, Linear) for link in links)
        self._number = np.zeros(count, dtype=np.int64)
        self._budget, self._floor, self._factor = np.ones((3, count))

    def place(self, rows: IntArray, numbers: IntArray, budgets: FloatArray) -> None:
        """Gives rows their links and budgets."""
        self._number[rows], self._budget[rows] = numbers, budgets
        for number, mine in by_device(numbers, len(self._links)):
            link = self._links[number]
            if isinstance(link, Linear):
                # a sum below 0 counts as 0: no ratio is negative
                self._floor[rows[mine]] = max(link.floor, 0.0)
                self._factor[rows[mine]] = link.scale / link.unit / budgets[mine]

    def __call__(self, sums: FloatArray) -> FloatArray:
        """Returns ratios of sums ``(2, N)``, in their place, clipped to [0, 4]."""
        if self._linear:
            np.maximum(sums, self._floor, out=sums)
            sums *= self._factor
            return np.minimum(sums, RATIO_LIMIT, out=sums)
        for number, mine in by_device(self._number, len(self._links)):
            link = self._links[number]
            if isinstance(link, Linear):
                bounded = np.maximum(sums[:, mine], self._floor[mine])
                sums[:, mine] = bounded * self._factor[mine]
            else:
                sums[:, mine] = link(sums[:, mine]) / self._budget[mine]
        return np.clip(sums, 0.0, RATIO_LIMIT, out=sums)
