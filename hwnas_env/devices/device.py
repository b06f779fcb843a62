"""A device: its facts, and for each search space the coefficients of its costs.

A device is one JSON file: names, what it is, and under ``spaces``, for every search
space that it was measured in, its ``metrics``, its ``columns`` (coefficients with their
provenance by dataset and metric, in a form that the space knows) and its preset
``budgets``. docs/extending.md shows one.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, NoReturn, get_args

from hwnas_env.arguments import as_number, check_name, is_whole
from hwnas_env.data.files import read_file
from hwnas_env.data.provenance import stated_provenance
from hwnas_env.engines.registry import check_words
from hwnas_env.errors import (
    DeviceFileError,
    InvalidArgumentError,
    NotMeasuredError,
    shown,
)
from hwnas_env.types import Alias, Fidelity, Kind, Provenance

SCHEMA = 1
"""The version of the file's form that this version reads."""

LAST = 1 << 20
"""The place of a device that names none: behind those that do."""

_ALL = ("schema", "name", "label", "place", "hardware", "group", "aliases", "spaces")
_OF_SPACE = ("metrics", "columns", "budgets", "cannot_run", "unmeasured")


@dataclass(frozen=True, eq=False)
class Device:
    """Describes one device; immutable.

    Attributes:
        name: the key in ``DEVICES``, for example "edgetpu".
        label: the word in environment ids, for example "EdgeTPU".
        spaces: what the file says of each search space, by the space's name.
        hardware: what was measured.
        group: what kind of device it is: "edge", "FPGA", "ASIC", ...
        aliases: metrics that are another one times a factor, by name.
        place: where it stands in lists of devices.
        origin: where it was read, for messages.
    """

    name: str
    label: str
    spaces: Mapping[str, Mapping[str, Any]]
    hardware: str = ""
    group: str = ""
    aliases: Mapping[str, Alias] = field(default_factory=dict)
    place: int = LAST
    origin: str = "a device"

    @property
    def metrics(self) -> tuple[str, ...]:
        """The metrics that it has in every space it was measured in."""
        each = [self.metrics_in(space) for space in self.spaces]
        first = each[0] if each else ()
        return tuple(name for name in first if all(name in names for names in each))

    def metrics_in(self, space: str) -> tuple[str, ...]:
        """Returns the device's metrics in a search space, by the space's name."""
        return tuple(self.facts(space).get("metrics", ()))

    def datasets_in(self, space: str) -> tuple[str, ...]:
        """Returns the datasets that the device has costs of in a search space."""
        return tuple(self.facts(space).get("columns", ()))

    def facts(self, space: str) -> Mapping[str, Any]:
        """Returns what the file says of a search space; nothing where it has none."""
        return self.spaces.get(space, MappingProxyType({}))

    def coefficients(self, space: str, dataset: str, metric: str) -> Mapping[str, Any]:
        """Returns one column's coefficients and provenance, as the file has them.

        Raises:
            DeviceFileError: something in the file is wrong; says where.
            NotMeasuredError: the device has no such column.
        """
        self.check()
        columns = self.facts(space).get("columns", {})
        entry = columns.get(dataset, {}).get(metric)
        if entry is None:
            message = (
                f"{self.name} has no {metric} in {space} on {dataset}; it has "
                f"{', '.join(columns) or 'nothing there'}"
            )
            raise NotMeasuredError(message)
        return entry  # type: ignore[no-any-return]

    def provenance(self, space: str, dataset: str, metric: str) -> Provenance:
        """Returns where one column's numbers come from.

        Its SHA-256 is that of the column's coefficients in canonical form, with those
        that they are moved from: no other device, column or card changes it.
        """
        entry = self.coefficients(space, dataset, metric)
        alias = self.aliases.get(metric)
        used: list[Any] = []
        if alias is not None:
            base = self.provenance(space, dataset, alias.of)
            how = ["inverse"] if alias.inverse else []
            used.append([alias.of, alias.factor, base.sha256, *how])
        if "from" in entry:
            used.append(self.provenance(space, entry["from"], metric).sha256)
        return stated_provenance(entry, *used)

    def presets(self, space: str, dataset: str, metric: str) -> dict[str, float] | None:
        """Returns the committed budgets by name, None where the file has none."""
        self.check()
        found = self.facts(space).get("budgets", {}).get(dataset, {}).get(metric)
        return None if found is None else dict(found)

    def check(self) -> None:
        """Checks everything that the file says; the first time that it is asked for.

        Raises:
            DeviceFileError: names the place that is wrong and what was expected there.
        """
        if not vars(self).get("_is_checked"):
            _check_texts(self)
            for space, facts in self.spaces.items():
                _check_space(self, space, facts)
            vars(self)["_is_checked"] = True

    def __deepcopy__(self, memo: dict[int, Any]) -> "Device":
        """Returns itself: nothing of a device changes."""
        return self

    def __reduce__(self) -> Any:
        """Leaves behind what was worked out."""
        return _rebuild, (
            *(self.name, self.label, dict(self.spaces), self.hardware, self.group),
            *(dict(self.aliases), self.place, self.origin),
        )


