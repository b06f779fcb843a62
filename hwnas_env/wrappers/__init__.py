"""Wrappers: vector rewards to numbers, constraints, observations, recordings.

All but the recorder take one environment, or what ``gym.make_vec`` makes.
``hwnas_env.wrappers.sb3`` adapts vectors to Stable-Baselines3.
"""

from hwnas_env.wrappers.constraints import (
    HardMask,
    LagrangianReward,
    PenaltyReward,
)
from hwnas_env.wrappers.early import EarlyTermination
from hwnas_env.wrappers.minari_export import to_minari
from hwnas_env.wrappers.observation import DictObservation
from hwnas_env.wrappers.record import TrajectoryRecorder
from hwnas_env.wrappers.recordings import read_trajectories
from hwnas_env.wrappers.replays import replay
from hwnas_env.wrappers.scalarise import (
    Chebyshev,
    EpsilonConstraint,
    HypervolumeImprovement,
    PenaltyBoundary,
    WeightedSum,
)

__all__ = [
    "Chebyshev",
    "DictObservation",
    "EarlyTermination",
    "EpsilonConstraint",
    "HardMask",
    "HypervolumeImprovement",
    "LagrangianReward",
    "PenaltyBoundary",
    "PenaltyReward",
    "TrajectoryRecorder",
    "WeightedSum",
    "read_trajectories",
    "replay",
    "to_minari",
]
