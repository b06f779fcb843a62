"""Runs a suite: one job an agent, task and seed, in any order and on any machine."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib
import numpy as np

from hwnas_env.benchmark.runs import Limits, Run, Task, check_request, recorded_run
from hwnas_env.benchmark.scores import score
from hwnas_env.benchmark.suites import SUITES, Suite
from hwnas_env.errors import InvalidArgumentError, unknown_name


@dataclass(frozen=True)
class Job:
    """One run of a suite.

    Attributes:
        task: what is searched.
        agent: who searches.
        seed: of the run.
    """

    task: Task
    agent: str
    seed: int


def find_suite(name: str) -> Suite:
    """Returns a suite by its name.

    Raises:
        UnknownNameError: there is none; the message names the nearest.
    """
    if name not in SUITES:
        raise unknown_name(name, SUITES, what="suite")
    return SUITES[name]


def jobs_of(
    suite: Suite, agents: Sequence[str], *, seeds: int, shard: str = "1/1"
) -> list[Job]:
    """Lists a suite's runs, or every n-th of them.

    Args:
        suite: its tasks.
        agents: names out of ``AGENTS``, or "package.module:Class".
        seeds: runs of each agent on each task.
        shard: "i/n" for the i-th of n machines, counted from 1.

    Raises:
        InvalidArgumentError: no shard of that form.
    """
    first, _, count = shard.partition("/")
    if not (first.isdecimal() and count.isdecimal() and 1 <= int(first) <= int(count)):
        message = f"shard: expected i/n with 1 <= i <= n, got {shard!r}"
        raise InvalidArgumentError(message)
    listed = [
        Job(task, agent, seed)
        for task in suite.tasks
        for agent in dict.fromkeys(agents)
        for seed in range(seeds)
    ]
    return listed[int(first) - 1 :: int(count)]


def run_suite(
    suite: Suite,
    agents: Sequence[str],
    *,
    seeds: int,
    limits: Limits,
    folder: Path | None = None,
    shard: str = "1/1",
    jobs: int = 1,
    finished: Callable[[Run], None] | None = None,
) -> list[tuple[Job, Run]]:
    """Runs what is missing; jobs, shards and interruptions change no result.

    Args:
        suite: its tasks.
        agents: names out of ``AGENTS``, or "package.module:Class".
        seeds: runs of each agent on each task.
        limits: what each run may spend.
        folder: of records; what is there is not run again.
        shard: "i/n": every n-th run, from the i-th on.
        jobs: processes; -1 for one a core.
        finished: told of every run as it ends.

    Raises:
        HWNASError: what :func:`hwnas_env.benchmark.runs.check_request` finds.
    """
    for task in suite.tasks:
        check_request(task, agents, seeds=seeds, limits=limits, jobs=jobs)
    listed = jobs_of(suite, agents, seeds=seeds, shard=shard)
    calls = [
        joblib.delayed(recorded_run)(
            job.task, job.agent, seed=job.seed, limits=limits, folder=folder
        )
        for job in listed
    ]
    runs: list[Run] = []
    results: Iterator[Run] = joblib.Parallel(n_jobs=jobs, return_as="generator")(calls)
    for run in results:
        if finished is not None:
            finished(run)
        runs.append(run)
    return list(zip(listed, runs, strict=True))


def suite_summary(suite: Suite, found: Sequence[tuple[Job, Run]]) -> dict[str, Any]:
    """Returns a suite's result as plain values: agents, best first, and their tasks.

    A run that failed counts with the score of what it had found, but 0 at most; one
    that found no feasible network counts 0.

    Args:
        suite: its tasks.
        found: jobs with their runs.
    """
    agents: list[dict[str, Any]] = []
    for agent in dict.fromkeys(job.agent for job, _ in found):
        mine = {
            task: [run for job, run in found if (job.agent, job.task) == (agent, task)]
            for task in suite.tasks
        }
        tasks = [_task_row(task, runs) for task, runs in mine.items() if runs]
        agents.append(
            {
                "agent": agent,
                "score": float(np.mean([row["score"] for row in tasks])),
                "failed": sum(row["failed"] for row in tasks),
                "tasks": tasks,
            }
        )
    agents.sort(key=lambda row: -row["score"])
    problems = [task.problem() for task in suite.tasks]
    return {
        "suite": suite.name,
        "description": suite.description,
        "tasks": len(suite.tasks),
        "costs": sorted({p.provenance[p.metric].kind for p in problems}),
        "accuracies": sorted({p.provenance["accuracy"].kind for p in problems}),
        "agents": agents,
    }


def _task_row(task: Task, runs: Sequence[Run]) -> dict[str, Any]:
    regrets = [run.regret_percent for run in runs if run.incumbent]
    return {
        "env": task.env,
        "budget": task.budget,
        "runs": len(runs),
        "failed": sum(bool(run.error) for run in runs),
        "score": float(np.mean([_counted(score(task, run), run) for run in runs])),
        "regret_percent": float(np.mean(regrets)) if regrets else None,
    }


def _counted(value: float, run: Run) -> float:
    if not run.incumbent:
        return 0.0
    return min(value, 0.0) if run.error else value
