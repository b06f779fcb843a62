"""Environments whose episodes each draw a device that never was."""

import pytest
from test_vector import assert_equal_play

from hwnas_env.envs.registration import RANDOM_DEVICE_ENVIRONMENTS

IDS = pytest.mark.parametrize("env_id", RANDOM_DEVICE_ENVIRONMENTS)
MODES = pytest.mark.parametrize("mode", ["construct", "mutate", "joint"])


@IDS
@MODES
@pytest.mark.parametrize("budget", ["medium", "sampled"])
def test_rows_equal_single_environments(env_id: str, mode: str, budget: str) -> None:
    assert_equal_play(env_id, 4, 30, mode=mode, budget=budget)
