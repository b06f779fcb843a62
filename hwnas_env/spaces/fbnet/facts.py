"""The FBNet space: 22 layers, nine blocks each, about 9.8e20 networks.

A block expands with a 1x1 convolution, filters with a depthwise one and projects with
a 1x1 convolution; ``g2`` puts both 1x1 convolutions in two groups with a channel
shuffle. ``skip`` is the identity, or a 1x1 convolution where the shape changes.

References:
    Wu et al., FBNet: Hardware-Aware Efficient ConvNet Design via Differentiable Neural
    Architecture Search, CVPR 2019; the setting is that of HW-NAS-Bench, ICLR 2021.
"""

import functools
from typing import NamedTuple

import numpy as np

from hwnas_env.types import IntArray

STAGE_LAYERS = (1, 4, 4, 4, 4, 4, 1)
STAGE_CHANNELS = (16, 24, 32, 64, 112, 184, 352)
STEM_CHANNELS = 16


class Block(NamedTuple):
    """One choice at a layer.

    Attributes:
        name: as FBNet and HW-NAS-Bench call it.
        expansion: channels inside over channels in.
        kernel: side of the depthwise filter.
        groups: groups of both 1x1 convolutions.
    """

    name: str
    expansion: int
    kernel: int
    groups: int


BLOCKS = (
    Block("k3_e1", 1, 3, 1),
    Block("k3_e1_g2", 1, 3, 2),
    Block("k3_e3", 3, 3, 1),
    Block("k3_e6", 6, 3, 1),
    Block("k5_e1", 1, 5, 1),
    Block("k5_e1_g2", 1, 5, 2),
    Block("k5_e3", 3, 5, 1),
    Block("k5_e6", 6, 5, 1),
)
"""The eight blocks that compute; the ninth choice, ``skip``, follows them."""

SKIP = len(BLOCKS)


class Setting(NamedTuple):
    """What a dataset fixes around the 22 layers.

    Attributes:
        side: height and width of the input in pixels.
        stem_stride: stride of the first convolution.
        strides: stride of the first layer of each stage.
        header: channels of the last 1x1 convolution.
        classes: outputs of the classifier.
    """

    side: int
    stem_stride: int
    strides: tuple[int, ...]
    header: int
    classes: int


SETTINGS = {
    "cifar100": Setting(32, 1, (1, 1, 2, 2, 1, 2, 1), 1504, 100),
    "ImageNet": Setting(224, 2, (1, 2, 2, 2, 1, 2, 1), 1984, 1000),
}


class Layer(NamedTuple):
    """Shape of one searched layer: input side, channels in and out, stride."""

    side: int
    channels_in: int
    channels_out: int
    stride: int

    @property
    def side_out(self) -> int:
        """Height and width of the output in pixels."""
        return self.side // self.stride

    @property
    def same_shape(self) -> bool:
        """True where ``skip`` is the identity and a block has a residual sum."""
        return self.stride == 1 and self.channels_in == self.channels_out


@functools.cache
def layers(dataset: str) -> tuple[Layer, ...]:
    """Returns the 22 layer shapes of the space on a dataset."""
    setting = SETTINGS[dataset]
    side = setting.side // setting.stem_stride
    channels = STEM_CHANNELS
    shapes = []
    for count, width, first in zip(
        STAGE_LAYERS, STAGE_CHANNELS, setting.strides, strict=True
    ):
        for stride in (first,) + (1,) * (count - 1):
            shapes.append(Layer(side, channels, width, stride))
            side, channels = side // stride, width
    return tuple(shapes)


def block_key(layer: Layer, choice: int) -> str:
    """Returns the official look-up key of a choice at a layer."""
    shape = (
        f"H{layer.side}_W{layer.side}_Cin{layer.channels_in}_Cout{layer.channels_out}"
    )
    if choice == SKIP:
        return f"Skip_{shape}_stride{layer.stride}"
    block = BLOCKS[choice]
    return (
        f"ConvBlock_{shape}_exp{block.expansion}_kernel{block.kernel}"
        f"_stride{layer.stride}_group{block.groups}"
    )


def frame_keys(dataset: str) -> tuple[str, str, str, str]:
    """Returns the official keys of stem, header, pooling and classifier."""
    setting, last = SETTINGS[dataset], layers(dataset)[-1]
    side, header, width = last.side_out, setting.header, last.channels_out
    return (
        f"ConvNorm_H{setting.side}_W{setting.side}_Cin3_Cout{STEM_CHANNELS}"
        f"_kernel3_stride{setting.stem_stride}_group1",
        f"ConvNorm_H{side}_W{side}_Cin{width}_Cout{header}_kernel1_stride1_group1",
        f"AvgP_H{side}_W{side}_Cin{header}_Cout{header}_kernel{side}_stride1",
        f"FC_Cin{header}_Cout{setting.classes}",
    )


def block_counts(layer: Layer, choice: int) -> tuple[int, int]:
    """Counts the parameters and multiply-adds of a choice at a layer."""
    wide, narrow = layer.channels_in, layer.channels_out
    area_in, area_out = layer.side**2, layer.side_out**2
    if choice == SKIP:
        if layer.same_shape:
            return 0, 0
        return wide * narrow + 2 * narrow, wide * narrow * area_out
    block = BLOCKS[choice]
    inner = wide * block.expansion
    expand, project = wide * inner // block.groups, inner * narrow // block.groups
    depthwise = inner * block.kernel**2
    parameters = expand + depthwise + project + 4 * inner + 2 * narrow
    return parameters, expand * area_in + (depthwise + project) * area_out


@functools.cache
def count_tables(dataset: str, *, header: int | None = None) -> tuple[IntArray, ...]:
    """Returns fixed counts ``(2,)`` and block counts ``(2, 22, 9)``, read-only.

    Row 0 counts parameters, row 1 multiply-adds. The convention is the published one:
    normalisation has two parameters a channel and no multiply-adds, the classifier has
    a bias and no multiply-add for it.

    Args:
        dataset: cifar100 or ImageNet.
        header: channels of the last 1x1 convolution; the space's own by default.
    """
    setting, shapes = SETTINGS[dataset], layers(dataset)
    width = setting.header if header is None else header
    area = (setting.side // setting.stem_stride) ** 2
    last = shapes[-1]
    fixed = np.array(
        [
            27 * STEM_CHANNELS
            + 2 * STEM_CHANNELS
            + last.channels_out * width
            + 2 * width
            + (width + 1) * setting.classes,
            27 * STEM_CHANNELS * area
            + last.channels_out * width * last.side_out**2
            + width * setting.classes,
        ],
        dtype=np.int64,
    )
    blocks = np.array(
        [[block_counts(layer, c) for c in range(SKIP + 1)] for layer in shapes],
        dtype=np.int64,
    ).transpose(2, 0, 1)
    for table in (fixed, blocks):
        table.setflags(write=False)
    return fixed, blocks
