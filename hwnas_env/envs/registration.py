"""Registers environments: one for every space and device, and the user's own."""

import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gymnasium as gym
from gymnasium.envs.registration import EnvSpec

from hwnas_env.arguments import check_type
from hwnas_env.devices import DEVICES
from hwnas_env.devices.registry import (
    add_device,
    add_users_own,
    reference,
    user_folder,
)
from hwnas_env.engines.registry import DRAWN, SEVERAL
from hwnas_env.errors import DataError, DeviceFileError, HWNASError, unknown_name
from hwnas_env.showing import Names
from hwnas_env.spaces import SEARCH_SPACES
from hwnas_env.spaces.registry import add_named_spaces, add_space
from hwnas_env.texts import plain

if TYPE_CHECKING:
    from hwnas_env.devices import Device
    from hwnas_env.devices.listed import ListedDevice
    from hwnas_env.engines.space import SearchSpace

RANDOM = "random"
"""What the keyword ``devices`` says where they are drawn."""

ENTRY_POINT = "hwnas_env.envs.modes:make"
VECTOR_ENTRY_POINT = "hwnas_env.envs.vector:HWNASVectorEnv"

SIX_DEVICES = ("edgegpu", "raspi4", "edgetpu", "pixel3", "eyeriss", "fpga")
"""HW-NAS-Bench's devices."""

ACCELERATORS = ("zcu102", "vck190", "a100", "rtx3090", "tpuv2", "tpuv3")
"""Accel-NASBench's devices."""

MULTI_DEVICE = {
    "nasbench201": SIX_DEVICES,
    "fbnet": SIX_DEVICES,
    "mnasnet": ACCELERATORS,
}
"""Devices of the MultiDevice-v0 ids by space: frozen, as their observations are."""


def environment_id(space: str, device: str | None) -> str:
    """Returns an environment's id, without the ``hwnas_env:`` prefix.

    Args:
        space: a search space's name.
        device: a device's name; None for the environment of several devices.

    Example:
        >>> environment_id("fbnet", "edgetpu"), environment_id("nasbench201", None)
        ('HWNAS-FBNet-EdgeTPU-v0', 'HWNAS-NASBench201-MultiDevice-v0')
    """
    label = SEVERAL if device is None else DEVICES.known(device).label
    return _id(SEARCH_SPACES.known(space), label)


def _id(space: Any, label: str) -> str:
    """Returns the id of a listed space and a device's label, or one for several."""
    return f"HWNAS-{space.label}-{label}-v0"


def environments() -> tuple[str, ...]:
    """Returns every id of one device, those of registered spaces and devices too."""
    return tuple(_devices())


def _devices() -> dict[str, str]:
    """Returns the device's name of every id of one device."""
    return {
        _id(space, device.label): device.name
        for space in SEARCH_SPACES.listed()
        for device in DEVICES.listed()
        if space.name in device.spaces
    }


MULTI_DEVICE_ENVIRONMENTS: tuple[str, ...] = tuple(
    _id(space, SEVERAL)
    for space in SEARCH_SPACES.listed()
    if space.name in MULTI_DEVICE
)
"""Every id of several devices, of which each episode draws one."""

RANDOM_DEVICE_ENVIRONMENTS: tuple[str, ...] = tuple(
    _id(space, DRAWN) for space in SEARCH_SPACES.listed() if space.has_population
)
"""Every id of the package whose episodes each draw a device that never was."""


def __getattr__(name: str) -> Any:
    """Returns ``ENVIRONMENTS``: every id of one device, without the user's folder."""
    if name == "ENVIRONMENTS":
        folder = user_folder()
        own = {d.name for d in DEVICES.listed() if Path(d.origin).parent == folder}
        return Names(one for one, device in _devices().items() if device not in own)
    message = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(message)


def single_device_ids(name: str) -> list[str]:
    """Returns ids of one device each that stand for an id whose episodes draw one.

    Args:
        name: one of ``MULTI_DEVICE_ENVIRONMENTS``: the ids of its devices; or one of
            ``RANDOM_DEVICE_ENVIRONMENTS``, whose devices have none: the same ids.
    """
    space = gym.spec(name).kwargs["space"]
    return [environment_id(space, device) for device in MULTI_DEVICE[space]]


def register_device(device: "Device | str | os.PathLike[str]") -> list[str]:
    """Adds a device of your own, with one environment id a space that it has costs in.

    The same device a second time is nothing. To have a device in every process, put its
    file into the folder that ``HWNAS_ENV_DEVICES`` names.

    Args:
        device: its JSON file (see docs/extending.md), or itself.

    Returns:
        The ids of its environments.

    Raises:
        TakenNameError: another device has its name or label.
        DataError: its file cannot be read, or is no device's; says what is wrong.
    """
    from hwnas_env.devices import Device, read_device  # not at import

    if isinstance(device, (str, os.PathLike)):
        device = read_device(device)
    check_type(device, Device, what="device")
    _try(device)
    added = add_device(device)
    _register_all()
    return [environment_id(s, added.name) for s in SEARCH_SPACES if s in added.spaces]


