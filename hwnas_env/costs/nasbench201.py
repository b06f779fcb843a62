"""Built-in costs of all NAS-Bench-201 networks on the six devices.

Eyeriss and the FPGA follow exact rules over operation counts. The other devices have a
statistical model, g(intercept + sum of coefficients of named features), fitted on
measured CIFAR-10 networks: g is the identity where time adds up operation by operation
(Raspberry Pi 4, Pixel 3) and the exponential where kernels overlap or merge (Edge GPU,
Edge TPU). Their costs on the other datasets are moved from CIFAR-10 by one or two
factors. Provenance says which is which, and how good.
"""

import functools
from collections.abc import Mapping
from typing import Any

import numpy as np

from hwnas_env.costs.cell_features import BLOCKS, Block, table_codes, table_sums
from hwnas_env.costs.cells import Cells, analyse
from hwnas_env.costs.columns import TableCosts
from hwnas_env.data.coefficients import load_coefficients
from hwnas_env.devices import get_device
from hwnas_env.elementary import exp
from hwnas_env.spaces import SEARCH_SPACES
from hwnas_env.spaces.nasbench201 import OPERATIONS, official_genotypes
from hwnas_env.types import FloatArray, IntArray

FITTED_DATASET = "cifar10"
"""Where the statistical models were fitted; the others are moved from it."""

RULE_DECIMALS = 10
"""Counted costs are rounded to these, so that equal networks tie."""

TABLE_STEPS = 10_000
"""Table entries are whole numbers of 1 / TABLE_STEPS."""


def table_costs(device: str, *, dataset: str) -> TableCosts:
    """Computes the built-in costs of all networks on one device.

    Args:
        device: a name or label of ``DEVICES``.
        dataset: cifar10, cifar100 or ImageNet16-120.

    Returns:
        Columns in the official order, by metric in the device's order.

    Raises:
        UnknownNameError: there is no such device or dataset.

    Example:
        >>> fpga = table_costs("fpga", dataset="cifar10")
        >>> fpga.values["latency_ms"][:2].round(5).tolist()
        [2.57296, 5.31536]
    """
    described = get_device(device)
    SEARCH_SPACES["nasbench201"].check_dataset(dataset)
    coefficients = load_coefficients("hwnas_env.costs", "nasbench201.json")
    values: dict[str, FloatArray] = {}
    provenance = {}
    for metric in described.metrics_in("nasbench201"):
        key = f"{dataset}/{described.name}/{metric}"
        entry = coefficients.entries[key]
        if "watts" in entry:
            values[metric] = entry["watts"] * values["latency_ms"]
        elif "counts" in entry:
            values[metric] = counted_costs(entry["counts"])
        elif "flops" in entry:
            values[metric] = (
                2.0 * counted_costs(entry["flops"]) / counted_costs(entry["bytes"])
            )
        else:
            origin = f"{FITTED_DATASET}/{described.name}/{metric}"
            model = coefficients.entries[origin]
            values[metric] = fitted_costs(model, moved=entry.get("moved", {}))
        provenance[metric] = coefficients.provenance(key)
    deployable = np.ones(len(official_genotypes()), dtype=np.bool_)
    if described.name == "edgetpu":
        deployable = space_cells().edgetpu_deployable.copy()
    return TableCosts(values, deployable, provenance)


def fitted_costs(
    model: Mapping[str, Any], *, moved: Mapping[str, float] | None = None
) -> FloatArray:
    """Computes a statistical model over the whole space, in the official order.

    Sums run feature by feature, so that values do not depend on a linear algebra
    library.

    Args:
        model: "link", "intercept", "features" by block, "table_steps" by edges over the
            operations that "mask" keeps, "floor"; and "constant", what a network costs
            whose output does not depend on the input.
        moved: factors to another dataset: "scale", "scale_3x3" for what 3x3
            convolutions add, and "fixed" for what is not scaled.

    Returns:
        ``(15625,)`` float64.
    """
    move = {} if moved is None else moved
    scale = move.get("scale", 1.0)
    rest = np.full(len(official_genotypes()), float(model["intercept"]))
    spatial = np.zeros_like(rest)
    for block in BLOCKS:
        for name, coefficient in _ordered(block, model["features"].get(block, {})):
            into = spatial if block == "executed" and name.endswith(" B") else rest
            into += coefficient * _column(block, name)
    if model["table_steps"]:
        sums = table_sums(model["table_steps"]) / TABLE_STEPS
        rest += sums[space_codes(model["mask"])]
    if model["link"] == "exp":
        fixed = move.get("fixed", 0.0)
        return np.asarray(fixed + scale * (exp(rest + spatial) - fixed))
    costs = scale * rest + move.get("scale_3x3", scale) * spatial
    costs = np.maximum(costs, scale * model["floor"])
    constant = np.full_like(costs, model["constant"]["intercept"])
    for name, coefficient in _ordered("folded", model["constant"]):
        constant += coefficient * _column("folded", name)
    return np.asarray(np.where(space_cells().input_used, costs, scale * constant))


def counted_costs(weights: Mapping[str, float]) -> FloatArray:
    """Adds a base and a cost per operation, dead ones included: ``(15625,)`` float64.

    Args:
        weights: costs by operation, and "base".
    """
    costs = np.zeros(len(official_genotypes()))
    for name, count in _counts().items():
        if name in weights:
            costs += weights[name] * count
    return costs.round(RULE_DECIMALS)


@functools.cache
def space_cells() -> Cells:
    """Returns the liveness of all cells in the official order; do not write to it."""
    return analyse(official_genotypes())


@functools.cache
def space_block(name: str) -> Block:
    """Returns a block of features of all cells; do not write to it."""
    return BLOCKS[name](space_cells())


@functools.cache
def space_codes(mask: str) -> IntArray:
    """Returns the table codes of all cells; do not write to it."""
    return table_codes(space_cells(), mask)


@functools.cache
def _counts() -> dict[str, FloatArray]:
    """Counts operations over all six edges, dead ones included; base counts once."""
    cells = official_genotypes()
    counts = {
        name: (cells == choice).sum(axis=1).astype(np.float64)
        for choice, name in enumerate(OPERATIONS)
    }
    return {"base": np.ones(len(cells)), **counts}


def _ordered(block: str, weights: Mapping[str, float]) -> list[tuple[str, float]]:
    return [(name, weights[name]) for name in space_block(block)[0] if name in weights]


def _column(block: str, name: str) -> FloatArray:
    names, matrix = space_block(block)
    return np.asarray(matrix[:, names.index(name)], dtype=np.float64)
