"""Suites and MultiDevice ids are frozen: what is added to the package changes none."""

import hashlib
import json

import gymnasium as gym
import pytest

from hwnas_env.benchmark.suites import SUITES

FIELDS = ("env", "dataset", "metric", "budget", "source", "objectives", "train")

DIGESTS = {
    "nasbench201-v0": "12f432406019a90b",
    "fbnet-v0": "eeeff15cb3d3aa12",
    "mnasnet-v0": "cf365c9a87bdec40",
    "multiobjective-v0": "a8699c7e801c4448",
    "transfer-v0": "d030a9a6cf2e4053",
    "transfer-v1": "1e76c96a3517f177",
    "smoke": "9099c2961a54452e",
}
"""SHA-256 of each suite's tasks as JSON, its first 16 digits; they never change."""

SIX = ["edgegpu", "raspi4", "edgetpu", "pixel3", "eyeriss", "fpga"]


@pytest.mark.parametrize("name", SUITES)
def test_a_suite_never_changes(name: str) -> None:
    tasks = [[getattr(task, field) for field in FIELDS] for task in SUITES[name].tasks]
    digest = hashlib.sha256(json.dumps(tasks).encode()).hexdigest()
    assert digest[:16] == DIGESTS[name]


@pytest.mark.parametrize("label", ["NASBench201", "FBNet"])
def test_an_environment_of_several_devices_keeps_the_six(label: str) -> None:
    name = f"HWNAS-{label}-MultiDevice-v0"
    assert gym.spec(name).kwargs["devices"] == SIX
