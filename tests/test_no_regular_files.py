"""Pipes and endless devices in the place of files: nothing waits, nothing is filled."""

import hashlib
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hwnas_env.data import cache as cached
from hwnas_env.devices import listed, parse_device
from hwnas_env.devices.device import read_table
from hwnas_env.devices.files import folder_locked
from hwnas_env.errors import ChecksumError, DeviceFileError
from hwnas_env.version import __version__

KINDS: dict[str, Callable[[Path], Any]] = {
    "a pipe": os.mkfifo,
    "an endless device": lambda path: path.symlink_to("/dev/zero"),
    "a folder": Path.mkdir,
}
LIMITED = (
    "import resource\n"
    "resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))\n"
    "import hwnas_env\n"
    "print('toybox' in hwnas_env.DEVICES)"
)


def imported(devices: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", LIMITED],
        env={**os.environ, "HWNAS_ENV_DEVICES": str(devices)},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


@pytest.fixture
def devices(tmp_path: Path) -> Path:
    """A folder with the toys' device in it."""
    place = tmp_path / "devices"
    place.mkdir()
    for file in (Path(__file__).parent / "devices").glob("*.json"):
        (place / file.name).write_bytes(file.read_bytes())
    return place


@pytest.mark.parametrize("name", ["x.json", ".listed.json"])
@pytest.mark.parametrize("kind", KINDS)
def test_an_import_goes_on_past_what_is_no_file(
    kind: str, name: str, devices: Path
) -> None:
    KINDS[kind](devices / name)
    done = imported(devices)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "True\n"
    assert ("this device cannot be used" in done.stderr) == (name == "x.json")


def listing(content: bytes) -> bytes:
    return hashlib.sha256(content).hexdigest().encode() + b"\n" + content


def with_row(devices: Path, **changes: Any) -> bytes:
    """A listing with a right digest, whose rows are as they should be but for one."""
    rows = {}
    for file in devices.glob("*.json"):
        content = file.read_bytes()
        row = listed.row_of(parse_device(content, origin=str(file)), content)
        rows[file.name] = {**row, **changes}
    return listing(json.dumps([__version__, rows]).encode())


ODD = [
    *("5", "null", "[]", "[" * 200_000, f'["{__version__}", 5]'),
    *(f'["{__version__}", [1]]', f'["{__version__}", {{"toybox.json": 5}}]'),
]
CHANGES: list[dict[str, Any]] = [
    *({"name": 5}, {"name": None}, {"label": 5}, {"label": "A\x1b[31m"}),
    *({"label": "../x"}, {"label": "\ud800"}, {"label": "x" * 10**6}, {"place": "x"}),
    *({"place": [1]}, {"spaces": 5}, {"spaces": []}, {"spaces": {"nasbench201": 5}}),
    {"sha256": 5},
]


def test_a_listing_that_is_none_is_passed_over(devices: Path) -> None:
    """Whatever it holds, with a right digest too, each file is read whole then."""
    contents = [listing(text.encode()) for text in ODD]
    contents += [with_row(devices, **change) for change in CHANGES]
    code = (
        "import os, pathlib, sys, hwnas_env\n"
        "from hwnas_env.devices import DEVICES\n"
        "from hwnas_env.devices.registry import add_users_own\n"
        "for name in sys.argv[1:]:\n"
        "    os.environ['HWNAS_ENV_DEVICES'] = name\n"
        "    if 'toybox' in DEVICES: DEVICES.remove('toybox')\n"
        "    add_users_own()\n"
        "    print('toybox' in DEVICES)\n"
    )
    places = []
    for number, content in enumerate(contents):
        place = devices.with_name(f"devices-{number}")
        place.mkdir()
        for file in devices.glob("*.json"):
            (place / file.name).write_bytes(file.read_bytes())
        (place / listed.LISTING).write_bytes(content)
        places.append(str(place))
    done = subprocess.run(
        [sys.executable, "-c", code, *places],
        env={**os.environ, "HWNAS_ENV_DEVICES": ""},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["True"] * len(contents)


@pytest.mark.parametrize("kind", KINDS)
def test_a_manifest_that_is_no_file_is_a_clear_error(kind: str, cache: Path) -> None:
    cache.mkdir(exist_ok=True)
    KINDS[kind](cache / "thing.json")
    with pytest.raises(ChecksumError, match="cannot be read"):
        cached.load("thing")
    assert "cannot be read" in cached.check("thing")[0]


def test_a_lock_that_is_a_pipe_keeps_nobody_waiting(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HWNAS_ENV_DEVICES", str(tmp_path / "own"))
    for place in (cache, tmp_path / "own"):
        place.mkdir(exist_ok=True)
        os.mkfifo(place / ".lock")
    cached.store("thing", {"a": np.arange(3)}, meta={})
    with folder_locked():
        assert cached.load("thing") is not None


def test_a_table_that_unpacks_to_very_much_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "t.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("values.npy", b"\0" * (1 << 28))
    assert (tmp_path / "t.npz").stat().st_size < 1 << 19
    with pytest.raises(DeviceFileError, match="bytes unpacked, expected"):
        read_table(str(tmp_path / "d.json"), "t.npz", "0" * 64)
