"""From evaluations to rewards: one number, or one a objective; always finite."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hwnas_env.engines.model import Objective
from hwnas_env.errors import InvalidArgumentError, shown, unknown_name
from hwnas_env.maths.scalarise import REWARDS, UNDEPLOYABLE_RATIO
from hwnas_env.problems.make import load_function
from hwnas_env.problems.problem import Problem
from hwnas_env.showing import Outlined
from hwnas_env.types import Evaluation, FloatArray, RewardFunction


@dataclass(frozen=True)
class NamedReward:
    """A reward with the name that errors call it by.

    Attributes:
        name: a name out of ``REWARDS``, "package.module:function" or a qualified name.
        function: accuracy in [0, 1] ``(N,)``, cost ``(N,)``, budget to ``(N,)``.
        trusted: True for our own, whose answers are not checked.
    """

    name: str
    function: RewardFunction
    trusted: bool

    def __call__(
        self, evaluation: Evaluation, *, column: int, budget: float | FloatArray
    ) -> FloatArray:
        """Returns the rewards ``(N,)`` of an evaluation; finite.

        A network that is not deployable counts as accuracy 0 at 100 times the budget.

        Args:
            evaluation: of N networks.
            column: of the cost in ``evaluation.costs``.
            budget: one, or one a network.

        Raises:
            InvalidArgumentError: a user's function answered with a wrong shape, or
                with what is not finite.
        """
        accuracy = evaluation.accuracy_percent / 100.0
        cost = evaluation.costs[:, column]
        if not evaluation.deployable.all():
            accuracy = np.where(evaluation.deployable, accuracy, 0.0)
            worst = UNDEPLOYABLE_RATIO * budget
            cost = np.where(evaluation.deployable, cost, worst)
        if self.trusted:
            # every formula of ours takes budgets (N,) too
            return self.function(accuracy, cost, budget)  # type: ignore[arg-type]
        if isinstance(budget, np.ndarray):
            rows = zip(accuracy[:, None], cost[:, None], budget.tolist(), strict=True)
            found = [self._checked(*row)[0] for row in rows]
            return np.array(found, dtype=np.float64)
        return self._checked(accuracy, cost, budget)

    def _checked(
        self, accuracy: FloatArray, cost: FloatArray, budget: float
    ) -> FloatArray:
        # copies: a function that works in place must not change what info says
        answer = self.function(accuracy.copy(), cost.copy(), budget)
        values = np.asarray(answer, dtype=np.float64)
        if values.shape != accuracy.shape or not np.isfinite(values).all():
            message = (
                f"reward {self.name}: expected finite numbers of shape "
                f"{accuracy.shape}, got {shown(answer)}"
            )
            raise InvalidArgumentError(message)
        return values


def resolve_reward(reward: str | RewardFunction) -> NamedReward:
    """Finds a reward by its name or string form, or takes a function.

    Raises:
        UnknownNameError: no reward has that name.
        InvalidArgumentError: neither a name nor a function.
    """
    if isinstance(reward, str):
        if reward in REWARDS:
            return NamedReward(reward, REWARDS[reward], trusted=True)
        if ":" in reward:
            return NamedReward(reward, load_function(reward), trusted=False)
        raise unknown_name(reward, (*REWARDS, "package.module:function"), what="reward")
    if not callable(reward):
        message = f"reward: expected a name or a function, got {shown(reward)}"
        raise InvalidArgumentError(message)
    name = getattr(reward, "__qualname__", type(reward).__name__)
    return NamedReward(name, reward, trusted=False)


@dataclass(frozen=True, eq=False)
class VectorReward(Outlined):
    """A reward with one component an objective, all to be maximised.

    Accuracy counts in [0, 1], a metric in its unit, negated where less is better.

    Attributes:
        objectives: what the components are.
        reference: ``(k,)`` what a network that is not deployable gets: accuracy 0 and
            the largest cost of any deployable network. No deployable one is worse.
        high: ``(k,)`` bounds that no network passes.
    """

    objectives: tuple[Objective, ...]
    reference: FloatArray
    high: FloatArray

    @classmethod
    def of(cls, problem: Problem, names: Sequence[str]) -> "VectorReward":
        """Builds the reward of a problem's objectives, by name."""
        objectives = problem.objectives(names)
        worst, best = [], []
        for objective in objectives:
            if objective.column < 0:
                worst.append(0.0)
                best.append(1.0)
                continue
            largest = problem.model.largest(objective.column)
            worst.append(-largest if objective.minimise else 0.0)
            best.append(0.0 if objective.minimise else largest)
        reference, high = np.array(worst), np.array(best)
        for kept in (reference, high):
            kept.setflags(write=False)
        return cls(objectives, reference, high)

    def __call__(self, evaluation: Evaluation) -> FloatArray:
        """Returns the rewards ``(N, k)`` of an evaluation; finite."""
        values = self.of_points(
            np.column_stack(
                [
                    evaluation.accuracy_percent
                    if objective.column < 0
                    else evaluation.costs[:, objective.column]
                    for objective in self.objectives
                ]
            )
        )
        return np.where(evaluation.deployable[:, None], values, self.reference)

    def of_points(self, points: FloatArray) -> FloatArray:
        """Turns points ``(P, k)`` in the units of people into rewards ``(P, k)``."""
        scale = [
            0.01 if o.column < 0 else -1.0 if o.minimise else 1.0
            for o in self.objectives
        ]
        return np.asarray(points * np.array(scale))
