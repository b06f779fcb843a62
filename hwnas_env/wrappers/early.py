"""Ends an episode as soon as its budget is lost; the bound is exact."""

from typing import Any

import gymnasium as gym
import numpy as np
import numpy.typing as npt
from gymnasium.utils import RecordConstructorArgs
from gymnasium.vector import AutoresetMode

from hwnas_env.errors import EpisodeEndedError, InvalidArgumentError
from hwnas_env.types import BoolArray
from hwnas_env.wrappers.arguments import is_finite, plain
from hwnas_env.wrappers.rules import Step, core_of
from hwnas_env.wrappers.vectors import VectorWrapper, reset_mask


class EarlyTermination(gym.Wrapper[Any, Any, Any, Any], RecordConstructorArgs):
    """Terminates as soon as no completion can meet the budget; the bound is exact.

    Nothing is queried then; the reward is ``reward``, in every component where it is a
    vector, and ``info["cost"]`` is 1.0, so that a penalty or a multiplier around this
    wrapper counts the episode as one that broke the budget. A prefix that can still
    reach c = T goes on; one that leads to c = inf alone ends. A network that is decided
    to its end is queried, whatever its last decision was. In ``mutate`` and ``joint``
    nothing is completed step by step, and it has no effect.
    """

    def __new__(cls, env: Any = None, *, reward: float = 0.0) -> Any:
        """Makes the wrapper, or that of a vector; copies give no environment."""
        if isinstance(env, gym.vector.VectorEnv):
            return VectorEarlyTermination(env, reward=reward)
        return super().__new__(cls)

    def __init__(self, env: gym.Env[Any, Any], *, reward: float = 0.0) -> None:
        """Takes the reward of an episode that is ended.

        Raises:
            InvalidArgumentError: the reward is not finite, or no environment of ours.
        """
        core_of(env)
        RecordConstructorArgs.__init__(self, reward=plain(reward))
        gym.Wrapper.__init__(self, env)
        self._reward = _finite(reward)
        self._over = False

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Starts an episode."""
        started = self.env.reset(seed=seed, options=options)
        self._over = False
        return started

    def step(self, action: Any) -> Step:
        """Steps the environment, and ends the episode where the budget is lost.

        Raises:
            EpisodeEndedError: this wrapper ended the episode before.
        """
        if self._over:
            message = "the episode is over, its budget was lost: call reset() first"
            raise EpisodeEndedError(message)
        step: Step = self.env.step(action)
        observation, reward, terminated, truncated, info = step
        undecided = bool((info["genotype"] < 0).any())
        unpaid = truncated and info["budget_exhausted"]
        if terminated or unpaid or info["completable"] or not undecided:
            return step
        self._over, info["cost"] = True, 1.0
        ending: Any = self._reward
        if isinstance(reward, np.ndarray):
            ending = np.full_like(reward, self._reward)
        return observation, ending, True, truncated, info


class VectorEarlyTermination(VectorWrapper):
    """Ends the rows of a native vector as :class:`EarlyTermination` ends one."""

    single_type = EarlyTermination

    def __init__(
        self, env: gym.vector.VectorEnv[Any, Any, Any], *, reward: float = 0.0
    ) -> None:
        """Takes the reward of an episode that is ended."""
        super().__init__(env)
        self._core = core_of(env)
        self._reward = _finite(reward)
        self._over: BoolArray = np.zeros(env.num_envs, dtype=np.bool_)

    def reset(
        self, *, seed: Any = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Starts episodes."""
        mask = reset_mask(options, self.num_envs)
        started = self.env.reset(seed=seed, options=options)
        self._over = self._over & ~mask
        return started

    def step(self, actions: Any) -> Any:
        """Steps the environments, and ends the rows whose budget is lost."""
        observation, rewards, terminated, truncated, infos = self.env.step(actions)
        over, self._over = self._over, np.zeros_like(self._over)
        if np.count_nonzero(over):  # those that the last step ended start anew
            observation, infos = self._restarted(over, observation, infos)
        undecided = (infos["genotype"] < 0).any(axis=1)
        lost = undecided & ~infos["completable"]
        lost &= ~infos.get("_final_info", terminated | truncated)
        if not np.count_nonzero(lost):
            return observation, rewards, terminated, truncated, infos
        rewards = np.where(_column(lost, rewards), self._reward, rewards)
        terminated = terminated | lost
        if self.autoreset_mode is AutoresetMode.SAME_STEP:
            observation, infos = self._started_at_once(lost, observation, infos)
        else:
            self._core.hold(lost)
            if self.autoreset_mode is AutoresetMode.NEXT_STEP:
                self._over = lost
            infos = {**infos, "cost": np.where(lost, 1.0, infos["cost"])}
        return observation, rewards, terminated, truncated, infos

    def _restarted(
        self, rows: BoolArray, observation: Any, infos: dict[str, Any]
    ) -> tuple[Any, dict[str, Any]]:
        """Resets rows, also in the wrappers inside: observations, and info."""
        after, following = self.env.reset(options={"reset_mask": rows.copy()})
        return _where(rows, after, observation), _merged(rows, following, infos)

    def _started_at_once(
        self, lost: BoolArray, observation: Any, infos: dict[str, Any]
    ) -> tuple[Any, dict[str, Any]]:
        """Resets rows that are lost, beside those that ended in the same step."""
        before = infos.pop("final_info", {})
        ended = infos.pop("_final_info", np.zeros_like(lost)) | lost
        last = infos.pop("final_obs", observation)
        infos.pop("_final_obs", None)
        final = _merged(lost, infos, before)
        final["cost"] = np.where(lost, 1.0, final["cost"])
        seen, merged = self._restarted(lost, observation, infos)
        merged["final_info"], merged["_final_info"] = final, ended
        merged["final_obs"] = _last(lost, observation, last)
        merged["_final_obs"] = ended
        return seen, merged


