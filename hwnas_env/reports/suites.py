"""Tables of suites for the terminal."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group
from rich.table import Table

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
    titles = (
        "agent",
        "score",
        "worst task",
        "best task",
        "log10 regret",
        "failed runs",
    )
    for title in titles:
        table.add_column(title, justify="left" if title == "agent" else "right")
    for row in summary["agents"]:
        scores = [task["score"] for task in row["tasks"]]
        table.add_row(
            row["agent"],
            f"{row['score']:.3f}",
            f"{min(scores):.3f}",
            f"{max(scores):.3f}",
            "-" if row["log10_regret"] is None else f"{row['log10_regret']:.2f}",
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
        f"[bold]{summary['suite']}[/bold]  {summary['tasks']} tasks. "
        f"{summary['description']}",
        table,
        "score: 0 is what masked random search is expected to find with as many "
        "queries, 1 the exact optimum (of several objectives, the exact front)",
        "log10 regret: of percentage points below the optimum, -3 at least, over tasks "
        "with one objective",
        tasks,
        f"the mean is over data of these kinds: accuracies "
        f"{', '.join(summary['accuracies'])}; costs {', '.join(summary['costs'])}",
        "",
    )


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
