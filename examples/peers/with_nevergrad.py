"""Nevergrad's discrete (1+1)-evolution on NAS-Bench-201, within 400 queries."""

import nevergrad as ng
import numpy as np
from rich import print

import hwnas_env

problem = hwnas_env.make_problem("nasbench201", device="raspi4")
budget = problem.budget("medium")
ledger = hwnas_env.BudgetedProblem(problem, max_queries=400)

space = problem.space
choice = ng.p.TransitionChoice(
    range(space.choices), repetitions=space.length, ordered=False
)
choice.random_state.seed(1)
optimizer = ng.optimizers.DiscreteOnePlusOne(choice, budget=400)

best = 0.0
while not ledger.exhausted:
    candidate = optimizer.ask()
    evaluation = ledger.evaluate(np.array(candidate.value, dtype=np.int8))
    accuracy = float(evaluation.accuracy_percent[0])
    cost = float(evaluation.costs[0, problem.metric_column])
    excess = min(max(cost / budget - 1, 0.0), 1.0)  # 1 where it is not deployable
    # a violation ranks below everything feasible, the larger the lower
    optimizer.tell(candidate, -accuracy if excess == 0 else 100 * (1 + excess))
    if excess == 0:
        best = max(best, accuracy)

optimum = problem.optimum(budget).accuracy_percent
print(f"{best:.2f} % after {ledger.queries} queries; optimum {optimum:.2f} %")
assert ledger.queries == 400
assert 0 < best <= optimum
