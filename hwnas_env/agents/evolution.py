"""Regularized evolution: the oldest dies, the best of a sample has a child.

References:
    Real et al., Regularized Evolution for Image Classifier Architecture Search,
    AAAI 2019, algorithm 1.
"""

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hwnas_env.agents.config import Config, check_flag, check_number, check_whole
from hwnas_env.agents.searcher import Searcher
from hwnas_env.moved import renamed
from hwnas_env.types import Evaluation, Genotypes


@dataclass(frozen=True)
class EvolutionConfig(Config):
    """Hyperparameters of regularized evolution.

    Attributes:
        population: networks alive.
        sample: candidates of a tournament.
        double: chance that a child differs in two positions, not one. Of 0, 0.5 and 1,
            0.5 was best, in a small space and in a large one.
        distinct: True has no child that was evaluated before; of 500 queries in a
            space of some ten thousand networks, a third would repeat one.
    """

    population: int = 20
    sample: int = 8
    double: float = 0.5
    distinct: bool = True

    def __post_init__(self) -> None:
        """Checks the values.

        Raises:
            InvalidArgumentError: a value is out of range.
        """
        check_whole(self, "population", "sample")
        check_number(self, "double", at_least=0.0, at_most=1.0)
        check_flag(self, "distinct")


class RegularizedEvolution(Searcher[EvolutionConfig]):
    """Evolves a population by mutation of one position or two.

    Constraint: the first population is masked random search; a mutation is drawn among
    those that meet the budget, so every proposal is feasible.
    """

    name = "evolution"

    def start(self) -> None:
        """Begins with nobody alive."""
        self._alive: deque[tuple[float, Genotypes]] = deque(
            maxlen=self.config.population
        )

    def propose(self) -> Genotypes:
        """Draws one network of the first population, or a child."""
        if len(self._alive) < self.config.population:
            return self.sample()
        rivals = self.rng.integers(0, len(self._alive), self.config.sample)
        parent = max((self._alive[int(i)] for i in rivals), key=lambda rival: rival[0])
        config = self.config
        return self.neighbour(parent[1], double=config.double, distinct=config.distinct)

    def learn(self, genotypes: Genotypes, evaluation: Evaluation) -> None:
        """Adds the networks; beyond the population's size the oldest die."""
        for score, genotype in zip(self.score(evaluation), genotypes, strict=True):
            self._alive.append((float(score), genotype.copy()))


if not TYPE_CHECKING:
    __getattr__ = renamed(__name__)
