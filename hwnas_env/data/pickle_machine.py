"""The machine that runs pickles: numbers, text, containers, and arrays of those.

A pickle is a program for a machine with a stack and a memo. This one has only the
instructions that tables need and resolves no name to real code: the few by which NumPy
writes arrays and scalars build those, any other is an error before anything was run.
Whatever it builds is counted against the size of the file, and keys of dictionaries are
checked before they are hashed.
"""

import math
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from hwnas_env.errors import UnsafePickleError, shown

DEPTH = 20
"""Most containers within each other; the official file nests 5."""

_SIMPLE = re.compile(r"[<>|=]?[fiubSUO]\d{0,5}")
NUMBERS = (float, int, bool, type(None))
TEXTS = (str, bytes, bytearray)

_ROWS = 1 << 14
_OTHER_NUMBERS = 4096
"""Most keys of a file that are numbers, but not of rows. Numbers can be chosen so that
a dictionary of them takes quadratic time; numbers of rows, below ``_ROWS``, cannot."""


def too_deep() -> UnsafePickleError:
    """Builds the error for containers within too many containers."""
    message = f"the pickle nests containers more than {DEPTH} deep, or in themselves"
    return UnsafePickleError(message)


@dataclass
class _Dtype:
    """Stands for ``numpy.dtype(code, ...)`` of numbers, booleans and text."""

    code: str
    order: Literal["<", ">", "|"] = "|"

    def build(self) -> np.dtype[Any]:
        try:
            native = np.dtype(self.code)
            found = native if self.order == "|" else native.newbyteorder(self.order)
        except (TypeError, ValueError) as error:
            message = f"array of dtype {self.code!r} in the pickle: {error}"
            raise UnsafePickleError(message) from None
        if not found.itemsize:
            message = f"array of dtype {self.code!r} in the pickle: items have no size"
            raise UnsafePickleError(message)
        return found


@dataclass
class _Empty:
    """Stands for an array that was made and has no content yet."""

    places: list[int] = field(default_factory=list)  # where the memo holds it


@dataclass(frozen=True)
class _Name:
    """Stands for a known name; ``make`` is what calling it does here."""

    make: Callable[..., Any]


