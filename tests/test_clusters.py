"""Suites on clusters and through kills: nothing is lost, and nothing is different."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from joblib.externals.loky import get_reusable_executor
from typer.testing import CliRunner

from hwnas_env.benchmark import backends
from hwnas_env.benchmark.backends import Workers
from hwnas_env.benchmark.jobs import Job
from hwnas_env.benchmark.loading import load_folder
from hwnas_env.benchmark.records import record_path
from hwnas_env.benchmark.runner import run_jobs
from hwnas_env.benchmark.runs import Limits, Run, Task
from hwnas_env.cli import app
from hwnas_env.errors import (
    InvalidArgumentError,
    MissingExtraError,
    WorkerProcessError,
)

CELL = Task("HWNAS-NASBench201-FPGA-v0")
NET = Task("HWNAS-FBNet-Pixel3-v0")
FRONT = Task(CELL.env, budget=None, objectives=("accuracy", "latency_ms"))
JOBS = [
    Job(task, agent, seed, Limits(100))
    for task in (CELL, NET, FRONT)
    for agent in ("misbehaving:Fatal", "evolution")
    for seed in range(6)
]


BACKENDS = pytest.mark.parametrize(
    "backend",
    ["loky", *(pytest.param(n, marks=pytest.mark.full) for n in ("dask", "ray"))],
)
"""Ours; those of others, whose workers take long to start, in ``make clusters``."""


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The records of a plain run in one process."""
    folder = tmp_path_factory.mktemp("plain")
    run_jobs(JOBS, folder=folder)
    found = contents(folder)
    assert len(found) == len(JOBS)
    return found


@pytest.mark.slow
@BACKENDS
def test_killed_workers_lose_nothing(
    backend: str,
    plain: dict[str, bytes],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if backend != "loky":
        pytest.importorskip({"dask": "distributed"}.get(backend, backend))
    marks, folder = tmp_path / "marks", tmp_path / "records"
    marks.mkdir()
    monkeypatch.setenv("MISBEHAVING_MARKS", str(marks))
    monkeypatch.setenv("MISBEHAVING_KILLS", "2")
    # workers that another test left do not have these variables, and would do the jobs
    get_reusable_executor().shutdown(wait=True)
    told = []
    results = run_jobs(
        JOBS,
        folder=folder,
        workers=Workers(3, backend),
        finished=lambda job, _: told.append(job),
    )
    assert len(list(marks.iterdir())) == 2
    assert len(results) == len(JOBS)
    assert sorted(told, key=Job.sort_key) == sorted(JOBS, key=Job.sort_key)
    assert contents(folder) == plain


@pytest.mark.full
def test_a_dask_cluster_that_runs_is_used(
    plain: dict[str, bytes], tmp_path: Path
) -> None:
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=None
    ) as cluster:
        workers = Workers(1, "dask", cluster.scheduler_address)
        run_jobs(JOBS, folder=tmp_path, workers=workers)
    assert contents(tmp_path) == plain
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=2, dashboard_address=None, processes=False
    ) as cluster:
        workers = Workers(1, "dask", cluster.scheduler_address)
        with pytest.raises(InvalidArgumentError, match="one thread each"):
            run_jobs(JOBS[:1], workers=workers)


@pytest.mark.slow
@BACKENDS
def test_runs_may_hang_or_die_in_workers(backend: str, tmp_path: Path) -> None:
    if backend != "loky":
        pytest.importorskip({"dask": "distributed"}.get(backend, backend))
    patient, hasty = Limits(20, timeout_seconds=600.0), Limits(20, timeout_seconds=3.0)
    jobs = [
        Job(CELL, "misbehaving:Dies", 0, patient),
        Job(CELL, "misbehaving:Hangs", 0, hasty),
        Job(CELL, "random", 0, patient),
    ]
    results = run_jobs(jobs, folder=tmp_path, workers=Workers(2, backend))
    assert [result.error for result in results] == [
        "the process died with exit code 3",
        "TimeoutError: no end within 3 seconds",
        "",
    ]
    assert [result.queries for result in results][2] == 20
    assert len(load_folder(tmp_path).found) == 3


@pytest.mark.slow
def test_workers_that_always_die_are_a_clear_error(tmp_path: Path) -> None:
    jobs = [Job(CELL, "misbehaving:Dies", seed, Limits(5)) for seed in range(2)]
    with pytest.raises(WorkerProcessError, match="died 5 times in a row"):
        run_jobs(jobs, folder=tmp_path, workers=Workers(2))
    assert list(tmp_path.iterdir()) == []


