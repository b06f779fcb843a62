"""MnasNet's networks as PyTorch modules, with EfficientNet's activation, SiLU."""

from torch import Tensor, nn

from hwnas_env.engines.space import Blueprint
from hwnas_env.spaces.mnasnet.facts import (
    CHANNELS_IN,
    CHANNELS_OUT,
    CLASSES,
    HEADER,
    NORMALISED,
    SIDE,
    SQUEEZE,
    STEM,
    STRIDES,
    Block,
    blocks_at,
)
from hwnas_env.types import Genotypes


class SqueezeExcite(nn.Module):
    """Scales channels by what their means say."""

    def __init__(self, channels: int, squeezed: int) -> None:
        """Builds two 1x1 convolutions behind a global pooling."""
        super().__init__()
        self.scale = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(channels, squeezed, 1),
            nn.SiLU(),
            nn.Conv2d(squeezed, channels, 1),
            nn.Sigmoid(),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Multiplies."""
        scale: Tensor = self.scale(x)
        return x * scale


class MnasNetLayer(nn.Module):
    """One layer of a block: expand, filter, squeeze and excite, project."""

    def __init__(self, block: Block, wide: int, narrow: int, *, stride: int) -> None:
        """Builds the convolutions; the input is added where it has the same shape."""
        super().__init__()
        inner = wide * block.expansion
        parts: list[nn.Module] = []
        if block.expansion > 1:
            parts += conv_norm_silu(wide, inner, 1)
        parts += conv_norm_silu(inner, inner, block.kernel, stride=stride, groups=inner)
        if block.squeeze:
            parts.append(SqueezeExcite(inner, wide // SQUEEZE))
        parts += conv_norm_silu(inner, narrow, 1)[:-1]
        self.residual = stride == 1 and wide == narrow
        self.body = nn.Sequential(*parts)

    def forward(self, x: Tensor) -> Tensor:
        """Adds the input where a layer keeps its shape."""
        found: Tensor = self.body(x)
        return found + x if self.residual else found


def conv_norm_silu(
    wide: int, narrow: int, kernel: int, *, stride: int = 1, groups: int = 1
) -> list[nn.Module]:
    """Builds a convolution, a normalisation and an activation."""
    conv = nn.Conv2d(
        wide, narrow, kernel, stride, kernel // 2, groups=groups, bias=False
    )
    return [conv, nn.BatchNorm2d(narrow), nn.SiLU()]


def blueprint() -> Blueprint:
    """Returns what builds networks for ImageNet."""

    def build(genotype: Genotypes) -> nn.Module:
        parts = conv_norm_silu(3, STEM, 3, stride=2)
        for position, choice in enumerate(genotype.tolist()):
            block, narrow = blocks_at(position)[choice], CHANNELS_OUT[position]
            wide, stride = CHANNELS_IN[position], STRIDES[position]
            for _ in range(block.layers):
                parts.append(MnasNetLayer(block, wide, narrow, stride=stride))
                wide, stride = narrow, 1
        parts += conv_norm_silu(CHANNELS_OUT[-1], HEADER, 1)
        parts += [nn.AdaptiveAvgPool2d(1), nn.Flatten()]
        return nn.Sequential(*parts, nn.Linear(HEADER, CLASSES))

    return Blueprint(build, SIDE, CLASSES, normalisation=NORMALISED, pooling=1)
