"""Writes the report on a folder of records: a page, and its figures and tables."""

import contextlib
import hashlib
import json
import os
import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from hwnas_env.arguments import check_type, path_of, paths_of
from hwnas_env.benchmark.loading import Loaded, load_folder
from hwnas_env.data.files import read_file, write_file
from hwnas_env.errors import DataError
from hwnas_env.reports.page.merging import merged
from hwnas_env.reports.page.page import TITLE
from hwnas_env.reports.page.sheets import as_csv, as_latex
from hwnas_env.reports.page.study import study_of
from hwnas_env.reports.page.study_page import page_of
from hwnas_env.types import AnyPath

WRITTEN = "written.json"
"""The list of what a report wrote into its folder: SHA-256 by name."""

Sums = Mapping[str, Sequence[str]]
"""By a file's name what its content's SHA-256 may be."""


def report_folders(
    folders: AnyPath | Sequence[AnyPath],
    output: AnyPath,
    *,
    allow: Collection[str] = (),
) -> list[Path]:
    """Writes the report on folders of records, which may be shards of one study.

    Args:
        folders: as ``--out`` of the runs; one, or several.
        output: the page.
        allow: see :meth:`hwnas_env.benchmark.Job.from_request`.

    Returns:
        The page, and its figures and tables.

    Raises:
        DataError: no such folder, or the report cannot be written without replacing
            what is none.
        InvalidArgumentError: no record is whole.
        MissingExtraError: matplotlib or scipy is not installed.
    """
    several = paths_of(folders, what="folders")
    loaded = [load_folder(folder, allow=allow) for folder in several]
    return write_report(merged(loaded), output)


def write_report(loaded: Loaded, output: AnyPath) -> list[Path]:
    """Writes the report on records; the same records give the same bytes.

    Beside ``report.html`` the folder ``report_files`` gets every figure as SVG and PNG
    and every table as CSV and LaTeX; those of an earlier report go. The page needs
    none of them. Files that no report wrote, or that were changed since, stay: what a
    report wrote is listed in the folder's ``written.json``.

    Args:
        loaded: records with their runs.
        output: the page.

    Returns:
        The page, and its figures and tables.

    Raises:
        DataError: the report cannot be written without replacing what is none.
        InvalidArgumentError: no record is whole.
        MissingExtraError: matplotlib or scipy is not installed.
    """
    check_type(loaded, Loaded, what="loaded")
    output = path_of(output, what="output")
    _check_page(output)
    beside = output.with_name(f"{output.name.removesuffix('.html')}_files")
    if beside.is_symlink():
        message = f"{beside}: a link; expected a folder of the report's own, or none"
        raise DataError(message)
    page = page_of(study_of(loaded))
    files: dict[str, bytes] = {}
    for picture in page.pictures:
        files[f"{picture.name}.svg"] = picture.svg.encode()
        files[f"{picture.name}.png"] = picture.png
    for sheet in page.sheets:
        files[f"{sheet.name}.csv"] = as_csv(sheet).encode()
        files[f"{sheet.name}.tex"] = as_latex(sheet).encode()
    content = page.html().encode()
    before = _written(beside)
    for name in files:
        there = beside / name
        if os.path.lexists(there) and not _is_ours(there, before):
            message = f"{there}: written by no report, or changed since; move it away"
            raise DataError(message)
    now = {name: [_sum(whole)] for name, whole in files.items()}
    # first, so that what a killed report leaves is known to be a report's
    every = {**before, **now}
    _write_list(beside, {n: [*before.get(n, ()), *now.get(n, ())] for n in every})
    for name, whole in files.items():
        write_file(beside / name, whole, what="report")
    for name in before:
        if name not in files and _is_ours(beside / name, before):
            (beside / name).unlink()  # of an earlier report, which this one replaces
    _write_list(beside, now)
    write_file(output, content, what="report")
    return [output, *(beside / name for name in files)]


def _check_page(output: Path) -> None:
    """Raises if a page would replace what is no page of a report."""
    if output.is_dir() or not output.name:
        message = f"{output}: expected the name of a page, got a folder"
        raise DataError(message)
    if not os.path.lexists(output):
        return
    head = b""
    with contextlib.suppress(OSError):
        if output.is_file():
            with output.open("rb") as file:
                head = file.read(1000)
    if f"<title>{TITLE}</title>".encode() not in head:
        message = f"{output}: there, and no report; choose another name, or remove it"
        raise DataError(message)


def _written(beside: Path) -> Sums:
    """Returns what reports wrote into a folder; nothing where there is no list.

    Raises:
        DataError: what has the list's name is none.
    """
    path = beside / WRITTEN
    if not os.path.lexists(path):
        return {}
    listed = None
    if not path.is_symlink():
        with contextlib.suppress(DataError, ValueError, RecursionError):
            listed = json.loads(read_file(path))
    if not isinstance(listed, dict) or not all(map(_is_listed, listed.items())):
        message = f"{path}: not the list of what a report wrote; move it away"
        raise DataError(message)
    return listed


def _is_listed(item: tuple[str, object]) -> bool:
    """Whether a list names a file of the folder and what its SHA-256 may be."""
    name, sums = item
    digests = isinstance(sums, list) and all(
        isinstance(one, str) and re.fullmatch(r"[0-9a-f]{64}", one) for one in sums
    )
    return digests and name == Path(name).name


def _write_list(beside: Path, sums: Sums) -> None:
    text = json.dumps(sums, indent=1, sort_keys=True)
    write_file(beside / WRITTEN, f"{text}\n".encode(), what="report")


def _is_ours(path: Path, listed: Sums) -> bool:
    """Whether a file is as a report wrote it."""
    try:
        return _sum(read_file(path)) in listed.get(path.name, ())
    except DataError:
        return False


def _sum(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
