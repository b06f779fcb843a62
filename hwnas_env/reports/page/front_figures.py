"""Figures of exact fronts, of what agents found there, and of networks."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from hwnas_env.benchmark.runs import Run
from hwnas_env.metrics import METRICS
from hwnas_env.reports.page.canvas import (
    INK,
    Picture,
    Style,
    legend,
    legend_height,
    picture,
    sheet_of_paper,
)
from hwnas_env.reports.page.study import POINTS, TaskRuns
from hwnas_env.reports.page.study_figures import HEIGHT, WIDTH, Styles
from hwnas_env.types import FloatArray

SHOWN = 80
"""Networks of one agent's archives that are drawn at most."""


def incumbents_figure(
    tasks: Sequence[TaskRuns], drawn: Styles, *, name: str
) -> Picture:
    """Draws the exact front of a device, its budgets, and what agents found.

    Args:
        tasks: of one problem, with different budgets.
        drawn: the agents' styles.
        name: of the files.
    """
    problem, metric = tasks[0].problem, tasks[0].task.metric
    points = problem.pareto_front(("accuracy", metric)).points
    agents = sorted({agent for task in tasks for agent in task.runs})
    with sheet_of_paper(WIDTH, HEIGHT + legend_height(agents)) as figure:
        axes = figure.subplots()
        _front_line(axes, points[:, 1], points[:, 0])
        lows, lefts, highs = [], [], []
        for task in tasks:
            if task.task.budget is not None:
                limit = problem.budget(task.task.budget)
                axes.axvline(limit, color=INK, linewidth=0.8, linestyle=":")
                highs.append(limit)
            for agent, runs in task.runs.items():
                found = [
                    (run.cost, run.accuracy_percent) for run in runs if run.incumbent
                ]
                if found:
                    x, y = np.unique(found, axis=0).T
                    _points(axes, x, y, drawn[agent])
                    lows.append(y.min())
                    lefts.append(x.min())
                    highs.append(x.max())
        if lows:
            best = max(task.optimum for task in tasks)
            margin = max(0.1, 0.15 * (best - min(lows)))
            axes.set_ylim(min(lows) - margin, best + margin)
            seen = points[points[:, 0] >= min(lows) - margin, 1]
            left = min(seen.min(), *lefts)
            axes.set_xlim(left - 0.03 * (max(highs) - left), None)
        if highs:
            axes.set_xlim(None, max(highs) + 0.05 * (max(highs) - problem.cheapest))
        axes.set_xlabel(f"{metric} ({METRICS[metric].unit})")
        axes.set_ylabel("accuracy (%)")
        legend(figure, agents, _no_lines(drawn))
        where = problem.where
        kinds = ", ".join(f"{kind} {column}" for column, kind in tasks[0].kinds)
        caption = (
            f"{where}: exact front (line), budgets (dotted), every run's incumbent. "
            f"{kinds}."
        )
        return picture(figure, name, caption=caption, alt=caption)


