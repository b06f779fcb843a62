"""Checks records by asking the problem again for every network in them."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hwnas_env.arguments import check_allow, path_of, paths_of
from hwnas_env.benchmark.faults import fault_words
from hwnas_env.benchmark.jobs import Job
from hwnas_env.benchmark.loading import (
    bare_word,
    environment_of,
    installed,
    load_file,
    record_of,
)
from hwnas_env.benchmark.records import (
    PACKAGES,
    Record,
    parse_line,
    read_lines,
    record_lines,
    record_path,
    records_in,
    uncompressed,
)
from hwnas_env.benchmark.runs import Run, summarise
from hwnas_env.benchmark.tasks import check_task
from hwnas_env.data.older import is_older, settled
from hwnas_env.errors import DataError, HWNASError, shown
from hwnas_env.texts import plain
from hwnas_env.types import AnyPath

MOST_NAMES = 50
"""Packages whose versions are compared at most."""

SAME = 1e-12
"""Relative difference that is none, in a share: a library in C computes it."""


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


def record_files(paths: AnyPath | Sequence[AnyPath]) -> list[Path]:
    """Returns the records that paths name: files, and those in folders below them.

    Args:
        paths: one, or several.

    Raises:
        DataError: a path does not exist, or a folder holds no record.
    """
    found: list[Path] = []
    for path in paths_of(paths, what="paths"):
        inside = records_in(path, below=True) if path.is_dir() else [path]
        if not inside or not path.exists():
            message = f"{path}: expected a record or a folder of records"
            raise DataError(message)
        found += inside
    return list(dict.fromkeys(found))


def validate(path: AnyPath, *, allow: Collection[str] = ()) -> Verdict:
    """Compares every line of a record with what the problem says of its networks.

    Everything that follows from the request and the networks is computed again: the
    header, every answer, counts, the incumbent or the archive, and the checksum. A
    line that differs in a single digit is named.

    Args:
        path: of a record.
        allow: see :meth:`hwnas_env.benchmark.Job.from_request`.
    """
    path, allow = path_of(path), check_allow(allow)
    try:
        return _compared(path, allow)
    except HWNASError as error:
        return Verdict(path, (f"line 1: request: {error}",))
    except (LookupError, TypeError, ValueError, ArithmeticError) as error:
        return Verdict(
            path,
            (f"line 1: request: of no run: {fault_words(error)}",),
        )


def _compared(path: Path, allow: Collection[str]) -> Verdict:
    try:
        lines = read_lines(path)
        rows = [parse_line(path, n, line) for n, line in enumerate(lines, start=1)]
    except HWNASError as error:
        return Verdict(path, (str(error),))
    try:
        job = Job.from_request(rows[0].get("request", {}), allow=allow)
        problem = check_task(job.task, job.limits)
    except HWNASError as error:
        return Verdict(path, (f"line 1: {error}",))
    if "sha256" not in rows[-1]:
        words = f"line {len(lines)}: the record ends before its summary"
        return Verdict(path, (words,))
    replaced = _replaced(rows[0].get("environment"), environment_of(job.task, problem))
    if replaced:
        return Verdict(path, (f"line 1: environment: {replaced}",))
    differences: list[str] = []
    own = record_path(path.parent, job)
    if path.name not in (own.name, uncompressed(own).name):
        words = f"line 1: request: recorded that of {own.name}, not of this file"
        differences.append(words)
    kinds = tuple(
        f"{name}: {problem.provenance[name].kind}"
        for name in job.task.objectives or ("accuracy", job.task.metric)
    )
    networks = []
    for place, row in enumerate(rows[1:-1], start=2):
        word = row.get("genotype")
        try:
            text = bare_word(problem, rows[0], row)
            problem.space.from_words([text])
        except HWNASError as error:
            words = f"line {place}: genotype: {shown(word)} is no network: {error}"
            return Verdict(path, (*differences, words), kinds=kinds)
        networks.append(text)
    error_text = rows[-1].get("error", "")
    again = replayed(job, networks, error=str(error_text))
    if len(again.networks) != len(networks):
        first = len(again.networks) + 2
        words = f"line {first}: genotype: beyond what the request's limits can pay"
        return Verdict(path, (*differences, words), kinds=kinds)
    made_with = rows[0].get("versions")
    notes = _other_versions(made_with)
    expected = record_of(
        job, again, made_with=made_with or {}, schema=rows[0]["schema"]
    )
    if is_older(made_with):
        kept, count = _with_recorded(rows, expected)
        if count:
            notes.append(f"{count} lines: as 0.1 wrote them (last digits, kinds)")
        expected = kept
    summary = settled(
        {"share": rows[-1].get("share")}, expected.summary, tolerance=SAME
    )
    right_lines = record_lines(Record(expected.header, expected.queries, summary))
    for place, (line, right) in enumerate(
        zip(lines, right_lines, strict=False), start=1
    ):
        if line != right:
            differences += _differences(place, rows[place - 1], json.loads(right))
    if len(differences) == 1 and f"line {len(lines)}: sha256" in differences[0]:
        differences.append("line 1: versions: changed, if the checksum was not")
    if not differences:
        try:  # what no run has, and is not computed again
            load_file(path, allow=allow)
        except HWNASError as error:
            differences.append(str(error))
    return Verdict(path, tuple(differences), tuple(notes), kinds)


def _replaced(recorded: Any, here: Mapping[str, Any]) -> str:
    """Says that a device of the user's was replaced since; "" where it was not."""
    old = (recorded or {}).get("kwargs") if isinstance(recorded, dict) else None
    was = old.get("device") if isinstance(old, dict) else None
    now = here["kwargs"].get("device")
    if not (isinstance(was, str) and isinstance(now, str) and "@" in was):
        return ""
    name, _, digest = was.partition("@")
    if was == now or name != now.partition("@")[0]:
        return ""
    costs = f"recorded with costs {shown(digest)}, here {shown(now.partition('@')[2])}"
    return f"the device {shown(name)} was replaced since: {costs}"


def replayed(job: Job, networks: list[str], *, error: str) -> Run:
    """Spends a job's limits on networks, in their order, and sums up.

    Args:
        job: the record's.
        networks: as ``space.words`` writes them.
        error: why the run failed, as was recorded.
    """
    problem = job.task.problem()
    ledger = job.limits.ledger(problem)
    ledger.spend(problem.space.from_words(networks))
    return summarise(job, ledger, error=error)


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


def _with_recorded(rows: Sequence[Any], right: Record) -> tuple[Record, int]:
    """Puts recorded numbers where they are near, and counts the lines where any was."""
    lines = [right.header, *right.queries, right.summary]
    kept = [settled(row, line) for row, line in zip(rows, lines, strict=True)]
    count = sum(one != other for one, other in zip(kept, lines, strict=True))
    return Record(kept[0], tuple(kept[1:-1]), kept[-1]), count


def _equal(one: Any, other: Any) -> bool:
    return json.dumps(one) == json.dumps(other)


def _short(value: Any) -> str:
    return plain(json.dumps(value, ensure_ascii=False), longest=100)


def _other_versions(recorded: Any) -> list[str]:
    if not isinstance(recorded, dict):
        return ["no versions recorded"]
    return [
        f"{name}: recorded with {plain(str(recorded.get(name)))}, this is {version}"
        for name, version in installed([*PACKAGES, *recorded][:MOST_NAMES]).items()
        if recorded.get(name) != version
    ]
