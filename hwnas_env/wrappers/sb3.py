"""Vector environments as Stable-Baselines3 wants them, without a loop over rows."""

import time
from collections.abc import Iterable, Iterator, MutableMapping, Sequence
from typing import Any, overload

import gymnasium as gym
import numpy as np
import numpy.typing as npt

from hwnas_env.errors import InvalidArgumentError
from hwnas_env.extras import missing_extra
from hwnas_env.wrappers.rules import refuse_reward, reward_kind

try:
    from stable_baselines3.common.monitor import Monitor
    from stable_baselines3.common.vec_env import VecEnv
except ImportError:
    raise missing_extra(
        package="stable-baselines3", extra="rl", purpose="SB3VecEnv"
    ) from None

Indices = int | Iterable[int] | None


class InfoRow(MutableMapping[str, Any]):
    """One row's info as a dictionary; a value is made when it is asked for."""

    __slots__ = ("_columns", "_own", "_row")

    def __init__(self, columns: dict[str, Any], row: int, own: dict[str, Any]) -> None:
        """Takes Gymnasium's arrays by key, the row, and what only this row has."""
        self._columns, self._row, self._own = columns, row, own

    def get(self, key: str, default: Any = None) -> Any:
        """Returns a value, or the default where the row has no such key."""
        if key in self._own:
            return self._own[key]
        if key not in self._columns or key[0] == "_" or key.startswith("final_"):
            return default
        if not self._has(key):
            return default
        return _row(self._columns[key], self._row)

    def __getitem__(self, key: str) -> Any:
        """Returns a value."""
        if key not in self:
            raise KeyError(key)
        return self.get(key)

    def __contains__(self, key: object) -> bool:
        """Whether the row has a key."""
        return key in self._own or key in self._names()

    def __setitem__(self, key: str, value: Any) -> None:
        """Sets a value of this row alone."""
        self._own[key] = value

    def __delitem__(self, key: str) -> None:
        """Removes a value from this row alone."""
        self._own, self._columns = self.copy(), {}
        del self._own[key]

    def __iter__(self) -> Iterator[str]:
        """Goes over the keys."""
        own = (key for key in self._own if key not in self._columns)
        return iter([*self._names(), *own])

    def __len__(self) -> int:
        """Returns the number of keys."""
        return len(list(iter(self)))

    def copy(self) -> dict[str, Any]:
        """Returns a plain dictionary."""
        return {key: self.get(key) for key in self}

    def _names(self) -> list[str]:
        return [
            key
            for key in self._columns
            if key[0] != "_" and not key.startswith("final_") and self._has(key)
        ]

    def _has(self, key: str) -> bool:
        having = self._columns.get(f"_{key}")
        return having is None or bool(having[self._row])


def _row(column: Any, row: int) -> Any:
    if isinstance(column, dict):
        return {key: _row(value, row) for key, value in column.items()}
    value = column[row]
    return value.item() if isinstance(value, np.generic) else value.copy()


class StepInfos(Sequence[Any]):
    """The infos of one step, a row an environment; rows are made when asked for."""

    def __init__(
        self,
        infos: dict[str, Any],
        *,
        count: int,
        truncated: npt.NDArray[np.bool_] | None = None,
        returns: npt.NDArray[np.float64] | None = None,
        lengths: npt.NDArray[np.int64] | None = None,
        seconds: float = 0.0,
    ) -> None:
        """Takes a vector environment's infos, and how the episodes went."""
        self._infos, self._count = infos, count
        self._ended = infos.get("_final_info")
        self._truncated, self._returns = truncated, returns
        self._lengths, self._seconds = lengths, seconds
        self._rows: dict[int, InfoRow] = {}

    def __len__(self) -> int:
        """Returns the number of environments."""
        return self._count

    @overload
    def __getitem__(self, row: int) -> InfoRow: ...
    @overload
    def __getitem__(self, row: slice) -> list[InfoRow]: ...
    def __getitem__(self, row: int | slice) -> InfoRow | list[InfoRow]:
        """Returns one row, or a list of rows."""
        if isinstance(row, slice):
            return [self[one] for one in range(*row.indices(self._count))]
        place = row + self._count if row < 0 else row
        if not 0 <= place < self._count:
            message = f"row {row} of {self._count}"
            raise IndexError(message)
        if place not in self._rows:
            self._rows[place] = self._make(place)
        return self._rows[place]

    def _make(self, row: int) -> InfoRow:
        if self._truncated is None:
            return InfoRow(self._infos, row, {})
        own: dict[str, Any] = {"TimeLimit.truncated": bool(self._truncated[row])}
        if self._ended is None or not self._ended[row]:
            return InfoRow(self._infos, row, own)
        assert self._returns is not None, "given with truncated"
        assert self._lengths is not None, "given with truncated"
        own["terminal_observation"] = self._infos["final_obs"][row]
        own["episode"] = {
            "r": float(self._returns[row]),
            "l": int(self._lengths[row]),
            "t": self._seconds,
        }
        return InfoRow(self._infos["final_info"], row, own)


