"""Named features of NAS-Bench-201 cells, from which fitted costs are summed.

A *block* is a tuple of names and an integer matrix with one column a name; every
feature is a count or an indicator. Operations are written ``s`` skip_connect, ``A``
nor_conv_1x1, ``B`` nor_conv_3x3, ``P`` avg_pool_3x3, ``-`` none. A *table* has one
entry for each choice of operations on some edges.
"""

import itertools
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from hwnas_env.spaces.nasbench201.cells import (
    COMPUTING,
    CONV_3X3,
    FIRST_EDGE,
    FIRST_SUM,
    INTO,
    N_TENSORS,
    SKIP,
    SOURCE,
    TARGET,
    Cells,
    Small,
    analyse,
    columns,
    consumers,
    total,
)
from hwnas_env.types import BoolArray, IntArray

LETTERS = "-sABP"
KINDS = "xABPS"
"""Kinds of tensors: the cell input, an operation's output, a sum."""

Block: TypeAlias = tuple[tuple[str, ...], npt.NDArray[np.generic]]
_Column: TypeAlias = BoolArray | Small | IntArray


def executed(cells: Cells) -> Block:
    """Counts operations that are live, run on zeros, or are dead but run."""
    return _join(
        _counts(cells, cells.live, ops=(SKIP, *COMPUTING), word="live"),
        _counts(cells, cells.on_zeros, ops=COMPUTING, word="on zeros"),
        _counts(cells, cells.dead_but_run, ops=COMPUTING, word="dead but run"),
    )


def folded(cells: Cells) -> Block:
    """Counts what is left of a network whose output is constant, by operation."""
    mask = cells.on_zeros | cells.dead_but_run
    return _counts(cells, mask, ops=COMPUTING, word="left")


def shape(cells: Cells) -> Block:
    """Marks in- and out-degrees and longest paths over live edges."""
    live, degree = cells.live, cells.in_degree
    table: dict[str, _Column] = {
        f"node {j} sums {k}": degree[:, j] == k
        for j, k in ((1, 1), (2, 1), (2, 2), (3, 1), (3, 2), (3, 3))
    }
    from_input = total([live[:, e] for e in (0, 1, 3)], len(live))
    from_node1 = total([live[:, e] for e in (2, 4)], len(live))
    table["input feeds 2"] = from_input == 2
    table["input feeds 3"] = from_input == 3
    table["node 1 feeds 2"] = from_node1 == 2
    for what, counted in (
        ("operations", COMPUTING),
        ("edges", (SKIP, *COMPUTING)),
        ("B", (CONV_3X3,)),
    ):
        longest = _longest_path(cells, counted)
        for k in (1, 2, 3):
            table[f"longest path has {k}+ {what}"] = longest >= k
    return tuple(table), columns(list(table.values()))


