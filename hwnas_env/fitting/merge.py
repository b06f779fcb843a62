"""Puts a device together: what is new beside what its file has, and whole tables."""

from pathlib import Path
from typing import Any

import numpy as np

from hwnas_env.devices import DEVICES, Device, user_folder
from hwnas_env.devices.files import stored_device, write_table
from hwnas_env.engines.additive import Additive
from hwnas_env.engines.columns import TableCosts
from hwnas_env.engines.space import SearchSpace
from hwnas_env.errors import InvalidArgumentError, TakenNameError
from hwnas_env.extras import load_object
from hwnas_env.fitting.fit import name_of, with_presets
from hwnas_env.problems.own_costs import read_costs
from hwnas_env.types import AnyPath


def check_label(label: str, space: str, dataset: str, *, replace: bool) -> None:
    """Raises before anything is measured if a device could not be added.

    Args:
        label: the device's.
        space: the search space's name.
        dataset: one of its datasets.
        replace: whether what the device has there may be replaced.

    Raises:
        InvalidArgumentError: no environment id can hold the label.
        TakenNameError: the label is a device's of the package, or the device has costs
            there already.
    """
    facts = {"metrics": ["latency_ms"], "columns": {dataset: {}}}
    DEVICES.check(Device(name_of(label), label, {space: facts}), ours=_own_names())
    stored = stored_device(name_of(label))
    if stored is not None and stored.label != label:
        message = f"{label}: {stored.label} has the same name, {stored.name}"
        raise TakenNameError(message)
    if stored is not None and dataset in stored.datasets_in(space) and not replace:
        message = (
            f"{label} has costs in {space} on {dataset} already; --replace puts new "
            "ones in their place"
        )
        raise TakenNameError(message)


def _own_names() -> set[str]:
    folder = user_folder()
    return {one.name for one in DEVICES.values() if Path(one.origin).parent == folder}


def merged(device: Device, *, replace: bool = False) -> Device:
    """Returns a device with what its file has of other spaces and datasets.

    Args:
        device: of one space and dataset.
        replace: whether it may replace what the file has there.

    Raises:
        TakenNameError: the file has that space and dataset, with other metrics or
            without leave to replace them.
    """
    stored = stored_device(device.name)
    if stored is None:
        return device
    spaces: dict[str, Any] = {
        name: dict(facts) for name, facts in stored.spaces.items()
    }
    for name, facts in device.spaces.items():
        known = spaces.get(name)
        if known is None:
            spaces[name] = dict(facts)
            continue
        (dataset,) = facts["columns"]
        check_label(device.label, name, dataset, replace=replace)
        others = set(known["columns"]) - {dataset}
        if others and list(known["metrics"]) != list(facts["metrics"]):
            message = (
                f"{device.label}: {name} has {', '.join(known['metrics'])} on "
                f"{', '.join(sorted(others))}, expected the same on {dataset}, got "
                f"{', '.join(facts['metrics'])}"
            )
            raise InvalidArgumentError(message)
        for key in ("columns", "budgets", "measured"):
            both = {**known.get(key, {}), **facts.get(key, {})}
            if key == "measured" and dataset not in facts.get(key, {}):
                both.pop(dataset, None)
            if both:
                known[key] = both
        known["metrics"] = list(facts["metrics"])
        if "cannot_run" in facts:
            known["cannot_run"] = facts["cannot_run"]
    return Device(
        *(device.name, device.label, spaces, device.hardware or stored.hardware),
        *(device.group, dict(stored.aliases)),
        origin=device.origin,
    )


def whole_device(
    path: AnyPath,
    *,
    label: str,
    space: SearchSpace,
    dataset: str,
    hardware: str = "",
    group: str = "user's own",
    folder: AnyPath | None = None,
) -> Device:
    """Makes a device of a table of the whole space, which nothing is fitted to.

    Args:
        path: a file as :func:`hwnas_env.problems.own_costs.read_costs` takes it: costs
            of all networks, or of layered spaces what each choice adds.
        label: the device's word in environment ids.
        space: the search space.
        dataset: one of its datasets.
        hardware: what was measured, in words.
        group: what kind of device it is, in words.
        folder: where columns of all networks are written; ``user_folder()`` by default.

    Raises:
        ForeignFileError: the file is no such table; names the row.
    """
    costs = read_costs(space, path, metric=None, load=_no_function)
    name = name_of(label)
    method = f"the user's table {Path(path).name}"
    facts: dict[str, Any] = {
        "metrics": list(costs.provenance),
        "columns": {dataset: {}},
    }
    for metric in costs.provenance:
        entry: dict[str, Any] = {"kind": "user", "method": method}
        if isinstance(costs, TableCosts):
            column = np.where(costs.deployable, costs.values[metric], 0.0)
            entry |= write_table(name, column, folder=folder)
        else:
            quantity = costs.quantities[metric]  # type: ignore[union-attr]
            entry |= _layers(quantity)
        facts["columns"][dataset][metric] = entry
    if isinstance(costs, TableCosts) and not costs.deployable.all():
        marks = (~costs.deployable).astype(np.float64)
        facts["cannot_run"] = write_table(name, marks, folder=folder)
    place = user_folder() if folder is None else Path(folder).expanduser()
    device = Device(
        *(name, label, {space.name: facts}, hardware, group),
        origin=str(place / f"{name}.json"),
    )
    return with_presets(device)


def _layers(quantity: Additive) -> dict[str, Any]:
    counts = quantity.blocks_at
    return {
        "start": float(quantity.start[0]),
        "entries": [
            quantity.entries[position, 0, :count, 0].tolist()
            for position, count in enumerate(counts)
        ],
    }


def _no_function(reference: str) -> Any:
    return load_object(reference, form="a file .npz or .csv")
