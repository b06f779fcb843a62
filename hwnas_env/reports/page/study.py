"""What a folder of records amounts to: runs by task and agent, in comparable groups."""

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from hwnas_env.benchmark.loading import Loaded, other_data
from hwnas_env.benchmark.runs import Limits, Run, Task
from hwnas_env.benchmark.scores import SMALLEST_REGRET
from hwnas_env.benchmark.suite_runs import counted_score
from hwnas_env.errors import HWNASError, InvalidArgumentError
from hwnas_env.metrics import METRICS
from hwnas_env.problems.problem import Problem
from hwnas_env.reports.page import naming
from hwnas_env.reports.page.merging import merged
from hwnas_env.types import FloatArray

POINTS = 60
"""Points of a drawn curve at most."""


@dataclass(frozen=True, eq=False)
class TaskRuns:
    """One task, and what every agent found.

    Attributes:
        task: what was searched.
        limits: what each run might spend.
        problem: the task's.
        runs: each agent's runs by seed.
        kinds: kind of each column that was used, the accuracy's and the costs'.
        seconds: wall times of each agent's runs by seed, as far as they are known.
    """

    task: Task
    limits: Limits
    problem: Problem
    runs: Mapping[str, tuple[Run, ...]]
    kinds: tuple[tuple[str, str], ...]
    seconds: Mapping[str, Mapping[int, float]] = field(default_factory=dict)

    @property
    def is_front(self) -> bool:
        """Whether a front was searched."""
        return bool(self.task.objectives)

    @property
    def shape(self) -> str:
        """What sort of search it is; different sorts share no table."""
        if self.is_front:
            return "Fronts"
        return "Transfer" if self.task.train else "Single objective"

    @property
    def name(self) -> str:
        """The task in words; different tasks of a group have different ones."""
        problem = self.problem
        words = problem.where
        if self.is_front:
            words += f", {' and '.join(self.task.objectives)}"
        budget = self.task.budget
        if budget is not None:
            limit, unit = problem.budget(budget), METRICS[problem.metric].unit
            preset = f"{budget}, " if isinstance(budget, str) else ""
            words += f", {problem.metric} ≤ {limit:.4g} {unit}"
            words += f" ({preset.removesuffix(', ')})" if preset else ""
        if self.task.source != "builtin":
            words += f", {self.task.source} costs"
        if self.task.costs is not None:
            words += f", costs of {self.task.costs}"
        if self.task.train:
            words += (
                f", after {', '.join(env.split('-')[2] for env in self.task.train)}"
            )
        return words

    @functools.cached_property
    def optimum(self) -> float:
        """Accuracy in percent of the exact optimum within the budget."""
        return self.problem.optimum(self.task.budget).accuracy_percent

    @functools.cached_property
    def scores(self) -> Mapping[str, FloatArray]:
        """Each agent's scores ``(runs,)``."""
        return {
            agent: np.array(
                [counted_score(self.task, run, self.limits) for run in runs]
            )
            for agent, runs in self.runs.items()
        }

    def seconds_of(self, agent: str) -> list[float]:
        """Returns the wall times of an agent's runs, as far as they are known."""
        return list(self.seconds.get(agent, {}).values())

    def shares(self, agent: str) -> FloatArray:
        """Returns final shares of the exact hypervolume ``(runs,)``."""
        return np.array([run.share for run in self.runs[agent]])

    def regrets(self, agent: str) -> FloatArray:
        """Returns final regrets in percentage points ``(runs,)``.

        A run without a feasible network counts with an accuracy of 0.
        """
        runs = self.runs[agent]
        best = [run.accuracy_percent if run.incumbent else 0.0 for run in runs]
        return np.maximum(self.optimum - np.array(best), 0.0)

    def curves(self, agent: str, queries: FloatArray) -> FloatArray:
        """Returns regret, or share, after given numbers of queries: ``(Q, runs)``.

        A run that ended before keeps what it had.
        """
        columns = []
        for run in self.runs[agent]:
            curve = np.asarray(run.curve, dtype=np.float64)
            start = 0.0
            if not self.is_front:
                best = np.where(np.isnan(curve), 0.0, curve)
                curve, start = np.maximum(self.optimum - best, 0.0), self.optimum
            padded = np.append(start, curve)
            columns.append(padded[np.minimum(queries, len(curve)).astype(np.int64)])
        return np.column_stack(columns)

    @property
    def longest(self) -> int:
        """Queries of the longest run."""
        return max(len(run.curve) for runs in self.runs.values() for run in runs)

    @property
    def best(self) -> Run | None:
        """The run with the most accurate incumbent; None where there is none."""
        runs = [run for found in self.runs.values() for run in found if run.incumbent]
        return max(runs, key=lambda run: run.accuracy_percent) if runs else None


