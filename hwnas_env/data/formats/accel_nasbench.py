"""Accel-NASBench's archive of trained and measured networks: import, and answers.

The archive holds a JSON file a network: ``architecture``, ``metrics`` of its training,
``model_info`` and ``platform_perf``, what was measured on each accelerator.

References:
    Ahmad et al., Accel-NASBench: Sustainable Benchmarking for Accelerator-Aware NAS,
    DAC 2024; github.com/afzalxo/Accel-NASBench.
"""

import hashlib
import io
import json
import math
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

from hwnas_env.arguments import check_name, path_of
from hwnas_env.data import cache, files
from hwnas_env.data.formats import registered
from hwnas_env.errors import (
    DataMissingError,
    ForeignFileError,
    HWNASError,
    NotMeasuredError,
    TruncatedFileError,
    shown,
)
from hwnas_env.types import AnyPath, FloatArray, Genotypes, Provenance

BUNDLE = "accel-nasbench"
FORM = "Accel-NASBench"
"""What the room registers its part under; see ``hwnas_env.data.formats``."""

SPACE = "mnasnet"
CITATION = "Ahmad et al., Accel-NASBench, DAC 2024 (github.com/afzalxo/Accel-NASBench)"
IMPORT_HINT = (
    "hwnas-env data import accel-nasbench anb_dataset_jsons.tar.gz, which is in "
    "github.com/afzalxo/Accel-NASBench"
)

TRAINING = ("val_top1", "val_top5", "train_time")
"""Columns of a network's training: percent, percent and seconds."""

MEASURED = (
    *("latency_zcu102", "latency_vck190"),
    *(
        f"throughput_{name}"
        for name in ("zcu102", "vck190", "a100", "3090", "tpuv2", "tpuv3")
    ),
)
"""Columns of the accelerators: milliseconds, and images a second."""

COLUMNS = (*TRAINING, *MEASURED)

GZIP = b"\x1f\x8b"
"""What gzip's files begin with."""

_CHUNK = 1 << 16
"""Bytes that are unpacked at a time; they become a thousand times as many at most."""

MOST_FILES, MOST_BYTES = 100_000, 1 << 20
"""Most files of an archive, and most bytes of one; the published have 5,138 of 3 kB."""


def import_archive(path: AnyPath) -> "AccelNASBench":
    """Converts the archive of JSON files into checked arrays in the cache, once.

    Args:
        path: ``anb_dataset_jsons.tar.gz``, or the same files in a tar or zip archive.

    Returns:
        The opened benchmark. A network that is there twice counts once: the first by
        the name of its file, with what only another one has.

    Raises:
        TruncatedFileError: it is no such archive, or ends early.
        ForeignFileError: it holds something else; names the file in it.
        DataError: the cache cannot be written.
        DataMissingError: there is no such file.
    """
    path = path_of(path)
    content = files.read_file(path)
    part = registered(FORM)[SPACE]
    read = [
        (name, *_network(member, f"{path.name}: {name}", part))
        for name, member in _members(content, path.name)
    ]
    found: dict[bytes, list[float]] = {}
    for _, genotype, values in sorted(read, key=lambda one: one[0]):
        first = found.setdefault(genotype.tobytes(), values)
        for place, value in enumerate(values):  # what the first lacks another may have
            if math.isnan(first[place]):
                first[place] = value
    if not found:
        message = f"{path.name}: no network in it, expected JSON files, one a network"
        raise ForeignFileError(message)
    rows = np.frombuffer(b"".join(found), dtype=np.int8).reshape(len(found), -1)
    columns = np.array(list(found.values()), dtype=np.float64).T
    arrays: dict[str, npt.NDArray[Any]] = {"genotypes": rows}
    arrays |= dict(zip(COLUMNS, columns, strict=True))
    meta = {
        "source_file": path.name,
        "source_sha256": hashlib.sha256(content).hexdigest(),
        "citation": CITATION,
        "repeated": len(read) - len(found),
    }
    cache.store(BUNDLE, arrays, meta=meta)
    return AccelNASBench.open()


