"""Accuracy files that are damaged, claim too much, or contradict themselves."""

import io
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hwnas_env.data.formats.hwnasbench import import_pickle
from hwnas_env.data.formats.tables import MOST_RUNS, read_csv, read_npz
from hwnas_env.errors import (
    DataError,
    DataMissingError,
    ForeignFileError,
    HWNASError,
    InvalidArgumentError,
    TruncatedFileError,
)
from hwnas_env.problems.make import make_problem
from hwnas_env.spaces import SEARCH_SPACES
from hwnas_env.spaces.nasbench201.accuracy import parse_accuracy
from hwnas_env.spaces.nasbench201.imports import ACCURACIES, import_accuracy

CELLS = SEARCH_SPACES["nasbench201"]
RAMP = np.linspace(10.0, 90.0, CELLS.size)
NAMES = [CELLS.decode(row) for row in CELLS.from_index([0, 1, 2])]


def _npz(members: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


def _npy(array: Any) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=True)
    return stream.getvalue()


def _claims(shape: str, *, descr: str = "'<f8'", data: bytes = b"") -> bytes:
    header = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}}}\n"
    size = struct.pack("<H", len(header))
    return b"\x93NUMPY\x01\x00" + size + header.encode() + data


def _encrypted() -> bytes:
    content = bytearray(_npz({"cifar10.npy": _npy(RAMP)}))
    content[6] |= 1  # the flags of the member, in its header
    content[content.index(b"PK\x01\x02") + 8] |= 1  # and in the directory
    return bytes(content)


def _twice() -> bytes:
    content = _npz({"cifar10.npy": _npy(RAMP), "cifar11.npy": _npy(RAMP)})
    return content.replace(b"cifar11", b"cifar10")


def _flipped() -> bytes:
    content = bytearray(_npz({"cifar10.npy": _npy(RAMP)}))
    content[5000] ^= 1
    return bytes(content)


WIDE = np.ones((CELLS.size, MOST_RUNS + 1), dtype=np.int8)
NPZ = {
    "no array": (lambda: _npz({"cifar10.npy": b"text"}), "npz"),
    "no array by its name": (lambda: _npz({"cifar10": b"text"}), "npz"),
    "a folder": (lambda: _npz({"cifar10/": b""}), "npz"),
    "10 GB": (lambda: _npz({"cifar10.npy": _claims("(1250000000,)")}), "shape"),
    "runs of 10 GB": (
        lambda: _npz({"cifar10.npy": _claims("(15625, 80000)")}),
        "shape",
    ),
    "a number without end": (
        lambda: _npz({"cifar10.npy": _claims(f"({10**400},)")}),
        "npz|shape",
    ),
    "a shape below 0": (lambda: _npz({"cifar10.npy": _claims("(-15625,)")}), "shape"),
    "a header without end": (
        lambda: _npz({"cifar10.npy": _claims("(" * 60_000)}),
        "npz",
    ),
    "a header of 4 GB": (
        lambda: _npz({"cifar10.npy": b"\x93NUMPY\x02\x00\xff\xff\xff\xff"}),
        "npy version",
    ),
    "too little data": (
        lambda: _npz({"cifar10.npy": _claims("(15625,)", data=bytes(80))}),
        "expected 125000 bytes",
    ),
    "too much data": (
        lambda: _npz({"cifar10.npy": _npy(RAMP) + b"x"}),
        "expected 125000 bytes",
    ),
    "objects": (
        lambda: _npz({"cifar10.npy": _npy(np.array([None] * CELLS.size))}),
        "expected numbers",
    ),
    "records": (
        lambda: _npz({"cifar10.npy": _claims("(15625,)", descr="[('a', '<f8')]")}),
        "expected numbers",
    ),
    "one array": (lambda: _npy(RAMP), "npz"),
    "encrypted": (_encrypted, "npz"),
    "flipped": (_flipped, "npz"),
    "truncated": (lambda: _npz({"cifar10.npy": _npy(RAMP)})[:-30], "npz"),
    "another compression": (
        lambda: _npz({"cifar10.npy": _npy(RAMP)}, zipfile.ZIP_BZIP2),
        "compressed",
    ),
    "too many runs": (lambda: _npz({"cifar10.npy": _npy(WIDE)}), "R to 100"),
    "twice": (_twice, "second array of cifar10"),
    "an order beside it": (
        lambda: _npz({"cifar10.npy": _npy(RAMP), "index.npy": _npy(RAMP[::-1])}),
        "'index': rows of an npz are in the order of the space",
    ),
    "two names": (
        lambda: _npz({"cifar10.npy": _npy(RAMP), "CIFAR-10.npy": _npy(RAMP)}),
        "'CIFAR-10' is a second array of cifar10",
    ),
}


