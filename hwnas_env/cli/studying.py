"""The command line's studies: devices compared, and published tables again."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from hwnas_env.cli.options import (
    Dataset,
    DeviceNames,
    Jobs,
    Json,
    Source,
    SpaceName,
    complete_budget,
)


def analyze(
    space: SpaceName,
    dataset: Dataset = None,
    device: DeviceNames = None,
    source: Source = "builtin",
    preset: Annotated[
        str,
        typer.Option(help="tight, medium or loose.", autocompletion=complete_budget),
    ] = "medium",
    figure: Annotated[
        Path | None, typer.Option(help="Draws the correlations: png, svg or pdf.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Compares devices: their ranks, and each one's best network."""
    from hwnas_env.arguments import check_name
    from hwnas_env.benchmark.analysis import best_by_device, cost_correlations
    from hwnas_env.problems.problem import PRESETS
    from hwnas_env.reports.terminal import analysis
    from hwnas_env.reports.terminal.printing import show
    from hwnas_env.spaces import get_space

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


def complete_table(incomplete: str) -> list[str]:
    """Completes the name of a published table."""
    from hwnas_env.benchmark.few_shot import FEW_SHOT
    from hwnas_env.benchmark.reproduce import REPRODUCTIONS

    names = (*REPRODUCTIONS, FEW_SHOT)
    return [name for name in names if name.startswith(incomplete)]


def reproduce(
    table: Annotated[
        str,
        typer.Argument(
            help="Its name; what is none is answered with those there are.",
            autocompletion=complete_table,
        ),
    ],
    runs: Annotated[int, typer.Option(help="Searches of each agent.")] = 500,
    seed: Annotated[int, typer.Option(help="Of the first search.")] = 0,
    draws: Annotated[
        int | None,
        typer.Option(help="Of few-shot: random draws of the measured networks."),
    ] = None,
    jobs: Jobs = 1,
    as_json: Json = False,
) -> None:
    """Runs a published experiment, and prints ours beside theirs."""
    from hwnas_env.arguments import check_name
    from hwnas_env.benchmark.few_shot import DATASETS, DRAWS, FEW_SHOT, few_shot
    from hwnas_env.benchmark.reproduce import REPRODUCTIONS, reproduce_table5
    from hwnas_env.reports.terminal import reproduction
    from hwnas_env.reports.terminal.printing import show

    check_name(table, (*REPRODUCTIONS, FEW_SHOT), what="table")
    if table == FEW_SHOT:
        count = DRAWS if draws is None else draws
        found = [
            asdict(one) for name in DATASETS for one in few_shot(name, draws=count)
        ]
        show(found, as_json=as_json, table=reproduction.few_shot_table)
        return
    cells = reproduce_table5(runs=runs, seed=seed, jobs=jobs)
    rows = [asdict(cell) for cell in cells]
    show(rows, as_json=as_json, table=reproduction.table5)
