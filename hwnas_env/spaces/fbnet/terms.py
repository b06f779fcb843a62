"""Block tables of FBNet that are computed: weighted terms, and a pipeline's rule.

Terms are counts of work that a block asks for (multiply-adds, elements moved,
launches); a cost is their sum with non-negative weights. So costs grow with expansion,
kernel and resolution, and no block costs less than the identity's 0.
"""

from collections.abc import Mapping

import numpy as np

from hwnas_env.arguments import check_name
from hwnas_env.engines.choices import Choices
from hwnas_env.engines.terms import Terms, layered_terms
from hwnas_env.maths.elementary import ordered_sum
from hwnas_env.spaces.fbnet.facts import BLOCKS, SKIP, Layer, layers
from hwnas_env.types import FloatArray

TERMS = (
    "pointwise_mmac",  # multiply-adds of 1x1 convolutions
    "depthwise_mmac",  # multiply-adds of depthwise convolutions
    "array_mmac",  # pointwise ones, as if all used 8 columns of a systolic array
    "array_mrow",  # depthwise outputs x kernel rows, likewise
    "activation_melement",  # elements that the three convolutions read and write
    "weight_melement",  # weights of the 1x1 convolutions
    "shuffle_melement",  # elements that the channel shuffle passes over
    "addition_melement",  # elements of the residual sum
    "module",  # 1 for anything but the identity
    "convolution",  # count
    "addition",  # count
    "group",  # 1 for g2
    "group_kchannel",  # output channels of the g2 convolutions
    "grouped_kchannel",  # the same plus a share of the depthwise channels
)
"""Terms of a block. The last word is the unit; m is 10^6 and k is 10^3."""

# The simulated array has 14 columns of processing elements. The measured entries of
# depthwise kernels at stride 1 are outputs x kernel rows / columns in cycles, with
# columns the largest divisor of the output side up to 14 (8 at 32, 16 and 8; 4 at 4);
# ImageNet's sides fill 14 (7 at 7). Pointwise kernels use 8 at every side of cifar100;
# that they use 14 where a side is a multiple of 7 is inferred.
ARRAY_COLUMNS = 14
CIFAR100_COLUMNS = 8

# On a graphics processor a depthwise channel costs this share of a g2 channel. Assumed:
# the published pair fixes g2 only. 0 to 1 moves all-k5_e6 from 17 to 30 ms on cifar100;
# a quarter is the least of 0, 1/4, 1/2, 3/4, 1 at which all-k5_e6 is dearer than 95 %
# of networks, and keeps networks like MobileNet-V2 near 10 ms.
DEPTHWISE_CHANNEL_SHARE = 0.25

# Channels as the pipeline pads them: only 184 differs, solved from the entries.
PIPELINE_PADDED = {184: 192}


def block_terms(layer: Layer, choice: int) -> FloatArray:
    """Counts the terms of a choice at a layer, in the order of ``TERMS``."""
    area_in, area_out = layer.side**2, layer.side_out**2
    wide, narrow = layer.channels_in, layer.channels_out
    terms = dict.fromkeys(TERMS, 0.0)
    pointwise_columns, depthwise_columns = _columns(layer.side_out)
    share = CIFAR100_COLUMNS / pointwise_columns
    if choice == SKIP:
        if not layer.same_shape:
            terms["pointwise_mmac"] = area_out * wide * narrow / 1e6
            moved = area_in * wide + area_out * narrow
            terms["activation_melement"] = moved / 1e6
            terms["weight_melement"] = wide * narrow / 1e6
            terms["array_mmac"] = terms["pointwise_mmac"] * share
            terms["module"] = terms["convolution"] = 1.0
        return np.array(list(terms.values()))
    block = BLOCKS[choice]
    inner = wide * block.expansion
    expand, project = wide * inner // block.groups, inner * narrow // block.groups
    rows = area_out * inner * block.kernel
    terms["pointwise_mmac"] = (area_in * expand + area_out * project) / 1e6
    terms["depthwise_mmac"] = rows * block.kernel / 1e6
    terms["array_mmac"] = terms["pointwise_mmac"] * share
    terms["array_mrow"] = rows * CIFAR100_COLUMNS / depthwise_columns / 1e6
    moved = area_in * (wide + 2 * inner) + area_out * (2 * inner + narrow)
    terms["activation_melement"] = moved / 1e6
    terms["weight_melement"] = (expand + project) / 1e6
    terms["module"], terms["convolution"] = 1.0, 3.0
    terms["grouped_kchannel"] = DEPTHWISE_CHANNEL_SHARE * inner / 1e3
    if block.groups > 1:
        terms["shuffle_melement"] = area_in * inner / 1e6
        terms["group"], terms["group_kchannel"] = 1.0, (inner + narrow) / 1e3
        terms["grouped_kchannel"] += terms["group_kchannel"]
    if layer.same_shape:
        terms["addition"] = 1.0
        terms["addition_melement"] = area_out * narrow / 1e6
    return np.array(list(terms.values()))


