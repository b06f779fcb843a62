"""From names to a problem: which costs, which accuracy, which preset budgets."""

import functools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from hwnas_env.arguments import check_name
from hwnas_env.devices import Device, get_device
from hwnas_env.engines.additive import join, nothing
from hwnas_env.engines.columns import (
    FunctionCosts,
    LayeredAccuracy,
    LayeredCosts,
    TableAccuracy,
    TableCosts,
)
from hwnas_env.engines.forms import TableSpace
from hwnas_env.engines.function import FunctionModel
from hwnas_env.engines.layered import LayeredModel
from hwnas_env.engines.model import Model
from hwnas_env.engines.space import SearchSpace
from hwnas_env.engines.table import TableModel
from hwnas_env.errors import (
    DataMissingError,
    InvalidArgumentError,
    NotMeasuredError,
    shown,
)
from hwnas_env.extras import load_object
from hwnas_env.metrics import METRICS
from hwnas_env.problems.answers import check_answers
from hwnas_env.problems.own_accuracy import function_accuracy, table_accuracy
from hwnas_env.problems.own_costs import Costs, read_costs
from hwnas_env.problems.own_function import OwnFunction
from hwnas_env.problems.presets import compute_presets
from hwnas_env.problems.problem import Problem
from hwnas_env.spaces import get_space
from hwnas_env.types import AccuracyFunction, Provenance

SOURCES = ("builtin", "measured", "auto")

AnyCosts = TableCosts | LayeredCosts | FunctionCosts

Accuracy = str | int | AccuracyFunction | npt.NDArray[Any]


def make_problem(
    space: str,
    *,
    device: str | None = None,
    dataset: str | None = None,
    metric: str | None = None,
    source: str = "builtin",
    accuracy: Accuracy = "mean",
    costs: Costs | None = None,
) -> Problem:
    """Makes a problem: one search space, on one device and dataset.

    Args:
        space: a search space's name or label, one of ``SEARCH_SPACES``.
        device: a device's name or label, one of ``DEVICES`` that has costs in the
            space; may be left out where ``costs`` are given.
        dataset: one of the space's that the device has costs on; by default the
            space's own where the device has it, else the device's first.
        metric: what budgets are set on; by default the first of the device's metrics
            that a budget can be on.
        source: "builtin", the same on every machine; "measured", an imported file of
            measurements; "auto", measured where it is there and complete, else builtin.
            ``problem.source`` says which it became.
        accuracy: "mean"; another name that the space knows, like a run's index,
            "sampled", "test-200ep-mean" or "noisy-7"; a function of genotypes
            ``(N, L)`` to percent ``(N,)``, itself or as "package.module:function"; or a
            table (see :func:`hwnas_env.problems.own_accuracy.table_accuracy`).
        costs: your own in the place of the device's: see
            :func:`hwnas_env.problems.own_costs.read_costs`.

    Raises:
        UnknownNameError: a name that does not exist; the message names the nearest.
        DataMissingError: data asked for by name was not imported; names the command.
        NotMeasuredError: nobody measured that, or the imported column has holes.
        InvalidArgumentError: a value of the wrong kind.

    Example:
        >>> import hwnas_env
        >>> problem = hwnas_env.make_problem("nasbench201", device="fpga")
        >>> round(problem.optimum("medium").accuracy_percent, 3)
        90.638
    """
    found = get_space(space)
    if device is None and costs is None:
        message = "device: expected a device's name, or costs of your own"
        raise InvalidArgumentError(message)
    target = OWN if device is None else get_device(device)
    check_name(source, SOURCES, what="source")
    accuracy = check_accuracy(accuracy)
    if costs is not None:
        if source != "builtin":
            message = f"source and costs: give one, got {shown(source)} beside costs"
            raise InvalidArgumentError(message)
        name = found.default_dataset if dataset is None else dataset
        found.check_dataset(name)
        own = read_costs(found, costs, metric=metric, load=_named_function)
        metric = _budget_metric(own, metric)
        return assemble(found, target, name, metric, own, "user", accuracy)
    name = choose_dataset(found, [target], dataset)
    metric = choose_metric(found, [target], metric)
    if source == "builtin" and isinstance(accuracy, (str, int)) and _bundled(accuracy):
        # by identity too: what was replaced under the same name is another
        which = id(found), id(target)
        return _cached(found, target, name, metric, accuracy, which)
    return build_problem(found, target, name, metric, source, accuracy)


def check_accuracy(accuracy: Any) -> Accuracy:
    """Returns what says which accuracy; its name or place is looked up later.

    Raises:
        InvalidArgumentError: it is no name, index, function or table.
    """
    if isinstance(accuracy, np.integer):
        return int(accuracy)
    if isinstance(accuracy, (str, int, np.ndarray)) and not isinstance(accuracy, bool):
        return accuracy
    if callable(accuracy):
        own: AccuracyFunction = accuracy
        return own
    message = (
        "accuracy: expected a name, an index, a function or a table (an array), "
        f"got {shown(accuracy)}"
    )
    raise InvalidArgumentError(message)


