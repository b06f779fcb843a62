"""One network on every device that has costs in its space."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import gymnasium as gym
from rich.console import Group
from rich.table import Table

from hwnas_env.arguments import check_name
from hwnas_env.benchmark.runs import Task
from hwnas_env.devices import Device, get_device
from hwnas_env.envs.registration import (
    MULTI_DEVICE_ENVIRONMENTS,
    RANDOM_DEVICE_ENVIRONMENTS,
    environments,
)
from hwnas_env.errors import DataError, NotMeasuredError
from hwnas_env.reports.terminal.printing import heading
from hwnas_env.spaces import get_space


def space_of(env: str) -> str:
    """Returns the name of the search space of an environment's id.

    Raises:
        UnknownNameError: there is no such id.
    """
    several = (*MULTI_DEVICE_ENVIRONMENTS, *RANDOM_DEVICE_ENVIRONMENTS)
    name = env.removeprefix("hwnas_env:")
    check_name(name, (*environments(), *several), what="environment")
    return str(gym.spec(name).kwargs["space"])


def values(
    space: str,
    ask: Callable[[Task], dict[str, Any]],
    *,
    dataset: str | None = None,
    source: str = "builtin",
) -> list[dict[str, Any]]:
    """Returns a network's values on every device; "error" where one has none.

    Args:
        space: a search space's name.
        ask: returns the network's values on a task.
        dataset: one of the space's; None for each device's usual one.
        source: builtin, measured or auto.

    Raises:
        HWNASError: what the first device says, where none has values.
    """
    found = get_space(space)
    if dataset is not None:
        found.check_dataset(dataset)
    rows: list[dict[str, Any]] = []
    errors: list[DataError] = []
    for env in environments():
        keywords = gym.spec(env).kwargs
        if keywords["space"] != found.name:
            continue
        try:
            _check_dataset(get_device(keywords["device"]), found.name, dataset)
            rows.append(ask(Task(env, dataset, source=source)))
        except DataError as error:  # not measured there
            errors.append(error)
            rows.append({"device": keywords["device"], "error": str(error)})
    if len(errors) == len(rows):
        raise errors[0]
    return rows


def _check_dataset(device: Device, space: str, dataset: str | None) -> None:
    datasets = device.datasets_in(space)
    if dataset is not None and datasets and dataset not in datasets:
        message = f"no costs on {dataset}, but on {', '.join(datasets)}"
        raise NotMeasuredError(message)


def table(rows: Sequence[Mapping[str, Any]]) -> Group:
    """Lays a network's values on several devices out."""
    whole = [row for row in rows if "error" not in row]
    names = list(dict.fromkeys(name for row in whole for name in row["values"]))
    laid = Table()
    for title in ("device", "dataset"):
        laid.add_column(title, no_wrap=True)
    for name in names:
        title = "accuracy %" if name == "accuracy" else name
        laid.add_column(title, justify="right")
    laid.add_column("kinds of data")
    for row in whole:
        cells = (_cell(row["values"].get(name)) for name in names)
        laid.add_row(row["device"], row["dataset"], *cells, _kinds(row["values"]))
    without: dict[str, list[str]] = {}
    for row in rows:
        if "error" in row:
            without.setdefault(row["error"], []).append(row["device"])
    left = [f"{', '.join(devices)}: {error}" for error, devices in without.items()]
    return Group(heading(whole[0]["architecture"], ""), laid, *left)


def _cell(value: Mapping[str, Any] | None) -> str:
    if value is None:
        return ""
    number = value["value"]
    return "not deployable" if number is None else f"{number:.6g}"


def _kinds(found: Mapping[str, Mapping[str, Any]]) -> str:
    """Says which kind of data the columns are of."""
    kinds: dict[str, list[str]] = {}
    for name, value in found.items():
        kinds.setdefault(value["kind"], []).append(name)
    return "; ".join(f"{kind}: {', '.join(names)}" for kind, names in kinds.items())
