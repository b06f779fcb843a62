"""Environments that draw a device each episode."""

import math
import pickle
import warnings
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env as gym_check
from stable_baselines3.common.env_checker import check_env as sb3_check
from test_vector import assert_equal_play

from hwnas_env import make_problem
from hwnas_env.envs.registration import MULTI_DEVICE_ENVIRONMENTS
from hwnas_env.errors import (
    InfeasibleBudgetError,
    InvalidArgumentError,
    UnknownNameError,
)

CELL, NET = MULTI_DEVICE_ENVIRONMENTS[0], MULTI_DEVICE_ENVIRONMENTS[-1]
IDS = pytest.mark.parametrize("env_id", MULTI_DEVICE_ENVIRONMENTS)
MODES = pytest.mark.parametrize("mode", ["construct", "mutate", "joint"])


def make(env_id: str, **keywords: Any) -> Any:
    return gym.make(f"hwnas_env:{env_id}", **keywords)


@IDS
@MODES
def test_checkers_pass_without_a_warning(env_id: str, mode: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", message=".*skip_render_check.*")
        for keywords in ({}, {"budget": "sampled"}, {"render_mode": "ansi"}):
            gym_check(make(env_id, mode=mode, **keywords).unwrapped)
        sb3_check(make(env_id, mode=mode).unwrapped)


@IDS
@MODES
@pytest.mark.parametrize("budget", ["loose", "sampled"])
def test_rows_equal_single_environments(env_id: str, mode: str, budget: str) -> None:
    assert_equal_play(env_id, 6, 50, mode=mode, budget=budget)


@IDS
def test_every_device_is_drawn_and_answers_as_its_problem_does(env_id: str) -> None:
    env = make(env_id, mode="joint", budget="tight")
    space, metric = env.unwrapped.problem.space, env.unwrapped.problem.metric
    rng = np.random.default_rng(0)
    _, info = env.reset(seed=1)
    drawn = []
    for _ in range(120):
        name = env.unwrapped.devices[info["device"]]
        drawn.append(name)
        problem = make_problem(space.name, device=name, metric=metric)
        assert info["budget"] == problem.budget("tight")
        genotype = space.sample(1, rng=rng)
        *_, info = env.step(genotype[0])
        evaluation = problem.evaluate(genotype)
        assert info[metric] == evaluation.costs[0, problem.metric_column]
        assert info["deployable"] == evaluation.deployable[0]
        assert "energy_mj" not in info
        _, info = env.reset()
    counts = np.array([drawn.count(name) for name in env.unwrapped.devices])
    assert counts.sum() == 120
    assert counts.min() >= 8


@IDS
def test_devices_are_described_by_what_networks_cost_on_them(env_id: str) -> None:
    env = make(env_id)
    problem = env.unwrapped.problem
    choices, length = problem.space.choices, problem.space.length
    for device in env.unwrapped.devices:
        observation, _ = env.reset(options={"device": device})
        own = make_problem(problem.space.name, device=device, metric=problem.metric)
        networks = np.repeat(np.arange(choices)[:, None], length, axis=1)
        evaluation = own.evaluate(networks % problem.space.choices_at)
        costs = evaluation.costs[:, own.metric_column]
        with np.errstate(divide="ignore"):
            expected = np.log(costs / own.budget("medium"))
        expected = np.clip(expected, -10, 10)
        assert observation[-choices:] == pytest.approx(expected, rel=1e-6)
        for _ in range(length):
            observation, *_ = env.step(0)
            assert observation[-choices:] == pytest.approx(expected, rel=1e-6)


def test_test_devices_are_named_and_never_drawn() -> None:
    train, test = ["edgegpu", "raspi4"], ["edgetpu", "fpga"]
    env = make(CELL, devices=train, test_devices=test)
    assert env.unwrapped.devices == (*train, *test)
    env.reset(seed=0)
    assert {env.reset()[1]["device"] for _ in range(60)} == {0, 1}
    _, info = env.reset(options={"device": "FPGA"})
    assert env.unwrapped.devices[info["device"]] == "fpga"
    assert info["budget"] == make_problem("nasbench201", device="fpga").budget("medium")
    # an environment of the other devices has the same spaces
    other = make(CELL, devices=test)
    assert other.observation_space == env.observation_space
    assert other.action_space == env.action_space
    envs = gym.make_vec(f"hwnas_env:{CELL}", 40, devices=train, test_devices=test)
    _, infos = envs.reset(seed=0)
    assert set(infos["device"].tolist()) == {0, 1}
    _, infos = envs.reset(options={"device": "edgetpu"})
    assert infos["device"].tolist() == [2] * 40


def test_one_network_on_two_devices_is_two_queries() -> None:
    for env_id, length in ((CELL, 6), (NET, 22)):
        env = make(env_id, mode="joint", max_queries=10)
        for device, unique in (("fpga", 1), ("fpga", 1), ("raspi4", 2)):
            env.reset(options={"device": device})
            *_, info = env.step([1] * length)
            assert info["unique_queries"] == unique
        assert info["queries"] == 3


def test_energy_budgets_want_devices_that_measure_energy() -> None:
    energy = ["edgegpu", "eyeriss", "fpga"]
    env = make(NET, metric="energy_mj", devices=energy)
    _, info = env.reset(seed=0)
    assert {"energy_mj", "latency_ms"} <= set(info)
    with pytest.raises(InvalidArgumentError, match=r"raspi4, edgetpu, pixel3 has none"):
        make(NET, metric="energy_mj")


def test_vector_rewards_are_those_of_the_episodes_device() -> None:
    env = make(CELL, mode="joint", objectives=("accuracy", "latency_ms"))
    for device in ("fpga", "raspi4"):
        env.reset(options={"device": device})
        _, reward, *_, info = env.step([3] * 6)
        assert reward[1] == -info["latency_ms"]
        assert env.unwrapped.reward_space.contains(reward)
        front = np.array(env.unwrapped.pareto_front())
        own = make_problem("nasbench201", device=device).pareto_front()
        assert -front[:, 1].max() == own.points[:, 1].min()
        assert not math.isinf(env.unwrapped.reward_reference[1])


def test_specs_and_pickles_keep_the_devices() -> None:
    env = make(NET, devices=["fpga", "pixel3"], test_devices=["edgetpu"])
    again = gym.make(gym.envs.registration.EnvSpec.from_json(env.spec.to_json()))
    clone = pickle.loads(pickle.dumps(env))
    starts = [one.reset(seed=9) for one in (env, again, clone)]
    assert len({info["device"] for _, info in starts}) == 1
    assert (starts[0][0] == starts[1][0]).all()
    assert (starts[0][0] == starts[2][0]).all()


@pytest.mark.parametrize(
    ("keywords", "error", "message"),
    [
        ({"devices": []}, InvalidArgumentError, "sequence of names, at least 1"),
        ({"devices": "fpga"}, InvalidArgumentError, "sequence of names, at least 1"),
        (
            {"devices": ["fpga", "FPGA"]},
            InvalidArgumentError,
            r"named twice in \['fpga'",
        ),
        ({"devices": ["fpgaa"]}, UnknownNameError, "did you mean 'fpga'"),
        (
            {"devices": ["fpga"], "test_devices": ["fpga"]},
            InvalidArgumentError,
            r"\['fpga'\] is drawn already",
        ),
        ({"budget": 0.9}, InfeasibleBudgetError, "cheapest deployable"),
        ({"objectives": ["energy_mj"]}, UnknownNameError, "energy_mj"),
    ],
)
def test_wrong_devices_have_their_own_errors(
    keywords: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        make(CELL, **keywords)


def test_wrong_options_have_their_own_errors() -> None:
    env = make(CELL, devices=["fpga", "raspi4"])
    with pytest.raises(UnknownNameError, match="did you mean 'raspi4'"):
        env.reset(options={"device": "raspi"})
    with pytest.raises(UnknownNameError, match="Valid: budget, genotype"):
        gym.make("HWNAS-FBNet-FPGA-v0").reset(options={"device": "fpga"})
    with pytest.raises(InvalidArgumentError, match="MultiDevice"):
        gym.make("HWNAS-FBNet-FPGA-v0", devices=["raspi4"])
