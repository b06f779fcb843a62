"""How long episodes are, and the reward of the exact optimum."""

from typing import Any

import gymnasium as gym
import pytest
from contracts import CELL, NET, make
from gymnasium.wrappers import TimeLimit

from hwnas_env.envs.modes import MODES

SEVERAL = "HWNAS-NASBench201-MultiDevice-v0"


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("env_id", [CELL, NET])
def test_an_episode_has_as_many_steps_as_it_says(env_id: str, mode: str) -> None:
    for keywords in ({}, {"horizon": 3}) if mode == "mutate" else ({},):
        env = make(env_id, mode=mode, **keywords)
        env.reset(seed=0)
        env.action_space.seed(0)
        steps, done = 0, False
        while not done:
            _, _, ended, cut, _ = env.step(env.action_space.sample())
            steps, done = steps + 1, ended or cut
        assert steps == env.unwrapped.max_episode_steps


@pytest.mark.parametrize("reward", ["mnas_hard", "mnas_soft", "accuracy_only"])
@pytest.mark.parametrize("env_id", [CELL, NET])
def test_the_threshold_is_the_reward_of_the_optimum(env_id: str, reward: str) -> None:
    env: Any = make(env_id, reward=reward, budget="tight")
    problem = env.unwrapped.problem
    best = problem.optimum("tight")
    env.reset(seed=0)
    for choice in best.genotypes[0]:
        _, got, *_ = env.step(choice)
    assert got == env.unwrapped.reward_threshold
    if reward == "mnas_hard":
        assert got == pytest.approx(best.accuracy_percent / 100)


@pytest.mark.parametrize(
    ("env_id", "keywords"),
    [
        (CELL, {"mode": "mutate"}),
        (CELL, {"budget": "sampled"}),
        (CELL, {"accuracy": "sampled"}),
        (CELL, {"objectives": ("accuracy", "latency_ms")}),
        (CELL, {"reward": lambda accuracy, cost, budget: accuracy}),  # noqa: ARG005
        (SEVERAL, {}),
    ],
)
def test_there_is_no_threshold_where_it_would_mean_nothing(
    env_id: str, keywords: dict[str, Any]
) -> None:
    assert make(env_id, **keywords).unwrapped.reward_threshold is None


def test_specifications_hold_neither_so_that_nothing_is_wrapped() -> None:
    env = gym.make(CELL)
    assert env.spec is not None
    assert env.spec.max_episode_steps is None
    assert env.spec.reward_threshold is None
    layers: Any = env
    while layers is not env.unwrapped:
        assert not isinstance(layers, TimeLimit)
        layers = layers.env
