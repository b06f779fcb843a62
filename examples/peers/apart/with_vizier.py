"""Vizier's NSGA-II designer and its benchmarks, within 60 queries."""

from rich import print
from vizier._src.algorithms.evolution.nsga2 import NSGA2Designer
from vizier.algorithms import ActiveTrials, CompletedTrials

import hwnas_env
from hwnas_env.integrations import vizier_experimenter

problem = hwnas_env.make_problem("nasbench201", device="edgetpu")
ledger = hwnas_env.BudgetedProblem(problem, max_queries=60)
found = []
ledger.watch(lambda _, record: found.append(record))
experimenter = vizier_experimenter(ledger)
designer = NSGA2Designer(experimenter.problem_statement(), seed=0)
while not ledger.exhausted:
    first = ledger.queries + 1
    suggestions = designer.suggest(2)
    trials = [one.to_trial(first + place) for place, one in enumerate(suggestions)]
    experimenter.evaluate(trials)
    designer.update(CompletedTrials(trials), ActiveTrials())
best = max(one["accuracy_percent"] for one in found if one["feasible"])
optimum = problem.optimum("medium").accuracy_percent
print(f"{best:.2f} % after {ledger.queries} queries; optimum {optimum:.2f} %")
assert ledger.queries == 60
assert best <= optimum
