"""Mode joint: a whole network at once; one environment, and many on arrays."""

from typing import Any

import gymnasium as gym
import numpy as np
import numpy.typing as npt

from hwnas_env.engines.walk import Overview
from hwnas_env.envs.config import EnvConfig
from hwnas_env.envs.row_env import RowEnv
from hwnas_env.envs.rows import Look, Rows, cost_ratios
from hwnas_env.errors import InvalidActionError, InvalidArgumentError, shown
from hwnas_env.types import BoolArray, IntArray


class JointEnv(RowEnv):
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

    def _make_rows(self) -> Rows:
        return JointRows(self.config, 1)

    @property
    def max_episode_steps(self) -> int:
        """One: all is decided at once."""
        return 1

    def _row_of(self, action: Any) -> npt.NDArray[np.int8]:
        counts = self.config.space.choices_at
        return check_choices(action, (self._length,), counts=counts)[None, :]


class JointRows(Rows):
    """Rows of mode joint: see :class:`hwnas_env.envs.joint.JointEnv`."""

    def __init__(self, config: EnvConfig, count: int) -> None:
        """Makes room for episodes of one step."""
        super().__init__(config, count, ones=0)
        self.action_space = gym.spaces.MultiDiscrete(list(config.space.choices_at))
        shape = (count, config.length)
        self._genotype = np.full(shape, -1, dtype=np.int8)
        self._mask = np.empty(count, dtype=object)
        self._ratios = np.zeros((count, 2))
        self._completable = np.zeros(count, dtype=np.bool_)
        self._known: dict[int, tuple[float, Overview, npt.NDArray[np.object_]]] = {}

    def take_in(self, number: int) -> None:
        """Forgets the device that was there; see :meth:`Rows.take_in`."""
        self._known.pop(number, None)

    def start(self, rows: IntArray, genotype: Any) -> None:
        """Starts episodes; see :meth:`Rows.start`."""
        del genotype  # check_start takes none
        numbers, budgets = self.number[rows], self.budget[rows]
        self._genotype[rows] = -1
        for number, budget in {*zip(numbers.tolist(), budgets.tolist(), strict=True)}:
            mine = rows[(numbers == number) & (budgets == budget)]
            seen, held = self._overview(number, budget)
            self._completable[mine] = seen.completable
            self._ratios[mine] = seen.low, seen.high
            self._mask[mine] = held

    def _overview(
        self, number: int, budget: float
    ) -> tuple[Overview, npt.NDArray[np.object_]]:
        """Looks at all networks under a budget; keeps the last answer of a device."""
        known = self._known.get(number)
        if known is not None and known[0] == budget:
            return known[1:]
        seen = self.config.problems[number].overview(budget)
        seen.choices.setflags(write=False)
        held = np.empty(1, dtype=object)  # one object, where NumPy would spread it out
        held[0] = by_position(seen.choices, self.config.space.choices_at)
        self._known[number] = budget, seen, held
        return seen, held

    def check_start(self, genotype: Any) -> Any:
        """Raises: there is nothing to start from."""
        message = (
            f"genotype {shown(genotype)}: mode joint chooses all positions at once"
        )
        raise InvalidArgumentError(message)

    def check(self, actions: Any) -> npt.NDArray[np.int8]:
        """Returns ``(N, L)`` choices; see :meth:`Rows.check`."""
        shape = (self.count, self.config.length)
        return check_choices(actions, shape, counts=self.config.space.choices_at)

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
            f"got {shown(actions)}"
        )
        raise InvalidActionError(message)
    return array.astype(np.int8)
