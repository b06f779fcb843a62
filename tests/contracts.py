"""What the test modules run their contracts over, and how they play."""

import itertools
from typing import Any

import gymnasium as gym

from hwnas_env.devices import DEVICES
from hwnas_env.metrics import METRICS
from hwnas_env.spaces import SEARCH_SPACES

PROBLEMS = [
    (space.name, device.name, dataset, metric)
    for space in SEARCH_SPACES.values()
    for device in DEVICES.values()
    for dataset in space.datasets
    for metric in device.metrics_in(space.name)
    if METRICS[metric].budgetable
]
"""Every space, device, dataset and budget metric."""

PAIRS = list(itertools.product(SEARCH_SPACES, DEVICES))
"""Every space and device."""


CELL, NET = "HWNAS-NASBench201-EdgeTPU-v0", "HWNAS-FBNet-EdgeTPU-v0"
"""One environment of each search space, the stateful and partly not deployable."""


def make(env_id: str, **keywords: Any) -> gym.Env[Any, Any]:
    return gym.make(f"hwnas_env:{env_id}", **keywords)


def play(env: gym.Env[Any, Any], actions: Any) -> tuple[Any, ...]:
    step: tuple[Any, ...] = ()
    for action in actions:
        step = env.step(int(action))
    return step
