"""What a device's file may say: every place is checked, and named where it is wrong."""

import math
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NoReturn, get_args

from hwnas_env.arguments import as_number, check_name, is_whole
from hwnas_env.engines.registry import check_words
from hwnas_env.errors import DeviceFileError, InvalidArgumentError, shown
from hwnas_env.types import Fidelity, Kind

if TYPE_CHECKING:
    from hwnas_env.devices.device import Device

LAST = 1 << 20
"""The place of a device that names none: behind those that do."""

_OF_SPACE = ("metrics", "columns", "budgets", "cannot_run", "unmeasured", "measured")

TABLE = ("table", "table_sha256")
"""What stands in a column's entry for numbers that lie in a file beside."""


def check_texts(device: "Device") -> None:
    """Checks what a device is called, and that the rest is of the right type."""
    origin = device.origin
    try:
        check_words(device, dashes=True)
    except InvalidArgumentError as error:
        refuse(origin, str(error))
    for key in ("hardware", "group", "sha256"):
        if not isinstance(getattr(device, key), str):
            came = shown(getattr(device, key))
            refuse(origin, f"{key}: expected a text, got {came}")
    spaces = device.spaces
    if not (isinstance(spaces, Mapping) and spaces) or not all(
        isinstance(facts, Mapping) for facts in spaces.values()
    ):
        refuse(origin, f"spaces: expected an object, got {shown(spaces)}")
    if not is_whole(device.place) or not 0 <= device.place <= LAST:
        expected = f"a whole number from 0 to {LAST}"
        refuse(origin, f"place: expected {expected}, got {shown(device.place)}")


def refuse(origin: str, words: str) -> NoReturn:
    """Raises DeviceFileError: where, and what is wrong there."""
    message = f"{origin}: {words}"
    raise DeviceFileError(message)


def unknown(name: Any, valid: Any, what: str) -> Exception:
    """Returns the error for a name that there is not, with the nearest right one."""
    try:
        check_name(name, valid, what=what)
    except ValueError as error:
        return error
    raise AssertionError(name)


def is_positive(value: Any) -> bool:
    """Whether something is a finite number above 0."""
    return 0 < as_number(value) < math.inf


def check_space(device: "Device", space: str, facts: Mapping[str, Any]) -> None:
    """Checks what a device says of one search space.

    Raises:
        DeviceFileError: names the place that is wrong and what was expected there.
    """
    from hwnas_env.metrics import METRICS  # only a check needs them

    where = f"{device.origin}: spaces: {space}"
    for key in facts:
        if key not in _OF_SPACE:
            refuse(where, str(unknown(key, _OF_SPACE, "key")))
    metrics = facts.get("metrics")
    if not isinstance(metrics, list) or not metrics:
        refuse(where, f"metrics: expected a list of names, got {shown(metrics)}")
    for metric in metrics:
        if not isinstance(metric, str) or metric not in METRICS:
            refuse(where, f"metrics: {unknown(metric, METRICS, 'metric')}")
        alias = device.aliases.get(metric)
        if alias is not None and alias.of not in metrics[: metrics.index(metric)]:
            words = f"{metric} is an alias of {alias.of}, which has to come before it"
            refuse(where, f"metrics: {words}")
    if not any(METRICS[metric].budgetable for metric in metrics):
        valid = ", ".join(name for name, one in METRICS.items() if one.budgetable)
        words = f"metrics: expected one that a budget can be on ({valid})"
        refuse(where, f"{words}, got {', '.join(metrics)}")
    columns = facts.get("columns")
    if not isinstance(columns, dict) or not columns:
        refuse(where, f"columns: expected datasets, got {shown(columns)}")
    for dataset, entries in columns.items():
        if not isinstance(entries, dict) or set(entries) != set(metrics):
            came = ", ".join(entries) if isinstance(entries, dict) else shown(entries)
            words = f"columns: {dataset}: expected {', '.join(metrics)}, got {came}"
            lacking = set(metrics) - set(entries if isinstance(entries, dict) else ())
            if lacking & set(device.aliases):
                words += '; an alias has its "kind" and "method" there too'
            refuse(where, words)
        for metric, entry in entries.items():
            _check_entry(entry, columns, metric, f"{where}: {dataset}: {metric}")
    _check_budgets(facts.get("budgets", {}), columns, where)
    measured = facts.get("measured", {})
    if not isinstance(measured, dict):
        refuse(where, f"measured: expected an object, got {shown(measured)}")
    for dataset, rows in measured.items():
        if dataset not in columns:
            refuse(where, f"measured: {shown(dataset)} is no dataset of its columns")
        _check_measured(rows, metrics, f"{where}: measured: {dataset}")
    lacks = facts.get("cannot_run", [])
    if not isinstance(lacks, str) and not (
        isinstance(lacks, (list, tuple)) and all(isinstance(one, str) for one in lacks)
    ):
        refuse(where, f"cannot_run: expected a list of networks, got {shown(lacks)}")


