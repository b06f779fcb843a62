"""Runs jobs in any order, in any process, on any machine; each leaves its record."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import joblib

from hwnas_env.arguments import path_of
from hwnas_env.benchmark.agent_options import settled_names
from hwnas_env.benchmark.backends import Pool, Workers, open_pool
from hwnas_env.benchmark.callbacks import RunCallback, check_callback
from hwnas_env.benchmark.guard import end_with, guarded
from hwnas_env.benchmark.jobs import Job
from hwnas_env.benchmark.loading import load_file, other_data, record_of, two_records
from hwnas_env.benchmark.records import (
    OLD_SUFFIX,
    record_path,
    record_paths,
    uncompressed,
    write_record,
)
from hwnas_env.benchmark.runs import Run, failed_run, run_here
from hwnas_env.benchmark.tasks import Limits, Task, check_request
from hwnas_env.errors import DataError, InvalidArgumentError, WorkerProcessError, shown
from hwnas_env.moved import renamed
from hwnas_env.types import AnyPath

ATTEMPTS = 5
"""How often in a row workers may die without any job done before a study gives up."""

ROUND = 8
"""Jobs a worker in one round, where a backend cannot say which jobs are done."""


@dataclass(frozen=True)
class Ready:
    """What a folder already holds of some jobs.

    Attributes:
        results: the runs that have a record, by job.
        faults: by job, a sentence on a file that is there and is not its record.
    """

    results: dict[Job, Run]
    faults: dict[Job, str]

    @property
    def jobs(self) -> set[Job]:
        """Jobs that are not run again."""
        return {*self.results, *self.faults}


def ready_jobs(jobs: Sequence[Job], folder: AnyPath | None) -> Ready:
    """Reads the records of the jobs that have one.

    Args:
        jobs: what is asked.
        folder: of records; None for none.
    """
    results: dict[Job, Run] = {}
    faults: dict[Job, str] = {}
    for job in jobs:
        for path in [] if folder is None else record_paths(folder, job):
            try:
                _, run, header = load_file(path, allow=_own_costs(job))
            except DataError as error:
                faults[job] = str(error)
                continue
            here = job.task.problem().provenance
            if others := other_data(header, here, list(here)):
                faults[job] = (
                    f"{path.name}: {', '.join(others)} of other data than is here; use "
                    "another folder, or remove it to run again"
                )
            elif results.setdefault(job, run) != run:
                faults[job] = two_records(record_path(path.parent, job).name, path.name)
    return Ready(results, faults)


def run_jobs(
    jobs: Sequence[Job],
    *,
    folder: AnyPath | None = None,
    workers: Workers | None = None,
    ready: Ready | None = None,
    finished: Callable[[Job, Run], None] | None = None,
    timed: Callable[[Job, float], None] | None = None,
    callback: RunCallback | None = None,
) -> list[Run]:
    """Runs the jobs that have no record yet; workers change no result.

    Every worker writes the record of its job itself, so that nothing is lost with the
    process that handed them out. Jobs of workers that died are handed out again.

    Args:
        jobs: what is run.
        folder: of records, shared by all workers; None keeps none.
        workers: where they run; one process by default.
        ready: what :func:`ready_jobs` found; asked here where None.
        finished: told of every job that was run, as it ends.
        timed: told how many seconds of real time it took, where its worker lives.
        callback: told of every query of those jobs, where they run; see
            :func:`hwnas_env.benchmark.runs.run_once`. Of runs in other processes, or
            with a timeout, it is "package.module:function".

    Returns:
        One result a job, in their order.

    Raises:
        DataError: files in the folder are not the records that their names say; all
            other jobs are run first. Or the folder cannot be written.
        WorkerProcessError: workers die again and again.
        MissingExtraError: the backend is not installed.
        NotSerialisableError: the callback is a function, and runs are elsewhere.
    """
    workers = Workers() if workers is None else workers
    guarded_runs = any(job.limits.timeout_seconds is not None for job in jobs)
    here = workers == Workers() and not guarded_runs
    check_callback(callback, elsewhere=not here)
    for what, told in (("finished", finished), ("timed", timed)):
        if told is not None and not callable(told):
            message = f"{what}: expected a function, got {shown(told)}"
            raise InvalidArgumentError(message)
    found = ready_jobs(jobs, folder) if ready is None else ready
    results = dict(found.results)

    def keep(job: Job, run: Run, seconds: float | None) -> None:
        results[job] = run
        if finished is not None:
            finished(job, run)
        if timed is not None and seconds is not None:
            timed(job, seconds)

    missing = [job for job in dict.fromkeys(jobs) if job not in found.jobs]
    if missing:
        with open_pool(workers) as pool:
            _run_missing(missing, folder, pool, keep, callback)
    if folder is not None:
        _remove_leftovers(path_of(folder), jobs)
    if found.faults:
        message = f"{'; '.join(found.faults.values())} (all other runs are done)"
        raise DataError(message)
    return [results[job] for job in jobs]


def _own_costs(job: Job) -> tuple[str, ...]:
    """Returns a job's costs, which who asks for the job has named; its records may."""
    return () if job.task.costs is None else (job.task.costs,)


