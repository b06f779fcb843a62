"""What every ask/tell searcher offers, and the moves that they share."""

from abc import ABC, abstractmethod

import numpy as np
import numpy.typing as npt

from hwnas_env.problems.problem import Problem
from hwnas_env.types import Evaluation, FloatArray, Genotypes


class Searcher(ABC):
    """Proposes networks and learns from their evaluations.

    A searcher sees the problem's space, the budget on the cost and the exact masks, as
    an environment's agent does. It never evaluates: whoever runs it asks, evaluates
    within a ledger, and tells.

    Args:
        problem: what is searched.
        budget: bound on the cost, in the problem's metric.
        rng: its only source of randomness.
    """

    def __init__(
        self, problem: Problem, budget: float, *, rng: np.random.Generator
    ) -> None:
        """See the class."""
        self.problem = problem
        self.budget = budget
        self.rng = rng
        self.walk = problem.walk(budget)

    @abstractmethod
    def ask(self) -> Genotypes:
        """Proposes a batch of networks, ``(N, L)`` int8, N at least 1."""

    @abstractmethod
    def tell(self, genotypes: Genotypes, evaluation: Evaluation) -> None:
        """Learns what the networks of the last :meth:`ask` are worth."""

    def sample(self, logits: FloatArray | None = None) -> Genotypes:
        """Draws one feasible network by masked decisions: ``(1, L)`` int8.

        Args:
            logits: ``(L, K)``; uniform over what the mask allows by default.
        """
        space = self.problem.space
        genotype = np.empty((1, space.length), dtype=np.int8)
        state = self.walk.root
        for depth in range(space.length):
            mask = self.walk.view(depth, state)[0]
            weights = masked_softmax(None if logits is None else logits[depth], mask)
            choice = int(np.searchsorted(np.cumsum(weights), self.rng.random()))
            choice = min(choice, int(np.flatnonzero(weights)[-1]))
            genotype[0, depth] = choice
            state = self.walk.child(depth, state, choice)
        return genotype

    def feasible(self, genotype: Genotypes) -> bool:
        """Whether one network ``(L,)`` meets the budget, by the walk."""
        state = self.walk.root
        for depth, choice in enumerate(genotype.tolist()):
            state = self.walk.child(depth, state, choice)
        return self.walk.view(self.problem.space.length, state)[3]

    def score(self, evaluation: Evaluation) -> FloatArray:
        """Returns the accuracy in [0, 1], -1 where a network is not feasible."""
        cost = evaluation.costs[:, self.problem.metric_column]
        feasible = evaluation.deployable & (cost <= self.budget)
        return np.where(feasible, evaluation.accuracy_percent / 100.0, -1.0)


def masked_softmax(logits: FloatArray | None, mask: npt.NDArray[np.int8]) -> FloatArray:
    """Returns probabilities ``(K,)`` that are 0 where the mask is 0.

    Example:
        >>> masked_softmax(None, np.array([1, 0, 1], dtype=np.int8)).tolist()
        [0.5, 0.0, 0.5]
    """
    if logits is None:
        return np.asarray(mask / mask.sum())
    allowed = np.where(mask, logits, -np.inf)
    weights = np.exp(allowed - allowed.max())
    return np.asarray(weights / weights.sum())
