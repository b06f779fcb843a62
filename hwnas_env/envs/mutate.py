"""The environment that changes a network, one position a step."""

from typing import Any

import gymnasium as gym
import numpy as np

from hwnas_env.envs.base import HWNASEnv, Info, Observation
from hwnas_env.errors import InvalidArgumentError


class MutateEnv(HWNASEnv):
    """Starts at a uniform deployable network and changes one position a step.

    Args:
        space: nasbench201 or fbnet.
        device: a device's name.
        horizon: steps of an episode; twice the number of positions by default.
        keywords: those of :class:`HWNASEnv`.

    Observation:
        ``Box`` float32: the genotype one-hot (``L * K``), and its cost / budget clipped
        to [0, 4], twice, in the place of the interval that ``construct`` observes. With
        ``budget="sampled"`` also log(budget / medium).

    Action:
        ``Discrete(L * K)``: action ``position * K + choice``. Masked are the actions
        whose network is not feasible, and those that change nothing. Where all would be
        masked the mask is all ones and ``info["completable"]`` is False.

    Reward:
        That of the new network, every step, as in
        :class:`hwnas_env.envs.construct.ConstructEnv`. Every step is a query; the
        network at the start is not queried.

    Episode end:
        Truncated after ``horizon`` steps; never terminated.

    Start:
        ``reset(options={"genotype": ...})`` takes a whole genotype.

    Info keys:
        Those of :class:`HWNASEnv`.

    Version history:
        v0: first version.
    """

    def __init__(
        self, space: str, device: str, *, horizon: int | None = None, **keywords: Any
    ) -> None:
        """See the class.

        Raises:
            InvalidArgumentError: the horizon is no positive integer.
        """
        super().__init__(space, device, **keywords)
        if horizon is None:
            horizon = 2 * self._length
        if isinstance(horizon, bool) or not isinstance(horizon, int) or horizon < 1:
            message = f"horizon: expected a positive int, got {horizon!r}"
            raise InvalidArgumentError(message)
        self._horizon = horizon

    def _make_spaces(self) -> None:
        actions = self._length * self._choices
        self.observation_space = self._observation_space(actions)
        self.action_space = gym.spaces.Discrete(actions)
        positions = np.arange(actions) // self._choices
        self._changed = np.zeros((actions, self._length), dtype=np.bool_)
        self._changed[np.arange(actions), positions] = True
        self._choice = (np.arange(actions) % self._choices).astype(np.int8)

    def _check_start(self, genotype: Any) -> np.ndarray[Any, np.dtype[np.int8]]:
        return self.problem.space.validate_one(genotype)

    def _begin(self, start: np.ndarray[Any, np.dtype[np.int8]] | None) -> None:
        problem = self.problem
        while start is None:
            drawn = problem.space.sample(1, rng=self.np_random)
            if np.isfinite(problem.known_costs(drawn)[0]):
                start = drawn[0]
        self._genotype = start.copy()
        self._left = self._horizon
        self._look()

    def step(self, action: Any) -> tuple[Observation, Any, bool, bool, Info]:
        """Changes one position and queries the new network.

        Raises:
            InvalidActionError: no integer in [0, L K).
            EpisodeEndedError: the episode is over; reset first.
        """
        self._require_open()
        number = self.check_action(action)
        if self._blank["budget_exhausted"]:
            return self._unpaid()
        position, choice = divmod(number, self._choices)
        self._genotype[position] = choice
        self._left -= 1
        self._look()
        if self.render_mode == "human":
            self.render()
        self._open = self._left > 0
        reward, info = self._evaluate()
        return self._observation.copy(), reward, False, not self._open, info

    def _look(self) -> None:
        """Observes the network, and which changes of it are feasible."""
        genotype = self._genotype
        around = np.where(self._changed, self._choice[:, None], genotype)
        costs = self.problem.known_costs(np.concatenate([genotype[None, :], around]))
        same = genotype.repeat(self._choices) == self._choice
        self._observation[: len(same)] = same
        self._observe_cost(float(costs[0]))
        meets = (costs[1:] <= self._budget) & ~same
        self._completable = bool(meets.any())
        mask = meets if self._completable else np.ones_like(meets)
        self._mask = mask.astype(np.int8)

    def check_action(self, action: Any) -> int:
        """Returns an action as an int, or raises :class:`InvalidActionError`."""
        meaning = f"position * {self._choices} + choice"
        return self._integer(action, self._length * self._choices, meaning=meaning)
