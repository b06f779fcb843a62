"""Fits a device from a few measured networks."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from hwnas_env.arguments import check_type
from hwnas_env.devices import Device, get_device
from hwnas_env.engines.forms import TableSpace
from hwnas_env.engines.space import SearchSpace
from hwnas_env.errors import InvalidArgumentError
from hwnas_env.fitting.cards import cross_validated, judged
from hwnas_env.fitting.known import counts_of, known_costs, packaged_devices
from hwnas_env.fitting.rows import LEAST_ROWS, MeasuredRows, as_rows
from hwnas_env.fitting.solve import corrected, mixture
from hwnas_env.problems.make import build_model
from hwnas_env.problems.presets import compute_presets
from hwnas_env.spaces import get_space
from hwnas_env.types import AnyPath, BoolArray

DIGITS = 6
"""Significant digits of a stored coefficient."""

FLOOR = 0.2
"""No network costs less than this share of the cheapest measured one."""

METHOD = (
    "weights of the space's terms: a mixture of known devices and of work, corrected "
    "by what it leaves of the measured networks"
)

Coefficients = dict[str, Any]


def fit_device(
    rows: MeasuredRows | AnyPath | Mapping[Any, Any],
    *,
    label: str,
    space: str | SearchSpace | None = None,
    dataset: str | None = None,
    hardware: str = "",
    group: str = "user's own",
    protocol: Mapping[str, Any] | None = None,
    known: Sequence[str] | None = None,
) -> Device:
    """Fits a device from measured networks: costs of the whole space, with their error.

    The costs are weights of the space's terms (see ``SearchSpace.terms``), found by
    :mod:`hwnas_env.fitting.solve`. The error is that on the rows marked as validation;
    without such rows, that of a cross-validation.

    Args:
        rows: measured networks; or a csv file of them; or a mapping of architecture
            strings or genotypes to latencies in ms, or to mappings such as
            ``{"latency_ms": 2.5, "energy_mj": 9.0}``.
        label: the device's word in environment ids; its name is the same in small
            letters.
        space: the search space; that of the rows by default.
        dataset: one of its datasets; that of the rows, or the space's own.
        hardware: what was measured, in words.
        group: what kind of device it is, in words.
        protocol: how it was measured: "runtime", "threads", "precision", ...
        known: names of devices whose costs are known; by default those of the package.

    Returns:
        A device, not registered yet; see ``hwnas_env.register_device``.

    Raises:
        InvalidArgumentError: fewer than 5 rows, or a number that is not positive.
        ForeignFileError: the file is no table of measured networks; names the line.
        MissingExtraError: SciPy is not installed.
    """
    check_type(label, str, what="label")
    if protocol is not None:
        check_type(protocol, Mapping, what="protocol")
    measured = _measured(rows, space, dataset, protocol)
    found = measured.space
    if known is None:
        known = packaged_devices(found.name)
    known = [get_device(name).name for name in known]
    columns = {
        metric: fit_column(measured, metric, known=known) for metric in measured.values
    }
    facts: dict[str, Any] = {
        "metrics": list(measured.values),
        "columns": {measured.dataset: columns},
        "measured": {measured.dataset: stored_rows(measured)},
    }
    device = Device(
        *(name_of(label), label, {found.name: facts}, hardware, group),
        origin=f"the device {label}",
    )
    return with_presets(device)


def _measured(
    rows: MeasuredRows | AnyPath | Mapping[Any, Any],
    space: str | SearchSpace | None,
    dataset: str | None,
    protocol: Mapping[str, Any] | None,
) -> MeasuredRows:
    if isinstance(rows, MeasuredRows) and space is None:
        space = rows.space
    if space is None:
        message = "space: expected the name of the search space that was measured"
        raise InvalidArgumentError(message)
    found = get_space(space) if isinstance(space, str) else space
    if dataset is None:
        own = isinstance(rows, MeasuredRows)
        dataset = rows.dataset if own else found.default_dataset  # type: ignore[union-attr]
    return as_rows(
        rows, space=found, dataset=found.check_dataset(dataset), protocol=protocol
    )


def name_of(label: str) -> str:
    """Returns the name of a device from its label.

    Example:
        >>> name_of("MyPhone-1")
        'myphone_1'
    """
    return re.sub(r"[^a-z0-9]", "_", label.lower())


def fit_column(
    rows: MeasuredRows, metric: str, *, known: Sequence[str]
) -> Coefficients:
    """Fits one metric: coefficients with their provenance, as device files have them.

    Args:
        rows: measured networks.
        metric: one of theirs.
        known: names of devices whose costs are known.
    """
    fit = rows.marked(validation=False)
    if fit.sum() < LEAST_ROWS:
        message = (
            f"{metric}: {int(fit.sum())} networks to fit, expected at least "
            f"{LEAST_ROWS}; rows of the validation do not count"
        )
        raise InvalidArgumentError(message)
    costs = rows.costs(metric)
    if costs[fit].min() == costs[fit].max():
        message = f"{metric}: all networks cost {costs[0]:g}: there is nothing to fit"
        raise InvalidArgumentError(message)
    coefficients = fitted(rows, metric, fit, known=known)
    if rows.marked(validation=True).any():
        card = judged(rows, metric, coefficients)
    else:
        card = cross_validated(
            rows, metric, lambda part: fitted(rows, metric, part, known=known)
        )
    return {
        "kind": "fitted",
        "method": METHOD,
        "calibrated_on": f"{int(fit.sum())} measured networks, {rows.dataset}",
        "fidelity": card,
        **coefficients,
    }


def fitted(
    rows: MeasuredRows, metric: str, chosen: BoolArray, *, known: Sequence[str]
) -> Coefficients:
    """Fits one metric to some of the rows: the coefficients alone.

    Args:
        rows: measured networks.
        metric: one of theirs.
        chosen: ``(N,)`` bool, the rows to fit.
        known: names of devices whose costs are known.
    """
    space, dataset = rows.space, rows.dataset
    costs = rows.costs(metric)[chosen]
    counts = counts_of(space, dataset, rows.genotypes[chosen])
    prior, terms = known_costs(space, dataset, known), space.terms(dataset)
    start = mixture(counts, costs, growing=terms.growing, known=prior)
    found = corrected(start, counts, costs, groups=terms.groups, known=prior)
    base, weights = float(found[0]), found[1:]
    floor = rounded(FLOOR * float(costs.min()))
    if isinstance(space, TableSpace):
        named = zip(terms.names, weights.tolist(), strict=True)
        kept = {name: rounded(weight) for name, weight in named if weight}
        return {"base": rounded(base), "terms": kept, "floor": floor}
    # what a choice adds is counted from the cheapest of its position on
    sums = [table @ weights for table in terms.entries]
    added = [(each - each.min()).tolist() for each in sums]
    return {
        "start": rounded(base + sum(float(each.min()) for each in sums)),
        "entries": [[rounded(value) for value in row] for row in added],
        "floor": floor,
    }


def rounded(value: float) -> float:
    """Rounds to ``DIGITS`` significant digits."""
    return float(f"{value:.{DIGITS}g}")


def stored_rows(rows: MeasuredRows) -> dict[str, Any]:
    """Returns measured rows as device files have them."""
    assert rows.validation is not None, "set by the constructor"
    stored: dict[str, Any] = {
        "networks": list(rows.space.words(rows.genotypes)),
        "validation": np.flatnonzero(rows.validation).tolist(),
        **{name: [rounded(v) for v in c.tolist()] for name, c in rows.values.items()},
    }
    for metric, column in rows.again.items():
        stored[f"{metric}_again"] = [rounded(value) for value in column.tolist()]
    if rows.protocol:
        stored["protocol"] = dict(rows.protocol)
    return stored


def with_presets(device: Device) -> Device:
    """Returns a device with the preset budgets that its columns give."""
    spaces = {}
    for name, facts in device.spaces.items():
        space, budgets = get_space(name), {}
        for dataset in facts["columns"]:
            metrics, model = build_model(space, device, dataset)
            budgets[dataset] = {
                metric: compute_presets(space, model, metrics.index(metric))
                for metric in facts["metrics"]
            }
        spaces[name] = {**facts, "budgets": budgets}
    return Device(
        *(device.name, device.label, spaces, device.hardware, device.group),
        *(dict(device.aliases), device.place, device.origin),
    )
