"""Long plays of vectors beside single environments: the same in every number."""

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import gymnasium as gym
import numpy as np

from tests.campaign.arguments import IDS

CHOICES: dict[str, tuple[Any, ...]] = {
    "mode": ("construct", "construct", "mutate", "joint"),
    "budget": ("tight", "medium", "loose", "sampled"),
    "reward": ("mnas_hard", "mnas_soft", "tunas_absolute", "proxyless_rl"),
}
APART = ("queries", "unique_queries", "action_mask")
"""A vector counts over all rows; masks are compared by themselves."""
MOST_ROWS = 64
STEPS = 400
"""Steps of one play."""

Infos = Sequence[Mapping[str, Any]]


def other_values(single: Sequence[Any], ours: Sequence[Any]) -> list[str]:
    """Names the places where arrays over rows differ from lists of single values."""
    pairs = zip(single, ours, strict=True)
    return [
        f"value {place}"
        for place, (one, array) in enumerate(pairs)
        if not np.array_equal(np.array(one), array)
    ]


def other_infos(single: Infos, ours: Mapping[str, Any], rows: Any) -> list[str]:
    """Names the keys of single infos in which some rows of a vector's differ."""
    return [
        key
        for key in (single[0] if single else ())
        if key not in APART
        and not np.array_equal(
            np.array([info[key] for info in single]), ours[key][rows]
        )
    ]


def some_actions(envs: Any, *, joint: bool, rng: np.random.Generator) -> Any:
    """Draws actions, nine of ten out of the mask."""
    actions = envs.action_space.sample()
    if joint:
        return actions
    masks = envs.unwrapped.action_masks()
    allowed = (rng.random(masks.shape) * masks).argmax(axis=1)
    return np.where(rng.random(len(masks)) < 0.9, allowed, actions)


def play(seed: list[int]) -> tuple[int, str | None]:
    """Plays both for a number of steps; returns how many rows moved, and a failure."""
    rng = np.random.default_rng(seed)
    env_id, rows = IDS[rng.integers(len(IDS))], int(rng.integers(1, MOST_ROWS + 1))
    given = {
        name: values[rng.integers(len(values))] for name, values in CHOICES.items()
    }
    joint, where = given["mode"] == "joint", f"vectors {seed}: {env_id} {given}"
    envs: Any = gym.make_vec(f"hwnas_env:{env_id}", rows, **given)
    singles: list[Any] = [gym.make(f"hwnas_env:{env_id}", **given) for _ in range(rows)]
    observations, infos = envs.reset(seed=seed[0])
    begun = [env.reset(seed=seed[0] + row) for row, env in enumerate(singles)]
    wrong = other_values([[one[0] for one in begun]], [observations])
    wrong += other_infos([one[1] for one in begun], infos, slice(None))
    envs.action_space.seed(seed[0])
    for step in range(STEPS):
        masks = np.array([env.unwrapped.action_masks() for env in singles])
        wrong += [] if (masks == envs.unwrapped.action_masks()).all() else ["masks"]
        if wrong:
            return step * rows, f"{where}: before step {step}: {wrong}"
        actions = some_actions(envs, joint=joint, rng=rng)
        *ours, infos = envs.step(actions)
        steps = [env.step(action) for env, action in zip(singles, actions, strict=True)]
        ended = [row for row, one in enumerate(steps) if one[2] or one[3]]
        wrong = other_values(
            list(zip(*(one[1:4] for one in steps), strict=True)), ours[1:]
        )
        if ended:
            finals = [steps[row] for row in ended]
            last = np.stack([infos["final_obs"][row] for row in ended])
            wrong += other_values([[one[0] for one in finals]], [last])
            wrong += other_infos([one[4] for one in finals], infos["final_info"], ended)
            for row in ended:
                begin, info = singles[row].reset()
                steps[row] = (begin, *steps[row][1:4], info)
        wrong += other_values([[one[0] for one in steps]], ours[:1])
        wrong += other_infos([one[4] for one in steps], infos, slice(None))
    return STEPS * rows, f"{where}: at the end: {wrong}" if wrong else None


def run(*, seed: int, steps: int) -> tuple[dict[str, int], list[str]]:
    """Plays until so many rows moved; returns counts and failures."""
    done, number, failures = 0, 0, []
    warnings.simplefilter("ignore")
    while done < steps:
        moved, failure = play([seed, number])
        failures += [failure] if failure else []
        done, number = done + max(moved, 1000), number + 1
    return {"steps of rows": done}, failures
