"""NAS-Bench-201: cells of six edges, their costs, their accuracy and their picture."""

from typing import TYPE_CHECKING

from hwnas_env.data.formats import register
from hwnas_env.moved import renamed
from hwnas_env.spaces.nasbench201.facts import (
    CELLS_PER_STAGE,
    CHANNELS,
    CLASSES,
    EDGES,
    OPERATIONS,
    RESOLUTION,
    official_genotypes,
    official_numbers,
)
from hwnas_env.spaces.nasbench201.space import SPACE, NASBench201

register("HW-NAS-Bench", SPACE.name, "hwnas_env.spaces.nasbench201.official:OFFICIAL")
register(
    "accuracies", SPACE.name, "hwnas_env.spaces.nasbench201.imports:import_accuracy"
)

__all__ = [
    "CELLS_PER_STAGE",
    "CHANNELS",
    "CLASSES",
    "EDGES",
    "OPERATIONS",
    "RESOLUTION",
    "SPACE",
    "NASBench201",
    "official_genotypes",
    "official_numbers",
]

if not TYPE_CHECKING:
    __getattr__ = renamed(__name__)
