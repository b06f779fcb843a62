"""Fits the Edge TPU model of docs/edgetpu.md to what was measured on that device.

Nobody has measured an FBNet there; nine networks of Coral and NAS-Bench-201 are.
"""

import csv
import dataclasses
import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from calibration.coral import CORAL_NETWORKS, nas_bench_201
from calibration.files import Entry, entry
from calibration.numerics import nnls, rounded
from hwnas_env.data.formats.hwnasbench import CITATION
from hwnas_env.maths.statistics import fidelity
from hwnas_env.spaces.fbnet import SETTINGS
from hwnas_env.spaces.fbnet.operations import (
    FITTED,
    ON_CHIP_BYTES,
    WINDOW_MS,
    Operation,
    work,
)
from hwnas_env.types import Fidelity, FloatArray, Genotypes

# Of the NAS-Bench-201 rows every 20th is fitted, all together with the weight of three
# Coral networks; the other rows test the fit.
NASBENCH201_STRIDE = 20
NASBENCH201_WEIGHT = 3.0

# Which starts are hidden depends on the constants; this many passes settle it.
PASSES = 8
FIRST_GUESS = (2.3, 0.06, 0.4, 0.02, 2.4, 0.3)


def calibrate(reference: Path) -> dict[str, Entry]:
    """Fits the constants, the same for both datasets.

    Args:
        reference: folder with ``edgetpu_coral_latency.csv``,
            ``hwnasbench_nb201_cifar10.npz`` and ``nb201_genotypes.npz``.

    Returns:
        Entries by ``dataset/edgetpu/latency_ms``: the constants of
        ``hwnas_env.spaces.fbnet.operations.FITTED``, and ``floor_ms``, the smallest
        latency measured in NAS-Bench-201.
    """
    coral = Sample.of([n.operations for n in CORAL_NETWORKS.values()])
    coral_ms = coral_latencies(reference)
    genotypes, every_ms = nasbench201_latencies(reference)
    every = Sample.of([nas_bench_201(g) for g in genotypes.tolist()])
    chosen = np.arange(len(every_ms)) % NASBENCH201_STRIDE == 0
    known, known_ms = every.rows(chosen), every_ms[chosen]
    weights = np.full(len(known_ms), NASBENCH201_WEIGHT / len(known_ms))

    def fit_without(left_out: int | None) -> FloatArray:
        kept = np.arange(len(coral_ms)) != left_out
        return fit(
            coral.rows(kept) + known,
            np.concatenate([coral_ms[kept], known_ms]),
            weights=np.concatenate([np.ones(kept.sum()), weights]),
        )

    fitted = [rounded(value) for value in fit_without(None)]
    left_out = np.array(
        [
            coral.rows(np.arange(len(coral_ms)) == n).predict(fit_without(n))[0]
            for n in range(len(coral_ms))
        ]
    )
    rest = fidelity(
        every.rows(~chosen).predict(np.array(fitted)), every_ms[~chosen], method=""
    )
    card = fidelity(left_out, coral_ms, method="")
    coefficients = dict(zip(FITTED, fitted, strict=True))
    coefficients["floor_ms"] = rounded(float(every_ms.min()), digits=4)
    return {
        f"{dataset}/edgetpu/latency_ms": entry(
            "modelled",
            {"form": "operations", **coefficients},
            method=(
                "chain of operations: array, vector and byte times, and starts that "
                "hide behind long operations (docs/edgetpu.md)"
            ),
            citation=f"{CITATION}; Coral: google-coral/pycoral, coral.ai",
            calibrated_on=(
                f"{len(coral_ms)} networks on Coral devices and {len(known_ms)} "
                "NAS-Bench-201 networks on cifar10; no FBNet"
            ),
            fidelity=dataclasses.replace(
                card, method=_words(rest, card.n, side=SETTINGS[dataset].side)
            ),
        )
        for dataset in SETTINGS
    }


def coral_latencies(reference: Path) -> FloatArray:
    """Reads the Dev Board's latencies, medians over sources: ``(9,)`` ms."""
    path = reference / "edgetpu_coral_latency.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["host"] == "Coral Dev Board"]
    return np.array(
        [
            np.median(
                [
                    float(row["latency_ms"])
                    for row in rows
                    if row["model"].startswith(network.names)
                ]
                if network.names
                else [network.latency_ms]
            )
            for network in CORAL_NETWORKS.values()
        ]
    )


