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

from hwnas_env.arguments import check_name
from hwnas_env.data import cache, files, unpickle
from hwnas_env.data.official_file import fbnet_keys, official_arrays, official_columns
from hwnas_env.errors import (
    ChecksumError,
    DataError,
    DataMissingError,
    NotMeasuredError,
)
from hwnas_env.spaces import SEARCH_SPACES, fbnet, get_space
from hwnas_env.types import FloatArray, Genotypes

BUNDLE = "hw-nas-bench"
CITATION = "Li et al., HW-NAS-Bench, ICLR 2021 (arXiv 2103.10584)"
URL = "https://github.com/GATECH-EIC/HW-NAS-Bench/raw/main/HW-NAS-Bench-v1_0.pickle"
GIT_BLOB = "b0634cb7f6e7be07192c77833df9eafa4baf705e"
"""Upstream's git blob id (SHA-1 over header and content) of the file."""

PRODUCT = "average_hw_metric"
"""Upstream's name for the product of the costs (it is no average)."""

IMPORT_HINT = "hwnas-env data import HW-NAS-Bench-v1_0.pickle, or: hwnas-env data fetch"


def import_pickle(path: Path) -> "HWNASBench":
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
    content = files.read_file(path)
    arrays, configs = official_arrays(unpickle.loads(content, name=str(path)))
    meta = {
        "source_file": path.name,
        "source_sha256": hashlib.sha256(content).hexdigest(),
        "source_git_blob": files.git_blob_id(content),
        "citation": CITATION,
        "configs": configs,
        "holes": {
            key: int(np.isnan(array).sum())
            for key, array in arrays.items()
            if array.dtype == np.float64 and key.startswith("nasbench201/")
        },
    }
    cache.store(BUNDLE, arrays, meta=meta)
    bench = HWNASBench.open()
    if not bench.is_upstream:
        warnings.warn(bench.origin, stacklevel=2)
    return bench


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
        self._keys = {str(key): n for n, key in enumerate(bundle.arrays["fbnet/keys"])}

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

    def holes(self) -> dict[str, int]:
        """Returns how many values are missing in each incomplete column.

        A column that has holes is not served as measured.
        """
        holes = dict(self._bundle.meta["holes"])
        for dataset in SEARCH_SPACES["fbnet"].datasets:
            rows = [self._keys[key] for key in fbnet_keys(dataset)]
            for number, name in enumerate(official_columns("fbnet")):
                missing = np.isnan(self._bundle.arrays["fbnet/values"][rows, number])
                holes[f"fbnet/{dataset}/{name}"] = int(missing.sum())
        return {key: count for key, count in holes.items() if count}

    def column(self, dataset: str, name: str) -> FloatArray:
        """Returns a NAS-Bench-201 column as it stands upstream: ``(15625,)``.

        -1 of ``edgetpu_latency`` is upstream's mark for "did not compile" and NaN a
        value that the imported file lacks; rows are in the official order.
        """
        columns = official_columns("nasbench201")
        check_name(name, columns, what="column of nasbench201")
        SEARCH_SPACES["nasbench201"].check_dataset(dataset)
        array: FloatArray = self._bundle.arrays[f"nasbench201/{dataset}/{name}"]
        return array

    def block_tables(self) -> dict[str, dict[str, float]]:
        """Returns the FBNet look-up tables, metric by metric, by official key."""
        values = self._bundle.arrays["fbnet/values"]
        return {
            name: {key: float(values[row, number]) for key, row in self._keys.items()}
            for number, name in enumerate(official_columns("fbnet"))
        }

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
        genotype = _genotype(space, architecture)
        names = official_columns(get_space(space).name)
        values = {
            name: self._value(space, genotype, dataset=dataset, name=name)
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
        names = official_columns(get_space(space).name)
        check_name(name, names, what=f"column of {space}")
        genotype = _genotype(space, architecture)
        value = self._value(space, genotype, dataset=dataset, name=name)
        if math.isnan(value):
            message = f"{space}, {dataset}: the imported file holds no {name} for it"
            raise NotMeasuredError(message)
        return value

    def config(self, space: str, architecture: Any, *, dataset: str) -> dict[str, Any]:
        """Returns the network's configuration as upstream's API does."""
        found = get_space(space)
        found.check_dataset(dataset)
        genotype = _genotype(space, architecture)
        if found.name == "fbnet":
            return {
                "dataset": dataset,
                "num_classes": fbnet.SETTINGS[dataset].classes,
                "op_idx_list": genotype.tolist(),
                "arch_str": [found.operations[choice] for choice in genotype],
            }
        row = int(found.index(genotype)[0])
        which = int(self._bundle.arrays[f"nasbench201/{dataset}/config"][row])
        variant = self._bundle.meta["configs"][dataset][which]
        return {
            key: found.decode(genotype) if key == "arch_str" else value
            for key, value in variant.items()
        }

    def block_column(self, dataset: str, name: str) -> dict[str, float]:
        """Returns one metric's entries for one dataset, by official key.

        Raises:
            UnknownNameError: a wrong dataset or column.
            NotMeasuredError: entries are missing; says how many.
        """
        names = official_columns("fbnet")
        check_name(name, names, what="column of fbnet")
        SEARCH_SPACES["fbnet"].check_dataset(dataset)
        number = names.index(name)
        values = self._bundle.arrays["fbnet/values"]
        entries = {
            key: float(values[self._keys[key], number]) for key in fbnet_keys(dataset)
        }
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
        self, space: str, genotype: Genotypes, *, dataset: str, name: str
    ) -> float:
        found = get_space(space)
        found.check_dataset(dataset)
        if found.name == "nasbench201":
            value = float(self.column(dataset, name)[found.index(genotype)[0]])
            return math.inf if (name, value) == ("edgetpu_latency", -1.0) else value
        number = official_columns("fbnet").index(name)
        values = self._bundle.arrays["fbnet/values"]
        stem, header, pooling, classifier = fbnet.frame_keys(dataset)
        shapes = fbnet.layers(dataset)
        blocks = [fbnet.block_key(*pair) for pair in zip(shapes, genotype, strict=True)]
        total = 0.0
        for key in (stem, *blocks, header, pooling, classifier):
            total += float(values[self._keys[key], number])
        return total


def _genotype(space: str, architecture: Any) -> Genotypes:
    found = get_space(space)
    if isinstance(architecture, str):
        return found.encode(architecture)
    if isinstance(architecture, (int, np.integer)):
        return np.asarray(found.from_index(np.array([architecture]))[0])
    if isinstance(architecture, Sequence) and all(
        isinstance(name, str) for name in architecture
    ):
        return found.encode(architecture)
    return found.validate_one(architecture)