@dataclass(frozen=True, eq=False)
class Group:
    """Tasks whose scores may stand in one table.

    Attributes:
        title: its name, what kind of data it is of, and what a run might spend.
        tasks: in the order of the study.
        kinds: of costs and accuracy.
        mixed: whether kinds of data differ among the tasks.
        name: the suite, or the search spaces, and more only where groups share that.
    """

    title: str
    tasks: tuple[TaskRuns, ...]
    kinds: str = ""
    mixed: bool = False
    name: str = ""

    @property
    def is_front(self) -> bool:
        """Whether fronts were searched."""
        return self.tasks[0].is_front

    @property
    def agents(self) -> list[str]:
        """Agents that ran on any of the tasks, by name."""
        return sorted({agent for task in self.tasks for agent in task.runs})

    def scores(self, agent: str) -> list[FloatArray]:
        """Returns an agent's scores on the tasks that it ran on."""
        return [task.scores[agent] for task in self.tasks if agent in task.runs]

    def seconds(self, agent: str) -> list[float]:
        """Returns the wall times of an agent's runs, as far as they are known."""
        return [s for task in self.tasks for s in task.seconds_of(agent)]

    def most_runs(self, agent: str) -> int:
        """Returns the largest number of runs that an agent has on a task."""
        return max(map(len, self.scores(agent)))

    @property
    def common(self) -> list[TaskRuns]:
        """Tasks that every agent ran on."""
        agents = set(self.agents)
        return [task for task in self.tasks if agents <= set(task.runs)]

    @functools.cached_property
    def queries(self) -> FloatArray:
        """Numbers of queries at which curves are drawn, evenly on a logarithm."""
        longest = max(1, *(task.longest for task in self.tasks))
        return np.unique(np.geomspace(1, longest, POINTS).round())


@dataclass(frozen=True, eq=False)
class Study:
    """Everything that a report shows.

    Attributes:
        tasks: every task with its runs.
        groups: tasks that may be averaged, kind by kind, and then all.
        headers: of the records.
        faults: what was left out, and why.
    """

    tasks: tuple[TaskRuns, ...]
    groups: tuple[Group, ...]
    headers: tuple[Mapping[str, Any], ...]
    faults: tuple[str, ...]

    @property
    def agents(self) -> list[str]:
        """Every agent, by name."""
        return sorted({agent for task in self.tasks for agent in task.runs})

    @property
    def runs(self) -> list[Run]:
        """Every run."""
        return [
            run for task in self.tasks for runs in task.runs.values() for run in runs
        ]


def study_of(loaded: Loaded) -> Study:
    """Sorts runs by task and agent, and tasks into groups.

    A task whose problem cannot be made on this machine is left out, with a fault that
    says why.

    Args:
        loaded: records, in any order.

    Raises:
        InvalidArgumentError: nothing is left to report.
    """
    loaded = merged([loaded])
    found: dict[tuple[Task, Limits], dict[str, list[Run]]] = {}
    headers: dict[tuple[Task, Limits], list[dict[str, Any]]] = {}
    seconds: dict[tuple[Task, Limits], dict[str, dict[int, float]]] = {}
    for (job, run), header in zip(loaded.found, loaded.headers, strict=True):
        key = (job.task, job.limits)
        found.setdefault(key, {}).setdefault(job.agent, []).append(run)
        headers.setdefault(key, []).append(header)
        if job in loaded.seconds:
            mine = seconds.setdefault(key, {}).setdefault(job.agent, {})
            mine[job.seed] = loaded.seconds[job]
    tasks, faults, kept = [], list(loaded.faults), []
    for (task, limits), runs in found.items():
        recorded = headers[task, limits]
        try:
            made = _task_runs(task, limits, runs, recorded[0])
            made = replace(made, seconds=seconds.get((task, limits), {}))
        except HWNASError as error:
            faults.append(f"{task.env}, budget {task.budget}: left out: {error}")
            continue
        tasks.append(made)
        kept += recorded
        faults += _other_data(made, recorded)
    if not tasks:
        message = "; ".join(["expected records of at least one run, got none", *faults])
        raise InvalidArgumentError(message)
    tasks.sort(key=lambda row: (row.is_front, row.shape, *_place(row)))
    return Study(tuple(tasks), groups_of(tasks), tuple(kept), tuple(faults))


