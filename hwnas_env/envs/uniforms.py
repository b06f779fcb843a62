"""Uniform numbers of many generators, taken for many rows at once."""

from collections.abc import Sequence

import numpy as np
from gymnasium.utils import seeding

from hwnas_env.types import FloatArray, IntArray

BLOCK = 256
"""Numbers drawn ahead of a row; a block of draws equals the draws one by one."""


class Uniforms:
    """Gives row i what ``np_random.random()`` of environment i would give, in order.

    Only filling a block calls a generator; taking numbers is one gather for all rows.
    """

    def __init__(self, count: int) -> None:
        """Makes unseeded generators for ``count`` rows."""
        self._generators: list[np.random.Generator | None] = [None] * count
        self._ahead = np.empty((count, BLOCK))
        self._next = np.full(count, BLOCK, dtype=np.int64)

    def seed(self, rows: IntArray, seeds: Sequence[int | None]) -> None:
        """Seeds rows as ``reset(seed=...)`` seeds an environment.

        Args:
            rows: their numbers.
            seeds: one a row of all, also of those that are not seeded.
        """
        for row in rows.tolist():
            if (seed := seeds[row]) is not None:
                self._generators[row] = seeding.np_random(seed)[0]
                self._next[row] = BLOCK

    def take(self, rows: IntArray, count: int) -> FloatArray:
        """Takes the next numbers in [0, 1) of distinct rows: ``(len(rows), count)``.

        Args:
            rows: their numbers.
            count: numbers a row, at most ``BLOCK``.
        """
        for row in rows[self._next[rows] + count > BLOCK].tolist():
            generator = self._generators[row]
            if generator is None:
                generator = self._generators[row] = seeding.np_random()[0]
            left = self._ahead[row, self._next[row] :].copy()
            self._ahead[row, : len(left)] = left
            self._ahead[row, len(left) :] = generator.random(BLOCK - len(left))
            self._next[row] = 0
        places = self._next[rows][:, None] + np.arange(count)
        self._next[rows] += count
        return np.asarray(self._ahead[rows[:, None], places])
