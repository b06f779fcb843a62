"""REINFORCE: a table of logits, one row a position, moved by the policy gradient.

References:
    Williams, Simple Statistical Gradient-Following Algorithms, 1992; as a controller
    for NAS-Bench-201 in Dong and Yang, ICLR 2020.
"""

import numpy as np

from hwnas_env.agents.searcher import Searcher, masked_softmax
from hwnas_env.problems.problem import Problem
from hwnas_env.types import Evaluation, Genotypes


class Reinforce(Searcher):
    """Samples from masked softmax rows and follows the gradient of expected accuracy.

    The advantage is the accuracy less a moving average, in moving standard deviations,
    so that one step size fits every dataset.

    Constraint: masked, so every proposal is feasible.

    Args:
        problem: what is searched.
        budget: bound on the cost.
        rng: its only source of randomness.
        step_size: of the gradient step on the logits. Of 0.05 to 0.4, 0.1 was best on
            NAS-Bench-201 at 300 queries (three problems, 16 seeds); FBNet, with more
            positions, gains from up to 0.25.
        momentum: of the moving average and deviation.
    """

    def __init__(
        self,
        problem: Problem,
        budget: float,
        *,
        rng: np.random.Generator,
        step_size: float = 0.1,
        momentum: float = 0.9,
    ) -> None:
        """See the class."""
        super().__init__(problem, budget, rng=rng)
        self._logits = np.zeros((problem.space.length, problem.space.choices))
        self._step_size, self._momentum = step_size, momentum
        self._mean: float | None = None
        self._variance = 0.0

    def ask(self) -> Genotypes:
        """Proposes one network."""
        return self.sample(self._logits)

    def tell(self, genotypes: Genotypes, evaluation: Evaluation) -> None:
        """Takes one gradient step a network."""
        for score, genotype in zip(self.score(evaluation), genotypes, strict=True):
            advantage = self._advantage(float(score))
            state = self.walk.root
            for depth, choice in enumerate(genotype.tolist()):
                mask = self.walk.view(depth, state)[0]
                gradient = -masked_softmax(self._logits[depth], mask)
                gradient[choice] += 1.0
                self._logits[depth] += self._step_size * advantage * gradient
                state = self.walk.child(depth, state, choice)

    def _advantage(self, score: float) -> float:
        if self._mean is None:
            self._mean = score
            return 0.0
        error, keep = score - self._mean, self._momentum
        self._mean += (1 - keep) * error
        self._variance = keep * (self._variance + (1 - keep) * error**2)
        deviation = float(np.sqrt(self._variance))
        return float(np.clip(error / deviation, -3.0, 3.0)) if deviation > 0 else 0.0
