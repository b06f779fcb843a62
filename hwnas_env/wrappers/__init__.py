"""Wrappers: from a vector reward to a number, and ways to hold a constraint."""

from hwnas_env.wrappers.constraints import (
    EarlyTermination,
    HardMask,
    LagrangianReward,
    PenaltyReward,
)
from hwnas_env.wrappers.scalarise import (
    Chebyshev,
    EpsilonConstraint,
    HypervolumeImprovement,
    PenaltyBoundary,
    WeightedSum,
)

__all__ = [
    "Chebyshev",
    "EarlyTermination",
    "EpsilonConstraint",
    "HardMask",
    "HypervolumeImprovement",
    "LagrangianReward",
    "PenaltyBoundary",
    "PenaltyReward",
    "WeightedSum",
]
