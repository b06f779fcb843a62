"""From runs to records and back, and whole folders of them."""

import functools
import json
import math
import platform
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

import gymnasium as gym
import numpy as np

from hwnas_env.agents import find_agent
from hwnas_env.arguments import check_allow, path_of
from hwnas_env.benchmark.agent_options import parts_of
from hwnas_env.benchmark.faults import fault_words
from hwnas_env.benchmark.jobs import Job
from hwnas_env.benchmark.measures import Answers, feasible_rows, measured
from hwnas_env.benchmark.records import (
    MARKS,
    NEEDED,
    PACKAGES,
    SCHEMA,
    SUMMARY,
    Record,
    json_value,
    read_record,
    record_path,
    records_in,
    uncompressed,
)
from hwnas_env.benchmark.runs import ARCHIVE, INCUMBENT, Run
from hwnas_env.benchmark.seconds import load_seconds, record_name
from hwnas_env.benchmark.tasks import Limits, Task, cached_by_data, check_task
from hwnas_env.data import older
from hwnas_env.devices.registry import reference
from hwnas_env.envs.spec import HWNASEnvSpec
from hwnas_env.errors import (
    DataError,
    ForeignFileError,
    HWNASError,
    InvalidGenotypeError,
    shown,
)
from hwnas_env.moved import renamed
from hwnas_env.problems.problem import Problem
from hwnas_env.showing import line
from hwnas_env.types import AnyPath, Provenance
from hwnas_env.version import __version__

PROCESSOR = "processor"
"""Stands among versions: what machine it was, where results depend on it."""

PROVENANCE = ("kind", "citation", "sha256")
"""What a header says of each column."""

MOST_COST = 1e12
"""What no incumbent costs, and no training takes, in any unit."""

FOUND = {"accuracy_percent": 100.0, "cost": MOST_COST, "regret_percent": 100.0}
"""What a summary says of an incumbent, and how much that is at most."""


@dataclass(frozen=True)
class Loaded:
    """What a folder of records holds, sorted by job.

    Attributes:
        found: jobs with their runs.
        headers: of the same records in the same order: "schema", "request",
            "environment", "provenance" (by column: "kind", "citation", "sha256"),
            "versions".
        faults: one sentence a file that is no whole record, naming it.
        seconds: wall time of the runs that have one; see
            :mod:`hwnas_env.benchmark.seconds`. The same records are equal without it.
    """

    found: list[tuple[Job, Run]]
    headers: list[dict[str, Any]]
    faults: list[str]
    seconds: Mapping[Job, float] = field(
        default_factory=dict, compare=False, repr=False
    )

    def __repr__(self) -> str:
        """Returns how many runs there are, and how many files that are none."""
        faults = f", {len(self.faults)} faults" if self.faults else ""
        return line("Loaded", f"{len(self.found):,} runs{faults}")


def load_folder(folder: AnyPath, *, allow: Collection[str] = ()) -> Loaded:
    """Reads every record of a folder; a file that is none is a fault, and left out.

    Args:
        folder: as ``--out`` of a run; its own files, not those of folders in it.
        allow: see :meth:`hwnas_env.benchmark.Job.from_request`.

    Raises:
        DataError: there is no such folder.
    """
    folder, allow = path_of(folder, what="folder"), check_allow(allow)
    if not folder.is_dir():
        message = f"{folder}: expected a folder of records"
        raise DataError(message)
    rows: list[tuple[Job, Run, dict[str, Any]]] = []
    faults = []
    known: dict[Job, tuple[str, Run]] = {}
    for path in records_in(folder):
        try:
            job, run, header = load_file(path, allow=allow)
        except HWNASError as error:
            faults.append(str(error))
            continue
        name, first = known.setdefault(job, (path.name, run))
        if name == path.name:
            rows.append((job, run, header))
        elif run != first:
            faults.append(two_records(name, path.name))
    rows.sort(key=lambda row: row[0].sort_key())
    found: list[tuple[Job, Run]] = [(job, run) for job, run, _ in rows]
    times = load_seconds(folder)
    jobs = (job for job, _ in found) if times else ()
    names = {job: record_name(record_path(folder, job)) for job in jobs}
    seconds = {job: times[name] for job, name in names.items() if name in times}
    return Loaded(found, [header for *_, header in rows], faults, seconds)


