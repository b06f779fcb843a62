"""The environment that chooses a whole network at once."""

from typing import Any

import gymnasium as gym
import numpy as np

from hwnas_env.envs.base import HWNASEnv, Info, Observation
from hwnas_env.errors import InvalidActionError, InvalidArgumentError


class JointEnv(HWNASEnv):
    """Chooses all ``L`` positions in one step, which is the episode: a bandit.

    Observation:
        ``Box`` float32: the exact interval of the costs of all deployable networks, as
        cost / budget clipped to [0, 4]. With ``budget="sampled"`` also
        log(budget / medium).

    Action:
        ``MultiDiscrete([K] * L)``. ``info["action_mask"]`` is ``(L, K)``, and
        ``action_masks()`` the same flat. Independent positions can express no more than
        this: a choice is masked if no feasible network contains it. So an unmasked
        action may still break the budget.

    Reward:
        That of the network, as in :class:`hwnas_env.envs.construct.ConstructEnv`.

    Episode end:
        Terminated after the step.

    Start:
        ``reset`` takes no genotype: there is nothing to start from.

    Info keys:
        Those of :class:`HWNASEnv`.

    Version history:
        v0: first version.
    """

    def _make_spaces(self) -> None:
        self.observation_space = self._observation_space(0)
        self.action_space = gym.spaces.MultiDiscrete([self._choices] * self._length)

    def _check_start(self, genotype: Any) -> None:
        message = f"genotype {genotype!r}: mode joint chooses all positions at once"
        raise InvalidArgumentError(message)

    def _begin(self, start: None) -> None:
        del start
        self._genotype = np.full(self._length, -1, dtype=np.int8)
        _, low, high, self._completable = self._walk.view(0, self._walk.root)
        self._observation[self._ratio] = low, high
        self._mask = self._walk.choices()

    def step(self, action: Any) -> tuple[Observation, Any, bool, bool, Info]:
        """Queries the network of ``L`` choices.

        Raises:
            InvalidActionError: not ``L`` integers in [0, K).
            EpisodeEndedError: the episode is over; reset first.
        """
        self._require_open()
        genotype = self._check_action(action)
        if self._blank["budget_exhausted"]:
            return self._unpaid()
        self._genotype = genotype
        cost = float(self.problem.known_costs(genotype[None, :])[0])
        self._observe_cost(cost)
        self._completable = cost <= self._budget
        if self.render_mode == "human":
            self.render()
        self._open = False
        reward, info = self._evaluate()
        return self._observation.copy(), reward, True, False, info

    def _check_action(self, action: Any) -> np.ndarray[Any, np.dtype[np.int8]]:
        array = np.asarray(action)
        whole = array.shape == (self._length,) and array.dtype.kind in "iu"
        if not whole or array.min() < 0 or array.max() >= self._choices:
            message = (
                f"expected {self._length} choices from 0 to {self._choices - 1}, "
                f"got {action!r}"
            )
            raise InvalidActionError(message)
        return array.astype(np.int8)
