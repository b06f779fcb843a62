"""Reads columns of all networks of an enumerated space from npz and csv files.

What a file claims of itself is checked before it is believed: shapes before data is
read, and whatever it says twice against each other. What is not understood is an error
that says where it stands.
"""

import csv
import io
import math
import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numpy.lib import format as npy

from hwnas_env.errors import ForeignFileError, TruncatedFileError, shown
from hwnas_env.types import FloatArray, IntArray

MOST_RUNS = 100
"""Most columns of one name that a file may hold, like the runs of an accuracy."""


@dataclass(frozen=True)
class TableForm:
    """Says what a file's columns may be, and how a cell is read.

    Attributes:
        size: networks of the space, one row each.
        titles: the names that columns may have, like datasets or metrics.
        noun: what a title is, for messages ("dataset").
        row_of: an architecture's row; raises ValueError where it is none.
        number: reads the text of a cell; raises ValueError where it is wrong.
        strict: True refuses every array of an npz that is named otherwise.
        width: columns that every array has; 0 for one, or several runs.
        aside: names of further columns that a csv may have, which hold texts.
    """

    size: int
    titles: tuple[str, ...]
    noun: str
    row_of: Callable[[str], int]
    number: Callable[[str], float]
    strict: bool = False
    width: int = 0
    aside: tuple[str, ...] = ()

    def named(self, title: str) -> str | None:
        """Returns the title that is meant, but for case and punctuation; or None."""
        plain = _plain(title)
        return next((own for own in self.titles if _plain(own) == plain), None)


_NETWORK = ("index", "architecture")
"""Columns that say which network a row is."""
_INDEX = re.compile(r"[0-9]{1,9}")
_RUN = re.compile(r"(?:run|seed)?[ _-]?([0-9]{1,18})", re.IGNORECASE)
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?|[nN][aA][nN]|")


def read_npz(content: bytes, *, name: str, form: TableForm) -> dict[str, FloatArray]:
    """Reads the arrays that are named by a title; others are left alone.

    Args:
        content: the file's bytes.
        name: how messages call the file.
        form: what its arrays may be.

    Returns:
        ``(size,)`` or ``(size, R)`` by title.

    Raises:
        TruncatedFileError: it is no npz file, or damaged.
        ForeignFileError: an array is no table of numbers of such a shape, or a second
            one of its title; or one says what the rows are, whose order is known.
    """
    found: dict[str, FloatArray] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for member in archive.infolist():
                title = member.filename.removesuffix(".npy")
                what = form.named(title)
                if what is None and _plain(title) in _NETWORK:
                    message = (
                        f"{name}: {shown(title)}: rows of an npz are in the order of "
                        "the space; write a csv file for another order"
                    )
                    raise ForeignFileError(message)
                if what is None and form.strict:
                    expected = f"a {form.noun}, one of {', '.join(form.titles)}"
                    message = f"{name}: {shown(title)}: expected {expected}"
                    raise ForeignFileError(message)
                if what in found:
                    message = f"{name}: {shown(title)} is a second array of {what}"
                    raise ForeignFileError(message)
                if what is not None:
                    where = f"{name}: {shown(title)}"
                    found[what] = _member(archive, member, where, form)
    except (ForeignFileError, TruncatedFileError):
        raise
    except Exception as error:  # zipfile and NumPy raise a dozen kinds for damage
        message = f"{name}: not a complete npz file ({str(error)[:200]})"
        raise TruncatedFileError(message) from None
    return found


