"""What a ledger says of its queries: a receipt for each charge, and their history."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from hwnas_env.engines.choices import Choices
from hwnas_env.showing import Columned, Outlined, line
from hwnas_env.types import BoolArray, FloatArray, Genotypes, IntArray


@dataclass(frozen=True, eq=False)
class Receipt(Outlined):
    """Says what a charge of N queries, in order, came to.

    Attributes:
        paid: how many of them, from the first on, could be paid.
        queries: ``(N,)`` queries in total after each.
        unique_queries: ``(N,)`` distinct networks after each.
        exhausted: ``(N,)`` whether nothing more can be paid after each.
    """

    paid: int
    queries: IntArray
    unique_queries: IntArray
    exhausted: BoolArray


@dataclass(frozen=True, eq=False)
class History(Columned):
    """Holds the queries of a ledger, in order.

    Attributes:
        genotypes: ``(Q, L)`` int8.
        accuracy_percent: ``(Q,)`` float64, as each query was answered.
        space: what reads and writes the genotypes.
    """

    genotypes: Genotypes
    accuracy_percent: FloatArray
    space: Choices

    def __len__(self) -> int:
        """Returns the number of queries."""
        return len(self.genotypes)

    def columns(self) -> dict[str, Any]:
        """Returns the number of every query, its architecture and its accuracy."""
        return {
            "query": np.arange(1, len(self) + 1),
            "architecture": [self.space.decode(row) for row in self.genotypes],
            "accuracy_percent": self.accuracy_percent,
        }

    def __repr__(self) -> str:
        """Returns how many queries there are."""
        return line("History", f"of {len(self):,} queries")
