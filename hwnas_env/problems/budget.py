"""The ledger: the only counter of queries and of simulated training time."""

import numpy as np
import numpy.typing as npt

from hwnas_env.errors import BudgetExhaustedError, InvalidArgumentError
from hwnas_env.problems.problem import Problem
from hwnas_env.types import Evaluation, FloatArray, Genotypes


class BudgetedProblem:
    """Spends a budget of queries or of simulated training seconds on a problem.

    Environments, searchers and learners all spend the same one. Every query is charged,
    a repeated one too. A batch that cannot be paid in full is refused as a whole:
    nothing of it is evaluated or charged.

    Args:
        problem: what is evaluated.
        max_queries: queries to spend; None for no limit.
        max_train_seconds: simulated seconds of training to spend; None for no limit.

    Raises:
        InvalidArgumentError: a limit is not positive, or seconds are limited on a
            problem that has none.
    """

    def __init__(
        self,
        problem: Problem,
        *,
        max_queries: int | None = None,
        max_train_seconds: float | None = None,
    ) -> None:
        """See the class."""
        if max_queries is not None:
            whole = isinstance(max_queries, (int, np.integer))
            if not whole or isinstance(max_queries, bool) or max_queries < 1:
                message = f"max_queries: expected a positive int, got {max_queries!r}"
                raise InvalidArgumentError(message)
        if max_train_seconds is not None:
            if not problem.has_train_seconds:
                message = (
                    f"{problem.space.name} has no training times: limit max_queries"
                )
                raise InvalidArgumentError(message)
            number = isinstance(max_train_seconds, (int, float, np.number))
            if not number or not max_train_seconds > 0:
                message = f"expected max_train_seconds > 0, got {max_train_seconds!r}"
                raise InvalidArgumentError(message)
        self.problem = problem
        self.max_queries = None if max_queries is None else int(max_queries)
        self.max_train_seconds = max_train_seconds
        self._cheapest = 0.0
        if max_train_seconds is not None:
            self._cheapest = problem.model.cheapest_train_seconds()
        self._seen: set[bytes] = set()
        self.restart()

    def restart(self) -> None:
        """Forgets what was spent."""
        self.queries, self.train_seconds = 0, 0.0
        self._seen.clear()

    @property
    def unique_queries(self) -> int:
        """Number of distinct genotypes evaluated."""
        return len(self._seen)

    @property
    def unique_classes(self) -> int | None:
        """Number of isomorphism classes evaluated; None where there are none."""
        length = self.problem.space.length
        flat = np.frombuffer(b"".join(sorted(self._seen)), dtype=np.int8)
        classes = self.problem.space.isomorphism_class(flat.reshape(-1, length))
        return None if classes is None else len(np.unique(classes))

    @property
    def remaining(self) -> int | None:
        """Queries left, or None where they are not limited."""
        return None if self.max_queries is None else self.max_queries - self.queries

    @property
    def exhausted(self) -> bool:
        """Whether no further query can be paid."""
        if self.max_queries is not None and self.queries >= self.max_queries:
            return True
        if self.max_train_seconds is None:
            return False
        return self.train_seconds + self._cheapest > self.max_train_seconds

    def evaluate(
        self, genotypes: npt.ArrayLike, *, rng: np.random.Generator | None = None
    ) -> Evaluation:
        """Evaluates and charges a batch; see :meth:`Problem.evaluate`.

        Raises:
            BudgetExhaustedError: the budget cannot pay for the whole batch.
            InvalidGenotypeError: wrong shape, dtype or range; nothing is charged.
        """
        return self.evaluate_valid(self.problem.space.validate(genotypes), rng=rng)

    def evaluate_valid(
        self, genotypes: Genotypes, *, rng: np.random.Generator | None = None
    ) -> Evaluation:
        """Evaluates and charges genotypes that are known to be valid."""
        count = len(genotypes)
        if self.max_queries is not None and self.queries + count > self.max_queries:
            message = (
                f"{count} queries asked for, {self.max_queries - self.queries} of "
                f"{self.max_queries} left"
            )
            raise BudgetExhaustedError(message)
        evaluation = self.problem.evaluate_valid(genotypes, rng=rng)
        if evaluation.train_seconds is not None:
            self._charge_seconds(evaluation.train_seconds)
        self.queries += count
        self._seen.update(row.tobytes() for row in genotypes)
        return evaluation

    def _charge_seconds(self, seconds: FloatArray) -> None:
        total = self.train_seconds
        for cost in seconds.tolist():
            total += cost
        if self.max_train_seconds is not None and total > self.max_train_seconds:
            left = self.max_train_seconds - self.train_seconds
            message = (
                f"{total - self.train_seconds:.1f} training seconds asked for, "
                f"{left:.1f} of {self.max_train_seconds:g} left"
            )
            raise BudgetExhaustedError(message)
        self.train_seconds = total
