"""Pictures of networks, with matplotlib: what ``render.image`` draws."""

from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from hwnas_env.envs.render import BAR_LIMIT, View, amount
from hwnas_env.spaces import fbnet, nasbench201

_DARK, _UNDECIDED = "#333333", "#aaaaaa"
_WITHIN, _BEYOND, _PLAIN = "#009e73", "#d55e00", "#7f96b2"

# Okabe and Ito's colours, which most colour-blind readers can tell apart.
_CELL = ("#bbbbbb", "#009e73", "#e69f00", "#d55e00", "#0072b2")

# Blue for kernel 3 and orange for kernel 5, darker the more a block expands.
_CHAIN = (
    *("#c6dbef", "#c6dbef", "#6baed6", "#2171b5"),
    *("#fdd0a2", "#fdd0a2", "#fd8d3c", "#c94801"),
    "#e3e3e3",
)
_CHAIN_KEY = "k kernel size, e expansion, g groups (hatched), ch output channels"

_NODES = {0: (0.0, 0.55), 1: (1.0, 1.15), 2: (1.85, 0.25), 3: (3.0, 0.75)}
_ARC = 0.5
"""How far the edge from the input to the output bends, to cross no other."""


def image(view: View) -> npt.NDArray[np.uint8]:
    """Draws a view: ``(H, W, 3)`` uint8."""
    canvas: Any = FigureCanvasAgg(draw(view))  # matplotlib's is not annotated
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def draw(view: View) -> Any:
    """Draws a view as a figure of matplotlib's: the network, and its costs."""
    figure = Figure(figsize=(7.2, 4.8), dpi=100, facecolor="white")
    figure.suptitle(view.title, fontsize=10, x=0.03, y=0.97, ha="left")
    drawing = figure.add_axes((0.02, 0.36, 0.96, 0.56))
    drawing.set_axis_off()
    if view.problem.space.name == "nasbench201":
        draw_cell(drawing, view)
    else:
        draw_chain(drawing, view)
    draw_costs(figure.add_axes((0.20, 0.03, 0.48, 0.27)), view)
    return figure


def draw_cell(axes: Any, view: View) -> None:
    """Draws the four nodes, and the operation on each edge."""
    axes.set_xlim(-0.25, 3.25)
    axes.set_ylim(-0.95, 1.35)
    for choice, edge in zip(view.genotype, nasbench201.EDGES, strict=True):
        (x0, y0), (x1, y1) = (_NODES[node] for node in edge)
        bend = _ARC if edge == (0, 3) else 0.0
        colour = _CELL[choice] if choice >= 0 else _UNDECIDED
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
            view.name(choice),
            ha="center",
            va="center",
            fontsize=8,
            bbox={"facecolor": "white", "edgecolor": colour, "pad": 2.0},
        )
    for node, (x, y) in _NODES.items():
        label = {0: "in", 3: "out"}.get(node, str(node))
        axes.plot([x], [y], "o", markersize=26, color=_DARK)
        axes.text(x, y, label, ha="center", va="center", color="white", fontsize=9)