class PickleMachine:
    """Runs the instructions of a pickle, one method for each kind of them."""

    def __init__(self, size: int) -> None:
        """Starts with an empty stack, for a file of ``size`` bytes."""
        self._size = size
        self._stack: list[Any] = []
        self._below: list[list[Any]] = []  # what lies below each mark
        self._memo: dict[int, Any] = {}
        self._objects = 0
        self._built = 0
        self._other_numbers = 0

    # Values and containers

    def push(self, value: Any) -> None:
        """Puts a value on the stack."""
        self._stack.append(value)

    def push_whole(self, value: int) -> None:
        """Puts a whole number on the stack, of 64 bits at most."""
        if value.bit_length() > 64:
            message = f"the pickle holds {shown(value)}, expected 64 at most"
            raise UnsafePickleError(message)
        self._stack.append(value)

    def push_new(self, value: Any) -> None:
        """Puts something on the stack that was built for it, and counts it."""
        self._count()
        self._stack.append(value)

    def mark(self) -> None:
        """Begins a group of values."""
        if len(self._below) >= DEPTH:
            raise too_deep()
        self._below.append(self._stack)
        self._stack = []

    def popped(self, number: int) -> list[Any]:
        """Takes the last values from the stack."""
        if len(self._stack) < number:
            message = "it takes more values than it has put there"
            raise ValueError(message)
        items = self._stack[-number:]
        del self._stack[-number:]
        return items

    def since_mark(self) -> list[Any]:
        """Takes the values of the group that was begun last."""
        items, self._stack = self._stack, self._below.pop()
        return items

    def push_dict(self, items: list[Any]) -> None:
        """Puts a dictionary on the stack."""
        self.push_new({})
        self.set_items(items)

    def extend(self, items: Iterable[Any]) -> None:
        """Appends values to the list on top of the stack."""
        target = self._stack[-1]
        if type(target) is not list:
            message = f"the pickle appends to {shown(target)}, expected a list"
            raise UnsafePickleError(message)
        target.extend(items)

    def set_items(self, items: list[Any]) -> None:
        """Sets keys, each before its value, of the dictionary on top of the stack."""
        target = self._stack[-1]
        if type(target) is not dict:
            message = f"the pickle sets keys of {shown(target)}, expected a dictionary"
            raise UnsafePickleError(message)
        for key, value in zip(items[::2], items[1::2], strict=True):
            self._check_key(key)
            if key in target:
                message = f"a dictionary in the pickle has {shown(key)} twice"
                raise UnsafePickleError(message)
            target[key] = value

    def _check_key(self, key: Any) -> None:
        kind = type(key)
        if kind is str or kind is bytes:
            return
        if kind is not int and kind is not float:
            message = (
                f"{shown(key)} as a key of a dictionary in the pickle; expected text "
                "or a number"
            )
            raise UnsafePickleError(message)
        if kind is float or not 0 <= key < _ROWS:
            self._other_numbers += 1
            if self._other_numbers > _OTHER_NUMBERS:
                message = (
                    f"more than {_OTHER_NUMBERS} keys are numbers, but not of rows"
                )
                raise UnsafePickleError(message)

    def _count(self) -> None:
        self._objects += 1
        if self._objects > self._size // 2 + 1000:
            message = f"too many objects for a pickle of {self._size} bytes"
            raise UnsafePickleError(message)

    def _build_bytes(self, number: int) -> None:
        self._built += number
        if self._built > 2 * self._size:
            message = f"too much text and arrays for a pickle of {self._size} bytes"
            raise UnsafePickleError(message)

    # The memo

    def memoize(self, number: int | None) -> None:
        """Numbers the value on top of the stack; None is the next number."""
        place = len(self._memo) if number is None else number
        if not 0 <= place <= self._size:
            message = f"the pickle numbers an object {place}, more than it has bytes"
            raise UnsafePickleError(message)
        self._count()
        value = self._stack[-1]
        self._memo[place] = value
        if isinstance(value, _Empty):
            value.places.append(place)

    def recall(self, number: int) -> None:
        """Puts the value of a number on the stack."""
        self._stack.append(self._memo[number])

    # Names, calls and states

    def name(self, module: object, name: object) -> None:
        """Puts what stands for a name on the stack."""
        if not isinstance(module, str) or not isinstance(name, str):
            message = "the pickle asks for a name that is no text"
            raise UnsafePickleError(message)
        if (module, name) not in _NAMES:
            message = (
                f"the pickle asks for {shown(f'{module}.{name}')}; only NumPy arrays "
                "and plain containers are read, and nothing of it was run"
            )
            raise UnsafePickleError(message)
        self._stack.append(_NAMES[module, name])

    def call(self, function: object, arguments: object) -> None:
        """Puts on the stack what a known name builds of its arguments."""
        if not isinstance(function, _Name) or not isinstance(arguments, tuple):
            message = f"the pickle calls {shown(function)}"
            raise UnsafePickleError(message)
        self.push_new(function.make(self, *arguments))

    def set_state(self, state: object) -> None:
        """Gives the array or dtype on top of the stack its content."""
        target = self._stack[-1]
        if isinstance(target, _Dtype) and isinstance(state, tuple):
            order = state[1] if len(state) > 1 else None
            if isinstance(order, str) and order in ("<", ">"):
                target.order = order  # type: ignore[assignment]
            return
        if not isinstance(target, _Empty):
            message = f"the pickle gives a state, {shown(state)}, to what is no array"
            raise UnsafePickleError(message)
        if not isinstance(state, tuple) or len(state) != 5:
            message = "array state in the pickle is not that of a NumPy array"
            raise UnsafePickleError(message)
        _, shape, dtype, fortran, raw = state
        order = "F" if fortran is True else "C"
        self._stack[-1] = self.array(raw, dtype, shape, order)
        for place in target.places:
            if self._memo[place] is target:
                self._memo[place] = self._stack[-1]

    def persistent(self, pid: object) -> None:
        """Refuses an object that is not in the file."""
        message = f"the pickle refers to an object outside itself, {shown(pid)}"
        raise UnsafePickleError(message)

    # What the known names build

    def dtype(self, code: object, *_: object) -> _Dtype:
        """Builds the stand-in of a dtype."""
        if isinstance(code, bytes):
            code = code.decode("ascii", "replace")
        if not isinstance(code, str) or not _SIMPLE.fullmatch(code):
            message = f"array of dtype {shown(code)} in the pickle; expected numbers"
            raise UnsafePickleError(message)
        return _Dtype(code)

    def empty(self, *_: object) -> _Empty:
        """Builds the stand-in of an array whose content follows."""
        return _Empty()

    def array(
        self, raw: object, dtype: object, shape: object, order: object
    ) -> npt.NDArray[Any]:
        """Builds an array; its bytes are those of the pickle, not copied."""
        wrong = UnsafePickleError("an array in the pickle is not well-formed")
        if not isinstance(dtype, _Dtype) or not isinstance(shape, tuple):
            raise wrong
        if len(shape) > 8 or not all(type(n) is int and n >= 0 for n in shape):
            raise wrong
        if not isinstance(order, str) or order not in ("C", "F"):
            raise wrong
        found, size = dtype.build(), math.prod(shape)
        if found.kind == "O":
            plain = isinstance(raw, list) and all(
                type(item) in NUMBERS or type(item) in TEXTS for item in raw
            )
            if not isinstance(raw, list) or not plain or len(raw) != size:
                raise wrong
            self._build_bytes(size)
            array = np.empty(size, dtype=object)
            array[:] = raw
            return array.reshape(shape)  # NumPy lists objects in C order
        if not isinstance(raw, (bytes, bytearray)) or len(raw) != size * found.itemsize:
            raise wrong
        self._build_bytes(len(raw))
        if found.kind == "U":
            letters = np.frombuffer(raw, dtype=np.dtype("u4").newbyteorder(dtype.order))
            if letters.max(initial=0) > sys.maxunicode:
                raise wrong
        flat: npt.NDArray[Any] = np.frombuffer(raw, dtype=found)
        return flat.reshape(shape, order="F" if order == "F" else "C")

    def scalar(self, dtype: object, raw: object = b"") -> Any:
        """Builds a number or text out of a NumPy scalar."""
        if not isinstance(raw, bytes):
            message = "a NumPy scalar in the pickle is not well-formed"
            raise UnsafePickleError(message)
        return self.array(raw, dtype, (1,), "C")[0].item()

    def latin1(self, text: object = "", encoding: object = "latin1") -> bytes:
        """Stands for ``codecs.encode(text, "latin1")`` and nothing else."""
        if not isinstance(text, str) or encoding != "latin1":
            message = "the pickle asks for a codec other than latin1"
            raise UnsafePickleError(message)
        self._build_bytes(len(text))
        return text.encode("latin1")

    def no_call(self, *_: object) -> None:
        """Refuses what is an argument only."""
        message = "the pickle makes an array in a way that NumPy does not"
        raise UnsafePickleError(message)


