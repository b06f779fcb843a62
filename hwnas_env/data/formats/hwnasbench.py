"""The official ``HW-NAS-Bench-v1_0.pickle``: import, download, and its answers.

References:
    Li et al., HW-NAS-Bench: Hardware-Aware Neural Architecture Search Benchmark,
    ICLR 2021, arXiv 2103.10584.
"""

import hashlib
import math
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hwnas_env.arguments import check_name, path_of
from hwnas_env.data import cache, files, unpickle
from hwnas_env.data.formats import registered
from hwnas_env.data.formats.hwnasbench_file import COLUMNS, column_of, member
from hwnas_env.errors import (
    ChecksumError,
    DataError,
    DataMissingError,
    NotMeasuredError,
)
from hwnas_env.texts import plain
from hwnas_env.types import AnyPath, FloatArray, Genotypes, Provenance

BUNDLE = "hw-nas-bench"
CITATION = "Li et al., HW-NAS-Bench, ICLR 2021 (arXiv 2103.10584)"
URL = "https://github.com/GATECH-EIC/HW-NAS-Bench/raw/main/HW-NAS-Bench-v1_0.pickle"
FORM = "HW-NAS-Bench"
"""What rooms register their part of the file under; see ``hwnas_env.data.formats``."""

GIT_BLOB = "b0634cb7f6e7be07192c77833df9eafa4baf705e"
"""Upstream's git blob id (SHA-1 over header and content) of the file."""

PRODUCT = "average_hw_metric"
"""Upstream's name for the product of the costs (it is no average)."""

IMPORT_HINT = "hwnas-env data import HW-NAS-Bench-v1_0.pickle, or: hwnas-env data fetch"


def import_pickle(path: AnyPath) -> "HWNASBench":
    """Converts the official pickle into checked arrays in the cache, once.

    Args:
        path: the file ``HW-NAS-Bench-v1_0.pickle``. Columns may be lists or arrays,
            ``config`` a list or a dictionary.

    Returns:
        The opened benchmark. A file whose bytes are not upstream's is imported with a
        warning, and the provenance of its numbers says so.

    Raises:
        UnsafePickleError: the pickle asks for more than arrays and containers, or
            would become much larger than its file.
        TruncatedFileError: it ends early, or is no pickle.
        ForeignFileError: it is a pickle of something else.
        DataError: the cache cannot be written.
        DataMissingError: there is no such file.
    """
    path = path_of(path)
    content = files.read_file(path)
    tables = unpickle.loads(content, name=str(path))
    arrays, configs, holes = official_arrays(tables)
    meta = {
        "source_file": path.name,
        "source_sha256": hashlib.sha256(content).hexdigest(),
        "source_git_blob": files.git_blob_id(content),
        "citation": CITATION,
        "configs": configs,
        "holes": holes,
    }
    cache.store(BUNDLE, arrays, meta=meta)
    bench = HWNASBench.open()
    if not bench.is_upstream:
        warnings.warn(plain(bench.origin), stacklevel=2)
    return bench


def official_arrays(
    tables: Any,
) -> tuple[dict[str, npt.NDArray[Any]], dict[str, Any], dict[str, int]]:
    """Checks what the official pickle holds, and lays it out as arrays.

    Args:
        tables: what :func:`hwnas_env.data.unpickle.loads` returned.

    Returns:
        Arrays by search space and name; what configurations say, by space; and how many
        values are missing in each column that is incomplete.

    Raises:
        ForeignFileError: it is something else.
    """
    arrays: dict[str, npt.NDArray[Any]] = {}
    configs: dict[str, Any] = {}
    holes: dict[str, int] = {}
    for space, part in registered(FORM).items():
        own, configs[space] = part.arrays(member(tables, space, "the file"))
        arrays |= {f"{space}/{key}": array for key, array in own.items()}
        holes |= {f"{space}/{key}": n for key, n in part.holes(own).items() if n}
    return arrays, configs, holes


def fetch(*, url: str = URL, git_blob: str = GIT_BLOB) -> "HWNASBench":
    """Downloads the official pickle, verifies it and imports it.

    Args:
        url: where it lies.
        git_blob: the git blob id that its bytes must have.

    Returns:
        The opened benchmark.

    Raises:
        DataError: the download failed; says how to import a file by hand.
        ChecksumError: the bytes are not upstream's.
    """
    import pooch  # here, because it brings requests and is rarely needed

    with tempfile.TemporaryDirectory() as folder:
        try:
            name = pooch.retrieve(
                url, known_hash=None, path=folder, fname="HW-NAS-Bench-v1_0.pickle"
            )
        except (OSError, ValueError) as error:
            message = (
                f"download of {url} failed ({error}); get the file another way, then: "
                "hwnas-env data import HW-NAS-Bench-v1_0.pickle"
            )
            raise DataError(message) from None
        came = git_blob_id(Path(name))
        if came != git_blob:
            message = f"{url}: git blob id {came}, expected {git_blob}; not imported"
            raise ChecksumError(message)
        return import_pickle(Path(name))


