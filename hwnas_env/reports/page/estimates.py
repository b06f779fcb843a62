"""What is estimated of a group of tasks: aggregates with intervals, ranks, tests."""

import itertools
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from hwnas_env.maths import rank_tests
from hwnas_env.maths.resampling import (
    Estimate,
    bootstrap,
    improvement,
    interquartile_mean,
    mean_of_tasks,
    profile,
)
from hwnas_env.reports.page.study import Group, TaskRuns
from hwnas_env.types import FloatArray

SEED = 20210317
CURVE_REPETITIONS = 400
THRESHOLDS = 81


@dataclass(frozen=True, eq=False)
class Estimates:
    """What a group of tasks says.

    Attributes:
        group: the tasks.
        agents: best first by interquartile mean; behind them, those that lack tasks.
        iqm: of each agent's scores.
        curves: interquartile mean of regret, or share, after ``group.queries``.
        thresholds: ``(T,)`` of the profiles.
        profiles: share of runs above each threshold.
        improvements: by pair, how likely a run of the first beats one of the second;
            no pair that shares no task.
        ranks: mean rank over the tasks that all agents ran on; none without such.
        friedman: whether ranks differ; None below two tasks or agents.
        wilcoxon: ``(A, A)`` adjusted p values in the order of ``agents``, or None.
    """

    group: Group
    agents: tuple[str, ...]
    iqm: Mapping[str, Estimate]
    curves: Mapping[str, Estimate]
    thresholds: FloatArray
    profiles: Mapping[str, Estimate]
    improvements: Mapping[tuple[str, str], Estimate]
    ranks: Mapping[str, float]
    friedman: rank_tests.Friedman | None
    wilcoxon: FloatArray | None

    def label(self, agent: str) -> str:
        """An agent's name, and what it lacks."""
        ran, tasks = len(self.group.scores(agent)), len(self.group.tasks)
        return agent if ran == tasks else f"{agent} ({ran} of {tasks} tasks)"


def estimate(group: Group) -> Estimates:
    """Estimates everything; the same records give the same numbers.

    Args:
        group: tasks that may be averaged.

    Raises:
        MissingExtraError: scipy is not installed.
    """
    iqm, curves, profiles = {}, {}, {}
    thresholds = _thresholds(group)
    for agent in group.agents:
        tasks = group.scores(agent)
        iqm[agent] = bootstrap(interquartile_mean, tasks, rng=_rng(agent))
        profiles[agent] = profile(tasks, thresholds, rng=_rng(agent))
        runs = [
            task.curves(agent, group.queries)
            for task in group.tasks
            if agent in task.runs
        ]
        curves[agent] = bootstrap(
            interquartile_mean, runs, repetitions=CURVE_REPETITIONS, rng=_rng(agent)
        )
    whole = len(group.tasks)
    agents = tuple(
        sorted(
            group.agents,
            key=lambda a: (len(group.scores(a)) < whole, -float(iqm[a].value), a),
        )
    )
    common = group.common
    means = np.array([[task.scores[a].mean() for a in agents] for task in common])
    ranks: dict[str, float] = {}
    friedman = wilcoxon = None
    if common:
        placed = rank_tests.ranks(means).mean(axis=0)
        ranks = dict(zip(agents, placed.tolist(), strict=True))
    if len(common) > 1 and len(agents) > 1:
        friedman = rank_tests.friedman(means)
        wilcoxon = rank_tests.wilcoxon_matrix(means)
    return Estimates(
        group,
        agents,
        iqm,
        curves,
        thresholds,
        profiles,
        _improvements(group, agents),
        ranks,
        friedman,
        wilcoxon,
    )


def task_p_values(task: TaskRuns) -> dict[str, float]:
    """Returns how likely each agent's difference to the best one is chance.

    Mann-Whitney's two-sided test on scores, Holm-adjusted over the comparisons with
    the agent of the largest mean score, whose own value is 1.

    Args:
        task: with its runs.

    Raises:
        MissingExtraError: scipy is not installed.
    """
    best = max(task.runs, key=lambda agent: float(task.scores[agent].mean()))
    others = [agent for agent in task.runs if agent != best]
    raw = [
        float(rank_tests.mann_whitney_matrix([task.scores[best], task.scores[a]])[0, 1])
        for a in others
    ]
    adjusted = rank_tests.holm(raw).tolist()
    return {best: 1.0, **dict(zip(others, adjusted, strict=True))}


def task_estimate(task: TaskRuns, agent: str) -> Estimate:
    """Returns an agent's mean score on one task, with its interval."""
    return bootstrap(
        mean_of_tasks, [task.scores[agent]], rng=_rng(f"{task.name}/{agent}")
    )


def _improvements(
    group: Group, agents: tuple[str, ...]
) -> dict[tuple[str, str], Estimate]:
    found = {}
    for ours, theirs in itertools.combinations(agents, 2):
        both = [task for task in group.tasks if {ours, theirs} <= set(task.runs)]
        if not both:
            continue
        one = improvement(
            [task.scores[ours] for task in both],
            [task.scores[theirs] for task in both],
            rng=_rng(f"{ours}/{theirs}"),
        )
        if min(group.most_runs(ours), group.most_runs(theirs)) < 2:
            unknown = np.full_like(one.value, np.nan)  # one run says nothing of others
            one = Estimate(one.value, unknown, unknown)
        found[ours, theirs] = one
        found[theirs, ours] = Estimate(1 - one.value, 1 - one.high, 1 - one.low)
    return found


def _thresholds(group: Group) -> FloatArray:
    pooled = np.concatenate([task for a in group.agents for task in group.scores(a)])
    low = min(0.0, max(float(np.quantile(pooled, 0.02)), -3.0))
    return np.linspace(low, 1.0, THRESHOLDS)


def _rng(words: str) -> np.random.Generator:
    return np.random.default_rng([SEED, zlib.crc32(words.encode())])
