"""The action mask inside the observation, where RLlib and others look for it."""

from collections.abc import Sequence
from typing import Any

import gymnasium as gym
import numpy as np
import numpy.typing as npt
from gymnasium.utils import RecordConstructorArgs
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space

from hwnas_env.errors import InvalidArgumentError
from hwnas_env.wrappers.vectors import VectorWrapper, reset_mask

KEYS = ("observations", "action_mask")
"""The keys that RLlib's action-masking modules read."""


class DictObservation(gym.Wrapper[Any, Any, Any, Any], RecordConstructorArgs):
    """Observes ``{"observations": ..., "action_mask": ...}``.

    The mask is that of ``info["action_mask"]``: ``(n,)`` for ``Discrete(n)``, and
    ``(L, K)`` for the L positions of a ``MultiDiscrete``, with 0 behind the last choice
    of a position that has fewer than the K of another. Wrappers that add to a flat
    observation go inside of this one.

    What libraries look for: RLlib the keys by default, and of ``MultiDiscrete`` the
    flat mask; Tianshou ``keys=("obs", "mask")``; TorchRL ``dtype=bool``.

    Source:
        Ray RLlib, ``rllib/examples/rl_modules/classes/action_masking_rlm.py``.

    Example:
        >>> import gymnasium as gym, hwnas_env
        >>> env = DictObservation(gym.make("HWNAS-FBNet-FPGA-v0"))
        >>> sorted(env.reset(seed=0)[0])
        ['action_mask', 'observations']
    """

    def __new__(
        cls,
        env: Any = None,
        *,
        keys: Sequence[str] = KEYS,
        dtype: npt.DTypeLike = np.int8,
        flat: bool = False,
    ) -> Any:
        """Makes the wrapper, or that of a vector; copies give no environment."""
        if isinstance(env, gym.vector.VectorEnv):
            return VectorDictObservation(env, keys=keys, dtype=dtype, flat=flat)
        return super().__new__(cls)

    def __init__(
        self,
        env: gym.Env[Any, Any],
        *,
        keys: Sequence[str] = KEYS,
        dtype: npt.DTypeLike = np.int8,
        flat: bool = False,
    ) -> None:
        """Wraps one environment, or what ``gym.make_vec`` makes.

        Args:
            env: whose action has a mask.
            keys: of the observation and of the mask.
            dtype: of the mask: int8 or bool.
            flat: True puts the masks of a ``MultiDiscrete``'s positions side by side,
                as ``action_masks()`` has them.

        Raises:
            InvalidArgumentError: an action without a mask, or a wrong argument.
        """
        self._form = MaskForm(keys, dtype, flat)
        if not isinstance(env, gym.Env):
            message = f"DictObservation: expected an environment, got {env!r}"
            raise InvalidArgumentError(message)
        RecordConstructorArgs.__init__(
            self, keys=list(keys), dtype=self._form.dtype.name, flat=flat
        )
        gym.Wrapper.__init__(self, env)
        space = self._form.space(env.observation_space, env.action_space)
        self.observation_space = space

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Resets the environment, and observes the mask too."""
        observation, info = self.env.reset(seed=seed, options=options)
        return self._form.observed(observation, info), info

    def step(self, action: Any) -> tuple[dict[str, Any], Any, bool, bool, Any]:
        """Steps the environment, and observes the mask too."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        seen = self._form.observed(observation, info)
        return seen, reward, terminated, truncated, info


