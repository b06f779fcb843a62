"""Files of JSON lines from elsewhere: whole lines, and what is cut off behind them.

Records and recordings are such files. What a line has to hold is for their own readers
to say; here are the checks that both make of any line.
"""

import json
import math
from pathlib import Path
from typing import NoReturn, TypeAlias

from hwnas_env.data.files import read_file
from hwnas_env.errors import TruncatedFileError

Json: TypeAlias = str | int | float | bool | list["Json"] | dict[str, "Json"] | None
"""What a line of JSON can hold."""

MOST_LINES = 4_000_000
"""Most lines of a file; the largest that is read has as many of 128 bytes."""

LONGEST_LINE = 1 << 25
"""Most bytes of a line; the front of a million networks has fewer."""


def read_lines(path: Path) -> tuple[list[bytes], bytes]:
    r"""Returns a file's whole lines, and what follows the last of them.

    Returns:
        The lines without their ends; and what follows the last end, empty unless the
        last line was cut off.

    Raises:
        DataMissingError: there is no such file.
        TruncatedFileError: it is a folder, a pipe or a device, or too large; or has too
            many lines, or one that is too long.
        DataError: the system does not let it be read.

    Example:
        >>> import pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "cut.jsonl"
        >>> _ = path.write_bytes(b'{"a": 1}\n{"a"')
        >>> read_lines(path)
        ([b'{"a": 1}'], b'{"a"')
    """
    content = read_file(path)
    try:
        *lines, rest = split_lines(content)
    except TruncatedFileError as error:
        message = f"{path}: {error}"
        raise TruncatedFileError(message) from None
    return lines, rest


def split_lines(content: bytes) -> list[bytes]:
    """Splits a file's content at its line ends; few bytes can be very many lines.

    Raises:
        TruncatedFileError: there are too many lines, or one is too long.
    """
    count = content.count(b"\n")
    if count > MOST_LINES:
        message = f"{count:,} lines, expected {MOST_LINES:,} at most"
        raise TruncatedFileError(message)
    lines = content.split(b"\n")
    if (longest := max(map(len, lines))) > LONGEST_LINE:
        message = f"a line of {longest:,} bytes, expected {LONGEST_LINE:,} at most"
        raise TruncatedFileError(message)
    return lines


def parse_line(text: bytes | str, *, finite: bool = False) -> Json:
    """Returns what a line of JSON says.

    Args:
        text: one line.
        finite: whether NaN and numbers beyond floats are refused, as JSON has none.

    Raises:
        ValueError: it is no JSON.
        RecursionError: it is nested more deeply than Python can follow.
    """
    found: Json = (
        json.loads(text, parse_constant=_refuse, parse_float=_finite)
        if finite
        else json.loads(text)
    )
    return found


def is_deeper(values: Json, levels: int, *, text: bytes | str) -> bool:
    """Whether values are nested more than so many times.

    Args:
        values: what a line says.
        levels: how often a value may stand within another.
        text: the line, which is searched first: few lines have that many brackets.

    Example:
        >>> is_deeper([[1]], 1, text="[[1]]"), is_deeper([[1]], 2, text="[[1]]")
        (True, False)
    """
    opened = (
        text.count("[") + text.count("{")
        if isinstance(text, str)
        else text.count(b"[") + text.count(b"{")
    )
    if opened <= levels:
        return False
    level = [values]
    for _ in range(levels):
        inner: list[Json] = []
        for value in level:
            if isinstance(value, list):
                inner += value
            elif isinstance(value, dict):
                inner += value.values()
        level = inner
    return any(isinstance(value, (list, dict)) for value in level)


def _refuse(word: str) -> NoReturn:
    message = f"{word} is no number of JSON"
    raise ValueError(message)


def _finite(word: str) -> float:
    number = float(word)
    return number if math.isfinite(number) else _refuse(word)
