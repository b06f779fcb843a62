"""Devices in the user's folder: written whole, checked, replaced, taken away."""

import csv
import dataclasses
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from typer.testing import CliRunner

import hwnas_env
from hwnas_env import make_problem
from hwnas_env.benchmark.runner import run_all
from hwnas_env.benchmark.runs import Limits, Task
from hwnas_env.benchmark.validate import record_files, validate
from hwnas_env.cli import app
from hwnas_env.devices import DEVICES, Device, get_device, parse_device, read_device
from hwnas_env.devices.device import read_table
from hwnas_env.devices.files import content_of, remove_files, save_device
from hwnas_env.devices.listed import (
    LISTING,
    list_own,
    list_packaged,
    read_listing,
)
from hwnas_env.devices.registry import reference
from hwnas_env.errors import (
    DataError,
    DeviceFileError,
    ForeignFileError,
    HWNASError,
    InvalidArgumentError,
    ReplacedDeviceError,
    TakenNameError,
)
from hwnas_env.fitting import MeasuredRows, fit_device
from hwnas_env.fitting.merge import check_label, merged, whole_device
from hwnas_env.spaces import SEARCH_SPACES

pytest.importorskip("scipy")

CELL = "HWNAS-NASBench201-Phone-v0"
PACKAGE = Path(hwnas_env.__file__).parent / "devices"
PACKAGED = [one.name for one in DEVICES.listed() if Path(one.origin).parent == PACKAGE]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of devices of this test's own, with the toys' device in it."""
    place = tmp_path / "devices"
    shutil.copytree(Path(__file__).parent / "devices", place)
    monkeypatch.setenv("HWNAS_ENV_DEVICES", str(place))
    before = set(DEVICES)
    yield place
    for name in set(DEVICES) - before:
        hwnas_env.unregister_device(name)


def fitted(
    label: str = "Phone", *, scale: float = 1.0, name: str = "nasbench201"
) -> Device:
    space = SEARCH_SPACES[name]
    dataset = {"nasbench201": "cifar10", "fbnet": "cifar100"}[name]
    genotypes = space.design.fit[:12]
    source = make_problem(name, device="fpga", dataset=dataset)
    costs = scale * source.known_costs(genotypes)
    rows = MeasuredRows(space, dataset, genotypes, {"latency_ms": costs})
    return fit_device(rows, label=label)


def test_a_saved_device_is_the_same_one_when_it_is_read(folder: Path) -> None:
    device = fitted()
    path = save_device(device)
    assert path == folder / "phone.json"
    assert path.stat().st_size < 8_000
    read = read_device(path)
    read.check()
    assert read.sha256
    assert content_of(read) == path.read_bytes()
    ids = hwnas_env.register_device(path)
    assert ids == [CELL]
    space = SEARCH_SPACES["nasbench201"]
    for metric, values in space.costs(read, "cifar10").values.items():
        assert (values == space.costs(device, "cifar10").values[metric]).all()
    with pytest.raises(TakenNameError, match="such a device already"):
        save_device(device)


def test_users_devices_are_no_part_of_the_benchmark(folder: Path) -> None:
    del folder
    hwnas_env.register_device(save_device(fitted()))
    assert CELL not in hwnas_env.ENVIRONMENTS
    assert CELL in hwnas_env.envs.registration.environments()
    assert gym.make(CELL).reset(seed=0)


def test_a_changed_digit_is_found(folder: Path) -> None:
    path = save_device(fitted())
    content = path.read_bytes()
    found = 0
    digits = [n for n, byte in enumerate(content) if chr(byte).isdigit()]
    for place in digits[:: max(1, len(digits) // 60)]:
        other = b"7" if content[place : place + 1] != b"7" else b"3"
        changed = content[:place] + other + content[place + 1 :]
        with pytest.raises(DataError):
            parse_device(changed, origin="changed").check()
        found += 1
    assert found >= 60
    path.write_bytes(content[: len(content) // 2])
    done = _said("import hwnas_env; print(len(hwnas_env.DEVICES))", folder)
    assert "phone.json" in done.stderr
    assert done.returncode == 0


def _rebuilt(device: Device, change: Any) -> bytes:
    values = json.loads(content_of(device))
    change(values)
    del values["sha256"]
    return json.dumps(values).encode()


def _in(values: Any) -> Any:
    return values["spaces"]["nasbench201"]


WRONG_FILES: dict[str, Any] = {
    "expected numbers above 0, got -1": lambda v: _in(v)["measured"]["cifar10"][
        "latency_ms"
    ].__setitem__(0, -1.0),
    "expected 12 numbers": lambda v: _in(v)["measured"]["cifar10"]["latency_ms"].pop(),
    "expected each once": lambda v: _in(v)["measured"]["cifar10"]["networks"].append(
        _in(v)["measured"]["cifar10"]["networks"][0]
    ),
    "is no dataset of its columns": lambda v: _in(v)["measured"].__setitem__(
        "cifar100", {}
    ),
    "unknown metric": lambda v: _in(v)["measured"]["cifar10"].__setitem__("watts", []),
    "expected rows of the networks": lambda v: _in(v)["measured"][
        "cifar10"
    ].__setitem__("validation", [99]),
}


@pytest.mark.parametrize("words", WRONG_FILES)
def test_wrong_measured_rows_are_refused(words: str) -> None:
    content = _rebuilt(fitted(), WRONG_FILES[words])
    with pytest.raises(DeviceFileError, match=words):
        parse_device(content, origin="wrong").check()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"all nor_conv_9x9": 1.0}, "unknown term of nasbench201 'all nor_conv_9x9'"),
        ({"all nor_conv_3x3": "x"}, "expected a number, got 'x'"),
    ],
)
def test_wrong_weights_are_refused(change: dict[str, Any], words: str) -> None:
    def changed(values: Any) -> None:
        _in(values)["columns"]["cifar10"]["latency_ms"]["terms"].update(change)

    device = parse_device(_rebuilt(fitted(), changed), origin="wrong")
    with pytest.raises(DeviceFileError, match=words):
        hwnas_env.register_device(device)
    assert "phone" not in DEVICES


def test_a_file_of_another_spaces_rows_is_refused(folder: Path) -> None:
    del folder
    space = SEARCH_SPACES["fbnet"]
    rows = {space.decode(row): 1.0 + n for n, row in enumerate(space.design.fit[:6])}
    with pytest.raises(HWNASError, match="nasbench201"):
        fit_device(rows, label="Wrong", space="nasbench201")


def test_a_replaced_device_is_an_error_and_not_a_drift(folder: Path) -> None:
    path = save_device(fitted())
    hwnas_env.register_device(path)
    spec = gym.spec(CELL).to_json()
    assert reference(get_device("Phone"), "nasbench201", "cifar10") in spec
    gym.make(gym.envs.registration.EnvSpec.from_json(spec)).reset(seed=0)
    task = Task(CELL)
    out = folder.parent / "records"
    run_all(task, ["random"], seeds=1, limits=Limits(20), folder=out)
    (record,) = record_files(out)
    assert validate(record).differences == ()
    hwnas_env.unregister_device("Phone")
    hwnas_env.register_device(save_device(fitted(scale=1.1), replace=True))
    assert gym.make(CELL).reset(seed=0)
    with pytest.raises(ReplacedDeviceError, match="it was replaced"):
        gym.make(gym.envs.registration.EnvSpec.from_json(spec))
    assert "was replaced since" in " ".join(validate(record).differences)


def test_a_full_disk_loses_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save_device(fitted())
    before = path.read_bytes()

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DataError, match="No space left"):
        save_device(fitted(scale=2.0), replace=True)
    assert path.read_bytes() == before
    assert sorted(file.name for file in folder.iterdir()) == [
        LISTING,
        "phone.json",
        "toybox.json",
    ]


def test_labels_that_cannot_be_are_refused_before_anything_is_measured(
    folder: Path,
) -> None:
    del folder
    for label, error in (
        ("Raspi4", TakenNameError),
        ("GTX1080Ti-1", TakenNameError),
        ("MultiDevice", InvalidArgumentError),
        ("My Phone", InvalidArgumentError),
        ("1Phone", InvalidArgumentError),
        ("Phone-", InvalidArgumentError),
        ("Phöne", InvalidArgumentError),
        ("", InvalidArgumentError),
    ):
        with pytest.raises(error):
            check_label(label, "nasbench201", "cifar10", replace=False)
    save_device(fitted("Phone_1"))
    with pytest.raises(TakenNameError, match="Phone_1 has the same name"):
        check_label("Phone-1", "fbnet", "cifar100", replace=False)
    with pytest.raises(TakenNameError, match="--replace"):
        check_label("Phone_1", "nasbench201", "cifar10", replace=False)
    check_label("Phone_1", "nasbench201", "cifar10", replace=True)
    check_label("Phone_1", "nasbench201", "cifar100", replace=False)


def test_a_second_space_joins_the_first(folder: Path) -> None:
    del folder
    save_device(fitted())
    both = merged(fitted(name="fbnet"))
    assert list(both.spaces) == ["nasbench201", "fbnet"]
    path = save_device(both, replace=True)
    assert hwnas_env.register_device(path) == [CELL, "HWNAS-FBNet-Phone-v0"]
    with pytest.raises(TakenNameError, match="--replace"):
        merged(fitted(name="fbnet"))
    again = merged(fitted(name="fbnet", scale=3.0), replace=True)
    assert list(again.spaces) == ["nasbench201", "fbnet"]
    old, new = (d.spaces["fbnet"]["budgets"]["cifar100"] for d in (both, again))
    ratio = new["latency_ms"]["medium"] / old["latency_ms"]["medium"]
    assert ratio == pytest.approx(3.0, rel=0.02)


def _said(code: str, folder: Path, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "HWNAS_ENV_DEVICES": str(folder), **more}
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )


def test_another_process_has_the_device_at_once(folder: Path) -> None:
    save_device(fitted())
    code = (
        "import gymnasium as gym\n"
        f"env = gym.make('hwnas_env:{CELL}')\n"
        "print(env.reset(seed=1)[1]['budget'])"
    )
    done = _said(code, folder)
    assert done.returncode == 0, done.stderr
    hwnas_env.register_device(folder / "phone.json")
    assert float(done.stdout) == gym.make(CELL).reset(seed=1)[1]["budget"]


IDS = (
    "import sys, gymnasium as gym, hwnas_env\n"
    "read = 'hwnas_env.devices.device' in sys.modules\n"
    f"print(read, gym.spec({CELL!r}).kwargs, len(hwnas_env.DEVICES))\n"
)


def test_a_saved_device_is_listed_and_read_when_it_is_used(folder: Path) -> None:
    (folder / "toybox.json").unlink()
    path = save_device(fitted())
    device = read_device(path)
    read, said = _said(IDS, folder).stdout.split(" ", 1)
    assert read == "False"
    assert f"'phone@{device.digest('nasbench201', 'cifar10')}'" in said
    assert "'dataset': 'cifar10'" in said
    listing = folder / LISTING
    good = listing.read_bytes()
    for damaged in (b"", good[:-9], good.replace(b"Phone", b"Phono"), b"[" * 99_999):
        listing.write_bytes(damaged)
        assert _said(IDS, folder).stdout == f"True {said}"
    listing.write_bytes(good)
    path.write_bytes(path.read_bytes() + b"\n")  # other bytes, and the same device
    assert _said(IDS, folder).stdout == f"True {said}"
    path.write_bytes(path.read_bytes().replace(b"latency_ms", b"latency_mt"))
    done = _said("import hwnas_env", folder)
    assert "phone.json: this device cannot be used" in done.stderr


def test_a_file_that_changes_after_it_was_listed_is_an_error(folder: Path) -> None:
    path = save_device(fitted())
    listed = list_own(path, read_listing(folder))
    assert listed is not None
    path.write_text("{")
    assert listed.whole.is_broken
    with pytest.raises(DataError, match="not JSON"):
        listed.whole.check()
    assert list_own(path, read_listing(folder)) is None


@pytest.mark.parametrize("name", PACKAGED)
def test_a_packaged_device_is_listed_as_it_is(name: str) -> None:
    path = Path(DEVICES[name].origin)
    listed, whole = list_packaged(path), read_device(path)
    for key in ("name", "label", "place", "sha256", "origin", "is_broken"):
        assert getattr(listed, key) == getattr(whole, key)
    assert list(listed.spaces) == list(whole.spaces)


def test_runs_in_worker_processes_use_it(folder: Path) -> None:
    def accuracies(environment: str, *, jobs: int) -> list[float | None]:
        limits = Limits(30)
        task = Task(environment)
        runs = run_all(task, ["evolution"], seeds=2, limits=limits, jobs=jobs)
        return [run.accuracy_percent for run in runs]

    # these workers wait for what is run next, and know what there was when they started
    accuracies("HWNAS-NASBench201-FPGA-v0", jobs=2)
    for scale in (1.0, 3.0):
        for name in [name for name in DEVICES if name == "phone"]:
            hwnas_env.unregister_device(name)
        hwnas_env.register_device(save_device(fitted(scale=scale), replace=True))
        assert accuracies(CELL, jobs=1) == accuracies(CELL, jobs=2)
    assert folder.exists()


# Whole tables


def test_a_whole_table_is_a_device_that_lies_in_two_files(folder: Path) -> None:
    space: Any = SEARCH_SPACES["nasbench201"]
    rng = np.random.default_rng(5)
    costs = rng.uniform(1.0, 9.0, space.size)
    costs[rng.integers(0, space.size, 40)] = np.inf
    np.savez(folder.parent / "table.npz", latency_ms=costs)
    device = whole_device(
        folder.parent / "table.npz", label="Npu", space=space, dataset="cifar10"
    )
    path = save_device(device)
    hwnas_env.register_device(path)
    problem = make_problem("nasbench201", device="Npu")
    genotypes = space.genotypes()
    assert (problem.known_costs(genotypes) == costs).all()
    assert problem.provenance["latency_ms"].kind == "user"
    assert path.stat().st_size < 4_000
    beside = sorted(folder.glob("npu-*.npz"))
    assert len(beside) == 1
    for file in beside:
        content = file.read_bytes()
        file.write_bytes(content[:-40])
        hwnas_env.unregister_device("Npu")
        read_table.cache_clear()
        with pytest.raises(DataError, match="npu"):
            hwnas_env.register_device(read_device(path))
        file.write_bytes(content)
        hwnas_env.register_device(path)
    remove_files(path)
    assert sorted(file.name for file in folder.iterdir()) == ["toybox.json"]


def test_a_block_table_is_a_device_too(folder: Path) -> None:
    space = SEARCH_SPACES["fbnet"]
    table = np.random.default_rng(6).uniform(0.1, 2.0, (22, 9)).round(3)
    np.savez(folder.parent / "blocks.npz", latency_ms=table)
    device = whole_device(
        folder.parent / "blocks.npz", label="Blocks", space=space, dataset="cifar100"
    )
    hwnas_env.register_device(save_device(device))
    problem = make_problem("fbnet", device="Blocks")
    genotypes = space.sample(100, rng=np.random.default_rng(7))
    expected = table[np.arange(22), genotypes].sum(axis=1)
    np.testing.assert_allclose(problem.known_costs(genotypes), expected)


def test_a_table_with_holes_is_refused_and_nothing_is_written(folder: Path) -> None:
    space: Any = SEARCH_SPACES["nasbench201"]
    costs = np.ones(space.size)
    costs[7] = np.nan
    np.savez(folder.parent / "table.npz", latency_ms=costs)
    with pytest.raises(HWNASError, match="row 7"):
        whole_device(
            folder.parent / "table.npz", label="Npu", space=space, dataset="cifar10"
        )
    assert sorted(file.name for file in folder.iterdir()) == ["toybox.json"]


# The command


def call(*words: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, list(words))
    assert (result.exit_code == 0) == (code == 0), result.output
    if code and result.exception and not isinstance(result.exception, SystemExit):
        return str(result.exception)
    return result.output if code else result.stdout


def test_the_command_goes_from_a_list_to_an_environment(
    folder: Path, tmp_path: Path
) -> None:
    todo = tmp_path / "todo"
    text = call(
        "device",
        "design",
        "nasbench201",
        "-k",
        "12",
        "--validate",
        "8",
        "-o",
        str(todo),
    )
    assert "hwnas-env device add" in text
    table = todo / "networks.csv"
    words = call("device", "add", "Phone", str(table), "--space", "nasbench201", code=2)
    assert "nothing was measured" in words
    source = make_problem("nasbench201", device="fpga")
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        genotype = source.encode(row["architecture"])
        row["latency_ms"] = repr(float(source.known_costs(genotype[None])[0]))
    with table.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    add = ("device", "add", "Phone", str(table), "--space", "nasbench201")
    text = call(*add, "--hardware", "a phone", "--runtime", "mine", "--threads", "4")
    assert CELL in text
    assert "tau-b" in text
    assert (folder / "phone.json").exists()
    assert "--replace" in call(*add, code=2)
    call(*add, "--replace")
    assert "Phone" in call("device", "list")
    values = json.loads(call("device", "show", "Phone", "--json"))
    assert values["columns"][0]["fidelity"]["n"] == 8
    assert json.loads(call("device", "list", "--all", "--json"))
    call("run", "--env", CELL, "--agent", "random", "--queries", "20", "--seeds", "1")
    checks = tmp_path / "checks.csv"
    verify = (
        "device",
        "verify",
        "Phone",
        "--space",
        "nasbench201",
        "--rows",
        str(checks),
        "--top",
        "3",
        "--json",
    )
    said = json.loads(call(*verify))
    assert said["next"]
    seen = []
    while said["next"] is not None:
        seen.append(said["next"])
        line = checks.read_text().rstrip("\n")
        checks.write_text(
            f"{line}{source.known_costs(source.encode(seen[-1])[None])[0]}\n"
        )
        said = json.loads(call(*verify))
    assert 1 <= len(seen) <= 3
    assert said["best"]["measured"] <= said["budget"]
    words = call("device", "verify", "Phone", "--space", "nasbench201", code=2)
    assert "--rows FILE" in words
    call("device", "remove", "Phone")
    assert not (folder / "phone.json").exists()
    assert "unknown" in call("device", "remove", "Phone", code=2)
    assert "one of the package" in call("device", "remove", "Raspi4", code=2)


def test_foreign_files_are_errors_of_one_line(folder: Path, tmp_path: Path) -> None:
    del folder
    file = tmp_path / "rows.csv"
    file.write_text("architecture,latency_ms\nx,1\n")
    words = call("device", "add", "Phone", str(file), "--space", "nasbench201", code=2)
    assert "line 2" in words
    with pytest.raises(ForeignFileError):
        fit_device(file, label="Phone", space="nasbench201")


def test_a_run_spends_measurements_only_where_the_device_is_here(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hwnas_env.register_device(save_device(fitted()))
    search = (
        "run",
        "--env",
        CELL,
        "--agent",
        "random",
        "--queries",
        "30",
        "--seeds",
        "2",
        "--checks",
        "2",
    )
    assert "measure picks with your own tool" in call(*search, code=2)
    assert folder.exists()
    monkeypatch.setattr("hwnas_env.fitting.here.measures_here", lambda _: lambda _: 2.5)
    (study,) = json.loads(call(*search, "--json"))
    assert 1 <= len(study["checks"]) <= 2
    assert {check["measured"] for check in study["checks"]} == {2.5}
    assert "keeps it" in call(*search)
    fronts = ("--objective", "accuracy", "--objective", "latency_ms")
    call(*search, *fronts, code=2)


def test_what_a_new_table_does_not_say_stays(folder: Path) -> None:
    save_device(dataclasses.replace(fitted(), hardware="a phone, LiteRT"))
    first = gym_spec(folder)
    both = merged(fitted(name="fbnet"))
    assert both.hardware == "a phone, LiteRT"
    save_device(both, replace=True)
    assert gym_spec(folder) == first  # another space does not change this one's digest
    again = merged(fitted(scale=2.0), replace=True)
    assert again.hardware == "a phone, LiteRT"
    assert list(again.spaces) == ["nasbench201", "fbnet"]


def gym_spec(folder: Path) -> str:
    if "phone" in DEVICES:
        hwnas_env.unregister_device("phone")
    hwnas_env.register_device(folder / "phone.json")
    return gym.spec(CELL).to_json()


def test_another_dataset_leaves_specs_and_records_as_they_are(folder: Path) -> None:
    del folder
    space = SEARCH_SPACES["nasbench201"]
    genotypes = space.design.fit[:12]
    rows = MeasuredRows(
        *(space, "cifar100", genotypes), {"latency_ms": np.arange(1.0, 13.0)}
    )
    hwnas_env.register_device(save_device(fit_device(rows, label="Phone")))
    before = gym.spec(CELL).to_json()
    assert '"dataset": "cifar100"' in before
    both = merged(fitted())
    hwnas_env.unregister_device("Phone")
    hwnas_env.register_device(save_device(both, replace=True))
    env = gym.make(gym.envs.registration.EnvSpec.from_json(before))
    assert env.unwrapped.problem.dataset == "cifar100"
    assert gym.make(CELL).unwrapped.problem.dataset == "cifar10"


def test_each_dataset_has_its_own_networks_that_cannot_run(folder: Path) -> None:
    space: Any = SEARCH_SPACES["nasbench201"]
    for dataset, lacking in (("cifar10", slice(5, 500)), ("cifar100", slice(0, 3))):
        costs = np.arange(1.0, space.size + 1)
        costs[lacking] = np.inf
        np.savez(folder.parent / "t.npz", latency_ms=costs)
        path = folder.parent / "t.npz"
        made = whole_device(path, label="Npu", space=space, dataset=dataset)
        save_device(merged(made), replace=True)
    hwnas_env.register_device(folder / "npu.json")
    for dataset, count in (("cifar10", 495), ("cifar100", 3)):
        problem = make_problem("nasbench201", device="Npu", dataset=dataset)
        costs = problem.known_costs(space.genotypes())
        assert np.isinf(costs).sum() == count
        assert costs.min() >= 1.0
    for file in folder.glob("npu-*.npz"):
        file.unlink()
    read_table.cache_clear()
    done = _said(
        "from hwnas_env.cli import main; import sys\n"
        "sys.argv = ['hwnas-env', 'envs']; main()",
        folder,
        COLUMNS="200",
    )
    assert "EdgeGPU" in done.stdout
    assert "HWNAS-NASBench201-Npu-v0" in done.stderr


def test_a_damaged_file_keeps_its_label_and_a_foreign_name_its_place(
    folder: Path,
) -> None:
    path = save_device(fitted())
    good = path.read_text()
    path.write_text(good.replace('"base": ', '"base": 7'))
    code = (
        "import gymnasium as gym, hwnas_env\n"
        "try: gym.make('HWNAS-NASBench201-Phone-v0')\n"
        "except Exception as error: print(type(error).__name__, error)"
    )
    assert "sha256: something in the file was changed" in _said(code, folder).stdout
    path.unlink()
    other = folder / "Colleague.json"
    other.write_text(good)
    hwnas_env.register_device(other)
    both = merged(fitted(name="fbnet"))
    assert list(both.spaces) == ["nasbench201", "fbnet"]
    assert save_device(both, replace=True) == other
    call("device", "remove", "Phone")
    assert not other.exists()


def test_a_taken_label_cannot_be_saved(folder: Path) -> None:
    with pytest.raises(TakenNameError, match="pixel3"):
        save_device(fitted("Pixel3"))
    assert [file.name for file in folder.iterdir()] == ["toybox.json"]


def test_a_metric_joins_the_others_without_leave(folder: Path) -> None:
    del folder
    save_device(fitted())
    space = SEARCH_SPACES["nasbench201"]
    genotypes = space.design.fit[:12]
    energy = make_problem("nasbench201", device="eyeriss").evaluate(genotypes).costs
    rows = MeasuredRows(space, "cifar10", genotypes, {"energy_mj": energy[:, 1]})
    both = merged(fit_device(rows, label="Phone"))
    assert both.metrics == ("latency_ms", "energy_mj")
    measured = both.spaces["nasbench201"]["measured"]["cifar10"]
    assert {"latency_ms", "energy_mj"} <= set(measured)
    save_device(both, replace=True)
    with pytest.raises(TakenNameError, match="energy_mj"):
        merged(fit_device(rows, label="Phone"))
    other = MeasuredRows(
        *(space, "cifar10", space.design.fit[12:24]), {"energy_mj": energy[:, 1]}
    )
    with pytest.raises(InvalidArgumentError, match="measured of other networks"):
        merged(fit_device(other, label="Phone"), replace=True)
    elsewhere = MeasuredRows(space, "cifar100", genotypes, {"energy_mj": energy[:, 1]})
    with pytest.raises(InvalidArgumentError, match="the same metrics on every dataset"):
        merged(fit_device(elsewhere, label="Phone"))


def test_a_damaged_device_can_be_taken_away(folder: Path) -> None:
    path = save_device(fitted())
    assert path.parent == folder
    path.write_text(path.read_text().replace("0", "1", 1))
    call("device", "remove", "Phone")
    assert not path.exists()


def test_removing_a_device_leaves_those_whose_names_begin_alike(folder: Path) -> None:
    space: Any = SEARCH_SPACES["nasbench201"]
    np.savez(folder.parent / "t.npz", latency_ms=np.arange(1.0, space.size + 1))
    for label in ("Npu", "Npu-a", "Npu-abcdef012345"):
        table = folder.parent / "t.npz"
        save_device(whole_device(table, label=label, space=space, dataset="cifar10"))
    before = {file.name for file in folder.iterdir()}
    call("device", "remove", "Npu")
    gone = before - {file.name for file in folder.iterdir()}
    assert gone == {"npu.json", *(name for name in gone if name.endswith(".npz"))}
    assert len(gone) == 2
    for name in ("npu_a", "npu_abcdef012345"):
        device = read_device(folder / f"{name}.json")
        assert space.costs(device, "cifar10").values["latency_ms"][0] == 1.0


def test_two_that_add_at_once_lose_nothing(folder: Path, tmp_path: Path) -> None:
    space = SEARCH_SPACES["nasbench201"]
    table = tmp_path / "rows.csv"
    lines = [
        f"{space.decode(row)},{n + 1}" for n, row in enumerate(space.design.fit[:8])
    ]
    table.write_text("\n".join(["architecture,latency_ms", *lines]) + "\n")
    environment = {**os.environ, "HWNAS_ENV_DEVICES": str(folder)}
    words = ("-m", "hwnas_env", "device", "add", "Phone", str(table))
    started = [
        subprocess.Popen(
            [sys.executable, *words, "--space", "nasbench201", "--dataset", dataset],
            env=environment,
            stdout=subprocess.DEVNULL,
        )
        for dataset in space.datasets
    ]
    assert [process.wait() for process in started] == [0, 0, 0]
    found = read_device(folder / "phone.json")
    assert set(found.datasets_in("nasbench201")) == set(space.datasets)


def test_a_table_takes_the_measured_rows_of_what_it_replaces_away(folder: Path) -> None:
    space: Any = SEARCH_SPACES["nasbench201"]
    save_device(fitted())
    table = folder.parent / "t.npz"
    np.savez(table, latency_ms=np.arange(1.0, space.size + 1))
    made = whole_device(table, label="Phone", space=space, dataset="cifar10")
    both = merged(made, replace=True)
    assert "measured" not in both.spaces["nasbench201"]
    with pytest.raises(InvalidArgumentError, match=r"expected a file \.npz or \.csv"):
        whole_device("os:getcwd", label="Phone", space=space, dataset="cifar10")


def test_a_damaged_device_can_be_replaced(folder: Path, tmp_path: Path) -> None:
    space = SEARCH_SPACES["nasbench201"]
    path = save_device(fitted())
    assert path.parent == folder
    path.write_text(path.read_text().replace("0", "1", 1))
    rows = tmp_path / "rows.csv"
    lines = [
        f"{space.decode(row)},{n + 1}" for n, row in enumerate(space.design.fit[:8])
    ]
    rows.write_text("\n".join(["architecture,latency_ms", *lines]) + "\n")
    add = ("device", "add", "Phone", str(rows), "--space", "nasbench201")
    assert "sha256" in call(*add, code=2)
    assert CELL in call(*add, "--replace")
