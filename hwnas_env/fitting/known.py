"""What is known of costs before anything is measured: the devices of the package."""

import functools
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from hwnas_env import devices as devices_room
from hwnas_env.devices import DEVICES, Device, devices_of
from hwnas_env.engines.forms import TableSpace
from hwnas_env.engines.space import SearchSpace
from hwnas_env.fitting.solve import Known, project, scaling_of
from hwnas_env.metrics import METRICS
from hwnas_env.types import FloatArray, Genotypes

SAMPLE = 4000
"""Networks on which the costs of known devices are looked at."""


def machine(device: Device) -> str:
    """Returns what was measured, without runtime and batch size.

    Settings of one machine are no strangers to each other: where one is left out of
    what is known, all of them are.
    """
    return device.hardware.split(",")[0].strip() or device.name


def packaged_devices(space: str, *, without: Sequence[str] = ()) -> list[str]:
    """Returns the names of the package's devices with costs in a space.

    Args:
        space: the space's name.
        without: names of devices; they are left out, and whatever is of the same
            machine.
    """
    folder = Path(devices_room.__file__).parent
    left_out = {machine(DEVICES[name]) for name in without}
    return [
        device.name
        for device in devices_of(space)
        if Path(device.origin).parent == folder and machine(device) not in left_out
    ]


def counts_of(space: SearchSpace, dataset: str, genotypes: Genotypes) -> FloatArray:
    """Counts the terms of networks, behind a 1 for the base: ``(N, 1 + P)``."""
    counts = space.terms(dataset).count(genotypes)
    return np.concatenate([np.ones((len(genotypes), 1)), counts], axis=1)


def known_costs(space: SearchSpace, dataset: str, names: Sequence[str]) -> Known:
    """Returns the costs of known devices in the terms of a space.

    A device without the dataset is taken on one that it has: relative costs are alike.

    Args:
        space: the search space.
        dataset: one of its datasets.
        names: devices.
    """
    return _known(space, dataset, tuple(DEVICES[name] for name in names))


@functools.lru_cache(maxsize=8)
def _known(space: SearchSpace, dataset: str, devices: tuple[Device, ...]) -> Known:
    genotypes = space.sample(SAMPLE, rng=np.random.default_rng(0))
    counts = counts_of(space, dataset, genotypes)
    scaling = scaling_of(counts)
    rows = []
    for device in devices:
        having = device.datasets_in(space.name)
        chosen = dataset if dataset in having else having[0]
        columns = costs_of(space, device, chosen, genotypes)
        for metric in device.metrics_in(space.name):
            if not METRICS[metric].budgetable or metric in device.aliases:
                continue
            costs = columns[metric]
            run = np.isfinite(costs) & (costs > 0)
            if run.any():
                rows.append(project(counts[run], costs[run], scaling))
    weights = np.array(rows).reshape(len(rows), counts.shape[1])
    return Known(weights, scaling)


def costs_of(
    space: SearchSpace, device: Device, dataset: str, genotypes: Genotypes
) -> dict[str, FloatArray]:
    """Returns a device's costs of networks by metric, inf where it cannot run them."""
    found = space.costs(device, dataset)
    if isinstance(space, TableSpace):
        rows = space.index(genotypes)
        runs = found.deployable[rows]  # type: ignore[union-attr]
        return {
            metric: np.where(runs, values[rows], np.inf)
            for metric, values in found.values.items()  # type: ignore[union-attr]
        }
    return {
        metric: quantity.values(genotypes)[:, 0]
        for metric, quantity in found.quantities.items()  # type: ignore[union-attr]
    }
