"""Times every id beside CartPole, and writes docs/speed.md: ``make bench`` runs it.

CPU seconds for a million steps of one environment, and of a million rows of a vector of
64, minima of three rounds over all ids, one after another. Actions are drawn in advance
and are not masked; episodes begin anew.
"""

import itertools
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np

import hwnas_env
from hwnas_env.envs.registration import (
    MULTI_DEVICE_ENVIRONMENTS,
    RANDOM_DEVICE_ENVIRONMENTS,
)

PAGE = Path(__file__).parent.parent / "docs" / "speed.md"
ROWS, ROUNDS, STEPS = 64, 3, 2000
MILLION = 1_000_000
HEAD = f"""<!-- written by benchmarks/speed_page.py; do not edit -->
# Speed

CPU seconds for a million steps on one core: of `gym.make`, and of the rows of
`gym.make_vec(id, {ROWS})`, with masks and info; minima of {ROUNDS} rounds over all ids.
Gymnasium's CartPole is in the same rounds, with its `vector_entry_point`. On another
machine only the ratios mean something. `make bench` measures again and writes this
page; compiled episodes are in [jax.md](jax.md).

"""


def one(env_id: str) -> Callable[[], float]:
    """Returns what times a step of a single environment, in seconds."""
    env = gym.make(env_id)
    env.action_space.seed(0)
    actions = [env.action_space.sample() for _ in range(STEPS)]

    def timed() -> float:
        env.reset(seed=0)
        start = time.process_time()
        for action in actions:
            _, _, terminated, truncated, _ = env.step(action)
            if terminated or truncated:
                env.reset()
        return (time.process_time() - start) / STEPS

    return timed


def many(env_id: str) -> Callable[[], float]:
    """Returns what times a step of a row of a vector, in seconds."""
    keywords: dict[str, Any] = {"vectorization_mode": "vector_entry_point"}
    envs = gym.make_vec(env_id, ROWS, **keywords)
    envs.action_space.seed(0)
    actions = [envs.action_space.sample() for _ in range(STEPS // 10)]

    def timed() -> float:
        envs.reset(seed=0)
        start = time.process_time()
        for action in actions:
            envs.step(action)
        return (time.process_time() - start) / len(actions) / ROWS

    return timed


def main() -> None:
    """Times all ids in rounds, and writes the page."""
    ours = (
        *hwnas_env.ENVIRONMENTS,
        *MULTI_DEVICE_ENVIRONMENTS,
        *RANDOM_DEVICE_ENVIRONMENTS,
    )
    ids = ["CartPole-v1", *ours]
    least: dict[tuple[str, str], float] = {}
    made = {
        (env_id, kind): make(env_id)
        for env_id, (kind, make) in itertools.product(
            ids, (("one", one), ("many", many))
        )
    }
    for _, (key, timed) in itertools.product(range(ROUNDS), made.items()):
        least[key] = min(least.get(key, np.inf), timed())
    lines = ["| id | single | beside CartPole | vector | beside CartPole |"]
    lines += ["|---|---|---|---|---|"]
    for env_id in ids:
        cells = [f"`{env_id}`"]
        for kind in ("one", "many"):
            spent = least[env_id, kind]
            ratio = least["CartPole-v1", kind] / spent
            cells += [f"{spent * MILLION:.2f}", f"{ratio:.2f}"]
        lines.append("| " + " | ".join(cells) + " |")
    note = '\n"Beside CartPole" is its steps a second over CartPole\'s.\n'
    PAGE.write_text(HEAD + "\n".join(lines) + "\n" + note, encoding="utf-8")


if __name__ == "__main__":
    main()
