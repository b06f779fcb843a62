"""Records as tables: every number, every network, and no formula."""

import csv
import itertools
import json
import shutil
import tracemalloc
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from record_files import text_of
from typer.testing import CliRunner

from hwnas_env import extras
from hwnas_env.benchmark import export
from hwnas_env.benchmark.export import QUERIES, RUNS, export_records
from hwnas_env.benchmark.jobs import Job
from hwnas_env.benchmark.loading import load_folder, record_of
from hwnas_env.benchmark.records import record_path, uncompressed, write_record
from hwnas_env.benchmark.runner import run_jobs
from hwnas_env.benchmark.runs import Limits, Task
from hwnas_env.cli import app
from hwnas_env.errors import DataError, InvalidArgumentError, MissingExtraError
from hwnas_env.texts import no_formula

CELL = Task("HWNAS-NASBench201-EdgeTPU-v0")
NET = Task("HWNAS-FBNet-EdgeTPU-v0", budget=4.0)
FRONT = Task(
    "HWNAS-NASBench201-EdgeGPU-v0", budget=None, objectives=("accuracy", "latency_ms")
)
JOBS = [
    Job(CELL, "random", 0, Limits(12)),
    Job(CELL, "evolution:population=5", 1, Limits(12)),
    Job(CELL, "misbehaving:Undeployable", 0, Limits(12)),
    Job(CELL, "misbehaving:Markup", 0, Limits(12)),
    Job(NET, "random", 0, Limits(9)),
    Job(FRONT, "random", 0, Limits(7)),
    Job(CELL, "reinforce", 0, Limits(None, 50_000.0, "free")),
]


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("records")
    run_jobs(JOBS, folder=folder)
    return folder


def tables(folder: Path) -> list[list[dict[str, str]]]:
    found = []
    for name in ("runs", "queries"):
        with (folder / f"{name}.csv").open(newline="", encoding="utf-8") as file:
            found.append(list(csv.DictReader(file)))
    return found


def number(value: float | None) -> str:
    return "" if value is None else repr(value)


def test_every_number_of_every_record_is_in_the_tables(
    records: Path, tmp_path: Path
) -> None:
    done = export_records(records, tmp_path)
    runs, queries = tables(tmp_path)
    assert (done.runs, done.queries, done.faults) == (len(runs), len(queries), ())
    assert list(runs[0]) == list(RUNS)
    assert list(queries[0]) == list(QUERIES)
    by_name = {row["record"]: row for row in runs}
    asked = itertools.groupby(queries, key=lambda row: row["record"])
    rows = {name: list(group) for name, group in asked}
    for job in JOBS:
        path = record_path(records, job)
        name = uncompressed(path).stem
        header, *lines, summary = map(json.loads, text_of(path).splitlines())
        row, found = by_name[name], rows.get(name, [])
        assert (row["agent"], row["seed"]) == (no_formula(job.agent), str(job.seed))
        assert row["max_queries"] == number(job.limits.queries)
        assert row["regret_percent"] == number(summary.get("regret_percent"))
        assert row["share"] == number(summary.get("share"))
        assert row["error"] == no_formula(summary["error"])
        assert row["hwnas_env"] == header["versions"]["hwnas_env"]
        assert row["accuracy_kind"] == header["provenance"]["accuracy"]["kind"]
        assert len(found) == len(lines) == summary["queries"]
        for count, (line, query) in enumerate(zip(lines, found, strict=True), 1):
            assert query["query"] == str(count)
            assert query["genotype"] == line["genotype"]
            assert query["accuracy_percent"] == number(line["accuracy_percent"])
            assert query["train_seconds"] == number(line.get("train_seconds"))
            assert query["feasible"] == str(line["feasible"]).lower()
            for metric, cost in line["costs"].items():
                assert query[metric] == number(cost)
    assert by_name[uncompressed(record_path(records, JOBS[4])).stem]["budget"] == "4.0"


def test_curves_are_those_of_the_runs(records: Path, tmp_path: Path) -> None:
    export_records(records, tmp_path)
    _, queries = tables(tmp_path)
    for job, run in load_folder(records).found:
        name = uncompressed(record_path(records, job)).stem
        column = "share" if job.task.objectives else "incumbent_accuracy_percent"
        found = [row[column] for row in queries if row["record"] == name]
        expected = [number(None if one != one else one) for one in run.curve]
        assert found == expected


