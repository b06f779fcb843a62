"""What a study will take, before it starts: jobs, time and room on the disk.

Records hold no times, so that the same run has the same bytes. What the system says of
when files were written is used instead: one record after another of the same command.
"""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from hwnas_env.benchmark.jobs import Job
from hwnas_env.benchmark.records import record_paths
from hwnas_env.benchmark.runner import Ready
from hwnas_env.types import AnyPath

RECORD_BYTES, QUERY_BYTES = 1000, 45
"""What a record takes, and each of its queries: means over our own spaces."""

LEAST_GAP, LEAST_TIMES = 0.002, 3
"""Seconds that any run takes; records closer together were copied. And how many times
from one record to the next tell how long an agent's runs take."""


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
        seconds: about how long those left take whose agents have records, with as many
            processes as wrote these; None where no agent has enough.
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
    """Returns how long a run takes, by agent, from when records were written.

    It is the median time from one record to the next, so pauses do not count.

    Args:
        jobs: that have a record.
        folder: of the records.
    """
    paths = ((job.agent, path) for job in jobs for path in record_paths(folder, job))
    written = sorted((_written(path), agent) for agent, path in paths)
    gaps: dict[str, list[float]] = {}
    for (before, _), (after, agent) in pairwise(written):
        gaps.setdefault(agent, []).append(after - before)
    found = {
        agent: statistics.median_low(times)
        for agent, times in gaps.items()
        if len(times) >= LEAST_TIMES
    }
    return {agent: time for agent, time in found.items() if time > LEAST_GAP}


def _written(path: Path) -> float:
    return path.stat().st_mtime_ns / 1e9
