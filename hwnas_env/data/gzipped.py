"""One content as one gzip member: the same bytes each time, and read within bounds."""

import zlib

from hwnas_env.data.files import LARGEST_BYTES
from hwnas_env.errors import TruncatedFileError

HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff"
"""Deflated, without a name or a time, packed as tightly as possible, by no system."""


def packed(content: bytes) -> bytes:
    """Returns a content as gzip packs it: what is equal has equal bytes.

    That holds with one build of zlib; others may find other bytes for the same content.

    Example:
        >>> unpacked(packed(b"a line"))
        b'a line'
    """
    deflate = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    body = deflate.compress(content) + deflate.flush()
    ends = (zlib.crc32(content), len(content) & 0xFFFFFFFF)
    return HEADER + body + b"".join(end.to_bytes(4, "little") for end in ends)


def unpacked(content: bytes) -> bytes:
    """Returns what one gzip member holds.

    The member's last bytes say how large that is; no more than that is unpacked, and
    nothing of what is too large.

    Raises:
        TruncatedFileError: it is not one whole member, or too large.
    """
    size = int.from_bytes(content[-4:], "little")
    if size > LARGEST_BYTES:
        message = f"{size:,} bytes unpacked, expected {LARGEST_BYTES:,} at most"
        raise TruncatedFileError(message)
    inflate = zlib.decompressobj(zlib.MAX_WBITS + 16)
    try:
        found = inflate.decompress(content, size + 1)
    except zlib.error as error:
        message = f"no whole gzip: {error}"
        raise TruncatedFileError(message) from None
    if not inflate.eof:
        message = f"no whole gzip: no end within the {size:,} bytes that it says"
        raise TruncatedFileError(message)
    if inflate.unused_data:
        message = "something behind the end of its gzip, expected one member"
        raise TruncatedFileError(message)
    return found
