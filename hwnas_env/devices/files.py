"""Files of the user's devices: written whole, with a digest, and taken away again."""

import contextlib
import hashlib
import io
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from hwnas_env.arguments import path_of
from hwnas_env.data.files import locked, read_file, write_file
from hwnas_env.devices.device import SCHEMA, Device, digest_of, parse_device
from hwnas_env.devices.listed import LISTING, listing_of, read_listing, row_of
from hwnas_env.devices.registry import DEVICES, user_folder
from hwnas_env.errors import DataError, TakenNameError
from hwnas_env.types import AnyPath, FloatArray

DIGITS_OF_DIGEST = 12
"""Digits of a table's digest that are in its file's name."""


def device_values(device: Device) -> dict[str, Any]:
    """Returns what a device's file holds, with its digest."""
    values: dict[str, Any] = {
        "schema": SCHEMA,
        "name": device.name,
        "label": device.label,
        "hardware": device.hardware,
        "group": device.group,
        "aliases": {
            metric: {
                "of": alias.of,
                "factor": alias.factor,
                **({"inverse": True} if alias.inverse else {}),
            }
            for metric, alias in device.aliases.items()
        },
        "spaces": json.loads(json.dumps({**device.spaces}, default=dict)),
    }
    return {**values, "sha256": digest_of(values)}


def content_of(device: Device) -> bytes:
    """Returns the bytes of a device's file."""
    text = json.dumps(device_values(device), indent=1, ensure_ascii=False)
    return (_compact(text) + "\n").encode()


def _compact(text: str) -> str:
    """Puts lists of numbers and words on one line each."""
    lines: list[str] = []
    inside = 0
    for line in text.split("\n"):
        stripped = line.strip()
        if inside:
            lines[-1] += stripped
        else:
            lines.append(line)
        opened = stripped.endswith("[") and not inside
        inside += 1 if opened or (inside and stripped.endswith("[")) else 0
        inside -= 1 if inside and stripped.rstrip(",").endswith("]") else 0
    return "\n".join(lines)


@contextlib.contextmanager
def folder_locked() -> Iterator[None]:
    """Keeps other processes from changing the user's devices, where the system can.

    Raises:
        DataError: the folder cannot be made or written.
    """
    place = user_folder()
    with contextlib.ExitStack() as stack:
        try:
            place.mkdir(parents=True, exist_ok=True)
            stack.enter_context(locked(place / ".lock"))
        except OSError as error:
            message = f"{place}: cannot be written ({error})"
            raise DataError(message) from None
        yield


def save_device(
    device: Device, *, folder: AnyPath | None = None, replace: bool = False
) -> Path:
    """Writes a device into the folder of the user's devices.

    Whoever imports the package from then on has the device, in every process.

    Args:
        device: it is checked in full first.
        folder: another one than ``user_folder()``.
        replace: whether a file of the same device may be replaced.

    Returns:
        The file.

    Raises:
        TakenNameError: there is such a file, and it may not be replaced; or the label
            is another device's.
        DataError: it cannot be written; what was there before is still there.
    """
    path = stored_path(device.name, folder=folder)
    place = path.parent
    own = [one.name for one in DEVICES.listed() if Path(one.origin).parent == place]
    DEVICES.check(device, ours=own)
    if path.exists() and not replace:
        message = f"{path.name}: there is such a device already; replace it, or choose "
        raise TakenNameError(message + "another label")
    used = set(_tables_in(device))
    for name in sorted(used):  # beside where the device was, and where it will be
        source = Path(device.origin).parent / name
        if not (place / name).exists():
            write_file(place / name, read_file(source), what="table")
    content = content_of(device)
    saved = parse_device(content, origin=str(path))
    saved.check()
    write_file(path, content, what="device")
    _list(place, {path.name: row_of(saved, content)})
    for file in _tables_beside(path):
        if file.name not in used:
            file.unlink(missing_ok=True)
    return path


def _list(place: Path, rows: Mapping[str, Any]) -> None:
    """Puts rows into a folder's listing, and takes those of files out that are gone.

    Where it cannot be written, imports take longer.
    """
    rows = {**read_listing(place), **rows}
    there = {name: rows[name] for name in rows if (place / name).exists()}
    with contextlib.suppress(DataError, OSError):
        if there:
            write_file(place / LISTING, listing_of(there), what="listing")
        else:
            (place / LISTING).unlink(missing_ok=True)


def _tables_in(device: Device) -> Iterator[str]:
    """Yields the names of the files beside a device's that it names."""
    for space in device.spaces:
        for entries in device.facts(space).get("columns", {}).values():
            for entry in entries.values():
                if "table" in entry:
                    yield entry["table"]


def _tables_beside(path: Path) -> list[Path]:
    """Returns the tables of a device that lie beside its file."""
    tables = re.compile(re.escape(path.stem) + _TABLE)
    return [one for one in path.parent.iterdir() if tables.fullmatch(one.name)]


def remove_files(path: Path) -> None:
    """Takes a device's file away, and the tables beside it.

    Args:
        path: the device's file; what is in it may be damaged.

    Raises:
        DataError: the system does not let it.
    """
    try:
        for file in (path, *_tables_beside(path)):
            file.unlink(missing_ok=True)
    except OSError as error:
        message = f"{path}: cannot be taken away ({error})"
        raise DataError(message) from None
    _list(path.parent, {})


_TABLE = r"-[0-9a-f]{12}\.npz"
"""What follows a device's name in the names of its tables."""


def write_table(
    name: str, column: FloatArray, *, folder: AnyPath | None = None
) -> dict[str, str]:
    """Writes a column of a whole space beside the devices' files.

    Args:
        name: the device's.
        column: ``(size,)`` float64.
        folder: another one than ``user_folder()``.

    Returns:
        What stands for the column in the device's file: "table", the file's name, and
        its "table_sha256".
    """
    place = user_folder() if folder is None else path_of(folder, what="folder")
    buffer, values = io.BytesIO(), np.ascontiguousarray(column, dtype="<f8")
    np.savez_compressed(buffer, values=values)
    digest = hashlib.sha256(values.tobytes()).hexdigest()
    file = f"{name}-{digest[:DIGITS_OF_DIGEST]}.npz"
    write_file(place / file, buffer.getvalue(), what="table")
    return {"table": file, "table_sha256": digest}


def stored_path(name: str, *, folder: AnyPath | None = None) -> Path:
    """Returns the file of a user's device, or the one that it would have.

    It is named after the device, but one from elsewhere may have any name.
    """
    place = user_folder() if folder is None else path_of(folder, what="folder")
    known = DEVICES.get(name)
    if known is not None and Path(known.origin).parent == place:
        return Path(known.origin)
    return place / f"{name}.json"


def stored_device(name: str) -> Device | None:
    """Returns the device of a file in the user's folder; None where there is none."""
    path = stored_path(name)
    return parse_device(read_file(path), origin=str(path)) if path.exists() else None
