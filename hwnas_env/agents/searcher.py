"""What every ask/tell searcher offers, and the moves that they share."""

import functools
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from hwnas_env.agents.agent import Agent
from hwnas_env.agents.config import ConfigT_co
from hwnas_env.agents.journal import Entry, Journal, generator_from, generator_state
from hwnas_env.agents.open_walk import OpenWalk
from hwnas_env.arguments import check_type, check_whole
from hwnas_env.engines.choices import MOST_DRAWN
from hwnas_env.engines.walk import Walk
from hwnas_env.errors import (
    InfeasibleBudgetError,
    InvalidArgumentError,
    InvalidGenotypeError,
    RestoreError,
    SearchExhaustedError,
    shown,
)
from hwnas_env.maths.elementary import exp, ordered_sum
from hwnas_env.problems.budget import BudgetedProblem
from hwnas_env.problems.problem import Problem
from hwnas_env.types import BoolArray, Evaluation, FloatArray, Genotypes

MOST_TRIES = 10_000
"""Networks drawn at most, without exact masks, until one is within the budget."""

SearcherT = TypeVar("SearcherT", bound="Searcher")


class Searcher(Agent[ConfigT_co]):
    """Proposes networks and learns from their evaluations.

    A searcher sees the problem's space, the budget on the cost and the exact masks, as
    an environment's agent does. It never evaluates: whoever runs it asks, evaluates
    within a ledger, and tells. Anything may be told, also networks that were not asked
    for, and fewer than were.

    An own searcher sets ``name`` and writes :meth:`propose` and :meth:`learn`. If it
    has hyperparameters, it is a ``Searcher[MyConfig]``. What it needs before the first
    proposal it prepares in :meth:`start`, which is called once, at the end of the
    constructor: ``problem``, ``budget``, ``rng`` and ``config`` are there then. So it
    needs no constructor of its own; one that begins with ``super().__init__`` works
    too.

    It is deterministic given its arguments and the answers, and draws from ``rng``
    only: then :meth:`state` and :meth:`restore` work without a line of its own, and
    :class:`hwnas_env.agents.contract.SearcherContract` holds.

    The arguments are those of :class:`hwnas_env.agents.agent.Agent`.

    Attributes:
        walk: the exact masks under the agent's ``limit``; all open where the costs are
            a function of layers, which has none.
        seen: bytes of the networks that were told.
    """

    def __init__(
        self,
        problem: Problem,
        budget: float | None,
        *,
        rng: np.random.Generator,
        config: ConfigT_co | None = None,
    ) -> None:
        """See the class."""
        super().__init__(problem, budget, rng=rng, config=config)
        exact = problem.model.exact
        self.walk: Walk = problem.walk(self.limit) if exact else OpenWalk(problem.space)
        self.seen: set[bytes] = set()
        self._waiting: Genotypes = np.zeros((0, problem.space.length), dtype=np.int8)
        self._journal = Journal(generator_state(rng))
        self.start()

    def start(self) -> None:
        """Prepares what the first proposal needs; nothing by default."""

    def search(self, ledger: BudgetedProblem) -> None:
        """Asks, evaluates and tells until the ledger is spent or nothing is left.

        Of a batch that the ledger cannot pay in full, the first rows are evaluated.
        """
        check_type(ledger, BudgetedProblem, what="ledger")
        while not ledger.exhausted:
            try:
                genotypes = self.ask()
            except SearchExhaustedError:
                return
            evaluation = ledger.spend(genotypes, rng=self._noise)
            self.tell(genotypes[: len(evaluation.accuracy_percent)], evaluation)

    @functools.cached_property
    def _noise(self) -> np.random.Generator:
        """Draws the runs of a sampled accuracy, apart from the proposals."""
        twin = generator_from(self._journal.generator)
        return np.random.default_rng(int(twin.integers(2**63)))

    @abstractmethod
    def propose(self) -> Genotypes:
        """Returns networks worth a query, ``(N, L)`` int8, N at least 1."""

    @abstractmethod
    def learn(self, genotypes: Genotypes, evaluation: Evaluation) -> None:
        """Takes in what networks ``(N, L)`` are worth; must not change them."""

    def ask(self, n: int | None = None) -> Genotypes:
        """Proposes networks.

        Args:
            n: how many; by default as many as the searcher sees fit. What it proposes
                beyond n is kept for the next time.

        Returns:
            ``(N, L)`` int8, N at least 1; N is n where that is given, and less only
            where nothing more can be proposed.

        Raises:
            InvalidArgumentError: n is no whole number of at least 1.
            InvalidGenotypeError: the searcher proposed what is no network.
            SearchExhaustedError: the searcher has proposed all that there is.
        """
        if n is not None:
            n = check_whole(n, what="n", least=1, most=MOST_DRAWN)
        while len(self._waiting) < (1 if n is None else n):
            try:
                self._waiting = np.concatenate([self._waiting, self._proposed()])
            except SearchExhaustedError:
                if len(self._waiting) == 0:
                    raise
                break
        count = len(self._waiting) if n is None else n
        genotypes, self._waiting = self._waiting[:count], self._waiting[count:]
        self._journal.asked(genotypes, n)
        return genotypes.copy()

    def _proposed(self) -> Genotypes:
        genotypes = self.problem.space.validate(self.propose())
        if len(genotypes) == 0:
            message = f"{self.name}: expected at least one proposal, got none"
            raise InvalidGenotypeError(message)
        return genotypes

    def tell(self, genotypes: Genotypes, evaluation: Evaluation) -> None:
        """Learns what networks are worth.

        Args:
            genotypes: ``(N, L)``; N may be 0.
            evaluation: what the problem answered, one row a network.

        Raises:
            InvalidGenotypeError: wrong shape, dtype or range.
            InvalidArgumentError: not one answer a network.
        """
        genotypes = self.problem.space.validate(genotypes)
        check_type(evaluation, Evaluation, what="evaluation")
        expected = (len(genotypes), len(self.problem.metrics))
        accuracies, costs = evaluation.accuracy_percent, evaluation.costs
        if costs.shape != expected or len(accuracies) != len(genotypes):
            message = (
                f"{self.name}: expected {expected[0]} accuracies and costs of shape "
                f"{expected}, got {len(accuracies)} and {costs.shape}"
            )
            raise InvalidArgumentError(message)
        self._journal.told(genotypes, evaluation)
        self.seen.update(row.tobytes() for row in genotypes)
        self.learn(genotypes, evaluation)

    def state(self) -> dict[str, Any]:
        """Returns all that :meth:`restore` needs, as JSON-able values.

        They grow by about 300 bytes with every query.
        """
        return {
            "agent": self.name,
            "config": self.config.as_dict(),
            "problem": _identity(self.problem),
            "budget": self.budget,
            "generator": self._journal.generator,
            "history": [entry.as_dict() for entry in self._journal.entries],
        }

    @classmethod
    def restore(
        cls: type[SearcherT],
        problem: Problem,
        budget: float | None,
        *,
        state: Mapping[str, Any],
    ) -> SearcherT:
        """Returns a searcher that goes on where a saved one was.

        Plays the history again with the recorded answers: no query is spent.

        Args:
            problem: the problem that was searched.
            budget: its budget.
            state: what :meth:`state` gave, also after a way through JSON.

        Raises:
            RestoreError: the state is another agent's, problem's or budget's, or the
                searcher proposes something else than it did.
        """
        _check_state(state, agent=cls.name, problem=_identity(problem), budget=budget)
        config = cls.config_type.from_dict(state["config"])
        rng = generator_from(state["generator"])
        searcher = cls(problem, budget, rng=rng, config=config)
        for number, values in enumerate(state["history"]):
            entry = Entry.from_dict(values, length=problem.space.length)
            if entry.evaluation is not None:
                searcher.tell(entry.genotypes, entry.evaluation)
            elif not np.array_equal(
                asked := searcher.ask(entry.number), entry.genotypes
            ):
                message = (
                    f"{cls.name}: entry {number} of the history was "
                    f"{entry.genotypes.tolist()}, the searcher now proposes "
                    f"{asked.tolist()}; was it saved with other versions of the "
                    "libraries?"
                )
                raise RestoreError(message)
        return searcher

    def sample(self, logits: FloatArray | None = None) -> Genotypes:
        """Draws one feasible network by masked decisions: ``(1, L)`` int8.

        Where there are no exact masks, networks are drawn until one is feasible.

        Args:
            logits: ``(L, K)``; uniform over what the mask allows by default.

        Raises:
            InfeasibleBudgetError: there are no exact masks, and 10,000 networks in a
                row were not feasible.
        """
        if self.problem.model.exact:
            return self._draw(logits)
        for _ in range(MOST_TRIES):
            genotype = self._draw(logits)
            if self.feasible(genotype)[0]:
                return genotype
        message = (
            f"{self.name}: no network within the budget of {self.limit:g} was found "
            f"among {MOST_TRIES:,} that were drawn; costs that are a function of "
            "layers have no exact masks to draw by"
        )
        raise InfeasibleBudgetError(message)

    def _draw(self, logits: FloatArray | None) -> Genotypes:
        """Draws one network by the walk's masks: ``(1, L)`` int8."""
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

    def feasible(self, genotypes: Genotypes) -> BoolArray:
        """Whether networks ``(N, L)`` are deployable and meet the budget: ``(N,)``.

        Costs no query: costs are known, as masks know them.
        """
        return np.asarray(self.problem.known_costs(genotypes) <= self.limit)

    def neighbours(self, genotype: Genotypes) -> Genotypes:
        """Returns the feasible networks that differ in one position: ``(N, L)``."""
        rows = self.problem.space.neighbours(genotype)
        return rows[self.feasible(rows)]

    def unseen(self, genotypes: Genotypes) -> Genotypes:
        """Returns those of networks ``(N, L)`` that were never told."""
        new = [row.tobytes() not in self.seen for row in genotypes]
        return genotypes[np.array(new, dtype=np.bool_)]

    def neighbour(
        self, genotype: Genotypes, *, double: float = 0.0, distinct: bool = False
    ) -> Genotypes:
        """Draws a feasible neighbour, or any feasible network where there is none.

        Args:
            genotype: ``(L,)``.
            double: chance that two positions change. Near the budget hardly a better
                choice is feasible unless another position becomes cheaper.
            distinct: True leaves out networks that were told before.

        Returns:
            One network, ``(1, L)`` int8.
        """
        if double > 0 and self.rng.random() < double:
            rows = self._two_changes(genotype)
        else:
            rows = self.neighbours(genotype)
        if distinct:
            rows = self.unseen(rows)
        if len(rows) == 0:
            return self.sample()
        return rows[[int(self.rng.integers(len(rows)))]]

    def _two_changes(self, genotype: Genotypes, *, draws: int = 64) -> Genotypes:
        """Draws changes of two positions and returns those that are feasible."""
        space, row = self.problem.space, np.arange(draws)
        rows = np.repeat(genotype[None, :], draws, axis=0)
        order = self.rng.permuted(np.tile(np.arange(space.length), (draws, 1)), axis=1)
        choices = np.array(space.choices_at)
        for position in order[:, :2].T:
            # a position with one choice keeps it
            if space.uniform:
                step = self.rng.integers(1, max(space.choices, 2), draws)
            else:
                step = self.rng.integers(1, np.maximum(choices[position], 2))
            changed = (rows[row, position] + step) % choices[position]
            rows[row, position] = changed.astype(np.int8)
        return rows[self.feasible(rows)]

    def score(self, evaluation: Evaluation) -> FloatArray:
        """Returns the accuracy in [0, 1], -1 where a network is not feasible."""
        cost = evaluation.costs[:, self.problem.metric_column]
        feasible = evaluation.deployable & (cost <= self.limit)
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
    weights = exp(allowed - allowed.max())
    return np.asarray(weights / ordered_sum(weights))


def _identity(problem: Problem) -> dict[str, str]:
    """Names the problem, so that a search is not continued on another one."""
    return {
        "space": problem.space.name,
        "device": problem.device.name,
        "dataset": problem.dataset,
        "metric": problem.metric,
        "source": problem.source,
        "accuracy": problem.accuracy,
    }


def _check_state(state: Mapping[str, Any], **expected: Any) -> None:
    parts = ("agent", "config", "problem", "budget", "generator", "history")
    check_type(state, Mapping, what="state")
    missing = [part for part in parts if part not in state]
    if missing:
        message = f"state: expected {', '.join(parts)}; {', '.join(missing)} missing"
        raise RestoreError(message)
    for part, value in expected.items():
        if state[part] != value:
            message = f"state: expected {part} {value!r}, got {shown(state[part])}"
            raise RestoreError(message)
