"""Local search: climb until no neighbour is better, then start elsewhere.

References:
    White, Nolen and Savani, Exploring the Loss Landscape in Neural Architecture Search,
    UAI 2021: algorithm 1, and the variant that moves as soon as a neighbour is better.
    Starts near the best optimum: Lourenco, Martin and Stuetzle, Iterated Local Search,
    Handbook of Metaheuristics, 2003.
"""

from dataclasses import dataclass

import numpy as np

from hwnas_env.agents.config import Config, check_name, check_whole
from hwnas_env.agents.searcher import Searcher
from hwnas_env.problems.problem import Problem
from hwnas_env.types import Evaluation, Genotypes

MOVES = ("best", "first")


@dataclass(frozen=True)
class LocalSearchConfig(Config):
    """Hyperparameters of local search.

    Attributes:
        move: "best" evaluates all neighbours and moves to the best, as algorithm 1;
            "first" moves as soon as one is better, in random order. FBNet has 176
            neighbours, so that few queries allow few moves to the best.
        kick: 0 starts every climb at a random network, as algorithm 1; else all after
            the first start so many random feasible changes from the best network yet.
    """

    move: str = "first"
    kick: int = 0

    def __post_init__(self) -> None:
        """Checks the values.

        Raises:
            UnknownNameError: there is no such move.
            InvalidArgumentError: kick is no whole number.
        """
        check_name(self, "move", valid=MOVES)
        check_whole(self, "kick", at_least=0)


class LocalSearch(Searcher):
    """Climbs to local optima, one after the other.

    Constraint: starts are masked samples and neighbours that break the budget are left
    out, so every proposal is feasible. Networks evaluated before are left out too.
    """

    name = "local_search"
    config_type = LocalSearchConfig
    config: LocalSearchConfig

    def __init__(
        self,
        problem: Problem,
        budget: float | None,
        *,
        rng: np.random.Generator,
        config: Config | None = None,
    ) -> None:
        """See the class."""
        super().__init__(problem, budget, rng=rng, config=config)
        self._seen: set[bytes] = set()
        self._height: float | None = None
        self._best: tuple[float, Genotypes] | None = None
        self._around = np.empty((0, problem.space.length), dtype=np.int8)

    def propose(self) -> Genotypes:
        """Draws a start, or proposes neighbours: all, or the next one."""
        if self._height is None or len(self._around) == 0:
            return self._start()
        count = 1 if self.config.move == "first" else len(self._around)
        proposed, self._around = self._around[:count], self._around[count:]
        return proposed

    def learn(self, genotypes: Genotypes, evaluation: Evaluation) -> None:
        """Moves to the best of the batch if it is better; restarts at an optimum."""
        if len(genotypes) == 0:
            return
        self._seen.update(row.tobytes() for row in genotypes)
        scores = self.score(evaluation)
        best = int(scores.argmax())
        if self._height is None or scores[best] > self._height:
            self._height = float(scores[best])
            if self._best is None or self._height > self._best[0]:
                self._best = self._height, genotypes[best].copy()
            around = self.neighbours(genotypes[best])
            new = [row.tobytes() not in self._seen for row in around]
            self._around = self.rng.permutation(around[np.array(new, dtype=np.bool_)])
        if len(self._around) == 0:
            self._height = None

    def _start(self) -> Genotypes:
        if self._best is None or self.config.kick == 0:
            return self.sample()
        genotype = self._best[1][None, :]
        for _ in range(self.config.kick):
            genotype = self.neighbour(genotype[0])
        return genotype
