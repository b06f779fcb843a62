"""An experimenter for Vizier's designers and benchmarks."""

from collections.abc import Sequence
from typing import Any

from hwnas_env.extras import load_extra
from hwnas_env.problems.asking import parameters
from hwnas_env.problems.budget import BudgetedProblem


def vizier_experimenter(
    ledger: BudgetedProblem, *, budget: float | str | None = "medium"
) -> Any:
    """Returns a ``vizier.benchmarks.experimenters.Experimenter`` that spends a ledger.

    It maximises ``accuracy_percent``, with ``violation`` at most 0 as a safety metric.

    Args:
        ledger: what is spent.
        budget: what the constraint is; None for no bound.

    Raises:
        MissingExtraError: Vizier is not installed.
    """
    return _experimenter_class()(ledger, budget)


def _experimenter_class() -> Any:
    """Returns the class, whose base is Vizier's."""
    purpose = "vizier_experimenter"
    vizier: Any = load_extra("vizier.pyvizier", extra="vizier", purpose=purpose)
    base: Any = load_extra(
        "vizier.benchmarks.experimenters", extra="vizier", purpose=purpose
    )

    class HWNASExperimenter(base.Experimenter):  # type: ignore[misc]
        """One search space on one device, under one ledger."""

        def __init__(self, ledger: BudgetedProblem, budget: float | str | None) -> None:
            """See :func:`vizier_experimenter`."""
            self.ledger, self._budget = ledger, budget

        def problem_statement(self) -> Any:
            """Returns the choices and the metrics."""
            statement = vizier.ProblemStatement()
            for name, names in parameters(self.ledger.problem).items():
                statement.search_space.root.add_categorical_param(name, list(names))
            goals = vizier.ObjectiveMetricGoal
            statement.metric_information.extend(
                [
                    vizier.MetricInformation("accuracy_percent", goal=goals.MAXIMIZE),
                    vizier.MetricInformation(
                        "violation", goal=goals.MINIMIZE, safety_threshold=0.0
                    ),
                ]
            )
            return statement

        def evaluate(self, suggestions: Sequence[Any]) -> None:
            """Completes trials, one query each."""
            asked = [trial.parameters.as_dict() for trial in suggestions]
            found = self.ledger.ask(asked, budget=self._budget)
            for trial, record in zip(suggestions, found, strict=True):
                names = ("accuracy_percent", "violation")
                metrics = {name: record[name] for name in names}
                trial.complete(vizier.Measurement(metrics=metrics))

    return HWNASExperimenter
