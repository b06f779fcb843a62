"""FBNet costs where no table of blocks exists: weights of terms, and the FPGA's rule.

- raspi4, pixel3, eyeriss latency on ImageNet: weights fitted to the same device's block
  entries on cifar100; the constant makes the published all-k3_e1 sum exact.
- fpga on ImageNet: the rule that gives all 96 block entries on cifar100, with one of
  its times solved from the published pair.
- eyeriss energy: multiply-adds and grouping, from the published pairs.

Published are two networks a dataset: all k3_e1, and the same with k3_e1_g2 in the last
layer. Their errors are errors in sample.
"""

import json
from pathlib import Path

import numpy as np

from calibration.fbnet_tables import (
    Pairs,
    fidelity_on_pair,
    published,
    published_pairs,
)
from calibration.files import Entry, entry
from calibration.numerics import nnls, rounded
from hwnas_env.data.formats.hwnasbench import CITATION
from hwnas_env.maths.statistics import fidelity
from hwnas_env.spaces.fbnet import (
    SKIP,
    Layer,
    block_key,
    layers,
)
from hwnas_env.spaces.fbnet.terms import (
    TERMS,
    block_terms,
    pipeline_ms,
    weighted_table,
)
from hwnas_env.types import FloatArray

_WORK_TERMS = (
    "pointwise_mmac",
    "depthwise_mmac",
    "activation_melement",
    "weight_melement",
    "shuffle_melement",
    "addition_melement",
    "group",
)
FITTED_TERMS = {
    "raspi4": _WORK_TERMS,
    "pixel3": _WORK_TERMS,
    "eyeriss": (
        "array_mmac",
        "array_mrow",
        "shuffle_melement",
        "addition_melement",
        "group",
    ),
}
"""Terms whose weights are fitted to block entries, by device."""

# Errors are weighed by entry ** -0.5, halfway from absolute to relative ones.
ERROR_POWER = 0.5

# Energy of a depthwise multiply-add over a pointwise one on Eyeriss. Assumed: no reuse
# of an input across output channels.
EYERISS_DEPTHWISE_FACTOR = 2.0

# Solved from the 96 block entries on cifar100, all of which follow. The tap is from
# kernel 5; kernel 3 is never the longer there.
FPGA_CIFAR100_NS = {"fill_ns": 3.75, "mac_ns": 0.46875, "depthwise_tap_ns": 0.78125}

IN_SAMPLE = (
    "one published sum, of a network that differs in one block from all-k3_e1, which "
    "sets the constant"
)


def calibrate(reference: Path) -> dict[str, Entry]:
    """Computes what is modelled of raspi4, pixel3, eyeriss and fpga.

    Args:
        reference: folder with ``hwnasbench_published_examples.json`` and
            ``hwnasbench_fbnet_cifar100_lut_gauged.json``.

    Returns:
        Entries by ``dataset/device/metric``.
    """
    pairs = published_pairs(reference)
    return {
        **_from_blocks(reference, pairs),
        **_fpga(pairs),
        **_eyeriss_energy(pairs),
    }


def block_entries(reference: Path, device: str) -> tuple[FloatArray, FloatArray]:
    """Reads the block entries on cifar100 less skip, and their terms less skip's.

    Returns:
        ``(96,)`` ms and ``(96, T)``, eight rows a layer shape.
    """
    path = reference / "hwnasbench_fbnet_cifar100_lut_gauged.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    table = content["tables"][f"{device}_latency"]
    values, terms = [], []
    for side, channels_in, channels_out, stride in content["types_H_Cin_Cout_stride"]:
        layer = Layer(side, channels_in, channels_out, stride)
        for choice in range(SKIP):
            values.append(table[block_key(layer, choice)])
            terms.append(block_terms(layer, choice) - block_terms(layer, SKIP))
    return np.array(values), np.array(terms)


def fit_weights(entries: FloatArray, terms: FloatArray, *, device: str) -> FloatArray:
    """Fits a device's weights ``(T,)`` to entries ``(N,)`` with terms ``(N, T)``."""
    used = [TERMS.index(name) for name in FITTED_TERMS[device]]
    scale = entries**-ERROR_POWER
    weights = np.zeros(len(TERMS))
    weights[used] = nnls(terms[:, used] * scale[:, None], entries * scale)
    return weights


def _from_blocks(reference: Path, pairs: Pairs) -> dict[str, Entry]:
    entries = {}
    for device in FITTED_TERMS:
        values, terms = block_entries(reference, device)
        key = f"ImageNet/{device}/latency_ms"
        entries[key] = weighted_entry(
            key,
            fit_weights(values, terms, device=device),
            pairs=pairs,
            method="weights of work fitted to the device's block entries on cifar100",
            calibrated_on="96 block entries on cifar100; one published ImageNet sum",
            checked=IN_SAMPLE + _left_out_shapes(values, terms, device),
        )
    return entries


