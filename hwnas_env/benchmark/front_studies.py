"""Studies of agents on the front of one task."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from hwnas_env.arguments import check_names, check_type
from hwnas_env.benchmark.agent_options import settled_names
from hwnas_env.benchmark.fronts import volume_of
from hwnas_env.benchmark.runner import run_all
from hwnas_env.benchmark.tasks import Limits, Task
from hwnas_env.types import AnyPath


def run_fronts(
    task: Task,
    agents: Sequence[str],
    objectives: Sequence[str],
    *,
    seeds: int,
    limits: Limits,
    jobs: int = 1,
    folder: AnyPath | None = None,
) -> dict[str, Any]:
    """Runs every agent with seeds 0, 1, ... and summarises: plain values, best first.

    Args:
        task: what is searched.
        agents: names out of ``AGENTS``, or "package.module:Class".
        objectives: "accuracy" and names out of the problem's metrics, at least two.
        seeds: runs of each agent.
        limits: what each run may spend.
        jobs: processes; -1 for one a core. Any number gives the same.
        folder: where each run's record goes; runs whose record is there are kept.

    Raises:
        UnknownNameError: no agent, or no objective, has that name.
        InvalidArgumentError: fewer than two objectives, or no seed.
    """
    check_type(limits, Limits, what="limits")
    task = replace(
        check_type(task, Task, what="task"),
        objectives=check_names(objectives, what="objectives"),
    )
    runs = run_all(task, agents, seeds=seeds, limits=limits, jobs=jobs, folder=folder)
    rows: list[dict[str, Any]] = []
    for agent in settled_names(agents):
        mine = [run for run in runs if run.agent == agent]
        shares = np.array([run.share for run in mine])
        rows.append(
            {
                "agent": agent,
                "runs": len(mine),
                "share": float(shares.mean()),
                "share_deviation": float(shares.std(ddof=1)) if len(mine) > 1 else 0.0,
                "archive": float(np.mean([len(run.archive) for run in mine])),
                "failed": sum(bool(run.error) for run in mine),
                "error": next((run.error for run in mine if run.error), ""),
            }
        )
    rows.sort(key=lambda row: -row["share"])
    return {
        "env": runs[0].env,
        "objectives": list(objectives),
        "queries": limits.queries or max(run.queries for run in runs),
        "train_seconds": limits.train_seconds,
        "front": volume_of(task).size,
        "agents": rows,
        "runs": [run.as_dict() for run in runs],
    }
