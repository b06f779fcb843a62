"""The figures of a report on many agents."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from hwnas_env.benchmark.scores import SMALLEST_REGRET
from hwnas_env.reports.page.canvas import (
    INK,
    Picture,
    Style,
    label,
    legend,
    legend_height,
    picture,
    sheet_of_paper,
)
from hwnas_env.reports.page.estimates import Estimates
from hwnas_env.reports.page.study import Group, TaskRuns

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


def time_figure(found: Estimates, drawn: Styles, *, name: str) -> Picture:
    """Draws scores by the median wall time of a run, where that is known.

    Args:
        found: of a group.
        drawn: the agents' styles.
        name: of the files.
    """
    group = found.group
    agents = [agent for agent in found.agents if group.seconds(agent)]
    with sheet_of_paper(WIDTH, HEIGHT + legend_height(agents)) as figure:
        axes = figure.subplots()
        for agent in agents:
            one, style = found.iqm[agent], drawn[agent]
            x = float(np.median(group.seconds(agent)))
            axes.plot([x, x], [one.low, one.high], color=style.colour, linewidth=1.6)
            axes.plot([x], [one.value], style.marker, color=style.colour)
        axes.set_xscale("log")
        _plain_ticks(axes.xaxis)
        axes.set_xlabel("wall time of a run (s, median)")
        axes.set_ylabel("score (IQM)")
        legend(figure, agents, drawn)
        caption = (
            "Score by the median wall time of a run, on the machines that ran it, with "
            f"whatever else they did. {group.title}."
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
        legend(figure, found.agents, drawn)
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
        legend(figure, found.agents, drawn)
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
        legend(figure, list(task.runs), drawn)
        what = "share of the exact hypervolume" if task.is_front else "regret"
        caption = (
            f"Mean {what} after each query; shaded: from the worst to the best run. "
            f"{task.name}."
        )
        return picture(figure, name, caption=caption, alt=caption)


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
    _plain_ticks(axes.xaxis)
    if not front:
        from matplotlib.ticker import LogLocator

        _plain_ticks(axes.yaxis)
        low, high = axes.get_ylim()
        if high < 50 * low:
            axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))


def _plain_ticks(axis: Any) -> None:
    """Writes the powers on a logarithmic axis as numbers."""
    from matplotlib.ticker import NullFormatter

    axis.set_major_formatter(lambda value, _: f"{value:g}")
    axis.set_minor_formatter(NullFormatter())


def _floor(front: bool) -> float:
    return 0.0 if front else SMALLEST_REGRET
