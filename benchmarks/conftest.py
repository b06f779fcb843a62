"""Prints the ratios of ``test_speed.py`` in place of pytest-benchmark's seconds."""

from typing import Any

from rich.console import Console
from rich.table import Table


def pytest_terminal_summary(config: Any) -> None:
    """Prints a line a ratio, and the shares of learning."""
    table = Table("ours", "µs", "yardstick", "µs", "yardstick / ours")
    shares = []
    for found in config._benchmarksession.benchmarks:
        row = found.extra_info
        if "ratio" in row:
            numbers = (f"{row[key]:.3g}" for key in ("us", "other_us", "ratio"))
            us, other_us, ratio = numbers
            table.add_row(row["ours"], us, row["yardstick"], other_us, ratio)
        elif "share" in row:
            shares.append(f"{row['ours']}: {row['share']:.1%} of PPO's learn")
    console = Console(width=140)
    console.print(table)
    for words in shares:
        console.print(f"{words} is the environments' steps and masks")
