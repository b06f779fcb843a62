"""Pairs of wrappers that change the reward, and what they add to observations.

``constraints`` and ``scalarise`` name the rules; here they are applied to one
environment, and to a native vector.
"""

from abc import ABC, abstractmethod
from typing import Any, ClassVar, NoReturn

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space

from hwnas_env.errors import InvalidArgumentError
from hwnas_env.types import BoolArray, FloatArray, IntArray
from hwnas_env.wrappers.protocols import (
    AnyEnv,
    AnySpace,
    AnyVector,
    Array,
    Info,
    Infos,
    Observation,
    Step,
    VectorStep,
    core_of,
)
from hwnas_env.wrappers.rules import Rule, RuleWrapper, VectorRuleWrapper


class RewardRule(Rule, ABC):
    """Turns rewards into others; keeps what it must between steps.

    Attributes:
        core: the environment beneath all wrappers.
        observed: how many numbers it adds to an observation.
        low, high: the bounds of those numbers.
        scalar: whether it turns a vector reward into a number; else it takes a number.
    """

    observed = 0
    low, high = 0.0, 1.0
    scalar: ClassVar[bool] = False

    def __init__(self, env: AnyEnv | AnyVector, count: int) -> None:
        """Finds the environment beneath all wrappers.

        Raises:
            InvalidArgumentError: there is none of this package.
        """
        super().__init__(env, count)
        self.core = core_of(env)

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

    def observe(self) -> FloatArray:
        """Returns what it adds to observations: ``(N, observed)``."""
        return np.zeros((self.count, 0))

    def numbers(self, info: Info) -> IntArray:
        """Returns which device each row is on: ``(N,)``."""
        if not self.core.config.several:
            return np.zeros(self.count, dtype=np.int64)
        return info("device").astype(np.int64)


def reward_kind(env: AnyEnv | AnyVector) -> str | None:
    """Returns "vector" or "number"; None where a foreign wrapper may change it."""
    while isinstance(env, (gym.Wrapper, gym.vector.VectorWrapper)):
        if isinstance(env, (RuleWrapper, VectorRuleWrapper)):
            rule = env.rule
            if isinstance(rule, RewardRule) and rule.scalar:
                return "number"
        if not type(env).__module__.startswith(__package__):
            return None
        env = env.env
    return "vector" if core_of(env).config.vector_rewards else "number"


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


def _longer(space: AnySpace, rule: RewardRule) -> gym.spaces.Box:
    """Returns a flat Box with the rule's numbers behind it."""
    if not isinstance(space, gym.spaces.Box) or len(space.shape) != 1:
        message = f"observe: expected a flat Box to add to, got {space}"
        raise InvalidArgumentError(message)
    dtype = space.dtype
    low = np.append(space.low, np.full(rule.observed, rule.low)).astype(dtype)
    high = np.append(space.high, np.full(rule.observed, rule.high)).astype(dtype)
    return gym.spaces.Box(low, high, dtype=low.dtype.type)


class RewardRuleWrapper(RuleWrapper):
    """Applies a reward rule to one environment; a subclass names the rule."""

    rule_type: ClassVar[type[RewardRule]]
    rule: RewardRule

    def __init__(self, env: AnyEnv, **parameters: object) -> None:
        """Makes the rule, and room for what it adds to observations.

        Raises:
            InvalidArgumentError: as the rule says.
        """
        super().__init__(env, **parameters)
        self._run = self.rule.core.ledger.run
        if self.rule.observed:
            self.observation_space = _longer(env.observation_space, self.rule)

    @classmethod
    def make_rule(
        cls, env: AnyEnv | AnyVector, count: int, given: dict[str, Any]
    ) -> RewardRule:
        """Makes the rule, where the reward is of the kind that it takes.

        Raises:
            InvalidArgumentError: as the rule says; or the reward is a vector where it
                takes a number, or the reverse.
        """
        core_of(env)
        kind = reward_kind(env)
        if not cls.rule_type.scalar and kind == "vector":
            refuse_reward(cls.__name__, vector=True)
        rule = cls.rule_type(env, count, **given)
        rule.label = cls.__name__
        if rule.scalar and kind == "number":
            refuse_reward(cls.__name__, vector=False)
        return rule

    def _started(self, observation: Observation, info: Infos) -> Observation:
        """Begins the rule's episode, and shows what it starts with."""
        before, self._run = self._run, self.rule.core.ledger.run
        self.rule.begin(np.zeros(1, dtype=np.int64), anew=self._run != before)
        self._show(info)
        return self._longer(observation)

    def step(self, action: object) -> Step:
        """Steps the environment, and changes the reward."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        rewards = self.rule.checked(np.asarray(reward, dtype=np.float64)[None])
        number = self.rule.rewards(rewards, lambda key: np.array([info[key]]))
        self._show(info)
        seen = self._longer(observation)
        return seen, float(number[0]), terminated, truncated, info

    def _longer(self, observation: Observation) -> Observation:
        """Returns an observation with what the rule adds to it."""
        if not self.rule.observed:
            return observation
        assert isinstance(observation, np.ndarray), "its space is a flat Box"
        return np.append(observation, self.rule.observe()[0].astype(observation.dtype))


class VectorRewardRuleWrapper(VectorRuleWrapper):
    """Applies a reward rule to a native vector, to all rows at once."""

    single_type: type[RewardRuleWrapper] = RewardRuleWrapper
    rule: RewardRule

    def __init__(self, env: AnyVector, *arguments: object, **keywords: Any) -> None:
        """Takes a native vector, and the arguments that ``single_type`` takes.

        Args:
            env: what ``gym.make_vec`` makes.
            arguments: as in :class:`hwnas_env.wrappers.rules.VectorRuleWrapper`.
            keywords: as there.

        Raises:
            InvalidArgumentError: no native vector, or as the rule says.
        """
        super().__init__(env, *arguments, **keywords)
        self._run = self.rule.core.ledger.run
        self._next_step = self.autoreset_mode is AutoresetMode.NEXT_STEP
        self._ended = ~self._everyone  # those that the next step starts anew
        if self.rule.observed:
            space = _longer(env.single_observation_space, self.rule)
            self.single_observation_space = space
            self.observation_space = batch_space(space, env.num_envs)

    def _started(
        self, observation: Observation, infos: Infos, rows: BoolArray
    ) -> Observation:
        """Begins the rule's episodes of rows, and shows what they start with."""
        self._ended = self._ended & ~rows
        before, self._run = self._run, self.rule.core.ledger.run
        self.rule.begin(np.flatnonzero(rows), anew=self._run != before)
        self._show(infos, rows)
        return self._longer(observation)

    def step(self, actions: object) -> VectorStep:
        """Steps the environments, and changes their rewards."""
        observation, rewards, terminated, truncated, infos = self.env.step(actions)
        final, ended = infos.get("final_info"), infos.get("_final_info")

        def info(key: str) -> Array:
            column: Array = infos[key]
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

    def _longer(self, observation: Observation) -> Observation:
        """Returns observations with what the rule adds to them."""
        if not self.rule.observed:
            return observation
        assert isinstance(observation, np.ndarray), "its space is a flat Box"
        added = self.rule.observe().astype(observation.dtype)
        return np.concatenate([observation, added], axis=1)
