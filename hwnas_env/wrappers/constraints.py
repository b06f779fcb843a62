"""Ways to hold the budget, beside the masks that every environment has.

- ``PenaltyReward``: a static penalty on the excess.
- ``LagrangianReward``: a penalty whose multiplier follows the dual.
- ``EarlyTermination``: ends an episode that can no longer meet the budget.
- ``HardMask``: plays an allowed action in place of a masked one.

Each takes one environment, or what ``gym.make_vec`` makes. What is penalised is
``info["cost"]`` = min(max(0, c / T - 1), 1), as safe reinforcement learning expects it:
0 at c = T and below, 1 from c = 2 T on and where the device cannot run the network
(c = inf), whatever the accuracy.
"""

from typing import Any

import gymnasium as gym
import numpy as np
import numpy.typing as npt
from gymnasium.utils import RecordConstructorArgs

from hwnas_env.errors import InvalidArgumentError
from hwnas_env.types import FloatArray, IntArray
from hwnas_env.wrappers.arguments import at_least_zero
from hwnas_env.wrappers.rules import Info, Rule, RuleWrapper, Step, core_of


class Penalty(Rule):
    """See :class:`PenaltyReward`."""

    def __init__(self, core: Any, count: int, *, coefficient: float) -> None:
        """Takes the penalty for a cost of twice the budget."""
        super().__init__(core, count)
        self._coefficient = at_least_zero("coefficient", coefficient)

    def rewards(self, rewards: FloatArray, info: Info) -> FloatArray:
        """Subtracts the penalty."""
        return np.asarray(_scalar(rewards) - self._coefficient * info("cost"))


class PenaltyReward(RuleWrapper):
    """Subtracts ``coefficient * info["cost"]`` from the reward of an evaluation.

    At c = T nothing is subtracted, at c = inf the coefficient; at a = 0 the same as at
    any accuracy.

    Example:
        >>> import gymnasium as gym, hwnas_env
        >>> env = gym.make("HWNAS-FBNet-FPGA-v0", reward="accuracy_only")
        >>> env = PenaltyReward(env, coefficient=2.0)
    """

    rule_type = Penalty

    def __init__(self, env: gym.Env[Any, Any], *, coefficient: float = 1.0) -> None:
        """Takes the penalty for a cost of twice the budget.

        Raises:
            InvalidArgumentError: the coefficient is no number of at least 0.
        """
        super().__init__(env, coefficient=coefficient)


class Lagrangian(Rule):
    """See :class:`LagrangianReward`."""

    def __init__(
        self, core: Any, count: int, *, step_size: float, initial: float, observe: bool
    ) -> None:
        """Takes the step of the dual, the first multiplier, and whether it is seen."""
        super().__init__(core, count)
        self._step_size = at_least_zero("step_size", step_size)
        self._initial = self.multiplier = at_least_zero("initial", initial)
        self.observed = 1 if observe else 0

    def begin(self, rows: IntArray, *, seeded: bool) -> None:
        """Sets the multiplier back where a new run begins."""
        del rows
        if seeded:
            self.multiplier = self._initial

    def rewards(self, rewards: FloatArray, info: Info) -> FloatArray:
        """Charges the cost, then moves the multiplier."""
        numbers = np.asarray(_scalar(rewards) - self.multiplier * info("cost"))
        evaluated = info("evaluated")
        if np.count_nonzero(evaluated):
            cost = info(self.core.setting.problems[0].metric)
            excess = (cost / info("budget") - 1.0)[evaluated]
            move = self._step_size * np.clip(excess, -1.0, 1.0).mean()
            self.multiplier = max(0.0, self.multiplier + float(move))
        return numbers

    def shown(self) -> dict[str, npt.NDArray[Any]]:
        """Shows the multiplier."""
        return {"multiplier": np.full(self.count, self.multiplier)}

    def observe(self) -> FloatArray:
        """Shows the multiplier, in [0, 1)."""
        return np.full((self.count, 1), self.multiplier / (1.0 + self.multiplier))


