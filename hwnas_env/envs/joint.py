"""The environment that chooses a whole network at once."""

from typing import Any

import gymnasium as gym
import numpy as np
import numpy.typing as npt

from hwnas_env.envs.base import HWNASEnv, Info, Observation
from hwnas_env.errors import InvalidActionError, InvalidArgumentError


class JointEnv(HWNASEnv):
    """Chooses all ``L`` positions in one step, which is the episode: a bandit.

    Observation:
        ``Box`` float32: the exact interval of the costs of all deployable networks, as
        cost / budget clipped to [0, 4]. With ``budget="sampled"`` also
        log(budget / medium).

    Action:
        ``MultiDiscrete``, ``K_p`` choices a position. ``info["action_mask"]`` is a
        tuple of one int8 array a position, as ``action_space.sample`` takes it, and
        ``action_masks()`` all of them side by side. Independent positions can express
        no more than this: a choice is masked if no feasible network contains it. So an
        unmasked action may still break the budget.

    Reward:
        That of the network, as in :class:`hwnas_env.envs.construct.ConstructEnv`.

    Episode end:
        Terminated after the step.

    Start:
        ``reset`` takes no genotype: there is nothing to start from.

    Version history:
        v0: first version.
    """

    def _make_spaces(self) -> None:
        self._ratio = slice(0, 2)
        self.observation_space = self.setting.observation_space(0)
        self._counts = self.setting.space.choices_at
        self.action_space = gym.spaces.MultiDiscrete(list(self._counts))

    def _check_start(self, genotype: Any) -> None:
        message = f"genotype {genotype!r}: mode joint chooses all positions at once"
        raise InvalidArgumentError(message)

    def _begin(self, start: None) -> None:
        del start
        self._genotype = np.full(self._length, -1, dtype=np.int8)
        walk = self.problem.walk(self._budget)
        _, *self._interval, self._completable = walk.view(0, walk.root)
        self._allowed = walk.choices()

    def step(self, action: Any) -> tuple[Observation, Any, bool, bool, Info]:
        """Queries the network of ``L`` choices.

        Raises:
            InvalidActionError: not ``L`` integers in [0, K_p).
            EpisodeEndedError: the episode is over; reset first.
        """
        self._require_open()
        genotype = check_choices(action, (self._length,), counts=self._counts)
        if self._broke():
            return self._unpaid()
        self._genotype = genotype
        cost = float(self.problem.known_costs(genotype[None, :])[0])
        self._interval = [self._observed(cost)] * 2
        self._completable = cost <= self._budget
        self._open = False
        observation, info = self._look()
        reward = self._evaluate(genotype, info)
        if self.render_mode == "human":
            self.render()
        if reward is None:
            return observation, self._nothing(), False, True, info
        return observation, reward, True, False, info

    def _look(self) -> tuple[Observation, Info]:
        info = self._blank.copy()
        info["genotype"] = self._genotype.copy()
        info["completable"] = self._completable
        info["action_mask"] = by_position(self._allowed.copy(), self._counts)
        return np.array([*self._interval, *self._tail()], dtype=np.float32), info

    def _mask(self) -> npt.NDArray[np.int8]:
        return np.concatenate(by_position(self._allowed, self._counts))


def by_position(
    mask: npt.NDArray[np.int8], counts: tuple[int, ...]
) -> tuple[npt.NDArray[np.int8], ...]:
    """Cuts a mask ``(L, K)`` into one array ``(K_p,)`` a position."""
    return tuple(row[:count] for row, count in zip(mask, counts, strict=True))


def check_choices(
    actions: Any, shape: tuple[int, ...], *, counts: tuple[int, ...]
) -> npt.NDArray[np.int8]:
    """Returns joint actions as int8, a copy.

    Args:
        actions: what came.
        shape: what they should be: ``(L,)`` or ``(N, L)``.
        counts: how many choices each position has.

    Raises:
        InvalidActionError: not integers in [0, K_p) of that shape.
    """
    array = np.asarray(actions)
    whole = array.shape == shape and array.dtype.kind in "iu"
    if not whole or array.min() < 0 or (array >= np.array(counts)).any():
        most = max(counts) - 1
        limits = f"{most}" if min(counts) > most else f"K - 1, for K {list(counts)}"
        message = (
            f"expected {' x '.join(map(str, shape))} choices from 0 to {limits}, "
            f"got {actions!r}"
        )
        raise InvalidActionError(message)
    return array.astype(np.int8)