def term_table(dataset: str) -> FloatArray:
    """Counts the terms of every choice at every layer: ``(22, 9, T)`` float64."""
    choices = range(SKIP + 1)
    return np.array([[block_terms(x, c) for c in choices] for x in layers(dataset)])


def shape_table(dataset: str) -> tuple[list[str], FloatArray]:
    """Marks which block stands at a layer of which shape: names and ``(22, 9, T)``.

    Layers of one shape share their terms; skip has none.
    """
    shapes = layers(dataset)
    distinct = list(dict.fromkeys(shapes))
    table = np.zeros((len(shapes), SKIP + 1, len(distinct), SKIP))
    for layer, shape in enumerate(shapes):
        table[layer, :SKIP, distinct.index(shape)] = np.eye(SKIP)
    names = [
        f"{block.name} at {s.channels_in}>{s.channels_out}, side {s.side}"
        for s in distinct
        for block in BLOCKS
    ]
    return names, table.reshape(len(shapes), SKIP + 1, -1)


def chain_terms(space: Choices, dataset: str) -> Terms:
    """Returns what costs of FBNet are made of, for devices fitted from a few networks.

    Groups: "work", the terms above; "blocks", how often each block stands; "shapes",
    which block stands at a layer of which shape.
    """
    names, shapes = shape_table(dataset)
    counts = [np.eye(SKIP + 1)[:, :SKIP]] * space.length
    blocks = [block.name for block in BLOCKS]
    return layered_terms(
        space,
        {
            "work": (TERMS, list(term_table(dataset))),
            "blocks": (blocks, counts),
            "shapes": (names, list(shapes)),
        },
    )


def weighted_table(weights: Mapping[str, float], *, dataset: str) -> FloatArray:
    """Weighs terms: ``(22, 9)`` in the weights' unit.

    Args:
        weights: cost of one unit of a term, by the term's name; others cost nothing.
        dataset: cifar100 or ImageNet.
    """
    for name in weights:
        check_name(name, TERMS, what="term")
    vector = np.array([weights.get(name, 0.0) for name in TERMS])
    table: FloatArray = ordered_sum(term_table(dataset) * vector)
    return table


def pipeline_ms(layer: Layer, choice: int, *, rule: Mapping[str, float]) -> float:
    """Gives a pipeline's time: the pointwise pair and the depthwise one overlap.

    An output element of a 1x1 convolution takes ``fill_ns`` and ``mac_ns`` an input
    channel; of a depthwise one ``fill_ns`` and ``depthwise_tap_ns`` a tap. The block
    takes the longer of the two, at the output's resolution. Skip is free.

    Args:
        layer: the layer's shape.
        choice: 0 to 8.
        rule: the three times by name.
    """
    if choice == SKIP:
        return 0.0
    block = BLOCKS[choice]
    wide = PIPELINE_PADDED.get(layer.channels_in, layer.channels_in)
    narrow = PIPELINE_PADDED.get(layer.channels_out, layer.channels_out)
    inner = wide * block.expansion
    fill, mac = rule["fill_ns"], rule["mac_ns"]
    pointwise = inner * (fill + wide // block.groups * mac)
    pointwise += narrow * (fill + inner // block.groups * mac)
    depthwise = inner * (fill + block.kernel**2 * rule["depthwise_tap_ns"])
    return layer.side_out**2 * max(pointwise, depthwise) * 1e-6


def pipeline_table(rule: Mapping[str, float], *, dataset: str) -> FloatArray:
    """Gives a pipeline's time of every choice at every layer: ``(22, 9)`` ms."""
    choices = range(SKIP + 1)
    return np.array(
        [[pipeline_ms(x, c, rule=rule) for c in choices] for x in layers(dataset)]
    )


def _columns(side: int) -> tuple[int, int]:
    """Returns the columns of the array used at an output side: pointwise, depthwise."""
    divisor = max(n for n in range(1, ARRAY_COLUMNS + 1) if side % n == 0)
    sevens = side % (ARRAY_COLUMNS // 2) == 0
    return (ARRAY_COLUMNS if sevens else CIFAR100_COLUMNS), divisor
