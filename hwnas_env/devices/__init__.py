"""Devices: one JSON file each, those of the package and the user's own."""

from hwnas_env.devices.device import Device, parse_device, read_device
from hwnas_env.devices.registry import DEVICES, devices_of, get_device, user_folder

__all__ = [
    "DEVICES",
    "Device",
    "devices_of",
    "get_device",
    "parse_device",
    "read_device",
    "user_folder",
]
