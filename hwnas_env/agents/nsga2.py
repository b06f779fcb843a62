"""NSGA-II, by Optuna: for one objective under a constraint, or for several.

References:
    Deb et al., A Fast and Elitist Multiobjective Genetic Algorithm: NSGA-II, IEEE
    Transactions on Evolutionary Computation 6, 2002.
"""

from dataclasses import dataclass
from typing import Any

from hwnas_env.agents.config import check_number, check_whole
from hwnas_env.agents.optuna_sampler import OptunaConfig, OptunaSearcher


@dataclass(frozen=True)
class NSGA2Config(OptunaConfig):
    """Hyperparameters of NSGA-II.

    Attributes:
        population: networks of a generation.
        crossover: chance that a child has two parents.
        swapping: chance, a position, that the second parent's choice is taken.
    """

    population: int = 20
    crossover: float = 0.9
    swapping: float = 0.5

    def __post_init__(self) -> None:
        """Checks the values.

        Raises:
            InvalidArgumentError: a value is out of range.
        """
        super().__post_init__()
        check_whole(self, "population", at_least=2)
        check_number(self, "crossover", "swapping", at_most=1.0)


class NSGA2(OptunaSearcher[NSGA2Config]):
    """Crosses and mutates the best networks, generation by generation.

    Constraint: as every sampler's of Optuna; NSGA-II follows Deb's rules: feasible
    before infeasible, among infeasible the smaller violation.
    """

    name = "nsga2"

    def sampler(self, optuna: Any, *, seed: int) -> Any:
        """Builds the sampler; see :meth:`OptunaSearcher.sampler`."""
        return optuna.samplers.NSGAIISampler(
            population_size=self.config.population,
            crossover_prob=self.config.crossover,
            swapping_prob=self.config.swapping,
            seed=seed,
        )
