"""The link of quantities that have a floor: a bend where others have a corner."""

from dataclasses import dataclass

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
