"""What there is to draw of a network in the making, and how numbers are written."""

import math
from dataclasses import dataclass

import numpy as np

from hwnas_env.engines.walk import RATIO_LIMIT
from hwnas_env.metrics import METRICS
from hwnas_env.problems.problem import Problem

BAR_LIMIT = 2.0
"""What the end of the budget's bar stands for, in budgets."""


@dataclass(frozen=True)
class View:
    """What there is to draw.

    Attributes:
        problem: what is searched.
        genotype: decisions, -1 where undecided.
        budget: in the metric's unit.
        interval: smallest and largest cost still reachable, same unit, clipped to four
            times the budget.
        accuracy_percent: of an evaluated network; None where nothing was evaluated.
    """

    problem: Problem
    genotype: tuple[int, ...]
    budget: float
    interval: tuple[float, float]
    accuracy_percent: float | None = None

    @property
    def whole(self) -> bool:
        """Whether every position is decided."""
        return min(self.genotype) >= 0

    @property
    def title(self) -> str:
        """The problem, and where the budget's metric comes from."""
        problem = self.problem
        kind = problem.provenance[problem.metric].kind
        found = self.accuracy_percent
        source = problem.provenance["accuracy"].kind
        accuracy = "" if found is None else f", {source} accuracy {found:.2f} %"
        return f"{problem.where} ({kind} {problem.metric}){accuracy}"

    @property
    def limit(self) -> str:
        """The budget with its unit."""
        return f"{self.budget:.4g} {METRICS[self.problem.metric].unit}"

    @property
    def reach(self) -> str:
        """The cost of a whole network, or the interval that is still reachable."""
        if self.whole and math.isinf(self.costs[self.problem.metric]):
            return "not deployable"
        if self.whole:
            return amount(self.problem.metric, self.costs[self.problem.metric])
        low, high = self.interval
        clipped = self.budget * RATIO_LIMIT * (1 - 1e-6)
        over = "over " if high >= clipped else ""
        return f"{low:.4g} to {over}{amount(self.problem.metric, high)}"

    @property
    def costs(self) -> dict[str, float]:
        """Every metric of a whole network, inf where not deployable; else empty."""
        if not self.whole:
            return {}
        row = np.array([self.genotype], dtype=np.int8)
        known = self.problem.model.known_costs
        return {n: float(known(row, i)[0]) for i, n in enumerate(self.problem.metrics)}


def amount(metric: str, value: float) -> str:
    """Writes a number with its unit.

    Example:
        >>> amount("latency_ms", 3.14159)
        '3.142 ms'
    """
    return f"{value:.4g} {METRICS[metric].unit}"
