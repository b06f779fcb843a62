"""What a suite takes is said before it starts, and how far it is while it runs."""

import io
import json
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from hwnas_env.benchmark.jobs import Job
from hwnas_env.benchmark.plan import (
    QUERY_BYTES,
    RECORD_BYTES,
    Plan,
    plan_of,
    seconds_a_run,
)
from hwnas_env.benchmark.records import records_in
from hwnas_env.benchmark.runner import Ready, ready_jobs, run_jobs
from hwnas_env.benchmark.runs import Limits, Task
from hwnas_env.benchmark.seconds import add_seconds
from hwnas_env.benchmark.suite_runs import jobs_of
from hwnas_env.benchmark.suites import SUITES
from hwnas_env.cli import app
from hwnas_env.reports.terminal.plans import plan_lines
from hwnas_env.reports.terminal.progress import Log, duration, progress

SMOKE = ("bench", "run", "smoke", "--agents", "random,evolution", "--seeds", "2")
NOTHING = Ready({}, {})


def call(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def jobs(
    agents: list[str], *, seeds: int = 5, limits: Limits | None = None
) -> list[Job]:
    return jobs_of(SUITES["smoke"], agents, seeds=seeds, limits=limits or Limits(9))


def test_a_dry_run_says_what_there_is_to_do_and_does_nothing(tmp_path: Path) -> None:
    out = tmp_path / "records"
    words = (*SMOKE, "--queries", "100", "--out", str(out))
    result = call(*words, "--dry-run")
    assert result.exit_code == 0
    first, time, room, where = result.stdout.splitlines()
    agents = "3 tasks x 2 agents (random, evolution) x 2 seeds"
    assert first == f"smoke: {agents}: 12 runs, 12 left to do"
    assert time == "time: unknown yet; it is said as runs end"
    assert room == "room: about 66 kB"
    assert where == f"records go to {out}"
    assert not out.exists()
    plan = json.loads(call(*words, "--dry-run", "--json").stdout)
    assert (plan["jobs"], plan["left"], plan["seconds"]) == (12, 12, None)
    assert plan["size_bytes"] == 12 * (RECORD_BYTES + 100 * QUERY_BYTES)
    shard = call(*words, "--dry-run", "--shard", "2/5").stdout
    assert "shard 2/5 of them: 3 runs, 3 left to do" in shard


def test_a_run_says_so_before_and_how_far_it_is_in_a_log(tmp_path: Path) -> None:
    words = (*SMOKE, "--queries", "9", "--out", str(tmp_path))
    result = call(*words, "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["suite"] == "smoke"  # nothing else is in it
    first, *_, last = result.stderr.splitlines()
    assert first.endswith("12 runs, 12 left to do")
    assert last.startswith("smoke: 12 of 12 (100 %), 0 failed, ")
    again = call(*words, "--json")
    assert "12 runs, 0 left to do" in again.stderr
    assert "time: none, all is there" in again.stderr
    assert "of 12 (" not in again.stderr
    assert again.stdout == result.stdout
    failing = ("--agent", "misbehaving:Markup", "--seeds", "1", "--queries", "9")
    shown = call("run", "--env", "HWNAS-FBNet-FPGA-v0", *failing).stderr
    assert "1 of 1 (100 %), 1 failed" in shown


def test_the_size_is_about_what_records_take(tmp_path: Path) -> None:
    listed = jobs(["random", "evolution"], limits=Limits(200), seeds=2)
    plan = plan_of("smoke", listed, NOTHING, folder=tmp_path, seeds=2)
    run_jobs(listed, folder=tmp_path)
    size = sum(path.stat().st_size for path in records_in(tmp_path))
    assert plan.size_bytes is not None
    assert 0.5 < plan.size_bytes / size < 2.0
    unlimited = jobs(["random"], limits=Limits(None, 1000.0))
    plan = plan_of("smoke", unlimited, NOTHING, folder=tmp_path, seeds=5)
    assert plan.size_bytes is None
    assert "room: unknown" in plan_lines(plan)[2]


def test_the_time_follows_from_that_of_earlier_runs(tmp_path: Path) -> None:
    task = Task("HWNAS-NASBench201-EdgeGPU-v0")
    slow, fast = (
        [Job(task, agent, seed, Limits(3)) for seed in range(5)]
        for agent in ("evolution", "random")
    )
    more = [Job(task, name, 7, Limits(3)) for name in ("evolution", "random", "ppo")]
    listed, folder = [*slow, *fast, *more], tmp_path / "records"
    run_jobs([*slow, *fast], folder=folder)
    ready = ready_jobs(listed, folder)
    plan = plan_of("mine", listed, ready, folder=folder, seeds=6)
    assert (plan.seconds, plan.unknown) == (None, ("evolution", "random", "ppo"))
    assert plan_lines(plan)[1] == "time: unknown yet; it is said as runs end"
    for job, seconds in zip(
        [*slow, *fast], [60, 61, 9000, 59, 60, 2] + [2] * 4, strict=True
    ):
        add_seconds(folder, job, seconds)
    assert seconds_a_run([*slow, *fast], folder) == {"evolution": 60.0, "random": 2.0}
    plan = plan_of("mine", listed, ready, folder=folder, seeds=6)
    assert (plan.seconds, plan.unknown, plan.left) == (62.0, ("ppo",), 3)
    said = plan_lines(plan)[1]
    assert said.startswith("time: about 62 seconds of one process, judging by earlier")
    assert said.endswith("; unknown yet for ppo")


def test_many_agents_are_counted() -> None:
    names = tuple(f"mine:Agent{number}" for number in range(20))
    plan = Plan("x", 1, names, 1, "1/1", 20, 20, 5.0, names, 10, "records")
    first, time, *_ = plan_lines(plan)
    assert "mine:Agent7 and 12 more)" in first
    assert len(time) < 300


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def lines(seconds: list[float], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a log says of things that end at some seconds."""
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    clock = Clock()
    log = Log("suite", len(seconds), clock=clock)
    for number, clock.now in enumerate(seconds):
        log.advance("suite", number % 2 == 1)
    return stream.getvalue().splitlines()


def test_a_log_has_a_line_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(lines([0.001 * n for n in range(1, 1001)], monkeypatch)) == 1
    quick = lines([0.1 * n for n in range(1, 1001)], monkeypatch)
    assert len(quick) == 20
    assert quick[0] == (
        "suite: 50 of 1000 (5 %), 25 failed, 600 a minute, about 95 seconds left, "
        "5 seconds so far"
    )
    assert quick[-1].startswith("suite: 1000 of 1000 (100 %), 500 failed, 600 a minute")
    assert "left" not in quick[-1]
    slow = lines([10.0 * n for n in range(1, 1001)], monkeypatch)
    assert len(slow) == 334
    assert slow[0].startswith(
        "suite: 3 of 1000 (0 %), 1 failed, 6 a minute, about 2.8 h"
    )


def test_a_program_without_standard_error_is_none_the_less_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    with progress("suite", {"suite": 1}) as advance:
        advance("suite", False)


def test_a_terminal_has_bars(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("TERM", "xterm")
    with progress("suite", {"one [red]": 2, "two": 1}) as advance:
        advance("one [red]", True)
        advance("two", False)
    shown = stream.getvalue()
    assert "one [red], 1 failed" in shown
    assert "left:" in shown


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.0, "1 second"),
        (59.6, "60 seconds"),
        (150.0, "2.5 minutes"),
        (3_599.0, "60 minutes"),
        (7_200.0, "2 hours"),
        (86_400 * 30.0, "30 days"),
    ],
)
def test_times_are_said_as_people_do(seconds: float, words: str) -> None:
    assert duration(seconds) == words
