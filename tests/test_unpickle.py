"""The restricted unpickler: arrays and containers come through, nothing runs."""

import builtins
import io
import os
import pickle
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hwnas_env.data import unpickle
from hwnas_env.errors import DataError, TruncatedFileError, UnsafePickleError

HARMLESS: list[Any] = [
    {"a": [1, 2.5, None, True, "x", b"y"], "b": (1, (2, [3]))},
    {"array": np.arange(6.0).reshape(2, 3), "ints": np.arange(3, dtype=np.int16)},
    {"fortran": np.asfortranarray(np.arange(6.0).reshape(2, 3))},
    [np.float64(1.25), np.int64(3), np.array(["ab", "c"]), np.array([True, False])],
    {
        "big": np.arange(3, dtype=">f8"),
        "objects": np.array([1, "a", None], dtype=object),
    },
    [np.zeros((0, 4)), [], {}, ()],
    [np.asfortranarray(np.array([[1, 2, 3], [4, 5, 6]], dtype=object))],
]


def _equal(a: Any, b: Any) -> bool:
    if isinstance(a, np.ndarray):
        same = isinstance(b, np.ndarray) and a.shape == b.shape
        return same and a.dtype == b.dtype and a.tolist() == b.tolist()
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(_equal(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        same = type(a) is type(b) and len(a) == len(b)
        return same and all(map(_equal, a, b))
    return bool(a == b)


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("content", HARMLESS, ids=range(len(HARMLESS)))
def test_arrays_and_containers_are_read_as_they_were(
    content: Any, protocol: int, tmp_path: Path
) -> None:
    path = tmp_path / "file.pickle"
    path.write_bytes(pickle.dumps(content, protocol=protocol))
    assert _equal(unpickle.load(path), content)


def test_names_of_old_and_new_numpy_are_both_read(tmp_path: Path) -> None:
    content = pickle.dumps(np.arange(4.0), protocol=2)
    for old, new in ((b"numpy._core", b"numpy.core"), (b"numpy.core", b"numpy._core")):
        path = tmp_path / "file.pickle"
        path.write_bytes(content.replace(old, new))
        assert unpickle.load(path).tolist() == [0.0, 1.0, 2.0, 3.0]


class _Hostile:
    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> Any:
        return self.call


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (os.system, "system"),
        (builtins.eval, "eval"),
        (builtins.getattr, "getattr"),
        (subprocess.Popen, "Popen"),
        (np.load, "load"),
        (np.fromfile, "fromfile"),
    ],
)
def test_a_pickle_that_would_run_code_runs_nothing(
    function: Any, name: str, tmp_path: Path
) -> None:
    sentinel = tmp_path / "it-ran"
    hostile = {"config": [_Hostile(function, f"touch {sentinel}")]}
    path = tmp_path / "file.pickle"
    path.write_bytes(pickle.dumps(hostile))
    with pytest.raises(UnsafePickleError, match=name):
        unpickle.load(path)
    assert not sentinel.exists()


def test_hostile_contents_of_an_object_array_run_nothing(tmp_path: Path) -> None:
    sentinel = tmp_path / "it-ran"
    array = np.array([_Hostile(os.system, f"touch {sentinel}"), 1], dtype=object)
    path = tmp_path / "file.pickle"
    path.write_bytes(pickle.dumps({"x": array}))
    with pytest.raises(UnsafePickleError, match="system"):
        unpickle.load(path)
    assert not sentinel.exists()


def test_malformed_arrays_are_refused(tmp_path: Path) -> None:
    build = np.zeros(1).__reduce__()[0]
    cases = [
        _Hostile(build, np.ndarray, (0,), b"b"),  # never given a state
        _Hostile(np.dtype, "V8", False, True),
        _Hostile(np.dtype, "f8,i4", False, True),
        np.dtype("f8"),
        {"x": [np.ndarray]},
    ]
    for number, case in enumerate(cases):
        path = tmp_path / f"{number}.pickle"
        path.write_bytes(pickle.dumps(case))
        with pytest.raises(DataError):
            unpickle.load(path)
    # A state whose bytes do not fill its shape.
    short = pickle.dumps(np.arange(4.0), protocol=4).replace(b"K\x04\x85", b"K\x05\x85")
    (tmp_path / "short.pickle").write_bytes(short)
    with pytest.raises(DataError):
        unpickle.load(tmp_path / "short.pickle")


def test_every_truncation_is_a_clear_error(tmp_path: Path) -> None:
    whole = pickle.dumps({"a": np.arange(5.0), "b": [1.5] * 20, "c": "text"})
    path = tmp_path / "file.pickle"
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises((TruncatedFileError, UnsafePickleError)):
            unpickle.load(path)


@pytest.mark.parametrize("content", [b"", b"not a pickle", b"\x80\x09.", b"PK\x03\x04"])
def test_what_is_no_pickle_is_a_clear_error(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "file.pickle"
    path.write_bytes(content)
    with pytest.raises(TruncatedFileError, match="not a complete pickle"):
        unpickle.load(path)


def test_references_outside_the_file_are_refused(tmp_path: Path) -> None:
    class Pickler(pickle.Pickler):
        def persistent_id(self, obj: Any) -> Any:
            return "elsewhere" if obj == "marked" else None

    stream = io.BytesIO()
    Pickler(stream).dump(["marked"])
    path = tmp_path / "file.pickle"
    path.write_bytes(stream.getvalue())
    with pytest.raises(UnsafePickleError, match="elsewhere"):
        unpickle.load(path)


def test_containers_that_hold_themselves_are_refused(tmp_path: Path) -> None:
    loop: list[Any] = []
    loop += [loop] * 10
    path = tmp_path / "file.pickle"
    path.write_bytes(pickle.dumps(loop))
    with pytest.raises(UnsafePickleError, match="in themselves"):
        unpickle.load(path)
