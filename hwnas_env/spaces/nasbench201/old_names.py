"""Functions of version 0.1 that are methods of the space now; gone with 0.3."""

from hwnas_env.devices import get_device
from hwnas_env.engines.columns import TableCosts
from hwnas_env.spaces.nasbench201.space import SPACE
from hwnas_env.types import Genotypes, IntArray


def lexicographic(genotypes: Genotypes) -> IntArray:
    """Numbers valid genotypes ``(N, 6)``: ``SPACE.numbers``."""
    return SPACE.numbers(genotypes)


def all_genotypes() -> Genotypes:
    """Returns all genotypes in lexicographic order: ``SPACE.all_genotypes``."""
    return SPACE.all_genotypes


def official_index() -> IntArray:
    """Returns the official index of each number: ``SPACE.rows_of_numbers``."""
    return SPACE.rows_of_numbers


def table_costs(device: str, *, dataset: str) -> TableCosts:
    """Returns the built-in costs on a device: ``SPACE.costs(device, dataset)``."""
    return SPACE.costs(get_device(device), dataset)
