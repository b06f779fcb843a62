"""Networks that were measured on a device: a user's own table, read and checked."""

import csv
import io
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PureWindowsPath
from typing import Any

import numpy as np
import numpy.typing as npt

from hwnas_env.arguments import as_number, check_name, path_of
from hwnas_env.data.files import read_file
from hwnas_env.engines.space import SearchSpace
from hwnas_env.errors import (
    ForeignFileError,
    InvalidArgumentError,
    InvalidGenotypeError,
    NoDesignError,
    shown,
)
from hwnas_env.metrics import METRICS
from hwnas_env.showing import Outlined
from hwnas_env.types import AnyPath, BoolArray, FloatArray, Genotypes

LEAST_ROWS = 5
"""Fewest networks that a device is fitted from."""

MOST_ROWS = 2_000
"""Most rows of a table; more of them take minutes to fit, and tell no more."""

SETS = ("fit", "validation")
AGAIN = "_again"
"""Behind a metric's name: the column of a second pass over the same networks."""

BUDGETABLE = tuple(name for name, metric in METRICS.items() if metric.budgetable)


@dataclass(frozen=True, eq=False)
class MeasuredRows(Outlined):
    """Holds measured networks of one space and dataset; immutable.

    Attributes:
        space: the search space.
        dataset: one of its datasets.
        genotypes: ``(N, L)`` int8, each network once.
        values: by metric, ``(N,)`` float64 positive, in the metric's unit.
        again: by metric, ``(N,)``: a second pass; may lack metrics. Where it is there,
            a cost is the mean of both.
        validation: ``(N,)`` bool: networks that a fit does not see, for its error.
        protocol: how they were measured, plain values by name.
    """

    space: SearchSpace
    dataset: str
    genotypes: Genotypes
    values: Mapping[str, FloatArray]
    again: Mapping[str, FloatArray] = field(default_factory=dict)
    validation: BoolArray | None = None
    protocol: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Checks everything, and marks the space's validation networks if none are.

        Raises:
            InvalidGenotypeError: networks that are none of the space's, or one twice.
            UnknownNameError: a metric that no budget can be on, or a wrong dataset.
            InvalidArgumentError: a number that is not positive; names the row.
        """
        self.space.check_dataset(self.dataset)
        rows = self.space.validate(self.genotypes)
        words = self.space.words(rows)
        if len(set(words)) < len(words):
            twice = next(word for word in words if words.count(word) > 1)
            message = f"network {twice} stands there twice; expected each once"
            raise InvalidGenotypeError(message)
        if not self.values:
            message = f"expected a column of a metric, one of {', '.join(BUDGETABLE)}"
            raise InvalidArgumentError(message)
        for columns in (self.values, self.again):
            for metric, column in columns.items():
                check_name(metric, BUDGETABLE, what="metric that is measured")
                _check_column(column, words, metric)
        if self.validation is not None:
            marks = np.asarray(self.validation)
            if marks.shape != (len(rows),) or marks.dtype != np.bool_:
                message = f"validation: expected {len(rows)} flags, got {shown(marks)}"
                raise InvalidArgumentError(message)
            object.__setattr__(self, "validation", marks)
        else:
            marks = _is_validation(self.space, words)
            object.__setattr__(self, "validation", marks)
        object.__setattr__(self, "genotypes", rows)
        for name in ("values", "again"):
            columns = {m: np.asarray(c) for m, c in getattr(self, name).items()}
            object.__setattr__(self, name, columns)

    def costs(self, metric: str) -> FloatArray:
        """Returns what networks cost, the mean of the passes there are: ``(N,)``."""
        first = np.asarray(self.values[metric], dtype=np.float64)
        return (first + self.again[metric]) / 2 if metric in self.again else first

    def marked(self, *, validation: bool) -> BoolArray:
        """Marks the rows of the fit, or those of its validation: ``(N,)``."""
        assert self.validation is not None, "set by the constructor"
        return self.validation if validation else ~self.validation


def _check_column(column: Any, words: Sequence[str], metric: str) -> None:
    array = np.asarray(column)
    if array.shape != (len(words),) or array.dtype.kind not in "iuf":
        message = f"{metric}: expected {len(words)} numbers, got {shown(column)}"
        raise InvalidArgumentError(message)
    wrong = ~((array > 0) & np.isfinite(array))
    if wrong.any():
        row = int(np.argmax(wrong))
        message = (
            f"{metric}: row {row}, network {words[row]}: expected a number above 0, "
            f"got {array[row]}"
        )
        raise InvalidArgumentError(message)


def _is_validation(space: SearchSpace, words: Sequence[str]) -> BoolArray:
    try:
        listed = set(space.words(space.design.validation))
    except NoDesignError:
        listed = set()
    return np.array([word in listed for word in words], dtype=np.bool_)


def as_rows(
    given: "MeasuredRows | AnyPath | Mapping[Any, Any]",
    *,
    space: SearchSpace,
    dataset: str,
    protocol: Mapping[str, Any] | None = None,
) -> MeasuredRows:
    """Returns measured rows in whichever form they came.

    Args:
        given: rows; a csv file, see :func:`read_rows`; or a mapping of architecture
            strings or genotypes to latencies in ms, or to mappings of metric to value.
        space: the search space.
        dataset: one of its datasets.
        protocol: how they were measured.
    """
    if isinstance(given, MeasuredRows):
        if (given.space.name, given.dataset) != (space.name, dataset):
            message = (
                f"rows of {given.space.name} on {given.dataset}, expected some of "
                f"{space.name} on {dataset}"
            )
            raise InvalidArgumentError(message)
        return given
    how = {} if protocol is None else dict(protocol)
    if isinstance(given, Mapping):
        genotypes = [
            space.encode(name) if isinstance(name, str) else space.validate_one(name)
            for name in given
        ]
        table = np.array(genotypes, dtype=np.int8).reshape(-1, space.length)
        each = [
            value if isinstance(value, Mapping) else {"latency_ms": value}
            for value in given.values()
        ]
        columns = {
            metric: np.array([as_number(value.get(metric)) for value in each])
            for metric in dict.fromkeys(metric for value in each for metric in value)
        }
        return MeasuredRows(space, dataset, table, columns, protocol=how)
    if not isinstance(given, (str, os.PathLike)):
        message = (
            "rows: expected MeasuredRows, a csv file, or a mapping of architecture to "
            f"latency_ms, got {shown(given)}"
        )
        raise InvalidArgumentError(message)
    return read_rows(given, space=space, dataset=dataset, protocol=how)


def read_rows(
    path: AnyPath,
    *,
    space: SearchSpace,
    dataset: str,
    protocol: Mapping[str, Any] | None = None,
) -> MeasuredRows:
    """Reads a csv file of measured networks, in any order.

    Its columns, by the header: "architecture"; a metric or several ("latency_ms",
    "energy_mj"); where there was a second pass, "latency_ms_again"; "set", fit or
    validation; other columns of a design ("number", "file") are passed over. A column
    that is empty everywhere counts as not there.

    Args:
        path: the file.
        space: the search space.
        dataset: one of its datasets.
        protocol: how they were measured.

    Raises:
        ForeignFileError: it is no such table; names the line and the column.
        DataMissingError, TruncatedFileError: there is no such file, or it is damaged.
    """
    file = path_of(path)
    name = file.name
    lines = list(csv_lines(read_file(file), name))
    if len(lines) < 2:
        message = f"{name}: expected a header and a row a network, got nothing"
        raise ForeignFileError(message)
    (_, header), *body = lines
    titles = _titles([title.strip() for title in header], name)
    columns: dict[str, list[str]] = {title: [] for title in titles}
    for line, cells in body:
        if len(cells) != len(titles):
            message = (
                f"{name}, line {line}: expected {len(titles)} fields as in the header, "
                f"got {len(cells)}"
            )
            raise ForeignFileError(message)
        for title, cell in zip(titles, cells, strict=True):
            columns[title].append(cell.strip())
    at = [line for line, _ in body]
    for title, expected in (("space", space.name), ("dataset", dataset)):
        _check_stated(columns.get(title, []), at, f"{name}: {title}", expected)
    genotypes = _networks(space, columns["architecture"], at, name)
    _check_numbers(columns, at, name)
    measured = {
        title: _numbers(columns[title], at, f"{name}: {title}")
        for title in titles
        if title.removesuffix(AGAIN) in BUDGETABLE and any(columns[title])
    }
    if not any(not title.endswith(AGAIN) for title in measured):
        message = f"{name}: no value in any column of a metric: nothing was measured"
        raise ForeignFileError(message)
    sets = columns.get("set", [""])
    marks = _marks(sets, at, name) if any(sets) else None
    return MeasuredRows(
        space,
        dataset,
        genotypes,
        {t: c for t, c in measured.items() if not t.endswith(AGAIN)},
        {t.removesuffix(AGAIN): c for t, c in measured.items() if t.endswith(AGAIN)},
        marks,
        {} if protocol is None else dict(protocol),
    )


def csv_lines(content: bytes, name: str) -> Iterator[tuple[int, list[str]]]:
    """Yields the lines of a csv that are not empty, with their numbers.

    Raises:
        ForeignFileError: it is no text in UTF-8, or no csv.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        message = f"{name}: not a text in UTF-8 ({error})"
        raise ForeignFileError(message) from None
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield reader.line_num, cells
            if reader.line_num > MOST_ROWS:
                message = (
                    f"{name}: more than {MOST_ROWS:,} lines; a table of the whole "
                    "space is added with --table, without a fit"
                )
                raise ForeignFileError(message)
    except csv.Error as error:
        message = f"{name}, line {reader.line_num}: not a csv table ({error})"
        raise ForeignFileError(message) from None


