"""Tables of suites for the terminal."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group
from rich.table import Table

from hwnas_env.reports.terminal.printing import heading
from hwnas_env.reports.terminal.tables import failure_lines

SHOWN = 6
"""Agents whose scores are shown task by task."""


def suites_table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """Lays the list of suites out."""
    table = Table()
    for title in ("suite", "tasks", "description"):
        table.add_column(title, justify="right" if title == "tasks" else "left")
    for row in rows:
        table.add_row(row["suite"], str(row["tasks"]), row["description"])
    return table


def suite_table(summary: Mapping[str, Any]) -> Group:
    """Lays out a suite's scores, agents best first."""
    table = Table()
    mixed = any(row["front_score"] is not None for row in summary["agents"])
    titles = ["agent", "score", *(["front score"] if mixed else [])]
    titles += ["worst task", "best task", "log10 regret", "failed runs"]
    for title in titles:
        table.add_column(title, justify="left" if title == "agent" else "right")
    for row in summary["agents"]:
        single = [task for task in row["tasks"] if not task["objectives"]]
        scores = [task["score"] for task in (mixed and single) or row["tasks"]]
        table.add_row(
            row["agent"],
            _number(row["score"]),
            *([_number(row["front_score"])] if mixed else []),
            f"{min(scores):.3f}",
            f"{max(scores):.3f}",
            _number(row["log10_regret"], 2),
            str(row["failed"]),
        )
    tasks = Table()
    for title in ("task", "accuracy", "costs"):
        tasks.add_column(title)
    shown = summary["agents"][:SHOWN]
    for agent in shown:
        tasks.add_column(agent["agent"], justify="right")
    for row in summary["kinds"]:
        scores = [_score_of(agent, row) for agent in shown]
        costs = [kind for name, kind in row["kinds"].items() if name != "accuracy"]
        kinds = (row["kinds"]["accuracy"], ", ".join(dict.fromkeys(costs)))
        tasks.add_row(_task_name(row), *kinds, *scores)
    return Group(
        heading(
            summary["suite"], f"{summary['tasks']} tasks. {summary['description']}"
        ),
        table,
        "score: 0 is what masked random search is expected to find with as many "
        "queries, 1 the exact optimum (of several objectives, the exact front)",
        "log10 regret: of percentage points below the optimum, -3 at least, over tasks "
        "with one objective",
        tasks,
        *(["tasks with one objective and fronts are averaged apart"] if mixed else []),
        *failure_lines(summary["agents"]),
        f"the mean is over data of these kinds: accuracies "
        f"{', '.join(summary['accuracies'])}; costs {', '.join(summary['costs'])}",
        "",
    )


def _number(value: float | None, digits: int = 3) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _task_name(row: Mapping[str, Any]) -> str:
    name = row["env"].removeprefix("HWNAS-").removesuffix("-v0")
    if row["objectives"]:
        return f"{name} {'/'.join(row['objectives'])}"
    transferred = f" after {len(row['train'])} others" if row["train"] else ""
    return f"{name} {row['budget']}{transferred}"


def _score_of(agent: Mapping[str, Any], row: Mapping[str, Any]) -> str:
    keys = ("env", "budget", "objectives", "train")
    for task in agent["tasks"]:
        if all(task[key] == row[key] for key in keys):
            return f"{task['score']:.3f}"
    return "-"
