"""Pictures of networks, with matplotlib: what ``render.image`` draws."""

from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from hwnas_env.engines.picture import DARK
from hwnas_env.envs.view import BAR_LIMIT, View, amount

_WITHIN, _BEYOND, _PLAIN = "#009e73", "#d55e00", "#7f96b2"


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
    view.problem.space.draw(drawing, view.genotype)
    draw_costs(figure.add_axes((0.20, 0.03, 0.48, 0.27)), view)
    return figure


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
    axes.plot([middle, middle], [-0.45, 0.45], color=DARK, linewidth=2)
    scale = "full bar: 2 budgets,\nblue: the space's largest"
    axes.text(1.02, -0.5, scale, ha="left", va="bottom", fontsize=6.5, color=DARK)
    label = f"budget {view.limit}"
    axes.text(middle, -0.5, label, ha="center", va="bottom", fontsize=8)
