"""An audit of measured rows against a fit: bands, outliers and repeats.

A table of measurements carries its session: a device that was cool, busy or throttled
for a while shifts whole stretches of rows. Over rows in the order they were measured in
the ratio of measured and fitted shows it, even where the fit itself is rough, as long
as that order has nothing to do with the architectures.

1. The *ratio* is measured over fitted, divided by its median, so that 1 is usual.
2. The *noise* is the ratio's standard deviation from one row to the next, from the
   median of the differences of neighbours, which neither bands nor a few wild rows move
   much.
3. The *level* is the running median of the ratio. Its window is the shortest that
   would know the level of noise to a fifth of :data:`LEAST`, so that it follows short
   bands on a quiet device and still averages enough on a loud one.
4. A row is *shifted* where the level differs from 1 by more than the threshold of
   bands, and an *outlier* where its ratio differs from the level by more than that of
   outliers. A row that is either is *suspect*.

Both thresholds are the larger of :data:`LEAST` and five standard deviations, of the
level and of one row. Five, because normal noise passes them in less than one of a
million rows; what passes them is no noise of the usual kind.

What is off by less than that cannot be told from noise: :attr:`Audit.smallest_band` and
``outlier_threshold`` say what would have been flagged. Where these are large, that
nothing is suspect says little.

Whatever decides a mask is computed by sorting, adding, multiplying and dividing.
"""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hwnas_env.errors import InvalidArgumentError, shown
from hwnas_env.types import BoolArray, FloatArray, IntArray

LEAST = 0.05
"""The smallest relative deviation that is flagged: the fits themselves are wrong by one
to three percent, and what is below five changes few decisions."""

SIGMAS = 5.0
"""How many standard deviations a threshold is from what is usual, at least."""

SHORTEST, LONGEST = 5, 201
"""Bounds of the running median's window, in rows; fewer than half of a window may be
outliers."""

GAP = 50
"""Shifted stretches with fewer rows than this between them are reported as one band;
it decides what is said of them, and no mask."""

BLIND = 0.15
"""The relative deviation that an audit should see: where a band or a row has to be off
by more to be flagged, people are told so."""

FEWEST = 20
"""How many rows have to be there, at least."""

_NOISE = 1.4826 / math.sqrt(2.0)
"""Normal noise's standard deviation over the median difference of two draws."""

_MEDIAN = math.sqrt(math.pi / 2.0)
"""Standard error of a median over that of a mean, of normal noise."""


@dataclass(frozen=True)
class Band:
    """A stretch of the measuring order in which rows deviate together.

    Attributes:
        first: the row that was measured first in it.
        last: the row that was measured last in it.
        rows: how many rows from the first to the last.
        shifted: how many of them are shifted; there are others between them where the
            device went to and fro.
        level: median of the levels of the shifted rows.
        extreme: the level that is furthest from 1.
    """

    first: int
    last: int
    rows: int
    shifted: int
    level: float
    extreme: float


@dataclass(frozen=True)
class Repeats:
    """What rows that measure the same thing say of each other.

    Attributes:
        groups: how many groups have more than one row.
        rows: how many rows are in these.
        spread: relative difference of two rows of a group, the median over pairs of
            rows that follow each other; NaN without a pair.
        twins: how many outliers have another row in their group that is not shifted.
        shared: of how many of these the others' median is an outlier on the same side:
            there the fit is the more likely culprit.
    """

    groups: int
    rows: int
    spread: float
    twins: int
    shared: int


