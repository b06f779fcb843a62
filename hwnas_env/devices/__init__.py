"""Devices: one JSON file each, those of the package and the user's own."""

from typing import TYPE_CHECKING

from hwnas_env.devices.registry import DEVICES, devices_of, get_device, user_folder
from hwnas_env.faces import lazy

if TYPE_CHECKING:
    from hwnas_env.devices.device import Device as Device
    from hwnas_env.devices.device import parse_device as parse_device
    from hwnas_env.devices.device import read_device as read_device

_HOMES = {
    "Device": "hwnas_env.devices.device",
    "parse_device": "hwnas_env.devices.device",
    "read_device": "hwnas_env.devices.device",
}

__all__ = ["DEVICES", "devices_of", "get_device", "user_folder", *_HOMES]

__getattr__, __dir__ = lazy(__name__, _HOMES)
