"""Files, whole or not at all: those from elsewhere, and those that are written."""

import contextlib
import hashlib
import io
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from hwnas_env.errors import (
    DataError,
    DataMissingError,
    HWNASError,
    TruncatedFileError,
)

try:
    import fcntl
except ImportError:  # not on Windows, where two writers at once are not guarded
    fcntl = None  # type: ignore[assignment]

LARGEST_BYTES = 1 << 29
"""Most bytes of a file that is read; the largest published table has a tenth."""


def read_file(path: Path) -> bytes:
    """Returns a regular file's content.

    Raises:
        DataMissingError: there is no such file.
        TruncatedFileError: it is a folder, a pipe or a device, or too large.
        DataError: the system does not let it be read.
    """
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            kind = "folder" if stat.S_ISDIR(found.st_mode) else "pipe or a device"
            message = f"{path} is a {kind}, expected a file"
            raise TruncatedFileError(message)
        if found.st_size > LARGEST_BYTES:
            limit = f"expected {LARGEST_BYTES:,} at most"
            message = f"{path} has {found.st_size:,} bytes, {limit}"
            raise TruncatedFileError(message)
        return path.read_bytes()
    except FileNotFoundError:
        message = f"{path}: there is no such file"
        raise DataMissingError(message) from None
    except (OSError, ValueError) as error:
        if isinstance(error, DataError):
            raise
        message = f"{path} cannot be read ({error})"
        raise DataError(message) from None


@contextlib.contextmanager
def replacing(path: Path, *, what: str) -> Iterator[BinaryIO]:
    """Opens a file that is put in another's place at the end, if nothing fails.

    Args:
        path: the file; folders above it are made.
        what: what the file is, for messages ("record").

    Raises:
        DataError: it cannot be written; what was there before is still there.
    """
    beside = path.with_name(f"{path.name}.{os.urandom(6).hex()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with beside.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    except HWNASError:  # of what is written
        raise
    except (OSError, ValueError) as error:
        message = f"{path.name}: the {what} cannot be written: {error}"
        raise DataError(message) from None
    finally:
        with contextlib.suppress(OSError, ValueError):
            beside.unlink(missing_ok=True)


def write_file(path: Path, content: bytes, *, what: str) -> None:
    """Writes a file; a process that is killed leaves the whole of it, or nothing new.

    Args:
        path: the file; folders above it are made.
        content: its bytes.
        what: what the file is, for messages ("record").

    Raises:
        DataError: it cannot be written; what was there before is still there.
    """
    with replacing(path, what=what) as file:
        file.write(content)


def check_unpacked(content: bytes, *, most: int) -> None:
    """Raises if a zip archive, such as an npz, unpacks to more than so many bytes.

    Raises:
        ValueError: it does.
        zipfile.BadZipFile: it is none.
    """
    import zipfile  # here, since every import of the package comes by

    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        size = sum(member.file_size for member in archive.infolist())
    if size > most:
        message = f"{size:,} bytes unpacked, expected {most:,} at most"
        raise ValueError(message)


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Lets one process at a time do what is within, where the system can.

    Args:
        path: a file for nothing else, which is made.

    Raises:
        OSError: it cannot be made or written.
    """
    # for reading too, with which not even a pipe of that name would wait
    number = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    with os.fdopen(number, "rb"):
        if fcntl is not None:
            fcntl.flock(number, fcntl.LOCK_EX)  # until the file is closed
        yield


def git_blob_id(content: bytes) -> str:
    """Returns the id that git gives a content, 40 hexadecimal digits."""
    header = f"blob {len(content)}\0".encode()
    return hashlib.sha1(header + content, usedforsecurity=False).hexdigest()
