"""Built-in costs of all NAS-Bench-201 networks, from a device's coefficients.

Accelerators that run one operation after another follow exact rules over operation
counts; runtimes that run dead operations too follow counts, and products of two of
them, closely. Other devices have a statistical model, g(intercept + sum of coefficients
of named features), fitted on measured CIFAR-10 networks: g is the identity where time
adds up operation by operation (processors of small boards and phones) and the
exponential where kernels overlap or merge (graphics and tensor processors). Their costs
on the other datasets are moved from CIFAR-10 by one or two factors. Provenance says
which is which, and how good.
"""

import functools
import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from hwnas_env.arguments import as_number, check_name
from hwnas_env.data.provenance import STATED
from hwnas_env.engines.columns import CostSource
from hwnas_env.engines.forms import TableSpace, check_coefficients
from hwnas_env.errors import DeviceFileError, HWNASError, shown, unknown_name
from hwnas_env.maths.elementary import exp
from hwnas_env.spaces.nasbench201.cell_features import (
    BLOCKS,
    Block,
    table_codes,
    table_sums,
)
from hwnas_env.spaces.nasbench201.cells import Cells, analyse
from hwnas_env.spaces.nasbench201.facts import OPERATIONS, official_genotypes
from hwnas_env.types import BoolArray, FloatArray, IntArray

RULE_DECIMALS = 10
"""Counted costs are rounded to these, so that equal networks tie."""

TABLE_STEPS = 10_000
"""Table entries are whole numbers of 1 / TABLE_STEPS."""


def column(
    space: TableSpace, device: CostSource, dataset: str, metric: str
) -> FloatArray:
    """Computes one metric of all cells, in the official order: ``(15625,)`` float64.

    Args:
        space: NAS-Bench-201.
        device: its coefficients are one of these. "counts": a cost per operation, and
            beside them "products": a cost per pair of operations.
            "flops" and "bytes": a ratio of two of them. "moved": factors of the
            statistical model that stands under the dataset "from". "values" and
            "terms": see :meth:`TableSpace.column`. Else the statistical model itself;
            see :func:`fitted_costs`.
        dataset: cifar10, cifar100 or ImageNet16-120.
        metric: one of the device's.

    Raises:
        DeviceFileError: the coefficients are none of these.
        NotMeasuredError: the device has no such column.
    """
    entry = device.coefficients(space.name, dataset, metric)
    where = f"{device.name}: {metric} in {space.name} on {dataset}"
    _check_form(entry, where)
    try:
        if "values" in entry or "terms" in entry:
            return TableSpace.column(space, device, dataset, metric)
        if "counts" in entry:
            return _positive(
                counted_costs(entry["counts"], entry.get("products", {})), where
            )
        if "flops" in entry:
            return 2.0 * counted_costs(entry["flops"]) / counted_costs(entry["bytes"])
        model = entry
        if "moved" in entry:
            model = device.coefficients(space.name, entry["from"], metric)
        return fitted_costs(model, moved=entry.get("moved"))
    except (
        LookupError,
        TypeError,
        ValueError,
        AttributeError,
        ArithmeticError,
    ) as error:
        if isinstance(error, HWNASError):
            raise
        words = f"{type(error).__name__}: {str(error)[:200]}"
        message = f"{where}: coefficients that are not understood ({words})"
        raise DeviceFileError(message) from error


PAIRS = tuple(
    f"{one} x {other}"
    for one, other in itertools.combinations_with_replacement(OPERATIONS, 2)
)
"""Names of products of counts: of an operation with another, or with itself."""

FORMS: Mapping[str, frozenset[str]] = {
    "values": frozenset({"values"}),
    "terms": frozenset({"base", "terms", "floor"}),
    "counts": frozenset({"counts", "products"}),
    "flops": frozenset({"flops", "bytes"}),
    "moved": frozenset({"moved", "from"}),
    "intercept": frozenset(
        {
            *("intercept", "features", "link", "mask", "table_steps", "table_reading"),
            *("constant", "floor", "deployable_right_percent"),
        }
    ),
}
"""What coefficients there are in each form, by one that only it has."""


def _check_form(entry: Mapping[str, Any], where: str) -> None:
    """Raises if coefficients are of no form, of two, or have a name too many."""
    given = {key for key in entry if key not in STATED}
    forms = [form for form in FORMS if form in given]
    if len(forms) != 1:
        came = ", ".join(sorted(given)) or "none"
        expected = (
            "counts, terms, values, flops with bytes, moved with from, or a fitted "
            "model"
        )
        message = f"{where}: expected coefficients of one form ({expected}), got {came}"
        raise DeviceFileError(message)
    check_coefficients(entry, FORMS[forms[0]], where)
    for key in given & {"counts", "flops", "bytes"}:
        least = -math.inf if "products" in given else 0.0
        _check_weights(entry[key], ("base", *OPERATIONS), least, f"{where}: {key}")
    if "products" in given:
        _check_weights(entry["products"], PAIRS, -math.inf, f"{where}: products")


def _check_weights(
    weights: Any, names: Sequence[str], least: float, where: str
) -> None:
    """Raises if costs are not finite numbers of at least ``least`` by known names."""
    if not isinstance(weights, Mapping) or not weights:
        expected = f"an object with costs by name, such as {names[0]}"
        message = f"{where}: expected {expected}, got {shown(weights)}"
        raise DeviceFileError(message)
    for name, value in weights.items():
        if name not in names:
            message = f"{where}: {unknown_name(name, names, what='operation')}"
            raise DeviceFileError(message)
        number = as_number(value)
        if not (least <= number < math.inf and number > -math.inf):
            bound = "" if least < 0 else " of at least 0"
            message = f"{where}: {name}: expected a number{bound}, got {shown(value)}"
            raise DeviceFileError(message)


def _positive(costs: FloatArray, where: str) -> FloatArray:
    """Returns costs; raises if one is negative, as differences may come out."""
    if costs.min() < 0:
        row = int(costs.argmin())
        message = f"{where}: the costs add up to {costs[row]} for network {row}"
        raise DeviceFileError(message)
    return costs


def can_run(rule: str) -> BoolArray:
    """Marks the cells that a rule lets run, in the official order: ``(15625,)`` bool.

    Args:
        rule: a name out of ``CAN_RUN``; a device's file gives it as ``cannot_run``.

    Raises:
        UnknownNameError: there is no such rule.
    """
    check_name(rule, CAN_RUN, what="rule of what cannot run")
    return CAN_RUN[rule](space_cells())


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


def counted_costs(
    weights: Mapping[str, float], products: Mapping[str, float] = MappingProxyType({})
) -> FloatArray:
    """Adds a base and a cost per operation, dead ones included: ``(15625,)`` float64.

    Args:
        weights: costs by operation, and "base".
        products: costs by pair of operations, of the product of how many there are of
            each; see ``PAIRS``.
    """
    costs = np.zeros(len(official_genotypes()))
    counts = _counts()
    for name, count in counts.items():
        if name in weights:
            costs += weights[name] * count
    for pair in PAIRS:
        if pair in products:
            one, other = pair.split(" x ")
            costs += products[pair] * (counts[one] * counts[other])
    return costs.round(RULE_DECIMALS)


CAN_RUN: Mapping[str, Callable[[Cells], BoolArray]] = {
    "int8_compiler": lambda cells: cells.int8_compiles.copy(),
}
"""Rules of what a device runs, by the name that a device's file gives."""


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
