"""A user's own costs: a file, a function, or a table of all networks or of layers."""

import hashlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from hwnas_env.arguments import path_of
from hwnas_env.data.files import read_file
from hwnas_env.data.formats.tables import TableForm, number_of, read_csv, read_npz
from hwnas_env.engines.additive import Additive, stateless
from hwnas_env.engines.columns import FunctionCosts, LayeredCosts, TableCosts
from hwnas_env.engines.forms import TableSpace
from hwnas_env.engines.links import Linear
from hwnas_env.engines.space import SearchSpace
from hwnas_env.errors import (
    ForeignFileError,
    InvalidArgumentError,
    shown,
    unknown_name,
)
from hwnas_env.metrics import METRICS
from hwnas_env.types import BoolArray, FloatArray, Genotypes, Provenance

CostFunction: TypeAlias = Callable[[Genotypes], Any]
"""Genotypes ``(N, L)`` to costs ``(N,)``, or to a mapping of metric to ``(N,)``."""

Costs: TypeAlias = (
    str | os.PathLike[str] | npt.NDArray[Any] | Mapping[str, Any] | CostFunction
)
"""A file, "package.module:function", one column, columns by metric, or a function."""

FILES = (".npz", ".csv")
"""Endings of files that are read."""

NAMED: set[str] = set()
"""Functions that were asked for in this process, each by its string form: records may
name these, and no others unless who reads them allows it."""

_HINT = "write inf for a network that the device cannot run"


def is_file(costs: Any) -> bool:
    """Whether costs name a file, and not a function by its string form."""
    if not isinstance(costs, (str, os.PathLike)):
        return False
    path = path_of(costs, what="costs")
    return path.suffix.lower() in FILES or ":" not in os.fspath(costs)


def read_costs(
    space: SearchSpace,
    costs: Costs,
    *,
    metric: str | None,
    load: Callable[[str], CostFunction],
) -> TableCosts | LayeredCosts | FunctionCosts:
    """Reads a user's costs in any of their forms.

    Args:
        space: the search space.
        costs: a path of an npz or csv file; "package.module:function"; an array, or a
            mapping of metric to array; or a function. Arrays are ``(size,)`` in the
            order of ``space.genotypes()`` where the space is enumerated, else
            ``(L, K)`` numbers that add up. In a table inf means that the device cannot
            run the network.
        metric: what one column without a name is of; "latency_ms" by default.
        load: imports a function by its string form.

    Raises:
        ForeignFileError, TruncatedFileError, DataMissingError: of a file.
        InvalidArgumentError: a wrong shape, NaN or a negative cost; names the row.
        UnknownNameError: a metric that there is not, so that it has no unit.
    """
    if is_file(costs):
        path = path_of(costs, what="costs")
        content = read_file(path)
        digest = hashlib.sha256(content).hexdigest()
        columns = _known(content, digest, path.name, space)
        if not columns:
            names = ", ".join(METRICS)
            message = f"{path.name}: holds no column of a metric, one of {names}"
            raise ForeignFileError(message)
        return _build(space, columns, f"the user's file {path.name}", digest)
    if isinstance(costs, str):
        NAMED.add(costs)
        return _function_costs(space, load(costs), costs, metric)
    if isinstance(costs, Mapping):
        return _build(space, dict(costs), "the user's table", "")
    if callable(costs):
        name = getattr(costs, "__qualname__", type(costs).__name__)
        return _function_costs(space, costs, name, metric)
    if isinstance(costs, np.ndarray):
        named = {"latency_ms" if metric is None else metric: costs}
        return _build(space, named, "the user's table", "")
    message = (
        "costs: expected a file .npz or .csv, 'package.module:function', an array, a "
        f"mapping of metric to array, or a function, got {shown(costs)}"
    )
    raise InvalidArgumentError(message)


_KEPT: dict[tuple[Any, ...], dict[str, FloatArray]] = {}
"""The columns of the last files, which every run of a study asks for again."""


def _known(
    content: bytes, digest: str, name: str, space: SearchSpace
) -> dict[str, FloatArray]:
    key = digest, name, id(space)
    if key not in _KEPT:
        found = _read(content, name, space)
        while len(_KEPT) >= 4:
            _KEPT.pop(next(iter(_KEPT)), None)
        _KEPT[key] = found
    return dict(_KEPT[key])


