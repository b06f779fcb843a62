"""A search space of your own: four stages of a convolutional network.

    cd examples/custom_space
    export HWNAS_ENV_SPACES=stages:SPACE HWNAS_ENV_DEVICES=. PYTHONPATH=.
    hwnas-env run --env HWNAS-Stages-Desk-v0 --queries 50

Every stage repeats a block of some width; the last has one width more. The accuracy is
made up: a sum over stages behind a logistic function, so that optima are exact.
"""

from dataclasses import dataclass

import numpy as np

from hwnas_env.engines import Additive, LayeredAccuracy, Linear, Logistic, stateless
from hwnas_env.spaces import LayeredSpace
from hwnas_env.types import Provenance

WIDTHS, DEPTHS = (16, 32, 64), (1, 2, 3)
BLOCKS = tuple((width, depth) for width in WIDTHS for depth in DEPTHS)
LAST = (*BLOCKS, (128, 1))


def names(blocks: tuple[tuple[int, int], ...]) -> tuple[str, ...]:
    """Names blocks by width and depth: w32_d2."""
    return tuple(f"w{width}_d{depth}" for width, depth in blocks)


@dataclass(frozen=True)
class Stages(LayeredSpace):
    """Four stages; what they cost on a device stands in the device's file."""

    def accuracy(self, name: str | int, dataset: str) -> LayeredAccuracy:
        """Wider and deeper is better, with diminishing returns."""
        self.check_dataset(dataset)
        gains = [
            [np.log(width * depth) / 4 for width, depth in self.at(p)]
            for p in range(self.length)
        ]
        score = stateless(-2.0, gains, link=Logistic(ceiling=95.0))
        source = Provenance("surrogate", "made up for this example", citation="")
        return LayeredAccuracy(f"made-up-{name}", score, None, source)

    def counts(self, dataset: str) -> dict[str, Additive]:
        """Weights of 3x3 convolutions, in millions."""
        self.check_dataset(dataset)
        weights = [
            [9 * width**2 * depth for width, depth in self.at(p)]
            for p in range(self.length)
        ]
        return {"parameters_m": stateless(0.0, weights, link=Linear(unit=1e6))}

    def at(self, position: int) -> tuple[tuple[int, int], ...]:
        """The blocks of a stage: (width, depth)."""
        return LAST if position == self.length - 1 else BLOCKS


SPACE = Stages(
    name="stages",
    label="Stages",
    operations=(names(BLOCKS), names(BLOCKS), names(BLOCKS), names(LAST)),
    positions=("stage 1", "stage 2", "stage 3", "stage 4"),
    datasets=("cifar10",),
    default_dataset="cifar10",
)
