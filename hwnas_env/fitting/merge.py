"""Puts a device together: what is new beside what its file has, and whole tables."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hwnas_env.arguments import path_of
from hwnas_env.devices import DEVICES, Device, user_folder
from hwnas_env.devices.files import stored_device, write_table
from hwnas_env.engines.additive import Additive
from hwnas_env.engines.columns import TableCosts
from hwnas_env.engines.space import SearchSpace
from hwnas_env.errors import (
    DataError,
    HWNASError,
    InvalidArgumentError,
    TakenNameError,
    shown,
)
from hwnas_env.fitting.fit import name_of, with_presets
from hwnas_env.problems.own_costs import read_costs
from hwnas_env.types import AnyPath


def check_label(
    label: str,
    space: str,
    dataset: str,
    *,
    replace: bool,
    metrics: Sequence[str] | None = None,
) -> None:
    """Raises before anything is measured if a device could not be added.

    Args:
        label: the device's.
        space: the search space's name.
        dataset: one of its datasets.
        replace: whether what the device has there may be replaced.
        metrics: what is added, where it is known; others may stand there already.

    Raises:
        InvalidArgumentError: no environment id can hold the label.
        TakenNameError: the label is a device's of the package, or the device has costs
            there already.
    """
    DEVICES.check(Device(name_of(label), label, {}), ours=_own_names())
    stored = _stored(name_of(label), replace=replace)
    if stored is not None and stored.label != label:
        message = f"{label}: {stored.label} has the same name, {stored.name}"
        raise TakenNameError(message)
    if stored is None or dataset not in stored.datasets_in(space) or replace:
        return
    known = stored.metrics_in(space)
    taken = known if metrics is None else [m for m in known if m in metrics]
    if taken:
        message = (
            f"{label} has {', '.join(taken)} in {space} on {dataset} already; "
            "--replace puts new costs in their place"
        )
        raise TakenNameError(message)


def _stored(name: str, *, replace: bool) -> Device | None:
    """Returns the device of a file; a damaged one is none where it may be replaced."""
    try:
        return stored_device(name)
    except DataError:
        if replace:
            return None
        raise


def _own_names() -> set[str]:
    folder = user_folder()
    return {one.name for one in DEVICES.listed() if Path(one.origin).parent == folder}


def merged(device: Device, *, replace: bool = False) -> Device:
    """Returns a device with what its file has of other spaces, datasets and metrics.

    What the new one does not say, its hardware or how it was measured, stays as the
    file has it.

    Args:
        device: of one space and dataset.
        replace: whether it may replace costs that the file has.

    Raises:
        TakenNameError: the file has these costs, without leave to replace them.
        InvalidArgumentError: the metrics of a space's datasets would differ, or two
            tables of one dataset have different networks.
    """
    stored = _stored(device.name, replace=replace)
    if stored is None:
        return device
    spaces: dict[str, Any] = {
        name: dict(facts) for name, facts in stored.spaces.items()
    }
    for name, facts in device.spaces.items():
        (dataset,) = facts["columns"]
        check_label(
            *(device.label, name, dataset),
            replace=replace,
            metrics=facts["metrics"],
        )
        known = spaces.get(name, {})
        spaces[name] = _joined(known, facts, dataset, f"{device.label}: {name}")
    return Device(
        *(device.name, device.label, spaces, device.hardware or stored.hardware),
        *(device.group, dict(stored.aliases)),
        origin=device.origin,
    )


def _joined(
    known: Mapping[str, Any], new: Mapping[str, Any], dataset: str, where: str
) -> dict[str, Any]:
    """Joins what a file says of a space with new costs on one dataset."""
    metrics = list(dict.fromkeys([*known.get("metrics", ()), *new["metrics"]]))
    joined: dict[str, Any] = {**known, "metrics": metrics}
    for key in ("columns", "budgets"):
        before = known.get(key, {})
        both = {**before.get(dataset, {}), **new[key][dataset]}
        joined[key] = {**before, dataset: both}
    for other, columns in joined["columns"].items():
        if set(columns) != set(metrics):
            message = (
                f"{where}: expected the same metrics on every dataset, got "
                f"{', '.join(columns)} on {other} and {', '.join(metrics)} in all; add "
                "a table with all of them"
            )
            raise InvalidArgumentError(message)
    rows = _joined_rows(known, new, dataset, where)
    others = {d: r for d, r in known.get("measured", {}).items() if d != dataset}
    measured = {**others, **({dataset: rows} if rows else {})}
    joined.pop("measured", None)  # rows of costs that a table replaced mean nothing
    return {**joined, **({"measured": measured} if measured else {})}


def _joined_rows(
    known: Mapping[str, Any], new: Mapping[str, Any], dataset: str, where: str
) -> dict[str, Any]:
    """Joins measured rows of one dataset: those of all metrics that stay."""
    old = known.get("measured", {}).get(dataset, {})
    rows = dict(new.get("measured", {}).get(dataset, {}))
    protocol = {**old.get("protocol", {}), **rows.get("protocol", {})}
    kept = [m for m in known.get("metrics", ()) if m not in new["metrics"] and m in old]
    if kept and rows and rows["networks"] != old["networks"]:
        message = (
            f"{where} on {dataset}: {', '.join(kept)} was measured of other networks; "
            "put all metrics into one table and add it with --replace"
        )
        raise InvalidArgumentError(message)
    for metric in kept:
        for key in (metric, f"{metric}_again"):
            if key in old:
                rows[key] = old[key]
    if kept:
        rows = {**{k: old[k] for k in ("networks", "validation")}, **rows}
    return {**rows, **({"protocol": protocol} if protocol and rows else {})}


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
    method = f"the user's table {path_of(path).name}"
    facts: dict[str, Any] = {
        "metrics": list(costs.provenance),
        "columns": {dataset: {}},
    }
    for metric in costs.provenance:
        entry: dict[str, Any] = {"kind": "user", "method": method}
        if isinstance(costs, TableCosts):
            column = np.where(costs.deployable, costs.values[metric], np.inf)
            entry |= write_table(name, column, folder=folder)
        else:
            quantity = costs.quantities[metric]  # type: ignore[union-attr]
            entry |= _layers(quantity)
        facts["columns"][dataset][metric] = entry
    place = user_folder() if folder is None else path_of(folder, what="folder")
    device = Device(
        *(name, label, {space.name: facts}, hardware, group),
        origin=str(place / f"{name}.json"),
    )
    try:
        return with_presets(device)
    except HWNASError:
        for entry in facts["columns"][dataset].values():
            if "table" in entry:
                (place / entry["table"]).unlink(missing_ok=True)
        raise


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
    message = f"expected a file .npz or .csv, got {shown(reference)}"
    raise InvalidArgumentError(message)
