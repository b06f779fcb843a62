"""Draws a cell with matplotlib: four nodes, and the operation on each edge."""

from collections.abc import Sequence
from typing import Any

from hwnas_env.engines.picture import DARK, UNDECIDED
from hwnas_env.engines.space import SearchSpace
from hwnas_env.spaces.nasbench201.facts import EDGES

# Okabe and Ito's colours, which most colour-blind readers can tell apart.
_CELL = ("#bbbbbb", "#009e73", "#e69f00", "#d55e00", "#0072b2")

_NODES = {0: (0.0, 0.55), 1: (1.0, 1.15), 2: (1.85, 0.25), 3: (3.0, 0.75)}
_ARC = 0.5
"""How far the edge from the input to the output bends, to cross no other."""


def draw_cell(axes: Any, space: SearchSpace, genotype: Sequence[int]) -> None:
    """Draws the four nodes, and the operation on each edge."""
    axes.set_xlim(-0.25, 3.25)
    axes.set_ylim(-0.95, 1.35)
    for number, (choice, edge) in enumerate(zip(genotype, EDGES, strict=True)):
        (x0, y0), (x1, y1) = (_NODES[node] for node in edge)
        bend = _ARC if edge == (0, 3) else 0.0
        colour = _CELL[choice] if choice >= 0 else UNDECIDED
        axes.annotate(
            "",
            (x1, y1),
            (x0, y0),
            arrowprops={
                "arrowstyle": "-|>",
                "color": colour,
                "linestyle": "-" if choice > 0 else ":",
                "linewidth": 2.2,
                "shrinkA": 15,
                "shrinkB": 15,
                "connectionstyle": f"arc3,rad={bend}",
            },
        )
        # A bent edge is a parabola whose middle is half of the bend off, seen on
        # the screen, where a unit of y is not as long as one of x.
        stretch = _aspect(axes)
        x = (x0 + x1) / 2 + bend / 2 * (y1 - y0) * stretch
        y = (y0 + y1) / 2 - bend / 2 * (x1 - x0) / stretch
        axes.text(
            x,
            y,
            space.choice_name(number, choice),
            ha="center",
            va="center",
            fontsize=8,
            bbox={"facecolor": "white", "edgecolor": colour, "pad": 2.0},
        )
    for node, (x, y) in _NODES.items():
        label = {0: "in", 3: "out"}.get(node, str(node))
        axes.plot([x], [y], "o", markersize=26, color=DARK)
        axes.text(x, y, label, ha="center", va="center", color="white", fontsize=9)


def _aspect(axes: Any) -> float:
    """Returns the length of a unit of y over that of a unit of x, on the screen."""
    box = axes.get_window_extent()
    (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()
    return float(box.height / (high - low) / (box.width / (right - left)))
