"""N episodes side by side: what an action is, in each mode, on arrays.

A vector environment owns one of these; it evaluates, charges and starts anew what they
say. ``ConstructRows`` are in their own module.
"""

from abc import ABC, abstractmethod
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
import numpy.typing as npt

from hwnas_env.engines.walk import RATIO_LIMIT, Mask
from hwnas_env.envs.joint import by_position, check_choices
from hwnas_env.envs.mutate import check_horizon, neighbourhood, uniform_genotypes
from hwnas_env.envs.setting import Setting
from hwnas_env.envs.uniforms import Uniforms
from hwnas_env.errors import InvalidActionError, InvalidArgumentError
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

    def __init__(self, setting: Setting, count: int) -> None:
        """Makes room for ``count`` episodes; none has begun."""
        self.setting, self.count = setting, count
        self.number: IntArray = np.zeros(count, dtype=np.int64)
        self.budget: FloatArray = np.zeros(count)
        self.tail: FloatArray = np.zeros(
            (count, setting.sampled + setting.tails.shape[1])
        )

    def place(self, rows: IntArray, numbers: IntArray, budgets: FloatArray) -> None:
        """Gives rows their devices and budgets; :meth:`start` follows.

        Args:
            rows: which.
            numbers: their devices.
            budgets: in the metric's unit.
        """
        self.number[rows], self.budget[rows] = numbers, budgets
        usual = self.budget == self.setting.budgets[self.number]
        self.usual = not self.setting.sampled and bool(usual.all())
        if self.tail.shape[1]:
            self.tail[rows] = self.setting.tail(numbers, budgets)

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
        problems = self.setting.problems
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
    message = (
        f"expected {count} actions from 0 to {limit - 1} ({meaning}), got {actions!r}"
    )
    raise InvalidActionError(message)


class JointRows(Rows):
    """Rows of mode joint: see :class:`hwnas_env.envs.joint.JointEnv`."""

    def __init__(self, setting: Setting, count: int) -> None:
        """Makes room for episodes of one step."""
        super().__init__(setting, count)
        self.observation_space = setting.observation_space(0)
        self.action_space = gym.spaces.MultiDiscrete(list(setting.space.choices_at))
        shape = (count, setting.length)
        self._genotype = np.full(shape, -1, dtype=np.int8)
        self._mask = np.empty(count, dtype=object)
        self._ratios = np.zeros((count, 2))
        self._completable = np.zeros(count, dtype=np.bool_)

    def start(self, rows: IntArray, genotype: Any) -> None:
        """Starts episodes; see :meth:`Rows.start`."""
        del genotype  # check_start takes none
        numbers, budgets = self.number[rows], self.budget[rows]
        self._genotype[rows] = -1
        for number, budget in {*zip(numbers.tolist(), budgets.tolist(), strict=True)}:
            mine = rows[(numbers == number) & (budgets == budget)]
            walk = self.setting.problems[number].walk(budget)
            _, low, high, self._completable[mine] = walk.view(0, walk.root)
            self._ratios[mine] = low, high
            mask = walk.choices()
            mask.setflags(write=False)
            held = np.empty(1, dtype=object)
            held[0] = by_position(
                mask, self.setting.space.choices_at
            )  # one object, where NumPy would spread it out
            self._mask[mine] = held

    def check_start(self, genotype: Any) -> Any:
        """Raises: there is nothing to start from."""
        message = f"genotype {genotype!r}: mode joint chooses all positions at once"
        raise InvalidArgumentError(message)

    def check(self, actions: Any) -> npt.NDArray[np.int8]:
        """Returns ``(N, L)`` choices; see :meth:`Rows.check`."""
        shape = (self.count, self.setting.length)
        return check_choices(actions, shape, counts=self.setting.space.choices_at)

    def advance(self, actions: npt.NDArray[Any], rows: IntArray | None = None) -> None:
        """Takes whole networks."""
        moving: Any = slice(None) if rows is None else rows
        networks, budgets = actions[moving], self.budget[moving]
        cost = self.known_costs(networks, self.number[moving])
        self._genotype[moving] = networks
        self._ratios[moving] = cost_ratios(cost, budgets)
        self._completable[moving] = cost <= budgets

    def look(self) -> Look:
        """Returns what the episodes show."""
        return Look(
            self.observe(np.empty((self.count, 0)), self._ratios),
            self._mask.copy(),
            self._genotype.copy(),
            self._completable.copy(),
        )

    def masks(self) -> BoolArray:
        """Returns the masks ``(N, sum K_p)``; see :meth:`Rows.masks`."""
        return np.array([np.concatenate(mask) for mask in self._mask], dtype=np.bool_)

    def due(self) -> BoolArray:
        """Marks every row."""
        return np.ones(self.count, dtype=np.bool_)

    def ended(self) -> tuple[BoolArray, BoolArray]:
        """Terminates every row."""
        return self.due(), ~self.due()