@pytest.mark.parametrize("name", NPZ)
def test_hostile_archives_are_clear_errors(name: str) -> None:
    make, message = NPZ[name]
    with pytest.raises((TruncatedFileError, ForeignFileError), match=message) as caught:
        read_npz(make(), name="file.npz", form=ACCURACIES)
    assert len(str(caught.value)) < 400


def test_flipped_bytes_of_an_archive_are_the_same_values_or_errors(
    rng: np.random.Generator,
) -> None:
    whole = _npz({"cifar10.npy": _npy(RAMP)}, zipfile.ZIP_DEFLATED)
    places = [*range(120), *range(len(whole) - 120, len(whole))]
    for place in [*places, *rng.integers(0, len(whole), 100).tolist()]:
        content = bytearray(whole)
        content[place] ^= 1 << int(rng.integers(8))
        try:
            found = read_npz(bytes(content), name="file.npz", form=ACCURACIES)
        except DataError:
            continue
        assert all((values == RAMP).all() for values in found.values())


CSV = {
    "contradiction": (
        f"index,architecture,cifar10\n0,{NAMES[0]},50\n1,{NAMES[2]},60\n",
        r"line 3, column 2 \(architecture\): network 2, but .* say 1",
    ),
    "contradiction, the other way round": (
        f"architecture,cifar10,index\n{NAMES[1]},50,0\n",
        r"line 2, column 3 \(index\): network 0, but .* say 1",
    ),
    "more fields": ("index,cifar10\n0,50\n1,50,60\n", "line 3, column 3: expected 2"),
    "fewer fields": ("index,cifar10\n0,50\n1\n", "line 3, column 2: expected 2 fields"),
    "an unknown column": ("index,cifar10,flops\n0,50,7\n", "line 1, column 3: 'flops'"),
    "a column without a title": (",index,cifar10\n0,0,50\n", "line 1, column 1: ''"),
    "another separator": ("index;cifar10\n0;50\n", "line 1, column 1"),
    "one title twice": ("index,cifar10,cifar10\n0,50,60\n", "line 1, column 3"),
    "two titles of one dataset": (
        "index,cifar10,CIFAR-10\n0,5,6\n",
        "line 1, column 3",
    ),
    "one run twice": ("index,cifar10/7,CIFAR-10/7\n0,5,6\n", "line 1, column 3"),
    "one run written twice": ("index,cifar10/0,cifar10/00\n0,5,6\n", "column 3.*run 0"),
    "a run that is left out": (
        "index,cifar10/0,cifar10/2\n0,5,6\n",
        "line 1, column 3: run 2 of cifar10, which has 2; expected 0 to 1, or seeds",
    ),
    "a run by a word": ("index,cifar10/a\n0,5\n", "column 2: 'cifar10/a': .*cifar10/N"),
    "a run of a run": ("index,cifar10/1/2\n0,5\n", "column 2: 'cifar10/1/2'"),
    "a run without a number": ("index,cifar10/\n0,5\n", "column 2: 'cifar10/': exp"),
    "a mean and a run": ("index,cifar10,cifar10/7\n0,5,6\n", "line 1, column 3"),
    "two indices": ("index,index,cifar10\n0,1,50\n", "line 1, column 2"),
    "too many runs": (
        "index," + ",".join(f"cifar10/{run}" for run in range(101)) + "\n",
        "line 1, column 102: cifar10 has more than 100 runs",
    ),
    "a word": ("index,cifar10\n0,x\n", r"line 2, column 2 \(cifar10\): .* got 'x'"),
    "a number with underscores": ("index,cifar10\n0,5_0\n", "line 2, column 2"),
    "a number without end": (f"index,cifar10\n0,{10**400}\n", "line 2, column 2"),
    "an infinite number": ("index,cifar10\n0,inf\n", "line 2, column 2"),
    "no percent": ("index,cifar10\n0,101\n", "line 2, column 2 .* 0 to 100, got '101'"),
    "an index without end": (f"index,cifar10\n{10**400},50\n", "line 2, column 1"),
    "an index as fraction": ("index,cifar10\n0.0,50\n", "line 2, column 1"),
    "an architecture without end": (
        f"architecture,cifar10\n{'|' * 100_000},50\n",
        "line 2, column 1",
    ),
    "an architecture and then something": (
        f"architecture,cifar10\n{NAMES[0]}{' ' * 200}x,50\n",
        "line 2, column 1",
    ),
    "a field without end": (f"index,cifar10\n0,{'5' * 200_000}\n", "line 2"),
    "a quote without end": ('index,cifar10\n0,"50\n', "line 2: not a csv"),
    "a network twice": ("index,cifar10\n0,50\n0,50\n", "line 3: network 0 stands"),
}