KNOWN_TITLES = ("number", "set", "space", "dataset", "architecture", "file")


def _titles(titles: list[str], name: str) -> list[str]:
    valid = [*KNOWN_TITLES, *BUDGETABLE, *(metric + AGAIN for metric in BUDGETABLE)]
    for place, title in enumerate(titles, start=1):
        try:
            check_name(title, valid, what="column")
        except ValueError as error:
            message = f"{name}, header, column {place}: {error}"
            if title == "index":
                message = (
                    f"{name}, header: a column 'index' is of a table of the whole "
                    "space (hwnas-env device add --table); expected 'architecture'"
                )
            raise ForeignFileError(message) from None
        if titles.count(title) > 1:
            message = f"{name}, header: two columns {title!r}"
            raise ForeignFileError(message)
    if "architecture" not in titles:
        message = f"{name}, header: expected a column 'architecture', got {titles}"
        raise ForeignFileError(message)
    return titles


def _check_stated(cells: list[str], at: list[int], where: str, expected: str) -> None:
    """Raises where a table says that its networks are of something else."""
    for cell, line in zip(cells, at, strict=False):
        if cell and cell != expected:
            message = f"{where}: line {line}: expected {expected}, got {shown(cell)}"
            raise ForeignFileError(message)


def _check_numbers(columns: Mapping[str, list[str]], at: list[int], name: str) -> None:
    """Raises where two networks have one number of a design, or one another's file.

    A design numbers them f1, f2, ..., v1, v2, ..., and f1 is in f1.onnx, or in what a
    tool made of that file.
    """
    numbers = columns.get("number", [])
    files = columns.get("file", [""] * len(at))
    seen: dict[str, int] = {}
    for number, file, line in zip(numbers, files, at, strict=False):
        if not re.fullmatch(r"[fv][0-9]+", number):
            continue
        if number in seen:
            message = f"{name}, line {line}: number: {number} is line {seen[number]}'s"
            raise ForeignFileError(message)
        seen[number] = line
        stem = PureWindowsPath(file).name.partition(".")[0]
        if stem != number and stem in numbers:
            message = (
                f"{name}, line {line}: file: expected that of network {number}, got "
                f"{shown(file)}"
            )
            raise ForeignFileError(message)


