"""Figures whose bytes depend on their content alone, for pages and for papers."""

import io
import math
import re
import warnings
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from hwnas_env.extras import load_extra

INK, GRID, PAPER = "#1a1c1e", "#dcdfe2", "#fefefe"
"""Colours that a page replaces by its own, so that figures follow its theme."""

# Okabe and Ito's colours, less the yellow that white paper swallows.
_PALETTE = (
    *("#0072b2", "#d55e00", "#009e73", "#e69f00"),
    *("#cc79a7", "#56b4e9", "#8c6d31"),
)
_VARIABLES = {
    **{INK: "var(--ink)", GRID: "var(--grid)", PAPER: "var(--card)"},
    **{colour: f"var(--agent{place})" for place, colour in enumerate(_PALETTE)},
}
_MARKERS = "osD^vPX<>*hdp8"
_OURS = (
    *("evolution", "ppo", "local_search", "annealing", "reinforce", "tpe", "nsga2"),
    *("maskable_ppo", "a2c", "dqn", "scalarised_ppo", "gaussian_process", "exhaustive"),
    *("jax_ppo", "transfer_ppo"),
)
"""Our agents, each with a look of its own by its place; further ones go to the end."""

LONGEST_LABEL = 34

_STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "hwnas_env",
    "text.parse_math": False,
    "font.size": 9.0,
    "axes.labelsize": 9.0,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.facecolor": PAPER,
    "figure.facecolor": PAPER,
    "savefig.facecolor": PAPER,
    "grid.color": GRID,
    "grid.linewidth": 0.7,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    **dict.fromkeys(
        ("axes.edgecolor", "axes.labelcolor", "text.color", "xtick.color"), INK
    ),
    "ytick.color": INK,
}


@dataclass(frozen=True)
class Style:
    """How an agent is drawn in every figure of a report.

    Attributes:
        colour: of its lines and points.
        dashes: of its lines.
        marker: of its points.
    """

    colour: str
    dashes: Any
    marker: str

    @property
    def line(self) -> dict[str, Any]:
        """Keywords of a line, which carries a few of the markers."""
        return {
            **{"color": self.colour, "linestyle": self.dashes, "linewidth": 1.6},
            **{"marker": self.marker, "markersize": 4.0, "markevery": 0.12},
        }

    @property
    def look(self) -> dict[str, Any]:
        """The same for a page's script: a colour of the theme, dashes, the marker."""
        colour = _VARIABLES.get(self.colour, self.colour)
        dashes = [] if self.dashes == "-" else list(self.dashes[1])
        return {"colour": colour, "dashes": dashes, "marker": self.marker}


@dataclass(frozen=True)
class Picture:
    """A figure as files and for a page.

    Attributes:
        name: of its files.
        caption: what it shows.
        alt: what it shows, for those who do not see it.
        svg: whole file.
        png: whole file.
        own_light: whether a page shows it on light paper in any theme.
    """

    name: str
    caption: str
    alt: str
    svg: str
    png: bytes
    own_light: bool = False

    def inline(self, classes: dict[str, str]) -> str:
        """Returns the drawing as an element of a page, that follows the page's theme.

        Names in it that something refers to begin with the picture's, others go.

        Args:
            classes: by a style the page's class for it; new styles are added.
        """
        body = self.svg[self.svg.index("<svg") :]
        body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
        used = dict.fromkeys(re.findall(r"#([A-Za-z_][\w.-]*)", body))
        numbers = {name: f"{self.name}-{place}" for place, name in enumerate(used)}

        def renamed(found: re.Match[str]) -> str:
            name = found.group(1)
            return f' id="{numbers[name]}"' if name in used else ""

        def referred(found: re.Match[str]) -> str:
            return f"{found.group(1)}#{numbers.get(found.group(2), found.group(2))}"

        body = re.sub(r' id="([^"]*)"', renamed, body)
        body = re.sub(r'(href="|url\()#([A-Za-z_][\w.-]*)', referred, body)
        body = body.replace("xlink:href", "href")
        body = re.sub(r' (xmlns(:xlink)?|version)="[^"]*"', "", body)
        if not self.own_light:
            for colour, variable in _VARIABLES.items():
                body = body.replace(colour, variable)

        def classed(found: re.Match[str]) -> str:
            name = classes.setdefault(found.group(1), f"s{len(classes)}")
            return f' class="{name}"'

        body = re.sub(r' style="([^"]*)"', classed, body)
        return _terse(body)


def _terse(body: str) -> str:
    """Writes a drawing with less: what is left out is not seen."""
    body = re.sub(r' transform="rotate\(-?0 [^"]*"', "", body)
    body = re.sub(r"(\d\.\d)\d+(?=[^<>]*>)", r"\1", body)
    body = re.sub(
        r' d="[^"]*"', lambda d: re.sub(r"\s*([A-Z])\s*", r"\1", d.group()), body
    )
    body = re.sub(r"\n\s*", "\n", body)
    alone = re.compile(
        r"<g>\n(<(?:use|path)[^<>]*/>\n|<text[^<>]*>[^<>]*</text>\n)</g>\n"
    )
    while alone.search(body):
        body = alone.sub(r"\1", body)
    return body


