"""Words that every floor uses: array aliases, provenance, and one batch's answer."""

import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from hwnas_env.errors import unknown_name
from hwnas_env.showing import Columned, line, number

Genotypes: TypeAlias = npt.NDArray[np.int8]
"""Decisions, ``(N, L)`` int8; one row is one network."""

FloatArray: TypeAlias = npt.NDArray[np.float64]
IntArray: TypeAlias = npt.NDArray[np.int64]
BoolArray: TypeAlias = npt.NDArray[np.bool_]

AnyPath: TypeAlias = str | os.PathLike[str]
"""A file or a folder, as any function of the standard library takes it."""

Kind: TypeAlias = Literal[
    "measured", "fitted", "modelled", "surrogate", "user", "exact"
]

AccuracyFunction: TypeAlias = Callable[[Genotypes], FloatArray]
"""Genotypes ``(N, L)`` to accuracy in percent ``(N,)``."""

RewardFunction: TypeAlias = Callable[[FloatArray, FloatArray, float], FloatArray]
"""Accuracy in [0, 1] ``(N,)``, cost ``(N,)``, budget to reward ``(N,)``."""


class Alias(NamedTuple):
    """Says that a metric is another one times a factor, the same in every network.

    Attributes:
        of: the other metric.
        factor: positive.
        inverse: True where it is the factor over the other metric instead, as images a
            second are 1000 over the milliseconds of one.
    """

    of: str
    factor: float
    inverse: bool = False


@dataclass(frozen=True)
class Fidelity:
    """States how far a source is from the measurements it stands for.

    Attributes:
        n: networks compared.
        tau_b: Kendall's tau-b, or None where it means nothing (fewer than 3 rows).
        mape_percent: mean absolute percentage error.
        worst_percent: largest absolute percentage error.
        method: how it was computed ("5-fold cross-validation", ...).
        tau_b_deviation: standard deviation of ``tau_b`` over draws of the networks;
            None where it was not computed, as of the rest.
        ratio_90: 90 % of networks are within this ratio of what was measured.
        repeat_tau_b: tau-b of two passes of measurements, which no model can exceed by
            much.
    """

    n: int
    tau_b: float | None
    mape_percent: float
    worst_percent: float
    method: str
    tau_b_deviation: float | None = None
    ratio_90: float | None = None
    repeat_tau_b: float | None = None


@dataclass(frozen=True)
class Provenance:
    """Says where the numbers of one column come from.

    Attributes:
        kind: measured, fitted, modelled, surrogate, user, or exact: counted from the
            architecture.
        method: one sentence on how a number is computed.
        citation: whose measurements they are, or whose they were fitted to.
        calibrated_on: what data the coefficients saw; empty where measured.
        fidelity: error against measurements; None where measured or unknown.
        sha256: checksum of the data or coefficient file; empty for a user's own.
    """

    kind: Kind
    method: str
    citation: str
    calibrated_on: str = ""
    fidelity: Fidelity | None = None
    sha256: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Returns the provenance as plain JSON-able values."""
        return asdict(self)

    def __repr__(self) -> str:
        """Returns the kind and the method."""
        return line("Provenance", f"{self.kind}: {self.method}")


@dataclass(frozen=True, eq=False)
class Evaluation(Columned):
    """Holds the answer to one batch of queries, one row a network.

    ``evaluation["latency_ms"]`` is a column by its name, ``len(evaluation)`` the number
    of networks, and ``evaluation.to_frame()`` all columns as a frame of pandas.

    Attributes:
        accuracy_percent: ``(N,)`` float64.
        costs: ``(N, M)`` float64 in the order of ``problem.metrics``, in their units;
            a device's metrics are inf where a network is not deployable.
        deployable: ``(N,)`` bool.
        train_seconds: ``(N,)`` float64 simulated training seconds, or None where the
            problem has none.
        metrics: names of the costs' columns.
    """

    accuracy_percent: FloatArray
    costs: FloatArray
    deployable: BoolArray
    train_seconds: FloatArray | None = None
    metrics: tuple[str, ...] = ()

    def __len__(self) -> int:
        """Returns the number of networks."""
        return len(self.accuracy_percent)

    def __getitem__(self, name: str) -> npt.NDArray[Any]:
        """Returns a column by its name: ``(N,)``.

        Args:
            name: accuracy_percent, deployable, train_seconds, or a metric's.

        Raises:
            UnknownNameError: there is no such column; names the nearest.
        """
        columns = self.columns()
        if name not in columns:
            raise unknown_name(name, columns, what="column")
        return columns[name]

    def __contains__(self, name: object) -> bool:
        """Whether there is a column of that name."""
        return name in self.columns()

    __iter__ = None  # over what would not be clear: columns() and to_frame() say it

    def columns(self) -> dict[str, npt.NDArray[Any]]:
        """Returns the accuracy, every metric, deployable and the training seconds."""
        found: dict[str, npt.NDArray[Any]] = {"accuracy_percent": self.accuracy_percent}
        found |= dict(zip(self.metrics, self.costs.T, strict=False))
        found["deployable"] = self.deployable
        if self.train_seconds is not None:
            found["train_seconds"] = self.train_seconds
        return found

    def __repr__(self) -> str:
        """Returns the number of networks, and what the only or the best one has."""
        words = f"of {len(self)} networks"
        if len(self) == 1:
            named = zip(self.metrics, self.costs[0].tolist(), strict=False)
            costs = [f"{name} {number(value)}" for name, value in named]
            words = ", ".join([f"{self.accuracy_percent[0]:.2f} %", *costs])
        elif len(self):
            words += f", accuracy up to {self.accuracy_percent.max():.2f} %"
            words += f", {self.deployable.sum()} deployable"
        return line("Evaluation", words)
