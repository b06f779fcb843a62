"""Runs the transfer study, and writes its page; resumable.

    python benchmarks/transfer.py FOLDER --space FBNet      # and --space NASBench201
    python benchmarks/transfer.py FOLDER --page

Every agent searches the tasks of ``transfer-v1``, which no policy has seen: neither the
device nor any of HELP's test devices, nor the budget. Regrets go to FOLDER, one file an
agent, task and seed; a second call does what is missing. The page is
``docs/transfer.md``.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from hwnas_env.agents import TransferPPOConfig
from hwnas_env.benchmark import SUITES, Task, run_once
from hwnas_env.benchmark.splits import SPLITS
from hwnas_env.spaces import SEARCH_SPACES

QUERIES, SEEDS = 500, 30
AFTER = (1, 10, 50, 100, 500)
DOCS = Path(__file__).parent.parent / "docs"


def trained(space: str, **keywords: Any) -> TransferPPOConfig:
    """Returns the configuration of a policy that knows none of the test devices."""
    return TransferPPOConfig(without=SPLITS["HELP"][space].test, **keywords)


WAYS: dict[str, tuple[str, bool, dict[str, Any] | None, str]] = {
    "random": ("random", False, None, "masked random search"),
    "evolution": ("evolution", False, None, "evolution from nothing"),
    "local_search": ("local_search", False, None, "local search from nothing"),
    "jax_ppo": ("jax_ppo", False, None, "masked PPO from nothing"),
    "evolution, warm": (
        "evolution", True, None, "evolution, warm: 500 queries on nine devices"
    ),
    "local_search, warm": (
        "local_search", True, None, "local search, warm: the same"
    ),
    "policy of real devices": (
        "transfer_ppo", False, {"devices": "real"}, "policy of the other real devices"
    ),
    "policy of drawn devices": (
        "transfer_ppo", False, {}, "policy of drawn devices"
    ),
    "archive": (
        "transfer_ppo", False, {"asks": "archive"},
        "the best that the policy's training saw, without a policy",
    ),
}  # fmt: skip
"""Agent, whether it starts warm, what its configuration has, and words for the page."""


def tasks(label: str) -> Iterator[Task]:
    """Yields the tasks of one search space."""
    for task in SUITES["transfer-v1"].tasks:
        if task.env_id.split("-")[1] == label:
            yield task


def regrets(way: str, task: Task, seed: int) -> list[float]:
    """Returns the regret in percentage points after 1, 10, ... queries."""
    agent, warm, keywords, _ = WAYS[way]
    problem = task.problem()
    asked = task if warm else replace(task, train=())
    config = None if keywords is None else trained(problem.space.name, **keywords)
    run = run_once(asked, agent, seed=seed, queries=QUERIES, config=config)
    # every way asks for feasible networks only, so the first query has an answer
    if run.error or len(run.curve) != QUERIES or np.isnan(run.curve).any():
        message = f"{way}, {task.env_id}, seed {seed}: {run.queries}, {run.error}"
        raise RuntimeError(message)
    best = problem.optimum(task.limit(problem) or np.inf).accuracy_percent
    return [best - run.curve[queries - 1] for queries in AFTER]


def run_missing(folder: Path, label: str) -> None:
    """Runs what is not in the folder; seeds outside, so that policies are kept."""
    folder.mkdir(parents=True, exist_ok=True)
    for seed in range(SEEDS):
        for way in WAYS:
            path = folder / f"{label}-{way.replace(' ', '_')}-{seed}.json"
            if path.exists():
                continue
            found = {
                f"{t.env_id} {t.budget}": regrets(way, t, seed) for t in tasks(label)
            }
            path.with_suffix(".part").write_text(json.dumps(found))
            path.with_suffix(".part").rename(path)
        sys.stderr.write(f"{label}: seed {seed} done\n")


def table(folder: Path, label: str) -> str:
    """Returns a table of mean regrets and their 95 % intervals over seeds."""
    lines = [
        "| | "
        + " | ".join(f"{q} queries" if q > 1 else "1 query" for q in AFTER)
        + " |",
        "|---|" + "---|" * len(AFTER),
    ]
    rng = np.random.default_rng(0)
    for way, (_, _, _, words) in WAYS.items():
        files = sorted(folder.glob(f"{label}-{way.replace(' ', '_')}-[0-9]*.json"))
        seeds = [json.loads(path.read_text()) for path in files]
        means = np.array([np.mean(list(one.values()), axis=0) for one in seeds])
        drawn = means[rng.integers(0, len(means), (10_000, len(means)))].mean(axis=1)
        low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
        cells = [
            f"{mean:.2f} [{a:.2f}, {b:.2f}]"
            for mean, a, b in zip(means.mean(axis=0), low, high, strict=True)
        ]
        lines.append(f"| {words} ({len(means)}) | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Runs what is missing, or writes the tables into the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    labels = [SEARCH_SPACES[name].label for name in SPLITS["HELP"]]
    parser.add_argument("--space", choices=labels)
    parser.add_argument("--page", action="store_true")
    options = parser.parse_args()
    if options.space:
        run_missing(options.folder, options.space)
    if options.page:
        path = DOCS / "transfer.md"
        page = path.read_text(encoding="utf-8")
        for label in labels:
            begin, end = f"<!-- {label} -->\n", f"<!-- end of {label} -->"
            head, rest = page.split(begin)
            _, rest = rest.split(end)
            page = f"{head}{begin}\n{table(options.folder, label)}\n{end}{rest}"
        path.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
