"""Building a genotype decision by decision, knowing exactly what can still be met."""

import bisect
import functools
from abc import ABC, abstractmethod
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from hwnas_env.engines.additive import (
    Additive,
    extremes,
    last_sums,
    needs,
    smallest_prefixes,
)
from hwnas_env.engines.links import Linear
from hwnas_env.engines.prefix_tree import PrefixTree
from hwnas_env.types import BoolArray, FloatArray, IntArray

RATIO_LIMIT = 4.0
"""Costs are observed as cost / budget clipped to [0, 4]."""

Mask = npt.NDArray[np.int8]
View = tuple[Mask, float, float, bool]
"""Mask ``(K,)``, smallest and largest reachable cost / budget, whether completable."""


class Overview(NamedTuple):
    """What is known of all networks under a budget, before any is chosen.

    Attributes:
        choices: ``(L, K)`` int8, the choices that some feasible network contains; all
            that there are where no network is feasible.
        low: smallest cost of a deployable network over the budget, clipped to [0, 4].
        high: largest.
        completable: whether any network is feasible.
    """

    choices: Mask
    low: float
    high: float
    completable: bool


class Walk(ABC):
    """Follows prefixes of genotypes under one fixed budget; immutable.

    A state is whatever :meth:`child` returns; ``root`` is the empty prefix.
    """

    root: Any

    @abstractmethod
    def child(self, depth: int, state: Any, action: int) -> Any:
        """Returns the state after one more decision at position ``depth``."""

    @abstractmethod
    def view(self, depth: int, state: Any) -> View:
        """Returns what can be reached from a prefix of ``depth`` decisions.

        An action is 0 in the mask if and only if no deployable completion of it meets
        the budget. From a prefix that has none, and after the last decision, the mask
        is all ones, of the choices that the position has. Where nothing deployable is
        reachable both ratios are the limit.
        """

    def follow(self, depth: int, state: Any, action: int) -> tuple[Any, View]:
        """Returns :meth:`child`, and :meth:`view` from there."""
        after = self.child(depth, state, action)
        return after, self.view(depth + 1, after)

    @abstractmethod
    def choices(self) -> Mask:
        """Marks the choices that some feasible network contains: ``(L, K)``.

        All that there are where no network is feasible.
        """


def overview_of(walk: Walk) -> Overview:
    """Looks at the empty prefix of a walk."""
    _, low, high, completable = walk.view(0, walk.root)
    return Overview(walk.choices(), low, high, completable)


class TableWalk(Walk):
    """Walks through a space that is enumerated; a state is a prefix's number."""

    root = 0

    def __init__(self, tree: PrefixTree, *, budget: float) -> None:
        """Prepares every prefix under a budget in the cost's unit."""
        self.tree = tree
        self.completable: BoolArray = tree.lowest <= budget
        ones = np.ones((len(tree.lowest) - tree.leaves, tree.choices), dtype=np.int8)
        masks = tree.masks(slice(None), budget)
        self.masks: Mask = np.concatenate([masks, ones])
        self.ratios = tree.ratios(slice(None), budget, limit=RATIO_LIMIT)

    def child(self, depth: int, state: int, action: int) -> int:
        """Returns the prefix's number; see :class:`PrefixTree`."""
        tree = self.tree
        return state * tree.counts[depth] + tree.shifts[depth] + action

    def view(self, depth: int, state: int) -> View:
        """Looks the prefix up; see :meth:`Walk.view`."""
        del depth
        low, high = self.ratios[state].tolist()
        return self.masks[state], low, high, self.completable.item(state)

    def choices(self) -> Mask:
        """Looks along every position of the table; see :meth:`Walk.choices`."""
        counts = self.tree.counts
        meets = self.completable[self.tree.leaves :].reshape(counts)
        found: Mask = np.zeros((len(counts), self.tree.choices), dtype=np.int8)
        for axis, count in enumerate(counts):
            others = tuple(set(range(len(counts))) - {axis})
            found[axis, :count] = meets.any(axis=others) | (not meets.any())
        return found


