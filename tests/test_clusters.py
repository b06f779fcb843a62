"""Suites on clusters and through kills: nothing is lost, and nothing is different."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from hwnas_env.benchmark import backends
from hwnas_env.benchmark.backends import Workers
from hwnas_env.benchmark.jobs import Job
from hwnas_env.benchmark.loading import load_folder
from hwnas_env.benchmark.records import record_path
from hwnas_env.benchmark.runner import run_jobs
from hwnas_env.benchmark.runs import Limits, Run, Task
from hwnas_env.errors import (
    InvalidArgumentError,
    MissingExtraError,
    WorkerProcessError,
)

CELL = Task("HWNAS-NASBench201-FPGA-v0")
NET = Task("HWNAS-FBNet-Pixel3-v0")
FRONT = Task(CELL.env, budget=None, objectives=("accuracy", "latency_ms"))
JOBS = [
    Job(task, agent, seed, Limits(400))
    for task in (CELL, NET, FRONT)
    for agent in ("random", "evolution")
    for seed in range(6)
]


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


class Killer(threading.Thread):
    """Kills a worker process once some records are there."""

    def __init__(self, folder: Path, after: int, victims: Callable[[], list[int]]):
        super().__init__(daemon=True)
        self.folder, self.after, self.victims = folder, after, victims
        self.killed_at = 0
        self.ended = threading.Event()

    def run(self) -> None:
        while not self.ended.is_set():
            count = len(list(self.folder.glob("*.jsonl")))
            pids = self.victims() if count >= self.after else []
            if pids:
                os.kill(pids[0], signal.SIGKILL)
                self.killed_at = count
                return
            time.sleep(0.002)


def children(words: str) -> list[int]:
    """Processes below this one whose command line or name has some words."""
    found = []
    parents = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdecimal():
            continue
        try:
            status = (entry / "stat").read_text()
            line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except (OSError, UnicodeDecodeError):
            continue
        state, parent = status.rpartition(")")[2].split()[:2]
        parents[int(entry.name)] = int(parent)
        if words in line and state != "Z":
            found.append(int(entry.name))

    def ours(pid: int) -> bool:
        while pid in parents:
            pid = parents[pid]
            if pid == os.getpid():
                return True
        return False

    return [pid for pid in found if ours(pid)]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("backend", "words"),
    [
        ("loky", "popen_loky_posix"),
        ("dask", "spawn_main"),
        ("ray", "ray::PoolActor"),
    ],
)
def test_a_killed_worker_loses_nothing(
    backend: str, words: str, plain: dict[str, bytes], tmp_path: Path
) -> None:
    if backend != "loky":
        pytest.importorskip({"dask": "distributed"}.get(backend, backend))
    killer = Killer(tmp_path, after=7, victims=lambda: children(words))
    killer.start()
    told = []
    results = run_jobs(
        JOBS,
        folder=tmp_path,
        workers=Workers(3, backend),
        finished=lambda job, _: told.append(job),
    )
    killer.ended.set()
    killer.join()
    assert 7 <= killer.killed_at < len(JOBS)
    assert len(results) == len(JOBS)
    assert sorted(told, key=Job.order) == sorted(JOBS, key=Job.order)
    assert contents(tmp_path) == plain


@pytest.mark.slow
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
@pytest.mark.parametrize("backend", ["dask", "ray"])
def test_runs_may_hang_or_die_on_clusters(backend: str, tmp_path: Path) -> None:
    pytest.importorskip({"dask": "distributed"}.get(backend, backend))
    limits = Limits(20, timeout_seconds=20.0)
    names = ("misbehaving:Dies", "misbehaving:Hangs", "random")
    jobs = [Job(CELL, name, 0, limits) for name in names]
    results = run_jobs(jobs, folder=tmp_path, workers=Workers(2, backend))
    assert [result.error for result in results] == [
        "the process died with exit code 3",
        "TimeoutError: no end within 20 seconds",
        "",
    ]
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
        *("--agents", "random,evolution", "--budget", "300", "--out", str(folder)),
        *("--json", *words),
    ]


@pytest.mark.slow
def test_a_suite_killed_five_times_ends_as_if_it_was_not(tmp_path: Path) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    first = subprocess.run(command(whole), check=True, capture_output=True)
    assert len(list(whole.iterdir())) == 36
    for kill in range(5):
        before = len(list(broken.glob("*.jsonl")))
        process = subprocess.Popen(
            command(broken, "--jobs", "2"),
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        while len(list(broken.glob("*.jsonl"))) < before + 3:
            assert process.poll() is None, "ended before it was killed"
            time.sleep(0.001)
        time.sleep(0.003 * kill)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert len(list(broken.glob("*.jsonl"))) < 36
    last = subprocess.run(command(broken), check=True, capture_output=True)
    assert contents(broken) == contents(whole)
    assert last.stdout == first.stdout


@pytest.mark.slow
def test_two_shards_load_as_one_run(tmp_path: Path) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    subprocess.run(command(whole), check=True, capture_output=True)
    for shard in ("1/2", "2/2"):
        call = command(parts, "--shard", shard)
        subprocess.run(call, check=True, capture_output=True)
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
    part = path.with_suffix(".0123456789ab.part")
    part.write_text("{")
    run_jobs([job], folder=tmp_path)
    assert list(tmp_path.iterdir()) == [path]


def test_a_timeout_gives_runs_of_loky_processes_of_their_own(tmp_path: Path) -> None:
    limits = Limits(20, timeout_seconds=120.0)
    jobs = [Job(Task("HWNAS-NASBench201-FPGA-v0"), "random", s, limits) for s in (0, 1)]
    results = run_jobs(jobs, folder=tmp_path, workers=Workers(2))
    assert [result.error for result in results] == ["", ""]
    assert [result.queries for result in results] == [20, 20]
