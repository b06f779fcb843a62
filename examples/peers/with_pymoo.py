"""pymoo's NSGA-II: the front of accuracy and latency of FBNet within 2,000 queries."""

import numpy as np
from pymoo.algorithms.moo.nsga2 import NSGA2
from pymoo.core.problem import Problem
from pymoo.operators.crossover.pntx import TwoPointCrossover
from pymoo.operators.mutation.rm import ChoiceRandomMutation
from pymoo.operators.sampling.rnd import IntegerRandomSampling
from pymoo.optimize import minimize
from rich import print

import hwnas_env

problem = hwnas_env.make_problem("fbnet", device="eyeriss")
budget = problem.budget("medium")
ledger = hwnas_env.BudgetedProblem(problem, max_queries=2000)


class Networks(Problem):
    """Minimises error and latency under the budget; vectorised, one row a network."""

    def __init__(self):
        """Sets the size: integers from 0 to K - 1 at every position."""
        length, choices = problem.space.length, problem.space.choices
        super().__init__(
            n_var=length, n_obj=2, n_ieq_constr=1, xl=0, xu=choices - 1, vtype=int
        )

    def _evaluate(self, x, out, *_args, **_keywords):
        evaluation = ledger.evaluate(x.astype(np.int8))
        latency_ms = evaluation.costs[:, problem.metric_column]
        out["F"] = np.column_stack([100 - evaluation.accuracy_percent, latency_ms])
        out["G"] = np.where(evaluation.deployable, latency_ms / budget - 1, 1.0)


class Mutation(ChoiceRandomMutation):
    """Draws a mutated position anew."""

    def _do(self, problem, x, random_state=None, **_keywords):
        mask = random_state.random(x.shape) < 1 / problem.n_var
        return np.where(mask, random_state.integers(0, problem.xu + 1, x.shape), x)


algorithm = NSGA2(
    pop_size=50,
    sampling=IntegerRandomSampling(),
    crossover=TwoPointCrossover(),
    mutation=Mutation(),
)
result = minimize(Networks(), algorithm, ("n_eval", 2000), seed=1)
best = 100 - result.F[:, 0].min()
exact = problem.optimum(budget).accuracy_percent
print(
    f"{len(result.F)} networks on the front, best {best:.2f} %, optimum {exact:.2f} %"
)
assert ledger.exhausted
assert best <= exact