def styles(agents: Sequence[str]) -> Mapping[str, Style]:
    """Returns how each agent is drawn; random search in ink, as what all are held to.

    An agent's colour and marker follow from its name alone, so that they are the same
    in every report. Two of other people's may come out alike: then dashes differ.

    Args:
        agents: all of a report's.
    """
    found = {}
    laps = -(-len(_OURS) // len(_PALETTE))  # of which ours have the looks
    taken = [laps] * len(_PALETTE)
    for agent in sorted(agents):
        if agent == "random":
            found[agent] = Style(INK, (0, (3, 1.5, 1, 1.5)), "x")
            continue
        if agent in _OURS:
            place = _OURS.index(agent)
            lap, colour = divmod(place, len(_PALETTE))
        else:
            place = zlib.crc32(agent.encode("utf-8", "replace"))
            colour = place % len(_PALETTE)
            lap, taken[colour] = taken[colour], taken[colour] + 1
        marker = _MARKERS[place % len(_MARKERS)]
        found[agent] = Style(_PALETTE[colour], _dashes(lap), marker)
    return found


def _dashes(lap: int) -> Any:
    """Returns dashes of agents that share a colour: none, then ever shorter ones."""
    return "-" if lap == 0 else (0, (6.0 / lap, 1.5))


def label(agent: str) -> str:
    """Returns a name as figures show it: not too long, and never hidden."""
    words = " ".join(agent.split())
    words = "".join(letter if letter.isprintable() else "?" for letter in words)
    if len(words) > LONGEST_LABEL:
        words = f"{words[: LONGEST_LABEL - 1]}…"
    return f" {words}" if words.startswith("_") else words


@contextmanager
def sheet_of_paper(width: float, height: float) -> Iterator[Any]:
    """Yields a figure of matplotlib's in the report's style; sizes in inches.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    drawing, style = (
        load_extra(f"matplotlib.{name}", extra="plots", purpose="a report")
        for name in ("figure", "style")
    )
    with style.context(["default", _STYLE]):
        yield drawing.Figure(figsize=(width, height), layout="constrained")


def picture(
    figure: Any, name: str, *, caption: str, alt: str, own_light: bool = False
) -> Picture:
    """Renders a figure, inside :func:`sheet_of_paper`.

    Args:
        figure: of matplotlib's.
        name: of its files.
        caption: what it shows.
        alt: the same for those who do not see it.
        own_light: whether a page shows it on light paper in any theme.
    """
    drawn, pixels = io.StringIO(), io.BytesIO()
    with warnings.catch_warnings():
        # names in other scripts: a browser has letters for them, the SVG has the text
        warnings.filterwarnings("ignore", r"Glyph \d+ .* missing from")
        figure.draw_without_rendering()
        figure.set_layout_engine("none")  # a third of the time, for each file anew
        figure.savefig(drawn, format="svg", metadata={"Date": None, "Creator": None})
        figure.savefig(pixels, format="png", dpi=160, metadata={"Software": None})
    svg = re.sub(r'="[^"<>]*"', _shortened, drawn.getvalue())
    svg = re.sub(r"[ \t]+\n", "\n", svg)
    svg = re.sub(
        r"(font(?:-family)?: [^;\"]*?)'DejaVu Sans'[^;\"]*", r"\1sans-serif", svg
    )
    return Picture(name, caption, alt, svg, pixels.getvalue(), own_light)


def legend_height(agents: Sequence[str]) -> float:
    """Returns how high the key of agents is, in inches.

    Args:
        agents: in the key.
    """
    return 0.1 + 0.17 * math.ceil(len(agents) / _columns(agents))


def _columns(agents: Sequence[str]) -> int:
    longest = max(len(label(agent)) for agent in agents)
    return max(1, min(len(agents), 4, int(62 / (longest + 7))))


def _shortened(attribute: re.Match[str]) -> str:
    """Cuts coordinates to a hundredth of a point; text is no attribute."""
    return re.sub(r"(\d\.\d\d)\d+", r"\1", attribute.group())


def legend(figure: Any, agents: Sequence[str], drawn: Mapping[str, Style]) -> None:
    """Puts a key of agents' lines and markers below a figure.

    Args:
        figure: of matplotlib's.
        agents: in the key's order.
        drawn: their styles.
    """
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], **{**drawn[a].line, "markersize": 4.5}) for a in agents]
    figure.legend(
        handles,
        [label(agent) for agent in agents],
        loc="outside lower center",
        ncols=_columns(agents),
        handlelength=2.4,
        columnspacing=1.2,
    )
