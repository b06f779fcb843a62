"""Accuracy of MnasNet on ImageNet, fitted to networks that were trained.

Accel-NASBench has 5,138 trainings by one proxy scheme, of one seed; the best reaches
67.1 %. Accuracy is logistic in a score, a sum over blocks and pairs of blocks;
training seconds are a sum over blocks, but for a floor.
"""

import functools
import importlib.resources
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from hwnas_env.data.provenance import stated_provenance
from hwnas_env.engines.additive import Additive
from hwnas_env.engines.columns import LayeredAccuracy
from hwnas_env.engines.links import Logistic
from hwnas_env.errors import InvalidArgumentError, shown
from hwnas_env.spaces.mnasnet.facts import features
from hwnas_env.spaces.mnasnet.links import SoftFloor
from hwnas_env.spaces.mnasnet.sums import FEATURES, LENGTH, block_steps, build, whole
from hwnas_env.types import FloatArray, Genotypes, IntArray

NAMES = ("mean", "pairs")


def fitted_accuracy(name: str | int) -> LayeredAccuracy:
    """Returns a fitted accuracy, with training seconds.

    Args:
        name: "mean": exact optima and fronts; or "pairs": every two blocks count
            together, which ranks better, but no optimum and no front is exact.

    Raises:
        InvalidArgumentError: another accuracy is asked for.
    """
    if not isinstance(name, str) or name not in NAMES:
        message = (
            f"accuracy: expected 'mean' or 'pairs', got {shown(name)}; mnasnet was "
            "trained once a network: there are no runs; your own function or table "
            "can take its place"
        )
        raise InvalidArgumentError(message)
    entry, seconds = coefficients()[name], clock_of(coefficients()["train_seconds"])
    provenance = stated_provenance(entry)
    if name == "pairs":
        function = read_pairs(entry)
        return LayeredAccuracy(
            "fitted-pairs", None, function, provenance, train_seconds=seconds
        )
    return LayeredAccuracy(
        "fitted-mean", score_of(entry), None, provenance, train_seconds=seconds
    )


def score_of(entry: Mapping[str, Any]) -> Additive:
    """Builds the score of the mean accuracy, whose link gives percent."""
    link = Logistic(entry["ceiling_percent"])
    return build(entry, grid=entry["grid_score"], link=link)


def clock_of(entry: Mapping[str, Any]) -> Additive:
    """Builds the seconds of training."""
    link = SoftFloor(entry["floor_s"], entry["softness_s"])
    return build(entry, grid=entry["grid_s"], link=link)


@functools.cache
def coefficients() -> dict[str, Any]:
    """Returns the committed coefficients by name, each with its provenance."""
    file = importlib.resources.files(__package__) / "accuracy.json"
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found


@dataclass(frozen=True, eq=False)
class PairedScore:
    """Maps genotypes ``(N, 7)`` to accuracy in percent ``(N,)``.

    Attributes:
        start: what every network has, in steps.
        blocks: ``(7, 48)``, what each choice adds, in steps.
        pairs: ``(F, F)``, what two features add together, in steps; those of all
            positions side by side.
        grid: size of a step.
        link: from the score to percent.
    """

    start: int
    blocks: IntArray
    pairs: IntArray
    grid: float
    link: Logistic

    def __call__(self, genotypes: Genotypes) -> FloatArray:
        """Adds whole numbers, so the same in any order and in any batch."""
        marks = np.concatenate(
            [features(p)[genotypes[:, p]] for p in range(LENGTH)], axis=1
        )
        total = self.start + self.blocks[np.arange(LENGTH), genotypes].sum(axis=1)
        total += ((marks @ self.pairs) * marks).sum(axis=1)
        return self.link(total * self.grid)


def read_pairs(entry: Mapping[str, Any]) -> PairedScore:
    """Builds the score of all pairs from coefficients.

    Args:
        entry: ``ceiling_percent``, ``grid_score``, ``start_steps``, ``block_steps``,
            and ``pair_steps``: a matrix for every two positions, the first one slowest.
    """
    ends = np.cumsum((0, *FEATURES)).tolist()
    pairs = np.zeros((ends[-1], ends[-1]), dtype=np.int64)
    matrices = iter(entry["pair_steps"])
    for first in range(LENGTH):
        for second in range(first + 1, LENGTH):
            shape = FEATURES[first], FEATURES[second]
            rows = slice(ends[first], ends[first + 1])
            columns = slice(ends[second], ends[second + 1])
            pairs[rows, columns] = whole(next(matrices), shape, "pair_steps")
    listed = block_steps(entry["block_steps"])
    blocks = np.zeros((LENGTH, max(map(len, listed))), dtype=np.int64)
    for position, row in enumerate(listed):
        blocks[position, : len(row)] = row
    return PairedScore(
        entry["start_steps"],
        blocks,
        pairs,
        entry["grid_score"],
        Logistic(entry["ceiling_percent"]),
    )