@pytest.mark.parametrize("name", CSV)
def test_what_a_table_does_not_mean_names_line_and_column(name: str) -> None:
    text, message = CSV[name]
    with pytest.raises((TruncatedFileError, ForeignFileError), match=message) as caught:
        read_csv(text.encode(), name="file.csv", form=ACCURACIES)
    assert len(str(caught.value)) < 400


def test_bytes_that_are_no_text_name_their_line() -> None:
    with pytest.raises(TruncatedFileError, match="line 2: not a csv file"):
        read_csv(b"index,cifar10\n0,\xff\n", name="file.csv", form=ACCURACIES)


def test_index_and_architecture_that_agree_are_read() -> None:
    lines = [f"{row},{name},{RAMP[row]}" for row, name in enumerate(NAMES)]
    text = "\n".join(["index,architecture,cifar10", *lines[::-1]])
    found = read_csv(text.encode(), name="file.csv", form=ACCURACIES)
    assert found["cifar10"][:3, 0].tolist() == RAMP[:3].tolist()
    assert np.isnan(found["cifar10"][3:]).all()


@pytest.mark.parametrize("word", ["", "run", "Seed "])
@pytest.mark.parametrize("runs", [(0, 1), (1, 0), (777, 888), (999, 777)])
def test_runs_are_served_by_their_number(runs: tuple[int, int], word: str) -> None:
    titles = ",".join(f"cifar10/{word}{run}" for run in runs)
    text = f"index,{titles}\n5,{runs[0] / 10},{runs[1] / 10}\n"
    found = read_csv(text.encode(), name="file.csv", form=ACCURACIES)
    assert found["cifar10"][5].tolist() == [run / 10 for run in sorted(runs)]


@pytest.mark.parametrize("suffix", [".npz", ".csv", ".pickle"])
def test_what_is_no_file_is_a_clear_error(
    suffix: str, cache: Path, tmp_path: Path
) -> None:
    def read(path: Path) -> None:
        if suffix == ".pickle":
            import_pickle(path)
        else:
            import_accuracy(path, split="test", epochs=200)

    (tmp_path / f"folder{suffix}").mkdir()
    with pytest.raises(TruncatedFileError, match="is a folder"):
        read(tmp_path / f"folder{suffix}")
    with pytest.raises(DataMissingError, match="no such file"):
        read(tmp_path / f"absent{suffix}")
    with pytest.raises(DataError):
        read(tmp_path / f"{'x' * 300}{suffix}")
    assert not cache.exists()


def test_accuracies_that_are_no_numbers_are_clear_errors() -> None:
    wrong: list[Any] = [10**5000, "valid-" + "9" * 5000 + "ep-mean", np.zeros(3), [1]]
    for name in wrong:
        with pytest.raises(InvalidArgumentError) as caught:
            parse_accuracy(name)
        assert len(str(caught.value)) < 400
    for answer in (10**400, [[1], [1, 2]], "text", np.full(15625, np.nan)):
        with pytest.raises(HWNASError) as failed:
            make_problem("nasbench201", device="fpga", accuracy=_Constant(answer))
        assert len(str(failed.value)) < 400


class _Constant:
    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def __call__(self, _: Any) -> Any:
        return self.answer
