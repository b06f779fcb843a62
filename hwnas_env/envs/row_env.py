"""One environment that acts as the only row of a mode's rows."""

from abc import abstractmethod
from typing import Any

import numpy as np
import numpy.typing as npt

from hwnas_env.envs.base import ROW, HWNASEnv, Info, Observation
from hwnas_env.envs.rows import Look, Rows


class RowEnv(HWNASEnv):
    """Searches by a mode whose every step is a query: mutate or joint.

    What an action does and what is observed the mode's rows say once, on arrays.
    """

    @abstractmethod
    def _make_rows(self) -> Rows:
        """Returns the mode's rows, with one episode."""

    @abstractmethod
    def _row_of(self, action: Any) -> npt.NDArray[Any]:
        """Checks an action, and returns it as the rows take it: ``(1, ...)``."""

    def _make_spaces(self) -> None:
        self._rows = self._make_rows()
        ones = self._rows.ones
        self._ratio = slice(ones, ones + 2)
        self.observation_space = self.config.observation_space(ones)
        self.action_space = self._rows.action_space

    def _check_start(self, genotype: Any) -> Any:
        return self._rows.check_start(genotype)

    def _begin(self, start: Any) -> None:
        self._rows.place(ROW, self._one, np.array([self._budget]))
        self._rows.start(ROW, start)
        self._seen: Look = self._rows.look()

    def step(self, action: Any) -> tuple[Observation, Any, bool, bool, Info]:
        """Takes an action of the mode and queries the network that it makes.

        Raises:
            InvalidActionError: no action of the mode.
            EpisodeEndedError: the episode is over; reset first.
        """
        self._require_open()
        row = self._row_of(action)
        if self._broke():
            return self._unpaid()
        self._rows.advance(row)
        self._seen = self._rows.look()
        self._open = False  # until a user's reward has answered
        observation, info = self._look()
        reward = self._evaluate(self._seen.genotype[0], info)
        terminated, truncated = (bool(ended[0]) for ended in self._rows.ended())
        if self.render_mode == "human":
            self.render()
        if reward is None:
            return observation, self._nothing(), False, True, info
        self._open = not (terminated or truncated)
        return observation, reward, terminated, truncated, info

    def _look(self) -> tuple[Observation, Info]:
        seen, info = self._seen, self._blank.copy()
        info["genotype"] = seen.genotype[0].copy()
        info["completable"] = seen.completable.item(0)
        mask = seen.mask[0]
        if isinstance(mask, tuple):  # one copy for all positions
            flat, space = np.concatenate(mask), self.config.space
            if space.uniform:
                mask = tuple(flat.reshape(space.length, space.choices))
            else:
                mask = tuple(np.split(flat, space.offsets[1:-1]))
        else:
            mask = mask.copy()
        info["action_mask"] = mask
        return seen.observation[0].copy(), info

    def _mask(self) -> npt.NDArray[np.int8]:
        mask = self._seen.mask[0]
        flat = np.concatenate(mask) if isinstance(mask, tuple) else mask
        return np.asarray(flat)
