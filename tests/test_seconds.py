"""Wall times of runs: beside a folder of records, never in it."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from hwnas_env.benchmark.jobs import Job
from hwnas_env.benchmark.loading import load_folder
from hwnas_env.benchmark.records import record_path
from hwnas_env.benchmark.runner import run_jobs
from hwnas_env.benchmark.runs import Limits, Task
from hwnas_env.benchmark.seconds import (
    add_seconds,
    load_seconds,
    record_name,
    seconds_path,
)
from hwnas_env.cli import app
from hwnas_env.reports.page.merging import merged
from hwnas_env.reports.page.study import study_of

CELL = Task("HWNAS-NASBench201-FPGA-v0")
JOBS = [Job(CELL, "random", seed, Limits(5)) for seed in range(3)]


def test_a_suite_writes_the_seconds_of_its_runs_beside_its_records(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "records"
    call = ["bench", "run", "smoke", "--out", str(folder), "--seeds", "1"]
    call += ["--agents", "random", "--queries", "10"]
    assert CliRunner().invoke(app, call).exit_code == 0
    assert len(list(folder.iterdir())) == 3
    assert {path.suffix for path in folder.iterdir()} == {".gz"}
    written = seconds_path(folder)
    assert written == tmp_path / "records.seconds.csv"
    before = written.read_bytes()
    loaded = load_folder(folder)
    assert set(loaded.seconds) == {job for job, _ in loaded.found}
    assert all(seconds > 0 for seconds in loaded.seconds.values())
    assert CliRunner().invoke(app, call).exit_code == 0
    assert written.read_bytes() == before  # nothing ran


def test_the_last_time_counts_and_lines_that_are_none_do_not(tmp_path: Path) -> None:
    for job, seconds in zip((*JOBS, JOBS[0]), (1.5, 2.5, 3.5, 0.25), strict=True):
        add_seconds(tmp_path, job, seconds)
    names = [record_name(record_path(tmp_path, job)) for job in JOBS]
    with seconds_path(tmp_path).open("ab") as file:
        file.write(b"\xff\n=cmd(),1.0\nx,nan\nx,-1.0\nx,1e9\nname with,1.0\n\n")
        file.write(f"{names[1]},7.".encode())  # cut off
    expected = dict(zip(names, (0.25, 2.5, 3.5), strict=True))
    assert load_seconds(tmp_path) == expected


def test_seconds_that_cannot_be_written_or_read_go_unsaid(tmp_path: Path) -> None:
    seconds_path(tmp_path).mkdir()
    add_seconds(tmp_path, JOBS[0], 1.0)
    assert load_seconds(tmp_path) == {}
    assert load_seconds(tmp_path / "none") == {}


def test_seconds_of_shards_come_together_in_a_study(tmp_path: Path) -> None:
    told: dict[Job, float] = {}
    for shard, job in enumerate(JOBS):
        folder = tmp_path / f"shard{shard}"
        run_jobs([job], folder=folder, timed=told.__setitem__)
        if shard:
            add_seconds(folder, job, shard)
    assert list(told) == JOBS
    parts = [load_folder(tmp_path / f"shard{shard}") for shard in range(3)]
    (task,) = study_of(merged(parts)).tasks
    assert task.seconds == {"random": {1: 1.0, 2: 2.0}}
    assert task.seconds_of("random") == [1.0, 2.0]
    assert task.seconds_of("evolution") == []


@pytest.mark.parametrize("name", ["records", "a.b", "."])
def test_seconds_stand_beside_any_folder(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = seconds_path(name)
    whole = tmp_path if name == "." else tmp_path / name
    assert found == whole.with_name(f"{whole.name}.seconds.csv")
