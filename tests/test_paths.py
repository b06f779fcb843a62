"""What is no path, or none that a file can have, is an error of the package."""

import ast
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import hwnas_env
from hwnas_env import AGENTS, make_problem, register_device
from hwnas_env.arguments import path_of, paths_of
from hwnas_env.benchmark import Limits, Task, load_file, load_folder, run_all, validate
from hwnas_env.benchmark.export import export_records
from hwnas_env.benchmark.loading import Loaded
from hwnas_env.benchmark.records import Record, read_record, write_record
from hwnas_env.benchmark.validate import record_files
from hwnas_env.data.formats.accel_nasbench import import_archive
from hwnas_env.data.formats.hwnasbench import import_pickle
from hwnas_env.devices import DEVICES, read_device
from hwnas_env.devices.files import save_device
from hwnas_env.errors import HWNASError, InvalidArgumentError
from hwnas_env.fitting import fit_device, read_rows, write_todo
from hwnas_env.fitting.merge import whole_device
from hwnas_env.problems.audit import file_audit
from hwnas_env.reports import write_report
from hwnas_env.reports.page.bench_report import report_folders
from hwnas_env.spaces.nasbench201.imports import import_accuracy
from hwnas_env.wrappers import TrajectoryRecorder, read_trajectories, replay
from hwnas_env.wrappers.minari_export import to_minari

CELL = "HWNAS-NASBench201-EdgeGPU-v0"
CELLS = make_problem("nasbench201", device="edgegpu")
SPACE = CELLS.space
NET = make_problem("fbnet", device="edgetpu")
BOARD = DEVICES["edgegpu"]

DOORS: dict[str, Callable[[Any], Any]] = {
    "import_pickle": import_pickle,
    "import_archive": import_archive,
    "import_accuracy": lambda path: import_accuracy(path, split="test", epochs=12),
    "costs": lambda path: make_problem("nasbench201", costs=path),
    "read_device": read_device,
    "register_device": register_device,
    "save_device": lambda path: save_device(BOARD, folder=path),
    "whole_device": lambda path: whole_device(
        path, label="Own", space=SPACE, dataset="cifar10"
    ),
    "fit_device": lambda path: fit_device(path, label="Own", space="nasbench201"),
    "read_rows": lambda path: read_rows(path, space=SPACE, dataset="cifar10"),
    "write_todo": lambda path: write_todo(
        SPACE, SPACE.design.fit[:2], [False, True], dataset="cifar10", folder=path
    ),
    "file_audit": lambda path: file_audit(SPACE, BOARD, path),
    "run_all": lambda path: run_all(
        Task(CELL), ["random"], seeds=1, limits=Limits(2), folder=path
    ),
    "write_record": lambda path: write_record(path, Record({}, (), {})),
    "read_record": read_record,
    "load_file": load_file,
    "load_folder": load_folder,
    "validate": validate,
    "record_files": record_files,
    "record_files, several": lambda path: record_files([path]),
    "export_records": lambda path: export_records([], path),
    "export_records, from": lambda path: export_records(path, "there"),
    "report_folders": lambda path: report_folders(path, "page.html"),
    "report_folders, several": lambda path: report_folders([path], "page.html"),
    "write_report, of": lambda path: write_report(path, "page.html"),
    "write_report": lambda path: write_report(Loaded([], [], []), path),
    "TrajectoryRecorder": lambda path: TrajectoryRecorder(gym.make(CELL), path),
    "read_trajectories": read_trajectories,
    "replay": replay,
    "to_minari": lambda path: to_minari(path, "hwnas/x-v0"),
}
for learner in ("ppo", "jax_ppo"):
    DOORS[f"load of {learner}"] = lambda path, kind=learner: AGENTS[kind].load(
        path, NET, rng=np.random.default_rng(0)
    )
NONE: list[Any] = [
    *(5, b"bytes", 1.5, ["\0"], "nul\0inside", Path("nul\0inside"), "lone\ud800"),
    *("", "x" * 300, "x/" * 5000),
]
IDS = [f"{number}-{type(one).__name__}" for number, one in enumerate(NONE)]


@pytest.mark.parametrize("bad", NONE, ids=IDS)
@pytest.mark.parametrize("door", DOORS)
def test_what_is_no_path_is_an_error_of_the_package(
    door: str, bad: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HWNAS_ENV_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HWNAS_ENV_DEVICES", str(tmp_path / "devices"))
    with pytest.raises(HWNASError) as caught:
        DOORS[door](bad)
    assert "\0" not in str(caught.value)
    assert len(str(caught.value)) < 400
    str(caught.value).encode()  # with no lone surrogate
    assert sorted(os.listdir(tmp_path)) == []


def test_a_path_is_a_text_or_a_path_and_a_wave_is_the_users_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert path_of("~/a.csv") == path_of(Path("~/a.csv")) == tmp_path / "a.csv"
    assert path_of("~nobody_is_called_so/a") == Path("~nobody_is_called_so/a")
    assert path_of("ä.b.csv") == Path("ä.b.csv")
    assert paths_of("a", what="paths") == paths_of(Path("a"), what="paths")
    assert paths_of((name for name in "ab"), what="paths") == [Path("a"), Path("b")]
    with pytest.raises(
        InvalidArgumentError, match=r"^folder: expected a str or a Path"
    ):
        path_of(None, what="folder")


def test_every_path_from_outside_goes_through_that_check() -> None:
    """No function makes a path of its argument by itself."""
    found = []
    for file in Path(hwnas_env.__file__).parent.rglob("*.py"):
        for function in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(function, ast.FunctionDef):
                continue
            given = [*function.args.args, *function.args.kwonlyargs]
            paths = {
                one.arg
                for one in given
                if one.annotation and "AnyPath" in ast.unparse(one.annotation)
            }
            for call in ast.walk(function):
                if isinstance(call, ast.Call) and isinstance(call.func, ast.Name):
                    names = {arg.id for arg in call.args if isinstance(arg, ast.Name)}
                    if call.func.id in ("Path", "open") and names & paths:
                        found.append(f"{file.name}: {function.name}")
    assert found == []