def load_or_run(
    job: Job, folder: AnyPath | None, *, callback: RunCallback | None = None
) -> Run:
    """Returns a job's run out of its record, or runs it and writes the record.

    A run that hangs beyond its limits' ``timeout_seconds``, or whose process dies
    within them, is a run with an ``error``.

    Args:
        job: what is run.
        folder: of records; None for none.
        callback: told of every query of a run; see :func:`run_jobs`.

    Raises:
        DataError: its record cannot be written, or the file there is not its record.
    """
    there = [] if folder is None else record_paths(folder, job)
    if there:
        return load_file(there[0], allow=_own_costs(job))[1]
    run = run_job(job, callback=callback)
    if folder is not None:
        write_record(record_path(folder, job), record_of(job, run))
    return run


def _run_in_worker(
    job: Job,
    folder: AnyPath | None,
    parent: int | None,
    callback: RunCallback | None,
) -> tuple[Run, float]:
    """Runs a job in a worker, as long as the process that asked for it lives.

    Returns:
        The run, and how many seconds of real time it took.
    """
    if parent is not None:
        end_with(parent)
    start = time.perf_counter()
    run = load_or_run(job, folder, callback=callback)
    return run, time.perf_counter() - start


def run_job(job: Job, *, callback: RunCallback | None = None) -> Run:
    """Runs a job; the same job gives the same run, in any process and order.

    Args:
        job: with a timeout, it runs in a process of its own.
        callback: told of every query; see :func:`run_jobs`.
    """
    told: Any = {"callback": callback}
    if job.limits.timeout_seconds is None:
        return run_here(job, **told)
    answer = guarded(run_here, (job,), told, seconds=job.limits.timeout_seconds)
    return failed_run(job, error=answer) if isinstance(answer, str) else answer


def run_all(
    task: Task,
    agents: Sequence[str],
    *,
    seeds: int,
    queries: int | None = 300,
    limits: Limits | None = None,
    jobs: int = 1,
    folder: AnyPath | None = None,
    finished: Callable[[Job, Run], None] | None = None,
    callback: RunCallback | None = None,
) -> list[Run]:
    """Runs every agent with seeds 0, 1, ... on one task.

    Args:
        task: what is searched; with objectives, fronts are.
        agents: names out of ``AGENTS``, or "package.module:Class"; behind any of them
            options, as "ppo:n_envs=32".
        seeds: runs of each agent.
        queries: queries of each run, where ``limits`` are not given.
        limits: what each run may spend.
        jobs: processes; -1 for one a core. Any number gives the same.
        folder: where each run's record goes as it ends; runs whose record is there are
            not run again, so that a study that was interrupted goes on.
        finished: told of every run as it ends.
        callback: told of every query; see :func:`run_jobs`.

    Returns:
        One run an agent and seed, in their order; an agent that is named twice is run
        once.

    Raises:
        HWNASError: what :func:`check_request` finds, or :func:`run_jobs`.
    """
    limits = Limits(queries) if limits is None else limits
    check_request(task, agents, seeds=seeds, limits=limits, jobs=jobs)
    listed = [
        Job(task, agent, seed, limits)
        for agent in settled_names(agents)
        for seed in range(seeds)
    ]
    return run_jobs(
        listed,
        folder=folder,
        workers=Workers(jobs),
        finished=finished,
        callback=callback,
    )


def _run_missing(
    missing: list[Job],
    folder: AnyPath | None,
    pool: Pool,
    keep: Callable[[Job, Run, float | None], None],
    callback: RunCallback | None,
) -> None:
    """Runs jobs; where a worker died, those again that have no run yet."""
    attempts = 0
    while missing:
        done: set[Job] = set()
        try:
            for job, (run, seconds) in _run_in_rounds(missing, folder, pool, callback):
                done.add(job)
                keep(job, run, seconds)
        except pool.deaths as error:
            left = [job for job in missing if job not in done]
            for job, run in ready_jobs(left, folder).results.items():
                done.add(job)
                keep(job, run, None)
            attempts = 0 if done else attempts + 1
            if attempts == ATTEMPTS:
                message = (
                    f"workers died {ATTEMPTS} times in a row without an end of any of "
                    f"{len(missing)} runs; a timeout gives each a process of its own: "
                    f"{type(error).__name__}"
                )
                raise WorkerProcessError(message) from None
        missing = [job for job in missing if job not in done]


def _remove_leftovers(folder: Path, jobs: Sequence[Job]) -> None:
    """Removes what killed processes left of records that are there by now."""
    parts = list(folder.glob(f"*{OLD_SUFFIX}*.part"))
    paths = (path for job in jobs if parts for path in record_paths(folder, job))
    there = {uncompressed(path) for path in paths}
    for part in parts:
        if uncompressed(folder / part.name.rsplit(".", 2)[0]) in there:
            part.unlink(missing_ok=True)


def _run_in_rounds(
    missing: Sequence[Job],
    folder: AnyPath | None,
    pool: Pool,
    callback: RunCallback | None,
) -> Iterator[tuple[Job, tuple[Run, float]]]:
    """Runs jobs and yields each with its run and its seconds, in their order."""
    size = len(missing) if pool.streams else ROUND * pool.size
    for first in range(0, len(missing), size):
        part = missing[first : first + size]
        parallel = joblib.Parallel(
            n_jobs=pool.jobs, return_as="generator" if pool.streams else "list"
        )
        call = joblib.delayed(_run_in_worker)
        calls = (call(job, folder, pool.parent, callback) for job in part)
        yield from zip(part, parallel(calls), strict=True)


if not TYPE_CHECKING:
    __getattr__ = renamed(__name__)