def _try(device: "Device") -> None:
    """Builds every column of a device in the spaces there are.

    What a file says of a space that there is not is a warning: it may come later.

    Raises:
        DataError: a column cannot be built; names it.
        UnknownNameError: a space has no such dataset.
    """
    device.check()
    _warn_of_unknown(device)
    # here, so that an import of the package loads no engine
    from hwnas_env.problems.make import build_model

    for name in [name for name in device.spaces if name in SEARCH_SPACES]:
        space = SEARCH_SPACES[name]
        for dataset in device.datasets_in(name):
            space.check_dataset(dataset)
            try:
                build_model(space, device, dataset)
            except DataError:
                raise
            except Exception as error:  # a space of one's own may raise anything
                kind = "" if isinstance(error, HWNASError) else type(error).__name__
                message = (
                    f"{device.name}: {name} on {dataset}: no costs can be built of "
                    f"this: {kind} {error}"
                )
                raise DeviceFileError(message) from error


def _warn_of_unknown(device: "Device | ListedDevice") -> None:
    """Warns of what a device says of a space, or on a dataset, that there is not."""
    for name in device.spaces:
        if name not in SEARCH_SPACES:
            words = unknown_name(name, SEARCH_SPACES, what="search space")
            warnings.warn(plain(f"{device.origin}: {words}"), stacklevel=4)
            continue
        datasets = SEARCH_SPACES.known(name).datasets
        for dataset in device.datasets_in(name):
            if dataset not in datasets:
                words = unknown_name(dataset, datasets, what=f"dataset of {name}")
                warnings.warn(plain(f"{device.origin}: {words}"), stacklevel=4)


def unregister_device(name: str) -> None:
    """Takes a device and its environment ids out.

    Args:
        name: its name or label.

    Raises:
        UnknownNameError: there is no such device.
    """
    device = DEVICES.key(name)
    for space in SEARCH_SPACES:
        gym.registry.pop(environment_id(space, device), None)
    DEVICES.remove(device)


def register_space(space: "SearchSpace | str") -> list[str]:
    """Adds a search space of your own, with one environment id a device in it.

    The same space a second time is nothing. To have a space in every process, name it
    in ``HWNAS_ENV_SPACES``.

    Args:
        space: "package.module:SPACE", or the space itself.

    Returns:
        The ids of its environments; none before a device has costs in it.

    Raises:
        TakenNameError: another space has its name or label.
        InvalidArgumentError: it cannot be imported, or is no search space.
    """
    added = add_space(space)
    _register_all()
    drawn = [_id(added, DRAWN)] if added.has_population else []
    return drawn + [
        _id(added, device.label)
        for device in DEVICES.listed()
        if added.name in device.spaces
    ]


def unregister_space(name: str) -> None:
    """Takes a search space and its environment ids out.

    Args:
        name: its name or label.

    Raises:
        UnknownNameError: there is no such space.
    """
    space = SEARCH_SPACES.key(name)
    for device in DEVICES:
        gym.registry.pop(environment_id(space, device), None)
    gym.registry.pop(_id(SEARCH_SPACES.known(space), DRAWN), None)
    SEARCH_SPACES.remove(space)


def register_everything() -> None:
    """Adds the user's spaces and devices, and registers every id there is."""
    add_named_spaces()
    for device in add_users_own():
        _warn_of_unknown(device)
    _register_all()


def _register_all() -> None:
    """Registers every id once; a second call changes nothing."""
    for space in SEARCH_SPACES.listed():
        for device in DEVICES.listed():
            # a file that cannot be read says so when one of its ids is made
            if space.name in device.spaces or device.is_broken:
                keywords = _keywords(device, space)
                _register(_id(space, device.label), space=space.name, **keywords)
        if space.name in MULTI_DEVICE:
            devices = list(MULTI_DEVICE[space.name])
            _register(_id(space, SEVERAL), space=space.name, devices=devices)
        if space.has_population:
            _register(_id(space, DRAWN), space=space.name, devices=RANDOM)


def _keywords(device: Any, space: Any) -> dict[str, Any]:
    """Returns the keywords of an id: of a user's device the dataset is among them.

    So a spec of it stays what it is when costs on another dataset join.
    """
    having = device.datasets_in(space.name) if device.sha256 else ()
    if not having:
        return {"device": device.name}
    usual = space.default_dataset
    dataset = usual if usual in having else having[0]
    return {"device": reference(device, space.name, dataset), "dataset": dataset}


def _register(name: str, **keywords: Any) -> None:
    if name not in gym.registry:
        # into the registry itself: gym.register searches all of it for every id
        gym.registry[name] = EnvSpec(
            name,
            entry_point=ENTRY_POINT,
            vector_entry_point=VECTOR_ENTRY_POINT,
            kwargs=keywords,
            disable_env_checker=True,
            order_enforce=False,  # the environments enforce it themselves
        )
