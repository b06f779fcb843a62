"""How long runs took: a file beside a folder of records.

Records depend on nothing but their jobs, and are the same bytes however often a study
was interrupted. Wall time depends on the machine and on what else it did, so it stands
beside the folder: ``records.seconds.csv`` beside ``records``, a line a run, the name of
its record and its seconds. A report shows them; nothing else needs them.
"""

import contextlib
import os
import re
from pathlib import Path

from hwnas_env.arguments import path_of
from hwnas_env.benchmark.jobs import Job
from hwnas_env.benchmark.records import OLD_SUFFIX, SUFFIX, record_path
from hwnas_env.data.files import read_file
from hwnas_env.errors import DataError
from hwnas_env.types import AnyPath

_LINE = re.compile(r"([A-Za-z0-9_-]+),(\d{1,9}\.\d{1,6})")


def seconds_path(folder: AnyPath) -> Path:
    """Returns where the seconds of a folder's runs are."""
    whole = Path(os.path.abspath(path_of(folder, what="folder")))
    return whole.with_name(f"{whole.name}.seconds.csv")


def record_name(path: Path) -> str:
    """Returns a record's name, the same compressed and plain."""
    return path.name.removesuffix(SUFFIX).removesuffix(OLD_SUFFIX)


def add_seconds(folder: AnyPath, job: Job, seconds: float) -> None:
    """Adds a run's wall time; where nothing can be written, it goes unsaid.

    Shards may add to one file: a line is written at once, at the file's end.

    Args:
        folder: of records.
        job: what was run.
        seconds: from its start to its end.
    """
    name = record_name(record_path(folder, job))
    with contextlib.suppress(OSError):
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        file = os.open(seconds_path(folder), flags, 0o666)
        try:
            os.write(file, f"{name},{seconds:.6f}\n".encode())
        finally:
            os.close(file)


def load_seconds(folder: AnyPath) -> dict[str, float]:
    """Returns wall times by :func:`record_name`; nothing where there is no file.

    A run that was repeated has the seconds of its last time. Lines that are none, such
    as one that was cut off, are left out.

    Args:
        folder: of records.
    """
    try:
        text = read_file(seconds_path(folder)).decode("utf-8", "replace")
    except DataError:
        return {}
    found = map(_LINE.fullmatch, text.split("\n"))
    return {line[1]: float(line[2]) for line in found if line}
