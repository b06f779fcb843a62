"""FBNet latencies on cifar100 that follow the published sums exactly.

A network's cost is a sum of stem, 22 block entries and head, and an entry depends only
on the layer's shape, of which there are 12. Sums alone cannot tell the 22 skips from
the constant, so entries are differences to skip: 12 x 8 of them and the cost of 22
skips follow from the sums of 4,000 networks by least squares.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from calibration.files import Entry, entry
from calibration.numerics import rounded
from hwnas_env.data.formats.hwnasbench import CITATION
from hwnas_env.devices import DEVICES
from hwnas_env.engines.additive import Additive
from hwnas_env.maths.statistics import fidelity
from hwnas_env.spaces.fbnet import SKIP, layers
from hwnas_env.spaces.fbnet.costs import build
from hwnas_env.types import Fidelity, FloatArray, Genotypes

DATASET = "cifar100"

# ms. eyeriss: one cycle at 250 MHz. fpga: seen. pixel3: seen (TFLite prints
# microseconds with few decimals). raspi4 has none; 1e-11 keeps a sum of 22 entries
# well below 1e-9 ms.
GRID_MS = {"raspi4": 1e-11, "pixel3": 1e-10, "eyeriss": 4e-6, "fpga": 160e-6}

Pairs = Mapping[str, list[dict[str, Any]]]
"""The two networks that HW-NAS-Bench's notebook prints, by dataset."""


def calibrate(reference: Path) -> dict[str, Entry]:
    """Solves the tables of four devices.

    Args:
        reference: folder with ``hwnasbench_fbnet_cifar100_4000.npz`` and
            ``hwnasbench_published_examples.json``.

    Returns:
        Entries by ``dataset/device/metric``: ``start_steps`` (all skip) and
        ``block_steps``, 12 x 8, both in steps of ``grid_ms``; of the fpga's energy,
        an alias of its latency, none.
    """
    with np.load(reference / "hwnasbench_fbnet_cifar100_4000.npz") as data:
        genotypes = data["genotypes"].astype(np.int8)
        measured = {device: data[f"{device}_latency"] for device in GRID_MS}
    design = block_counts(genotypes)
    entries = {}
    for device, sums in measured.items():
        key = f"{DATASET}/{device}/latency_ms"
        solution = _solve(design, sums)
        grid = GRID_MS[device]
        steps = [round(value / grid) for value in solution.tolist()]
        coefficients = {
            "form": "blocks",
            "grid_ms": grid,
            "start_steps": steps[-1],
            "block_steps": [steps[n : n + SKIP] for n in range(0, len(steps) - 1, 8)],
        }
        estimate = quantity({key: coefficients}, key).values(genotypes)[:, 0]
        entries[key] = entry(
            "fitted",
            coefficients,
            method="block entries of 12 layer shapes and a constant, solved from sums",
            citation=CITATION,
            calibrated_on="latencies of 4,000 networks",
            fidelity=fidelity(
                estimate,
                sums,
                method=f"the 4,000 networks; {_other_half(design, sums)}",
            ),
        )
    key = f"{DATASET}/fpga/energy_mj"
    entries[key] = entry(
        "fitted",
        {},
        method="7.0 W times the latency",
        citation=CITATION,
        calibrated_on="published energies; latencies of 4,000 networks",
        fidelity=fidelity_on_pair(
            key,
            entries,
            pairs=published_pairs(reference),
            method="the two published sums; the latency is exact on 4,000 networks",
        ),
    )
    return entries


def quantity(entries: Mapping[str, Any], key: str) -> Additive:
    """Builds one cost from entries, an alias from the metric that it is one of.

    Args:
        entries: coefficients by ``dataset/device/metric``.
        key: which one.
    """
    dataset, device, metric = key.split("/")
    alias = DEVICES[device].aliases.get(metric)
    if alias is None:
        return build(entries[key], dataset=dataset, metric=metric)
    return quantity(entries, f"{dataset}/{device}/{alias.of}").scaled(alias.factor)


def published_pairs(reference: Path) -> Pairs:
    """Reads the published networks with their costs."""
    path = reference / "hwnasbench_published_examples.json"
    pairs: Pairs = json.loads(path.read_text(encoding="utf-8"))["fbnet"]
    return pairs


def published(pairs: Pairs, key: str) -> FloatArray:
    """Returns the published costs of a dataset's two networks: ``(2,)``.

    Args:
        pairs: the published networks.
        key: ``dataset/device/metric``.
    """
    dataset, device, metric = key.split("/")
    name = f"{device}_{metric.rsplit('_', 1)[0]}"
    return np.array([network[name] for network in pairs[dataset]])


def fidelity_on_pair(
    key: str, entries: Mapping[str, Any], *, pairs: Pairs, method: str, exact: int = 0
) -> Fidelity:
    """Compares coefficients with those published costs that they do not meet exactly.

    Args:
        key: ``dataset/device/metric``.
        entries: coefficients by key.
        pairs: the published networks.
        method: how the comparison is to be read.
        exact: how many of them the coefficients meet by construction, the first ones.
    """
    networks = [network["op_idx_list"] for network in pairs[key.split("/")[0]]]
    estimate = quantity(entries, key).values(np.array(networks, dtype=np.int8))[:, 0]
    costs = published(pairs, key)
    return fidelity(estimate[exact:], costs[exact:], method=method)


def block_counts(genotypes: Genotypes) -> FloatArray:
    """Counts each network's blocks by shape and block; the last column is 1."""
    shapes = layers(DATASET)
    distinct = list(dict.fromkeys(shapes))
    counts = np.zeros((len(genotypes), len(distinct), SKIP + 1))
    rows = np.arange(len(genotypes))
    for layer, shape in enumerate(shapes):
        counts[rows, distinct.index(shape), genotypes[:, layer]] += 1.0
    blocks = counts[:, :, :SKIP].reshape(len(genotypes), -1)
    return np.column_stack([blocks, np.ones(len(genotypes))])


def _solve(design: FloatArray, sums: FloatArray) -> FloatArray:
    """Solves by least squares; a second step on the residual removes rounding."""
    solution = np.linalg.lstsq(design, sums, rcond=None)[0]
    remainder = np.linalg.lstsq(design, sums - design @ solution, rcond=None)[0]
    return np.asarray(solution + remainder)


def _other_half(design: FloatArray, sums: FloatArray) -> str:
    """Says how well the second half of the networks follows from the first."""
    half = len(sums) // 2
    estimate = design[half:] @ _solve(design[:half], sums[:half])
    error = 100 * float(np.abs(estimate / sums[half:] - 1.0).max())
    follow = "to rounding" if error < 1e-6 else f"to {rounded(error, digits=2):g} %"
    return f"solved from half of them, the other half follows {follow}"
