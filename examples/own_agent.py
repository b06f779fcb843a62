"""An agent of one's own, (1+1)-evolution, against random search."""

import numpy as np
from rich import print

from hwnas_env.agents import Searcher
from hwnas_env.benchmark import Task, run_all


class OnePlusOne(Searcher):
    """Keeps the best network and proposes a change of it."""

    name = "one_plus_one"
    best, parent = -np.inf, None

    def propose(self):
        """Draws one network by the mask first, then a feasible change of the best."""
        if self.parent is None:
            return self.sample()
        return self.neighbour(self.parent, double=0.5)

    def learn(self, genotypes, evaluation):
        """Keeps what is at least as good; what is infeasible scores -1."""
        for genotype, score in zip(genotypes, self.score(evaluation), strict=True):
            if score >= self.best:
                self.best, self.parent = score, genotype.copy()


if __name__ == "__main__":
    task = Task("HWNAS-FBNet-EdgeTPU-v0")
    for agent in ("own_agent:OnePlusOne", "random"):  # "module:Class" is found
        runs = run_all(task, [agent], seeds=5, queries=300)
        regret = np.mean([run.regret_percent for run in runs])
        print(f"{agent:20} ends {regret:.2f} points below the exact optimum")
        assert all(run.queries == 300 for run in runs)
