"""Numbers of prefixes as observations, in single and in vector environments."""

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from contracts import CELL, NET, make
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode

from hwnas_env.envs.modes import MODES
from hwnas_env.envs.prefix_table import prefixes
from hwnas_env.errors import InvalidArgumentError
from hwnas_env.wrappers import DiscreteObservation, VectorDiscreteObservation

pytestmark = pytest.mark.filterwarnings("ignore:.*different from the unwrapped")
RAGGED = "HWNAS-ToyRagged-ToyBox-v0"
IDS = pytest.mark.parametrize("env_id", [CELL, RAGGED])


@IDS
@pytest.mark.parametrize("array", [False, True])
@pytest.mark.parametrize("mode", MODES)
def test_numbers_are_observed_in_every_mode(
    env_id: str, mode: str, array: bool
) -> None:
    env = DiscreteObservation(make(env_id, mode=mode), array=array)
    check_env(env, skip_render_check=True)
    known, _ = prefixes(env.unwrapped.problem.space)
    env.action_space.seed(0)
    for seed in range(4):
        seen, info = env.reset(seed=seed)
        done = False
        while not done:
            assert env.observation_space.contains(seen)
            assert (known[int(seen.item())] == info["genotype"]).all()
            seen, _, terminated, truncated, info = env.step(env.action_space.sample())
            done = terminated or truncated
        assert (known[int(seen.item())] == info["genotype"]).all()


@IDS
def test_there_is_a_state_for_every_prefix_and_no_other(env_id: str) -> None:
    env = DiscreteObservation(make(env_id))
    assert env.observation_space.n == len(prefixes(env.unwrapped.problem.space)[0])


@IDS
@pytest.mark.parametrize("array", [False, True])
@pytest.mark.parametrize("autoreset", AutoresetMode)
def test_rows_of_a_vector_are_the_single_environments(
    env_id: str, autoreset: AutoresetMode, array: bool
) -> None:
    envs = DiscreteObservation(
        gym.make_vec(env_id, 3, autoreset_mode=autoreset), array=array
    )
    assert isinstance(envs, VectorDiscreteObservation)
    known, _ = prefixes(envs.unwrapped.problem.space)
    envs.action_space.seed(0)
    seen, infos = envs.reset(seed=0)
    finals = 0
    for _ in range(20):
        assert envs.observation_space.contains(seen)
        assert (known[seen.reshape(-1)] == infos["genotype"]).all()
        seen, _, ended, cut, infos = envs.step(envs.action_space.sample())
        done = ended | cut
        if "final_obs" in infos:
            for row in np.flatnonzero(done):
                final = infos["final_info"]["genotype"][row]
                assert (known[int(infos["final_obs"][row].item())] == final).all()
                finals += 1
        if autoreset is AutoresetMode.DISABLED and done.any():
            seen, infos = envs.reset(options={"reset_mask": done})
    assert finals or autoreset is not AutoresetMode.SAME_STEP


@pytest.mark.parametrize(
    ("env_id", "keywords", "words"),
    [
        (NET, {}, "prefixes, more than 64 bits"),
        (CELL, {"budget": "sampled"}, "one device and one budget"),
        ("HWNAS-NASBench201-MultiDevice-v0", {}, "one device and one budget"),
    ],
)
def test_what_a_number_cannot_say_is_refused(
    env_id: str, keywords: dict[str, Any], words: str
) -> None:
    for made in (make(env_id, **keywords), gym.make_vec(env_id, 2, **keywords)):
        with pytest.raises(InvalidArgumentError, match=words):
            DiscreteObservation(made)


def test_a_specification_makes_it_again() -> None:
    env = DiscreteObservation(make(CELL), array=True)
    again = gym.make(env.spec)
    assert again.observation_space == env.observation_space
    with pytest.raises(InvalidArgumentError, match="True or False"):
        DiscreteObservation(make(CELL), array=2)