class VectorDictObservation(VectorWrapper):
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

    def __init__(
        self,
        env: gym.vector.VectorEnv[Any, Any, Any],
        *,
        keys: Sequence[str] = KEYS,
        dtype: npt.DTypeLike = np.int8,
        flat: bool = False,
    ) -> None:
        """Wraps a vector environment; see :class:`DictObservation`.

        Raises:
            InvalidArgumentError: an action without a mask, or a wrong argument.
        """
        super().__init__(env)
        self._form = form = MaskForm(keys, dtype, flat)
        space = form.space(env.single_observation_space, env.single_action_space)
        self.single_observation_space = space
        self.observation_space = batch_space(space, env.num_envs)
        shape = env.num_envs, *(space[form.mask_key].shape or ())
        self._mask = np.ones(shape, form.dtype)

    def reset(
        self,
        *,
        seed: int | list[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Resets the environments, and observes the masks too."""
        rows = reset_mask(options, self.num_envs)
        seeds: Any = seed  # Gymnasium's wrapper is annotated for one seed only
        observations, infos = self.env.reset(seed=seeds, options=options)
        # infos may speak only of the rows that were reset
        self._mask[rows] = self._form.batch(mask_of(infos)[rows])
        return self._form.named(observations, self._mask.copy()), infos

    def step(self, actions: Any) -> tuple[dict[str, Any], Any, Any, Any, Any]:
        """Steps the environments, and observes the masks too."""
        observations, rewards, ended, cut, infos = self.env.step(actions)
        if "final_obs" in infos and self.autoreset_mode is AutoresetMode.SAME_STEP:
            infos = {**infos, "final_obs": self._final(infos)}
        self._mask = self._form.batch(mask_of(infos))
        seen = self._form.named(observations, self._mask.copy())
        return seen, rewards, ended, cut, infos

    def _final(self, infos: dict[str, Any]) -> Any:
        final = np.full(self.num_envs, None, dtype=object)
        masks = mask_of(infos["final_info"])
        for row in np.flatnonzero(infos["_final_obs"]):
            info = {"action_mask": masks[row]}
            final[row] = self._form.observed(infos["final_obs"][row], info)
        return final


class MaskForm:
    """How a mask is observed: under which key, of which type, and in which shape."""

    def __init__(self, keys: Any, dtype: Any, flat: Any) -> None:
        """Checks the arguments; see :class:`DictObservation`.

        Raises:
            InvalidArgumentError: a wrong one.
        """
        listed = isinstance(keys, Sequence) and not isinstance(keys, str)
        if not listed or [type(key) for key in keys] != [str, str] or len({*keys}) < 2:
            message = (
                "keys: expected two names, of the observation and of the mask, got "
                f"{keys!r}"
            )
            raise InvalidArgumentError(message)
        try:
            self.dtype = np.dtype(dtype)
        except TypeError:
            self.dtype = np.dtype(object)
        if dtype is None or self.dtype not in (np.int8, np.bool_):
            message = f"dtype: expected int8 or bool, got {dtype!r}"
            raise InvalidArgumentError(message)
        if not isinstance(flat, bool):
            message = f"flat: expected True or False, got {flat!r}"
            raise InvalidArgumentError(message)
        self.key, self.mask_key = keys
        self._flat = flat
        self._width = 0

    def space(
        self, observations: gym.Space[Any], actions: gym.Space[Any]
    ) -> gym.spaces.Dict:
        """Returns the space of an observation with its mask.

        Raises:
            InvalidArgumentError: actions of a kind that has no mask here.
        """
        if isinstance(actions, gym.spaces.Discrete):
            shape: tuple[int, ...] = (int(actions.n),)
        elif isinstance(actions, gym.spaces.MultiDiscrete) and actions.nvec.ndim == 1:
            self._width = int(actions.nvec.max())
            shape = len(actions.nvec), self._width
            shape = (int(actions.nvec.sum()),) if self._flat else shape
        else:
            message = f"a mask wants a Discrete or MultiDiscrete action, got {actions}"
            raise InvalidArgumentError(message)
        mask: gym.Space[Any] = gym.spaces.Box(0, 1, shape, dtype=self.dtype.type)
        return gym.spaces.Dict({self.key: observations, self.mask_key: mask})

    def named(self, observation: Any, mask: npt.NDArray[Any]) -> dict[str, Any]:
        """Puts an observation and a mask of this form together."""
        return {self.key: observation, self.mask_key: mask}

    def observed(self, observation: Any, info: dict[str, Any]) -> dict[str, Any]:
        """Puts an observation and a copy of ``info``'s mask together.

        Raises:
            InvalidArgumentError: info has no mask.
        """
        return self.named(observation, self._array(mask_of(info)))

    def batch(self, masks: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Returns masks of this form ``(N, ...)``, of ``infos`` of a vector."""
        if masks.dtype != object:
            return masks.astype(self.dtype)
        made = {id(mask): mask for mask in masks}  # many rows share one
        made = {key: self._array(mask) for key, mask in made.items()}
        return np.array([made[id(mask)] for mask in masks])

    def _array(self, mask: Any) -> npt.NDArray[Any]:
        if not isinstance(mask, tuple):
            return np.array(mask, dtype=self.dtype)
        if self._flat:
            return np.concatenate(mask).astype(self.dtype)
        array = np.zeros((len(mask), self._width), dtype=self.dtype)
        for row, choices in zip(array, mask, strict=True):
            row[: len(choices)] = choices
        return array


def mask_of(info: dict[str, Any]) -> Any:
    """Returns the mask in info, of one environment or of a vector.

    Raises:
        InvalidArgumentError: there is none.
    """
    if "action_mask" not in info:
        message = f'expected info["action_mask"], got only {", ".join(info) or "none"}'
        raise InvalidArgumentError(message)
    return info["action_mask"]
