"""The two forms of a search space, and what each builds from a device's coefficients.

The networks of a :class:`TableSpace` can be enumerated: what they cost and how accurate
they are stands in tables, one row a network. Those of a :class:`LayeredSpace` are too
many for that: their costs, and a score of accuracy, are sums over positions.
"""

import functools
import math
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from hwnas_env.arguments import as_number
from hwnas_env.data.provenance import STATED
from hwnas_env.engines.space import SearchSpace
from hwnas_env.engines.terms import Terms, layered_terms, usual_terms
from hwnas_env.errors import (
    DeviceFileError,
    InvalidArgumentError,
    InvalidGenotypeError,
    shown,
    unknown_name,
)
from hwnas_env.types import BoolArray, FloatArray, Genotypes, IntArray

if TYPE_CHECKING:
    from hwnas_env.engines.additive import Additive
    from hwnas_env.engines.columns import CostSource, LayeredCosts, TableCosts

MOST_ROWS = 1 << 24
"""Most networks of a space that is enumerated; float32 numbers so many exactly."""


def as_numbers(values: Any) -> FloatArray:
    """Returns a list of numbers as float64; an empty array where it is none."""
    try:
        array = np.array(values)
    except (TypeError, ValueError, OverflowError):
        return np.zeros(0)
    return array.astype(np.float64) if array.dtype.kind in "iuf" else np.zeros(0)


def _is_list(values: Any) -> bool:
    return isinstance(values, (list, tuple, np.ndarray))


def check_coefficients(
    entry: Mapping[str, Any], valid: Collection[str], where: str
) -> None:
    """Raises DeviceFileError if a column has a coefficient that its form has not."""
    for key in entry:
        if key not in STATED and key not in valid:
            words = unknown_name(key, sorted(valid), what="coefficient")
            message = f"{where}: {words}"
            raise DeviceFileError(message)


