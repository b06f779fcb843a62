"""What a search space answers with: columns of a table, or sums over layers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from hwnas_env.showing import Outlined
from hwnas_env.types import (
    AccuracyFunction,
    Alias,
    BoolArray,
    FloatArray,
    Genotypes,
    Provenance,
)

if TYPE_CHECKING:  # what a device is made of needs neither
    from hwnas_env.engines.additive import Additive
    from hwnas_env.engines.noise import Noise


class CostSource(Protocol):
    """What a space needs of a device to build its costs."""

    @property
    def name(self) -> str:
        """The device's name, for messages."""

    @property
    def aliases(self) -> Mapping[str, Alias]:
        """Metrics that are another one times a factor."""

    def metrics_in(self, space: str) -> tuple[str, ...]:
        """Returns the metrics that the device has in a space, by the space's name."""

    def coefficients(self, space: str, dataset: str, metric: str) -> Mapping[str, Any]:
        """Returns the coefficients of one column, in a form that the space knows."""

    def facts(self, space: str) -> Mapping[str, Any]:
        """Returns what else the device says of a space, like what it cannot run."""

    def provenance(self, space: str, dataset: str, metric: str) -> Provenance:
        """Returns where the numbers of one column come from."""


@dataclass(frozen=True, eq=False)
class TableCosts(Outlined):
    """Costs of all networks of a table space on one device, in the order of its tables.

    Attributes:
        values: by metric, ``(size,)`` float64; unspecified where not deployable.
        deployable: ``(size,)`` bool.
        provenance: by metric.
    """

    values: Mapping[str, FloatArray]
    deployable: BoolArray
    provenance: Mapping[str, Provenance]


@dataclass(frozen=True, eq=False)
class LayeredCosts(Outlined):
    """Costs of the networks of a layered space on one device, as sums over layers.

    Attributes:
        quantities: by metric, one quantity each.
        provenance: by metric.
    """

    quantities: "Mapping[str, Additive]"
    provenance: Mapping[str, Provenance]


@dataclass(frozen=True, eq=False)
class TableAccuracy(Outlined):
    """Accuracy of all networks of a table space, in the order of its tables.

    Attributes:
        name: which accuracy.
        mean: ``(size,)`` percent, over the runs there are.
        runs: ``(size, R)`` percent, NaN behind those a network has; None without runs.
        train_seconds: ``(size,)``, or None where unknown.
        provenance: where it comes from.
        run: what an evaluation answers with: a run's index, "mean", or "sampled".
    """

    name: str
    mean: FloatArray
    runs: FloatArray | None
    train_seconds: FloatArray | None
    provenance: Provenance
    run: int | str = "mean"


@dataclass(frozen=True, eq=False)
class LayeredAccuracy(Outlined):
    """Accuracy of the networks of a layered space: a sum over layers, or a function.

    Attributes:
        name: which accuracy.
        score: one quantity whose link gives percent; None where a function is given.
        function: a user's own function; None where a score is given.
        provenance: where it comes from.
        noise: what evaluations add to the accuracy, for a noisy objective; or None.
        train_seconds: one quantity whose link gives seconds; None where unknown.
    """

    name: str
    score: "Additive | None"
    function: AccuracyFunction | None
    provenance: Provenance
    noise: "Noise | None" = None
    train_seconds: "Additive | None" = None


@dataclass(frozen=True, eq=False)
class FunctionCosts(Outlined):
    """Costs of the networks of a layered space by a function of unknown form.

    Attributes:
        function: genotypes ``(N, L)`` to costs ``(N, M)``, inf where not deployable.
        provenance: by metric, in the order of its columns.
    """

    function: Callable[[Genotypes], FloatArray]
    provenance: Mapping[str, Provenance]
