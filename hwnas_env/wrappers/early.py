"""Ends an episode as soon as its budget is lost; the bound is exact."""

from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode

from hwnas_env.errors import EpisodeEndedError, InvalidArgumentError, shown
from hwnas_env.types import BoolArray, FloatArray
from hwnas_env.wrappers.arguments import is_finite
from hwnas_env.wrappers.protocols import (
    AnyEnv,
    AnyVector,
    Array,
    Info,
    Infos,
    Observation,
    Step,
    VectorEnvironment,
    VectorStep,
    core_of,
)
from hwnas_env.wrappers.rules import Rule, RuleWrapper, VectorRuleWrapper


class LostBudget(Rule):
    """Finds the rows whose budget is lost; see :class:`EarlyTermination`.

    Attributes:
        core: the environment beneath all wrappers.
        reward: of an episode that is ended.
    """

    def __init__(self, env: AnyEnv | AnyVector, count: int, *, reward: float) -> None:
        """Takes the reward of an episode that is ended.

        Raises:
            InvalidArgumentError: the reward is not finite, or no environment of this
                package.
        """
        self.core = core_of(env)
        super().__init__(env, count)
        if not is_finite(reward):
            message = f"reward: expected a finite number, got {shown(reward)}"
            raise InvalidArgumentError(message)
        self.reward = float(reward)

    def lost(self, info: Info, ended: BoolArray) -> BoolArray:
        """Returns which rows ``(N,)`` no completion can bring within the budget.

        Args:
            info: of a step.
            ended: ``(N,)`` the rows that have ended in that step without this rule.
        """
        undecided = (info("genotype") < 0).any(axis=1)
        return np.asarray(undecided & ~info("completable") & ~ended)

    def rewards(self, rewards: FloatArray, lost: BoolArray) -> FloatArray:
        """Returns the rewards ``(N,)`` or ``(N, k)``, of lost rows the rule's own."""
        return np.where(_column(lost, rewards), self.reward, rewards)

    def costs(self, costs: FloatArray, lost: BoolArray) -> FloatArray:
        """Returns ``info["cost"]`` ``(N,)``, 1.0 of lost rows."""
        return np.where(lost, 1.0, costs)


class EarlyTermination(RuleWrapper):
    """Terminates as soon as no completion can meet the budget; the bound is exact.

    Nothing is queried then; the reward is ``reward``, in every component where it is a
    vector, and ``info["cost"]`` is 1.0, so that a penalty or a multiplier around this
    wrapper counts the episode as one that broke the budget. A prefix that can still
    reach c = T goes on; one that leads to c = inf alone ends. A network that is decided
    to its end is queried, whatever its last decision was. In ``mutate`` and ``joint``
    nothing is completed step by step, and it has no effect. Around a vector it is a
    :class:`VectorEarlyTermination`.
    """

    rule_type = LostBudget
    rule: LostBudget

    def __init__(self, env: AnyEnv, *, reward: float = 0.0) -> None:
        """Takes the reward of an episode that is ended.

        Raises:
            InvalidArgumentError: the reward is not finite, or no environment of ours.
        """
        super().__init__(env, reward=reward)
        self._over = False

    def _started(self, observation: Observation, info: Infos) -> Observation:
        """Starts an episode, which is not over."""
        del info
        self._over = False
        return observation

    def step(self, action: object) -> Step:
        """Steps the environment, and ends the episode where the budget is lost.

        Raises:
            EpisodeEndedError: this wrapper ended the episode before.
        """
        if self._over:
            message = "the episode is over, its budget was lost: call reset() first"
            raise EpisodeEndedError(message)
        step: Step = self.env.step(action)
        observation, reward, terminated, truncated, info = step
        if terminated or info["completable"]:  # most steps: nothing can be lost
            return step
        ended = np.array([truncated and info["budget_exhausted"]])
        lost = self.rule.lost(lambda key: np.array([info[key]]), ended)
        if not lost[0]:
            return step
        self._over = True
        info["cost"] = float(self.rule.costs(np.array([info["cost"]]), lost)[0])
        if isinstance(reward, np.ndarray):
            ending = self.rule.rewards(reward[None], lost)[0]
            return observation, ending, True, truncated, info
        number = self.rule.rewards(np.array([float(reward)]), lost)[0]
        return observation, float(number), True, truncated, info