OWN = Device("own", "Own", {}, hardware="the user's own costs")
"""Stands for the device where costs are given without one."""


def _budget_metric(costs: AnyCosts, metric: str | None) -> str:
    valid = [name for name in costs.provenance if METRICS[name].budgetable]
    if not valid:
        names = ", ".join(name for name in METRICS if METRICS[name].budgetable)
        message = (
            f"costs: expected a metric that a budget can be on ({names}), got "
            f"{', '.join(costs.provenance)}"
        )
        raise InvalidArgumentError(message)
    if metric is None:
        return valid[0]
    return check_name(metric, valid, what="budget metric of these costs")


def choose_dataset(
    space: SearchSpace, devices: list[Device], dataset: str | None
) -> str:
    """Returns the dataset of a problem: the one asked for, or the default.

    Raises:
        UnknownNameError: the space, or a device in it, has no such dataset.
        NotMeasuredError: a device has no costs in the space.
    """
    for device in devices:
        if space.name not in device.spaces:
            message = (
                f"{device.name} has no costs in {space.name}; it has some in "
                f"{', '.join(device.spaces) or 'no space'}"
            )
            raise NotMeasuredError(message)
    shared = [
        name
        for name in space.datasets
        if all(name in device.datasets_in(space.name) for device in devices)
    ]
    if dataset is None:
        return (
            space.default_dataset
            if space.default_dataset in shared or not shared
            else shared[0]
        )
    space.check_dataset(dataset)
    names = ", ".join(device.name for device in devices)
    return check_name(dataset, shared, what=f"dataset of {names} in {space.name}")


def choose_metric(space: SearchSpace, devices: list[Device], metric: str | None) -> str:
    """Returns the metric that budgets are on: the one asked for, or the default.

    Raises:
        UnknownNameError: a device has no such metric, or no budget can be on it.
    """
    valid = [
        name
        for name in devices[0].metrics_in(space.name)
        if METRICS[name].budgetable
        and all(name in device.metrics_in(space.name) for device in devices)
    ]
    names = ", ".join(device.name for device in devices)
    if metric is None and valid:
        return valid[0]
    for device in devices:
        alias = device.aliases.get(metric) if isinstance(metric, str) else None
        if alias is not None and alias.inverse and alias.of in valid:
            message = (
                f"metric: {metric} is {alias.factor:g} / {alias.of}, and budgets are "
                f"upper bounds: set one on {alias.of}"
            )
            raise InvalidArgumentError(message)
    return check_name(metric, valid, what=f"budget metric of {names}")


def load_function(reference: str) -> Callable[..., Any]:
    """Imports a function by its string form, "package.module:function".

    Raises:
        InvalidArgumentError: it does not exist or is no function.
    """
    function = load_object(reference, form="package.module:function")
    if not callable(function):
        message = f"{shown(reference)} is {shown(function)}, expected a function"
        raise InvalidArgumentError(message)
    return function  # type: ignore[no-any-return]


def _named_function(reference: str) -> Callable[..., Any]:
    """Imports a function whose own errors will name it."""
    return OwnFunction(load_function(reference), reference)


def _bundled(accuracy: str | int) -> bool:
    """Whether an accuracy is the same as long as the process lives."""
    return isinstance(accuracy, int) or accuracy in ("mean", "sampled")


@functools.lru_cache(maxsize=64)
def _cached(
    space: SearchSpace,
    device: Device,
    dataset: str,
    metric: str,
    accuracy: str | int,
    which: tuple[int, int],
) -> Problem:
    del which
    return build_problem(space, device, dataset, metric, "builtin", accuracy)


def build_problem(
    space: SearchSpace,
    device: Device,
    dataset: str,
    metric: str,
    source: str,
    accuracy: Accuracy,
) -> Problem:
    """Builds a problem from checked names."""
    costs, resolved = _costs(space, device, dataset, source, metric)
    return assemble(space, device, dataset, metric, costs, resolved, accuracy)


