"""The cache's manifests: what changes in one is seen, named and mended."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hwnas_env.data import cache as cached
from hwnas_env.data.cache import Bundle
from hwnas_env.errors import ChecksumError
from hwnas_env.spaces.nasbench201 import runs as nasbench201_runs

META = {"source_file": "x.npz", "source_sha256": "00", "holes": {"a": 1}, "none": None}


def _stored() -> Bundle:
    return cached.store("thing", {"x": np.zeros(3), "y": np.ones(2)}, meta=META)


def test_a_manifest_gives_back_what_was_stored(cache: Path) -> None:
    stored, loaded = _stored(), cached.load("thing")
    assert loaded is not None
    assert loaded.meta == stored.meta == META
    assert cached.check("thing") == []
    assert cache.is_dir()


def test_any_changed_byte_of_a_manifest_is_seen_and_named(
    cache: Path, rng: np.random.Generator
) -> None:
    _stored()
    path = cache / "thing.json"
    whole = path.read_bytes()
    for place in range(len(whole)):
        changed = bytearray(whole)
        changed[place] ^= 1 << int(rng.integers(8))
        contents = (changed, whole[:place], whole[:place] + whole[place + 1 :])
        path.write_bytes(bytes(contents[place % 3]))
        with pytest.raises(ChecksumError, match="delete it"):
            cached.load("thing")
        assert "thing.json" in cached.check("thing")[0]
    for more in (b"\n", b" ", b"{}"):
        path.write_bytes(whole + more)
        with pytest.raises(ChecksumError, match="delete it"):
            cached.load("thing")
    path.write_bytes(whole)
    assert cached.check("thing") == []


@pytest.mark.parametrize(
    "change",
    [
        {"folder": 5},
        {"folder": "../elsewhere"},
        {"folder": None},
        {"files": []},
        {"files": {"x": "000.npy"}},
        {"files": {"x": {"file": "000.npy"}}},
        {"files": {"x": {"file": "../000.npy", "sha256": "00"}}},
        {"files": {"x": {"file": ["000.npy"], "sha256": 0}}},
        {"meta": None},
        {"schema": 1},
    ],
)
def test_a_manifest_of_another_form_is_refused_whatever_its_checksum(
    change: dict[str, Any], cache: Path
) -> None:
    _stored()
    path = cache / "thing.json"
    plain = {**json.loads(path.read_text()), **change}
    del plain["sha256"]
    digest = hashlib.sha256(json.dumps(plain).encode()).hexdigest()
    path.write_text(json.dumps({**plain, "sha256": digest}, indent=1) + "\n")
    with pytest.raises(ChecksumError, match="no manifest of this version"):
        cached.load("thing")
    assert "no manifest" in cached.check("thing")[0]


@pytest.mark.parametrize("content", [b"[" * 100_000, b"\xff\xfe", b"1" * 5000])
def test_a_manifest_that_cannot_be_read_is_a_clear_error(
    content: bytes, cache: Path
) -> None:
    cache.mkdir()
    (cache / "thing.json").write_bytes(content)
    with pytest.raises(ChecksumError, match="delete it"):
        cached.load("thing")


def test_a_damaged_manifest_is_stored_again(cache: Path) -> None:
    _stored()
    (cache / "thing.json").write_text("{")
    _stored()
    assert cached.check("thing") == []
    before = nasbench201_runs.load_runs("cifar10").accuracy_percent.copy()
    manifest = cache / "nasbench201-runs-cifar10.json"
    whole = manifest.read_bytes()
    manifest.write_bytes(whole.replace(b"sha256", b"sha257", 1))
    again = nasbench201_runs.load_runs("cifar10").accuracy_percent
    np.testing.assert_array_equal(again, before)
    assert manifest.read_bytes() == whole
