"""What an audit of a column found, in plain values and in words."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from hwnas_env.devices import Device
from hwnas_env.engines.forms import TableSpace
from hwnas_env.maths.audit import BLIND, Audit, Repeats
from hwnas_env.types import FloatArray, IntArray

INDEX, LINE, ORDER = "index", "line", "order"
"""What bands are counted by: the official index, a file's lines, or its order."""


@dataclass(frozen=True, eq=False)
class Column:
    """The N rows that were audited.

    Attributes:
        measured: ``(N,)``, NaN where there is no row and inf where it cannot run.
        fitted: ``(N,)``, NaN where there is none.
        networks: ``(N,)`` the index of each row's network.
        lines: ``(N,)`` the lines of the file that the rows are from, or None.
        order: ``(N,)`` what the file says of when they were measured, or None.
    """

    measured: FloatArray
    fitted: FloatArray
    networks: IntArray
    lines: IntArray | None = None
    order: FloatArray | None = None

    @property
    def counted_by(self) -> str:
        """What says when a row was measured: an index, a line, or an order."""
        if self.order is not None:
            return ORDER
        return INDEX if self.lines is None else LINE

    def place(self, row: int) -> int | float:
        """Returns where a row stands, in numbers of ``counted_by``."""
        if self.order is not None:
            value = float(self.order[row])
            return int(value) if value.is_integer() else value
        return int((self.networks if self.lines is None else self.lines)[row])

    def left_out(self) -> dict[str, int]:
        """Returns how many rows were not audited, by the reason."""
        finite = np.isfinite(self.measured)
        masks = {
            "not_measured": np.isnan(self.measured),
            "cannot_run": np.isinf(self.measured),
            "not_fitted": finite & ~np.isfinite(self.fitted),
        }
        return {reason: int(np.count_nonzero(mask)) for reason, mask in masks.items()}


@dataclass(frozen=True, eq=False)
class Audited:
    """An audit, and what was audited.

    Attributes:
        space: the search space.
        device: the device whose built-in column it was compared with.
        dataset: one of the space's.
        metric: the column's.
        rows: what the rows are: "imported", or a file's name.
        column: the numbers.
        audit: what was found.
    """

    space: TableSpace
    device: Device
    dataset: str
    metric: str
    rows: str
    column: Column
    audit: Audit

    def values(self) -> dict[str, Any]:
        """Returns the findings as plain values, JSON-able; shares in percent.

        The suspect rows of a file are among them, those of an imported column are not.
        """
        found, held = self.audit, len(self.audit.sequence)
        levels = [band.level for band in found.bands]
        values: dict[str, Any] = {
            "space": self.space.name,
            "dataset": self.dataset,
            "device": self.device.name,
            "metric": self.metric,
            "rows": self.rows,
            "n": held,
            "left_out": self.column.left_out(),
            "noise_percent": _percent(found.noise),
            "window": found.window,
            "band_threshold_percent": _percent(found.band_threshold),
            "outlier_threshold_percent": _percent(found.outlier_threshold),
            "smallest_band_percent": _percent(found.smallest_band)
            if found.smallest_band < 1.0
            else None,
            "smallest_band_rows": found.band_rows,
            "smallest_outlier_percent": _percent(found.outlier_threshold),
            "warning": blindness(found),
            "suspect_percent": _percent(np.count_nonzero(found.suspect) / held),
            "shifted_percent": _percent(np.count_nonzero(found.shifted) / held),
            "outlier_percent": _percent(np.count_nonzero(found.outlier) / held),
            "levels_percent": [_percent(f(levels) - 1.0) for f in (min, max)]
            if levels
            else None,
            "repeats": None if found.repeats is None else _repeats(found.repeats),
            "counted_by": self.column.counted_by,
            "bands": self._bands(),
        }
        if self.column.lines is not None:
            values["suspect_rows"] = self.suspects()
        return values

    def _bands(self) -> list[dict[str, Any]]:
        return [
            {
                "first": self.column.place(band.first),
                "last": self.column.place(band.last),
                "rows": band.rows,
                "shifted": band.shifted,
                "level_percent": _percent(band.level - 1.0),
                "extreme_percent": _percent(band.extreme - 1.0),
            }
            for band in self.audit.bands
        ]

    @property
    def titles(self) -> tuple[str, ...]:
        """The keys of :meth:`suspects`."""
        column = self.column
        where = (INDEX,) if column.lines is None else (LINE,)
        when = () if column.order is None else (ORDER,)
        return (*where, *when, "architecture", "measured", "fitted", "ratio", "why")

    def suspects(self) -> list[dict[str, Any]]:
        """Returns the suspect rows in the order of the table.

        By ``titles``: where a row stands, its architecture, what was measured, what
        the fit says at the usual ratio, the one over the other, and whether it is in a
        band, an outlier, or both.
        """
        rows = np.flatnonzero(self.audit.suspect)
        genotypes = self.space.from_index(self.column.networks[rows])
        return [
            dict(zip(self.titles, self._suspect(row, genotype), strict=True))
            for row, genotype in zip(rows.tolist(), genotypes, strict=True)
        ]

    def _suspect(self, row: int, genotype: Any) -> list[Any]:
        column, found = self.column, self.audit
        line = (column.networks if column.lines is None else column.lines)[row]
        why = {"band": found.shifted[row], "outlier": found.outlier[row]}
        return [
            int(line),
            *(() if column.order is None else (column.place(row),)),
            self.space.decode(genotype),
            float(column.measured[row]),
            _short(column.fitted[row] * found.usual),
            _short(found.ratio[row]),
            " and ".join(word for word, holds in why.items() if holds),
        ]


def blindness(found: Audit) -> str | None:
    """Says what an audit could not have seen, where that is much; or None."""
    band, row, n = found.smallest_band, found.outlier_threshold, len(found.sequence)
    if max(band, row) <= BLIND:
        return None
    noise = f"noise of {_words(found.noise)}"
    single = f"where it is off by more than {_words(row)}"
    if row >= 1.0:
        single += "; none can be flagged for being too small"
    if band <= BLIND:
        return (
            f"single rows differ much from the fit ({noise}): one is flagged {single}"
        )
    level = (
        f"a band is flagged where {found.band_rows} rows are off by about "
        f"{_words(band)} or more"
        if band < 1.0
        else "hardly any band can be flagged"
    )
    return (
        f"the fit does not follow these {n:,} rows closely ({noise}), so that little "
        f"can be found: {level}, a single row {single}. Rows that are not suspect may "
        "be wrong by less. A device that is more alike shows more, and so do more rows"
    )


def _repeats(repeats: Repeats) -> Mapping[str, Any]:
    return {
        "groups": repeats.groups,
        "rows": repeats.rows,
        "spread_percent": _percent(repeats.spread) if repeats.groups else None,
        "outliers_with_twin": repeats.twins,
        "twin_agrees": repeats.shared,
    }


def _percent(share: float) -> float:
    return round(100.0 * share, 3)


def _words(share: float) -> str:
    return f"{100.0 * share:.1f} %"


def _short(value: float) -> float:
    """Returns a number to six digits."""
    return float(f"{value:.6g}")
