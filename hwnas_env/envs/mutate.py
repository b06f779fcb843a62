"""Mode mutate: one position changed a step; one environment, and many on arrays."""

import functools
from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
import numpy.typing as npt

from hwnas_env.engines.space import SearchSpace
from hwnas_env.envs.config import EnvConfig
from hwnas_env.envs.row_env import RowEnv
from hwnas_env.envs.rows import Look, Rows, check_discrete, cost_ratios
from hwnas_env.errors import InvalidArgumentError, shown
from hwnas_env.problems.problem import Problem
from hwnas_env.types import BoolArray, FloatArray, Genotypes, IntArray


class MutateEnv(RowEnv):
    """Starts at a uniform deployable network and changes one position a step.

    Observation:
        ``Box`` float32: the genotype one-hot (the sum of all ``K_p``), and its cost /
        budget clipped to [0, 4], twice, in the place of the interval that ``construct``
        observes. With ``budget="sampled"`` also log(budget / medium).

    Action:
        ``Discrete(L * K)``: action ``position * K + choice``; where a position has
        fewer choices, ``K_p``, a choice means its remainder by ``K_p``. Masked are the
        actions whose network is not feasible, those that change nothing, and choices
        that there are not. Where all would be masked the mask is all ones, of the
        choices there are, and ``info["completable"]`` is False.

    Reward:
        That of the new network, every step, as in
        :class:`hwnas_env.envs.construct.ConstructEnv`. Every step is a query; the
        network at the start is not queried.

    Episode end:
        Truncated after ``horizon`` steps; never terminated.

    Start:
        ``reset(options={"genotype": ...})`` takes a whole genotype.

    Version history:
        v0: first version.
    """

    def __init__(
        self,
        space: str,
        device: str | None = None,
        *,
        horizon: int | None = None,
        **keywords: Any,
    ) -> None:
        """Makes the environment.

        Args:
            space: a search space's name or label.
            device: a device's name.
            horizon: steps of an episode; twice the number of positions by default.
            keywords: those of :class:`HWNASEnv`.

        Raises:
            InvalidArgumentError: the horizon is no positive integer.
        """
        self._horizon = horizon
        super().__init__(space, device, **keywords)

    def _make_rows(self) -> Rows:
        return MutateRows(self.config, 1, draw=self.draw, horizon=self._horizon)

    @property
    def max_episode_steps(self) -> int:
        """The horizon."""
        return check_horizon(self._horizon, length=self.config.length)

    @property
    def reward_threshold(self) -> None:
        """None: every step pays, and the best sum of an episode is not known."""

    def _row_of(self, action: Any) -> IntArray:
        return np.array([self.check_action(action)])

    def check_action(self, action: Any) -> int:
        """Returns an action as an int, or raises :class:`InvalidActionError`."""
        meaning = f"position * {self._choices} + choice"
        return self._integer(action, self._length * self._choices, meaning=meaning)


