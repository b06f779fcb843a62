"""NAS-Bench-201's networks as PyTorch modules, as HW-NAS-Bench measured them.

A 3x3 stem, five cells at each of 16, 32 and 64 channels with a residual block of stride
2 between, and a classifier. Every operation of a cell keeps the shape.
"""

from torch import Tensor, nn

from hwnas_env.engines.space import Blueprint
from hwnas_env.spaces.nasbench201.facts import (
    CELLS_PER_STAGE,
    CHANNELS,
    CLASSES,
    EDGES,
    RESOLUTION,
)
from hwnas_env.types import Genotypes


class Zero(nn.Module):
    """Gives zeros, whatever comes: the operation ``none``, which runtimes execute."""

    def forward(self, x: Tensor) -> Tensor:
        """Multiplies by 0."""
        return x * 0.0


class Cell(nn.Module):
    """Four nodes; each but the first is the sum of the edges into it."""

    def __init__(self, genotype: list[int], width: int) -> None:
        """Builds the six edges.

        Args:
            genotype: their operations.
            width: channels in and out.
        """
        super().__init__()
        self.edges = nn.ModuleList(operation(choice, width) for choice in genotype)

    def forward(self, x: Tensor) -> Tensor:
        """Returns the last node."""
        nodes = [x]
        for node in range(1, 4):
            terms = [
                edge(nodes[source])
                for (source, target), edge in zip(EDGES, self.edges, strict=True)
                if target == node
            ]
            total = terms[0]
            for term in terms[1:]:
                total = total + term
            nodes.append(total)
        return nodes[-1]


class Reduction(nn.Module):
    """The residual block between two stages: half the side, twice the channels."""

    def __init__(self, wide: int, narrow: int) -> None:
        """Builds two convolutions and the way past them."""
        super().__init__()
        self.body = nn.Sequential(
            relu_conv_norm(wide, narrow, 3, stride=2), relu_conv_norm(narrow, narrow, 3)
        )
        self.shortcut = nn.Sequential(
            nn.AvgPool2d(2, 2), nn.Conv2d(wide, narrow, 1, bias=False)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Adds both."""
        total: Tensor = self.shortcut(x) + self.body(x)
        return total


def operation(choice: int, width: int) -> nn.Module:
    """Builds one of the five operations."""
    if choice == 0:
        return Zero()
    if choice == 1:
        return nn.Identity()
    if choice == 4:  # the divisor leaves the padding out, as upstream's does
        return nn.AvgPool2d(3, 1, 1, count_include_pad=False)
    return relu_conv_norm(width, width, 1 if choice == 2 else 3)


def relu_conv_norm(
    wide: int, narrow: int, kernel: int, *, stride: int = 1
) -> nn.Sequential:
    """Builds an activation, a convolution and a normalisation."""
    conv = nn.Conv2d(wide, narrow, kernel, stride, kernel // 2, bias=False)
    return nn.Sequential(nn.ReLU(), conv, nn.BatchNorm2d(narrow))


def blueprint(dataset: str) -> Blueprint:
    """Returns what builds networks for a dataset."""

    def build(genotype: Genotypes) -> nn.Module:
        first = CHANNELS[0]
        layers: list[nn.Module] = [
            nn.Conv2d(3, first, 3, padding=1, bias=False),
            nn.BatchNorm2d(first),
        ]
        for stage, width in enumerate(CHANNELS):
            if stage:
                layers.append(Reduction(CHANNELS[stage - 1], width))
            layers += [Cell(genotype.tolist(), width) for _ in range(CELLS_PER_STAGE)]
        last = CHANNELS[-1]
        layers += [nn.BatchNorm2d(last), nn.ReLU(), nn.AdaptiveAvgPool2d(1)]
        layers += [nn.Flatten(), nn.Linear(last, CLASSES[dataset])]
        return nn.Sequential(*layers)

    return Blueprint(build, RESOLUTION[dataset], CLASSES[dataset], bias=1)
