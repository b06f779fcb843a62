"""What a compiler keeps of a NAS-Bench-201 cell, and what an int8 compiler takes.

Edges are numbered 0 to 5 in the order of a genotype's positions. An edge is

- *fed* when its operation is not none and its source depends on the cell's input,
- *needed* when its operation is not none and its target reaches the cell's output,
- *live* when it is both,
- *on zeros* when it is needed, not fed, and computes something: it runs on a constant,
- *dead but run* when a convolution is all that a dead node holds: it is not pruned,
  presumably because the multiplication by zero of ``none`` is fused into it.

The rules were read off the measured NAS-Bench-201 networks of HW-NAS-Bench; no compiler
log was seen.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from hwnas_env.spaces.nasbench201.facts import EDGES, OPERATIONS
from hwnas_env.types import BoolArray, Genotypes

NONE, SKIP, CONV_1X1, CONV_3X3, POOL = range(len(OPERATIONS))
COMPUTING = (CONV_1X1, CONV_3X3, POOL)

SOURCE = tuple(source for source, _ in EDGES)
TARGET = tuple(target for _, target in EDGES)
INTO = tuple(
    tuple(edge for edge in range(len(EDGES)) if TARGET[edge] == node)
    for node in range(4)
)
"""The edges into each node."""

Small: TypeAlias = npt.NDArray[np.int8]
_Entry = TypeVar("_Entry", bound=np.generic)

CELL_INPUT, NOTHING = 0, -1
FIRST_EDGE, FIRST_SUM = 1, 7
"""Tensors: 0 the cell input, 1 + e the output of edge e, 7 + j the sum at node j."""
N_TENSORS = 11


@dataclass(frozen=True, eq=False)
class Cells:
    """Holds the liveness of a batch of cells, one row a cell.

    Attributes:
        genotypes: ``(N, 6)`` int8.
        fed: ``(N, 6)`` bool by edge, as the module's docstring says.
        needed: ``(N, 6)`` bool.
        live: ``(N, 6)`` bool.
        on_zeros: ``(N, 6)`` bool.
        dead_but_run: ``(N, 6)`` bool.
        input_used: ``(N,)`` bool: something that runs depends on the cell's input;
            the rest of the networks fold to a constant.
        in_degree: ``(N, 4)`` int8, live edges into each node.
        tensors: ``(N, 4)`` int8, the tensor that each node holds, seen through skips.
        int8_compiles: ``(N,)`` bool: the int8 compiler of the tensor processor that
            was measured takes the network.
    """

    genotypes: Genotypes
    fed: BoolArray
    needed: BoolArray
    live: BoolArray
    on_zeros: BoolArray
    dead_but_run: BoolArray
    input_used: BoolArray
    in_degree: Small
    tensors: Small
    int8_compiles: BoolArray


def analyse(genotypes: npt.ArrayLike) -> Cells:
    """Finds what of each cell a compiler keeps.

    Args:
        genotypes: ``(N, 6)`` valid genotypes; N may be 0.

    Returns:
        The liveness of the cells.

    Example:
        >>> analyse([[3, 0, 0, 0, 1, 2]]).live.astype(int).tolist()
        [[1, 0, 0, 0, 1, 0]]
    """
    cells = np.asarray(genotypes, dtype=np.int8, order="F")  # read column by column
    some = cells != NONE
    fed1 = some[:, 0]
    fed2 = some[:, 1] | (some[:, 2] & fed1)
    fed3 = some[:, 3] | (some[:, 4] & fed1) | (some[:, 5] & fed2)
    need2 = some[:, 5]
    need1 = some[:, 4] | (some[:, 2] & need2)
    always = np.ones(len(cells), dtype=np.bool_)
    node_fed = (always, fed1, fed2, fed3)
    node_needed = (always, need1, need2, always)
    fed = columns([some[:, e] & node_fed[SOURCE[e]] for e in range(6)])
    needed = columns([some[:, e] & node_needed[TARGET[e]] for e in range(6)])
    live = fed & needed
    on_zeros = needed & ~fed & (cells >= CONV_1X1)
    survives = _surviving_dead(cells, (fed1, need1, need2))
    in_degree = columns(
        [total([live[:, e] for e in INTO[j]], len(cells)) for j in range(4)]
    )
    tensors = _tensors(cells, live, in_degree)
    # What feeds a surviving convolution runs too.
    run = survives.copy()
    run[:, 0] |= survives[:, 2] & (cells[:, 0] >= CONV_1X1)
    fused = _pool_fused(cells, live, in_degree, tensors)
    return Cells(
        genotypes=cells,
        fed=fed,
        needed=needed,
        live=live,
        on_zeros=on_zeros,
        dead_but_run=run & ~live,
        input_used=fed3 | (run & fed).any(axis=1),
        in_degree=in_degree,
        tensors=tensors,
        int8_compiles=fed3 & ~on_zeros.any(axis=1) & ~survives.any(axis=1) & ~fused,
    )


def columns(parts: Sequence[npt.NDArray[_Entry]]) -> npt.NDArray[_Entry]:
    """Stacks ``(N,)`` columns to ``(N, K)``, each column contiguous."""
    return np.stack(parts, axis=0).T


def total(marks: Sequence[BoolArray], n: int) -> Small:
    """Counts, row by row, how many of some ``(n,)`` columns are True: ``(n,)``."""
    count = np.zeros(n, dtype=np.int8)
    for mark in marks:
        count += mark
    return count


def consumers(cells: Cells) -> tuple[Small, Small]:
    """Counts who reads each tensor: all readers and convolutions, ``(N, 11)`` each."""
    return _consumers(cells.genotypes, cells.live, cells.in_degree, cells.tensors)


def _surviving_dead(
    cells: Genotypes, nodes: tuple[BoolArray, BoolArray, BoolArray]
) -> BoolArray:
    """Marks the convolutions of dead nodes that are not pruned, ``(N, 6)``.

    A dead node 2 with inputs is looked at alone; it is excused when node 1 is a dead
    end with a convolution. Otherwise a dead node 1 is looked at. The order and the
    excuse were read off the data; their cause is unknown.
    """
    fed1, need1, need2 = nodes
    some, skip = cells != NONE, cells == SKIP
    conv = (cells == CONV_1X1) | (cells == CONV_3X3)
    skip_of_zero = skip[:, 2] & ~fed1
    inputs2 = total([some[:, 1], some[:, 2] & ~skip_of_zero], len(cells))
    # A skip hands on node 1 itself, when nobody else wants it.
    alias = skip[:, 2] & conv[:, 0] & ~some[:, 4]
    lone2 = (inputs2 == 1) & (conv[:, 1] | (~some[:, 1] & (conv[:, 2] | alias)))
    lone1 = conv[:, 0] & ~some[:, 2] & ~some[:, 4]
    dead2 = ~need2 & (inputs2 > 0)
    at2 = dead2 & lone2 & ~lone1
    at1 = ~dead2 & ~need1 & conv[:, 0]
    marked = np.zeros(cells.shape, dtype=np.bool_, order="F")
    marked[:, 1] = at2 & conv[:, 1]
    marked[:, 2] = at2 & ~conv[:, 1] & conv[:, 2]
    marked[:, 0] = (at2 & ~conv[:, 1] & ~conv[:, 2]) | at1
    return marked


def _tensors(cells: Genotypes, live: BoolArray, in_degree: Small) -> Small:
    """Names the tensor each node holds: a skip alone makes no new one."""
    held = np.full((len(cells), 4), NOTHING, dtype=np.int8, order="F")
    held[:, 0] = CELL_INPUT
    for node in (1, 2, 3):
        for e in INTO[node]:
            alone = live[:, e] & (in_degree[:, node] == 1)
            through = np.where(cells[:, e] == SKIP, held[:, SOURCE[e]], FIRST_EDGE + e)
            held[alone, node] = through[alone]
        held[in_degree[:, node] > 1, node] = FIRST_SUM + node
    return held


def _consumers(
    cells: Genotypes, live: BoolArray, in_degree: Small, tensors: Small
) -> tuple[Small, Small]:
    # One column more than there are tensors: NOTHING is the last.
    readers = np.zeros((len(cells), N_TENSORS + 1), dtype=np.int8, order="F")
    convs = np.zeros((len(cells), N_TENSORS + 1), dtype=np.int8, order="F")
    rows = np.arange(len(cells))
    for e in range(6):
        op, read = cells[:, e], tensors[:, SOURCE[e]]
        reads = live[:, e] & ((op >= CONV_1X1) | (in_degree[:, TARGET[e]] > 1))
        readers[rows, read] += reads
        convs[rows, read] += reads & ((op == CONV_1X1) | (op == CONV_3X3))
    return readers[:, :N_TENSORS], convs[:, :N_TENSORS]


def _pool_fused(
    cells: Genotypes, live: BoolArray, in_degree: Small, tensors: Small
) -> BoolArray:
    """Marks cells with a pool that has one reader, a convolution: ``(N,)``.

    Presumably the ReLU in front of the convolution is fused into the pool, which the
    compiler does not take. The reader may be in the next cell.
    """
    readers, convs = _consumers(cells, live, in_degree, tensors)
    hit = np.zeros(len(cells), dtype=np.bool_)
    for e in range(6):
        wraps = tensors[:, 3] == FIRST_EDGE + e
        n = readers[:, FIRST_EDGE + e] + wraps * readers[:, CELL_INPUT]
        c = convs[:, FIRST_EDGE + e] + wraps * convs[:, CELL_INPUT]
        alone = in_degree[:, TARGET[e]] == 1
        hit |= live[:, e] & (cells[:, e] == POOL) & alone & (n == 1) & (c == 1)
    return hit
