"""What costs of NAS-Bench-201 are made of, for devices fitted from a few networks.

Runtimes differ in what they run. A compiler runs the operations that are live; a
framework runs all six edges, those too whose result nothing reads. So operations are
counted twice, all of them and the live ones, and a fit finds which of them cost.
Compilers also merge what stands beside each other: a sum into the convolution before
it, activations of one tensor into one; so what could be merged is counted too.
Where ``none`` is run as a product with zero, it breaks the layout in which convolutions
and poolings hand tensors on, and each of these then pays for reordering them.
"""

import functools
import itertools

import numpy as np

from hwnas_env.engines.forms import TableSpace
from hwnas_env.engines.terms import Terms
from hwnas_env.spaces.nasbench201.cells import SOURCE, TARGET, Small, total
from hwnas_env.spaces.nasbench201.costs import space_block, space_cells
from hwnas_env.spaces.nasbench201.facts import EDGES, OPERATIONS, official_genotypes
from hwnas_env.types import BoolArray, FloatArray, Genotypes, IntArray


@functools.cache
def cell_terms(space: TableSpace) -> Terms:
    """Returns the terms of NAS-Bench-201, the same on every dataset.

    Groups: "all", operations on the six edges; "live", those that a compiler keeps, run
    on zeros, or runs for nothing; "pairs", products of two counts of all operations,
    for kernels that overlap; "structure", how live operations hang together; "zeros",
    what ``none`` breaks; "constant", whether the output ignores the input.
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
        **{name: ("structure", False, count) for name, count in _structure().items()},
        **{name: ("zeros", False, count) for name, count in _zeros().items()},
        "output is constant": ("constant", False, ignores_input()),
    }
    table = np.column_stack([values for *_, values in columns.values()])
    table = table.astype(np.float64)
    table.setflags(write=False)

    def count(genotypes: Genotypes) -> FloatArray:
        return np.asarray(table[space.index(genotypes)])

    groups, growing, _ = zip(*columns.values(), strict=True)
    return Terms(tuple(columns), tuple(groups), tuple(growing), count)


def _structure() -> dict[str, Small]:
    """Counts how live operations hang together: ``(15625,)`` each."""
    cells = space_cells()
    n = len(cells.genotypes)
    is_op = {
        name: [
            cells.live[:, edge] & (cells.genotypes[:, edge] == OPERATIONS.index(name))
            for edge in range(len(EDGES))
        ]
        for name in OPERATIONS
    }
    convolves = [
        is_op["nor_conv_1x1"][edge] | is_op["nor_conv_3x3"][edge]
        for edge in range(len(EDGES))
    ]
    sums = cells.in_degree > 1
    reads, lacks = [], []
    for node in range(3):
        out = [convolves[edge] for edge in range(len(EDGES)) if SOURCE[edge] == node]
        reads.append(np.any(out, axis=0))
    for node in range(1, 4):
        into = [convolves[edge] for edge in range(len(EDGES)) if TARGET[edge] == node]
        lacks.append(sums[:, node] & ~np.any(into, axis=0))

    def summed(name: str) -> Small:
        return total([is_op[name][e] & sums[:, TARGET[e]] for e in range(6)], n)

    additions = np.maximum(cells.in_degree[:, 1:] - 1, 0).sum(axis=1)
    return {
        "additions": additions.astype(np.int8),
        "tensors that convolutions read": total(reads, n),
        "inner nodes": total([cells.in_degree[:, node] > 0 for node in (1, 2)], n),
        "sums without a convolution": total(lacks, n),
        "skips into sums": summed("skip_connect"),
        "pools into sums": summed("avg_pool_3x3"),
    }


def _zeros() -> dict[str, IntArray]:
    """Counts what ``none`` breaks, and what merges if all edges run: ``(15625,)``."""
    cells = official_genotypes()
    none = cells == OPERATIONS.index("none")
    pools = cells == OPERATIONS.index("avg_pool_3x3")
    convolves = np.isin(
        cells, [OPERATIONS.index(name) for name in ("nor_conv_1x1", "nor_conv_3x3")]
    )

    def read(marks: BoolArray) -> IntArray:
        """Counts the tensors that marked edges read."""
        out = [
            marks[:, [e for e in range(6) if SOURCE[e] == node]] for node in range(3)
        ]
        return np.asarray(sum(mark.any(axis=1).astype(np.int64) for mark in out))

    def into(node: int) -> IntArray:
        edges = [e for e in range(6) if TARGET[e] == node]
        return np.asarray(convolves[:, edges].sum(axis=1))

    zeros, reads, some = read(none), read(convolves), none.any(axis=1)
    return {
        "tensors that none reads": zeros,
        "none at all": some.astype(np.int64),
        "sums merged into convolutions": np.minimum(1, into(2))
        + np.minimum(2, into(3)),
        "tensors that all convolutions read": reads,
        "tensors that none reads x tensors that all convolutions read": zeros * reads,
        "convolutions of the input beside none": some * into(1),
        "convolutions beside none": some * convolves.sum(axis=1),
        "poolings beside none": some * pools.sum(axis=1),
    }


def ignores_input() -> BoolArray:
    """Marks the cells whose output does not depend on their input: ``(15625,)``."""
    return np.asarray(space_cells().in_degree[:, 3] == 0)
