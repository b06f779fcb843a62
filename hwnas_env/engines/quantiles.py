"""Quantiles of a sum over layers, over all of its genotypes."""

import itertools
from collections.abc import Sequence

import numpy as np

from hwnas_env.engines.additive import Additive, by_layer, extremes
from hwnas_env.types import FloatArray


def quantiles(
    quantity: Additive, fractions: Sequence[float], *, bins: int = 1 << 16
) -> FloatArray:
    """Returns quantiles of one quantity over all genotypes, equally likely.

    The distribution of sums is convolved layer by layer on a grid; a mass between two
    grid points is split so that the mean is kept.

    Args:
        quantity: one quantity (C = 1).
        fractions: in [0, 1], ``(Q,)``.
        bins: grid points over the range of sums.

    Returns:
        ``(Q,)`` float64, to within about one bin's width of the exact quantiles.
    """
    low, high = extremes(quantity)
    floor = float(low[0, 0])
    width = max(float(high[0, 0]) - floor, np.finfo(float).tiny) / (bins - 64)
    mass = np.zeros((quantity.states, bins))
    mass[0, 0] = 1.0
    for layer, (entries, following) in enumerate(by_layer(quantity)):
        blocks = entries.shape[1]
        moved = np.zeros_like(mass)
        # Every sum is kept relative to the smallest one reachable from here on.
        reached = np.flatnonzero(mass.any(axis=1)).tolist()
        for state, block in itertools.product(reached, range(blocks)):
            after = int(following[state, block])
            rise = entries[state, block] + low[layer + 1, after] - low[layer, state]
            steps, share = divmod(max(float(rise), 0.0) / width, 1.0)
            first = int(steps)
            for shift, weight in ((first, 1.0 - share), (first + 1, share)):
                moved[after, shift:] += mass[state, : bins - shift] * (weight / blocks)
        mass = moved
    cumulated = np.cumsum(mass.sum(axis=0))
    where = np.searchsorted(cumulated, np.asarray(fractions) * cumulated[-1])
    sums = quantity.start[0] + floor + where * width
    return np.asarray(quantity.links[0](sums), dtype=np.float64)