class LagrangianReward(RuleWrapper):
    """Subtracts ``multiplier * info["cost"]``, and moves the multiplier by the dual.

    After every evaluation ``multiplier = max(0, multiplier + step_size * e)`` with
    e = c / T - 1 clipped to [-1, 1], 1 where not deployable: it grows while networks
    break the budget and falls while they keep it. ``info["multiplier"]`` is the one
    that the next evaluation will be charged with. Rewards depend on it; with
    ``observe`` it is observed, as multiplier / (1 + multiplier).

    At c = T nothing is subtracted and the multiplier stays; at c = inf the multiplier
    is subtracted and grows by the step size; accuracy, 0 or not, does not matter.

    The rows of a vector share one multiplier: a step charges them all with the same,
    then moves it by the mean of e over the rows that were evaluated.

    Source:
        Tessler et al., Reward Constrained Policy Optimization, ICLR 2019.
    """

    rule_type = Lagrangian
    rule: Lagrangian

    def __init__(
        self,
        env: gym.Env[Any, Any],
        *,
        step_size: float = 0.05,
        initial: float = 0.0,
        observe: bool = False,
    ) -> None:
        """Takes the step of the dual, the first multiplier, and whether it is observed.

        Raises:
            InvalidArgumentError: a number below 0, or ``observe`` without a Box.
        """
        super().__init__(env, step_size=step_size, initial=initial, observe=observe)

    @property
    def multiplier(self) -> float:
        """The one that the next evaluation will be charged with."""
        return self.rule.multiplier


class EarlyTermination(gym.Wrapper[Any, Any, Any, Any], RecordConstructorArgs):
    """Terminates as soon as no completion can meet the budget; the bound is exact.

    Nothing is queried then, and the reward is ``reward``. In ``mutate`` and ``joint``
    nothing is completed step by step, and it has no effect. A prefix that can still
    reach c = T goes on; one that leads to c = inf alone ends.
    """

    def __new__(cls, env: Any = None, *, reward: float = 0.0) -> Any:
        """Makes the wrapper, or that of a vector; copies give no environment."""
        if isinstance(env, gym.vector.VectorEnv):
            return VectorEarlyTermination(env, reward=reward)
        return super().__new__(cls)

    def __init__(self, env: gym.Env[Any, Any], *, reward: float = 0.0) -> None:
        """Takes the reward of an episode that is ended.

        Raises:
            InvalidArgumentError: the reward is not finite.
        """
        RecordConstructorArgs.__init__(self, reward=reward)
        gym.Wrapper.__init__(self, env)
        self._reward = _finite(reward)

    def step(self, action: Any) -> Step:
        """Steps the environment, and ends the episode where the budget is lost."""
        step: Step = self.env.step(action)
        observation, _, terminated, truncated, info = step
        undecided = bool((info["genotype"] < 0).any())
        if terminated or truncated or info["completable"] or not undecided:
            return step
        return observation, self._reward, True, False, info


class VectorEarlyTermination(gym.vector.VectorWrapper[Any, Any, Any, Any, Any]):
    """Ends the rows of a native vector as :class:`EarlyTermination` ends one."""

    def __init__(
        self, env: gym.vector.VectorEnv[Any, Any, Any], *, reward: float = 0.0
    ) -> None:
        """Takes the reward of an episode that is ended."""
        super().__init__(env)
        core_of(env)
        self._reward = _finite(reward)

    def step(self, actions: Any) -> Any:
        """Steps the environments, and starts those anew whose budget is lost."""
        observation, rewards, terminated, truncated, infos = self.env.step(actions)
        undecided = (infos["genotype"] < 0).any(axis=1)
        lost = undecided & ~infos["completable"]
        if "_final_info" in infos:
            lost &= ~infos["_final_info"]
        if not np.count_nonzero(lost):
            return observation, rewards, terminated, truncated, infos
        after, following = self.env.reset(options={"reset_mask": lost})
        before = infos.pop("final_info", {})
        ended = infos.pop("_final_info", np.zeros_like(lost)) | lost
        last = infos.pop("final_obs", observation)
        infos.pop("_final_obs", None)
        final, merged = {}, {}
        for key, value in infos.items():
            if key.startswith("_"):
                final[key], merged[key] = ended, value
                continue
            rows = _column(lost, value)
            final[key] = np.where(rows, value, before.get(key, value))
            merged[key] = np.where(rows, following[key], value)
        merged["final_info"], merged["_final_info"] = final, ended
        merged["final_obs"] = np.where(_column(lost, last), observation, last)
        merged["_final_obs"] = ended
        seen = np.where(_column(lost, after), after, observation)
        rewards = np.where(_column(lost, rewards), self._reward, rewards)
        return seen, rewards, terminated | lost, truncated, merged


