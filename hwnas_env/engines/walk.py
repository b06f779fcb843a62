"""Building a genotype decision by decision, knowing exactly what can still be met."""

import bisect
from abc import ABC, abstractmethod
from typing import Any

import numpy as np
import numpy.typing as npt

from hwnas_env.engines.additive import (
    Additive,
    extremes,
    largest_prefixes,
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

    @abstractmethod
    def choices(self) -> Mask:
        """Marks the choices that some feasible network contains: ``(L, K)``.

        All that there are where no network is feasible.
        """


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
        """Prepares, for every layer and state, which sums leave which blocks open.

        A block is open up to a largest sum. So the mask is a step function of the sum,
        with one step a block: it is looked up by bisection among the sorted steps.

        Args:
            cost: one quantity.
            budget: in the cost's unit.
        """
        self._link, self._budget = cost.links[0], budget
        self._linear = isinstance(self._link, Linear)
        if isinstance(self._link, Linear):  # in three operations, without an array
            self._floor = self._link.floor
            self._factor = self._link.scale / self._link.unit / budget
        self.root = (float(cost.start[0]), 0)
        self._sums = cost.entries[..., 0].tolist()
        self._next = cost.next_state.tolist()
        limits, actions = (table[0] for table in largest_prefixes(cost, [budget]))
        self._actions, self._smallest = actions, smallest_prefixes(cost)
        blocks = np.array(cost.blocks_at)
        self._existing = np.arange(actions.shape[-1]) < blocks[:, None]
        self._end = limits[-1].tolist()
        self._steps = np.sort(actions, axis=-1).tolist()
        self._masks = _step_masks(actions, self._existing)
        self._ones: Mask = np.ones(actions.shape[-1], dtype=np.int8)
        low, high = extremes(cost)
        self._low, self._high = low.tolist(), high.tolist()

    def child(
        self, depth: int, state: tuple[float, int], action: int
    ) -> tuple[float, int]:
        """Adds one entry, from left to right as evaluation does."""
        total, number = state
        return (
            total + self._sums[depth][number][action],
            self._next[depth][number][action],
        )

    def view(self, depth: int, state: tuple[float, int]) -> View:
        """Looks the mask up among the steps; see :meth:`Walk.view`."""
        total, number = state
        low = self._ratio(total + self._low[depth][number])
        high = self._ratio(total + self._high[depth][number])
        if depth == len(self._steps):
            return self._ones, low, high, total <= self._end[number]
        steps = self._steps[depth][number]
        closed = bisect.bisect_left(steps, total)
        return self._masks[depth][number][closed], low, high, closed < len(steps)

    def choices(self) -> Mask:
        """Compares the smallest prefixes with the limits; see :meth:`Walk.choices`."""
        meets = self._smallest[:-1, :, None] <= self._actions
        found = meets.any(axis=1)
        return np.asarray(found if found.any() else self._existing, dtype=np.int8)

    def _ratio(self, total: float) -> float:
        if self._linear:
            ratio = (total if total > self._floor else self._floor) * self._factor
        else:
            ratio = float(self._link(np.array([total]))[0]) / self._budget
        if ratio > RATIO_LIMIT:
            return RATIO_LIMIT
        return ratio if ratio > 0.0 else 0.0


def _step_masks(limits: FloatArray, existing: BoolArray) -> list[list[Mask]]:
    """Returns the mask of every number of closed actions: ``[L][S]`` of ``(K + 1, K)``.

    Actions close in the order of their limits ``(L, S, K)``; where all are closed the
    mask is all ones, of the actions that exist ``(L, K)``.
    """
    order = np.argsort(limits, axis=-1, kind="stable")
    rank = np.argsort(order, axis=-1, kind="stable")
    choices = limits.shape[-1]
    masks = rank[..., None, :] >= np.arange(choices + 1)[:, None]
    masks[..., choices, :] = True
    masks &= existing[:, None, None, :]
    return [list(layer) for layer in masks.view(np.int8)]


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
