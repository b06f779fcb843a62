"""Reward rules: what a wrapper makes of rewards, for one environment or for many.

A rule works on arrays with one row an environment. :class:`RuleWrapper` applies it to
one environment, :class:`VectorRuleWrapper` to a native vector; the public classes are
made of a rule, and give the one or the other.
"""

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar, NoReturn, SupportsFloat

import gymnasium as gym
import numpy as np
import numpy.typing as npt
from gymnasium.utils import RecordConstructorArgs
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space

from hwnas_env.errors import InvalidArgumentError
from hwnas_env.types import BoolArray, FloatArray, IntArray
from hwnas_env.wrappers.arguments import plain
from hwnas_env.wrappers.vectors import VectorWrapper, reset_mask

Info = Callable[[str], npt.NDArray[Any]]
"""Gives an info key of the step as an array, one row an environment."""

Step = tuple[Any, SupportsFloat, bool, bool, dict[str, Any]]


class Rule(ABC):
    """Turns rewards into others; keeps what it must between steps.

    Attributes:
        core: the environment beneath all wrappers.
        count: rows.
        label: of its wrapper, for errors.
        observed: how many numbers it adds to an observation.
        low, high: their bounds.
        scalar: whether it turns a vector reward into a number; else it takes one.
    """

    observed = 0
    low, high = 0.0, 1.0
    scalar = False

    def __init__(self, core: Any, count: int) -> None:
        """Takes the environment beneath all wrappers; subclasses take parameters."""
        self.core, self.count, self.label = core, count, type(self).__name__

    def begin(self, rows: IntArray, *, anew: bool) -> None:
        """Hears that episodes of rows begin, and whether the ledger began a new run."""
        del rows, anew  # most rules keep nothing

    @abstractmethod
    def rewards(self, rewards: FloatArray, info: Info) -> FloatArray:
        """Returns the new rewards ``(N,)``.

        Args:
            rewards: ``(N,)`` or ``(N, k)``.
            info: of the step that gave them.
        """

    def checked(self, rewards: FloatArray) -> FloatArray:
        """Returns rewards of the kind that the rule takes.

        Raises:
            InvalidArgumentError: numbers in place of vectors, or the reverse.
        """
        if (rewards.ndim == 1) == self.scalar:
            refuse_reward(self.label, vector=not self.scalar)
        return rewards

    def shown(self) -> dict[str, npt.NDArray[Any]]:
        """Returns what it adds to info, ``(N, ...)`` arrays of the caller's own."""
        return {}

    def observe(self) -> FloatArray:
        """Returns what it adds to observations: ``(N, observed)``."""
        return np.zeros((self.count, 0))

    def numbers(self, info: Info) -> IntArray:
        """Returns which device each row is on: ``(N,)``."""
        if not self.core.setting.several:
            return np.zeros(self.count, dtype=np.int64)
        return info("device").astype(np.int64)


def core_of(env: Any) -> Any:
    """Returns the environment of ours beneath all wrappers.

    Raises:
        InvalidArgumentError: there is none.
    """
    core = getattr(env, "unwrapped", env)
    if hasattr(core, "setting") and hasattr(core, "draw"):
        return core  # known by what it offers: this room does not import that one
    message = f"expected an environment of hwnas_env, got {core!s:.200}"
    if isinstance(env, gym.vector.VectorEnv):
        message += "; wrap single environments before they are put into a vector"
    raise InvalidArgumentError(message)


def reward_kind(env: Any) -> str | None:
    """Returns "vector" or "number"; None where a foreign wrapper may change it."""
    while env is not env.unwrapped:
        rule = getattr(env, "rule", None)
        if isinstance(rule, Rule) and rule.scalar:
            return "number"
        if not type(env).__module__.startswith(__package__):
            return None
        env = env.env
    return "vector" if core_of(env).setting.vector_rewards else "number"


def _make_rule(wrapper: Any, env: Any, count: int, given: dict[str, Any]) -> Rule:
    """Makes the rule of a wrapper around an environment, or around a vector.

    Raises:
        InvalidArgumentError: as the rule says; or a vector where it takes a number.
    """
    core, kind = core_of(env), reward_kind(env)
    if not wrapper.rule_type.scalar and kind == "vector":
        refuse_reward(wrapper.__name__, vector=True)
    rule: Rule = wrapper.rule_type(core, count, **given)
    rule.label = wrapper.__name__
    if rule.scalar and kind == "number":
        refuse_reward(wrapper.__name__, vector=False)
    return rule


def refuse_reward(name: str, *, vector: bool) -> NoReturn:
    """Raises what a wrapper says that was given a vector, or a number.

    Raises:
        InvalidArgumentError: always.
    """
    message = f"{name}: the reward is one number already; scalarise it once"
    if vector:
        message = (
            f"{name} needs a reward of one number; scalarise the vector first, with "
            "WeightedSum or another"
        )
    raise InvalidArgumentError(message)


def _longer(space: Any, rule: Rule) -> gym.spaces.Box:
    """Returns a flat Box with the rule's numbers behind it."""
    if not isinstance(space, gym.spaces.Box) or len(space.shape) != 1:
        message = f"observe: expected a flat Box to add to, got {space}"
        raise InvalidArgumentError(message)
    dtype: Any = space.dtype
    low = np.append(space.low, np.full(rule.observed, rule.low))
    high = np.append(space.high, np.full(rule.observed, rule.high))
    return gym.spaces.Box(low.astype(dtype), high.astype(dtype), dtype=dtype)


