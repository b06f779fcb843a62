"""The command line ``hwnas-env``: arguments to calls."""

import contextlib
import json
import math
import os
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from hwnas_env import networks
from hwnas_env.agents import AGENTS, DEFAULT_AGENTS
from hwnas_env.arguments import check_name, check_whole
from hwnas_env.benchmark.agent_options import settled_names
from hwnas_env.benchmark.analysis import best_by_device, cost_correlations
from hwnas_env.benchmark.few_shot import DATASETS, DRAWS, FEW_SHOT, few_shot
from hwnas_env.benchmark.front_studies import run_fronts
from hwnas_env.benchmark.fronts import FRONT_AGENTS
from hwnas_env.benchmark.reproduce import REPRODUCTIONS, reproduce_table5
from hwnas_env.benchmark.runner import run_all
from hwnas_env.benchmark.runs import Limits, Run, Task, check_request
from hwnas_env.cli import bench, data, device
from hwnas_env.engines.space import SearchSpace
from hwnas_env.envs.registration import (
    MULTI_DEVICE_ENVIRONMENTS,
    RANDOM_DEVICE_ENVIRONMENTS,
    environments,
    single_device_ids,
)
from hwnas_env.errors import (
    DataError,
    HWNASError,
    NotMeasuredError,
    OwnFunctionError,
)
from hwnas_env.fitting.here import Measure, measures_here
from hwnas_env.fitting.verifying import checked
from hwnas_env.problems.problem import PRESETS
from hwnas_env.reports.terminal import analysis, devices, reproduction, tables
from hwnas_env.reports.terminal.printing import lay_out, progress_bars, say, show
from hwnas_env.spaces import get_space
from hwnas_env.texts import plain, tolerate, write
from hwnas_env.types import Genotypes

MOST_IMAGES = 4096
"""Most images of an input that a network is exported for."""

INDEX_DIGITS = 19
"""A number of so many digits is no index of any space."""

DIGITS = re.compile(r"[0-9]{1,18}")
NUMBERS = re.compile(rf"[\[(\s]*{DIGITS.pattern}([,\s]+{DIGITS.pattern})*[\])\s]*")
"""A genotype as Python prints it, also without its brackets."""

