"""Published tables beside ours, for the terminal."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group
from rich.table import Table

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
