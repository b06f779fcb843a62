"""Local search on NAS-Bench-201 for the Edge GPU, within 300 queries."""

import numpy as np
from rich import print

import hwnas_env

problem = hwnas_env.make_problem("nasbench201", device="edgegpu", dataset="cifar10")
budget = problem.budget("medium")
ledger = hwnas_env.BudgetedProblem(problem, max_queries=300)
rng = np.random.default_rng(0)


def best_of(genotypes):
    """Spends queries on a batch; returns its best feasible network and accuracy."""
    genotypes = genotypes[: ledger.remaining]
    evaluation = ledger.evaluate(genotypes)
    cost = evaluation.costs[:, problem.metric_column]
    feasible = evaluation.deployable & (cost <= budget)
    accuracy = np.where(feasible, evaluation.accuracy_percent, -1.0)
    row = int(accuracy.argmax())
    return float(accuracy[row]), genotypes[row]


incumbent = current = best_of(problem.space.sample(24, rng=rng))
while not ledger.exhausted:
    neighbour = best_of(problem.space.neighbours(current[1]))
    if neighbour[0] > current[0]:
        current = neighbour
    elif not ledger.exhausted:  # a local optimum: start again elsewhere
        current = best_of(problem.space.sample(24, rng=rng))
    incumbent = max(incumbent, current, key=lambda found: found[0])

optimum = problem.optimum(budget).accuracy_percent
print(problem.decode(incumbent[1]))
print(f"{incumbent[0]:.2f} % after {ledger.queries} queries; optimum {optimum:.2f} %")
assert incumbent[0] <= optimum