_NAMES: Mapping[tuple[str, str], _Name] = {
    ("numpy", "dtype"): _Name(PickleMachine.dtype),
    ("numpy", "ndarray"): _Name(PickleMachine.no_call),
    ("_codecs", "encode"): _Name(PickleMachine.latin1),  # how protocol 2 writes bytes,
    ("__builtin__", "bytes"): _Name(PickleMachine.latin1),  # and no bytes
    **{
        (f"numpy.{core}.{module}", name): _Name(make)
        for core in ("core", "_core")
        for module, name, make in (
            ("multiarray", "_reconstruct", PickleMachine.empty),
            ("multiarray", "scalar", PickleMachine.scalar),
            ("numeric", "_frombuffer", PickleMachine.array),
        )
    },
}

STEPS: Mapping[str, Callable[[PickleMachine, Any], None]] = {
    **dict.fromkeys(
        (
            *("BINFLOAT", "FLOAT", "BININT", "BININT1", "BININT2"),
            *("SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8", "UNICODE"),
            *("SHORT_BINBYTES", "BINBYTES", "BINBYTES8", "BYTEARRAY8"),
            *("SHORT_BINSTRING", "BINSTRING", "STRING"),
        ),
        PickleMachine.push,
    ),
    **dict.fromkeys(("INT", "LONG", "LONG1", "LONG4"), PickleMachine.push_whole),
    "NONE": lambda machine, _: machine.push(None),
    "NEWTRUE": lambda machine, _: machine.push(True),
    "NEWFALSE": lambda machine, _: machine.push(False),
    "EMPTY_LIST": lambda machine, _: machine.push_new([]),
    "EMPTY_DICT": lambda machine, _: machine.push_new({}),
    "EMPTY_TUPLE": lambda machine, _: machine.push(()),
    "MARK": lambda machine, _: machine.mark(),
    "TUPLE": lambda machine, _: machine.push_new(tuple(machine.since_mark())),
    "TUPLE1": lambda machine, _: machine.push_new(tuple(machine.popped(1))),
    "TUPLE2": lambda machine, _: machine.push_new(tuple(machine.popped(2))),
    "TUPLE3": lambda machine, _: machine.push_new(tuple(machine.popped(3))),
    "LIST": lambda machine, _: machine.push_new(machine.since_mark()),
    "DICT": lambda machine, _: machine.push_dict(machine.since_mark()),
    "APPEND": lambda machine, _: machine.extend(machine.popped(1)),
    "APPENDS": lambda machine, _: machine.extend(machine.since_mark()),
    "SETITEM": lambda machine, _: machine.set_items(machine.popped(2)),
    "SETITEMS": lambda machine, _: machine.set_items(machine.since_mark()),
    **dict.fromkeys(("MEMOIZE", "BINPUT", "LONG_BINPUT", "PUT"), PickleMachine.memoize),
    **dict.fromkeys(("BINGET", "LONG_BINGET", "GET"), PickleMachine.recall),
    "GLOBAL": lambda machine, both: machine.name(*both.split(" ", 1)),
    "STACK_GLOBAL": lambda machine, _: machine.name(*machine.popped(2)),
    "REDUCE": lambda machine, _: machine.call(*machine.popped(2)),
    "BUILD": lambda machine, _: machine.set_state(*machine.popped(1)),
    "PERSID": PickleMachine.persistent,
    "BINPERSID": lambda machine, _: machine.persistent(*machine.popped(1)),
    **dict.fromkeys(("PROTO", "FRAME", "STOP"), lambda _machine, _: None),
}