def nasbench201_latencies(reference: Path) -> tuple[Genotypes, FloatArray]:
    """Reads what was measured on cifar10: genotypes ``(N, 6)`` and ms ``(N,)``.

    Rows without a value and rows that did not compile (-1) are left out.
    """
    with np.load(reference / "hwnasbench_nb201_cifar10.npz") as data:
        latency = data["edgetpu_latency"]
    with np.load(reference / "nb201_genotypes.npz") as data:
        genotypes = data["genotypes"]
    measured = np.isfinite(latency) & (latency > 0.0)
    return genotypes[measured], latency[measured]


@dataclass(frozen=True, eq=False)
class Sample:
    """Networks as what the model needs of them.

    Attributes:
        works: own times as weights of ``FITTED``, one array ``(operations, 6)`` each.
        constants: own times in ms, one array ``(operations,)`` each.
        weights: bytes of parameters.
    """

    works: tuple[FloatArray, ...]
    constants: tuple[FloatArray, ...]
    weights: tuple[int, ...]

    @classmethod
    def of(cls, networks: Sequence[Sequence[Operation]]) -> "Sample":
        """Prepares lists of operations."""
        pairs = [[_work(operation) for operation in network] for network in networks]
        return cls(
            tuple(np.array([row for row, _ in network]) for network in pairs),
            tuple(np.array([ms for _, ms in network]) for network in pairs),
            tuple(sum(o.weights for o in network) for network in networks),
        )

    def __add__(self, other: "Sample") -> "Sample":
        """Joins two samples."""
        return Sample(
            self.works + other.works,
            self.constants + other.constants,
            self.weights + other.weights,
        )

    def rows(self, kept: np.ndarray) -> "Sample":
        """Returns the networks where a mask ``(N,)`` is True."""
        numbers = np.flatnonzero(kept).tolist()
        return Sample(
            tuple(self.works[n] for n in numbers),
            tuple(self.constants[n] for n in numbers),
            tuple(self.weights[n] for n in numbers),
        )

    def system(self, fitted: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Writes latencies as ``matrix @ FITTED + constants``: ``(N, 6)``, ``(N,)``.

        Args:
            fitted: constants ``(6,)`` that decide which starts are hidden.
        """
        rows = []
        for works, constants, weights in zip(
            self.works, self.constants, self.weights, strict=True
        ):
            own = works @ fitted + constants
            row = works.sum(axis=0)
            row[2] = np.maximum(0.0, WINDOW_MS - own[:-1]).sum() + WINDOW_MS
            row[4] = max(0, weights - ON_CHIP_BYTES) / 1e6
            row[5] = 1.0
            rows.append(row)
        return np.array(rows), np.array([c.sum() for c in self.constants])

    def predict(self, fitted: FloatArray) -> FloatArray:
        """Predicts latencies ``(N,)`` in ms from constants ``(6,)``."""
        matrix, constants = self.system(fitted)
        return np.asarray(matrix @ fitted + constants)


def fit(sample: Sample, latency_ms: FloatArray, *, weights: FloatArray) -> FloatArray:
    """Fits ``FITTED`` by non-negative least squares of relative errors.

    Args:
        sample: N networks.
        latency_ms: ``(N,)``.
        weights: of squared relative errors, ``(N,)``.

    Returns:
        ``(6,)`` float64.
    """
    fitted = np.array(FIRST_GUESS)
    factor = np.sqrt(weights) / latency_ms
    for _ in range(PASSES):
        matrix, constants = sample.system(fitted)
        fitted = nnls(matrix * factor[:, None], (latency_ms - constants) * factor)
    return fitted


@functools.cache
def _work(operation: Operation) -> tuple[FloatArray, float]:
    return work(operation)


def _words(rest: Fidelity, networks: int, *, side: int) -> str:
    far = "" if side > 100 else f", none with an input near {side} x {side}"
    return (
        f"leave-one-out over {networks} networks on Coral devices (one on a USB host), "
        f"none an FBNet{far}; padding, window and on-chip size were chosen on all of "
        f"them; {rest.n} NAS-Bench-201 networks not fitted: MAPE "
        f"{rest.mape_percent:.1f} %, tau-b {rest.tau_b:.3f}"
    )
