"""pymoo's NSGA-II: the front of accuracy and latency of FBNet within 2,000 queries."""

from pymoo.algorithms.moo.nsga2 import NSGA2
from pymoo.optimize import minimize
from rich import print

import hwnas_env
from hwnas_env.integrations import pymoo_operators, pymoo_problem

problem = hwnas_env.make_problem("fbnet", device="eyeriss")
ledger = hwnas_env.BudgetedProblem(problem, max_queries=2000)
algorithm = NSGA2(pop_size=50, **pymoo_operators())
result = minimize(pymoo_problem(ledger), algorithm, ("n_eval", 2000), seed=1)
best = 100 - result.F[:, 0].min()
exact = problem.optimum("medium").accuracy_percent
print(
    f"{len(result.F)} networks on the front, best {best:.2f} %, optimum {exact:.2f} %"
)
assert ledger.exhausted
assert best <= exact
