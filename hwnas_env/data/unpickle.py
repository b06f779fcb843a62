"""Reads pickles that hold NumPy arrays and plain containers, and nothing else.

A pickle is a program, and reading one with the standard library runs whatever it names.
Ours runs on :class:`~hwnas_env.data.pickle_machine.PickleMachine`, which resolves no
name to real code.

Few bytes can describe much: what is stored once may be referred to often, and nested.
So what is returned is a finite tree of bounded depth, whose size with all repetitions
is a small multiple of the file's: whoever walks or prints it comes to an end.
"""

import itertools
import pickletools
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from hwnas_env.data.files import read_file
from hwnas_env.data.pickle_machine import (
    DEPTH,
    NUMBERS,
    STEPS,
    TEXTS,
    PickleMachine,
    too_deep,
)
from hwnas_env.errors import TruncatedFileError, UnsafePickleError

REPEATED = 16
"""How many times the file's size its content may have, with all repetitions."""


def load(path: Path) -> Any:
    """Reads a pickle of NumPy arrays, numbers, text and plain containers.

    Args:
        path: the file.

    Returns:
        The object; see :func:`loads`.

    Raises:
        DataMissingError: there is no such file.
        UnsafePickleError, TruncatedFileError: see :func:`loads`.
    """
    return loads(read_file(path), name=str(path))


def loads(content: bytes, *, name: str) -> Any:
    """Reads the content of a pickle.

    Args:
        content: the file's bytes.
        name: how messages call the file.

    Returns:
        The object: arrays, read-only, as arrays; dictionaries, lists and tuples as
        such, at most ``DEPTH`` within each other, none within itself.

    Raises:
        UnsafePickleError: it names anything else, and nothing of it was run; or it
            would become much larger than its file.
        TruncatedFileError: it ends early, or is no pickle.
    """
    machine = PickleMachine(len(content))
    try:
        for opcode, argument, _ in pickletools.genops(content):
            step = STEPS.get(opcode.name)
            if step is None:
                message = (
                    f"the pickle has an instruction {opcode.name}; only NumPy arrays "
                    "and plain containers are read, and nothing of it was run"
                )
                raise UnsafePickleError(message)
            step(machine, argument)
        value = machine.popped(1)[0]
        size, _ = _measure(value, {})
    except UnsafePickleError:
        raise
    except (ValueError, TypeError, LookupError, OverflowError, MemoryError) as error:
        words = f"{error}" or type(error).__name__
        message = f"{name}: not a complete pickle ({words:.200})"
        raise TruncatedFileError(message) from None
    if size > REPEATED * len(content) + (1 << 16):
        message = f"the pickle repeats its parts {size / len(content):.3g} times"
        raise UnsafePickleError(message)
    return value


def _measure(
    value: Any, known: dict[int, tuple[int, int]], room: int = DEPTH
) -> tuple[int, int]:
    """Returns how large a value is, and how deep, counting what is shared each time.

    Args:
        value: what the machine built.
        known: the answer for containers by their id, so that each is visited once.
        room: how much deeper it may be.
    """
    kind = type(value)
    if kind in NUMBERS:
        return 1, 0
    if kind in TEXTS:
        return 1 + len(value), 0
    if kind is np.ndarray and value.dtype.kind != "O":
        return 1 + value.nbytes, 0
    if id(value) in known:
        return known[id(value)]
    if room == 0:
        raise too_deep()
    size, depth = 1, 1
    for item in _parts(value):
        if type(item) in NUMBERS:
            size += 1
        elif type(item) is str:
            size += 1 + len(item)
        else:
            item_size, item_depth = _measure(item, known, room - 1)
            size, depth = size + item_size, max(depth, item_depth + 1)
    if depth > DEPTH:
        raise too_deep()
    known[id(value)] = size, depth
    return size, depth


def _parts(value: Any) -> Iterable[Any]:
    if isinstance(value, (list, tuple)):
        return value
    if isinstance(value, dict):
        return itertools.chain(value, value.values())
    if isinstance(value, np.ndarray):
        return value.reshape(-1).tolist()  # of objects, which are plain
    message = "the pickle holds a part of an array where data was expected"
    raise UnsafePickleError(message)
