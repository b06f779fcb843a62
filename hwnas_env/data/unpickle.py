"""Reads pickles that hold NumPy arrays and plain containers, and nothing else.

A pickle is a program: reading one with the standard library runs whatever it names. The
reader here resolves no name to real code. The few names by which NumPy writes arrays
and scalars become inert records, which are checked and built into arrays afterwards;
any other name is an error before anything was run.
"""

import io
import pickle
import pickletools
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from hwnas_env.errors import TruncatedFileError, UnsafePickleError

_SIMPLE = re.compile(r"[<>|=]?[fiubSUO]\d*")


_Memo: TypeAlias = dict[int, tuple[Any, Any]]
_PLAIN = (float, int, str, bytes, bool, type(None))


class _StandIn:
    """Stands for what NumPy would build; holds parts, and runs nothing."""

    def __setstate__(self, state: object) -> None:
        message = f"a part of an array in the pickle is given a state, {state!r:.40}"
        raise UnsafePickleError(message)


class _Dtype(_StandIn):
    """Stands for ``numpy.dtype(code, ...)`` of numbers, booleans and strings."""

    def __init__(self, code: object, *_: object) -> None:
        if isinstance(code, bytes):
            code = code.decode("ascii", "replace")
        if not isinstance(code, str) or not _SIMPLE.fullmatch(code):
            message = f"array of dtype {code!r} in the pickle; expected plain numbers"
            raise UnsafePickleError(message)
        self.code = code
        self.order: Literal["<", ">", "|"] = "|"

    def __setstate__(self, state: object) -> None:
        if isinstance(state, tuple) and len(state) > 1 and state[1] in ("<", ">"):
            self.order = state[1]

    def build(self) -> np.dtype[Any]:
        try:
            native = np.dtype(self.code)
            return native if self.order == "|" else native.newbyteorder(self.order)
        except (TypeError, ValueError) as error:
            message = f"array of dtype {self.code!r} in the pickle: {error}"
            raise UnsafePickleError(message) from None


class _Array(_StandIn):
    """Stands for an array: remembers its state, and builds it when complete."""

    def __init__(self, *_: object) -> None:
        self.state: tuple[Any, ...] | None = None

    def __setstate__(self, state: object) -> None:
        if not isinstance(state, tuple) or len(state) != 5:
            message = "array state in the pickle is not that of a NumPy array"
            raise UnsafePickleError(message)
        self.state = state

    def build(self, memo: _Memo) -> npt.NDArray[Any]:
        if self.state is None:
            message = "an array in the pickle has no contents"
            raise UnsafePickleError(message)
        _, shape, dtype, fortran, raw = self.state
        return _from_parts(raw, dtype, shape, "F" if fortran else "C", memo)


class _Buffer(_StandIn):
    """Stands for ``numpy._core.numeric._frombuffer(raw, dtype, shape, order)``."""

    def __init__(self, raw: Any, dtype: Any, shape: Any, order: Any) -> None:
        self.parts = raw, dtype, shape, order

    def build(self, memo: _Memo) -> npt.NDArray[Any]:
        return _from_parts(*self.parts, memo)


class _Scalar(_StandIn):
    """Stands for a NumPy scalar: dtype and bytes."""

    def __init__(self, dtype: Any, raw: Any = b"") -> None:
        self.dtype, self.raw = dtype, raw

    def build(self, memo: _Memo) -> Any:
        return _from_parts(self.raw, self.dtype, (1,), "C", memo)[0].item()


class _Name(_StandIn):
    """Stands for the class ``numpy.ndarray`` as an argument; it cannot be called."""

    def __init__(self, *_: object) -> None:
        message = "the pickle makes an array in a way that NumPy does not"
        raise UnsafePickleError(message)


def _latin1(text: object = "", encoding: object = "latin1") -> bytes:
    """Stands for ``codecs.encode(text, "latin1")`` and nothing else."""
    if not isinstance(text, str) or encoding != "latin1":
        message = "the pickle asks for a codec other than latin1"
        raise UnsafePickleError(message)
    return text.encode("latin1")


class _Opener(_StandIn):
    """What a name in a pickle resolves to: can be called, and not be changed."""

    def __init__(self, make: Callable[..., Any]) -> None:
        self._make = make

    def __call__(self, *arguments: Any) -> Any:
        return self._make(*arguments)


