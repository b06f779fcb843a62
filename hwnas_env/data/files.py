"""Files from elsewhere: read whole or refused, and named safely in messages."""

import hashlib
import stat
from pathlib import Path

from hwnas_env.errors import DataError, DataMissingError, TruncatedFileError

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


def git_blob_id(content: bytes) -> str:
    """Returns the id that git gives a content, 40 hexadecimal digits."""
    header = f"blob {len(content)}\0".encode()
    return hashlib.sha1(header + content, usedforsecurity=False).hexdigest()


def shown(value: object) -> str:
    """Names a value for a message: short text and numbers as such, the rest by type.

    A structure from a file is never printed: its parts may be shared so often that
    its text would have no end.

    Example:
        >>> shown("fpga"), shown(1.5), shown([1, [2]]), shown("x" * 99)[:9]
        ("'fpga'", '1.5', 'a list', "'xxxxxxxx")
    """
    if isinstance(value, (str, bytes)):
        return repr(value[:60]) + ("..." if len(value) > 60 else "")
    if isinstance(value, int) and abs(value) >= 1 << 64:
        return f"a whole number of {value.bit_length()} bits"
    if value is None or isinstance(value, (int, float)):
        return repr(value)
    return f"a {type(value).__name__}"
