"""A layered space whose costs are a function of unknown form: what can still be said.

Networks are evaluated as anywhere; what needs the form of the costs (exact masks,
optima and fronts) raises. Quantiles and extremes are those of a fixed sample.
"""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NoReturn

import numpy as np

from hwnas_env.engines.layered import LayeredModel
from hwnas_env.engines.model import Model, Objective, Optimum, ParetoFront
from hwnas_env.engines.noise import uniform_numbers
from hwnas_env.engines.space import SearchSpace
from hwnas_env.engines.walk import RATIO_LIMIT, Overview, Walk
from hwnas_env.errors import InvalidArgumentError, NotExactError
from hwnas_env.types import BoolArray, Evaluation, FloatArray, Genotypes

SAMPLE = 10_000
"""Networks in the fixed sample, drawn uniformly; the same on every machine."""


@dataclass(frozen=True, eq=False)
class FunctionModel(Model):
    """A layered space on a device whose costs are a function.

    Attributes:
        space: whose networks they are.
        function: genotypes ``(N, L)`` to costs ``(N, F)``, inf where not deployable.
        known: F, the number of its columns.
        rest: what is counted, how accurate networks are and how long they train.
    """

    space: SearchSpace
    function: Callable[[Genotypes], FloatArray]
    known: int
    rest: LayeredModel

    @property
    def has_train_seconds(self) -> bool:
        """Whether training times are known."""
        return self.rest.has_train_seconds

    @property
    def exact(self) -> bool:
        """False: masks, optima and fronts cannot be computed."""
        return False

    def evaluate(
        self, genotypes: Genotypes, *, uniforms: FloatArray | None = None
    ) -> Evaluation:
        """Asks the function; see :meth:`Model.evaluate`."""
        answer = self.rest.evaluate(genotypes, uniforms=uniforms)
        costs = self.function(genotypes)
        deployable = self._deployable(costs)
        costs = np.where(deployable[:, None], costs, np.inf)
        return Evaluation(
            answer.accuracy_percent,
            np.hstack([costs, answer.costs]),
            deployable,
            answer.train_seconds,
        )

    def known_costs(self, genotypes: Genotypes, column: int) -> FloatArray:
        """Asks the function; see :meth:`Model.known_costs`."""
        if column >= self.known:
            return self.rest.known_costs(genotypes, column - self.known)
        costs = self.function(genotypes)
        deployable = self._deployable(costs)
        return np.where(deployable, costs[:, column], np.inf)

    def _deployable(self, costs: FloatArray) -> BoolArray:
        return np.asarray(np.isfinite(costs).all(axis=1))

    @functools.cached_property
    def _sample(self) -> Genotypes:
        count, space = SAMPLE, self.space
        numbers = uniform_numbers(count * space.length, stream=space.length)
        drawn = numbers.reshape(count, -1) * np.array(space.choices_at)
        return np.asarray(drawn.astype(np.int8))

    def _sampled(self, column: int) -> FloatArray:
        """Returns a cost of the deployable networks of the sample."""
        costs = self.known_costs(self._sample, column)
        finite = np.asarray(costs[np.isfinite(costs)])
        if not len(finite):
            message = f"costs: of {SAMPLE:,} networks the device can run none"
            raise InvalidArgumentError(message)
        return finite

    def smallest(self, column: int) -> float:
        """Returns a bound below every cost: 0 for the function's own."""
        if column >= self.known:
            return self.rest.smallest(column - self.known)
        return 0.0

    def largest(self, column: int) -> float:
        """Returns the largest cost of the sample, which is no bound."""
        if column >= self.known:
            return self.rest.largest(column - self.known)
        return float(self._sampled(column).max(initial=0.0))

    def quantiles(self, column: int, fractions: Sequence[float]) -> FloatArray:
        """Returns quantiles over the sample; see :meth:`Model.quantiles`."""
        costs = self._sampled(column)
        return np.asarray(np.quantile(costs, fractions, method="inverted_cdf"))

    def overview(self, column: int, budget: float) -> Overview:
        """Leaves every choice open; see :meth:`Model.overview`."""
        costs = self._sampled(column)
        low, high = (
            min(float(cost) / budget, RATIO_LIMIT)
            for cost in (costs.min(initial=np.inf), costs.max(initial=0.0))
        )
        return Overview(self.space.existing.copy(), low, high, completable=True)

    def walk(self, column: int, budget: float) -> Walk:
        """Raises: what prefixes can reach is not known."""
        del column, budget
        self._refuse("exact mask")

    def optimum(self, column: int, budget: float) -> Optimum:
        """Raises: no optimum is known."""
        del column, budget
        self._refuse("optimum")

    def pareto_front(self, objectives: tuple[Objective, ...]) -> ParetoFront:
        """Raises: no front is known."""
        del objectives
        self._refuse("front")

    def cheapest_train_seconds(self) -> float:
        """See :meth:`Model.cheapest_train_seconds`."""
        return self.rest.cheapest_train_seconds()

    def _refuse(self, what: str) -> NoReturn:
        message = (
            f"the costs are a function of unknown form, so no {what} of "
            f"{self.space.name} is known; give a table of additive costs "
            f"({self.space.length}, {self.space.choices}) instead. Modes mutate and "
            "joint, and searchers, work with a function"
        )
        raise NotExactError(message)
