"""Lays out what ``hwnas_env.benchmark.analysis`` finds: tables and a heat map."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Group
from rich.table import Table

from hwnas_env.arguments import check_name
from hwnas_env.benchmark.analysis import Correlations
from hwnas_env.errors import DataError
from hwnas_env.extras import load_extra
from hwnas_env.reports.terminal.printing import heading
from hwnas_env.types import AnyPath


def correlation_values(found: Correlations) -> dict[str, Any]:
    """Returns correlations as plain values."""
    return {
        "names": list(found.names),
        "networks": found.networks,
        "kendall": found.kendall.round(4).tolist(),
        "pearson": found.pearson.round(4).tolist(),
    }


def analysis_table(values: Mapping[str, Any]) -> Group:
    """Lays out rank correlations, and the best network of every device."""
    correlations = values["correlations"]
    names = correlations["names"]
    table = Table(title="Kendall's tau-b")
    table.add_column("")
    for number in range(len(names)):
        table.add_column(str(number + 1), justify="right")
    for number, name in enumerate(names):
        cells = [f"{v:.2f}" for v in correlations["kendall"][number][: number + 1]]
        table.add_row(f"{number + 1} {name}", *cells)
    return Group(
        heading(
            values["space"],
            f"{values['dataset']}, {values['source']} costs, "
            f"{correlations['networks']:,} networks",
        ),
        table,
        _best(values["best"]),
        "",
    )


def _best(rows: Sequence[Mapping[str, Any]]) -> Table:
    table = Table(title="Best network of a device: cost over each device's budget")
    table.add_column("best for")
    table.add_column("accuracy %", justify="right")
    for name in rows[0]["shares"]:
        table.add_column(name, justify="right")
    for row in rows:
        shares = ["no" if s is None else f"{s:.2f}" for s in row["shares"].values()]
        table.add_row(row["device"], f"{row['accuracy_percent']:.2f}", *shares)
    return table


ENDINGS = ("png", "svg", "pdf")
"""What figures are drawn as."""


def check_figure(path: Path) -> None:
    """Raises if :func:`heat_map` could not write a file, before anything is computed.

    Raises:
        MissingExtraError: matplotlib is not installed.
        UnknownNameError: the file's ending is no kind of picture.
        DataError: there is no folder to put it into.
    """
    load_extra("matplotlib.figure", extra="plots", purpose="a figure")
    ending = path.suffix.removeprefix(".").lower()
    check_name(ending, ENDINGS, what=f"ending of the figure {path.name}")
    if not path.parent.is_dir():
        message = f"{path}: there is no folder {path.parent}"
        raise DataError(message)


def heat_map(values: Mapping[str, Any], path: AnyPath) -> None:
    """Draws the rank correlations; the file's ending says how (png, svg, pdf).

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    drawing = load_extra("matplotlib.figure", extra="plots", purpose="a figure")
    correlations = values["correlations"]
    names, taus = correlations["names"], correlations["kendall"]
    size = 0.55 * len(names) + 2.6
    figure = drawing.Figure(figsize=(size, size - 0.6), dpi=110, layout="constrained")
    axes = figure.subplots()
    drawn = axes.imshow(taus, vmin=0.0, vmax=1.0, cmap="viridis")
    axes.set_xticks(range(len(names)), names, rotation=60, ha="right", fontsize=8)
    axes.set_yticks(range(len(names)), names, fontsize=8)
    for i, row in enumerate(taus):
        for j, tau in enumerate(row):
            dark = tau < 0.6
            axes.text(
                *(j, i, f"{tau:.2f}"),
                ha="center",
                va="center",
                fontsize=6.5,
                color="white" if dark else "black",
            )
    axes.set_title(
        f"{values['space']}, {values['dataset']}: Kendall's tau-b of "
        f"{values['source']} costs",
        fontsize=9,
    )
    figure.colorbar(drawn, shrink=0.7)
    figure.savefig(path)
