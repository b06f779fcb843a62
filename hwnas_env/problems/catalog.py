"""From names to a problem: which costs, which accuracy, which committed budgets."""

import functools
import importlib.resources
import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from hwnas_env.accuracy import fbnet as fbnet_accuracy
from hwnas_env.accuracy import nasbench201 as nasbench201_accuracy
from hwnas_env.accuracy.columns import (
    LayeredAccuracy,
    TableAccuracy,
    parse_accuracy,
)
from hwnas_env.accuracy.user import function_accuracy, table_accuracy
from hwnas_env.additive import Linear, join, stateless
from hwnas_env.arguments import check_name
from hwnas_env.costs.builtin import builtin_costs
from hwnas_env.costs.columns import LayeredCosts, TableCosts
from hwnas_env.costs.measured import measured_costs
from hwnas_env.devices import Device, get_device
from hwnas_env.errors import (
    DataMissingError,
    InvalidArgumentError,
    NotMeasuredError,
    shown,
)
from hwnas_env.extras import load_object
from hwnas_env.metrics import EXACT_METRICS, METRICS
from hwnas_env.problems.layered import LayeredModel
from hwnas_env.problems.model import Model
from hwnas_env.problems.problem import Problem
from hwnas_env.problems.tabular import TableModel
from hwnas_env.spaces import SearchSpace, fbnet, get_space, nasbench201
from hwnas_env.types import AccuracyFunction, Provenance

SOURCES = ("builtin", "measured", "auto")

Accuracy = str | int | AccuracyFunction | npt.NDArray[Any]


