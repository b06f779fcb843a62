"""Every device there is: those that come with the package, and the user's own."""

import os
import re
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hwnas_env.devices.listed import (
    ListedDevice,
    list_own,
    list_packaged,
    read_listing,
)
from hwnas_env.engines.registry import Registry
from hwnas_env.errors import (
    DataError,
    InvalidArgumentError,
    ReplacedDeviceError,
    TakenNameError,
)
from hwnas_env.texts import plain

if TYPE_CHECKING:
    from hwnas_env.devices.device import Device

VARIABLE = "HWNAS_ENV_DEVICES"
"""The environment variable that moves the folder of the user's devices."""

DEVICES: "Registry[Device]" = Registry(
    "device", order=lambda device: (device.place, device.name), dashes=True
)
"""Every device by name."""


def get_device(name: str) -> "Device":
    """Returns the device of that name or label ("edgetpu" or "EdgeTPU").

    Args:
        name: the name; of a device whose file states a digest also with that of its
            costs on a dataset behind an ``@``, as :func:`reference` gives it.

    Raises:
        UnknownNameError: there is none; the message names the nearest.
        ReplacedDeviceError: the device of that name has another digest.
        DataError: its file cannot be read.
    """
    plain, digest = name, ""
    if isinstance(name, str):
        plain, _, digest = name.partition("@")
    found = DEVICES.find(plain)
    if found.is_broken:
        found.check()
    if digest and digest not in found.digests():
        now = ", ".join(sorted(found.digests()))
        message = (
            f"device {plain}: expected costs with the digest {digest}, got some with "
            f"{now}: it was replaced, and its costs are others"
        )
        raise ReplacedDeviceError(message)
    return found


def reference(device: "Device", space: str, dataset: str) -> str:
    """Returns a device's name, with the digest of its costs on a dataset.

    The digest is there where the file states one of itself; other spaces and datasets
    of the device do not change it.
    """
    if not device.sha256:
        return device.name
    return f"{device.name}@{device.digest(space, dataset)}"


def devices_of(space: str) -> "list[Device]":
    """Returns the devices that have costs in a search space, by the space's name."""
    return [DEVICES[one.name] for one in DEVICES.listed() if space in one.spaces]


def add_device(device: "Device") -> "Device":
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


def _said(device: "Device") -> Any:
    words = device.label, device.hardware, device.group
    return *words, dict(device.aliases), dict(device.spaces)


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
        DEVICES.add(list_packaged(path))


def add_users_own() -> "list[Device | ListedDevice]":
    """Adds the devices of the user's folder, and returns those that can be used.

    What cannot be added is a warning.
    """
    folder = user_folder()
    rows = read_listing(folder)
    added: list[Device | ListedDevice] = []
    if os.environ.get(VARIABLE) and not folder.is_dir():
        warnings.warn(plain(f"{VARIABLE}: {folder} is no folder"), stacklevel=2)
    for path in _files(folder):
        listed = list_own(path, rows)
        if listed is not None and _is_added(listed):
            added.append(listed)
            continue
        from hwnas_env.devices.device import read_device  # where one is read whole

        try:
            device = read_device(path)
        except Exception as error:  # whatever is in a file, the import goes on
            _add_broken(path, error, path.stem.lower(), _label_in(path))
            continue
        try:
            added.append(add_device(device))
        except TakenNameError as error:
            warnings.warn(plain(f"{path}: left out: {error}"), stacklevel=2)
        except Exception as error:
            _add_broken(path, error, device.name, device.label)
    return added


def _is_added(listed: ListedDevice) -> bool:
    """Adds a listed device; where it cannot be, reading it whole says why."""
    try:
        DEVICES.add(listed)
    except (TakenNameError, InvalidArgumentError):
        return False
    return True


def _label_in(path: Path) -> str:
    """Returns the label that a damaged file seems to have; its own name by default."""
    from hwnas_env.data.files import read_file  # where one is damaged

    try:
        found = re.search(rb'"label":\s*"([A-Za-z0-9_.-]{1,64})"', read_file(path))
    except DataError:
        found = None
    return path.stem if found is None else found[1].decode()


def _add_broken(path: Path, error: Exception, name: str, label: str) -> None:
    """Warns, and keeps a place for a device that cannot be used."""
    from hwnas_env.devices.device import BrokenDevice

    warnings.warn(plain(f"{path}: this device cannot be used: {error}"), stacklevel=3)
    try:
        DEVICES.add(BrokenDevice(name, label, {}, origin=str(path)))
    except (TakenNameError, InvalidArgumentError):  # no id can stand for it
        return


add_packaged()
