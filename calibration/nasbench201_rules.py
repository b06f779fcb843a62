"""Exact rules of NAS-Bench-201 costs: Eyeriss and the FPGA.

A cost is a base and so much per operation of each kind, on all six edges, dead ones
included; skip connections cost nothing.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from calibration.files import Entry, entry
from hwnas_env.data.formats.hwnasbench import CITATION
from hwnas_env.data.formats.hwnasbench_file import SUFFIXES
from hwnas_env.devices import DEVICES
from hwnas_env.maths.statistics import fidelity
from hwnas_env.spaces.nasbench201 import OPERATIONS, SPACE
from hwnas_env.spaces.nasbench201.costs import RULE_DECIMALS, counted_costs
from hwnas_env.types import FloatArray

Published = Mapping[str, Mapping[str, Mapping[str, float]]]
"""Published costs by dataset, row ("0", "1") and column ("fpga_latency")."""

COUNTED = ("nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")

FITTED_DATASET = "cifar10"
"""Where statistical models are fitted; the other datasets are moved from it."""

FPGA_WATTS = 7.0
FPGA_STEP_MS = 160e-6
FPGA_SMALL_STEPS = (804, 640)
"""Assumed per 1x1 and pooling on ImageNet16-120; CIFAR-10 has 3220 and 2560."""


def rule_entries(
    measured: Mapping[str, FloatArray],
    *,
    derived: Mapping[str, FloatArray],
    published: Published,
) -> dict[str, Entry]:
    """Solves the rules of both devices on the three datasets.

    Args:
        measured: CIFAR-10 columns ``(15625,)`` in the official order, complete.
        derived: columns of the other datasets ("cifar100_fpga_latency"). They were
            derived from the published networks: they state a rule, and do not check it.
        published: the two published networks on every dataset.

    Returns:
        Entries by ``dataset/device/metric``.
    """
    entries: dict[str, Entry] = {}
    for dataset in published:
        prefix = f"{dataset.replace('-', '_')}_"
        for device in ("eyeriss", "fpga"):
            for metric in DEVICES[device].metrics_in("nasbench201"):
                key = f"{dataset}/{device}/{metric}"
                column = f"{device}_{SUFFIXES[metric]}"
                two = [published[dataset][row][column] for row in ("0", "1")]
                if dataset == FITTED_DATASET:
                    entries[key] = _rule(key, measured[column], two=two)
                elif prefix + column in derived:
                    entries[key] = _rule(key, derived[prefix + column], two=two)
                else:
                    entries[key] = _guess(key, two=two)
    return entries


def _rule(key: str, costs: FloatArray, *, two: list[float]) -> Entry:
    """Solves one column ``(15625,)``, and checks it on what was published of it."""
    dataset, device, metric = key.split("/")
    method = "a base and a cost per 1x1, 3x3 and pooling, dead ones included"
    coefficients: dict[str, Any]
    if (device, metric) == ("fpga", "energy_mj"):
        method = f"{FPGA_WATTS} W times the latency"
        coefficients = {}  # an alias of the latency
        estimate = FPGA_WATTS * counted_costs(_solve(costs / FPGA_WATTS))
    elif metric == "arithmetic_intensity":
        method = "2 FLOPs / bytes, each a base and a share per 1x1, 3x3 and pooling"
        flops = _flops(dataset)
        moved_bytes = _solve(2.0 * counted_costs(flops) / costs)
        whole = {name: round(value) for name, value in moved_bytes.items()}
        coefficients = {"flops": flops, "bytes": whole}
        estimate = 2.0 * counted_costs(flops) / counted_costs(whole)
    else:
        weights = _solve(costs)
        coefficients, estimate = {"counts": weights}, counted_costs(weights)
    if dataset == FITTED_DATASET:
        method = f"exact: {method}"
        on = f"{len(costs):,} measured networks, {dataset}"
        checked, where = (
            costs,
            f"all {len(costs):,} networks, to {RULE_DECIMALS} decimals",
        )
    else:
        on = f"rules that reproduce the 2 published networks, {dataset}"
        checked, where = (
            np.array(two),
            f"the 2 published networks, to {RULE_DECIMALS} decimals",
        )
    # Rounded, so that what is equal ties.
    estimate, checked = estimate.round(RULE_DECIMALS), checked.round(RULE_DECIMALS)
    card = fidelity(estimate[: len(checked)], checked, method=where)
    return entry(
        "fitted",
        coefficients,
        method=method,
        citation=CITATION,
        calibrated_on=on,
        fidelity=card,
    )


def _guess(key: str, *, two: list[float]) -> Entry:
    """Lays the FPGA's rule through two networks, which leave two numbers free.

    In steps the networks say base + 2a + c = 4057 and base + 3b + c = 11740, with a, b,
    c per 1x1, 3x3 and pooling; so a is a multiple of 3 if b is whole. Assumed: c is a
    quarter of CIFAR-10's, as the pixels are, and a the multiple of 3 nearest to one.
    """
    dataset, _, metric = key.split("/")
    watts = FPGA_WATTS if metric == "energy_mj" else 1.0
    first, second = (round(cost / watts / FPGA_STEP_MS) for cost in two)
    pointwise, pooling = FPGA_SMALL_STEPS
    base = first - 2 * pointwise - pooling
    spatial = (second - base - pooling) // 3
    steps = (base, pointwise, spatial, pooling)
    weights = {
        name: round(count * FPGA_STEP_MS, RULE_DECIMALS)
        for name, count in zip(("base", *COUNTED), steps, strict=True)
    }
    method = (
        "a base and a cost per 1x1, 3x3 and pooling through 2 published networks; 2 of "
        f"the 4 numbers are assumed, near a quarter of {FITTED_DATASET}'s"
    )
    coefficients: dict[str, Any] = {"counts": weights}
    if metric == "energy_mj":
        method = f"{FPGA_WATTS} W times the latency, which is partly assumed"
        coefficients = {}
    return entry(
        "modelled",
        coefficients,
        method=method,
        citation=CITATION,
        calibrated_on=f"2 published networks, {dataset}",
        fidelity=fidelity(
            watts * counted_costs(weights)[:2],
            np.array(two),
            method="the 2 published networks, which set 2 of 4 numbers",
        ),
    )


def _solve(costs: FloatArray) -> dict[str, float]:
    """Solves for a base and a weight per counted operation, by least squares."""
    ones = {name: counted_costs({name: 1.0}) for name in ("base", *COUNTED)}
    matrix = np.stack(list(ones.values()), axis=1)
    solution = np.linalg.lstsq(matrix, costs, rcond=None)[0].tolist()
    return {
        name: round(value, RULE_DECIMALS)
        for name, value in zip(ones, solution, strict=True)
    }


def _flops(dataset: str) -> dict[str, int]:
    """States the exact FLOPs as a base and a weight per counted operation."""
    choices = [0, *(OPERATIONS.index(name) for name in COUNTED)]
    cells = np.zeros((len(choices), SPACE.length), dtype=np.int8)
    cells[:, 0] = choices
    base, *others = SPACE.flops(cells, dataset=dataset).tolist()
    weights = {name: n - base for name, n in zip(COUNTED, others, strict=True)}
    return {"base": base, **weights}