def make_problem(
    space: str,
    *,
    device: str,
    dataset: str | None = None,
    metric: str = "latency_ms",
    source: str = "builtin",
    accuracy: Accuracy = "mean",
) -> Problem:
    """Makes a problem: one search space, on one device and dataset.

    Args:
        space: nasbench201 or fbnet.
        device: edgegpu, raspi4, edgetpu, pixel3, eyeriss or fpga.
        dataset: one of the space's; by default cifar10 (NAS-Bench-201), ImageNet
            (FBNet).
        metric: what budgets are set on, latency_ms or energy_mj.
        source: "builtin", the same on every machine; "measured", the imported
            HW-NAS-Bench; "auto", measured where it is there and complete, else builtin.
            ``problem.source`` says which it became.
        accuracy: "mean", a run's index, "sampled" (NAS-Bench-201, validation accuracy
            after 200 epochs); the full name of an imported one, like
            "test-200ep-mean"; "noisy-SEED" (FBNet: the surrogate with noise of its
            stated size); a function of genotypes ``(N, L)`` to percent ``(N,)``,
            itself or as "package.module:function"; or a table (see
            :func:`hwnas_env.accuracy.user.table_accuracy`).

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
    found, target = get_space(space), get_device(device)
    name = found.check_dataset(found.default_dataset if dataset is None else dataset)
    valid = [m for m in target.metrics_in(found.name) if METRICS[m].budgetable]
    check_name(metric, valid, what=f"budget metric of {target.name}")
    check_name(source, SOURCES, what="source")
    if isinstance(accuracy, np.integer):
        accuracy = int(accuracy)
    if isinstance(accuracy, bool) or not (
        isinstance(accuracy, (str, int, np.ndarray)) or callable(accuracy)
    ):
        message = (
            "accuracy: expected a name, an index, a function or a table (an array), "
            f"got {shown(accuracy)}"
        )
        raise InvalidArgumentError(message)
    if source == "builtin" and isinstance(accuracy, (str, int)) and _bundled(accuracy):
        return _cached(found, target, name, metric, accuracy)
    return build_problem(found, target, name, metric, source, accuracy)


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


@functools.cache
def load_presets() -> dict[str, Any]:
    """Returns the committed budgets: space, device, dataset, metric, name to number."""
    file = importlib.resources.files("hwnas_env.problems") / "budgets.json"
    presets: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return presets


def _bundled(accuracy: str | int) -> bool:
    """Whether an accuracy is the same as long as the process lives."""
    return isinstance(accuracy, int) or accuracy in ("mean", "sampled")


@functools.lru_cache(maxsize=64)
def _cached(
    space: SearchSpace, device: Device, dataset: str, metric: str, accuracy: str | int
) -> Problem:
    return build_problem(space, device, dataset, metric, "builtin", accuracy)


def build_problem(
    space: SearchSpace,
    device: Device,
    dataset: str,
    metric: str,
    source: str,
    accuracy: Accuracy,
    presets: Mapping[str, float] | None = None,
) -> Problem:
    """Builds a problem from checked names; ``presets`` where none are committed."""
    costs, resolved = _costs(space, device, dataset, source, metric)
    scores, run = _accuracy(space, dataset, accuracy)
    model: Model
    if isinstance(costs, TableCosts) and isinstance(scores, TableAccuracy):
        model = _tabular(space, dataset, costs, scores, run)
    else:
        assert isinstance(costs, LayeredCosts), "spaces are tables or layers"
        assert isinstance(scores, LayeredAccuracy), "spaces are tables or layers"
        model = _layered(dataset, costs, scores)
    if presets is None:
        presets = load_presets()[space.name][device.name][dataset][metric]
    return Problem(
        space=space,
        device=device,
        dataset=dataset,
        metric=metric,
        metrics=(*costs.provenance, *EXACT_METRICS),
        source=resolved,
        accuracy=scores.name,
        committed=tuple(presets.items()),
        origins=tuple(
            {
                "accuracy": scores.provenance,
                **costs.provenance,
                **dict.fromkeys(EXACT_METRICS, _COUNTED),
            }.items()
        ),
        model=model,
        sampled=run == "sampled",
    )


_COUNTED = Provenance(
    kind="exact",
    method="counted from the architecture",
    citation="definition of the search space",
)


def _costs(
    space: SearchSpace, device: Device, dataset: str, source: str, metric: str
) -> tuple[TableCosts | LayeredCosts, str]:
    if source == "builtin":
        return builtin_costs(space, device, dataset), "builtin"
    try:
        return measured_costs(space, device, dataset, metric=metric), "measured"
    except (DataMissingError, NotMeasuredError):
        if source == "measured":
            raise
        return builtin_costs(space, device, dataset), "builtin"


def _accuracy(
    space: SearchSpace, dataset: str, accuracy: Accuracy
) -> tuple[TableAccuracy | LayeredAccuracy, int | str]:
    if isinstance(accuracy, np.ndarray):
        return table_accuracy(space, accuracy), "mean"
    if isinstance(accuracy, str) and ":" in accuracy:
        function = load_function(accuracy)
        return function_accuracy(space, function, name=accuracy), "mean"
    if not isinstance(accuracy, (str, int)):
        name = getattr(accuracy, "__qualname__", type(accuracy).__name__)
        return function_accuracy(space, accuracy, name=name), "mean"
    if space.name == "fbnet":
        return fbnet_accuracy.surrogate_accuracy(accuracy, dataset=dataset), "mean"
    parsed = parse_accuracy(accuracy)
    return nasbench201_accuracy.measured_accuracy(parsed, dataset=dataset), parsed.run


def _tabular(
    space: SearchSpace,
    dataset: str,
    costs: TableCosts,
    scores: TableAccuracy,
    run: int | str,
) -> TableModel:
    rows = nasbench201.official_index()  # from lexicographic to official order
    genotypes = nasbench201.all_genotypes()
    deployable = costs.deployable[rows]
    device = np.column_stack([costs.values[metric][rows] for metric in costs.values])
    counts = np.column_stack(
        [
            space.parameters(genotypes, dataset=dataset) / 1e6,
            space.flops(genotypes, dataset=dataset) / 1e6,
        ]
    )
    table = np.column_stack([np.where(deployable[:, None], device, np.inf), counts])
    model = TableModel(
        accuracy_percent=scores.mean[rows],
        accuracy_runs=None if scores.runs is None else scores.runs[rows],
        chosen_run=run if isinstance(run, int) else None,
        costs=table,
        deployable=deployable,
        train_seconds=None
        if scores.train_seconds is None
        else scores.train_seconds[rows],
    )
    for value in vars(model).values():
        if isinstance(value, np.ndarray):
            value.setflags(write=False)
    return model


def _layered(
    dataset: str, costs: LayeredCosts, scores: LayeredAccuracy
) -> LayeredModel:
    fixed, blocks = fbnet.count_tables(dataset)
    parts = [
        *costs.quantities.values(),
        *(
            stateless(float(start), entries.astype(np.float64), link=Linear(unit=1e6))
            for start, entries in zip(fixed, blocks, strict=True)
        ),
    ]
    if scores.score is not None:
        parts.append(scores.score)
    return LayeredModel(join(parts), scores.function, scores.noise)
