"""Fits sums over MnasNet's blocks and pairs of blocks, and cross-validates them.

A robust, damped least squares of features: of each block (its expansion, kernel, layers
and squeeze-and-excitation, alone, by twos, and every choice by itself), of every two
neighbours, and of every block two behind a large one. Features are centred, so that the
penalties pull towards a block's mean effect. What is found is written as whole numbers
of the features themselves, as ``hwnas_env.spaces.mnasnet.sums`` reads it.
"""

import functools
import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np

from hwnas_env.spaces.mnasnet import FEATURES_AT, features
from hwnas_env.spaces.mnasnet.sums import CHOICES_AT, LENGTH, is_large
from hwnas_env.types import FloatArray, Genotypes, IntArray

FOLDS, SEED = 5, 0
ROUNDS = 8
"""How often rows are weighed anew, and a link that is no line is made one."""

NEIGHBOURS = tuple((p, p + 1) for p in range(LENGTH - 1))
ALL_PAIRS = tuple(itertools.combinations(range(LENGTH), 2))


@dataclass(frozen=True)
class Curve:
    """A link for fitting: from sums to a quantity, its slope, and first guesses.

    Attributes:
        value: sums ``(N,)`` to quantities.
        slope: its derivative.
        guess: quantities to sums, about the inverse.
    """

    value: Callable[[FloatArray], FloatArray]
    slope: Callable[[FloatArray], FloatArray]
    guess: Callable[[FloatArray], FloatArray]


def line() -> Curve:
    """The quantity is the sum."""
    return Curve(lambda z: z, np.ones_like, lambda y: y)


def soft_floor(floor: float, softness: float) -> Curve:
    """The quantity is a hyperbola from the floor to the sum."""

    def far(z: FloatArray) -> FloatArray:
        return np.asarray(np.sqrt((z - floor) ** 2 + 4.0 * softness**2))

    return Curve(
        lambda z: floor + 0.5 * (z - floor + far(z)),
        lambda z: 0.5 * (1.0 + (z - floor) / far(z)),
        lambda y: y,
    )


def logistic(ceiling: float) -> Curve:
    """The quantity is logistic in the sum."""

    def value(z: FloatArray) -> FloatArray:
        return np.asarray(ceiling / (1.0 + np.exp(-z)))

    return Curve(
        value,
        lambda z: value(z) * (1.0 - value(z) / ceiling),
        lambda y: np.log(y / (ceiling - y)),
    )


@dataclass(frozen=True)
class Form:
    """Describes what a quantity is made of.

    Attributes:
        curve: its link.
        pairs: positions whose features count together.
        far: features that count between positions that are no neighbours.
        large: whether a large block before the preceding one counts.
        penalties: of features alone, by twos, of choices and of pairs; squared, in
            rows.
        robust: relative deviations beyond so many medians weigh less.
        relative: whether errors are relative.
    """

    curve: Curve
    pairs: tuple[tuple[int, int], ...] = NEIGHBOURS
    far: tuple[str, ...] = ("e", "l", "s")
    large: bool = False
    penalties: Mapping[str, float] = field(
        default_factory=lambda: MappingProxyType(
            {"alone": 1e-3, "twos": 1e-3, "choices": 1e-2, "pairs": 1e-1}
        )
    )
    robust: float = 1.0
    relative: bool = True


@functools.cache
def _twos(position: int) -> IntArray:
    """Products of two features of a choice that are of different kinds."""
    names, marks = FEATURES_AT[position], features(position)
    kinds = [name[0] for name in names]
    columns = [
        marks[:, a] * marks[:, b]
        for a, b in itertools.combinations(range(len(names)), 2)
        if kinds[a] != kinds[b]
    ]
    return np.stack(columns, axis=1)


def _counted(form: Form, first: int, second: int) -> FloatArray:
    """Marks the pairs of features of two positions that count: ``(F, F)``."""
    if second == first + 1:
        return np.ones((len(FEATURES_AT[first]), len(FEATURES_AT[second])))
    own, other = (
        np.array([name[0] in form.far for name in FEATURES_AT[p]], dtype=float)
        for p in (first, second)
    )
    return np.outer(own, other)


