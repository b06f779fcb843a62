"""Wrappers: vector rewards to numbers, constraints, observations, recordings.

Every wrapper but the recorder is a pair of classes with one rule: ``HardMask`` wraps
one environment, ``VectorHardMask`` what ``gym.make_vec`` makes, and so on with each
name. ``HardMask`` around a vector makes a ``VectorHardMask``, which is an instance of
both; the vector classes may be called by their own names too, with the same arguments.
A ``TrajectoryRecorder`` takes one environment only.

``hwnas_env.wrappers.sb3`` adapts vectors to Stable-Baselines3.
"""

from hwnas_env.wrappers.constraints import (
    HardMask,
    LagrangianReward,
    PenaltyReward,
    VectorHardMask,
    VectorLagrangianReward,
    VectorPenaltyReward,
)
from hwnas_env.wrappers.early import EarlyTermination, VectorEarlyTermination
from hwnas_env.wrappers.minari_export import to_minari
from hwnas_env.wrappers.observation import DictObservation, VectorDictObservation
from hwnas_env.wrappers.record import TrajectoryRecorder
from hwnas_env.wrappers.recordings import read_trajectories
from hwnas_env.wrappers.replays import replay
from hwnas_env.wrappers.scalarise import (
    Chebyshev,
    EpsilonConstraint,
    HypervolumeImprovement,
    PenaltyBoundary,
    VectorChebyshev,
    VectorEpsilonConstraint,
    VectorHypervolumeImprovement,
    VectorPenaltyBoundary,
    VectorWeightedSum,
    WeightedSum,
)
from hwnas_env.wrappers.tabular import DiscreteObservation, VectorDiscreteObservation

__all__ = [
    "Chebyshev",
    "DictObservation",
    "DiscreteObservation",
    "EarlyTermination",
    "EpsilonConstraint",
    "HardMask",
    "HypervolumeImprovement",
    "LagrangianReward",
    "PenaltyBoundary",
    "PenaltyReward",
    "TrajectoryRecorder",
    "VectorChebyshev",
    "VectorDictObservation",
    "VectorDiscreteObservation",
    "VectorEarlyTermination",
    "VectorEpsilonConstraint",
    "VectorHardMask",
    "VectorHypervolumeImprovement",
    "VectorLagrangianReward",
    "VectorPenaltyBoundary",
    "VectorPenaltyReward",
    "VectorWeightedSum",
    "WeightedSum",
    "read_trajectories",
    "replay",
    "to_minari",
]