def git_blob_id(path: Path) -> str:
    """Returns the id that git gives a file's content, 40 hexadecimal digits."""
    return files.git_blob_id(files.read_file(path))


class HWNASBench:
    """Answers what the official API answers, value for value, from the cache.

    Example:
        >>> bench = HWNASBench.open()  # doctest: +SKIP
        >>> bench.query("nasbench201", 0, dataset="cifar10")  # doctest: +SKIP
    """

    def __init__(self, bundle: cache.Bundle) -> None:
        """Wraps an opened bundle; :meth:`open` is the usual way."""
        self._bundle = bundle
        self._parts = registered(FORM)

    @classmethod
    def open(cls) -> "HWNASBench":
        """Opens the imported benchmark.

        Raises:
            DataMissingError: it was not imported yet; names the command.
            ChecksumError: the cached files are damaged.
        """
        bundle = cache.load(BUNDLE)
        if bundle is None:
            message = (
                f"HW-NAS-Bench is not imported in {cache.cache_dir()}; {IMPORT_HINT}"
            )
            raise DataMissingError(message)
        return cls(bundle)

    @property
    def sha256(self) -> str:
        """SHA-256 of the pickle that was imported."""
        return str(self._bundle.meta["source_sha256"])

    @property
    def is_upstream(self) -> bool:
        """Whether the imported file has upstream's bytes, by its git blob id."""
        return bool(self._bundle.meta["source_git_blob"] == GIT_BLOB)

    @property
    def origin(self) -> str:
        """Says in one sentence which file was imported."""
        name, blob = (
            self._bundle.meta[f"source_{key}"] for key in ("file", "git_blob")
        )
        if self.is_upstream:
            return f"imported from {name}, which is upstream's file (git blob {blob})"
        return (
            f"imported from {name}, which is not upstream's file: its git blob id is "
            f"{blob}, upstream's {GIT_BLOB}"
        )

    def provenance(self, method: str) -> Provenance:
        """Says where its numbers come from.

        Args:
            method: how one is computed, with {} in the place of "official".
        """
        words, citation = method.format("official"), CITATION
        if not self.is_upstream:
            words = f"{method.format('imported')}; {self.origin}"
            citation = f"a file other than that of {CITATION}"
        return Provenance(
            kind="measured", method=words, citation=citation, sha256=self.sha256
        )

    def holes(self) -> dict[str, int]:
        """Returns how many values are missing in each incomplete column.

        A column that has holes is not served as measured.
        """
        return dict(self._bundle.meta["holes"])

    def column(self, dataset: str, name: str) -> FloatArray:
        """Returns a NAS-Bench-201 column as it stands upstream: ``(15625,)``.

        -1 of ``edgetpu_latency`` is upstream's mark for "did not compile" and NaN a
        value that the imported file lacks; rows are in the official order.
        """
        check_name(name, COLUMNS["nasbench201"], what="column of nasbench201")
        self._parts["nasbench201"].space.check_dataset(dataset)
        array: FloatArray = self._bundle.arrays[f"nasbench201/{dataset}/{name}"]
        return array

    def block_tables(self) -> dict[str, dict[str, float]]:
        """Returns the FBNet look-up tables, metric by metric, by official key."""
        part, arrays = self._parts["fbnet"], self._arrays("fbnet")
        return {name: part.table(arrays, name) for name in COLUMNS["fbnet"]}

    def _arrays(self, space: str) -> dict[str, Any]:
        """Returns the arrays of one search space, by their names within it."""
        prefix = f"{space}/"
        return {
            key.removeprefix(prefix): array
            for key, array in self._bundle.arrays.items()
            if key.startswith(prefix)
        }

    def _part(self, space: Any) -> Any:
        """Returns what reads the part of a search space, by its name or label."""
        labels = {part.space.label: name for name, part in self._parts.items()}
        name = labels.get(space, space) if isinstance(space, str) else space
        return self._parts[check_name(name, self._parts, what="search space")]

    def query(self, space: str, architecture: Any, *, dataset: str) -> dict[str, float]:
        """Returns every held metric of one network by upstream's names.

        Args:
            space: nasbench201 or fbnet.
            architecture: an index (nasbench201), an architecture string, operation
                names, or a genotype.
            dataset: one of the space's datasets.

        Returns:
            Values in ms, mJ and operations/byte; inf where the network is not
            deployable; no key where the file lacks the value. ``average_hw_metric`` is
            upstream's product of all costs, there if all are.

        Raises:
            UnknownNameError, InvalidGenotypeError: as their names say.
        """
        part = self._part(space)
        genotype = _genotype(part.space, architecture)
        names = COLUMNS[part.space.name]
        values = {
            name: self._value(part, genotype, dataset=dataset, name=name)
            for name in names
        }
        costs = [v for n, v in values.items() if not n.endswith("arithmetic_intensity")]
        held = {name: value for name, value in values.items() if value == value}
        if len(held) == len(names):
            held[PRODUCT] = math.prod(costs)
        return held

    def value(self, space: str, architecture: Any, *, dataset: str, name: str) -> float:
        """Returns one metric of one network; see :meth:`query`.

        Raises:
            NotMeasuredError: the imported file does not hold that value.
        """
        part = self._part(space)
        check_name(name, COLUMNS[part.space.name], what=f"column of {space}")
        genotype = _genotype(part.space, architecture)
        value = self._value(part, genotype, dataset=dataset, name=name)
        if math.isnan(value):
            message = f"{space}, {dataset}: the imported file holds no {name} for it"
            raise NotMeasuredError(message)
        return value

    def config(self, space: str, architecture: Any, *, dataset: str) -> dict[str, Any]:
        """Returns the network's configuration as upstream's API does."""
        part = self._part(space)
        part.space.check_dataset(dataset)
        genotype = _genotype(part.space, architecture)
        configs = self._bundle.meta["configs"][part.space.name]
        arrays = self._arrays(part.space.name)
        found: dict[str, Any] = part.config(arrays, configs, genotype, dataset)
        return found

    def block_column(self, dataset: str, name: str) -> dict[str, float]:
        """Returns one metric's entries for one dataset, by official key.

        Raises:
            UnknownNameError: a wrong dataset or column.
            NotMeasuredError: entries are missing; says how many.
        """
        check_name(name, COLUMNS["fbnet"], what="column of fbnet")
        part = self._parts["fbnet"]
        part.space.check_dataset(dataset)
        table = part.table(self._arrays("fbnet"), name)
        entries = {key: table[key] for key in part.keys(dataset)}
        missing = sum(math.isnan(value) for value in entries.values())
        if missing:
            message = (
                f"fbnet, {dataset}: {missing} of {len(entries)} entries of {name} are "
                "missing in the imported file; an incomplete table is not served as "
                'measured; source="builtin" has an answer'
            )
            raise NotMeasuredError(message)
        return entries

    def _value(
        self, part: Any, genotype: Genotypes, *, dataset: str, name: str
    ) -> float:
        part.space.check_dataset(dataset)
        arrays = self._arrays(part.space.name)
        return float(part.value(arrays, genotype, dataset, name))


