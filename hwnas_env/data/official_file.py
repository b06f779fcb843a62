"""Reads the official ``HW-NAS-Bench-v1_0.pickle`` and checks that it is that file."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hwnas_env.data import unpickle
from hwnas_env.devices import DEVICES
from hwnas_env.errors import ForeignFileError
from hwnas_env.spaces import SEARCH_SPACES, fbnet
from hwnas_env.types import FloatArray

SUFFIXES = {
    "latency_ms": "latency",
    "energy_mj": "energy",
    "arithmetic_intensity": "arithmetic_intensity",
}
"""Upstream's word for each of our metrics, behind the device's name."""


def official_columns(space_name: str) -> tuple[str, ...]:
    """Returns upstream's column names of a search space, in upstream's order."""
    return tuple(
        f"{device.name}_{SUFFIXES[metric]}"
        for device in DEVICES.values()
        for metric in device.metrics_in(space_name)
        if (space_name, device.name) != ("fbnet", "edgetpu")
    )


def fbnet_keys(dataset: str) -> list[str]:
    """Returns the official keys that networks of a dataset use, without repeats."""
    choices = range(fbnet.SKIP + 1)
    blocks = [fbnet.block_key(s, c) for s in fbnet.layers(dataset) for c in choices]
    stem, *rest = fbnet.frame_keys(dataset)
    return list(dict.fromkeys([stem, *blocks, *rest]))


def read_official(
    path: Path,
) -> tuple[dict[str, npt.NDArray[Any]], dict[str, list[dict[str, Any]]]]:
    """Reads the file into arrays by name, and configurations by dataset.

    Args:
        path: the pickle. Columns may be lists, arrays or dictionaries by row, and
            ``config`` a list or a dictionary.

    Returns:
        Arrays ``nasbench201/DATASET/COLUMN`` ``(15625,)`` float64 and
        ``nasbench201/DATASET/config`` int16, ``fbnet/keys`` and ``fbnet/values``; and
        for each dataset what configurations say beside the architecture, each variant
        once, numbered by the config array.

    Raises:
        UnsafePickleError, TruncatedFileError: see :func:`hwnas_env.data.unpickle.load`.
        ForeignFileError: it is a pickle of something else.
    """
    content = unpickle.load(path)
    tables = (
        _member(content, "nasbench201", "the file"),
        _member(content, "fbnet", "the file"),
    )
    arrays: dict[str, npt.NDArray[Any]] = {}
    configs = {}
    for dataset in SEARCH_SPACES["nasbench201"].datasets:
        table = _member(tables[0], dataset, "nasbench201")
        for name in official_columns("nasbench201"):
            column = _member(table, name, f"nasbench201, {dataset}")
            arrays[f"nasbench201/{dataset}/{name}"] = _column(column, dataset, name)
        variants, which = _configs(_member(table, "config", dataset), dataset)
        configs[dataset] = variants
        arrays[f"nasbench201/{dataset}/config"] = which
    keys, values = _blocks(tables[1])
    arrays["fbnet/keys"], arrays["fbnet/values"] = keys, values
    return arrays, configs


def _member(table: Any, key: str, where: str) -> Any:
    if not isinstance(table, dict):
        message = (
            f"not HW-NAS-Bench: {where} is a {type(table).__name__}, expected a "
            f"dictionary with {key!r}"
        )
        raise ForeignFileError(message)
    if key not in table:
        near = ", ".join(map(str, list(table)[:6]))
        message = f"not HW-NAS-Bench: {where} has no {key!r}; it has {near}"
        raise ForeignFileError(message)
    return table[key]


def _column(values: Any, dataset: str, name: str) -> FloatArray:
    where = f"not HW-NAS-Bench: nasbench201, {dataset}, {name}"
    column = _numbers(_by_row(values), where)
    if column.shape != (SEARCH_SPACES["nasbench201"].size,):
        message = f"{where}: expected 15625 values, got shape {column.shape}"
        raise ForeignFileError(message)
    marked = (column == -1.0) & (name == "edgetpu_latency")
    wrong = (column < 0) & ~marked
    if wrong.any():
        row = int(np.argmax(wrong))
        message = f"{where}: row {row} is {column[row]}, expected a cost"
        raise ForeignFileError(message)
    return column


def _by_row(rows: Any) -> Any:
    """Lays a dictionary by row number, as int or text, out as a list."""
    if not isinstance(rows, dict):
        return rows
    return [rows.get(row, rows.get(str(row))) for row in range(len(rows))]


def _numbers(values: Any, where: str) -> FloatArray:
    """Returns finite numbers as float64; None and NaN are holes."""
    plain = values.tolist() if isinstance(values, np.ndarray) else values
    kinds = (float, int, type(None))
    if not isinstance(plain, (list, tuple)) or not all(
        isinstance(value, kinds) and not isinstance(value, bool) for value in plain
    ):
        message = f"{where}: expected numbers"
        raise ForeignFileError(message)
    column = np.array(plain, dtype=np.float64)
    if np.isinf(column).any():
        message = f"{where}: holds an infinite value"
        raise ForeignFileError(message)
    return column


def _configs(
    rows: Any, dataset: str
) -> tuple[list[dict[str, Any]], npt.NDArray[np.int16]]:
    """Checks the order of rows and keeps what else configurations say, once each."""
    space = SEARCH_SPACES["nasbench201"]
    where = f"not HW-NAS-Bench: nasbench201, {dataset}, config"
    if isinstance(rows, np.ndarray):
        rows = rows.tolist()
    rows = _by_row(rows)
    if not isinstance(rows, (list, tuple)) or len(rows) != space.size:
        message = f"{where}: expected 15625 configurations"
        raise ForeignFileError(message)
    official = [space.decode(g) for g in space.from_index(np.arange(space.size))]
    variants: dict[str, int] = {}
    which = np.empty(space.size, dtype=np.int16)
    for row, (config, name) in enumerate(zip(rows, official, strict=True)):
        if not isinstance(config, dict) or config.get("arch_str") != name:
            got = config.get("arch_str") if isinstance(config, dict) else config
            message = f"{where}: row {row} is {got!r}, expected {name!r}"
            raise ForeignFileError(message)
        try:
            key = json.dumps({**config, "arch_str": None})
        except (TypeError, ValueError, RecursionError):
            message = f"{where}: row {row} holds more than plain values"
            raise ForeignFileError(message) from None
        which[row] = variants.setdefault(key, len(variants))
    return [json.loads(key) for key in variants], which


def _blocks(tables: Any) -> tuple[npt.NDArray[np.str_], FloatArray]:
    names = official_columns("fbnet")
    known = dict.fromkeys(
        key
        for dataset in SEARCH_SPACES["fbnet"].datasets
        for key in fbnet_keys(dataset)
    )
    keys = list(known)
    keys += [key for key in _member(tables, names[0], "fbnet") if key not in known]
    columns = []
    for name in names:
        table = _member(tables, name, "fbnet")
        entries = [_member(table, key, f"fbnet, {name}") for key in keys]
        columns.append(_numbers(entries, f"not HW-NAS-Bench: fbnet, {name}"))
    return np.array(keys), np.stack(columns, axis=1)
