"""What the command line prints through: tables and JSON."""

import json
import os
import shutil
import sys
from collections.abc import Iterable
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from hwnas_env.reports.terminal.stacking import broken, fits, stacked
from hwnas_env.texts import plain, write

WIDTH, WIDEST = 120, 10_000
"""Columns of a table where there is no terminal, and at most."""

LONGEST = 10_000
"""Letters of a remark that are printed at most; it may name many files."""


class PlainConsole(Console):
    """Shows words as they are: no markup, no emoji, nothing that a terminal obeys.

    Every text in a table or a group of :mod:`rich` comes through here; what is meant to
    look otherwise is a ``Text``, see :func:`heading`.
    """

    def render_str(self, text: str, **keywords: Any) -> Text:
        """Makes words printable before they are laid out."""
        keywords.update(markup=False, emoji=False, highlight=False)
        return super().render_str(plain(text), **keywords)


def columns() -> int:
    """Returns what COLUMNS says, or how wide the terminal is; 0 where there is none."""
    said = os.environ.get("COLUMNS", "")
    if said.isdecimal() and int(said) > 0:
        return min(int(said), WIDEST)
    terminal = sys.stdout is not None and sys.stdout.isatty()
    return shutil.get_terminal_size().columns if terminal else 0


def heading(title: str, rest: str) -> Text:
    """Returns a line that begins with a title in bold."""
    return Text.assemble((plain(title), "bold"), f"  {plain(rest)}" if rest else "")


def say(*lines: str) -> None:
    """Prints lines, whatever is in them and whatever standard output can encode."""
    write("".join(f"{plain(line)}\n" for line in lines), sys.stdout)


def remark(*lines: str) -> None:
    """Prints lines on standard error, beside the results."""
    text = "".join(f"{plain(line, longest=LONGEST)}\n" for line in lines)
    write(text, sys.stderr)


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

    A table that is wider than the terminal has rows of several lines. A name that is
    longer than a line runs on, so that it can be copied; and so does a text where
    nobody says how wide a line is, as in a pipe.

    Args:
        part: a text, a table, or a group of parts.
    """
    if isinstance(part, Group):
        for inner in part.renderables:
            lay_out(inner)
        return
    width = columns()
    console = PlainConsole(width=width or WIDTH)
    parts: Iterable[RenderableType] = [part]
    if isinstance(part, Table) and not fits(part, console.width):
        parts = stacked(part, console.width)
    elif isinstance(part, (str, Text)) and width:
        text = console.render_str(part) if isinstance(part, str) else part
        parts = broken(text, width)
    for line in parts:
        console.print(line, overflow="ignore", crop=False)
