"""Ways to hold the budget, beside the masks that every environment has.

- ``PenaltyReward``: a static penalty on the excess.
- ``LagrangianReward``: a penalty whose multiplier follows the dual.
- ``HardMask``: plays an allowed action in place of a masked one.

Each takes one environment; around what ``gym.make_vec`` makes it becomes the class
beside it, ``VectorPenaltyReward`` and so on. ``EarlyTermination`` is in a module of its
own.

What is penalised is ``info["cost"]`` = min(max(0, c / T - 1), 1), as safe reinforcement
learning expects it: 0 at c = T and below, 1 from c = 2 T on and where the device cannot
run the network (c = inf), whatever the accuracy.
"""

import sys
from typing import Any

import numpy as np

from hwnas_env.errors import HWNASError, InvalidArgumentError, shown
from hwnas_env.maths.elementary import ordered_sum
from hwnas_env.types import BoolArray, FloatArray, IntArray
from hwnas_env.wrappers.action_rules import AllowedActions
from hwnas_env.wrappers.arguments import at_least_zero
from hwnas_env.wrappers.protocols import (
    AnyEnv,
    AnyVector,
    Array,
    DiscreteEnvironment,
    Info,
    Infos,
    Observation,
    Step,
    VectorEnvironment,
    VectorStep,
)
from hwnas_env.wrappers.reward_rules import (
    RewardRule,
    RewardRuleWrapper,
    VectorRewardRuleWrapper,
)
from hwnas_env.wrappers.rules import RuleWrapper, VectorRuleWrapper

_ONE = np.zeros(1, dtype=np.int64)
"""The rows of one environment: row 0."""


class Penalty(RewardRule):
    """See :class:`PenaltyReward`."""

    def __init__(
        self, env: AnyEnv | AnyVector, count: int, *, coefficient: float
    ) -> None:
        """Takes the penalty for a cost of twice the budget."""
        super().__init__(env, count)
        self._coefficient = at_least_zero("coefficient", coefficient)

    def rewards(self, rewards: FloatArray, info: Info) -> FloatArray:
        """Subtracts the penalty."""
        return np.asarray(rewards - self._coefficient * info("cost"))


class PenaltyReward(RewardRuleWrapper):
    """Subtracts ``coefficient * info["cost"]`` from the reward of an evaluation.

    At c = T nothing is subtracted, at c = inf the coefficient; at a = 0 the same as at
    any accuracy. Where ``EarlyTermination`` inside ended an episode, the coefficient.
    Around a vector it is a :class:`VectorPenaltyReward`.

    Example:
        >>> import gymnasium as gym, hwnas_env
        >>> env = gym.make("HWNAS-FBNet-FPGA-v0", reward="accuracy_only")
        >>> env = PenaltyReward(env, coefficient=2.0)
    """

    rule_type = Penalty

    def __init__(self, env: AnyEnv, *, coefficient: float = 1.0) -> None:
        """Takes the penalty for a cost of twice the budget.

        Raises:
            InvalidArgumentError: the coefficient is no number of at least 0.
        """
        super().__init__(env, coefficient=coefficient)


class VectorPenaltyReward(VectorRewardRuleWrapper):
    """Applies :class:`PenaltyReward` to every row of a vector."""

    single_type = PenaltyReward


class Lagrangian(RewardRule):
    """See :class:`LagrangianReward`."""

    def __init__(
        self,
        env: AnyEnv | AnyVector,
        count: int,
        *,
        step_size: float,
        initial: float,
        observe: bool,
    ) -> None:
        """Takes the step of the dual, the first multiplier, and whether it is seen."""
        super().__init__(env, count)
        self._step_size = at_least_zero("step_size", step_size)
        self._initial = self.multiplier = at_least_zero("initial", initial)
        if not isinstance(observe, bool):
            message = f"observe: expected True or False, got {shown(observe)}"
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
            cost = info(self.core.config.problems[0].metric)
            excess = np.where(evaluated, cost / info("budget") - 1.0, counted)[rows]
            mean = ordered_sum(np.clip(excess, -1.0, 1.0)) / len(excess)
            move = self._step_size * mean
            moved = max(0.0, self.multiplier + float(move))
            self.multiplier = min(moved, sys.float_info.max)
        return numbers

    def shown(self) -> dict[str, Array]:
        """Shows the multiplier."""
        return {"multiplier": np.full(self.count, self.multiplier)}

    def observe(self) -> FloatArray:
        """Shows the multiplier, in [0, 1)."""
        return np.full((self.count, 1), self.multiplier / (1.0 + self.multiplier))