def _member(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo, where: str, form: TableForm
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
        if not _is_shape(shape, form):
            rows = form.size
            expected = (
                f"shape ({rows}, {form.width})"
                if form.width
                else f"shape ({rows},) or ({rows}, R), R to {MOST_RUNS}"
            )
            message = f"{where}: expected {expected}, got {shape!s:.80}"
            raise ForeignFileError(message)
        size = math.prod(shape) * dtype.itemsize
        data = file.read(size + 1)  # one more, so that the end and its checksum are met
    if len(data) != size:
        message = f"{where}: expected {size} bytes of data, got {len(data)}"
        raise TruncatedFileError(message)
    flat: npt.NDArray[np.generic] = np.frombuffer(data, dtype=dtype)
    return flat.reshape(shape, order="F" if columns_first else "C").astype(np.float64)


def _is_shape(shape: tuple[int, ...], form: TableForm) -> bool:
    if form.width:
        return shape == (form.size, form.width)
    return shape == (form.size,) or (
        len(shape) == 2 and shape[0] == form.size and 1 <= shape[1] <= MOST_RUNS
    )


def read_csv(content: bytes, *, name: str, form: TableForm) -> dict[str, FloatArray]:
    """Reads a table with a header, rows in any order.

    Args:
        content: the file's bytes.
        name: how messages call the file.
        form: what its columns may be.

    Returns:
        ``(size, R)`` by title, NaN where the table has no value.

    Raises:
        TruncatedFileError: it is no csv file.
        ForeignFileError: something in it is not understood, or contradicts itself;
            names the line and the column.
    """
    found: dict[str, FloatArray] = {}
    seen: set[int] = set()
    lines = _parsed(content, name, form)
    titles = [what for what, _ in next(lines).values]
    for what in form.titles:
        if what in titles:
            found[what] = np.full((form.size, titles.count(what)), np.nan)
    for line in lines:
        if line.network in seen:
            message = f"{name}: line {line.number}: network {line.network} stands "
            raise ForeignFileError(message + "there twice")
        seen.add(line.network)
        for (what, run), value in line.values.items():
            found[what][line.network, run] = value
    return found


@dataclass(frozen=True, eq=False)
class Rows:
    """The N rows of a csv file, in its order.

    Attributes:
        networks: ``(N,)`` int64, the number of each row's network.
        lines: ``(N,)`` int64, the line that each ends in; the header is line 1.
        columns: ``(N,)`` by title, NaN where a cell is empty.
        texts: N cells by the name of a column that is aside.
    """

    networks: IntArray
    lines: IntArray
    columns: dict[str, FloatArray]
    texts: dict[str, list[str]]


def read_rows(content: bytes, *, name: str, form: TableForm) -> Rows:
    """Reads a table with a header as a list of rows, networks more than once too.

    Args:
        content: the file's bytes.
        name: how messages call the file.
        form: what its columns may be; one column a title.

    Raises:
        TruncatedFileError: it is no csv file.
        ForeignFileError: something in it is not understood; names the line and the
            column.
    """
    parsed = _parsed(content, name, form)
    header = next(parsed)
    titles = [meaning for meaning in header.values if meaning[0] in form.titles]
    for what, run in titles:
        if run:
            message = f"{name}: line 1: {what}: expected one column, got more"
            raise ForeignFileError(message)
    lines = list(parsed)
    return Rows(
        np.array([line.network for line in lines], dtype=np.int64),
        np.array([line.number for line in lines], dtype=np.int64),
        {
            meaning[0]: np.array([line.values[meaning] for line in lines], np.float64)
            for meaning in titles
        },
        {what: [line.texts[what] for line in lines] for what in header.texts},
    )


_Meaning = tuple[str, int]


@dataclass(frozen=True)
class _Line:
    """A line of a csv file: its number, its network, and its cells by meaning."""

    number: int
    network: int
    values: dict[_Meaning, float]
    texts: dict[str, str]


def _parsed(content: bytes, name: str, form: TableForm) -> Iterator[_Line]:
    """Yields the header, whose keys are what it means, then every row.

    The header's network is -1.
    """
    reader = csv.reader(_lines(content, name), strict=True)
    try:
        header = next(reader, [])
        meanings = _meanings(header, f"{name}: line 1", form)
        texts = {what: "" for what, _ in meanings if what in form.aside}
        values = {m: math.nan for m in meanings if m[0] not in texts}
        yield _Line(1, -1, values, texts)
        for cells in reader:
            if cells:
                where = f"{name}: line {reader.line_num}"
                yield _Line(reader.line_num, *_row(cells, meanings, where, form))
    except csv.Error as error:
        message = f"{name}: line {reader.line_num}: not a csv file ({error})"
        raise TruncatedFileError(message) from None


def _lines(content: bytes, name: str) -> io.StringIO:
    try:
        return io.StringIO(content.decode("utf-8-sig"), newline="")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        message = f"{name}: line {line}: not a csv file ({error.reason})"
        raise TruncatedFileError(message) from None


def _meanings(header: list[str], where: str, form: TableForm) -> list[_Meaning]:
    """Says what each column holds: index, architecture, or a title and which run.

    Runs count from 0 in the order of their numbers.
    """
    runs: dict[str, dict[int, int]] = {}  # the column of each, by its number
    for column, title in enumerate(header):
        here = f"{where}, column {column + 1}"
        what, number = _meaning(title, here, form)
        known = runs.setdefault(what, {})
        if number in known or (known and -1 in (number, *known)):
            meant = what if number < 0 else f"run {number} of {what}"
            message = f"{here}: {shown(title)} is a second column of {meant}"
            raise ForeignFileError(message)
        if len(known) == MOST_RUNS:
            message = f"{here}: {what} has more than {MOST_RUNS} runs"
            raise ForeignFileError(message)
        known[number] = column
    meanings = [("", 0)] * len(header)
    for what, known in runs.items():
        count, numbers = len(known), sorted(known)
        if 0 <= numbers[0] < count <= numbers[-1]:  # neither 0, 1, ... nor seeds
            message = (
                f"{where}, column {known[numbers[-1]] + 1}: run {numbers[-1]} of "
                f"{what}, which has {count}; expected 0 to {count - 1}, or seeds"
            )
            raise ForeignFileError(message)
        for run, number in enumerate(numbers):
            meanings[known[number]] = (what, run)
    if not runs.keys() & set(_NETWORK):
        message = f"{where}: expected a column 'index' or 'architecture'"
        raise ForeignFileError(message)
    return meanings


def _meaning(title: str, where: str, form: TableForm) -> _Meaning:
    """Returns a column's title and the number of its run, -1 where it says none."""
    if title.strip() in (*_NETWORK, *form.aside):
        return title.strip(), -1
    label, said, run = (part.strip() for part in title.partition("/"))
    what = form.named(label)
    if what is None:
        message = (
            f"{where}: {shown(title)} is not understood; expected index, architecture "
            f"or a {form.noun}, one of {', '.join(form.titles)}"
        )
        raise ForeignFileError(message)
    if not said:
        return what, -1
    number = _RUN.fullmatch(run)
    if number is None:
        message = (
            f"{where}: {shown(title)}: expected {what}/N, N the number of a run from 0 "
            "on, or its seed"
        )
        raise ForeignFileError(message)
    return what, int(number[1])


def _row(
    cells: list[str], meanings: list[tuple[str, int]], where: str, form: TableForm
) -> tuple[int, dict[_Meaning, float], dict[str, str]]:
    """Reads one line: its network, a value for each title and run, and texts."""
    if len(cells) != len(meanings):
        column = min(len(cells), len(meanings)) + 1
        message = (
            f"{where}, column {column}: expected {len(meanings)} fields as in the "
            f"header, got {len(cells)}"
        )
        raise ForeignFileError(message)
    network = None
    values: dict[_Meaning, float] = {}
    texts: dict[str, str] = {}
    for place, (cell, meaning) in enumerate(zip(cells, meanings, strict=True), start=1):
        what = meaning[0]
        if what in form.aside:
            texts[what] = cell.strip()
            continue
        try:
            if what not in _NETWORK:
                values[meaning] = form.number(cell.strip())
                continue
            read = _row_of(cell, what == "index", form)
            if network is not None and read != network:
                message = f"network {read}, but the columns before say {network}"
                raise ValueError(message)
            network = read
        except ValueError as error:
            message = f"{where}, column {place} ({what}): {str(error)[:200]}"
            raise ForeignFileError(message) from None
    assert network is not None, "the header has one of the two columns"
    return network, values, texts


def number_of(cell: str) -> float:
    """Reads a number, NaN for an empty cell.

    Raises:
        ValueError: it is none.
    """
    if not _NUMBER.fullmatch(cell):
        message = f"expected a number, got {shown(cell)}"
        raise ValueError(message)
    return float(cell or "nan")


def _row_of(cell: str, is_index: bool, form: TableForm) -> int:
    if is_index:
        text = cell.strip()
        if not _INDEX.fullmatch(text) or int(text) >= form.size:
            message = f"expected an index from 0 to {form.size - 1}, got {shown(text)}"
            raise ValueError(message)
        return int(text)
    if len(cell) > 2000:
        message = f"expected an architecture, got {shown(cell)}"
        raise ValueError(message)
    return form.row_of(cell)


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
