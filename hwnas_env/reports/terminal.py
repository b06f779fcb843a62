"""What the command line prints through: tables, JSON, progress."""

import json
from typing import Any

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)


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
        console().print(table(values))
