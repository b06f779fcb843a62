"""Records as text, whether they are compressed or not."""

import gzip
from pathlib import Path


def text_of(path: Path) -> str:
    """Returns what a record holds."""
    content = path.read_bytes()
    return (gzip.decompress(content) if path.suffix == ".gz" else content).decode()


def put(path: Path, text: str) -> None:
    """Writes a record's file with any text in it."""
    content = text.encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
