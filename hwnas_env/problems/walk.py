"""Building a genotype decision by decision, knowing exactly what can still be met."""

import bisect
from abc import ABC, abstractmethod
from typing import Any

import numpy as np
import numpy.typing as npt

from hwnas_env.additive import (
    Additive,
    Linear,
    extremes,
    largest_prefixes,
    smallest_prefixes,
)
from hwnas_env.types import FloatArray

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
        is all ones. Where nothing deployable is reachable both ratios are the limit.
        """

    @abstractmethod
    def choices(self) -> Mask:
        """Marks the choices that some feasible network contains: ``(L, K)``.

        All ones where no network is feasible.
        """


class TableWalk(Walk):
    """Walks through a space that is small enough to enumerate; a state is a number."""

    root = 0

    def __init__(self, cost: FloatArray, *, choices: int, budget: float) -> None:
        """Prepares every prefix.

        Args:
            cost: ``(K^L,)`` in lexicographic order, inf where not deployable.
            choices: K.
            budget: in the cost's unit.
        """
        self._choices = choices
        lowest, highest = cost, np.where(np.isfinite(cost), cost, -np.inf)
        self._masks: list[Mask] = [np.ones((len(cost), choices), dtype=np.int8)]
        self._ratios = [_ratios(lowest, highest, budget)]
        self._completable = [(lowest <= budget).tolist()]
        while len(lowest) > 1:
            meets = lowest.reshape(-1, choices) <= budget
            lowest = lowest.reshape(-1, choices).min(axis=1)
            highest = highest.reshape(-1, choices).max(axis=1)
            meets |= ~meets.any(axis=1, keepdims=True)
            self._masks.append(meets.view(np.int8))
            self._ratios.append(_ratios(lowest, highest, budget))
            self._completable.append((lowest <= budget).tolist())
        for levels in (self._masks, self._ratios, self._completable):
            levels.reverse()

    def child(self, depth: int, state: int, action: int) -> int:
        """Returns the prefix's number in base K."""
        del depth  # a number in base K needs no position
        return state * self._choices + action

    def view(self, depth: int, state: int) -> View:
        """Looks the prefix up; see :meth:`Walk.view`."""
        low, high = self._ratios[depth][state]
        return self._masks[depth][state], low, high, self._completable[depth][state]

    def choices(self) -> Mask:
        """Looks along every position of the table; see :meth:`Walk.choices`."""
        length, choices = len(self._masks) - 1, self._choices
        meets = np.array(self._completable[-1]).reshape((choices,) * length)
        others = [tuple(set(range(length)) - {axis}) for axis in range(length)]
        found = np.stack([meets.any(axis=axes) for axes in others])
        return np.asarray(found | ~found.any(), dtype=np.int8)


class LayeredWalk(Walk):
    """Walks through layers; a state is the sum so far and the layer state."""

    def __init__(self, cost: Additive, *, budget: float) -> None:
        """Prepares, for every layer and state, which sums leave which blocks open.

        A block is open up to a largest sum. So the mask is a step function of the sum,
        with one step a block: it is looked up by bisection among the sorted steps.

        Args:
            cost: one quantity whose link is linear.
            budget: in the cost's unit.
        """
        link = cost.links[0]
        assert isinstance(link, Linear), "costs are linear behind a floor"
        self._floor, self._factor = link.floor, link.scale / link.unit / budget
        self.root = (float(cost.start[0]), 0)
        self._sums = cost.entries[..., 0].tolist()
        self._next = cost.next_state.tolist()
        limits, actions = largest_prefixes(cost, budget)
        self._actions, self._smallest = actions, smallest_prefixes(cost)
        self._end = limits[-1].tolist()
        self._steps = np.sort(actions, axis=-1).tolist()
        self._masks = _step_masks(actions)
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
        return np.asarray(found | ~found.any(), dtype=np.int8)

    def _ratio(self, total: float) -> float:
        ratio = (total if total > self._floor else self._floor) * self._factor
        if ratio > RATIO_LIMIT:
            return RATIO_LIMIT
        return ratio if ratio > 0.0 else 0.0


def _step_masks(limits: FloatArray) -> list[list[Mask]]:
    """Returns the mask of every number of closed actions: ``[L][S]`` of ``(K + 1, K)``.

    Actions close in the order of their limits ``(L, S, K)``; where all are closed the
    mask is all ones.
    """
    order = np.argsort(limits, axis=-1, kind="stable")
    rank = np.argsort(order, axis=-1, kind="stable")
    choices = limits.shape[-1]
    masks = rank[..., None, :] >= np.arange(choices + 1)[:, None]
    masks[..., choices, :] = True
    return [list(layer) for layer in masks.view(np.int8)]


def _ratios(low: FloatArray, high: FloatArray, budget: float) -> list[list[float]]:
    low, high = low / budget, np.where(np.isfinite(high), high / budget, np.inf)
    pairs: list[list[float]] = np.clip(
        np.stack([low, high], 1), 0.0, RATIO_LIMIT
    ).tolist()
    return pairs
