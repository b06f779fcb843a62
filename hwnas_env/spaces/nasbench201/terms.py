"""What costs of NAS-Bench-201 are made of, for devices fitted from a few networks.

Runtimes differ in what they run. A compiler runs the operations that are live; a
framework runs all six edges, those too whose result nothing reads. So operations are
counted twice, all of them and the live ones, and a fit finds which of them cost.
"""

import functools
import itertools

import numpy as np

from hwnas_env.engines.forms import TableSpace
from hwnas_env.engines.terms import Terms
from hwnas_env.spaces.nasbench201.costs import space_block, space_cells
from hwnas_env.spaces.nasbench201.facts import OPERATIONS, official_genotypes
from hwnas_env.types import BoolArray, FloatArray, Genotypes


@functools.cache
def cell_terms(space: TableSpace) -> Terms:
    """Returns the terms of NAS-Bench-201, the same on every dataset.

    Groups: "all", operations on the six edges; "live", those that a compiler keeps, run
    on zeros, or runs for nothing; "pairs", products of two counts of all operations,
    for kernels that overlap; "constant", whether the output ignores the input.
    """
    cells = official_genotypes()
    counts = {
        name: (cells == choice).sum(axis=1)
        for choice, name in enumerate(OPERATIONS)
        if name != "none"
    }
    executed, live = space_block("executed")
    pairs = itertools.combinations_with_replacement(counts, 2)
    columns = {
        **{f"all {name}": ("all", True, count) for name, count in counts.items()},
        **{
            name: ("live", name.startswith("live "), live[:, number])
            for number, name in enumerate(executed)
        },
        **{
            f"{one} x {other}": ("pairs", False, counts[one] * counts[other])
            for one, other in pairs
        },
        "output is constant": ("constant", False, ignores_input()),
    }
    table = np.column_stack([values for *_, values in columns.values()])
    table = table.astype(np.float64)
    table.setflags(write=False)

    def count(genotypes: Genotypes) -> FloatArray:
        return np.asarray(table[space.index(genotypes)])

    groups, growing, _ = zip(*columns.values(), strict=True)
    return Terms(tuple(columns), tuple(groups), tuple(growing), count)


def ignores_input() -> BoolArray:
    """Marks the cells whose output does not depend on their input: ``(15625,)``."""
    return np.asarray(space_cells().in_degree[:, 3] == 0)
