"""Registers one environment for every search space and device, and for all devices."""

from typing import Any

import gymnasium as gym

from hwnas_env.devices import DEVICES
from hwnas_env.spaces import SEARCH_SPACES

ENTRY_POINT = "hwnas_env.envs.modes:make"
VECTOR_ENTRY_POINT = "hwnas_env.envs.vector:HWNASVectorEnv"

SIX_DEVICES = ("edgegpu", "raspi4", "edgetpu", "pixel3", "eyeriss", "fpga")
"""Devices of the MultiDevice-v0 ids, HW-NAS-Bench's: frozen, as observations are."""


def environment_id(space: str, device: str | None) -> str:
    """Returns an environment's id, without the ``hwnas_env:`` prefix.

    Args:
        space: a search space's name.
        device: a device's name; None for the environment of several devices.

    Example:
        >>> environment_id("fbnet", "edgetpu"), environment_id("nasbench201", None)
        ('HWNAS-FBNet-EdgeTPU-v0', 'HWNAS-NASBench201-MultiDevice-v0')
    """
    label = "MultiDevice" if device is None else DEVICES[device].label
    return f"HWNAS-{SEARCH_SPACES[space].label}-{label}-v0"


ENVIRONMENTS: tuple[str, ...] = tuple(
    environment_id(space, device) for space in SEARCH_SPACES for device in DEVICES
)
"""Every id of one device."""

MULTI_DEVICE_ENVIRONMENTS: tuple[str, ...] = tuple(
    environment_id(space, None) for space in SEARCH_SPACES
)
"""Every id of several devices, of which each episode draws one."""


def single_device_ids(name: str) -> list[str]:
    """Returns the ids of one device each that an id of several devices draws from.

    Args:
        name: one of ``MULTI_DEVICE_ENVIRONMENTS``.
    """
    keywords = gym.spec(name).kwargs
    return [environment_id(keywords["space"], d) for d in keywords["devices"]]


def register_all() -> None:
    """Registers every id once; a second call changes nothing."""
    for space in SEARCH_SPACES:
        for device in DEVICES:
            _register(environment_id(space, device), space=space, device=device)
        _register(environment_id(space, None), space=space, devices=list(SIX_DEVICES))


def _register(name: str, **keywords: Any) -> None:
    if name not in gym.registry:
        gym.register(
            name,
            entry_point=ENTRY_POINT,
            vector_entry_point=VECTOR_ENTRY_POINT,
            kwargs=keywords,
            disable_env_checker=True,
            order_enforce=False,  # the environments enforce it themselves
        )