def assemble(
    space: SearchSpace,
    device: Device,
    dataset: str,
    metric: str,
    costs: AnyCosts,
    source: str,
    accuracy: Accuracy,
    *,
    presets: Mapping[str, float] | None = None,
) -> Problem:
    """Puts a problem together from its costs.

    Args:
        space: the search space.
        device: the device.
        dataset: one of the space's.
        metric: what budgets are set on.
        costs: on the device.
        source: where they come from.
        accuracy: as for :func:`make_problem`.
        presets: budgets by name; by default those of the device's file, or else
            computed.
    """
    scores = _accuracy(space, dataset, accuracy)
    counts = {
        name: column
        for name, column in space.counts(dataset).items()
        if name not in costs.provenance
    }
    metrics = (*costs.provenance, *counts)
    model = _model(space, costs, counts, scores)
    if presets is None and source != "user":
        presets = device.presets(space.name, dataset, metric)
    if presets is None:
        presets = compute_presets(space, model, metrics.index(metric))
        if not min(presets.values()) > 0.0:
            message = (
                f"{metric}: budgets are quantiles of the costs, and one of them is 0: "
                "expected costs above 0"
            )
            raise InvalidArgumentError(message)
    return Problem(
        space=space,
        device=device,
        dataset=dataset,
        metric=metric,
        metrics=metrics,
        source=source,
        accuracy=scores.name,
        committed=tuple(presets.items()),
        origins=tuple(
            {
                "accuracy": scores.provenance,
                **costs.provenance,
                **dict.fromkeys(counts, _COUNTED),
            }.items()
        ),
        model=model,
        sampled=isinstance(scores, TableAccuracy) and scores.run == "sampled",
    )


def build_model(
    space: SearchSpace, device: Device, dataset: str
) -> tuple[tuple[str, ...], Model]:
    """Builds what computes, of built-in costs and mean accuracy, and names its columns.

    For who computes preset budgets; everything else asks a problem.
    """
    costs, counts = space.costs(device, dataset), space.counts(dataset)
    scores = space.accuracy("mean", dataset)
    return (*costs.provenance, *counts), _model(space, costs, counts, scores)


def _model(
    space: SearchSpace,
    costs: AnyCosts,
    counts: Mapping[str, Any],
    scores: TableAccuracy | LayeredAccuracy,
) -> Model:
    check_answers(space, costs, counts, scores)
    if isinstance(costs, TableCosts):
        assert isinstance(space, TableSpace), "tables are of table spaces"
        assert isinstance(scores, TableAccuracy), "a space is of one form"
        return _table_model(space, costs, counts, scores)
    assert isinstance(scores, LayeredAccuracy), "a space is of one form"
    if isinstance(costs, FunctionCosts):
        rest = _layered_model(space, {}, counts, scores)
        return FunctionModel(space, costs.function, len(costs.provenance), rest)
    return _layered_model(space, costs.quantities, counts, scores)


_COUNTED = Provenance(
    kind="exact",
    method="counted from the architecture",
    citation="definition of the search space",
)


def _costs(
    space: SearchSpace, device: Device, dataset: str, source: str, metric: str
) -> tuple[TableCosts | LayeredCosts, str]:
    if source == "builtin":
        return space.costs(device, dataset), "builtin"
    try:
        return space.measured(device, dataset, metric=metric), "measured"
    except (DataMissingError, NotMeasuredError):
        if source == "measured":
            raise
        return space.costs(device, dataset), "builtin"


def _accuracy(
    space: SearchSpace, dataset: str, accuracy: Accuracy
) -> TableAccuracy | LayeredAccuracy:
    if isinstance(accuracy, np.ndarray):
        return table_accuracy(space, accuracy)
    if isinstance(accuracy, str) and ":" in accuracy:
        return function_accuracy(space, _named_function(accuracy), name=accuracy)
    if not isinstance(accuracy, (str, int)):
        name = getattr(accuracy, "__qualname__", type(accuracy).__name__)
        return function_accuracy(space, accuracy, name=name)
    return space.accuracy(accuracy, dataset)


def _table_model(
    space: TableSpace,
    costs: TableCosts,
    counts: Mapping[str, Any],
    scores: TableAccuracy,
) -> TableModel:
    rows = space.rows_of_numbers  # from lexicographic order to that of tables
    deployable = costs.deployable[rows]
    device = np.column_stack([costs.values[metric][rows] for metric in costs.values])
    table = np.where(deployable[:, None], device, np.inf)
    model = TableModel(
        space=space,
        accuracy_percent=scores.mean[rows],
        accuracy_runs=None if scores.runs is None else scores.runs[rows],
        chosen_run=scores.run if isinstance(scores.run, int) else None,
        costs=np.column_stack([table, *(column[rows] for column in counts.values())]),
        deployable=deployable,
        train_seconds=None
        if scores.train_seconds is None
        else scores.train_seconds[rows],
    )
    for value in vars(model).values():
        if isinstance(value, np.ndarray):
            value.setflags(write=False)
    return model


def _layered_model(
    space: SearchSpace,
    quantities: Mapping[str, Any],
    counts: Mapping[str, Any],
    scores: LayeredAccuracy,
) -> LayeredModel:
    parts = [*quantities.values(), *counts.values()]
    if scores.train_seconds is not None:
        parts.append(scores.train_seconds)
    if scores.score is not None:
        parts.append(scores.score)
    timed = scores.train_seconds is not None
    sums = join(parts) if parts else nothing(space.choices_at)
    return LayeredModel(space.name, sums, timed, scores.function, scores.noise)
