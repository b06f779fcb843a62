"""The action mask inside the observation, where RLlib and others look for it."""

from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.utils import RecordConstructorArgs
from gymnasium.vector.utils import batch_space

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

    def __new__(cls, env: Any = None) -> Any:
        """Makes the wrapper, or that of a vector; copies give no environment."""
        if isinstance(env, gym.vector.VectorEnv):
            return VectorDictObservation(env)
        return super().__new__(cls)

    def __init__(self, env: gym.Env[Any, Any]) -> None:
        """Wraps one environment, or what ``gym.make_vec`` makes.

        Raises:
            InvalidArgumentError: an action without a mask.
        """
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


class VectorDictObservation(gym.vector.VectorWrapper[Any, Any, Any, Any, Any]):
    """Observes ``{"observations": (N, ...), "action_mask": (N, ...)}``.

    With SAME_STEP autoreset ``infos["final_obs"]`` is an object array with one
    dictionary a finished row, whatever it was inside: what Gymnasium's own vector
    environments give for dictionaries. Equal to
    :class:`hwnas_env.wrappers.DictObservation` around every environment.

    Example:
        >>> import gymnasium as gym, hwnas_env
        >>> name = "HWNAS-FBNet-FPGA-v0"
        >>> envs = gym.make_vec(name, num_envs=2, vectorization_mode="sync")
        >>> envs = DictObservation(envs)
        >>> envs.reset(seed=0)[0]["action_mask"].shape
        (2, 9)
    """

    single_type = DictObservation

    def __init__(self, env: gym.vector.VectorEnv[Any, Any, Any]) -> None:
        """Wraps a vector environment.

        Raises:
            InvalidArgumentError: an action without a mask.
        """
        super().__init__(env)
        space = with_mask(env.single_observation_space, env.single_action_space)
        self.single_observation_space = space
        self.observation_space = batch_space(space, env.num_envs)
        shape = env.num_envs, *(space["action_mask"].shape or ())
        self._mask = np.ones(shape, np.int8)

    def reset(
        self,
        *,
        seed: int | list[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Resets the environments, and observes the masks too."""
        partial = options is not None and "reset_mask" in options
        seeds: Any = seed  # Gymnasium's wrapper is annotated for one seed only
        observations, infos = self.env.reset(seed=seeds, options=options)
        seen = observed(observations, infos)
        if partial:  # infos only speak of the rows that were reset
            others = ~infos["_action_mask"]
            seen["action_mask"][others] = self._mask[others]
        self._mask = seen["action_mask"].copy()
        return seen, infos

    def step(self, actions: Any) -> tuple[dict[str, Any], Any, Any, Any, Any]:
        """Steps the environments, and observes the masks too."""
        observations, rewards, ended, cut, infos = self.env.step(actions)
        if "final_obs" in infos:
            infos = {**infos, "final_obs": self._final(infos)}
        seen = observed(observations, infos)
        self._mask = seen["action_mask"].copy()
        return seen, rewards, ended, cut, infos

    def _final(self, infos: dict[str, Any]) -> Any:
        final = np.full(self.num_envs, None, dtype=object)
        masks = infos["final_info"]["action_mask"]
        for row in np.flatnonzero(infos["_final_obs"]):
            mask = {"action_mask": masks[row]}
            final[row] = observed(infos["final_obs"][row], mask)
        return final


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
