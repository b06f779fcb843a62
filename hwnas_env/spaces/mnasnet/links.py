"""The link of quantities that have a floor: a bend where others have a corner."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from hwnas_env.types import FloatArray


@dataclass(frozen=True)
class SoftFloor:
    """Maps a sum x to a hyperbola: floor far below it, x far above; increasing.

    Attributes:
        floor: what no sum falls below.
        softness: what it is above the floor where x is the floor, positive.
    """

    floor: float
    softness: float

    def __call__(self, x: FloatArray) -> FloatArray:
        """Maps sums of any shape; every operation is the rounding of a monotone one."""
        above = x - self.floor
        far = np.sqrt(above * above + 4.0 * self.softness * self.softness)
        # the two halves of one function, each without a difference of like numbers
        low = 2.0 * self.softness * self.softness / (far + np.abs(above))
        high = np.maximum(0.5 * (far + above), self.softness)
        return self.floor + np.where(above < 0.0, np.minimum(low, self.softness), high)

    @staticmethod
    def in_pairs(arithmetic: Any, x: Any, numbers: Mapping[str, Any]) -> Any:
        """Maps sums that are pairs of float32: see :mod:`hwnas_env.jax.links`."""
        p, floor, soft = arithmetic, numbers["floor"], numbers["softness"]
        above = p.add(x, p.negative(floor))
        soft_squared = p.multiply(soft, soft)
        four, two = p.constant(4.0), p.constant(2.0)
        square = p.add(p.multiply(above, above), p.multiply(four, soft_squared))
        far, below = p.sqrt(square), above[0] < 0.0
        away = p.where(below, p.negative(above), above)
        low = p.divide(p.multiply(two, soft_squared), p.add(far, away))
        high = p.multiply(p.constant(0.5), p.add(far, away))
        return p.add(floor, p.where(below, low, high))
