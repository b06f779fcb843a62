"""Checks on the device itself what a search found under a budget.

A search over fitted costs picks what the fit is too optimistic of: a share of the picks
break the budget, however many networks were measured for the fit. A few measurements of
picks mend that. Where a pick breaks the budget the next one is searched under a tighter
one, where it keeps it under a looser one, by halves; the answer is the most accurate
network that was measured within the budget.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from hwnas_env.arguments import as_number, check_whole
from hwnas_env.errors import InfeasibleBudgetError, InvalidArgumentError, shown
from hwnas_env.problems.problem import Problem
from hwnas_env.types import Genotypes

CHECKS = 5
USUAL_RATIO = 1.1
"""Ratio that nine of ten networks stay within, where a fit does not say."""

LEAST_STEP, FINEST = 0.02, 1 / 64
"""Smallest first step of the margin, and its share at which halving ends."""

MOST_TURNS = 60


@dataclass(frozen=True, eq=False)
class Check:
    """One pick that was measured.

    Attributes:
        genotype: ``(L,)`` int8.
        accuracy_percent: by the problem.
        predicted: its cost by the problem, in the metric's unit.
        measured: its cost as it was measured.
        feasible: whether that is within the budget.
    """

    genotype: Genotypes
    accuracy_percent: float
    predicted: float
    measured: float
    feasible: bool


class Verifier:
    """Says which network to measure next, one at a time, and which is the best so far.

    Example:
        >>> import hwnas_env
        >>> problem = hwnas_env.make_problem("nasbench201", device="raspi4")
        >>> verifier = Verifier(problem, "medium", checks=3)
        >>> while (genotype := verifier.ask()) is not None:
        ...     verifier.tell(1.1 * float(problem.known_costs(genotype[None])[0]))
        >>> [check.feasible for check in verifier.checks]
        [False, True, False]
        >>> verifier.best is verifier.checks[1]
        True
    """

    def __init__(
        self, problem: Problem, budget: float | str, *, checks: int = CHECKS
    ) -> None:
        """Begins.

        Args:
            problem: with fitted costs.
            budget: as for :meth:`hwnas_env.Problem.budget`.
            checks: most networks that are measured.
        """
        self.problem = problem
        self.budget = problem.budget(budget)
        self.most = check_whole(checks, what="checks", least=1, most=1000)
        self.checks: list[Check] = []
        card = problem.provenance[problem.metric].fidelity
        ratio = USUAL_RATIO if card is None else card.ratio_90 or USUAL_RATIO
        self._step = max(ratio - 1.0, LEAST_STEP)
        self._margin = 0.0
        self._broke: float | None = None  # the largest margin that broke the budget
        self._kept: float | None = None  # the smallest one that kept it
        self._asked: Genotypes | None = None

    @property
    def best(self) -> Check | None:
        """The most accurate network that was measured within the budget."""
        good = [check for check in self.checks if check.feasible]
        return max(good, key=lambda check: check.accuracy_percent, default=None)

    def ask(self) -> Genotypes | None:
        """Returns the next network to measure, ``(L,)``, or None where none is left.

        Raises:
            InvalidArgumentError: the last one was not told yet.
        """
        if self._asked is not None:
            message = "expected what the last network costs: tell() before ask()"
            raise InvalidArgumentError(message)
        for _ in range(MOST_TURNS):
            if len(self.checks) >= self.most or self._is_settled():
                return None
            pick = self._pick()
            if pick is None:
                return None
            known = self._check_of(pick)
            if known is None:
                self._asked = pick
                return pick.copy()
            self._move(feasible=known.feasible)
        return None

    def tell(self, measured: float) -> None:
        """Takes what the network that was asked costs, in the metric's unit.

        inf means that the device cannot run it, which keeps no budget.

        Raises:
            InvalidArgumentError: no positive number, or nothing was asked.
        """
        if self._asked is None:
            message = "nothing was asked: ask() before tell()"
            raise InvalidArgumentError(message)
        cost = as_number(measured)
        if not cost > 0:
            expected = f"a number above 0 in {self.problem.metric}, or inf"
            message = f"measured: expected {expected}, got {shown(measured)}"
            raise InvalidArgumentError(message)
        row, self._asked = self._asked, None
        accuracy = self.problem.model.evaluate(row[None], uniforms=None)
        check = Check(
            row,
            float(accuracy.accuracy_percent[0]),
            float(self.problem.known_costs(row[None])[0]),
            cost,
            cost <= self.budget,
        )
        self.checks.append(check)
        self._move(feasible=check.feasible)

    def _pick(self) -> Genotypes | None:
        """Returns the best network under the budget less the margin."""
        try:
            found = self.problem.optimum(self.budget / (1.0 + self._margin))
        except InfeasibleBudgetError:
            return None
        return np.asarray(found.genotypes[0])

    def _check_of(self, genotype: Genotypes) -> Check | None:
        same = [c for c in self.checks if (c.genotype == genotype).all()]
        return same[0] if same else None

    def _move(self, *, feasible: bool) -> None:
        """Sets the margin of the next pick."""
        if feasible:
            self._kept = self._margin
        else:
            self._broke = self._margin
        if self._kept is None:
            self._margin = 2 * self._margin if self._margin > 0 else self._step
        elif self._broke is None:
            self._margin = max(self._kept - self._step / 2, 1 / (1 + self._step) - 1)
        else:
            self._margin = (self._kept + self._broke) / 2

    def _is_settled(self) -> bool:
        if self._kept is None:
            return False
        if self._broke is not None:
            return abs(self._kept - self._broke) < self._step * FINEST
        return self._kept == self._margin


def checked(
    problem: Problem,
    genotypes: Sequence[Genotypes],
    *,
    budget: float,
    measure: Callable[[Genotypes], float],
    checks: int = CHECKS,
) -> list[Check]:
    """Measures the most accurate of some networks, what searches found, each once.

    Args:
        problem: with fitted costs.
        genotypes: ``(L,)`` each.
        budget: in the metric's unit.
        measure: a genotype ``(L,)`` to its cost in the metric's unit.
        checks: most networks that are measured.
    """
    if not len(genotypes):
        return []
    rows = np.unique(np.array(genotypes, dtype=np.int8), axis=0)
    accuracy = problem.model.evaluate(rows, uniforms=None).accuracy_percent
    predicted = problem.known_costs(rows)
    found = []
    for row in np.argsort(-accuracy, kind="stable")[:checks].tolist():
        cost = measure(rows[row])
        one = (rows[row], float(accuracy[row]), float(predicted[row]), cost)
        found.append(Check(*one, feasible=cost <= budget))
    return found


def verify(
    problem: Problem,
    budget: float | str,
    *,
    measure: Callable[[Genotypes], float],
    checks: int = CHECKS,
) -> Verifier:
    """Measures picks one after another, and returns what was found.

    Args:
        problem: with fitted costs.
        budget: as for :meth:`hwnas_env.Problem.budget`.
        measure: a genotype ``(L,)`` to its cost in the metric's unit.
        checks: most networks that are measured.
    """
    verifier = Verifier(problem, budget, checks=checks)
    while (genotype := verifier.ask()) is not None:
        verifier.tell(measure(genotype))
    return verifier
