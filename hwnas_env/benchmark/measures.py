"""What a run is measured by: the best accuracy within a budget, or a front."""

from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias

import numpy as np

from hwnas_env.benchmark.fronts import archive_of, volume_of
from hwnas_env.benchmark.tasks import Task
from hwnas_env.problems.budget import BudgetedProblem
from hwnas_env.problems.problem import Problem
from hwnas_env.types import BoolArray, Evaluation, FloatArray, Genotypes, IntArray


@dataclass(frozen=True, eq=False)
class Answers:
    """What a problem said of a run's queries, in their order.

    Attributes:
        accuracy_percent: ``(Q,)``.
        costs: ``(Q, M)``, inf where a network is not deployable.
        feasible: ``(Q,)`` whether a network is deployable and within the budget.
    """

    accuracy_percent: FloatArray
    costs: FloatArray
    feasible: BoolArray


@dataclass(frozen=True, eq=False)
class BestAccuracy:
    """Measures a run by its incumbent: the most accurate network within a budget.

    Attributes:
        problem: what is searched.
        limit: the budget in the metric's unit, or None.
        fields: of a run that this measure alone fills.
    """

    problem: Problem
    limit: float | None
    fields: ClassVar[tuple[str, ...]] = (
        "incumbent",
        "accuracy_percent",
        "cost",
        "regret_percent",
    )

    def follow(self, answers: Answers) -> tuple[list[float], IntArray]:
        """Follows the incumbent through a run.

        Returns:
            Its accuracy after every query, NaN before the first feasible network, and
            the place of the final one, ``(1,)``; ``(0,)`` if there is none.
        """
        reached = np.where(answers.feasible, answers.accuracy_percent, -np.inf)
        curve = np.maximum.accumulate(reached)
        best = np.flatnonzero(answers.feasible & (reached == curve[-1:]))[:1]
        return np.where(np.isfinite(curve), curve, np.nan).tolist(), best

    def values(self, found: Genotypes, reached: float) -> dict[str, Any]:
        """Returns the run's fields; none where no feasible network was found.

        Args:
            found: ``(1, L)`` or ``(0, L)`` the incumbent.
            reached: its accuracy.
        """
        if len(found) == 0:
            return {}
        optimum = self.problem.optimum(self.limit).accuracy_percent
        values = (
            self.problem.decode(found[0]),
            reached,
            float(self.problem.known_costs(found)[0]),
            optimum - reached,
        )
        return dict(zip(self.fields, values, strict=True))


@dataclass(frozen=True, eq=False)
class FrontShare:
    """Measures a run by its archive: what share of the exact front's volume it reaches.

    Attributes:
        problem: what is searched.
        task: with objectives.
        fields: of a run that this measure alone fills.
    """

    problem: Problem
    task: Task
    fields: ClassVar[tuple[str, ...]] = ("share", "archive")

    def follow(self, answers: Answers) -> tuple[list[float], IntArray]:
        """Follows the archive through a run.

        Returns:
            The share of the exact hypervolume after every query, and the places of the
            final archive.
        """
        if len(answers.costs) == 0:  # an exact front may take long
            return [], np.zeros(0, dtype=np.int64)
        volume = volume_of(self.task)
        points = volume.points(answers.accuracy_percent, answers.costs)
        return archive_of(volume, points)

    def values(self, found: Genotypes, reached: float) -> dict[str, Any]:
        """Returns the run's fields.

        Args:
            found: ``(N, L)`` the archive.
            reached: its share.
        """
        names = dict.fromkeys(self.problem.decode(genotype) for genotype in found)
        return {"share": reached, "archive": tuple(names)}


Measure: TypeAlias = BestAccuracy | FrontShare
"""What a run is measured by."""


def measure_of(task: Task, problem: Problem) -> Measure:
    """Returns what a task's runs are measured by.

    Args:
        task: with objectives, for the front; else for the best accuracy.
        problem: the task's.
    """
    if task.objectives:
        return FrontShare(problem, task)
    return BestAccuracy(problem, task.limit(problem))


def answers_in(ledger: BudgetedProblem, limit: float | None) -> Answers:
    """Returns what was answered to the queries in a ledger's history.

    Args:
        ledger: with its history.
        limit: the budget, or None.
    """
    history = ledger.history()
    uniforms = np.zeros(len(history.genotypes))
    evaluation = ledger.problem.evaluate_valid(history.genotypes, uniforms=uniforms)
    feasible = feasible_rows(ledger.problem, evaluation, limit=limit)
    return Answers(history.accuracy_percent, evaluation.costs, feasible)


def feasible_rows(
    problem: Problem, evaluation: Evaluation, *, limit: float | None
) -> BoolArray:
    """Returns which networks are deployable and within a budget: ``(N,)``.

    Args:
        problem: whose metric the budget is on.
        evaluation: of N networks.
        limit: the budget, or None.
    """
    cost = evaluation.costs[:, problem.metric_column]
    within: BoolArray = cost <= (np.inf if limit is None else limit)
    return evaluation.deployable & within
