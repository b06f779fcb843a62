"""Doors: spaces and devices of one's own, in this process and in others."""

import json
import multiprocessing
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import hwnas_env
from hwnas_env import devices, metrics, spaces
from hwnas_env.benchmark.runs import Task, run_once
from hwnas_env.devices import DEVICES, Device, get_device
from hwnas_env.errors import (
    DataError,
    DeviceFileError,
    InvalidArgumentError,
    NotMeasuredError,
    TakenNameError,
    UnknownNameError,
)
from hwnas_env.metrics import Metric
from hwnas_env.spaces import SEARCH_SPACES

EXAMPLES = Path(__file__).parents[1] / "examples"
BOARD = EXAMPLES / "custom_device" / "myboard.json"


@pytest.fixture
def board() -> Any:
    """The ids of the example's device, which goes when the test ends."""
    yield hwnas_env.register_device(BOARD)
    if "myboard" in DEVICES:
        hwnas_env.unregister_device("MyBoard")


def changed(tmp_path: Path, **changes: Any) -> Path:
    """A copy of the example's device with other values."""
    path = tmp_path / "device.json"
    path.write_text(json.dumps({**json.loads(BOARD.read_text()), **changes}))
    return path


def test_a_device_is_registered_used_and_gone_again(board: list[str]) -> None:
    assert board == ["HWNAS-NASBench201-MyBoard-v0", "HWNAS-FBNet-MyBoard-v0"]
    assert set(board) <= set(hwnas_env.ENVIRONMENTS)
    assert hwnas_env.register_device(BOARD) == board  # the same twice is nothing
    for name in board:
        env = gym.make(name)
        _, info = env.reset(seed=1)
        assert info["action_mask"].any()
        assert gym.make_vec(name, 2).reset(seed=1)
    problem = hwnas_env.make_problem("nasbench201", device="MyBoard")
    assert problem.provenance["energy_mj"].kind == "user"
    with pytest.warns(UserWarning, match=r"myboard energy is 5.0 x latency"):
        problem.pareto_front(("latency_ms", "energy_mj"))
    hwnas_env.unregister_device("myboard")
    assert not set(board) & set(hwnas_env.ENVIRONMENTS)
    with pytest.raises(gym.error.NameNotFound):
        gym.make(board[0])


def test_another_under_a_taken_name_is_refused(
    board: list[str], tmp_path: Path
) -> None:
    del board
    for changes in ({"hardware": "x", "aliases": {}}, {"name": "other"}):
        spaces = json.loads(BOARD.read_text())["spaces"]
        spaces["nasbench201"]["metrics"] = ["latency_ms"]
        for columns in spaces["nasbench201"]["columns"].values():
            columns.pop("energy_mj")
        with pytest.raises(TakenNameError, match="is taken by the device 'myboard'"):
            hwnas_env.register_device(changed(tmp_path, spaces=spaces, **changes))
    with pytest.raises(TakenNameError, match="taken by the device 'edgetpu'"):
        hwnas_env.register_device(changed(tmp_path, name="mine", label="EdgeTPU"))
    clone = type(SEARCH_SPACES["toycell"])(
        "toycell", "ToyCell", ("a", "b"), ("one",), ("small",), "small"
    )
    with pytest.raises(TakenNameError, match="taken by the search space"):
        hwnas_env.register_space(clone)


def test_a_replaced_device_is_seen_at_once(board: list[str], tmp_path: Path) -> None:
    first = hwnas_env.make_problem("nasbench201", device="myboard").cheapest
    hwnas_env.unregister_device("myboard")
    spaces = json.loads(BOARD.read_text())["spaces"]
    entry = spaces["nasbench201"]["columns"]["cifar10"]["latency_ms"]
    entry["counts"]["base"] *= 2
    hwnas_env.register_device(changed(tmp_path, spaces=spaces))
    assert hwnas_env.make_problem("nasbench201", device="myboard").cheapest > first
    env: Any = gym.make(board[0]).unwrapped
    assert env.problem.cheapest > first


