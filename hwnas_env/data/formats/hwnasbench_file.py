"""What the official ``HW-NAS-Bench-v1_0.pickle`` holds: its columns, and checks.

What it says of each search space is read by the space's room.
"""

import math
from typing import Any, NoReturn

import numpy as np

from hwnas_env.errors import ForeignFileError, shown
from hwnas_env.types import FloatArray

COLUMNS = {
    "nasbench201": (
        "edgegpu_latency",
        "edgegpu_energy",
        "raspi4_latency",
        "edgetpu_latency",
        "pixel3_latency",
        "eyeriss_latency",
        "eyeriss_energy",
        "eyeriss_arithmetic_intensity",
        "fpga_latency",
        "fpga_energy",
    ),
    "fbnet": (
        "edgegpu_latency",
        "edgegpu_energy",
        "raspi4_latency",
        "pixel3_latency",
        "eyeriss_latency",
        "eyeriss_energy",
        "fpga_latency",
        "fpga_energy",
    ),
}
"""Upstream's column names by search space, in upstream's order."""

MARKED, MARK = "edgetpu_latency", -1.0
"""The column in which a number says that a network did not compile, and the number."""

SUFFIXES = {
    "latency_ms": "latency",
    "energy_mj": "energy",
    "arithmetic_intensity": "arithmetic_intensity",
}
"""Upstream's word for each of our metrics, behind the device's name."""


def column_of(space: str, device: str, metric: str) -> str | None:
    """Returns upstream's name of a column, by our names; None where there is none."""
    name = f"{device}_{SUFFIXES.get(metric, metric)}"
    return name if name in COLUMNS.get(space, ()) else None


def refuse(words: str) -> NoReturn:
    """Raises: the file is something else."""
    message = f"not HW-NAS-Bench: {words}"
    raise ForeignFileError(message)


def member(table: Any, key: str, where: str) -> Any:
    """Returns an entry of what has to be a dictionary that holds it.

    Raises:
        ForeignFileError: it is none, or does not.
    """
    if not isinstance(table, dict):
        words = f"{where} is {shown(table)}, expected a dictionary with {key!r}"
        refuse(words)
    if key not in table:
        near = ", ".join(shown(other).strip("'") for other in list(table)[:6])
        refuse(f"{where} has no {key!r}; it has {near or 'nothing'}")
    return table[key]


def check_cost(column: FloatArray, where: str) -> None:
    """Refuses a table in which nothing costs anything; one of holes only is none."""
    held = column[~np.isnan(column)]
    if held.size and held.max() <= 0:
        refuse(f"{where}: no value is above 0, expected costs")


def numbers(values: Any, size: int, where: str) -> FloatArray:
    """Returns ``size`` finite numbers as float64; None and NaN are holes."""
    if isinstance(values, np.ndarray):
        if values.shape != (size,):
            refuse(f"{where}: expected {size} values, got shape {values.shape}")
        values = values.tolist() if values.dtype.kind in "fiuO" else None
    if not isinstance(values, (list, tuple)) or not all(
        value is None or type(value) in (float, int) for value in values
    ):
        refuse(f"{where}: expected numbers")
    if len(values) != size:
        refuse(f"{where}: expected {size} values, got shape ({len(values)},)")
    column = np.array([_as_float(value) for value in values], dtype=np.float64)
    if np.isinf(column).any():
        refuse(f"{where}: holds an infinite value")
    return column


def _as_float(value: float | None) -> float:
    try:
        return math.nan if value is None else float(value)
    except OverflowError:
        return math.inf
