"""Pairs of wrappers: one for an environment, one for a vector, both with one rule.

A rule works on arrays with one row an environment. :class:`RuleWrapper` applies it to
one environment, :class:`VectorRuleWrapper` to a vector. Every wrapper of this room but
the recorder is such a pair, as ``HardMask`` and ``VectorHardMask``, side by side in one
file.
"""

import inspect
from abc import ABCMeta
from collections.abc import Mapping
from typing import Any, ClassVar

import gymnasium as gym
import numpy as np
from gymnasium.utils import RecordConstructorArgs

from hwnas_env.errors import InvalidArgumentError, shown
from hwnas_env.types import BoolArray, IntArray
from hwnas_env.wrappers.arguments import plain
from hwnas_env.wrappers.protocols import (
    AnyEnv,
    AnyVector,
    Array,
    Infos,
    Observation,
    Seeds,
)
from hwnas_env.wrappers.vectors import VectorWrapper, reset_mask


class Rule:
    """Does what a pair of wrappers does, for all rows at once.

    Attributes:
        count: number of rows.
        label: name of the wrapper, for errors.
    """

    def __init__(self, env: AnyEnv | AnyVector, count: int) -> None:
        """Takes what is wrapped; subclasses take the wrapper's parameters.

        Args:
            env: one environment, or a vector.
            count: number of rows, 1 of one environment.
        """
        del env
        self.count, self.label = count, type(self).__name__

    @classmethod
    def arguments(cls, given: Mapping[str, object]) -> dict[str, Any]:
        """Returns a wrapper's arguments as a specification in JSON carries them."""
        return {name: plain(value) for name, value in given.items()}

    def begin(self, rows: IntArray, *, anew: bool) -> None:
        """Hears that episodes of rows begin, and whether the ledger began a new run."""
        del rows, anew  # most rules keep nothing

    def shown(self) -> dict[str, Array]:
        """Returns what it adds to info, ``(N, ...)`` arrays of the caller's own."""
        return {}


class RuleWrapper(
    gym.Wrapper[Any, Any, Any, Any], RecordConstructorArgs, metaclass=ABCMeta
):
    """Applies a rule to one environment; a subclass names the rule.

    Around a vector the class makes its vector class instead, ``vector_type``, which is
    registered as a subclass: ``isinstance(HardMask(envs), HardMask)`` holds, and so
    does ``isinstance(HardMask(envs), VectorHardMask)``. A subclass without a vector
    class of its own makes that of its parent, with its own rule.
    """

    rule_type: ClassVar[type[Rule]]
    vector_type: ClassVar[type["VectorRuleWrapper"]]
    rule: Rule

    def __new__(cls, env: object = None, *arguments: object, **keywords: object) -> Any:
        """Makes the wrapper, or that of a vector; copies give no environment."""
        if isinstance(env, gym.vector.VectorEnv):
            return cls.vector_type(env, *arguments, single_type=cls, **keywords)
        return super().__new__(cls)

    def __init__(self, env: AnyEnv, **parameters: object) -> None:
        """Makes the rule, and records the parameters for the specification.

        Raises:
            InvalidArgumentError: as the rule says.
        """
        given = self.rule_type.arguments(parameters)
        self.rule = self.make_rule(env, 1, given)
        RecordConstructorArgs.__init__(self, **given)
        gym.Wrapper.__init__(self, env)

    @classmethod
    def make_rule(
        cls, env: AnyEnv | AnyVector, count: int, given: dict[str, Any]
    ) -> Rule:
        """Makes the rule for what is wrapped.

        Args:
            env: one environment, or a vector.
            count: number of rows.
            given: what ``Rule.arguments`` returned.

        Raises:
            InvalidArgumentError: as the rule says.
        """
        rule = cls.rule_type(env, count, **given)
        rule.label = cls.__name__
        return rule

    def reset(
        self, *, seed: int | None = None, options: Infos | None = None
    ) -> tuple[Observation, Infos]:
        """Resets the environment, and says how the wrapper starts."""
        observation, info = self.env.reset(seed=seed, options=options)
        return self._started(observation, info), info

    def _started(self, observation: Observation, info: Infos) -> Observation:
        """Starts an episode: returns what is observed, and may add to info."""
        del info
        return observation

    def _show(self, info: Infos) -> None:
        """Adds what the rule shows to info."""
        for key, column in self.rule.shown().items():
            info[key] = column[0].item() if column.ndim == 1 else column[0]


