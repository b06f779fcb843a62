"""Published tables beside ours, for the terminal."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group
from rich.table import Table

from hwnas_env.benchmark import few_shot
from hwnas_env.benchmark.reproduce import (
    DIFFERENCES,
    PUBLISHED,
    PUBLISHED_SOURCE,
    TOLERANCE,
    TRAIN_SECONDS,
    scored_accuracy,
)
from hwnas_env.reports.terminal.printing import heading


def table5(cells: Sequence[Mapping[str, Any]]) -> Group:
    """Lays out our test accuracies beside those of the NAS-Bench-201 paper."""
    table = Table()
    titles = ("entry", "dataset", "ours %", "published %", "difference", "queries")
    for title in titles:
        table.add_column(title, justify="left" if len(table.columns) < 2 else "right")
    for cell in cells:
        difference = cell["accuracy_percent"] - cell["published_percent"]
        mark = "" if cell["within_tolerance"] else " *"
        table.add_row(
            cell["entry"],
            cell["dataset"],
            f"{cell['accuracy_percent']:.2f} ± {cell['deviation']:.2f}",
            f"{cell['published_percent']:.2f} ± {cell['published_deviation']:.2f}",
            f"{difference:+.2f}{mark}",
            f"{cell['queries']:.0f}",
        )
    datasets = dict.fromkeys(cell["dataset"] for cell in cells)
    best = ", ".join(f"{name} {scored_accuracy(name).max():.2f}" for name in datasets)
    allowed = ", ".join(f"{TOLERANCE[name]:g} on {name}" for name in datasets)
    return Group(
        heading(
            "NAS-Bench-201, table 5",
            f"{TRAIN_SECONDS:,.0f} training seconds a run on cifar10; test accuracy "
            "after 200 epochs",
        ),
        table,
        f"mean ± standard deviation over runs; *: off by more than {allowed}",
        f"published: {PUBLISHED_SOURCE}",
        f"best cell: {best}; all accuracies are measured",
        "The paper's order is evolution, reinforce, random. Ours, ± standard error:",
        *(f"- {sentence}" for sentence in order_sentences(cells)),
        "What differs from the paper's protocol:",
        *(f"- {sentence}" for sentence in DIFFERENCES),
        "",
    )


def order_sentences(cells: Sequence[Mapping[str, Any]]) -> list[str]:
    """Says of each dataset how far each agent is ahead of the next one in the paper.

    Args:
        cells: with the rows named as in the paper.
    """
    found = {(cell["entry"], cell["dataset"]): cell for cell in cells}
    sentences = []
    for dataset in dict.fromkeys(cell["dataset"] for cell in cells):
        ranked = sorted(PUBLISHED, key=lambda name: -PUBLISHED[name][dataset][0])
        parts, kept = [], True
        for ahead, behind in itertools.pairwise(ranked):
            one, two = found[ahead, dataset], found[behind, dataset]
            lead = one["accuracy_percent"] - two["accuracy_percent"]
            error = (one["standard_error"] ** 2 + two["standard_error"] ** 2) ** 0.5
            parts.append(f"{ahead} over {behind} {lead:+.2f} ± {error:.2f}")
            kept = kept and lead > 0
        verdict = "kept" if kept else "not kept"
        sentences.append(f"{dataset}: {', '.join(parts)}; order {verdict}")
    return sentences


def few_shot_table(rows: Sequence[Mapping[str, Any]]) -> Group:
    """Lays out our few-shot fits beside what was published of HELP and others."""
    table = Table()
    for title in ("space", "known", "networks", "chosen"):
        table.add_column(title)
    for title in (*dict.fromkeys(row["device"] for row in rows), "mean", "MAPE %"):
        table.add_column(title, justify="right", no_wrap=True)
    keys = ("space", "known", "networks", "chosen")
    for key in dict.fromkeys(tuple(row[name] for name in keys) for row in rows):
        own = [row for row in rows if tuple(row[name] for name in keys) == key]
        figures = [row["spearman"] for row in own]
        error = sum(row["mape_percent"] for row in own) / len(own)
        mean = sum(figures) / len(figures)
        cells = [f"{figure:.3f}" for figure in (*figures, mean)]
        table.add_row(*map(str, key), *cells, f"{error:.2f}")
    sources = dict.fromkeys(
        f"{row['space']}, {row['device']}: {row['source']}" for row in rows
    )
    published = [
        f"{space}: {name} {figure:.3f}"
        for space, figures in few_shot.PUBLISHED.items()
        for name, figure in figures.items()
    ]
    fits = [source for source in sources if "builtin" in source]
    caveat = (
        "Built-in columns are fits themselves, smoother than measurements, so these "
        "figures flatter; hwnas-env data fetch imports what was measured."
    )
    return Group(
        heading("Few-shot latency", "Spearman's correlation with all other networks"),
        *([caveat] if fits else []),
        "known: devices that a fit starts from, all of the package or those of HELP's "
        "training split, never a setting of the same machine. list: the first networks "
        "of the space's list; drawn: a mean over random draws",
        table,
        f"published means: {'; '.join(published)}",
        f"truth: {'; '.join(sources)}",
        "What differs from the published protocol:",
        *(f"- {sentence}" for sentence in few_shot.DIFFERENCES),
        "",
    )
