"""Long plays of vectors beside single environments: the same in every number."""

from typing import Any

import gymnasium as gym
import numpy as np

from tests.campaign.arguments import IDS

CHOICES: dict[str, tuple[Any, ...]] = {
    "mode": ("construct", "mutate", "joint"),
    "budget": ("tight", "medium", "loose", "sampled"),
    "reward": ("mnas_hard", "mnas_soft", "tunas_absolute", "proxyless_rl"),
}
COUNTS = ("queries", "unique_queries", "action_mask")
"""A vector counts over all rows; masks are compared by themselves."""


def differences(row: int, single: tuple[Any, ...], ours: tuple[Any, ...]) -> list[str]:
    """Compares a single step with a row of a vector's."""
    *numbers, info = single
    *arrays, infos = ours
    pairs = zip(numbers, arrays, strict=True)
    found = [
        f"value {place}"
        for place, (one, array) in enumerate(pairs)
        if not np.array_equal(np.asarray(one), array[row])
    ]
    found += [
        key
        for key, value in info.items()
        if key not in COUNTS and not np.array_equal(value, infos[key][row])
    ]
    return found


def play(seed: list[int], *, steps: int) -> tuple[int, str | None]:
    """Plays both for a number of steps; returns how many rows moved, and a failure."""
    rng = np.random.default_rng(seed)
    env_id, rows = IDS[rng.integers(len(IDS))], int(rng.integers(1, 9))
    given = {
        name: values[rng.integers(len(values))] for name, values in CHOICES.items()
    }
    envs = gym.make_vec(f"hwnas_env:{env_id}", rows, **given)
    singles = [gym.make(f"hwnas_env:{env_id}", **given) for _ in range(rows)]
    begin = envs.reset(seed=int(seed[0]))
    for row, env in enumerate(singles):
        wrong = differences(row, env.reset(seed=int(seed[0]) + row), begin)
        if wrong:
            return 0, f"vectors {seed}: {env_id} {given}: reset: {wrong}"
    envs.action_space.seed(int(rng.integers(1000)))
    for step in range(steps):
        actions = envs.action_space.sample()
        masks: Any = envs.unwrapped.action_masks()  # type: ignore[attr-defined]
        if given["mode"] != "joint":
            allowed = rng.random(masks.shape) * masks
            follow = rng.random(rows) < 0.9
            actions = np.where(follow, allowed.argmax(axis=1), actions)
        ours = envs.step(actions)
        for row, env in enumerate(singles):
            core: Any = env.unwrapped
            wrong = [] if (masks[row] == core.action_masks()).all() else ["mask before"]
            single = env.step(actions[row])
            if single[2] or single[3]:
                final = {k: v[row] for k, v in ours[4]["final_info"].items()}
                last = (ours[4]["final_obs"], *ours[1:4], {})
                wrong += differences(row, (*single[:4], {}), last)
                wrong += [
                    key
                    for key, value in single[4].items()
                    if key not in COUNTS and not np.array_equal(value, final[key])
                ]
                again = env.reset()
                wrong += differences(row, again, (ours[0], ours[4]))
            else:
                wrong += differences(row, single, ours)
            if wrong:
                return step * rows, f"vectors {seed}: {env_id} {given}: {step}: {wrong}"
    return steps * rows, None


def run(*, seed: int, steps: int) -> tuple[dict[str, int], list[str]]:
    """Plays until so many rows moved; returns counts and failures."""
    done, number, failures = 0, 0, []
    while done < steps:
        moved, failure = play([seed, number], steps=200)
        failures += [failure] if failure else []
        done, number = done + max(moved, 200), number + 1
    return {"steps of rows": done}, failures
