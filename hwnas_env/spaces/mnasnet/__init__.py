"""MnasNet: seven blocks, their costs on accelerators, their accuracy on ImageNet."""

from typing import TYPE_CHECKING

from hwnas_env.data.formats import register
from hwnas_env.faces import lazy
from hwnas_env.spaces.listed import ListedSpace

if TYPE_CHECKING:
    from hwnas_env.spaces.mnasnet.facts import CHANNELS_IN as CHANNELS_IN
    from hwnas_env.spaces.mnasnet.facts import CHANNELS_OUT as CHANNELS_OUT
    from hwnas_env.spaces.mnasnet.facts import EXPANSIONS as EXPANSIONS
    from hwnas_env.spaces.mnasnet.facts import FEATURES_AT as FEATURES_AT
    from hwnas_env.spaces.mnasnet.facts import KERNELS as KERNELS
    from hwnas_env.spaces.mnasnet.facts import MOST_LAYERS as MOST_LAYERS
    from hwnas_env.spaces.mnasnet.facts import STRIDES as STRIDES
    from hwnas_env.spaces.mnasnet.facts import Block as Block
    from hwnas_env.spaces.mnasnet.facts import block_counts as block_counts
    from hwnas_env.spaces.mnasnet.facts import blocks_at as blocks_at
    from hwnas_env.spaces.mnasnet.facts import count_tables as count_tables
    from hwnas_env.spaces.mnasnet.facts import features as features
    from hwnas_env.spaces.mnasnet.space import EFFICIENTNET_B0 as EFFICIENTNET_B0
    from hwnas_env.spaces.mnasnet.space import SPACE as SPACE
    from hwnas_env.spaces.mnasnet.space import MnasNet as MnasNet

LISTED = ListedSpace(
    "mnasnet",
    "MnasNet",
    size=36**6 * 48,
    datasets=("ImageNet",),
    default_dataset="ImageNet",
    has_population=True,
)
"""What ids need to know of the space."""

register("Accel-NASBench", LISTED.name, "hwnas_env.spaces.mnasnet.official:OFFICIAL")

_HOMES = {
    "Block": "hwnas_env.spaces.mnasnet.facts",
    "CHANNELS_IN": "hwnas_env.spaces.mnasnet.facts",
    "CHANNELS_OUT": "hwnas_env.spaces.mnasnet.facts",
    "EFFICIENTNET_B0": "hwnas_env.spaces.mnasnet.space",
    "EXPANSIONS": "hwnas_env.spaces.mnasnet.facts",
    "FEATURES_AT": "hwnas_env.spaces.mnasnet.facts",
    "KERNELS": "hwnas_env.spaces.mnasnet.facts",
    "MOST_LAYERS": "hwnas_env.spaces.mnasnet.facts",
    "MnasNet": "hwnas_env.spaces.mnasnet.space",
    "SPACE": "hwnas_env.spaces.mnasnet.space",
    "STRIDES": "hwnas_env.spaces.mnasnet.facts",
    "block_counts": "hwnas_env.spaces.mnasnet.facts",
    "blocks_at": "hwnas_env.spaces.mnasnet.facts",
    "count_tables": "hwnas_env.spaces.mnasnet.facts",
    "features": "hwnas_env.spaces.mnasnet.facts",
}

__all__ = ["LISTED", *_HOMES]

__getattr__, __dir__ = lazy(__name__, _HOMES)
