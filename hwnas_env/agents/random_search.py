"""Random search: every decision uniform over what the mask allows.

References:
    Li and Talwalkar, Random Search and Reproducibility for Neural Architecture Search,
    UAI 2019.
"""

from hwnas_env.agents.config import Config
from hwnas_env.agents.searcher import Searcher
from hwnas_env.types import Evaluation, Genotypes


class RandomSearch(Searcher[Config]):
    """Samples feasible networks; learns nothing.

    Constraint: masked, so every proposal is feasible. Uniform over the decisions at
    each position, not over the feasible networks.
    """

    name = "random"

    def propose(self) -> Genotypes:
        """Draws one network."""
        return self.sample()

    def learn(self, genotypes: Genotypes, evaluation: Evaluation) -> None:
        """Learns nothing."""
