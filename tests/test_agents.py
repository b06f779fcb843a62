"""Searchers under one ledger: exact budgets, determinism, constraints, learning."""

import numpy as np
import pytest

from hwnas_env import BudgetedProblem, make_problem
from hwnas_env.agents import DEFAULT_AGENTS
from hwnas_env.agents.searcher import masked_softmax
from hwnas_env.benchmark.runner import run_all
from hwnas_env.benchmark.runs import Task, run_once
from hwnas_env.errors import (
    BudgetExhaustedError,
    InvalidArgumentError,
    UnknownNameError,
)

TASKS = [
    Task("HWNAS-NASBench201-EdgeTPU-v0", budget="tight"),
    Task("HWNAS-FBNet-EdgeTPU-v0", budget="tight"),
]
TOYS = [
    Task("HWNAS-ToyRagged-ToyBox-v0", budget="tight"),
    Task("HWNAS-ToyStates-ToyBox-v0", budget="tight"),
]


@pytest.mark.parametrize("agent", DEFAULT_AGENTS)
@pytest.mark.parametrize(
    "task", TASKS + TOYS, ids=["cells", "fbnet", "ragged", "states"]
)
def test_a_run_spends_exactly_its_queries_on_feasible_networks(
    agent: str, task: Task
) -> None:
    run = run_once(task, agent, seed=3, queries=77)
    assert run.queries == len(run.curve) == 77
    assert 1 <= run.unique_queries <= 77
    assert not np.isnan(run.curve[0]), "the first proposal is feasible already"
    assert list(run.curve) == sorted(run.curve)
    problem = task.problem()
    evaluation = problem.evaluate(problem.encode(run.incumbent))
    assert evaluation.accuracy_percent[0] == run.accuracy_percent
    assert evaluation.costs[0, 0] == run.cost <= problem.budget("tight")
    assert run.regret_percent >= 0


@pytest.mark.parametrize("agent", DEFAULT_AGENTS)
def test_the_same_seed_gives_the_same_run(agent: str) -> None:
    first, again = (run_once(TASKS[0], agent, seed=1, queries=60) for _ in range(2))
    other = run_once(TASKS[0], agent, seed=2, queries=60)
    assert first == again
    assert first.curve != other.curve


@pytest.mark.slow
@pytest.mark.parametrize("task", TASKS, ids=["cells", "fbnet"])
def test_evolution_beats_random_search_over_seeds(task: Task) -> None:
    runs = run_all(task, ["random", "evolution"], seeds=12, queries=300)
    regret = {
        agent: np.mean([run.regret_percent for run in runs if run.agent == agent])
        for agent in ("random", "evolution")
    }
    assert regret["evolution"] < regret["random"]


def test_wrong_names_and_numbers_fail_before_anything_runs() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'random'"):
        run_all(TASKS[0], ["rndom"], seeds=1, queries=1)
    with pytest.raises(InvalidArgumentError, match="no_such_module"):
        run_all(TASKS[0], ["no_such_module:Agent"], seeds=1, queries=1)
    with pytest.raises(InvalidArgumentError, match="expected a subclass of Agent"):
        run_all(TASKS[0], ["hwnas_env.agents:Config"], seeds=1, queries=1)
    with pytest.raises(InvalidArgumentError, match="at most 1,000,000 networks"):
        run_all(TASKS[1], ["exhaustive"], seeds=1, queries=1)
    with pytest.raises(UnknownNameError, match="HWNAS-FBNet-FPGA-v0"):
        Task("HWNAS-FBNet-FPGA-v1").problem()
    for seeds, queries, agents in ((0, 1, ["random"]), (1, 0, ["random"]), (1, 1, [])):
        with pytest.raises(InvalidArgumentError, match="at least 1"):
            run_all(TASKS[0], agents, seeds=seeds, queries=queries)


def test_an_agent_of_ones_own_runs_by_its_import_name() -> None:
    own = "hwnas_env.agents.random_search:RandomSearch"
    assert run_once(TASKS[0], own, seed=1, queries=9).queries == 9


def test_a_search_that_has_proposed_everything_ends_its_run() -> None:
    problem = TASKS[0].problem()
    few = Task(TASKS[0].env, budget=problem.cheapest * 1.01)
    run = run_once(few, "exhaustive", seed=0, queries=10_000)
    assert run.queries == run.unique_queries == len(run.curve) < 10_000
    assert run.regret_percent == 0.0


def test_masked_softmax_gives_nothing_to_what_is_masked() -> None:
    mask = np.array([1, 0, 1], dtype=np.int8)
    weights = masked_softmax(np.array([0.0, 99.0, np.log(3.0)]), mask)
    assert weights.tolist() == pytest.approx([0.25, 0.0, 0.75])


def test_a_ledger_charges_in_full_or_not_at_all() -> None:
    problem = make_problem("nasbench201", device="fpga")
    ledger = BudgetedProblem(problem, max_queries=3)
    rows = problem.space.from_index([0, 1, 2, 3])
    with pytest.raises(BudgetExhaustedError, match="4 queries asked for, 3 of 3 left"):
        ledger.evaluate(rows)
    assert ledger.queries == ledger.unique_queries == 0
    ledger.evaluate(rows[[0, 0]])
    assert (ledger.queries, ledger.unique_queries, ledger.remaining) == (2, 1, 1)
    ledger.evaluate(rows[:0])
    assert not ledger.exhausted
    ledger.evaluate(rows[1])
    assert ledger.exhausted
    with pytest.raises(BudgetExhaustedError):
        ledger.evaluate(rows[1])
    assert ledger.unique_classes == 2


def test_isomorphic_cells_count_once_by_class() -> None:
    problem = make_problem("nasbench201", device="fpga")
    ledger = BudgetedProblem(problem)
    ledger.evaluate([[1, 0, 0, 3, 2, 0], [1, 0, 0, 2, 3, 0]])
    assert (ledger.unique_queries, ledger.unique_classes) == (2, 1)
    assert ledger.remaining is None
    nets = BudgetedProblem(make_problem("fbnet", device="fpga"))
    nets.evaluate([[0] * 22])
    assert nets.unique_classes is None


def test_simulated_seconds_are_spent_exactly() -> None:
    problem = make_problem("nasbench201", device="fpga")
    rows = problem.space.from_index(np.arange(20))
    seconds = problem.evaluate(rows).train_seconds
    assert seconds is not None
    limit = float(seconds[:2].sum()) + 1.0
    ledger = BudgetedProblem(problem, max_train_seconds=limit)
    with pytest.raises(BudgetExhaustedError, match="training seconds asked for"):
        ledger.evaluate(rows[:3])
    assert ledger.train_seconds == 0.0
    ledger.evaluate(rows[:2])
    assert ledger.train_seconds == pytest.approx(limit - 1.0)
    assert ledger.exhausted
    with pytest.raises(InvalidArgumentError, match="no training times"):
        BudgetedProblem(make_problem("fbnet", device="fpga"), max_train_seconds=10.0)
    for wrong in (0, -1, 1.5, True):
        with pytest.raises(InvalidArgumentError):
            BudgetedProblem(problem, max_queries=wrong)  # type: ignore[arg-type]
