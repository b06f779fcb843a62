"""Measured accuracy of NAS-Bench-201 networks, over two or three runs each."""

import numpy as np

from hwnas_env.accuracy.columns import AccuracyName, TableAccuracy
from hwnas_env.data import nasbench201_runs
from hwnas_env.elementary import ordered_sum
from hwnas_env.errors import InvalidArgumentError
from hwnas_env.types import FloatArray, Provenance


def measured_accuracy(name: AccuracyName, *, dataset: str) -> TableAccuracy:
    """Returns an accuracy with all its runs.

    Args:
        name: split and epochs; the run is checked against the runs there are.
        dataset: a dataset of NAS-Bench-201.

    Raises:
        DataMissingError: that accuracy was not imported; names the command.
        InvalidArgumentError: a run's index that every network lacks.
    """
    found = nasbench201_runs.load_runs(dataset, split=name.split, epochs=name.epochs)
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
        str(name), mean, runs, np.asarray(found.train_seconds), provenance
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
