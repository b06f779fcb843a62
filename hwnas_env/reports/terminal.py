"""What the command line prints through: tables, JSON, progress."""

import json
from typing import Any

import typer
from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table


def progress_bars() -> Progress:
    """Shows how far runs are and when they may end, on standard error."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left:"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        speed_estimate_period=600.0,
        transient=True,
    )


def console() -> Console:
    """Prints to the terminal's width, and to 120 columns where there is none."""
    found = Console(highlight=False)
    return found if found.is_terminal else Console(highlight=False, width=120)


def show(values: Any, *, as_json: bool, table: Any) -> None:
    """Prints plain values as JSON, or laid out.

    Args:
        values: what is shown.
        as_json: whether JSON is asked for.
        table: lays the values out for :mod:`rich`.
    """
    if as_json:
        typer.echo(json.dumps(values, indent=1, ensure_ascii=False))
    else:
        lay_out(table(values))


def lay_out(part: RenderableType) -> None:
    """Prints text and tables; lines break at blanks only, and no word is cut.

    A name that is longer than a line, or a table whose words are, runs on beyond the
    terminal's width, so that it can be copied.

    Args:
        part: a text, a table, or a group of parts.
    """
    if isinstance(part, Group):
        for inner in part.renderables:
            lay_out(inner)
        return
    if isinstance(part, Table):
        for column in part.columns:
            cells = [str(cell) for cell in (column.header, *column.cells)]
            words = cells if column.no_wrap else " ".join(cells).split()
            column.min_width = max(map(cell_len, words), default=0)
    console().print(part, overflow="ignore", crop=False)
