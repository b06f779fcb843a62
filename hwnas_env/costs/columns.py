"""What a source of costs returns: columns of a table, or sums over layers."""

from collections.abc import Mapping
from dataclasses import dataclass

from hwnas_env.additive import Additive
from hwnas_env.types import BoolArray, FloatArray, Provenance


@dataclass(frozen=True, eq=False)
class TableCosts:
    """Costs of all NAS-Bench-201 networks on one device, in the official order.

    Attributes:
        values: by metric, ``(15625,)`` float64; unspecified where not deployable.
        deployable: ``(15625,)`` bool.
        provenance: by metric.
    """

    values: Mapping[str, FloatArray]
    deployable: BoolArray
    provenance: Mapping[str, Provenance]


@dataclass(frozen=True, eq=False)
class LayeredCosts:
    """Costs of FBNet networks on one device, as sums over layers.

    Attributes:
        quantities: by metric, one quantity each.
        provenance: by metric.
    """

    quantities: Mapping[str, Additive]
    provenance: Mapping[str, Provenance]
