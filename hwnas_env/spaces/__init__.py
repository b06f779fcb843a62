"""The two search spaces of HW-NAS-Bench, as constants."""

from collections.abc import Mapping
from types import MappingProxyType

from hwnas_env.arguments import check_name
from hwnas_env.spaces import fbnet, nasbench201
from hwnas_env.spaces.space import SearchSpace

SEARCH_SPACES: Mapping[str, SearchSpace] = MappingProxyType(
    {
        "nasbench201": nasbench201.NASBench201(
            name="nasbench201",
            label="NASBench201",
            operations=nasbench201.OPERATIONS,
            positions=tuple(f"{a}→{b}" for a, b in nasbench201.EDGES),
            datasets=tuple(nasbench201.CLASSES),
            default_dataset="cifar10",
        ),
        "fbnet": fbnet.FBNet(
            name="fbnet",
            label="FBNet",
            operations=(*(block.name for block in fbnet.BLOCKS), "skip"),
            positions=tuple(f"layer {number}" for number in range(1, 23)),
            datasets=tuple(fbnet.SETTINGS),
            default_dataset="ImageNet",
        ),
    }
)
"""Every search space by name."""


def get_space(name: str) -> SearchSpace:
    """Returns the search space of that name or label ("fbnet" or "FBNet").

    Raises:
        UnknownNameError: there is none; the message names the nearest.
    """
    labels = {space.label: space.name for space in SEARCH_SPACES.values()}
    key = labels.get(name, name) if isinstance(name, str) else name
    return SEARCH_SPACES[check_name(key, SEARCH_SPACES, what="search space")]


__all__ = ["SEARCH_SPACES", "SearchSpace", "get_space"]
