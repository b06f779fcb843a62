"""Published tables beside ours, for the terminal."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group
from rich.table import Table

from hwnas_env.benchmark.reproduce import DIFFERENCES, TRAIN_SECONDS, scored_accuracy


def table5(cells: Sequence[Mapping[str, Any]]) -> Group:
    """Lays out our test accuracies beside those of the NAS-Bench-201 paper."""
    table = Table()
    for title in ("agent", "dataset", "ours %", "published %", "difference", "queries"):
        table.add_column(title, justify="left" if len(table.columns) < 2 else "right")
    for cell in cells:
        difference = cell["accuracy_percent"] - cell["published_percent"]
        table.add_row(
            cell["agent"],
            cell["dataset"],
            f"{cell['accuracy_percent']:.2f} ± {cell['deviation']:.2f}",
            f"{cell['published_percent']:.2f} ± {cell['published_deviation']:.2f}",
            f"{difference:+.2f}",
            f"{cell['queries']:.0f}",
        )
    datasets = dict.fromkeys(cell["dataset"] for cell in cells)
    best = ", ".join(f"{name} {scored_accuracy(name).max():.2f}" for name in datasets)
    return Group(
        f"[bold]NAS-Bench-201, table 5[/bold]  {TRAIN_SECONDS:,.0f} training seconds a "
        "run on cifar10; test accuracy after 200 epochs",
        table,
        f"best cell: {best}; all accuracies are measured",
        "What differs from the paper's protocol:",
        *(f"- {sentence}" for sentence in DIFFERENCES),
        "",
    )
