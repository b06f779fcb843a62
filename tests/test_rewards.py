"""Rewards of the environments: a user's own, and vectors."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from contracts import CELL, IDS, make, play

from hwnas_env.errors import (
    InvalidArgumentError,
    NotSerialisableError,
)


def worth(
    accuracy: npt.NDArray[np.float64], cost: npt.NDArray[np.float64], budget: float
) -> npt.NDArray[np.float64]:
    return accuracy - cost / budget


def test_a_users_reward_works_and_is_refused_where_text_is_needed() -> None:
    env = make(CELL, reward=worth)
    env.reset(seed=0)
    _, reward, *_, info = play(env, [1] * 6)
    expected = info["accuracy_percent"] / 100 - info["latency_ms"] / info["budget"]
    assert reward == pytest.approx(expected)
    assert env.spec is not None
    with pytest.raises(NotSerialisableError, match=f'reward="{__name__}:worth"'):
        env.spec.to_json()
    named = make(CELL, reward=f"{__name__}:worth")
    named.reset(seed=0)
    assert play(named, [1] * 6)[1] == reward
    assert named.spec is not None
    assert "worth" in named.spec.to_json()
    anonymous = make(CELL, accuracy=lambda genotypes: np.full(len(genotypes), 50.0))
    anonymous.reset(seed=0)
    assert play(anonymous, [1] * 6)[1] == 0.5
    assert anonymous.spec is not None
    with pytest.raises(NotSerialisableError, match=r"package\.module:function"):
        anonymous.spec.to_json()


def not_finite(accuracy: Any, cost: Any, budget: float) -> Any:
    return accuracy + cost * budget * math.nan


def not_an_array(accuracy: Any, cost: Any, budget: float) -> Any:
    return float(accuracy[0] + cost[0] + budget)


@pytest.mark.parametrize(
    "function",
    [not_finite, not_an_array],
)
def test_a_users_reward_that_is_wrong_is_a_clear_error(function: Any) -> None:
    env = make(CELL, reward=function)
    env.reset(seed=0)
    with (
        np.errstate(divide="ignore"),
        pytest.raises(InvalidArgumentError, match="expected finite numbers"),
    ):
        play(env, [1] * 6)


@IDS
def test_vector_rewards_are_finite_and_front_points_are_attained(env_id: str) -> None:
    metric = make(env_id).unwrapped.problem.metric
    names = ("accuracy", metric, "parameters_m")
    env = make(env_id, objectives=names[:2])
    core = env.unwrapped
    assert core.reward_dim == 2
    _, info = env.reset(seed=0)
    rng = np.random.default_rng(0)
    done = False
    while not done:
        action = int(rng.choice(np.flatnonzero(info["action_mask"])))
        _, reward, done, _, info = env.step(action)
        assert reward.shape == (2,)
        assert core.reward_space.contains(reward)
        if not done:
            assert (reward == 0).all()
    expected = [info["accuracy_percent"] / 100, -info[metric]]
    assert reward == pytest.approx(expected)
    front = core.pareto_front()
    assert all(point.shape == (2,) for point in front)
    dominating = [(p >= reward).all() for p in front]
    assert any(dominating)
    core.problem.pareto_front(names[:2])
    with pytest.raises(InvalidArgumentError, match="objectives="):
        make(env_id).unwrapped.pareto_front()


def test_a_vector_reward_of_what_cannot_run_is_the_reference() -> None:
    env = make(CELL, objectives=("accuracy", "latency_ms"))
    env.reset(seed=0)
    reward = play(env, [0] * 6)[1]
    core = env.unwrapped
    assert (reward == core.reward_reference).all()
    assert np.isfinite(reward).all()
    assert core.reward_space.contains(reward)
    rows = core.problem.space.from_index(np.arange(15625))
    table = core.problem.evaluate(rows)
    worst = table.costs[table.deployable, 0].max()
    assert core.reward_reference.tolist() == [0.0, -worst]
