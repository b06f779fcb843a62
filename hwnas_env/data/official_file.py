"""What the official ``HW-NAS-Bench-v1_0.pickle`` holds, checked to be that."""

import json
import math
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

from hwnas_env.devices import DEVICES
from hwnas_env.errors import ForeignFileError, shown
from hwnas_env.spaces import SEARCH_SPACES, fbnet
from hwnas_env.types import FloatArray

SUFFIXES = {
    "latency_ms": "latency",
    "energy_mj": "energy",
    "arithmetic_intensity": "arithmetic_intensity",
}
"""Upstream's word for each of our metrics, behind the device's name."""

_ROWS = SEARCH_SPACES["nasbench201"].size
_KEY_LENGTH = 200
"""Most characters of an FBNet block's key; upstream's have up to 60."""


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


def official_arrays(
    tables: Any,
) -> tuple[dict[str, npt.NDArray[Any]], dict[str, list[dict[str, Any]]]]:
    """Checks what the official pickle holds, and lays it out as arrays.

    Args:
        tables: what :func:`hwnas_env.data.unpickle.loads` returned. Columns may be
            lists, arrays or dictionaries by row, and ``config`` a list or a
            dictionary; rows count from 0.

    Returns:
        Arrays ``nasbench201/DATASET/COLUMN`` ``(15625,)`` float64 and
        ``nasbench201/DATASET/config`` int16, ``fbnet/keys`` and ``fbnet/values``; and
        for each dataset what configurations say beside the architecture, each variant
        once, numbered by the config array.

    Raises:
        ForeignFileError: it is something else.
    """
    cells = _member(tables, "nasbench201", "the file")
    blocks = _member(tables, "fbnet", "the file")
    space = SEARCH_SPACES["nasbench201"]
    official = [space.decode(g) for g in space.from_index(np.arange(space.size))]
    arrays: dict[str, npt.NDArray[Any]] = {}
    configs = {}
    for dataset in space.datasets:
        table = _member(cells, dataset, "nasbench201")
        for column in official_columns("nasbench201"):
            where = f"nasbench201, {dataset}, {column}"
            values = _member(table, column, f"nasbench201, {dataset}")
            arrays[f"nasbench201/{dataset}/{column}"] = _column(values, column, where)
        variants, which = _configs(
            _member(table, "config", dataset),
            official,
            f"nasbench201, {dataset}, config",
        )
        configs[dataset] = variants
        arrays[f"nasbench201/{dataset}/config"] = which
    arrays["fbnet/keys"], arrays["fbnet/values"] = _blocks(blocks)
    return arrays, configs


def _refuse(words: str) -> NoReturn:
    message = f"not HW-NAS-Bench: {words}"
    raise ForeignFileError(message)


def _member(table: Any, key: str, where: str) -> Any:
    if not isinstance(table, dict):
        words = f"{where} is {shown(table)}, expected a dictionary with {key!r}"
        _refuse(words)
    if key not in table:
        near = ", ".join(shown(other).strip("'") for other in list(table)[:6])
        _refuse(f"{where} has no {key!r}; it has {near or 'nothing'}")
    return table[key]


def _column(values: Any, name: str, where: str) -> FloatArray:
    column = _numbers(_by_row(values, where), _ROWS, where)
    mark = -1.0 if name == "edgetpu_latency" else np.nan  # did not compile
    wrong = (column < 0) & (column != mark)
    if wrong.any():
        row = int(np.argmax(wrong))
        _refuse(f"{where}: row {row} is {column[row]}, expected a cost")
    _check_cost(column, where)
    return column


def _check_cost(column: FloatArray, where: str) -> None:
    """Refuses a table in which nothing costs anything; one of holes only is none."""
    held = column[~np.isnan(column)]
    if held.size and held.max() <= 0:
        _refuse(f"{where}: no value is above 0, expected costs")


def _by_row(rows: Any, where: str) -> Any:
    """Lays a dictionary by row number, as int or text, out as a list."""
    if not isinstance(rows, dict):
        return rows
    for numbers in (range(_ROWS), [str(row) for row in range(_ROWS)]):
        if rows.keys() == set(numbers):
            return [rows[number] for number in numbers]
    words = f"a dictionary of {len(rows)} keys from {shown(next(iter(rows), None))}"
    _refuse(f"{where}: {words}, expected the rows 0 to {_ROWS - 1}")


def _numbers(values: Any, size: int, where: str) -> FloatArray:
    """Returns ``size`` finite numbers as float64; None and NaN are holes."""
    if isinstance(values, np.ndarray):
        if values.shape != (size,):
            _refuse(f"{where}: expected {size} values, got shape {values.shape}")
        values = values.tolist() if values.dtype.kind in "fiuO" else None
    if not isinstance(values, (list, tuple)) or not all(
        value is None or type(value) in (float, int) for value in values
    ):
        _refuse(f"{where}: expected numbers")
    if len(values) != size:
        _refuse(f"{where}: expected {size} values, got shape ({len(values)},)")
    column = np.array([_as_float(value) for value in values], dtype=np.float64)
    if np.isinf(column).any():
        _refuse(f"{where}: holds an infinite value")
    return column


def _as_float(value: float | None) -> float:
    try:
        return math.nan if value is None else float(value)
    except OverflowError:
        return math.inf


def _configs(
    rows: Any, official: list[str], where: str
) -> tuple[list[dict[str, Any]], npt.NDArray[np.int16]]:
    """Checks the order of rows and keeps what else configurations say, once each."""
    rows = _by_row(rows, where)
    if not isinstance(rows, (list, tuple)) or len(rows) != len(official):
        _refuse(f"{where}: expected {len(official)} configurations")
    variants: dict[str, int] = {}
    which = np.empty(len(official), dtype=np.int16)
    for row, (config, name) in enumerate(zip(rows, official, strict=True)):
        got = config.get("arch_str") if isinstance(config, dict) else config
        if not isinstance(config, dict) or not isinstance(got, str) or got != name:
            _refuse(f"{where}: row {row} is {shown(got)}, expected {name!r}")
        try:
            plain = all(isinstance(key, str) for key in config)
            key = json.dumps({**config, "arch_str": None}) if plain else ""
        except (TypeError, ValueError):
            key = ""
        if not key:
            _refuse(f"{where}: row {row} holds more than plain values")
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
    first = _member(tables, names[0], "fbnet")
    for key in first if isinstance(first, dict) else ():
        if not isinstance(key, str) or len(key) > _KEY_LENGTH:
            words = f"{names[0]} has the key {shown(key)}, expected a block's name"
            _refuse(f"fbnet, {words}")
        if key not in known:
            keys.append(key)
    columns = []
    for name in names:
        table = _member(tables, name, "fbnet")
        entries = [_member(table, key, f"fbnet, {name}") for key in keys]
        column = _numbers(entries, len(keys), f"fbnet, {name}")
        # Least squares leave rounding below 0 where upstream has 0.
        wrong = column < -1e-9 * np.nanmax(column, initial=0.0)
        if wrong.any():
            row = int(np.argmax(wrong))
            words = f"{keys[row]} is {column[row]}, expected a cost"
            _refuse(f"fbnet, {name}: {words}")
        _check_cost(column, f"fbnet, {name}")
        columns.append(column)
    return np.array(keys), np.stack(columns, axis=1)