@dataclass(frozen=True, eq=False)
class Audit:
    """What an audit found; its arrays are in the order of the table, read-only.

    Attributes:
        ratio: ``(N,)`` measured over fitted, 1 is usual; NaN where there is no row.
        level: ``(N,)`` the running median in the measuring order, NaN likewise.
        shifted: ``(N,)`` bool.
        outlier: ``(N,)`` bool.
        suspect: ``(N,)`` bool, shifted or outlier.
        sequence: ``(n,)`` the rows that are there, in the measuring order.
        bands: in the measuring order.
        repeats: None where no groups were given.
        usual: the median of measured over fitted, which the ratio is divided by.
        noise: standard deviation of the ratio from one row to the next.
        window: rows of the running median.
        band_threshold: by how much a level has to differ from 1, at least.
        outlier_threshold: by how much a ratio has to differ from the level, relative.
    """

    ratio: FloatArray
    level: FloatArray
    shifted: BoolArray
    outlier: BoolArray
    suspect: BoolArray
    sequence: IntArray
    bands: tuple[Band, ...]
    repeats: Repeats | None
    usual: float
    noise: float
    window: int
    band_threshold: float
    outlier_threshold: float

    @property
    def band_rows(self) -> int:
        """Rows of the band that is seen best: a whole window, at most half of all."""
        return min(self.window, len(self.sequence) // 2)

    @property
    def smallest_band(self) -> float:
        """By how much ``band_rows`` rows have to be off together to be flagged.

        More than ``band_threshold``, since a band pulls what is usual along, and one
        that is shorter than the window fills a part of it only; inf where none can be
        seen. The estimate is of normal noise; a band of half as many rows has to be off
        by twice as much. Where it is above 1, hardly any band is seen.
        """
        share = self.band_rows / len(self.sequence)
        gain = self.band_rows / self.window - share
        if gain <= 0:
            return math.inf
        off = self.band_threshold / gain
        if self.band_rows < self.window:
            return off
        pulled = _MEDIAN * self.noise * share / (1.0 - share)
        return min(off, self.band_threshold + pulled)


def audit(
    measured: npt.ArrayLike,
    fitted: npt.ArrayLike,
    *,
    order: npt.ArrayLike | None = None,
    groups: npt.ArrayLike | None = None,
) -> Audit:
    """Compares measured rows with a fit in the order in which they were measured.

    Args:
        measured: ``(N,)`` numbers of at least 0; NaN and inf where there is no row.
        fitted: ``(N,)`` numbers above 0, in any unit; NaN and inf where there is none.
        order: ``(N,)`` numbers that rise with the time of measuring; equal ones, and
            all by default, as they stand in the table.
        groups: ``(N,)`` whole numbers, equal where two rows measure the same thing.

    Returns:
        The audit. Its cost is O(N W log W) for a window of W rows.

    Raises:
        InvalidArgumentError: a wrong shape, type or number, or fewer than 20 rows.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> measured = rng.normal(10.0, 0.1, 1000)
        >>> measured[300:400] *= 0.8
        >>> found = audit(measured, np.full(1000, 2.5))
        >>> [(band.first, band.last, round(band.level, 2)) for band in found.bands]
        [(300, 399, 0.8)]
    """
    values, fit = _column(measured, "measured"), _column(fitted, "fitted")
    _same_length(fit, values, "fitted")
    held = np.isfinite(values) & np.isfinite(fit)
    _refuse(held & (values < 0), values, "measured: expected numbers of at least 0")
    _refuse(held & (fit <= 0), fit, "fitted: expected numbers above 0")
    if np.count_nonzero(held) < FEWEST:
        message = (
            f"measured: expected at least {FEWEST} rows that both are finite in, got "
            f"{np.count_nonzero(held)} of {len(values)}"
        )
        raise InvalidArgumentError(message)
    sequence = np.flatnonzero(held)
    if order is not None:
        times = _column(order, "order")
        _same_length(times, values, "order")
        _refuse(held & ~np.isfinite(times), times, "order: expected finite numbers")
        sequence = sequence[np.argsort(times[sequence], kind="stable")]
    ratio = values[sequence] / fit[sequence]
    usual = float(np.median(ratio))
    if not usual > 0:
        message = "measured: expected most rows above 0, got a median of 0"
        raise InvalidArgumentError(message)
    ratio = ratio / usual
    noise = _NOISE * float(np.median(np.abs(np.diff(ratio))))
    window = _window(noise, len(ratio))
    level = _running_median(ratio, window)
    band = max(LEAST, SIGMAS * _MEDIAN * noise / math.sqrt(window))
    wild = max(LEAST, SIGMAS * noise)
    shifted = np.abs(level - 1.0) > band
    outlier = np.abs(ratio - level) > wild * level
    return Audit(
        ratio=_spread_out(ratio, sequence, held),
        level=_spread_out(level, sequence, held),
        shifted=_spread_mask(shifted, sequence, held),
        outlier=_spread_mask(outlier, sequence, held),
        suspect=_spread_mask(shifted | outlier, sequence, held),
        sequence=_frozen(sequence),
        bands=_bands(sequence, level, shifted),
        repeats=None
        if groups is None
        else _repeats(
            _groups(groups, values)[sequence], ratio, level, shifted, outlier, wild
        ),
        usual=usual,
        noise=noise,
        window=window,
        band_threshold=band,
        outlier_threshold=wild,
    )


def _window(noise: float, rows: int) -> int:
    """Returns how many rows a running median needs: an odd number."""
    needed = SIGMAS * _MEDIAN * noise / LEAST
    most = min(LONGEST, rows - 1 + rows % 2)
    if needed * needed >= most:
        return most
    return max(SHORTEST, math.ceil(needed * needed) | 1)


def _running_median(values: FloatArray, window: int) -> FloatArray:
    """Returns the median around each value; at the ends, of the last whole window."""
    views = np.lib.stride_tricks.sliding_window_view(values, window)
    half = window // 2
    inner = np.sort(views, axis=1)[:, half]
    return np.pad(inner, half, mode="edge")


def _bands(
    sequence: IntArray, level: FloatArray, shifted: BoolArray
) -> tuple[Band, ...]:
    """Joins shifted rows of one side, where few rows lie between them, to bands."""
    places = np.flatnonzero(shifted)
    if not len(places):
        return ()
    below = level[places] < 1.0
    new = (np.diff(places) > GAP) | (below[1:] != below[:-1])
    return tuple(
        Band(
            first=int(sequence[part[0]]),
            last=int(sequence[part[-1]]),
            rows=int(part[-1] - part[0]) + 1,
            shifted=len(part),
            level=float(np.median(level[part])),
            extreme=float(level[part[np.argmax(np.abs(level[part] - 1.0))]]),
        )
        for part in np.split(places, np.flatnonzero(new) + 1)
    )


def _repeats(
    groups: IntArray,
    ratio: FloatArray,
    level: FloatArray,
    shifted: BoolArray,
    outlier: BoolArray,
    wild: float,
) -> Repeats:
    """Compares the rows of a group with each other, all in the measuring order."""
    _, inverse, counts = np.unique(groups, return_inverse=True, return_counts=True)
    ordered = np.argsort(inverse, kind="stable")
    pair = inverse[ordered][1:] == inverse[ordered][:-1]
    one, other = ratio[ordered][:-1][pair], ratio[ordered][1:][pair]
    some = one + other > 0
    apart = 2.0 * np.abs(one - other)[some] / (one + other)[some]
    local = ratio / level
    members: dict[int, list[int]] = defaultdict(list)
    for place in np.flatnonzero(~shifted).tolist():
        members[int(inverse[place])].append(place)
    twins = shared = 0
    for place in np.flatnonzero(outlier).tolist():
        others = [p for p in members[int(inverse[place])] if p != place]
        if others:
            twins += 1
            usual = float(np.median(local[others])) - 1.0
            same_side = (usual > 0) == bool(local[place] > 1.0)
            shared += abs(usual) > wild and same_side
    return Repeats(
        groups=int(np.count_nonzero(counts > 1)),
        rows=int(counts[counts > 1].sum()),
        spread=float(np.median(apart)) if len(apart) else math.nan,
        twins=twins,
        shared=shared,
    )


def _column(values: npt.ArrayLike, what: str) -> FloatArray:
    """Returns a copy of numbers ``(N,)`` as float64."""
    try:
        array = np.array(values)
    except (TypeError, ValueError, OverflowError):
        array = np.zeros((), dtype=object)
    if array.dtype.kind not in "iuf" or array.ndim != 1 or _is_masked(values):
        kind = f" of {array.dtype}" if array.ndim else ""
        message = f"{what}: expected numbers (N,), got {shown(values)}{kind}"
        raise InvalidArgumentError(message)
    return array.astype(np.float64)


def _is_masked(values: object) -> bool:
    return isinstance(values, np.ma.MaskedArray)


def _groups(groups: npt.ArrayLike, values: Sequence[float] | FloatArray) -> IntArray:
    array = np.array(groups)
    if array.dtype.kind not in "iu" or array.shape != (len(values),):
        message = (
            f"groups: expected whole numbers of shape ({len(values)},), got "
            f"{shown(groups)} of {array.dtype}"
        )
        raise InvalidArgumentError(message)
    return array.astype(np.int64)


def _same_length(array: FloatArray, values: FloatArray, what: str) -> None:
    if array.shape != values.shape:
        message = (
            f"{what}: expected {len(values)} numbers, one a measured row, got "
            f"{len(array)}"
        )
        raise InvalidArgumentError(message)


def _refuse(wrong: BoolArray, values: FloatArray, words: str) -> None:
    if wrong.any():
        row = int(np.argmax(wrong))
        message = f"{words}, got {values[row]} in row {row}"
        raise InvalidArgumentError(message)


def _spread_out(part: FloatArray, sequence: IntArray, held: BoolArray) -> FloatArray:
    """Puts values in the measuring order back to their rows, NaN elsewhere."""
    whole = np.full(held.shape, np.nan)
    whole[sequence] = part
    whole.setflags(write=False)
    return whole


def _spread_mask(part: BoolArray, sequence: IntArray, held: BoolArray) -> BoolArray:
    whole = np.zeros(held.shape, dtype=np.bool_)
    whole[sequence] = part
    whole.setflags(write=False)
    return whole


def _frozen(array: IntArray) -> IntArray:
    array.setflags(write=False)
    return array
