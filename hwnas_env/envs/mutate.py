"""The environment that changes a network, one position a step."""

from typing import Any

import gymnasium as gym
import numpy as np
import numpy.typing as npt

from hwnas_env.engines.space import SearchSpace
from hwnas_env.envs.base import HWNASEnv, Info, Observation
from hwnas_env.errors import InvalidArgumentError
from hwnas_env.problems.problem import Problem
from hwnas_env.types import BoolArray, FloatArray, Genotypes


class MutateEnv(HWNASEnv):
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
        super().__init__(space, device, **keywords)
        self._horizon = check_horizon(horizon, length=self._length)

    def _make_spaces(self) -> None:
        ones = self.setting.space.offsets[-1]
        self._ratio = slice(ones, ones + 2)
        self.observation_space = self.setting.observation_space(ones)
        self.action_space = gym.spaces.Discrete(self._length * self._choices)

    def _check_start(self, genotype: Any) -> Genotypes:
        return self.problem.space.validate_one(genotype)

    def _begin(self, start: Genotypes | None) -> None:
        problem = self.problem
        while start is None:
            uniforms = self.np_random.random((1, self._length))
            drawn = uniform_genotypes(uniforms, problem.space)
            if np.isfinite(problem.known_costs(drawn)[0]):
                start = drawn[0]
        self._genotype = start.copy()
        self._left = self._horizon
        self._around()

    def step(self, action: Any) -> tuple[Observation, Any, bool, bool, Info]:
        """Changes one position and queries the new network.

        Raises:
            InvalidActionError: no integer in [0, L K).
            EpisodeEndedError: the episode is over; reset first.
        """
        self._require_open()
        number = self.check_action(action)
        if self._broke():
            return self._unpaid()
        position, choice = divmod(number, self._choices)
        counts = self.problem.space.choices_at
        self._genotype[position] = choice % counts[position]
        self._left -= 1
        self._around()
        self._open = False  # until a user's reward has answered
        observation, info = self._look()
        reward = self._evaluate(self._genotype, info)
        self._open = self._left > 0 and reward is not None
        if self.render_mode == "human":
            self.render()
        if reward is None:
            reward = self._nothing()
        return observation, reward, False, not self._open, info

    def _around(self) -> None:
        """Works out the network's cost, and which changes of it are feasible."""
        cost, mask, completable = neighbourhood(
            self.problem, self._genotype[None, :], np.array([self._budget])
        )
        self._ratio_now = self._observed(float(cost[0]))
        self._allowed: npt.NDArray[np.int8] = mask[0]
        self._completable = bool(completable[0])

    def _look(self) -> tuple[Observation, Info]:
        info = self._blank.copy()
        info["genotype"] = self._genotype.copy()
        info["completable"] = self._completable
        info["action_mask"] = self._allowed.copy()
        same = self.problem.space.one_hot(self._genotype[None, :])[0]
        ratios = [self._ratio_now] * 2
        parts = [same, ratios, self._tail()]
        return np.concatenate(parts).astype(np.float32), info

    def _mask(self) -> npt.NDArray[np.int8]:
        return self._allowed

    def check_action(self, action: Any) -> int:
        """Returns an action as an int, or raises :class:`InvalidActionError`."""
        meaning = f"position * {self._choices} + choice"
        return self._integer(action, self._length * self._choices, meaning=meaning)


def check_horizon(horizon: int | None, *, length: int) -> int:
    """Returns the steps of an episode, twice the number of positions by default.

    Raises:
        InvalidArgumentError: the horizon is no positive integer.
    """
    if horizon is None:
        return 2 * length
    whole = isinstance(horizon, (int, np.integer)) and not isinstance(horizon, bool)
    if not whole or horizon < 1:
        message = f"horizon: expected a positive int, got {horizon!r}"
        raise InvalidArgumentError(message)
    return int(horizon)


def uniform_genotypes(uniforms: FloatArray, space: SearchSpace) -> Genotypes:
    """Turns uniform numbers in [0, 1) ``(N, L)`` into uniform genotypes ``(N, L)``."""
    return np.asarray((uniforms * np.array(space.choices_at)).astype(np.int8))


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
    action = np.arange(length * choices)
    position, choice = action // choices, action % choices
    if not space.uniform:
        choice %= np.array(space.choices_at)[position]
    around[:, action, position] = choice.astype(np.int8)
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