class LagrangianReward(RewardRuleWrapper):
    """Subtracts ``multiplier * info["cost"]``, and moves the multiplier by the dual.

    After every evaluation ``multiplier = max(0, multiplier + step_size * e)`` with
    e = c / T - 1 clipped to [-1, 1], 1 where not deployable: it grows while networks
    break the budget and falls while they keep it. ``info["multiplier"]`` is the one
    that the next evaluation will be charged with. Rewards depend on it; with
    ``observe`` it is observed, as multiplier / (1 + multiplier).

    At c = T nothing is subtracted and the multiplier stays; at c = inf the multiplier
    is subtracted and grows by the step size; accuracy, 0 or not, does not matter.

    It goes back to ``initial`` where the ledger begins anew: at a seeded reset, unless
    ``max_queries`` or a ledger that was given go on. An episode that
    ``EarlyTermination`` ended counts as e = 1.

    Around a vector it is a :class:`VectorLagrangianReward`, whose rows share one
    multiplier: a step charges them all with the same, then moves it by the mean of e
    over the rows that were evaluated.

    Source:
        Tessler et al., Reward Constrained Policy Optimization, ICLR 2019.
    """

    rule_type = Lagrangian
    rule: Lagrangian

    def __init__(
        self,
        env: AnyEnv,
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


class VectorLagrangianReward(VectorRewardRuleWrapper):
    """Applies :class:`LagrangianReward` to a vector, with one multiplier for all."""

    single_type = LagrangianReward
    rule: Lagrangian

    @property
    def multiplier(self) -> float:
        """The one that the next evaluations will be charged with."""
        return self.rule.multiplier


class HardMask(RuleWrapper):
    """Plays an allowed action, drawn uniformly, in place of a masked one.

    For agents that know no masks. ``info["action_replaced"]`` says where it did; the
    generator is the environment's own. For modes with a ``Discrete`` action. Around a
    vector it is a :class:`VectorHardMask`.
    """

    rule_type = AllowedActions
    rule: AllowedActions

    def __init__(self, env: AnyEnv) -> None:
        """Wraps an environment with a ``Discrete`` action.

        Raises:
            InvalidArgumentError: the action is of another kind.
        """
        super().__init__(env)
        core = self.rule.core
        assert isinstance(core, DiscreteEnvironment), "its action is Discrete"
        self._core = core

    def _started(self, observation: Observation, info: Infos) -> Observation:
        """Says that nothing was replaced yet."""
        self.rule.begin(_ONE, anew=False)
        self._show(info)
        return observation

    def step(self, action: object) -> Step:
        """Steps with the action, or with one that the mask allows."""
        mask, number = self._core.action_masks(), self._core.check_action(action)
        step: Step
        if mask[number]:  # most steps: nothing to draw
            step = self.env.step(number)
            self.rule.begin(_ONE, anew=False)
        else:
            generator = self.unwrapped.np_random.bit_generator
            before, actions = generator.state, np.array([number])
            replaced = self.rule.masked(actions, mask[None])
            played = self.rule.allowed(actions, mask[None], replaced)
            try:
                step = self.env.step(int(played[0]))
            except HWNASError:  # a step that is refused draws nothing
                generator.state = before
                raise
            self.rule.replaced = replaced
        self._show(step[4])
        return step


class VectorHardMask(VectorRuleWrapper):
    """Applies :class:`HardMask` to every row of a native vector."""

    single_type = HardMask
    rule: AllowedActions

    def __init__(self, env: AnyVector, *arguments: object, **keywords: Any) -> None:
        """Wraps a native vector with a ``Discrete`` action.

        Args:
            env: what ``gym.make_vec`` makes.
            arguments: as in :class:`hwnas_env.wrappers.rules.VectorRuleWrapper`.
            keywords: as there.

        Raises:
            InvalidArgumentError: no native vector, or an action of another kind.
        """
        super().__init__(env, *arguments, **keywords)
        core = self.rule.core
        assert isinstance(core, VectorEnvironment), "other vectors were refused"
        self._core = core

    def _started(
        self, observation: Observation, infos: Infos, rows: BoolArray
    ) -> Observation:
        """Says that nothing was replaced yet in the rows that start."""
        self.rule.begin(np.flatnonzero(rows), anew=False)
        self._show(infos, rows)
        return observation

    def step(self, actions: object) -> VectorStep:
        """Steps with the actions, or with some that the masks allow."""
        rule, masks = self.rule, self._core.action_masks()
        checked = self._core.check_actions(actions)
        replaced = rule.masked(checked, masks)
        replaced &= ~self._core.still  # actions of those rows are not played
        step: VectorStep = self.env.step(rule.allowed(checked, masks, replaced))
        rule.replaced, infos = replaced, step[4]
        if "final_info" in infos:
            ended = infos["_final_info"]
            self._show(infos["final_info"], ended)
            rule.begin(np.flatnonzero(ended), anew=False)
        self._show(infos, self._everyone)
        return step
