"""Environments whose episodes each draw a device that never was."""

import copy
import pickle
import warnings
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from contracts import make
from gymnasium.envs.registration import EnvSpec
from gymnasium.utils.env_checker import check_env as gym_check
from gymnasium.vector import AutoresetMode
from stable_baselines3.common.env_checker import check_env as sb3_check
from test_vector import assert_equal_play

from hwnas_env.envs.config import describe_devices
from hwnas_env.envs.registration import (
    MULTI_DEVICE_ENVIRONMENTS,
    RANDOM_DEVICE_ENVIRONMENTS,
)
from hwnas_env.errors import (
    InfeasibleBudgetError,
    InvalidArgumentError,
    InvalidBudgetError,
    UnknownNameError,
)
from hwnas_env.problems.problem import Problem
from hwnas_env.problems.random_devices import MOST, random_devices
from hwnas_env.wrappers import HardMask, LagrangianReward

CELL, NET = RANDOM_DEVICE_ENVIRONMENTS[0], RANDOM_DEVICE_ENVIRONMENTS[-1]
IDS = pytest.mark.parametrize("env_id", RANDOM_DEVICE_ENVIRONMENTS)
MODES = pytest.mark.parametrize("mode", ["construct", "mutate", "joint"])


def drawn(env: Any, number: int) -> Problem:
    return random_devices(env.unwrapped.problem.space.name).draw(number)


def an_episode(env: Any, *, seed: int) -> list[Any]:
    """Plays open actions to the end of the episode that has begun."""
    rng, core, shown, ended = np.random.default_rng(seed), env.unwrapped, [], False
    while not ended:
        action = int(rng.choice(np.flatnonzero(core.action_masks())))
        observation, reward, terminated, truncated, info = env.step(action)
        ended = terminated or truncated
        shown.append((observation.tolist(), reward, ended, str(info)))
    return shown


def test_every_space_with_a_population_has_an_id() -> None:
    labels = [name.split("-")[1] for name in RANDOM_DEVICE_ENVIRONMENTS]
    assert labels == [name.split("-")[1] for name in MULTI_DEVICE_ENVIRONMENTS]
    assert sorted(labels) == ["FBNet", "MnasNet", "NASBench201"]


