"""Episodes as gymnax plays them; run by `make jax`, in an environment of its own."""

import numpy as np
import pytest

from hwnas_env import make_problem

pytest.importorskip("gymnax")

import jax
from gymnax.environments.environment import Environment

from hwnas_env.jax import make_params, step_env
from hwnas_env.jax.gymnax import GymnaxEnv


@pytest.mark.parametrize("space", ["nasbench201", "fbnet"])
def test_gymnax_plays_our_episodes_and_starts_new_ones(space: str) -> None:
    params = make_params(make_problem(space, device="edgetpu"), budget="sampled")
    env = GymnaxEnv(params)
    assert isinstance(env, Environment)
    assert env.name == space
    assert env.num_actions == params.spec.choices
    seen = env.observation_space(params)
    key = jax.random.key(0)
    observation, state = env.reset(key, env.default_params)
    assert observation.shape == seen.shape
    for depth in range(2 * params.spec.length):
        assert bool(seen.contains(observation))
        key, of_action, of_step = jax.random.split(key, 3)
        assert env.action_mask(state).any()
        action = env.action_space(params).sample(of_action)
        _, _, gained, done, _ = step_env(of_step, state, action, params)
        observation, state, reward, terminated, truncated, info = env.step(
            of_step, state, action, params
        )
        assert bool(terminated) == bool(done)
        assert bool(done) == ((depth + 1) % params.spec.length == 0)
        assert not bool(truncated)
        assert float(reward) == float(gained)
        assert int(state.time) == (depth + 1) % params.spec.length
        assert np.array_equal(info["terminated"], terminated)


def test_rollouts_are_mapped_over_params() -> None:
    problem = make_problem("nasbench201", device="fpga")
    env = GymnaxEnv(make_params(problem))
    tight = make_params(problem, budget="tight")
    observation, _ = env.reset(jax.random.key(0), tight)
    usual, _ = env.reset(jax.random.key(0))
    assert observation[-1] > usual[-1]
