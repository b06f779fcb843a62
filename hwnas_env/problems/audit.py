"""Audits of measured columns against the built-in ones; see :mod:`maths.audit`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hwnas_env.arguments import check_name
from hwnas_env.data.files import read_file
from hwnas_env.data.formats.tables import TableForm, number_of, read_rows
from hwnas_env.devices import Device
from hwnas_env.engines.forms import TableSpace
from hwnas_env.engines.space import SearchSpace
from hwnas_env.errors import ForeignFileError, InvalidArgumentError, NotMeasuredError
from hwnas_env.maths.audit import FEWEST, Audit, audit
from hwnas_env.metrics import METRICS
from hwnas_env.types import AnyPath, BoolArray, FloatArray, IntArray

if TYPE_CHECKING:  # a problem asks this module
    from hwnas_env.problems.problem import Problem

ORDER = "order"
"""The title of a file's column that says when rows were measured."""


@dataclass(frozen=True, eq=False)
class Audited:
    """An audit, and what was audited.

    Attributes:
        space: the search space.
        device: the device whose built-in column it was compared with.
        dataset: one of the space's.
        metric: the column's.
        rows: what the rows are: "imported", or a file's name.
        audit: what was found.
    """

    space: SearchSpace
    device: Device
    dataset: str
    metric: str
    rows: str
    audit: Audit

    def values(self) -> dict[str, Any]:
        """Returns the findings as plain values, JSON-able; shares in percent."""
        found, held = self.audit, len(self.audit.sequence)
        levels = [band.level for band in found.bands]
        repeats = found.repeats
        return {
            "space": self.space.name,
            "dataset": self.dataset,
            "device": self.device.name,
            "metric": self.metric,
            "rows": self.rows,
            "n": held,
            "noise_percent": _percent(found.noise),
            "window": found.window,
            "band_threshold_percent": _percent(found.band_threshold),
            "outlier_threshold_percent": _percent(found.outlier_threshold),
            "suspect_percent": _percent(np.count_nonzero(found.suspect) / held),
            "shifted_percent": _percent(np.count_nonzero(found.shifted) / held),
            "outlier_percent": _percent(np.count_nonzero(found.outlier) / held),
            "levels_percent": [_percent(f(levels) - 1.0) for f in (min, max)]
            if levels
            else None,
            "repeats": None
            if repeats is None
            else {
                "groups": repeats.groups,
                "rows": repeats.rows,
                "spread_percent": _percent(repeats.spread) if repeats.groups else None,
                "outliers_with_twin": repeats.twins,
                "twin_agrees": repeats.shared,
            },
            "bands": [
                {
                    "first": band.first,
                    "last": band.last,
                    "rows": band.rows,
                    "shifted": band.shifted,
                    "level_percent": _percent(band.level - 1.0),
                    "extreme_percent": _percent(band.extreme - 1.0),
                }
                for band in found.bands
            ],
        }


def _percent(share: float) -> float:
    return round(100.0 * share, 3)


def suspect_rows(problem: "Problem") -> BoolArray:
    """Marks a problem's measured rows that are suspect; see ``Problem.suspect``."""
    space, device = problem.space, problem.device
    name = f"{space.name} on the {device.name}"
    if problem.source == "builtin":
        message = (
            f"{name}: the costs are built in, and no row of them was measured; "
            'expected a problem with source="measured" or costs=...'
        )
        raise NotMeasuredError(message)
    table = _table(space)
    if not device.metrics_in(space.name):
        message = (
            f"{name}: there is no built-in column to compare with; expected "
            "costs=... beside the device=... that is nearest to what was measured"
        )
        raise InvalidArgumentError(message)
    fitted = _builtin(table, device, problem.dataset, problem.metric)
    measured = problem.known_costs(table.genotypes())
    return audit(measured, fitted, groups=_groups(table)).suspect