WRONG: dict[str, Any] = {
    'expected "schema": 1': {"schema": 2},
    "label: expected letters": {"label": "My Board"},
    "name: expected letters": {"name": "My-Board"},
    "unknown key 'spases'; did you mean 'spaces'": {"spases": {}},
    "aliases: energy_mj: inverse: expected a bool": {
        "aliases": {"energy_mj": {"of": "latency_ms", "factor": 1, "inverse": 1}}
    },
    "aliases: energy_mj: expected a factor > 0": {
        "aliases": {"energy_mj": {"of": "latency_ms", "factor": -1}}
    },
    "spaces: expected an object": {"spaces": []},
    "unknown metric 'latency'; did you mean": {
        "spaces": {"fbnet": {"metrics": ["latency"], "columns": {"ImageNet": {}}}}
    },
    "columns: ImageNet: expected latency_ms": {
        "spaces": {"fbnet": {"metrics": ["latency_ms"], "columns": {"ImageNet": {}}}}
    },
    "unknown kind 'guess'": {
        "spaces": {
            "fbnet": {
                "metrics": ["latency_ms"],
                "columns": {"ImageNet": {"latency_ms": {"kind": "guess"}}},
            }
        }
    },
    "place: expected a whole number from 0": {"place": 10**400},
    "not JSON .expected finite numbers, got NaN": {"place": float("nan")},
    "hardware: expected a text": {"hardware": ["a", "board"]},
    "place: expected a whole number": {"place": "first"},
    "metrics: .*expected a text|unknown metric": {
        "spaces": {"fbnet": {"metrics": [["latency_ms"]], "columns": {}}}
    },
    "fidelity: n: did not expect 'many'": {
        "spaces": {
            "fbnet": {
                "metrics": ["latency_ms"],
                "columns": {
                    "ImageNet": {
                        "latency_ms": {
                            "kind": "fitted",
                            "method": "m",
                            "fidelity": {
                                "n": "many",
                                "tau_b": None,
                                "mape_percent": 1.0,
                                "worst_percent": 2.0,
                                "method": "m",
                            },
                        }
                    }
                },
            }
        }
    },
    "cannot_run: expected a list": {
        "spaces": {
            "fbnet": {
                "metrics": ["latency_ms"],
                "columns": {
                    "ImageNet": {"latency_ms": {"kind": "user", "method": "m"}}
                },
                "cannot_run": None,
            }
        }
    },
    "metrics: expected one that a budget can be on": {
        "spaces": {
            "mnasnet": {
                "metrics": ["throughput_ips"],
                "columns": {
                    "ImageNet": {"throughput_ips": {"kind": "user", "method": "m"}}
                },
            }
        }
    },
    "budgets: ImageNet: latency_ms: expected positive numbers": {
        "spaces": {
            "fbnet": {
                "metrics": ["latency_ms"],
                "columns": {
                    "ImageNet": {"latency_ms": {"kind": "user", "method": "m"}}
                },
                "budgets": {"ImageNet": {"latency_ms": {"tight": 1.0}}},
            }
        }
    },
}


@pytest.mark.parametrize("words", WRONG)
def test_a_wrong_file_names_the_place(words: str, tmp_path: Path) -> None:
    before = list(DEVICES)
    with pytest.raises(DeviceFileError, match=words):
        hwnas_env.register_device(changed(tmp_path, **WRONG[words]))
    assert list(DEVICES) == before


def test_coefficients_that_are_not_understood_name_the_column(
    tmp_path: Path,
) -> None:
    before = list(DEVICES)
    for form in ({"form": "terms", "start_ms": "x"}, {"form": "no such"}, {}):
        spaces = json.loads(BOARD.read_text())["spaces"]
        wrong = {"kind": "user", "method": "m", **form}
        spaces["fbnet"]["columns"]["ImageNet"]["latency_ms"] = wrong
        path = changed(tmp_path, name="wrong", label="Wrong", spaces=spaces)
        with pytest.raises(DeviceFileError, match="latency_ms in fbnet on ImageNet"):
            hwnas_env.register_device(path)
    for form in ({"counts": {"base": 1.0}, "values": [1.0]}, {"cuonts": {}}, {}):
        spaces = json.loads(BOARD.read_text())["spaces"]
        wrong = {"kind": "user", "method": "m", **form}
        spaces["nasbench201"]["columns"]["cifar10"]["latency_ms"] = wrong
        path = changed(tmp_path, name="wrong", label="Wrong", spaces=spaces)
        with pytest.raises(DeviceFileError, match="expected coefficients of one form"):
            hwnas_env.register_device(path)
    assert list(DEVICES) == before