def test_pandas_reads_both_forms_alike(records: Path, tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    for parquet in (False, True):
        export_records(records, tmp_path, parquet=parquet)
    older = pandas.__version__.startswith("2.")  # which rounds unless it is told
    exact = {"float_precision": "round_trip"} if older else {}
    for name, columns in (("runs", RUNS), ("queries", QUERIES)):
        one = pandas.read_csv(tmp_path / f"{name}.csv", **exact)
        two = pandas.read_parquet(tmp_path / f"{name}.parquet")
        assert list(one) == list(two) == list(columns)
        for column, kind in columns.items():
            if kind is not str:
                left, right = (frame[column].astype("float64") for frame in (one, two))
                pandas.testing.assert_series_equal(left, right, check_exact=True)
        assert one["record"].tolist() == two["record"].tolist()
    assert one["genotype"].tolist() == two["genotype"].tolist()
    assert len({len(word) for word in one["genotype"]}) == 2  # 6 letters, or 22


def test_parquet_has_rows_in_groups(
    records: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parquet: Any = pytest.importorskip("pyarrow.parquet")
    monkeypatch.setattr(export, "GROUP", 10)
    done = export_records(records, tmp_path, parquet=True)
    file = parquet.ParquetFile(tmp_path / "queries.parquet")
    assert file.num_row_groups > 3
    assert file.metadata.num_rows == done.queries


def test_texts_of_others_begin_no_formula(tmp_path: Path) -> None:
    costs = tmp_path / "costs.csv"
    run_jobs(JOBS[:1], folder=tmp_path / "records")
    job = replace(JOBS[0], agent="=cmd|' /C calc'!A0")
    (run,) = (run for _, run in load_folder(tmp_path / "records").found)
    failed = replace(run, agent=job.agent, error="@SUM(A1)\n+1")
    write_record(record_path(tmp_path / "records", job), record_of(job, failed))
    export_records(tmp_path / "records", tmp_path / "tables")
    runs, queries = tables(tmp_path / "tables")
    assert {row["agent"] for row in runs} == {"random", f"'{job.agent}"}
    assert {row["error"] for row in runs} == {"", "'@SUM(A1) +1"}
    for row in (*runs, *queries):
        assert not any(cell.startswith(("=", "+", "@")) for cell in row.values())
    assert not costs.exists()


@pytest.mark.parametrize("parquet", [False, True])
def test_tables_are_replaced_whole_or_not_at_all(
    parquet: bool, records: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if parquet:
        pytest.importorskip("pyarrow")
    done = export_records(records, tmp_path, parquet=parquet)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    assert set(before) == set(done.files)

    def broken(*_: Any) -> Any:
        message = "no space"
        raise OSError(message)

    with monkeypatch.context() as full:
        full.setattr(export, "run_row", broken)
        with pytest.raises(DataError, match=r"cannot be written: no space"):
            export_records(records, tmp_path, parquet=parquet)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_job_counts_once_and_faults_are_named(records: Path, tmp_path: Path) -> None:
    folder = tmp_path / "records"
    shutil.copytree(records, folder)
    path = record_path(folder, JOBS[0])
    run = next(run for job, run in load_folder(folder).found if job == JOBS[0])
    write_record(uncompressed(path), record_of(JOBS[0], run))
    assert export_records([folder, records], tmp_path / "one").runs == len(JOBS)
    short = replace(run, networks=run.networks[:3], queries=3, unique_queries=3)
    write_record(uncompressed(path), record_of(JOBS[0], short))
    (folder / "damaged.jsonl.gz").write_bytes(b"\x1f\x8b")
    call = ["bench", "export", str(folder), "-o", str(tmp_path / "two")]
    result = CliRunner().invoke(app, call)
    assert result.exit_code == 1
    assert "runs.csv: 7 runs" in result.stdout
    assert "damaged.jsonl.gz: cannot be read" in result.stderr
    assert "of the same job as" in result.stderr
    with pytest.raises(InvalidArgumentError, match=r"none that is whole; damaged"):
        export_records(folder / "damaged.jsonl.gz", tmp_path / "three")
    assert not list((tmp_path / "three").iterdir())


def test_csv_takes_no_more_memory_with_more_records(tmp_path: Path) -> None:
    folder, most = tmp_path / "records", []
    for seeds in (range(2), range(2, 30)):
        run_jobs([Job(NET, "random", n, Limits(60)) for n in seeds], folder=folder)
        export_records(folder, tmp_path / "tables")  # what is cached is there
        tracemalloc.start()
        export_records(folder, tmp_path / "tables")
        most.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert most[1] < 2 * most[0]


def test_the_command_writes_either_form(records: Path, tmp_path: Path) -> None:
    out = tmp_path / "tables"
    for form in ("csv", "parquet"):
        if form == "parquet":
            pytest.importorskip("pyarrow")
        call = ["bench", "export", str(records), f"--{form}", "-o", str(out)]
        result = CliRunner().invoke(app, call)
        assert result.exit_code == 0, result.output
        assert f"runs.{form}: 7 runs" in result.stdout
        assert (out / f"queries.{form}").is_file()


def test_parquet_without_its_extra_says_what_installs_it(
    records: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> Any:
        message = f"No module named {name!r}"
        raise ModuleNotFoundError(message, name=name)

    monkeypatch.setattr(extras.importlib, "import_module", missing)
    with pytest.raises(MissingExtraError, match=r"\[pandas\]"):
        export_records(records, tmp_path, parquet=True)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("parquet", [False, True])
def test_only_tables_of_an_export_are_replaced(
    parquet: bool, records: Path, tmp_path: Path
) -> None:
    if parquet:
        pytest.importorskip("pyarrow")
    for _ in range(2):  # its own are
        files = export_records(records, tmp_path, parquet=parquet).files
    whole = files[1].read_bytes()
    for name in files:
        before = name.read_bytes()
        name.write_bytes(b"mine\n")
        with pytest.raises(DataError, match="no export's table"):
            export_records(records, tmp_path, parquet=parquet)
        assert name.read_bytes() == b"mine\n"
        name.write_bytes(b"")  # which holds nothing
        export_records(records, tmp_path, parquet=parquet)
        assert name.read_bytes() == before
    if not parquet:  # as a spreadsheet keeps it
        saved = files[0].read_bytes()
        files[0].write_bytes(b"\xef\xbb\xbf" + saved.replace(b"\n", b"\r\n"))
        export_records(records, tmp_path)
        assert files[0].read_bytes() == saved
    assert files[1].read_bytes() == whole
