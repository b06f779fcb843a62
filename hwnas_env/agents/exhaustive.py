"""Exhaustive enumeration: every feasible network once, where they are few enough."""

from dataclasses import dataclass

import numpy as np

from hwnas_env.agents.config import Config, check_whole
from hwnas_env.agents.searcher import Searcher
from hwnas_env.errors import InvalidArgumentError, SearchExhaustedError
from hwnas_env.types import Evaluation, Genotypes

LARGEST_SPACE = 1_000_000
"""Networks that are held at once: 6 MB of genotypes on six positions."""


@dataclass(frozen=True)
class ExhaustiveConfig(Config):
    """Settings of exhaustive enumeration.

    Attributes:
        batch: networks of a proposal.
    """

    batch: int = 1

    def __post_init__(self) -> None:
        """Checks the values.

        Raises:
            InvalidArgumentError: the batch is not a positive whole number.
        """
        check_whole(self, "batch")


class Exhaustive(Searcher[ExhaustiveConfig]):
    """Enumerates in random order, then raises: random search without replacement.

    Constraint: networks that break the budget are left out, so every proposal is
    feasible.

    Raises:
        InvalidArgumentError: the search space is too large.
    """

    name = "exhaustive"

    def start(self) -> None:
        """Lists the feasible networks and draws their order.

        Raises:
            InvalidArgumentError: the search space is too large.
        """
        space = self.problem.space
        if space.size > LARGEST_SPACE:
            message = (
                f"exhaustive: expected a space of at most {LARGEST_SPACE:,} networks, "
                f"{space.name} has {space.size:,}"
            )
            raise InvalidArgumentError(message)
        digits = np.unravel_index(np.arange(space.size), space.choices_at)
        networks = np.stack(digits, axis=1).astype(np.int8)
        self._left = self.rng.permutation(networks[self.feasible(networks)])
        self._count = len(self._left)

    def propose(self) -> Genotypes:
        """Returns the next networks.

        Raises:
            SearchExhaustedError: there are no more.
        """
        if len(self._left) == 0:
            message = f"exhaustive: all {self._count} feasible networks were proposed"
            raise SearchExhaustedError(message)
        count = self.config.batch
        proposed, self._left = self._left[:count], self._left[count:]
        return proposed

    def learn(self, genotypes: Genotypes, evaluation: Evaluation) -> None:
        """Learns nothing: the order is drawn at the start."""
