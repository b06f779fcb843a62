"""Draws a network with matplotlib: a column a block, a box for each of its layers."""

from collections.abc import Sequence
from typing import Any

from matplotlib.patches import Rectangle

from hwnas_env.engines.picture import DARK, UNDECIDED
from hwnas_env.engines.space import SearchSpace
from hwnas_env.spaces.mnasnet.facts import (
    CHANNELS_OUT,
    EXPANSIONS,
    MOST_LAYERS,
    blocks_at,
)

# Blue for kernel 3 and orange for kernel 5, darker and wider the more a block expands.
_COLOURS = {3: ("#c6dbef", "#6baed6", "#2171b5"), 5: ("#fdd0a2", "#fd8d3c", "#c94801")}
_WIDTHS = (0.4, 0.6, 0.8)
_KEY = (
    "e expansion (width), k kernel size (colour), se squeeze-excite (dot), ch channels"
)


def draw_blocks(axes: Any, space: SearchSpace, genotype: Sequence[int]) -> None:
    """Draws each block as a column of its layers, with its channels below."""
    most = max(MOST_LAYERS)
    axes.set_xlim(-0.1, len(genotype) + 0.1)
    axes.set_ylim(-0.95, most + 0.55)
    for position, choice in enumerate(genotype):
        middle = position + 0.5
        axes.text(middle, -0.1, f"{position + 1}", ha="center", va="top", fontsize=8)
        if position + 1 < len(genotype):
            axes.plot([middle + 0.42, middle + 0.58], [0.4] * 2, color=DARK)
        if choice < 0:
            axes.add_patch(
                Rectangle(
                    (position + 0.1, 0),
                    0.8,
                    0.8,
                    facecolor="white",
                    edgecolor=UNDECIDED,
                    linestyle=":",
                )
            )
            axes.text(
                middle, 0.4, "?", ha="center", va="center", fontsize=9, color=UNDECIDED
            )
            continue
        block = blocks_at(position)[choice]
        size = EXPANSIONS.index(block.expansion)
        colour = _COLOURS[block.kernel][size]
        for layer in range(block.layers):
            left = middle - _WIDTHS[size] / 2
            axes.add_patch(
                Rectangle(
                    (left, layer), _WIDTHS[size], 0.8, facecolor=colour, edgecolor=DARK
                )
            )
            if block.squeeze:
                axes.plot([middle], [layer + 0.4], marker="o", color="white", ms=6)
                axes.plot([middle], [layer + 0.4], marker="o", color=DARK, ms=3.5)
        name = space.choice_name(position, choice)
        axes.text(
            middle, block.layers + 0.05, name, ha="center", va="bottom", fontsize=6.5
        )
        axes.text(
            middle,
            -0.42,
            f"{CHANNELS_OUT[position]} ch",
            ha="center",
            va="top",
            fontsize=7,
        )
    axes.text(
        len(genotype), -0.93, _KEY, ha="right", va="bottom", fontsize=7, color=DARK
    )