def _read(content: bytes, name: str, space: SearchSpace) -> dict[str, FloatArray]:
    suffix = Path(name).suffix.lower()
    if suffix not in FILES:
        message = f"{name}: expected a file .npz or .csv"
        raise InvalidArgumentError(message)
    table = isinstance(space, TableSpace)
    form = TableForm(
        size=space.size if table else space.length,
        titles=tuple(METRICS),
        noun="metric, which has a unit",
        row_of=lambda text: int(space.index(space.encode(text))[0]),
        number=_cost,
        strict=True,
        width=0 if table else space.choices,
    )
    if suffix == ".npz":
        found = read_npz(content, name=name, form=form)
        return {
            metric: column[:, 0] if table and column.shape[1:] == (1,) else column
            for metric, column in found.items()
        }
    if not table:
        message = (
            f"{name}: {space.name} is layers: expected an .npz with arrays of shape "
            f"({space.length}, {space.choices}) by metric, whose numbers add up"
        )
        raise InvalidArgumentError(message)
    columns = read_csv(content, name=name, form=form)
    for metric, column in columns.items():
        if column.shape[1] > 1:
            message = f"{name}: {metric}: expected one column, got {column.shape[1]}"
            raise ForeignFileError(message)
        missing = np.isnan(column[:, 0])
        if missing.any():
            row = int(np.argmax(missing))
            architecture = space.decode(space.from_index([row])[0])
            message = (
                f"{name}: {metric}: {int(missing.sum())} networks have no value, the "
                f"first at index {row}, {architecture}"
            )
            raise ForeignFileError(message)
    return {metric: column[:, 0] for metric, column in columns.items()}


def _cost(cell: str) -> float:
    if cell.lower() in ("inf", "+inf", "infinity"):
        return np.inf
    value = number_of(cell)
    if not value >= 0:
        message = f"expected a cost of at least 0, got {shown(cell)}; {_HINT}"
        raise ValueError(message)
    return value


def _build(
    space: SearchSpace, columns: Mapping[str, Any], method: str, digest: str
) -> TableCosts | LayeredCosts:
    if not columns:
        message = "costs: expected a metric at least, got an empty mapping"
        raise InvalidArgumentError(message)
    for metric in columns:
        if metric not in METRICS:
            words = unknown_name(metric, METRICS, what="metric of costs")
            message = f"{words}; a metric has a unit, see hwnas_env.METRICS"
            raise type(words)(message)
    provenance = dict.fromkeys(columns, _provenance(method, digest))
    if isinstance(space, TableSpace):
        values, deployable = _table(space, columns)
        return TableCosts(values, deployable, provenance)
    sums = {metric: _layers(space, columns[metric], metric) for metric in columns}
    return LayeredCosts(sums, provenance)


def _provenance(method: str, digest: str) -> Provenance:
    return Provenance(kind="user", method=method, citation="", sha256=digest)


def _table(
    space: TableSpace, columns: Mapping[str, Any]
) -> tuple[dict[str, FloatArray], BoolArray]:
    """Checks columns of all networks: values by metric, and what can run."""
    values: dict[str, FloatArray] = {}
    deployable = np.ones(space.size, dtype=np.bool_)
    for metric, given in columns.items():
        column = _numbers(given, (space.size,), metric)
        _refuse_wrong(column, metric, lambda r: space.decode(space.from_index([r])))
        deployable &= np.isfinite(column)
        values[metric] = column
    if not deployable.any():
        message = "costs: no network can run: every row has an infinite cost"
        raise InvalidArgumentError(message)
    return values, deployable


