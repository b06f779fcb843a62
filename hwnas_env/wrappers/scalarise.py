"""From a vector reward to one number.

- ``WeightedSum``, ``Chebyshev``, ``PenaltyBoundary``: with fixed weights.
- ``EpsilonConstraint``: one objective, with bounds on the others.
- ``HypervolumeImprovement``: what a network adds to an archive.

All of them give 0.0 on a step that evaluates nothing.
"""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, SupportsFloat

import gymnasium as gym
import numpy as np
from gymnasium.utils import RecordConstructorArgs

from hwnas_env.errors import InvalidArgumentError, unknown_name
from hwnas_env.problems.rewards import VectorReward
from hwnas_env.scalarise import chebyshev, penalty_boundary, weighted_sum
from hwnas_env.types import FloatArray
from hwnas_env.wrappers.arguments import at_least_zero

Step = tuple[Any, SupportsFloat, bool, bool, dict[str, Any]]


class Scalarisation(gym.Wrapper[Any, Any, Any, Any], RecordConstructorArgs):
    """Turns the vector reward of an evaluation into a number.

    A network that the device cannot run counts as the environment's reward reference.
    """

    def __init__(self, env: gym.Env[Any, Any]) -> None:
        """Finds the objectives of the environment.

        Raises:
            InvalidArgumentError: the environment has no objectives.
        """
        gym.Wrapper.__init__(self, env)
        core: Any = env.unwrapped
        found = getattr(core, "vector_reward", None)
        if not isinstance(found, VectorReward):
            message = (
                f"{type(self).__name__} needs a vector reward: make the environment "
                'with objectives=("accuracy", "latency_ms")'
            )
            raise InvalidArgumentError(message)
        self.vector_reward = found
        self._core = core

    @abstractmethod
    def scalar(self, reward: FloatArray) -> float:
        """Returns the number for one vector reward ``(k,)`` of an evaluation."""

    def step(self, action: Any) -> Step:
        """Steps the environment; ``info["vector_reward"]`` keeps the vector."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        vector = np.asarray(reward, dtype=np.float64)
        info["vector_reward"] = vector
        number = self.scalar(vector) if info["evaluated"] else 0.0
        return observation, number, terminated, truncated, info


class _Weighted(Scalarisation):
    """Scalarises with weights, on objectives normalised by the exact front."""

    def __init__(self, env: gym.Env[Any, Any], weights: Sequence[float]) -> None:
        super().__init__(env)
        size = len(self.vector_reward.objectives)
        array = np.asarray(weights, dtype=np.float64)
        fits = array.shape == (size,) and np.isfinite(array).all()
        if not fits or (array < 0).any() or array.sum() <= 0:
            names = ", ".join(o.name for o in self.vector_reward.objectives)
            message = (
                f"weights: expected {size} numbers of at least 0, not all 0, for "
                f"{names}; got {weights!r}"
            )
            raise InvalidArgumentError(message)
        self.weights = array / array.sum()
        front = np.array(self._core.pareto_front())
        self._nadir, ideal = front.min(axis=0), front.max(axis=0)
        self._range = np.where(ideal > self._nadir, ideal - self._nadir, 1.0)

    def normalised(self, reward: FloatArray) -> FloatArray:
        """Returns ``(1, k)`` objectives: 0 at the front's nadir, 1 at its ideal."""
        return np.asarray(((reward - self._nadir) / self._range)[None, :])


class WeightedSum(_Weighted):
    """Rewards the weighted sum of normalised objectives.

    Example:
        >>> import gymnasium as gym, hwnas_env
        >>> names = ("accuracy", "latency_ms")
        >>> env = gym.make("HWNAS-NASBench201-FPGA-v0", objectives=names)
        >>> env = WeightedSum(env, weights=[0.7, 0.3])
    """

    def __init__(self, env: gym.Env[Any, Any], weights: Sequence[float]) -> None:
        """Takes one weight an objective, at least 0; they are made to add up to 1.

        Raises:
            InvalidArgumentError: wrong weights, or no vector reward.
        """
        RecordConstructorArgs.__init__(self, weights=[*map(float, weights)])
        super().__init__(env, weights)

    def scalar(self, reward: FloatArray) -> float:
        """See :func:`hwnas_env.scalarise.weighted_sum`."""
        return float(weighted_sum(self.normalised(reward), self.weights)[0])


class Chebyshev(_Weighted):
    """Rewards nearness to the ideal, by the augmented Chebyshev distance."""

    def __init__(
        self, env: gym.Env[Any, Any], weights: Sequence[float], *, rho: float = 0.05
    ) -> None:
        """Takes weights, and the share of the sum of distances.

        Raises:
            InvalidArgumentError: wrong weights or rho, or no vector reward.
        """
        RecordConstructorArgs.__init__(self, weights=[*map(float, weights)], rho=rho)
        super().__init__(env, weights)
        self._rho = at_least_zero("rho", rho)

    def scalar(self, reward: FloatArray) -> float:
        """See :func:`hwnas_env.scalarise.chebyshev`."""
        values = self.normalised(reward)
        return float(chebyshev(values, self.weights, rho=self._rho)[0])