def two_records(name: str, other: str) -> str:
    """Says that two files hold two different runs of one job."""
    return f"{other}: of the same job as {name}, and differs; remove one of them"


def load_file(
    path: AnyPath, *, allow: Collection[str] = ()
) -> tuple[Job, Run, dict[str, Any]]:
    """Reads one record: its job, its run and its header.

    Args:
        path: of a record.
        allow: see :meth:`hwnas_env.benchmark.Job.from_request`.

    Raises:
        TruncatedFileError: lines are missing.
        ForeignFileError: the file is no record, or one of another job than its name
            says.
    """
    job, run, record = load_record(path, allow=allow)
    return job, run, record.header


def load_record(
    path: AnyPath, *, allow: Collection[str] = ()
) -> tuple[Job, Run, Record]:
    """Reads one record, as :func:`load_file` does, with every line of it.

    Args:
        path: of a record.
        allow: see :meth:`hwnas_env.benchmark.Job.from_request`.

    Raises:
        TruncatedFileError: lines are missing.
        ForeignFileError: the file is no record, or one of another job than its name
            says.
    """
    path, allow = path_of(path), check_allow(allow)
    record = read_record(path)
    try:
        job = Job.from_request(record.header["request"], allow=allow)
        problem = _problem_of(job.task, job.limits)
    except HWNASError as error:
        message = f"{path.name}, line 1: {error}"
        raise ForeignFileError(message) from None
    expected = record_path(path.parent, job)
    if path.name not in (expected.name, uncompressed(expected).name):
        message = f"{path.name}, line 1: the record of another request, {expected.name}"
        raise ForeignFileError(message)
    for place, words in _impossible(job, problem, record):
        message = f"{path.name}, line {place}: {words}"
        raise ForeignFileError(message)
    try:
        run = run_of(job, record)
    except (LookupError, TypeError, ValueError, ArithmeticError) as error:
        message = f"{path.name}: not the record of a run: {fault_words(error)}"
        raise ForeignFileError(message) from None
    return job, run, record


@cached_by_data
def _problem_of(task: Task, limits: Limits) -> Problem:
    """Checks a task and its limits once for all of its records."""
    return check_task(task, limits)


def _impossible(
    job: Job, problem: Problem, record: Record
) -> Iterator[tuple[int, str]]:
    """Yields lines, and why they cannot be of the job's problem.

    Whether they are its answers is for :mod:`hwnas_env.benchmark.validate`.
    """
    sources, releases = record.header["provenance"], record.header["versions"]
    if not isinstance(sources, dict) or not all(
        isinstance(sources.get(name), dict)
        and all(isinstance(sources[name].get(key), str) for key in PROVENANCE)
        for name in problem.provenance
    ):
        yield 1, "provenance: not of the columns of this problem"
    if not isinstance(releases, dict) or not all(
        isinstance(words, str) for words in releases.values()
    ):
        yield 1, "versions: expected a text by package"
    for place, query in enumerate(record.queries, start=2):
        try:
            word = bare_word(problem, record.header, query)
            problem.space.from_words([word])
        except InvalidGenotypeError:
            yield place, f"genotype: {shown(query['genotype'])} is no network"
        if set(query["costs"]) != set(problem.metrics):
            yield place, f"costs: expected {', '.join(problem.metrics)}"
        for name, cost in query["costs"].items():
            if cost is not None and not (isinstance(cost, float) and cost >= 0.0):
                yield place, f"costs.{name}: {shown(cost)} is none"
        if not 0.0 <= query["accuracy_percent"] <= 100.0:
            yield place, f"accuracy_percent: {query['accuracy_percent']} is none"
    last = len(record.queries) + 2
    for words in _impossible_summary(job, problem, record):
        yield last, words