def dataflow(cells: Cells) -> Block:
    """Counts who reads what among live tensors, seen through skips.

    ``B>A``: a 1x1 convolution reads a 3x3 convolution; ``x`` is the cell input, ``S`` a
    sum, ``+`` an addition; ``skip B>+``: a skip brings B to an addition.
    """
    n, rows = len(cells.genotypes), np.arange(len(cells.genotypes))
    kinds = _tensor_kinds(cells)
    op_is = {
        op: [cells.live[:, e] & (cells.genotypes[:, e] == op) for e in range(6)]
        for op in (SKIP, *COMPUTING)
    }
    summed = [cells.in_degree[:, TARGET[e]] > 1 for e in range(6)]
    source = [kinds[rows, cells.tensors[:, SOURCE[e]]] for e in range(6)]
    table: dict[str, _Column] = {}
    for k, kind in enumerate(KINDS):
        for op in COMPUTING:
            reads = [op_is[op][e] & (source[e] == k) for e in range(6)]
            table[f"{kind}>{LETTERS[op]}"] = total(reads, n)
        skips = [op_is[SKIP][e] & summed[e] & (source[e] == k) for e in range(6)]
        table[f"skip {kind}>+"] = total(skips, n)
    for op in COMPUTING:
        added = [op_is[op][e] & summed[e] for e in range(6)]
        table[f"{LETTERS[op]}>+"] = total(added, n)
    sums = [cells.in_degree[:, node] for node in (1, 2, 3)]
    table["sums of 2"] = total([s == 2 for s in sums], n)
    table["sums of 3"] = total([s == 3 for s in sums], n)
    table["additions"] = table["sums of 2"] + 2 * table["sums of 3"]
    table["same tensor added twice"] = _added_twice(cells, op_is[SKIP])
    readers, _ = consumers(cells)
    output = kinds[rows, cells.tensors[:, 3]]
    next_reads = {
        "once": readers[:, 0] == 1,
        "twice": readers[:, 0] == 2,
        "more often": readers[:, 0] > 2,
    }
    for k, kind in enumerate(KINDS):
        of_kind = [kinds[:, tensor] == k for tensor in range(N_TENSORS)]
        table[f"output is {kind}"] = output == k
        for often in ("twice", "more often"):
            marks = [
                of_kind[t]
                & (readers[:, t] == 2 if often == "twice" else readers[:, t] > 2)
                for t in range(N_TENSORS)
            ]
            table[f"{kind} read {often}"] = total(marks, n)
        for often, test in next_reads.items():
            name = f"output is {kind}, next input read {often}"
            table[name] = test & (output == k)
    return tuple(table), columns([np.asarray(c, np.int8) for c in table.values()])


def zeros_by_edge(cells: Cells) -> Block:
    """Marks operations that run on zeros, by edge (``4P``)."""
    grid = [(e, op) for e in (2, 4, 5) for op in COMPUTING]
    return (
        tuple(f"{e}{LETTERS[op]}" for e, op in grid),
        columns(
            [cells.on_zeros[:, e] & (cells.genotypes[:, e] == op) for e, op in grid]
        ),
    )


def needed_pattern(cells: Cells) -> Block:
    """Marks which edges are needed: ``..2.45`` has the edges 2, 4 and 5."""
    every = np.array(list(itertools.product(range(2), repeat=6)))
    code = _pattern(cells.needed)
    possible = np.unique(_pattern(analyse(every).needed)).tolist()
    names = tuple(
        "".join(str(e) if p >> e & 1 else "." for e in range(6)) for p in possible
    )
    return names, columns([code == p for p in possible])


def input_readers(cells: Cells) -> Block:
    """Marks the needed operations that read the cell input, in any order (``-AB``)."""
    edges = [0, 1, 3]
    ops = np.sort(np.where(cells.needed, cells.genotypes, 0)[:, edges], axis=1)
    code = (ops[:, 0].astype(np.int64) * 5 + ops[:, 1]) * 5 + ops[:, 2]
    sets = [
        s
        for s in itertools.combinations_with_replacement(range(5), 3)
        if sum(op > 0 for op in s) >= 2
    ]
    return (
        tuple("".join(LETTERS[op] for op in s) for s in sets),
        columns([code == (s[0] * 5 + s[1]) * 5 + s[2] for s in sets]),
    )


BLOCKS: Mapping[str, Callable[[Cells], Block]] = MappingProxyType(
    {
        builder.__name__: builder
        for builder in (
            executed,
            folded,
            shape,
            needed_pattern,
            dataflow,
            zeros_by_edge,
            input_readers,
        )
    }
)
"""Every block by name, in the order in which its features are summed."""


def table_codes(cells: Cells, mask: str) -> IntArray:
    """Numbers the operations that a mask keeps, in base 5: ``(N,)`` int64.

    Args:
        cells: N cells.
        mask: "live" or "needed"; what it drops counts as none.
    """
    kept = np.where(
        cells.needed if mask == "needed" else cells.live, cells.genotypes, 0
    )
    code = np.zeros(len(kept), dtype=np.int64)
    for e in range(6):
        code = code * 5 + kept[:, e]
    return code


