"""A device: its facts, and for each search space the coefficients of its costs.

A device is one JSON file: names, what it is, and under ``spaces``, for every search
space that it was measured in, its ``metrics``, its ``columns`` (coefficients with their
provenance by dataset and metric, in a form that the space knows) and its preset
``budgets``. docs/extending.md shows one.
"""

import functools
import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, NoReturn

import numpy as np

from hwnas_env.arguments import path_of
from hwnas_env.data.files import check_unpacked, read_file
from hwnas_env.data.provenance import stated_provenance
from hwnas_env.devices.checks import (
    LAST,
    TABLE,
    check_space,
    check_texts,
    is_positive,
    refuse,
    unknown,
)
from hwnas_env.errors import DataError, NotMeasuredError, shown
from hwnas_env.showing import line
from hwnas_env.types import Alias, AnyPath, FloatArray, Provenance

LARGEST_TABLE = 1 << 27
"""Most bytes of a table's numbers, 16 million of them."""

SCHEMA = 1
"""The version of the file's form that this version reads."""

DIGITS = 16
"""Digits of a digest that stand in specs."""

_ALL = (
    *("schema", "name", "label", "place", "hardware", "group", "aliases", "spaces"),
    "sha256",
)


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
        sha256: digest of the file, where it states one; see :func:`digest_of`.
    """

    name: str
    label: str
    spaces: Mapping[str, Mapping[str, Any]]
    hardware: str = ""
    group: str = ""
    aliases: Mapping[str, Alias] = field(default_factory=dict)
    place: int = LAST
    origin: str = "a device"
    sha256: str = ""

    is_broken: ClassVar[bool] = False

    def __repr__(self) -> str:
        """Returns the label, what was measured, and where."""
        where = ", ".join(
            f"{space}: {', '.join(self.metrics_in(space))}" for space in self.spaces
        )
        hardware = f" ({self.hardware})" if self.hardware else ""
        return line("Device", f"{self.label}{hardware}, {where}")

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
        if "table" in entry:
            kept = {key: entry[key] for key in entry if key not in TABLE}
            return {**kept, "values": self.table(entry)}
        return entry  # type: ignore[no-any-return]

    def table(self, entry: Mapping[str, Any]) -> FloatArray:
        """Returns a column that lies in a file beside the device's.

        Args:
            entry: "table", the file's name, and "table_sha256", the digest of its
                numbers as little-endian float64.

        Raises:
            DeviceFileError: the file has other numbers.
            DataError: it cannot be read.
        """
        return read_table(self.origin, entry["table"], entry["table_sha256"])

    def provenance(self, space: str, dataset: str, metric: str) -> Provenance:
        """Returns where one column's numbers come from.

        Its SHA-256 is that of the column's coefficients in canonical form, with those
        that they are moved from: no other device, column or card changes it.
        """
        self.coefficients(space, dataset, metric)
        entry = self.facts(space)["columns"][dataset][metric]
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

    def digest(self, space: str, dataset: str) -> str:
        """Returns the first digits of the digest of a dataset's costs and budgets."""
        facts = self.facts(space)
        said = {key: facts.get(key, {}).get(dataset) for key in ("columns", "budgets")}
        return digest_of({**said, "cannot_run": facts.get("cannot_run")})[:DIGITS]

    def digests(self) -> set[str]:
        """Returns the digests of all spaces and datasets."""
        return {
            self.digest(space, dataset)
            for space in self.spaces
            for dataset in self.datasets_in(space)
        }

    def check(self) -> None:
        """Checks everything that the file says; the first time that it is asked for.

        Raises:
            DeviceFileError: names the place that is wrong and what was expected there.
        """
        if not vars(self).get("_is_checked"):
            check_texts(self)
            for space, facts in self.spaces.items():
                check_space(self, space, facts)
            vars(self)["_is_checked"] = True

    def __deepcopy__(self, memo: dict[int, Any]) -> "Device":
        """Returns itself: nothing of a device changes."""
        return self

    def __reduce__(self) -> Any:
        """Leaves behind what was worked out."""
        return _rebuild, (
            *(self.name, self.label, dict(self.spaces), self.hardware, self.group),
            *(dict(self.aliases), self.place, self.origin, self.sha256),
        )


