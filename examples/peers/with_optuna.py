"""Optuna's TPE with the budget as a constraint, and a problem of OptunaHub's form."""

import optuna
from rich import print

import hwnas_env
from hwnas_env.integrations import optuna_objective, optunahub_problem

optuna.logging.set_verbosity(optuna.logging.WARNING)
problem = hwnas_env.make_problem("nasbench201", device="edgegpu")
ledger = hwnas_env.BudgetedProblem(problem, max_queries=60)
sampler = optuna.samplers.TPESampler(seed=0, multivariate=True)
study = optuna.create_study(direction="maximize", sampler=sampler)
study.optimize(optuna_objective(ledger), n_trials=1000)  # the ledger ends it

optimum = problem.optimum("medium").accuracy_percent
best = study.best_value
print(f"{best:.2f} % after {ledger.queries} queries; optimum {optimum:.2f} %")
assert ledger.queries == len(study.trials) == 60
assert best <= optimum

shared = hwnas_env.BudgetedProblem(problem, max_queries=60)
hub = optunahub_problem(shared, objectives=("accuracy", "latency_ms"))
sampler = optuna.samplers.NSGAIISampler(seed=0, population_size=20)
study = optuna.create_study(directions=hub.directions, sampler=sampler)
study.optimize(hub, n_trials=60)
print(f"{len(study.best_trials)} networks on the front after {shared.queries} queries")
assert shared.queries == 60
