"""Measures speed as ratios, interleaved in one run, since machines are noisy.

    make bench                  # prints every ratio
    python benchmarks/speed.py --rounds 15 --json

Each row times ours and a yardstick in turn, several rounds, and reports the ratio of
the medians. Nothing here is an asserted limit.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import gymnasium as gym
import numpy as np
from rich.console import Console
from rich.table import Table

import hwnas_env
from hwnas_env.spaces import SEARCH_SPACES

Run = Callable[[], float]


def steps(env_id: str, actions: list[int], count: int) -> Run:
    """Seconds a step, resets left out."""
    env = gym.make(env_id)

    def run() -> float:
        env.reset(seed=0)
        spent = 0.0
        for number in range(count):
            action = actions[number % len(actions)]
            start = time.perf_counter()
            step = env.step(action)
            spent += time.perf_counter() - start
            if step[2] or step[3]:
                env.reset()
        return spent / count

    return run


def batch(space: str, device: str, size: int) -> Run:
    """Seconds a network, for a batch of checked genotypes and all metrics."""
    problem = hwnas_env.make_problem(space, device=device)
    rows = problem.space.sample(size, rng=np.random.default_rng(0))

    def run() -> float:
        start = time.perf_counter()
        problem.evaluate(rows)
        return (time.perf_counter() - start) / size

    return run


def dictionary_sum(metrics: int, networks: int) -> Run:
    """Seconds a network, for plain sums of 26 entries of a dictionary a metric."""
    rows = SEARCH_SPACES["fbnet"].sample(networks, rng=np.random.default_rng(0))
    tables = [
        {f"layer{n}_block{b}": float(n + b) for n in range(26) for b in range(9)}
        for _ in range(metrics)
    ]

    def run() -> float:
        start = time.perf_counter()
        for row in rows.tolist():
            for table in tables:
                total = table["layer22_block0"]
                for number, block in enumerate(row):
                    total += table[f"layer{number}_block{block}"]
                for number in (23, 24, 25):
                    total += table[f"layer{number}_block0"]
        return (time.perf_counter() - start) / networks

    return run


def dictionary_query(metrics: int, networks: int) -> Run:
    """Seconds a network, for one look-up a metric in a dictionary of lists."""
    names = [f"metric{number}" for number in range(metrics)]
    table = {name: [1.0] * 15625 for name in names}
    rows = np.random.default_rng(0).integers(0, 15625, networks).tolist()

    def run() -> float:
        start = time.perf_counter()
        for row in rows:
            {name: float(table[name][row]) for name in names}
        return (time.perf_counter() - start) / networks

    return run


def process(code: str) -> Run:
    """Seconds of a new Python process."""

    def run() -> float:
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        return time.perf_counter() - start

    return run


def rows() -> list[tuple[str, Run, str, Run]]:
    """Names and timings of ours and of the yardstick."""
    pole = steps("CartPole-v1", [0, 1], 3000)
    cell, net = "HWNAS-NASBench201-EdgeGPU-v0", "HWNAS-FBNet-EdgeTPU-v0"
    both = "import gymnasium, hwnas_env"
    listed = [
        (
            f"{cell} step",
            steps(cell, [1, 3, 0, 2, 4, 1, 1], 3000),
            "CartPole step",
            pole,
        ),
        (f"{net} step", steps(net, [1, 3, 0, 2, 8, 1, 1], 3000), "CartPole step", pole),
        (both, process(both), "import gymnasium", process("import gymnasium")),
    ]
    for size in (1, 1024, 65536):
        cells, nets = (
            batch("nasbench201", "eyeriss", size),
            batch("fbnet", "eyeriss", size),
        )
        query, total = dictionary_query(5, 2000), dictionary_sum(4, 200)
        listed.append(
            (f"nasbench201 batch of {size}", cells, "dictionary query", query)
        )
        listed.append((f"fbnet batch of {size}", nets, "dictionary sum", total))
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
    if options.json:
        sys.stdout.write(json.dumps(found, indent=1) + "\n")
    else:
        Console(width=120).print(table)


if __name__ == "__main__":
    main()