class MutateRows(Rows):
    """Rows of mode mutate: see :class:`hwnas_env.envs.mutate.MutateEnv`."""

    def __init__(
        self,
        config: EnvConfig,
        count: int,
        *,
        draw: Callable[[IntArray, int], FloatArray],
        horizon: int | None = None,
    ) -> None:
        """Makes room for episodes of ``horizon`` steps.

        Args:
            config: what is searched.
            count: episodes.
            draw: gives rows so many uniform numbers in [0, 1) each.
            horizon: steps; twice the number of positions by default.
        """
        super().__init__(config, count, ones=config.space.offsets[-1])
        self._horizon = check_horizon(horizon, length=config.length)
        self._draw = draw
        self._actions = config.length * config.choices
        self.action_space = gym.spaces.Discrete(self._actions)
        self._genotype = np.zeros((count, config.length), dtype=np.int8)
        self._left = np.zeros(count, dtype=np.int64)

    def start(self, rows: IntArray, genotype: Any) -> None:
        """Starts episodes; see :meth:`Rows.start`."""
        self._left[rows] = self._horizon
        if genotype is not None:
            self._genotype[rows] = genotype[rows] if len(genotype) > 1 else genotype
            return
        while len(rows):
            uniforms = self._draw(rows, self.config.length)
            drawn = uniform_genotypes(uniforms, self.config.space)
            self._genotype[rows] = drawn
            rows = rows[~np.isfinite(self.known_costs(drawn, self.number[rows]))]

    def check_start(self, genotype: Any) -> Genotypes:
        """Checks one whole genotype, or one a row."""
        rows = self.config.space.validate(genotype)
        if len(rows) not in (1, self.count):
            message = f"genotype: expected one for all or {self.count}, got {len(rows)}"
            raise InvalidArgumentError(message)
        return rows

    def check(self, actions: Any) -> IntArray:
        """Returns ``(N,)`` actions; see :meth:`Rows.check`."""
        meaning = f"position * {self.config.choices} + choice"
        return check_discrete(actions, self.count, self._actions, meaning=meaning)

    def advance(self, actions: npt.NDArray[Any], rows: IntArray | None = None) -> None:
        """Changes one position a row."""
        moving = np.arange(self.count) if rows is None else rows
        taken = actions if rows is None else actions[rows]
        position, choice = np.divmod(taken, self.config.choices)
        if not self.config.space.uniform:
            choice %= np.array(self.config.space.choices_at)[position]
        self._genotype[moving, position] = choice
        self._left[moving] -= 1

    def look(self) -> Look:
        """Returns what the episodes show."""
        cost, mask, completable = self._around()
        decided = self.config.space.one_hot(self._genotype)
        return Look(
            self.observe(decided, cost_ratios(cost, self.budget)),
            mask,
            self._genotype.copy(),
            completable,
        )

    def _around(self) -> tuple[FloatArray, npt.NDArray[np.int8], BoolArray]:
        problems = self.config.problems
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


def check_horizon(horizon: int | None, *, length: int) -> int:
    """Returns the steps of an episode, twice the number of positions by default.

    Raises:
        InvalidArgumentError: the horizon is no positive integer.
    """
    if horizon is None:
        return 2 * length
    whole = isinstance(horizon, (int, np.integer)) and not isinstance(horizon, bool)
    if not whole or horizon < 1:
        message = f"horizon: expected a positive int, got {shown(horizon)}"
        raise InvalidArgumentError(message)
    return int(horizon)


def uniform_genotypes(uniforms: FloatArray, space: SearchSpace) -> Genotypes:
    """Turns uniform numbers in [0, 1) ``(N, L)`` into uniform genotypes ``(N, L)``."""
    return np.asarray((uniforms * np.array(space.choices_at)).astype(np.int8))


@functools.lru_cache(maxsize=8)
def changes(space: SearchSpace) -> tuple[IntArray, IntArray, Genotypes]:
    """Returns every action, the position that it changes, and to which choice."""
    action = np.arange(space.length * space.choices)
    position, choice = action // space.choices, action % space.choices
    choice %= np.array(space.choices_at)[position]
    return action, position, choice.astype(np.int8)


def neighbourhood(
    problem: Problem, genotypes: Genotypes, budgets: FloatArray
) -> tuple[FloatArray, npt.NDArray[np.int8], BoolArray]:
    """Looks at networks and at all that differ from them in one position.

    Args:
        problem: space and device.
        genotypes: ``(N, L)``.
        budgets: ``(N,)`` in the metric's unit.

    Returns:
        Their costs ``(N,)``; masks ``(N, L K)`` of the changes that are feasible and
        change something, all ones where none does; and where any does, ``(N,)`` bool.
    """
    space = problem.space
    count, length = genotypes.shape
    choices = space.choices
    around = np.repeat(genotypes[:, None, :], length * choices, axis=1)
    action, position, choice = changes(space)
    around[:, action, position] = choice
    costs = problem.known_costs(around.reshape(-1, length)).reshape(count, -1)
    same = (np.arange(choices) == genotypes[:, :, None]).reshape(count, -1)
    meets = (costs <= budgets[:, None]) & ~same
    if not space.uniform:
        meets &= space.existing.reshape(-1) == 1
    completable = meets.any(axis=1)
    if space.uniform:
        meets |= ~completable[:, None]
    else:
        meets |= ~completable[:, None] & (space.existing.reshape(-1) == 1)
    # the change that changes nothing is the network itself
    own = costs[np.arange(count), genotypes[:, 0]]
    return own, meets.view(np.int8), np.asarray(completable)