def _genotype(space: Any, architecture: Any) -> Genotypes:
    if isinstance(architecture, (int, np.integer)):
        found: Genotypes = space.from_index(np.array([architecture]))[0]
        return found
    names = isinstance(architecture, Sequence) and all(
        isinstance(name, str) for name in architecture
    )
    read = space.encode if names else space.validate_one
    return np.asarray(read(architecture), dtype=np.int8)


def measured_values(
    space: str, device: Any, dataset: str, genotype: Genotypes
) -> tuple[dict[str, float], Provenance]:
    """Returns what the imported file holds of one network, by our metrics.

    Raises:
        DataMissingError: nothing is imported; names the command.
        NotMeasuredError: it holds nothing of that device.
    """
    bench = HWNASBench.open()
    held = bench.query(space, genotype, dataset=dataset)
    names = {m: column_of(space, device.name, m) for m in device.metrics_in(space)}
    values = {metric: held[name] for metric, name in names.items() if name in held}
    if not values:
        where = f"of this network on the {device.name}"
        message = f"{space}, {dataset}: the imported {FORM} holds nothing {where}"
        raise NotMeasuredError(message)
    return values, bench.provenance("{} value")


def measured_columns(
    space: str, device: Any, dataset: str, *, metric: str, what: str
) -> tuple[HWNASBench, dict[str, str]]:
    """Opens the imported benchmark, and says which of its columns a device has.

    Args:
        space: a search space's name.
        device: the device.
        dataset: one of the space's.
        metric: the one that must be there; another whose column has holes is left out.
        what: what a column holds, for messages ("values").

    Returns:
        The benchmark, and upstream's column names by metric.

    Raises:
        DataMissingError: nothing is imported; names the command.
        NotMeasuredError: upstream has no such column, or the imported file's has holes.
    """
    columns = {m: column_of(space, device.name, m) for m in device.metrics_in(space)}
    if columns.get(metric) is None:
        why = device.facts(space).get("unmeasured", f"{FORM} has no {metric} of it")
        kind = device.provenance(space, dataset, metric).kind
        message = (
            f"{space} was never measured on the {device.name}: {why}; "
            f'source="builtin" has a {kind} cost'
        )
        raise NotMeasuredError(message)
    bench = HWNASBench.open()
    holes = bench.holes()
    names = {}
    for own, name in columns.items():
        missing = holes.get(f"{space}/{dataset}/{name}", 0)
        if name is not None and not missing:
            names[own] = name
        elif own == metric:
            message = (
                f"{space}, {dataset}: {missing} {what} of {name} are missing in the "
                "imported file; a column with holes is not served as measured; "
                'source="builtin" has an answer'
            )
            raise NotMeasuredError(message)
    return bench, names
