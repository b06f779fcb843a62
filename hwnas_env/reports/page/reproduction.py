"""The commands that run a study again."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hwnas_env.benchmark.suites import SUITES, Suite
from hwnas_env.benchmark.tasks import Limits, Task
from hwnas_env.reports.page.study import Study, TaskRuns

OUT = "records"


@dataclass(frozen=True)
class Command:
    """A command line.

    Attributes:
        words: to copy; "" where no command does it, and the remark says what does.
        remark: where it does not do exactly what the records hold; "" where it does.
    """

    words: str
    remark: str = ""


def reproducing(study: Study) -> tuple[Command, ...]:
    """Returns commands that run a study's jobs, and write the report on them.

    Tasks of a suite of which at least half is there are run as the suite; others one
    by one.

    Args:
        study: with its tasks.
    """
    found: list[Command] = []
    for limits in dict.fromkeys(row.limits for row in study.tasks):
        left = {row.task: row for row in study.tasks if row.limits == limits}
        for suite in _suites(left) if _suite_has(limits) else ():
            mine = [left.pop(task) for task in suite.tasks if task in left]
            if mine:
                found += _commands(["bench", "run", suite.name], mine, len(suite.tasks))
        for row in left.values():
            if row.task.train:
                words = f"{row.name}: run_once(Task(..., train=...), agent) in Python"
                found.append(Command("", words))
            else:
                found += _commands(_single(row), [row], 1)
    report = f"hwnas-env bench report {OUT} -o report.html"
    return (*dict.fromkeys(found), Command(report))


def _suites(tasks: Mapping[Task, TaskRuns]) -> list[Suite]:
    """Returns suites of which at least half is there: whole, then larger ones first."""
    shares = {
        suite.name: sum(task in tasks for task in suite.tasks) / len(suite.tasks)
        for suite in SUITES.values()
    }
    kept = [suite for suite in SUITES.values() if shares[suite.name] >= 0.5]
    return sorted(kept, key=lambda s: (-shares[s.name], -len(s.tasks)))


def _suite_has(limits: Limits) -> bool:
    """Whether ``bench run`` knows these limits."""
    queries, timeout = limits.queries, limits.timeout_seconds
    return limits == Limits(queries, timeout_seconds=timeout) and queries is not None


def _commands(
    head: Sequence[str], rows: Sequence[TaskRuns], tasks: int
) -> list[Command]:
    """Returns a command for all agents that have as many seeds."""
    seeds: dict[str, set[int]] = {}
    for row in rows:
        for agent, runs in row.runs.items():
            seeds.setdefault(agent, set()).update(run.seed for run in runs)
    limits, found = rows[0].limits, []
    for several in sorted({max(mine) + 1 for mine in seeds.values()}, reverse=True):
        agents = [agent for agent, mine in seeds.items() if max(mine) + 1 == several]
        words = ["hwnas-env", *head]
        if head[0] == "bench" and not any("," in agent for agent in agents):
            words += ["--agents", ",".join(agents)]
        else:
            words += [word for agent in agents for word in ("--agent", agent)]
        words += ["--seeds", str(several)]
        words += _option("--queries", limits.queries)
        words += _option("--train-seconds", limits.train_seconds)
        words += _option("--timeout", limits.timeout_seconds)
        words += ["--repeats", limits.repeats] if limits.repeats != "charged" else []
        words += ["--out", OUT]
        here = sum(len(row.runs.get(agent, ())) for row in rows for agent in agents)
        asked = several * tasks * len(agents)
        remark = f"{here:,} of its {asked:,} runs are in these records."
        found.append(Command(shlex.join(words), "" if here == asked else remark))
    return found


def _single(row: TaskRuns) -> list[str]:
    """Returns the beginning of a command that searches one task."""
    task = row.task
    words = ["run", "--env", task.env_id]
    words += _option("--dataset", task.dataset)
    for objective in task.objectives:
        words += ["--objective", objective]
    if not task.objectives:
        budget = "none" if task.budget is None else str(task.budget)
        words += ["--metric", task.metric, "--cost-budget", budget]
    words += ["--source", task.source] if task.source != "builtin" else []
    return [*words, *_option("--costs", task.costs)]


def _option(name: str, value: object) -> list[str]:
    return [] if value is None else [name, str(value)]
