"""Built-in costs of FBNet: fitted where sums were published, modelled elsewhere."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from hwnas_env.arguments import check_name
from hwnas_env.engines.additive import Additive, stateless
from hwnas_env.engines.columns import CostSource
from hwnas_env.engines.forms import LayeredSpace, check_coefficients
from hwnas_env.engines.links import Linear
from hwnas_env.errors import DeviceFileError
from hwnas_env.spaces.fbnet.facts import layers
from hwnas_env.spaces.fbnet.operations import chain_latency
from hwnas_env.spaces.fbnet.terms import pipeline_table, weighted_table
from hwnas_env.types import FloatArray


def quantity(
    space: LayeredSpace, device: CostSource, dataset: str, metric: str
) -> Additive:
    """Builds one cost from a device's coefficients.

    Args:
        space: FBNet.
        device: its coefficients name their form. "operations": a chain of operations
            that hide each other's start. "pipeline": a rule of overlapping stages.
            "terms": weights of counted work. "blocks": whole numbers a distinct layer
            shape. Without a form: see :meth:`LayeredSpace.quantity`.
        dataset: cifar100 or ImageNet.
        metric: one of the device's.

    Raises:
        DeviceFileError: the coefficients are of none of these forms.
        NotMeasuredError: the device has no such column.
    """
    entry = device.coefficients(space.name, dataset, metric)
    if "form" not in entry:
        return LayeredSpace.quantity(space, device, dataset, metric)
    try:
        return build(entry, dataset=dataset, metric=metric)
    except (
        LookupError,
        TypeError,
        ValueError,
        AttributeError,
        ArithmeticError,
    ) as error:
        if isinstance(error, DeviceFileError):
            raise
        problem = f"{type(error).__name__}: {str(error)[:200]}"
    message = (
        f"{device.name}: {metric} in {space.name} on {dataset}: coefficients that are "
        f"not understood ({problem})"
    )
    raise DeviceFileError(message)


FORMS: Mapping[str, tuple[str, ...]] = {
    "operations": (
        *("inference_ms", "floor_ms", "pooling_ms", "array_slowdown", "exposed"),
        *("depthwise_ms_per_mmac", "stream_ms_per_mb"),
    ),
    "pipeline": ("mac_ns", "depthwise_tap_ns", "fill_ns"),
    "terms": ("start_{unit}", "weights_{unit}"),
    "blocks": ("start_steps", "block_steps", "grid_{unit}"),
}
"""The forms of coefficients, and what each has, by its metric's unit."""


def build(entry: Mapping[str, Any], *, dataset: str, metric: str) -> Additive:
    """Builds one cost from coefficients that name their form.

    Args:
        entry: the coefficients; see :func:`quantity`.
        dataset: cifar100 or ImageNet.
        metric: of what; its unit is in the names of coefficients.

    Raises:
        KeyError: a coefficient is missing.
        UnknownNameError: there is no such form.
        DeviceFileError: a form has no such coefficient.
    """
    form, unit = entry["form"], metric.rsplit("_", 1)[1]
    check_name(form, FORMS, what="form")
    valid = [name.format(unit=unit) for name in FORMS[form]]
    check_coefficients(entry, ("form", *valid), metric)
    if form == "operations":
        return chain_latency(entry, dataset=dataset)
    if form == "pipeline":
        return stateless(0.0, pipeline_table(entry, dataset=dataset), link=Linear())
    if form == "terms":
        table = weighted_table(entry[f"weights_{unit}"], dataset=dataset)
        return stateless(entry[f"start_{unit}"], table, link=Linear())
    grid = entry[f"grid_{unit}"]
    table = block_table(entry["block_steps"], dataset=dataset) * grid
    return stateless(entry["start_steps"] * grid, table, link=Linear())


def block_table(rows: list[list[int]], *, dataset: str) -> FloatArray:
    """Spreads rows of the distinct layer shapes over the layers: ``(22, 9)``.

    Args:
        rows: one a shape, in the order in which shapes first appear, with the eight
            blocks' values as differences to skip.
        dataset: cifar100 or ImageNet.
    """
    shapes = layers(dataset)
    distinct = list(dict.fromkeys(shapes))
    table = np.zeros((len(distinct), len(rows[0]) + 1))
    table[:, :-1] = rows
    return np.asarray(table[[distinct.index(shape) for shape in shapes]])