class LayeredWalk(Walk):
    """Walks through layers; a state is the sum so far and the layer state."""

    def __init__(self, cost: Additive, *, budget: float) -> None:
        """Works out the last sum that meets the budget; all else is the cost's.

        Args:
            cost: one quantity.
            budget: in the cost's unit.
        """
        self._cost, self._link, self._budget = cost, cost.links[0], budget
        self._linear, self._floor = isinstance(self._link, Linear), 0.0
        if isinstance(self._link, Linear):  # in three operations, without an array
            self._floor = max(self._link.floor, 0.0)  # no ratio is negative
            self._factor = self._link.scale / self._link.unit / budget
        self.root = (float(cost.start[0]), 0)
        self._last = float(last_sums(cost, [budget])[0])
        self._layers = _layers_of(cost)
        self._branches, self._nodes = self._layers.branches, self._layers.nodes

    def child(
        self, depth: int, state: tuple[float, int], action: int
    ) -> tuple[float, int]:
        """Adds one entry, from left to right as evaluation does."""
        total, number = state
        layer = self._branches[depth] or self._layers.open(depth)
        entry, following, _ = layer[number][action]
        return total + entry, following

    def view(self, depth: int, state: tuple[float, int]) -> View:
        """Looks from a node; see :meth:`Walk.view`."""
        total, number = state
        return self._from(self._nodes[depth][number], total)

    def follow(
        self, depth: int, state: tuple[float, int], action: int
    ) -> tuple[tuple[float, int], View]:
        """Finds the sum and the node at once; see :meth:`Walk.follow`."""
        total, number = state
        layer = self._branches[depth] or self._layers.open(depth)
        entry, number, node = layer[number][action]
        total += entry
        return (total, number), self._from(node, total)

    def _from(self, node: "_Node", total: float) -> View:
        """Counts the blocks that are open.

        A block is open where what it needs is no more than what is left. So the mask
        is a step function of what is left, and found by bisection.
        """
        least, most, steps, masks = node
        left = self._last - total
        mask = masks[bisect.bisect_right(steps, left)]
        low, high, floor = total + least, total + most, self._floor
        if self._linear:
            low = (low if low > floor else floor) * self._factor
            high = (high if high > floor else floor) * self._factor
        else:
            values = self._link(np.array([low, high])) / self._budget
            low, high = np.maximum(values, 0.0).tolist()
        low = low if low < RATIO_LIMIT else RATIO_LIMIT
        high = high if high < RATIO_LIMIT else RATIO_LIMIT
        return mask, low, high, least <= left

    def choices(self) -> Mask:
        """Compares the smallest prefixes with what is needed; see the base."""
        smallest = smallest_prefixes(self._cost)[:-1, :, None]
        needed = needs(self._cost)
        found = (smallest + needed <= self._last).any(axis=1)
        if not found.any():
            found = np.isfinite(needed[:, 0])
        return np.asarray(found, dtype=np.int8)


_Node = tuple[float, float, list[float], list[Mask]]
"""What is known of a layer's state, the end's too: what is added at least and at most
from there; what blocks need, sorted; and the mask of every number of open blocks, of
all that there are where none is open."""


_Branch = tuple[float, int, _Node]
"""What a block adds, the state that it leaves, and the node there."""


class _Layers:
    """One quantity in Python's numbers, which are quicker one by one than arrays are.

    Attributes:
        nodes: by layer and state, the end's too.
        branches: by layer, state and block; a layer's are empty until :meth:`open`.
    """

    def __init__(self, cost: Additive) -> None:
        """Works the nodes out."""
        low, high = (table.tolist() for table in extremes(cost))
        needed = needs(cost)
        _, states, blocks = needed.shape
        ordered = np.sort(needed, axis=-1)
        # as many blocks are open as need no more than is left; at the end there is none
        masks = np.empty((*needed.shape[:2], blocks + 1, blocks), dtype=np.bool_)
        masks[..., 0, :] = np.isfinite(needed)
        masks[..., 1:, :] = needed[..., None, :] <= ordered[..., None]
        ones = np.ones(blocks, dtype=np.int8)
        steps = [*ordered.tolist(), [[]] * states]
        shown = [*map(list, masks.view(np.int8)), [[ones]] * states]
        self.nodes: list[list[_Node]] = [
            list(zip(*layer, strict=True))
            for layer in zip(low, high, steps, shown, strict=True)
        ]
        self.branches: list[list[list[_Branch]]] = [[] for _ in needed]
        self._cost = cost

    def open(self, layer: int) -> list[list[_Branch]]:
        """Returns the branches of a layer, and keeps them."""
        cost, nodes = self._cost, self.nodes[layer + 1]
        entries, following = cost.entries[layer, ..., 0], cost.next_state[layer]
        found = self.branches[layer] = [
            [(entry, after, nodes[after]) for entry, after in zip(*pair, strict=True)]
            for pair in zip(entries.tolist(), following.tolist(), strict=True)
        ]
        return found


@functools.lru_cache(maxsize=64)
def _layers_of(cost: Additive) -> _Layers:
    return _Layers(cost)


def draw_allowed(masks: BoolArray, uniforms: FloatArray) -> IntArray:
    """Draws one allowed choice a row ``(N,)``, each as likely as another.

    Args:
        masks: ``(N, K)``, with a choice in every row.
        uniforms: ``(N,)`` in [0, 1).

    Example:
        >>> masks = np.array([[False, True, True]] * 2)
        >>> draw_allowed(masks, np.array([0.2, 0.7])).tolist()
        [1, 2]
    """
    which = (uniforms * masks.sum(axis=1)).astype(np.int64)
    return np.asarray((np.cumsum(masks, axis=1) > which[:, None]).argmax(axis=1))
