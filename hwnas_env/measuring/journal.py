"""The journal of a session: a file of JSON lines to which every visit is added at once.

The first line says which session it is. A line with ``stretch`` begins a time without a
break: a session that was killed goes on in a new stretch. Every other line is a visit.
"""

import contextlib
import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from hwnas_env.data.files import write_file
from hwnas_env.data.json_lines import parse_line, read_lines
from hwnas_env.errors import DataError, ForeignFileError, TruncatedFileError, shown
from hwnas_env.measuring.clock import Visit

FORMAT = "hwnas_env measuring session 1"
NAME = "visits.jsonl"

LONGEST_RUN_MS = 1e7
"""Milliseconds of a run that are believed: almost three hours."""

MOST_REPEATS = 1_000_000


@dataclass(frozen=True)
class Line:
    """A visit and its place in the session.

    Attributes:
        stretch: the time without a break that it belongs to, from 0 on.
        lap: which pass over all networks, from 0 on.
        round: which round of that pass, from 0 on.
        network: the network's row.
        anchor: whether it stands for the machine's speed at that time.
        at_s: seconds since the stretch began.
        visit: what was measured.
        load: the load average of the last minute, None where not noted.
    """

    stretch: int
    lap: int
    round: int
    network: int
    anchor: bool
    at_s: float
    visit: Visit
    load: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """Returns JSON-able values; the stretch is known from where the line stands."""
        values: dict[str, Any] = {
            "pass": self.lap,
            "round": self.round,
            "network": self.network,
            "anchor": self.anchor,
            "at_s": round(self.at_s, 4),
            "wall_ms": list(self.visit.wall_ms),
        }
        if self.visit.cpu_ms is not None:
            values["cpu_ms"] = list(self.visit.cpu_ms)
        if self.visit.preempted is not None:
            values["preempted"] = [int(one) for one in self.visit.preempted]
        if self.visit.energy_mj is not None:
            values["energy_mj"] = self.visit.energy_mj
        if self.load is not None:
            values["load"] = self.load
        return values


@dataclass(frozen=True)
class Session:
    """What a journal holds.

    Attributes:
        header: the first line.
        lines: visits in order.
        stretches: the times without a break, what was noted at their beginnings.
    """

    header: Mapping[str, Any]
    lines: tuple[Line, ...]
    stretches: tuple[Mapping[str, Any], ...]


def parse_session(texts: Sequence[bytes | str], *, path: Path) -> Session:
    """Reads the whole lines of a journal.

    Args:
        texts: the lines without their ends.
        path: the file, for messages.

    Raises:
        ForeignFileError: it is the journal of nothing that is known here.
        TruncatedFileError: a line is no visit, or cannot stand where it stands; says
            which and why.
    """
    header = _object(texts[0], path, 1) if texts else {}
    if header.get("format") != FORMAT:
        message = (
            f"{path}: expected a session of measurements, whose first line has "
            f'"format": "{FORMAT}", got {shown(header.get("format"))}'
        )
        raise ForeignFileError(message)
    _check_header(header, path)
    lines: list[Line] = []
    stretches: list[Mapping[str, Any]] = []
    seen = set()
    for number, text in enumerate(texts[1:], 2):
        values = _object(text, path, number)
        if "stretch" in values:
            if values["stretch"] != len(stretches):
                expected = f"stretch {len(stretches)}"
                raise _wrong(path, number, f"expected {expected}")
            stretches.append(values)
            continue
        try:
            line = _line(values, header, len(stretches) - 1)
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            why = f"lacks {error}" if isinstance(error, KeyError) else str(error)
            raise _wrong(path, number, why) from None
        place = (line.lap, line.round, line.network)
        if not line.anchor and place in seen:
            raise _wrong(path, number, "this visit stands in an earlier line too")
        if not line.anchor:
            seen.add(place)
        lines.append(line)
    return Session(header, tuple(lines), tuple(stretches))


def _check_header(header: Mapping[str, Any], path: Path) -> None:
    """Refuses a first line from which places of visits cannot be known."""
    try:
        for name in ("passes", "rounds", "repeats"):
            _whole(header[name], name, below=MOST_REPEATS)
        rows = header["genotypes"]
        width = len(rows[0])
        for row in rows:
            for one in row:
                _whole(one, "genotypes", below=128)
            if len(row) != width:
                message = f"genotypes: expected rows of {width}, got {shown(row)}"
                raise ValueError(message)
        for one in header["anchors"]:
            _whole(one, "anchors", below=len(rows))
        if not (header["anchors"] and header["passes"] and header["rounds"]):
            message = "expected at least one anchor, one pass and one round"
            raise ValueError(message)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        why = f"lacks {error}" if isinstance(error, KeyError) else str(error)
        raise _wrong(path, 1, why) from None


def _object(text: bytes | str, path: Path, number: int) -> dict[str, Any]:
    try:
        values = parse_line(text, finite=True)
    except (ValueError, RecursionError) as error:
        raise _wrong(path, number, f"no line of JSON ({error})") from None
    if not isinstance(values, dict):
        raise _wrong(path, number, f"expected an object, got {shown(values)}")
    return values


def _wrong(path: Path, number: int, why: str) -> TruncatedFileError:
    message = f"{path}, line {number:,}: {why}"
    return TruncatedFileError(message)


