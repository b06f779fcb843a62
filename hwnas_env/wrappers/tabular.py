"""What is decided as one number, for agents that keep a table of states."""

import itertools
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space

from hwnas_env.errors import InvalidArgumentError, shown
from hwnas_env.types import BoolArray, Genotypes, IntArray
from hwnas_env.wrappers.protocols import (
    AnyEnv,
    AnySpace,
    AnyVector,
    Array,
    Infos,
    Step,
    VectorStep,
    core_of,
)
from hwnas_env.wrappers.rules import Rule, RuleWrapper, VectorRuleWrapper

MOST_STATES = 2**63 - 1


class PrefixNumbers(Rule):
    """Numbers prefixes of genotypes, the empty one 0, then level by level.

    Attributes:
        space: of one row's number.
    """

    def __init__(self, env: AnyEnv | AnyVector, count: int, *, array: bool) -> None:
        """Counts the prefixes.

        Raises:
            InvalidArgumentError: no environment of this package, one that draws devices
                or budgets, or with more prefixes than 64 bits count.
        """
        config, choices = core_of(env).config, core_of(env).problem.space
        super().__init__(env, count)
        if not isinstance(array, bool):
            message = f"array: expected True or False, got {shown(array)}"
            raise InvalidArgumentError(message)
        if config.several or config.sampled:
            message = (
                "DiscreteObservation: expected one device and one budget, since a "
                "number of decisions says nothing of those that are drawn"
            )
            raise InvalidArgumentError(message)
        self._counts = choices.choices_at
        levels = itertools.accumulate(self._counts, lambda n, k: n * k, initial=1)
        starts = [0, *itertools.accumulate(levels)]
        if starts[-1] > MOST_STATES:
            message = (
                f"DiscreteObservation: {choices.name} has {starts[-1]:.1e} prefixes, "
                "more than 64 bits count"
            )
            raise InvalidArgumentError(message)
        self._starts = np.array(starts[:-1])
        self._array = array
        states = starts[-1]
        self.space: AnySpace = (
            gym.spaces.MultiDiscrete([states]) if array else gym.spaces.Discrete(states)
        )

    def numbers(self, genotypes: Genotypes) -> IntArray:
        """Returns what is observed of prefixes ``(N, L)``, -1 where undecided.

        ``(N,)`` int64, or ``(N, 1)`` where arrays are observed.
        """
        number = np.zeros(len(genotypes), dtype=np.int64)
        for choices, column in zip(self._counts, genotypes.T, strict=True):
            number = np.where(column < 0, number, number * choices + column)
        number += self._starts[(genotypes >= 0).sum(axis=1)]
        return number[:, None] if self._array else number


class DiscreteObservation(RuleWrapper):
    """Observes the number of what is decided, for agents that keep a table of states.

    In ``construct`` that is the prefix: 0 before the first decision, then the prefixes
    of one decision in their order, and so on; a whole network in the other modes.
    Around a vector it is a :class:`VectorDiscreteObservation`.

    It hides the interval of costs that ``construct`` observes, which a prefix decides,
    and a budget that ``reset(options=...)`` names, which nothing decides.

    Example:
        >>> import gymnasium as gym, hwnas_env
        >>> env = DiscreteObservation(gym.make("HWNAS-NASBench201-FPGA-v0"))
        >>> env.observation_space, int(env.reset(seed=0)[0]), int(env.step(3)[0])
        (Discrete(19531), 0, 4)
    """

    rule_type = PrefixNumbers
    rule: PrefixNumbers

    def __init__(self, env: AnyEnv, *, array: bool = False) -> None:
        """Wraps one environment, or what ``gym.make_vec`` makes.

        Args:
            env: of one device, with one budget.
            array: True observes an array of the one number, ``MultiDiscrete``, by which
                morl-baselines indexes its tables.

        Raises:
            InvalidArgumentError: no environment of this package, one that draws devices
                or budgets, or with more prefixes than 64 bits count.
        """
        super().__init__(env, array=array)
        self.observation_space = self.rule.space

    def _seen(self, info: Infos) -> Any:
        return self.rule.numbers(info["genotype"][None, :])[0]

    def _started(self, observation: Any, info: Infos) -> Any:
        """Observes the number."""
        del observation
        return self._seen(info)

    def step(self, action: object) -> Step:
        """Steps the environment, and observes the number."""
        _, reward, terminated, truncated, info = self.env.step(action)
        return self._seen(info), reward, terminated, truncated, info


class VectorDiscreteObservation(VectorRuleWrapper):
    """Applies :class:`DiscreteObservation` to every row of a native vector.

    Example:
        >>> import gymnasium as gym, hwnas_env
        >>> envs = DiscreteObservation(gym.make_vec("HWNAS-NASBench201-FPGA-v0", 2))
        >>> envs.reset(seed=0)[0].tolist()
        [0, 0]
    """

    single_type = DiscreteObservation
    rule: PrefixNumbers

    def __init__(self, env: AnyVector, *arguments: object, **keywords: Any) -> None:
        """Takes a native vector, and what :class:`DiscreteObservation` takes.

        Args:
            env: what ``gym.make_vec`` makes.
            arguments: as in :class:`hwnas_env.wrappers.rules.VectorRuleWrapper`.
            keywords: as there, and ``array``.

        Raises:
            InvalidArgumentError: as :class:`DiscreteObservation` does.
        """
        super().__init__(env, *arguments, **keywords)
        self.single_observation_space = self.rule.space
        self.observation_space = batch_space(self.rule.space, env.num_envs)
        self._numbers = np.zeros(self.observation_space.shape or (), dtype=np.int64)

    def _started(self, observation: Any, infos: Infos, rows: BoolArray) -> Any:
        """Observes the numbers; rows that do not start keep theirs."""
        del observation
        self._numbers[rows] = self.rule.numbers(infos["genotype"])[rows]
        return self._numbers.copy()

    def step(self, actions: object) -> VectorStep:
        """Steps the environments, and observes the numbers."""
        _, rewards, ended, cut, infos = self.env.step(actions)
        if "final_obs" in infos and self.autoreset_mode is AutoresetMode.SAME_STEP:
            infos = {**infos, "final_obs": self._final(infos)}
        self._numbers = self.rule.numbers(infos["genotype"])
        seen: Any = self._numbers.copy()
        return seen, rewards, ended, cut, infos

    def _final(self, infos: Infos) -> Array:
        """Returns the last numbers of rows that ended."""
        final: Array = np.full(self.num_envs, None, dtype=object)
        numbers = self.rule.numbers(infos["final_info"]["genotype"])
        for row in np.flatnonzero(infos["_final_obs"]):
            final[row] = numbers[row]
        return final