class TableSpace(SearchSpace):
    """A space whose networks are enumerated: every column has a row a network.

    A network's *number* is its place in lexicographic order, first position first; its
    *index* is its row in the space's tables, the number unless :meth:`numbers_of_rows`
    says otherwise.
    """

    @property
    def has_numbers(self) -> bool:
        """True: a network's key is its number."""
        return True

    def check_size(self) -> None:
        """Raises InvalidArgumentError if there are too many networks for a table."""
        if self.size > MOST_ROWS:
            message = (
                f"{self.name}: {self.size:,} networks, expected {MOST_ROWS:,} at most "
                "in a table; a space of layers has no such limit"
            )
            raise InvalidArgumentError(message)

    @functools.cached_property
    def _weights(self) -> npt.NDArray[np.float32]:
        """What a choice at each position adds to a network's number."""
        self.check_size()
        later = [math.prod(self.choices_at[p + 1 :]) for p in range(self.length)]
        return np.array(later, dtype=np.float32)

    def numbers(self, genotypes: Genotypes) -> IntArray:
        """Numbers valid genotypes ``(N, L)``, first position first: ``(N,)`` int64.

        In float32, which is quickest; exact, since every number is below 2^24.
        """
        return np.asarray(
            (genotypes.astype(np.float32) @ self._weights).astype(np.int64)
        )

    @functools.cached_property
    def all_genotypes(self) -> Genotypes:
        """All genotypes ``(size, L)`` int8 in the order of numbers, read-only."""
        axes = np.indices(self.choices_at, dtype=np.int8)
        table = np.ascontiguousarray(axes.reshape(self.length, -1).T)
        table.setflags(write=False)
        return table

    def numbers_of_rows(self) -> IntArray | None:
        """Returns the number of the network in each row of the space's tables.

        None, the default, where tables are in the order of numbers.
        """
        return None

    @functools.cached_property
    def rows_of_numbers(self) -> IntArray:
        """The row of each number in the space's tables: ``(size,)`` int64."""
        numbers = self.numbers_of_rows()
        rows = np.arange(self.size)
        if numbers is not None:
            rows[numbers] = np.arange(self.size)
        rows.setflags(write=False)
        return rows

    def genotypes(self) -> Genotypes:
        """Returns all genotypes ``(size, L)`` int8 in the order of tables."""
        numbers = self.numbers_of_rows()
        return self.all_genotypes if numbers is None else self.all_genotypes[numbers]

    def index(self, genotypes: npt.ArrayLike) -> IntArray:
        """Returns the rows of genotypes ``(N, L)`` in the space's tables: ``(N,)``."""
        return self.rows_of_numbers[self.numbers(self.validate(genotypes))]

    def from_index(self, indices: npt.ArrayLike) -> Genotypes:
        """Returns the genotypes ``(N, L)`` int8 of rows ``(N,)``.

        Raises:
            InvalidGenotypeError: an index is no integer in [0, size).
        """
        array = np.atleast_1d(self._array(indices))
        wrong_kind = array.dtype.kind not in "iu" and array.size > 0
        if wrong_kind or array.ndim != 1:
            message = (
                f"{self.name}: expected integer indices (N,), got {shown(indices)}"
            )
            raise InvalidGenotypeError(message)
        if array.size and (array.min() < 0 or array.max() >= self.size):
            message = (
                f"{self.name}: expected indices from 0 to {self.size - 1}, got "
                f"{array.min()} to {array.max()}"
            )
            raise InvalidGenotypeError(message)
        rows = array.astype(np.int64)
        numbers = self.numbers_of_rows()
        return self.all_genotypes[rows if numbers is None else numbers[rows]]

    def keys(self, genotypes: Genotypes) -> IntArray:
        """Returns numbers ``(N,)`` int64, quicker than :meth:`index`."""
        return self.numbers(genotypes)

    def from_keys(self, keys: Any) -> Genotypes:
        """Returns the genotypes ``(N, L)`` int8 of numbers ``(N,)``."""
        return self.all_genotypes[np.asarray(keys, dtype=np.int64)]

    def costs(self, device: "CostSource", dataset: str) -> "TableCosts":
        """Builds every metric's column from the device's coefficients.

        A metric that is an alias of another is that column times a factor, or a factor
        over it.
        """
        from hwnas_env.engines.columns import TableCosts  # no engine at import

        values: dict[str, FloatArray] = {}
        for metric in device.metrics_in(self.name):
            alias = device.aliases.get(metric)
            if alias is None:
                values[metric] = self.column(device, dataset, metric)
            elif alias.inverse:
                values[metric] = alias.factor / values[alias.of]
            else:
                values[metric] = alias.factor * values[alias.of]
        deployable = self.deployable(device)
        for metric, column in values.items():
            runs = np.isfinite(column)  # a table says inf of what cannot run
            deployable = deployable & runs
            values[metric] = np.where(runs, column, 0.0)
        if not deployable.any():
            message = f"{device.name}: {self.name}: cannot_run: no network is left"
            raise DeviceFileError(message)
        return TableCosts(
            values,
            deployable,
            {m: device.provenance(self.name, dataset, m) for m in values},
        )

    def terms(self, dataset: str) -> Terms:
        """Returns what costs are made of; by default for any space, see the module."""
        counts = {name: np.asarray(c) for name, c in self.counts(dataset).items()}
        usual = layered_terms(self, usual_terms(self, {}))
        work = tuple(counts)

        def count(genotypes: Genotypes) -> FloatArray:
            rows = self.index(genotypes)
            columns = [counts[name][rows] for name in work]
            return np.column_stack([*columns, usual.count(genotypes)])

        return Terms(
            (*work, *usual.names),
            (*("work" for _ in work), *usual.groups),
            (*(True for _ in work), *usual.growing),
            count,
        )

    def column(self, device: "CostSource", dataset: str, metric: str) -> FloatArray:
        """Builds one metric's column ``(size,)`` from a device's coefficients.

        By default they are the column itself, under "values"; or, from a few measured
        networks, "base", weights of the space's "terms", and the "floor" of the sum.

        Raises:
            DeviceFileError: they are no such list; names the column.
        """
        entry = device.coefficients(self.name, dataset, metric)
        where = f"{device.name}: {metric} in {self.name} on {dataset}"
        if "terms" in entry:
            return self._weighed(entry, dataset, where)
        check_coefficients(entry, ("values",), where)
        values, where = entry.get("values"), f"{where}: values"
        column = as_numbers(values)
        if column.shape != (self.size,):
            message = (
                f"{where}: expected {self.size} numbers, one a network, got "
                f"{shown(values)}"
            )
            raise DeviceFileError(message)
        beside = isinstance(values, np.ndarray)  # a table, which may say inf
        wrong = ~((column >= 0) & (beside | np.isfinite(column)))
        if wrong.any():
            row = int(np.argmax(wrong))
            message = (
                f"{where}: number {row}, of "
                f"{self.decode(self.from_index([row])[0])}: expected a number of at "
                f"least 0, got {column[row]}; cannot_run lists what cannot run"
            )
            raise DeviceFileError(message)
        return column

    def _weighed(
        self, entry: Mapping[str, Any], dataset: str, where: str
    ) -> FloatArray:
        """Adds up weighted terms of all networks: ``(size,)``, at least the floor."""
        check_coefficients(entry, ("base", "terms", "floor"), where)
        terms, weights = self.terms(dataset), entry["terms"]
        if not isinstance(weights, Mapping):
            message = f"{where}: terms: expected weights by name, got {shown(weights)}"
            raise DeviceFileError(message)
        for name in weights:
            if name not in terms.names:
                words = unknown_name(name, terms.names, what=f"term of {self.name}")
                message = f"{where}: terms: {words}"
                raise DeviceFileError(message)
        floor = as_number(entry.get("floor"))
        numbers = {"base": entry.get("base"), **weights}
        for name, value in numbers.items():
            if not math.isfinite(as_number(value)):
                message = f"{where}: {name}: expected a number, got {shown(value)}"
                raise DeviceFileError(message)
        if not 0 < floor < math.inf:
            came = shown(entry.get("floor"))
            message = f"{where}: floor: expected a number above 0, got {came}"
            raise DeviceFileError(message)
        total = float(entry["base"]) + terms.weigh(weights, self.genotypes())
        return np.maximum(total, floor)

    def deployable(self, device: "CostSource") -> BoolArray:
        """Marks the networks that a device can run, ``(size,)``.

        Those that its file lists as ``cannot_run``, by their architectures, it cannot.
        """
        runs = np.ones(self.size, dtype=np.bool_)
        for architecture in device.facts(self.name).get("cannot_run", ()):
            try:
                runs[self.index(self.encode(architecture))] = False
            except ValueError as error:
                where = f"{device.name}: {self.name}: cannot_run"
                message = f"{where}: {shown(architecture)}: {error}"
                raise DeviceFileError(message) from None
        return runs