def _networks(
    space: SearchSpace, cells: list[str], at: list[int], name: str
) -> npt.NDArray[np.int8]:
    seen: dict[bytes, int] = {}
    rows = []
    for cell, line in zip(cells, at, strict=True):
        where = f"{name}, line {line}: architecture"
        if len(cell) > 2000:
            message = f"{where}: expected one, got {shown(cell)}"
            raise ForeignFileError(message)
        try:
            row = space.encode(cell)
        except ValueError as error:
            message = f"{where}: {error}"
            raise ForeignFileError(message) from None
        first = seen.setdefault(row.tobytes(), line)
        if first != line:
            message = f"{where}: the network of line {first} again; expected each once"
            raise ForeignFileError(message)
        rows.append(row)
    return np.array(rows, dtype=np.int8)


def _numbers(cells: list[str], at: list[int], where: str) -> FloatArray:
    found = np.zeros(len(cells))
    for row, (cell, line) in enumerate(zip(cells, at, strict=True)):
        found[row] = number_in(cell)
        if not 0 < found[row] < np.inf:
            came = shown(cell) if cell else "an empty field"
            message = (
                f"{where}: line {line}: expected a number above 0, got {came}; measure "
                "the network, or take its row out"
            )
            raise ForeignFileError(message)
    return found


def number_in(cell: str) -> float:
    """Reads a number as people write it; NaN where it is none."""
    try:
        return float(cell) if cell.isascii() and "_" not in cell else np.nan
    except ValueError:
        return np.nan


def _marks(sets: list[str], at: list[int], name: str) -> BoolArray:
    for cell, line in zip(sets, at, strict=True):
        if cell not in SETS:
            message = f"{name}, line {line}: set: expected fit or validation, got "
            raise ForeignFileError(message + shown(cell))
    return np.array([cell == "validation" for cell in sets], dtype=np.bool_)
