"""The action masks inside the observations of a vector environment."""

from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector.utils import batch_space

from hwnas_env.errors import InvalidArgumentError
from hwnas_env.wrappers.observation import observed, with_mask


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
        >>> envs = VectorDictObservation(envs)
        >>> envs.reset(seed=0)[0]["action_mask"].shape
        (2, 9)
    """

    def __init__(self, env: gym.vector.VectorEnv[Any, Any, Any]) -> None:
        """Wraps a vector environment.

        Raises:
            InvalidArgumentError: a single environment, or an action without a mask.
        """
        if not isinstance(env, gym.vector.VectorEnv):
            message = "VectorDictObservation: got a single environment; DictObservation"
            raise InvalidArgumentError(message)
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
