"""Tables within a width: side by side where that fits, else rows of several lines.

Nothing is cut: a number and a name stay whole, and so does a word in a sentence.
"""

import itertools
import textwrap
from collections.abc import Iterator, Sequence

from rich.cells import cell_len
from rich.table import Column, Table
from rich.text import Text

from hwnas_env.texts import plain

INDENT, GAP = 2, 2
"""Blanks before the lines that continue a row, and between columns."""


def fits(table: Table, width: int) -> bool:
    """Whether a table stands within a width; if so, its columns are given theirs.

    Columns of sentences share what room there is, so that none is much narrower.

    Args:
        table: of texts.
        width: of the terminal.
    """
    widths = [_least(column) for column in table.columns]
    whole = [max(map(cell_len, _texts(column))) for column in table.columns]
    spare = width - sum(widths) - 3 * len(widths) - 1  # of frames and blanks
    if spare < 0:
        return False
    while spare and widths != whole:
        growing = [place for place, one in enumerate(widths) if one < whole[place]]
        widths[min(growing, key=widths.__getitem__)] += 1
        spare -= 1
    for column, one in zip(table.columns, widths, strict=True):
        column.width = one
    return True


def stacked(table: Table, width: int) -> Iterator[Text]:
    """Yields a table's lines: as many a row as its columns need.

    A name that is longer than a line runs on, so that it can be copied.

    Args:
        table: of texts.
        width: of the terminal.
    """
    texts = [_texts(column) for column in table.columns]
    widths = [max(map(cell_len, each)) for each in texts]
    right = [column.justify == "right" for column in table.columns]
    decks = _decks(widths, width)

    def lines(row: Sequence[str]) -> Iterator[str]:
        for number, deck in enumerate(decks):
            indent = " " * INDENT if number else ""
            line = _line([(row[place], widths[place], right[place]) for place in deck])
            parts = _wrapped(line, width - len(indent))
            yield from (indent + part for part in parts if part or not number)

    head, *rows = [list(lines(row)) for row in zip(*texts, strict=True)]
    used = max(map(cell_len, itertools.chain(head, *rows)), default=0)
    rule = Text("─" * min(used, width))
    if table.title:
        yield Text(plain(str(table.title)), "italic")
    yield from (Text(line, "bold") for line in head)
    yield rule
    for row, of in zip(rows, table.rows, strict=True):
        yield from map(Text, row)
        if of.end_section:
            yield rule


def broken(text: Text, width: int) -> Iterator[Text]:
    """Yields a text's lines, with its styles; they begin where the first one does.

    Args:
        text: in one line.
        width: of the terminal.
    """
    words = text.plain
    indent = len(words) - len(words.lstrip())
    place = 0
    for number, line in enumerate(_wrapped(words, width, indent=indent)):
        bare = line.strip()
        place = words.index(bare, place)
        start = 0 if number == 0 else place
        lead = Text(" " * indent if number else "")
        yield lead + text[start : place + len(bare)]
        place += len(bare)


def _least(column: Column) -> int:
    """Returns how wide a column is at least."""
    title, *cells = _texts(column)
    whole = column.no_wrap or column.justify == "right"
    words = cells if whole else " ".join(cells).split()
    words += [title] if column.no_wrap else title.split()
    return max(map(cell_len, words), default=0)


def _texts(column: Column) -> list[str]:
    """Returns a column's title and its cells, as they are printed."""
    return [plain(str(cell)) for cell in (column.header, *column.cells)]


def _decks(widths: Sequence[int], width: int) -> list[list[int]]:
    """Puts columns on lines, as many on each as it holds."""
    decks: list[list[int]] = []
    room = 0
    for column, needed in enumerate(widths):
        if decks and needed + GAP <= room:
            decks[-1].append(column)
            room -= needed + GAP
        else:
            room = width - needed - (INDENT if decks else 0)
            decks.append([column])
    return decks


def _line(cells: Sequence[tuple[str, int, bool]]) -> str:
    """Writes cells of some widths, at their left or at their right."""
    words = []
    for text, width, right in cells:
        blank = " " * (width - cell_len(text))
        words.append(blank + text if right else text + blank)
    return (" " * GAP).join(words).rstrip()


def _wrapped(line: str, width: int, *, indent: int = 0) -> list[str]:
    """Breaks a line at blanks only; those after the first begin with an indent."""
    if cell_len(line) <= width:
        return [line]
    found = textwrap.wrap(
        line,
        max(indent + 1, width),
        subsequent_indent=" " * indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return found or [""]
