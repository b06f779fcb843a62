"""Draws a network with matplotlib: the layers as a chain in two rows."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.patches import Rectangle

from hwnas_env.engines.picture import DARK, UNDECIDED
from hwnas_env.engines.space import SearchSpace
from hwnas_env.spaces.fbnet.facts import STAGE_CHANNELS, STAGE_LAYERS

# Blue for kernel 3 and orange for kernel 5, darker the more a block expands.
_CHAIN = (
    *("#c6dbef", "#c6dbef", "#6baed6", "#2171b5"),
    *("#fdd0a2", "#fdd0a2", "#fd8d3c", "#c94801"),
    "#e3e3e3",
)
_CHAIN_KEY = "k kernel size, e expansion, g groups (hatched), ch output channels"


def draw_chain(axes: Any, space: SearchSpace, genotype: Sequence[int]) -> None:
    """Draws the layers as a chain in two rows, with the channels of each stage."""
    columns = 11
    axes.set_xlim(-0.25, columns + 0.25)
    axes.set_ylim(-0.35, 2.35)
    starts = dict(
        zip(
            np.cumsum((0, *STAGE_LAYERS[:-1])).tolist(),
            STAGE_CHANNELS,
            strict=True,
        )
    )
    for layer, choice in enumerate(genotype):
        row, x = divmod(layer, columns)
        y = 1.3 - 1.2 * row
        decided = choice >= 0
        colour = _CHAIN[choice] if decided else "white"
        name = space.choice_name(layer, choice)
        axes.plot([x - 0.1, x + 0.1], [y + 0.375] * 2, color=DARK, linewidth=1.2)
        box = Rectangle(
            (x + 0.1, y),
            0.8,
            0.75,
            facecolor=colour,
            edgecolor=DARK if decided else UNDECIDED,
            linewidth=0.8,
            linestyle="-" if decided else ":",
            hatch="///" if "g2" in name else None,
        )
        axes.add_patch(box)
        ink = "black" if sum(to_rgb(colour)) > 1.4 else "white"
        axes.text(
            x + 0.5,
            y + 0.375,
            name.replace("_", "\n"),
            ha="center",
            va="center",
            fontsize=8,
            color=ink if decided else UNDECIDED,
            bbox={"facecolor": colour, "edgecolor": "none", "pad": 1.0},
        )
        axes.text(x + 0.5, y + 0.8, str(layer + 1), ha="center", fontsize=7)
        if layer in starts:
            channels = f"{starts[layer]} ch"
            axes.text(x + 0.1, y - 0.06, channels, va="top", fontsize=7)
    axes.plot([columns - 0.1, columns + 0.2], [1.675] * 2, color=DARK, linewidth=1.2)
    axes.text(columns, -0.33, _CHAIN_KEY, ha="right", fontsize=7, color=DARK)
