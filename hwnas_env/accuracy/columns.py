"""What a source of accuracy returns, and the names of accuracies."""

import re
from dataclasses import dataclass

from hwnas_env.accuracy.noise import Noise
from hwnas_env.additive import Additive
from hwnas_env.errors import InvalidArgumentError, shown
from hwnas_env.types import AccuracyFunction, FloatArray, Provenance

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


@dataclass(frozen=True, eq=False)
class TableAccuracy:
    """Accuracy of all NAS-Bench-201 networks, in the official order.

    Attributes:
        name: which accuracy.
        mean: ``(15625,)`` percent, over the runs there are.
        runs: ``(15625, R)`` percent, NaN behind those a network has; None without runs.
        train_seconds: ``(15625,)``, or None where unknown.
        provenance: where it comes from.
    """

    name: str
    mean: FloatArray
    runs: FloatArray | None
    train_seconds: FloatArray | None
    provenance: Provenance


@dataclass(frozen=True, eq=False)
class LayeredAccuracy:
    """Accuracy of FBNet networks: a score that is a sum over layers, or a function.

    Attributes:
        name: which accuracy.
        score: one quantity whose link gives percent; None where a function is given.
        function: a user's own function; None where a score is given.
        provenance: where it comes from.
        noise: what evaluations add to the accuracy, for a noisy objective; or None.
    """

    name: str
    score: Additive | None
    function: AccuracyFunction | None
    provenance: Provenance
    noise: Noise | None = None
