"""Devices of which no more is read than ids need: names, labels, spaces, digests.

The package's files have one form, and their heads say it. Of files in a user's folder a
listing beside them says it: it was written when each was saved, with the digest of the
file's bytes, and holds for no others. What is not in it is read whole, so that a file
from elsewhere, or a damaged one, is checked as if there were no listing.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard

from hwnas_env.engines.registry import Listed
from hwnas_env.version import __version__

if TYPE_CHECKING:
    from hwnas_env.devices.device import Device

LISTING = ".listed.json"
"""The file in a user's folder that lists the others."""


class ListedDevice(Listed):
    """Stands for a device; the rest of its file is read when it is used."""

    is_broken = False

    def __init__(self, row: Mapping[str, Any], path: Path) -> None:
        """Keeps what a listing says of a file.

        Args:
            row: "name", "label", "place", "spaces": digests of costs by space and
                dataset; "sha256", where the file states one.
            path: the file.
        """
        super().__init__(row["name"], row["label"])
        self.place, self.spaces = row["place"], row["spaces"]
        self.sha256, self.origin = row.get("sha256", ""), str(path)

    def datasets_in(self, space: str) -> tuple[str, ...]:
        """Returns the datasets that a user's device has costs of in a search space."""
        return tuple(self.spaces.get(space, ()))

    def digest(self, space: str, dataset: str) -> str:
        """Returns the digest of a user's device: see :meth:`Device.digest`."""
        return str(self.spaces[space][dataset])

    def read(self) -> "Device":
        """Reads the whole file; one that has changed since is a broken device."""
        from hwnas_env.devices.device import BrokenDevice, read_device  # not at import

        try:
            found = read_device(Path(self.origin))
        except Exception:  # it says what is wrong when it is used
            found = None
        if found is None or (found.name, found.label) != (self.name, self.label):
            return BrokenDevice(self.name, self.label, {}, origin=self.origin)
        return found


def list_packaged(path: Path) -> ListedDevice:
    """Lists one of the package's own files.

    Their keys are sorted, so that "spaces" comes last, and indented by a blank a level.
    """
    head, _, spaces = path.read_bytes().partition(b'"spaces": {')
    row = json.loads(head + b'"spaces": {}}')
    for entry in spaces.split(b'\n  "')[1:]:
        row["spaces"][entry.partition(b'"')[0].decode()] = {}
    return ListedDevice(row, path)


def list_own(path: Path, rows: Mapping[str, Any]) -> ListedDevice | None:
    """Lists a file of a user's folder; None where the listing holds no such bytes.

    Args:
        path: the file.
        rows: what :func:`read_listing` returns.
    """
    from hwnas_env.data.files import read_file  # only where there is a listing

    row = rows.get(path.name)
    try:
        if _is_row(row) and row["file_sha256"] == _digest(read_file(path)):
            return ListedDevice(row, path)
    except Exception:  # reading it whole says what is wrong
        return None
    return None


def _is_row(row: Any) -> TypeGuard[dict[str, Any]]:
    """Whether a listing's row has all that :func:`row_of` gives, each of its type."""
    texts = ("file_sha256", "name", "label", "sha256")
    return (
        isinstance(row, dict)
        and all(isinstance(row.get(key), str) for key in texts)
        and type(row.get("place")) is int
        and isinstance(row.get("spaces"), dict)
        and all(isinstance(one, dict) for one in row["spaces"].values())
    )


def row_of(device: "Device", content: bytes) -> dict[str, Any]:
    """Returns what a listing says of a device's file, which has that content."""
    digests = {
        space: {one: device.digest(space, one) for one in device.datasets_in(space)}
        for space in device.spaces
    }
    return {
        **{"file_sha256": _digest(content), "name": device.name},
        **{"label": device.label, "place": device.place},
        **{"sha256": device.sha256, "spaces": digests},
    }


def listing_of(rows: Mapping[str, Any]) -> bytes:
    """Returns the bytes of a listing: their digest, and rows by the file's name."""
    content = json.dumps([__version__, rows]).encode()
    return _digest(content).encode() + b"\n" + content


def read_listing(folder: Path) -> dict[str, Any]:
    """Reads a folder's listing; one that is damaged or of another version is empty."""
    if not (folder / LISTING).exists():
        return {}
    from hwnas_env.data.files import read_file  # only where there is a listing

    try:
        digest, _, content = read_file(folder / LISTING).partition(b"\n")
        if digest != _digest(content).encode():
            return {}
        version, rows = json.loads(content)
    except Exception:  # whatever is in it, each file is read whole then
        return {}
    return rows if version == __version__ and isinstance(rows, dict) else {}


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
