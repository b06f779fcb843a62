"""Arrays on disk: written once, whole or not at all, with checksums, memory-mapped.

A *bundle* is a folder of ``.npy`` files. A small JSON file beside it, the manifest,
says which folder holds the bundle of a name, what is in it, every file's SHA-256, and
its own: a reader that writes it again must come to the same bytes.
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

from hwnas_env.data.files import locked, read_file
from hwnas_env.errors import ChecksumError, DataError, DataMissingError

CACHE_VARIABLE = "HWNAS_ENV_CACHE"
"""The environment variable that moves the cache."""

_SCHEMA = 2


@dataclass(frozen=True)
class Bundle:
    """Holds one data set's arrays, memory-mapped and read-only.

    Attributes:
        name: what it is ("hw-nas-bench").
        arrays: arrays by name.
        meta: what the importer recorded: source file, SHA-256, citation, holes.
        path: its folder.
    """

    name: str
    arrays: Mapping[str, npt.NDArray[Any]]
    meta: Mapping[str, Any]
    path: Path


def cache_dir() -> Path:
    """Returns the folder of the cache; it need not exist.

    The variable ``HWNAS_ENV_CACHE`` moves it; otherwise it is the user's cache folder.

    Raises:
        DataError: the variable names the home of a user that does not exist.
    """
    moved = os.environ.get(CACHE_VARIABLE)
    if moved:
        try:
            return Path(moved).expanduser()
        except RuntimeError as error:
            message = f"{CACHE_VARIABLE}={moved}: {error}"
            raise DataError(message) from None
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
        with locked(root / ".lock"):  # readers need no lock
            for leftover in root.glob(f".{name}-*"):  # of a writer that was killed
                _remove(leftover)
            staging = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=root))
            try:
                return _publish(name, arrays, meta, root, staging)
            finally:
                _remove(staging)
    except OSError as error:
        message = (
            f"cannot write the cache at {root} ({error}); set {CACHE_VARIABLE} to a "
            "folder that can be written"
        )
        raise DataError(message) from None


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


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
        _remove(folder)  # damaged: the same content goes in its place
    if not folder.exists():
        staging.chmod(0o755)
        staging.rename(folder)
    manifest = {
        "schema": _SCHEMA,
        "folder": folder.name,
        "files": files,
        "meta": dict(meta),
    }
    draft = root / f".{name}-manifest.json"
    draft.write_bytes(_render(manifest))
    draft.replace(root / f"{name}.json")
    for old in root.glob(f"{name}-" + "[0-9a-f]" * 16):
        if old != folder:
            _remove(old)
    return _open(name, root, manifest)


def _render(manifest: Mapping[str, Any]) -> bytes:
    """Writes a manifest, with the SHA-256 of all else that it says behind it."""
    plain = {key: value for key, value in manifest.items() if key != "sha256"}
    digest = hashlib.sha256(json.dumps(plain).encode()).hexdigest()
    return (json.dumps({**plain, "sha256": digest}, indent=1) + "\n").encode()


def load(name: str) -> Bundle | None:
    """Opens a bundle memory-mapped, or returns None where there is none.

    Every file is compared with its SHA-256 first.

    Raises:
        ChecksumError: the manifest or a file is damaged.
    """
    root = cache_dir()
    manifest = _manifest(root / f"{name}.json")
    while manifest is not None:
        try:
            return _open(name, root, manifest)
        except ChecksumError:
            newer = _manifest(root / f"{name}.json")
            if newer == manifest:
                raise
            manifest = newer  # another process had just replaced it
    return None


def _open(name: str, root: Path, manifest: Mapping[str, Any]) -> Bundle:
    folder = root / manifest["folder"]
    wrong = _differences(folder, manifest["files"])
    arrays: dict[str, npt.NDArray[Any]] = {}
    try:
        for key, entry in () if wrong else manifest["files"].items():
            path = folder / entry["file"]
            arrays[key] = np.load(path, mmap_mode="r", allow_pickle=False)
    except Exception as error:  # gone since it was compared, or no array at all
        wrong = [str(error)]
    if wrong:
        message = (
            f"the cached data in {folder} is damaged ({wrong[0]}); import it again"
        )
        raise ChecksumError(message)
    return Bundle(name, arrays, manifest["meta"], folder)


def check(name: str) -> list[str]:
    """Compares a bundle's manifest and every file of it with their checksums.

    Returns:
        What is wrong, in words.
    """
    root = cache_dir()
    try:
        manifest = _manifest(root / f"{name}.json")
    except ChecksumError as error:
        return [f"{name}: {error}"]
    if manifest is None:
        return [f"{name}: not there"]
    wrong = _differences(root / manifest["folder"], manifest["files"])
    return [f"{name}: {words}" for words in wrong]


def _differences(folder: Path, files: Mapping[str, Mapping[str, str]]) -> list[str]:
    wrong = []
    for key, entry in files.items():
        file = folder / entry["file"]
        try:
            if not file.is_file():
                wrong.append(f"{key}: the file {file.name} is missing")
            elif sha256(file) != entry["sha256"]:
                wrong.append(f"{key}: the bytes differ from the recorded SHA-256")
        except OSError as error:
            wrong.append(f"{key}: the file {file.name} cannot be read ({error})")
    return wrong


def names() -> list[str]:
    """Returns the names of the bundles in the cache."""
    return sorted(path.stem for path in cache_dir().glob("[!.]*.json"))


def _manifest(path: Path) -> dict[str, Any] | None:
    if not path.exists():  # nor does a folder above it
        return None
    try:
        content = read_file(path)
        manifest = json.loads(content)
        if not _is_manifest(manifest):
            message = f"{path} is no manifest of this version"
        elif _render(manifest) == content:
            return dict(manifest)
        else:
            message = f"{path} differs from the SHA-256 recorded in it"
    except DataMissingError:
        return None
    except (DataError, ValueError, RecursionError) as error:
        message = f"{path} cannot be read ({error})"
    message = f"{message}; delete it, and import again what was imported"
    raise ChecksumError(message)


def _is_manifest(value: Any) -> bool:
    if not isinstance(value, dict) or value.get("schema") != _SCHEMA:
        return False
    folder, files = value.get("folder"), value.get("files")
    if not isinstance(folder, str) or not isinstance(files, dict):
        return False
    texts: list[Any] = [folder]
    for entry in files.values():
        if not isinstance(entry, dict):
            return False
        texts += [entry.get("file"), entry.get("sha256")]
    return isinstance(value.get("meta"), dict) and all(
        isinstance(text, str) and Path(text).name == text for text in texts
    )
