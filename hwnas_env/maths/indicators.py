"""Dominance and hypervolume of point sets; everything is minimised here."""

import numpy as np

from hwnas_env.types import BoolArray, FloatArray, IntArray


def non_dominated(points: FloatArray) -> BoolArray:
    """Marks the rows that no other row dominates; all of equal rows are marked.

    Args:
        points: ``(N, k)`` float64, minimised, no NaN; N may be 0.

    Returns:
        ``(N,)`` bool.
    """
    if len(points) == 0:
        return np.zeros(0, dtype=np.bool_)
    if points.shape[1] == 1:
        return np.asarray(points[:, 0] == points[:, 0].min())
    if points.shape[1] == 2:
        return _non_dominated_pairs(points)
    import moocore  # here: most environments never need it

    marked = moocore.is_nondominated(points, keep_weakly=True)
    return np.asarray(marked, dtype=np.bool_)


def _non_dominated_pairs(points: FloatArray) -> BoolArray:
    order = np.lexsort((points[:, 1], points[:, 0]))
    first, second = points[order, 0], points[order, 1]
    # A row is dominated if an earlier one has a smaller first and no larger second
    # coordinate, or an equal first and a smaller second.
    group = np.flatnonzero(np.append(True, first[1:] > first[:-1]))
    number = np.cumsum(np.append(True, first[1:] > first[:-1])) - 1
    lowest = second[group]
    before = np.append(np.inf, np.minimum.accumulate(lowest)[:-1])
    kept = (second == lowest[number]) & (second < before[number])
    marked = np.zeros(len(points), dtype=np.bool_)
    marked[order] = kept
    return marked


def distinct_rows(points: FloatArray) -> IntArray:
    """Returns the first index of each distinct row, in the order of the rows."""
    _, first = np.unique(points, axis=0, return_index=True)
    return np.sort(first).astype(np.int64)
