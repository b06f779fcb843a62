"""The picture of a network in any space, with matplotlib: a row of boxes."""

from collections.abc import Sequence
from typing import Any

DARK, UNDECIDED = "#333333", "#aaaaaa"
"""Colours of outlines and of what is not decided yet."""

_COLUMNS = 12
"""Most boxes in a row."""


def draw_boxes(axes: Any, space: Any, genotype: Sequence[int]) -> None:
    """Draws one box a position, with the position above and the choice inside.

    Args:
        axes: matplotlib's.
        space: the search space.
        genotype: ``L`` decisions, -1 where undecided.
    """
    import matplotlib  # here: it is optional
    from matplotlib.patches import Rectangle

    columns = min(space.length, _COLUMNS)
    rows = -(-space.length // columns)
    axes.set_xlim(-0.25, columns + 0.25)
    axes.set_ylim(-0.35, 1.2 * rows)
    colours = matplotlib.colormaps["Blues"]
    for number, choice in enumerate(genotype):
        row, x = divmod(number, columns)
        y = 1.2 * (rows - 1 - row)
        decided = choice >= 0
        share = (choice + 1) / space.choices_at[number]
        box = Rectangle(
            (x + 0.1, y),
            0.8,
            0.75,
            facecolor=colours(0.1 + 0.5 * share) if decided else "white",
            edgecolor=DARK if decided else UNDECIDED,
            linewidth=0.8,
            linestyle="-" if decided else ":",
        )
        axes.add_patch(box)
        axes.text(
            x + 0.5,
            y + 0.375,
            space.choice_name(number, choice).replace("_", "\n"),
            ha="center",
            va="center",
            fontsize=8,
            color="black" if decided else UNDECIDED,
        )
        axes.text(x + 0.5, y + 0.8, space.positions[number], ha="center", fontsize=7)