def command(folder: Path, *words: str) -> list[str]:
    code = "from hwnas_env.cli import main; main()"
    return [
        *(sys.executable, "-c", code, "bench", "run", "smoke", "--seeds", "6"),
        *("--agents", "misbehaving:Fatal,evolution", "--queries", "100"),
        *("--out", str(folder), "--json", *words),
    ]


@pytest.mark.full
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_suite_killed_five_times_ends_as_if_it_was_not(
    jobs: str, tmp_path: Path
) -> None:
    whole, broken, marks = (tmp_path / name for name in ("whole", "broken", "marks"))
    marks.mkdir()
    fatal = {
        **os.environ,
        "PYTHONPATH": str(Path(__file__).parent),
        "MISBEHAVING_MARKS": str(marks),
        "MISBEHAVING_KILLS": "5",
        "MISBEHAVING_GROUP": "yes",
    }
    tame = {**fatal, "MISBEHAVING_KILLS": "0"}
    first = subprocess.run(command(whole), check=True, capture_output=True, env=tame)
    assert len(list(whole.iterdir())) == 36
    for _ in range(5):
        done = subprocess.run(
            command(broken, "--jobs", jobs),
            start_new_session=True,
            capture_output=True,
            env=fatal,
        )
        assert done.returncode == -signal.SIGKILL
    assert len(list(marks.iterdir())) == 5
    assert len(list(broken.glob("*.jsonl.gz"))) < 36
    last = subprocess.run(command(broken), check=True, capture_output=True, env=fatal)
    assert contents(broken) == contents(whole)
    assert last.stdout == first.stdout


@pytest.mark.slow
@pytest.mark.parametrize(
    ("agent", "words"),
    [
        ("Hangs", ("--jobs", "2")),
        ("Hangs", ("--jobs", "2", "--timeout", "900")),
        pytest.param(
            *("Stuck", ("--timeout", "900")),
            marks=pytest.mark.skipif(sys.platform != "linux", reason="needs prctl"),
        ),
    ],
)
def test_workers_end_with_a_parent_that_is_killed(
    agent: str, words: tuple[str, ...], tmp_path: Path
) -> None:
    marks = tmp_path / "marks"
    marks.mkdir()
    path = os.pathsep.join(
        [str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]
    )
    environment = {**os.environ, "PYTHONPATH": path, "MISBEHAVING_MARKS": str(marks)}
    call = command(tmp_path / "records", "--agents", f"misbehaving:{agent}", *words)
    parent = subprocess.Popen(
        call, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        end = time.monotonic() + 600
        while len(list(marks.iterdir())) < (2 if "--jobs" in words else 1):
            assert parent.poll() is None, parent.communicate()
            assert time.monotonic() < end, "no worker began"
            time.sleep(0.05)
        parent.kill()
        # every process of the study holds these pipes, so that they close with the last
        parent.communicate(timeout=600)
    finally:
        parent.kill()
        for mark in marks.iterdir():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(mark.name), signal.SIGKILL)
    assert not list(tmp_path.glob("records/*.jsonl.gz"))


@pytest.mark.slow
def test_two_shards_load_as_one_run(tmp_path: Path) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    run = CliRunner()
    for words in ([whole], [parts, "--shard", "1/2"], [parts, "--shard", "2/2"]):
        assert run.invoke(app, command(*words)[3:]).exit_code == 0
    one, two = load_folder(whole), load_folder(parts)
    assert len(one.found) == 36
    assert repr(one) == repr(two)


def test_workers_are_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    for wrong in (
        {"jobs": 0},
        {"backend": "threading"},
        {"backend": "loky", "address": "tcp://127.0.0.1:1"},
    ):
        with pytest.raises(InvalidArgumentError):
            Workers(**wrong)
    with pytest.raises(InvalidArgumentError, match="backend"):
        run_jobs(JOBS[:1], workers=Workers(2, "nothing"))
    for name in ("distributed", "ray"):
        monkeypatch.setitem(sys.modules, name, None)
    for backend in backends.CLUSTERS:
        with pytest.raises(MissingExtraError, match=rf"hwnas_env\[{backend}\]"):
            run_jobs(JOBS[:1], workers=Workers(2, backend))
    assert isinstance(run_jobs(JOBS[:1])[0], Run)


def test_left_overs_of_killed_writers_go(tmp_path: Path) -> None:
    job = JOBS[0]
    path = record_path(tmp_path, job)
    part = path.with_name(f"{path.name}.0123456789ab.part")
    part.write_text("{")
    run_jobs([job], folder=tmp_path)
    assert list(tmp_path.iterdir()) == [path]
