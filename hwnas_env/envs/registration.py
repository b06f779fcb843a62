"""Registers one environment for every search space and device."""

import gymnasium as gym

from hwnas_env.devices import DEVICES
from hwnas_env.spaces import SEARCH_SPACES

ENTRY_POINT = "hwnas_env.envs.modes:make"


def environment_id(space: str, device: str) -> str:
    """Returns an environment's id, without the ``hwnas_env:`` prefix.

    Example:
        >>> environment_id("fbnet", "edgetpu")
        'HWNAS-FBNet-EdgeTPU-v0'
    """
    return f"HWNAS-{SEARCH_SPACES[space].label}-{DEVICES[device].label}-v0"


ENVIRONMENTS: tuple[str, ...] = tuple(
    environment_id(space, device) for space in SEARCH_SPACES for device in DEVICES
)
"""Every id that this package registers."""


def register_all() -> None:
    """Registers every id once; a second call changes nothing."""
    for space in SEARCH_SPACES:
        for device in DEVICES:
            name = environment_id(space, device)
            if name not in gym.registry:
                gym.register(
                    name,
                    entry_point=ENTRY_POINT,
                    kwargs={"space": space, "device": device},
                    disable_env_checker=True,
                )
