"""Ways to hold the budget, beside the masks that every environment has.

- ``PenaltyReward``: a static penalty on the excess.
- ``LagrangianReward``: a penalty whose multiplier follows the dual.
- ``EarlyTermination``: ends an episode that can no longer meet the budget.
- ``HardMask``: plays an allowed action in place of a masked one.

What is penalised is ``info["cost"]`` = min(max(0, c / T - 1), 1): 0 at c = T, and 1
where the device cannot run the network.
"""

from typing import Any, SupportsFloat

import gymnasium as gym
import numpy as np
from gymnasium.utils import RecordConstructorArgs

from hwnas_env.errors import InvalidArgumentError
from hwnas_env.wrappers.arguments import at_least_zero

Step = tuple[Any, SupportsFloat, bool, bool, dict[str, Any]]


class PenaltyReward(gym.Wrapper[Any, Any, Any, Any], RecordConstructorArgs):
    """Subtracts ``coefficient * info["cost"]`` from the reward of an evaluation.

    Example:
        >>> import gymnasium as gym, hwnas_env
        >>> env = gym.make("HWNAS-FBNet-FPGA-v0", reward="accuracy_only")
        >>> env = PenaltyReward(env, coefficient=2.0)
    """

    def __init__(self, env: gym.Env[Any, Any], *, coefficient: float = 1.0) -> None:
        """Takes the penalty for a cost of twice the budget.

        Raises:
            InvalidArgumentError: the coefficient is no number of at least 0.
        """
        RecordConstructorArgs.__init__(self, coefficient=coefficient)
        gym.Wrapper.__init__(self, env)
        self._coefficient = at_least_zero("coefficient", coefficient)

    def step(self, action: Any) -> Step:
        """Steps the environment and subtracts the penalty."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        number = float(reward) - self._coefficient * info["cost"]
        return observation, number, terminated, truncated, info


class LagrangianReward(gym.Wrapper[Any, Any, Any, Any], RecordConstructorArgs):
    """Subtracts ``multiplier * info["cost"]``, and moves the multiplier by the dual.

    After every evaluation ``multiplier = max(0, multiplier + step_size * e)`` with
    e = c / T - 1 clipped to [-1, 1], 1 where not deployable: it grows while networks
    break the budget and falls while they keep it. ``info["multiplier"]`` is the one
    that the next evaluation will be charged with. Rewards depend on it; with
    ``observe`` it is observed, as multiplier / (1 + multiplier).

    Source:
        Tessler et al., Reward Constrained Policy Optimization, ICLR 2019.
    """

    def __init__(
        self,
        env: gym.Env[Any, Any],
        *,
        step_size: float = 0.05,
        initial: float = 0.0,
        observe: bool = False,
    ) -> None:
        """Takes the step of the dual, the first multiplier, and whether it is observed.

        Raises:
            InvalidArgumentError: a number below 0, or ``observe`` without a Box.
        """
        RecordConstructorArgs.__init__(
            self, step_size=step_size, initial=initial, observe=observe
        )
        gym.Wrapper.__init__(self, env)
        self._step_size = at_least_zero("step_size", step_size)
        self._initial = self.multiplier = at_least_zero("initial", initial)
        self._observe = observe
        if observe:
            space = env.observation_space
            if not isinstance(space, gym.spaces.Box) or len(space.shape) != 1:
                message = f"observe: expected a flat Box to add to, got {space}"
                raise InvalidArgumentError(message)
            low, high = np.append(space.low, 0.0), np.append(space.high, 1.0)
            dtype: Any = space.dtype
            self.observation_space = gym.spaces.Box(
                low.astype(dtype), high.astype(dtype), dtype=dtype
            )

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Resets the environment; a seed also sets the multiplier back."""
        observation, info = self.env.reset(seed=seed, options=options)
        if seed is not None:
            self.multiplier = self._initial
        info["multiplier"] = self.multiplier
        return self._seen(observation), info

    def step(self, action: Any) -> Step:
        """Steps the environment, charges the cost, then moves the multiplier."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        number = float(reward) - self.multiplier * info["cost"]
        if info["evaluated"]:
            core: Any = self.env.unwrapped
            excess = info[core.problem.metric] / info["budget"] - 1.0
            move = self._step_size * min(max(excess, -1.0), 1.0)
            self.multiplier = max(0.0, self.multiplier + move)
        info["multiplier"] = self.multiplier
        return self._seen(observation), number, terminated, truncated, info

    def _seen(self, observation: Any) -> Any:
        if not self._observe:
            return observation
        shown = self.multiplier / (1.0 + self.multiplier)
        return np.append(observation, np.asarray(shown, dtype=observation.dtype))


class EarlyTermination(gym.Wrapper[Any, Any, Any, Any], RecordConstructorArgs):
    """Terminates as soon as no completion can meet the budget; the bound is exact.

    Nothing is queried then, and the reward is ``reward``. In ``mutate`` and ``joint``
    nothing is completed step by step, and it has no effect.
    """

    def __init__(self, env: gym.Env[Any, Any], *, reward: float = 0.0) -> None:
        """Takes the reward of an episode that is ended.

        Raises:
            InvalidArgumentError: the reward is not finite.
        """
        RecordConstructorArgs.__init__(self, reward=reward)
        gym.Wrapper.__init__(self, env)
        if not np.isfinite(reward):
            message = f"reward: expected a finite number, got {reward!r}"
            raise InvalidArgumentError(message)
        self._reward = float(reward)

    def step(self, action: Any) -> Step:
        """Steps the environment, and ends the episode where the budget is lost."""
        step: Step = self.env.step(action)
        observation, _, terminated, truncated, info = step
        undecided = bool((info["genotype"] < 0).any())
        if terminated or truncated or info["completable"] or not undecided:
            return step
        return observation, self._reward, True, False, info


class HardMask(gym.Wrapper[Any, Any, Any, Any], RecordConstructorArgs):
    """Plays an allowed action, drawn uniformly, in place of a masked one.

    For agents that know no masks. ``info["action_replaced"]`` says where it did; the
    generator is the environment's own. For modes with a ``Discrete`` action.
    """

    def __init__(self, env: gym.Env[Any, Any]) -> None:
        """Wraps an environment with a ``Discrete`` action.

        Raises:
            InvalidArgumentError: the action is of another kind.
        """
        RecordConstructorArgs.__init__(self)
        gym.Wrapper.__init__(self, env)
        if not isinstance(env.action_space, gym.spaces.Discrete):
            message = f"HardMask: expected a Discrete action, got {env.action_space}"
            raise InvalidArgumentError(message)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Resets the environment; nothing was replaced yet."""
        observation, info = self.env.reset(seed=seed, options=options)
        info["action_replaced"] = False
        return observation, info

    def step(self, action: Any) -> Step:
        """Steps with the action, or with one that the mask allows."""
        core: Any = self.env.unwrapped
        mask, number = core.action_masks(), core.check_action(action)
        replaced = not mask[number]
        if replaced:
            number = int(core.np_random.choice(np.flatnonzero(mask)))
        step: Step = self.env.step(number)
        step[4]["action_replaced"] = replaced
        return step
