"""Tables of words: one content, written as HTML, CSV and LaTeX."""

import csv
import html
import io
from dataclasses import dataclass

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
    """

    name: str
    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: int = 1
    best: frozenset[int] = frozenset()


def as_html(sheet: Sheet) -> str:
    """Writes a table in a box of its own that scrolls sideways."""
    head = "".join(
        f'<th scope="col"{_align(sheet, place)}>{html.escape(title)}</th>'
        for place, title in enumerate(sheet.columns)
    )
    body = []
    for number, row in enumerate(sheet.rows):
        mark = ' class="best"' if number in sheet.best else ""
        cells = "".join(
            f"<td{_align(sheet, place)}>{html.escape(cell)}</td>"
            if place
            else f'<th scope="row">{html.escape(cell)}</th>'
            for place, cell in enumerate(row)
        )
        body.append(f"<tr{mark}>{cells}</tr>")
    caption = html.escape(sheet.caption)
    return (
        f'<figure class="sheet"><figcaption>{caption}</figcaption>\n'
        f'<div class="table" role="region" aria-label="{caption}" tabindex="0"><table>'
        f"\n<thead><tr>{head}</tr></thead>\n<tbody>"
        + "\n".join(body)
        + "</tbody></table></div></figure>\n"
    )


def as_csv(sheet: Sheet) -> str:
    """Writes a table as comma-separated values, titles first."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerows([sheet.columns, *sheet.rows])
    return out.getvalue()


def as_latex(sheet: Sheet) -> str:
    """Writes a table for LaTeX's booktabs."""
    form = "l" * sheet.words + "r" * (len(sheet.columns) - sheet.words)
    lines = [" & ".join(map(latex_escape, row)) + r" \\" for row in sheet.rows]
    head = " & ".join(map(latex_escape, sheet.columns)) + r" \\"
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
    return "".join(_LATEX.get(character, character) for character in text)


def _align(sheet: Sheet, place: int) -> str:
    return "" if place < sheet.words else ' class="number"'
