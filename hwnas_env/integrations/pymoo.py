"""Problems and operators for pymoo: networks as rows of whole numbers."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from hwnas_env.extras import load_extra
from hwnas_env.problems.asking import objective_values
from hwnas_env.problems.budget import BudgetedProblem


def pymoo_problem(
    ledger: BudgetedProblem,
    *,
    objectives: Sequence[str] | None = None,
    budget: float | str | None = "medium",
) -> Any:
    """Returns a vectorised ``pymoo.core.problem.Problem`` that spends a ledger.

    Rows are genotypes. All objectives are minimised: accuracy as the error in percent,
    and a metric that is maximised with its sign turned. The one constraint is the
    violation.

    Args:
        ledger: what is spent; pymoo's termination has to fit it.
        objectives: "accuracy" and names of metrics; by default the accuracy and the
            latency, or the budget's metric where there is none.
        budget: what the constraint is; None for no bound.

    Raises:
        MissingExtraError: pymoo is not installed.
        UnknownNameError: no objective has that name.
    """
    return _problem_class()(ledger, objectives, budget)


def pymoo_operators() -> dict[str, Any]:
    """Returns the operators for unordered choices, as keywords of an algorithm.

    Networks are drawn uniformly, crossed over at two points, and mutated by drawing
    each position anew with the chance 1 / L.

    Raises:
        MissingExtraError: pymoo is not installed.
    """
    purpose = "pymoo_operators"
    base: Any = load_extra("pymoo.core.mutation", extra="peers", purpose=purpose)
    points: Any = load_extra(
        "pymoo.operators.crossover.pntx", extra="peers", purpose=purpose
    )
    draws: Any = load_extra(
        "pymoo.operators.sampling.rnd", extra="peers", purpose=purpose
    )

    class Redraw(base.Mutation):  # type: ignore[misc]
        """Draws positions anew."""

        def _do(
            self, problem: Any, x: Any, random_state: Any = None, **_keywords: Any
        ) -> Any:
            changed = random_state.random(x.shape) < 1 / problem.n_var
            drawn = random_state.integers(0, problem.xu + 1, x.shape)
            return np.where(changed, drawn, x)

    return {
        "sampling": draws.IntegerRandomSampling(),
        "crossover": points.TwoPointCrossover(),
        "mutation": Redraw(),
    }


def _problem_class() -> Any:
    """Returns the class, whose base is pymoo's."""
    base: Any = load_extra("pymoo.core.problem", extra="peers", purpose="pymoo_problem")

    class HWNASProblem(base.Problem):  # type: ignore[misc]
        """One search space on one device, under one ledger."""

        def __init__(
            self,
            ledger: BudgetedProblem,
            objectives: Sequence[str] | None,
            budget: float | str | None,
        ) -> None:
            """See :func:`pymoo_problem`."""
            problem = ledger.problem
            chosen = problem.usual_objectives if objectives is None else objectives
            self.ledger, self._budget = ledger, budget
            self._objectives = problem.objectives(chosen)
            super().__init__(
                n_var=problem.space.length,
                n_obj=len(self._objectives),
                n_ieq_constr=1,
                xl=0,
                xu=np.array(problem.space.choices_at) - 1,
                vtype=int,
            )

        def _evaluate(
            self, x: Any, out: dict[str, Any], *_arguments: Any, **_keywords: Any
        ) -> None:
            found = self.ledger.ask(x.astype(np.int8), budget=self._budget)
            out["F"] = np.array([self._minimised(record) for record in found])
            out["G"] = np.array([[record["violation"]] for record in found])

        def _minimised(self, record: dict[str, Any]) -> list[float]:
            names = [one.name for one in self._objectives]
            values = objective_values(self.ledger.problem, record, names)
            return [
                100.0 - value
                if one.name == "accuracy"
                else (value if one.minimise else -value)
                for one, value in zip(self._objectives, values, strict=True)
            ]

    return HWNASProblem
