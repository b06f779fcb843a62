"""From the reference folder to every committed file, always the same bytes."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import hwnas_env
from calibration import fbnet, help_devices, mnasnet, nasbench201
from calibration.files import write
from hwnas_env.devices import Device, parse_device
from hwnas_env.errors import DataMissingError
from hwnas_env.metrics import METRICS
from hwnas_env.problems.make import build_model
from hwnas_env.problems.presets import compute_presets
from hwnas_env.spaces import get_space

COSTS = {
    "nasbench201": (nasbench201.calibrate_costs, help_devices.nasbench201_entries),
    "fbnet": (fbnet.calibrate_costs, help_devices.fbnet_entries),
    "mnasnet": (mnasnet.calibrate_costs,),
}
"""What computes the columns of each space, by dataset/device/metric."""

ACCURACY = {
    "spaces/fbnet/accuracy.json": fbnet.calibrate_accuracy,
    "spaces/mnasnet/accuracy.json": mnasnet.calibrate_accuracy,
}
"""What computes the accuracy of each space that has it fitted."""


def calibrate_all(reference: Path) -> Iterator[Path]:
    """Computes and writes the coefficients, then the preset budgets they give.

    Facts of a device (its names, metrics, what it cannot run) are kept as its file has
    them.

    Args:
        reference: folder with the reference data.

    Yields:
        Each file as it is written, inside the installed package.

    Raises:
        DataMissingError: the folder does not hold the reference data.
    """
    if not (reference / "hwnasbench_nb201_cifar10.npz").is_file():
        message = f"{reference} does not hold the reference data"
        raise DataMissingError(message)
    root = Path(hwnas_env.__file__).parent
    # All are computed before any is written, so that an error leaves no mixture.
    accuracy = {name: compute(reference) for name, compute in ACCURACY.items()}
    columns = {
        space: {
            key: one for compute in those for key, one in compute(reference).items()
        }
        for space, those in COSTS.items()
    }
    devices = {
        path: with_budgets(with_columns(json.loads(path.read_bytes()), columns))
        for path in sorted((root / "devices").glob("*.json"))
    }
    for name, entries in accuracy.items():
        write(root / name, entries)
        yield root / name
    for path, device in devices.items():
        write(path, device)
        yield path


def with_columns(
    device: Mapping[str, Any], columns: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """Returns a device's file with computed columns in the place of its own.

    Args:
        device: what the file holds.
        columns: by space, and by ``dataset/device/metric``.
    """
    spaces = {}
    for space, facts in device["spaces"].items():
        found: dict[str, Any] = {}
        for key, entry in columns.get(space, {}).items():
            dataset, name, metric = key.split("/")
            if name == device["name"]:
                found.setdefault(dataset, {})[metric] = entry
        spaces[space] = {**facts, "columns": found or facts["columns"]}
    return {**device, "spaces": spaces}


def with_budgets(device: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a device's file with the preset budgets that its columns give."""
    source = parse_device(json.dumps(device).encode(), origin="the computed device")
    spaces = {
        space: {**facts, "budgets": _budgets(source, space)}
        for space, facts in device["spaces"].items()
    }
    return {**device, "spaces": spaces}


def _budgets(device: Device, space: str) -> dict[str, Any]:
    found = get_space(space)
    budgets: dict[str, Any] = {}
    for dataset in device.datasets_in(space):
        metrics, model = build_model(found, device, dataset)
        for metric in device.metrics_in(space):
            if METRICS[metric].budgetable:
                presets = compute_presets(found, model, metrics.index(metric))
                budgets.setdefault(dataset, {})[metric] = presets
    return budgets
