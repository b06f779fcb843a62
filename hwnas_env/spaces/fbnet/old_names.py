"""Functions of version 0.1 that are methods of the space now; gone with 0.3."""

from hwnas_env.devices import get_device
from hwnas_env.engines.columns import LayeredCosts
from hwnas_env.spaces.fbnet.space import SPACE


def layered_costs(device: str, *, dataset: str) -> LayeredCosts:
    """Returns the built-in costs on a device: ``SPACE.costs(device, dataset)``."""
    return SPACE.costs(get_device(device), dataset)
