"""Noise that is a function of the genotype and a seed: the same on every query."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hwnas_env.maths.elementary import cosine_of_turns, log
from hwnas_env.types import FloatArray, Genotypes


@dataclass(frozen=True)
class Noise:
    """Adds normal noise to an accuracy, of the surrogate's stated uncertainty.

    Attributes:
        sigma_points: standard deviation in percentage points where no layer skips; it
            grows with the share of layers that do, to twice that.
        seed: another seed is another draw of the whole landscape.
        skip: the choice that skips a layer.
    """

    sigma_points: float
    seed: int
    skip: int

    def __call__(self, genotypes: Genotypes) -> FloatArray:
        """Returns the noise in percentage points of genotypes ``(N, L)``: ``(N,)``."""
        key = np.full(len(genotypes), self.seed, dtype=np.uint64)
        for position in range(genotypes.shape[1]):
            key = _mix(key + genotypes[:, position].astype(np.uint64) + np.uint64(1))
        # Two uniform numbers in (0, 1] make one normal number (Box and Muller, 1958).
        first, second = _uniform(_mix(key)), _uniform(_mix(~key))
        normal = np.sqrt(-2.0 * log(first)) * cosine_of_turns(second)
        skipped = np.count_nonzero(genotypes == self.skip, axis=1) / genotypes.shape[1]
        return np.asarray(self.sigma_points * (1.0 + skipped) * normal)


def uniform_numbers(n: int, *, stream: int) -> FloatArray:
    """Returns ``n`` uniform numbers in [0, 1), the same on every machine and version.

    Args:
        n: how many.
        stream: another number is another, independent sequence.
    """
    first = _mix(np.full(n, stream, dtype=np.uint64))
    place: npt.NDArray[np.uint64] = np.arange(n, dtype=np.uint64)
    return np.asarray(1.0 - _uniform(_mix(first + place)))


def _mix(key: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Scrambles 64 bits, as SplitMix64 does (Steele, Lea and Flood, OOPSLA 2014)."""
    key = key + np.uint64(0x9E3779B97F4A7C15)
    key = (key ^ (key >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    key = (key ^ (key >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return key ^ (key >> np.uint64(31))


def _uniform(key: npt.NDArray[np.uint64]) -> FloatArray:
    """Maps 64 bits to (0, 1] with 53 of them."""
    return ((key >> np.uint64(11)).astype(np.float64) + 1.0) * 2.0**-53
