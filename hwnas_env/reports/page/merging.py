"""Folders of records as one study."""

from collections.abc import Sequence
from typing import Any

from hwnas_env.benchmark.jobs import Job
from hwnas_env.benchmark.loading import Loaded
from hwnas_env.benchmark.runs import Run


def merged(parts: Sequence[Loaded]) -> Loaded:
    """Puts folders of records together; a job that is in several counts once.

    Args:
        parts: what was read of each folder.
    """
    kept: dict[Job, tuple[Run, dict[str, Any]]] = {}
    faults = list(dict.fromkeys(fault for part in parts for fault in part.faults))
    for part in parts:
        for (job, run), header in zip(part.found, part.headers, strict=True):
            first = kept.setdefault(job, (run, header))[0]
            if str(first) != str(run):
                faults.append(
                    f"{job.agent}, {job.task.env}, seed {job.seed}: two records of one "
                    "job differ; the second was left out"
                )
    seconds = {job: s for part in reversed(parts) for job, s in part.seconds.items()}
    rows = sorted(kept.items(), key=lambda row: row[0].sort_key())
    return Loaded(
        [(job, run) for job, (run, _) in rows],
        [header for _, (_, header) in rows],
        faults,
        seconds,
    )
