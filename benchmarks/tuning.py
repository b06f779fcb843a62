"""Tries configurations of the learners on tasks that no suite has; writes a table.

    python benchmarks/tuning.py docs/figures/tuning.json

500 queries a run, eight seeds a configuration, medium latency budgets. The tasks are
NAS-Bench-201 on cifar100 (Edge GPU) and ImageNet16-120 (Edge TPU), and FBNet on
cifar100 (Raspberry Pi 4, Pixel 3): the suites search cifar10 and ImageNet.
"""

import itertools
import json
import sys
from pathlib import Path
from typing import Any

import joblib
import numpy as np

from hwnas_env.agents import find_agent
from hwnas_env.benchmark.runs import Task, run_once

TASKS = (
    Task("HWNAS-NASBench201-EdgeGPU-v0", "cifar100"),
    Task("HWNAS-NASBench201-EdgeTPU-v0", "ImageNet16-120"),
    Task("HWNAS-FBNet-Raspi4-v0", "cifar100"),
    Task("HWNAS-FBNet-Pixel3-v0", "cifar100"),
)
SEEDS, QUERIES = 8, 500


def product(**choices: tuple[Any, ...]) -> list[dict[str, Any]]:
    """Returns every combination of choices."""
    rows = itertools.product(*choices.values())
    return [dict(zip(choices, row, strict=True)) for row in rows]


TRIED: dict[str, list[dict[str, Any]]] = {
    "random": [{}],
    "evolution": [{}],
    "maskable_ppo": [
        *product(learning_rate=(1e-3, 3e-3), networks_per_update=(8, 16)),
        {"learning_rate": 3e-3, "ent_coef": 0.0},
        {"learning_rate": 3e-3, "ent_coef": 0.03},
        {"learning_rate": 3e-3, "n_epochs": 5},
    ],
    "ppo": [
        *product(learning_rate=(1e-3, 3e-3), hard_mask=(True, False)),
        {"learning_rate": 3e-3, "networks_per_update": 8},
        {"learning_rate": 3e-3, "ent_coef": 0.03},
    ],
    "a2c": [
        *product(learning_rate=(2e-3, 5e-3), normalize_advantage=(True, False)),
        *product(learning_rate=(5e-3, 1e-2), n_envs=(4,)),
        {"learning_rate": 5e-3, "hard_mask": False},
        {"learning_rate": 5e-3, "ent_coef": 0.03},
    ],
    "dqn": [
        {},
        {"exploration_networks": 150},
        {"learning_rate": 3e-3},
        {"hard_mask": False},
        {"gradient_steps": 1},
    ],
}
"""Configurations by agent: what differs from the dataclass's defaults."""


def regrets(agent: str, values: dict[str, Any], task: Task) -> list[float]:
    """Returns the final regret of every seed, in percentage points."""
    config = find_agent(agent).config_type.from_dict(values)
    return [
        run_once(task, agent, seed=seed, queries=QUERIES, config=config).regret_percent
        for seed in range(SEEDS)
    ]


def main() -> None:
    """Runs everything on two processes and writes the table."""
    cells = [
        (agent, values, task)
        for agent, tried in TRIED.items()
        for values in tried
        for task in TASKS
    ]
    found = joblib.Parallel(n_jobs=2, verbose=1)(
        joblib.delayed(regrets)(*cell) for cell in cells
    )
    rows = []
    for first in range(0, len(cells), len(TASKS)):
        agent, values, _ = cells[first]
        columns = found[first : first + len(TASKS)]
        means = [round(float(np.mean(column)), 4) for column in columns]
        rows.append({"agent": agent, "config": values, "regret_percent": means})
    tasks = [f"{task.env} {task.dataset}" for task in TASKS]
    content = {"tasks": tasks, "seeds": SEEDS, "queries": QUERIES, "rows": rows}
    Path(sys.argv[1]).write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    main()
