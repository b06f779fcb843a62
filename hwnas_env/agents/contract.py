"""What every agent has to hold, as tests that anyone's agent can inherit.

Example:
    A test module of one's own, run by pytest::

        class TestMine(SearcherContract):  # AgentContract, if it does not ask and tell
            def make(self, problem, budget, *, rng):
                return MySearcher(problem, budget, rng=rng)

            def make_problem(self):
                return hwnas_env.make_problem("nasbench201", device="edgetpu")
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Callable

import numpy as np

from hwnas_env.agents.agent import Agent
from hwnas_env.agents.searcher import Searcher
from hwnas_env.errors import HWNASError, RestoreError, SearchExhaustedError
from hwnas_env.problems.budget import BudgetedProblem
from hwnas_env.problems.problem import Problem
from hwnas_env.types import Evaluation, Genotypes

Answer = Callable[[Problem, Genotypes], Evaluation]
"""How a run answers: truthfully, or worse."""


class AgentContract(ABC):
    """Tests one agent on one problem.

    Attributes:
        queries: length of the runs; enough for the agent to have learnt.
        preset: name of the budget.
        masked: False for an agent that may query infeasible networks, because it does
            not know the mask.
    """

    queries = 60
    preset = "medium"
    masked = True

    @abstractmethod
    def make(
        self, problem: Problem, budget: float | None, *, rng: np.random.Generator
    ) -> Agent:
        """Builds the agent."""

    @abstractmethod
    def make_problem(self) -> Problem:
        """Builds the problem; one with networks that do not deploy tests the most."""

    def test_a_search_spends_its_ledger_exactly(self) -> None:
        """Spends all queries, and no more; a second search of it spends nothing."""
        for queries in (1, self.queries - 1):
            ledger = self._searched(queries=queries)
            assert ledger.queries == queries, ledger.queries
            assert ledger.exhausted
        problem = ledger.problem
        agent = self.make(
            problem, problem.budget(self.preset), rng=np.random.default_rng(4)
        )
        agent.search(ledger)
        assert ledger.queries == queries, ledger.queries

    def test_a_seed_gives_one_search(self) -> None:
        """Searches with a seed twice, and with another one."""
        first, again, other = (
            self._searched(queries=self.queries, seed=seed).history().genotypes
            for seed in (1, 1, 2)
        )
        assert np.array_equal(first, again)
        assert not np.array_equal(first, other)

    def test_queries_are_feasible_or_some_are_without_a_mask(self) -> None:
        """Compares costs with the budget, and with none."""
        for bounded in (True, False):
            ledger = self._searched(queries=self.queries, bounded=bounded)
            problem = ledger.problem
            costs = problem.known_costs(ledger.history().genotypes)
            feasible = costs <= (problem.budget(self.preset) if bounded else np.inf)
            feasible &= np.isfinite(costs)
            assert feasible.all() if self.masked else feasible.any(), costs

    def test_free_repeats_count_new_networks_only(self) -> None:
        """Ends when the new networks are spent, or when it only repeats itself."""
        ledger = self._searched(queries=self.queries // 2, repeats="free")
        assert ledger.exhausted
        assert ledger.unique_queries <= self.queries // 2

    def _searched(
        self,
        *,
        queries: int,
        seed: int = 0,
        bounded: bool = True,
        repeats: str = "charged",
    ) -> BudgetedProblem:
        problem = self.make_problem()
        budget = problem.budget(self.preset) if bounded else None
        ledger = BudgetedProblem(
            problem, max_queries=queries, repeats=repeats, record=True
        )
        self.make(problem, budget, rng=np.random.default_rng(seed)).search(ledger)
        return ledger


class SearcherContract(AgentContract):
    """Tests one searcher on one problem: what agents hold, and asking and telling."""

    @abstractmethod
    def make(
        self, problem: Problem, budget: float | None, *, rng: np.random.Generator
    ) -> Searcher:
        """Builds the searcher."""

    def test_proposals_are_batches_of_valid_genotypes(self) -> None:
        """Asks for int8 ``(N, L)`` in range, N at least 1."""
        problem, searcher = self._start()
        for genotypes in run(searcher, self.queries):
            assert genotypes.dtype == np.int8, genotypes.dtype
            assert genotypes.ndim == 2, genotypes.shape
            assert genotypes.shape[0] >= 1, genotypes.shape
            assert genotypes.shape[1] == problem.space.length, genotypes.shape
            assert genotypes.min() >= 0, genotypes
            assert (genotypes < problem.space.choices_at).all(), genotypes

    def test_proposals_are_feasible_or_some_are_without_a_mask(self) -> None:
        """Checks costs against the budget; without one, against deployability."""
        for bounded in (True, False):
            problem, searcher = self._start(bounded=bounded)
            limit = problem.budget(self.preset) if bounded else np.inf
            genotypes = np.concatenate(run(searcher, self.queries))
            evaluation = problem.evaluate(genotypes)
            costs = evaluation.costs[:, problem.metric_column]
            feasible = evaluation.deployable & (costs <= limit)
            assert feasible.all() if self.masked else feasible.any(), genotypes

    def test_the_same_seed_gives_the_same_search(self) -> None:
        """Runs a seed twice, and another seed."""
        first, again, other = (
            proposals(self._start(seed=seed)[1], self.queries) for seed in (1, 1, 2)
        )
        assert first == again
        assert first != other

    def test_what_it_is_told_stays_unchanged(self) -> None:
        """Tells read-only arrays, and overwrites what was asked afterwards."""
        kept: list[Genotypes] = []

        def frozen(problem: Problem, genotypes: Genotypes) -> Evaluation:
            kept.append(genotypes.copy())
            evaluation = problem.evaluate(genotypes)
            for array in (genotypes, evaluation.accuracy_percent, evaluation.costs):
                array.flags.writeable = False
            return evaluation

        _, searcher = self._start()
        told = run(searcher, self.queries, frozen)
        assert len(told) == len(kept)
        assert all(map(np.array_equal, told, kept))

    def test_overwriting_a_proposal_does_not_change_the_search(self) -> None:
        """Proposals are copies: a caller may do with them what he likes."""
        _, tidy = self._start()
        problem, messy = self._start()
        for expected in run(tidy, self.queries):
            genotypes = messy.ask()
            assert np.array_equal(genotypes, expected)
            messy.tell(genotypes, problem.evaluate(genotypes))
            genotypes[:] = 0

    def test_answers_that_are_all_infeasible_are_survived(self) -> None:
        """Answers as if nothing met the budget, then as if nothing deployed."""
        for answer in (too_expensive, not_deployable):
            _, searcher = self._start()
            asked = sum(len(rows) for rows in run(searcher, self.queries, answer))
            assert asked >= self.queries

    def test_proposals_may_stay_unanswered(self) -> None:
        """Asks several times before the first answer, as parallel runners do."""
        problem, searcher = self._start()
        batches = [searcher.ask() for _ in range(5)]
        for genotypes in reversed(batches):
            searcher.tell(genotypes, problem.evaluate(genotypes))
        assert len(searcher.ask()) >= 1

    def test_as_many_networks_are_proposed_as_are_asked_for(self) -> None:
        """Asks for one and for several, and saves; fewer come at the end only."""
        problem, searcher = self._start()
        for number in (1, 7, 1, 3):
            genotypes = asked(searcher, number)
            searcher.tell(genotypes, problem.evaluate(genotypes))
            assert len(genotypes) <= number, genotypes
            if len(genotypes) < number:
                assert len(asked(searcher, 1)) == 0, genotypes
        saved = json.loads(json.dumps(searcher.state(), allow_nan=False))
        restored = type(searcher).restore(problem, searcher.budget, state=saved)
        assert np.array_equal(asked(restored, 5), asked(searcher, 5))

    def test_networks_that_it_never_proposed_can_be_told(self) -> None:
        """Tells none, then foreign networks, deployable or not."""
        problem, searcher = self._start()
        foreign = problem.space.sample(8, rng=np.random.default_rng(5))
        for genotypes in (foreign[:0], foreign):
            searcher.tell(genotypes, problem.evaluate(genotypes))
        assert sum(len(rows) for rows in run(searcher, self.queries)) >= self.queries

    def test_a_restored_search_goes_on_identically(self) -> None:
        """Saves at several moments, through strict JSON, also before an answer."""
        problem, searcher = self._start()
        budget = problem.budget(self.preset)
        more = self.queries // 2
        for queries in (0, more):
            run(searcher, queries)
            pending = searcher.ask()
            saved = json.dumps(searcher.state(), allow_nan=False)
            restored = type(searcher).restore(problem, budget, state=json.loads(saved))
            assert restored.state() == searcher.state()
            for one in (searcher, restored):
                one.tell(pending, problem.evaluate(pending))
            assert proposals(restored, more) == proposals(searcher, more)

    def test_a_changed_history_is_refused(self) -> None:
        """Replays a history whose first proposal is another network."""
        problem, searcher = self._start()
        run(searcher, 3)
        state = json.loads(json.dumps(searcher.state()))
        row = state["history"][0]["asked"][0]
        place = problem.space.choices_at.index(problem.space.choices)
        row[place] = (row[place] + 1) % problem.space.choices
        try:
            type(searcher).restore(problem, searcher.budget, state=state)
        except RestoreError:
            return
        message = "a history that does not replay was accepted"
        raise AssertionError(message)

    def test_the_global_generator_of_numpy_is_left_alone(self) -> None:
        """Compares the state of ``np.random`` before and after a search."""
        before = json.dumps(_global_state())
        _, searcher = self._start()
        run(searcher, self.queries)
        assert json.dumps(_global_state()) == before

    def test_it_proposes_until_it_says_that_it_has_no_more(self) -> None:
        """Raises nothing but ``SearchExhaustedError``, and goes on raising it."""
        problem = self.make_problem()
        budget = problem.cheapest * 1.02  # a corner with few networks
        searcher = self.make(problem, budget, rng=np.random.default_rng(0))
        asked = sum(len(rows) for rows in run(searcher, self.queries))
        if asked >= self.queries:
            return
        try:
            searcher.ask()
        except SearchExhaustedError:
            return
        message = "a searcher that had no more proposed again"
        raise AssertionError(message)

    def test_impossible_budgets_are_refused(self) -> None:
        """Raises an error of this package where no network meets the budget."""
        problem = self.make_problem()
        rng = np.random.default_rng(0)
        try:
            self.make(problem, problem.cheapest / 2, rng=rng)
        except HWNASError:
            return
        message = "a budget below the cheapest network was accepted"
        raise AssertionError(message)

    def _start(
        self, *, seed: int = 0, bounded: bool = True
    ) -> tuple[Problem, Searcher]:
        problem = self.make_problem()
        budget = problem.budget(self.preset) if bounded else None
        return problem, self.make(problem, budget, rng=np.random.default_rng(seed))


def truthful(problem: Problem, genotypes: Genotypes) -> Evaluation:
    """Answers what the problem answers."""
    return problem.evaluate(genotypes)


def too_expensive(problem: Problem, genotypes: Genotypes) -> Evaluation:
    """Answers costs a thousandfold."""
    answer = problem.evaluate(genotypes)
    costs = answer.costs * 1000.0
    return Evaluation(answer.accuracy_percent, costs, answer.deployable)


def not_deployable(problem: Problem, genotypes: Genotypes) -> Evaluation:
    """Answers that nothing runs on the device."""
    answer = problem.evaluate(genotypes)
    nothing = np.zeros(len(genotypes), dtype=np.bool_)
    costs = np.full_like(answer.costs, np.inf)
    return Evaluation(answer.accuracy_percent, costs, nothing)


def asked(searcher: Searcher, number: int) -> Genotypes:
    """Asks for so many networks: ``(N, L)``; N is 0 where there are no more."""
    try:
        return searcher.ask(number)
    except SearchExhaustedError:
        return np.zeros((0, searcher.problem.space.length), dtype=np.int8)


def run(searcher: Searcher, queries: int, answer: Answer = truthful) -> list[Genotypes]:
    """Asks and tells until so many networks were proposed, or there are no more.

    Args:
        searcher: who is asked.
        queries: networks at least.
        answer: how it is answered.

    Returns:
        The proposals, batch by batch.
    """
    batches: list[Genotypes] = []
    while sum(len(rows) for rows in batches) < queries:
        try:
            genotypes = searcher.ask()
        except SearchExhaustedError:
            break
        searcher.tell(genotypes, answer(searcher.problem, genotypes))
        batches.append(genotypes)
    return batches


def proposals(searcher: Searcher, queries: int) -> list[list[int]]:
    """Returns the networks of a truthful run, row by row."""
    return [row for rows in run(searcher, queries) for row in rows.tolist()]


def _global_state() -> list[object]:
    name, keys, *rest = np.random.get_state()  # noqa: NPY002  is what is looked at
    return [name, np.asarray(keys).tolist(), *rest]
