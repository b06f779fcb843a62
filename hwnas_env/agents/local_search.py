"""Local search: climb until no neighbour is better, then start elsewhere.

References:
    White, Nolen and Savani, Exploring the Loss Landscape in Neural Architecture Search,
    UAI 2021: algorithm 1, and the variant that moves as soon as a neighbour is better.
    The second neighbourhood: Hansen and Mladenovic, Variable Neighborhood Search:
    Principles and Applications, European Journal of Operational Research 130, 2001.
"""

from dataclasses import dataclass

import numpy as np

from hwnas_env.agents.config import Config, check_name, check_whole
from hwnas_env.agents.searcher import Searcher
from hwnas_env.types import Evaluation, Genotypes

MOVES = ("best", "first")


@dataclass(frozen=True)
class LocalSearchConfig(Config):
    """Hyperparameters of local search; see also ``WHITE2021_LOCAL_SEARCH``.

    Attributes:
        move: "best" evaluates all neighbours and moves to the best, as algorithm 1;
            "first" moves as soon as one is better, in random order. In a space of many
            positions a network has hundreds of neighbours, so that few queries allow
            few moves to the best.
        reach: 1 climbs by changes of one position, as algorithm 1; 2 also by changes of
            two, in turn. Near the budget hardly a better choice is feasible unless
            another position becomes cheaper: spaces of many positions need it.
    """

    move: str = "first"
    reach: int = 2

    def __post_init__(self) -> None:
        """Checks the values.

        Raises:
            UnknownNameError: there is no such move.
            InvalidArgumentError: reach is neither 1 nor 2.
        """
        check_name(self, "move", valid=MOVES)
        check_whole(self, "reach", at_most=2)


WHITE2021_LOCAL_SEARCH = LocalSearchConfig(move="best", reach=1)
"""Algorithm 1 of White, Nolen and Savani."""


class LocalSearch(Searcher[LocalSearchConfig]):
    """Climbs to local optima, one after the other.

    Constraint: starts are masked samples and neighbours that break the budget are left
    out, so every proposal is feasible. Networks evaluated before are left out too.
    """

    name = "local_search"

    def start(self) -> None:
        """Stands nowhere yet."""
        self._height: float | None = None
        self._around = np.empty((0, self.problem.space.length), dtype=np.int8)

    def propose(self) -> Genotypes:
        """Draws a start, or proposes neighbours: all, or the next one."""
        if self._height is None or len(self._around) == 0:
            return self.sample()
        count = 1 if self.config.move == "first" else len(self._around)
        proposed, self._around = self._around[:count], self._around[count:]
        return proposed

    def learn(self, genotypes: Genotypes, evaluation: Evaluation) -> None:
        """Moves to the best of the batch if it is better; restarts at an optimum."""
        if len(genotypes) == 0:
            return
        scores = self.score(evaluation)
        best = int(scores.argmax())
        if self._height is None or scores[best] > self._height:
            self._height = float(scores[best])
            self._around = self._unseen_around(genotypes[best])
        if len(self._around) == 0:
            self._height = None

    def _unseen_around(self, centre: Genotypes) -> Genotypes:
        """Returns new feasible networks: random order, one and two changes in turn."""
        one = self.problem.space.neighbours(centre)
        rings = [one, _two_changes(centre, one)][: self.config.reach]
        rings = [
            self.rng.permutation(self.unseen(ring[self.feasible(ring)]))
            for ring in rings
        ]
        turn = np.concatenate([np.arange(len(ring)) for ring in rings])
        return np.concatenate(rings)[np.argsort(turn, kind="stable")]


def _two_changes(centre: Genotypes, neighbours: Genotypes) -> Genotypes:
    """Returns the networks that differ from the centre in two positions: ``(N, L)``."""
    position = (neighbours != centre).argmax(axis=1)
    first, second = np.nonzero(position[:, None] < position)
    return neighbours[first] + neighbours[second] - centre
