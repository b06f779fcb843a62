"""FBNet: 22 layers of blocks, their costs, their accuracy and their picture."""

from hwnas_env.data.formats import register
from hwnas_env.spaces.fbnet.facts import (
    BLOCKS,
    SETTINGS,
    SKIP,
    STAGE_CHANNELS,
    STAGE_LAYERS,
    STEM_CHANNELS,
    Block,
    Layer,
    Setting,
    block_counts,
    block_key,
    count_tables,
    frame_keys,
    layers,
)
from hwnas_env.spaces.fbnet.space import SPACE, FBNet

register("HW-NAS-Bench", SPACE.name, "hwnas_env.spaces.fbnet.official:OFFICIAL")

__all__ = [
    "BLOCKS",
    "SETTINGS",
    "SKIP",
    "SPACE",
    "STAGE_CHANNELS",
    "STAGE_LAYERS",
    "STEM_CHANNELS",
    "Block",
    "FBNet",
    "Layer",
    "Setting",
    "block_counts",
    "block_key",
    "count_tables",
    "frame_keys",
    "layers",
]
