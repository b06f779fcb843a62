"""Reads accuracies of all NAS-Bench-201 networks from npz and csv files.

What a file claims of itself is checked before it is believed: shapes before data is
read, and whatever it says twice against each other. What is not understood is an error
that says where it stands.
"""

import csv
import io
import math
import re
import zipfile

import numpy as np
import numpy.typing as npt
from numpy.lib import format as npy

from hwnas_env.errors import ForeignFileError, TruncatedFileError, shown
from hwnas_env.spaces import SEARCH_SPACES
from hwnas_env.types import FloatArray

MOST_RUNS = 100
"""Most runs of a network that a file may hold; NAS-Bench-201 has three."""

_SPACE = SEARCH_SPACES["nasbench201"]
_NETWORK = ("index", "architecture")
_INDEX = re.compile(r"[0-9]{1,5}")
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?|[nN][aA][nN]|")


def read_npz(content: bytes, *, name: str) -> dict[str, FloatArray]:
    """Reads the arrays that are named by a dataset; others are left alone.

    Args:
        content: the file's bytes.
        name: how messages call the file.

    Returns:
        ``(15625,)`` or ``(15625, R)`` by dataset.

    Raises:
        TruncatedFileError: it is no npz file, or damaged.
        ForeignFileError: an array is no table of numbers of such a shape, or a second
            one of its dataset.
    """
    found: dict[str, FloatArray] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for member in archive.infolist():
                title = member.filename.removesuffix(".npy")
                dataset = _dataset_named(title)
                if dataset in found:
                    message = f"{name}: {shown(title)} is a second array of {dataset}"
                    raise ForeignFileError(message)
                if dataset is not None:
                    found[dataset] = _member(archive, member, f"{name}: {shown(title)}")
    except (ForeignFileError, TruncatedFileError):
        raise
    except Exception as error:  # zipfile and NumPy raise a dozen kinds for damage
        message = f"{name}: not a complete npz file ({str(error)[:200]})"
        raise TruncatedFileError(message) from None
    return found


def _member(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, where: str
) -> FloatArray:
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        message = f"{where}: compressed in a way that NumPy does not"
        raise ForeignFileError(message)
    with archive.open(member) as file:
        version = npy.read_magic(file)
        if version != (1, 0):  # others may have a header of 4 GB
            message = f"{where}: npy version {version}, expected that of plain arrays"
            raise ForeignFileError(message)
        shape, columns_first, dtype = npy.read_array_header_1_0(file)
        if dtype.kind not in "fiu" or dtype.itemsize > 8:
            message = f"{where}: expected numbers, got dtype {dtype!s:.80}"
            raise ForeignFileError(message)
        if not _is_shape(shape):
            message = f"{where}: {_expected()}, got {shape!s:.80}"
            raise ForeignFileError(message)
        size = math.prod(shape) * dtype.itemsize
        data = file.read(size + 1)  # one more, so that the end and its checksum are met
    if len(data) != size:
        message = f"{where}: expected {size} bytes of data, got {len(data)}"
        raise TruncatedFileError(message)
    flat: npt.NDArray[np.generic] = np.frombuffer(data, dtype=dtype)
    return flat.reshape(shape, order="F" if columns_first else "C").astype(np.float64)


def _is_shape(shape: tuple[int, ...]) -> bool:
    return shape == (_SPACE.size,) or (
        len(shape) == 2 and shape[0] == _SPACE.size and 1 <= shape[1] <= MOST_RUNS
    )


def _expected() -> str:
    return f"expected shape ({_SPACE.size},) or ({_SPACE.size}, R), R to {MOST_RUNS}"


def read_csv(content: bytes, *, name: str) -> dict[str, FloatArray]:
    """Reads a table with a header, rows in any order.

    Args:
        content: the file's bytes.
        name: how messages call the file.

    Returns:
        ``(15625, R)`` by dataset, NaN where the table has no value.

    Raises:
        TruncatedFileError: it is no csv file.
        ForeignFileError: something in it is not understood, or contradicts itself;
            names the line and the column.
    """
    found: dict[str, FloatArray] = {}
    seen: set[int] = set()
    reader = csv.reader(_lines(content, name), strict=True)
    try:
        header = next(reader, [])
        meanings = _meanings(header, f"{name}: line 1")
        for what, run in meanings:
            if what in _SPACE.datasets:
                found[what] = np.full((_SPACE.size, run + 1), np.nan)
        for cells in reader:
            if not cells:
                continue
            where = f"{name}: line {reader.line_num}"
            network, values = _row(cells, meanings, where)
            if network in seen:
                message = f"{where}: network {network} stands there twice"
                raise ForeignFileError(message)
            seen.add(network)
            for (what, run), value in values.items():
                found[what][network, run] = value
    except csv.Error as error:
        message = f"{name}: line {reader.line_num}: not a csv file ({error})"
        raise TruncatedFileError(message) from None
    return found


