"""Lists of networks to measure: as a table to fill in, and as files to run."""

import csv
import io
import math
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from hwnas_env.arguments import check_whole
from hwnas_env.data.files import read_file, write_file
from hwnas_env.engines.space import SearchSpace
from hwnas_env.errors import (
    ForeignFileError,
    InvalidArgumentError,
    TakenNameError,
    shown,
)
from hwnas_env.types import AnyPath, BoolArray, Genotypes

TABLE = "networks.csv"
COLUMNS = ("number", "set", "architecture", "latency_ms", "energy_mj", "file")


def design_of(
    space: SearchSpace, *, count: int, validation: int = 0
) -> tuple[Genotypes, BoolArray]:
    """Returns the networks to measure on a new device.

    A longer list continues a shorter one, so that more can be measured later.

    Args:
        space: the search space.
        count: networks of the fit, 5 to 60.
        validation: networks for its error, 0 to 50.

    Returns:
        Genotypes ``(count + validation, L)`` and marks of the validation.

    Raises:
        NoDesignError: the space offers no list.
        InvalidArgumentError: more networks than are listed.
    """
    design = space.design
    check_whole(count, what="networks to fit", least=5, most=len(design.fit))
    most = len(design.validation)
    check_whole(validation, what="networks of the validation", most=most)
    rows = np.concatenate([design.fit[:count], design.validation[:validation]])
    return rows, np.arange(len(rows)) >= count


def write_todo(
    space: SearchSpace,
    genotypes: Genotypes,
    validation: Sequence[bool] | BoolArray,
    *,
    folder: AnyPath,
    export: Callable[[Genotypes, Path], object] | None = None,
    progress: Callable[[int, int], object] | None = None,
) -> Path:
    """Writes networks as a table whose costs are to be filled in.

    Args:
        space: the search space.
        genotypes: ``(N, L)``.
        validation: ``(N,)``.
        folder: where to; it is made.
        export: writes a network's file; by default none are written.
        progress: is called with how many files are written and how many there are.

    Returns:
        The table.

    Raises:
        TakenNameError: there is a table already; it may hold measurements.
        DataError: a file cannot be written.
    """
    place = Path(folder).expanduser()
    path = place / TABLE
    if path.exists():
        message = f"{path}: there is a table already, which may hold measurements"
        raise TakenNameError(message)
    if len(genotypes) != len(validation):
        message = f"expected {len(genotypes)} marks, got {len(validation)}"
        raise InvalidArgumentError(message)
    rows: list[list[str]] = []
    for number, (row, apart) in enumerate(
        zip(genotypes, validation, strict=True), start=1
    ):
        file = "" if export is None else f"{number:03}.onnx"
        if export is not None:
            place.mkdir(parents=True, exist_ok=True)
            export(row, place / file)
        where = "validation" if apart else "fit"
        rows.append([str(number), where, space.decode(row), "", "", file])
        if progress is not None:
            progress(number, len(genotypes))
    write_file(path, _csv([list(COLUMNS), *rows]), what="table")
    return path


def _csv(rows: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def read_checks(path: Path, space: SearchSpace, metric: str) -> dict[bytes, float]:
    """Reads which networks were checked: costs by genotype; rows without one are not.

    Args:
        path: a table as :func:`add_check` makes it; need not exist.
        space: the search space.
        metric: the column.

    Raises:
        ForeignFileError: it is no such table; names the line.
    """
    if not path.exists():
        return {}
    text = read_file(path).decode("utf-8-sig", errors="replace")
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    found: dict[bytes, float] = {}
    for line, row in enumerate(rows, start=2):
        cell = (row.get(metric) or "").strip()
        if not cell:
            continue
        try:
            value = float(cell)
            genotype = space.encode(row.get("architecture") or "")
        except ValueError as error:
            message = f"{path.name}, line {line}: {error}"
            raise ForeignFileError(message) from None
        if not 0 < value < math.inf:
            expected = f"expected a number above 0, got {shown(cell)}"
            message = f"{path.name}, line {line}: {metric}: {expected}"
            raise ForeignFileError(message)
        found[genotype.tobytes()] = value
    return found


def add_check(path: Path, space: SearchSpace, metric: str, genotype: Genotypes) -> None:
    """Adds a network to a table of checks, its cost to be filled in; once."""
    architecture = space.decode(genotype)
    rows: list[list[str]] = [["architecture", metric]]
    if path.exists():
        text = read_file(path).decode("utf-8-sig", errors="replace")
        rows = list(csv.reader(io.StringIO(text, newline="")))
    place = rows[0].index("architecture") if "architecture" in rows[0] else -1
    if place < 0 or metric not in rows[0]:
        message = f"{path.name}: expected the columns architecture and {metric}"
        raise ForeignFileError(message)
    listed = [row[place] for row in rows[1:] if len(row) > place]
    if architecture not in listed:
        added = [architecture if n == place else "" for n in range(len(rows[0]))]
        write_file(path, _csv([*rows, added]), what="table")
