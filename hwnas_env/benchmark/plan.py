"""What a study will take, before it starts: jobs, time and room on the disk."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hwnas_env.benchmark.jobs import Job
from hwnas_env.benchmark.records import record_path
from hwnas_env.benchmark.runner import Ready
from hwnas_env.benchmark.seconds import load_seconds, record_name
from hwnas_env.types import AnyPath

RECORD_BYTES, QUERY_BYTES = 1000, 45
"""What a record takes, and each of its queries: means over our own spaces."""


@dataclass(frozen=True)
class Plan:
    """What is left to do of a study.

    Attributes:
        name: of the suite.
        tasks: how many there are.
        agents: their names.
        seeds: runs of each agent on each task, over all shards.
        shard: "i/n".
        jobs: how many this command has.
        left: how many of them have no record.
        seconds: about how long one process takes for those left whose agents have runs
            with a wall time; None where none has.
        unknown: agents with jobs left of which nothing is known yet.
        size_bytes: about how large the records of those left are; None where queries
            are not limited.
        folder: where they go.
    """

    name: str
    tasks: int
    agents: tuple[str, ...]
    seeds: int
    shard: str
    jobs: int
    left: int
    seconds: float | None
    unknown: tuple[str, ...]
    size_bytes: int | None
    folder: str


def plan_of(
    name: str,
    jobs: Sequence[Job],
    ready: Ready,
    *,
    folder: AnyPath,
    seeds: int,
    shard: str = "1/1",
) -> Plan:
    """Returns what is left of some jobs.

    Args:
        name: of the suite.
        jobs: at least one, all with the same limits.
        ready: those that have a record.
        folder: of the records.
        seeds: runs of each agent on each task.
        shard: "i/n".
    """
    left = [job for job in jobs if job not in ready.jobs]
    agents = tuple(dict.fromkeys(job.agent for job in jobs))
    known = seconds_a_run(list(ready.results), folder)
    times = [known[job.agent] for job in left if job.agent in known]
    queries = jobs[0].limits.queries
    each = None if queries is None else RECORD_BYTES + QUERY_BYTES * queries
    return Plan(
        name=name,
        tasks=len({job.task for job in jobs}),
        agents=agents,
        seeds=seeds,
        shard=shard,
        jobs=len(jobs),
        left=len(left),
        seconds=sum(times) if times else None,
        unknown=tuple(dict.fromkeys(j.agent for j in left if j.agent not in known)),
        size_bytes=None if each is None else each * len(left),
        folder=str(folder),
    )


def seconds_a_run(jobs: Sequence[Job], folder: AnyPath) -> Mapping[str, float]:
    """Returns the median wall time of a run, by agent.

    Args:
        jobs: that have a record.
        folder: of the records; see :mod:`hwnas_env.benchmark.seconds`.
    """
    known = load_seconds(folder)
    times: dict[str, list[float]] = {}
    for job in jobs if known else ():
        name = record_name(record_path(folder, job))
        if name in known:
            times.setdefault(job.agent, []).append(known[name])
    return {agent: statistics.median(found) for agent, found in times.items()}