_NAMES: dict[tuple[str, str], Callable[..., Any]] = {
    ("numpy", "dtype"): _Dtype,
    ("numpy", "ndarray"): _Name,
    ("_codecs", "encode"): _latin1,  # how protocol 2 writes bytes, and no bytes
    ("__builtin__", "bytes"): _latin1,
    **{
        (f"numpy.{core}.{module}", name): stand_in
        for core in ("core", "_core")
        for module, name, stand_in in (
            ("multiarray", "_reconstruct", _Array),
            ("multiarray", "scalar", _Scalar),
            ("numeric", "_frombuffer", _Buffer),
        )
    },
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> _Opener:
        if (module, name) not in _NAMES:
            message = (
                f"the pickle asks for {module}.{name}; only NumPy arrays and plain "
                "containers are read, and nothing of it was run"
            )
            raise UnsafePickleError(message)
        return _Opener(_NAMES[module, name])

    def persistent_load(self, pid: object) -> object:
        message = f"the pickle refers to an object outside itself, {pid!r}"
        raise UnsafePickleError(message)


def load(path: Path) -> Any:
    """Reads a pickle of NumPy arrays, numbers, strings and plain containers.

    Args:
        path: the file.

    Returns:
        The object: arrays as arrays, dictionaries, lists and tuples as such.

    Raises:
        UnsafePickleError: it names anything else; nothing of it was run.
        TruncatedFileError: it ends early, or is no pickle.
        FileNotFoundError: there is no such file.
    """
    content = path.read_bytes()
    try:
        _refuse_large_memo(content)
        return resolve(_Unpickler(io.BytesIO(content)).load(), {})
    except UnsafePickleError:
        raise
    except (
        pickle.UnpicklingError,
        EOFError,
        ValueError,
        TypeError,
        AttributeError,
        LookupError,
        OverflowError,
        MemoryError,
        RecursionError,
    ) as error:
        message = f"{path}: not a complete pickle ({error or type(error).__name__})"
        raise TruncatedFileError(message) from None


def _refuse_large_memo(content: bytes) -> None:
    """Refuses memo numbers that no honest file needs, for which memory is set aside."""
    for opcode, argument, _ in pickletools.genops(content):
        if opcode.name.endswith("PUT") and int(argument or 0) > len(content):
            message = f"the pickle numbers an object {argument}, more than it has bytes"
            raise UnsafePickleError(message)


def resolve(value: Any, memo: _Memo) -> Any:
    """Builds the arrays inside plain containers, replacing them in place.

    Every container is visited once, however often it is referred to.

    Args:
        value: what the unpickler returned, or a part of it.
        memo: what was visited already.
    """
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, (_Dtype, _Opener)):
        message = "the pickle holds a bare type where data was expected"
        raise UnsafePickleError(message)
    if id(value) in memo:
        return memo[id(value)][1]
    memo[id(value)] = value, value  # the pair keeps the object, and so its id, alive
    result = value
    if isinstance(value, (_Array, _Buffer, _Scalar)):
        result = value.build(memo)
    elif isinstance(value, dict):
        items = [(resolve(k, memo), resolve(v, memo)) for k, v in value.items()]
        value.clear()
        value.update(items)
    elif isinstance(value, list):
        value[:] = [resolve(item, memo) for item in value]
    elif isinstance(value, tuple):
        result = tuple(resolve(item, memo) for item in value)
    memo[id(value)] = value, result
    return result


def _from_parts(
    raw: Any, dtype: Any, shape: Any, order: Any, memo: _Memo
) -> npt.NDArray[Any]:
    wrong = UnsafePickleError("an array in the pickle is not well-formed")
    if not isinstance(dtype, _Dtype) or not isinstance(shape, tuple):
        raise wrong
    if not all(isinstance(n, int) and n >= 0 for n in shape) or order not in ("C", "F"):
        raise wrong
    if dtype.code.startswith("O"):
        items = [resolve(item, memo) for item in raw] if isinstance(raw, list) else None
        if items is None or len(items) != int(np.prod(shape, dtype=np.int64)):
            raise wrong
        array = np.empty(len(items), dtype=object)
        array[:] = items
        return array.reshape(shape)  # NumPy lists objects in C order, whatever theirs
    if not isinstance(raw, (bytes, bytearray)):
        raise wrong
    try:
        flat = np.frombuffer(raw, dtype=dtype.build())
        return flat.reshape(shape, order=order).copy()
    except ValueError:
        raise wrong from None
