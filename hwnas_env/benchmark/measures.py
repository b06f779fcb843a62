"""What a run is measured by: the best accuracy within a budget, or the front."""

from dataclasses import dataclass

import numpy as np

from hwnas_env.benchmark.fronts import archive_of, volume_of
from hwnas_env.benchmark.tasks import Task
from hwnas_env.problems.budget import BudgetedProblem
from hwnas_env.problems.problem import Problem
from hwnas_env.types import BoolArray, Evaluation, FloatArray, IntArray


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


def answers_in(ledger: BudgetedProblem, limit: float | None) -> Answers:
    """Returns the answers to the queries in a ledger's history.

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


def measured(task: Task, answers: Answers) -> tuple[list[float], IntArray]:
    """Measures what a run had found after every query.

    Args:
        task: with objectives, an archive is measured; else an incumbent.
        answers: to the run's queries.

    Returns:
        The curve: the archive's share of the exact front's hypervolume, or the
        incumbent's accuracy, NaN before the first; and the places in the run of what it
        had found in the end.
    """
    if not task.objectives:
        return incumbents(answers)
    if len(answers.costs) == 0:  # no need of the exact front, which may take long
        return [], np.zeros(0, dtype=np.int64)
    volume = volume_of(task)
    return archive_of(volume, volume.points(answers.accuracy_percent, answers.costs))


def incumbents(answers: Answers) -> tuple[list[float], IntArray]:
    """Follows the most accurate feasible network through a run.

    Args:
        answers: to the run's queries.

    Returns:
        The incumbent's accuracy after every query, NaN before the first, and the place
        of the final one; no place where there is none.
    """
    reached = np.where(answers.feasible, answers.accuracy_percent, -np.inf)
    curve = np.maximum.accumulate(reached)
    best = np.flatnonzero(answers.feasible & (reached == curve[-1:]))[:1]
    return np.where(np.isfinite(curve), curve, np.nan).tolist(), best
