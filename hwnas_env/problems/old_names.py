"""Functions of version 0.1 that are methods of spaces and devices; gone with 0.3."""

from typing import Any

from hwnas_env.devices import DEVICES, Device
from hwnas_env.engines.columns import LayeredCosts, TableCosts
from hwnas_env.engines.space import SearchSpace
from hwnas_env.spaces import SEARCH_SPACES


def builtin_costs(
    space: SearchSpace, device: Device, dataset: str
) -> TableCosts | LayeredCosts:
    """Returns the built-in costs of a device: ``space.costs(device, dataset)``."""
    return space.costs(device, dataset)


def measured_costs(
    space: SearchSpace, device: Device, dataset: str, *, metric: str
) -> TableCosts | LayeredCosts:
    """Returns the measured costs of a device: ``space.measured(...)``."""
    return space.measured(device, dataset, metric=metric)


def load_presets() -> dict[str, Any]:
    """Returns the committed budgets: space, device, dataset, metric, name to number."""
    return {
        space: {
            device.name: dict(device.facts(space)["budgets"])
            for device in DEVICES.values()
            if "budgets" in device.facts(space)
        }
        for space in SEARCH_SPACES
    }
