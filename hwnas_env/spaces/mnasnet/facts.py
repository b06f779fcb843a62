"""The MnasNet space: seven blocks of EfficientNet's kind, about 1.0e11 networks.

A block repeats one layer: a 1x1 convolution that expands (left out at expansion 1), a
depthwise one, squeeze-and-excitation where it is chosen, and a 1x1 convolution that
projects. The first layer of a block has its stride and changes the channels.

References:
    Tan et al., MnasNet: Platform-Aware Neural Architecture Search for Mobile, CVPR
    2019; the setting is that of Ahmad et al., Accel-NASBench, DAC 2024.
"""

import functools
import itertools
from typing import NamedTuple

import numpy as np

from hwnas_env.types import IntArray

EXPANSIONS, KERNELS = (1, 4, 6), (3, 5)
MOST_LAYERS = (3, 3, 3, 3, 3, 4, 3)
"""Most layers of each block; every count from 1 on can be chosen."""

STRIDES = (1, 2, 2, 2, 1, 2, 1)
CHANNELS_IN = (32, 16, 24, 40, 80, 112, 192)
CHANNELS_OUT = (16, 24, 40, 80, 112, 192, 320)

SIDE, STEM, HEADER, CLASSES = 224, 32, 1280, 1000
"""Of ImageNet: the input's side in pixels, channels of stem and header, classes."""

SQUEEZE = 4
"""Channels into a block's layer over the width of its squeeze-and-excitation."""


class Block(NamedTuple):
    """One choice at a position.

    Attributes:
        expansion: channels inside over channels in.
        kernel: side of the depthwise filter.
        layers: how often the layer is repeated.
        squeeze: whether it has squeeze-and-excitation.
    """

    expansion: int
    kernel: int
    layers: int
    squeeze: bool

    @property
    def name(self) -> str:
        """For example "e6_k5_l3_se", without the end where nothing is squeezed."""
        size = f"e{self.expansion}_k{self.kernel}_l{self.layers}"
        return f"{size}_se" if self.squeeze else size


@functools.cache
def blocks_at(position: int) -> tuple[Block, ...]:
    """Returns the choices of a position: 36, or 48 where a fourth layer can be."""
    layers = range(1, MOST_LAYERS[position] + 1)
    parts = itertools.product(EXPANSIONS, KERNELS, layers, (False, True))
    return tuple(Block(*part) for part in parts)


FEATURES_AT = tuple(
    ("e4", "e6", "k5", *(f"l{n}" for n in range(2, most + 1)), "se")
    for most in MOST_LAYERS
)
"""What tells the choices of each position apart, besides e1, k3, l1 and no squeeze."""


@functools.cache
def features(position: int) -> IntArray:
    """Marks what each choice of a position has: ``(K_p, F_p)`` of 0 and 1, read-only.

    The columns are those of ``FEATURES_AT``.
    """
    names = FEATURES_AT[position]
    rows = [
        [int(name in block.name.split("_")) for name in names]
        for block in blocks_at(position)
    ]
    table = np.array(rows, dtype=np.int64)
    table.setflags(write=False)
    return table


def block_counts(position: int, block: Block, *, side: int) -> tuple[int, int]:
    """Counts the parameters and multiply-adds of a choice.

    Args:
        position: 0 to 6.
        block: the choice.
        side: of its input in pixels.
    """
    parameters = multiply_adds = 0
    wide, narrow = CHANNELS_IN[position], CHANNELS_OUT[position]
    stride = STRIDES[position]
    for _ in range(block.layers):
        inner, area = wide * block.expansion, side * side
        if block.expansion > 1:
            parameters += wide * inner + 2 * inner
            multiply_adds += (wide + NORMALISED) * inner * area
        side //= stride
        area = side * side
        taps = block.kernel * block.kernel
        parameters += taps * inner + 2 * inner
        multiply_adds += (taps + NORMALISED) * inner * area
        if block.squeeze:
            squeezed = wide // SQUEEZE
            parameters += 2 * inner * squeezed + inner + squeezed
            multiply_adds += 2 * inner * squeezed + inner * (area + 1)
        parameters += inner * narrow + 2 * narrow
        multiply_adds += (inner + NORMALISED) * narrow * area
        wide, stride = narrow, 1
    return parameters, multiply_adds


NORMALISED = 4
"""Multiply-adds that Accel-NASBench counts of normalising one number."""


@functools.cache
def count_tables() -> tuple[IntArray, IntArray]:
    """Returns fixed counts ``(2,)`` and block counts ``(2, 7, 48)``, read-only.

    Row 0 counts parameters, row 1 multiply-adds; what a position does not have is 0.
    The convention is that of Accel-NASBench's ``model_info``, for all of its networks:
    convolutions and the classifier without their biases; normalisation 4 for every
    number; pooling, the last one and that of squeeze-and-excitation, 1 for every number
    and 1 for every channel; activations, residual sums and the scaling by
    squeeze-and-excitation nothing.
    """
    side = SIDE // 2
    start = [27 * STEM + 2 * STEM, (27 + NORMALISED) * STEM * side * side]
    most = max(map(len, map(blocks_at, range(len(STRIDES)))))
    table = np.zeros((2, len(STRIDES), most), dtype=np.int64)
    for position, stride in enumerate(STRIDES):
        for choice, block in enumerate(blocks_at(position)):
            table[:, position, choice] = block_counts(position, block, side=side)
        side //= stride
    last, area = CHANNELS_OUT[-1], side * side
    start[0] += last * HEADER + 2 * HEADER + (HEADER + 1) * CLASSES
    start[1] += (last + NORMALISED) * HEADER * area
    start[1] += HEADER * (area + 1) + HEADER * CLASSES
    fixed = np.array(start, dtype=np.int64)
    for array in (fixed, table):
        array.setflags(write=False)
    return fixed, table