def _finite(reward: Any) -> float:
    if not is_finite(reward):
        message = f"reward: expected a finite number, got {reward!r}"
        raise InvalidArgumentError(message)
    return float(reward)


def _merged(
    rows: BoolArray, new: dict[str, Any], old: dict[str, Any]
) -> dict[str, Any]:
    """Takes info of rows from another; a key that no row has is left out."""
    merged: dict[str, Any] = {}
    nothing = np.zeros_like(rows)
    for key in {**old, **new}:
        if key.startswith("_"):
            continue
        having = np.where(
            rows, new.get(f"_{key}", nothing), old.get(f"_{key}", nothing)
        )
        if np.count_nonzero(having):
            theirs = old.get(key, new.get(key))
            merged[key] = _where(rows, new.get(key, theirs), theirs)
            merged[f"_{key}"] = having
    return merged


def _where(rows: BoolArray, new: Any, old: Any) -> Any:
    """Takes rows of an array, or of every array in a dictionary, from another."""
    if isinstance(old, dict):
        return {key: _where(rows, new.get(key, old[key]), old[key]) for key in old}
    return np.where(_column(rows, old), new, old)


def _last(rows: BoolArray, observation: Any, before: Any) -> Any:
    """Puts the last observations of rows beside those of rows that ended before.

    Dictionaries are in an object array, one a finished row, as Gymnasium has them.
    """
    if not isinstance(observation, dict):
        return _where(rows, observation, before)
    final = np.full(len(rows), None, dtype=object)
    if isinstance(before, np.ndarray):
        final[:] = before
    for row in np.flatnonzero(rows).tolist():
        final[row] = _row(observation, row)
    return final


def _row(observation: Any, row: int) -> Any:
    if isinstance(observation, dict):
        return {key: _row(value, row) for key, value in observation.items()}
    return observation[row].copy()


def _column(rows: BoolArray, like: npt.NDArray[Any]) -> Any:
    return rows.reshape(-1, *(1,) * (like.ndim - 1))
