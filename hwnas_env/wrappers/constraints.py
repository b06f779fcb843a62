"""Ways to hold the budget, beside the masks that every environment has.

- ``PenaltyReward``: a static penalty on the excess.
- ``LagrangianReward``: a penalty whose multiplier follows the dual.
- ``HardMask``: plays an allowed action in place of a masked one.

Each takes one environment, or what ``gym.make_vec`` makes. What is penalised is
``info["cost"]`` = min(max(0, c / T - 1), 1), as safe reinforcement learning expects it:
0 at c = T and below, 1 from c = 2 T on and where the device cannot run the network
(c = inf), whatever the accuracy. ``EarlyTermination`` is in a module of its own.
"""

import sys
from typing import Any

import gymnasium as gym
import numpy as np
import numpy.typing as npt
from gymnasium.utils import RecordConstructorArgs

from hwnas_env.engines.walk import draw_allowed
from hwnas_env.errors import HWNASError, InvalidArgumentError
from hwnas_env.maths.elementary import ordered_sum
from hwnas_env.types import FloatArray, IntArray
from hwnas_env.wrappers.arguments import at_least_zero
from hwnas_env.wrappers.rules import (
    Info,
    Rule,
    RuleWrapper,
    Step,
    VectorRuleWrapper,
    core_of,
)
from hwnas_env.wrappers.vectors import VectorWrapper, reset_mask


class Penalty(Rule):
    """See :class:`PenaltyReward`."""

    def __init__(self, core: Any, count: int, *, coefficient: float) -> None:
        """Takes the penalty for a cost of twice the budget."""
        super().__init__(core, count)
        self._coefficient = at_least_zero("coefficient", coefficient)

    def rewards(self, rewards: FloatArray, info: Info) -> FloatArray:
        """Subtracts the penalty."""
        return np.asarray(rewards - self._coefficient * info("cost"))


class PenaltyReward(RuleWrapper):
    """Subtracts ``coefficient * info["cost"]`` from the reward of an evaluation.

    At c = T nothing is subtracted, at c = inf the coefficient; at a = 0 the same as at
    any accuracy. Where ``EarlyTermination`` inside ended an episode, the coefficient.

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
        if not isinstance(observe, bool):
            message = f"observe: expected True or False, got {observe!r}"
            raise InvalidArgumentError(message)
        self.observed = 1 if observe else 0

    def begin(self, rows: IntArray, *, anew: bool) -> None:
        """Sets the multiplier back where a new run begins."""
        del rows
        if anew:
            self.multiplier = self._initial

    def rewards(self, rewards: FloatArray, info: Info) -> FloatArray:
        """Charges the cost, then moves the multiplier."""
        numbers = np.asarray(rewards - self.multiplier * info("cost"))
        evaluated, counted = info("evaluated"), info("cost")
        rows = evaluated | (counted > 0.0)
        if np.count_nonzero(rows):
            cost = info(self.core.setting.problems[0].metric)
            excess = np.where(evaluated, cost / info("budget") - 1.0, counted)[rows]
            mean = ordered_sum(np.clip(excess, -1.0, 1.0)) / len(excess)
            move = self._step_size * mean
            moved = max(0.0, self.multiplier + float(move))
            self.multiplier = min(moved, sys.float_info.max)
        return numbers

    def shown(self) -> dict[str, npt.NDArray[Any]]:
        """Shows the multiplier."""
        return {"multiplier": np.full(self.count, self.multiplier)}

    def observe(self) -> FloatArray:
        """Shows the multiplier, in [0, 1)."""
        return np.full((self.count, 1), self.multiplier / (1.0 + self.multiplier))


class VectorLagrangianReward(VectorRuleWrapper):
    """See :class:`LagrangianReward`."""

    rule: Lagrangian

    @property
    def multiplier(self) -> float:
        """The one that the next evaluations will be charged with."""
        return self.rule.multiplier


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
    then moves it by the mean of e over the rows that were evaluated. It goes back to
    ``initial`` where the ledger begins anew: at a seeded reset, unless ``max_queries``
    or a ledger that was given go on. An episode that ``EarlyTermination`` ended counts
    as e = 1.

    Source:
        Tessler et al., Reward Constrained Policy Optimization, ICLR 2019.
    """

    rule_type = Lagrangian
    vector_type = VectorLagrangianReward
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
        self._core = core_of(env)
        RecordConstructorArgs.__init__(self)
        gym.Wrapper.__init__(self, env)
        _require_discrete(env.action_space)

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
        if mask[number]:
            step: Step = self.env.step(number)
            step[4]["action_replaced"] = False
            return step
        generator = self._core.np_random.bit_generator
        before = generator.state
        uniforms = self._core.draw(np.zeros(1, dtype=np.int64), 1)
        try:
            step = self.env.step(int(draw_allowed(mask[None], uniforms[:, 0])[0]))
        except HWNASError:  # a step that is refused draws nothing
            generator.state = before
            raise
        step[4]["action_replaced"] = True
        return step


class VectorHardMask(VectorWrapper):
    """Replaces the actions of a native vector as :class:`HardMask` does one."""

    single_type = HardMask

    def __init__(self, env: gym.vector.VectorEnv[Any, Any, Any]) -> None:
        """Wraps environments with a ``Discrete`` action."""
        super().__init__(env)
        _require_discrete(env.single_action_space)
        self._core = core_of(env)
        self._replaced = np.zeros(env.num_envs, dtype=np.bool_)

    def reset(
        self, *, seed: Any = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Resets the environments; nothing was replaced yet."""
        mask = reset_mask(options, self.num_envs)
        observation, infos = self.env.reset(seed=seed, options=options)
        self._replaced = self._replaced & ~mask
        self._say(infos, self._replaced, mask)
        return observation, infos

    def step(self, actions: Any) -> Any:
        """Steps with the actions, or with some that the masks allow."""
        masks = self._core.action_masks()
        played = self._core.check_actions(actions).copy()
        replaced = ~masks[np.arange(self.num_envs), played]
        replaced &= ~self._core.still  # actions of those rows are not played
        rows = np.flatnonzero(replaced)
        if len(rows):
            uniforms = self._core.draw(rows, 1)[:, 0]
            played[rows] = draw_allowed(masks[rows], uniforms)
        step = self.env.step(played)
        infos, everyone = step[4], np.ones(self.num_envs, dtype=np.bool_)
        if "final_info" in infos:
            ended = infos["_final_info"]
            self._say(infos["final_info"], replaced, ended)
            replaced = replaced & ~ended
        self._replaced = replaced
        self._say(infos, replaced, everyone)
        return step

    def _say(self, infos: dict[str, Any], replaced: Any, rows: Any) -> None:
        infos["action_replaced"], infos["_action_replaced"] = replaced.copy(), rows


def _require_discrete(space: gym.Space[Any]) -> None:
    if not isinstance(space, gym.spaces.Discrete):
        message = f"HardMask: expected a Discrete action, got {space}"
        raise InvalidArgumentError(message)