def table_indicators(codes: IntArray, edges: Sequence[int]) -> npt.NDArray[np.generic]:
    """Marks each choice of operations on some edges, none excluded: ``(N, 4^k)``."""
    code = np.zeros(len(codes), dtype=np.int64)
    for e in edges:
        code = code * 5 + codes // 5 ** (5 - e) % 5
    choices = itertools.product(range(1, 5), repeat=len(edges))
    numbers = [sum(op * 5**k for k, op in enumerate(reversed(c))) for c in choices]
    return columns([code == number for number in numbers])


def table_sums(tables: Mapping[str, Sequence[int]]) -> IntArray:
    """Adds tables up to one number for each possible code: ``(15625,)`` int64.

    Args:
        tables: by edges ("024"): ``4^k`` whole numbers for the operations s, A, B, P on
            them, last edge fastest; where an edge is none, the table adds nothing.
    """
    grid = np.zeros((5,) * 6, dtype=np.int64)
    for key in tables:
        part, axes = np.zeros((5,) * len(key), dtype=np.int64), [1] * 6
        part[(slice(1, None),) * len(key)] = np.reshape(tables[key], (4,) * len(key))
        for edge in key:
            axes[int(edge)] = 5
        grid += part.reshape(axes)
    return grid.ravel()


def _counts(cells: Cells, mask: BoolArray, *, ops: tuple[int, ...], word: str) -> Block:
    n = len(mask)
    counts = [
        total([mask[:, e] & (cells.genotypes[:, e] == op) for e in range(6)], n)
        for op in ops
    ]
    return tuple(f"{word} {LETTERS[op]}" for op in ops), columns(counts)


def _join(*blocks: Block) -> Block:
    names = tuple(name for block in blocks for name in block[0])
    return names, np.concatenate([block[1].T for block in blocks]).T


def _longest_path(cells: Cells, counted: tuple[int, ...]) -> Small:
    weight = np.array([op in counted for op in range(5)], dtype=np.int8)
    w = [np.where(cells.live[:, e], weight[cells.genotypes[:, e]], 0) for e in range(6)]
    live = cells.live
    to1 = w[0]
    to2 = np.maximum(w[1], np.where(live[:, 2], to1 + w[2], 0))
    to3 = np.maximum(w[3], np.where(live[:, 4], to1 + w[4], 0))
    longest = np.maximum(to3, np.where(live[:, 5], to2 + w[5], 0))
    return np.asarray(longest, dtype=np.int8)


def _tensor_kinds(cells: Cells) -> Small:
    """Gives the kind of each tensor as a position in KINDS: ``(N, 12)``, -1 none."""
    kinds = np.full((len(cells.genotypes), N_TENSORS + 1), -1, np.int8, order="F")
    kinds[:, 0] = 0
    kinds[:, FIRST_EDGE:FIRST_SUM] = cells.genotypes - 1
    kinds[:, FIRST_SUM + 1 : N_TENSORS] = KINDS.index("S")
    return kinds


def _added_twice(cells: Cells, skips: Sequence[BoolArray]) -> Small:
    """Counts the nodes where skips add one tensor to itself."""
    nodes = []
    for node in (2, 3):
        hit = np.zeros(len(cells.genotypes), dtype=np.bool_)
        for d, e in itertools.combinations(INTO[node], 2):
            same = cells.tensors[:, SOURCE[d]] == cells.tensors[:, SOURCE[e]]
            hit |= skips[d] & skips[e] & same
        nodes.append(hit)
    return total(nodes, len(cells.genotypes))


def _pattern(marks: BoolArray) -> IntArray:
    code = np.zeros(len(marks), dtype=np.int64)
    for e in range(6):
        code |= marks[:, e].astype(np.int64) << e
    return code
