"""Measures speed as ratios, interleaved in one run, since machines are noisy.

    make bench                  # prints every ratio
    python benchmarks/speed.py --rounds 15 --json

Each row times ours and a yardstick in turn, several rounds, and reports the ratio of
the medians. Nothing here is an asserted limit. Set OMP_NUM_THREADS=1 for one core.
"""

import argparse
import json
import statistics
import sys
from collections.abc import Callable

from rich.console import Console
from rich.table import Table
from timings import (
    dictionary_queries,
    dictionary_sums,
    dummy_steps,
    every_cost,
    learner_share,
    process,
    sb3_steps,
    single_steps,
    sync_steps,
    vector_steps,
)

CELL, NET = "HWNAS-NASBench201-EdgeGPU-v0", "HWNAS-FBNet-EdgeTPU-v0"
Run = Callable[[], float]
Row = tuple[str, Run, str, Run]


def rows() -> list[Row]:
    """Names and timings, in seconds, of ours and of the yardstick."""
    listed = [
        (f"{name} step", single_steps(name), "CartPole step", single_steps("CartPole"))
        for name in (CELL, NET)
    ]
    for name in (CELL, NET):
        for count in (16, 64, 256, 1024, 4096):
            ours = vector_steps(name, count)
            label = f"{name}, vector of {count}, a row"
            listed.append(
                (label, ours, "own SyncVectorEnv(16), a row", sync_steps(name))
            )
    for count in (64, 256, 1024, 4096):
        pole = vector_steps("CartPole", count)
        label = f"{CELL}, vector of {count}, a row"
        ours = vector_steps(CELL, count)
        listed.append((label, ours, f"CartPole's vector of {count}", pole))
    for count in (8, 64):
        label = f"{CELL}, SB3VecEnv of {count}"
        ours = sb3_steps(CELL, count)
        listed.append((label, ours, "DummyVecEnv", dummy_steps(CELL, count)))
    for size in (1, 1024, 65536):
        nets, sums = every_cost("fbnet", size), dictionary_sums()
        cells, queries = every_cost("nasbench201", size), dictionary_queries()
        label = f"batch of {size}, a network"
        listed.append((f"fbnet, 8 metrics, {label}", nets, "dictionary sums", sums))
        listed.append(
            (f"nasbench201, 10 metrics, {label}", cells, "dictionary queries", queries)
        )
    both = "import gymnasium, hwnas_env"
    made = f"{both}; gymnasium.make('{CELL}').reset()"
    pole = "import gymnasium; gymnasium.make('CartPole-v1').reset()"
    listed.append(
        (both, process(both), "import gymnasium", process("import gymnasium"))
    )
    listed.append(("... and make and reset", process(made), "the same", process(pole)))
    return listed


def main() -> None:
    """Times every row, interleaved, and prints yardstick / ours."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    table = Table("ours", "µs", "yardstick", "µs", "yardstick / ours")
    found = []
    for name, ours, other, yardstick in rows():
        ours(), yardstick()  # warm
        pairs = [(ours(), yardstick()) for _ in range(options.rounds)]
        mine, theirs = (
            1e6 * statistics.median(times) for times in zip(*pairs, strict=True)
        )
        found.append({"ours": name, "us": mine, "yardstick": other, "other_us": theirs})
        table.add_row(
            name, f"{mine:.3g}", other, f"{theirs:.3g}", f"{theirs / mine:.3g}"
        )
    shares = {
        name: statistics.median(learner_share(name) for _ in range(3))
        for name in (CELL, NET)
    }
    if options.json:
        sys.stdout.write(json.dumps({"rows": found, "shares": shares}, indent=1) + "\n")
        return
    console = Console(width=140)
    console.print(table)
    for name, share in shares.items():
        console.print(f"{name}: {share:.1%} of PPO's learn is the environments' steps")


if __name__ == "__main__":
    main()
