"""Links, the non-decreasing functions behind sums, and their inverse on floats."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from hwnas_env.maths.elementary import exp
from hwnas_env.types import BoolArray, FloatArray, IntArray


@dataclass(frozen=True)
class Linear:
    """Maps a sum x to ``max(x, floor) * scale / unit``; non-decreasing.

    Attributes:
        floor: smallest sum that counts.
        scale: factor, positive.
        unit: divisor, positive; apart from the factor so that counts divide exactly.
    """

    floor: float = -math.inf
    scale: float = 1.0
    unit: float = 1.0

    def __call__(self, x: FloatArray) -> FloatArray:
        """Maps sums of any shape."""
        return np.maximum(x, self.floor) * self.scale / self.unit


@dataclass(frozen=True)
class Saturating:
    """Maps a score x to ``ceiling - span * exp(-x)``; strictly increasing.

    Attributes:
        ceiling: what no score reaches.
        span: distance from the ceiling at score 0, positive.
    """

    ceiling: float
    span: float

    def __call__(self, x: FloatArray) -> FloatArray:
        """Maps scores of any shape."""
        return self.ceiling - self.span * exp(-x)


@dataclass(frozen=True)
class Logistic:
    """Maps a score x to ``ceiling / (1 + exp(-x))``; strictly increasing.

    Attributes:
        ceiling: what no score reaches, positive.
    """

    ceiling: float

    def __call__(self, x: FloatArray) -> FloatArray:
        """Maps scores of any shape."""
        return self.ceiling / (1.0 + exp(-x))


@dataclass(frozen=True)
class Inverse:
    """Maps a sum x to ``factor / link(-x)``: what is better where the link is worse.

    Attributes:
        link: of the quantity whose sums are -x; positive for every sum there is.
        factor: positive.
    """

    link: "Link"
    factor: float

    def __call__(self, x: FloatArray) -> FloatArray:
        """Maps sums of any shape."""
        return self.factor / np.maximum(self.link(-x), _TINY)


_TINY = 1e-280
"""Less than any quantity, so that no quotient is infinite or negative."""

Link: TypeAlias = Callable[[FloatArray], FloatArray]
"""Any non-decreasing function of an array, element by element; it can be pickled."""


def number_of(link: Link, total: float) -> float:
    """Applies a link to one number; the same bits as in an array."""
    if isinstance(link, Linear):
        return (total if total > link.floor else link.floor) * link.scale / link.unit
    return float(link(np.array([total]))[0])


_BEYOND = 2.0**52 + 16
"""More multiples of a grid than there are in any sum on it."""
_BESIDE = np.arange(-4.0, 5.0)


def last_multiples(link: Link, grid: float, bounds: FloatArray) -> FloatArray:
    """Returns the largest multiples x of a grid with ``link(x) <= bound`` a bound.

    Args:
        link: non-decreasing.
        grid: a power of two, of which sums are at most 2^52 multiples.
        bounds: ``(B,)``.

    Returns:
        ``(B,)`` float64; more (less) than every sum where all (none) meet the bound.
    """
    if isinstance(link, Linear) and len(bounds) == 1:
        found = _last_multiple(link, grid, bounds.item(0))
        if found is not None:
            return np.array([found])
    elif isinstance(link, Linear):
        with np.errstate(over="ignore"):
            near = np.floor(bounds * link.unit / link.scale / grid)
        near = np.minimum(np.maximum(near, -_BEYOND), _BEYOND)
        # four roundings, of half a grid at most, lie between this and the answer
        tried = near[:, None] + _BESIDE
        met = np.count_nonzero(link(tried * grid) <= bounds[:, None], axis=1)
        above, below = near == _BEYOND, near == -_BEYOND
        if (((met > 0) | below) & ((met < len(_BESIDE)) | above)).all():
            return np.asarray((near + _BESIDE[0] - 1 + met) * grid)
    beyond = _BEYOND * grid
    last = np.clip(largest_arguments(link, bounds), -beyond, beyond)
    return np.asarray(np.floor(last / grid) * grid)


def _last_multiple(link: Linear, grid: float, bound: float) -> float | None:
    """Does the same in Python's numbers; None where the answer is not near."""
    near = bound * link.unit / link.scale / grid
    near = math.floor(min(max(near, -_BEYOND), _BEYOND))
    tried = range(near - 4, near + 5)
    met = sum(number_of(link, multiple * grid) <= bound for multiple in tried)
    if (met or near == -_BEYOND) and (met < len(tried) or near == _BEYOND):
        return (near - 5 + met) * grid
    return None


def largest_arguments(link: Link, bounds: FloatArray) -> FloatArray:
    """Returns the largest x with ``link(x) <= bound`` a bound, -inf where none is."""
    limit = np.full(len(bounds), np.finfo(float).max)

    def meets(x: FloatArray) -> BoolArray:
        return np.asarray(link(x) <= bounds)

    with np.errstate(over="ignore"):
        found = _last_float(-limit, limit, meets)
        found[~meets(-limit)] = -math.inf
        found[meets(limit)] = math.inf
    return found


def _last_float(
    low: FloatArray,
    high: FloatArray,
    meets: Callable[[FloatArray], BoolArray],
) -> FloatArray:
    """Bisects elementwise for the last float that meets a condition.

    Args:
        low: floats that meet it.
        high: larger floats that do not.
        meets: the condition; once false it stays false for larger floats.
    """
    first, last = _rank(low), _rank(high)
    while (first + 1 < last).any():
        middle = (first >> 1) + (last >> 1) + (first & last & 1)
        met = meets(_float_of(middle))
        first, last = np.where(met, middle, first), np.where(met, last, middle)
    return _float_of(first)


_SIGN = np.int64(-(1 << 63))


def _rank(x: FloatArray) -> IntArray:
    """Numbers floats so that neighbours have neighbouring numbers."""
    bits = np.ascontiguousarray(x, dtype=np.float64).view(np.int64)
    return np.where(bits >= 0, bits, -(bits ^ _SIGN))


def _float_of(rank: IntArray) -> FloatArray:
    """Returns the floats of given numbers; the inverse of :func:`_rank`."""
    return np.where(rank >= 0, rank, -rank ^ _SIGN).view(np.float64)
