"""Checks records by asking the problem again for every network in them."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from hwnas_env.benchmark.fronts import front_failed, front_summary
from hwnas_env.benchmark.jobs import Job
from hwnas_env.benchmark.loading import Result, record_of, versions
from hwnas_env.benchmark.records import (
    SUFFIX,
    parse_line,
    read_lines,
    record_lines,
    record_path,
)
from hwnas_env.benchmark.runs import failed_run, summarise
from hwnas_env.errors import DataError, HWNASError


@dataclass(frozen=True)
class Verdict:
    """What there is to say of a record.

    Attributes:
        path: of the record.
        differences: one sentence each, beginning with the line; none where it holds.
        notes: what is no difference: other versions of packages.
        kinds: "column: kind" of the accuracy and the budget's metric, or objectives.
    """

    path: Path
    differences: tuple[str, ...]
    notes: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()


def record_files(paths: list[Path]) -> list[Path]:
    """Returns the records that paths name: files, and those in folders below them.

    Raises:
        DataError: a path does not exist, or a folder holds no record.
    """
    found: list[Path] = []
    for path in paths:
        inside = sorted(path.rglob(f"*{SUFFIX}")) if path.is_dir() else [path]
        if not inside or not path.exists():
            message = f"{path}: expected a record or a folder of records"
            raise DataError(message)
        found += inside
    return list(dict.fromkeys(found))


def validate(path: Path) -> Verdict:
    """Compares every line of a record with what the problem says of its networks.

    Everything that follows from the request and the networks is computed again: the
    header, every answer, counts, the incumbent or the archive, and the checksum. A
    line that differs in a single digit is named.

    Args:
        path: of a record.
    """
    try:
        return _compared(path)
    except HWNASError as error:
        return Verdict(path, (f"line 1: request: {error}",))
    except (KeyError, TypeError, ValueError, ArithmeticError) as error:
        return Verdict(path, (f"line 1: request: of no run: {error!r}",))


def _compared(path: Path) -> Verdict:
    try:
        lines = read_lines(path)
        rows = [parse_line(path, n, line) for n, line in enumerate(lines, start=1)]
    except HWNASError as error:
        return Verdict(path, (str(error),))
    try:
        job = Job.from_request(rows[0].get("request", {}))
        problem = job.task.problem()
    except HWNASError as error:
        return Verdict(path, (f"line 1: {error}",))
    if "sha256" not in rows[-1]:
        words = f"line {len(lines)}: the record ends before its summary"
        return Verdict(path, (words,))
    differences: list[str] = []
    expected_name = record_path(path.parent, job).name
    if path.name != expected_name:
        words = f"line 1: request: recorded that of {expected_name}, not of this file"
        differences.append(words)
    kinds = tuple(
        f"{name}: {problem.provenance[name].kind}"
        for name in job.task.objectives or ("accuracy", job.task.metric)
    )
    networks = []
    for place, row in enumerate(rows[1:-1], start=2):
        word = row.get("genotype")
        try:
            problem.space.validate([[int(digit) for digit in word or ""]])
        except (HWNASError, ValueError, TypeError) as error:
            words = f"line {place}: genotype: {word!r} is no network: {error}"
            return Verdict(path, (*differences, words), kinds=kinds)
        networks.append(str(word))
    error_text = rows[-1].get("error", "")
    again = replayed(job, networks, error=str(error_text))
    if len(again.networks) != len(networks):
        first = len(again.networks) + 2
        words = f"line {first}: genotype: beyond what the request's limits can pay"
        return Verdict(path, (*differences, words), kinds=kinds)
    right_now = record_of(job, again)
    header = {**right_now.header, "versions": rows[0].get("versions")}
    expected = record_lines(replace(right_now, header=header))
    notes = tuple(_other_versions(rows[0]))
    for place, (line, right) in enumerate(zip(lines, expected, strict=False), start=1):
        if line != right:
            differences += _differences(place, rows[place - 1], json.loads(right))
    if len(differences) == 1 and f"line {len(lines)}: sha256" in differences[0]:
        differences.append("line 1: versions: changed, if the checksum was not")
    return Verdict(path, tuple(differences), notes, kinds)


def replayed(job: Job, networks: list[str], *, error: str) -> Result:
    """Spends a job's limits on networks, in their order, and sums up.

    Args:
        job: the record's.
        networks: a digit a position.
        error: why the run failed, as was recorded.
    """
    task, agent, seed = job.task, job.agent, job.seed
    if not networks and error:
        failed = front_failed if task.objectives else failed_run
        return failed(task, agent, seed=seed, error=error)
    problem = task.problem()
    ledger = job.limits.ledger(problem)
    digits = [[int(digit) for digit in word] for word in networks]
    ledger.spend(np.array(digits, dtype=np.int64).reshape(-1, problem.space.length))
    if task.objectives:
        return front_summary(task, agent, seed=seed, ledger=ledger, error=error)
    return summarise(task, problem, agent, seed=seed, ledger=ledger, error=error)


def _differences(place: int, recorded: Any, again: Any, key: str = "") -> list[str]:
    """Says what differs between two values, the deepest key first."""
    if isinstance(recorded, dict) and isinstance(again, dict):
        found = []
        for name in dict.fromkeys([*again, *recorded]):
            inner = f"{key}.{name}" if key else name
            if name not in recorded:
                found.append(f"line {place}: {inner}: missing")
            elif name not in again:
                found.append(f"line {place}: {inner}: not expected")
            elif not _equal(recorded[name], again[name]):
                found += _differences(place, recorded[name], again[name], inner)
        if not found and not key:
            found.append(f"line {place}: not written as the values it holds are")
        return found
    words = f"recorded {_short(recorded)}, the problem says {_short(again)}"
    return [f"line {place}: {key}: {words}"]


def _equal(one: Any, other: Any) -> bool:
    return json.dumps(one) == json.dumps(other)


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 100 else f"{text[:97]}..."


def _other_versions(header: dict[str, Any]) -> list[str]:
    recorded = header.get("versions")
    if not isinstance(recorded, dict):
        return ["no versions recorded"]
    return [
        f"{name}: recorded with {recorded.get(name)}, this is {version}"
        for name, version in versions().items()
        if recorded.get(name) != version
    ]
