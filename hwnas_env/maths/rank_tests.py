"""Ranks of agents over tasks, and tests whether they differ (Demsar, JMLR 2006)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hwnas_env.errors import InvalidArgumentError
from hwnas_env.extras import load_extra
from hwnas_env.types import FloatArray


@dataclass(frozen=True)
class Friedman:
    """Friedman's test: do all agents rank alike?

    Attributes:
        statistic: chi-square, corrected for ties; 0 where all agents are tied.
        p: its upper tail with agents - 1 degrees of freedom.
        tasks: how many tasks were ranked.
        agents: how many agents.
    """

    statistic: float
    p: float
    tasks: int
    agents: int


def ranks(scores: FloatArray) -> FloatArray:
    """Ranks each row's columns, 1 the largest, equal values their mean rank.

    Args:
        scores: ``(tasks, agents)``, more is better, no NaN.

    Raises:
        InvalidArgumentError: no matrix, an empty one, or a NaN.

    Example:
        >>> ranks(np.array([[0.1, 0.9, 0.9]])).tolist()
        [[3.0, 1.5, 1.5]]
    """
    table = np.asarray(scores, dtype=np.float64)
    if table.ndim != 2 or table.size == 0 or np.isnan(table).any():
        message = (
            f"scores: expected (tasks, agents) without NaN, got shape {table.shape}"
        )
        raise InvalidArgumentError(message)
    above = (table[:, None, :] > table[:, :, None]).sum(axis=2)
    equal = (table[:, None, :] == table[:, :, None]).sum(axis=2)
    return np.asarray(above + (equal + 1) / 2)


def friedman(scores: FloatArray) -> Friedman:
    """Tests whether agents' ranks over tasks differ.

    Args:
        scores: ``(tasks, agents)``, more is better; at least two of both.

    Raises:
        InvalidArgumentError: as :func:`ranks`, or fewer than two tasks or agents.
        MissingExtraError: scipy is not installed.
    """
    placed = ranks(scores)
    n, k = placed.shape
    if n < 2 or k < 2:
        message = f"expected at least two tasks and two agents, got {n} and {k}"
        raise InvalidArgumentError(message)
    between = ((placed.mean(axis=0) - (k + 1) / 2) ** 2).sum()
    within = ((placed - (k + 1) / 2) ** 2).sum() / (n * (k - 1))
    statistic = float(n * between / within) if within > 0 else 0.0
    return Friedman(statistic, float(_stats().chi2.sf(statistic, k - 1)), n, k)


def holm(p: Sequence[float]) -> FloatArray:
    """Adjusts p values for their number, by Holm's step-down method: ``(n,)``.

    Example:
        >>> holm([0.01, 0.04, 0.03]).round(3).tolist()
        [0.03, 0.06, 0.06]
    """
    raw = np.asarray(p, dtype=np.float64)
    order = np.argsort(raw, kind="stable")
    scaled = raw[order] * (len(raw) - np.arange(len(raw)))
    adjusted = np.empty_like(raw)
    adjusted[order] = np.minimum(np.maximum.accumulate(scaled), 1.0)
    return adjusted


def wilcoxon_matrix(scores: FloatArray) -> FloatArray:
    """Compares agents pairwise over tasks: Wilcoxon's signed-rank test, Holm-adjusted.

    Args:
        scores: ``(tasks, agents)``, more is better.

    Returns:
        ``(agents, agents)`` adjusted two-sided p values; 1 on the diagonal and where
        two agents agree on every task.

    Raises:
        InvalidArgumentError: as :func:`ranks`.
        MissingExtraError: scipy is not installed.
    """
    table = np.asarray(scores, dtype=np.float64)
    ranks(table)  # checks
    return _pairs(table.shape[1], lambda i, j: _signed_rank(table[:, i] - table[:, j]))


def mann_whitney_matrix(runs: Sequence[FloatArray]) -> FloatArray:
    """Compares agents pairwise on one task: Mann-Whitney's test, Holm-adjusted.

    Args:
        runs: ``(runs,)`` of each agent; numbers of runs may differ.

    Returns:
        ``(agents, agents)`` adjusted two-sided p values; 1 on the diagonal.

    Raises:
        InvalidArgumentError: an agent without runs, or a NaN.
        MissingExtraError: scipy is not installed.
    """
    for place, mine in enumerate(runs):
        if len(mine) == 0 or np.isnan(mine).any():
            message = f"runs: agent {place} has none, or one that is NaN"
            raise InvalidArgumentError(message)
    test = _stats().mannwhitneyu
    return _pairs(len(runs), lambda i, j: float(test(runs[i], runs[j]).pvalue))


def _signed_rank(difference: FloatArray) -> float:
    if not difference.any():
        return 1.0
    return float(_stats().wilcoxon(difference).pvalue)


def _pairs(agents: int, p: Any) -> FloatArray:
    matrix = np.ones((agents, agents))
    i, j = np.triu_indices(agents, k=1)
    adjusted = holm([p(a, b) for a, b in zip(i.tolist(), j.tolist(), strict=True)])
    matrix[i, j] = matrix[j, i] = adjusted
    return matrix


def _stats() -> Any:
    return load_extra("scipy.stats", extra="plots", purpose="a p value")