def archives_figure(task: TaskRuns, drawn: Styles, *, name: str) -> Picture:
    """Draws the exact front and every agent's archives in two objectives.

    Of three objectives the first two are drawn; the exact front is then a cloud.

    Args:
        task: whose runs searched the front.
        drawn: the agents' styles.
        name: of the files.
    """
    problem, objectives = task.problem, task.task.objectives
    exact = problem.pareto_front(objectives).points
    first, second = (0, 1) if objectives[0] != "accuracy" else (1, 0)
    with sheet_of_paper(WIDTH, HEIGHT + legend_height(list(task.runs))) as figure:
        axes = figure.subplots()
        if len(objectives) == 2:
            least = METRICS[objectives[first]].minimise
            steps = "steps-post" if least else "steps-pre"
            _front_line(axes, exact[:, first], exact[:, second], steps=steps)
        else:
            kept = exact[:: max(1, len(exact) // 400)]
            cloud = {"color": INK, "alpha": 0.35, "markersize": 3.5}
            axes.plot(kept[:, first], kept[:, second], ".", **cloud)
        heights, thinned = [], False
        for agent in task.runs:
            found = archive_points(task, agent)
            if len(found) > SHOWN:
                places = np.linspace(0, len(found) - 1, SHOWN).astype(np.int64)
                found, thinned = found[places], True
            x, y = found[:, first], found[:, second]
            _points(axes, x, y, drawn[agent])
            heights += y.tolist()
        hidden = 0
        if objectives[second] == "accuracy":
            hidden = _zoom(axes, heights, top=float(exact[:, second].max()))
        axes.set_xlabel(_titled(objectives[first]))
        axes.set_ylabel(_titled(objectives[second]))
        legend(figure, list(task.runs), _no_lines(drawn))
        kinds = ", ".join(f"{kind} {column}" for column, kind in task.kinds)
        shape = "line" if len(objectives) == 2 else "cloud, first two objectives"
        caption = (
            f"{task.name}: exact front ({shape}), and the networks in agents' archives "
            f"of all seeds. {kinds}."
        )
        if thinned:
            caption += f" Of an agent's networks {SHOWN} are drawn."
        if hidden:
            caption += f" {hidden} networks of less accuracy are below the picture."
        return picture(figure, name, caption=caption, alt=caption)


def archive_points(task: TaskRuns, agent: str) -> FloatArray:
    """Returns the networks in an agent's archives: ``(N, k)`` in people's units.

    Args:
        task: whose runs searched the front.
        agent: whose archives, all seeds together.
    """
    problem, objectives = task.problem, task.task.objectives
    names = sorted({name for run in task.runs[agent] for name in run.archive})
    if not names:
        return np.zeros((0, len(objectives)))
    answer = problem.evaluate(np.array([problem.encode(name) for name in names]))
    table = np.column_stack([answer.accuracy_percent, answer.costs])
    columns = [("accuracy", *problem.metrics).index(name) for name in objectives]
    chosen = table[answer.deployable][:, columns]
    return np.asarray(chosen)


def network_figure(task: TaskRuns, run: Run, *, name: str) -> Picture:
    """Draws a run's incumbent: its cell, or its chain of layers.

    Args:
        task: that was searched.
        run: with an incumbent.
        name: of the files.
    """
    problem = task.problem
    genotype = tuple(int(choice) for choice in problem.encode(run.incumbent))
    with sheet_of_paper(7.2, 2.9) as figure:
        figure.set_layout_engine("none")
        axes = figure.add_axes((0.01, 0.01, 0.98, 0.98))
        axes.set_axis_off()
        problem.space.draw(axes, genotype)
        caption = (
            f"The best network that was found: {run.accuracy_percent:.2f} %, "
            f"{run.cost:.4g} {METRICS[problem.metric].unit}, by {run.agent}, seed "
            f"{run.seed}. {task.name}."
        )
        alt = f"{caption} {run.incumbent}"
        return picture(figure, name, caption=caption, alt=alt, own_light=True)


def _front_line(axes: Any, x: Any, y: Any, *, steps: str = "steps-post") -> None:
    order = np.argsort(x, kind="stable")
    if len(order) > 4 * POINTS:  # so dense that its steps are finer than the line
        steps = "default"
    order = order[np.unique(np.linspace(0, len(order) - 1, 4 * POINTS).astype(int))]
    axes.plot(x[order], y[order], color=INK, linewidth=1.1, alpha=0.75, drawstyle=steps)


def _zoom(axes: Any, heights: Sequence[float], *, top: float) -> int:
    """Leaves out what lies far below the others, and returns how many that are."""
    if not heights:
        return 0
    best, middle = max(heights), float(np.median(heights))
    low = middle - 3 * (best - middle)
    below = sum(height < low for height in heights)
    if below:
        axes.set_ylim(low, top + 0.05 * (top - low))
    return below


def _points(axes: Any, x: Any, y: Any, style: Style) -> None:
    axes.plot(
        *(x, y, style.marker),
        color=style.colour,
        markersize=4.5,
        alpha=0.8,
        linestyle="none",
        markeredgewidth=1.0,
    )


def _titled(objective: str) -> str:
    unit = "%" if objective == "accuracy" else METRICS[objective].unit
    return f"{objective} ({unit})"


def _no_lines(drawn: Styles) -> Styles:
    return {a: Style(s.colour, "none", s.marker) for a, s in drawn.items()}