def _rebuild(*parts: Any) -> Device:
    return Device(*parts)


def read_device(path: Path) -> Device:
    """Reads a device's file; only its names are checked, the rest when it is used.

    Raises:
        DeviceFileError: it is no device's file of this version.
        DataMissingError: there is no such file.
        DataError: it cannot be read.
    """
    return parse_device(read_file(path), origin=str(path))


def parse_device(content: bytes, *, origin: str) -> Device:
    """Reads the bytes of a device's file; see :func:`read_device`.

    Args:
        content: the file's.
        origin: how messages call it.
    """
    try:
        found = json.loads(content, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        _refuse(origin, f"not JSON ({str(error)[:200]})")
    if not isinstance(found, dict):
        _refuse(origin, f"expected an object, got {shown(found)}")
    if found.get("schema") != SCHEMA or found["schema"] is True:
        came = shown(found.get("schema"))
        _refuse(origin, f'expected "schema": {SCHEMA}, got {came}')
    for key in found:
        if key not in _ALL:
            _refuse(origin, str(_unknown(key, _ALL, "key")))
    device = Device(
        found.get("name", ""),
        found.get("label", ""),
        found.get("spaces", {}),
        found.get("hardware", ""),
        found.get("group", ""),
        _aliases(found.get("aliases", {}), origin),
        found.get("place", LAST),
        origin,
    )
    _check_texts(device)
    return device


def _refuse_constant(name: str) -> NoReturn:
    """Raises for NaN and Infinity, which are no numbers of JSON."""
    message = f"expected finite numbers, got {name}"
    raise ValueError(message)


def _check_texts(device: Device) -> None:
    """Checks what a device is called, and that the rest is of the right type."""
    origin = device.origin
    try:
        check_words(device, dashes=True)
    except InvalidArgumentError as error:
        _refuse(origin, str(error))
    for key in ("hardware", "group"):
        if not isinstance(getattr(device, key), str):
            came = shown(getattr(device, key))
            _refuse(origin, f"{key}: expected a text, got {came}")
    spaces = device.spaces
    if not (isinstance(spaces, Mapping) and spaces) or not all(
        isinstance(facts, Mapping) for facts in spaces.values()
    ):
        _refuse(origin, f"spaces: expected an object, got {shown(spaces)}")
    if not is_whole(device.place) or not 0 <= device.place <= LAST:
        expected = f"a whole number from 0 to {LAST}"
        _refuse(origin, f"place: expected {expected}, got {shown(device.place)}")


def _refuse(origin: str, words: str) -> NoReturn:
    message = f"{origin}: {words}"
    raise DeviceFileError(message)


def _unknown(name: Any, valid: Any, what: str) -> Exception:
    try:
        check_name(name, valid, what=what)
    except ValueError as error:
        return error
    raise AssertionError(name)


def _aliases(given: Any, origin: str) -> dict[str, Alias]:
    aliases = {}
    for metric, alias in given.items() if isinstance(given, dict) else [("", given)]:
        keys = set(alias) if isinstance(alias, dict) else set()
        if keys - {"inverse"} != {"of", "factor"}:
            expected = '{"metric": {"of": "another", "factor": 7.0}}'
            _refuse(origin, f"aliases: expected {expected}, got {shown(alias)}")
        if not isinstance(alias["of"], str):
            _refuse(origin, f"aliases: {metric}: expected a metric to be an alias of")
        if not _is_positive(alias["factor"]):
            came = shown(alias["factor"])
            _refuse(origin, f"aliases: {metric}: expected a factor > 0, got {came}")
        inverse = alias.get("inverse", False)
        if not isinstance(inverse, bool):
            came = shown(inverse)
            _refuse(origin, f"aliases: {metric}: inverse: expected a bool, got {came}")
        aliases[metric] = Alias(alias["of"], float(alias["factor"]), inverse)
    return aliases


def _is_positive(value: Any) -> bool:
    return 0 < as_number(value) < math.inf


def _check_space(device: Device, space: str, facts: Mapping[str, Any]) -> None:
    from hwnas_env.metrics import METRICS  # only a check needs them

    where = f"{device.origin}: spaces: {space}"
    for key in facts:
        if key not in _OF_SPACE:
            _refuse(where, str(_unknown(key, _OF_SPACE, "key")))
    metrics = facts.get("metrics")
    if not isinstance(metrics, list) or not metrics:
        _refuse(where, f"metrics: expected a list of names, got {shown(metrics)}")
    for metric in metrics:
        if not isinstance(metric, str) or metric not in METRICS:
            _refuse(where, f"metrics: {_unknown(metric, METRICS, 'metric')}")
        alias = device.aliases.get(metric)
        if alias is not None and alias.of not in metrics[: metrics.index(metric)]:
            words = f"{metric} is an alias of {alias.of}, which has to come before it"
            _refuse(where, f"metrics: {words}")
    if not any(METRICS[metric].budgetable for metric in metrics):
        valid = ", ".join(name for name, one in METRICS.items() if one.budgetable)
        words = f"metrics: expected one that a budget can be on ({valid})"
        _refuse(where, f"{words}, got {', '.join(metrics)}")
    columns = facts.get("columns")
    if not isinstance(columns, dict) or not columns:
        _refuse(where, f"columns: expected datasets, got {shown(columns)}")
    for dataset, entries in columns.items():
        if not isinstance(entries, dict) or set(entries) != set(metrics):
            came = ", ".join(entries) if isinstance(entries, dict) else shown(entries)
            words = f"columns: {dataset}: expected {', '.join(metrics)}, got {came}"
            lacking = set(metrics) - set(entries if isinstance(entries, dict) else ())
            if lacking & set(device.aliases):
                words += '; an alias has its "kind" and "method" there too'
            _refuse(where, words)
        for metric, entry in entries.items():
            _check_entry(entry, columns, metric, f"{where}: {dataset}: {metric}")
    _check_budgets(facts.get("budgets", {}), columns, where)
    lacks = facts.get("cannot_run", [])
    if not isinstance(lacks, str) and not (
        isinstance(lacks, (list, tuple)) and all(isinstance(one, str) for one in lacks)
    ):
        _refuse(where, f"cannot_run: expected a list of networks, got {shown(lacks)}")


def _check_entry(
    entry: Any, columns: Mapping[str, Any], metric: str, where: str
) -> None:
    if not isinstance(entry, dict):
        _refuse(where, f"expected an object, got {shown(entry)}")
    if entry.get("kind") not in get_args(Kind):
        _refuse(where, str(_unknown(entry.get("kind"), get_args(Kind), "kind")))
    if not isinstance(entry.get("method"), str):
        words = "a sentence on how a number is computed"
        _refuse(where, f"method: expected {words}, got {shown(entry.get('method'))}")
    for key in ("citation", "calibrated_on"):
        if not isinstance(entry.get(key, ""), str):
            _refuse(where, f"{key}: expected a text, got {shown(entry[key])}")
    card = entry.get("fidelity")
    if card is not None:
        try:
            Fidelity(**card)
        except TypeError as error:
            _refuse(where, f"fidelity: {error}")
        for key, value in card.items():
            if not (isinstance(value, str) if key == "method" else _is_figure(value)):
                _refuse(where, f"fidelity: {key}: did not expect {shown(value)}")
    origin = entry.get("from")
    if origin is None:
        return
    known = isinstance(origin, str) and origin in columns
    if not known or "from" in columns[origin].get(metric, entry):
        _refuse(where, f"from: expected a dataset with coefficients, got {origin!r}")


def _is_figure(value: Any) -> bool:
    return value is None or math.isfinite(as_number(value))


def _check_budgets(budgets: Any, columns: Mapping[str, Any], where: str) -> None:
    if not isinstance(budgets, dict):
        _refuse(where, f"budgets: expected an object, got {shown(budgets)}")
    names = {"tight", "medium", "loose", "q05", "q95"}
    for dataset, by_metric in budgets.items():
        if dataset not in columns or not isinstance(by_metric, dict):
            _refuse(where, f"budgets: {shown(dataset)} is no dataset of its columns")
        for metric, presets in by_metric.items():
            good = isinstance(presets, dict) and presets.keys() == names
            if not good or not all(map(_is_positive, presets.values())):
                expected = f"positive numbers for {', '.join(sorted(names))}"
                words = f"{dataset}: {metric}: expected {expected}"
                _refuse(where, f"budgets: {words}, got {shown(presets)}")