def _line(values: Mapping[str, Any], header: Mapping[str, Any], stretch: int) -> Line:
    """Returns a visit; raises builtin errors that say what is wrong."""
    if stretch < 0:
        message = "a visit before the first stretch"
        raise ValueError(message)
    wall = _times(values["wall_ms"], "wall_ms", least=0.0, count=None)
    cpu = preempted = None
    if "cpu_ms" in values:
        cpu = _times(values["cpu_ms"], "cpu_ms", least=0.0, count=len(wall))
    if "preempted" in values:
        flags = _times(values["preempted"], "preempted", least=-1.0, count=len(wall))
        preempted = tuple(one > 0 for one in flags)
    energy = values.get("energy_mj")
    load = values.get("load")
    if not isinstance(values["anchor"], bool):
        message = f"anchor: expected true or false, got {shown(values['anchor'])}"
        raise ValueError(message)
    return Line(
        stretch=stretch,
        lap=_whole(values["pass"], "pass", below=header["passes"]),
        round=_whole(values["round"], "round", below=header["rounds"]),
        network=_whole(values["network"], "network", below=len(header["genotypes"])),
        anchor=values["anchor"],
        at_s=_number(values["at_s"], "at_s"),
        visit=Visit(
            wall,
            cpu,
            preempted,
            None if energy is None else _number(energy, "energy_mj"),
        ),
        load=None if load is None else _number(load, "load"),
    )


def _whole(value: Any, what: str, *, below: int) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < below:
        return value
    message = (
        f"{what}: expected a whole number from 0 to {below - 1}, got {shown(value)}"
    )
    raise ValueError(message)


def _number(value: Any, what: str, *, least: float = 0.0) -> float:
    plain = isinstance(value, (int, float)) and not isinstance(value, bool)
    if plain and least <= value <= LONGEST_RUN_MS and math.isfinite(value):
        return float(value)
    message = (
        f"{what}: expected a number from {least:g} to {LONGEST_RUN_MS:g}, got "
        f"{shown(value)}"
    )
    raise ValueError(message)


def _times(
    values: Any, what: str, *, least: float, count: int | None
) -> tuple[float, ...]:
    if not isinstance(values, list) or not 1 <= len(values) <= MOST_REPEATS:
        message = f"{what}: expected a list of at least one number, got {shown(values)}"
        raise ValueError(message)
    if count is not None and len(values) != count:
        message = f"{what}: expected {count} numbers as in wall_ms, got {len(values)}"
        raise ValueError(message)
    return tuple(_number(one, what, least=least) for one in values)


def read_session(path: Path) -> tuple[Session, bytes]:
    """Reads a journal, and what was cut off behind its last whole line.

    Raises:
        DataMissingError: there is no such file.
        DataError: it cannot be read, or is no journal; see :func:`parse_session`.
    """
    lines, rest = read_lines(path)
    return parse_session(lines, path=path), rest


def begin(path: Path, header: Mapping[str, Any]) -> None:
    """Writes a journal that holds its first line alone, whole or not at all.

    Raises:
        DataError: it cannot be written.
    """
    write_file(path, _encoded(header), what="journal")


class Writer:
    """Adds lines to a journal; a context manager that keeps other writers away."""

    def __init__(self, path: Path) -> None:
        """Opens a journal and drops what was cut off behind its last whole line.

        Raises:
            DataError: it cannot be written, or another process writes to it.
        """
        self.path = path
        try:
            self._file: IO[bytes] = path.open("r+b", buffering=0)
        except OSError as error:
            raise self._failed(error) from None
        self._lock()
        content = path.read_bytes()
        self._size = content.rfind(b"\n") + 1
        self._file.truncate(self._size)
        self._file.seek(self._size)

    def __enter__(self) -> "Writer":
        """Returns itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Closes the file, and lets others write."""
        self._file.close()

    def add(self, values: Mapping[str, Any]) -> None:
        """Adds a line, and hands it to the system before it returns.

        Raises:
            DataError: it cannot be written; the file holds the earlier lines, whole.
        """
        content = _encoded(values)
        try:
            done = 0
            while done < len(content):
                done += self._file.write(content[done:]) or 0
        except OSError as error:
            with contextlib.suppress(OSError):
                self._file.truncate(self._size)
                self._file.seek(self._size)
            raise self._failed(error) from None
        self._size += len(content)

    def sync(self) -> None:
        """Lets the system write what it holds, where it can."""
        with contextlib.suppress(OSError):
            os.fsync(self._file.fileno())

    def _lock(self) -> None:
        try:
            import fcntl  # here: Windows has none
        except ImportError:
            return
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.close()
            message = (
                f"{self.path}: another process adds to this session now; wait until "
                "it ends, or measure in another folder"
            )
            raise DataError(message) from None
        except OSError:  # a file system without locks
            return

    def _failed(self, error: OSError) -> DataError:
        message = (
            f"{self.path}: the journal cannot be written ({error.strerror or error}); "
            "what it holds is whole: free some space, and the same call goes on there"
        )
        return DataError(message)


def _encoded(values: Mapping[str, Any]) -> bytes:
    return json.dumps(values, separators=(",", ":"), allow_nan=False).encode() + b"\n"
