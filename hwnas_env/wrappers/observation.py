"""The action mask inside the observation, where RLlib and others look for it."""

from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.utils import RecordConstructorArgs

from hwnas_env.errors import InvalidArgumentError

OBSERVATIONS, ACTION_MASK = "observations", "action_mask"
"""The keys that RLlib's action-masking modules read."""


class DictObservation(gym.Wrapper[Any, Any, Any, Any], RecordConstructorArgs):
    """Observes ``{"observations": ..., "action_mask": ...}``.

    The mask is ``info["action_mask"]``, int8: ``(n,)`` for ``Discrete(n)`` and
    ``(L, K)`` for ``MultiDiscrete([K] * L)``. Wrappers that add to a flat observation
    go inside of this one.

    Source:
        Ray RLlib, ``rllib/examples/rl_modules/classes/action_masking_rlm.py``.

    Example:
        >>> import gymnasium as gym, hwnas_env
        >>> env = DictObservation(gym.make("HWNAS-FBNet-FPGA-v0"))
        >>> sorted(env.reset(seed=0)[0])
        ['action_mask', 'observations']
    """

    def __init__(self, env: gym.Env[Any, Any]) -> None:
        """Wraps one environment.

        Raises:
            InvalidArgumentError: a vector environment, or an action without a mask.
        """
        if isinstance(env, gym.vector.VectorEnv):
            message = "DictObservation: got a vector environment; VectorDictObservation"
            raise InvalidArgumentError(message)
        RecordConstructorArgs.__init__(self)
        gym.Wrapper.__init__(self, env)
        self.observation_space = with_mask(env.observation_space, env.action_space)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Resets the environment, and observes the mask too."""
        observation, info = self.env.reset(seed=seed, options=options)
        return observed(observation, info), info

    def step(self, action: Any) -> tuple[dict[str, Any], Any, bool, bool, Any]:
        """Steps the environment, and observes the mask too."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        return observed(observation, info), reward, terminated, truncated, info


def with_mask(observations: gym.Space[Any], actions: gym.Space[Any]) -> gym.spaces.Dict:
    """Returns the space of an observation with its mask.

    Raises:
        InvalidArgumentError: actions of a kind that has no mask here.
    """
    if isinstance(actions, gym.spaces.Discrete):
        shape: tuple[int, ...] = (int(actions.n),)
    elif isinstance(actions, gym.spaces.MultiDiscrete) and actions.nvec.ndim == 1:
        shape = len(actions.nvec), int(actions.nvec.max())
    else:
        message = f"a mask wants a Discrete or MultiDiscrete action, got {actions}"
        raise InvalidArgumentError(message)
    mask = gym.spaces.Box(0, 1, shape, dtype=np.int8)
    return gym.spaces.Dict({OBSERVATIONS: observations, ACTION_MASK: mask})


def observed(observation: Any, info: dict[str, Any]) -> dict[str, Any]:
    """Puts an observation and a copy of ``info``'s mask together.

    Raises:
        InvalidArgumentError: info has no mask.
    """
    if ACTION_MASK not in info:
        message = f'expected info["action_mask"], got only {", ".join(info) or "none"}'
        raise InvalidArgumentError(message)
    return {OBSERVATIONS: observation, ACTION_MASK: info[ACTION_MASK].copy()}
