"""Records as two tables, a row a run and a row a query: csv, or parquet with pandas."""

import codecs
import contextlib
import csv
import io
import math
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hwnas_env.arguments import check_allow, path_of
from hwnas_env.benchmark.jobs import Job
from hwnas_env.benchmark.loading import load_record, two_records
from hwnas_env.benchmark.records import Record, uncompressed
from hwnas_env.benchmark.runs import Run
from hwnas_env.benchmark.validate import record_files
from hwnas_env.data.files import replacing
from hwnas_env.engines.choices import MARK
from hwnas_env.errors import DataError, HWNASError, InvalidArgumentError
from hwnas_env.extras import load_extra
from hwnas_env.metrics import METRICS
from hwnas_env.texts import no_formula
from hwnas_env.types import AnyPath

Row = Mapping[str, Any]

RUNS: Mapping[str, type] = {
    "record": str,
    "env": str,
    "dataset": str,
    "metric": str,
    "budget": str,
    "budget_value": float,
    "source": str,
    "objectives": str,
    "train": str,
    "costs": str,
    "agent": str,
    "seed": int,
    "max_queries": int,
    "max_train_seconds": float,
    "repeats": str,
    "timeout_seconds": float,
    "accuracy_kind": str,
    "cost_kind": str,
    "hwnas_env": str,
    "queries": int,
    "unique_queries": int,
    "train_seconds": float,
    "incumbent": str,
    "accuracy_percent": float,
    "cost": float,
    "regret_percent": float,
    "share": float,
    "archive_size": int,
    "error": str,
}
"""Columns of the table of runs, and what they hold."""

QUERIES: Mapping[str, type] = {
    "record": str,
    "env": str,
    "dataset": str,
    "agent": str,
    "seed": int,
    "query": int,
    "genotype": str,
    "accuracy_percent": float,
    "feasible": bool,
    "train_seconds": float,
    **dict.fromkeys(METRICS, float),
    "incumbent_accuracy_percent": float,
    "share": float,
}
"""Columns of the table of queries, those of all metrics among them."""

GROUP = 50_000
"""Rows that a parquet file has in a group, at least."""


@dataclass(frozen=True)
class Exported:
    """What was written.

    Attributes:
        files: of runs, and of queries.
        runs: rows of the one.
        queries: rows of the other.
        faults: one sentence a file that is no whole record.
    """

    files: tuple[Path, Path]
    runs: int
    queries: int
    faults: tuple[str, ...]


def export_records(
    paths: AnyPath | Sequence[AnyPath],
    folder: AnyPath,
    *,
    parquet: bool = False,
    allow: Collection[str] = (),
) -> Exported:
    """Writes records as ``runs`` and ``queries``, .csv or .parquet, into a folder.

    Records are read one after another; a job that is there twice counts once. Tables
    of these names are replaced once the new ones are whole.

    Args:
        paths: records, or folders of records.
        folder: where the tables go.
        parquet: whether they are parquet, and not csv.
        allow: see :meth:`hwnas_env.benchmark.Job.from_request`.

    Raises:
        MissingExtraError: parquet, and pandas' extra is not installed.
        DataError: there is no record; or a table cannot be written, or would replace a
            file that no export wrote.
        InvalidArgumentError: not one file is a whole record.
    """
    ending, sink = ("parquet", _parquet) if parquet else ("csv", _csv)
    place, allow = path_of(folder, what="folder"), check_allow(allow)
    files = [place / f"{name}.{ending}" for name in ("runs", "queries")]
    for file, columns in zip(files, (RUNS, QUERIES), strict=True):
        _check_ours(file, columns)
    seen: dict[Job, tuple[str, int]] = {}
    faults: list[str] = []
    count = 0
    listed = record_files(paths)
    with contextlib.ExitStack() as stack:
        add_runs, add_queries = (
            stack.enter_context(sink(path, columns))
            for path, columns in zip(files, (RUNS, QUERIES), strict=True)
        )
        for path in listed:
            try:
                job, run, record = load_record(path, allow=allow)
            except HWNASError as error:
                faults.append(str(error))
                continue
            found = hash(str(run.as_dict()))
            name, first = seen.setdefault(job, (str(path), found))
            if name == str(path):
                word = uncompressed(path).stem
                add_runs([run_row(word, job, run, record)])
                add_queries(query_rows(word, job, run, record))
                count += run.queries
            elif first != found:
                faults.append(two_records(name, str(path)))
        if not seen:
            message = "; ".join(["expected records, got none that is whole", *faults])
            raise InvalidArgumentError(message)
    return Exported((files[0], files[1]), len(seen), count, tuple(faults))


