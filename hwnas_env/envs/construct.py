"""The environment that builds a network, one decision a step."""

from collections.abc import Mapping
from typing import Any

import gymnasium as gym
import numpy as np
import numpy.typing as npt

from hwnas_env.engines.walk import Walk
from hwnas_env.envs.base import HWNASEnv, Info, Observation
from hwnas_env.envs.checks import numbers_of
from hwnas_env.envs.prefix_table import PrefixTable
from hwnas_env.errors import InvalidActionError


class ConstructEnv(HWNASEnv):
    """Builds a network by ``L`` choices, one a step, then queries it.

    Made by ``gym.make("HWNAS-{Space}-{Device}-v0")``; no constructor argument but the
    space and the device is needed.

    Observation:
        ``Box`` float32: the decisions so far one-hot (the sum of all ``K_p``), the
        position one-hot (``L``; all zeros at the end), the exact interval of the costs
        still reachable over deployable completions, as cost / budget clipped to [0, 4].
        With ``budget="sampled"`` also log(budget / medium).

    Action:
        ``Discrete(K)``: the operation or block at the next position; where that has
        fewer choices, ``K_p``, an action means its remainder by ``K_p``.
        ``action_masks()`` and ``info["action_mask"]`` are exact: an action is masked if
        and only if no completion meets the budget, or the position has no such choice.
        After an infeasible prefix (someone ignored the mask) the mask is all ones, of
        the choices there are, and ``info["completable"]`` is False.

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
        stands for undecided, as in ``info["genotype"]``; names of operations are taken
        too.

    Version history:
        v0: first version.
    """

    def _make_spaces(self) -> None:
        self.config.require_exact()
        space = self.config.space
        self._counts, self._offsets = space.choices_at, space.offsets
        self._fewer = not space.uniform
        self._position = self._offsets[-1]
        self._ones = ones = self._position + self._length
        self._ratio = slice(ones, ones + 2)
        self.observation_space = self.config.observation_space(ones)
        self.action_space = gym.spaces.Discrete(self._choices)
        self._steps_before_reward = self._length - 1
        self._table: PrefixTable | None = None
        self._walk: Walk | None = None
        self._walked: tuple[int, float] | None = None

    def _check_start(self, genotype: Any) -> list[int]:
        """Returns the decisions of a prefix; -1 up to the end stands for undecided."""
        try:
            genotype = numbers_of(self.problem.space, genotype)
            named = isinstance(genotype, (bytes, Mapping))
            decisions = [genotype] if named else list(genotype)
        except TypeError:
            decisions = [genotype]
        if len(decisions) == self._length:
            whole = (int, np.integer)
            while decisions and isinstance(decisions[-1], whole) and decisions[-1] < 0:
                decisions.pop()
        if len(decisions) >= self._length:
            message = (
                f"genotype: expected a prefix of at most {self._length - 1} decisions, "
                f"got {len(decisions)}"
            )
            raise InvalidActionError(message)
        return [self._check_choice(*pair) for pair in enumerate(decisions)]

    def _begin(self, start: list[int] | None) -> None:
        config, where = self.config, (self._number, self._budget)
        usual = self._budget == config.budgets.item(self._place)
        self._table = (
            config.prefix_table(self._place) if config.fixed and usual else None
        )
        if self._table is None and self._walked != where:
            self._walk, self._walked = self.problem.walk(self._budget), where
        self._node = self._depth = 0
        if self._table is not None:
            self._shifts = self._table.shifts
        else:
            assert self._walk is not None, "there is a table or a walk"
            self._state = self._walk.root
            self._genotype = np.full(self._length, -1, dtype=np.int8)
            size = self.observation_space.shape[0]  # type: ignore[index]
            self._observation = np.zeros(size, np.float32)
            self._observation[self._ratio.stop :] = self._tail()
            self._observation[self._position] = 1.0
            self._seen, *ratios, self._completable = self._walk.view(0, self._state)
            self._observation[self._ratio] = ratios
        for action in start or ():
            self._decide(action)

    def step(self, action: Any) -> tuple[Observation, Any, bool, bool, Info]:
        """Decides the next position; the last decision queries the network.

        Raises:
            InvalidActionError: no integer in [0, K).
            EpisodeEndedError: the episode is over; reset first.
        """
        if not self._open:
            self._require_open()
        if type(action) is not int or not 0 <= action < self._choices:
            action = self.check_action(action)
        if self._blank["budget_exhausted"] or (self._shared and self._broke()):
            return self._unpaid()
        table = self._table
        if table is None or self._fewer:
            self._decide(action)
            observation, info = self._look()
        else:  # the same, without calls: this is the step that has to be quick
            self._depth += 1
            node = self._node = self._node * self._choices + 1 + action
            info = self._blank.copy()
            shown, genotype, mask, info["completable"] = table.row(node)
            info["genotype"] = genotype.copy()
            info["action_mask"] = mask.copy()
            observation = shown.copy()
        if self._depth < self._length:
            if self.render_mode == "human":
                self.render()
            nothing = self._nothing() if self._vector else 0.0
            return observation, nothing, False, False, info
        self._open = False
        reward = self._finish(info)
        if self.render_mode == "human":
            self.render()
        if reward is None:
            return observation, self._nothing(), False, True, info
        return observation, reward, True, False, info

    def _decide(self, action: int) -> None:
        depth = self._depth
        self._depth = depth + 1
        action %= self._counts[depth]  # where a position has fewer choices
        if self._table is not None:
            self._node = self._node * self._counts[depth] + self._shifts[depth] + action
            return
        assert self._walk is not None, "there is a table or a walk"
        self._state, seen = self._walk.follow(depth, self._state, action)
        observation, place = self._observation, self._position + depth
        observation[self._offsets[depth] + action] = 1.0
        observation[place] = 0.0
        observation[place + 1] = 1.0  # at the end a ratio, which is written next
        place = self._ones
        self._seen, observation[place], observation[place + 1], self._completable = seen
        self._genotype[depth] = action

    def _look(self) -> tuple[Observation, Info]:
        info = self._blank.copy()
        table = self._table
        if table is None:
            info["genotype"] = self._genotype.copy()
            info["completable"] = self._completable
            info["action_mask"] = self._seen.copy()
            return self._observation.copy(), info
        observation, genotype, mask, info["completable"] = table.row(self._node)
        info["genotype"] = genotype.copy()
        info["action_mask"] = mask.copy()
        return observation.copy(), info

    def _mask(self) -> npt.NDArray[np.int8]:
        return self._seen if self._table is None else self._table.mask[self._node]

    def _finish(self, info: Info) -> Any:
        """Queries the network; see :meth:`HWNASEnv._evaluate`."""
        table = self._table
        if table is None:
            return self._evaluate(self._genotype, info)
        leaf = self._node - table.leaves
        for name, column in table.columns:
            info[name] = column.item(leaf)
        if not self._pay(leaf + self._place * self.config.space.size, info):
            return None
        if self._vector:
            return table.reward[leaf].copy()
        return table.reward.item(leaf)

    def check_action(self, action: Any) -> int:
        """Returns an action as an int, or raises :class:`InvalidActionError`."""
        meaning = self.config.space.action_words
        return self._integer(action, self._choices, meaning=meaning)

    def _check_choice(self, position: int, choice: Any) -> int:
        names = ", ".join(self.problem.space.operations_at[position])
        return self._integer(choice, self._counts[position], meaning=names)
