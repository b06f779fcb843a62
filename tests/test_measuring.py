"""Measuring networks: what the journal's lines say, and what a machine does to them."""

import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hwnas_env.errors import (
    DataError,
    ForeignFileError,
    InvalidArgumentError,
    MissingExtraError,
    NoNetworkError,
    NotMeasuredError,
    TruncatedFileError,
    UnknownNameError,
    UnsteadyMachineError,
)
from hwnas_env.measuring import clock, journal, machine, opened, runners
from hwnas_env.measuring.analysis import analyse, check_steady
from hwnas_env.measuring.energy import find_counter
from hwnas_env.measuring.journal import FORMAT, NAME, parse_session
from hwnas_env.measuring.session import measure
from hwnas_env.networks import build
from hwnas_env.spaces import SEARCH_SPACES

HERE = Path("visits.jsonl")
TRUTH = np.linspace(1.0, 3.0, 30)
SPACE = SEARCH_SPACES["nasbench201"]


def header(networks: int, **changes: Any) -> dict[str, Any]:
    values: dict[str, Any] = {
        "format": FORMAT,
        "passes": 2,
        "rounds": 8,
        "repeats": 5,
        "genotypes": [[row % 5] for row in range(networks)],
        "anchors": [2, networks // 2, networks - 3],
    }
    return {**values, **changes}


def written(
    rng: np.random.Generator,
    *,
    drift: Callable[[float], float] = lambda _: 1.0,
    noise: float = 0.01,
    spikes: float = 0.0,
    columns: tuple[str, ...] = ("cpu_ms", "preempted"),
    breaks: bool = False,
) -> list[str]:
    """The lines of a session whose networks take TRUTH milliseconds."""
    head = header(len(TRUTH))
    lines: list[dict[str, Any]] = [head]
    at, stretch = 0.0, 0

    def add(lap: int, turn: int, row: int, anchor: bool) -> None:
        nonlocal at
        at += 0.05
        level = drift(at) * np.exp(noise * rng.standard_normal())
        cpu = TRUTH[row] * level * (1 + 0.01 * rng.random(5))
        lost = rng.random(5) < spikes
        wall = np.where(lost, 5.0, 1.0) * cpu
        values = {
            "pass": lap,
            "round": turn,
            "network": row,
            "anchor": anchor,
            "at_s": at,
            "wall_ms": wall.tolist(),
            "cpu_ms": (cpu * np.where(lost, 1.3, 1.0)).tolist(),
            "preempted": lost.astype(int).tolist(),
        }
        kept = {"cpu_ms", "preempted"} - set(columns)
        lines.append({k: v for k, v in values.items() if k not in kept})

    for lap in range(2):
        for turn in range(8):
            if turn == 0 or (breaks and turn % 3 == 0):
                lines.append({"stretch": stretch})
                stretch += 1
            for place, row in enumerate(rng.permutation(len(TRUTH)).tolist()):
                if place % 10 == 0:
                    for one in head["anchors"]:
                        add(lap, turn, one, True)
                add(lap, turn, row, False)
    return [json.dumps(one) for one in lines]


def read(lines: list[str]) -> Any:
    return parse_session(lines, path=HERE)


def ratio(measured: Any) -> float:
    """Largest relative difference from the truth, up to one common factor."""
    relative = np.log(measured.latency_ms / TRUTH)
    return float(np.abs(relative - np.median(relative)).max())


# What is computed from a journal


def test_planted_drift_is_removed(rng: np.random.Generator) -> None:
    def drift(at: float) -> float:
        return 1.4 if np.sin(at / 3) > 0 else float(1.0 + 0.002 * at)

    found = analyse(read(written(rng, drift=drift)))
    assert ratio(found) < 0.03
    assert found.anchor_spread_percent < 3
    assert found.repeat_tau_b is not None
    assert found.repeat_tau_b > 0.95
    assert found.clock == "thread CPU time corrected by anchors"
    assert np.abs(np.log(found.wall_median_ms / TRUTH)).max() > 0.1
    assert found.protocol["stretches"] == 2
    json.dumps(found.protocol, allow_nan=False)
    assert not found.latency_ms.flags.writeable


def test_each_stretch_has_a_level_of_its_own(rng: np.random.Generator) -> None:
    levels = rng.uniform(0.7, 1.4, 100)

    def drift(at: float) -> float:
        return float(levels[int(at / 5.9)])  # three rounds or so

    found = analyse(read(written(rng, drift=drift, breaks=True)))
    assert ratio(found) < 0.04
    assert np.abs(np.log(found.latency_ms[1] / found.latency_ms[0])).max() < 0.05


def test_planted_preemption_does_not_matter(rng: np.random.Generator) -> None:
    for columns, name in (
        (("cpu_ms", "preempted"), "thread CPU time"),
        (("preempted",), "wall time of unpreempted runs"),
        ((), "wall time"),
    ):
        found = analyse(read(written(rng, spikes=0.4, columns=columns)))
        assert ratio(found) < 0.03
        assert found.clock == f"{name} corrected by anchors"
        lost = found.protocol["preempted_percent"]
        assert (lost is None) == (columns == ())
        assert lost is None or 35 < lost < 45


def test_passes_are_computed_apart(rng: np.random.Generator) -> None:
    lines = written(rng)
    other = [
        json.dumps({**values, "cpu_ms": [9.0, 9.1], "wall_ms": [9.0, 9.1]})
        if (values := json.loads(line)).get("pass") == 1
        and not values["anchor"]
        and values["network"] == 5
        else line
        for line in lines
    ]
    other = [line.replace('"preempted": [0, 0, 0, 0, 0]', '"x": 0') for line in other]
    lines = [line.replace('"preempted": [0, 0, 0, 0, 0]', '"x": 0') for line in lines]
    before, after = (analyse(read(one)).latency_ms for one in (lines, other))
    assert after[1, 5] > 3 * before[1, 5]
    scale = after[0] / before[0]
    assert np.ptp(scale) < 1e-12


def test_anchors_that_spread_are_refused(rng: np.random.Generator) -> None:
    wild = read(written(rng, noise=0.3))
    with pytest.raises(UnsteadyMachineError, match=r"spread by \d\d.* --anyway"):
        check_steady(wild)
    assert analyse(wild).anchor_spread_percent > 10
    check_steady(read(written(rng, noise=0.03)))
    check_steady(read([json.dumps(header(9))]))  # nothing is known yet


def test_what_lacks_is_said(rng: np.random.Generator) -> None:
    lines = written(rng)
    with pytest.raises(NotMeasuredError, match="lacks 1 of 480 visits"):
        analyse(read(lines[:-1]))
    with pytest.raises(NotMeasuredError, match="lacks 480"):
        analyse(read(lines[:1]))
    check_steady(read(lines[:100]))


def test_energy_is_a_median_over_rounds(rng: np.random.Generator) -> None:
    def with_energy(line: str) -> str:
        values = json.loads(line)
        if "network" in values:
            spike = 50.0 if values["round"] == 3 else 1.0
            values["energy_mj"] = 10.0 * TRUTH[values["network"]] * spike
        return json.dumps(values)

    lines = written(rng)
    found = analyse(read([with_energy(line) for line in lines]))
    assert found.energy_mj is not None
    assert np.allclose(found.energy_mj, 10.0 * TRUTH)
    assert "idle power not subtracted" in found.protocol["energy"]
    some = [
        with_energy(line) if '"network": 3,' not in line else line for line in lines
    ]
    assert analyse(read(some)).energy_mj is None


# Hostile journals

GOOD = {
    "pass": 0,
    "round": 0,
    "network": 0,
    "anchor": False,
    "at_s": 0.1,
    "wall_ms": [1.0, 2.0],
    "cpu_ms": [1.0, 2.0],
    "preempted": [0, 1],
}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (json.dumps({**GOOD, "cpu_ms": [1.0, float("nan")]}), "NaN is no number"),
        (json.dumps({**GOOD, "cpu_ms": [1.0, -2.0]}), "cpu_ms: expected a number"),
        (json.dumps({**GOOD, "wall_ms": [1.0, 1e300]}), "wall_ms: expected a number"),
        (json.dumps({**GOOD, "wall_ms": [1, 10**40]}), "wall_ms: .* 133 bits"),
        (json.dumps({**GOOD, "wall_ms": []}), "at least one number"),
        (json.dumps({**GOOD, "wall_ms": "1.0"}), "wall_ms: expected a list"),
        (json.dumps({**GOOD, "cpu_ms": [1.0]}), "expected 2 numbers"),
        (json.dumps({**GOOD, "cpu_ms": [1.0, True]}), "cpu_ms: expected a number"),
        (json.dumps({**GOOD, "network": 9}), "whole number from 0 to 8, got 9"),
        (json.dumps({**GOOD, "network": 1.0}), "network: expected"),
        (json.dumps({**GOOD, "pass": -1}), "pass: expected"),
        (json.dumps({**GOOD, "round": 10**30}), "round: expected"),
        (json.dumps({**GOOD, "anchor": 1}), "anchor: expected true or false"),
        (json.dumps({**GOOD, "at_s": None}), "at_s: expected"),
        (json.dumps({**GOOD, "energy_mj": "much"}), "energy_mj: expected"),
        (json.dumps({"pass": 0}), "lacks 'wall_ms'"),
        (json.dumps({"stretch": 5}), "expected stretch 1"),
        (json.dumps([1]), "expected an object"),
        ("1e999", "no line of JSON"),
        ("[" * 100_000, "no line of JSON"),
        ("\x00", "no line of JSON"),
    ],
)
def test_hostile_lines_are_named(text: str, why: str) -> None:
    lines = [json.dumps(header(9)), '{"stretch": 0}', text]
    with pytest.raises(TruncatedFileError, match=f"line 3: .*{why}"):
        read(lines)