class Design:
    """The features of some networks, centred by the means of those fitted to."""

    def __init__(self, form: Form, rows: Genotypes) -> None:
        """Prepares the features.

        Args:
            form: what counts.
            rows: ``(N, 7)``, the networks whose means are taken off.
        """
        self.form = form
        self.means = [features(p)[rows[:, p]].mean(axis=0) for p in range(LENGTH)]
        self.large = [is_large(p)[rows[:, p]].mean() for p in range(LENGTH)]
        penalties, self.matrix = [], []
        for name, block in self._parts(rows):
            own = form.penalties[name] if name else 1e-9
            penalties += [own] * block.shape[1]
            self.matrix.append(block)
        self.penalties = np.array(penalties)

    def _parts(self, rows: Genotypes) -> list[tuple[str, FloatArray]]:
        form = self.form
        parts = [("", np.ones((len(rows), 1)))]
        marks = [features(p)[rows[:, p]] - self.means[p] for p in range(LENGTH)]
        for p in range(LENGTH):
            parts.append(("alone", marks[p]))
            parts.append(("twos", _twos(p)[rows[:, p]].astype(float)))
            parts.append(("choices", np.eye(CHOICES_AT[p])[rows[:, p]]))
        for a, b in form.pairs:
            both = marks[a][:, :, None] * marks[b][:, None, :]
            counted = _counted(form, a, b).ravel() > 0
            parts.append(("pairs", both.reshape(len(rows), -1)[:, counted]))
        if form.large:
            for p in range(2, LENGTH):
                flag = is_large(p - 2)[rows[:, p - 2]] - self.large[p - 2]
                parts.append(("pairs", flag[:, None] * marks[p]))
        return parts

    def solve(self, target: FloatArray) -> FloatArray:
        """Fits a target ``(N,)``; rows of NaN are left out."""
        form, curve = self.form, self.form.curve
        held = ~np.isnan(target)
        y = target[held]
        matrix = np.concatenate(self.matrix, axis=1)[held]
        size = y if form.relative else np.ones_like(y)
        z = curve.guess(y)
        unit = np.sqrt(np.mean((curve.slope(z) / size) ** 2))
        trust = np.ones_like(y)
        for _ in range(ROUNDS):
            slope = curve.slope(z)
            weight = trust * slope / size / unit
            residual = trust * (y - curve.value(z)) / size / unit
            scaled = matrix * weight[:, None]
            normal = scaled.T @ scaled + np.diag(self.penalties)
            solution = np.linalg.solve(normal, scaled.T @ (weight * z + residual))
            z = matrix @ solution
            error = np.abs(y - curve.value(z)) / size
            spread = form.robust * np.median(error) / 0.6745
            trust = np.sqrt(1.0 / np.maximum(1.0, error / spread))
        return np.asarray(solution)

    def steps(self, solution: FloatArray, *, grid: float) -> dict[str, Any]:
        """Writes a solution in whole numbers of a grid, of features as they are.

        Returns:
            ``start_steps``, ``block_steps`` and, where they count, ``pair_steps`` and
            ``large_steps``.
        """
        form = self.form
        rest = iter(np.split(solution, np.cumsum([m.shape[1] for m in self.matrix])))
        start = float(next(rest)[0])
        blocks = []
        for p in range(LENGTH):
            alone, twos, choices = next(rest), next(rest), next(rest)
            marks = features(p) - self.means[p]
            blocks.append(marks @ alone + _twos(p) @ twos + choices)
        matrices = []
        for a, b in form.pairs:
            counted = _counted(form, a, b)
            matrix = np.zeros_like(counted)
            matrix[counted > 0] = next(rest)
            blocks[a] = blocks[a] - features(a) @ (matrix @ self.means[b])
            blocks[b] = blocks[b] - features(b) @ (self.means[a] @ matrix)
            start += float(self.means[a] @ matrix @ self.means[b])
            matrices.append(_rounded(matrix, grid))
        steps: dict[str, Any] = {"pair_steps": matrices} if matrices else {}
        if form.large:
            rows = []
            for p in range(2, LENGTH):
                row = next(rest)
                blocks[p] = blocks[p] - self.large[p - 2] * (features(p) @ row)
                shift = float(row @ self.means[p])
                blocks[p - 2] = blocks[p - 2] - shift * is_large(p - 2)
                start += self.large[p - 2] * shift
                rows.append(_rounded(row, grid))
            steps["large_steps"] = rows
        for p, row in enumerate(blocks):
            least = row.min()  # no choice adds less than nothing by itself
            start, blocks[p] = start + least, row - least
        steps["start_steps"] = round(start / grid)
        steps["block_steps"] = [_rounded(row, grid) for row in blocks]
        return steps


def _rounded(values: FloatArray, grid: float) -> Any:
    return np.round(values / grid).astype(np.int64).tolist()


def fit(form: Form, rows: Genotypes, target: FloatArray, *, grid: float) -> Any:
    """Fits a quantity; returns its coefficients in steps of the grid.

    Args:
        form: what it is made of.
        rows: networks ``(N, 7)``.
        target: their quantities ``(N,)``, NaN where not measured.
        grid: size of a step.
    """
    design = Design(form, rows)
    return design.steps(design.solve(target), grid=grid)


def predicted(
    form: Form,
    rows: Genotypes,
    target: FloatArray,
    *,
    grid: float,
    values: Callable[[Any, Genotypes], FloatArray],
) -> FloatArray:
    """Predicts every network from the folds without it: ``(N,)``.

    Args:
        form: what it is made of.
        rows: networks ``(N, 7)``.
        target: their quantities ``(N,)``, NaN where not measured.
        grid: size of a step.
        values: coefficients and networks to quantities.
    """
    fold = np.random.default_rng(SEED).integers(0, FOLDS, len(rows))
    found = np.full(len(rows), np.nan)
    for number in range(FOLDS):
        without, within = fold != number, fold == number
        steps = fit(form, rows[without], target[without], grid=grid)
        found[within] = values(steps, rows[within])
    return found
