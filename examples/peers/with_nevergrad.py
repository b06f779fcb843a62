"""Nevergrad's discrete (1+1)-evolution on NAS-Bench-201, within 400 queries."""

import nevergrad as ng
from rich import print

import hwnas_env
from hwnas_env.integrations import loss, nevergrad_choices

problem = hwnas_env.make_problem("nasbench201", device="raspi4")
ledger = hwnas_env.BudgetedProblem(problem, max_queries=400)
choices = nevergrad_choices(problem, seed=1)
optimizer = ng.optimizers.DiscreteOnePlusOne(choices, budget=400)
best = 0.0
while not ledger.exhausted:
    candidate = optimizer.ask()
    record = ledger.ask(candidate.value)
    optimizer.tell(candidate, loss(record))
    if record["feasible"]:
        best = max(best, record["accuracy_percent"])

optimum = problem.optimum("medium").accuracy_percent
print(f"{best:.2f} % after {ledger.queries} queries; optimum {optimum:.2f} %")
assert ledger.queries == 400
assert 0 < best <= optimum
