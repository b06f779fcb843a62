"""MnasNet: seven blocks, their costs on accelerators, their accuracy on ImageNet."""

from hwnas_env.data.formats import register
from hwnas_env.spaces.mnasnet.facts import (
    CHANNELS_IN,
    CHANNELS_OUT,
    EXPANSIONS,
    FEATURES_AT,
    KERNELS,
    MOST_LAYERS,
    STRIDES,
    Block,
    block_counts,
    blocks_at,
    count_tables,
    features,
)
from hwnas_env.spaces.mnasnet.space import EFFICIENTNET_B0, SPACE, MnasNet

register("Accel-NASBench", SPACE.name, "hwnas_env.spaces.mnasnet.official:OFFICIAL")

__all__ = [
    "CHANNELS_IN",
    "CHANNELS_OUT",
    "EFFICIENTNET_B0",
    "EXPANSIONS",
    "FEATURES_AT",
    "KERNELS",
    "MOST_LAYERS",
    "SPACE",
    "STRIDES",
    "Block",
    "MnasNet",
    "block_counts",
    "blocks_at",
    "count_tables",
    "features",
]
