"""Compares every agent with random search on every id; resumable.

    python benchmarks/significance.py FOLDER docs/figures/significance.json --seeds 30

Medium latency budgets, 500 queries, the default datasets. One-sided Mann-Whitney tests
of final regret; p values are as computed, without a correction for their number. The
Gaussian process is left out for its time, enumeration is no competitor.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from hwnas_env.benchmark.runner import run_all
from hwnas_env.benchmark.runs import Run, Task
from hwnas_env.envs.registration import ENVIRONMENTS

SEARCHERS = (
    *("random", "local_search", "evolution", "annealing", "reinforce"),
    *("nsga2", "tpe"),
)
LEARNERS = ("ppo", "a2c", "dqn", "maskable_ppo")
QUERIES = 500


def row(env: str, agent: str, mine: list[Run], drawn: list[Run]) -> dict[str, Any]:
    """Returns means of regret, and how likely random search does as well."""
    regret, other = ([run.regret_percent for run in runs] for runs in (mine, drawn))
    test = stats.mannwhitneyu(regret, other, alternative="less")
    curve = np.mean([run.curve for run in mine], axis=0)
    return {
        "env": env,
        "agent": agent,
        "seeds": len(mine),
        "regret_percent": round(float(np.mean(regret)), 4),
        "random_percent": round(float(np.mean(other)), 4),
        "p": float(f"{test.pvalue:.3g}"),
        "curve": [round(float(value), 3) for value in curve[9::10]],
    }


def main() -> None:
    """Runs what is missing in the folder, and writes the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("table", type=Path)
    parser.add_argument("--seeds", type=int, default=30)
    parser.add_argument("--learner-seeds", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    rows = []
    for agents, seeds in (
        (SEARCHERS, options.seeds),
        (LEARNERS, options.learner_seeds),
    ):
        for env in ENVIRONMENTS:
            found = {
                agent: run_all(
                    Task(env),
                    [agent],
                    seeds=options.seeds if agent == "random" else seeds,
                    queries=QUERIES,
                    jobs=options.jobs,
                    folder=options.folder,
                )
                for agent in dict.fromkeys(("random", *agents))
            }
            drawn = found["random"]
            rows += [row(env, agent, found[agent], drawn) for agent in agents]
            content = {"queries": QUERIES, "rows": rows}
            options.table.write_text(json.dumps(content) + "\n")


if __name__ == "__main__":
    main()
