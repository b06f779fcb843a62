"""SMAC's random-forest search on NAS-Bench-201, within 40 queries."""

import tempfile

from rich import print
from smac import HyperparameterOptimizationFacade, Scenario

import hwnas_env
from hwnas_env.integrations import loss, to_configspace

problem = hwnas_env.make_problem("nasbench201", device="edgetpu")
ledger = hwnas_env.BudgetedProblem(problem, max_queries=40)
records = []


def evaluate(configuration, seed=0):  # noqa: ARG001
    """Returns what SMAC minimises."""
    records.append(ledger.ask(dict(configuration)))
    return loss(records[-1])


with tempfile.TemporaryDirectory() as folder:
    scenario = Scenario(
        to_configspace(problem, seed=0),
        deterministic=True,
        n_trials=40,
        output_directory=folder,
        seed=0,
    )
    smac = HyperparameterOptimizationFacade(
        scenario, evaluate, logging_level=False, overwrite=True
    )
    smac.optimize()
best = max(one["accuracy_percent"] for one in records if one["feasible"])
optimum = problem.optimum("medium").accuracy_percent
print(f"{best:.2f} % after {ledger.queries} queries; optimum {optimum:.2f} %")
assert ledger.queries == len(records) == 40
assert best <= optimum