class SB3VecEnv(VecEnv):
    """A vector environment of this package as Stable-Baselines3's ``VecEnv``.

    ``env_method("action_masks")`` gives the masks that sb3-contrib asks for. Infos are
    those of the step that ended an episode, with ``terminal_observation``,
    ``TimeLimit.truncated`` and Monitor's ``episode`` (no Monitor is needed).

    Example:
        >>> import gymnasium as gym, hwnas_env
        >>> envs = SB3VecEnv(gym.make_vec("HWNAS-NASBench201-FPGA-v0", 4))
        >>> envs.reset().shape
        (4, 38)
    """

    def __init__(self, envs: gym.vector.VectorEnv[Any, Any, Any]) -> None:
        """Takes what ``gym.make_vec`` made, wrapped or not.

        Raises:
            InvalidArgumentError: no vector environment with SAME_STEP autoreset, or
                one whose reward is a vector.
        """
        same_step = gym.vector.AutoresetMode.SAME_STEP
        if (
            not isinstance(envs, gym.vector.VectorEnv)
            or envs.metadata.get("autoreset_mode") != same_step
        ):
            message = f"expected gym.make_vec's, with SAME_STEP autoreset, got {envs!r}"
            raise InvalidArgumentError(message)
        self.envs = envs
        if hasattr(envs.unwrapped, "setting") and reward_kind(envs) == "vector":
            refuse_reward("SB3VecEnv", vector=True)
        super().__init__(
            envs.num_envs, envs.single_observation_space, envs.single_action_space
        )
        self._actions: npt.NDArray[Any] | None = None
        self._started = time.time()
        self._clear()

    def _clear(self) -> None:
        self._returns = np.zeros(self.num_envs)
        self._lengths = np.zeros(self.num_envs, dtype=np.int64)

    def reset(self) -> Any:
        """Starts an episode in every row: their observations ``(N, D)``."""
        options = self._options[0] if self._options else {}
        if any(one != options for one in self._options):
            message = "set_options: the rows of one vector have the same options"
            raise InvalidArgumentError(message)
        seeds = None if None in self._seeds else [*self._seeds]
        # wrappers of Gymnasium take one number only
        first: Any = seeds
        if seeds is not None and seeds == list(range(seeds[0], seeds[0] + len(seeds))):  # type: ignore[arg-type,operator]
            first = seeds[0]
        observation, infos = self.envs.reset(seed=first, options=options or None)
        self.reset_infos = StepInfos(infos, count=self.num_envs)  # type: ignore[assignment]
        self._reset_seeds()
        self._reset_options()
        self._clear()
        return observation

    def step_async(self, actions: npt.NDArray[Any]) -> None:
        """Keeps the actions ``(N,)`` for :meth:`step_wait`."""
        self._actions = actions

    def step_wait(self) -> Any:
        """Takes the step: observations, rewards, dones ``(N,)``, and infos."""
        observation, rewards, terminated, truncated, infos = self.envs.step(
            self._actions
        )
        if rewards.ndim != 1:
            refuse_reward("SB3VecEnv", vector=True)
        dones = terminated | truncated
        self._returns += rewards
        self._lengths += 1
        if "_final_info" not in infos:
            step = StepInfos(infos, count=self.num_envs, truncated=truncated)
            return observation, rewards.astype(np.float32), dones, step
        step = StepInfos(
            infos,
            count=self.num_envs,
            truncated=truncated & ~terminated,
            returns=self._returns,
            lengths=self._lengths,
            seconds=round(time.time() - self._started, 6),
        )
        self._returns = np.where(dones, 0.0, self._returns)
        self._lengths = np.where(dones, 0, self._lengths)
        self.reset_infos = StepInfos(infos, count=self.num_envs)  # type: ignore[assignment]
        return observation, rewards.astype(np.float32), dones, step

    def close(self) -> None:
        """Closes the environments."""
        self.envs.close()

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """Returns an attribute of the vector, once a row asked for."""
        value = self._find(attr_name)
        return [value] * len(self._indices(indices))

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        """Sets an attribute of the vector, for all rows.

        Raises:
            InvalidArgumentError: only some rows are asked for.
        """
        if len(self._indices(indices)) != self.num_envs:
            message = f"set_attr {attr_name}: the rows of one vector share attributes"
            raise InvalidArgumentError(message)
        setattr(self.envs.unwrapped, attr_name, value)

    def env_method(
        self, method_name: str, *args: Any, indices: Any = None, **keywords: Any
    ) -> list[Any]:
        """Calls a method of the vector once; ``action_masks`` gives a row each."""
        answer = self._find(method_name)(*args, **keywords)
        rows = self._indices(indices)
        if method_name == "action_masks":
            return list(answer if len(rows) == self.num_envs else answer[rows])
        return [answer] * len(rows)

    def env_is_wrapped(self, wrapper_class: Any, indices: Any = None) -> list[bool]:
        """Whether rows are wrapped; in Monitor they are, whose info they give."""
        wrapped, envs = wrapper_class is Monitor, self.envs
        while isinstance(envs, gym.vector.VectorWrapper) and not wrapped:
            single = getattr(envs, "single_type", type(envs))
            wrapped = issubclass(single, wrapper_class)
            wrapped, envs = wrapped or isinstance(envs, wrapper_class), envs.env
        return [wrapped] * len(self._indices(indices))

    def get_images(self) -> Sequence[npt.NDArray[np.uint8] | None]:
        """Returns no pictures: a vector is not drawn."""
        return [None] * self.num_envs

    def _find(self, name: str) -> Any:
        """Returns an attribute of the outermost wrapper that has it."""
        envs: Any = self.envs
        while isinstance(envs, gym.vector.VectorWrapper) and not hasattr(envs, name):
            envs = envs.env
        return getattr(envs, name)

    def _indices(self, indices: Indices) -> list[int]:
        if indices is None:
            return list(range(self.num_envs))
        return [indices] if isinstance(indices, int) else list(indices)
