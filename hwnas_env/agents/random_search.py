"""Random search: every decision uniform over what the mask allows."""

from hwnas_env.agents.searcher import Searcher
from hwnas_env.types import Evaluation, Genotypes


class RandomSearch(Searcher):
    """Samples feasible networks; learns nothing.

    Constraint: masked, so every proposal is feasible. Uniform over the decisions at
    each position, not over the feasible networks.
    """

    def ask(self) -> Genotypes:
        """Proposes one network."""
        return self.sample()

    def tell(self, genotypes: Genotypes, evaluation: Evaluation) -> None:
        """Learns nothing."""
