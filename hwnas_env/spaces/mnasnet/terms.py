"""What costs of MnasNet are made of, for devices fitted from a few networks."""

import functools

import numpy as np

from hwnas_env.engines.choices import Choices
from hwnas_env.engines.terms import Terms, layered_terms
from hwnas_env.spaces.mnasnet.facts import (
    CHANNELS_IN,
    CHANNELS_OUT,
    FEATURES_AT,
    SIDE,
    SQUEEZE,
    STRIDES,
    Block,
    blocks_at,
    features,
)
from hwnas_env.types import FloatArray

WORK = (
    "pointwise_mmac",  # multiply-adds of the 1x1 convolutions
    "depthwise_mmac",  # multiply-adds of the depthwise ones
    "squeeze_mmac",  # multiply-adds of squeeze-and-excitation
    "activation_melement",  # elements that the convolutions write
    "squeezed_melement",  # elements that squeeze-and-excitation scales
    "weight_melement",  # weights of the 1x1 convolutions
    "layer",  # count
    "expansion",  # layers that expand, count
    "squeeze",  # layers with squeeze-and-excitation, count
)
"""Growing terms of a block. The last word is the unit; m is 10^6."""


@functools.cache
def block_terms(space: Choices) -> Terms:
    """Returns the terms of MnasNet.

    Groups: "work", see ``WORK``; "features", what each block has, by its position.
    """
    names = [
        f"{feature} in {position}"
        for position, found in zip(space.positions, FEATURES_AT, strict=True)
        for feature in found
    ]
    first, tables = 0, []
    for position, found in enumerate(FEATURES_AT):
        table = np.zeros((len(blocks_at(position)), len(names)))
        table[:, first : first + len(found)] = features(position)
        tables.append(table)
        first += len(found)
    return layered_terms(
        space,
        {
            "work": (WORK, list(map(_work, range(space.length)))),
            "features": (names, tables),
        },
    )


def _work(position: int) -> FloatArray:
    """Counts the work of every choice of a position: ``(K_p, 9)``."""
    side = SIDE // 2
    for stride in STRIDES[:position]:
        side //= stride
    return np.array([_work_of(position, one, side=side) for one in blocks_at(position)])


def _work_of(position: int, block: Block, *, side: int) -> list[float]:
    work = dict.fromkeys(WORK, 0.0)
    wide, narrow, stride = (
        CHANNELS_IN[position],
        CHANNELS_OUT[position],
        STRIDES[position],
    )
    for _ in range(block.layers):
        inner = wide * block.expansion
        if block.expansion > 1:
            work["pointwise_mmac"] += wide * inner * side**2 / 1e6
            work["activation_melement"] += inner * side**2 / 1e6
            work["weight_melement"] += wide * inner / 1e6
            work["expansion"] += 1.0
        side //= stride
        area = side**2
        work["depthwise_mmac"] += block.kernel**2 * inner * area / 1e6
        if block.squeeze:
            work["squeeze_mmac"] += 2 * inner * (wide // SQUEEZE) / 1e6
            work["squeezed_melement"] += inner * area / 1e6
            work["squeeze"] += 1.0
        work["pointwise_mmac"] += inner * narrow * area / 1e6
        work["activation_melement"] += (inner + narrow) * area / 1e6
        work["weight_melement"] += inner * narrow / 1e6
        work["layer"] += 1.0
        wide, stride = narrow, 1
    return [work[name] for name in WORK]