def _aspect(axes: Any) -> float:
    """Returns the length of a unit of y over that of a unit of x, on the screen."""
    box = axes.get_window_extent()
    (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()
    return float(box.height / (high - low) / (box.width / (right - left)))


def draw_chain(axes: Any, view: View) -> None:
    """Draws the layers as a chain in two rows, with the channels of each stage."""
    columns = 11
    axes.set_xlim(-0.25, columns + 0.25)
    axes.set_ylim(-0.35, 2.35)
    starts = dict(
        zip(
            np.cumsum((0, *fbnet.STAGE_LAYERS[:-1])).tolist(),
            fbnet.STAGE_CHANNELS,
            strict=True,
        )
    )
    for layer, choice in enumerate(view.genotype):
        row, x = divmod(layer, columns)
        y = 1.3 - 1.2 * row
        decided = choice >= 0
        colour = _CHAIN[choice] if decided else "white"
        name = view.name(choice)
        axes.plot([x - 0.1, x + 0.1], [y + 0.375] * 2, color=_DARK, linewidth=1.2)
        box = Rectangle(
            (x + 0.1, y),
            0.8,
            0.75,
            facecolor=colour,
            edgecolor=_DARK if decided else _UNDECIDED,
            linewidth=0.8,
            linestyle="-" if decided else ":",
            hatch="///" if "g2" in name else None,
        )
        axes.add_patch(box)
        ink = "black" if sum(to_rgb(colour)) > 1.4 else "white"
        axes.text(
            x + 0.5,
            y + 0.375,
            name.replace("_", "\n"),
            ha="center",
            va="center",
            fontsize=8,
            color=ink if decided else _UNDECIDED,
            bbox={"facecolor": colour, "edgecolor": "none", "pad": 1.0},
        )
        axes.text(x + 0.5, y + 0.8, str(layer + 1), ha="center", fontsize=7)
        if layer in starts:
            channels = f"{starts[layer]} ch"
            axes.text(x + 0.1, y - 0.06, channels, va="top", fontsize=7)
    axes.plot([columns - 0.1, columns + 0.2], [1.675] * 2, color=_DARK, linewidth=1.2)
    axes.text(columns, -0.33, _CHAIN_KEY, ha="right", fontsize=7, color=_DARK)


def draw_costs(axes: Any, view: View) -> None:
    """Draws one bar a metric: the budget's over two budgets, others over the space."""
    problem, costs = view.problem, view.costs
    metrics = sorted(problem.metrics, key=lambda metric: metric != problem.metric)
    axes.set_xlim(0, 1)
    axes.set_ylim(max(len(metrics), 4) - 0.4, -0.9)
    axes.set_axis_off()
    for row, metric in enumerate(metrics):
        axes.add_patch(Rectangle((0, row - 0.3), 1, 0.6, facecolor="#eeeeee"))
        axes.text(-0.02, row, metric, ha="right", va="center", fontsize=8)
        if metric == problem.metric:
            _draw_interval(axes, view)
            said = view.reach
        elif np.isfinite(costs.get(metric, np.inf)):
            largest = problem.model.largest(problem.metrics.index(metric))
            share = min(costs[metric] / largest, 1.0)
            axes.add_patch(Rectangle((0, row - 0.3), share, 0.6, facecolor=_PLAIN))
            said = amount(metric, costs[metric])
        else:
            said = "?"
        axes.text(1.02, row, said, ha="left", va="center", fontsize=8)


def _draw_interval(axes: Any, view: View) -> None:
    low, high = (min(cost / view.budget / BAR_LIMIT, 1.0) for cost in view.interval)
    middle = 1 / BAR_LIMIT
    # A whole network is a bar from 0; what is reachable, a bar of its own.
    spans = ((0.0 if view.whole else low), high)
    if view.whole:
        pieces = [(*spans, _WITHIN if high <= middle else _BEYOND)]
    else:
        pieces = [
            (spans[0], min(high, middle), _WITHIN),
            (max(low, middle), high, _BEYOND),
        ]
    for start, end, colour in pieces:
        if end > start:
            bar = Rectangle((start, -0.3), end - start, 0.6, facecolor=colour)
            axes.add_patch(bar)
    if view.interval[1] > BAR_LIMIT * view.budget:
        axes.plot([0.985], [0], ">", color="white", markersize=5)
    axes.plot([middle, middle], [-0.45, 0.45], color=_DARK, linewidth=2)
    scale = "full bar: 2 budgets,\nblue: the space's largest"
    axes.text(1.02, -0.5, scale, ha="left", va="bottom", fontsize=6.5, color=_DARK)
    label = f"budget {view.limit}"
    axes.text(middle, -0.5, label, ha="center", va="bottom", fontsize=8)
