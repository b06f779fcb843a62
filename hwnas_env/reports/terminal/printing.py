"""What the command line prints through: tables, JSON, progress."""

import json
import sys
from typing import Any

from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from hwnas_env.texts import plain, write


class PlainConsole(Console):
    """Shows words as they are: no markup, no emoji, nothing that a terminal obeys.

    Every text in a table or a group of :mod:`rich` comes through here; what is meant to
    look otherwise is a ``Text``, see :func:`heading`.
    """

    def render_str(self, text: str, **keywords: Any) -> Text:
        """Makes words printable before they are laid out."""
        keywords.update(markup=False, emoji=False, highlight=False)
        return super().render_str(plain(text), **keywords)


class _Description(TextColumn):
    """Says what a bar is of."""

    def render(self, task: Task) -> Text:
        return Text(plain(task.description))


def progress_bars() -> Progress:
    """Shows how far runs are and when they may end, on standard error."""
    return Progress(
        _Description(""),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left:"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        speed_estimate_period=600.0,
        transient=True,
    )


def console() -> PlainConsole:
    """Prints to the terminal's width, and to 120 columns where there is none."""
    found = PlainConsole()
    return found if found.is_terminal else PlainConsole(width=120)


def heading(title: str, rest: str) -> Text:
    """Returns a line that begins with a title in bold."""
    return Text.assemble((plain(title), "bold"), f"  {plain(rest)}" if rest else "")


def say(*lines: str) -> None:
    """Prints lines, whatever is in them and whatever standard output can encode."""
    write("".join(f"{plain(line)}\n" for line in lines), sys.stdout)


def show(values: Any, *, as_json: bool, table: Any) -> None:
    """Prints plain values as JSON, or laid out.

    Args:
        values: what is shown.
        as_json: whether JSON is asked for.
        table: lays the values out for :mod:`rich`.
    """
    if as_json:
        write(f"{json.dumps(values, indent=1)}\n", sys.stdout)
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
