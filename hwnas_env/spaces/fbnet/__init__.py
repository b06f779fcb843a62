"""FBNet: 22 layers of blocks, their costs, their accuracy and their picture."""

from typing import TYPE_CHECKING

from hwnas_env.data.formats import register
from hwnas_env.faces import lazy
from hwnas_env.spaces.listed import ListedSpace

if TYPE_CHECKING:
    from hwnas_env.spaces.fbnet.facts import BLOCKS as BLOCKS
    from hwnas_env.spaces.fbnet.facts import SETTINGS as SETTINGS
    from hwnas_env.spaces.fbnet.facts import SKIP as SKIP
    from hwnas_env.spaces.fbnet.facts import STAGE_CHANNELS as STAGE_CHANNELS
    from hwnas_env.spaces.fbnet.facts import STAGE_LAYERS as STAGE_LAYERS
    from hwnas_env.spaces.fbnet.facts import STEM_CHANNELS as STEM_CHANNELS
    from hwnas_env.spaces.fbnet.facts import Block as Block
    from hwnas_env.spaces.fbnet.facts import Layer as Layer
    from hwnas_env.spaces.fbnet.facts import Setting as Setting
    from hwnas_env.spaces.fbnet.facts import block_counts as block_counts
    from hwnas_env.spaces.fbnet.facts import block_key as block_key
    from hwnas_env.spaces.fbnet.facts import count_tables as count_tables
    from hwnas_env.spaces.fbnet.facts import frame_keys as frame_keys
    from hwnas_env.spaces.fbnet.facts import layers as layers
    from hwnas_env.spaces.fbnet.space import SPACE as SPACE
    from hwnas_env.spaces.fbnet.space import FBNet as FBNet

LISTED = ListedSpace(
    "fbnet",
    "FBNet",
    size=9**22,
    datasets=("cifar100", "ImageNet"),
    default_dataset="ImageNet",
    has_population=True,
)
"""What ids need to know of the space."""

register("HW-NAS-Bench", LISTED.name, "hwnas_env.spaces.fbnet.official:OFFICIAL")

_HOMES = {
    "BLOCKS": "hwnas_env.spaces.fbnet.facts",
    "Block": "hwnas_env.spaces.fbnet.facts",
    "FBNet": "hwnas_env.spaces.fbnet.space",
    "Layer": "hwnas_env.spaces.fbnet.facts",
    "SETTINGS": "hwnas_env.spaces.fbnet.facts",
    "SKIP": "hwnas_env.spaces.fbnet.facts",
    "SPACE": "hwnas_env.spaces.fbnet.space",
    "STAGE_CHANNELS": "hwnas_env.spaces.fbnet.facts",
    "STAGE_LAYERS": "hwnas_env.spaces.fbnet.facts",
    "STEM_CHANNELS": "hwnas_env.spaces.fbnet.facts",
    "Setting": "hwnas_env.spaces.fbnet.facts",
    "block_counts": "hwnas_env.spaces.fbnet.facts",
    "block_key": "hwnas_env.spaces.fbnet.facts",
    "count_tables": "hwnas_env.spaces.fbnet.facts",
    "frame_keys": "hwnas_env.spaces.fbnet.facts",
    "layers": "hwnas_env.spaces.fbnet.facts",
}

__all__ = ["LISTED", *_HOMES]

__getattr__, __dir__ = lazy(__name__, _HOMES)