def test_a_space_that_there_is_not_is_a_warning(tmp_path: Path) -> None:
    spaces = json.loads(BOARD.read_text())["spaces"]
    path = changed(tmp_path, spaces={**spaces, "toycel": spaces["fbnet"]})
    try:
        with pytest.warns(UserWarning, match="unknown search space 'toycel'; did you"):
            hwnas_env.register_device(path)
    finally:
        hwnas_env.unregister_device("myboard")


def test_what_a_device_does_not_have_is_named() -> None:
    with pytest.raises(NotMeasuredError, match="toybox has no costs in fbnet"):
        hwnas_env.make_problem("fbnet", device="toybox")
    with pytest.raises(UnknownNameError, match="unknown device 'toybx'"):
        hwnas_env.register_device(get_device("toybx"))
    for words, ask in (
        (devices.registry.VARIABLE, lambda: get_device("toybx")),
        (spaces.registry.VARIABLE, lambda: spaces.get_space("toycel")),
    ):
        with pytest.raises(UnknownNameError, match=f"your own: by {words}, also in"):
            ask()
    with pytest.raises(InvalidArgumentError, match="no_such_module"):
        hwnas_env.register_space("no_such_module:SPACE")
    with pytest.raises(InvalidArgumentError, match="expected a TableSpace"):
        hwnas_env.register_space("toys:MADE_UP")


def test_unregistered_spaces_take_their_ids_along() -> None:
    space = SEARCH_SPACES["toychain"]
    hwnas_env.unregister_space("ToyChain")
    try:
        assert "HWNAS-ToyChain-ToyBox-v0" not in gym.registry
        with pytest.raises(UnknownNameError):
            hwnas_env.make_problem("toychain", device="toybox")
    finally:
        ids = hwnas_env.register_space("toys:CHAIN")
    assert ids == ["HWNAS-ToyChain-ToyBox-v0"]
    assert SEARCH_SPACES["toychain"] == space


