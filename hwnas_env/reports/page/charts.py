"""What a page's script draws its figures from: numbers, rounded to what is seen."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from hwnas_env.benchmark.scores import SMALLEST_REGRET
from hwnas_env.maths.resampling import Estimate
from hwnas_env.metrics import METRICS
from hwnas_env.reports.page.canvas import label
from hwnas_env.reports.page.estimates import Estimates
from hwnas_env.reports.page.networks import Networks
from hwnas_env.reports.page.study import Group, TaskRuns
from hwnas_env.types import FloatArray

Places = Mapping[str, int]
"""By an agent's name its place among the page's agents."""

MOST_POINTS = 1000
"""Networks of an exact front, or of an agent's archives, that a page holds at most."""


def leaderboard_chart(found: Estimates, places: Places) -> dict[str, Any]:
    """Returns each agent's interquartile mean with its interval."""
    series = [
        {
            **{"agent": places[agent], "label": label(found.label(agent))},
            **{"value": _round(found.iqm[agent].value), **_ends(found.iqm[agent])},
        }
        for agent in found.agents
    ]
    x = {"title": "score, interquartile mean and 95 % interval"}
    return {"kind": "dots", "x": x, "y": {"title": ""}, "series": series}


def time_chart(found: Estimates, places: Places) -> dict[str, Any] | None:
    """Returns scores by wall time; None where no times are known."""
    series = []
    for agent in found.agents:
        seconds = found.group.seconds(agent)
        if seconds:
            one = found.iqm[agent]
            point = [_round(float(np.median(seconds))), _round(one.value), -1, ""]
            series.append(
                {"agent": places[agent], "points": [[*point, *_ends(one).values()]]}
            )
    if not series:
        return None
    x = {"title": "wall time of a run (s, median)", "log": True}
    return {"kind": "points", "x": x, "y": {"title": "score (IQM)"}, "series": series}


def profile_chart(found: Estimates, places: Places) -> dict[str, Any]:
    """Returns the share of runs above each score."""
    x, y = {"title": "score τ"}, {"title": "share of runs above τ"}
    rows = {agent: found.profiles[agent] for agent in found.agents}
    return _lines(x, y, found.thresholds, rows, places)


def curves_chart(found: Estimates, places: Places) -> dict[str, Any]:
    """Returns how regret, or the share, goes with queries."""
    rows = {agent: found.curves[agent] for agent in found.agents}
    x, y = _curve_axes(found.group.is_front, "interquartile mean of ")
    return _lines(x, y, found.group.queries, rows, places)


def task_curves_chart(task: TaskRuns, places: Places) -> dict[str, Any]:
    """Returns every agent's mean curve on one task, and the range of its runs."""
    queries, rows = Group("", (task,)).queries, {}
    for agent in task.runs:
        curves = task.curves(agent, queries)
        if not task.is_front:
            curves = np.maximum(curves, SMALLEST_REGRET)
        ends = curves.min(axis=1), curves.max(axis=1)
        rows[agent] = Estimate(curves.mean(axis=1), *ends)
    return _lines(*_curve_axes(task.is_front, "mean "), queries, rows, places)


def incumbents_chart(
    tasks: Sequence[TaskRuns], places: Places, networks: Networks
) -> dict[str, Any]:
    """Returns the exact front of a device, its budgets, and what agents found.

    Args:
        tasks: of one problem, with different budgets.
        places: of the agents.
        networks: of the page, to which the shown ones are added.
    """
    first, metric = tasks[0], tasks[0].task.metric
    problem = first.problem
    runs: dict[str, dict[str, list[Any]]] = {}
    verticals = []
    for task in tasks:
        budget = task.task.budget
        if budget is not None:
            words = budget if isinstance(budget, str) else "budget"
            verticals.append([_round(problem.budget(budget)), words])
        for agent, found in task.runs.items():
            for run in found:
                if run.incumbent:
                    mine = runs.setdefault(agent, {})
                    mine.setdefault(run.incumbent, []).append(run)
    series = []
    for agent, mine in runs.items():
        genotypes = problem.space.validate(list(mine))
        points = [
            [
                _round(same[0].cost, 6),
                _round(same[0].accuracy_percent, 6),
                networks.number(first, genotype),
                _seeds(run.seed for run in same),
            ]
            for genotype, same in zip(genotypes, mine.values(), strict=True)
        ]
        series.append({"agent": places[agent], "points": points})
    x = {"title": f"{metric} ({METRICS[metric].unit})"}
    y = {"title": "accuracy (%)", "accuracy": True}
    line = _front(first, ("accuracy", metric), (1, 0), networks)
    chart = {"kind": "points", "x": x, "y": y, "series": series, "line": line}
    return {**chart, "verticals": verticals}


