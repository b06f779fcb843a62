"""Vector rewards in MO-Gymnasium, as its users do it."""

from typing import Any

import mo_gymnasium
import numpy as np
import pytest
from contracts import NET
from mo_gymnasium.wrappers import LinearReward, MORecordEpisodeStatistics
from mo_gymnasium.wrappers.vector import MOSyncVectorEnv

OBJECTIVES = ("accuracy", "latency_ms", "parameters_m")


def make(count: int) -> Any:
    return mo_gymnasium.make(f"hwnas_env:{NET}", objectives=OBJECTIVES[:count])


def test_returns_are_recorded_component_by_component() -> None:
    env = MORecordEpisodeStatistics(make(3))
    assert env.unwrapped.reward_dim == 3
    env.reset(seed=0)
    for _ in range(22):
        _, reward, *_, info = env.step(0)
    assert info["episode"]["r"] == pytest.approx(reward, rel=1e-6)
    expected = [info["accuracy_percent"] / 100, -info["latency_ms"]]
    assert reward[:2] == pytest.approx(expected)
    assert reward[2] == -info["parameters_m"]


def test_linear_reward_weighs_the_components() -> None:
    env = LinearReward(make(2), weight=np.array([1.0, 0.1]))
    env.reset(seed=0)
    for _ in range(22):
        _, reward, *_, info = env.step(2)
    expected = info["accuracy_percent"] / 100 - 0.1 * info["latency_ms"]
    assert reward == pytest.approx(expected)


def test_vector_environments_stack_vector_rewards() -> None:
    envs = MOSyncVectorEnv([lambda: make(2)] * 3)
    envs.reset(seed=0)
    for _ in range(22):
        _, rewards, terminated, *_ = envs.step(np.array([0, 3, 8]))
    assert rewards.shape == (3, 2)
    assert terminated.all()
    assert rewards[1, 0] > rewards[0, 0] > rewards[2, 0]
    assert rewards[1, 1] < rewards[0, 1] < rewards[2, 1]


def test_the_front_is_where_mo_gymnasium_looks() -> None:
    front = np.array(make(2).unwrapped.pareto_front(gamma=0.99))
    assert front.shape[1] == 2
    order = np.argsort(front[:, 0])
    assert (np.diff(front[order, 1]) <= 0).all()
