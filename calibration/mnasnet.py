"""All coefficients of MnasNet: columns of six accelerators, accuracy and its clock."""

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from calibration.files import Entry, entry
from calibration.mnasnet_fit import (
    ALL_PAIRS,
    FOLDS,
    Form,
    fit,
    line,
    logistic,
    predicted,
    soft_floor,
)
from hwnas_env.maths.statistics import fidelity
from hwnas_env.spaces.mnasnet import SPACE
from hwnas_env.spaces.mnasnet.accuracy import clock_of, read_pairs, score_of
from hwnas_env.spaces.mnasnet.costs import from_entry
from hwnas_env.types import FloatArray, Genotypes

FILE = "accel_nasbench_4110.npz"
CITATION = "Ahmad et al., Accel-NASBench, DAC 2024 (github.com/afzalxo/Accel-NASBench)"
HELD_OUT = f"{FOLDS}-fold cross-validation"

SOFT_FLOORS = {
    "rtx3090": (0.045, 0.01),
    "vck190": (0.2, 0.05),
    "tpuv3": (0.61, 0.01),
}
"""Floor and softness of the time an image, in ms: what feeds the device is slower than
the smallest networks. By cross-validation over some ten pairs each."""

CLOCK_FLOOR_S, CLOCK_SOFTNESS_S = 1200.0, 50.0
"""Of a training; likewise."""

CEILING_PERCENT = 69.5
"""What no network reaches; by cross-validation over 68 to 100, logistic and saturating.
The best of those trained has 67.05."""


class Column(NamedTuple):
    """How a device's column is fitted.

    Attributes:
        measured: its name in the file of reference data.
        form: what it is made of.
        grid: size of a step, in the unit of ``keys``.
        keys: the form's name, and its numbers by name.
        method: one sentence.
    """

    measured: str
    form: Form
    grid: float
    keys: Mapping[str, Any]
    method: str


BLOCKS = "a sum over seven blocks"
PAIRS = f"{BLOCKS} and over neighbouring blocks"
FLOORED = "but for a floor that what feeds the device sets"


def _time(name: str, grid: float) -> Column:
    """Describes the time an image on a device, as 1000 over its throughput."""
    measured = f"throughput_{name.removeprefix('rtx')}"
    if name not in SOFT_FLOORS:
        return Column(measured, Form(line()), grid, {"form": "sum"}, PAIRS)
    floor, softness = SOFT_FLOORS[name]
    keys = {"form": "soft floor", "floor_ms": floor, "softness_ms": softness}
    form = Form(soft_floor(floor, softness))
    return Column(measured, form, grid, keys, f"{PAIRS}, {FLOORED}")


COLUMNS: Mapping[str, Column] = {
    **{
        f"{name}/latency_ms": Column(
            f"latency_{name}", Form(line()), 1e-4, {"form": "sum"}, PAIRS
        )
        for name in ("zcu102", "vck190")
    },
    "zcu102/image_ms": _time("zcu102", 1e-4),
    "vck190/image_ms": _time("vck190", 1e-5),
    "a100/image_ms": _time("a100", 1e-6),
    "rtx3090/image_ms": _time("rtx3090", 1e-6),
    "tpuv2/image_ms": _time("tpuv2", 1e-5),
    "tpuv3/image_ms": _time("tpuv3", 1e-5),
}
"""Every column that is fitted; throughput is an alias of ``image_ms``."""


def read(reference: Path) -> tuple[Genotypes, dict[str, FloatArray]]:
    """Reads the reference data: networks ``(N, 7)``, and columns ``(N,)`` by name."""
    with np.load(reference / FILE) as data:
        listed = data["arch"].reshape(-1, SPACE.length, 4)
        rows = [SPACE.from_lists(*network.T.tolist()) for network in listed]
        columns = {name: data[name] for name in data if data[name].dtype.kind == "f"}
    return np.array(rows, dtype=np.int8), columns