def _lines(content: bytes, name: str) -> io.StringIO:
    try:
        return io.StringIO(content.decode("utf-8-sig"), newline="")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        message = f"{name}: line {line}: not a csv file ({error.reason})"
        raise TruncatedFileError(message) from None


def _meanings(header: list[str], where: str) -> list[tuple[str, int]]:
    """Says what each column holds: index, architecture, or a dataset and which run."""
    runs: dict[str, list[str]] = {}
    meanings = []
    for place, title in enumerate(header, start=1):
        label, _, run = (part.strip() for part in title.partition("/"))
        what = title.strip() if title.strip() in _NETWORK else _dataset_named(label)
        if what is None:
            message = (
                f"{where}, column {place}: {shown(title)} is not understood; expected "
                f"index, architecture or a dataset, one of {', '.join(_SPACE.datasets)}"
            )
            raise ForeignFileError(message)
        known = runs.setdefault(what, [])
        if run in known or (known and "" in (run, known[0])):
            message = f"{where}, column {place}: {shown(title)} is a second column of "
            message += what if run == "" else f"run {shown(run)} of {what}"
            raise ForeignFileError(message)
        if len(known) == MOST_RUNS:
            message = f"{where}, column {place}: {what} has more than {MOST_RUNS} runs"
            raise ForeignFileError(message)
        known.append(run)
        meanings.append((what, len(known) - 1))
    if not runs.keys() & set(_NETWORK):
        message = f"{where}: expected a column 'index' or 'architecture'"
        raise ForeignFileError(message)
    return meanings


def _row(
    cells: list[str], meanings: list[tuple[str, int]], where: str
) -> tuple[int, dict[tuple[str, int], float]]:
    """Reads one line: which network it is of, and a value for each dataset and run."""
    if len(cells) != len(meanings):
        column = min(len(cells), len(meanings)) + 1
        message = (
            f"{where}, column {column}: expected {len(meanings)} fields as in the "
            f"header, got {len(cells)}"
        )
        raise ForeignFileError(message)
    network, values = None, {}
    for place, (cell, meaning) in enumerate(zip(cells, meanings, strict=True), start=1):
        what = meaning[0]
        try:
            if what not in _NETWORK:
                values[meaning] = _percent(cell.strip())
                continue
            read = _index(cell.strip()) if what == "index" else _encoded(cell)
            if network is not None and read != network:
                message = f"network {read}, but the columns before say {network}"
                raise ValueError(message)
            network = read
        except ValueError as error:
            message = f"{where}, column {place} ({what}): {str(error)[:200]}"
            raise ForeignFileError(message) from None
    assert network is not None, "the header has one of the two columns"
    return network, values


def _percent(cell: str) -> float:
    if not _NUMBER.fullmatch(cell):
        message = f"expected a number, got {shown(cell)}"
        raise ValueError(message)
    value = float(cell or "nan")
    if value < 0 or value > 100:
        message = f"expected percent, 0 to 100, got {shown(cell)}"
        raise ValueError(message)
    return value


def _index(cell: str) -> int:
    if not _INDEX.fullmatch(cell) or int(cell) >= _SPACE.size:
        message = f"expected an index from 0 to {_SPACE.size - 1}, got {shown(cell)}"
        raise ValueError(message)
    return int(cell)


def _encoded(cell: str) -> int:
    if len(cell) > 200:
        message = f"expected an architecture, got {shown(cell)}"
        raise ValueError(message)
    return int(_SPACE.index(_SPACE.encode(cell))[0])


def _dataset_named(name: str) -> str | None:
    plain = _plain(name)
    return next((own for own in _SPACE.datasets if _plain(own) == plain), None)


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


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
    table = runs.reshape(_SPACE.size, -1)
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
