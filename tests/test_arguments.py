"""Wrong arguments of environments, vectors and wrappers, each with its own words."""

import contextlib
import json
from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from hwnas_env import BudgetedProblem, make_device_costs, make_problem, wrappers
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


def weighted(weights: Any) -> Call:
    return lambda: wrappers.WeightedSum(vector(objectives=NAMES), weights)


def costs(devices: Any) -> Any:
    return make_device_costs("nasbench201", devices=devices)


def _half(genotypes: Any) -> Any:
    return np.full(len(genotypes), 50.0)


def limited(wrapper: Any) -> None:
    """Steps a constraint around a vector reward behind a wrapper of Gymnasium's."""
    made = gym.make(CELL, objectives=NAMES)
    env = wrapper(gym.wrappers.TimeLimit(made, max_episode_steps=9))
    env.reset(seed=0)
    env.step(0)


def clipped(wrapper: Any) -> None:
    """Does the same with as many rows as objectives."""
    env = wrapper(gym.wrappers.vector.ClipReward(vector(objectives=NAMES), -1, 1))
    env.reset()
    env.step(np.array([0, 0]))


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
    ("or 2 of them", lambda: vector().reset(seed=1.5)),
    ("or 2 of them", lambda: vector().reset(seed=[1])),
    ("or 2 of them", lambda: vector().reset(seed=[7, -2])),
    ("or 2 of them", lambda: vector().reset(seed=np.array(1.5))),
    ("unknown mode", lambda: gym.make(CELL, mode=["x"])),
    ("unknown keyword", lambda: vector(max_episode_steps=3)),
    ("at least 0", lambda: wrappers.PenaltyReward(gym.make(CELL), coefficient=10**400)),
    ("True or False", lambda: wrappers.LagrangianReward(vector(), observe="no")),  # type: ignore[arg-type]
    ("2 numbers", weighted([1e308, 1e308])),
    ("2 numbers", weighted(["1", "2"])),
    ("2 numbers", weighted([True, False])),
    ("its accuracy is", lambda: vector(ledger=ledger(), accuracy=_half)),
    ("distinct device names", lambda: costs(["fpga", "FPGA"])),
    ("distinct device names", lambda: costs([["fpga"]])),
    ("PenaltyReward needs", lambda: limited(wrappers.PenaltyReward)),
    ("decisions|got", lambda: gym.make(CELL).reset(options={"genotype": {}})),
    ("is a ledger", lambda: vector(ledger=ledger()).spec.to_json()),
    ("needs a reward of one number", lambda: limited(wrappers.PenaltyReward)),
    ("needs a reward of one number", lambda: limited(wrappers.LagrangianReward)),
    ("needs a reward of one number", lambda: clipped(wrappers.PenaltyReward)),
    ("needs a reward of one number", lambda: clipped(SB3VecEnv)),
    ("expected a mapping", lambda: vector().reset(options=5)),
    (
        "expected a mapping",
        lambda: wrappers.PenaltyReward(vector()).reset(options=True),  # type: ignore[arg-type]
    ),
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
    ("WeightedSum or another", lambda: SB3VecEnv(vector(objectives=NAMES))),
]


JUNK: list[Any] = [
    *(None, True, -1, 10**30, 1.5, float("nan"), "", "abc", b"x", [], [1], ["a"]),
    *((), {}, {"a": 1}, {1: 2}, set(), np.zeros(2), np.array("x"), object(), len),
    *(np.ones((2, 2), bool), np.array([None, 1], object), 1j, slice(2), range(3)),
]
WRAPPERS: dict[str, Callable[[Any], Any]] = {
    "none": lambda env: env,
    "penalty": wrappers.PenaltyReward,
    "multiplier": wrappers.LagrangianReward,
    "early": wrappers.EarlyTermination,
    "hard": wrappers.HardMask,
    "dictionary": wrappers.DictObservation,
    "number": wrappers.DiscreteObservation,
}


@pytest.mark.parametrize("count", [None, 2])
@pytest.mark.parametrize("name", WRAPPERS)
def test_anything_else_is_refused_in_our_words(name: str, count: int | None) -> None:
    """No call with junk ends in anything but an answer or an error of ours."""
    made = vector() if count else gym.make(CELL)
    env = WRAPPERS[name](made)
    for junk in JUNK:
        calls: list[Call] = [
            lambda junk=junk: env.reset(options=junk),  # type: ignore[misc]
            lambda junk=junk: env.reset(seed=junk),  # type: ignore[misc]
            *(
                lambda junk=junk, key=key: env.reset(options={key: junk})  # type: ignore[misc]
                for key in ("budget", "genotype", "reset_mask", 5)
            ),
            lambda junk=junk: env.step(junk),  # type: ignore[misc]
        ]
        for call in calls:
            env.reset(seed=0)
            with contextlib.suppress(HWNASError):
                call()
        if name != "none" and not isinstance(junk, gym.Env):
            with pytest.raises(HWNASError):
                WRAPPERS[name](junk)


def test_paths_rows_and_discounts_are_refused_in_our_words() -> None:
    envs = SB3VecEnv(vector())
    envs.reset()
    front: Any = gym.make(CELL, objectives=NAMES).unwrapped
    for junk in (None, 5, 1.5, [1], b"x", object(), np.zeros(2)):
        for read in (wrappers.read_trajectories, wrappers.replay):
            with pytest.raises(InvalidArgumentError, match="path"):
                read(junk)
        with pytest.raises(InvalidArgumentError, match="path"):
            wrappers.TrajectoryRecorder(gym.make(CELL), junk)
        with pytest.raises(InvalidArgumentError, match="environment"):
            wrappers.TrajectoryRecorder(junk, "new.jsonl")
        if junk is not None:
            with pytest.raises(InvalidArgumentError, match="indices"):
                envs.env_method("action_masks", indices=(junk, 7))
        envs.set_options(junk)
        if junk is not None:
            with pytest.raises(InvalidArgumentError, match="set_options"):
                envs.reset()
        if not isinstance(junk, (int, float)):
            with pytest.raises(InvalidArgumentError, match="gamma"):
                front.pareto_front(junk)
    for render_mode in (np.zeros(2), ["ansi"]):
        with pytest.raises(HWNASError, match="render mode"):
            gym.make(CELL, render_mode=render_mode)


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


