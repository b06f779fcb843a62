"""Objectives for Optuna's studies, and a problem of OptunaHub's form."""

from collections.abc import Callable, Sequence
from typing import Any

from hwnas_env.extras import load_extra
from hwnas_env.problems.asking import known_violation, objective_values, parameters
from hwnas_env.problems.budget import BudgetedProblem

ACCURACY = ("accuracy",)
CONSTRAINT = "budget"
"""Name of the constraint that a trial is given."""


def optuna_objective(
    ledger: BudgetedProblem,
    *,
    objectives: Sequence[str] = ACCURACY,
    budget: float | str | None = "medium",
) -> Callable[[Any], Any]:
    """Returns an objective of Optuna 5 that spends a ledger.

    Each trial gets the constraint "budget", the record's violation, and the record as
    user attributes. The study is stopped by the trial that spends the last query.

    Args:
        ledger: what is spent.
        objectives: "accuracy", to be maximised, and names of metrics; several make a
            study with several directions.
        budget: what the constraint is; None for no bound.

    Raises:
        UnknownNameError: no objective has that name.
    """
    names = [one.name for one in ledger.problem.objectives(objectives)]
    choices = parameters(ledger.problem)

    def objective(trial: Any) -> Any:
        values = {at: trial.suggest_categorical(at, choices[at]) for at in choices}
        record = ledger.ask(values, budget=budget)
        trial.set_constraint(CONSTRAINT, record["violation"])
        for key, value in record.items():
            trial.set_user_attr(key, value)
        if ledger.exhausted and getattr(trial, "study", None) is not None:
            trial.study.stop()
        return _answer(objective_values(ledger.problem, record, names))

    return objective


def optunahub_problem(
    ledger: BudgetedProblem,
    *,
    objectives: Sequence[str] = ACCURACY,
    budget: float | str | None = "medium",
) -> Any:
    """Returns an ``optunahub.benchmarks.BaseProblem`` that spends a ledger.

    It has ``search_space``, ``directions``, ``evaluate`` and ``evaluate_constraints``,
    and is an objective itself. A trial costs one query: the constraint of a network is
    known without one, as masks know it.

    Args:
        ledger: what is spent.
        objectives: as in :func:`optuna_objective`.
        budget: what the constraint is; None for no bound.

    Raises:
        MissingExtraError: OptunaHub is not installed.
        UnknownNameError: no objective has that name.
    """
    return _problem_class()(ledger, objectives, budget)


def _problem_class() -> Any:
    """Returns the class, whose base is OptunaHub's."""
    purpose = "optunahub_problem"
    optuna: Any = load_extra("optuna", extra="bbo", purpose=purpose)
    hub: Any = load_extra("optunahub", extra="peers", purpose=purpose)

    class HWNASProblem(hub.benchmarks.BaseProblem):  # type: ignore[misc]
        """One search space on one device, under one ledger."""

        def __init__(
            self,
            ledger: BudgetedProblem,
            objectives: Sequence[str],
            budget: float | str | None,
        ) -> None:
            """See :func:`optunahub_problem`."""
            self.ledger, self._budget = ledger, budget
            self._objectives = ledger.problem.objectives(objectives)

        @property
        def search_space(self) -> dict[str, Any]:
            """A categorical distribution a position, by name."""
            categorical = optuna.distributions.CategoricalDistribution
            choices = parameters(self.ledger.problem)
            return {name: categorical(names) for name, names in choices.items()}

        @property
        def directions(self) -> list[Any]:
            """Which way each objective is better."""
            ways = optuna.study.StudyDirection
            return [
                ways.MINIMIZE if one.minimise else ways.MAXIMIZE
                for one in self._objectives
            ]

        def evaluate(self, params: dict[str, Any]) -> Any:
            """Returns the objectives of one network: one query."""
            record = self.ledger.ask(params, budget=self._budget)
            names = [one.name for one in self._objectives]
            return _answer(objective_values(self.ledger.problem, record, names))

        def evaluate_constraints(self, params: dict[str, Any]) -> dict[str, float]:
            """Returns the violation of one network: no query."""
            return {
                CONSTRAINT: known_violation(
                    self.ledger.problem, params, budget=self._budget
                )
            }

    return HWNASProblem


def _answer(values: list[float]) -> Any:
    return values[0] if len(values) == 1 else values