def _impossible_summary(job: Job, problem: Problem, record: Record) -> Iterator[str]:
    """Yields why a summary cannot be of the job's problem and the record's queries."""
    summary = record.summary
    words = {bare_word(problem, record.header, query) for query in record.queries}
    expected = (*NEEDED, *(ARCHIVE if job.task.objectives else INCUMBENT))
    for name in (*expected, *summary):
        if name not in summary or name not in expected:
            yield f"{name}: {'missing' if name in expected else 'not expected'}"
            return
    if not 0 <= summary["unique_queries"] <= len(record.queries):
        yield f"unique_queries: {shown(summary['unique_queries'])} are not possible"
    if not 0.0 <= summary["train_seconds"] <= MOST_COST:
        yield f"train_seconds: {summary['train_seconds']} are not possible"
    if not 0.0 <= summary.get("share", 0.0) <= 1.0 + 1e-9:
        yield f"share: {summary['share']} is none"
    for name in filter(None, summary.get("archive", [summary.get("incumbent")])):
        if not isinstance(name, str) or _word(problem, name) not in words:
            yield f"incumbent or archive: {shown(name)} was not queried"
    numbers = {name: summary[name] for name in FOUND if name in summary}
    if not problem.model.exact:  # no optimum is known
        numbers.pop("regret_percent", None)
    given = {number is not None for number in numbers.values()}
    if numbers and given != {bool(summary["incumbent"])}:
        yield f"incumbent: expected it with {', '.join(FOUND)}, or none of them"
        return
    for name, number in numbers.items():
        if number is not None and not -1e-9 <= number <= FOUND[name]:
            yield f"{name}: {number} is none"


def _word(problem: Problem, name: str) -> str:
    """Returns a named network as queries are written; "" for a name of none."""
    try:
        return problem.space.words(problem.encode(name)[None])[0]
    except HWNASError:
        return ""


def bare_word(problem: Problem, header: Any, query: Mapping[str, Any]) -> str:
    """Returns a query's network as ``space.words`` writes it.

    Args:
        problem: whose network it is.
        header: of the query's record; its schema says how networks are written.
        query: with its "genotype".

    Raises:
        InvalidGenotypeError: it is not written so.
    """
    mark, word = MARKS[header["schema"]], query.get("genotype")
    if not isinstance(word, str) or not word.startswith(mark):
        some = f" that begins with {mark}" if mark else ""
        message = f"expected a text{some}, got {shown(word)}"
        raise InvalidGenotypeError(message)
    bare = word.removeprefix(mark)
    if len(bare) != problem.space.length:
        message = f"expected {problem.space.length} letters, got {len(bare)}"
        raise InvalidGenotypeError(message)
    return bare


def record_of(
    job: Job, run: Run, *, made_with: Any = None, schema: str = SCHEMA
) -> Record:
    """Returns the record of a run: what it asked, and what the problem says of it.

    Args:
        job: what was run.
        run: what it found.
        made_with: the header's versions; None for those of this process.
        schema: how the record is written.
    """
    problem = job.task.problem()
    genotypes = problem.space.from_words(run.networks)
    evaluation = problem.evaluate_valid(genotypes)
    feasible = feasible_rows(problem, evaluation, limit=job.task.limit(problem))
    seconds = evaluation.train_seconds
    queries = []
    for row, word in enumerate(run.networks):
        costs = zip(problem.metrics, evaluation.costs[row].tolist(), strict=True)
        query: dict[str, Any] = {
            "genotype": f"{MARKS[schema]}{word}",
            "accuracy_percent": float(evaluation.accuracy_percent[row]),
            "costs": {name: json_value(value) for name, value in costs},
            "feasible": bool(feasible[row]),
        }
        if seconds is not None:
            query["train_seconds"] = float(seconds[row])
        queries.append(query)
    values = run.as_dict()
    summary = {name: values[name] for name in SUMMARY if name in values}
    header = header_of(job, problem, made_with=made_with)
    return Record({**header, "schema": schema}, tuple(queries), summary)


def run_of(job: Job, record: Record) -> Run:
    """Returns the run of a record; its curve is computed again.

    Args:
        job: the record's.
        record: as it was read.
    """
    problem, queries = job.task.problem(), record.queries
    costs = [
        [math.inf if query["costs"][name] is None else query["costs"][name]]
        for query in queries
        for name in problem.metrics
    ]
    answers = Answers(
        np.array([query["accuracy_percent"] for query in queries], dtype=np.float64),
        np.array(costs, dtype=np.float64).reshape(-1, len(problem.metrics)),
        np.array([query["feasible"] for query in queries], dtype=np.bool_),
    )
    curve, _ = measured(job.task, answers)
    values = {k: v for k, v in record.summary.items() if k != "sha256"}
    for name, value in values.items():
        if value is None:
            values[name] = math.nan
        elif isinstance(value, list):
            values[name] = tuple(value)
    return Run(
        env=job.task.env_id,
        agent=job.agent,
        seed=job.seed,
        objectives=job.task.objectives,
        curve=tuple(curve),
        networks=tuple(bare_word(problem, record.header, query) for query in queries),
        **values,
    )