def _members(content: bytes, name: str) -> Iterator[tuple[str, bytes]]:
    """Yields names and bytes of the JSON files in an archive; unpacks nothing."""
    try:
        if zipfile.is_zipfile(io.BytesIO(content)):
            with zipfile.ZipFile(io.BytesIO(content)) as pack:
                for entry in _bounded(pack.infolist(), name):
                    if not entry.filename.endswith(".json"):
                        continue
                    with pack.open(entry) as stream:  # whatever size it says
                        whole = stream.read(MOST_BYTES + 1)
                    _check_size(len(whole), f"{name}: {entry.filename}")
                    yield entry.filename, whole
            return
        plain = _decompressed(content)
        with tarfile.open(fileobj=io.BytesIO(plain), mode="r:") as tar:
            for member in _bounded(tar, name):
                _check_size(member.size, f"{name}: {member.name}")
                if member.isfile() and member.name.endswith(".json"):
                    file = tar.extractfile(member)
                    assert file is not None, "a regular file has content"
                    yield member.name, file.read()
    except Exception as error:  # the libraries raise a dozen kinds for damage
        if isinstance(error, HWNASError):
            raise
        message = f"{name}: no tar or zip archive, or damaged ({error!s:.200})"
        raise TruncatedFileError(message) from None


def _decompressed(content: bytes) -> bytes:
    """Returns a tar archive's own bytes, whole, as its end says.

    Raises:
        EOFError: it ends early, or would be larger than any file that is read.
    """
    plain = content if not content.startswith(GZIP) else _gunzipped(content)
    if len(plain) % 512 or not plain.endswith(bytes(1024)):
        message = "it does not end as a tar archive does"
        raise EOFError(message)
    return plain


def _gunzipped(content: bytes) -> bytes:
    """Returns what gzip packed: one stream behind another, and padding."""
    plain, place = bytearray(), 0
    while content.startswith(GZIP, place):
        unpacking = zlib.decompressobj(wbits=31)
        while not unpacking.eof:
            chunk = content[place : place + _CHUNK]
            plain += unpacking.decompress(chunk)
            if not chunk or len(plain) > files.LARGEST_BYTES:
                most = f"{files.LARGEST_BYTES:,} bytes"
                message = f"it ends early, or has more than {most}"
                raise EOFError(message)
            place += len(chunk)
        place -= len(unpacking.unused_data)
    if content[place:].strip(b"\0"):
        message = "something else is behind what gzip packed"
        raise EOFError(message)
    return bytes(plain)


def _bounded(entries: Any, name: str) -> Iterator[Any]:
    for number, entry in enumerate(entries):
        if number >= MOST_FILES:
            message = f"{name}: more than {MOST_FILES:,} files"
            raise ForeignFileError(message)
        yield entry


def _check_size(size: int, where: str) -> None:
    if size > MOST_BYTES:
        message = f"{where} has {size:,} bytes, expected a network's, {MOST_BYTES:,}"
        raise ForeignFileError(message)


def _network(content: bytes, where: str, part: Any) -> tuple[Genotypes, list[float]]:
    """Reads one network: its genotype ``(7,)`` and its columns, NaN for holes."""
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        _refuse(where, f"not JSON ({error!s:.200})")
    architecture = _object(found, "architecture", where)
    try:
        genotype: Genotypes = part.genotype(architecture)
    except HWNASError as error:
        _refuse(where, f"architecture: {error}")
    training = _object(found, "metrics", where)
    values = [_number(training, name, where) for name in TRAINING]
    if values[0] > 100.0 or values[1] > 100.0 or values[0] > values[1]:
        words = "metrics: expected percent, val_top1 at most val_top5, at most 100"
        _refuse(where, f"{words}, got {values[0]:g} and {values[1]:g}")
    measured = _object(found, "platform_perf", where)
    for name in MEASURED:
        entry = measured.get(name, {})
        if not isinstance(entry, dict):
            _refuse(where, f"platform_perf: {name}: got {shown(entry)}")
        values.append(_number(entry, f"{name.split('_')[0]}_mean", where))
    info = found.get("model_info", {})
    if not isinstance(info, dict):
        _refuse(where, f"expected an object under 'model_info', got {shown(info)}")
    for name, size in part.sizes(genotype).items():
        said = _number(info, name, where)
        # in millions, or one by one
        if not math.isnan(said) and round(said * 1e6) != size != round(said):
            words = f"model_info: {name} is {said:g}, the network has {size:,}"
            _refuse(where, words)
    return genotype, values


def _object(found: Any, key: str, where: str) -> Mapping[str, Any]:
    value = found.get(key) if isinstance(found, dict) else None
    if not isinstance(value, dict):
        _refuse(where, f"expected an object under {key!r}, got {shown(value)}")
    return value


