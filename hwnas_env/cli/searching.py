"""The command line's ``hwnas-env run``: searches, and what they found."""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from hwnas_env.cli.options import (
    Agents,
    CostBudget,
    Costs,
    Dataset,
    Jobs,
    Json,
    MetricName,
    OldQueries,
    Source,
    Timeout,
    budget_of,
    complete_env,
    one_of,
)

if TYPE_CHECKING:
    from hwnas_env.benchmark.runs import Limits, Run, Task
    from hwnas_env.fitting.here import Measure


def run(
    context: typer.Context,
    env: Annotated[
        list[str],
        typer.Option(
            help="An environment's id; may be repeated.", autocompletion=complete_env
        ),
    ],
    agent: Agents = None,
    queries: Annotated[
        int | None,
        typer.Option(help="Queries of each run; 300 if nothing is limited."),
    ] = None,
    budget: OldQueries = None,
    train_seconds: Annotated[
        float | None, typer.Option(help="Simulated training seconds of each run.")
    ] = None,
    repeats: Annotated[
        str, typer.Option(help="charged, or free: then 100,000 in a row end a run.")
    ] = "charged",
    seeds: Annotated[int, typer.Option(help="Runs of each agent.")] = 5,
    dataset: Dataset = None,
    metric: MetricName = None,
    cost_budget: CostBudget = "medium",
    objective: Annotated[
        list[str] | None,
        typer.Option(help="accuracy or a metric, repeated: searches the front."),
    ] = None,
    source: Source = "builtin",
    costs: Costs = None,
    jobs: Jobs = 1,
    timeout: Timeout = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder of records; what is there is kept.")
    ] = None,
    checks: Annotated[
        int,
        typer.Option(
            help="Measure so many of the best networks found, on this machine, which "
            "has to be the device."
        ),
    ] = 0,
    as_json: Json = False,
) -> None:
    """Lets agents search under one ledger each, and compares them.

    Exit status 1 if all runs of an agent on an environment fail.
    """
    from hwnas_env.agents import DEFAULT_AGENTS
    from hwnas_env.benchmark.front_studies import run_fronts
    from hwnas_env.benchmark.fronts import FRONT_AGENTS
    from hwnas_env.benchmark.runs import Limits, Task, check_request
    from hwnas_env.fitting.here import measures_here
    from hwnas_env.reports.terminal import devices, tables
    from hwnas_env.reports.terminal.printing import lay_out, show

    queries = one_of(queries, budget)
    if queries is None and train_seconds is None:
        queries = 300
    limits = Limits(queries, train_seconds, repeats, timeout)
    if checks and objective:
        message = "--checks are of searches for the best network, not of fronts"
        raise typer.BadParameter(message)
    if objective:
        _refuse_bounds(context)
        names = tuple(objective)
        tasks = [
            Task(
                one,
                dataset,
                budget=None,
                source=source,
                objectives=names,
                costs=costs,
            )
            for one in dict.fromkeys(env)
        ]
        for task in tasks:
            check_request(task, agent or FRONT_AGENTS, seeds=seeds, limits=limits)
        studies = [
            run_fronts(
                task,
                agent or list(FRONT_AGENTS),
                objective,
                seeds=seeds,
                limits=limits,
                jobs=jobs,
                folder=out,
            )
            for task in tasks
        ]
        show(studies, as_json=as_json, table=tables.front_tables)
        _exit(studies)
    agents = agent or list(DEFAULT_AGENTS)
    cost = budget_of(cost_budget)
    tasks = [
        Task(name, dataset, metric or "", cost, source, costs=costs)
        for name in dict.fromkeys(env)
    ]
    for task in tasks:
        check_request(task, agents, seeds=seeds, limits=limits, jobs=jobs)
    here = [measures_here(task.problem()) for task in tasks if checks]
    studies = []
    for task in tasks:
        runs = _with_progress(
            task, agents, seeds=seeds, limits=limits, jobs=jobs, folder=out
        )
        summary = tables.run_summary(task, task.problem(), runs, limits=limits)
        studies.append({**summary, "runs": [one.as_dict() for one in runs]})
        if not as_json:
            lay_out(tables.run_table(summary))
        if checks:
            found = _checked(task, runs, here[len(studies) - 1], checks)
            studies[-1]["checks"] = found
            if not as_json and found:
                lay_out(devices.checks_table(found, task.problem().metric))
    if as_json:
        print(json.dumps(studies, indent=1))
    _exit(studies)


def _refuse_bounds(context: typer.Context) -> None:
    """Raises where a front is asked for and a budget too, which would say nothing."""
    for name in ("metric", "cost_budget"):
        source = context.get_parameter_source(name)
        given = source is not None and source.name == "COMMANDLINE"
        if given and context.params[name] != "none":
            message = (
                f"--{name.replace('_', '-')} is of searches for the best network, not "
                "of fronts, which have no budget"
            )
            raise typer.BadParameter(message)


def _checked(
    task: "Task", runs: "Sequence[Run]", measure: "Measure", checks: int
) -> list[dict[str, Any]]:
    """Measures the best networks that runs found, as plain values."""
    from hwnas_env.arguments import check_whole
    from hwnas_env.fitting.verifying import checked
    from hwnas_env.reports.terminal import devices

    problem = task.problem()
    names = dict.fromkeys(run.incumbent for run in runs if run.incumbent)
    found = checked(
        problem,
        [problem.encode(name) for name in names],
        budget=math.inf if task.budget is None else problem.budget(task.budget),
        measure=measure,
        checks=check_whole(checks, what="checks", least=1, most=1000),
    )
    return [devices.check_values(problem, check) for check in found]


def _with_progress(
    task: "Task",
    agents: Sequence[str],
    *,
    seeds: int,
    limits: "Limits",
    jobs: int,
    folder: Path | None,
) -> "list[Run]":
    from hwnas_env.benchmark.agent_options import settled_names
    from hwnas_env.benchmark.runner import run_all
    from hwnas_env.reports.terminal.progress import progress

    bars = {name: f"{task.env} {name}" for name in settled_names(agents)}
    with progress(task.env, dict.fromkeys(bars.values(), seeds)) as advance:
        return run_all(
            task,
            list(bars),
            seeds=seeds,
            limits=limits,
            jobs=jobs,
            folder=folder,
            finished=lambda job, run: advance(bars[job.agent], bool(run.error)),
        )


def _exit(studies: Sequence[Mapping[str, Any]]) -> NoReturn:
    """Ends with status 1 where all runs of an agent on an environment failed."""
    from hwnas_env.reports.terminal.tables import exit_status

    raise typer.Exit(max(exit_status(study["agents"]) for study in studies))