class LayeredSpace(SearchSpace):
    """A space whose costs, and whose score of accuracy, are sums over positions."""

    def terms(self, dataset: str) -> Terms:
        """Returns what costs are made of; by default for any space, see the module."""
        work = {
            name: [
                additive.entries[position, 0, :count, 0]
                for position, count in enumerate(self.choices_at)
            ]
            for name, additive in self.counts(dataset).items()
        }
        return layered_terms(self, usual_terms(self, work))

    def costs(self, device: "CostSource", dataset: str) -> "LayeredCosts":
        """Builds every metric's sums from the device's coefficients.

        A metric that is an alias of another is that quantity times a factor, or a
        factor over it.
        """
        from hwnas_env.engines.columns import LayeredCosts  # no engine at import

        quantities: dict[str, Additive] = {}
        for metric in device.metrics_in(self.name):
            alias = device.aliases.get(metric)
            if alias is None:
                quantities[metric] = self.quantity(device, dataset, metric)
            elif alias.inverse:
                quantities[metric] = quantities[alias.of].inverse(alias.factor)
            else:
                quantities[metric] = quantities[alias.of].scaled(alias.factor)
        return LayeredCosts(
            quantities,
            {m: device.provenance(self.name, dataset, m) for m in quantities},
        )

    def quantity(self, device: "CostSource", dataset: str, metric: str) -> "Additive":
        """Builds one metric's sums from a device's coefficients.

        By default they are "start", one number, and "entries", a list of ``K_p``
        numbers for each position, in the metric's unit; and where sums of cheap
        networks mean nothing a "floor" above 0, which no network falls below.

        Raises:
            DeviceFileError: they are no such lists; names the column.
        """
        # here, so that an import of the package loads no engine
        from hwnas_env.engines.additive import stateless
        from hwnas_env.engines.links import Linear

        entry = device.coefficients(self.name, dataset, metric)
        entries, start = entry.get("entries", ()), entry.get("start", 0.0)
        where = f"{device.name}: {metric} in {self.name} on {dataset}"
        check_coefficients(entry, ("start", "entries", "floor"), where)
        rows = [as_numbers(row) for row in entries] if _is_list(entries) else []
        shapes = [row.shape for row in rows]
        if shapes != [(k,) for k in self.choices_at] or np.isnan(as_number(start)):
            message = (
                f"{where}: expected start, a number, and entries, {self.length} lists "
                f"of {', '.join(map(str, self.choices_at))} numbers, got "
                f"start {shown(start)} and entries {shown(entries)}"
            )
            raise DeviceFileError(message)
        least = float(start) + sum(row.min() for row in rows)
        floor = as_number(entry["floor"]) if "floor" in entry else -math.inf
        if "floor" in entry and not 0.0 < floor < math.inf:
            came = shown(entry["floor"])
            message = f"{where}: floor: expected a number above 0, got {came}"
            raise DeviceFileError(message)
        finite = all(np.isfinite(row).all() for row in rows)
        if not 0.0 <= max(least, floor) < np.inf or not finite:
            message = (
                f"{where}: expected finite numbers, and at least 0 for the cheapest "
                f"network, got {least} for it"
            )
            raise DeviceFileError(message)
        return stateless(float(start), rows, link=Linear(floor=floor))
