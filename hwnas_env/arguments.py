"""Checks of arguments that public functions share, each with a typed error."""

import math
import os
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hwnas_env.errors import (
    InvalidArgumentError,
    InvalidPathError,
    shown,
    unknown_name,
)

LARGEST = 2**63 - 1
"""Largest whole number that is taken: what 64 bits hold."""

LONGEST_PATH, LONGEST_NAME = 4096, 255
"""Most bytes of a path, and of a name in it, as on Linux."""


def check_name(name: Any, valid: Collection[str], *, what: str) -> str:
    """Returns a name that is one of a closed set.

    Args:
        name: what came.
        valid: the names that exist.
        what: what the name should be, as a noun ("dataset").

    Raises:
        UnknownNameError: it is not, or is no text; names the nearest.
    """
    if isinstance(name, str) and name in valid:
        return name
    raise unknown_name(name, valid, what=what)


def check_names(names: Any, *, what: str, least: int = 1) -> tuple[str, ...]:
    """Returns a sequence of texts as a tuple.

    Args:
        names: what came.
        what: the argument's name.
        least: how many there have to be.

    Raises:
        InvalidArgumentError: it is not: one text, for example, is no sequence of texts.
    """
    listed = isinstance(names, Sequence) and not isinstance(names, (str, bytes))
    if listed and all(isinstance(name, str) for name in names) and len(names) >= least:
        return tuple(names)
    some = f", at least {least}" if least else ""
    message = f"{what}: expected a sequence of names{some}, got {shown(names)}"
    if isinstance(names, str):
        message += f"; write [{shown(names)}]"
    raise InvalidArgumentError(message)


def check_allow(allow: Any) -> frozenset[str]:
    """Returns the names of modules whose functions a file may name.

    Raises:
        InvalidArgumentError: it is no collection of names.
    """
    listed = isinstance(allow, Collection) and not isinstance(allow, (str, bytes))
    if listed and all(isinstance(name, str) for name in allow):
        return frozenset(allow)
    expected = 'expected names of modules, as in ("my_module",)'
    message = f"allow: {expected}, got {shown(allow)}"
    raise InvalidArgumentError(message)


def check_whole(value: Any, *, what: str, least: int = 0, most: int = LARGEST) -> int:
    """Returns a whole number within bounds as an int.

    Args:
        value: what came; NumPy's integers are taken too.
        what: the argument's name.
        least: the lower bound.
        most: the upper bound.

    Raises:
        InvalidArgumentError: it is not one.
    """
    if is_whole(value) and least <= value <= most:
        return int(value)
    words = f"at least {least}"
    if not is_whole(value):
        words = f"a whole number of {words}"
    elif value > most:
        words += f" and at most {most}"
    message = f"{what}: expected {words}, got {shown(value)}"
    raise InvalidArgumentError(message)


def check_jobs(jobs: Any) -> int:
    """Returns a number of processes: at least 1, or -1 for one a core.

    Raises:
        InvalidArgumentError: it is none.
    """
    if is_whole(jobs) and (jobs == -1 or 1 <= jobs <= LARGEST):
        return int(jobs)
    message = f"jobs: expected at least 1, or -1 for one a core, got {shown(jobs)}"
    raise InvalidArgumentError(message)


def is_whole(value: Any) -> bool:
    """Whether a value is a whole number, and no flag."""
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def as_number(value: Any) -> float:
    """Returns a number as a float, inf where it is too large; NaN where it is none.

    Example:
        >>> as_number(5), as_number(10**400), as_number("5"), as_number(True)
        (5.0, inf, nan, nan)
    """
    number = isinstance(value, (int, float, np.integer, np.floating))
    if not number or isinstance(value, bool):
        return math.nan
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def check_type(value: Any, kind: type[Any], *, what: str) -> Any:
    """Returns an object of a class.

    Args:
        value: what came.
        kind: the class.
        what: the argument's name.

    Raises:
        InvalidArgumentError: it is of another class.
    """
    if isinstance(value, kind):
        return value
    article = "an" if kind.__name__[0] in "AEIOU" else "a"
    message = f"{what}: expected {article} {kind.__name__}, got {shown(value)}"
    raise InvalidArgumentError(message)


def check_generator(rng: Any) -> np.random.Generator:
    """Returns a generator of random numbers.

    Raises:
        InvalidArgumentError: it is none; a seed, for example.
    """
    if isinstance(rng, np.random.Generator):
        return rng
    message = (
        "rng: expected a generator, as numpy.random.default_rng(0) makes one, got "
        f"{shown(rng)}"
    )
    raise InvalidArgumentError(message)


def path_of(path: Any, *, what: str = "path") -> Path:
    """Returns a file's or a folder's path, in which ``~`` is the user's folder.

    Args:
        path: what came.
        what: the argument's name.

    Raises:
        InvalidPathError: it is none, or one that no file can have.
    """
    words = "a str or a Path"
    if isinstance(path, (str, os.PathLike)):
        try:
            encoded = os.fsencode(path)
        except UnicodeEncodeError:
            encoded = b"\0"
        longest = max(map(len, encoded.split(os.fsencode(os.sep))))
        there = encoded and b"\0" not in encoded
        if there and len(encoded) <= LONGEST_PATH and longest <= LONGEST_NAME:
            return Path(os.path.expanduser(os.fsdecode(encoded)))
        words += " that a file can have"
    message = f"{what}: expected {words}, got {shown(path)}"
    raise InvalidPathError(message)


def paths_of(paths: Any, *, what: str) -> list[Path]:
    """Returns one path, or several, as a list; see :func:`path_of`."""
    if isinstance(paths, Iterable) and not isinstance(paths, (str, bytes)):
        return [path_of(path, what=what) for path in paths]
    return [path_of(paths, what=what)]