def calibrate_costs(reference: Path) -> dict[str, Entry]:
    """Computes the columns of all devices.

    Args:
        reference: folder with ``accel_nasbench_4110.npz``.

    Returns:
        Entries by ``dataset/device/metric``.
    """
    rows, columns = read(reference)
    entries = {}
    for key, column in COLUMNS.items():
        name, metric = key.split("/")
        entries[f"ImageNet/{key}"] = calibrate_column(
            column, rows, columns[column.measured], metric
        )
        if metric == "image_ms":
            measured = np.isfinite(columns[column.measured]).sum()
            entries[f"ImageNet/{name}/throughput_ips"] = entry(
                "fitted",
                {},
                method="1000 over the time an image",
                citation=CITATION,
                calibrated_on=f"{measured:,} measurements of Accel-NASBench's networks",
            )
    return entries


def calibrate_column(
    column: Column, rows: Genotypes, measured: FloatArray, metric: str
) -> Entry:
    """Fits one column, and cross-validates it.

    Args:
        column: how.
        rows: networks ``(N, 7)``.
        measured: milliseconds, or images a second, ``(N,)``; NaN where not measured.
        metric: of what.
    """
    target = 1000.0 / measured if metric == "image_ms" else measured
    return _fitted(
        column.form,
        rows,
        target,
        grid=column.grid,
        keys={**column.keys, "grid_ms": column.grid},
        values=lambda found, some: from_entry(found, metric).values(some)[:, 0],
        method=column.method,
    )


def _fitted(
    form: Form,
    rows: Genotypes,
    target: FloatArray,
    *,
    grid: float,
    keys: Mapping[str, Any],
    values: Callable[[Any, Genotypes], FloatArray],
    method: str,
) -> Entry:
    """Fits a quantity and puts together its entry, with its error on held-out rows."""
    held = np.isfinite(target)

    def complete(steps: Any, some: Genotypes) -> FloatArray:
        return values({**keys, **steps}, some)

    estimate = predicted(form, rows, target, grid=grid, values=complete)
    return entry(
        "fitted",
        {**keys, **fit(form, rows, target, grid=grid)},
        method=method,
        citation=CITATION,
        calibrated_on=f"{held.sum():,} measurements of Accel-NASBench's networks",
        fidelity=fidelity(estimate[held], target[held], method=HELD_OUT),
    )


TRAINED = "fitted to proxy trainings of one seed, at most 67 % top-1"

_BY_POINTS = {"alone": 0.3, "twos": 2.0, "choices": 4.0, "pairs": 2.0}
"""Penalties of the accuracy, whose noise is larger than that of costs."""


def calibrate_accuracy(reference: Path) -> dict[str, Entry]:
    """Computes the accuracies and the clock.

    Args:
        reference: folder with ``accel_nasbench_4110.npz``.

    Returns:
        Entries "mean", "pairs" and "train_seconds".
    """
    rows, columns = read(reference)
    logit = Form(
        logistic(CEILING_PERCENT),
        penalties=_BY_POINTS,
        robust=1.5,
        relative=False,
    )
    keys = {"ceiling_percent": CEILING_PERCENT, "grid_score": 1e-4}
    chain = _fitted(
        dataclasses.replace(logit, large=True),
        rows,
        columns["val_top1"],
        grid=keys["grid_score"],
        keys=keys,
        values=lambda found, some: score_of(found).values(some)[:, 0],
        method=f"logistic in {PAIRS} and two behind large ones; {TRAINED}",
    )
    every = _fitted(
        dataclasses.replace(logit, pairs=ALL_PAIRS),
        rows,
        columns["val_top1"],
        grid=keys["grid_score"],
        keys=keys,
        values=lambda found, some: read_pairs(found)(some),
        method=f"logistic in {BLOCKS} and over every two; {TRAINED}",
    )
    clock = _fitted(
        Form(soft_floor(CLOCK_FLOOR_S, CLOCK_SOFTNESS_S), pairs=()),
        rows,
        columns["train_time"],
        grid=0.1,
        keys={
            "floor_s": CLOCK_FLOOR_S,
            "softness_s": CLOCK_SOFTNESS_S,
            "grid_s": 0.1,
        },
        values=lambda found, some: clock_of(found).values(some)[:, 0],
        method=f"{BLOCKS}, but for a floor; seconds of the proxy training",
    )
    return {"mean": chain, "pairs": every, "train_seconds": clock}
