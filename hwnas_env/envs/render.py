"""Draws a network in the making: text for the terminal, or an image."""

import math
import sys

import numpy as np
import numpy.typing as npt

from hwnas_env.envs.view import BAR_LIMIT, View, amount
from hwnas_env.extras import missing_extra
from hwnas_env.texts import write

__all__ = ["BAR_LIMIT", "View", "amount", "image", "show", "text"]


def text(view: View) -> str:
    """Writes the decisions and the reachable costs as lines of text."""
    space = view.problem.space
    body = space.describe_positions(view.genotype)
    others = [
        f"{metric} {amount(metric, value)}"
        for metric, value in view.costs.items()
        if metric != view.problem.metric and math.isfinite(value)
    ]
    rest = ["  " + ", ".join(others)] if others else []
    return "\n".join([view.title, *body, _bar(view), *rest, ""])


def show(drawing: str) -> None:
    """Writes a drawing to the terminal."""
    write(drawing, sys.stdout)


def image(view: View) -> npt.NDArray[np.uint8]:
    """Draws the cell as a graph or the layers as a chain: ``(H, W, 3)`` uint8.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    try:
        from hwnas_env.envs import pictures
    except ModuleNotFoundError:
        raise missing_extra(
            package="matplotlib", extra="plots", purpose="rgb_array"
        ) from None
    return pictures.image(view)


def _bar(view: View, *, width: int = 40) -> str:
    cells = [
        int(min(cost / view.budget, BAR_LIMIT) / BAR_LIMIT * (width - 1))
        for cost in view.interval
    ]
    line = ["·"] * width
    line[cells[0] : cells[1] + 1] = "█" * (cells[1] - cells[0] + 1)
    line[width // 2] = "|"
    return f"  {''.join(line)}  {view.reach}, budget {view.limit}"
