"""From a vector reward to one number.

- ``WeightedSum``, ``Chebyshev``, ``PenaltyBoundary``: with weights, fixed or drawn.
- ``EpsilonConstraint``: one objective, with bounds on the others.
- ``HypervolumeImprovement``: what a network adds to an archive.

Each takes one environment; around what ``gym.make_vec`` makes it becomes the class
below it, ``VectorWeightedSum`` and so on. All of them give 0.0 on a
step that evaluates nothing; a network that the device cannot run (c = inf) counts as
the environment's ``reward_reference``: accuracy 0 and the largest costs there are.
``info["vector_reward"]`` keeps the vector.
"""

from collections.abc import Mapping, Sequence

from hwnas_env.wrappers.protocols import AnyEnv
from hwnas_env.wrappers.reward_rules import (
    RewardRuleWrapper,
    VectorRewardRuleWrapper,
)
from hwnas_env.wrappers.scalar_rules import (
    BoundaryRule,
    ChebyshevRule,
    EpsilonRule,
    VolumeRule,
    WeightedRule,
)


class WeightedSum(RewardRuleWrapper):
    """Rewards the weighted sum of objectives, normalised by the exact front.

    0 at the front's nadir, 1 at its ideal. Weights "sampled" are drawn each episode,
    uniformly over all that add up to 1, shown in ``info["weights"]`` and at the end of
    the observation: for one policy over all trade-offs. Around a vector it is a
    :class:`VectorWeightedSum`.

    Example:
        >>> import gymnasium as gym, hwnas_env
        >>> names = ("accuracy", "latency_ms")
        >>> env = gym.make("HWNAS-NASBench201-FPGA-v0", objectives=names)
        >>> env = WeightedSum(env, weights=[0.7, 0.3])
    """

    rule_type = WeightedRule

    def __init__(self, env: AnyEnv, weights: Sequence[float] | str) -> None:
        """Takes one weight an objective, at least 0, or "sampled".

        Raises:
            InvalidArgumentError: wrong weights, or no vector reward.
        """
        super().__init__(env, weights=weights)


class VectorWeightedSum(VectorRewardRuleWrapper):
    """Applies :class:`WeightedSum` to every row of a vector."""

    single_type = WeightedSum


class Chebyshev(RewardRuleWrapper):
    """Rewards nearness to the ideal, by the augmented Chebyshev distance.

    0 at the ideal, else negative; see :class:`WeightedSum` for weights. Around a vector
    it is a :class:`VectorChebyshev`.
    """

    rule_type = ChebyshevRule

    def __init__(
        self,
        env: AnyEnv,
        weights: Sequence[float] | str,
        *,
        rho: float = 0.05,
    ) -> None:
        """Takes weights, and the share of the sum of distances.

        Raises:
            InvalidArgumentError: wrong weights or rho, or no vector reward.
        """
        super().__init__(env, weights=weights, rho=rho)


class VectorChebyshev(VectorRewardRuleWrapper):
    """Applies :class:`Chebyshev` to every row of a vector."""

    single_type = Chebyshev


class PenaltyBoundary(RewardRuleWrapper):
    """Rewards nearness to the ideal along the weights' direction (PBI).

    0 at the ideal, else negative; see :class:`WeightedSum` for weights. Around a vector
    it is a :class:`VectorPenaltyBoundary`.
    """

    rule_type = BoundaryRule

    def __init__(
        self,
        env: AnyEnv,
        weights: Sequence[float] | str,
        *,
        theta: float = 5.0,
    ) -> None:
        """Takes weights, and the price of leaving their direction.

        Raises:
            InvalidArgumentError: wrong weights or theta, or no vector reward.
        """
        super().__init__(env, weights=weights, theta=theta)


class VectorPenaltyBoundary(VectorRewardRuleWrapper):
    """Applies :class:`PenaltyBoundary` to every row of a vector."""

    single_type = PenaltyBoundary


class EpsilonConstraint(RewardRuleWrapper):
    """Rewards the first objective where the others keep their bounds.

    A bound that is met exactly is kept. Where one is broken the reward is minus the sum
    of the relative excesses, each at most 1: worse than any network that keeps them
    with a reward of at least 0. Around a vector it is a
    :class:`VectorEpsilonConstraint`.
    """

    rule_type = EpsilonRule

    def __init__(self, env: AnyEnv, bounds: Mapping[str, float]) -> None:
        """Takes one bound for every objective but the first, in people's units.

        Args:
            env: with a vector reward.
            bounds: by objective, in percent and the metrics' units: an upper bound
                where less is better, else a lower one; positive.

        Raises:
            UnknownNameError: a name that is not one of the other objectives.
            InvalidArgumentError: a missing or wrong bound, or no vector reward.
        """
        super().__init__(env, bounds=bounds)


class VectorEpsilonConstraint(VectorRewardRuleWrapper):
    """Applies :class:`EpsilonConstraint` to every row of a vector."""

    single_type = EpsilonConstraint


class HypervolumeImprovement(RewardRuleWrapper):
    """Rewards the share of the front's hypervolume that a network adds to an archive.

    The archive is not observed, so rewards depend on what came before:
    ``info["hypervolume"]`` shows its share as of the row's last evaluation. A run ends
    where the ledger begins anew: at a seeded reset, unless ``max_queries`` or a ledger
    that was given go on. The reference point is the environment's
    ``reward_reference``. A front without volume, such as that of one network, is shared
    out by its points: 1 where all are reached.

    Around a vector it is a :class:`VectorHypervolumeImprovement`, where the archive of
    a run is that of all rows, to which a step's networks are added in their order; each
    device has its own.
    """

    rule_type = VolumeRule

    def __init__(self, env: AnyEnv, *, keep: str = "run") -> None:
        """Keeps an archive for the whole run, or anew each episode.

        Args:
            env: with a vector reward.
            keep: "run" or "episode".

        Raises:
            UnknownNameError: another ``keep``.
            InvalidArgumentError: no vector reward.
        """
        super().__init__(env, keep=keep)


class VectorHypervolumeImprovement(VectorRewardRuleWrapper):
    """Applies :class:`HypervolumeImprovement` to every row of a vector."""

    single_type = HypervolumeImprovement
