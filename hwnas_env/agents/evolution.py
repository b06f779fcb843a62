"""Regularized evolution: the oldest dies, the best of a sample has a child.

References:
    Real et al., Regularized Evolution for Image Classifier Architecture Search,
    AAAI 2019, algorithm 1.
"""

from collections import deque

import numpy as np

from hwnas_env.agents.searcher import Searcher
from hwnas_env.problems.problem import Problem
from hwnas_env.types import Evaluation, Genotypes


class RegularizedEvolution(Searcher):
    """Evolves a population by mutation of one position.

    Constraint: the first population is masked random search; a mutation that breaks the
    budget is drawn again, so every proposal is feasible.

    Args:
        problem: what is searched.
        budget: bound on the cost.
        rng: its only source of randomness.
        population: networks alive.
        sample: candidates of a tournament.
    """

    def __init__(
        self,
        problem: Problem,
        budget: float,
        *,
        rng: np.random.Generator,
        population: int = 30,
        sample: int = 8,
    ) -> None:
        """See the class."""
        super().__init__(problem, budget, rng=rng)
        self._size, self._tournament = population, sample
        self._alive: deque[tuple[float, Genotypes]] = deque(maxlen=population)

    def ask(self) -> Genotypes:
        """Proposes one network."""
        if len(self._alive) < self._size:
            return self.sample()
        rivals = self.rng.integers(0, len(self._alive), self._tournament)
        parent = max((self._alive[int(i)] for i in rivals), key=lambda rival: rival[0])
        return self._mutate(parent[1])

    def tell(self, genotypes: Genotypes, evaluation: Evaluation) -> None:
        """Adds the network; beyond the population's size the oldest dies."""
        for score, genotype in zip(self.score(evaluation), genotypes, strict=True):
            self._alive.append((float(score), genotype.copy()))

    def _mutate(self, parent: Genotypes, *, tries: int = 200) -> Genotypes:
        space = self.problem.space
        for _ in range(tries):
            child = parent.copy()
            position = int(self.rng.integers(space.length))
            step = int(self.rng.integers(1, space.choices))
            child[position] = (int(child[position]) + step) % space.choices
            if self.feasible(child):
                return child[None, :]
        return self.sample()