def said(code: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """What a new process says."""
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_folder_of_devices_is_listed_and_damage_stops_no_import(
    tmp_path: Path,
) -> None:
    (tmp_path / "myboard.json").write_bytes(BOARD.read_bytes())
    (tmp_path / "broken.json").write_text("{")
    (tmp_path / "same.json").write_bytes(BOARD.read_bytes())  # which is nothing
    changed(tmp_path, hardware="another").rename(tmp_path / "second.json")
    spaces = {"nasbench201": {"metrics": ["latncy_ms"], "columns": {}}}
    other = changed(tmp_path, name="other", label="Other", spaces=spaces)
    other.rename(tmp_path / "third.json")
    (tmp_path / "notes.txt").write_text("no device")
    code = (
        "import gymnasium as gym, hwnas_env\n"
        "print(gym.make('HWNAS-FBNet-MyBoard-v0').reset(seed=0)[1]['budget'] > 0)\n"
        "try:\n    gym.make('HWNAS-FBNet-broken-v0')\n"
        "except hwnas_env.HWNASError as error:\n    print(error)\n"
        "try:\n    hwnas_env.make_problem('nasbench201', device='Other')\n"
        "except hwnas_env.HWNASError as error:\n    print(error)\n"
        "print(len(hwnas_env.make_device_costs('nasbench201').names))\n"
    )
    done = said(code, HWNAS_ENV_DEVICES=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("True\n")
    assert "broken.json: not JSON" in done.stdout
    assert "broken.json: this device cannot be used" in done.stderr
    assert "second.json: left out" in done.stderr
    assert "same.json" not in done.stderr
    assert done.stdout.count("unknown metric 'latncy_ms'") == 1


def test_spaces_of_a_variable_that_cannot_be_had_are_warnings() -> None:
    code = "import hwnas_env; print(list(hwnas_env.SEARCH_SPACES))"
    done = said(code, HWNAS_ENV_SPACES="toys:CELL,nowhere:SPACE,toys:MADE_UP")
    assert done.stdout.strip() == "['toycell', 'nasbench201', 'mnasnet', 'fbnet']"
    assert "nowhere:SPACE is left out" in done.stderr
    assert "toys:MADE_UP is left out" in done.stderr


def test_a_module_that_is_imported_before_the_package_is_told_so() -> None:
    """Its space comes when the module is done, and registers it."""
    code = (
        "import toys, hwnas_env\n"
        "print('toycell' in hwnas_env.SEARCH_SPACES)\n"
        "hwnas_env.register_space(toys.CELL)\n"
        "print('toycell' in hwnas_env.SEARCH_SPACES)\n"
    )
    done = said(code, HWNAS_ENV_SPACES="toys:CELL", HWNAS_ENV_DEVICES="")
    assert done.stdout.split() == ["False", "True"]
    assert "toys is being imported: import hwnas_env before toys" in done.stderr


def test_a_folder_that_there_is_not_is_a_warning(tmp_path: Path) -> None:
    for path in (tmp_path / "nowhere", BOARD):
        done = said("import hwnas_env", HWNAS_ENV_DEVICES=str(path))
        assert f"HWNAS_ENV_DEVICES: {path} is no folder" in done.stderr


WRONG_SPACES: dict[str, dict[str, Any]] = {
    "name: expected letters": {"name": "Big Space"},
    "label: expected letters": {"label": "a-b"},
    "label: MultiDevice stands": {"label": "multidevice"},
    "operations of position 0: expected different names": {
        "operations": (("a", "a"), ("b",), ("c",))
    },
    r"expected names without blanks, commas and \|, 91 at most, got \('a\|b'": {
        "operations": ("a|b", "c")
    },
    r"expected names without blanks, commas and \|, 91 at most, got \('a b'": {
        "operations": ("a b", "c")
    },
    r"expected names without blanks, commas and \|, 91 at most, got \('a,b'": {
        "operations": ("a,b", "c")
    },
    r"expected names without blanks, commas and \|, 91 at most, got .*x1b": {
        "operations": ("a\x1b[31m", "c")
    },
    "operations: expected a tuple of names, got 'abc'": {"operations": "abc"},
    r"operations: expected a tuple of names, got \(\)": {"operations": ()},
    "operations of position 0: expected a tuple of names": {"operations": (1, 2, 3)},
    "operations: expected names, or a tuple of names for each of 3": {
        "operations": (("a",),)
    },
    "positions: expected different names": {"positions": ("a", "a", "b")},
    "positions: expected a tuple": {"positions": ()},
    "datasets: expected a tuple": {"datasets": "small"},
    "default_dataset: expected one of small": {"default_dataset": "tiny"},
    "expected 16,777,216 at most": {"positions": tuple(map(str, range(20)))},
    "91 at most": {"operations": tuple(map(str, range(92)))},
}


@pytest.mark.parametrize("words", WRONG_SPACES)
def test_a_space_that_cannot_be_is_refused(words: str) -> None:
    cell: Any = SEARCH_SPACES["toycell"]
    facts = {key: getattr(cell, key) for key in ("operations", "positions", "datasets")}
    facts |= {"name": "wrong", "label": "Wrong", "default_dataset": "small"}
    with pytest.raises(InvalidArgumentError, match=words):
        hwnas_env.register_space(type(cell)(**{**facts, **WRONG_SPACES[words]}))
    assert "wrong" not in SEARCH_SPACES


def test_no_folder_and_no_space_is_nothing() -> None:
    done = said(
        "import hwnas_env; print(len(hwnas_env.ENVIRONMENTS))",
        HWNAS_ENV_SPACES="",
        HWNAS_ENV_DEVICES="",
    )
    assert (done.stdout.strip(), done.stderr) == ("58", "")


def _play(env_id: str, queue: Any) -> None:
    env = gym.make(f"hwnas_env:{env_id}")
    _, info = env.reset(seed=5)
    reward, ended = 0.0, False
    while not ended:
        _, reward, ended, _, info = env.step(
            int(np.flatnonzero(info["action_mask"])[0])
        )
    queue.put(reward)


def test_spawned_workers_know_spaces_and_devices_of_the_variables() -> None:
    context = multiprocessing.get_context("spawn")
    queue: Any = context.Queue()
    worker = context.Process(target=_play, args=("HWNAS-ToyStates-ToyBox-v0", queue))
    worker.start()
    found = queue.get(timeout=600)
    worker.join(600)
    here: Any = multiprocessing.get_context("spawn").Queue()
    _play("HWNAS-ToyStates-ToyBox-v0", here)
    assert found == here.get(timeout=600)


def test_a_new_device_or_space_changes_no_suite_and_no_id_of_several(
    board: list[str],
) -> None:
    import test_frozen_suites

    del board
    for name in test_frozen_suites.DIGESTS:
        test_frozen_suites.test_a_suite_never_changes(name)
    for label in ("NASBench201", "FBNet"):
        test_frozen_suites.test_an_environment_of_several_devices_keeps_the_six(label)


def test_a_device_may_be_made_in_code() -> None:
    device = Device(
        "inline",
        "Inline",
        {
            "toyragged": {
                "metrics": ["latency_ms"],
                "columns": {
                    "small": {
                        "latency_ms": {
                            "kind": "user",
                            "method": "made up",
                            "values": [1.0 + n for n in range(24)],
                        }
                    }
                },
            }
        },
    )
    assert hwnas_env.register_device(device) == ["HWNAS-ToyRagged-Inline-v0"]
    try:
        problem = hwnas_env.make_problem("toyragged", device="inline")
        assert problem.cheapest == 1.0
    finally:
        hwnas_env.unregister_device("inline")


def test_a_metric_takes_one_entry_and_a_column(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    entry = Metric("memory_mb", "MB", True, True, "Peak memory of one image.")
    monkeypatch.setitem(metrics._METRICS, "memory_mb", entry)
    columns = {
        "memory_mb": {
            "kind": "user",
            "method": "made up",
            "values": [5.0 + n for n in range(24)],
        }
    }
    facts = {"metrics": ["memory_mb"], "columns": {"small": columns}}
    ids = hwnas_env.register_device(Device("ram", "Ram", {"toyragged": facts}))
    try:
        problem = hwnas_env.make_problem("toyragged", device="ram")
        assert problem.metric == "memory_mb"  # the first that a budget can be on
        assert len(problem.pareto_front(("accuracy", "memory_mb")).points) > 0
        env = gym.make(ids[0], objectives=("accuracy", "memory_mb"))
        _, info = env.reset(seed=0)
        assert info["memory_mb"] == 0.0
        run = run_once(Task(ids[0]), "random", seed=0, queries=5)
        assert run.cost >= 5.0
    finally:
        hwnas_env.unregister_device("ram")


WRONG_VALUES: dict[str, dict[str, Any]] = {
    "expected 24 numbers, one a network": {"values": [1.0]},
    "number 3, of a1.b2.*at least 0, got -1.0; cannot_run lists": {
        "values": [1.0, 2.0, 3.0, -1.0, *[5.0] * 20]
    },
    "number 0, .* got inf": {"values": [float("inf")] * 24},
}


@pytest.mark.parametrize("words", WRONG_VALUES)
def test_wrong_values_are_named_when_the_device_comes(words: str) -> None:
    entry = {"kind": "user", "method": "made up", **WRONG_VALUES[words]}
    columns = {"small": {"latency_ms": entry}}
    facts = {"metrics": ["latency_ms"], "columns": columns}
    with pytest.raises(DataError, match=words):
        hwnas_env.register_device(Device("short", "Short", {"toyragged": facts}))
    assert "short" not in DEVICES


def with_column(path: Path, space: str, dataset: str, **entry: Any) -> Path:
    """The example's device with another latency in one space."""
    spaces = json.loads(BOARD.read_text())["spaces"]
    column = {"kind": "user", "method": "m", **entry}
    spaces[space]["columns"][dataset]["latency_ms"] = column
    return changed(path, name="wrong", label="Wrong", spaces=spaces)


WRONG_COLUMNS: dict[str, Any] = {
    "unknown operation 'nor_conv_3X3'; did you mean": {
        "counts": {"base": 1.5, "nor_conv_3X3": 2.1}
    },
    "counts: expected an object with costs": {"counts": [1, 2, 3]},
    "base: expected a number of at least 0, got -5": {"counts": {"base": -5}},
    "base: expected a number of at least 0, got 'x'": {"counts": {"base": "x"}},
    "base: expected a number of at least 0, got a whole number": {
        "counts": {"base": 10**400}
    },
    "not understood .OverflowError": {
        "intercept": 10**400,
        "features": {},
        "link": "identity",
    },
    "expected coefficients of one form": {},
    "coefficient 'valeus'; did you mean 'values'": {"values": [1.0], "valeus": []},
    "expected 15625 numbers": {"values": ["1"] * 15625},
    "counts: expected an object with costs by name": {"counts": {}},
}


@pytest.mark.parametrize("words", WRONG_COLUMNS)
def test_a_wrong_column_is_named_when_the_device_comes(
    words: str, tmp_path: Path
) -> None:
    path = with_column(tmp_path, "nasbench201", "cifar10", **WRONG_COLUMNS[words])
    with pytest.raises(DataError, match=words):
        hwnas_env.register_device(path)
    assert "wrong" not in DEVICES


def test_terms_and_forms_of_layers_are_spelt_right(tmp_path: Path) -> None:
    right: dict[str, Any] = {"form": "terms", "start_ms": 1.0}
    for entry, words in (
        ({**right, "weights_ms": {"pointwise_mac": 1.0}}, "did you mean 'pointwise_m"),
        ({**right, "weights_ms": {}, "floor": 1}, "unknown coefficient 'floor'"),
        ({"form": "term"}, "did you mean 'terms'"),
        ({"start": -5.0, "entries": [[0.0] * 9] * 22}, "at least 0 for the cheapest"),
        ({"start": "1", "entries": [[0.0] * 9] * 22}, "expected start, a number"),
        ({"entries": [[0.0] * 9] * 21}, "22 lists of 9, 9"),
    ):
        path = with_column(tmp_path, "fbnet", "ImageNet", **entry)
        with pytest.raises(DeviceFileError, match=words):
            hwnas_env.register_device(path)


def test_no_device_stands_for_several(tmp_path: Path) -> None:
    """The ids of several devices stay what they are."""
    for name, words in (
        ("MultiDevice", "MultiDevice stands for several"),
        ("multidevice", "MultiDevice stands for several"),
        ("RandomDevice", "RandomDevice stands for drawn"),
    ):
        path = changed(tmp_path, name="mine", label=name)
        with pytest.raises(DeviceFileError, match=words):
            hwnas_env.register_device(path)
    path.rename(tmp_path / "MultiDevice.json")
    (tmp_path / "multidevice.json").write_text("{")
    code = (
        "import gymnasium, hwnas_env\n"
        "env = gymnasium.make('HWNAS-NASBench201-MultiDevice-v0')\n"
        "print(sorted(env.spec.kwargs), env.observation_space.shape)\n"
    )
    done = said(code, HWNAS_ENV_DEVICES=str(tmp_path))
    assert done.stdout == "['devices', 'space'] (43,)\n", done.stderr
    assert done.stderr.count("this device cannot be used") == 2


def test_what_is_no_device_leaves_nothing_behind() -> None:
    facts = dict(DEVICES["fpga"].spaces)
    for device, words in (
        (Device("x y", "Fine", facts), "name: expected letters"),
        (Device("fine", "?", facts), "label: expected letters"),
        (Device("fine", "Fine", None), "spaces: expected an object"),  # type: ignore[arg-type]
        (Device("fine", "Fine", {}), "spaces: expected an object"),
        (None, "device: expected a Device, got None"),
    ):
        with pytest.raises((DataError, InvalidArgumentError), match=words):
            hwnas_env.register_device(device)  # type: ignore[arg-type]
    assert not {"x y", "fine"} & set(DEVICES)


def test_another_description_under_the_same_name_is_another(
    board: list[str], tmp_path: Path
) -> None:
    with pytest.raises(TakenNameError, match="taken by the device 'myboard'"):
        hwnas_env.register_device(changed(tmp_path, hardware="another board"))
    assert hwnas_env.register_device(changed(tmp_path)) == board


def test_networks_that_cannot_run_are_spelt_as_the_space_spells_them() -> None:
    entry = {"kind": "user", "method": "made up", "values": [1.0] * 24}
    columns = {"small": {"latency_ms": entry}}
    facts = {"metrics": ["latency_ms"], "columns": columns, "cannot_run": ["x"]}
    with pytest.raises(DeviceFileError, match="short: toyragged: cannot_run: 'x'"):
        hwnas_env.register_device(Device("short", "Short", {"toyragged": facts}))
