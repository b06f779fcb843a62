"""What the wrappers ask of an environment, and the types that they pass on.

This room does not import the environments: it knows them by what they offer. The
protocols list that; ``core_of`` finds the environment beneath all wrappers.
"""

from collections.abc import Callable, Sequence
from typing import Any, Protocol, SupportsFloat, TypeAlias, runtime_checkable

import gymnasium as gym
import numpy.typing as npt

from hwnas_env.errors import InvalidArgumentError
from hwnas_env.problems.budget import BudgetedProblem
from hwnas_env.problems.problem import Problem
from hwnas_env.problems.rewards import VectorReward
from hwnas_env.types import BoolArray, FloatArray, IntArray

AnyEnv: TypeAlias = gym.Env[Any, Any]
"""One environment of Gymnasium, whatever it observes and however it acts."""

AnyVector: TypeAlias = gym.vector.VectorEnv[Any, Any, Any]
"""A vector environment of Gymnasium, as ``gym.make_vec`` makes it."""

AnySpace: TypeAlias = gym.Space[Any]
Array: TypeAlias = npt.NDArray[Any]

Observation: TypeAlias = Array | dict[str, "Observation"]
"""An array, or a dictionary of observations; of a vector with one row an episode."""

Infos: TypeAlias = dict[str, Any]
"""Gymnasium's info of one environment, or the infos of a vector."""

Step: TypeAlias = tuple[Observation, SupportsFloat, bool, bool, Infos]
"""What a step of one environment returns; a vector reward is an array ``(k,)``."""

VectorStep: TypeAlias = tuple[Observation, FloatArray, BoolArray, BoolArray, Infos]
"""What a step of a vector returns, one row an environment."""

Seeds: TypeAlias = int | list[int | None] | None
"""What a vector's reset takes as seed: one number, of row 0, or one a row."""

Info: TypeAlias = Callable[[str], Array]
"""Gives an info key of a step as an array, one row an environment."""


class EnvConfig(Protocol):
    """Says what an environment's keywords decided: its devices and its rewards."""

    @property
    def several(self) -> bool:
        """Whether each episode has a device of its own, ``info["device"]``."""

    @property
    def sampled(self) -> bool:
        """Whether each episode draws a budget of its own."""

    @property
    def problems(self) -> Sequence[Problem]:
        """The problem of each device; of each row, where devices are drawn."""

    @property
    def vector_rewards(self) -> tuple[VectorReward, ...]:
        """The vector reward of each device; empty where rewards are numbers."""

    def front(self, number: int) -> FloatArray:
        """Returns a device's exact front ``(P, k)``, as vector rewards."""


@runtime_checkable
class Environment(Protocol):
    """Offers what single and vector environments of this package both have."""

    @property
    def config(self) -> EnvConfig:
        """What the keywords decided."""

    @property
    def ledger(self) -> BudgetedProblem:
        """The counter of queries."""

    @property
    def problem(self) -> Problem:
        """What is searched."""

    def action_masks(self) -> BoolArray:
        """Returns which actions are allowed next: ``(K,)``, of a vector ``(N, K)``."""

    def draw(self, rows: IntArray, count: int) -> FloatArray:
        """Draws numbers ``(len(rows), count)`` in [0, 1) from rows' generators."""

    def describe(self) -> dict[str, Any]:
        """Returns what is searched and rewarded, as plain data."""


@runtime_checkable
class SingleEnvironment(Environment, Protocol):
    """Offers what the wrappers ask of one environment."""

    @property
    def begun(self) -> bool:
        """Whether an episode was ever started."""


@runtime_checkable
class DiscreteEnvironment(SingleEnvironment, Protocol):
    """Offers what the wrappers ask of one environment with a ``Discrete`` action."""

    def check_action(self, action: object) -> int:
        """Returns an action as an int, or raises ``InvalidActionError``."""


@runtime_checkable
class VectorEnvironment(Environment, Protocol):
    """Offers what the wrappers ask of a native vector of N environments."""

    @property
    def still(self) -> BoolArray:
        """Marks the rows ``(N,)`` that the next step does not move."""

    def check_actions(self, actions: object) -> Array:
        """Returns a step's actions ``(N, ...)``, or raises ``InvalidActionError``."""

    def hold(self, rows: BoolArray) -> None:
        """Keeps the marked rows ``(N,)`` where they are until they are reset."""


def core_of(env: object) -> Environment:
    """Returns the environment of this package beneath all wrappers.

    Args:
        env: one environment, or what ``gym.make_vec`` made; wrapped or not.

    Raises:
        InvalidArgumentError: there is none.
    """
    wrapped = isinstance(env, (gym.Env, gym.vector.VectorEnv))
    core = env.unwrapped if wrapped else env  # type: ignore[attr-defined]
    if isinstance(core, Environment):
        return core
    message = f"expected an environment of hwnas_env, got {core!s:.200}"
    if isinstance(env, gym.vector.VectorEnv):
        message += "; wrap single environments before they are put into a vector"
    raise InvalidArgumentError(message)


def spaces_of(env: AnyEnv | AnyVector) -> tuple[AnySpace, AnySpace]:
    """Returns the spaces of one row's observations and actions."""
    if isinstance(env, gym.vector.VectorEnv):
        return env.single_observation_space, env.single_action_space
    return env.observation_space, env.action_space
