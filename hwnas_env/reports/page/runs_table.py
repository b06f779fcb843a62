"""Every run of a study: rows that a page's script lists, and a table as a file."""

import math
from typing import Any

from hwnas_env.reports.page.networks import Networks
from hwnas_env.reports.page.sheets import Sheet
from hwnas_env.reports.page.study import Study

COLUMNS = (
    *("task", "agent", "network", "error"),
    *("seed", "score", "accuracy %", "cost", "share", "queries", "wall s"),
)
"""Words first, then numbers."""

NONE = "-"


def runs_sheet(study: Study, *, name: str) -> Sheet:
    """Returns every run as a row.

    Args:
        study: with its tasks.
        name: of the table's files.
    """
    rows = []
    for task in study.tasks:
        for agent, runs in task.runs.items():
            times = task.seconds.get(agent, {})
            for run, score in zip(runs, task.scores[agent].tolist(), strict=True):
                words = (task.name, agent, run.incumbent or NONE, run.error or NONE)
                numbers = (score, run.accuracy_percent, run.cost, run.share)
                rows.append(
                    (
                        *words,
                        str(run.seed),
                        *map(_number, numbers),
                        str(run.queries),
                        _number(times.get(run.seed, math.nan)),
                    )
                )
    return Sheet(name, "Every run.", COLUMNS, tuple(rows), words=4)


def runs_data(
    study: Study, places: dict[str, int], networks: Networks
) -> list[list[Any]]:
    """Returns every run for a page's script.

    Args:
        study: with its tasks.
        places: of the agents.
        networks: of the page, to which incumbents are added.

    Returns:
        One list a run: the task's place, the agent's, the seed, the score, accuracy
        and cost or share and None, queries, seconds or None, the incumbent's number
        or -1, whether the run failed.
    """
    rows = []
    for place, task in enumerate(study.tasks):
        for agent, runs in task.runs.items():
            found = [run.incumbent for run in runs if run.incumbent]
            genotypes = dict(
                zip(found, task.problem.space.validate(found), strict=True)
            )
            times = task.seconds.get(agent, {})
            for run, score in zip(runs, task.scores[agent].tolist(), strict=True):
                network = -1
                if run.incumbent:
                    network = networks.number(task, genotypes[run.incumbent])
                best = run.share if task.is_front else run.accuracy_percent
                numbers = [score, best, run.cost]
                rows.append(
                    [
                        *(place, places[agent], run.seed),
                        *map(_rounded, numbers),
                        run.queries,
                        _rounded(times.get(run.seed, math.nan)),
                        *(network, int(bool(run.error))),
                    ]
                )
    return rows


def _number(value: float) -> str:
    return f"{value:.6g}" if math.isfinite(value) else NONE


def _rounded(value: float) -> float | None:
    return float(f"{value:.5g}") if math.isfinite(value) else None