def archives_chart(
    task: TaskRuns, places: Places, networks: Networks
) -> dict[str, Any]:
    """Returns the exact front and every agent's archives in two objectives.

    Args:
        task: whose runs searched the front.
        places: of the agents.
        networks: of the page, to which the shown ones are added.
    """
    problem, objectives = task.problem, task.task.objectives
    order = (0, 1) if objectives[0] != "accuracy" else (1, 0)
    columns = [("accuracy", *problem.metrics).index(objectives[p]) for p in order]
    series = []
    for agent, runs in task.runs.items():
        seeds: dict[str, list[int]] = {}
        for run in runs:
            for name in run.archive:
                seeds.setdefault(name, []).append(run.seed)
        names = _thinned(sorted(seeds))
        genotypes = problem.space.validate(names)
        answer = problem.evaluate(genotypes)
        table = np.column_stack([answer.accuracy_percent, answer.costs])[:, columns]
        points = [
            [
                *(_round(value, 6) for value in row),
                networks.number(task, genotype),
                _seeds(seeds[name]),
            ]
            for name, genotype, row, here in zip(
                names, genotypes, table.tolist(), answer.deployable, strict=True
            )
            if here
        ]
        series.append({"agent": places[agent], "points": points})
    x, y = (_axis(objectives[place]) for place in order)
    line = _front(task, objectives, order, networks)
    return {"kind": "points", "x": x, "y": y, "series": series, "line": line}


def _front(
    task: TaskRuns,
    objectives: Sequence[str],
    order: tuple[int, int],
    networks: Networks,
) -> dict[str, Any]:
    """Returns an exact front: a line in two objectives, a cloud in more."""
    front = task.problem.pareto_front(tuple(objectives))
    rows = np.argsort(front.points[:, order[0]], kind="stable")
    kept = np.array(_thinned(rows.tolist()), dtype=np.int64)
    points = [
        [
            *(_round(value, 6) for value in front.points[row][list(order)].tolist()),
            networks.number(task, front.genotypes[row]),
        ]
        for row in kept
    ]
    least = METRICS[objectives[order[0]]].minimise
    steps = ("post" if least else "pre") if len(objectives) == 2 else ""
    return {"points": points, "steps": steps}


def _lines(
    x: Mapping[str, Any],
    y: Mapping[str, Any],
    places_on_x: FloatArray,
    rows: Mapping[str, Estimate],
    places: Places,
) -> dict[str, Any]:
    series = [
        {
            "agent": places[agent],
            "y": _rounded(one.value),
            "low": _rounded(one.low),
            "high": _rounded(one.high),
        }
        for agent, one in rows.items()
    ]
    chart = {"kind": "lines", "x": x, "y": y, "series": series}
    return {**chart, "xs": _rounded(places_on_x)}


def _curve_axes(front: bool, what: str) -> tuple[dict[str, Any], dict[str, Any]]:
    x = {"title": "queries", "log": True}
    if front:
        return x, {"title": f"{what}hypervolume share"}
    least = SMALLEST_REGRET
    return x, {"title": f"{what}regret (pp)", "log": True, "least": least}


def _axis(objective: str) -> dict[str, Any]:
    accuracy = objective == "accuracy"
    unit = "%" if accuracy else METRICS[objective].unit
    return {"title": f"{objective} ({unit})", "accuracy": accuracy}


def _seeds(seeds: Iterable[int]) -> str:
    """Says which seeds found a network, in few words."""
    several = sorted(set(seeds))
    words = ", ".join(map(str, several[:6])) + ("…" if len(several) > 6 else "")
    return f"seed {words}" if len(several) == 1 else f"{len(several)} seeds: {words}"


def _thinned(things: list[Any]) -> list[Any]:
    if len(things) <= MOST_POINTS:
        return things
    places = np.linspace(0, len(things) - 1, MOST_POINTS).astype(int)
    return [things[place] for place in places]


def _ends(one: Estimate) -> dict[str, float | None]:
    return {"low": _round(one.low), "high": _round(one.high)}


def _rounded(values: Any) -> list[float | None]:
    return [_round(value, 3) for value in np.asarray(values).tolist()]


def _round(value: Any, digits: int = 4) -> float | None:
    """Rounds to digits that count; None for what is no number, as in JSON."""
    number = float(f"{float(value):.{digits}g}")
    if not math.isfinite(number):
        return None
    return int(number) if number == int(number) else number
