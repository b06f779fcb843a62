"""HEBO's Bayesian optimisation on NAS-Bench-201, within 12 queries."""

import warnings

import numpy as np
from hebo.design_space.design_space import DesignSpace
from hebo.optimizers.hebo import HEBO
from rich import print

import hwnas_env
from hwnas_env.integrations import loss, parameters

warnings.simplefilter("ignore")
problem = hwnas_env.make_problem("nasbench201", device="edgetpu")
ledger = hwnas_env.BudgetedProblem(problem, max_queries=12)
space = DesignSpace().parse(
    [
        {"name": name, "type": "cat", "categories": list(choices)}
        for name, choices in parameters(problem).items()
    ]
)
optimizer = HEBO(space, rand_sample=8)
losses = []
while not ledger.exhausted:
    suggested = optimizer.suggest(n_suggestions=1)
    records = ledger.ask(suggested.to_dict("records"))
    losses += map(loss, records)
    optimizer.observe(suggested, np.array([[loss(one)] for one in records]))
print(f"loss {min(losses):.2f} after {ledger.queries} queries")
assert ledger.queries == 12
assert min(losses) >= 100 - problem.optimum().accuracy_percent