class VectorRuleWrapper(VectorWrapper):
    """Applies a rule to a vector: to each row what ``single_type`` does to one.

    Attributes:
        single_type: the class that wraps one environment so. A subclass that sets it
            becomes what that class makes of vectors.
    """

    single_type: type[RuleWrapper]
    rule: Rule

    def __init_subclass__(cls, **keywords: Any) -> None:
        """Makes the class that of its ``single_type``, where it names one."""
        super().__init_subclass__(**keywords)
        if "single_type" in vars(cls):
            cls.single_type.vector_type = cls
            cls.single_type.register(cls)

    def __init__(
        self,
        env: AnyVector,
        *arguments: object,
        single_type: type[RuleWrapper] | None = None,
        **keywords: object,
    ) -> None:
        """Takes a vector, and the arguments that ``single_type`` takes.

        Args:
            env: what ``gym.make_vec`` makes.
            arguments: those of ``single_type`` behind its environment.
            single_type: a subclass of the class's own, for its rule.
            keywords: those of ``single_type``.

        Raises:
            InvalidArgumentError: no vector, or as the rule says.
        """
        if not isinstance(env, gym.vector.VectorEnv):
            name = type(self).__name__
            message = f"{name}: expected what gym.make_vec makes, got {shown(env)}"
            raise InvalidArgumentError(message)
        super().__init__(env)
        self.single_type = single_type or self.single_type
        given = _named(self.single_type, env, arguments, keywords)
        given = self.single_type.rule_type.arguments(given)
        self.rule = self.single_type.make_rule(env, env.num_envs, given)
        self._everyone: BoolArray = np.ones(env.num_envs, dtype=np.bool_)
        self._everyone.setflags(write=False)

    def reset(
        self, *, seed: Seeds = None, options: Infos | None = None
    ) -> tuple[Observation, Infos]:
        """Resets the environments, and says how the wrapper starts."""
        rows = reset_mask(options, self.num_envs)
        one: Any = seed  # Gymnasium's wrapper is annotated for one seed only
        observation, infos = self.env.reset(seed=one, options=options)
        return self._started(observation, infos, rows), infos

    def _started(
        self, observation: Observation, infos: Infos, rows: BoolArray
    ) -> Observation:
        """Starts episodes: returns what is observed, and may add to infos.

        Args:
            observation: of all rows.
            infos: may speak only of the rows that are marked.
            rows: ``(N,)`` those that start.
        """
        del infos, rows
        return observation

    def _show(self, infos: Infos, rows: BoolArray) -> None:
        """Adds what the rule shows to infos, of the rows that are marked."""
        for key, column in self.rule.shown().items():
            infos[key], infos[f"_{key}"] = column, rows


def _named(
    single_type: type[RuleWrapper],
    env: AnyVector,
    arguments: tuple[object, ...],
    keywords: dict[str, object],
) -> dict[str, object]:
    """Returns what a class would give its rule for these arguments, by name."""
    signature = inspect.signature(single_type.__init__)
    bound = signature.bind(None, env, *arguments, **keywords)
    bound.apply_defaults()
    named: dict[str, object] = {}
    for name, value in [*bound.arguments.items()][2:]:  # behind self and env
        if signature.parameters[name].kind is inspect.Parameter.VAR_KEYWORD:
            named |= value
        else:
            named[name] = value
    return named
