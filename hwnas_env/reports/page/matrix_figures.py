"""Figures of two-way tables: agents against agents, and agents on tasks."""

from collections.abc import Mapping, Sequence
from typing import Any

from hwnas_env.reports.page.canvas import Picture, label, picture, sheet_of_paper
from hwnas_env.reports.page.estimates import Estimates
from hwnas_env.reports.page.naming import short_names
from hwnas_env.reports.page.study_figures import WIDTH

Cells = Mapping[tuple[int, int], tuple[float, bool]]
"""By row and column: a value, and whether it is written in bold."""


def improvement_figure(found: Estimates, *, name: str) -> Picture:
    """Draws the matrix of probabilities of improvement.

    Args:
        found: of a group.
        name: of the files.
    """
    agents = found.agents
    cells = {
        (agents.index(ours), agents.index(theirs)): (
            float(pair.value),
            bool(pair.low > 0.5 or pair.high < 0.5),
        )
        for (ours, theirs), pair in found.improvements.items()
    }
    caption = (
        "Probability that a run of the row's agent beats one of the column's on the "
        "same task, mean over tasks; bold where the 95 % interval leaves out one half. "
        f"{found.group.title}."
    )
    names = [label(agent) for agent in agents]
    return _matrix(cells, names, names, name=name, caption=caption)


def heat_figure(found: Estimates, *, name: str) -> Picture:
    """Draws every agent's mean score on every task.

    Args:
        found: of a group.
        name: of the files.
    """
    tasks, agents = found.group.tasks, found.agents
    cells = {
        (row, column): (float(task.scores[agent].mean()), False)
        for row, task in enumerate(tasks)
        for column, agent in enumerate(agents)
        if agent in task.runs
    }
    caption = f"Mean score of every agent on every task. {found.group.title}."
    columns = [label(agent) for agent in agents]
    rows = [label(words) for words in short_names(tasks)]
    return _matrix(cells, rows, columns, name=name, caption=caption)


def _matrix(
    cells: Cells,
    rows: Sequence[str],
    columns: Sequence[str],
    *,
    name: str,
    caption: str,
) -> Picture:
    """Draws values, of which 0.5 is white, 1 violet and 0 or less brown."""
    wide, high = (0.07 * max(map(len, words)) for words in (rows, columns))
    width = max(WIDTH, 0.9 + wide + 0.42 * len(columns))
    height = 0.7 + high + 0.34 * len(rows)
    with sheet_of_paper(width, height) as figure:
        from matplotlib import colormaps

        axes = figure.subplots()
        axes.grid(visible=False)
        for (row, column), (value, bold) in cells.items():
            _cell(axes, row, column, value, bold, colormaps["PuOr"](value))
        axes.set_xlim(-0.5, len(columns) - 0.5)
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.tick_params(length=0)
        axes.set_xticks(range(len(columns)), columns, rotation=40, ha="right")
        axes.set_yticks(range(len(rows)), rows)
        axes.spines[:].set_visible(False)
        return picture(figure, name, caption=caption, alt=caption)


def _cell(
    axes: Any, row: int, column: int, value: float, bold: bool, colour: Any
) -> None:
    from matplotlib.patches import Rectangle

    corner = (column - 0.48, row - 0.48)
    axes.add_patch(Rectangle(corner, 0.96, 0.96, facecolor=colour))
    axes.text(
        *(column, row, f"{value:.2f}"),
        ha="center",
        va="center",
        fontsize=8,
        fontweight="bold" if bold else "normal",
        color="#000000" if 0.2 < value < 0.8 else "#ffffff",
    )
