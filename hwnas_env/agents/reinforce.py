"""REINFORCE: a table of logits, one row a position, moved by the policy gradient.

References:
    Williams, Simple Statistical Gradient-Following Algorithms for Connectionist
    Reinforcement Learning, Machine Learning 8, 1992; for a search over cells in Dong
    and Yang, ICLR 2020. Adam: Kingma and Ba, ICLR 2015.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hwnas_env.agents.config import Config, check_flag, check_name, check_number
from hwnas_env.agents.searcher import Searcher, masked_softmax
from hwnas_env.moved import renamed
from hwnas_env.types import Evaluation, FloatArray, Genotypes

OPTIMISERS = ("sgd", "adam")


@dataclass(frozen=True)
class ReinforceConfig(Config):
    """Hyperparameters of REINFORCE.

    Attributes:
        step_size: of the step on the logits. Of 0.03 to 0.1 with Adam, and 0.1 to 0.2
            without, this one alone beat random search on five problems (500 queries, 24
            seeds); a space of more than twenty positions gains from up to 0.1.
        momentum: of the baseline, an exponential moving average of the accuracy.
        normalise: True divides the advantage by a moving standard deviation, so that
            one step size fits every dataset; False takes percentage points.
        optimiser: "sgd" or "adam".
    """

    step_size: float = 0.03
    momentum: float = 0.9
    normalise: bool = True
    optimiser: str = "adam"

    def __post_init__(self) -> None:
        """Checks the values.

        Raises:
            InvalidArgumentError: a number is out of range.
            UnknownNameError: there is no such optimiser.
        """
        check_number(self, "step_size")
        check_number(self, "momentum", at_least=0.0, at_most=0.9999)
        check_flag(self, "normalise")
        check_name(self, "optimiser", valid=OPTIMISERS)


class Reinforce(Searcher[ReinforceConfig]):
    """Samples from masked softmax rows and follows the gradient of expected accuracy.

    Constraint: masked, so every proposal is feasible.
    """

    name = "reinforce"

    def start(self) -> None:
        """Begins with a policy that is uniform over what the mask allows."""
        space = self.problem.space
        self._logits = np.zeros((space.length, space.choices))
        self._baseline = _Baseline(
            self.config.momentum, normalise=self.config.normalise
        )
        self._adam = _Adam(self._logits.shape)

    def propose(self) -> Genotypes:
        """Draws one network."""
        return self.sample(self._logits)

    def learn(self, genotypes: Genotypes, evaluation: Evaluation) -> None:
        """Takes one gradient step a network."""
        for score, genotype in zip(self.score(evaluation), genotypes, strict=True):
            advantage = self._baseline.advantage(100.0 * float(score))
            gradient = advantage * self._log_gradient(genotype)
            if self.config.optimiser == "adam":
                gradient = self._adam.direction(gradient)
            self._logits += self.config.step_size * gradient

    def _log_gradient(self, genotype: Genotypes) -> FloatArray:
        """Returns the gradient ``(L, K)`` of a network's log probability."""
        gradient = np.empty_like(self._logits)
        state = self.walk.root
        for depth, choice in enumerate(genotype.tolist()):
            mask = self.walk.view(depth, state)[0]
            gradient[depth] = -masked_softmax(self._logits[depth], mask)
            gradient[depth, choice] += 1.0
            state = self.walk.child(depth, state, choice)
        return gradient


class _Baseline:
    """A moving average that a score is compared with."""

    def __init__(self, momentum: float, *, normalise: bool) -> None:
        self._momentum, self._normalise = momentum, normalise
        self._sum = self._weight = self._variance = 0.0

    def advantage(self, score: float) -> float:
        """Returns the score less the average, and takes it in.

        Normalised, it is compared with the average before it, in standard deviations
        and at most 3; else with the average that has it already, as Dong and Yang do.
        """
        keep, first = self._momentum, self._weight == 0.0
        before = score if first else self._sum / self._weight
        self._sum = keep * self._sum + (1 - keep) * score
        self._weight = keep * self._weight + (1 - keep)
        if not self._normalise:
            return score - self._sum / self._weight
        error = score - before
        self._variance = keep * (self._variance + (1 - keep) * error * error)
        deviation = float(np.sqrt(self._variance))
        return float(np.clip(error / deviation, -3.0, 3.0)) if deviation > 0 else 0.0


class _Adam:
    """Adam's direction with the betas of the paper, 0.9 and 0.999."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self._first, self._second = np.zeros(shape), np.zeros(shape)
        self._kept = 1.0, 1.0

    def direction(self, gradient: FloatArray) -> FloatArray:
        """Returns the gradient's running mean in units of its running size."""
        # powers of the betas by products, which are the same on every machine
        self._kept = 0.9 * self._kept[0], 0.999 * self._kept[1]
        self._first = 0.9 * self._first + 0.1 * gradient
        self._second = 0.999 * self._second + 0.001 * (gradient * gradient)
        mean = self._first / (1 - self._kept[0])
        size = np.sqrt(self._second / (1 - self._kept[1]))
        return np.asarray(mean / (size + 1e-8))


if not TYPE_CHECKING:
    __getattr__ = renamed(__name__)
