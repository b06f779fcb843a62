"""The tables of a report, as words."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from hwnas_env.maths.resampling import (
    Estimate,
    mean_of_tasks,
    median_of_tasks,
    optimality_gap,
)
from hwnas_env.reports.page.canvas import label
from hwnas_env.reports.page.estimates import Estimates, task_estimate, task_p_values
from hwnas_env.reports.page.naming import short_names
from hwnas_env.reports.page.sheets import Sheet
from hwnas_env.reports.page.study import Study, TaskRuns, log_regret
from hwnas_env.types import FloatArray

NONE = "-"


def leaderboard(found: Estimates, *, name: str) -> Sheet:
    """Returns the agents of a group, best first.

    Args:
        found: of the group.
        name: of the table's files.
    """
    group = found.group
    titles = ["agent", "score IQM", "95 % interval", "wall s", "mean rank"]
    titles += ["share"] if group.is_front else ["log10 regret"]
    titles += ["mean", "median", "gap to 1", "tasks", "runs"]
    titles += [] if group.is_front else ["infeasible"]
    titles += ["failed"]
    rows = []
    for agent in found.agents:
        scores = group.scores(agent)
        mine = [task for task in group.tasks if agent in task.runs]
        runs = [run for task in mine for run in task.runs[agent]]
        row = [agent, number(float(found.iqm[agent].value))]
        row += [interval(found.iqm[agent], runs=max(map(len, scores)))]
        row += [wall(group.seconds(agent))]
        row += [f"{found.ranks[agent]:.2f}" if agent in found.ranks else NONE]
        row += [number(float(np.mean([_measure(task, agent) for task in mine])))]
        row += [
            number(float(statistic(scores)))
            for statistic in (mean_of_tasks, median_of_tasks, optimality_gap)
        ]
        row += [f"{len(scores)} of {len(group.tasks)}", str(len(runs))]
        if not group.is_front:
            row += [str(sum(not run.incumbent for run in runs))]
        rows.append((*row, str(sum(bool(run.error) for run in runs))))
    caption = (
        f"Leaderboard. {group.title}. Best first by the interquartile mean (IQM)."
        + wall_words([found.group.seconds(agent) for agent in found.agents])
    )
    return Sheet(
        *(name, caption, tuple(titles), tuple(rows)),
        best=frozenset({0}),
        agents=found.agents,
    )


def _measure(task: TaskRuns, agent: str) -> float:
    """Returns an agent's mean share of a front, or mean log10 regret."""
    if task.is_front:
        return float(task.shares(agent).mean())
    return log_regret(task.regrets(agent))


def wall(seconds: Sequence[float]) -> str:
    """Writes the median wall time of runs.

    Example:
        >>> wall([0.123, 0.125, 8.0]), wall([])
        ('0.125', '-')
    """
    return f"{np.median(seconds):.3g}" if seconds else NONE


def wall_words(seconds: Iterable[Sequence[float]]) -> str:
    """Says what wall times are, and where none are known.

    Args:
        seconds: of each agent's runs.
    """
    if any(seconds):
        return (
            " wall s: median seconds of a run, on the machines that ran it, with "
            "whatever else they did."
        )
    return ' wall s: not known; "bench run" writes it beside the folder of records.'


def heat(found: Estimates, *, anchors: Mapping[TaskRuns, str], name: str) -> Sheet:
    """Returns every agent's mean score on every task of a group.

    Args:
        found: of the group.
        anchors: of the tasks in a page.
        name: of the table's files.
    """
    tasks, agents = found.group.tasks, found.agents
    rows, shades, hints = [], {}, {}
    for place, (task, words) in enumerate(zip(tasks, short_names(tasks), strict=True)):
        row = [words]
        for column, agent in enumerate(agents, start=1):
            if agent not in task.runs:
                row.append(NONE)
                continue
            one, runs = task_estimate(task, agent), len(task.runs[agent])
            where, value = (place, column), float(one.value)
            row.append(number(value, 2))
            shades[where] = value
            hints[where] = (
                f"{label(agent)} on {words}: {number(value)}, 95 % interval "
                f"{interval(one, runs=runs)}, runs: {runs}, wall s: "
                f"{wall(task.seconds_of(agent))}"
            )
        rows.append(tuple(row))
    caption = f"Mean score of every agent on every task. {found.group.title}."
    links = {place: anchors[task] for place, task in enumerate(tasks)}
    return Sheet(
        *(name, caption, ("task", *agents), tuple(rows)),
        links=links,
        shades=shades,
        hints=hints,
    )


def improvements(found: Estimates, *, name: str) -> Sheet:
    """Returns how likely a run of the row's agent beats one of the column's.

    Args:
        found: of the group.
        name: of the table's files.
    """
    rows, shades = [], {}
    for place, ours in enumerate(found.agents):
        row = [ours]
        for column, theirs in enumerate(found.agents, start=1):
            pair = found.improvements.get((ours, theirs))
            if pair is None:
                row.append(NONE)
                continue
            row.append(f"{number(float(pair.value), 2)} {interval(pair, digits=2)}")
            shades[place, column] = 2 * float(pair.value) - 1
        rows.append(tuple(row))
    caption = (
        "Probability of improvement: how likely a run of the row's agent beats one of "
        f"the column's, with 95 % intervals. {found.group.title}."
    )
    return Sheet(
        *(name, caption, ("agent", *found.agents), tuple(rows)),
        agents=found.agents,
        shades=shades,
    )


