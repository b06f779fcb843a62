"""Odd arguments of every id: an error of this package, or an environment that plays."""

import contextlib
import functools
import math
import warnings
from typing import Any

import gymnasium as gym
import numpy as np

from hwnas_env.envs.registration import (
    ENVIRONMENTS,
    MULTI_DEVICE_ENVIRONMENTS,
    RANDOM_DEVICE_ENVIRONMENTS,
)
from hwnas_env.errors import HWNASError
from tests.campaign.odd import OBJECTS, VALUES
from tests.campaign.sandbox import attempt

BATCH = 100
SECONDS = 300
MOST_STEPS = 200
"""Steps of an episode that are played; a horizon may be any number."""

IDS = (*ENVIRONMENTS, *MULTI_DEVICE_ENVIRONMENTS, *RANDOM_DEVICE_ENVIRONMENTS)
KEYWORDS = (
    *("dataset", "mode", "metric", "budget", "reward", "objectives", "source"),
    *("accuracy", "max_queries", "render_mode", "devices", "test_devices", "horizon"),
    *("without",),
)
GOOD: dict[str, tuple[Any, ...]] = {
    "mode": ("construct", "mutate", "joint"),
    "budget": ("tight", "loose", "sampled", 50.0),
    "reward": ("mnas_soft", "fbnet_loss", "tunas_absolute"),
    "objectives": (("accuracy", "latency_ms"), ["accuracy", "parameters_m"]),
    "accuracy": ("sampled", "noisy-1", 0),
    "max_queries": (1, 5),
    "render_mode": ("ansi",),
}
EXPECTED = (HWNASError, gym.error.Error)


def drawn(rng: np.random.Generator) -> Any:
    """Draws an odd value."""
    pool = VALUES if rng.random() < 0.6 else OBJECTS
    found = pool[rng.integers(len(pool))]
    # a function that a caller gives himself may do as it likes
    function = callable(found) or (isinstance(found, str) and ":" in found)
    return "x" if function else found


def keywords(rng: np.random.Generator) -> dict[str, Any]:
    """Draws keywords, some good and some odd."""
    found: dict[str, Any] = {}
    for name in rng.choice(KEYWORDS, int(rng.integers(0, 4)), replace=False).tolist():
        good = GOOD.get(name, ())
        odd = not good or rng.random() < 0.5
        found[name] = drawn(rng) if odd else good[rng.integers(len(good))]
    return found


def play(env: Any, *, rng: np.random.Generator) -> None:
    """Plays an episode with odd options, actions and seeds thrown in."""
    if rng.random() < 0.3:
        name = ("budget", "genotype", "device", "x")[rng.integers(4)]
        with contextlib.suppress(*EXPECTED):
            env.reset(options={name: drawn(rng)})
    observation, info = env.reset(seed=int(rng.integers(100)))
    done = False
    for _ in range(MOST_STEPS):
        if done:
            break
        if rng.random() < 0.05:
            odd = drawn(rng)
            try:
                observation, reward, ended, cut, info = env.step(odd)
            except EXPECTED:
                pass
            else:
                done = ended or cut
                continue
        action = env.action_space.sample()
        observation, reward, ended, cut, info = env.step(action)
        assert env.observation_space.contains(observation)
        assert np.isfinite(reward).all()
        assert math.isfinite(info["cost"])
        done = ended or cut
    if env.render_mode:
        env.render()


def one(seed: list[int]) -> str | None:
    """Makes and plays one environment, and returns what went wrong."""
    rng = np.random.default_rng(seed)
    env_id, given = IDS[rng.integers(len(IDS))], keywords(rng)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            env: Any = gym.make(f"hwnas_env:{env_id}", **given)
            env.action_space.seed(int(rng.integers(100)))
            play(env, rng=rng)
    except EXPECTED:
        return None
    except BaseException as error:
        said = f"{type(error).__name__}: {str(error)[:200]}"
        return f"arguments {seed}: {env_id} {str(given)[:200]}: {said}"
    return None


def make_batch(seed: list[int]) -> list[str]:
    """Makes and plays a batch of environments, and returns the failures."""
    found = [one([*seed, part]) for part in range(BATCH)]
    return [failure for failure in found if failure]


def run(*, seed: int, rounds: int) -> tuple[dict[str, int], list[str]]:
    """Makes ``rounds`` batches of environments; returns counts and failures."""
    failures: list[str] = []
    for number in range(rounds):
        batch = functools.partial(make_batch, [seed, number])
        failures += attempt(batch, seconds=SECONDS)
    return {"odd arguments": rounds * BATCH}, failures
