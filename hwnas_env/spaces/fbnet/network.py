"""FBNet's networks as PyTorch modules: a stem, 22 blocks, a header and a classifier."""

from torch import Tensor, nn

from hwnas_env.engines.space import Blueprint
from hwnas_env.spaces.fbnet.facts import (
    BLOCKS,
    SETTINGS,
    SKIP,
    STEM_CHANNELS,
    Layer,
    layers,
)
from hwnas_env.types import Genotypes


class FBNetBlock(nn.Module):
    """One choice at a layer: expand, filter and project, or skip."""

    def __init__(self, layer: Layer, choice: int) -> None:
        """Builds the convolutions.

        Args:
            layer: the shapes in and out.
            choice: a block, or ``SKIP``: the identity, or where the shape changes a 1x1
                convolution with normalisation and activation.
        """
        super().__init__()
        wide, narrow = layer.channels_in, layer.channels_out
        self.residual = choice != SKIP and layer.same_shape
        parts: list[nn.Module] = []
        if choice != SKIP:
            block = BLOCKS[choice]
            inner, groups = wide * block.expansion, block.groups
            parts += conv_norm_relu(wide, inner, 1, groups=groups)
            if groups > 1:  # behind the first 1x1 convolution
                parts.append(nn.ChannelShuffle(groups))
            parts += conv_norm_relu(
                inner, inner, block.kernel, stride=layer.stride, groups=inner
            )
            parts += conv_norm_relu(inner, narrow, 1, groups=groups)[:-1]
        elif not layer.same_shape:
            parts += conv_norm_relu(wide, narrow, 1, stride=layer.stride)
        self.body = nn.Sequential(*parts)

    def forward(self, x: Tensor) -> Tensor:
        """Adds the input where a block keeps its shape."""
        found: Tensor = self.body(x)
        return found + x if self.residual else found


def conv_norm_relu(
    wide: int, narrow: int, kernel: int, *, stride: int = 1, groups: int = 1
) -> list[nn.Module]:
    """Builds a convolution, a normalisation and an activation."""
    conv = nn.Conv2d(
        wide, narrow, kernel, stride, kernel // 2, groups=groups, bias=False
    )
    return [conv, nn.BatchNorm2d(narrow), nn.ReLU()]


def blueprint(dataset: str) -> Blueprint:
    """Returns what builds networks for a dataset."""
    setting, shapes = SETTINGS[dataset], layers(dataset)

    def build(genotype: Genotypes) -> nn.Module:
        parts = conv_norm_relu(3, STEM_CHANNELS, 3, stride=setting.stem_stride)
        parts += map(FBNetBlock, shapes, genotype.tolist())
        parts += conv_norm_relu(shapes[-1].channels_out, setting.header, 1)
        parts += [nn.AdaptiveAvgPool2d(1), nn.Flatten()]
        return nn.Sequential(*parts, nn.Linear(setting.header, setting.classes))

    return Blueprint(build, setting.side, setting.classes)
