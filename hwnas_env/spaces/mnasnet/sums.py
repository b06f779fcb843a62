"""Sums over the seven blocks from whole numbers: what a block adds, and pairs of them.

A pair is a block and the one before it: every feature of the one may add something with
every feature of the other (see :func:`~hwnas_env.spaces.mnasnet.facts.features`). And
where the block before those two is large, every feature of a block may add something.
So the state of the sums is the preceding block, and whether the one before it is large.
All quantities share it; the engine merges what one of them does not need.
"""

import functools
from collections.abc import Mapping
from typing import Any

import numpy as np

from hwnas_env.engines.additive import Additive, stateless
from hwnas_env.engines.links import Link
from hwnas_env.spaces.mnasnet.facts import FEATURES_AT, blocks_at, features
from hwnas_env.types import BoolArray, IntArray

LENGTH = len(FEATURES_AT)
CHOICES_AT = tuple(len(blocks_at(position)) for position in range(LENGTH))
CHOICES = max(CHOICES_AT)
FEATURES = tuple(map(len, FEATURES_AT))

LARGE = 6
"""Expansion times layers from which a block is large."""

MOST_STEPS = 1 << 40
"""The largest whole number: sums of dozens are exact in 64 bits, and in a float."""

STEPS = ("start_steps", "block_steps", "pair_steps", "large_steps")
"""The coefficients of a quantity, in steps of its grid; the last two may be missing."""


def build(entry: Mapping[str, Any], *, grid: float, link: Link) -> Additive:
    """Builds a quantity from whole numbers.

    Args:
        entry: ``start_steps``; ``block_steps``, seven lists with a number a choice; and
            where pairs count, ``pair_steps``, for each position but the first a matrix
            of the features before it and its own, and ``large_steps``, for each but the
            first two a number a feature, added where the block before the preceding one
            is large.
        grid: size of a step.
        link: from sums to the quantity.

    Raises:
        ValueError: lists of other lengths, or numbers that are not whole.
    """
    start = float(whole(entry["start_steps"], (), "start_steps")) * grid
    blocks = block_steps(entry["block_steps"])
    if "pair_steps" not in entry and "large_steps" not in entry:
        rows = [np.asarray(row * grid, dtype=np.float64) for row in blocks]
        return stateless(start, rows, link=link)
    steps = np.zeros((LENGTH, 2, CHOICES, CHOICES), dtype=np.int64)
    for position, own in enumerate(blocks):
        steps[position, :, :, : len(own)] = own
    for after, matrix in enumerate(_listed(entry, "pair_steps", LENGTH - 1), start=1):
        pair = products(after - 1, after, matrix)
        steps[after, :, : len(pair), : pair.shape[1]] += pair
    for after, row in enumerate(_listed(entry, "large_steps", LENGTH - 2), start=2):
        weights = whole(row, (FEATURES[after],), "large_steps")
        added = features(after) @ weights
        steps[after, 1, :, : len(added)] += added
    entries = np.asarray(steps.reshape(LENGTH, 2 * CHOICES, CHOICES, 1) * grid)
    return Additive(np.array([start]), entries, _next_state(), (link,), CHOICES_AT)


def block_steps(given: Any) -> list[IntArray]:
    """Returns what each choice of each position adds: seven ``(K_p,)``."""
    rows = _listed({"block_steps": given}, "block_steps", LENGTH)
    return [
        whole(row, (count,), "block_steps")
        for row, count in zip(rows, CHOICES_AT, strict=True)
    ]


def products(first: int, second: int, matrix: Any) -> IntArray:
    """Returns what two choices add together: ``(K_first, K_second)``.

    Args:
        first: a position.
        second: another one.
        matrix: a number for every pair of their features.
    """
    shape = FEATURES[first], FEATURES[second]
    weights = whole(matrix, shape, f"pair of {first} and {second}")
    return np.asarray(features(first) @ weights @ features(second).T)


def whole(given: Any, shape: tuple[int, ...], where: str) -> IntArray:
    """Returns whole numbers of a shape as int64.

    Raises:
        ValueError: they are something else.
    """
    array = np.array(given)
    good = array.shape == shape and array.dtype.kind == "i" and not _has_flag(given)
    if not good or array.max() > MOST_STEPS or array.min() < -MOST_STEPS:
        size = f"whole numbers of at most {MOST_STEPS:,}"
        message = f"{where}: expected {size}, in the shape {shape}"
        raise ValueError(message)
    return array.astype(np.int64)


def _has_flag(given: Any) -> bool:
    """Whether True or False, which NumPy takes as 1 or 0, is among numbers."""
    if isinstance(given, list):
        return any(map(_has_flag, given))
    return isinstance(given, bool)


def _listed(entry: Mapping[str, Any], key: str, count: int) -> list[Any]:
    """Returns a list of the entry; nothing where it has none."""
    found = entry.get(key, [])
    if not isinstance(found, list) or (key in entry and len(found) != count):
        message = f"{key}: expected {count} lists"
        raise ValueError(message)
    return found


@functools.cache
def is_large(position: int) -> BoolArray:
    """Marks the large choices of a position: ``(K_p,)``."""
    sizes = [block.expansion * block.layers for block in blocks_at(position)]
    return np.array(sizes) >= LARGE


@functools.cache
def _next_state() -> IntArray:
    """Returns the state that each choice leaves: ``(7, 2 * 48, 48)``.

    A state is the preceding choice, and 48 more where the one before it is large.
    """
    following = np.zeros((LENGTH, 2, CHOICES, CHOICES), dtype=np.int64)
    following[:] = np.arange(CHOICES)
    for position in range(1, LENGTH):
        before = is_large(position - 1)
        following[position, :, : len(before)] += CHOICES * before[:, None]
    table = following.reshape(LENGTH, 2 * CHOICES, CHOICES)
    table.setflags(write=False)
    return table
