"""Every device there is: those that come with the package, and the user's own."""

import os
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hwnas_env.devices.device import LABEL, LAST, Device, read_device
from hwnas_env.engines.registry import Registry
from hwnas_env.errors import DataError, TakenNameError

VARIABLE = "HWNAS_ENV_DEVICES"
"""The environment variable that moves the folder of the user's devices."""

DEVICES: Registry[Device] = Registry(
    "device", order=lambda device: (device.place, device.name)
)
"""Every device by name."""


class BrokenDevice(Device):
    """Stands for a file that cannot be read: whatever is asked of it is that error."""

    def check(self) -> None:
        """Raises what was wrong with the file."""
        read_device(Path(self.origin))
        message = f"{self.origin}: could not be read when hwnas_env was imported"
        raise DataError(message)

    def facts(self, space: str) -> Any:
        """Raises what was wrong with the file."""
        del space
        self.check()


def get_device(name: str) -> Device:
    """Returns the device of that name or label ("edgetpu" or "EdgeTPU").

    Raises:
        UnknownNameError: there is none; the message names the nearest.
        DataError: its file cannot be read.
    """
    found = DEVICES.find(name)
    if isinstance(found, BrokenDevice):
        found.check()
    return found


def devices_of(space: str) -> list[Device]:
    """Returns the devices that have costs in a search space, by the space's name."""
    return [device for device in DEVICES.values() if space in device.spaces]


def add_device(device: Device) -> Device:
    """Adds a device, checked in full; the same one a second time is nothing.

    Raises:
        TakenNameError: another device has its name or label.
        DataError: it is no device's description; says what is wrong.
    """
    device.check()
    known = DEVICES.get(device.name)
    same = known is not None and _said(known) == _said(device)
    DEVICES.add(device, same=same)
    return DEVICES[device.name]


def _said(device: Device) -> Any:
    return device.label, device.aliases, device.spaces


def user_folder() -> Path:
    """Returns the folder of the user's devices; it need not exist.

    The variable ``HWNAS_ENV_DEVICES`` moves it; otherwise it is in the folder where the
    system keeps a user's data.
    """
    moved = os.environ.get(VARIABLE)
    if moved is not None:
        return Path(os.path.expanduser(moved)) if moved else Path(os.devnull)
    home = Path(os.path.expanduser("~"))
    if sys.platform == "win32":
        data = Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    elif sys.platform == "darwin":
        data = home / "Library" / "Application Support"
    else:
        data = Path(os.environ.get("XDG_DATA_HOME") or home / ".local" / "share")
    return data / "hwnas_env" / "devices"


def _files(folder: Path) -> Iterator[Path]:
    try:
        names = sorted(entry.name for entry in os.scandir(folder))
    except OSError:
        return
    for name in names:
        if name.endswith(".json") and not name.startswith("."):
            yield folder / name


def add_packaged() -> None:
    """Adds the devices of this package."""
    for path in _files(Path(__file__).parent):
        DEVICES.add(read_device(path))


def add_users_own() -> None:
    """Adds the devices of the user's folder; what cannot be added is a warning."""
    for path in _files(user_folder()):
        try:
            DEVICES.add(read_device(path))
        except TakenNameError as error:
            warnings.warn(f"{path}: left out: {error}", stacklevel=2)
        except DataError as error:
            warnings.warn(f"{path}: this device cannot be used: {error}", stacklevel=2)
            _add_broken(path)


def _add_broken(path: Path) -> None:
    """Keeps a place for a file that cannot be read, under its file's name."""
    if LABEL.fullmatch(path.stem):
        try:
            device = BrokenDevice(
                path.stem, path.stem, {}, place=LAST, origin=str(path)
            )
            DEVICES.add(device)
        except TakenNameError:  # what has that name works
            return


add_packaged()