def run_row(name: str, job: Job, run: Run, record: Record) -> Row:
    """Returns a run's row: what was asked, and what was found.

    Args:
        name: of its record.
        job: what was asked.
        run: what was found.
        record: of the run.
    """
    task, limits, summary = job.task, job.limits, record.summary
    problem = task.problem()
    origins = record.header["provenance"]
    used = [name for name in task.objectives if name != "accuracy"] or [task.metric]
    return {
        "record": name,
        "env": task.env_id,
        "dataset": problem.dataset,
        "metric": task.metric,
        "budget": None if task.budget is None else str(task.budget),
        "budget_value": task.limit(problem),
        "source": task.source,
        "objectives": ", ".join(task.objectives),
        "train": ", ".join(task.train),
        "costs": task.costs,
        "agent": job.agent,
        "seed": job.seed,
        "max_queries": limits.queries,
        "max_train_seconds": limits.train_seconds,
        "repeats": limits.repeats,
        "timeout_seconds": limits.timeout_seconds,
        "accuracy_kind": origins["accuracy"]["kind"],
        "cost_kind": ", ".join(dict.fromkeys(origins[one]["kind"] for one in used)),
        "hwnas_env": record.header["versions"].get("hwnas_env"),
        **{key: summary.get(key) for key in RUNS if key in summary},
        "archive_size": len(run.archive) if task.objectives else None,
    }


def query_rows(name: str, job: Job, run: Run, record: Record) -> Iterator[Row]:
    """Yields a run's queries; networks are written so that none is a number.

    Args:
        name: of its record.
        job: what was asked.
        run: what was found.
        record: of the run.
    """
    dataset = job.task.problem().dataset
    curve = "share" if job.task.objectives else "incumbent_accuracy_percent"
    for number, query in enumerate(record.queries):
        reached = run.curve[number]
        yield {
            "record": name,
            "env": run.env,
            "dataset": dataset,
            "agent": job.agent,
            "seed": job.seed,
            "query": number + 1,
            "genotype": f"{MARK}{run.networks[number]}",
            "accuracy_percent": query["accuracy_percent"],
            "feasible": query["feasible"],
            "train_seconds": query.get("train_seconds"),
            **query["costs"],
            curve: None if math.isnan(reached) else reached,
        }


def _check_ours(path: Path, columns: Mapping[str, type]) -> None:
    """Raises if a table would replace what is none of ours: their heads are known."""
    if not os.path.lexists(path):
        return
    ours = b"PAR1" if path.suffix == ".parquet" else _lines([list(columns)])
    head = b""
    with contextlib.suppress(OSError):
        if path.is_file():
            with path.open("rb") as file:
                head = file.read(len(ours) + len(codecs.BOM_UTF8))
    same = head.removeprefix(codecs.BOM_UTF8)[: len(ours) - 1] == ours[:-1]
    if head and not same:  # whatever ends a line; an empty file holds nothing
        message = f"{path}: there, and no export's table; choose another folder"
        raise DataError(message)


Add = Callable[[Iterable[Row]], None]


@contextlib.contextmanager
def _csv(path: Path, columns: Mapping[str, type]) -> Iterator[Add]:
    """Writes rows as they come; texts begin no formula."""
    with replacing(path, what="table") as file:

        def add(rows: Iterable[Row]) -> None:
            cells = ([_cell(row.get(name)) for name in columns] for row in rows)
            file.write(_lines(cells))

        file.write(_lines([list(columns)]))
        yield add


def _lines(rows: Iterable[Sequence[Any]]) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue().encode()


def _cell(value: Any) -> Any:
    """Returns what a csv file has of a value; floats have all of their digits."""
    if isinstance(value, str):
        return no_formula(value)
    return str(value).lower() if isinstance(value, bool) else value


@contextlib.contextmanager
def _parquet(path: Path, columns: Mapping[str, type]) -> Iterator[Add]:
    """Writes rows in groups."""
    arrow: Any = load_extra("pyarrow", extra="pandas", purpose="--parquet")
    tables: Any = load_extra("pyarrow.parquet", extra="pandas", purpose="--parquet")
    kinds = {str: arrow.string(), int: arrow.int64(), float: arrow.float64()}
    kinds[bool] = arrow.bool_()
    schema = arrow.schema([(name, kinds[kind]) for name, kind in columns.items()])
    with (
        replacing(path, what="table") as file,
        tables.ParquetWriter(file, schema) as writer,
    ):
        waiting: list[Row] = []

        def write() -> None:
            writer.write_table(arrow.Table.from_pylist(waiting, schema=schema))
            waiting.clear()

        def add(rows: Iterable[Row]) -> None:
            waiting.extend(rows)
            if len(waiting) >= GROUP:
                write()

        yield add
        write()
