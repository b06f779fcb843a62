"""Modelled latency of FBNet on an int8 systolic array, which nobody has measured.

A network is a chain of operations; operation i costs, in ms,
``own[i] + exposed * max(0, window - own[i - 1])``. ``own`` is work: array time for
convolutions, a vector rate for depthwise ones, a pass over the bytes for additions,
pooling and shuffles. The second part is the start of an operation (instructions,
weights), which hides behind the operation before it if that is long enough; so the
cost of a block depends on the block before it, through a state of four values.

docs/edgetpu.md derives the model and gives the source and the error of each constant.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from hwnas_env.engines.additive import Additive
from hwnas_env.engines.links import Linear
from hwnas_env.maths.elementary import ordered_sum
from hwnas_env.spaces.fbnet.facts import (
    BLOCKS,
    SETTINGS,
    SKIP,
    STEM_CHANNELS,
    Layer,
    layers,
)
from hwnas_env.types import FloatArray

ARRAY_MACS = 64 * 64  # a cycle; with the clock, Coral's 4 TOPS
CLOCK_KHZ = 480e3
PAD_IN, PAD_OUT = 16, 64  # channels are padded to these; best of {4, 16, 32, 64}^2
BYTES_PER_CYCLE = 64  # of passes over bytes; assumed, the data cannot tell
WINDOW_MS = 0.02  # hides the next operation's start; best of 0.01, 0.02, 0.04
ON_CHIP_BYTES = 6 * 2**20  # of parameters; compiler logs say up to 7.7 MiB

FITTED = (
    "array_slowdown",
    "depthwise_ms_per_mmac",
    "exposed",
    "pooling_ms",
    "stream_ms_per_mb",
    "inference_ms",
)
"""Fitted constants in the order of :func:`work`; the unit is in the name."""

STATES = 4
"""What precedes a layer: 0 an unexpanded, grouped or skip convolution or the stem, 1
an e3 and 2 an e6 projection, 3 an addition. The identity keeps the state."""

_STATE_OF_EXPANSION = {1: 0, 3: 1, 6: 2}
_AFTER_ADDITION = STATES - 1


@dataclass(frozen=True)
class Operation:
    """One operation of the accelerator.

    Attributes:
        kind: what it does.
        side: height and width of the input in pixels.
        side_out: of the output.
        channels_in: of the input.
        channels_out: of the output.
        kernel: side of the filter.
        groups: groups of a convolution.
    """

    kind: Literal["convolution", "depthwise", "addition", "pooling", "shuffle"]
    side: int
    side_out: int
    channels_in: int
    channels_out: int
    kernel: int = 1
    groups: int = 1

    @property
    def weights(self) -> int:
        """Number of weights, one byte each in int8."""
        if self.kind == "depthwise":
            return self.channels_out * self.kernel**2
        if self.kind == "convolution":
            inputs = self.channels_in // self.groups
            return self.channels_out * inputs * self.kernel**2
        return 0

    @property
    def multiply_adds(self) -> int:
        """Number of multiply-adds of one image."""
        return self.side_out**2 * self.weights


def convolution(
    side: int,
    channels: tuple[int, int],
    *,
    kernel: int = 1,
    stride: int = 1,
    groups: int = 1,
) -> Operation:
    """Makes a convolution with channels (in, out); ``side`` is the input's."""
    side_out = math.ceil(side / stride)
    return Operation("convolution", side, side_out, *channels, kernel, groups)


def depthwise(side: int, channels: int, *, kernel: int, stride: int = 1) -> Operation:
    """Makes a depthwise convolution; ``side`` is the input's."""
    side_out = math.ceil(side / stride)
    return Operation("depthwise", side, side_out, channels, channels, kernel)


def addition(side: int, channels: int) -> Operation:
    """Makes the sum of two tensors."""
    return Operation("addition", side, side, channels, channels)


def pooling(side: int, channels: int, *, side_out: int) -> Operation:
    """Makes a pooling."""
    return Operation("pooling", side, side_out, channels, channels)


