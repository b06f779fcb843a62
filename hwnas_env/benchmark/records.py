"""One file a run, written whole or not at all."""

import contextlib
import hashlib
import json
import os
import re
from importlib.metadata import version
from pathlib import Path
from typing import Any

from hwnas_env.errors import DataError, ForeignFileError, TruncatedFileError

SCHEMA = "hwnas_env.run.v1"
PACKAGES = ("hwnas_env", "numpy", "gymnasium")


def record_path(folder: Path, request: dict[str, Any]) -> Path:
    """Returns where the record of a request goes: its words, and a hash of all of it.

    Args:
        folder: of the records.
        request: plain values, with "agent", "seed" and "task"."env".
    """
    text = json.dumps(request, sort_keys=True)
    digest = hashlib.sha256(text.encode()).hexdigest()[:12]
    words = f"{request['task']['env']}-{request['agent']}-{request['seed']}"
    return folder / f"{re.sub(r'[^A-Za-z0-9_-]+', '_', words)}-{digest}.json"


def write_record(path: Path, request: dict[str, Any], run: dict[str, Any]) -> None:
    """Writes a record; a process that is killed leaves the whole of it, or nothing.

    Raises:
        DataError: the folder cannot be written.
    """
    content = {
        "schema": SCHEMA,
        "versions": {name: version(name) for name in PACKAGES},
        "request": request,
        "run": run,
    }
    beside = path.with_suffix(f".{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(json.dumps(content), encoding="utf-8")
        os.replace(beside, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)
        message = f"{path.name}: the record cannot be written: {error}"
        raise DataError(message) from None


def load_record(path: Path) -> dict[str, Any]:
    """Returns a record: "request", "run", and what made it.

    Raises:
        TruncatedFileError: the file is no JSON.
        ForeignFileError: it is no record of this schema.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        message = f"{path.name}: not a whole record ({error}); remove it to run again"
        raise TruncatedFileError(message) from None
    if not isinstance(content, dict) or content.get("schema") != SCHEMA:
        message = f"{path.name}: expected a record of schema {SCHEMA}; remove it"
        raise ForeignFileError(message)
    return content


def read_record(path: Path, request: dict[str, Any]) -> dict[str, Any]:
    """Returns the run of a record.

    Raises:
        TruncatedFileError: the file is no JSON.
        ForeignFileError: the record of something else.
    """
    content = load_record(path)
    if content.get("request") != json.loads(json.dumps(request)):
        message = f"{path.name}: the record of another request; remove it to run again"
        raise ForeignFileError(message)
    run: dict[str, Any] = content["run"]
    return run
