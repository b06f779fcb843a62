"""Statistics of paired columns: how well an estimate follows a measurement."""

import numpy as np

from hwnas_env.types import Fidelity, FloatArray


def kendall_tau_b(x: FloatArray, y: FloatArray) -> float:
    """Returns Kendall's tau-b of two columns ``(N,)``, ties included; N at least 2.

    Counts pairs with a merge sort, in O(N log N).

    Example:
        >>> tau = kendall_tau_b(np.array([1.0, 2.0, 3.0]), np.array([1.0, 3.0, 2.0]))
        >>> round(tau, 4)
        0.3333
    """
    order = np.lexsort((y, x))
    x, y = np.asarray(x)[order], np.asarray(y)[order]
    n = len(x)
    both = _ties(np.lexsort((y, x)), x, y)
    ties_x, ties_y = _ties(np.arange(n), x), _ties(np.argsort(y), y)
    swaps = _inversions(np.unique(y, return_inverse=True)[1])
    pairs = n * (n - 1) // 2
    concordant_less_discordant = pairs - ties_x - ties_y + both - 2 * swaps
    scale = np.sqrt(float(pairs - ties_x)) * np.sqrt(float(pairs - ties_y))
    return float(concordant_less_discordant / scale)


def spearman(x: FloatArray, y: FloatArray) -> float:
    """Returns Spearman's rank correlation of two columns ``(N,)``, ties sharing ranks.

    Example:
        >>> round(spearman(np.array([1.0, 2.0, 3.0]), np.array([1.0, 3.0, 2.0])), 4)
        0.5
    """
    ranks = [_mean_ranks(np.asarray(column)) for column in (x, y)]
    one, other = (rank - rank.mean() for rank in ranks)
    scale = np.sqrt(float((one**2).sum()) * float((other**2).sum()))
    return float((one * other).sum() / scale)


def _mean_ranks(column: FloatArray) -> FloatArray:
    """Ranks a column ``(N,)`` from 1, equal values with the mean of their places."""
    _, inverse, counts = np.unique(column, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return np.asarray((last - (counts - 1) / 2)[inverse.ravel()])


def _ties(order: np.ndarray, *columns: FloatArray) -> int:
    """Counts pairs of rows that agree in all columns, given a sorting order."""
    changed = np.zeros(len(order) - 1, dtype=bool)
    for column in columns:
        ordered = column[order]
        changed |= ordered[1:] != ordered[:-1]
    runs = np.diff(np.flatnonzero(np.concatenate(([True], changed, [True]))))
    return int((runs * (runs - 1) // 2).sum())


def _inversions(ranks: np.ndarray) -> int:
    """Counts pairs in which the earlier rank is larger, by bottom-up merging."""
    total, width, ranks = 0, 1, ranks.astype(np.int64)
    n = len(ranks)
    while width < n:
        block = np.arange(n) // (2 * width)
        left = (np.arange(n) // width) % 2 == 0
        # Sort each block of two runs stably: a right element passes the left ones
        # that are larger and stand before it.
        order = np.lexsort((ranks, block))
        placed = left[order]
        seen = np.cumsum(placed)
        base = np.concatenate(([0], np.cumsum(np.bincount(block[left]))))
        lefts = np.diff(base)[block[order]]
        smaller = seen - base[block[order]]
        total += int((lefts - smaller)[~placed].sum())
        ranks, width = ranks[order], 2 * width
    return total


def fidelity(estimate: FloatArray, measured: FloatArray, *, method: str) -> Fidelity:
    """Compares an estimate with measurements, both ``(N,)``, N at least 1."""
    relative = 100 * np.abs(estimate - measured) / np.abs(measured)
    tau = kendall_tau_b(estimate, measured) if len(measured) > 2 else None
    return Fidelity(
        n=len(measured),
        tau_b=None if tau is None else round(tau, 4),
        mape_percent=float(f"{relative.mean():.4g}"),
        worst_percent=float(f"{relative.max():.4g}"),
        method=method,
    )
