"""The ledger: charges in order, one by one or in batches, to exactly the budget."""

from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwnas_env import BudgetedProblem, make_problem
from hwnas_env.benchmark.runner import run_all
from hwnas_env.benchmark.tasks import Limits, Task
from hwnas_env.benchmark.validate import record_files, validate
from hwnas_env.errors import (
    BudgetExhaustedError,
    InvalidArgumentError,
    UnknownNameError,
)
from hwnas_env.problems import budget
from hwnas_env.problems.problem import Problem

CELLS = make_problem("nasbench201", device="fpga")
NETS = make_problem("fbnet", device="fpga")


def ledgers(problem: Problem, repeats: str, limit: str) -> list[BudgetedProblem]:
    keywords: dict[str, float] = {"queries": {"max_queries": 23}, "none": {}}.get(  # type: ignore[assignment]
        limit, {"max_train_seconds": 30_000.0}
    )
    return [
        BudgetedProblem(problem, repeats=repeats, **keywords)  # type: ignore[arg-type]
        for _ in range(2)
    ]


@settings(max_examples=60)
@given(
    seed=st.integers(0, 10**6),
    repeats=st.sampled_from(["charged", "free"]),
    limit=st.sampled_from(["queries", "seconds", "none"]),
    space=st.sampled_from(["nasbench201", "fbnet"]),
    in_a_row=st.sampled_from([1, 4, budget.MOST_IN_A_ROW]),
)
def test_batches_charge_what_single_queries_do(
    seed: int, repeats: str, limit: str, space: str, in_a_row: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(budget, "MOST_IN_A_ROW", in_a_row)
        compare_one_and_many(seed, repeats, limit, space)


def compare_one_and_many(seed: int, repeats: str, limit: str, space: str) -> None:
    problem = CELLS if space == "nasbench201" else NETS
    if limit == "seconds" and space == "fbnet":
        return
    rng = np.random.default_rng(seed)
    one, many = ledgers(problem, repeats, limit)
    pool = problem.space.sample(12, rng=rng)
    for _ in range(6):
        rows = pool[rng.integers(0, len(pool), rng.integers(0, 12))]
        seconds = problem.evaluate(rows).train_seconds
        keys = problem.space.keys(rows)
        receipt = many.charge(keys, seconds)
        paid = 0
        for number, key in enumerate(keys):
            plain = key if isinstance(key, bytes) else int(key)
            cost = None if seconds is None else float(seconds[number])
            # once a query could not be paid, no later one is
            if paid == number and one.charge_one(plain, cost):
                paid += 1
            assert receipt.queries[number] == one.queries
            assert receipt.unique_queries[number] == one.unique_queries
            assert receipt.exhausted[number] == one.exhausted
        assert receipt.paid == paid
        assert many.queries == one.queries
        assert many.train_seconds == one.train_seconds
        assert many.exhausted == one.exhausted


def test_free_repeats_cost_neither_queries_nor_seconds() -> None:
    ledger = BudgetedProblem(CELLS, max_queries=2, repeats="free")
    first, second, third = CELLS.space.from_index([5, 6, 7])
    ledger.evaluate([first, first])
    spent = ledger.train_seconds
    ledger.evaluate([first])
    assert (ledger.queries, ledger.unique_queries, ledger.charged) == (3, 1, 1)
    assert ledger.train_seconds == spent
    assert ledger.remaining == 1
    ledger.evaluate([second])
    assert ledger.exhausted
    ledger.evaluate([first, second])  # known networks cost nothing
    with pytest.raises(BudgetExhaustedError):
        ledger.evaluate([third])
    assert ledger.queries == 6


def test_a_refused_batch_charges_nothing() -> None:
    ledger = BudgetedProblem(CELLS, max_queries=3)
    with pytest.raises(BudgetExhaustedError, match="4 queries asked for, 3 of 3 left"):
        ledger.evaluate(CELLS.space.from_index([1, 2, 3, 4]))
    assert ledger.queries == ledger.unique_queries == 0
    assert ledger.train_seconds == 0.0
    timed = BudgetedProblem(CELLS, max_train_seconds=1.0)
    with pytest.raises(BudgetExhaustedError, match="training seconds asked for"):
        timed.evaluate([[3] * 6])
    assert timed.exhausted  # not even the cheapest can be paid


def test_wrong_rules_have_their_own_errors() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'free'"):
        BudgetedProblem(CELLS, repeats="fre")
    with pytest.raises(InvalidArgumentError, match="max_train_seconds > 0"):
        BudgetedProblem(CELLS, max_train_seconds=0)
    with pytest.raises(InvalidArgumentError, match="no training times"):
        BudgetedProblem(NETS, max_train_seconds=10.0)


def test_free_repeats_end_with_the_last_step_that_is_paid() -> None:
    problem = make_problem("nasbench201", device="edgegpu")
    for count in (1, 3):
        own = BudgetedProblem(problem, max_queries=2, repeats="free")
        envs = gym.make_vec(
            "HWNAS-NASBench201-EdgeGPU-v0", count, mode="joint", ledger=own
        )
        envs.reset(seed=0)
        told: list[bool] = []
        while not own.exhausted:
            *_, infos = envs.step(np.ones((count, 6), dtype=np.int64))
            final = infos["final_info"]
            told += final["budget_exhausted"][final["evaluated"]].tolist()
        assert own.queries == len(told) == 200
        assert told == [False] * 199 + [True]


def test_a_run_that_finds_nothing_new_ends_and_its_record_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(budget, "MOST_IN_A_ROW", 50)
    cheapest = make_problem("nasbench201", device="edgegpu").cheapest
    task = Task("HWNAS-NASBench201-EdgeGPU-v0", budget=cheapest)
    feasible = 125
    for limits in (Limits(None, 1e6, "free"), Limits(10**9, repeats="free")):
        runs = run_all(
            task, ["random", "evolution"], seeds=1, limits=limits, folder=tmp_path
        )
        for found in runs:
            assert found.error == ""
            assert found.unique_queries <= feasible
            assert found.queries > found.unique_queries
            *_, last = found.networks
            assert last in found.networks[:-50]
    for path in record_files(tmp_path):
        assert validate(path).differences == ()


def test_a_ledger_without_limits_never_tires(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "MOST_IN_A_ROW", 5)
    own = BudgetedProblem(CELLS, repeats="free")
    own.evaluate([[0] * 6] * 20)
    assert not own.exhausted
    limited = BudgetedProblem(CELLS, max_train_seconds=1e6, repeats="free")
    limited.evaluate([[0] * 6] * 6)
    assert limited.exhausted
    with pytest.raises(BudgetExhaustedError, match="asked for nothing new"):
        limited.evaluate([[1] * 6])