app = typer.Typer(
    help="Hardware-aware neural architecture search: problems, searches and data.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(data.app, name="data")
app.add_typer(bench.app, name="bench")
app.add_typer(device.app, name="device")

ERROR = 10_000
"""Letters of an error that are printed at most; it may name many files."""

Architecture = Annotated[
    str,
    typer.Argument(
        help="An architecture's name, its index in a table (NAS-Bench-201: the "
        "official one), or a genotype: numbers with commas, or as records write it."
    ),
]
Env = Annotated[str, typer.Option(help="An environment's id; see: hwnas-env envs.")]
Dataset = Annotated[str | None, typer.Option(help="A dataset of the search space.")]
MetricName = Annotated[str | None, typer.Option(help="What the budget is on.")]
CostBudget = Annotated[
    str,
    typer.Option(help="tight, medium, loose, a number in the metric's unit, or none."),
]
Source = Annotated[str, typer.Option(help="builtin, measured or auto.")]
Costs = Annotated[
    str | None,
    typer.Option(
        help="Your own in the place of the device's: FILE.npz, FILE.csv, or "
        "module:function."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]


@app.callback()
def _find_own_modules() -> None:
    """Finds what is named "module:Name" in the folder where one stands, too.

    A console script's path lacks it. It comes last, so that no file in it is taken for
    a module of Python or of a package; worker processes are given the same path.
    """
    with contextlib.suppress(OSError):  # where that folder is gone
        if os.getcwd() not in sys.path:
            sys.path.append(os.getcwd())


@app.command()
def run(
    env: Annotated[
        list[str], typer.Option(help="An environment's id; may be repeated.")
    ],
    agent: Annotated[
        list[str] | None,
        typer.Option(
            help=f"One of {', '.join(AGENTS)}, or module:Class; may be repeated."
        ),
    ] = None,
    queries: Annotated[
        int | None,
        typer.Option(help="Queries of each run; 300 if nothing is limited."),
    ] = None,
    budget: bench.OldQueries = None,
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
    jobs: Annotated[int, typer.Option(help="Processes; -1: one a core.")] = 1,
    timeout: Annotated[
        float | None, typer.Option(help="Seconds after which a run is given up.")
    ] = None,
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
    queries = bench.one_of(queries, budget)
    if queries is None and train_seconds is None:
        queries = 300
    limits = Limits(queries, train_seconds, repeats, timeout)
    if checks and objective:
        message = "--checks are of searches for the best network, not of fronts"
        raise typer.BadParameter(message)
    if objective:
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
            for one in env
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
    cost = _number(cost_budget)
    tasks = [
        Task(name, dataset, metric or "", cost, source, costs=costs) for name in env
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


@app.command()
def envs(as_json: Json = False) -> None:
    """Lists the environments with budgets and provenance."""
    problems, broken = {}, []
    for name in environments():
        try:
            problems[name] = Task(name).problem()
        except DataError as error:  # a user's device that is damaged
            broken.append(f"{name}: {error}")
    rows = tables.environment_rows(problems)
    for name in MULTI_DEVICE_ENVIRONMENTS:
        drawn = [problems[one] for one in single_device_ids(name)]
        rows.append(tables.several_row(name, drawn))
    rows += map(tables.drawn_row, RANDOM_DEVICE_ENVIRONMENTS)
    show(rows, as_json=as_json, table=tables.environment_table)
    for text in broken:
        write(f"{plain(text, longest=ERROR)}\n", sys.stderr)


@app.command()
def query(
    architecture: Architecture,
    env: Env,
    dataset: Dataset = None,
    metric: MetricName = None,
    source: Source = "builtin",
    costs: Costs = None,
    as_json: Json = False,
) -> None:
    """Evaluates one network and says where every number comes from."""
    task = Task(env, dataset, metric or "", source=source, costs=costs)
    try:
        problem = task.problem()
    except NotMeasuredError:
        if source != "measured":
            raise
        # no column is complete: what is held of this network alone
        builtin = Task(env, dataset, metric or "").problem()
        genotype = _genotype(builtin.space, architecture)
        network = tables.held_values(builtin, genotype)
    else:
        network = tables.network_values(problem, _genotype(problem.space, architecture))
    show(network, as_json=as_json, table=tables.network_table)


@app.command()
def optimum(
    env: Env,
    cost_budget: CostBudget = "none",
    dataset: Dataset = None,
    metric: MetricName = None,
    source: Source = "builtin",
    costs: Costs = None,
    as_json: Json = False,
) -> None:
    """Computes the exact best network within a budget."""
    cost = _number(cost_budget)
    task = Task(env, dataset, metric or "", cost, source, costs=costs)
    problem = task.problem()
    limit = task.limit(problem)
    best = problem.optimum(limit)
    network = tables.network_values(problem, best.genotypes[0])
    network["budget"] = limit
    network["bound"] = tables.bound_words(problem.metric, limit)
    show(network, as_json=as_json, table=tables.network_table)


@app.command()
def export(
    architecture: Architecture,
    env: Env,
    onnx: Annotated[
        Path | None, typer.Option(help="An ONNX file, for any runtime.")
    ] = None,
    torch: Annotated[
        Path | None,
        typer.Option(help="PyTorch's exported program, for torch.export.load."),
    ] = None,
    dataset: Dataset = None,
    batch: Annotated[int, typer.Option(help="Images of an input.")] = 1,
    seed: Annotated[int, typer.Option(help="What the weights are drawn from.")] = 0,
) -> None:
    """Writes a network, untrained, as a file that runtimes and PyTorch read."""
    if onnx is None and torch is None:
        message = "give --onnx FILE or --torch FILE"
        raise typer.BadParameter(message)
    problem = Task(env, dataset).problem()
    space, name = problem.space, problem.dataset
    network = problem.network(
        _genotype(space, architecture), seed=check_whole(seed, what="seed")
    )
    count = check_whole(batch, what="batch", least=1, most=MOST_IMAGES)
    images = networks.example(space, dataset=name, batch=count)
    for file, write_to in (
        (onnx, networks.export_onnx),
        (torch, networks.export_torch),
    ):
        if file is not None:
            written = write_to(network, images, file)
            say(f"wrote {written} ({written.stat().st_size:,} bytes)")


@app.command()
def analyze(
    space: Annotated[str, typer.Argument(help="A search space's name.")],
    dataset: Dataset = None,
    device: Annotated[
        list[str] | None,
        typer.Option(help="A device's name; repeated. By default all with costs."),
    ] = None,
    source: Source = "builtin",
    preset: Annotated[str, typer.Option(help="tight, medium or loose.")] = "medium",
    figure: Annotated[
        Path | None, typer.Option(help="Draws the correlations: png, svg or pdf.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Correlates devices and counts, and compares each device's best network."""
    found = get_space(space)
    if figure is not None:
        analysis.check_figure(figure)
    check_name(preset, PRESETS, what="preset")
    values = {
        "space": found.name,
        "dataset": found.default_dataset if dataset is None else dataset,
        "source": source,
        "correlations": analysis.correlation_values(
            cost_correlations(space, dataset=dataset, devices=device, source=source)
        ),
        "best": best_by_device(
            space, dataset=dataset, devices=device, budget=preset, source=source
        ),
    }
    if figure is not None:
        analysis.heat_map(values, figure)
    show(values, as_json=as_json, table=analysis.analysis_table)


@app.command()
def reproduce(
    table: Annotated[
        str, typer.Argument(help=f"One of {', '.join((*REPRODUCTIONS, FEW_SHOT))}.")
    ],
    runs: Annotated[int, typer.Option(help="Searches of each agent.")] = 500,
    seed: Annotated[int, typer.Option(help="Of the first search.")] = 0,
    draws: Annotated[
        int, typer.Option(help="Of few-shot: random draws of the measured networks.")
    ] = DRAWS,
    jobs: Annotated[int, typer.Option(help="Processes; -1: one a core.")] = 1,
    as_json: Json = False,
) -> None:
    """Runs a published experiment with our methods, and prints ours beside theirs."""
    check_name(table, (*REPRODUCTIONS, FEW_SHOT), what="table")
    if table == FEW_SHOT:
        found = [
            asdict(one) for name in DATASETS for one in few_shot(name, draws=draws)
        ]
        show(found, as_json=as_json, table=reproduction.few_shot_table)
        return
    cells = reproduce_table5(runs=runs, seed=seed, jobs=jobs)
    rows = [asdict(cell) for cell in cells]
    show(rows, as_json=as_json, table=reproduction.table5)


def _genotype(space: SearchSpace, text: str) -> Genotypes:
    """Reads a network in any of the forms that people name one by."""
    digits_only = text.isascii() and text.isdecimal()
    if digits_only and len(text) == space.length:
        # as records hold genotypes: a digit a position, more than any index has
        return space.validate_one([int(digit) for digit in text])
    if digits_only and len(text) < INDEX_DIGITS:
        return space.validate_one(space.from_index([int(text)]))
    try:
        found: Genotypes = space.encode(text)
        return found
    except HWNASError:
        if NUMBERS.fullmatch(text):
            return space.validate_one([int(one) for one in DIGITS.findall(text)])
        if len(text) != space.length:
            raise
        return space.validate_one(space.from_words([text])[0])  # a letter a position


def _checked(
    task: Task, runs: Sequence[Run], measure: Measure, checks: int
) -> list[dict[str, Any]]:
    """Measures the best networks that runs found, as plain values."""
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
    task: Task,
    agents: Sequence[str],
    *,
    seeds: int,
    limits: Limits,
    jobs: int,
    folder: Path | None,
) -> list[Run]:
    with progress_bars() as progress:
        bars = {
            name: progress.add_task(f"{task.env} {name}", total=seeds)
            for name in dict.fromkeys(settled_names(agents))
        }
        return run_all(
            task,
            list(bars),
            seeds=seeds,
            limits=limits,
            jobs=jobs,
            folder=folder,
            finished=lambda job, _: progress.advance(bars[job.agent]),
        )


def _exit(studies: Sequence[Mapping[str, Any]]) -> NoReturn:
    """Ends with status 1 where all runs of an agent on an environment failed."""
    raise typer.Exit(max(tables.exit_status(study["agents"]) for study in studies))


def _number(budget: str) -> float | str | None:
    if budget == "none":
        return None
    try:
        return float(budget)
    except ValueError:
        return budget


def main() -> None:
    """Runs the command line; an expected error is one line and exit status 2.

    What a user's own function raised is one line too, and exit status 1.
    """
    tolerate(sys.stdout)
    try:
        app()
    except (HWNASError, OSError) as error:
        write(f"hwnas-env: {plain(str(error), longest=ERROR)}\n", sys.stderr)
        raise SystemExit(1 if isinstance(error, OwnFunctionError) else 2) from None
