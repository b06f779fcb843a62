"""The action mask inside the observation, where RLlib and others look for it."""

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any

import gymnasium as gym
import numpy as np
import numpy.typing as npt
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space

from hwnas_env.errors import InvalidArgumentError, shown
from hwnas_env.types import BoolArray
from hwnas_env.wrappers.protocols import (
    AnyEnv,
    AnySpace,
    AnyVector,
    Array,
    Infos,
    Observation,
    Step,
    VectorStep,
    spaces_of,
)
from hwnas_env.wrappers.rules import Rule, RuleWrapper, VectorRuleWrapper

KEYS = ("observations", "action_mask")
"""The keys that RLlib's action-masking modules read."""

Mask = Array | tuple[Array, ...]
"""``info["action_mask"]``: flags, or of a ``MultiDiscrete`` an array a position."""


class MaskForm(Rule):
    """Forms a mask as it is observed: under which key, of which type and shape.

    Attributes:
        key: of the observation.
        mask_key: of the mask.
        dtype: of the mask.
        space: of one row's observation with its mask.
    """

    def __init__(
        self,
        env: AnyEnv | AnyVector,
        count: int,
        *,
        keys: Sequence[str],
        dtype: str,
        flat: bool,
    ) -> None:
        """Finds the spaces; takes what :meth:`arguments` returned.

        Raises:
            InvalidArgumentError: no environment, or an action without a mask.
        """
        super().__init__(env, count)
        if not isinstance(env, (gym.Env, gym.vector.VectorEnv)):
            message = f"DictObservation: expected an environment, got {shown(env)}"
            raise InvalidArgumentError(message)
        self.key, self.mask_key = keys
        self.dtype = np.dtype(dtype)
        self._flat, self._width = flat, 0
        self.space = self._space(*spaces_of(env))

    @classmethod
    def arguments(cls, given: Mapping[str, Any]) -> dict[str, Any]:
        """Returns arguments as a specification in JSON carries them, checked.

        Args:
            given: ``keys``, ``dtype`` and ``flat`` of :class:`DictObservation`.

        Raises:
            InvalidArgumentError: a wrong one.
        """
        keys, dtype, flat = given["keys"], given["dtype"], given["flat"]
        listed = isinstance(keys, Sequence) and not isinstance(keys, str)
        if not listed or [type(key) for key in keys] != [str, str] or len({*keys}) < 2:
            message = (
                "keys: expected two names, of the observation and of the mask, got "
                f"{shown(keys)}"
            )
            raise InvalidArgumentError(message)
        found = np.dtype(object)
        if isinstance(dtype, (str, type, np.dtype)):
            with contextlib.suppress(TypeError, ValueError):  # a text of no dtype
                found = np.dtype(dtype)
        if found not in (np.int8, np.bool_):
            message = f"dtype: expected int8 or bool, got {shown(dtype)}"
            raise InvalidArgumentError(message)
        if not isinstance(flat, bool):
            message = f"flat: expected True or False, got {shown(flat)}"
            raise InvalidArgumentError(message)
        return {"keys": list(keys), "dtype": found.name, "flat": flat}

    def _space(self, observations: AnySpace, actions: AnySpace) -> gym.spaces.Dict:
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
        mask: AnySpace = gym.spaces.Box(0, 1, shape, dtype=self.dtype.type)
        return gym.spaces.Dict({self.key: observations, self.mask_key: mask})

    def named(self, observation: Observation, mask: Array) -> dict[str, Observation]:
        """Puts an observation and a mask of this form together."""
        return {self.key: observation, self.mask_key: mask}

    def masks(self, masks: Array) -> Array:
        """Returns masks of this form ``(N, ...)``, of ``infos`` of a vector."""
        if masks.dtype != object:
            return masks.astype(self.dtype)
        distinct = {id(mask): mask for mask in masks}  # many rows share one
        made = {key: self.mask(mask) for key, mask in distinct.items()}
        return np.array([made[id(mask)] for mask in masks])

    def mask(self, mask: Mask) -> Array:
        """Returns a copy of one row's mask, of this form."""
        if not isinstance(mask, tuple):
            return np.array(mask, dtype=self.dtype)
        if self._flat:
            return np.concatenate(mask).astype(self.dtype)
        array = np.zeros((len(mask), self._width), dtype=self.dtype)
        for row, choices in zip(array, mask, strict=True):
            row[: len(choices)] = choices
        return array


