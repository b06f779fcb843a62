"""The command line's ``hwnas-env bench``: suites and records."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hwnas_env.cli.options import (
    Agents,
    Folder,
    Jobs,
    Json,
    OldQueries,
    Timeout,
    complete_agent,
    complete_suite,
    one_of,
)
from hwnas_env.errors import InvalidArgumentError, shown

if TYPE_CHECKING:
    from hwnas_env.benchmark.validate import Verdict

app = typer.Typer(
    help="Suites: run and score, go on, validate, report, export.", no_args_is_help=True
)

Allow = Annotated[
    list[str] | None,
    typer.Option(help="A module whose functions records may name as costs; repeated."),
]
Records = Annotated[list[Path], typer.Argument(help="Records, or folders of records.")]


def complete_agents(incomplete: str) -> list[str]:
    """Completes the last agent of a list."""
    *before, last = incomplete.split(",")
    return [",".join([*before, name]) for name in complete_agent(last)]


@app.command()
def run(
    suite: Annotated[
        str,
        typer.Argument(
            help="A suite's name; see: hwnas-env bench suites.",
            autocompletion=complete_suite,
        ),
    ],
    out: Annotated[
        Path, typer.Option(help="Folder of records; what is there is kept.")
    ] = Path("records"),
    agents: Annotated[
        str | None,
        typer.Option(
            help="Names, with their options, separated by commas.",
            autocompletion=complete_agents,
        ),
    ] = None,
    agent: Agents = None,
    queries: Annotated[
        int | None, typer.Option(help="Queries of each run; 500 if not said.")
    ] = None,
    budget: OldQueries = None,
    seeds: Annotated[int, typer.Option(help="Runs of each agent and task.")] = 30,
    shard: Annotated[
        str, typer.Option(help="i/n: every n-th run, for the i-th of n machines.")
    ] = "1/1",
    jobs: Jobs = 1,
    backend: Annotated[
        str, typer.Option(help="Joblib's: loky, dask, ray or another of processes.")
    ] = "loky",
    address: Annotated[
        str | None, typer.Option(help="Of a running Dask or Ray cluster.")
    ] = None,
    timeout: Timeout = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what there is to do, and end.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Runs a suite, or goes on with it, and scores the agents.

    It says first how many runs that are, about how long and how large. Exit status 1
    if all runs of an agent on a task fail.
    """
    from hwnas_env.agents import DEFAULT_AGENTS
    from hwnas_env.benchmark import suite_runs
    from hwnas_env.benchmark.agent_options import agents_in, settled_names
    from hwnas_env.benchmark.backends import Workers
    from hwnas_env.benchmark.fronts import FRONT_AGENTS
    from hwnas_env.benchmark.plan import plan_of
    from hwnas_env.benchmark.runner import ready_jobs
    from hwnas_env.benchmark.runs import Limits
    from hwnas_env.benchmark.seconds import add_seconds
    from hwnas_env.reports.terminal.plans import plan_lines, plan_text
    from hwnas_env.reports.terminal.printing import remark, say, show
    from hwnas_env.reports.terminal.progress import progress
    from hwnas_env.reports.terminal.suites import suite_table
    from hwnas_env.reports.terminal.tables import exit_status

    chosen, workers = suite_runs.find_suite(suite), Workers(jobs, backend, address)
    names = agents_in(agents or "")
    if agents is not None and not names:
        message = f"agents: expected names, separated by commas, got {shown(agents)}"
        raise InvalidArgumentError(message)
    fronts = all(task.objectives for task in chosen.tasks)
    usual = FRONT_AGENTS if fronts else DEFAULT_AGENTS
    names = list(settled_names(names + (agent or []) or usual))
    queries = one_of(queries, budget)
    limits = Limits(500 if queries is None else queries, timeout_seconds=timeout)
    suite_runs.check_suite(chosen, names, seeds=seeds, limits=limits)
    listed = suite_runs.jobs_of(chosen, names, seeds=seeds, limits=limits, shard=shard)
    if not listed:
        say(f"shard {shard}: there are no jobs in it")
        return
    ready = ready_jobs(listed, out)
    plan = plan_of(suite, listed, ready, folder=out, seeds=seeds, shard=shard)
    if dry_run:
        show(asdict(plan), as_json=as_json, table=lambda _: plan_text(plan))
        return
    remark(*plan_lines(plan))
    with progress(suite, {suite: plan.left}) as advance:
        found = suite_runs.run_suite(
            chosen,
            names,
            seeds=seeds,
            limits=limits,
            folder=out,
            shard=shard,
            workers=workers,
            ready=ready,
            finished=lambda _, run: advance(suite, bool(run.error)),
            timed=lambda job, seconds: add_seconds(out, job, seconds),
        )
    summary = suite_runs.suite_summary(chosen, found)
    show(summary, as_json=as_json, table=suite_table)
    raise typer.Exit(
        exit_status([task for row in summary["agents"] for task in row["tasks"]])
    )


@app.command()
def validate(
    paths: Records,
    verbose: Annotated[
        bool, typer.Option("--verbose", help="Name the records that hold, too.")
    ] = False,
    allow: Allow = None,
) -> None:
    """Asks again for every network of records; says what differs.

    Prints the records that differ, then sums up. Exit status 1 if any differs.
    """
    from hwnas_env.benchmark.validate import record_files
    from hwnas_env.benchmark.validate import validate as validate_record
    from hwnas_env.reports.terminal.printing import say
    from hwnas_env.reports.terminal.verdicts import summary_lines, verdict_lines

    verdicts: list[Verdict] = []
    for path in record_files(paths):
        verdict = validate_record(path, allow=allow or ())
        verdicts.append(verdict)
        if verdict.differences or verbose:
            say(*verdict_lines(verdict))
    say(*summary_lines(verdicts))
    raise typer.Exit(int(any(verdict.differences for verdict in verdicts)))


@app.command()
def export(
    paths: Records,
    parquet: Annotated[
        bool, typer.Option("--parquet/--csv", help="The tables' form; csv by default.")
    ] = False,
    output: Folder = Path("export"),
    allow: Allow = None,
) -> None:
    """Writes records as two tables: a row a run, and a row a query.

    Exit status 1 if a file is no whole record; it is named, and left out.
    """
    from hwnas_env.benchmark.export import export_records
    from hwnas_env.reports.terminal.printing import remark, say

    found = export_records(paths, output, parquet=parquet, allow=allow or ())
    runs, queries = found.files
    say(f"{runs}: {found.runs:,} runs", f"{queries}: {found.queries:,} queries")
    remark(*found.faults)
    raise typer.Exit(int(bool(found.faults)))


@app.command()
def report(
    folders: Annotated[
        list[Path], typer.Argument(help="Folders of records, as one study.")
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The page; its figures beside it.")
    ] = Path("report.html"),
    allow: Allow = None,
) -> None:
    """Writes a page on records, and its figures and tables as files."""
    from hwnas_env.reports.page.bench_report import report_folders
    from hwnas_env.reports.terminal.printing import say

    files = report_folders(folders, output, allow=allow or ())
    say(f"{output}: the report; {len(files) - 1} figures and tables beside it")


@app.command()
def suites(as_json: Json = False) -> None:
    """Lists the suites."""
    from hwnas_env.benchmark.suites import SUITES
    from hwnas_env.reports.terminal.printing import show
    from hwnas_env.reports.terminal.suites import suites_table

    rows = [
        {"suite": s.name, "tasks": len(s.tasks), "description": s.description}
        for s in SUITES.values()
    ]
    show(rows, as_json=as_json, table=suites_table)