def work(operation: Operation) -> tuple[FloatArray, float]:
    """Gives an operation's own time as weights of ``FITTED`` ``(6,)`` and ms."""
    row = np.zeros(len(FITTED))
    area_out = operation.side_out**2
    if operation.kind == "convolution":
        groups = operation.groups
        padded = _pad(operation.channels_in // groups, PAD_IN)
        padded *= _pad(operation.channels_out // groups, PAD_OUT)
        cycles = area_out * operation.kernel**2 * groups * padded / ARRAY_MACS
        row[0] = cycles / CLOCK_KHZ
        return row, 0.0
    if operation.kind == "depthwise":
        channels = _pad(operation.channels_out, PAD_OUT)
        row[1] = area_out * operation.kernel**2 * channels / 1e6
        return row, 0.0
    inputs = 2 if operation.kind == "addition" else 1
    row[3] = float(operation.kind != "addition")
    moved = inputs * operation.side**2 * operation.channels_in
    moved += area_out * operation.channels_out
    return row, moved / BYTES_PER_CYCLE / CLOCK_KHZ


def block_operations(layer: Layer, choice: int) -> list[Operation]:
    """Lists the operations of a choice at a layer; the identity has none.

    The channel shuffle of g2 is one pass over the expanded tensor.
    """
    wide, narrow = layer.channels_in, layer.channels_out
    if choice == SKIP:
        if layer.same_shape:
            return []
        return [convolution(layer.side, (wide, narrow), stride=layer.stride)]
    block = BLOCKS[choice]
    inner, groups = wide * block.expansion, block.groups
    operations = [convolution(layer.side, (wide, inner), groups=groups)]
    if groups > 1:
        operations += [Operation("shuffle", layer.side, layer.side, inner, inner)]
    operations += [
        depthwise(layer.side, inner, kernel=block.kernel, stride=layer.stride),
        convolution(layer.side_out, (inner, narrow), groups=groups),
    ]
    if layer.same_shape:
        operations += [addition(layer.side_out, narrow)]
    return operations


def stem_operation(dataset: str) -> Operation:
    """Returns the first convolution."""
    setting = SETTINGS[dataset]
    channels = (3, STEM_CHANNELS)
    return convolution(setting.side, channels, kernel=3, stride=setting.stem_stride)


def head_operations(dataset: str) -> list[Operation]:
    """Lists header, pooling and classifier."""
    setting, last = SETTINGS[dataset], layers(dataset)[-1]
    return [
        convolution(last.side_out, (last.channels_out, setting.header)),
        pooling(last.side_out, setting.header, side_out=1),
        convolution(1, (setting.header, setting.classes)),
    ]


def chain_latency(constants: Mapping[str, float], *, dataset: str) -> Additive:
    """Builds the latency in ms: one quantity with four states.

    Args:
        constants: the values of ``FITTED`` and ``floor_ms``.
        dataset: cifar100 or ImageNet.
    """
    clock = _Clock(np.array([constants[name] for name in FITTED]))
    shapes, stem = layers(dataset), stem_operation(dataset)
    start = clock.chain([stem], 0.0) + constants["inference_ms"]
    # The header's own start depends on the last layer and is added there.
    start += clock.chain(head_operations(dataset), WINDOW_MS)
    entries = np.zeros((len(shapes), STATES, SKIP + 1, 1))
    next_state = np.zeros((len(shapes), STATES, SKIP + 1), dtype=np.int64)
    before = [clock.own(stem)] * STATES
    for number, layer in enumerate(shapes):
        for choice in range(SKIP + 1):
            operations = block_operations(layer, choice)
            for state in range(STATES):
                cost = clock.chain(operations, before[state])
                if number == len(shapes) - 1:
                    cost += clock.start(clock.own(operations[-1]))
                entries[number, state, choice, 0] = cost
                next_state[number, state, choice] = (
                    _state_after(layer, choice) if operations else state
                )
        # Own times of what this layer can end with, one a state.
        endings = [clock.own(block_operations(layer, c)[-1]) for c in (0, 2, 3)]
        if layer.same_shape:
            before[_AFTER_ADDITION] = endings[0]
        else:
            before[:_AFTER_ADDITION] = endings
    link = Linear(floor=constants["floor_ms"])
    return Additive(np.array([start]), entries, next_state, (link,))


class _Clock:
    """Times operations and chains of them under given constants."""

    def __init__(self, fitted: FloatArray) -> None:
        self._fitted = fitted
        self._exposed = float(fitted[FITTED.index("exposed")])

    def own(self, operation: Operation) -> float:
        row, constant = work(operation)
        return float(ordered_sum(row * self._fitted)) + constant

    def start(self, before: float) -> float:
        return self._exposed * max(0.0, WINDOW_MS - before)

    def chain(self, operations: Sequence[Operation], before: float) -> float:
        total = 0.0
        for operation in operations:
            own = self.own(operation)
            total, before = total + own + self.start(before), own
        return total


def _state_after(layer: Layer, choice: int) -> int:
    if choice == SKIP:
        return 0
    if layer.same_shape:
        return _AFTER_ADDITION
    return _STATE_OF_EXPANSION[BLOCKS[choice].expansion]


def _pad(value: int, step: int) -> int:
    return math.ceil(value / step) * step
