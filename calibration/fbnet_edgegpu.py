"""FBNet on the Edge GPU, of which two sums a dataset are published, all expansion 1.

A module costs a fixed time (each was measured on its own), its launches as in
NAS-Bench-201, its work at peak rates times one slowdown, and a time a channel of
grouped kernels. That depthwise channels pay a share of the last is an assumption, and
decides how much expansion costs on this device.
"""

from pathlib import Path

import numpy as np

from calibration.coral import nas_bench_201
from calibration.fbnet_tables import Pairs, published, published_pairs
from calibration.fbnet_terms import (
    IN_SAMPLE,
    last_change,
    term_vector,
    weighted_entry,
)
from calibration.files import Entry
from calibration.numerics import nnls
from hwnas_env.spaces.fbnet import SETTINGS, STEM_CHANNELS, layers
from hwnas_env.spaces.fbnet.terms import TERMS, term_table
from hwnas_env.types import FloatArray

# Jetson TX2: 665 GFLOP/s fp32, two of them a multiply-add, and LPDDR4's GB/s.
TX2_GMAC_PER_S = 332.5
TX2_GB_PER_S = 59.7
TX2_DEPTHWISE_SHARE = 1 / 8  # of peak, for depthwise convolutions; assumed
FP32_BYTES = 4
NASBENCH201_STRIDE = 10  # NAS-Bench-201 rows used for launches: every 10th

# Around the 22 layers: stem, header, pooling and classifier, each measured on its own;
# three of them are convolutions or a matrix product.
OUTER_MODULES, OUTER_CONVOLUTIONS = 4, 3


def calibrate(reference: Path) -> dict[str, Entry]:
    """Computes latency and energy on both datasets.

    Args:
        reference: folder with ``hwnasbench_published_examples.json``,
            ``hwnasbench_nb201_cifar10.npz`` and ``nb201_genotypes.npz``.

    Returns:
        Entries by ``dataset/edgegpu/metric``.
    """
    return _solve(published_pairs(reference), launches_ms(reference))


def launches_ms(reference: Path) -> tuple[float, float]:
    """Fits ms a convolution and ms an addition on NAS-Bench-201's Edge GPU."""
    with np.load(reference / "hwnasbench_nb201_cifar10.npz") as data:
        latency = data["edgegpu_latency"][::NASBENCH201_STRIDE]
    with np.load(reference / "nb201_genotypes.npz") as data:
        genotypes = data["genotypes"][::NASBENCH201_STRIDE]
    measured = np.isfinite(latency)
    counts = []
    for genotype in genotypes[measured].tolist():
        kinds = [operation.kind for operation in nas_bench_201(genotype)]
        counts.append([kinds.count(k) for k in ("convolution", "addition", "pooling")])
    design = np.column_stack([np.array(counts, dtype=np.float64), np.ones(len(counts))])
    fitted = nnls(design / latency[measured][:, None], np.ones(len(counts)))
    return float(fitted[0]), float(fitted[1])


def outer_terms(dataset: str) -> FloatArray:
    """Counts the terms of stem, header, pooling and classifier together: ``(T,)``."""
    setting, first, last = SETTINGS[dataset], layers(dataset)[0], layers(dataset)[-1]
    stem, area, wide = first.side**2, last.side_out**2, last.channels_out
    header, classes = setting.header, setting.classes
    pointwise = stem * 27 * STEM_CHANNELS + area * wide * header + header * classes
    moved = 3 * setting.side**2 + stem * STEM_CHANNELS + area * (wide + 2 * header)
    weights = 27 * STEM_CHANNELS + wide * header + header * classes
    return term_vector(
        pointwise_mmac=pointwise / 1e6,
        activation_melement=moved / 1e6,
        weight_melement=weights / 1e6,
        module=OUTER_MODULES,
        convolution=OUTER_CONVOLUTIONS,
    )


def _solve(pairs: Pairs, launches: tuple[float, float]) -> dict[str, Entry]:
    """Solves slowdown, grouped channels, modules and energy from the published pairs.

    Args:
        pairs: the published networks.
        launches: ms a convolution and ms an addition.
    """
    latency = {d: published(pairs, f"{d}/edgegpu/latency_ms") for d in pairs}
    energy = {d: published(pairs, f"{d}/edgegpu/energy_mj") for d in pairs}
    pass_ms = FP32_BYTES / TX2_GB_PER_S
    peak = term_vector(
        pointwise_mmac=1.0 / TX2_GMAC_PER_S,
        depthwise_mmac=1.0 / TX2_GMAC_PER_S / TX2_DEPTHWISE_SHARE,
        activation_melement=pass_ms,
        weight_melement=pass_ms,
        shuffle_melement=2.0 * pass_ms,
        addition_melement=3.0 * pass_ms,
    )
    work = {d: _whole(d, peak) for d in pairs}
    longer = float(latency["ImageNet"][0] - latency["cifar100"][0])
    slowdown = longer / (work["ImageNet"] - work["cifar100"])
    busy = peak * slowdown
    # Grouped kernels cost a time a channel: the pairs show it for g2, far more than its
    # launches; depthwise ones are assumed to cost a share of it.
    rates = []
    for dataset in pairs:
        change = last_change(dataset)
        gap = latency[dataset][1] - latency[dataset][0] - change @ busy
        rates.append(gap / change[TERMS.index("grouped_kchannel")])
    launch = term_vector(
        convolution=launches[0],
        addition=launches[1],
        grouped_kchannel=float(np.mean(rates)),
    )
    rest = float(latency["cifar100"][0]) - _whole("cifar100", busy + launch)
    launch += term_vector(module=rest / _whole("cifar100", term_vector(module=1.0)))
    # Power times latency, plus energy of the work.
    system = [[float(latency[d][0]), work[d] * slowdown] for d in pairs]
    sums = [float(energy[d][0]) for d in pairs]
    power, extra = nnls(np.array(system), np.array(sums))
    weights = {
        "latency_ms": busy + launch,
        "energy_mj": power * (busy + launch) + extra * busy,
    }
    methods = {
        "latency_ms": (
            "launches, modules, work at peak rates times one slowdown, and a time a "
            "grouped channel, of which depthwise ones are assumed to pay a quarter"
        ),
        "energy_mj": "power times the modelled latency, plus energy of its work",
    }
    return {
        f"{dataset}/edgegpu/{metric}": weighted_entry(
            f"{dataset}/edgegpu/{metric}",
            weights[metric],
            pairs=pairs,
            method=methods[metric],
            calibrated_on="four published sums; NAS-Bench-201's Edge GPU on cifar10",
            checked=IN_SAMPLE,
        )
        for dataset in pairs
        for metric in weights
    }


def _whole(dataset: str, weights: FloatArray) -> float:
    """Weighs the terms of the whole all-k3_e1 network."""
    blocks = sum((term_table(dataset) @ weights)[:, 0].tolist())
    return float(blocks + outer_terms(dataset) @ weights)
