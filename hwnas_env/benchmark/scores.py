"""Scores that do not saturate: 0 is random search, 1 the exact answer.

A regret of a tenth of a point is much on one task and nothing on another. A score puts
all tasks on one scale, whose ends are known and do not depend on who else is compared:
0 is what masked random search is expected to find after as many queries, 1 the exact
optimum, or the whole hypervolume of the exact front. A run that does worse than random
search is expected to has a negative score.
"""

import math
from dataclasses import dataclass

from hwnas_env.benchmark.expectations import (
    cell_distribution,
    expected_maximum,
    sampled_accuracy,
    sampled_maximum,
    sampled_shares,
    tabled,
)
from hwnas_env.benchmark.runs import Run
from hwnas_env.benchmark.tasks import Limits, Task, cached_by_data

SHARE_RUNS = 100
"""Runs from which a share is expected where none is committed."""

SMALLEST_REGRET = 1e-3
"""Percentage points below which a regret's logarithm goes no further: a thousandth of
a point is far below what training a network again changes."""


@dataclass(frozen=True)
class Expectation:
    """The incumbent that masked random search is expected to have.

    Attributes:
        accuracy_percent: its accuracy.
        error_percent: standard error of that; 0 where it is exact.
    """

    accuracy_percent: float
    error_percent: float


@dataclass(frozen=True)
class ExpectedShare:
    """The share of the exact hypervolume that random search is expected to reach.

    Attributes:
        share: the mean over runs.
        error: its standard error.
    """

    share: float
    error: float


def expected_best(task: Task, queries: int) -> Expectation:
    """Returns what masked random search is expected to find.

    Exact where the space is a table, in which every network's chance of being drawn is
    known. On the suites' tasks in layers out of the committed table; on other ones, or
    beyond 10,000 queries, from 100,000 networks, drawn by numbers that are the same on
    every machine.

    Args:
        task: what is searched.
        queries: how many draws.
    """
    if task.problem().space.has_numbers:
        return Expectation(expected_maximum(*cell_distribution(task), queries), 0.0)
    found = tabled(task, queries)
    if found is None:
        found = sampled_maximum(sampled_accuracy(task), queries)
    return Expectation(*found)


@cached_by_data
def expected_share(task: Task, queries: int) -> ExpectedShare:
    """Returns what share random search is expected to reach.

    Out of the committed table; for tasks of no suite, or beyond 1,000 queries, from
    100 runs.

    Args:
        task: with objectives.
        queries: of a run.
    """
    found = tabled(task, queries)
    if found is None:
        shares = sampled_shares(task, [queries], runs=SHARE_RUNS)
        error = float(shares.std(ddof=1)) / math.sqrt(SHARE_RUNS)
        found = float(shares.mean()), error
    return ExpectedShare(*found)


def score(task: Task, run: Run, limits: Limits) -> float:
    """Returns a run's score; without a feasible network, that of an accuracy of 0.

    0 is what random search is expected to find with the queries that the run was
    allowed: who stops early has had its chance.

    Args:
        task: what was searched.
        run: what was found.
        limits: what it might spend; where only seconds were limited, 0 is random search
            after as many queries as the run had.
    """
    queries = max(1, run.queries if limits.queries is None else limits.queries)
    if task.objectives:
        return _between(run.share, expected_share(task, queries).share, 1.0)
    found = run.accuracy_percent if run.incumbent else 0.0
    optimum = task.problem().optimum(task.budget).accuracy_percent
    return _between(found, expected_best(task, queries).accuracy_percent, optimum)


def _between(value: float, zero: float, one: float) -> float:
    if one <= zero:  # after so many queries that random search finds everything
        return 1.0 if value >= one else 0.0
    return (value - zero) / (one - zero)


def log10_regret(run: Run) -> float:
    """Returns the logarithm of a regret in percentage points, -3 at least.

    NaN where no feasible network was found.

    Example:
        >>> from hwnas_env.benchmark.runs import run_once
        >>> task = Task("HWNAS-NASBench201-FPGA-v0")
        >>> log10_regret(run_once(task, "exhaustive", seed=0, queries=15_000))
        -3.0
    """
    return math.log10(max(run.regret_percent, SMALLEST_REGRET))