def header_of(job: Job, problem: Problem, *, made_with: Any = None) -> dict[str, Any]:
    """Returns the first line of a job's record.

    Args:
        job: what is run.
        problem: its task's.
        made_with: versions; None for those of this process, which imports the agent.
    """
    return {
        "schema": SCHEMA,
        "request": job.request(),
        "environment": environment_of(job.task, problem),
        "provenance": {
            name: {
                "kind": provenance.kind,
                "citation": provenance.citation,
                "sha256": provenance.sha256,
            }
            for name, provenance in problem.provenance.items()
        },
        "versions": versions(job.agent) if made_with is None else made_with,
    }


def environment_of(task: Task, problem: Problem) -> dict[str, Any]:
    """Returns the specification of a task's environment, as ``to_json`` writes it.

    Args:
        task: what is searched; without a budget, the largest cost is the bound.
        problem: the task's.
    """
    spec = HWNASEnvSpec.of(gym.spec(task.env_id))
    largest = problem.model.largest(problem.metric_column)
    keywords: dict[str, Any] = {
        "dataset": problem.dataset,
        "metric": task.metric,
        "budget": largest if task.budget is None else task.budget,
        "source": problem.source,
    }
    if problem.device.sha256:  # the user's own: what its costs were
        own = reference(problem.device, problem.space.name, problem.dataset)
        keywords["device"] = own
    if task.costs is not None:
        keywords["costs"] = task.costs
        keywords["source"] = "builtin"
    if task.objectives:
        keywords["objectives"] = list(task.objectives)
    spec.kwargs = {**spec.kwargs, **keywords}
    values: dict[str, Any] = json.loads(spec.to_json())
    return values


def other_data(
    header: Mapping[str, Any], here: Mapping[str, Provenance], names: Sequence[str]
) -> list[str]:
    """Returns the columns of a record that were made with other data than is here.

    What is exact has no data: 0.1 called it fitted. Where 0.1 named its own files, the
    data is the same.

    Args:
        header: the record's.
        here: this machine's provenance of the same problem.
        names: the columns that count.
    """
    recorded = header["provenance"]
    return [
        name
        for name in names
        if here[name].kind != "exact"
        and recorded[name]["sha256"] not in older.FILES
        and (recorded[name]["kind"], recorded[name]["sha256"])
        != (here[name].kind, here[name].sha256)
    ]


def versions(agent: str) -> dict[str, str]:
    """Returns the versions of the packages that an agent's results depend on.

    Where these compute with the processor's own kernels, as learners do, "processor"
    is among them.

    Args:
        agent: a name out of ``AGENTS``, or "package.module:Class", which is imported;
            options behind it change nothing.
    """
    try:
        packages = find_agent(parts_of(agent)[0]).packages
    except HWNASError:  # one that only another process can import
        packages = ()
    return installed((*PACKAGES, *packages, *((PROCESSOR,) if packages else ())))


def installed(names: Iterable[str]) -> dict[str, str]:
    """Returns the versions that are installed here, and what "processor" this is.

    Args:
        names: of packages, and "processor".
    """
    return {name: _installed(name) for name in names}


@functools.lru_cache(maxsize=256)
def _installed(name: str) -> str:
    if name == "hwnas_env":  # the code that runs, also where another is installed
        return __version__
    try:
        return _processor() if name == PROCESSOR else version(name)
    except (PackageNotFoundError, ValueError):
        return "none"


@functools.cache
def _processor() -> str:
    """Names the machine, and the kernels that NumPy and PyTorch chose on it."""
    config: Any = np.show_config(mode="dicts")
    kernels = config.get("SIMD Extensions", {})
    numpy = (kernels.get("found") or kernels.get("baseline") or ["plain"])[-1]
    words = f"{platform.machine()}, numpy {numpy}"
    try:
        import torch
    except ImportError:
        return words
    return f"{words}, torch {torch.backends.cpu.get_cpu_capability()}"


if not TYPE_CHECKING:
    __getattr__ = renamed(__name__)