class MutateRows(Rows):
    """Rows of mode mutate: see :class:`hwnas_env.envs.mutate.MutateEnv`."""

    def __init__(
        self,
        setting: Setting,
        count: int,
        *,
        uniforms: Uniforms,
        horizon: int | None = None,
    ) -> None:
        """Makes room for episodes of ``horizon`` steps."""
        super().__init__(setting, count)
        self._horizon = check_horizon(horizon, length=setting.length)
        self._uniforms = uniforms
        self._actions = setting.length * setting.choices
        self.observation_space = setting.observation_space(setting.space.offsets[-1])
        self.action_space = gym.spaces.Discrete(self._actions)
        self._genotype = np.zeros((count, setting.length), dtype=np.int8)
        self._left = np.zeros(count, dtype=np.int64)

    def start(self, rows: IntArray, genotype: Any) -> None:
        """Starts episodes; see :meth:`Rows.start`."""
        self._left[rows] = self._horizon
        if genotype is not None:
            self._genotype[rows] = genotype[rows] if len(genotype) > 1 else genotype
            return
        while len(rows):
            uniforms = self._uniforms.take(rows, self.setting.length)
            drawn = uniform_genotypes(uniforms, self.setting.space)
            self._genotype[rows] = drawn
            rows = rows[~np.isfinite(self.known_costs(drawn, self.number[rows]))]

    def check_start(self, genotype: Any) -> Genotypes:
        """Checks one whole genotype, or one a row."""
        rows = self.setting.space.validate(genotype)
        if len(rows) not in (1, self.count):
            message = f"genotype: expected one for all or {self.count}, got {len(rows)}"
            raise InvalidArgumentError(message)
        return rows

    def check(self, actions: Any) -> IntArray:
        """Returns ``(N,)`` actions; see :meth:`Rows.check`."""
        meaning = f"position * {self.setting.choices} + choice"
        return check_discrete(actions, self.count, self._actions, meaning=meaning)

    def advance(self, actions: npt.NDArray[Any], rows: IntArray | None = None) -> None:
        """Changes one position a row."""
        moving = np.arange(self.count) if rows is None else rows
        taken = actions if rows is None else actions[rows]
        position, choice = np.divmod(taken, self.setting.choices)
        if not self.setting.space.uniform:
            choice %= np.array(self.setting.space.choices_at)[position]
        self._genotype[moving, position] = choice
        self._left[moving] -= 1

    def look(self) -> Look:
        """Returns what the episodes show."""
        cost, mask, completable = self._around()
        decided = self.setting.space.one_hot(self._genotype)
        return Look(
            self.observe(decided, cost_ratios(cost, self.budget)),
            mask,
            self._genotype.copy(),
            completable,
        )

    def _around(self) -> tuple[FloatArray, Mask, BoolArray]:
        problems = self.setting.problems
        if len(problems) == 1:
            return neighbourhood(problems[0], self._genotype, self.budget)
        cost = np.empty(self.count)
        mask = np.empty((self.count, self._actions), dtype=np.int8)
        completable = np.empty(self.count, dtype=np.bool_)
        for number in np.unique(self.number).tolist():
            mine = self.number == number
            cost[mine], mask[mine], completable[mine] = neighbourhood(
                problems[number], self._genotype[mine], self.budget[mine]
            )
        return cost, mask, completable

    def due(self) -> BoolArray:
        """Marks every row."""
        return np.ones(self.count, dtype=np.bool_)

    def ended(self) -> tuple[BoolArray, BoolArray]:
        """Truncates the rows at the horizon."""
        return np.zeros(self.count, dtype=np.bool_), self._left <= 0
