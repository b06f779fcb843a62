"""Pickles that would hang, crash or fill the memory of whoever reads them."""

import contextlib
import pickle
import struct
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import synthetic

from hwnas_env.data import unpickle
from hwnas_env.data.formats.hwnasbench import import_pickle
from hwnas_env.errors import DataError, UnsafePickleError

SHARED = b"K\x01\x85" + b"q\x00h\x00\x86" * 45  # 2^45 leaves in 230 bytes
DUPLICATED = b"K\x01\x85" + b"2\x86" * 45  # the same in 93
DTYPE = b"cnumpy\ndtype\n"
RECONSTRUCT = (
    b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85C\x01b\x87R"
)


def _collisions() -> bytes:
    """A dictionary whose whole numbers hash alike: each key costs all before it."""
    keys = (number * (2**61 - 1) for number in range(1, 20000))
    longs = (b"\x8a\x0a" + key.to_bytes(10, "little") + b"N" for key in keys)
    return b"}(" + b"".join(longs) + b"u"


def _floats() -> bytes:
    keys = (b"G" + struct.pack(">d", 1.5 * number) + b"N" for number in range(9999))
    return b"}(" + b"".join(keys) + b"u"


HOSTILE = {
    "a tree as key": b"}" + DUPLICATED + b"Ns",
    "a tree of the memo as key": b"}" + SHARED + b"Ns",
    "a deep tuple as key": b"})" + b"\x85" * 200_000 + b"Ns",
    "a deep tuple": b")" + b"\x85" * 200_000,
    "a deep list": b"]" * 200_000 + b"a" * 199_999,
    "a tree in a set": b"\x8f(" + SHARED + b"\x90",
    "a deep tuple in a frozen set": b"()" + b"\x85" * 200_000 + b"\x91",
    "a tree as persistent id": SHARED + b"Q",
    "a tree as dtype code": DTYPE + SHARED + b"\x85R",
    "a tree as the state of a dtype": DTYPE
    + b"X\x02\x00\x00\x00f8\x85R"
    + SHARED
    + b"b",
    "a tree as the state of an array": RECONSTRUCT + SHARED + b"b",
    "a tree as the state of a list": b"]" + SHARED + b"b",
    "a tree that is called": SHARED + b")R",
    "a tree as module": SHARED + b"\x8c\x01x\x93",
    "a tree of few levels": b"K\x01\x85" + b"q\x00h\x00h\x00\x87" * 18,
    "marks": b"(" * 200_000 + b"N",
    "nothing but objects": b"](" + b"}" * 200_000 + b"e",
    "nothing but memos": b"N" + b"\x94" * 200_000,
    "keys that hash alike": _collisions(),
    "keys that are many fractions": _floats(),
    "a key twice": b"}(K\x01NK\x01Nu",
    "a key that is None": b"}NNs",
    "a whole number of 1000 bytes": b"\x8b" + struct.pack("<i", 1000) + b"\x01" * 1000,
    "items without a size": RECONSTRUCT
    + b"(K\x01\x8a\x06"
    + (10**12).to_bytes(6, "little")
    + b"\x85cnumpy\ndtype\nX\x02\x00\x00\x00S0\x85R\x89C\x00tb",
    "letters beyond Unicode": RECONSTRUCT
    + b"(K\x01K\x01\x85cnumpy\ndtype\nX\x02\x00\x00\x00U1\x85R\x89"
    + b"C\x04\xff\xff\xff\x7ftb",
    "an array that is never filled": b"](" + RECONSTRUCT + b"e",
    "a number for an object": b"Nr\xff\xff\xff\x7f",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_few_bytes_that_describe_much_are_refused(name: str) -> None:
    content = b"\x80\x02" + HOSTILE[name] + b"."
    with pytest.raises(UnsafePickleError) as caught:
        unpickle.loads(content, name="file")
    assert len(str(caught.value)) < 200


def _arrays_that_share(number: int) -> bytes:
    raw = b"B" + struct.pack("<i", 10**6) + bytes(10**6) + b"q\x00"
    shape = b"\x8a\x03" + (10**6).to_bytes(3, "little") + b"\x85q\x01"
    dtype = DTYPE + b"X\x02\x00\x00\x00u1\x85Rq\x02"
    state = b"(K\x01h\x01h\x02\x89h\x00tb"
    return raw + shape + dtype + b"](" + (RECONSTRUCT + state) * number + b"e"


def _texts_encoded(number: int) -> bytes:
    text = b"X" + struct.pack("<i", 10**6) + b"x" * 10**6 + b"q\x00"
    call = b"c_codecs\nencode\nh\x00X\x06\x00\x00\x00latin1\x86R"
    return text + b"](" + call * number + b"e"


@pytest.mark.parametrize("build", [_arrays_that_share, _texts_encoded])
def test_what_is_built_of_shared_bytes_is_counted(build: Any) -> None:
    whole = unpickle.loads(b"\x80\x02" + build(1) + b".", name="file")
    assert len(whole[0]) == 10**6
    content = b"\x80\x02" + build(1000) + b"."
    tracemalloc.start()
    with pytest.raises(UnsafePickleError, match="too much"):
        unpickle.loads(content, name="file")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 * len(content)


@pytest.mark.parametrize("key", ["arch_str", "x"])
def test_trees_in_an_official_file_are_refused(
    key: str, cache: Path, tmp_path: Path
) -> None:
    tree: tuple[Any, ...] = (1,)
    for _ in range(10):
        tree = (tree,) * 8
    content = synthetic.official()
    content["nasbench201"]["cifar10"]["config"][3][key] = tree
    with pytest.raises(UnsafePickleError, match="repeats"):
        import_pickle(synthetic.write(tmp_path / "tree.pickle", content))
    assert not cache.exists()


def test_flipped_bytes_are_values_or_clear_errors(rng: np.random.Generator) -> None:
    values = {
        "a": np.arange(5.0),
        "b": [{"x": 1.5, "y": "text"}, (1, None)],
        3: np.float64(2.5),
        "c": np.array(["ab", "c"]),
    }
    for protocol in (0, 2, 4, 5):
        whole = pickle.dumps(values, protocol=protocol)
        for _ in range(300):
            content = bytearray(whole)
            for place in rng.integers(0, len(content), rng.integers(1, 4)).tolist():
                content[place] = int(rng.integers(0, 256))
            with contextlib.suppress(DataError):
                unpickle.loads(bytes(content), name="file")
