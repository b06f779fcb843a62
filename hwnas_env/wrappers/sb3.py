"""Vector environments as Stable-Baselines3 wants them, without a loop over rows."""

import functools
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, overload

import gymnasium as gym
import numpy as np
import numpy.typing as npt

from hwnas_env.errors import InvalidArgumentError, shown
from hwnas_env.extras import missing_extra
from hwnas_env.types import BoolArray, FloatArray, IntArray
from hwnas_env.wrappers.protocols import AnyVector, Array, Environment, Infos
from hwnas_env.wrappers.reward_rules import refuse_reward, reward_kind
from hwnas_env.wrappers.rules import VectorRuleWrapper
from hwnas_env.wrappers.vectors import autoreset_mode_of

try:
    from stable_baselines3.common.monitor import Monitor
    from stable_baselines3.common.vec_env import VecEnv
except ImportError:
    raise missing_extra(
        package="stable-baselines3", extra="rl", purpose="SB3VecEnv"
    ) from None

Indices = int | Iterable[int] | None


class StepInfos(Sequence[Infos]):
    """The infos of one step, a dictionary a row; made when the first is asked for."""

    def __init__(
        self,
        infos: Infos,
        *,
        count: int,
        truncated: BoolArray | None = None,
        returns: FloatArray | None = None,
        lengths: IntArray | None = None,
        seconds: float = 0.0,
    ) -> None:
        """Takes a vector environment's infos, and how the episodes went."""
        self._infos, self._count = infos, count
        self._truncated, self._returns = truncated, returns
        self._lengths, self._seconds = lengths, seconds

    def __len__(self) -> int:
        """Returns the number of environments."""
        return self._count

    @overload
    def __getitem__(self, row: int) -> Infos: ...
    @overload
    def __getitem__(self, row: slice) -> list[Infos]: ...
    def __getitem__(self, row: int | slice) -> Infos | list[Infos]:
        """Returns one row, or a list of rows."""
        return self._rows[row]

    def __iter__(self) -> Iterator[Infos]:
        """Goes over the rows."""
        return iter(self._rows)

    @functools.cached_property
    def _rows(self) -> list[Infos]:
        rows = row_infos(self._infos, self._count)
        if self._truncated is None:
            return rows
        if self._returns is not None:
            self._end(rows)
        for row, cut in zip(rows, self._truncated.tolist(), strict=True):
            row["TimeLimit.truncated"] = cut
        return rows

    def _end(self, rows: list[Infos]) -> None:
        """Puts what rows said at their end in the place of how they start anew."""
        assert self._returns is not None, "given where rows ended"
        assert self._lengths is not None, "given where rows ended"
        final = row_infos(self._infos["final_info"], self._count)
        for row in np.flatnonzero(self._infos["_final_info"]).tolist():
            rows[row] = final[row]
            rows[row]["terminal_observation"] = self._infos["final_obs"][row]
            rows[row]["episode"] = {
                "r": float(self._returns[row]),
                "l": int(self._lengths[row]),
                "t": self._seconds,
            }


def row_infos(infos: Infos, count: int) -> list[Infos]:
    """Turns Gymnasium's arrays by key into a dictionary a row, of the keys it has."""
    names: list[str] = []
    columns: list[list[object]] = []
    some: list[tuple[str, list[object], BoolArray]] = []
    everyone: dict[int, bool] = {}  # masks of rows are shared by many keys
    for key, column in infos.items():
        if key[0] == "_" or key.startswith("final_"):
            continue
        values = _listed(column, count)
        having = infos.get(f"_{key}")
        if having is not None and id(having) not in everyone:
            everyone[id(having)] = bool(having.all())
        if having is None or everyone[id(having)]:
            names.append(key)
            columns.append(values)
        else:
            some.append((key, values, having))
    rows = [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]
    rows = rows or [{} for _ in range(count)]
    for key, values, having in some:
        for row in np.flatnonzero(having).tolist():
            rows[row][key] = values[row]
    return rows


