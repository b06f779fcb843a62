"""The environment that builds a network, one decision a step."""

from typing import Any

import gymnasium as gym
import numpy as np

from hwnas_env.envs.base import HWNASEnv, Info, Observation
from hwnas_env.errors import InvalidActionError


class ConstructEnv(HWNASEnv):
    """Builds a network by ``L`` choices among ``K``, one a step, then queries it.

    Made by ``gym.make("HWNAS-{Space}-{Device}-v0")``; no constructor argument but the
    space and the device is needed.

    Observation:
        ``Box`` float32: the decisions so far one-hot (``L * K``), the position one-hot
        (``L``; all zeros at the end), the exact interval of the costs still reachable
        over deployable completions, as cost / budget clipped to [0, 4]. With
        ``budget="sampled"`` also log(budget / medium).

    Action:
        ``Discrete(K)``: the operation or block at the next position. ``action_masks()``
        and ``info["action_mask"]`` are exact: an action is masked if and only if no
        completion meets the budget. After an infeasible prefix (someone ignored the
        mask) the mask is all ones and ``info["completable"]`` is False.

    Reward:
        0 before the last step; then the reward of the network, by default
        ``mnas_hard``: accuracy in [0, 1] where the cost is within the budget, else
        accuracy x budget / cost; 0 where the device cannot run the network (other
        rewards count that as accuracy 0 at 100 times the budget). With
        ``objectives`` a vector: accuracy in [0, 1], metrics in their units, negated
        where less is better; where not deployable, the finite ``reward_reference``.

    Episode end:
        Terminated after ``L`` decisions. Truncated when ``max_queries`` are spent: the
        step that spends the last one ends as usual, and every later step is truncated
        with reward 0 and without an evaluation.

    Start:
        ``reset(options={"genotype": ...})`` takes a prefix of decisions; -1 behind them
        stands for undecided, as in ``info["genotype"]``.

    Info keys:
        Those of :class:`HWNASEnv`.

    Version history:
        v0: first version.
    """

    def _make_spaces(self) -> None:
        ones = self._length * (self._choices + 1)
        self.observation_space = self._observation_space(ones)
        self.action_space = gym.spaces.Discrete(self._choices)
        self._steps_before_reward = self._length - 1

    def _check_start(self, genotype: Any) -> list[int]:
        """Returns the decisions of a prefix; -1 behind them stands for undecided."""
        try:
            decisions = list(genotype)
        except TypeError:
            decisions = [genotype]
        while decisions and isinstance(decisions[-1], np.integer) and decisions[-1] < 0:
            decisions.pop()
        prefix = [self.check_action(action) for action in decisions]
        if len(prefix) >= self._length:
            message = (
                f"genotype: expected a prefix of at most {self._length - 1} decisions, "
                f"got {len(prefix)}"
            )
            raise InvalidActionError(message)
        return prefix

    def _begin(self, start: list[int] | None) -> None:
        self._depth = 0
        self._state = self._walk.root
        self._genotype = np.full(self._length, -1, dtype=np.int8)
        for action in start or ():
            self._decide(action)
        self._look()

    def step(self, action: Any) -> tuple[Observation, Any, bool, bool, Info]:
        """Decides the next position; the last decision queries the network.

        Raises:
            InvalidActionError: no integer in [0, K).
            EpisodeEndedError: the episode is over; reset first.
        """
        self._require_open()
        if type(action) is not int or not 0 <= action < self._choices:
            action = self.check_action(action)
        if self._blank["budget_exhausted"]:
            return self._unpaid()
        self._decide(action)
        self._look()
        if self.render_mode == "human":
            self.render()
        if self._depth < self._length:
            nothing = self._nothing()
            return self._observation.copy(), nothing, False, False, self._info()
        self._open = False
        reward, info = self._evaluate()
        return self._observation.copy(), reward, True, False, info

    def _decide(self, action: int) -> None:
        depth = self._depth
        self._state = self._walk.child(depth, self._state, action)
        self._genotype[depth] = action
        self._observation[depth * self._choices + action] = 1.0
        self._depth = depth + 1

    def _look(self) -> None:
        """Observes the position and what can still be reached."""
        depth, observation = self._depth, self._observation
        place = self._length * self._choices + depth
        if depth:
            observation[place - 1] = 0.0
        if depth < self._length:
            observation[place] = 1.0
        self._mask, low, high, self._completable = self._walk.view(depth, self._state)
        observation[self._ratio.start] = low
        observation[self._ratio.start + 1] = high

    def check_action(self, action: Any) -> int:
        """Returns an action as an int, or raises :class:`InvalidActionError`."""
        names = ", ".join(self.problem.space.operations)
        return self._integer(action, self._choices, meaning=names)
