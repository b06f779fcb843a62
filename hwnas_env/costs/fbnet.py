"""Built-in costs of FBNet: fitted where sums were published, modelled elsewhere."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from hwnas_env.additive import Additive, Linear, stateless
from hwnas_env.costs.columns import LayeredCosts
from hwnas_env.costs.fbnet_edgetpu import edgetpu_latency
from hwnas_env.costs.fbnet_terms import pipeline_table, weighted_table
from hwnas_env.data.coefficients import load_coefficients
from hwnas_env.devices import get_device
from hwnas_env.spaces import SEARCH_SPACES
from hwnas_env.spaces.fbnet import layers
from hwnas_env.types import FloatArray


def layered_costs(device: str, *, dataset: str) -> LayeredCosts:
    """Returns the built-in costs of a device; their provenance says how good.

    Args:
        device: a device's name.
        dataset: cifar100 or ImageNet.

    Raises:
        UnknownNameError: there is no such device or dataset.
    """
    found = get_device(device)
    SEARCH_SPACES["fbnet"].check_dataset(dataset)
    coefficients = load_coefficients("hwnas_env.costs", "fbnet.json")
    keys = {m: f"{dataset}/{found.name}/{m}" for m in found.metrics_in("fbnet")}
    return LayeredCosts(
        {m: quantity(coefficients.entries, key) for m, key in keys.items()},
        {m: coefficients.provenance(key) for m, key in keys.items()},
    )


def quantity(entries: Mapping[str, Any], key: str) -> Additive:
    """Builds one cost from coefficients.

    Args:
        entries: as committed, by ``dataset/device/metric``.
        key: which one.
    """
    entry = entries[key]
    dataset, device, metric = key.split("/")
    unit = metric.rsplit("_", 1)[1]
    if entry["form"] == "power":
        latency = quantity(entries, f"{dataset}/{device}/latency_ms")
        return dataclasses.replace(latency, links=(Linear(scale=entry["power_w"]),))
    if entry["form"] == "operations":
        return edgetpu_latency(entry, dataset=dataset)
    if entry["form"] == "pipeline":
        return stateless(0.0, pipeline_table(entry, dataset=dataset), link=Linear())
    if entry["form"] == "terms":
        table = weighted_table(entry[f"weights_{unit}"], dataset=dataset)
        return stateless(entry[f"start_{unit}"], table, link=Linear())
    start = entry["start_steps"] * entry["grid_ms"]
    table = block_table(entry["block_steps"], dataset=dataset) * entry["grid_ms"]
    return stateless(start, table, link=Linear())


def block_table(rows: list[list[int]], *, dataset: str) -> FloatArray:
    """Spreads rows of the distinct layer shapes over the layers: ``(22, 9)``.

    Args:
        rows: one a shape, in the order in which shapes first appear, with the eight
            blocks' values as differences to skip.
        dataset: cifar100 or ImageNet.
    """
    shapes = layers(dataset)
    distinct = list(dict.fromkeys(shapes))
    table = np.zeros((len(distinct), len(rows[0]) + 1))
    table[:, :-1] = rows
    return np.asarray(table[[distinct.index(shape) for shape in shapes]])
