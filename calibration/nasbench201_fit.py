"""Fits the statistical models of NAS-Bench-201 costs, and cross-validates them.

The loss is the relative error, made robust by reweighting: the devices slow down now
and then, up to twice.
"""

import functools
import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from calibration.numerics import rounded
from hwnas_env.spaces.nasbench201 import EDGES
from hwnas_env.spaces.nasbench201.cell_features import BLOCKS, LETTERS, table_indicators
from hwnas_env.spaces.nasbench201.costs import (
    TABLE_STEPS,
    fitted_costs,
    space_block,
    space_cells,
    space_codes,
)
from hwnas_env.types import BoolArray, FloatArray, IntArray

ROUNDS = 8
LEAST_ERROR = 0.02
"""Relative errors below this one weigh the same."""

TABLE_READING = (
    "table_steps by edges (0 to 5: 0-1, 0-2, 1-2, 0-3, 1-3, 2-3): in 1/10000 of the "
    "logarithm of the cost, one number for each choice of skip, 1x1, 3x3, pool on "
    "every edge named, the last edge fastest; 0 where an edge has none or is pruned"
)

_SINGLES = tuple(str(edge) for edge in range(len(EDGES)))
_PAIRS = tuple(f"{d}{e}" for d, e in itertools.combinations(range(len(EDGES)), 2))


@dataclass(frozen=True)
class Form:
    """Describes what a statistical model is made of.

    Attributes:
        link: "exp" or "identity".
        blocks: names of blocks of features.
        ridge: penalty on every coefficient but the intercept, in rows.
        tables: edges of each table.
        mask: what the tables see, "live" or "needed".
    """

    link: str
    blocks: tuple[str, ...]
    ridge: float
    tables: tuple[str, ...] = ()
    mask: str = "live"


_PHONE = Form("identity", ("executed", "shape"), ridge=1.0)

FORMS: Mapping[str, Form] = MappingProxyType(
    {
        "edgegpu": Form(
            "exp",
            ("needed_pattern", "dataflow", "zeros_by_edge", "input_readers"),
            ridge=0.5,
            tables=(*_SINGLES, *_PAIRS, "012", "034"),
            mask="needed",
        ),
        "raspi4": _PHONE,
        "edgetpu": Form(
            "exp",
            ("dataflow", "shape"),
            ridge=0.5,
            tables=(*_SINGLES, *_PAIRS, "012", "013", "024", "034"),
        ),
        "pixel3": _PHONE,
    }
)
"""The form of each statistical model, by device."""


def fit(form: Form, costs: FloatArray, *, rows: BoolArray) -> dict[str, Any]:
    """Fits a model on some networks.

    Args:
        form: what the model is made of.
        costs: ``(15625,)`` in the official order, positive where used.
        rows: ``(15625,)`` bool, the networks to use.

    Returns:
        Coefficients as ``hwnas_env.spaces.nasbench201.costs.fitted_costs`` takes them.
    """
    used = rows if form.link == "exp" else rows & space_cells().input_used
    names, matrix = _design(form)
    features = matrix[used].astype(np.float64)
    solution = _solve(features, costs[used], link=form.link, ridge=form.ridge)
    model: dict[str, Any] = {
        "link": form.link,
        "intercept": _short(solution[0], form.link),
        "mask": form.mask,
        "features": {block: {} for block in form.blocks},
        "table_steps": {edges: [] for edges in form.tables},
    }
    if form.tables:
        model["table_reading"] = TABLE_READING
    seen = (features != 0).any(axis=0).tolist()
    for (group, name), value, known in zip(names, solution[1:], seen, strict=True):
        if group in form.tables:
            model["table_steps"][group].append(round(float(value) * TABLE_STEPS))
        elif known and abs(value) >= 1 / TABLE_STEPS:
            model["features"][group][name] = _short(value, form.link)
    if form.link == "identity":
        model["floor"] = rounded(costs[used].min(), digits=3)
        constant = rows & ~space_cells().input_used
        left, marks = space_block("folded")
        features = marks[constant].astype(np.float64)
        solution = _solve(features, costs[constant], link="identity", ridge=1e-3)
        model["constant"] = {
            name: _short(value, "identity")
            for name, value in zip(("intercept", *left), solution, strict=True)
        }
    return model


def cross_validate(
    form: Form, costs: FloatArray, *, rows: BoolArray, folds: IntArray
) -> FloatArray:
    """Estimates every network with a model that has not seen its fold: ``(15625,)``.

    Args:
        form: what the model is made of.
        costs: ``(15625,)``.
        rows: ``(15625,)`` bool, the networks to use.
        folds: ``(15625,)``, the number of each network's fold.
    """
    estimates = np.full(len(costs), np.nan)
    for fold in np.unique(folds):
        inside = folds == fold
        model = fit(form, costs, rows=rows & ~inside)
        estimates[inside] = fitted_costs(model)[inside]
    return estimates


@functools.lru_cache(maxsize=1)
def _design(
    form: Form,
) -> tuple[list[tuple[str, str]], npt.NDArray[np.generic]]:
    """Builds the features of a form: (block or edges, name) and ``(15625, F)``."""
    names: list[tuple[str, str]] = []
    parts: list[npt.NDArray[np.generic]] = []
    for block in BLOCKS:
        if block in form.blocks:
            features, matrix = space_block(block)
            names += [(block, name) for name in features]
            parts.append(matrix)
    for edges in form.tables:
        indices = [int(edge) for edge in edges]
        choices = itertools.product(LETTERS[1:], repeat=len(edges))
        names += [(edges, "".join(choice)) for choice in choices]
        parts.append(table_indicators(space_codes(form.mask), indices))
    return names, np.concatenate(parts, axis=1)


def _solve(
    features: FloatArray, costs: FloatArray, *, link: str, ridge: float
) -> FloatArray:
    """Solves for intercept and coefficients by reweighted ridge: ``(1 + F,)``."""
    design = np.concatenate([np.ones((len(features), 1)), features], axis=1)
    target = np.log(costs) if link == "exp" else costs
    scale = np.ones_like(costs) if link == "exp" else costs
    base = 1.0 / scale**2
    penalty = np.full(design.shape[1], ridge * base.mean())
    penalty[0] = 1e-9
    weight = base
    for _ in range(ROUNDS):
        weighted = design * weight[:, None]
        normal = weighted.T @ design + np.diag(penalty)
        solution = np.linalg.solve(normal, weighted.T @ target)
        error = np.abs(design @ solution - target) / scale
        robust = 1.0 / np.maximum(error, LEAST_ERROR)
        weight = base * robust / robust.mean()
    return np.asarray(solution, dtype=np.float64)


def _short(value: float, link: str) -> float:
    """Rounds to 0.01 % of the cost, or to 5 digits."""
    if link == "exp":
        return round(float(value) * TABLE_STEPS) / TABLE_STEPS
    return rounded(value, digits=5)
