"""The measured source: few networks of the space, so values but no columns."""

from typing import NoReturn

from hwnas_env.data.formats.accel_nasbench import FORM, AccelNASBench
from hwnas_env.engines.columns import CostSource
from hwnas_env.engines.space import SearchSpace
from hwnas_env.errors import NotMeasuredError
from hwnas_env.types import Genotypes, Provenance

NAMES = {
    **{name: name for name in ("zcu102", "vck190", "a100", "tpuv2", "tpuv3")},
    "rtx3090": "3090",
}
"""The file's word for each device, by ours."""

TRAINED = {
    "accuracy": "val_top1",
    "accuracy_top5": "val_top5",
    "train_seconds": "train_time",
}
"""The file's columns of a training, by our words."""


def refuse_columns(space: SearchSpace) -> NoReturn:
    """Raises: a column with holes is not served as measured.

    Raises:
        NotMeasuredError: always; says how many networks were.
        DataMissingError: nothing is imported; names the command.
    """
    known = len(AccelNASBench.open())
    message = (
        f"{space.name}: {FORM} holds {known:,} of {space.size:,} networks; a column "
        'with holes is not served as measured; source="builtin" has an answer, and '
        "hwnas-env query ARCHITECTURE --source measured what is held of a network"
    )
    raise NotMeasuredError(message)


def measured_values(
    device: CostSource, metrics: tuple[str, ...], genotype: Genotypes
) -> tuple[dict[str, float], Provenance]:
    """Returns what was measured of a network: see ``SearchSpace.measured_values``."""
    name = NAMES.get(device.name)
    if name is None:
        message = f"{FORM} measured nothing on the {device.name}"
        raise NotMeasuredError(message)
    bench = AccelNASBench.open()
    held = bench.query(genotype)
    values = {own: held[key] for own, key in TRAINED.items() if key in held}
    throughput = held.get(f"throughput_{name}")
    for metric in metrics:
        if metric == "latency_ms" and f"latency_{name}" in held:
            values[metric] = held[f"latency_{name}"]
        if metric == "image_ms" and throughput is not None:
            values[metric] = 1000.0 / throughput
        if metric == "throughput_ips" and throughput is not None:
            values[metric] = throughput
    return values, bench.provenance
