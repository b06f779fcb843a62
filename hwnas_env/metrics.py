"""What can be measured of a network, and which way is better."""

from collections.abc import Mapping
from dataclasses import dataclass

from hwnas_env.showing import ByName


@dataclass(frozen=True)
class Metric:
    """Describes one measurable quantity.

    Attributes:
        name: the key in ``info``, in ``problem.metrics`` and in objectives.
        unit: the unit of its numbers.
        minimise: True where less is better.
        budgetable: True where a budget may be set on it.
        description: one sentence.
    """

    name: str
    unit: str
    minimise: bool
    budgetable: bool
    description: str


_METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric(
            "latency_ms",
            "ms",
            True,
            True,
            "Latency of one run: of one image, or of the batch that a device names.",
        ),
        Metric("energy_mj", "mJ", True, True, "Energy of one image, batch 1."),
        Metric("image_ms", "ms", True, True, "Time an image in a batch."),
        Metric(
            "throughput_ips",
            "images/s",
            False,
            False,
            "Images a second in a batch, 1000 over image_ms.",
        ),
        Metric(
            "arithmetic_intensity",
            "operations/byte",
            False,
            False,
            "Operations per byte moved to and from off-chip memory.",
        ),
        Metric("parameters_m", "million", True, False, "Trainable parameters, exact."),
        Metric("flops_m", "million", True, False, "Multiply-adds of one image, exact."),
    )
}

METRICS: Mapping[str, Metric] = ByName(_METRICS, what="metrics")
"""Every metric by name."""