class PenaltyBoundary(_Weighted):
    """Rewards nearness to the ideal along the weights' direction (PBI)."""

    def __init__(
        self, env: gym.Env[Any, Any], weights: Sequence[float], *, theta: float = 5.0
    ) -> None:
        """Takes weights, and the price of leaving their direction.

        Raises:
            InvalidArgumentError: wrong weights or theta, or no vector reward.
        """
        RecordConstructorArgs.__init__(
            self, weights=[*map(float, weights)], theta=theta
        )
        super().__init__(env, weights)
        self._theta = at_least_zero("theta", theta)

    def scalar(self, reward: FloatArray) -> float:
        """See :func:`hwnas_env.scalarise.penalty_boundary`."""
        values = self.normalised(reward)
        return float(penalty_boundary(values, self.weights, theta=self._theta)[0])


class EpsilonConstraint(Scalarisation):
    """Rewards the first objective where the others keep their bounds.

    Where a bound is broken the reward is minus the sum of the relative excesses, each
    at most 1: worse than any network that keeps them with a reward of at least 0.
    """

    def __init__(self, env: gym.Env[Any, Any], bounds: Mapping[str, float]) -> None:
        """Takes one bound for every objective but the first, in people's units.

        Args:
            env: with a vector reward.
            bounds: by objective, in percent and the metrics' units: an upper bound
                where less is better, else a lower one; positive.

        Raises:
            UnknownNameError: a name that is not one of the other objectives.
            InvalidArgumentError: a missing or wrong bound, or no vector reward.
        """
        RecordConstructorArgs.__init__(self, bounds=dict(bounds))
        super().__init__(env)
        others = self.vector_reward.objectives[1:]
        names = [objective.name for objective in others]
        for name in bounds:
            if name not in names:
                raise unknown_name(name, names, what="bounded objective")
        for name in names:
            bound = bounds.get(name)
            if bound is None or not (np.isfinite(bound) and bound > 0):
                message = (
                    f"bounds: expected a positive number for {name}, got {bound!r}"
                )
                raise InvalidArgumentError(message)
        points = np.array([[0.0, *(float(bounds[name]) for name in names)]])
        self._limits = self.vector_reward.of_points(points)[0, 1:]

    def scalar(self, reward: FloatArray) -> float:
        """Returns the first objective, or minus the excess over the bounds."""
        excess = (self._limits - reward[1:]) / np.abs(self._limits)
        broken = np.clip(excess, 0.0, 1.0).sum()
        return float(-broken) if broken > 0 else float(reward[0])


class HypervolumeImprovement(Scalarisation):
    """Rewards the share of the front's hypervolume that a network adds to an archive.

    The archive is not observed, so rewards depend on what came before:
    ``info["hypervolume"]`` shows its share. The reference point is the environment's
    ``reward_reference``.
    """

    def __init__(self, env: gym.Env[Any, Any], *, keep: str = "run") -> None:
        """Keeps an archive for the whole run, or anew each episode.

        Args:
            env: with a vector reward.
            keep: "run" or "episode".

        Raises:
            UnknownNameError: another ``keep``.
            InvalidArgumentError: no vector reward.
        """
        RecordConstructorArgs.__init__(self, keep=keep)
        super().__init__(env)
        if keep not in ("run", "episode"):
            raise unknown_name(keep, ("run", "episode"), what="archive")
        self._keep = keep
        self._whole = self._volume(np.array(self._core.pareto_front()))
        self._forget()

    def _forget(self) -> None:
        self._archive = np.zeros((0, len(self.vector_reward.objectives)))
        self._share = 0.0

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Resets the environment; a seed, or a new episode, may empty the archive."""
        observation, info = self.env.reset(seed=seed, options=options)
        if self._keep == "episode" or seed is not None:
            self._forget()
        info["hypervolume"] = self._share
        return observation, info

    def step(self, action: Any) -> Step:
        """Steps the environment; ``info["hypervolume"]`` is the archive's share."""
        step = super().step(action)
        step[4]["hypervolume"] = self._share
        return step

    def scalar(self, reward: FloatArray) -> float:
        """Adds a network to the archive and returns what it adds to the volume."""
        import moocore  # here: most environments never need it

        points = np.vstack([self._archive, reward[None, :]])
        kept = moocore.is_nondominated(-points, keep_weakly=False)
        self._archive = points[kept]
        before, self._share = self._share, self._volume(self._archive) / self._whole
        return max(0.0, self._share - before)

    def _volume(self, points: FloatArray) -> float:
        import moocore

        reference = -self.vector_reward.reference
        return float(moocore.hypervolume(-points, ref=reference))