def _listed(column: Array | Infos, count: int) -> list[object]:
    if isinstance(column, dict):
        return [*row_infos(column, count)]
    return column.tolist() if column.ndim == 1 else list(column)


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

    def __init__(self, envs: AnyVector) -> None:
        """Takes what ``gym.make_vec`` made, wrapped or not.

        Raises:
            InvalidArgumentError: no vector environment with SAME_STEP autoreset, or
                one whose reward is a vector.
        """
        mode = "none"
        if isinstance(envs, gym.vector.VectorEnv):
            mode = autoreset_mode_of(envs).name
        if mode != "SAME_STEP":
            message = (
                "expected gym.make_vec's, with SAME_STEP autoreset as "
                f"Stable-Baselines3 has it, got {shown(envs)} with {mode}"
            )
            raise InvalidArgumentError(message)
        self.envs = envs
        if isinstance(envs.unwrapped, Environment) and reward_kind(envs) == "vector":
            refuse_reward("SB3VecEnv", vector=True)
        super().__init__(
            envs.num_envs, envs.single_observation_space, envs.single_action_space
        )
        self._actions: Array | None = None
        self._started = time.time()
        self._clear()

    def _clear(self) -> None:
        self._returns = np.zeros(self.num_envs)
        self._lengths = np.zeros(self.num_envs, dtype=np.int64)

    def reset(self) -> Any:
        """Starts an episode in every row: their observations ``(N, D)``."""
        given = self._options
        if not isinstance(given, list) or not all(isinstance(o, dict) for o in given):
            message = (
                f"set_options: expected a dictionary or a list, got {shown(given)}"
            )
            raise InvalidArgumentError(message)
        options = given[0] if given else {}
        if any(one != options for one in given):
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

    def step_async(self, actions: Array) -> None:
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

    def get_attr(self, attr_name: str, indices: Indices = None) -> list[Any]:
        """Returns an attribute of the vector, once a row asked for."""
        value = self._find(attr_name)
        return [value] * len(self._indices(indices))

    def set_attr(self, attr_name: str, value: object, indices: Indices = None) -> None:
        """Sets an attribute of the vector, for all rows.

        Raises:
            InvalidArgumentError: only some rows are asked for.
        """
        if len(self._indices(indices)) != self.num_envs:
            message = f"set_attr {attr_name}: the rows of one vector share attributes"
            raise InvalidArgumentError(message)
        setattr(self.envs.unwrapped, attr_name, value)

    def env_method(
        self,
        method_name: str,
        *args: object,
        indices: Indices = None,
        **keywords: object,
    ) -> list[Any]:
        """Calls a method of the vector once; ``action_masks`` gives a row each."""
        answer = self._find(method_name)(*args, **keywords)
        rows = self._indices(indices)
        if method_name == "action_masks":
            return list(answer if len(rows) == self.num_envs else answer[rows])
        return [answer] * len(rows)

    def env_is_wrapped(
        self, wrapper_class: type[object], indices: Indices = None
    ) -> list[bool]:
        """Whether rows are wrapped; in Monitor they are, whose info they give."""
        wrapped, envs = wrapper_class is Monitor, self.envs
        while isinstance(envs, gym.vector.VectorWrapper) and not wrapped:
            wrapped = isinstance(envs, wrapper_class)
            if isinstance(envs, VectorRuleWrapper):
                wrapped = wrapped or issubclass(envs.single_type, wrapper_class)
            envs = envs.env
        return [wrapped] * len(self._indices(indices))

    def get_images(self) -> Sequence[npt.NDArray[np.uint8] | None]:
        """Returns no pictures: a vector is not drawn."""
        return [None] * self.num_envs

    def _find(self, name: str) -> Any:
        """Returns an attribute of the outermost wrapper that has it."""
        envs = self.envs
        while isinstance(envs, gym.vector.VectorWrapper) and not hasattr(envs, name):
            envs = envs.env
        return getattr(envs, name)

    def _indices(self, indices: Indices) -> list[int]:
        if indices is None:
            return list(range(self.num_envs))
        given = indices.tolist() if isinstance(indices, np.ndarray) else indices
        rows = [*given] if isinstance(given, Iterable) else [given]
        places = range(-self.num_envs, self.num_envs)
        if not all(type(row) is int and row in places for row in rows):
            message = (
                f"indices: expected rows below {self.num_envs}, or None, got "
                f"{shown(indices)}"
            )
            raise InvalidArgumentError(message)
        return rows
