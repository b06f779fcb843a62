"""Measured accuracy of NAS-Bench-201 networks, over two or three runs each."""

import re
from dataclasses import dataclass

import numpy as np

from hwnas_env.engines.columns import TableAccuracy
from hwnas_env.errors import InvalidArgumentError, shown
from hwnas_env.maths.elementary import ordered_sum
from hwnas_env.spaces.nasbench201.runs import load_runs
from hwnas_env.types import FloatArray, Provenance

_NAME = re.compile(r"(valid|test|train)-([0-9]{1,4})ep-(mean|sampled|run[0-9]{1,4})")


@dataclass(frozen=True)
class AccuracyName:
    """Names an accuracy, so that nobody has to guess which one it is.

    Attributes:
        split: valid, test or train.
        epochs: epochs of training.
        run: a run's index, or "mean" or "sampled".
    """

    split: str
    epochs: int
    run: int | str

    def __str__(self) -> str:
        """Writes the name, for example valid-200ep-mean or valid-200ep-run0."""
        run = f"run{self.run}" if isinstance(self.run, int) else self.run
        return f"{self.split}-{self.epochs}ep-{run}"


def parse_accuracy(name: str | int) -> AccuracyName:
    """Reads ``mean``, ``sampled``, a run's index, or a full name.

    Raises:
        InvalidArgumentError: it is none of these.

    Example:
        >>> str(parse_accuracy("mean")), str(parse_accuracy(1))
        ('valid-200ep-mean', 'valid-200ep-run1')
    """
    if isinstance(name, int) and not isinstance(name, bool) and 0 <= name < 10_000:
        return AccuracyName("valid", 200, name)
    if isinstance(name, str) and name in ("mean", "sampled"):
        return AccuracyName("valid", 200, name)
    match = _NAME.fullmatch(name) if isinstance(name, str) else None
    if match is None:
        message = (
            "accuracy: expected 'mean', 'sampled', a run's index, or a name like "
            f"'valid-200ep-mean', 'test-200ep-run0', got {shown(name)}"
        )
        raise InvalidArgumentError(message)
    run = match[3]
    return AccuracyName(
        match[1], int(match[2]), int(run[3:]) if run.startswith("run") else run
    )


def measured_accuracy(accuracy: str | int, *, dataset: str) -> TableAccuracy:
    """Returns an accuracy with all its runs.

    Args:
        accuracy: what :func:`parse_accuracy` reads; the run is checked against the runs
            there are.
        dataset: a dataset of NAS-Bench-201.

    Raises:
        DataMissingError: that accuracy was not imported; names the command.
        InvalidArgumentError: a run's index that every network lacks.
    """
    name = parse_accuracy(accuracy)
    found = load_runs(dataset, split=name.split, epochs=name.epochs)
    runs = np.asarray(found.accuracy_percent)
    if isinstance(name.run, int):
        _check_run(runs, name)
    provenance = Provenance(
        kind="measured",
        method=(
            f"{name.split} accuracy after {name.epochs} epochs, {_words(name.run)} "
            f"of {_counts(runs)} runs a network"
        ),
        citation=found.citation,
        sha256=found.sha256,
    )
    mean = ordered_sum(np.nan_to_num(runs)) / (~np.isnan(runs)).sum(axis=1)
    return TableAccuracy(
        str(name), mean, runs, np.asarray(found.train_seconds), provenance, name.run
    )


def _check_run(runs: FloatArray, name: AccuracyName) -> None:
    if int(name.run) >= runs.shape[1]:
        message = (
            f"accuracy {name}: there is no run {name.run}; networks have "
            f"{_counts(runs)} runs, counted from 0"
        )
        raise InvalidArgumentError(message)


def _counts(runs: FloatArray) -> str:
    counts = np.unique((~np.isnan(runs)).sum(axis=1))
    return " or ".join(str(count) for count in counts)


def _words(run: int | str) -> str:
    names = {"mean": "mean", "sampled": "one drawn a query"}
    return names.get(str(run), f"run {run}")