def groups_of(tasks: Sequence[TaskRuns]) -> tuple[Group, ...]:
    """Returns tasks of one kind of data each, then all that share a measure.

    Args:
        tasks: in the order in which groups list them.
    """
    parts: list[tuple[TaskRuns, ...]] = []
    for shape in dict.fromkeys(task.shape for task in tasks):
        for limits in dict.fromkeys(task.limits for task in tasks):
            mine = [t for t in tasks if t.shape == shape and t.limits == limits]
            kinds = list(dict.fromkeys(_kinds(task) for task in mine))
            parts += [tuple(t for t in mine if _kinds(t) == kind) for kind in kinds]
            if len(kinds) > 1:
                parts.append(tuple(mine))
    details = []
    for part in parts:
        mixed, first = len(set(map(_kinds, part))) > 1, part[0]
        name = naming.suite_of(part, tasks) or naming.spaces_of(part)
        words = [name, "all tasks" if mixed else "", naming.spaces_of(part)]
        words += [first.shape.lower(), _kind_words(part), spent_words(first.limits)]
        details.append(words)
    return tuple(
        _group(part, name)
        for part, name in zip(parts, naming.shortest_names(details), strict=True)
    )


def _group(tasks: tuple[TaskRuns, ...], name: str) -> Group:
    mixed, kinds = len(set(map(_kinds, tasks))) > 1, _kind_words(tasks)
    said = f"mixing {kinds}" if mixed else kinds
    title = f"{name}: {said}, {spent_words(tasks[0].limits)}"
    return Group(title, tasks, kinds, mixed, name)


def log_regret(regrets: FloatArray) -> float:
    """Returns the mean of log10 regret, regrets below the floor counting as it."""
    return float(np.log10(np.maximum(regrets, SMALLEST_REGRET)).mean())


def spent_words(limits: Limits) -> str:
    """Says what a run might spend.

    Example:
        >>> spent_words(Limits(300))
        '300 queries'
    """
    words = []
    if limits.queries is not None:
        words.append(f"{limits.queries} queries")
    if limits.train_seconds is not None:
        words.append(f"{limits.train_seconds:g} simulated training seconds")
    if limits.repeats != "charged":
        words.append(f"repeats {limits.repeats}")
    if limits.timeout_seconds is not None:
        words.append(f"{limits.timeout_seconds:g} s of real time")
    return ", ".join(words)


def _task_runs(
    task: Task,
    limits: Limits,
    runs: Mapping[str, Sequence[Run]],
    header: Mapping[str, Any],
) -> TaskRuns:
    problem = task.problem()
    if task.budget is not None:
        problem.budget(task.budget)
    used = [name for name in task.objectives if name != "accuracy"] or [task.metric]
    recorded = header["provenance"]
    kinds = tuple((name, recorded[name]["kind"]) for name in ("accuracy", *used))
    by_name = {agent: tuple(runs[agent]) for agent in sorted(runs)}
    return TaskRuns(task, limits, problem, by_name, kinds)


def _other_data(made: TaskRuns, headers: Sequence[Mapping[str, Any]]) -> list[str]:
    here = made.problem.provenance
    names = [name for name, _ in made.kinds]
    others = sum(bool(other_data(header, here, names)) for header in headers)
    if not others:
        return []
    return [f"{made.name}: {others} records were made with other data than is here"]


def _kinds(task: TaskRuns) -> tuple[str, str]:
    costs = sorted({kind for name, kind in task.kinds if name != "accuracy"})
    return " and ".join(costs), dict(task.kinds)["accuracy"]


def _kind_words(tasks: Sequence[TaskRuns]) -> str:
    costs, accuracies = (
        " and ".join(dict.fromkeys(kind[which] for kind in sorted(map(_kinds, tasks))))
        for which in (0, 1)
    )
    return f"{costs} costs, {accuracies} accuracy"


def _place(row: TaskRuns) -> tuple[Any, ...]:
    problem, budget = row.problem, row.task.budget
    limit = math.inf if budget is None else problem.budget(budget)
    words = (problem.space.name, problem.device.name, problem.dataset, problem.metric)
    return (*(word.lower() for word in words), limit, row.name, str(row.limits))