class BrokenDevice(Device):
    """Stands for a file that cannot be read: whatever is asked of it is that error."""

    is_broken = True

    def check(self) -> None:
        """Raises what was wrong with the file."""
        read_device(Path(self.origin)).check()
        message = f"{self.origin}: could not be read when hwnas_env was imported"
        raise DataError(message)

    def facts(self, space: str) -> Any:
        """Raises what was wrong with the file."""
        del space
        self.check()


def _rebuild(*parts: Any) -> Device:
    return Device(*parts)


def read_device(path: AnyPath) -> Device:
    """Reads a device's file; only its names are checked, the rest when it is used.

    Raises:
        DeviceFileError: it is no device's file of this version.
        DataMissingError: there is no such file.
        DataError: it cannot be read.
    """
    file = path_of(path)
    return parse_device(read_file(file), origin=str(file))


def parse_device(content: bytes, *, origin: str) -> Device:
    """Reads the bytes of a device's file; see :func:`read_device`.

    Args:
        content: the file's.
        origin: how messages call it.
    """
    try:
        found = json.loads(content, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        refuse(origin, f"not JSON ({str(error)[:200]})")
    if not isinstance(found, dict):
        refuse(origin, f"expected an object, got {shown(found)}")
    if found.get("schema") != SCHEMA or found["schema"] is True:
        came = shown(found.get("schema"))
        refuse(origin, f'expected "schema": {SCHEMA}, got {came}')
    for key in found:
        if key not in _ALL:
            refuse(origin, str(unknown(key, _ALL, "key")))
    device = Device(
        found.get("name", ""),
        found.get("label", ""),
        found.get("spaces", {}),
        found.get("hardware", ""),
        found.get("group", ""),
        _aliases(found.get("aliases", {}), origin),
        found.get("place", LAST),
        origin,
        found.get("sha256", ""),
    )
    check_texts(device)
    if "sha256" in found and found["sha256"] != digest_of(found):
        words = f"expected {shown(found['sha256'])} as it says, got {digest_of(found)}"
        refuse(origin, f"sha256: something in the file was changed ({words})")
    return device


def digest_of(values: Mapping[str, Any]) -> str:
    """Returns the digest of a device's file, of all that it holds but the digest.

    Args:
        values: what the file holds, as JSON gives it.
    """
    rest = {key: value for key, value in values.items() if key != "sha256"}
    canonical = json.dumps(rest, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


@functools.lru_cache(maxsize=8)
def read_table(origin: str, file: str, digest: str) -> FloatArray:
    """Reads a column ``(size,)`` beside a device's file; see :meth:`Device.table`."""
    path = Path(origin).parent / file
    content = read_file(path)
    try:
        check_unpacked(content, most=LARGEST_TABLE)
        with np.load(io.BytesIO(content), allow_pickle=False) as data:
            column = np.asarray(data["values"], dtype="<f8")
    except Exception as error:  # zipfile and NumPy raise a dozen kinds for damage
        refuse(str(path), f"not a table of a device ({str(error)[:200]})")
    if hashlib.sha256(column.tobytes()).hexdigest() != digest:
        refuse(str(path), f"other numbers than {origin} was written with")
    column.setflags(write=False)
    return column


def _refuse_constant(name: str) -> NoReturn:
    """Raises for NaN and Infinity, which are no numbers of JSON."""
    message = f"expected finite numbers, got {name}"
    raise ValueError(message)


def _aliases(given: Any, origin: str) -> dict[str, Alias]:
    aliases = {}
    for metric, alias in given.items() if isinstance(given, dict) else [("", given)]:
        keys = set(alias) if isinstance(alias, dict) else set()
        if keys - {"inverse"} != {"of", "factor"}:
            expected = '{"metric": {"of": "another", "factor": 7.0}}'
            refuse(origin, f"aliases: expected {expected}, got {shown(alias)}")
        if not isinstance(alias["of"], str):
            refuse(origin, f"aliases: {metric}: expected a metric to be an alias of")
        if not is_positive(alias["factor"]):
            came = shown(alias["factor"])
            refuse(origin, f"aliases: {metric}: expected a factor > 0, got {came}")
        inverse = alias.get("inverse", False)
        if not isinstance(inverse, bool):
            came = shown(inverse)
            refuse(origin, f"aliases: {metric}: inverse: expected a bool, got {came}")
        aliases[metric] = Alias(alias["of"], float(alias["factor"]), inverse)
    return aliases
