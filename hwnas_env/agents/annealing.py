"""Simulated annealing: a random walk that accepts less and less of what is worse.

References:
    Kirkpatrick, Gelatt and Vecchi, Optimization by Simulated Annealing, Science 220,
    1983.
"""

import math
from dataclasses import dataclass

from hwnas_env.agents.config import Config, check_flag, check_number, check_whole
from hwnas_env.agents.searcher import Searcher
from hwnas_env.errors import InvalidArgumentError
from hwnas_env.maths.elementary import exp, power
from hwnas_env.types import Evaluation, Genotypes


@dataclass(frozen=True)
class AnnealingConfig(Config):
    """Hyperparameters of simulated annealing.

    Attributes:
        initial: first temperature, in percentage points of accuracy.
        final: last temperature, in the same unit; at most the first.
        queries: answers over which the temperature falls, geometrically; it stays at
            the last one after that.
        double: chance that a step changes two positions, not one.
        distinct: True tries no network that was evaluated before.
    """

    initial: float = 2.0
    final: float = 0.05
    queries: int = 300
    double: float = 0.5
    distinct: bool = True

    def __post_init__(self) -> None:
        """Checks the values.

        Raises:
            InvalidArgumentError: a value is out of range, or final above initial.
        """
        check_number(self, "initial", "final")
        check_number(self, "double", at_least=0.0, at_most=1.0)
        check_flag(self, "distinct")
        check_whole(self, "queries")
        if self.final > self.initial:
            message = (
                f"AnnealingConfig.final: expected at most initial, {self.initial}, "
                f"got {self.final}"
            )
            raise InvalidArgumentError(message)


class SimulatedAnnealing(Searcher[AnnealingConfig]):
    """Walks from neighbour to neighbour.

    Constraint: the start is a masked sample and neighbours are drawn among those that
    meet the budget, so every proposal is feasible.
    """

    name = "annealing"

    def start(self) -> None:
        """Stands nowhere yet, and has cooled by nothing."""
        self._current: Genotypes | None = None
        self._score = -math.inf
        self._answers = 0

    @property
    def temperature(self) -> float:
        """The present temperature, in percentage points."""
        config = self.config
        passed = min(self._answers / config.queries, 1.0)
        return float(config.initial * power(config.final / config.initial, passed))

    def propose(self) -> Genotypes:
        """Draws the start, or a neighbour of the present network."""
        if self._current is None:
            return self.sample()
        config = self.config
        return self.neighbour(
            self._current, double=config.double, distinct=config.distinct
        )

    def learn(self, genotypes: Genotypes, evaluation: Evaluation) -> None:
        """Moves, always to what is better, else by Metropolis' rule."""
        for score, genotype in zip(self.score(evaluation), genotypes, strict=True):
            rise = 100.0 * (float(score) - self._score)
            chance = float(exp(min(rise / self.temperature, 0.0)))
            self._answers += 1
            if self.rng.random() < chance:
                self._current, self._score = genotype.copy(), float(score)
