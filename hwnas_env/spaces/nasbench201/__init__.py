"""NAS-Bench-201: cells of six edges, their costs, their accuracy and their picture."""

from typing import TYPE_CHECKING, Any

from hwnas_env.data.formats import register
from hwnas_env.faces import lazy
from hwnas_env.moved import renamed
from hwnas_env.spaces.listed import ListedSpace

if TYPE_CHECKING:
    from hwnas_env.spaces.nasbench201.facts import CELLS_PER_STAGE as CELLS_PER_STAGE
    from hwnas_env.spaces.nasbench201.facts import CHANNELS as CHANNELS
    from hwnas_env.spaces.nasbench201.facts import CLASSES as CLASSES
    from hwnas_env.spaces.nasbench201.facts import EDGES as EDGES
    from hwnas_env.spaces.nasbench201.facts import OPERATIONS as OPERATIONS
    from hwnas_env.spaces.nasbench201.facts import RESOLUTION as RESOLUTION
    from hwnas_env.spaces.nasbench201.facts import (
        official_genotypes as official_genotypes,
    )
    from hwnas_env.spaces.nasbench201.facts import official_numbers as official_numbers
    from hwnas_env.spaces.nasbench201.space import SPACE as SPACE
    from hwnas_env.spaces.nasbench201.space import NASBench201 as NASBench201

LISTED = ListedSpace(
    "nasbench201",
    "NASBench201",
    size=5**6,
    datasets=("cifar10", "cifar100", "ImageNet16-120"),
    default_dataset="cifar10",
    has_population=True,
)
"""What ids need to know of the space."""

register("HW-NAS-Bench", LISTED.name, "hwnas_env.spaces.nasbench201.official:OFFICIAL")
register(
    "accuracies", LISTED.name, "hwnas_env.spaces.nasbench201.imports:import_accuracy"
)

_HOMES = {
    "CELLS_PER_STAGE": "hwnas_env.spaces.nasbench201.facts",
    "CHANNELS": "hwnas_env.spaces.nasbench201.facts",
    "CLASSES": "hwnas_env.spaces.nasbench201.facts",
    "EDGES": "hwnas_env.spaces.nasbench201.facts",
    "NASBench201": "hwnas_env.spaces.nasbench201.space",
    "OPERATIONS": "hwnas_env.spaces.nasbench201.facts",
    "RESOLUTION": "hwnas_env.spaces.nasbench201.facts",
    "SPACE": "hwnas_env.spaces.nasbench201.space",
    "official_genotypes": "hwnas_env.spaces.nasbench201.facts",
    "official_numbers": "hwnas_env.spaces.nasbench201.facts",
}

__all__ = ["LISTED", *_HOMES]

_find, __dir__ = lazy(__name__, _HOMES)
_find_renamed = renamed(__name__)


def __getattr__(name: str) -> Any:
    """Returns a public name when it is first asked for, or one that has left."""
    return _find(name) if name in _HOMES else _find_renamed(name)
