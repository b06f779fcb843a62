"""Wrong arguments of environments, vectors and wrappers, each with its own words."""

import json
from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from hwnas_env import BudgetedProblem, make_problem, wrappers
from hwnas_env.errors import HWNASError, InvalidArgumentError
from hwnas_env.wrappers.sb3 import SB3VecEnv

CELL, NET = "HWNAS-NASBench201-FPGA-v0", "HWNAS-FBNet-EdgeTPU-v0"
SEVERAL = "HWNAS-NASBench201-MultiDevice-v0"
NAMES = ("accuracy", "latency_ms")
Call = Callable[[], Any]


def vector(**keywords: Any) -> Any:
    return gym.make_vec(CELL, 2, **keywords)


def ledger(**keywords: Any) -> BudgetedProblem:
    return BudgetedProblem(make_problem("nasbench201", device="fpga"), **keywords)


def bounded(bounds: Any) -> Call:
    env = gym.make(CELL, objectives=NAMES)
    return lambda: wrappers.EpsilonConstraint(env, bounds)


WRONG: list[tuple[str, Call]] = [
    ("finite number", lambda: wrappers.EarlyTermination(vector(), reward=None)),  # type: ignore[arg-type]
    ("finite number", lambda: wrappers.EarlyTermination(gym.make(CELL), reward="a")),  # type: ignore[arg-type]
    ("of hwnas_env", lambda: wrappers.EarlyTermination(gym.make("CartPole-v1"))),
    ("positive number for latency_ms", bounded({"latency_ms": "a"})),
    ("positive number for latency_ms", bounded({"latency_ms": True})),
    ("a mapping of latency_ms", bounded(["latency_ms"])),
    ("number in ms or a name", lambda: gym.make(CELL, budget=np.ones(2))),
    ("of mode mutate", lambda: gym.make(CELL, horizon=3)),
    ("of mode mutate", lambda: vector(horizon=3)),
    ("an int or 2 of them", lambda: vector().reset(seed=1.5)),
    ("an int or 2 of them", lambda: vector().reset(seed=[1])),
    ("expected a mapping", lambda: vector().reset(options=5)),
    ("expected a mapping", lambda: gym.make(CELL).reset(options=5)),  # type: ignore[arg-type]
    ("max_train_seconds > 0", lambda: ledger(max_train_seconds=True)),
    ("name those to train on", lambda: gym.make(SEVERAL, test_devices=["fpga"])),
    ("a BudgetedProblem, got 5", lambda: vector(ledger=5)),
    (
        "its max_queries is 5",
        lambda: vector(ledger=ledger(max_queries=5), max_queries=6),
    ),
    ("its dataset is cifar10", lambda: vector(ledger=ledger(), dataset="cifar100")),
    ("its space is nasbench201", lambda: gym.make_vec(NET, 2, ledger=ledger())),
    (
        "EpsilonConstraint needs no front",
        lambda: wrappers.WeightedSum(
            gym.make(NET, objectives=(*NAMES, "flops_m", "parameters_m")), [1] * 4
        ),
    ),
    ("such as WeightedSum", lambda: SB3VecEnv(vector(objectives=NAMES))),
]


@pytest.mark.parametrize(
    ("words", "call"), WRONG, ids=[str(place) for place in range(len(WRONG))]
)
def test_wrong_arguments_are_named(words: str, call: Call) -> None:
    with pytest.raises(HWNASError, match=words):
        call()


