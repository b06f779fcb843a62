"""Lists of networks to measure: as a table to fill in, and as files to run."""

import csv
import io
import math
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from hwnas_env.arguments import check_whole, path_of
from hwnas_env.data.files import read_file, write_file
from hwnas_env.engines.space import SearchSpace
from hwnas_env.errors import ForeignFileError, InvalidArgumentError, shown
from hwnas_env.fitting.rows import csv_lines, number_in
from hwnas_env.types import AnyPath, BoolArray, Genotypes

TABLE = "networks.csv"
COLUMNS = (
    *("number", "set", "space", "dataset", "architecture"),
    *("latency_ms", "energy_mj", "file"),
)


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
    dataset: str,
    folder: AnyPath,
    export: Callable[[Genotypes, Path], object] | None = None,
    progress: Callable[[int, int], object] | None = None,
) -> Path:
    """Writes networks as a table whose costs are to be filled in.

    A table that is there already is continued: its rows stay as they are, with what was
    measured, and new networks come behind them. A network has the same number in every
    list: f1, f2, ... to fit, v1, v2, ... for the validation.

    Args:
        space: the search space.
        genotypes: ``(N, L)``.
        validation: ``(N,)``.
        dataset: one of the space's.
        folder: where to; it is made.
        export: writes a network's file; by default none are written.
        progress: is called with how many files are written and how many there are.

    Returns:
        The table.

    Raises:
        ForeignFileError: there is a table of something else.
        DataError: a file cannot be written.
    """
    place = path_of(folder, what="folder")
    path = place / TABLE
    if len(genotypes) != len(validation):
        message = f"expected {len(genotypes)} marks, got {len(validation)}"
        raise InvalidArgumentError(message)
    rows = _rows_of(path, space, dataset) if path.exists() else []
    there = {row["architecture"]: row for row in rows}
    counts = {"f": 0, "v": 0}
    for done, (genotype, apart) in enumerate(
        zip(genotypes, validation, strict=True), start=1
    ):
        letter = "v" if apart else "f"
        counts[letter] += 1
        number, name = f"{letter}{counts[letter]}", space.decode(genotype)
        row = there.get(name)
        if row is None:
            row = dict.fromkeys(COLUMNS, "")
            row |= {"number": number, "set": "validation" if apart else "fit"}
            row |= {"space": space.name, "dataset": dataset, "architecture": name}
            rows.append(row)
        if export is not None and not (row["file"] and (place / row["file"]).exists()):
            place.mkdir(parents=True, exist_ok=True)
            row["file"] = f"{number}.onnx"
            export(genotype, place / row["file"])
        if progress is not None:
            progress(done, len(genotypes))
    lines = [[row[title] for title in COLUMNS] for row in rows]
    write_file(path, _csv([list(COLUMNS), *lines]), what="table")
    return path


def _rows_of(path: Path, space: SearchSpace, dataset: str) -> list[dict[str, str]]:
    """Reads a table that is continued."""
    lines = list(csv_lines(read_file(path), str(path)))
    if not lines or tuple(lines[0][1]) != COLUMNS:
        message = (
            f"{path}: there is another table; expected the columns {', '.join(COLUMNS)}"
        )
        raise ForeignFileError(message)
    rows = []
    for line, cells in lines[1:]:
        if len(cells) != len(COLUMNS):
            fields = f"expected {len(COLUMNS)} fields, got {len(cells)}"
            message = f"{path}, line {line}: {fields}"
            raise ForeignFileError(message)
        row = dict(zip(COLUMNS, cells, strict=True))
        if (row["space"], row["dataset"]) != (space.name, dataset):
            message = (
                f"{path}: there is a table of {row['space']} on {row['dataset']}; "
                "choose another folder"
            )
            raise ForeignFileError(message)
        rows.append(row)
    return rows


def _csv(rows: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def read_checks(path: Path, space: SearchSpace, metric: str) -> dict[bytes, float]:
    """Reads which networks were checked: costs by genotype; rows without one are not.

    Args:
        path: a table as :func:`add_check` makes it; need not exist.
        space: the search space.
        metric: the column; inf there is a network that the device cannot run.

    Raises:
        ForeignFileError: it is no such table; names the line.
    """
    lines = _checks(path, metric)
    if not lines:
        return {}
    (_, titles), *body = lines
    places = titles.index("architecture"), titles.index(metric)
    found: dict[bytes, float] = {}
    for line, cells in body:
        where = f"{path.name}, line {line}"
        if len(cells) != len(titles):
            message = f"{where}: expected {len(titles)} fields, got {len(cells)}"
            raise ForeignFileError(message)
        name, cell = (cells[place].strip() for place in places)
        try:
            genotype = space.encode(name).tobytes()
        except ValueError as error:
            message = f"{where}: architecture: {error}"
            raise ForeignFileError(message) from None
        if genotype in found:
            message = f"{where}: a second row of this network"
            raise ForeignFileError(message)
        if cell:
            value = math.inf if cell.lower() == "inf" else number_in(cell)
            if not value > 0:
                expected = f"expected a number above 0, or inf, got {shown(cell)}"
                message = f"{where}: {metric}: {expected}"
                raise ForeignFileError(message)
            found[genotype] = value
    return found


def _checks(path: Path, metric: str) -> list[tuple[int, list[str]]]:
    """Reads the lines of a table of checks; none where there is no table yet."""
    lines = list(csv_lines(read_file(path), path.name)) if path.exists() else []
    if lines:
        titles = [title.strip() for title in lines[0][1]]
        _refuse_todo(path, titles)
        for title in ("architecture", metric):
            if titles.count(title) != 1:
                message = f"{path.name}: expected one column {title}, got {titles}"
                raise ForeignFileError(message)
        lines[0] = lines[0][0], titles
    return lines


def _refuse_todo(path: Path, titles: Sequence[str]) -> None:
    """Raises for a table of measured networks, which is not one of checks."""
    if "set" in titles:
        message = (
            f"{path.name}: a table of networks to fit, which stays as it is; expected "
            "another file, for the networks that are checked"
        )
        raise ForeignFileError(message)


def add_check(path: Path, space: SearchSpace, metric: str, genotype: Genotypes) -> int:
    """Adds a network to a table of checks, its cost to be filled in; once.

    Returns:
        The network's row, from 1.
    """
    architecture = space.decode(genotype)
    lines = _checks(path, metric)
    if not lines:
        content = _csv([["architecture", metric], [architecture, ""]])
        write_file(path, content, what="table")
        return 1
    (_, titles), *body = lines
    place = titles.index("architecture")
    listed = [cells[place].strip() for _, cells in body if len(cells) > place]
    if architecture in listed:
        return listed.index(architecture) + 1
    added = [architecture if n == place else "" for n in range(len(titles))]
    before = read_file(path)  # what is there stays as it is, byte for byte
    gap = b"" if before.endswith(b"\n") else b"\n"
    write_file(path, before + gap + _csv([added]), what="table")
    return len(body) + 1
