"""Costs of the devices that HELP measured, in NAS-Bench-201 and in FBNet.

Its runtimes run dead operations too, one after another: latencies of NAS-Bench-201
follow the raw counts of operations, and products of two counts where kernels overlap;
those of FBNet follow a block entry a layer shape.
"""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from calibration.fbnet_tables import block_counts
from calibration.files import Entry, entry
from calibration.numerics import robust_ridge, rounded
from hwnas_env.maths.statistics import fidelity
from hwnas_env.spaces.fbnet import SKIP
from hwnas_env.spaces.fbnet.costs import build
from hwnas_env.spaces.nasbench201 import OPERATIONS
from hwnas_env.spaces.nasbench201.costs import PAIRS, counted_costs
from hwnas_env.types import FloatArray, Genotypes

CITATION = "Lee et al., HELP, NeurIPS 2021 (arXiv 2106.08630)"
FOLDS = 5
GRID_MS = 1e-5
"""Block entries of FBNet are whole numbers of these."""

COUNT_RIDGE, BLOCK_RIDGE = 1e-3, 0.3
"""Penalties in rows: many networks a count, a few hundred a block."""

LEAST_ERROR = 0.005
"""Relative errors below this one weigh the same."""

COLUMNS: Mapping[str, str] = MappingProxyType(
    {
        **{
            f"{chip}_{batch}": f"{column}_{batch}"
            for chip, column in (
                ("gtx1080ti", "1080ti"),
                ("rtx2080ti", "2080ti"),
                ("titanx", "titanx"),
                ("titanxp", "titanxp"),
                ("titanrtx", "titan_rtx"),
            )
            for batch in (1, 32, 64, 256)
        },
        "xeonsilver4114": "silver_4114",
        "xeonsilver4210r": "silver_4210r",
        "xeongold6240": "gold_6240",
        "essential": "essential_ph_1",
        "galaxya50": "samsung_a50",
        "galaxys7": "samsung_s7",
    }
)
"""Columns of HELP's files by the device's name here, also of those they lack."""

NAMES = ("base", *OPERATIONS[1:])
"""Counts of operations; of none is what is left of six, and so no column of its own."""

PRODUCTS = tuple(pair for pair in PAIRS if "none" not in pair.split(" x "))


def nasbench201_entries(reference: Path) -> dict[str, Entry]:
    """Fits the columns of NAS-Bench-201, by ``dataset/device/metric``."""
    with np.load(reference / "help_nb201_latency.npz") as data:
        held = {name: data[column] for name, column in _held(data)}
    design = _count_design()
    return {
        f"cifar10/{name}/latency_ms": _counted(design, costs)
        for name, costs in held.items()
    }


def fbnet_entries(reference: Path) -> dict[str, Entry]:
    """Fits the columns of FBNet, by ``dataset/device/metric``."""
    with np.load(reference / "help_fbnet_latency_4000.npz") as data:
        genotypes = data["genotypes"].astype(np.int8)
        held = {name: data[column] for name, column in _held(data)}
    return {
        f"cifar100/{name}/latency_ms": _blocks(genotypes, costs)
        for name, costs in held.items()
    }


def _held(data: Any) -> list[tuple[str, str]]:
    return [(name, column) for name, column in COLUMNS.items() if column in data.files]


def _count_design() -> FloatArray:
    """Returns counts and their products for all cells: ``(15625, 15)``."""
    return np.column_stack(
        [counted_costs({name: 1.0}) for name in NAMES]
        + [counted_costs({}, {pair: 1.0}) for pair in PRODUCTS]
    )


def _counted(design: FloatArray, costs: FloatArray) -> Entry:
    rows = np.flatnonzero(np.isfinite(costs))
    folds = np.arange(len(rows)) % FOLDS  # the official order is a shuffle
    apart = np.full(len(rows), np.nan)
    for fold in range(FOLDS):
        inside = folds == fold
        model = _fit_counts(design, costs, rows[~inside])
        apart[inside] = counted_costs(**model)[rows[inside]]
    model = _fit_counts(design, costs, rows)
    return entry(
        "fitted",
        {"counts": model["weights"], "products": model["products"]},
        method=(
            "base and cost of every operation, dead ones included, and what two of "
            "them change together"
        ),
        citation=CITATION,
        calibrated_on=f"{len(rows):,} measured networks, cifar10",
        fidelity=fidelity(
            apart, costs[rows], method=f"{FOLDS}-fold cross-validation over networks"
        ),
    )


def _fit_counts(
    design: FloatArray, costs: FloatArray, rows: Any
) -> dict[str, dict[str, float]]:
    solution = robust_ridge(
        design[rows], costs[rows], ridge=COUNT_RIDGE, least_error=LEAST_ERROR
    )
    values = [rounded(value) for value in solution.tolist()]
    return {
        "weights": dict(zip(NAMES, values[: len(NAMES)], strict=True)),
        "products": dict(zip(PRODUCTS, values[len(NAMES) :], strict=True)),
    }


def _blocks(genotypes: Genotypes, costs: FloatArray) -> Entry:
    design = block_counts(genotypes)
    folds = np.arange(len(costs)) % FOLDS  # networks were drawn at random
    apart = np.full(len(costs), np.nan)
    for fold in range(FOLDS):
        inside = folds == fold
        model = _fit_blocks(design[~inside], costs[~inside])
        quantity = build(model, dataset="cifar100", metric="latency_ms")
        apart[inside] = quantity.values(genotypes[inside])[:, 0]
    return entry(
        "fitted",
        _fit_blocks(design, costs),
        method="block entries of 12 layer shapes and a constant, fitted to networks",
        citation=CITATION,
        calibrated_on=f"{len(costs):,} measured networks, cifar100",
        fidelity=fidelity(
            apart, costs, method=f"{FOLDS}-fold cross-validation over networks"
        ),
    )


def _fit_blocks(design: FloatArray, costs: FloatArray) -> dict[str, Any]:
    solution = robust_ridge(design, costs, ridge=BLOCK_RIDGE, least_error=LEAST_ERROR)
    steps = [round(value / GRID_MS) for value in solution.tolist()]
    rows = [steps[n : n + SKIP] for n in range(0, len(steps) - 1, SKIP)]
    return {
        "form": "blocks",
        "grid_ms": GRID_MS,
        "start_steps": steps[-1],
        "block_steps": rows,
    }
