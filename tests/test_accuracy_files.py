"""Accuracies imported from plain files, and the names of accuracies."""

from pathlib import Path

import numpy as np
import pytest

from hwnas_env import make_problem
from hwnas_env.errors import (
    DataMissingError,
    ForeignFileError,
    HWNASError,
    InvalidArgumentError,
    TruncatedFileError,
)
from hwnas_env.spaces import SEARCH_SPACES
from hwnas_env.spaces.nasbench201.accuracy import parse_accuracy
from hwnas_env.spaces.nasbench201.imports import import_accuracy
from hwnas_env.spaces.nasbench201.runs import load_runs

CELLS = SEARCH_SPACES["nasbench201"]
RAMP = np.linspace(10.0, 90.0, CELLS.size)


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("mean", "valid-200ep-mean"),
        ("sampled", "valid-200ep-sampled"),
        (0, "valid-200ep-run0"),
        ("test-200ep-mean", "test-200ep-mean"),
        ("valid-12ep-run1", "valid-12ep-run1"),
    ],
)
def test_names_say_split_epochs_and_run(given: str | int, name: str) -> None:
    assert str(parse_accuracy(given)) == name


@pytest.mark.parametrize(
    "wrong", ["", "best", "valid", "test-200", "200ep-mean", -1, True]
)
def test_other_names_are_refused(wrong: str | int) -> None:
    with pytest.raises(InvalidArgumentError, match="valid-200ep-mean"):
        parse_accuracy(wrong)


def test_an_imported_fidelity_has_its_share_of_the_seconds(
    cache: Path, tmp_path: Path
) -> None:
    np.savez(tmp_path / "short.npz", CIFAR_10=RAMP, note=np.array("x"))
    assert import_accuracy(tmp_path / "short.npz", split="valid", epochs=12) == [
        "cifar10"
    ]
    problem = make_problem("nasbench201", device="fpga", accuracy="valid-12ep-mean")
    whole = make_problem("nasbench201", device="fpga")
    rows = CELLS.from_index(np.arange(CELLS.size))
    short, full = problem.evaluate(rows), whole.evaluate(rows)
    assert short.accuracy_percent.tolist() == RAMP.tolist()
    assert short.train_seconds is not None
    assert full.train_seconds is not None
    np.testing.assert_allclose(short.train_seconds, full.train_seconds * 12 / 200)
    assert problem.accuracy == "valid-12ep-mean"
    assert "12 epochs" in problem.provenance["accuracy"].method
    with pytest.raises(DataMissingError, match="--split valid --epochs 12"):
        make_problem(
            "nasbench201", device="fpga", dataset="cifar100", accuracy="valid-12ep-mean"
        )
    # another dataset of the same accuracy joins the first
    np.savez(tmp_path / "more.npz", cifar100=RAMP)
    import_accuracy(tmp_path / "more.npz", split="valid", epochs=12)
    for dataset in ("cifar10", "cifar100"):
        assert load_runs(dataset, epochs=12).accuracy_percent.shape == (CELLS.size, 1)
    assert cache.is_dir()


def test_a_csv_may_have_runs_and_any_order(cache: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    order = rng.permutation(CELLS.size)
    rows = CELLS.from_index(order)
    lines = ["architecture,cifar10/777,cifar10/888"]
    for place, row in zip(order.tolist(), rows, strict=True):
        second = "" if place % 2 else f"{RAMP[place] + 1}"
        lines.append(f"{CELLS.decode(row)},{RAMP[place]},{second}")
    path = tmp_path / "runs.csv"
    path.write_text("\n".join(lines) + "\n")
    assert import_accuracy(path, split="test", epochs=200) == ["cifar10"]
    problem = make_problem("nasbench201", device="fpga", accuracy="test-200ep-mean")
    mean = problem.evaluate(CELLS.from_index([10, 11])).accuracy_percent
    assert mean.tolist() == pytest.approx([RAMP[10] + 0.5, RAMP[11]])
    assert cache.is_dir()


def test_wrong_files_are_refused_and_leave_nothing(cache: Path, tmp_path: Path) -> None:
    hole = RAMP.copy()
    hole[3] = np.nan
    cases = {
        "short.npz": ({"cifar10": RAMP[:-1]}, ForeignFileError, "15625"),
        "hole.npz": ({"cifar10": hole}, ForeignFileError, "index 3"),
        "fraction.npz": ({"cifar10": RAMP / 100}, ForeignFileError, "percent"),
        "other.npz": (
            {"svhn": RAMP},
            ForeignFileError,
            "holds none of cifar10",
        ),
        "words.npz": ({"cifar10": np.array(["a"])}, ForeignFileError, "numbers"),
    }
    for name, (arrays, error, message) in cases.items():
        np.savez(tmp_path / name, **arrays)  # type: ignore[arg-type]
        with pytest.raises(error, match=message):
            import_accuracy(tmp_path / name, split="test", epochs=200)
    texts = {
        "noindex.csv": ("cifar10\n1\n", ForeignFileError, "'index' or 'architecture'"),
        "word.csv": ("index,cifar10\n0,x\n", ForeignFileError, "line 2"),
        "range.csv": ("index,cifar10\n15625,1\n", ForeignFileError, "line 2"),
        "broken.npz": ("PK nonsense", TruncatedFileError, "npz"),
        "file.txt": ("", InvalidArgumentError, "npz or .csv"),
    }
    for name, (text, kind, message) in texts.items():
        (tmp_path / name).write_text(text)
        with pytest.raises(kind, match=message):
            import_accuracy(tmp_path / name, split="test", epochs=200)
    np.savez(tmp_path / "good.npz", cifar10=RAMP)
    for split, epochs in (("dev", 200), ("test", 0), ("test", 201), ("valid", 200)):
        with pytest.raises(HWNASError):
            import_accuracy(tmp_path / "good.npz", split=split, epochs=epochs)
    assert not cache.exists()


@pytest.mark.data
def test_reference_test_accuracy_has_the_published_optima(
    reference: Path, cache: Path
) -> None:
    # Dong and Yang, ICLR 2020, table 5: 94.37, 73.51, 47.31.
    path = reference / "nb201_test_accuracy_200ep.npz"
    assert len(import_accuracy(path, split="test", epochs=200)) == 3
    for dataset, best in (
        ("cifar10", 94.37),
        ("cifar100", 73.51),
        ("ImageNet16-120", 47.31),
    ):
        problem = make_problem(
            "nasbench201", device="fpga", dataset=dataset, accuracy="test-200ep-mean"
        )
        assert round(problem.optimum().accuracy_percent, 2) == best
    assert cache.is_dir()
