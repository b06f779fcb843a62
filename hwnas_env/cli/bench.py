"""The command line's ``hwnas-env bench``: suites and records."""

from pathlib import Path
from typing import Annotated

import typer

from hwnas_env.agents import DEFAULT_AGENTS
from hwnas_env.benchmark.agent_options import agents_in, settled_names
from hwnas_env.benchmark.backends import Workers
from hwnas_env.benchmark.fronts import FRONT_AGENTS
from hwnas_env.benchmark.runner import ready_jobs
from hwnas_env.benchmark.runs import Limits
from hwnas_env.benchmark.suite_runs import (
    check_suite,
    find_suite,
    jobs_of,
    run_suite,
    suite_summary,
)
from hwnas_env.benchmark.suites import SUITES
from hwnas_env.benchmark.validate import Verdict, record_files
from hwnas_env.benchmark.validate import validate as validate_record
from hwnas_env.errors import InvalidArgumentError, shown
from hwnas_env.reports.page.bench_report import report_folders
from hwnas_env.reports.terminal import suites as suite_tables
from hwnas_env.reports.terminal.printing import progress_bars, say, show
from hwnas_env.reports.terminal.tables import exit_status
from hwnas_env.reports.terminal.verdicts import summary_lines, verdict_lines

app = typer.Typer(help="Suites: run, go on, score, validate.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]
OldQueries = Annotated[int | None, typer.Option("--budget", hidden=True)]


def one_of(queries: int | None, budget: int | None) -> int | None:
    """Returns the number of queries by its name or by its old one, "--budget".

    Raises:
        InvalidArgumentError: both were given, and differ.
    """
    if None not in (queries, budget) and queries != budget:
        message = f"--queries {queries} and --budget {budget}, its old name: give one"
        raise InvalidArgumentError(message)
    return budget if queries is None else queries


@app.command()
def run(
    suite: Annotated[str, typer.Argument(help=f"One of {', '.join(SUITES)}.")],
    out: Annotated[
        Path, typer.Option(help="Folder of records; what is there is kept.")
    ] = Path("records"),
    agents: Annotated[
        str | None, typer.Option(help="Names, separated by commas.")
    ] = None,
    agent: Annotated[
        list[str] | None, typer.Option(help="One name; may be repeated.")
    ] = None,
    queries: Annotated[
        int | None, typer.Option(help="Queries of each run; 500 if not said.")
    ] = None,
    budget: OldQueries = None,
    seeds: Annotated[int, typer.Option(help="Runs of each agent and task.")] = 30,
    shard: Annotated[
        str, typer.Option(help="i/n: every n-th run, for the i-th of n machines.")
    ] = "1/1",
    jobs: Annotated[int, typer.Option(help="Processes; -1: one a core.")] = 1,
    backend: Annotated[
        str, typer.Option(help="Joblib's: loky, dask, ray or another of processes.")
    ] = "loky",
    address: Annotated[
        str | None, typer.Option(help="Of a running Dask or Ray cluster.")
    ] = None,
    timeout: Annotated[
        float | None, typer.Option(help="Seconds after which a run is given up.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Runs a suite, or goes on with it, and scores the agents.

    Exit status 1 if all runs of an agent on a task fail.
    """
    chosen, workers = find_suite(suite), Workers(jobs, backend, address)
    names = agents_in(agents or "")
    if agents is not None and not names:
        message = f"agents: expected names, separated by commas, got {shown(agents)}"
        raise InvalidArgumentError(message)
    fronts = all(task.objectives for task in chosen.tasks)
    usual = FRONT_AGENTS if fronts else DEFAULT_AGENTS
    names = list(settled_names(names + (agent or []) or usual))
    queries = one_of(queries, budget)
    limits = Limits(500 if queries is None else queries, timeout_seconds=timeout)
    check_suite(chosen, names, seeds=seeds, limits=limits)
    listed = jobs_of(chosen, names, seeds=seeds, limits=limits, shard=shard)
    if not listed:
        say(f"shard {shard}: there are no jobs in it")
        return
    ready = ready_jobs(listed, out)
    kept = len(ready.jobs)
    with progress_bars() as progress:
        words = f"{suite}, {kept} of {len(listed)} were there" if kept else suite
        bar = progress.add_task(words, total=len(listed) - kept)
        found = run_suite(
            chosen,
            names,
            seeds=seeds,
            limits=limits,
            folder=out,
            shard=shard,
            workers=workers,
            ready=ready,
            finished=lambda *_: progress.advance(bar),
        )
    summary = suite_summary(chosen, found)
    show(summary, as_json=as_json, table=suite_tables.suite_table)
    raise typer.Exit(
        exit_status([task for row in summary["agents"] for task in row["tasks"]])
    )


@app.command()
def validate(
    paths: Annotated[
        list[Path], typer.Argument(help="Records, or folders of records.")
    ],
    verbose: Annotated[
        bool, typer.Option("--verbose", help="Name the records that hold, too.")
    ] = False,
) -> None:
    """Asks the problem again for every network of records, and says what differs.

    Prints the records that differ, then sums up. Exit status 1 if any differs.
    """
    verdicts: list[Verdict] = []
    for path in record_files(paths):
        verdict = validate_record(path)
        verdicts.append(verdict)
        if verdict.differences or verbose:
            say(*verdict_lines(verdict))
    say(*summary_lines(verdicts))
    raise typer.Exit(int(any(verdict.differences for verdict in verdicts)))


@app.command()
def report(
    folders: Annotated[
        list[Path], typer.Argument(help="Folders of records, as one study.")
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The page; its figures beside it.")
    ] = Path("report.html"),
) -> None:
    """Writes a page on records, and its figures and tables as files."""
    files = report_folders(folders, output)
    say(f"{output}: the report; {len(files) - 1} figures and tables beside it")


@app.command()
def suites(as_json: Json = False) -> None:
    """Lists the suites."""
    rows = [
        {"suite": s.name, "tasks": len(s.tasks), "description": s.description}
        for s in SUITES.values()
    ]
    show(rows, as_json=as_json, table=suite_tables.suites_table)
