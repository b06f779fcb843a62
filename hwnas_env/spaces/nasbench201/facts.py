"""The NAS-Bench-201 cell: six edges, five operations, 15,625 networks.

A cell has four nodes; node ``j`` is the sum of its incoming edges. The network stacks
five cells at 16, 32 and 64 channels, a residual block of stride 2 between the stages.

References:
    Dong and Yang, NAS-Bench-201: Extending the Scope of Reproducible Neural
    Architecture Search, ICLR 2020.
"""

import functools
import itertools
import random
from collections.abc import Sequence

import numpy as np

from hwnas_env.types import Genotypes, IntArray

OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
EDGES = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))
"""The edges ``(from, to)`` in the order of a genotype's positions."""

CELLS_PER_STAGE = 5
CHANNELS = (16, 32, 64)
CLASSES = {"cifar10": 10, "cifar100": 100, "ImageNet16-120": 120}
RESOLUTION = {"cifar10": 32, "cifar100": 32, "ImageNet16-120": 16}


@functools.cache
def official_numbers() -> IntArray:
    """Returns the lexicographic number of each official index: ``(15625,)``, read-only.

    Upstream shuffled the lexicographic list with Python's generator and seed 88; the
    same shuffle here gives the same order.
    """
    order = list(range(len(OPERATIONS) ** len(EDGES)))
    random.Random(88).shuffle(order)
    numbers = np.array(order, dtype=np.int64)
    numbers.setflags(write=False)
    return numbers


@functools.cache
def official_genotypes() -> Genotypes:
    """Returns all genotypes ``(15625, 6)`` int8 in the official order, read-only."""
    digits = np.unravel_index(official_numbers(), (len(OPERATIONS),) * len(EDGES))
    table = np.stack(digits, axis=1).astype(np.int8)
    table.setflags(write=False)
    return table


@functools.cache
def isomorphism_classes() -> IntArray:
    """Returns the class of each lexicographic number: ``(15625,)`` int64, read-only."""
    numbers: dict[str, int] = {}
    cells = list(itertools.product(range(len(OPERATIONS)), repeat=len(EDGES)))
    classes = np.empty(len(cells), dtype=np.int64)
    for row, cell in enumerate(cells):
        classes[row] = numbers.setdefault(_expression(cell), len(numbers))
    classes.setflags(write=False)
    return classes


def _expression(cell: Sequence[int]) -> str:
    """Writes the cell's output as upstream does, on which the classes depend."""
    nodes = ["0"]
    for node in (1, 2, 3):
        terms = []
        for choice, (source, target) in zip(cell, EDGES, strict=True):
            if target != node:
                continue
            if choice == 0 or nodes[source] == "#":
                terms.append("#")
            elif choice == 1:
                terms.append(nodes[source])
            else:
                terms.append(f"({nodes[source]})@{OPERATIONS[choice]}")
        nodes.append("+".join(sorted(terms)))
    return nodes[3]