def test_visits_out_of_place_are_named() -> None:
    head, good = json.dumps(header(9)), json.dumps(GOOD)
    with pytest.raises(TruncatedFileError, match="before the first stretch"):
        read([head, good])
    with pytest.raises(TruncatedFileError, match=r"line 4: .* earlier line"):
        read([head, '{"stretch": 0}', good, good])
    nothing = json.dumps({**GOOD, "cpu_ms": [0, 0]})
    with pytest.raises(TruncatedFileError, match="visit 1 took no time"):
        check_steady(read([head, '{"stretch": 0}', nothing]))


@pytest.mark.parametrize(
    "changes",
    [
        {"passes": "2"},
        {"passes": 0},
        {"rounds": 10**12},
        {"genotypes": 3},
        {"genotypes": []},
        {"genotypes": [[1, 2], [1]]},
        {"genotypes": [["1"]]},
        {"anchors": [99]},
        {"anchors": []},
        {"anchors": None},
    ],
)
def test_hostile_first_lines_are_named(changes: dict[str, Any]) -> None:
    with pytest.raises(TruncatedFileError, match="line 1: "):
        read([json.dumps(header(9, **changes))])


def test_foreign_files_are_no_sessions() -> None:
    for lines in ([], ['{"format": "other"}'], ["{}"]):
        with pytest.raises(ForeignFileError, match="expected a session"):
            read(lines)