def _left_out_shapes(values: FloatArray, terms: FloatArray, device: str) -> str:
    """Says how well a layer shape's entries follow from the other shapes'."""
    estimate = np.zeros(len(values))
    shape = np.arange(len(values)) // SKIP
    for left_out in range(len(values) // SKIP):
        kept = shape != left_out
        weights = fit_weights(values[kept], terms[kept], device=device)
        estimate[~kept] = terms[~kept] @ weights
    card = fidelity(estimate, values, method="")
    return (
        "; block entries on cifar100, each layer shape left out: MAPE "
        f"{card.mape_percent:.0f} %, tau-b {card.tau_b:.2f}"
    )


def _fpga(pairs: Pairs) -> dict[str, Entry]:
    """Solves the time of a multiply-add on ImageNet from the published pair."""
    sums = published(pairs, "ImageNet/fpga/latency_ms")
    last, old = layers("ImageNet")[-1], FPGA_CIFAR100_NS
    gap = pipeline_ms(last, 0, rule=old) - pipeline_ms(last, 1, rule=old)
    mac = rounded(old["mac_ns"] * float(sums[0] - sums[1]) / gap, digits=14)
    latency, energy = "ImageNet/fpga/latency_ms", "ImageNet/fpga/energy_mj"
    coefficients = {
        latency: {"form": "pipeline", **old, "mac_ns": mac},
        energy: {},
    }
    methods = {
        latency: (
            "the pipeline rule that gives all block entries on cifar100, with another "
            "mac_ns; expansion and kernel 5 are not confirmed on ImageNet"
        ),
        energy: "7.0 W times the latency",
    }
    return {
        key: entry(
            "modelled",
            coefficients[key],
            method=method,
            citation=CITATION,
            calibrated_on="96 block entries on cifar100; the two published sums",
            fidelity=fidelity_on_pair(
                key,
                coefficients,
                pairs=pairs,
                method="the two published sums: one solves mac_ns, the other follows",
            ),
        )
        for key, method in methods.items()
    }


def _eyeriss_energy(pairs: Pairs) -> dict[str, Entry]:
    """Solves energy a multiply-add and a grouped channel from the published pairs."""
    keys = [f"{dataset}/eyeriss/energy_mj" for dataset in pairs]
    used = [TERMS.index("pointwise_mmac"), TERMS.index("group_kchannel")]
    system = np.array([last_change(dataset)[used] for dataset in pairs])
    gaps = np.array([np.diff(published(pairs, key))[0] for key in keys])
    mac, group = np.linalg.solve(system, gaps).tolist()
    weights = term_vector(
        pointwise_mmac=mac,
        depthwise_mmac=mac * EYERISS_DEPTHWISE_FACTOR,
        group_kchannel=group,
    )
    return {
        key: weighted_entry(
            key,
            weights,
            pairs=pairs,
            method=(
                "energy of multiply-adds, depthwise ones assumed twice as dear, and of "
                "grouped channels"
            ),
            calibrated_on="four published sums, for four unknowns",
            checked="the two published sums, in sample: no freedom was left",
        )
        for key in keys
    }


def weighted_entry(
    key: str,
    weights: FloatArray,
    *,
    pairs: Pairs,
    method: str,
    calibrated_on: str,
    checked: str,
) -> Entry:
    """Rounds weights and sets the constant so that all-k3_e1 costs what was published.

    Args:
        key: ``dataset/device/metric``.
        weights: ``(T,)``, of terms.
        pairs: the published networks.
        method: how a number is computed.
        calibrated_on: what data the weights saw.
        checked: how the error on the pair is to be read.
    """
    dataset, _, metric = key.split("/")
    unit = metric.rsplit("_", 1)[1]
    kept = {
        name: rounded(weight)
        for name, weight in zip(TERMS, weights.tolist(), strict=True)
        if weight > 0.0
    }
    blocks = sum(weighted_table(kept, dataset=dataset)[:, 0].tolist())
    start = rounded(float(published(pairs, key)[0]) - blocks, digits=12)
    coefficients = {"form": "terms", f"start_{unit}": start, f"weights_{unit}": kept}
    return entry(
        "modelled",
        coefficients,
        method=method,
        citation=CITATION,
        calibrated_on=calibrated_on,
        fidelity=fidelity_on_pair(
            key,
            {key: coefficients},
            pairs=pairs,
            method=checked,
            exact=int(checked.startswith(IN_SAMPLE)),
        ),
    )


def term_vector(**terms: float) -> FloatArray:
    """Returns terms or weights as ``(T,)``; those not named are 0."""
    return np.array([terms.get(name, 0.0) for name in TERMS])


def last_change(dataset: str) -> FloatArray:
    """Returns the terms ``(T,)`` that g2 in the last layer adds to all-k3_e1."""
    last = layers(dataset)[-1]
    return block_terms(last, 1) - block_terms(last, 0)
