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
from hwnas_env.spaces import SEARCH_SPACES

ENERGY_DEVICES = ("edgegpu", "eyeriss")
"""Devices whose energy is no multiple of their latency, as the FPGA's is."""


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


def _fronts() -> tuple[Task, ...]:
    """Accuracy against latency everywhere; against energy too where it is its own."""
    two, three = ("accuracy", "latency_ms"), ("accuracy", "latency_ms", "energy_mj")
    return tuple(
        Task(environment_id(space, device), budget=None, objectives=objectives)
        for space in SEARCH_SPACES
        for objectives, devices in ((two, DEVICES), (three, ENERGY_DEVICES))
        for device in devices
    )


def _left_out(space: str) -> tuple[Task, ...]:
    """Every device once as the new one, after the five others."""
    return tuple(
        Task(
            environment_id(space, device),
            train=tuple(environment_id(space, d) for d in DEVICES if d != device),
        )
        for device in DEVICES
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
                "multiobjective-v0",
                "Fronts of accuracy, latency and energy on every device, both spaces.",
                _fronts(),
            ),
            Suite(
                "transfer-v0",
                "A new device at a medium budget, after queries on the five others.",
                (*_left_out("nasbench201"), *_left_out("fbnet")),
            ),
            Suite(
                "smoke",
                "A task of each search space and a front, to see that everything runs.",
                (
                    Task(environment_id("nasbench201", "edgegpu")),
                    Task(environment_id("fbnet", "edgetpu")),
                    Task(
                        environment_id("nasbench201", "edgegpu"),
                        budget=None,
                        objectives=("accuracy", "latency_ms"),
                    ),
                ),
            ),
        )
    }
)
"""Every suite by name."""
