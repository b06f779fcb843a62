"""Built-in costs of MnasNet: sums fitted to Accel-NASBench's measurements."""

from collections.abc import Callable, Mapping
from typing import Any

from hwnas_env.arguments import as_number, check_name
from hwnas_env.engines.additive import Additive
from hwnas_env.engines.columns import CostSource
from hwnas_env.engines.forms import LayeredSpace, check_coefficients
from hwnas_env.engines.links import Linear, Link
from hwnas_env.errors import DeviceFileError
from hwnas_env.spaces.mnasnet.links import SoftFloor
from hwnas_env.spaces.mnasnet.sums import STEPS, build

FORMS: Mapping[str, tuple[tuple[str, ...], Callable[..., Link]]] = {
    "sum": (("grid_{unit}",), Linear),
    "soft floor": (("grid_{unit}", "floor_{unit}", "softness_{unit}"), SoftFloor),
}
"""The forms of coefficients: the numbers that each has, by its metric's unit, the size
of a step first, and the link that takes the others."""


def quantity(
    space: LayeredSpace, device: CostSource, dataset: str, metric: str
) -> Additive:
    """Builds one cost from a device's coefficients.

    Args:
        space: MnasNet.
        device: its coefficients name their form. "sum": the cost is a sum over blocks
            and pairs of blocks, see :func:`~hwnas_env.spaces.mnasnet.sums.build`.
            "soft floor": it bends from such a sum to a floor below which no network
            falls. Without a form: see :meth:`LayeredSpace.quantity`.
        dataset: ImageNet.
        metric: one of the device's.

    Raises:
        DeviceFileError: the coefficients are of none of these forms.
        NotMeasuredError: the device has no such column.
    """
    entry = device.coefficients(space.name, dataset, metric)
    if "form" not in entry:
        return LayeredSpace.quantity(space, device, dataset, metric)
    where = f"{device.name}: {metric} in {space.name} on {dataset}"
    try:
        return from_entry(entry, metric)
    except (LookupError, TypeError, ValueError, OverflowError) as error:
        message = f"{where}: coefficients that are not understood ({error!s:.200})"
        raise DeviceFileError(message) from None


def from_entry(entry: Mapping[str, Any], metric: str) -> Additive:
    """Builds one cost from coefficients that name their form.

    Args:
        entry: the coefficients; see :func:`quantity`.
        metric: of what; its unit is in the names of coefficients.

    Raises:
        ValueError: they are of no such form.
        KeyError: one is missing.
    """
    names, link = FORMS[check_name(entry["form"], FORMS, what="form")]
    keys = [name.format(unit=metric.rsplit("_", 1)[1]) for name in names]
    check_coefficients(entry, ("form", *keys, *STEPS), metric)
    grid, *others = (as_number(entry[key]) for key in keys)
    if not all(0.0 < number < float("inf") for number in (grid, *others)):
        message = f"expected numbers above 0 for {', '.join(keys)}"
        raise ValueError(message)
    return build(entry, grid=grid, link=link(*others))