def _number(entry: Mapping[str, Any], key: str, where: str) -> float:
    """Returns a number of sensible size, NaN where there is none."""
    value = entry.get(key)
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return math.nan
    good = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not good or not 1e-9 < value < 1e12:
        _refuse(where, f"{key}: expected a number above 0, got {shown(value)}")
    return float(value)


def _refuse(where: str, words: str) -> NoReturn:
    message = f"{where}: not Accel-NASBench: {words}"
    raise ForeignFileError(message)


class AccelNASBench:
    """Answers what was trained and measured, network by network, from the cache.

    Example:
        >>> bench = AccelNASBench.open()  # doctest: +SKIP
        >>> bench.query("e1_k3_l1|e6_k3_l2|e6_k5_l2|...")  # doctest: +SKIP
    """

    def __init__(self, bundle: cache.Bundle) -> None:
        """Wraps an opened bundle; :meth:`open` is the usual way."""
        self._bundle = bundle
        self._space = registered(FORM)[SPACE].space
        self.genotypes: Genotypes = np.array(bundle.arrays["genotypes"])
        keys = self._space.keys(self.genotypes)
        self._rows = {key: row for row, key in enumerate(keys)}

    @classmethod
    def open(cls) -> "AccelNASBench":
        """Opens the imported benchmark.

        Raises:
            DataMissingError: it was not imported yet; names the command.
            ChecksumError: the cached files are damaged.
        """
        bundle = cache.load(BUNDLE)
        if bundle is None:
            where = f"is not imported in {cache.cache_dir()}"
            message = f"{FORM} {where}; {IMPORT_HINT}"
            raise DataMissingError(message)
        return cls(bundle)

    def __len__(self) -> int:
        """Returns how many networks there are."""
        return len(self.genotypes)

    @property
    def repeated(self) -> int:
        """How many files of the archive held a network that another one held."""
        return int(self._bundle.meta["repeated"])

    @property
    def provenance(self) -> Provenance:
        """Says where its numbers come from."""
        return Provenance(
            kind="measured",
            method=f"imported from {self._bundle.meta['source_file']}",
            citation=CITATION,
            sha256=str(self._bundle.meta["source_sha256"]),
        )

    def column(self, name: str) -> FloatArray:
        """Returns a column ``(N,)`` in the order of ``genotypes``; NaN for holes.

        Args:
            name: one of ``COLUMNS``.

        Raises:
            UnknownNameError: there is no such column.
        """
        check_name(name, COLUMNS, what="column of Accel-NASBench")
        return np.array(self._bundle.arrays[name])

    def holes(self) -> dict[str, int]:
        """Returns how many networks lack each column, for those that have holes."""
        counts = {name: int(np.isnan(self.column(name)).sum()) for name in COLUMNS}
        return {name: count for name, count in counts.items() if count}

    def query(self, architecture: Any) -> dict[str, float]:
        """Returns everything that is held of one network, by upstream's names.

        Args:
            architecture: its name, or a genotype ``(7,)``.

        Returns:
            Percent, seconds, milliseconds and images a second; no key for a hole.

        Raises:
            NotMeasuredError: the network was not trained; names the nearest one.
            UnknownNameError, InvalidGenotypeError: as their names say.
        """
        space = self._space
        read = space.encode if isinstance(architecture, str) else space.validate_one
        genotype = read(architecture)
        row = self._rows.get(space.keys(genotype[None])[0])
        if row is None:
            near = self.nearest(genotype, count=1)[0]
            blocks = int((self.genotypes[near] != genotype).sum())
            message = (
                f"{space.name}: {FORM} did not train {space.decode(genotype)}; the "
                f"nearest of {len(self):,} networks, {blocks} blocks away, is "
                f"{space.decode(self.genotypes[near])}"
            )
            raise NotMeasuredError(message)
        values = {name: float(self._bundle.arrays[name][row]) for name in COLUMNS}
        return {name: value for name, value in values.items() if value == value}

    def nearest(self, genotype: Genotypes, *, count: int) -> list[int]:
        """Returns the rows of the networks with most blocks in common, nearest first.

        Args:
            genotype: ``(7,)``.
            count: how many.
        """
        differing = (self.genotypes != genotype).sum(axis=1)
        return [int(row) for row in np.argsort(differing, kind="stable")[:count]]
