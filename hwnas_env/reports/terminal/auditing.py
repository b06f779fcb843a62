"""Lays out what an audit of measured rows finds: tables and a figure."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Group
from rich.table import Table

from hwnas_env.data.files import write_file
from hwnas_env.errors import TakenNameError
from hwnas_env.extras import load_extra
from hwnas_env.metrics import METRICS
from hwnas_env.problems.audited import Audited
from hwnas_env.reports.terminal.printing import heading
from hwnas_env.types import BoolArray

MOST_PANELS = 12
"""Most columns that one figure shows, one below another."""

USUAL, SUSPECT, LEVEL = "#0072b2", "#d55e00", "#1a1c1e"
"""Colours of usual and suspect rows, and of bands."""

LEFT_OUT = {
    "not_measured": "not measured (the cell is empty)",
    "cannot_run": "that cannot run (inf)",
    "not_fitted": "that the device has no cost of",
}
"""Why rows of a file are not audited, in words."""

LEAST_RANGE, WIDEST_RANGE = (0.9, 1.1), (0.5, 2.0)
"""Ratios that a panel shows at least, and at most."""


def audit_tables(values: Sequence[Mapping[str, Any]]) -> Group:
    """Lays audits out: a row each and, where there is one device, its bands."""
    first = values[0]
    name = first["space"] if first["rows"] == "imported" else first["rows"]
    where = f"{first['rows']} rows" if name == first["space"] else first["space"]
    parts: list[Any] = [heading(name, where), _summary(values)]
    if len({(row["device"], row["rows"]) for row in values}) == 1:
        parts += [_bands(row) for row in values if row["bands"]]
    return Group(
        *parts,
        *_remarks(values),
        "suspect: in a band, or an outlier; shares are of the n rows that are there",
        "least: by how much a band, as long as the running median's window, and a "
        "single row have to be off to be flagged",
        "noise: standard deviation of one row; levels: running median of measured over "
        "fitted in each band, less 100 %",
        "repeats: typical difference of two rows of isomorphic networks; twin agrees: "
        "outliers whose isomorphic networks deviate alike, of those that have some",
    )


def _remarks(values: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yields sentences on what was left out, and on what could not be seen."""
    for row in values:
        name = f"{row['device']}, {row['dataset']}, {row['metric']}"
        left = {reason: count for reason, count in row["left_out"].items() if count}
        if left and row["rows"] != "imported":
            total = sum(left.values())
            reasons = ", ".join(f"{left[key]} {LEFT_OUT[key]}" for key in left)
            whole = row["n"] + total
            yield f"{total} of the file's {whole:,} rows are left out: {reasons}"
        if row["warning"] is not None:
            yield f"{name}: {row['warning']}"
    if len(values) == 1 and values[0]["suspect_percent"] > 0:
        yield "--out FILE.csv writes which rows are suspect"


def check_new_file(path: Path) -> None:
    """Raises if there is a file already; it may hold measurements.

    Raises:
        TakenNameError: there is one.
    """
    if path.exists():
        message = f"{path}: there is a file already; name one that is new"
        raise TakenNameError(message)