@IDS
@MODES
def test_checkers_pass_without_a_warning(env_id: str, mode: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", message=".*skip_render_check.*")
        for keywords in ({"budget": "sampled"}, {"render_mode": "ansi"}):
            gym_check(make(env_id, mode=mode, **keywords).unwrapped)
        sb3_check(make(env_id, mode=mode).unwrapped)


@IDS
@MODES
@pytest.mark.parametrize("budget", ["loose", "sampled"])
def test_rows_equal_single_environments(env_id: str, mode: str, budget: str) -> None:
    assert_equal_play(env_id, 3, 46, mode=mode, budget=budget)


@pytest.mark.parametrize("autoreset", list(AutoresetMode), ids=str)
@pytest.mark.parametrize("keywords", [{"accuracy": "sampled"}, {"horizon": 3}], ids=str)
def test_rows_equal_single_environments_however_they_start_anew(
    autoreset: AutoresetMode, keywords: dict[str, Any]
) -> None:
    mode = "mutate" if "horizon" in keywords else "construct"
    assert_equal_play(CELL, 3, 20, mode=mode, autoreset=autoreset, **keywords)
    if mode == "construct":
        assert_equal_play(NET, 3, 50, autoreset=autoreset, budget="sampled")


@IDS
def test_a_seed_and_a_number_repeat_a_device(env_id: str) -> None:
    env, other = make(env_id), make(env_id)
    seen = [env.reset(seed=3)[1]["device"], *(env.reset()[1]["device"] for _ in "ab")]
    again = [other.reset(seed=3)[1]["device"], other.reset()[1]["device"]]
    assert seen[:2] == again
    assert len({*seen}) == 3
    assert env.unwrapped.devices == ()
    for number in (seen[0], 0, np.int64(7), MOST):
        _, info = other.reset(options={"device": number})
        problem = drawn(env, number)
        assert info["device"] == number
        assert type(info["device"]) is int
        assert (
            other.unwrapped.problem.known_costs(
                env.unwrapped.problem.space.population.networks
            ).tolist()
            == problem.known_costs(problem.space.population.networks).tolist()
        )
        assert info["budget"] == problem.budget("medium")
        assert other.unwrapped.describe()["device"] == f"random-{number}"
        columns = other.unwrapped.describe()["columns"]
        assert columns[problem.metric]["kind"] == "modelled"
    envs = gym.make_vec(f"hwnas_env:{env_id}", 3)
    _, infos = envs.reset(options={"device": MOST})
    assert infos["device"].tolist() == [MOST] * 3
    assert infos["device"].dtype == np.int64


@IDS
@MODES
def test_a_policy_of_real_devices_acts_here(env_id: str, mode: str) -> None:
    for budget in ("medium", "sampled"):
        ours, real = (
            make(name, mode=mode, budget=budget)
            for name in (env_id, env_id.replace("Random", "Multi"))
        )
        assert ours.observation_space == real.observation_space
        assert ours.action_space == real.action_space
        (observation, info), (_, theirs) = ours.reset(seed=0), real.reset(seed=0)
        assert {*info} <= {*theirs}
        problem = drawn(ours, info["device"])
        tail = describe_devices([problem])[0].astype(np.float32)
        assert observation[-len(tail) :].tolist() == tail.tolist()
        if budget == "sampled":
            low, high = (problem.presets[name] for name in ("q05", "q95"))
            assert low * (1 - 1e-12) <= info["budget"] <= high * (1 + 1e-12)
            under = np.log(info["budget"] / problem.budget("medium"))
            assert observation[-len(tail) - 1] == pytest.approx(under, rel=1e-6)


@IDS
def test_masks_and_answers_are_those_of_the_problem(env_id: str) -> None:
    env = make(env_id)
    rng = np.random.default_rng(4)
    for budget in ("tight", "loose"):
        observation, info = env.reset(options={"budget": budget})
        problem = drawn(env, info["device"])
        ratios = slice(problem.space.offsets[-1] + problem.space.length, None)
        assert info["budget"] == problem.budget(budget)
        walk = problem.walk(info["budget"])
        state, genotype = walk.root, []
        for depth in range(problem.space.length):
            mask, low, high, _ = walk.view(depth, state)
            assert info["action_mask"].tolist() == mask.tolist()
            shown = observation[ratios][:2].tolist()
            assert shown == np.float32([low, high]).tolist()
            action = int(rng.choice(np.flatnonzero(mask)))
            genotype.append(action)
            state = walk.child(depth, state, action)
            observation, reward, ended, _, info = env.step(action)
        evaluation = problem.evaluate([genotype])
        assert ended
        assert info["feasible"]
        assert info["accuracy_percent"] == evaluation.accuracy_percent[0]
        assert [info[name] for name in problem.metrics] == evaluation.costs[0].tolist()
        assert reward == evaluation.accuracy_percent[0] / 100.0


@MODES
@pytest.mark.parametrize("env_id", [CELL, NET])
def test_one_budget_on_two_devices_is_seen_on_each(env_id: str, mode: str) -> None:
    """What is kept of a device under a budget does not outlast the device."""
    space = env_id.split("-")[1].lower()
    budget = max(random_devices(space).draw(n).budget("loose") for n in (1, 2))
    env, envs = make(env_id, mode=mode), gym.make_vec(env_id, 2, mode=mode)
    for number in (1, 2, 1):
        options = {"device": number, "budget": budget}
        fresh = make(env_id, mode=mode)
        expected, _ = fresh.reset(seed=5, options=options)
        observation, _ = env.reset(seed=5, options=options)
        rows, infos = envs.reset(seed=5, options=options)
        assert observation.tolist() == expected.tolist() == rows[0].tolist()
        masks = [one.unwrapped.action_masks().tolist() for one in (env, fresh)]
        assert masks[0] == masks[1] == envs.unwrapped.action_masks()[0].tolist()
        assert infos["budget"].tolist() == [budget] * 2


@pytest.mark.parametrize("env_id", [CELL, NET])
def test_one_network_on_two_devices_is_two_queries(env_id: str) -> None:
    env = make(env_id, mode="joint", max_queries=4)
    length = env.unwrapped.problem.space.length
    for device, unique in ((5, 1), (5, 1), (6, 2), (5, 2)):
        env.reset(seed=0, options={"device": device})
        *_, info = env.step([1] * length)
        assert info["unique_queries"] == unique
    assert info["queries"] == 4
    assert info["budget_exhausted"]
    assert env.unwrapped.ledger.unique_classes is None
    env.reset()
    assert env.step([1] * length)[3]
    envs = gym.make_vec(env_id, 3, mode="joint", max_queries=5)
    envs.reset(seed=0, options={"device": 5})
    *_, infos = envs.step([[1] * length] * 3)
    assert infos["final_info"]["unique_queries"].tolist() == [1, 1, 1]
    _, _, _, truncated, infos = envs.step([[1] * length] * 3)
    assert infos["final_info"]["unique_queries"].tolist() == [2, 3, 3]
    assert truncated.tolist() == [False, False, True]
    with pytest.raises(InvalidArgumentError, match="history"):
        envs.unwrapped.ledger.history()


@pytest.mark.parametrize("env_id", [CELL, NET])
def test_specs_pickles_and_copies_go_on_alike(env_id: str) -> None:
    keywords = {"budget": "sampled", "without": ["pixel3"], "max_queries": 9}
    env = make(env_id, **keywords)
    assert EnvSpec.from_json(env.spec.to_json()) == env.spec
    again = gym.make(EnvSpec.from_json(env.spec.to_json()))
    env.reset(seed=9)
    again.reset(seed=9)
    twins = [env, again, pickle.loads(pickle.dumps(env)), copy.deepcopy(env)]
    shown = []
    for twin in twins:
        episode = an_episode(twin, seed=1)
        shown.append((episode, str(twin.reset()), an_episode(twin, seed=2)))
    assert all(one == shown[0] for one in shown)
    envs = gym.make_vec(env_id, 3, **keywords)
    envs.reset(seed=9)
    clones = [envs, pickle.loads(pickle.dumps(envs)), copy.deepcopy(envs)]
    ended = [[one.step([1] * 3) for _ in range(30)] for one in clones]
    assert str(ended[0]) == str(ended[1]) == str(ended[2])


def test_some_real_devices_can_be_left_out() -> None:
    blind = make(NET, without=["pixel3"])
    _, info = blind.reset(seed=1)
    without = random_devices("fbnet", without=("pixel3",)).draw(info["device"])
    assert info["budget"] == without.budget("medium")
    assert info["budget"] != drawn(blind, info["device"]).budget("medium")


@pytest.mark.parametrize("env_id", [CELL, NET])
def test_wrappers_hold(env_id: str) -> None:
    env = HardMask(LagrangianReward(make(env_id, budget="tight"), step_size=0.1))
    envs = HardMask(
        LagrangianReward(gym.make_vec(env_id, 4, budget="tight"), step_size=0.1)
    )
    env.reset(seed=2)
    envs.reset(seed=2)
    rng, ends = np.random.default_rng(0), 0
    for _ in range(50):
        actions = rng.integers(env.action_space.n, size=4)  # type: ignore[attr-defined]
        _, _, ended, _, info = env.step(int(actions[0]))
        _, _, all_ended, _, infos = envs.step(actions)
        if ended:
            ends += 1
            final = infos["final_info"]
            assert info["feasible"]
            assert final["feasible"].all()
            assert final["device"][0] == info["device"]
            assert all_ended[0]
            env.reset()
    assert ends >= 2


@pytest.mark.parametrize(
    ("keywords", "error", "message"),
    [
        ({"budget": 3.0}, InvalidBudgetError, "differ in scale.* got 3.0"),
        ({"budget": None}, InvalidBudgetError, "differ in scale"),
        ({"budget": "small"}, InvalidBudgetError, "small"),
        ({"test_devices": ["fpga"]}, InvalidArgumentError, "test_devices: .*without="),
        ({"device": "fpga"}, InvalidArgumentError, "device: an episode takes"),
        ({"objectives": ["accuracy"]}, InvalidArgumentError, "objectives: a vector"),
        ({"source": "measured"}, InvalidArgumentError, "source: drawn devices"),
        ({"source": "auto"}, InvalidArgumentError, "source: "),
        ({"costs": np.ones(15625)}, InvalidArgumentError, "costs: drawn devices"),
        ({"ledger": "mine"}, InvalidArgumentError, "ledger: its problem"),
        ({"metric": "energy_mj"}, InvalidArgumentError, "have one, latency_ms"),
        ({"without": ["fpgaa"]}, UnknownNameError, "did you mean 'fpga'"),
        ({"without": "fpga"}, InvalidArgumentError, "sequence of names"),
        ({"dataset": "cifar"}, UnknownNameError, "cifar10"),
        ({"accuracy": "test-mean"}, InvalidArgumentError, "test"),
    ],
)
def test_wrong_keywords_have_their_own_errors(
    keywords: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        make(CELL, **keywords)
    with pytest.raises(error, match=message):
        gym.make_vec(CELL, 2, **keywords)


def test_real_devices_have_nothing_to_leave_out() -> None:
    with pytest.raises(InvalidArgumentError, match=r'without: .*devices="random"'):
        gym.make("HWNAS-FBNet-FPGA-v0", without=["pixel3"])


@pytest.mark.parametrize("device", [-1, MOST + 1, 1.5, "fpga", True, [3]])
def test_a_device_is_a_whole_number(device: Any) -> None:
    for env in (make(NET), gym.make_vec(NET, 2)):
        env.reset(seed=0)
        with pytest.raises(InvalidArgumentError, match="device: expected"):
            env.reset(options={"device": device})


def test_a_budget_in_numbers_goes_with_a_device() -> None:
    for env in (make(NET), gym.make_vec(NET, 2)):
        env.reset(seed=0)
        with pytest.raises(InvalidBudgetError, match="a number goes with a device"):
            env.reset(options={"budget": 30.0})
        with pytest.raises(InfeasibleBudgetError, match="cheapest"):
            env.reset(options={"device": 7, "budget": 1e-6})
        with pytest.raises(InvalidArgumentError, match="the constructor's"):
            env.reset(options={"budget": "sampled"})
        _, info = env.reset(options={"device": 7, "budget": 1e6})
        assert np.all(info["budget"] == 1e6)
