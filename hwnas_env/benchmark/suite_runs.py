"""Runs a suite: one job an agent, task and seed, in any order and on any machine."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from hwnas_env.arguments import check_name, check_names, check_type, check_whole
from hwnas_env.benchmark.agent_options import settled_names
from hwnas_env.benchmark.backends import Workers
from hwnas_env.benchmark.jobs import Job
from hwnas_env.benchmark.runner import Ready, run_jobs
from hwnas_env.benchmark.runs import Run
from hwnas_env.benchmark.scores import log10_regret, score
from hwnas_env.benchmark.suites import SUITES, Suite
from hwnas_env.benchmark.tasks import Limits, Task, check_request
from hwnas_env.errors import InvalidArgumentError, shown
from hwnas_env.types import AnyPath


def find_suite(name: str) -> Suite:
    """Returns a suite by its name.

    Raises:
        UnknownNameError: there is none; the message names the nearest.
    """
    return SUITES[check_name(name, SUITES, what="suite")]


def jobs_of(
    suite: Suite,
    agents: Sequence[str],
    *,
    seeds: int,
    limits: Limits,
    shard: str = "1/1",
) -> list[Job]:
    """Lists a suite's runs, or every n-th of them.

    Args:
        suite: its tasks.
        agents: names out of ``AGENTS``, or "package.module:Class"; behind any of them
            options, as "ppo:n_envs=32".
        seeds: runs of each agent on each task.
        limits: what each run may spend.
        shard: "i/n" for the i-th of n machines, counted from 1.

    Raises:
        InvalidArgumentError: no shard of that form.
    """
    check_type(suite, Suite, what="suite")
    names = settled_names(agents)
    check_whole(seeds, what="seeds", least=1)
    first, _, count = check_type(shard, str, what="shard").partition("/")
    if not (first.isdecimal() and count.isdecimal() and 1 <= int(first) <= int(count)):
        message = f"shard: expected i/n with 1 <= i <= n, got {shown(shard)}"
        raise InvalidArgumentError(message)
    listed = [
        Job(task, agent, seed, limits)
        for task in suite.tasks
        for agent in dict.fromkeys(names)
        for seed in range(seeds)
    ]
    return listed[int(first) - 1 :: int(count)]


def check_suite(
    suite: Suite, agents: Sequence[str], *, seeds: int, limits: Limits
) -> None:
    """Raises what :func:`run_suite` would, before any process starts.

    Raises:
        HWNASError: what :func:`hwnas_env.benchmark.tasks.check_request` finds.
    """
    check_names(agents, what="agents")
    for task in check_type(suite, Suite, what="suite").tasks:
        check_request(task, agents, seeds=seeds, limits=limits)


def run_suite(
    suite: Suite,
    agents: Sequence[str],
    *,
    seeds: int,
    limits: Limits,
    folder: AnyPath | None = None,
    shard: str = "1/1",
    workers: Workers | None = None,
    ready: Ready | None = None,
    finished: Callable[[Job, Run], None] | None = None,
    timed: Callable[[Job, float], None] | None = None,
) -> list[tuple[Job, Run]]:
    """Runs what is missing; workers, shards and interruptions change no result.

    Args:
        suite: its tasks.
        agents: names out of ``AGENTS``, or "package.module:Class"; behind any of them
            options, as "ppo:n_envs=32".
        seeds: runs of each agent on each task.
        limits: what each run may spend.
        folder: of records; what is there is not run again.
        shard: "i/n": every n-th run, from the i-th on.
        workers: where the runs run; one process by default.
        ready: what the folder holds, where that is known.
        finished: told of every run that was missing, as it ends.
        timed: told how many seconds it took.

    Raises:
        HWNASError: what :func:`hwnas_env.benchmark.tasks.check_request` finds, or
            :func:`hwnas_env.benchmark.runner.run_jobs`.
    """
    check_suite(suite, agents, seeds=seeds, limits=limits)
    listed = jobs_of(suite, agents, seeds=seeds, limits=limits, shard=shard)
    results = run_jobs(
        listed,
        folder=folder,
        workers=workers,
        ready=ready,
        finished=finished,
        timed=timed,
    )
    return list(zip(listed, results, strict=True))


def suite_summary(suite: Suite, found: Sequence[tuple[Job, Run]]) -> dict[str, Any]:
    """Returns a suite's result as plain values: agents, best first, and their tasks.

    A run that failed counts with the score of what it had found, but 0 at most. Every
    task says of which kind its data are. Tasks with one objective and fronts are not
    averaged: where a suite has both, "score" is the mean over tasks with one objective
    and "front_score" that over fronts, which is None in other suites.

    Args:
        suite: its tasks.
        found: jobs with their runs.
    """
    by_agent: dict[str, dict[Task, list[tuple[Job, Run]]]] = {}
    for job, result in found:
        its = by_agent.setdefault(job.agent, {}).setdefault(job.task, [])
        its.append((job, result))
    ran = [task for task in suite.tasks if any(job.task == task for job, _ in found)]
    mixed = len({bool(task.objectives) for task in ran}) > 1
    agents: list[dict[str, Any]] = []
    for agent, mine in by_agent.items():
        rows = [_task_row(task, mine[task]) for task in ran if task in mine]
        single, fronts = (
            [row["score"] for row in rows if bool(row["objectives"]) == front]
            for front in (False, True)
        )
        runs = [run for found_by in mine.values() for _, run in found_by]
        agents.append(
            {
                "agent": agent,
                "score": _mean(single if mixed else single or fronts),
                "front_score": _mean(fronts) if mixed else None,
                "log10_regret": _mean(
                    [r["log10_regret"] for r in rows if r["log10_regret"] is not None]
                ),
                "runs": len(runs),
                "failed": sum(row["failed"] for row in rows),
                "error": next((run.error for run in runs if run.error), ""),
                "tasks": rows,
            }
        )
    agents.sort(key=lambda row: math.inf if row["score"] is None else -row["score"])
    kinds = [task_kinds(task) for task in ran]
    costs = {kind for row in kinds for name, kind in row.items() if name != "accuracy"}
    return {
        "suite": suite.name,
        "description": suite.description,
        "tasks": len(suite.tasks),
        "costs": sorted(costs),
        "accuracies": sorted({row["accuracy"] for row in kinds}),
        "kinds": [
            {**_names(task), "kinds": row} for task, row in zip(ran, kinds, strict=True)
        ],
        "agents": agents,
    }


def task_kinds(task: Task) -> dict[str, str]:
    """Returns of which kind the columns are that a task is scored by."""
    provenance = task.problem().provenance
    names = dict.fromkeys(("accuracy", *(task.objectives or (task.metric,))))
    return {name: provenance[name].kind for name in names}


def _names(task: Task) -> dict[str, Any]:
    return {
        "env": task.env,
        "budget": task.budget,
        "objectives": list(task.objectives),
        "train": list(task.train),
    }


def _task_row(task: Task, found: Sequence[tuple[Job, Run]]) -> dict[str, Any]:
    runs = [run for _, run in found]
    found_feasible = [run for run in runs if run.incumbent]
    return {
        **_names(task),
        "kinds": task_kinds(task),
        "runs": len(runs),
        "failed": sum(bool(run.error) for run in runs),
        "score": float(
            np.mean([counted_score(task, run, job.limits) for job, run in found])
        ),
        "regret_percent": _mean([run.regret_percent for run in found_feasible]),
        "log10_regret": _mean([log10_regret(run) for run in found_feasible]),
        "share": _mean([run.share for run in runs if task.objectives]),
    }


def counted_score(task: Task, run: Run, limits: Limits) -> float:
    """Returns what a run counts: its score, and 0 at most where it failed.

    Args:
        task: what was searched.
        run: what was found.
        limits: what it might spend.
    """
    value = score(task, run, limits)
    return min(value, 0.0) if run.error else value


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None