def _layers(space: SearchSpace, given: Any, metric: str) -> Additive:
    table = _numbers(given, (space.length, space.choices), metric)
    rows = [table[p, :count] for p, count in enumerate(space.choices_at)]
    for position, row in enumerate(rows):
        where = space.positions[position]
        beyond = table[position, len(row) :]
        if not np.isnan(beyond).all():
            message = (
                f"costs: {metric}: {where}: it has {len(row)} choices, expected NaN "
                f"behind them, got {beyond[~np.isnan(beyond)][0]}"
            )
            raise InvalidArgumentError(message)
        names = space.operations_at[position]
        _refuse_wrong(row, f"{metric}: {where}", names.__getitem__, hint="")
        if np.isinf(row).any():
            message = (
                f"costs: {metric}: {where}: sums over layers cannot be infinite; where "
                "the device cannot run some networks, give a function that returns inf"
            )
            raise InvalidArgumentError(message)
    return stateless(0.0, rows, link=Linear())


def _numbers(given: Any, shape: tuple[int, ...], metric: str) -> FloatArray:
    if np.ma.isMaskedArray(given):
        message = f"costs: {metric}: masked; expected an array with inf or a number"
        raise InvalidArgumentError(message)
    try:
        column = np.array(given)
    except (TypeError, ValueError, OverflowError):
        column = np.zeros(())
    if column.dtype.kind not in "iufb":
        message = f"costs: {metric}: expected real numbers, got {shown(given)}"
        raise InvalidArgumentError(message)
    column = column.astype(np.float64)
    if column.shape != shape:
        came = f"shape {column.shape}" if column.shape else shown(given)
        message = f"costs: {metric}: expected numbers of shape {shape}, got {came}"
        if len(shape) == 2:
            message += "; NaN stands for a choice that a position does not have"
        raise InvalidArgumentError(message)
    return column


def _refuse_wrong(
    column: FloatArray, where: str, name: Callable[[int], str], *, hint: str = _HINT
) -> None:
    wrong = ~(column >= 0.0)
    if wrong.any():
        row = int(np.argmax(wrong))
        message = (
            f"costs: {where}: row {row}, {name(row)}: expected a cost of at least 0, "
            f"got {column[row]}{'; ' if hint else ''}{hint}"
        )
        raise InvalidArgumentError(message)


def _function_costs(
    space: SearchSpace, function: CostFunction, name: str, metric: str | None
) -> TableCosts | FunctionCosts:
    """Takes a function; it is asked once for every network of an enumerated space."""
    usual = "latency_ms" if metric is None else metric
    checked = _Checked(function, name, usual)
    if isinstance(space, TableSpace):
        columns = checked.columns(space.genotypes())
        found = _build(space, columns, f"the user's function {name}", "")
        assert isinstance(found, TableCosts), "a table space has tables"
        return found
    metrics = tuple(checked.columns(np.zeros((1, space.length), dtype=np.int8)))
    checked = _Checked(function, name, usual, metrics)
    provenance = _provenance(f"the user's function {name}", "")
    return FunctionCosts(checked, dict.fromkeys(metrics, provenance))


class _Checked:
    """A function whose wrong answer is an error that names it; it can be pickled."""

    def __init__(
        self,
        function: CostFunction,
        name: str,
        usual: str,
        metrics: tuple[str, ...] = (),
    ) -> None:
        self.function, self.name, self.usual = function, name, usual
        self.metrics = metrics

    def __call__(self, genotypes: Genotypes) -> FloatArray:
        """Returns the costs ``(N, M)`` in the order of ``metrics``."""
        columns = self.columns(genotypes)
        if tuple(columns) != self.metrics:
            message = (
                f"costs {self.name}: expected {', '.join(self.metrics)} as before, got "
                f"{', '.join(columns)}"
            )
            raise InvalidArgumentError(message)
        return np.column_stack(list(columns.values()))

    def columns(self, genotypes: Genotypes) -> dict[str, FloatArray]:
        """Returns the costs ``(N,)`` by metric, checked."""
        answer = self.function(genotypes.copy())
        named = answer if isinstance(answer, Mapping) else {self.usual: answer}
        columns = {}
        for metric, given in named.items():
            if metric not in METRICS:
                raise unknown_name(metric, METRICS, what=f"metric of costs {self.name}")
            where = f"{self.name}: {metric}"
            columns[metric] = _numbers(given, (len(genotypes),), where)
            _refuse_wrong(
                columns[metric], where, lambda row: str(genotypes[row].tolist())
            )
        return columns
