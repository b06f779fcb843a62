"""N episodes side by side: what an action is, in each mode, on arrays.

A vector environment owns one of these; it evaluates, charges and starts anew what they
say. Each mode has its own, in its module; those of construct are in ``construct_rows``.
"""

from abc import ABC, abstractmethod
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
import numpy.typing as npt

from hwnas_env.engines.walk import RATIO_LIMIT
from hwnas_env.envs.config import EnvConfig
from hwnas_env.errors import InvalidActionError, shown
from hwnas_env.types import BoolArray, FloatArray, Genotypes, IntArray


class Look(NamedTuple):
    """What N episodes show; arrays of the caller's own.

    Attributes:
        observation: ``(N, D)`` float32.
        mask: ``(N, ...)`` int8; in mode joint ``(N,)`` of tuples.
        genotype: ``(N, L)`` int8.
        completable: ``(N,)`` bool.
    """

    observation: npt.NDArray[np.float32]
    mask: npt.NDArray[Any]
    genotype: Genotypes
    completable: BoolArray


class Rows(ABC):
    """N episodes of one mode; row i has its own device, budget and genotype."""

    observation_space: gym.spaces.Box
    action_space: gym.spaces.Discrete | gym.spaces.MultiDiscrete
    steps_before_reward = 0
    usual = False
    """Whether every row has its device's usual budget."""

    def __init__(self, config: EnvConfig, count: int, *, ones: int) -> None:
        """Makes room for ``count`` episodes; none has begun.

        Args:
            config: what is searched.
            count: episodes.
            ones: indicators at the beginning of an observation.
        """
        self.config, self.count, self.ones = config, count, ones
        self.observation_space = config.observation_space(ones)
        self.number: IntArray = np.zeros(count, dtype=np.int64)
        self.budget: FloatArray = np.zeros(count)
        self.tail: FloatArray = np.zeros(
            (count, config.sampled + config.tails.shape[1])
        )

    def place(self, rows: IntArray, numbers: IntArray, budgets: FloatArray) -> None:
        """Gives rows their devices and budgets; :meth:`start` follows.

        Args:
            rows: which.
            numbers: the places of their problems.
            budgets: in the metric's unit.
        """
        if self.config.changing:
            for number in numbers.tolist():
                self.take_in(number)
        self.number[rows], self.budget[rows] = numbers, budgets
        self.usual = not self.config.sampled and bool(
            (self.budget == self.config.budgets[self.number]).all()
        )
        if self.tail.shape[1]:
            self.tail[rows] = self.config.tail(numbers, budgets)

    def take_in(self, number: int) -> None:
        """Works out what is kept of the problem at a place; nothing by default."""
        del number

    @abstractmethod
    def start(self, rows: IntArray, genotype: Any) -> None:
        """Starts episodes of rows, from what :meth:`check_start` returned, or None."""

    @abstractmethod
    def check_start(self, genotype: Any) -> Any:
        """Checks ``reset``'s option "genotype": one for all rows."""

    @abstractmethod
    def check(self, actions: Any) -> npt.NDArray[Any]:
        """Returns actions; raises InvalidActionError where one is wrong."""

    @abstractmethod
    def advance(self, actions: npt.NDArray[Any], rows: IntArray | None = None) -> None:
        """Takes one checked action a row.

        Args:
            actions: of all rows.
            rows: those that move; all of them by default.
        """

    @abstractmethod
    def look(self) -> Look:
        """Returns what the episodes show."""

    def masks(self) -> BoolArray:
        """Returns the masks, those of joint's positions side by side: ``(N, ...)``."""
        return np.asarray(self.look().mask.astype(np.bool_))

    @abstractmethod
    def due(self) -> BoolArray:
        """Marks the rows whose network is to be queried after this step: ``(N,)``."""

    @abstractmethod
    def ended(self) -> tuple[BoolArray, BoolArray]:
        """Marks the rows that this step terminated, and those it truncated."""

    def known_costs(self, genotypes: Genotypes, numbers: IntArray) -> FloatArray:
        """Returns the costs of networks on their devices: ``(M,)``."""
        problems = self.config.problems
        if len(problems) == 1:
            return problems[0].known_costs(genotypes)
        costs = np.empty(len(genotypes))
        for number in np.unique(numbers).tolist():
            mine = numbers == number
            costs[mine] = problems[number].known_costs(genotypes[mine])
        return costs

    def observe(
        self, ones: npt.NDArray[Any], ratios: FloatArray
    ) -> npt.NDArray[np.float32]:
        """Puts indicators ``(N, I)``, ratios ``(N, 2)`` and the tail side by side."""
        width = ones.shape[1]
        observation = np.empty(
            (self.count, width + 2 + self.tail.shape[1]), dtype=np.float32
        )
        observation[:, :width] = ones
        observation[:, width : width + 2] = ratios
        observation[:, width + 2 :] = self.tail
        return observation


def cost_ratios(costs: FloatArray, budgets: FloatArray) -> FloatArray:
    """Returns whole networks' cost / budget, as an interval: ``(M, 2)``."""
    ratio = np.minimum(np.maximum(costs / budgets, 0.0), RATIO_LIMIT)
    return np.stack([ratio, ratio], axis=1)


def check_discrete(actions: Any, count: int, limit: int, *, meaning: str) -> IntArray:
    """Returns ``(N,)`` integer actions in [0, limit).

    Raises:
        InvalidActionError: another shape, dtype or range.
    """
    array = np.asarray(actions)
    if array.shape == (count,) and array.dtype.kind in "iu":
        whole = array.astype(np.int64, copy=False)
        # as unsigned numbers, negative ones are the largest
        if np.maximum.reduce(whole.view(np.uint64)) < limit:
            return whole
    expected = f"expected {count} actions from 0 to {limit - 1} ({meaning})"
    message = f"{expected}, got {shown(actions)}"
    raise InvalidActionError(message)
