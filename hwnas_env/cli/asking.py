"""The command line's questions: what there is, and what a network is worth."""

import dataclasses
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hwnas_env.cli.options import (
    Architecture,
    CostBudget,
    Costs,
    Dataset,
    Env,
    Json,
    MetricName,
    Source,
    budget_of,
    complete_env,
    complete_space,
)
from hwnas_env.errors import DataError, HWNASError, NotMeasuredError

if TYPE_CHECKING:
    from hwnas_env.benchmark.runs import Task
    from hwnas_env.engines.space import SearchSpace
    from hwnas_env.types import Genotypes

MOST_IMAGES = 4096
"""Most images of an input that a network is exported for."""

INDEX_DIGITS = 19
"""A number of so many digits is no index of any space."""

DIGITS = re.compile(r"[0-9]{1,18}")
NUMBERS = re.compile(rf"[\[(\s]*{DIGITS.pattern}([,\s]+{DIGITS.pattern})*[\])\s]*")
"""A genotype as Python prints it, also without its brackets."""


def envs(as_json: Json = False) -> None:
    """Lists the environments with budgets and provenance."""
    from hwnas_env.benchmark.runs import Task
    from hwnas_env.envs.registration import (
        MULTI_DEVICE_ENVIRONMENTS,
        RANDOM_DEVICE_ENVIRONMENTS,
        environments,
        single_device_ids,
    )
    from hwnas_env.reports.terminal import tables
    from hwnas_env.reports.terminal.printing import remark, show

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
    remark(*broken)


def agents(as_json: Json = False) -> None:
    """Lists the agents, and their options with the defaults."""
    from hwnas_env.reports.terminal.agents import agent_rows, agents_table
    from hwnas_env.reports.terminal.printing import show

    show(agent_rows(), as_json=as_json, table=agents_table)


def query(
    architecture: Architecture,
    env: Annotated[
        str | None,
        typer.Option(
            help="An environment's id; see: hwnas-env envs.",
            autocompletion=complete_env,
        ),
    ] = None,
    space: Annotated[
        str | None,
        typer.Option(
            help="With --all-devices, in the place of --env: a search space.",
            autocompletion=complete_space,
        ),
    ] = None,
    all_devices: Annotated[
        bool,
        typer.Option("--all-devices", help="On every device with costs in the space."),
    ] = False,
    dataset: Dataset = None,
    metric: MetricName = None,
    source: Source = "builtin",
    costs: Costs = None,
    as_json: Json = False,
) -> None:
    """Evaluates one network and says where every number comes from."""
    from hwnas_env.benchmark.runs import Task
    from hwnas_env.reports.terminal import everywhere, tables
    from hwnas_env.reports.terminal.printing import show

    if not all_devices:
        if env is None or space is not None:
            message = "give --env ID, or --space NAME --all-devices"
            raise typer.BadParameter(message)
        network = _asked(
            Task(env, dataset, metric or "", source=source, costs=costs), architecture
        )
        show(network, as_json=as_json, table=tables.network_table)
        return
    if (env is None) == (space is None):
        message = "--all-devices: give --env ID or --space NAME, one of them"
        raise typer.BadParameter(message)
    if metric is not None or costs is not None:
        message = "--all-devices: --metric and --costs are of one device"
        raise typer.BadParameter(message)
    rows = everywhere.values(
        str(space) if env is None else everywhere.space_of(env),
        lambda task: _asked(task, architecture),
        dataset=dataset,
        source=source,
    )
    show(rows, as_json=as_json, table=everywhere.table)


def _asked(task: "Task", architecture: str) -> dict[str, Any]:
    """Evaluates a network, or says what is held of it where no column is complete."""
    from hwnas_env.reports.terminal import tables

    try:
        problem = task.problem()
    except NotMeasuredError:
        if task.source != "measured":
            raise
        builtin = dataclasses.replace(task, source="builtin").problem()
        return tables.held_values(builtin, genotype_of(builtin.space, architecture))
    return tables.network_values(problem, genotype_of(problem.space, architecture))


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
    from hwnas_env.benchmark.runs import Task
    from hwnas_env.reports.terminal import tables
    from hwnas_env.reports.terminal.printing import show

    cost = budget_of(cost_budget)
    task = Task(env, dataset, metric or "", cost, source, costs=costs)
    problem = task.problem()
    limit = task.limit(problem)
    best = problem.optimum(limit)
    network = tables.network_values(problem, best.genotypes[0])
    network["budget"] = limit
    network["bound"] = tables.bound_words(problem.metric, limit)
    show(network, as_json=as_json, table=tables.network_table)


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
    """Writes an untrained network for runtimes and for PyTorch."""
    from hwnas_env import networks
    from hwnas_env.arguments import check_whole
    from hwnas_env.benchmark.runs import Task
    from hwnas_env.reports.terminal.printing import say

    if onnx is None and torch is None:
        message = "give --onnx FILE or --torch FILE"
        raise typer.BadParameter(message)
    problem = Task(env, dataset).problem()
    space, name = problem.space, problem.dataset
    network = problem.network(
        genotype_of(space, architecture), seed=check_whole(seed, what="seed")
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


def genotype_of(space: "SearchSpace", text: str) -> "Genotypes":
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
        if len(text) not in (space.length, space.length + 1):
            raise
        return space.validate_one(space.from_words([text])[0])  # a letter a position
