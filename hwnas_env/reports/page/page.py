"""A page in the making: one HTML file with its style, its script and its data."""

import base64
import hashlib
import html
import importlib.resources
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hwnas_env.reports.page.canvas import Picture, Style
from hwnas_env.reports.page.networks import Networks
from hwnas_env.reports.page.sheets import Sheet, as_html, as_words
from hwnas_env.texts import plain

TITLE = "Hardware-aware architecture search: benchmark report"

SCRIPTS = (
    *("state", "dom", "agents", "tables", "scales", "charts", "pointing"),
    *("networks", "runs", "start"),
)
"""Parts of the page's script, in their order."""

LONGEST_COMMAND = 20_000
"""Letters of a command that are shown at most."""


@dataclass
class Page:
    """A page in the making, and all of its figures and tables.

    Attributes:
        drawn: how agents are drawn, in the order in which the page numbers them.
        parts: HTML, in order.
        contents: anchors and titles of the sections.
        pictures: every figure.
        sheets: every table.
        charts: by a figure's name what the script draws in its place.
        networks: that the page shows.
        more: further data of the script.
    """

    drawn: Mapping[str, Style] = field(default_factory=dict)
    parts: list[str] = field(default_factory=list)
    contents: list[tuple[str, str]] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)
    sheets: list[Sheet] = field(default_factory=list)
    charts: dict[str, Any] = field(default_factory=dict)
    networks: Networks = field(default_factory=Networks)
    more: dict[str, Any] = field(default_factory=dict)
    _classes: dict[str, str] = field(default_factory=dict)

    @property
    def places(self) -> dict[str, int]:
        """By an agent's name its number in the page."""
        return {agent: place for place, agent in enumerate(self.drawn)}

    def section(self, anchor: str, title: str, *, listed: bool = True) -> None:
        """Begins a section, which stands among the contents if it is listed."""
        if listed:
            self.contents.append((anchor, title))
        self.parts.append(f'<h2 id="{anchor}">{as_words(title)}</h2>\n')

    def table(self, sheet: Sheet) -> None:
        """Adds a table."""
        self.sheets.append(sheet)
        self.parts.append(as_html(sheet, places=self.places))

    def figures(self, pictures: Sequence[Picture]) -> None:
        """Adds figures, beside each other where there is room."""
        self.pictures += pictures
        drawn = "".join(map(self._figure, pictures))
        self.parts.append(f'<div class="figures">{drawn}</div>\n')

    def words(self, sentence: str, *, kind: str = "") -> None:
        """Adds a paragraph."""
        mark = f' class="{kind}"' if kind else ""
        self.parts.append(f"<p{mark}>{as_words(sentence)}</p>\n")

    def command(self, words: str) -> None:
        """Adds lines to copy."""
        said = html.escape(_lines(words))
        self.parts.append(f'<pre class="copy"><code>{said}</code></pre>\n')

    def html(self) -> str:
        """Returns the whole page.

        Its policy lets nothing run but its own script, which is named by its SHA-256,
        and nothing be asked of any network.
        """
        script, css = _script(), _resource("report.css")
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        policy = (
            f"default-src 'none'; script-src 'sha256-{digest}'; "
            "style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
        )
        looks = "".join(f".{name}{{{css}}}\n" for css, name in self._classes.items())
        items = "".join(
            f'<li><a href="#{anchor}">{as_words(title)}</a></li>'
            for anchor, title in self.contents
        )
        return (
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            f"<title>{TITLE}</title>\n<style>\n{css}{looks}</style>\n</head>\n<body>\n"
            f'<header id="top"><h1>{TITLE}</h1>\n'
            f'<nav aria-label="Contents"><ul>{items}</ul></nav></header>\n'
            f"<main>\n{''.join(self.parts)}</main>\n"
            f'<script type="application/json" id="data">{as_json(self._data())}'
            f"</script>\n<script>{script}</script>\n</body>\n</html>\n"
        )

    def _data(self) -> Mapping[str, Any]:
        agents = [
            {"name": plain(agent), **style.look} for agent, style in self.drawn.items()
        ]
        return {
            "agents": agents,
            "charts": self.charts,
            **self.networks.data(),
            **self.more,
        }

    def _figure(self, picture: Picture) -> str:
        light = ' class="light"' if picture.own_light else ""
        focus = ' tabindex="0"' if picture.own_light else ""
        alt = as_words(picture.alt)
        drawing = picture.inline(self._classes)
        drawing = drawing.replace("<svg", f'<svg role="img" aria-label="{alt}"', 1)
        return (
            f'<figure{light} id="{picture.name}"><div class="paper"{focus}>{drawing}'
            f"</div><figcaption>{as_words(picture.caption)}</figcaption></figure>\n"
        )


def as_json(values: Any) -> str:
    r"""Writes values as JSON that may stand in a page's script.

    No text can end the script, or begin a comment or a line there.

    Example:
        >>> as_json({"a": "</script>\u2028"})
        '{"a":"\\u003c/script\\u003e\\u2028"}'
    """
    text = json.dumps(values, allow_nan=False, separators=(",", ":"))
    for letter in "<>&":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return text


def _lines(words: str) -> str:
    """Returns lines of letters that print."""
    return "\n".join(plain(line, longest=LONGEST_COMMAND) for line in words.split("\n"))


def _script() -> str:
    parts = "\n".join(_resource(f"script/{name}.js") for name in SCRIPTS)
    return f'(() => {{\n"use strict";\n{parts}}})();\n'


def _resource(name: str) -> str:
    files = importlib.resources.files("hwnas_env.reports.page")
    return files.joinpath(*name.split("/")).read_text(encoding="utf-8")
