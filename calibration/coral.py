"""Networks measured on the Edge TPU, as lists of operations.

Written from the architectures' papers; their multiply-adds agree with published counts
(docs/edgetpu.md).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hwnas_env.spaces.fbnet.operations import (
    Operation,
    addition,
    convolution,
    depthwise,
    pooling,
)


@dataclass(frozen=True)
class CoralNetwork:
    """One network with published latencies on Coral devices.

    Attributes:
        operations: in order.
        names: beginnings of its names in the list of published latencies.
        latency_ms: of a USB host, where the Dev Board was not measured.
    """

    operations: tuple[Operation, ...]
    names: tuple[str, ...] = ()
    latency_ms: float = math.nan


def mobilenet_v1(*, side: int = 224, width: float = 1.0) -> list[Operation]:
    """MobileNet-V1."""
    channels = int(32 * width)
    operations = [convolution(side, (3, channels), kernel=3, stride=2)]
    side //= 2
    plan = [(64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2)]
    plan += [(512, 1)] * 5 + [(1024, 2), (1024, 1)]
    for full, stride in plan:
        out = int(full * width)
        operations += [depthwise(side, channels, kernel=3, stride=stride)]
        side //= stride
        operations += [convolution(side, (channels, out))]
        channels = out
    return [*operations, *_classifier(side, channels, classes=1001)]


def mobilenet_v2() -> list[Operation]:
    """MobileNet-V2 1.0 at 224."""
    operations, side, channels = (
        [convolution(224, (3, 32), kernel=3, stride=2)],
        112,
        32,
    )
    for expansion, out, count, first in (
        (1, 16, 1, 1),
        (6, 24, 2, 2),
        (6, 32, 3, 2),
        (6, 64, 4, 2),
        (6, 96, 3, 1),
        (6, 160, 3, 2),
        (6, 320, 1, 1),
    ):
        for stride in (first,) + (1,) * (count - 1):
            shape = (channels, channels * expansion, out)
            operations += _inverted(side, shape, kernel=3, stride=stride)
            side, channels = side // stride, out
    operations += [convolution(7, (320, 1280))]
    return [*operations, *_classifier(7, 1280, classes=1001)]


def efficientnet_edgetpu(side: int, *, width: float, depth: float) -> list[Operation]:
    """EfficientNet-EdgeTPU: fused blocks, then inverted ones, no squeeze-excitation."""
    channels = _round8(32 * width)
    operations = [convolution(side, (3, channels), kernel=3, stride=2)]
    side = math.ceil(side / 2)
    for fused, kernel, first, expansion, full, count in (
        (True, 3, 1, 4, 24, 1),
        (True, 3, 2, 8, 32, 2),
        (True, 3, 2, 8, 48, 4),
        (False, 5, 2, 8, 96, 5),
        (False, 5, 1, 8, 144, 4),
        (False, 5, 2, 8, 192, 2),
    ):
        out = _round8(full * width)
        for number in range(math.ceil(count * depth)):
            stride = first if number == 0 else 1
            beginning = expansion == 4 and number == 0
            inner = (out if beginning else channels) * expansion
            if fused:
                side_out = math.ceil(side / stride)
                operations += [
                    convolution(side, (channels, inner), kernel=3, stride=stride),
                    convolution(side_out, (inner, out)),
                ]
                if stride == 1 and channels == out and not beginning:
                    operations += [addition(side, channels)]
            else:
                shape = (channels, inner, out)
                operations += _inverted(side, shape, kernel=kernel, stride=stride)
            side, channels = math.ceil(side / stride), out
    head = _round8(1280 * width)
    operations += [convolution(side, (channels, head))]
    return [*operations, *_classifier(side, head, classes=1001)]


def inception_v1() -> list[Operation]:
    """Inception-V1 (GoogLeNet) at 224."""
    operations = [
        convolution(224, (3, 64), kernel=7, stride=2),
        pooling(112, 64, side_out=56),
        convolution(56, (64, 64)),
        convolution(56, (64, 192), kernel=3),
        pooling(56, 192, side_out=28),
    ]
    side, channels = 28, 192
    for shrinks, one, in3, out3, in5, out5, pooled in (
        (False, 64, 96, 128, 16, 32, 32),
        (False, 128, 128, 192, 32, 96, 64),
        (True, 192, 96, 208, 16, 48, 64),
        (False, 160, 112, 224, 24, 64, 64),
        (False, 128, 128, 256, 24, 64, 64),
        (False, 112, 144, 288, 32, 64, 64),
        (False, 256, 160, 320, 32, 128, 128),
        (True, 256, 160, 320, 32, 128, 128),
        (False, 384, 192, 384, 48, 128, 128),
    ):
        if shrinks:
            operations += [pooling(side, channels, side_out=side // 2)]
            side //= 2
        operations += [
            convolution(side, (channels, one)),
            convolution(side, (channels, in3)),
            convolution(side, (in3, out3), kernel=3),
            convolution(side, (channels, in5)),
            convolution(side, (in5, out5), kernel=3),
            pooling(side, channels, side_out=side),
            convolution(side, (channels, pooled)),
        ]
        channels = one + out3 + out5 + pooled
    return [*operations, *_classifier(7, channels, classes=1001)]


def resnet50() -> list[Operation]:
    """ResNet-50 at 224."""
    operations = [
        convolution(224, (3, 64), kernel=7, stride=2),
        pooling(112, 64, side_out=56),
    ]
    side, channels = 56, 64
    for inner, count, first in ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)):
        for number in range(count):
            stride, out = (first if number == 0 else 1), 4 * inner
            if number == 0:
                operations += [convolution(side, (channels, out), stride=stride)]
            operations += [convolution(side, (channels, inner), stride=stride)]
            side, channels = side // stride, out
            operations += [
                convolution(side, (inner, inner), kernel=3),
                convolution(side, (inner, out)),
                addition(side, out),
            ]
    return [*operations, *_classifier(7, channels, classes=1000)]


def vgg16() -> list[Operation]:
    """VGG-16 at 224."""
    operations: list[Operation] = []
    side, channels = 224, 3
    for out, count in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
        for _ in range(count):
            operations += [convolution(side, (channels, out), kernel=3)]
            channels = out
        operations += [pooling(side, channels, side_out=side // 2)]
        side //= 2
    for shape in ((25088, 4096), (4096, 4096), (4096, 1000)):
        operations += [convolution(1, shape)]
    return operations


def nas_bench_201(genotype: Sequence[int]) -> list[Operation]:
    """Lists a NAS-Bench-201 network for cifar10; edges that reach nothing are out."""
    live = _live_edges(genotype)
    operations = [convolution(32, (3, 16), kernel=3)]
    for stage, (channels, side) in enumerate(((16, 32), (32, 16), (64, 8))):
        if stage:
            half = channels // 2
            operations += [
                convolution(2 * side, (half, channels), kernel=3, stride=2),
                convolution(side, (channels, channels), kernel=3),
                pooling(2 * side, half, side_out=side),
                convolution(side, (half, channels)),
                addition(side, channels),
            ]
        for _ in range(5):
            for node in (1, 2, 3):
                inputs = [choice for to, choice in live if to == node]
                for choice in inputs:
                    if choice in (2, 3):
                        kernel = 2 * choice - 3
                        shape = (channels, channels)
                        operations += [convolution(side, shape, kernel=kernel)]
                    elif choice == 4:
                        operations += [pooling(side, channels, side_out=side)]
                sums = max(0, len(inputs) - 1)
                operations += [addition(side, channels)] * sums
    return [*operations, *_classifier(8, 64, classes=10)]


def _live_edges(genotype: Sequence[int]) -> list[tuple[int, int]]:
    """Lists (node, choice) of edges between input and output that are not none."""
    ends = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))
    edges = [(a, b, o) for (a, b), o in zip(ends, genotype, strict=True) if o]
    reached, reaching = {0}, {3}
    for a, b, _ in edges:
        if a in reached:
            reached.add(b)
    for a, b, _ in reversed(edges):
        if b in reaching:
            reaching.add(a)
    return [(b, o) for a, b, o in edges if a in reached and b in reaching]


def _inverted(
    side: int, shape: tuple[int, int, int], *, kernel: int, stride: int
) -> list[Operation]:
    """Lists an inverted residual with channels (in, inner, out)."""
    channels, inner, out = shape
    operations = [convolution(side, (channels, inner))] if inner != channels else []
    operations += [depthwise(side, inner, kernel=kernel, stride=stride)]
    operations += [convolution(math.ceil(side / stride), (inner, out))]
    if stride == 1 and channels == out:
        operations += [addition(side, channels)]
    return operations


def _classifier(side: int, channels: int, *, classes: int) -> list[Operation]:
    return [pooling(side, channels, side_out=1), convolution(1, (channels, classes))]


def _round8(value: float) -> int:
    new = max(8, int(value + 4) // 8 * 8)
    return new + 8 if new < 0.9 * value else new


CORAL_NETWORKS: Mapping[str, CoralNetwork] = {
    "mobilenet_v1": CoralNetwork(
        tuple(mobilenet_v1()), ("mobilenet_v1_1.0_224_quant", "mobilenet_v1_224")
    ),
    "mobilenet_v2": CoralNetwork(
        tuple(mobilenet_v2()), ("mobilenet_v2_1.0_224_quant", "mobilenet_v2_224")
    ),
    "mobilenet_v1_0.25_128": CoralNetwork(
        tuple(mobilenet_v1(side=128, width=0.25)), latency_ms=0.9
    ),  # coral.ai/models, USB3 host: the only published figure
    "efficientnet_edgetpu_s": CoralNetwork(
        tuple(efficientnet_edgetpu(224, width=1.0, depth=1.0)),
        ("efficientnet-edgetpu-S", "efficientnet_edgetpu_s"),
    ),
    "efficientnet_edgetpu_m": CoralNetwork(
        tuple(efficientnet_edgetpu(240, width=1.0, depth=1.1)),
        ("efficientnet-edgetpu-M", "efficientnet_edgetpu_m"),
    ),
    "efficientnet_edgetpu_l": CoralNetwork(
        tuple(efficientnet_edgetpu(300, width=1.2, depth=1.4)),
        ("efficientnet-edgetpu-L", "efficientnet_edgetpu_l"),
    ),
    "inception_v1": CoralNetwork(tuple(inception_v1()), ("inception_v1_224",)),
    "resnet50": CoralNetwork(tuple(resnet50()), ("tfhub_tf2_resnet_50",)),
    "vgg16": CoralNetwork(tuple(vgg16()), ("vgg16_224",)),
}
"""Networks that the model is fitted to, by name."""
