"""The figures of a report on many agents."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from hwnas_env.benchmark.runs import Run
from hwnas_env.benchmark.scores import SMALLEST_REGRET
from hwnas_env.metrics import METRICS
from hwnas_env.reports.canvas import (
    INK,
    Picture,
    Style,
    label,
    legend,
    legend_height,
    picture,
    sheet_of_paper,
)
from hwnas_env.reports.estimates import Estimates
from hwnas_env.reports.study import POINTS, Group, TaskRuns

WIDTH = 4.7
"""Inches: what is legible on a phone and fits twice beside each other on a desk."""

HEIGHT = 3.0
"""Inches of a figure above its key."""

Styles = Mapping[str, Style]


def leaderboard_figure(found: Estimates, drawn: Styles, *, name: str) -> Picture:
    """Draws each agent's interquartile mean with its interval, best on top.

    Args:
        found: of a group.
        drawn: the agents' styles.
        name: of the files.
    """
    group, agents = found.group, found.agents
    with sheet_of_paper(WIDTH, 0.9 + 0.3 * len(agents)) as figure:
        axes = figure.subplots()
        for place, agent in enumerate(agents):
            one, style = found.iqm[agent], drawn[agent]
            axes.plot(
                [one.low, one.high], [place, place], color=style.colour, linewidth=2.5
            )
            axes.plot([one.value], [place], style.marker, color=style.colour)
        names = [label(found.label(agent)) for agent in agents]
        axes.set_yticks(range(len(agents)), names)
        axes.set_ylim(len(agents) - 0.4, -0.6)
        axes.grid(visible=False, axis="y")
        if not group.is_front:
            axes.axvline(0.0, color=INK, linewidth=0.8)
        axes.set_xlabel("score, interquartile mean and 95 % interval")
        caption = (
            "Interquartile mean of the score over all runs and tasks, with "
            f"stratified bootstrap 95 % intervals. {group.title}."
        )
        best = found.iqm[agents[0]]
        alt = f"{caption} Best: {agents[0]}, {float(best.value):.3f}."
        return picture(figure, name, caption=caption, alt=alt)


def improvement_figure(found: Estimates, *, name: str) -> Picture:
    """Draws the matrix of probabilities of improvement.

    Args:
        found: of a group.
        name: of the files.
    """
    agents = found.agents
    width, height = (max(WIDTH, 1.7 + 0.42 * len(agents)), 1.1 + 0.4 * len(agents))
    with sheet_of_paper(width, height) as figure:
        from matplotlib import colormaps
        from matplotlib.patches import Rectangle

        axes = figure.subplots()
        axes.grid(visible=False)
        for (ours, theirs), pair in found.improvements.items():
            row, column = agents.index(ours), agents.index(theirs)
            value = float(pair.value)
            colour = colormaps["PuOr"](value)
            axes.add_patch(
                Rectangle((column - 0.48, row - 0.48), 0.96, 0.96, facecolor=colour)
            )
            sure = pair.low > 0.5 or pair.high < 0.5
            axes.text(
                *(column, row, f"{value:.2f}"),
                ha="center",
                va="center",
                fontsize=8,
                fontweight="bold" if sure else "normal",
                color="#000000" if 0.2 < value < 0.8 else "#ffffff",
            )
        axes.set_xlim(-0.5, len(agents) - 0.5)
        axes.set_ylim(len(agents) - 0.5, -0.5)
        axes.tick_params(length=0)
        names = [label(agent) for agent in agents]
        axes.set_xticks(range(len(agents)), names, rotation=40, ha="right")
        axes.set_yticks(range(len(agents)), names)
        axes.spines[:].set_visible(False)
        caption = (
            "Probability that a run of the row's agent beats one of the column's on "
            "the same task, mean over tasks; bold where the 95 % interval leaves out "
            f"one half. {found.group.title}."
        )
        return picture(figure, name, caption=caption, alt=caption)


def profile_figure(found: Estimates, drawn: Styles, *, name: str) -> Picture:
    """Draws the share of runs above each score.

    Args:
        found: of a group.
        drawn: the agents' styles.
        name: of the files.
    """
    group = found.group
    with sheet_of_paper(WIDTH, HEIGHT + legend_height(found.agents)) as figure:
        axes = figure.subplots()
        for agent in found.agents:
            one, style = found.profiles[agent], drawn[agent]
            _band(axes, found.thresholds, one, style)
            axes.plot(found.thresholds, one.value, **style.line)
        axes.set_xlim(found.thresholds[0], 1.0)
        axes.set_ylim(0.0, 1.02)
        axes.set_xlabel("score τ")
        axes.set_ylabel("share of runs above τ")
        legend(figure, found.agents, _no_markers(drawn))
        caption = (
            "Performance profiles: share of runs above each "
            "score, tasks weighing the same; higher is better. Bands: "
            f"pointwise 95 % bootstrap intervals. {group.title}."
        )
        return picture(figure, name, caption=caption, alt=caption)


def curves_figure(found: Estimates, drawn: Styles, *, name: str) -> Picture:
    """Draws how regret, or the share, goes with queries.

    Args:
        found: of a group.
        drawn: the agents' styles.
        name: of the files.
    """
    group = found.group
    with sheet_of_paper(WIDTH, HEIGHT + legend_height(found.agents)) as figure:
        axes = figure.subplots()
        for agent in found.agents:
            one, style = found.curves[agent], drawn[agent]
            _band(axes, group.queries, one, style, floor=_floor(group.is_front))
            axes.plot(
                group.queries,
                np.maximum(one.value, _floor(group.is_front)),
                **style.line,
            )
        _curve_axes(axes, front=group.is_front, what="interquartile mean of ")
        legend(figure, found.agents, _no_markers(drawn))
        what = "hypervolume share" if group.is_front else "regret"
        caption = (
            f"Anytime performance: interquartile mean of the {what} over all runs and "
            f"tasks after each query, with 95 % bootstrap bands. {group.title}."
        )
        return picture(figure, name, caption=caption, alt=caption)


def task_curves_figure(task: TaskRuns, drawn: Styles, *, name: str) -> Picture:
    """Draws every agent's mean curve on one task, and the range of its runs.

    Args:
        task: with its runs.
        drawn: the agents' styles.
        name: of the files.
    """
    group = Group("", (task,))
    floor = _floor(task.is_front)
    with sheet_of_paper(WIDTH, HEIGHT + legend_height(list(task.runs))) as figure:
        axes = figure.subplots()
        for agent in task.runs:
            curves = np.maximum(task.curves(agent, group.queries), floor)
            style = drawn[agent]
            low, high = curves.min(axis=1), curves.max(axis=1)
            axes.fill_between(
                group.queries, low, high, color=style.colour, alpha=0.1, linewidth=0
            )
            axes.plot(group.queries, curves.mean(axis=1), **style.line)
        _curve_axes(axes, front=task.is_front, what="mean ")
        legend(figure, list(task.runs), _no_markers(drawn))
        what = "share of the exact hypervolume" if task.is_front else "regret"
        caption = (
            f"Mean {what} after each query; shaded: from the worst to the best run. "
            f"{task.name}."
        )
        return picture(figure, name, caption=caption, alt=caption)


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
                    (run.cost, run.accuracy_percent)
                    for run in runs
                    if isinstance(run, Run) and run.incumbent
                ]
                if found:
                    x, y = np.array(found).T
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
        where = f"{problem.space.label} on {problem.device.label}, {problem.dataset}"
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
    columns = [-1 if o == "accuracy" else problem.metrics.index(o) for o in objectives]
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
        heights = []
        for agent, runs in task.runs.items():
            names = sorted(
                {a for run in runs if not isinstance(run, Run) for a in run.archive}
            )
            if not names:
                continue
            names = names[:: max(1, len(names) // 60)]
            rows = np.array([problem.encode(name) for name in names])
            answer = problem.evaluate_valid(rows, uniforms=np.zeros(len(rows)))
            table = np.column_stack([answer.costs, answer.accuracy_percent])
            table = table[np.isfinite(table).all(axis=1)]
            x, y = table[:, columns[first]], table[:, columns[second]]
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
        if hidden:
            caption += f" {hidden} networks of less accuracy are below the picture."
        return picture(figure, name, caption=caption, alt=caption)


def network_figure(task: TaskRuns, run: Run, *, name: str) -> Picture:
    """Draws a run's incumbent: its cell, or its chain of layers.

    Args:
        task: that was searched.
        run: with an incumbent.
        name: of the files.
    """
    from hwnas_env.envs.render import View

    problem = task.problem
    genotype = tuple(int(choice) for choice in problem.encode(run.incumbent))
    budget = max(run.cost, 1e-12)
    view = View(problem, genotype, budget, (run.cost, run.cost), run.accuracy_percent)
    with sheet_of_paper(7.2, 2.9) as figure:
        from hwnas_env.envs import pictures

        figure.set_layout_engine("none")
        axes = figure.add_axes((0.01, 0.01, 0.98, 0.98))
        axes.set_axis_off()
        cell = problem.space.name == "nasbench201"
        (pictures.draw_cell if cell else pictures.draw_chain)(axes, view)
        caption = (
            f"The best network that was found: {run.accuracy_percent:.2f} %, "
            f"{run.cost:.4g} {METRICS[problem.metric].unit}, by {run.agent}, seed "
            f"{run.seed}. {task.name}."
        )
        alt = f"{caption} {run.incumbent}"
        return picture(figure, name, caption=caption, alt=alt, own_light=True)


def _band(axes: Any, x: Any, one: Any, style: Style, *, floor: float = 0.0) -> None:
    low, high = np.maximum(one.low, floor), np.maximum(one.high, floor)
    axes.fill_between(x, low, high, color=style.colour, alpha=0.16, linewidth=0)


def _curve_axes(axes: Any, *, front: bool, what: str) -> None:
    axes.set_xscale("log")
    axes.set_xlabel("queries")
    if front:
        axes.set_ylabel(f"{what}hypervolume share")
    else:
        axes.set_yscale("log")
        axes.set_ylabel(f"{what}regret (pp)")
    from matplotlib.ticker import LogLocator, NullFormatter

    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.xaxis.set_minor_formatter(NullFormatter())
    if not front:
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.yaxis.set_minor_formatter(NullFormatter())
        low, high = axes.get_ylim()
        if high < 50 * low:
            axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))


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


def _floor(front: bool) -> float:
    return 0.0 if front else SMALLEST_REGRET


def _no_markers(drawn: Styles) -> Styles:
    return {a: Style(s.colour, s.dashes, "") for a, s in drawn.items()}


def _no_lines(drawn: Styles) -> Styles:
    return {a: Style(s.colour, "none", s.marker) for a, s in drawn.items()}
