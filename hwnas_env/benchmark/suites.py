"""Suites: lists of tasks under a name with a version, so that results can be compared.

A suite never changes; another list is another version.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from hwnas_env.benchmark.runs import Task
from hwnas_env.devices import DEVICES
from hwnas_env.envs.registration import environment_id
from hwnas_env.problems.problem import PRESETS


@dataclass(frozen=True)
class Suite:
    """A list of tasks.

    Attributes:
        name: with its version.
        description: one sentence.
        tasks: what is searched.
    """

    name: str
    description: str
    tasks: tuple[Task, ...]


def _every_device(space: str) -> tuple[Task, ...]:
    return tuple(
        Task(environment_id(space, device), budget=preset)
        for device in DEVICES
        for preset in PRESETS
    )


SUITES: Mapping[str, Suite] = MappingProxyType(
    {
        suite.name: suite
        for suite in (
            Suite(
                "nasbench201-v0",
                "Every device at tight, medium and loose latency budgets, cifar10.",
                _every_device("nasbench201"),
            ),
            Suite(
                "fbnet-v0",
                "Every device at tight, medium and loose latency budgets, ImageNet.",
                _every_device("fbnet"),
            ),
            Suite(
                "smoke-v0",
                "One task of each search space, to see that everything runs.",
                (
                    Task(environment_id("nasbench201", "edgegpu")),
                    Task(environment_id("fbnet", "edgetpu")),
                ),
            ),
        )
    }
)
"""Every suite by name."""