@pytest.mark.parametrize("accuracy", ["sampled", "noisy-3"])
@pytest.mark.parametrize("full_name", [True, False])
def test_a_ledger_may_agree_with_keywords(accuracy: str, full_name: bool) -> None:
    space = "fbnet" if accuracy == "noisy-3" else "nasbench201"
    problem = make_problem(space, device="edgetpu", accuracy=accuracy)
    env_id = NET if space == "fbnet" else "HWNAS-NASBench201-EdgeTPU-v0"
    name = problem.accuracy if full_name else accuracy
    envs: Any = gym.make_vec(env_id, 2, accuracy=name, ledger=BudgetedProblem(problem))
    assert envs.problem is problem


def test_seeded_resets_refund_no_ledger_that_was_given() -> None:
    own = ledger(max_train_seconds=1e4, record=True)
    own.evaluate([[3] * 6])
    envs = vector(ledger=own, mode="joint")
    for seed in (0, 0, [None, None], None):
        before = own.train_seconds
        envs.reset(seed=seed)
        assert own.train_seconds == before > 0
        envs.step(np.full((2, 6), 3))
    assert len(own.history().genotypes) == own.queries > 1
    plain = vector(mode="joint")
    for seed, queries in ((0, 0), ([None, None], 2), (None, 4), ([None, 1], 0)):
        plain.reset(seed=seed)
        assert plain.unwrapped.ledger.queries == queries
        plain.step(np.full((2, 6), 3))


def test_a_reward_that_raises_closes_the_rows_of_a_vector() -> None:
    for env_id in (CELL, NET):
        envs = gym.make_vec(env_id, 2, reward=_nan)
        envs.reset(seed=0)
        steps = 6 if env_id == CELL else 22
        for _ in range(steps - 1):
            envs.step(np.array([0, 0]))
        with pytest.raises(InvalidArgumentError, match="expected finite numbers"):
            envs.step(np.array([0, 0]))
        with pytest.raises(HWNASError, match="call reset"):
            envs.step(np.array([0, 0]))
        envs.reset()
        envs.step(np.array([0, 0]))


def test_a_reward_that_raises_ends_an_episode_of_any_mode() -> None:
    for mode, actions in (
        ("mutate", [9]),
        ("joint", [[3] * 6]),
        ("construct", [3] * 6),
    ):
        env = gym.make(CELL, mode=mode, reward=_nan)
        env.reset(seed=0)
        for action in actions[:-1]:
            env.step(action)
        with pytest.raises(InvalidArgumentError, match="expected finite numbers"):
            env.step(actions[-1])
        with pytest.raises(HWNASError, match="call reset"):
            env.step(actions[-1])


def _nan(accuracy: Any, cost: Any, budget: float) -> Any:
    del cost, budget
    return accuracy * np.nan


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


def test_an_end_that_is_also_truncated_is_lost_in_any_order() -> None:
    limit, ids = gym.wrappers.TimeLimit, "HWNAS-NASBench201-EdgeTPU-v0"
    outside: Any = limit(
        wrappers.EarlyTermination(gym.make(ids, budget="tight")), max_episode_steps=4
    )
    inside: Any = wrappers.EarlyTermination(
        gym.make(ids, budget="tight", max_episode_steps=4)
    )
    for env in (outside, inside):
        env.reset(seed=0)
        for _ in range(4):
            step = env.step(0)
        assert step[2:4] == (True, True)
        assert step[4]["cost"] == 1.0


def test_a_refused_step_of_a_hard_mask_draws_nothing() -> None:
    env: Any = wrappers.HardMask(
        gym.make(CELL, mode="mutate", horizon=1, budget="tight")
    )
    env.reset(seed=0)
    env.step(0)
    generator = env.unwrapped.np_random.bit_generator
    before = str(generator.state)
    for action in np.flatnonzero(~env.unwrapped.action_masks())[:3].tolist():
        with pytest.raises(HWNASError):
            env.step(action)
    assert str(generator.state) == before


def test_rows_that_are_not_reset_keep_what_was_replaced() -> None:
    envs: Any = wrappers.HardMask(gym.make_vec(NET, 3, budget="tight"))
    envs.reset(seed=0)
    replaced = np.zeros(3, dtype=bool)
    while not replaced.all():
        infos = envs.step(np.full(3, 7))[4]
        replaced = infos["action_replaced"]
    mask = np.array([True, False, False])
    infos = envs.reset(options={"reset_mask": mask})[1]
    assert infos["action_replaced"].tolist() == [False, True, True]


def test_multipliers_stay_finite() -> None:
    env: Any = wrappers.LagrangianReward(
        gym.make(CELL, mode="joint", budget="tight"), step_size=1e308, initial=1e308
    )
    for _ in range(4):
        env.reset()
        reward = env.step([3] * 6)[1]
        assert np.isfinite([reward, env.multiplier]).all()


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


def test_long_lists_of_names_make_short_messages() -> None:
    for env_id, keywords in (
        (SEVERAL, {"devices": ["fpga"] * 100_000}),
        (CELL, {"objectives": ["accuracy"] * 100_000}),
    ):
        with pytest.raises(HWNASError) as raised:
            gym.make(env_id, **keywords)
        assert len(str(raised.value)) < 500