def imported_audits(
    space: SearchSpace,
    devices: Sequence[Device],
    *,
    dataset: str | None = None,
    metric: str | None = None,
) -> Iterator[Audited]:
    """Audits the imported columns of devices, each against its built-in column.

    Columns with holes are audited by the rows that are there; those that hold fewer
    than 20 rows are left out.

    Args:
        space: an enumerated one.
        devices: those to look at.
        dataset: one of the space's; all by default.
        metric: all by default.

    Raises:
        NotMeasuredError: the space is layers, or has no file of measurements.
        DataMissingError: nothing is imported; names the command.
        UnknownNameError: a dataset or metric that does not exist.
    """
    table = _table(space)
    if dataset is not None:
        space.check_dataset(dataset)
    if metric is not None:
        check_name(metric, METRICS, what="metric")
    groups = _groups(table)
    for device in devices:
        for where in space.datasets if dataset is None else (dataset,):
            if where not in device.datasets_in(space.name):
                continue
            for name, column in space.held_columns(device, where).items():
                held = np.count_nonzero(np.isfinite(column))
                if metric in (None, name) and held >= FEWEST:
                    fitted = _builtin(table, device, where, name)
                    found = audit(column, fitted, groups=groups)
                    yield Audited(space, device, where, name, "imported", found)


def file_audit(
    space: SearchSpace,
    device: Device,
    path: AnyPath,
    *,
    dataset: str | None = None,
    metric: str | None = None,
) -> Audited:
    """Audits a user's rows against a device's built-in column.

    Args:
        space: an enumerated one.
        device: the one that is nearest to what was measured.
        path: a csv file with a header: a column "architecture" or "index", one or more
            of metrics, and "order" if rows do not stand in the order of measuring. A
            network may stand there more than once; an empty cell is no row, inf a
            network that the device cannot run.
        dataset: one of the device's; by default the space's own where it has that.
        metric: by default the first of the device's that the file has.

    Raises:
        NotMeasuredError: the space is layers, or the device has no costs there.
        ForeignFileError, TruncatedFileError, DataMissingError: of the file.
        UnknownNameError: a dataset, or a metric that the device does not have.
        InvalidArgumentError: a negative number, or fewer than 20 rows.
    """
    table, file = _table(space), Path(path)
    metrics = _metrics(space, device)
    if metric is not None:
        check_name(metric, metrics, what=f"metric of {device.name} in {space.name}")
    form = TableForm(
        size=space.size,
        titles=(*METRICS, ORDER),
        noun="metric or the order",
        row_of=lambda text: int(space.index(space.encode(text))[0]),
        number=_cell,
    )
    content = read_file(file.expanduser())
    networks, columns = read_rows(content, name=file.name, form=form)
    datasets = device.datasets_in(space.name)
    if dataset is None:
        usual = space.default_dataset
        dataset = usual if usual in datasets else datasets[0]
    times = columns.pop(ORDER, None)
    known = [name for name in metrics if name in columns]
    if metric is None and known:
        metric = known[0]
    if metric is None or metric not in columns:
        expected = metric or " or ".join(metrics)
        message = (
            f"{file.name}: expected a column {expected}, got "
            f"{', '.join(columns) or 'no column of a metric'}"
        )
        raise ForeignFileError(message)
    fitted = _builtin(table, device, dataset, metric)[networks]
    groups = networks if (classes := _groups(table)) is None else classes[networks]
    try:
        found = audit(columns[metric], fitted, order=times, groups=groups)
    except InvalidArgumentError as error:
        message = f"{file.name}: {error}"
        raise InvalidArgumentError(message) from None
    return Audited(space, device, dataset, metric, file.name, found)


def _cell(cell: str) -> float:
    return np.inf if cell.lower() in ("inf", "+inf", "infinity") else number_of(cell)


def _table(space: SearchSpace) -> TableSpace:
    if isinstance(space, TableSpace):
        return space
    message = (
        f"{space.name}: its networks stand in no table, so that there is no measuring "
        "order to audit; expected an enumerated space"
    )
    raise NotMeasuredError(message)


def _metrics(space: SearchSpace, device: Device) -> tuple[str, ...]:
    """Returns a device's metrics in a space; it must have some."""
    metrics = device.metrics_in(space.name)
    if metrics:
        return metrics
    message = (
        f"{device.name} has no costs in {space.name}; it has some in "
        f"{', '.join(device.spaces) or 'no space'}"
    )
    raise NotMeasuredError(message)


def _builtin(
    space: TableSpace, device: Device, dataset: str, metric: str
) -> FloatArray:
    """Returns a device's built-in column ``(size,)``, NaN where it cannot run."""
    where = f"of {device.name} in {space.name}"
    check_name(dataset, device.datasets_in(space.name), what=f"dataset {where}")
    check_name(metric, _metrics(space, device), what=f"metric {where}")
    costs = space.costs(device, dataset)
    return np.where(costs.deployable, costs.values[metric], np.nan)


def _groups(space: TableSpace) -> IntArray | None:
    return space.isomorphism_class(space.genotypes())