class DictObservation(RuleWrapper):
    """Observes ``{"observations": ..., "action_mask": ...}``.

    The mask is that of ``info["action_mask"]``: ``(n,)`` for ``Discrete(n)``, and
    ``(L, K)`` for the L positions of a ``MultiDiscrete``, with 0 behind the last choice
    of a position that has fewer than the K of another. Wrappers that add to a flat
    observation go inside of this one.

    What libraries look for: RLlib the keys by default, and of ``MultiDiscrete`` the
    flat mask; Tianshou ``keys=("obs", "mask")``; TorchRL ``dtype=bool``. Around a
    vector it is a :class:`VectorDictObservation`.

    Source:
        Ray RLlib, ``rllib/examples/rl_modules/classes/action_masking_rlm.py``.

    Example:
        >>> import gymnasium as gym, hwnas_env
        >>> env = DictObservation(gym.make("HWNAS-FBNet-FPGA-v0"))
        >>> sorted(env.reset(seed=0)[0])
        ['action_mask', 'observations']
    """

    rule_type = MaskForm
    rule: MaskForm

    def __init__(
        self,
        env: AnyEnv,
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
        super().__init__(env, keys=keys, dtype=dtype, flat=flat)
        self.observation_space = self.rule.space

    def _started(self, observation: Observation, info: Infos) -> Observation:
        """Observes the mask too."""
        return self.rule.named(observation, self.rule.mask(mask_of(info)))

    def step(self, action: object) -> Step:
        """Steps the environment, and observes the mask too."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        seen = self.rule.named(observation, self.rule.mask(mask_of(info)))
        return seen, reward, terminated, truncated, info


class VectorDictObservation(VectorRuleWrapper):
    """Applies :class:`DictObservation` to every row of a vector.

    Observes ``{"observations": (N, ...), "action_mask": (N, ...)}``.

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
    rule: MaskForm

    def __init__(self, env: AnyVector, *arguments: object, **keywords: Any) -> None:
        """Takes any vector, and the arguments that :class:`DictObservation` takes.

        Args:
            env: a vector whose actions have masks.
            arguments: as in :class:`hwnas_env.wrappers.rules.VectorRuleWrapper`.
            keywords: as there, and those of :class:`DictObservation`.

        Raises:
            InvalidArgumentError: an action without a mask, or a wrong argument.
        """
        super().__init__(env, *arguments, **keywords)
        space = self.rule.space
        self.single_observation_space = space
        self.observation_space = batch_space(space, env.num_envs)
        shape = env.num_envs, *(space[self.rule.mask_key].shape or ())
        self._masks = np.ones(shape, self.rule.dtype)

    def _started(
        self, observation: Observation, infos: Infos, rows: BoolArray
    ) -> Observation:
        """Observes the masks too; rows that do not start keep theirs."""
        self._masks[rows] = self.rule.masks(mask_of(infos)[rows])
        return self.rule.named(observation, self._masks.copy())

    def step(self, actions: object) -> VectorStep:
        """Steps the environments, and observes the masks too."""
        observations, rewards, ended, cut, infos = self.env.step(actions)
        if "final_obs" in infos and self.autoreset_mode is AutoresetMode.SAME_STEP:
            infos = {**infos, "final_obs": self._final(infos)}
        self._masks = self.rule.masks(mask_of(infos))
        seen = self.rule.named(observations, self._masks.copy())
        return seen, rewards, ended, cut, infos

    def _final(self, infos: Infos) -> Array:
        """Returns the last observations of rows that ended, with their masks."""
        final: Array = np.full(self.num_envs, None, dtype=object)
        masks = mask_of(infos["final_info"])
        for row in np.flatnonzero(infos["_final_obs"]):
            mask = self.rule.mask(masks[row])
            final[row] = self.rule.named(infos["final_obs"][row], mask)
        return final


def mask_of(info: Infos) -> Any:
    """Returns the mask in info, of one environment or of a vector.

    Raises:
        InvalidArgumentError: there is none.
    """
    if "action_mask" not in info:
        message = f'expected info["action_mask"], got only {", ".join(info) or "none"}'
        raise InvalidArgumentError(message)
    return info["action_mask"]
