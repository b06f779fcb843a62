"""The built-in source: costs of every network without any download."""

from hwnas_env.costs.columns import LayeredCosts, TableCosts
from hwnas_env.costs.fbnet import layered_costs
from hwnas_env.costs.nasbench201 import table_costs
from hwnas_env.devices import Device
from hwnas_env.spaces import SearchSpace


def builtin_costs(
    space: SearchSpace, device: Device, dataset: str
) -> TableCosts | LayeredCosts:
    """Returns the built-in costs of a device; their provenance says how good."""
    if space.name == "fbnet":
        return layered_costs(device.name, dataset=dataset)
    return table_costs(device.name, dataset=dataset)