def write_suspects(found: Audited, path: Path) -> int:
    """Writes the suspect rows of one column as a csv file, and returns how many.

    Raises:
        TakenNameError: there is a file already.
        DataError: it cannot be written.
    """
    check_new_file(path)
    rows, text = found.suspects(), io.StringIO()
    writer = csv.DictWriter(text, found.titles, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_file(path, text.getvalue().encode(), what="list of suspect rows")
    return len(rows)


def _summary(values: Sequence[Mapping[str, Any]]) -> Table:
    table = Table()
    words = ("dataset", "device", "metric")
    numbers = ("n", "noise %", "suspect %", "in bands %", "bands", "levels %")
    more = ("outliers %", "least band %", "least row %", "repeats %", "twin agrees")
    for title in (*words, *numbers, *more):
        justify: Any = "left" if title in words else "right"
        table.add_column(title, justify=justify, no_wrap=title in words)
    for row in values:
        repeats, levels = row["repeats"], row["levels_percent"]
        spread = None if repeats is None else repeats["spread_percent"]
        table.add_row(
            *(row[word] for word in words),
            f"{row['n']:,}",
            f"{row['noise_percent']:.1f}",
            f"{row['suspect_percent']:.1f}",
            f"{row['shifted_percent']:.1f}",
            str(len(row["bands"])),
            "" if levels is None else _span(*levels),
            f"{row['outlier_percent']:.1f}",
            _smallest(row),
            f"{row['smallest_outlier_percent']:.1f}",
            "" if spread is None else f"{spread:.1f}",
            ""
            if repeats is None
            else f"{repeats['twin_agrees']} of {repeats['outliers_with_twin']}",
        )
    return table


def _smallest(row: Mapping[str, Any]) -> str:
    level = row["smallest_band_percent"]
    return "none" if level is None else f"{level:.1f}"


def _span(low: float, high: float) -> str:
    words = list(dict.fromkeys(f"{level:+.0f}" for level in (low, high)))
    return " to ".join(words)


def _bands(row: Mapping[str, Any]) -> Group:
    table = Table()
    ends = (f"first {row['counted_by']}", f"last {row['counted_by']}")
    for title in (*ends, "rows", "of these off", "level %", "furthest %"):
        table.add_column(title, justify="right")
    for band in row["bands"]:
        table.add_row(
            str(band["first"]),
            str(band["last"]),
            str(band["rows"]),
            str(band["shifted"]),
            f"{band['level_percent']:+.1f}",
            f"{band['extreme_percent']:+.1f}",
        )
    where = f"{row['metric']} in {row['space']}, {row['dataset']}"
    return Group(
        heading(
            f"bands of {row['device']}",
            f"{where}: running median over {row['window']} rows, off by more than "
            f"{row['band_threshold_percent']:.1f} %",
        ),
        table,
    )


def audit_figure(audits: Sequence[Audited], path: Path) -> None:
    """Draws measured over fitted in the measuring order, a panel an audit.

    Args:
        audits: at most ``MOST_PANELS``.
        path: the file; its ending says how (png, svg, pdf).

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    drawing = load_extra("matplotlib.figure", extra="plots", purpose="a figure")
    figure = drawing.Figure(
        figsize=(10.0, 2.5 * len(audits) + 0.5), dpi=110, layout="constrained"
    )
    panels = figure.subplots(len(audits), squeeze=False)[:, 0]
    for axes, found in zip(panels, audits, strict=True):
        _panel(axes, found)
    panels[-1].set_xlabel("row, in the order of measuring")
    keys = [axes.get_legend_handles_labels() for axes in panels]
    handles, labels = max(keys, key=lambda key: len(key[1]))
    figure.legend(
        handles,
        labels,
        loc="outside lower center",
        ncols=3,
        frameon=False,
        fontsize=9,
        markerscale=4,
    )
    figure.savefig(path)


def _panel(axes: Any, found: Audited) -> None:
    from matplotlib.ticker import PercentFormatter  # optional, and only for a figure

    audit, sequence = found.audit, found.audit.sequence
    ratio, suspect = audit.ratio[sequence], audit.suspect[sequence]
    # As numbers of the table's rows where these were measured one after another.
    rising = bool((np.diff(sequence) > 0).all())
    x = sequence if rising else np.arange(len(sequence))
    low, high = np.quantile(ratio, (0.002, 0.998))
    low = max(WIDEST_RANGE[0], min(LEAST_RANGE[0], low - 0.02))
    high = min(WIDEST_RANGE[1], max(LEAST_RANGE[1], high + 0.02))
    for rows, colour, label in (
        (~suspect, USUAL, "usual rows"),
        (suspect, SUSPECT, "suspect rows"),
    ):
        axes.plot(
            x[rows],
            np.clip(ratio[rows], low, high),
            ".",
            color=colour,
            markersize=1.6,
            alpha=0.7,
            label=label,
            rasterized=True,
        )
    place_of = dict(zip(sequence.tolist(), x.tolist(), strict=True))
    for number, band in enumerate(audit.bands):
        ends = place_of[band.first], place_of[band.last]
        key = "bands, at their levels" if number == 0 else None
        axes.axvspan(*ends, color=SUSPECT, alpha=0.12, linewidth=0)
        axes.plot(ends, (band.level,) * 2, color=LEVEL, linewidth=1.6, label=key)
    axes.axhline(1.0, color=LEVEL, linewidth=0.6, linestyle=":")
    axes.set_ylim(low, high)
    axes.set_xlim(-0.01 * x.max(), 1.01 * x.max())
    axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.set_ylabel("measured / fitted", fontsize=9)
    axes.set_title(
        f"{found.device.label}, {METRICS[found.metric].name}, {found.dataset}: "
        f"{_share(suspect)} of {len(sequence):,} rows are suspect",
        fontsize=10,
        loc="left",
    )


def _share(mask: BoolArray) -> str:
    return f"{100 * np.count_nonzero(mask) / len(mask):.1f} %"