# Sessions

torch = pytest.importorskip("torch")
ROWS = [[3, 3, 3, 3, 3, 3], [1] * 6, [0, 1, 2, 3, 4, 0], [2] * 6, [4] * 6, [1, 3] * 3]


class Told:
    """A runtime that runs nothing, and may be interrupted."""

    def __init__(self, most: int | None = None) -> None:
        self.runs, self.most = 0, most

    def open(self, module: Any, images: Any, file: Path) -> Callable[[], object]:
        del module, images, file
        return self.run

    def run(self) -> object:
        self.runs += 1
        if self.most is not None and self.runs > self.most:
            raise KeyboardInterrupt
        return None


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Told]:
    def use(most: int | None = None) -> Told:
        made = Told(most)

        def find(self: Any, row: int) -> Callable[[], object]:
            if row not in self._bytes:
                self._bytes[row] = 0
                self._held[row] = made.open(None, None, Path()), 0
            return self._held[row][0]  # type: ignore[no-any-return]

        monkeypatch.setattr(opened.Networks, "runner", find)
        monkeypatch.setattr(opened.Networks, "anchors", lambda _: [0, 2])
        return made

    return use


def quick(where: Any, **changes: Any) -> Any:
    arguments: dict[str, Any] = {
        "folder": where,
        "runtime": "torch",
        "rounds": 2,
        "repeats": 3,
        "anyway": True,
        "energy": False,
    }
    return measure(SPACE, ROWS, **{**arguments, **changes})


def visits(path: Path) -> list[tuple[int, int, int]]:
    *texts, _ = path.read_text("utf-8").split("\n")
    lines = [json.loads(text) for text in texts]
    return [
        (one["pass"], one["round"], one["network"])
        for one in lines
        if one.get("anchor") is False
    ]


