"""The costs that prefixes of genotypes can reach, in a space that is enumerated."""

import functools
import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from hwnas_env.types import FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class PrefixTree:
    """Every prefix of every genotype, and the costs of its deployable completions.

    Prefixes are numbered level by level: 0 is the empty one, then come those of one
    decision in their order, and so on. The last level, from ``leaves`` on, are the
    networks in lexicographic order. The child of prefix n at depth d by choice a has
    the number ``n * counts[d] + shifts[d] + a``.

    Attributes:
        choices: K, the largest number of choices at a position.
        counts: how many choices each of the L positions has.
        shifts: what leads from a prefix's number to that of its first child.
        lowest: ``(P,)`` smallest cost of a deployable completion, inf where none is.
        highest: ``(P,)`` largest, -inf where none is.
        children: ``(leaves, K)`` ``lowest`` of the child by each choice, NaN where the
            position has no such choice.
        first_child: ``(leaves,)`` number of the child by choice 0.
    """

    choices: int
    counts: tuple[int, ...]
    shifts: tuple[int, ...]
    lowest: FloatArray
    highest: FloatArray
    children: FloatArray
    first_child: IntArray

    @classmethod
    def of(cls, cost: FloatArray, *, counts: tuple[int, ...]) -> "PrefixTree":
        """Builds the tree from the costs of all networks, inf where not deployable.

        Args:
            cost: ``(size,)`` in lexicographic order.
            counts: how many choices each position has.
        """
        choices = max(counts)
        low, high = [cost], [np.where(np.isfinite(cost), cost, -np.inf)]
        children = []
        for count in reversed(counts):
            by_choice = low[-1].reshape(-1, count)
            absent = np.full((len(by_choice), choices - count), np.nan)
            children.append(np.hstack([by_choice, absent]))
            # choice by choice: quicker than along rows of a few numbers
            low.append(functools.reduce(np.minimum, by_choice.T))
            high.append(functools.reduce(np.maximum, high[-1].reshape(-1, count).T))
        starts = [0, *itertools.accumulate(len(level) for level in low[::-1])]
        shifts = tuple(
            starts[depth + 1] - starts[depth] * count
            for depth, count in enumerate(counts)
        )
        firsts = [
            np.arange(starts[depth], starts[depth + 1]) * count + shifts[depth]
            for depth, count in enumerate(counts)
        ]
        return cls(
            choices,
            counts,
            shifts,
            np.concatenate(low[::-1]),
            np.concatenate(high[::-1]),
            np.concatenate(children[::-1]),
            np.concatenate(firsts),
        )

    @property
    def leaves(self) -> int:
        """Number of the first network."""
        return len(self.first_child)

    @property
    def ragged(self) -> bool:
        """Whether positions have different numbers of choices."""
        return min(self.counts) < self.choices

    def masks(self, prefixes: Any, budgets: Any) -> npt.NDArray[np.int8]:
        """Returns the masks ``(N, K)`` of N prefixes that are not complete.

        All choices that there are where no completion meets the budget.

        Args:
            prefixes: ``(N,)`` numbers, or a slice.
            budgets: one, or ``(N,)``.
        """
        children = self.children[prefixes]
        meets = children <= np.reshape(budgets, (-1, 1))
        open_to_all = ~meets.any(axis=1, keepdims=True)
        if self.ragged:
            open_to_all = open_to_all & ~np.isnan(children)
        return np.asarray(meets | open_to_all).view(np.int8)

    def ratios(self, prefixes: Any, budgets: Any, *, limit: float) -> FloatArray:
        """Returns smallest and largest cost / budget ``(N, 2)``, clipped to a limit."""
        low, high = self.lowest[prefixes], self.highest[prefixes]
        pair = np.stack([low, np.where(high == -np.inf, np.inf, high)], axis=1)
        ratios = pair / np.reshape(budgets, (-1, 1))
        return np.asarray(np.minimum(np.maximum(ratios, 0.0), limit))
