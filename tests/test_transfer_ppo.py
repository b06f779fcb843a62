"""A policy of other devices: it knows nothing of the new one, and spends its ledger."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from hwnas_env import BudgetedProblem, make_problem
from hwnas_env.agents import JaxPPO, TransferPPO, TransferPPOConfig, transfer_training
from hwnas_env.benchmark import Task, run_once
from hwnas_env.devices import DEVICES
from hwnas_env.errors import (
    InvalidArgumentError,
    NoPopulationError,
    UnknownNameError,
)
from hwnas_env.fitting.known import machine

pytest.importorskip("jax")

SMALL = TransferPPOConfig(networks=512, drawn=4, stays=8, sampled=10, policies=2)


def searched(
    space: str, device: str, config: TransferPPOConfig, **keywords: Any
) -> Any:
    problem = make_problem(space, device=device, **keywords)
    ledger = BudgetedProblem(problem, max_queries=60, record=True)
    agent = TransferPPO(
        problem, problem.budget("tight"), rng=np.random.default_rng(3), config=config
    )
    agent.search(ledger)
    assert ledger.exhausted
    genotypes = ledger.history().genotypes
    assert (problem.known_costs(genotypes) <= problem.budget("tight")).all()
    return agent, genotypes


@pytest.mark.jax
@pytest.mark.parametrize(
    ("space", "device"), [("nasbench201", "fpga"), ("fbnet", "fpga")]
)
@pytest.mark.parametrize("devices", ["random", "real"])
def test_it_asks_its_policy_first_and_spends_its_ledger(
    space: str, device: str, devices: str
) -> None:
    config = replace(SMALL, devices=devices)
    _, genotypes = searched(space, device, config)
    assert len(np.unique(genotypes[:10], axis=0)) == 10
    _, again = searched(space, device, config)
    assert np.array_equal(genotypes, again)


@pytest.mark.jax
def test_an_archive_asks_for_the_best_that_training_saw() -> None:
    agent, genotypes = searched(
        "nasbench201", "eyeriss", replace(SMALL, asks="archive")
    )
    accuracy = agent.problem.evaluate(genotypes).accuracy_percent
    assert (np.diff(accuracy) <= 0.0).all()


def test_training_knows_nothing_of_what_is_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[tuple[str, ...]] = []
    real = transfer_training.random_devices

    def spied(space: str, **keywords: Any) -> Any:
        asked.append(keywords["without"])
        return real(space, **keywords)

    monkeypatch.setattr(transfer_training, "random_devices", spied)
    costs, without = ("nasbench201", "cifar10", "latency_ms"), ("fpga", "raspi4")
    found = transfer_training._params_of_calls(costs, without, SMALL, 2, 0)
    assert next(found).tails.shape == (SMALL.drawn, 5)
    assert asked == [without]
    problems = transfer_training._real(*costs, without)
    machines = {machine(DEVICES[problem.device.name]) for problem in problems}
    assert len(problems) > 10
    assert not machines & {machine(DEVICES[name]) for name in without}


def test_what_it_cannot_train_on_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="random"):
        TransferPPOConfig(devices="rnadom")
    with pytest.raises(UnknownNameError, match="archive"):
        TransferPPOConfig(asks="archives")
    with pytest.raises(InvalidArgumentError, match="True"):
        TransferPPOConfig(sampled_budgets=False)
    toy = make_problem("toycell", device="toybox")
    agent = TransferPPO(toy, toy.budget("loose"), rng=np.random.default_rng(0))
    with pytest.raises(NoPopulationError):
        agent.search(BudgetedProblem(toy, max_queries=5))


@pytest.mark.jax
def test_a_warm_start_carries_the_compiled_policy_over() -> None:
    task = Task(
        "HWNAS-NASBench201-FPGA-v0",
        train=("HWNAS-NASBench201-Raspi4-v0", "HWNAS-NASBench201-Eyeriss-v0"),
    )
    taken: list[Any] = []
    real = JaxPPO.take_over

    def spied(self: JaxPPO, trained: Any) -> None:
        real(self, trained)
        taken.append((self.problem.device.name, self.training.updates.item()))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(JaxPPO, "take_over", spied)
        run = run_once(task, "jax_ppo", seed=0, queries=40)
    assert run.queries == 40
    assert not run.error
    assert [name for name, _ in taken] == ["eyeriss", "fpga"]
    assert 0 < taken[0][1] < taken[1][1]