class RuleWrapper(gym.Wrapper[Any, Any, Any, Any], RecordConstructorArgs):
    """Applies a rule to one environment; a subclass names the rule."""

    rule_type: ClassVar[type[Rule]]
    vector_type: ClassVar[type["VectorRuleWrapper"]]

    def __new__(cls, env: Any = None, *args: Any, **keywords: Any) -> Any:
        """Makes the wrapper, or that of a vector; copies give no environment."""
        if not isinstance(env, gym.vector.VectorEnv):
            return super().__new__(cls)
        bound = inspect.signature(cls.__init__).bind(None, env, *args, **keywords)
        bound.apply_defaults()
        given = {k: v for k, v in bound.arguments.items() if k not in ("self", "env")}
        return cls.vector_type(env, cls, plain(given))

    def __init__(self, env: gym.Env[Any, Any], **parameters: Any) -> None:
        """Records the parameters for the specification, and makes the rule.

        Raises:
            InvalidArgumentError: as the rule says.
        """
        given = plain(parameters)
        core_of(env)
        RecordConstructorArgs.__init__(self, **given)
        gym.Wrapper.__init__(self, env)
        self.rule = _make_rule(type(self), env, 1, given)
        self._run = self.rule.core.ledger.run
        if self.rule.observed:
            self.observation_space = _longer(env.observation_space, self.rule)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Resets the environment, and shows what the rule starts with."""
        observation, info = self.env.reset(seed=seed, options=options)
        before, self._run = self._run, self.rule.core.ledger.run
        self.rule.begin(np.zeros(1, dtype=np.int64), anew=self._run != before)
        return self._seen(observation, info), info

    def step(self, action: Any) -> Step:
        """Steps the environment, and changes the reward."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        rewards = self.rule.checked(np.asarray(reward, dtype=np.float64)[None])
        number = self.rule.rewards(rewards, lambda key: np.array([info[key]]))
        seen = self._seen(observation, info)
        return seen, float(number[0]), terminated, truncated, info

    def _seen(self, observation: Any, info: dict[str, Any]) -> Any:
        for key, column in self.rule.shown().items():
            info[key] = column[0].item() if column.ndim == 1 else column[0]
        if not self.rule.observed:
            return observation
        return np.append(observation, self.rule.observe()[0].astype(observation.dtype))


class VectorRuleWrapper(VectorWrapper):
    """Applies a rule to a native vector; what :class:`RuleWrapper` does to each row."""

    def __init__(
        self,
        env: gym.vector.VectorEnv[Any, Any, Any],
        single_type: type[RuleWrapper],
        parameters: dict[str, Any],
    ) -> None:
        """Makes the rule for all rows, and keeps what one row would be wrapped in."""
        super().__init__(env)
        self.single_type = single_type
        self.rule = _make_rule(single_type, env, env.num_envs, parameters)
        self._run = self.rule.core.ledger.run
        self._everyone: BoolArray = np.ones(env.num_envs, dtype=np.bool_)
        self._everyone.setflags(write=False)
        self._next_step = self.autoreset_mode is AutoresetMode.NEXT_STEP
        self._ended = ~self._everyone  # those that the next step starts anew
        if self.rule.observed:
            space = _longer(env.single_observation_space, self.rule)
            self.single_observation_space = space
            self.observation_space = batch_space(space, env.num_envs)

    def reset(
        self, *, seed: Any = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Resets the environments, and shows what the rule starts with."""
        mask = reset_mask(options, self.num_envs)
        observation, infos = self.env.reset(seed=seed, options=options)
        self._ended = self._ended & ~mask
        before, self._run = self._run, self.rule.core.ledger.run
        self.rule.begin(np.flatnonzero(mask), anew=self._run != before)
        self._show(infos, mask)
        return self._longer(observation), infos

    def step(self, actions: Any) -> Any:
        """Steps the environments, and changes their rewards."""
        observation, rewards, terminated, truncated, infos = self.env.step(actions)
        final, ended = infos.get("final_info"), infos.get("_final_info")

        def info(key: str) -> npt.NDArray[Any]:
            column: npt.NDArray[Any] = infos[key]
            if final is None or ended is None:
                return column
            rows = np.reshape(ended, (-1, *(1,) * (column.ndim - 1)))
            return np.where(rows, final[key], column)

        given = self.rule.checked(np.asarray(rewards, dtype=np.float64))
        numbers = self.rule.rewards(given, info)
        if final is not None and ended is not None:
            self._show(final, ended)
            infos["final_obs"] = self._longer(infos["final_obs"])
            self.rule.begin(np.flatnonzero(ended), anew=False)
        if self._next_step:
            self.rule.begin(np.flatnonzero(self._ended), anew=False)
            self._ended = terminated | truncated
        self._show(infos, self._everyone)
        return self._longer(observation), numbers, terminated, truncated, infos

    def _show(self, infos: dict[str, Any], rows: BoolArray) -> None:
        for key, column in self.rule.shown().items():
            infos[key], infos[f"_{key}"] = column, rows

    def _longer(self, observation: Any) -> Any:
        if not self.rule.observed:
            return observation
        added = self.rule.observe().astype(observation.dtype)
        return np.concatenate([observation, added], axis=1)


RuleWrapper.vector_type = VectorRuleWrapper