def rank_test(found: Estimates, *, name: str) -> Sheet | None:
    """Returns Holm-adjusted p values of Wilcoxon's test; None without two tasks.

    Args:
        found: of the group.
        name: of the table's files.
    """
    if found.friedman is None or found.wilcoxon is None:
        return None
    test = found.friedman
    rows = tuple(
        (
            f"{agent} (mean rank {found.ranks[agent]:.2f})",
            *(
                NONE if place == other else p_value(found.wilcoxon[place, other])
                for other in range(len(found.agents))
            ),
        )
        for place, agent in enumerate(found.agents)
    )
    caption = (
        f"Ranks over {test.tasks} tasks. {found.group.title}. Friedman's chi-square "
        f"{test.statistic:.2f} with {test.agents - 1} degrees of freedom, "
        f"p {p_words(test.p)}. Cells: p values of Wilcoxon's signed-rank test on task "
        "means, adjusted by Holm's method."
    )
    titles = ("agent", *found.agents)
    return Sheet(name, caption, titles, rows, agents=found.agents)


def task_sheet(task: TaskRuns, *, name: str) -> Sheet:
    """Returns what every agent found on one task, best first.

    Args:
        task: with its runs.
        name: of the table's files.
    """
    p = task_p_values(task)
    titles = ["agent", "mean score", "95 % interval", "p", "wall s"]
    if task.is_front:
        titles += ["share", "archive"]
    else:
        titles += ["accuracy %", "regret pp", "log10 regret"]
    titles += ["runs", "queries", "distinct", "failed"]
    rows = []
    order = sorted(task.runs, key=lambda a: (-float(task.scores[a].mean()), a))
    for place, agent in enumerate(order):
        runs, found = task.runs[agent], task_estimate(task, agent)
        row = [agent, number(float(found.value)), interval(found, runs=len(runs))]
        row += [p_value(p[agent]) if place else "best"]
        row += [wall(task.seconds_of(agent))]
        if task.is_front:
            sizes = [len(run.archive) for run in runs]
            row += [number(float(task.shares(agent).mean())), f"{np.mean(sizes):.1f}"]
        else:
            best = [run.accuracy_percent for run in runs if run.incumbent]
            regrets = task.regrets(agent)
            row += [f"{np.mean(best):.2f}" if best else NONE]
            row += [f"{regrets.mean():.3f}", number(log_regret(regrets))]
        row += [str(len(runs)), f"{np.mean([run.queries for run in runs]):.0f}"]
        row += [f"{np.mean([run.unique_queries for run in runs]):.0f}"]
        rows.append((*row, str(sum(bool(run.error) for run in runs))))
    kinds = ", ".join(f"{column} {kind}" for column, kind in task.kinds)
    caption = f"{task.name}. Data: {kinds}. p: Mann-Whitney against the best, Holm."
    return Sheet(
        *(name, caption, tuple(titles), tuple(rows)),
        best=frozenset({0}),
        agents=tuple(order),
    )


def kinds_sheet(study: Study, *, name: str) -> Sheet:
    """Returns the kind of data of every task."""
    rows = []
    for task in study.tasks:
        kinds = dict(task.kinds)
        costs = [f"{column}: {k}" for column, k in task.kinds if column != "accuracy"]
        best = NONE if task.is_front else f"{task.optimum:.2f}"
        rows.append((task.name, "; ".join(costs), kinds["accuracy"], best))
    columns = ("task", "costs", "accuracy", "exact optimum %")
    return Sheet(name, "Kinds of data by task.", columns, tuple(rows), words=3)


def provenance_sheet(study: Study, *, name: str) -> Sheet:
    """Returns whose numbers were used, with checksums, once each."""
    found: dict[tuple[str, ...], None] = {}
    for header in study.headers:
        task = header["request"]["task"]
        costs = [o for o in task["objectives"] if o != "accuracy"] or [task["metric"]]
        for column in ("accuracy", *costs):
            said = header["provenance"][column]
            env = task["env"].removeprefix("hwnas_env:")
            where = (env, task["dataset"] or "default", column)
            words = (said["kind"], said["citation"] or NONE, said["sha256"] or NONE)
            found[(*where, *words)] = None
    columns = ("environment", "dataset", "column", "kind", "citation", "SHA-256")
    rows = tuple(sorted(found))
    return Sheet(name, "Where the numbers come from.", columns, rows, words=6)


def version_words(study: Study) -> str:
    """Says which versions of packages made the records, all of them."""
    found: dict[str, set[str]] = {}
    for header in study.headers:
        for package, version in _versions(header):
            found.setdefault(package, set()).add(version)
    said = [f"{name} {', '.join(sorted(v))}" for name, v in sorted(found.items())]
    return "; ".join(said) or "not recorded"


def number(value: float, digits: int = 3) -> str:
    """Writes a number; never "-0.000".

    Example:
        >>> number(-0.0001)
        '0.000'
    """
    if not math.isfinite(value):
        return NONE
    return f"{round(value, digits) + 0.0:.{digits}f}"


def interval(found: Estimate, *, runs: int = 2, digits: int = 3) -> str:
    """Writes an interval, which one run does not have."""
    if runs < 2 or not np.isfinite([found.low, found.high]).all():
        return NONE
    ends = (number(float(end), digits) for end in (found.low, found.high))
    return f"[{', '.join(ends)}]"


def p_value(p: float | FloatArray) -> str:
    """Writes a p value.

    Example:
        >>> p_value(0.0004), p_value(0.0312)
        ('< 0.001', '0.031')
    """
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def p_words(p: float) -> str:
    """Writes a p value with its sign of comparison."""
    return p_value(p) if p < 0.001 else f"= {p_value(p)}"


def _versions(header: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    return dict(header.get("versions") or {}).items()