class HardMask(gym.Wrapper[Any, Any, Any, Any], RecordConstructorArgs):
    """Plays an allowed action, drawn uniformly, in place of a masked one.

    For agents that know no masks. ``info["action_replaced"]`` says where it did; the
    generator is the environment's own. For modes with a ``Discrete`` action.
    """

    def __new__(cls, env: Any = None) -> Any:
        """Makes the wrapper, or that of a vector; copies give no environment."""
        if isinstance(env, gym.vector.VectorEnv):
            return VectorHardMask(env)
        return super().__new__(cls)

    def __init__(self, env: gym.Env[Any, Any]) -> None:
        """Wraps an environment with a ``Discrete`` action.

        Raises:
            InvalidArgumentError: the action is of another kind.
        """
        RecordConstructorArgs.__init__(self)
        gym.Wrapper.__init__(self, env)
        _require_discrete(env.action_space)
        self._core = core_of(env)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Resets the environment; nothing was replaced yet."""
        observation, info = self.env.reset(seed=seed, options=options)
        info["action_replaced"] = False
        return observation, info

    def step(self, action: Any) -> Step:
        """Steps with the action, or with one that the mask allows."""
        mask, number = self._core.action_masks(), self._core.check_action(action)
        replaced = not mask[number]
        if replaced:
            uniforms = self._core.draw(np.zeros(1, dtype=np.int64), 1)
            number = int(_allowed(mask[None], uniforms[:, 0])[0])
        step: Step = self.env.step(number)
        step[4]["action_replaced"] = replaced
        return step


class VectorHardMask(gym.vector.VectorWrapper[Any, Any, Any, Any, Any]):
    """Replaces the actions of a native vector as :class:`HardMask` does one."""

    def __init__(self, env: gym.vector.VectorEnv[Any, Any, Any]) -> None:
        """Wraps environments with a ``Discrete`` action."""
        super().__init__(env)
        _require_discrete(env.single_action_space)
        self._core = core_of(env)

    def reset(
        self, *, seed: Any = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Resets the environments; nothing was replaced yet."""
        observation, infos = self.env.reset(seed=seed, options=options)
        nothing = np.zeros(self.num_envs, dtype=np.bool_)
        self._say(infos, nothing, ~nothing)
        return observation, infos

    def step(self, actions: Any) -> Any:
        """Steps with the actions, or with some that the masks allow."""
        masks = self._core.action_masks()
        played = self._core.check_actions(actions).copy()
        replaced = ~masks[np.arange(self.num_envs), played]
        rows = np.flatnonzero(replaced)
        if len(rows):
            uniforms = self._core.draw(rows, 1)[:, 0]
            played[rows] = _allowed(masks[rows], uniforms)
        step = self.env.step(played)
        infos, everyone = step[4], np.ones(self.num_envs, dtype=np.bool_)
        if "final_info" in infos:
            ended = infos["_final_info"]
            self._say(infos["final_info"], replaced, ended)
            replaced = replaced & ~ended
        self._say(infos, replaced, everyone)
        return step

    def _say(self, infos: dict[str, Any], replaced: Any, rows: Any) -> None:
        infos["action_replaced"], infos["_action_replaced"] = replaced, rows


def _scalar(rewards: FloatArray) -> FloatArray:
    if rewards.ndim != 1:
        message = "a penalty needs a reward of one number; scalarise the vector first"
        raise InvalidArgumentError(message)
    return rewards


def _finite(reward: float) -> float:
    if not np.isfinite(reward):
        message = f"reward: expected a finite number, got {reward!r}"
        raise InvalidArgumentError(message)
    return float(reward)


def _require_discrete(space: gym.Space[Any]) -> None:
    if not isinstance(space, gym.spaces.Discrete):
        message = f"HardMask: expected a Discrete action, got {space}"
        raise InvalidArgumentError(message)


def _allowed(masks: npt.NDArray[np.bool_], uniforms: FloatArray) -> IntArray:
    """Draws one allowed action a row ``(N,)`` from uniform numbers in [0, 1)."""
    which = (uniforms * masks.sum(axis=1)).astype(np.int64)
    return np.asarray((np.cumsum(masks, axis=1) > which[:, None]).argmax(axis=1))


def _column(rows: npt.NDArray[np.bool_], like: npt.NDArray[Any]) -> Any:
    return rows.reshape(-1, *(1,) * (like.ndim - 1))
