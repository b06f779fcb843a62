"""Suites: lists of tasks under a name with a version, so that results can be compared.

A suite never changes: its ids are written out, so that a new device or space adds
nothing to it. Another list is another version.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hwnas_env.benchmark.runs import Task
from hwnas_env.showing import ByName, Columned, line

PRESETS = ("tight", "medium", "loose")

NASBENCH201 = (
    "HWNAS-NASBench201-EdgeGPU-v0",
    "HWNAS-NASBench201-Raspi4-v0",
    "HWNAS-NASBench201-EdgeTPU-v0",
    "HWNAS-NASBench201-Pixel3-v0",
    "HWNAS-NASBench201-Eyeriss-v0",
    "HWNAS-NASBench201-FPGA-v0",
)
FBNET = (
    "HWNAS-FBNet-EdgeGPU-v0",
    "HWNAS-FBNet-Raspi4-v0",
    "HWNAS-FBNet-EdgeTPU-v0",
    "HWNAS-FBNet-Pixel3-v0",
    "HWNAS-FBNet-Eyeriss-v0",
    "HWNAS-FBNet-FPGA-v0",
)
"""The ids of HW-NAS-Bench's six devices, written out: a suite never grows."""

MNASNET = (
    "HWNAS-MnasNet-ZCU102-v0",
    "HWNAS-MnasNet-VCK190-v0",
    "HWNAS-MnasNet-A100-v0",
    "HWNAS-MnasNet-RTX3090-v0",
    "HWNAS-MnasNet-TPUv2-v0",
    "HWNAS-MnasNet-TPUv3-v0",
)
"""The ids of Accel-NASBench's six devices."""

HELP_TRAIN = {
    "NASBench201": (
        "HWNAS-NASBench201-GTX1080Ti-1-v0",
        "HWNAS-NASBench201-GTX1080Ti-32-v0",
        "HWNAS-NASBench201-GTX1080Ti-256-v0",
        "HWNAS-NASBench201-XeonSilver4114-v0",
        "HWNAS-NASBench201-XeonSilver4210R-v0",
        "HWNAS-NASBench201-GalaxyA50-v0",
        "HWNAS-NASBench201-Pixel3-v0",
        "HWNAS-NASBench201-Essential-v0",
        "HWNAS-NASBench201-GalaxyS7-v0",
    ),
    "FBNet": (
        "HWNAS-FBNet-GTX1080Ti-1-v0",
        "HWNAS-FBNet-GTX1080Ti-32-v0",
        "HWNAS-FBNet-GTX1080Ti-64-v0",
        "HWNAS-FBNet-XeonSilver4114-v0",
        "HWNAS-FBNet-XeonSilver4210R-v0",
        "HWNAS-FBNet-GalaxyA50-v0",
        "HWNAS-FBNet-Pixel3-v0",
        "HWNAS-FBNet-Essential-v0",
        "HWNAS-FBNet-GalaxyS7-v0",
    ),
}
HELP_TEST = ("FPGA", "Raspi4", "Eyeriss")
"""HELP's split of devices, as far as its devices are here."""

OWN_ENERGY = ("EdgeGPU", "Eyeriss")
"""Those of the six whose energy is no multiple of their latency, as the FPGA's is."""

TWO, THREE = ("accuracy", "latency_ms"), ("accuracy", "latency_ms", "energy_mj")


@dataclass(frozen=True)
class Suite(Columned):
    """A list of tasks.

    Attributes:
        name: with its version.
        description: one sentence.
        tasks: what is searched.
    """

    name: str
    description: str
    tasks: tuple[Task, ...]

    def columns(self) -> dict[str, Any]:
        """Returns what every task searches."""
        return {
            "env": [task.env_id for task in self.tasks],
            "dataset": [task.dataset or "" for task in self.tasks],
            "metric": [task.metric for task in self.tasks],
            "budget": [task.budget for task in self.tasks],
            "objectives": [", ".join(task.objectives) for task in self.tasks],
        }

    def __repr__(self) -> str:
        """Returns the name, the number of tasks, and what they are for."""
        words = f"{self.name}, {len(self.tasks)} tasks: {self.description}"
        return line("Suite", words)


def _at_every_preset(ids: tuple[str, ...]) -> tuple[Task, ...]:
    return tuple(Task(env_id, budget=preset) for env_id in ids for preset in PRESETS)


def _fronts(ids: tuple[str, ...]) -> tuple[Task, ...]:
    """Accuracy against latency everywhere; against energy too where it is its own."""
    own = tuple(env_id for env_id in ids if env_id.split("-")[2] in OWN_ENERGY)
    return tuple(
        Task(env_id, budget=None, objectives=objectives)
        for objectives, chosen in ((TWO, ids), (THREE, own))
        for env_id in chosen
    )


def _left_out(ids: tuple[str, ...]) -> tuple[Task, ...]:
    """Every device once as the new one, after the five others."""
    return tuple(
        Task(env_id, train=tuple(other for other in ids if other != env_id))
        for env_id in ids
    )


def _help_split(space: str, dataset: str) -> tuple[Task, ...]:
    """Every test device of HELP at every budget, after its training devices."""
    return tuple(
        Task(
            f"HWNAS-{space}-{device}-v0",
            dataset=dataset,
            metric="latency_ms",
            budget=preset,
            train=HELP_TRAIN[space],
        )
        for device in HELP_TEST
        for preset in PRESETS
    )


SUITES: Mapping[str, Suite] = ByName(
    {
        suite.name: suite
        for suite in (
            Suite(
                "nasbench201-v0",
                "Every device at tight, medium and loose latency budgets, cifar10.",
                _at_every_preset(NASBENCH201),
            ),
            Suite(
                "fbnet-v0",
                "Every device at tight, medium and loose latency budgets, ImageNet.",
                _at_every_preset(FBNET),
            ),
            Suite(
                "mnasnet-v0",
                "Six accelerators at tight, medium and loose budgets on latency or, "
                "where that was not measured, the time an image, ImageNet.",
                _at_every_preset(MNASNET),
            ),
            Suite(
                "multiobjective-v0",
                "Fronts of accuracy, latency and energy on HW-NAS-Bench's devices, in "
                "its two spaces.",
                (*_fronts(NASBENCH201), *_fronts(FBNET)),
            ),
            Suite(
                "transfer-v0",
                "Each of HW-NAS-Bench's devices as a new one at a medium budget, after "
                "queries on the five others.",
                (*_left_out(NASBENCH201), *_left_out(FBNET)),
            ),
            Suite(
                "transfer-v1",
                "HELP's three test devices at tight, medium and loose budgets, after "
                "its nine training devices: NAS-Bench-201 on cifar10, FBNet on "
                "cifar100.",
                (
                    *_help_split("NASBench201", "cifar10"),
                    *_help_split("FBNet", "cifar100"),
                ),
            ),
            Suite(
                "smoke",
                "A task of NAS-Bench-201, one of FBNet and a front, to see that "
                "everything runs.",
                (
                    Task("HWNAS-NASBench201-EdgeGPU-v0"),
                    Task("HWNAS-FBNet-EdgeTPU-v0"),
                    Task(
                        "HWNAS-NASBench201-EdgeGPU-v0",
                        budget=None,
                        objectives=TWO,
                    ),
                ),
            ),
        )
    },
    what="suites",
)
"""Every suite by name."""
