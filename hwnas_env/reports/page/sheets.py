"""Tables of words: one content, written as HTML, CSV and LaTeX."""

import csv
import html
import io
from collections.abc import Mapping
from dataclasses import dataclass, field

from hwnas_env.texts import no_formula, plain

_LATEX = {
    "\\": r"\textbackslash{}",
    **{character: f"\\{character}" for character in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "≤": r"$\le$",
    "≥": r"$\ge$",
    "\u00d7": r"$\times$",
    "\u2212": r"$-$",
    "½": r"$\frac{1}{2}$",
}


@dataclass(frozen=True)
class Sheet:
    """A table whose cells are words already.

    Attributes:
        name: of its files.
        caption: what it shows.
        columns: titles.
        rows: as many cells each as there are titles.
        words: how many columns at the left hold words; the others hold numbers.
        best: rows that are set apart.
        agents: of each row, where rows are agents.
        links: by row, an anchor of the page that its first cell leads to.
        shades: by row and column, how strongly a page colours a cell: -1 to 1.
        hints: by row and column, what a page says where the cell is pointed at.
    """

    name: str
    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: int = 1
    best: frozenset[int] = frozenset()
    agents: tuple[str, ...] = ()
    links: Mapping[int, str] = field(default_factory=dict)
    shades: Mapping[tuple[int, int], float] = field(default_factory=dict)
    hints: Mapping[tuple[int, int], str] = field(default_factory=dict)


def as_words(text: str) -> str:
    """Writes a text of anyone's for HTML."""
    return html.escape(plain(text))


def as_html(sheet: Sheet, *, places: Mapping[str, int]) -> str:
    """Writes a table in a box of its own that scrolls sideways.

    Args:
        sheet: the table.
        places: of the agents, by which a page's script knows their rows.
    """
    head = "".join(
        f'<th scope="col"{_align(sheet, place)}>{as_words(title)}</th>'
        for place, title in enumerate(sheet.columns)
    )
    body = "\n".join(
        _html_row(sheet, number, places) for number in range(len(sheet.rows))
    )
    caption = as_words(sheet.caption)
    kind = "table heat" if sheet.shades else "table"
    return (
        f'<figure class="sheet" id="{as_words(sheet.name)}-table">'
        f"<figcaption>{caption}</figcaption>\n"
        f'<div class="{kind}" role="region" aria-label="{caption}" tabindex="0"><table>'
        f"\n<thead><tr>{head}</tr></thead>\n<tbody>{body}</tbody></table></div>"
        "</figure>\n"
    )


def _html_row(sheet: Sheet, number: int, places: Mapping[str, int]) -> str:
    marks = ' class="best"' if number in sheet.best else ""
    if sheet.agents:
        marks += f' data-agent="{places[sheet.agents[number]]}"'
    cells = []
    for place, cell in enumerate(sheet.rows[number]):
        words, where = as_words(cell), (number, place)
        if not place:
            link = sheet.links.get(number)
            words = f'<a href="#{as_words(link)}">{words}</a>' if link else words
            cells.append(f'<th scope="row">{words}</th>')
            continue
        said = _align(sheet, place)
        if where in sheet.hints:
            said += f' title="{as_words(sheet.hints[where])}"'
        if where in sheet.shades:
            shade = max(-1.0, min(sheet.shades[where], 1.0))
            side = "low" if shade < 0 else "high"
            said += f' style="--shade:var(--{side});--part:{abs(shade):.0%}"'
        cells.append(f"<td{said}>{words}</td>")
    return f"<tr{marks}>{''.join(cells)}</tr>"


def as_csv(sheet: Sheet) -> str:
    """Writes a table as comma-separated values, titles first.

    A spreadsheet takes words that begin like a formula for one, and runs it: an
    apostrophe before them says that they are words. Numbers stay as they are.
    """
    rows = [
        [no_formula(cell) if place < sheet.words else cell for place, cell in row]
        for row in map(enumerate, sheet.rows)
    ]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerows([[no_formula(title) for title in sheet.columns], *rows])
    return out.getvalue()


def as_latex(sheet: Sheet) -> str:
    """Writes a table for LaTeX's booktabs."""
    form = "l" * sheet.words + "r" * (len(sheet.columns) - sheet.words)
    head, *lines = map(_latex_row, (sheet.columns, *sheet.rows))
    return "\n".join(
        [
            "% needs \\usepackage{booktabs}",
            r"\begin{table}",
            rf"\caption{{{latex_escape(sheet.caption)}}}",
            rf"\begin{{tabular}}{{{form}}}",
            r"\toprule",
            head,
            r"\midrule",
            *lines,
            r"\bottomrule",
            r"\end{tabular}",
            r"\end{table}",
            "",
        ]
    )


def latex_escape(text: str) -> str:
    r"""Writes words so that LaTeX prints them.

    Example:
        >>> print(latex_escape("50 % of a_b"))
        50 \% of a\_b
    """
    return "".join(_LATEX.get(character, character) for character in plain(text))


def _latex_row(cells: tuple[str, ...]) -> str:
    words = " & ".join(map(latex_escape, cells))
    guard = "{}" if words[:1] in ("[", "*") else ""  # no argument of the row before
    return rf"{guard}{words} \\"


def _align(sheet: Sheet, place: int) -> str:
    return "" if place < sheet.words else ' class="number"'
