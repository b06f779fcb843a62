"""Arrays on disk: written once, whole or not at all, with checksums, memory-mapped.

A *bundle* is a folder of ``.npy`` files. A small JSON file beside it, the manifest,
says which folder holds the bundle of a name, what is in it and every file's SHA-256.
Writing fills a temporary folder, renames it, and replaces the manifest last, so that a
reader sees the old bundle or the new one and never half of either.
"""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hwnas_env.errors import ChecksumError, DataError

CACHE_VARIABLE = "HWNAS_ENV_CACHE"
"""The environment variable that moves the cache."""

_SCHEMA = 1


@dataclass(frozen=True)
class Bundle:
    """Holds one data set's arrays, memory-mapped and read-only.

    Attributes:
        name: what it is ("hw-nas-bench").
        arrays: arrays by name.
        meta: what the importer recorded: source file, SHA-256, citation, holes.
        path: its folder; None where it lives in memory only.
    """

    name: str
    arrays: Mapping[str, npt.NDArray[Any]]
    meta: Mapping[str, Any]
    path: Path | None


def cache_dir() -> Path:
    """Returns the folder of the cache; it need not exist.

    The variable ``HWNAS_ENV_CACHE`` moves it; otherwise it is the user's cache folder.
    """
    moved = os.environ.get(CACHE_VARIABLE)
    if moved:
        return Path(moved).expanduser()
    import pooch  # here, because it brings requests and is rarely needed

    return Path(pooch.os_cache("hwnas_env"))


def sha256(path: Path) -> str:
    """Returns the SHA-256 of a file, as hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def store(
    name: str, arrays: Mapping[str, npt.NDArray[Any]], *, meta: Mapping[str, Any]
) -> Bundle:
    """Writes a bundle into the cache, whole or not at all, and returns it.

    Raises:
        DataError: the cache cannot be written; what was there before is still there.
    """
    root = cache_dir()
    try:
        root.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=root))
    except OSError as error:
        raise _unwritable(root, error) from None
    try:
        return _publish(name, arrays, meta, root, staging)
    except OSError as error:
        raise _unwritable(root, error) from None
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _unwritable(root: Path, error: OSError) -> DataError:
    return DataError(
        f"cannot write the cache at {root} ({error}); set {CACHE_VARIABLE} to a folder "
        "that can be written"
    )


def _publish(
    name: str,
    arrays: Mapping[str, npt.NDArray[Any]],
    meta: Mapping[str, Any],
    root: Path,
    staging: Path,
) -> Bundle:
    files = {}
    for number, (key, array) in enumerate(arrays.items()):
        file = staging / f"{number:03d}.npy"
        with file.open("wb") as stream:
            np.save(stream, np.ascontiguousarray(array), allow_pickle=False)
            stream.flush()
            os.fsync(stream.fileno())
        files[key] = {"file": file.name, "sha256": sha256(file)}
    digest = hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()
    folder = root / f"{name}-{digest[:16]}"
    if folder.exists() and _differences(folder, files):
        shutil.rmtree(folder)  # damaged: the same content goes in its place
    if not folder.exists():
        staging.chmod(0o755)
        staging.rename(folder)
    manifest = {
        "schema": _SCHEMA,
        "folder": folder.name,
        "files": files,
        "meta": dict(meta),
    }
    draft = root / f".{folder.name}-{os.getpid()}.json"
    try:
        draft.write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
        draft.replace(root / f"{name}.json")
    finally:
        draft.unlink(missing_ok=True)
    for old in root.glob(f"{name}-" + "?" * 16):
        if old != folder:
            shutil.rmtree(old, ignore_errors=True)
    bundle = load(name)
    assert bundle is not None, "a bundle that was just written is there"
    return bundle


def load(name: str) -> Bundle | None:
    """Opens a bundle memory-mapped, or returns None where there is none.

    Raises:
        ChecksumError: the manifest or a file is damaged.
    """
    root = cache_dir()
    manifest = _manifest(root / f"{name}.json")
    if manifest is None:
        return None
    folder = root / manifest["folder"]
    try:
        arrays = {
            key: np.load(folder / entry["file"], mmap_mode="r", allow_pickle=False)
            for key, entry in manifest["files"].items()
        }
    except (OSError, ValueError) as error:
        message = f"the cached data in {folder} is damaged ({error}); import it again"
        raise ChecksumError(message) from None
    return Bundle(name, arrays, manifest["meta"], folder)


def check(name: str) -> list[str]:
    """Compares every file of a bundle with its checksum: what is wrong, in words."""
    root = cache_dir()
    manifest = _manifest(root / f"{name}.json")
    if manifest is None:
        return [f"{name}: not there"]
    wrong = _differences(root / manifest["folder"], manifest["files"])
    return [f"{name}: {words}" for words in wrong]


def _differences(folder: Path, files: Mapping[str, Mapping[str, str]]) -> list[str]:
    wrong = []
    for key, entry in files.items():
        file = folder / entry["file"]
        if not file.is_file():
            wrong.append(f"{key}: the file {file.name} is missing")
        elif sha256(file) != entry["sha256"]:
            wrong.append(f"{key}: the bytes differ from the recorded SHA-256")
    return wrong


def names() -> list[str]:
    """Returns the names of the bundles in the cache."""
    return sorted(path.stem for path in cache_dir().glob("[!.]*.json"))


def _manifest(path: Path) -> dict[str, Any] | None:
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        message = f"{path} cannot be read ({error}); delete it and import again"
        raise ChecksumError(message) from None
    if not isinstance(manifest, dict) or manifest.get("schema") != _SCHEMA:
        message = f"{path} is of another version of this package; import again"
        raise ChecksumError(message)
    return manifest