class VectorEarlyTermination(VectorRuleWrapper):
    """Applies :class:`EarlyTermination` to every row of a native vector."""

    single_type = EarlyTermination
    rule: LostBudget

    def __init__(self, env: AnyVector, *arguments: object, **keywords: Any) -> None:
        """Takes a native vector, and the reward of an episode that is ended.

        Args:
            env: what ``gym.make_vec`` makes.
            arguments: as in :class:`hwnas_env.wrappers.rules.VectorRuleWrapper`.
            keywords: as there, and ``reward``.

        Raises:
            InvalidArgumentError: no native vector, or the reward is not finite.
        """
        super().__init__(env, *arguments, **keywords)
        core = self.rule.core
        assert isinstance(core, VectorEnvironment), "other vectors were refused"
        self._core = core
        self._over: BoolArray = ~self._everyone  # rows to start anew in the next step

    def _started(
        self, observation: Observation, infos: Infos, rows: BoolArray
    ) -> Observation:
        """Starts episodes of rows, which are not over."""
        del infos
        self._over = self._over & ~rows
        return observation

    def step(self, actions: object) -> VectorStep:
        """Steps the environments, and ends the rows whose budget is lost."""
        observation, rewards, terminated, truncated, infos = self.env.step(actions)
        over, self._over = self._over, np.zeros_like(self._over)
        if np.count_nonzero(over):  # those that the last step ended start anew
            observation, infos = self._restarted(over, observation, infos)
        ended = infos.get("_final_info", terminated | truncated)
        lost = self.rule.lost(infos.__getitem__, ended)
        if not np.count_nonzero(lost):
            return observation, rewards, terminated, truncated, infos
        rewards = self.rule.rewards(rewards, lost)
        terminated = terminated | lost
        if self.autoreset_mode is AutoresetMode.SAME_STEP:
            observation, infos = self._started_at_once(lost, observation, infos)
        else:
            self._core.hold(lost)
            if self.autoreset_mode is AutoresetMode.NEXT_STEP:
                self._over = lost
            infos = {**infos, "cost": self.rule.costs(infos["cost"], lost)}
        return observation, rewards, terminated, truncated, infos

    def _restarted(
        self, rows: BoolArray, observation: Observation, infos: Infos
    ) -> tuple[Observation, Infos]:
        """Resets rows, also in the wrappers inside: observations, and info."""
        after, following = self.env.reset(options={"reset_mask": rows.copy()})
        return _where(rows, after, observation), _merged(rows, following, infos)

    def _started_at_once(
        self, lost: BoolArray, observation: Observation, infos: Infos
    ) -> tuple[Observation, Infos]:
        """Resets rows that are lost, beside those that ended in the same step."""
        before = infos.pop("final_info", {})
        ended = infos.pop("_final_info", np.zeros_like(lost)) | lost
        last = infos.pop("final_obs", observation)
        infos.pop("_final_obs", None)
        final = _merged(lost, infos, before)
        final["cost"] = self.rule.costs(final["cost"], lost)
        seen, merged = self._restarted(lost, observation, infos)
        merged["final_info"], merged["_final_info"] = final, ended
        merged["final_obs"] = _last(lost, observation, last)
        merged["_final_obs"] = ended
        return seen, merged


def _merged(rows: BoolArray, new: Infos, old: Infos) -> Infos:
    """Takes info of rows from another; a key that no row has is left out."""
    merged: Infos = {}
    nothing = np.zeros_like(rows)
    for key in {**old, **new}:
        if key.startswith("_"):
            continue
        having = np.where(
            rows, new.get(f"_{key}", nothing), old.get(f"_{key}", nothing)
        )
        if np.count_nonzero(having):
            theirs: Observation = old[key] if key in old else new[key]
            merged[key] = _where(rows, new.get(key, theirs), theirs)
            merged[f"_{key}"] = having
    return merged


def _where(rows: BoolArray, new: Observation, old: Observation) -> Observation:
    """Takes rows of an array, or of every array in a dictionary, from another."""
    if isinstance(old, dict):
        assert isinstance(new, dict), "both are of one environment"
        return {key: _where(rows, new.get(key, old[key]), old[key]) for key in old}
    chosen: Array = np.where(_column(rows, old), new, old)  # type: ignore[arg-type]
    return chosen


def _last(
    rows: BoolArray, observation: Observation, before: Observation
) -> Observation:
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


def _row(observation: Observation, row: int) -> Observation:
    if isinstance(observation, dict):
        return {key: _row(value, row) for key, value in observation.items()}
    one: Array = observation[row].copy()
    return one


def _column(rows: BoolArray, like: Array) -> BoolArray:
    return rows.reshape(-1, *(1,) * (like.ndim - 1))
