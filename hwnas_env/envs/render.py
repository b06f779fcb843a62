"""Draws a network in the making: text for the terminal, or an image."""

import sys
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from hwnas_env.errors import MissingExtraError
from hwnas_env.metrics import METRICS
from hwnas_env.problems.problem import Problem
from hwnas_env.spaces import nasbench201

_PALETTE = (
    "#c8c8c8",
    "#5aa9a3",
    "#f0b24f",
    "#d1495b",
    "#6c8ebf",
    "#8fb8de",
    "#5b4b8a",
    "#2f3e6e",
    "#e3e3e3",
)
_NODES = {0: (0.0, 0.5), 1: (1.0, 1.0), 2: (2.0, 0.0), 3: (3.0, 0.5)}


@dataclass(frozen=True)
class View:
    """What there is to draw.

    Attributes:
        problem: what is searched.
        genotype: decisions, -1 where undecided.
        budget: in the metric's unit.
        interval: smallest and largest cost still reachable, same unit, clipped to four
            times the budget.
    """

    problem: Problem
    genotype: tuple[int, ...]
    budget: float
    interval: tuple[float, float]


def text(view: View) -> str:
    """Writes the decisions and the reachable costs as lines of text."""
    space = view.problem.space
    names = [_name(view, choice) for choice in view.genotype]
    if space.name == "nasbench201":
        body = [
            f"  {position}  {name}"
            for position, name in zip(space.positions, names, strict=True)
        ]
    else:
        width = max(map(len, space.operations))
        cells = [f"{n:>2} {name:<{width}}" for n, name in enumerate(names, start=1)]
        body = ["  " + "  ".join(cells[row : row + 6]) for row in range(0, 22, 6)]
    return "\n".join([_title(view), *body, _bar(view), ""])


def show(drawing: str) -> None:
    """Writes a drawing to the terminal."""
    sys.stdout.write(drawing)
    sys.stdout.flush()


def image(view: View) -> npt.NDArray[np.uint8]:
    """Draws the cell as a graph or the layers as a chain: ``(H, W, 3)`` uint8.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        message = 'rgb_array needs matplotlib: pip install "hwnas_env[plots]"'
        raise MissingExtraError(message) from None
    figure = Figure(figsize=(7.2, 4.0), dpi=100, facecolor="white")
    canvas = FigureCanvasAgg(figure)
    drawing = figure.add_axes((0.02, 0.30, 0.96, 0.58))
    drawing.set_axis_off()
    figure.suptitle(_title(view), fontsize=10, x=0.03, ha="left")
    if view.problem.space.name == "nasbench201":
        _draw_cell(drawing, view)
    else:
        _draw_chain(drawing, view)
    _draw_budget(figure.add_axes((0.05, 0.14, 0.90, 0.08)), view)
    pixels: Any = canvas  # matplotlib's canvas is not annotated
    pixels.draw()
    return np.asarray(pixels.buffer_rgba())[..., :3].copy()


def _draw_cell(axes: Any, view: View) -> None:
    axes.set_xlim(-0.35, 3.35)
    axes.set_ylim(-0.35, 1.35)
    for choice, (source, target) in zip(view.genotype, nasbench201.EDGES, strict=True):
        (x0, y0), (x1, y1) = _NODES[source], _NODES[target]
        colour = _PALETTE[choice] if choice >= 0 else "#dddddd"
        style = "-" if choice > 0 else ":"
        axes.annotate(
            "",
            (x1, y1),
            (x0, y0),
            arrowprops={
                "arrowstyle": "-|>",
                "color": colour,
                "linestyle": style,
                "linewidth": 2.2,
                "shrinkA": 15,
                "shrinkB": 15,
            },
        )
        along = 0.36 if (source, target) in ((0, 3), (1, 2)) else 0.5
        axes.text(
            x0 + along * (x1 - x0),
            y0 + along * (y1 - y0),
            _name(view, choice),
            ha="center",
            va="center",
            fontsize=8,
            bbox={"facecolor": "white", "edgecolor": colour, "pad": 2.0},
        )
    for node, (x, y) in _NODES.items():
        label = {0: "in", 3: "out"}.get(node, str(node))
        axes.plot([x], [y], "o", markersize=26, color="#333333")
        axes.text(x, y, label, ha="center", va="center", color="white", fontsize=9)


def _draw_chain(axes: Any, view: View) -> None:
    columns = 11
    axes.set_xlim(-0.1, columns + 0.1)
    axes.set_ylim(-0.15, 2.15)
    for layer, choice in enumerate(view.genotype):
        row, column = divmod(layer, columns)
        y = 1.15 - 1.1 * row
        colour = _PALETTE[choice] if choice >= 0 else "white"
        light = choice in (-1, 0, 2, 8)
        axes.add_patch(_box(column + 0.06, y, 0.88, 0.75, colour))
        name = _name(view, choice).replace("_", "\n")
        axes.text(
            column + 0.5,
            y + 0.375,
            name,
            ha="center",
            va="center",
            fontsize=8,
            color="black" if light else "white",
        )
        axes.text(column + 0.5, y + 0.8, str(layer + 1), ha="center", fontsize=6)


def _box(x: float, y: float, width: float, height: float, colour: str) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle(
        (x, y), width, height, facecolor=colour, edgecolor="#777777", linewidth=0.8
    )


def _draw_budget(axes: Any, view: View) -> None:
    low, high = view.interval
    within = low <= view.budget
    limit = 2.0 * view.budget
    axes.set_xlim(0, limit)
    axes.set_ylim(0, 1)
    axes.set_yticks([])
    axes.tick_params(labelsize=7)
    shown = min(high, limit)
    width = max(shown - low, 0.008 * limit)
    axes.add_patch(_box(low, 0.2, width, 0.6, "#5aa9a3" if within else "#d1495b"))
    axes.axvline(view.budget, color="#333333", linewidth=2)
    unit = METRICS[view.problem.metric].unit
    axes.set_xlabel(
        f"{view.problem.metric}: reachable interval, budget {view.budget:g} {unit}",
        fontsize=8,
    )
    for side in ("top", "left", "right"):
        axes.spines[side].set_visible(False)


def _name(view: View, choice: int) -> str:
    return view.problem.space.operations[choice] if choice >= 0 else "?"


def _title(view: View) -> str:
    problem = view.problem
    kind = problem.provenance[problem.metric].kind
    return (
        f"{problem.space.label} on {problem.device.label}, {problem.dataset} "
        f"({kind} {problem.metric})"
    )


def _bar(view: View, *, width: int = 40) -> str:
    unit = METRICS[view.problem.metric].unit
    cells = [
        int(min(cost / view.budget, 2.0) / 2.0 * (width - 1)) for cost in view.interval
    ]
    line = ["·"] * width
    line[cells[0] : cells[1] + 1] = "█" * (cells[1] - cells[0] + 1)
    line[width // 2] = "|"
    low, high = view.interval
    reach = f"{low:.4g}" if low == high else f"{low:.4g} to {high:.4g}"
    return f"  {''.join(line)}  {reach} of {view.budget:.4g} {unit}"
