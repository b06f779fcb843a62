"""Ax's Bayesian optimisation on NAS-Bench-201, within 14 queries."""

import logging
import warnings

import torch
from ax.api.client import Client
from rich import print

import hwnas_env
from hwnas_env.integrations import ax_parameters

torch.set_num_threads(1)  # problems this small are slower with more
logging.disable(logging.WARNING)
warnings.simplefilter("ignore")
problem = hwnas_env.make_problem("nasbench201", device="edgetpu")
ledger = hwnas_env.BudgetedProblem(problem, max_queries=14)

client = Client(random_seed=1)
client.configure_experiment(parameters=ax_parameters(problem))
client.configure_generation_strategy(initialization_budget=8)
client.configure_optimization(
    objective="accuracy_percent", outcome_constraints=["violation <= 0.0"]
)
best = 0.0
while not ledger.exhausted:
    for trial, values in client.get_next_trials(max_trials=1).items():
        record = ledger.ask(values)
        told = {name: record[name] for name in ("accuracy_percent", "violation")}
        client.complete_trial(trial, told)
        if record["feasible"]:
            best = max(best, record["accuracy_percent"])

optimum = problem.optimum("medium").accuracy_percent
print(f"{best:.2f} % after {ledger.queries} queries; optimum {optimum:.2f} %")
assert ledger.queries == 14
assert 0 < best <= optimum