def test_a_session_goes_on_from_every_line(
    tmp_path: Path, told: Callable[..., Told]
) -> None:
    told()
    whole = tmp_path / "whole"
    measured = quick(whole)
    lines = (whole / NAME).read_bytes().splitlines(keepends=True)
    order = visits(whole / NAME)
    assert len(order) == len(set(order)) == 2 * 2 * len(ROWS)
    for number in range(1, len(lines) + 1):
        folder = tmp_path / str(number)
        folder.mkdir()
        cut = b"".join(lines[:number])
        if number < len(lines):
            cut += lines[number][: len(lines[number]) // 2]
        (folder / NAME).write_bytes(cut)
        again = quick(folder)
        content = (folder / NAME).read_bytes()
        assert content.startswith(b"".join(lines[:number]))
        assert visits(folder / NAME) == order
        assert again.latency_ms.shape == measured.latency_ms.shape == (2, len(ROWS))
        begun, finished = number > 1, number > len(lines) - 3
        assert again.protocol["stretches"] == 1 + (begun and not finished)
        runtime = told(most=0)  # a finished session runs nothing
        assert (quick(folder).latency_ms == again.latency_ms).all()
        assert runtime.runs == 0
        told()


def test_a_session_goes_on_after_exceptions(
    tmp_path: Path, told: Callable[..., Told]
) -> None:
    before = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None
    for most in (0, 3, 17, 40):
        told(most=most)
        with pytest.raises(KeyboardInterrupt):
            quick(tmp_path)
    if before is not None:
        assert os.sched_getaffinity(0) == before
    told()
    found = quick(tmp_path)
    assert found.protocol["stretches"] == 5
    steps: list[tuple[int, int]] = []
    quick(tmp_path, progress=lambda done, total: steps.append((done, total)))
    assert steps == [(0, 30), (30, 30)]


def test_progress_has_an_end(tmp_path: Path, told: Callable[..., Told]) -> None:
    told()
    steps: list[tuple[int, int]] = []
    quick(tmp_path, progress=lambda done, total: steps.append((done, total)))
    done = [one for one, _ in steps]
    assert done == sorted(done)
    assert set(range(31)) == set(done)
    assert {total for _, total in steps} == {30}


def test_another_session_is_refused_with_what_differs(
    tmp_path: Path, told: Callable[..., Told], monkeypatch: pytest.MonkeyPatch
) -> None:
    told()
    quick(tmp_path)
    for changes, what in (
        ({"rounds": 3}, "rounds is 2 there and 3 here"),
        ({"seed": 1}, "seed is 0 there and 1 here"),
        ({"dataset": "cifar100"}, "dataset is 'cifar10' there and 'cifar100' here"),
    ):
        with pytest.raises(ForeignFileError, match=f"another session: {what}"):
            quick(tmp_path, **changes)
    with pytest.raises(ForeignFileError, match=r"networks is '[0-9a-f]+"):
        measure(SPACE, ROWS[:3], folder=tmp_path, runtime="torch", rounds=2, repeats=3)
    monkeypatch.setattr(machine, "processor_name", lambda: "Another 9000")
    with pytest.raises(ForeignFileError, match=r"processor is .* 'Another 9000' here"):
        quick(tmp_path)
    (tmp_path / NAME).write_text("hello\n")
    with pytest.raises(TruncatedFileError, match="line 1: no line of JSON"):
        quick(tmp_path)


def test_two_processes_do_not_write_one_journal(
    tmp_path: Path, told: Callable[..., Told]
) -> None:
    pytest.importorskip("fcntl")
    told(most=5)
    with pytest.raises(KeyboardInterrupt):
        quick(tmp_path)
    told()
    with (
        journal.Writer(tmp_path / NAME),
        pytest.raises(DataError, match="another process adds"),
    ):
        quick(tmp_path)
    assert quick(tmp_path).latency_ms.shape == (2, 6)


def test_a_full_disk_leaves_whole_lines(
    tmp_path: Path, told: Callable[..., Told]
) -> None:
    resource = pytest.importorskip("resource")
    told()
    quick(tmp_path / "whole")
    length = (tmp_path / "whole" / NAME).stat().st_size
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (length // 2, hard))
    try:
        with pytest.raises(
            DataError, match=r"cannot be written .*what it holds is whole"
        ):
            quick(tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    content = (tmp_path / NAME).read_bytes()
    assert content.endswith(b"}\n")
    assert len(content) <= length // 2
    parse_session(content.splitlines(), path=HERE)
    assert quick(tmp_path).protocol["stretches"] == 2


def test_an_unsteady_machine_is_refused_after_the_first_pass(
    tmp_path: Path, told: Callable[..., Told], monkeypatch: pytest.MonkeyPatch
) -> None:
    told()
    rng = np.random.default_rng(3)

    def wild(self: Any, run: Any, *, warm: int, repeats: int) -> clock.Visit:
        del self, run, warm
        times = tuple([float(np.exp(rng.standard_normal()))] * repeats)
        return clock.Visit(times, None, None)

    monkeypatch.setattr(clock.Clock, "visit", wild)
    with pytest.raises(UnsteadyMachineError, match="spread"):
        quick(tmp_path, anyway=False)
    assert len(visits(tmp_path / NAME)) == 12
    found = quick(tmp_path)
    assert found.anchor_spread_percent > 10
    assert found.clock == "wall time corrected by anchors"
    with pytest.raises(UnsteadyMachineError, match="another folder"):
        quick(tmp_path, anyway=False)


def test_arguments_are_checked(tmp_path: Path) -> None:
    for changes, kind in (
        ({"runtime": "onnxrutime"}, UnknownNameError),
        ({"dataset": "cifar"}, UnknownNameError),
        ({"passes": 0}, InvalidArgumentError),
        ({"rounds": 1.5}, InvalidArgumentError),
        ({"repeats": True}, InvalidArgumentError),
        ({"seed": -1}, InvalidArgumentError),
        ({"folder": 5}, InvalidArgumentError),
    ):
        with pytest.raises(kind):
            quick(tmp_path, **changes)
    with pytest.raises(UnknownNameError, match="did you mean 'onnxruntime'"):
        quick(tmp_path, runtime="onnxrutime")
    with pytest.raises(InvalidArgumentError, match="number of genotypes"):
        measure(SPACE, np.zeros((0, 6), int), folder=tmp_path, runtime="torch")
    with pytest.raises(NoNetworkError, match="offers no networks"):
        measure(SEARCH_SPACES["toycell"], [[0] * 3], folder=tmp_path, runtime="torch")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").write_text("here")
    with pytest.raises(DataError, match="journal cannot be written"):
        quick(tmp_path / "file")


def test_a_missing_runtime_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(MissingExtraError, match=r"measuring networks needs onnxr"):
        quick(tmp_path, runtime="onnxruntime")


@pytest.mark.parametrize("runtime", ["torch", "onnxruntime"])
def test_a_short_session_measures_networks(tmp_path: Path, runtime: str) -> None:
    pytest.importorskip(runtime)
    threads = torch.get_num_threads()
    found = quick(tmp_path, runtime=runtime)
    assert found.latency_ms.shape == (2, len(ROWS))
    assert np.isfinite(found.latency_ms).all()
    assert (found.latency_ms > 0).all()
    assert found.energy_mj is None
    assert found.genotypes.tolist() == ROWS
    assert found.protocol["runtime"] == runtime
    assert found.protocol["threads"] == 1
    assert found.protocol["precision"] == "float32"
    assert [one.name for one in tmp_path.iterdir()] == [NAME]
    assert torch.get_num_threads() == threads


def test_runtimes_answer_as_the_network(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    images = build.example(SPACE)
    module = runners.randomise(build.build_network(SPACE, ROWS[0]), seed=2)
    norms = [one for one in module.modules() if isinstance(one, torch.nn.BatchNorm2d)]
    assert all(one.running_var.std() > 0 and one.weight.std() > 0 for one in norms)
    with torch.inference_mode():
        logits = module(images).numpy()
    for runtime in runners.RUNTIMES.values():
        (answer,) = runtime(module, images)()  # type: ignore[misc]
        assert np.abs(np.asarray(answer) - logits).max() <= 1e-4 * np.abs(logits).max()
    file = tmp_path / "network"
    file.write_bytes(b"cut off")
    runners.open_onnxruntime(lambda: module, images, file)()
    assert file.stat().st_size > 1000


def test_networks_beyond_the_limit_are_opened_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("onnxruntime")
    monkeypatch.setattr(opened, "HELD_BYTES", 2_000_000)
    asked = []
    networks = opened.Networks(
        SPACE,
        np.array(ROWS[:3], dtype=np.int8),
        dataset="cifar10",
        runtime=runners.RUNTIMES["onnxruntime"],
        folder=tmp_path,
        seed=0,
    )
    build = networks.module
    networks.module = lambda row: asked.append(row) or build(row)  # type: ignore
    with networks:
        first = networks.runner(0)
        assert networks.runner(0) is first
        for row in (1, 2, 0):
            networks.runner(row)()
    assert asked == [0, 1, 2]  # a file is written once
    assert list(tmp_path.iterdir()) == []


# The clock and the machine


def test_visits_note_what_the_system_can_say() -> None:
    runs = []
    one = clock.system_clock().visit(lambda: runs.append(0), warm=2, repeats=4)
    assert len(runs) == 6
    assert len(one.wall_ms) == 4
    assert one.energy_mj is None
    bare = clock.Clock(None, None).visit(lambda: None, warm=0, repeats=1)
    assert (bare.cpu_ms, bare.preempted) == (None, None)
    joules = iter([1.0, 3.0])
    found = clock.Clock(None, None, lambda: next(joules))
    assert found.visit(lambda: None, warm=0, repeats=4).energy_mj == 500.0


def test_a_coarse_clock_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    class Info:
        resolution = 0.0156

    monkeypatch.setattr(clock.time, "get_clock_info", lambda _: Info())
    assert clock.thread_clock() is None
    monkeypatch.setitem(sys.modules, "resource", None)
    assert clock.preemption_counter() is None


def test_a_thread_is_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    if hasattr(os, "sched_getaffinity"):
        before = os.sched_getaffinity(0)
        with machine.one_core() as core:
            assert os.sched_getaffinity(0) == {core} <= before
        assert os.sched_getaffinity(0) == before
        monkeypatch.delattr(os, "sched_getaffinity")
    with machine.one_core() as core:
        assert core is None
    assert machine.processor_name()


# Energy


class Package:
    """Files of a counter that a load moves."""

    def __init__(self, root: Path, name: str = "intel-rapl:0", *, at: int = 0) -> None:
        self.folder, self.at = root / name, at
        self.folder.mkdir(parents=True)
        (self.folder / "name").write_text("package-0\n")
        (self.folder / "max_energy_range_uj").write_text("100000000\n")
        self.move(0)

    def move(self, microjoules: int) -> None:
        self.at = (self.at + microjoules) % 100_000_000
        (self.folder / "energy_uj").write_text(f"{self.at}\n")


def test_a_moving_counter_is_believed(tmp_path: Path) -> None:
    package = Package(tmp_path, at=95_000_000)
    part = Package(tmp_path, "intel-rapl:0:0")
    again = Package(tmp_path, "intel-rapl-mmio:0", at=95_000_000)

    def load(seconds: float) -> float:
        for one in (package, part, again):
            one.move(int(20e6 * seconds))  # 20 W, wraps round
        return seconds

    counter = find_counter(tmp_path, load=load)
    assert counter is not None
    before = counter.joules()
    load(0.5)
    after = counter.joules()
    assert before is not None
    assert after is not None
    assert after - before == pytest.approx(10.0)  # neither part nor copy counts
    shutil.rmtree(package.folder)
    shutil.rmtree(again.folder)
    assert counter.joules() is None
    Package(tmp_path)
    Package(tmp_path, "intel-rapl-mmio:0")
    assert counter.joules() is None  # lost is lost


@pytest.mark.parametrize("watts", [0.0, 0.2, 5000.0])
def test_implausible_counters_are_not_believed(tmp_path: Path, watts: float) -> None:
    package = Package(tmp_path)
    package.folder.joinpath("max_energy_range_uj").write_text("99999999999\n")

    def load(seconds: float) -> float:
        (package.folder / "energy_uj").write_text(f"{int(watts * 1e6 * seconds)}")
        return seconds

    assert find_counter(tmp_path, load=load) is None


def test_counters_that_cannot_be_read_are_none(tmp_path: Path) -> None:
    assert find_counter(tmp_path / "nothing") is None
    assert find_counter(tmp_path) is None
    package = Package(tmp_path)

    def vanish(seconds: float) -> float:
        shutil.rmtree(package.folder)
        return seconds

    assert find_counter(tmp_path, load=vanish) is None
    for content in ("", "-5", "many", "9" * 5000, "²"):
        odd = Package(tmp_path)
        (odd.folder / "energy_uj").write_text(content)
        assert find_counter(tmp_path, load=lambda s: s) is None
        shutil.rmtree(odd.folder)
    still = Package(tmp_path, at=7)
    assert find_counter(tmp_path, seconds=0.01) is None
    assert still.at == 7
