"""What the test modules run their contracts over, and how they play.

A contract runs in full over one id a space and form of costs. The others get the
short one, ``test_every_id_is_made_checked_masked_and_solved``; ``make test-all`` runs
the full one over them too.
"""

from collections.abc import Iterable
from typing import Any

import gymnasium as gym
import pytest

from hwnas_env.devices import DEVICES, devices_of
from hwnas_env.envs.registration import SIX_DEVICES, environments
from hwnas_env.metrics import METRICS
from hwnas_env.spaces import SEARCH_SPACES

CELL, NET = "HWNAS-NASBench201-EdgeTPU-v0", "HWNAS-FBNet-EdgeTPU-v0"
"""One environment of each search space, the stateful and partly not deployable."""

ENVIRONMENTS = environments()
"""Every id of one device, the toys' too, which are in the user's folder here."""

FORMS = [
    ("nasbench201", "edgetpu"),  # fitted behind an exponential, some cannot run
    ("nasbench201", "fpga"),  # counted exactly, many ties
    ("fbnet", "edgetpu"),  # layers with states, behind a floor
    ("fbnet", "pixel3"),  # layers without states
    ("mnasnet", "tpuv3"),  # layers that differ, states, a floor, a clock
    ("toycell", "toybox"),  # a small table, some cannot run
    ("toyragged", "toybox"),  # a table whose positions differ
    ("toychain", "toybox"),  # layers with a clock and a logistic link
    ("toystates", "toybox"),  # layers that differ, with 48 states
]
"""A space and a device for every form of costs."""


def _labelled(pairs: Iterable[tuple[str, str]]) -> set[str]:
    return {
        f"HWNAS-{SEARCH_SPACES[space].label}-{DEVICES[device].label}-v0"
        for space, device in pairs
    }


def _marked(values: Any, *, full: bool) -> Any:
    return pytest.param(*values, marks=() if full else pytest.mark.full)


IDS = pytest.mark.parametrize(
    "env_id",
    [_marked([name], full=name in _labelled(FORMS)) for name in ENVIRONMENTS],
)
"""Every id; but for one a form of costs only in ``make test-all``."""

_KEYS = [
    (space.name, device.name, dataset, metric)
    for space in SEARCH_SPACES.values()
    for device in devices_of(space.name)
    for dataset in space.datasets
    for metric in device.metrics_in(space.name)
    if METRICS[metric].budgetable
]
PROBLEMS = [_marked(key, full=key[:2] in FORMS) for key in _KEYS]
"""Every space, device, dataset and budget metric, marked likewise."""

SIX = {name: DEVICES[name] for name in SIX_DEVICES}
"""HW-NAS-Bench's devices, without the toy one."""

PAIRS = [
    (space, device.name) for space in SEARCH_SPACES for device in devices_of(space)
]
"""Every space and device."""


def make(env_id: str, **keywords: Any) -> gym.Env[Any, Any]:
    return gym.make(f"hwnas_env:{env_id}", **keywords)


def play(env: gym.Env[Any, Any], actions: Any) -> tuple[Any, ...]:
    step: tuple[Any, ...] = ()
    for action in actions:
        step = env.step(int(action))
    return step