def _check_entry(
    entry: Any, columns: Mapping[str, Any], metric: str, where: str
) -> None:
    if not isinstance(entry, dict):
        refuse(where, f"expected an object, got {shown(entry)}")
    if entry.get("kind") not in get_args(Kind):
        refuse(where, str(unknown(entry.get("kind"), get_args(Kind), "kind")))
    if not isinstance(entry.get("method"), str):
        words = "a sentence on how a number is computed"
        refuse(where, f"method: expected {words}, got {shown(entry.get('method'))}")
    for key in ("citation", "calibrated_on"):
        if not isinstance(entry.get(key, ""), str):
            refuse(where, f"{key}: expected a text, got {shown(entry[key])}")
    card = entry.get("fidelity")
    if card is not None:
        try:
            Fidelity(**card)
        except TypeError as error:
            refuse(where, f"fidelity: {error}")
        for key, value in card.items():
            if not (isinstance(value, str) if key == "method" else _is_figure(value)):
                refuse(where, f"fidelity: {key}: did not expect {shown(value)}")
    if "table" in entry:
        check_table(entry, where)
    origin = entry.get("from")
    if origin is None:
        return
    known = isinstance(origin, str) and origin in columns
    if not known or "from" in columns[origin].get(metric, entry):
        refuse(
            where, f"from: expected a dataset with coefficients, got {shown(origin)}"
        )


def _is_figure(value: Any) -> bool:
    return value is None or math.isfinite(as_number(value))


def _check_budgets(budgets: Any, columns: Mapping[str, Any], where: str) -> None:
    if not isinstance(budgets, dict):
        refuse(where, f"budgets: expected an object, got {shown(budgets)}")
    names = {"tight", "medium", "loose", "q05", "q95"}
    for dataset, by_metric in budgets.items():
        if dataset not in columns or not isinstance(by_metric, dict):
            refuse(where, f"budgets: {shown(dataset)} is no dataset of its columns")
        for metric, presets in by_metric.items():
            good = isinstance(presets, dict) and presets.keys() == names
            if not good or not all(map(is_positive, presets.values())):
                expected = f"positive numbers for {', '.join(sorted(names))}"
                words = f"{dataset}: {metric}: expected {expected}"
                refuse(where, f"budgets: {words}, got {shown(presets)}")


def check_table(entry: Mapping[str, Any], where: str) -> None:
    """Raises unless an entry names a file beside the device's, and its digest."""
    file = entry.get("table")
    if not isinstance(file, str) or not _BESIDE.fullmatch(file):
        words = "the name of an .npz file beside this one"
        refuse(where, f"table: expected {words}, got {shown(file)}")
    digest = entry.get("table_sha256")
    if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
        refuse(where, f"table_sha256: expected 64 digits, got {shown(digest)}")


_BESIDE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,120}\.npz")
_DIGEST = re.compile(r"[0-9a-f]{64}")


def _check_measured(rows: Any, metrics: list[str], where: str) -> None:
    """Checks the networks that a device was fitted from."""
    networks = rows.get("networks") if isinstance(rows, dict) else None
    listed = isinstance(networks, list) and all(isinstance(n, str) for n in networks)
    if not isinstance(networks, list) or not listed or not networks:
        refuse(where, f"networks: expected a list of words, got {shown(networks)}")
    if len(set(networks)) < len(networks):
        refuse(where, "networks: expected each once")
    for key, column in rows.items():
        if key in ("networks", "protocol"):
            continue
        if key == "validation":
            inside = range(len(networks))
            good = isinstance(column, list) and all(
                is_whole(row) and row in inside for row in column
            )
            if not good or len(set(column)) < len(column):
                refuse(where, "validation: expected rows of the networks, each once")
            continue
        if key.removesuffix("_again") not in metrics:
            refuse(where, str(unknown(key, metrics, "metric")))
        if not isinstance(column, list) or len(column) != len(networks):
            refuse(where, f"{key}: expected {len(networks)} numbers, one a network")
        for number in column:
            if not is_positive(number):
                refuse(where, f"{key}: expected numbers above 0, got {shown(number)}")
    if not isinstance(rows.get("protocol", {}), dict):
        refuse(where, f"protocol: expected an object, got {shown(rows['protocol'])}")
