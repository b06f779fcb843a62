"""A policy of other devices: it knows nothing of the new one, and spends its ledger."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hwnas_env import BudgetedProblem, make_problem
from hwnas_env.agents import (
    JaxPPO,
    TransferPPO,
    TransferPPOConfig,
    transfer_ppo,
    transfer_training,
)
from hwnas_env.benchmark import Task, run_once
from hwnas_env.devices import DEVICES
from hwnas_env.errors import (
    InvalidArgumentError,
    NoPopulationError,
    RestoreError,
    UnknownNameError,
)
from hwnas_env.fitting.known import machine
from hwnas_env.spaces import get_space

pytest.importorskip("jax")

TRAINED = Task(
    "HWNAS-NASBench201-FPGA-v0",
    train=("HWNAS-NASBench201-Raspi4-v0", "HWNAS-NASBench201-Eyeriss-v0"),
)
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
    # of the hundreds of networks that training saw, far more than ten meet the budget
    accuracy = agent.problem.evaluate(genotypes[:10]).accuracy_percent
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
    for wrong in ({"tuning_rate": 0.0}, {"tuning_rate": "a"}, {"net_arch": ("a",)}):
        with pytest.raises(InvalidArgumentError, match=next(iter(wrong))):
            TransferPPOConfig(**wrong)
    toy = make_problem("toycell", device="toybox")
    with pytest.raises(NoPopulationError):
        TransferPPO(toy, toy.budget("loose"), rng=np.random.default_rng(0))


def made(problem: Any, **keywords: Any) -> TransferPPO:
    config = replace(SMALL, **keywords)
    budget = problem.budget("medium")
    return TransferPPO(problem, budget, rng=np.random.default_rng(0), config=config)


@pytest.mark.parametrize("devices", ["random", "real"])
def test_names_that_it_is_to_know_nothing_of_are_checked(devices: str) -> None:
    problem = make_problem("fbnet", device="fpga")
    with pytest.raises(UnknownNameError, match="pixel3"):
        made(problem, devices=devices, without=("pixxel3",))
    assert made(problem, devices=devices, without=["pixel3"]).config.without == (
        "pixel3",
    )


def test_drawn_devices_have_one_metric() -> None:
    problem = make_problem("fbnet", device="fpga", metric="energy_mj")
    with pytest.raises(InvalidArgumentError, match=r"latency_ms.*energy_mj.*real"):
        made(problem)
    assert made(problem, devices="real").problem is problem


def test_a_task_with_devices_to_train_on_lets_it_know_them_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    known: list[set[str]] = []

    class StoppedError(Exception):
        pass

    def spied(costs: Any, without: tuple[str, ...], *more: Any) -> Any:
        del more
        machines = get_space(costs[0]).population.machines
        left_out = {machines[name] for name in without if name in machines}
        known.append({m for m in machines.values() if m not in left_out})
        raise StoppedError

    monkeypatch.setattr(transfer_ppo, "train_on_others", spied)
    run = run_once(TRAINED, "transfer_ppo", seed=0, queries=4)
    assert "StoppedError" in run.error
    machines = get_space("nasbench201").population.machines
    assert known == [{machines["raspi4"], machines["eyeriss"]}]
    run = run_once(replace(TRAINED, train=()), "transfer_ppo", seed=0, queries=4)
    assert known[1] == {*machines.values()} - {machines["fpga"]}


@pytest.mark.jax
def test_a_saved_policy_answers_as_before(tmp_path: Path) -> None:
    agent, _ = searched("nasbench201", "fpga", replace(SMALL, devices="real"))
    agent.save(tmp_path / "policy")
    again = TransferPPO.load(
        tmp_path / "policy", agent.problem, rng=np.random.default_rng(7)
    )
    far = make_problem("nasbench201", device="edgetpu")
    for problem in (agent.problem, far):
        drawn = agent.networks(30, problem=problem, budget="loose", seed=1)
        other = again.networks(30, problem=problem, budget="loose", seed=1)
        assert np.array_equal(drawn, other)
    with np.load(tmp_path / "policy.npz") as file:
        arrays = {name: file[name] for name in file.files}
    for name, wrong in (
        ("low", None),
        ("low", arrays["low"][:-1]),
        ("layer_00", arrays["layer_00"].astype(np.float64)),
        ("layer_00", arrays["layer_00"] * np.nan),
        ("layer_00", arrays["layer_00"].astype("U3")),
        ("made", np.array("[" * 10**6)),
        (
            "made",
            np.array(str(arrays["made"]).replace('"networks": 512', '"networks": 0')),
        ),
        ("made", np.array(str(arrays["made"]).replace("random", "nowhere")[:-1])),
    ):
        changed = {key: value for key, value in arrays.items() if key != name}
        if wrong is not None:
            changed[name] = wrong
        np.savez(tmp_path / "bad.npz", **changed)
        with pytest.raises(RestoreError, match="bad"):
            TransferPPO.load(
                tmp_path / "bad", agent.problem, rng=np.random.default_rng(0)
            )


@pytest.mark.jax
def test_an_archive_knows_no_accuracy_of_one_s_own() -> None:
    own = np.random.default_rng(0).uniform(10.0, 90.0, 15625)
    agent, genotypes = searched(
        "nasbench201", "eyeriss", replace(SMALL, asks="archive"), accuracy=own
    )
    usual = make_problem("nasbench201", device="eyeriss")
    seen = usual.evaluate(genotypes[:10]).accuracy_percent
    assert (np.diff(seen) <= 0.0).all()
    assert not (np.diff(agent.problem.evaluate(genotypes).accuracy_percent) <= 0).all()


@pytest.mark.jax
def test_a_warm_start_carries_the_compiled_policy_over() -> None:
    taken: list[Any] = []
    real = JaxPPO.take_over

    def spied(self: JaxPPO, trained: Any) -> None:
        real(self, trained)
        taken.append((self.problem.device.name, self.training.updates.item()))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(JaxPPO, "take_over", spied)
        run = run_once(TRAINED, "jax_ppo", seed=0, queries=40)
    assert run.queries == 40
    assert not run.error
    assert [name for name, _ in taken] == ["eyeriss", "fpga"]
    assert 0 < taken[0][1] < taken[1][1]