def test_numpy_numbers_are_taken_and_recorded_as_numbers() -> None:
    mutate: Any = gym.make(CELL, mode="mutate", horizon=np.int64(3))
    mutate.reset(seed=0)
    assert [mutate.step(0)[3] for _ in range(3)] == [False, False, True]
    plain, both = gym.make(CELL), gym.make(CELL, objectives=NAMES)
    for env in (
        wrappers.PenaltyReward(plain, coefficient=np.int64(2)),
        wrappers.LagrangianReward(
            plain, step_size=np.float32(0.5), observe=np.bool_(True)
        ),
        wrappers.EarlyTermination(plain, reward=np.float32(0.5)),
        wrappers.EpsilonConstraint(both, {"latency_ms": np.float32(3)}),
        wrappers.Chebyshev(both, np.array([1, 2]), rho=np.float64(0.5)),
        wrappers.WeightedSum(both, (np.float32(1), 2)),
    ):
        text = env.spec.to_json()
        again = gym.make(gym.envs.registration.EnvSpec.from_json(text))
        assert json.loads(again.spec.to_json()) == json.loads(text)


def test_a_ledgers_own_problem_is_searched_and_spent() -> None:
    own = ledger(max_queries=3)
    envs = vector(ledger=own, mode="joint")
    envs.reset(seed=0)
    envs.step(np.full((2, 6), 3))
    assert own.queries == 2


def test_what_is_handed_out_cannot_change_what_is_inside() -> None:
    env: Any = gym.make(CELL, objectives=NAMES).unwrapped
    for kept in (env.reward_reference, env.vector_reward.high):
        with pytest.raises(ValueError, match="read-only"):
            kept[0] = 5.0
    for made in (gym.make(CELL, reward=_in_place), vector(reward=_in_place)):
        made.reset(seed=0)
        for _ in range(6):
            action = 3 if isinstance(made, gym.Env) else np.array([3, 3])
            *_, info = made.step(action)
        final = info.get("final_info", info)
        assert np.all(final["accuracy_percent"] > 50)
        assert np.all(final["latency_ms"] > 1)


def _in_place(accuracy: Any, cost: Any, budget: float) -> Any:
    del budget
    accuracy *= 0.0
    cost *= 0.0
    return accuracy


def test_the_adapter_finds_attributes_of_any_kind_and_wrappers_by_their_class() -> None:
    wrapped = wrappers.WeightedSum(vector(objectives=NAMES), [1, 1])
    envs = SB3VecEnv(wrapped)
    wrapped.unwrapped.empty, wrapped.unwrapped.listed = 0, np.zeros(3)
    assert envs.get_attr("empty") == [0, 0]
    assert all((one == np.zeros(3)).all() for one in envs.get_attr("listed"))
    with pytest.raises(AttributeError, match="nothing"):
        envs.get_attr("nothing")
    assert envs.env_is_wrapped(wrappers.WeightedSum) == [True, True]
    assert envs.env_is_wrapped(wrappers.Chebyshev) == [False, False]
    dual: Any = wrappers.LagrangianReward(vector(), initial=0.5)
    assert dual.multiplier == 0.5
    assert SB3VecEnv(dual).get_attr("multiplier") == [0.5, 0.5]


def test_stepping_on_after_an_early_end_is_refused_and_costs_nothing() -> None:
    env: Any = wrappers.EarlyTermination(gym.make(NET, budget="tight"))
    env.reset(seed=0)
    while not env.step(7)[2]:
        pass
    with pytest.raises(HWNASError, match="call reset"):
        env.step(8)
    assert env.unwrapped.ledger.queries == 0
    env.reset()
    env.step(8)


def test_a_prefix_may_have_undecided_positions_behind_it() -> None:
    for made in (gym.make(CELL), vector()):
        options = {"genotype": [0, 3, -1, -1, -1, -1]}
        info = made.reset(options=options)[1]
        assert np.all(info["genotype"] == options["genotype"])


def test_exact_fronts_are_kept() -> None:
    problem = make_problem("fbnet", device="pixel3")
    front = problem.pareto_front(NAMES)
    assert problem.pareto_front(list(NAMES)) is front
    with pytest.raises(ValueError, match="read-only"):
        front.points[0, 0] = 1.0
    with pytest.raises(InvalidArgumentError):
        problem.pareto_front(("accuracy", "accuracy"))
