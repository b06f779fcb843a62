"""Audits of measured columns against the built-in ones; see :mod:`maths.audit`."""

import warnings
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from hwnas_env.arguments import check_name, path_of
from hwnas_env.data.files import read_file
from hwnas_env.data.formats.tables import Rows, TableForm, number_of, read_rows
from hwnas_env.devices import Device
from hwnas_env.engines.forms import TableSpace
from hwnas_env.engines.space import SearchSpace
from hwnas_env.errors import (
    ForeignFileError,
    InvalidArgumentError,
    NotMeasuredError,
    shown,
)
from hwnas_env.maths.audit import BLIND, FEWEST, audit
from hwnas_env.metrics import METRICS
from hwnas_env.problems.audited import ORDER, Audited, Column, blindness
from hwnas_env.types import AnyPath, BoolArray, FloatArray, IntArray

if TYPE_CHECKING:  # a problem asks this module
    from hwnas_env.problems.problem import Problem

ASIDE = (
    *("number", "set", "file", "space", "dataset"),
    *(f"{metric}_again" for metric in METRICS),
)
"""Further columns of the tables that a design writes and a fit reads; only the space
and the dataset say something of an audit."""


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
    found = audit(measured, fitted, groups=_groups(table))
    if found.smallest_band > BLIND:
        warnings.warn(f"{name}: {blindness(found)}", stacklevel=4)
    return found.suspect


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
                    rows = Column(column, fitted, np.arange(table.size))
                    yield Audited(table, device, where, name, "imported", rows, found)


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
            network that the device cannot run. The further columns of a design's table
            may be there.
        dataset: one of the device's; by default what the file says in a column of
            that name, or else the space's own where the device has that.
        metric: by default the first of the device's that the file has values of.

    Raises:
        NotMeasuredError: the space is layers, or the device has no costs there.
        ForeignFileError, TruncatedFileError, DataMissingError: of the file.
        UnknownNameError: a dataset, or a metric that the device does not have.
        InvalidArgumentError: a negative number, or fewer than 20 rows.
    """
    table, file = _table(space), path_of(path)
    metrics = _metrics(space, device)
    if metric is not None:
        check_name(metric, metrics, what=f"metric of {device.name} in {space.name}")
    form = TableForm(
        size=space.size,
        titles=(*METRICS, ORDER),
        noun="metric or the order",
        row_of=lambda text: int(space.index(space.encode(text))[0]),
        number=_cell,
        aside=ASIDE,
    )
    rows = read_rows(read_file(file), name=file.name, form=form)
    metric = _metric_of(rows, metrics if metric is None else (metric,), file.name)
    _said(rows, "space", file.name, expected=space.name)
    dataset = _said(rows, "dataset", file.name, expected=dataset)
    if dataset is None:
        usual, datasets = space.default_dataset, device.datasets_in(space.name)
        dataset = usual if usual in datasets else datasets[0]
    fitted = _builtin(table, device, dataset, metric)[rows.networks]
    measured, order = rows.columns[metric], rows.columns.get(ORDER)
    column = Column(measured, fitted, rows.networks, rows.lines, order)
    _check(column, metric, file.name)
    classes = _groups(table)
    groups = rows.networks if classes is None else classes[rows.networks]
    try:
        found = audit(measured, fitted, order=order, groups=groups)
    except InvalidArgumentError as error:
        message = f"{file.name}: {error}"
        raise InvalidArgumentError(message) from None
    return Audited(table, device, dataset, metric, file.name, column, found)


def _metric_of(rows: Rows, metrics: Sequence[str], name: str) -> str:
    """Returns the first of some metrics that a file has values of."""
    there = [metric for metric in metrics if metric in rows.columns]
    expected = " or ".join(metrics)
    if not there:
        came = ", ".join(rows.columns) or "no column of a metric"
        message = f"{name}: expected a column {expected}, got {came}"
        raise ForeignFileError(message)
    filled = [metric for metric in there if not np.isnan(rows.columns[metric]).all()]
    if not filled:
        message = f"{name}: {expected}: no row has a value; nothing is measured yet"
        raise ForeignFileError(message)
    return filled[0]


def _said(rows: Rows, title: str, name: str, *, expected: str | None) -> str | None:
    """Returns what all cells of a column of texts say, which is what is expected."""
    cells = rows.texts.get(title, [])
    for line, cell in zip(rows.lines.tolist(), cells, strict=False):
        if cell and expected is None:
            expected = cell
        if cell and cell != expected:
            message = (
                f"{name}: line {line}: {title}: expected {expected}, which is audited, "
                f"got {shown(cell)}"
            )
            raise ForeignFileError(message)
    return expected


def _check(column: Column, metric: str, name: str) -> None:
    """Raises where rows of a file cannot be audited, and says in which line."""
    measured, order = column.measured, column.order
    held = np.isfinite(measured) & np.isfinite(column.fitted)
    refused = [(metric, measured, measured < 0, "numbers of at least 0")]
    if order is not None:
        refused.append((ORDER, order, held & ~np.isfinite(order), "finite numbers"))
    for title, values, wrong, expected in refused:
        if wrong.any() and column.lines is not None:
            row = int(np.argmax(wrong))
            where = f"{name}: line {column.lines[row]}: {title}"
            message = f"{where}: expected {expected}, got {values[row]}"
            raise InvalidArgumentError(message)
    if np.count_nonzero(held) < FEWEST:
        message = (
            f"{name}: {metric}: expected at least {FEWEST} rows that are measured here "
            f"and that the device has a cost of, got {np.count_nonzero(held)} of "
            f"{len(held)}"
        )
        raise InvalidArgumentError(message)


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
