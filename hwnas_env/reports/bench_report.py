"""Writes the report on a folder of records: a page, and its figures and tables."""

import contextlib
import os
import re
from pathlib import Path

from hwnas_env.benchmark.loading import Loaded, load_folder
from hwnas_env.errors import DataError
from hwnas_env.reports.merging import merged
from hwnas_env.reports.sheets import as_csv, as_latex
from hwnas_env.reports.study import study_of
from hwnas_env.reports.study_page import page_of

_OURS = re.compile(
    r"((archive|front)\d+|task\d+-(agents|best|curves)|"
    r"group\d+-(curves|improvement|iqm|leaderboard|profiles|ranks))\.(svg|png|csv|tex)"
)
"""Names of a report's numbered files, of which there may be fewer the next time."""


def report_folders(folders: list[Path], output: Path) -> list[Path]:
    """Writes the report on folders of records, which may be shards of one study.

    Args:
        folders: as ``--out`` of the runs.
        output: the page.

    Returns:
        The page and every file in the folder beside it.

    Raises:
        DataError: no such folder, or the report cannot be written.
        InvalidArgumentError: no record is whole.
        MissingExtraError: matplotlib or scipy is not installed.
    """
    return write_report(merged([load_folder(folder) for folder in folders]), output)


def write_report(loaded: Loaded, output: Path) -> list[Path]:
    """Writes the report on records; the same records give the same bytes.

    Beside ``report.html`` the folder ``report_files`` gets every figure as SVG and PNG
    and every table as CSV and LaTeX; those of an earlier report go. The page needs
    none of them.

    Args:
        loaded: records with their runs.
        output: the page.

    Returns:
        The page and every file in the folder beside it.

    Raises:
        DataError: the report cannot be written.
        InvalidArgumentError: no record is whole.
        MissingExtraError: matplotlib or scipy is not installed.
    """
    if output.is_dir() or not output.name:
        message = f"{output}: expected the name of a page, got a folder"
        raise DataError(message)
    page = page_of(study_of(loaded))
    files: dict[str, bytes] = {}
    for picture in page.pictures:
        files[f"{picture.name}.svg"] = picture.svg.encode()
        files[f"{picture.name}.png"] = picture.png
    for sheet in page.sheets:
        files[f"{sheet.name}.csv"] = as_csv(sheet).encode()
        files[f"{sheet.name}.tex"] = as_latex(sheet).encode()
    beside = output.with_name(f"{output.stem}_files")
    for name, content in files.items():
        _write_whole(beside / name, content)
    for old in beside.iterdir() if beside.is_dir() else ():
        if _OURS.fullmatch(old.name) and old.name not in files:
            old.unlink()  # of an earlier report, which this one replaces
    _write_whole(output, page.html().encode())
    return [output, *(beside / name for name in files)]


def _write_whole(path: Path, content: bytes) -> None:
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(content)
        os.replace(part, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        message = f"{path.name}: the report cannot be written: {error}"
        raise DataError(message) from None
