"""A hash of everything that an id answers: trajectories, evaluations, optima.

    python tests/digests.py

prints the hashes of all ids. They are the same on every processor and for every
version of NumPy, since nothing here is computed by functions that differ.
"""

import hashlib
import itertools
import json
from typing import Any

import gymnasium as gym
import numpy as np

import hwnas_env
from hwnas_env.agents import AGENTS
from hwnas_env.agents.optuna_sampler import OptunaSearcher
from hwnas_env.agents.searcher import Searcher
from hwnas_env.benchmark.runs import Task, run_once
from hwnas_env.engines.noise import uniform_numbers
from hwnas_env.envs.registration import (
    SIX_DEVICES,
    environment_id,
)
from hwnas_env.maths.scalarise import REWARDS
from hwnas_env.problems.random_devices import MOST, RandomDevices, random_devices
from hwnas_env.spaces import SEARCH_SPACES
from hwnas_env.types import Genotypes

MODES = ("construct", "mutate", "joint")
BUDGETS = ("tight", "medium", "loose", "sampled")
NETWORKS = 1000
DRAWN_IN = ("nasbench201", "fbnet", "mnasnet")


def trajectories(env_id: str) -> str:
    """Hashes an episode of an id in every dataset, mode and budget."""
    found = hashlib.sha256()
    core: Any = gym.make(f"hwnas_env:{env_id}").unwrapped
    space = core.problem.space
    for dataset, mode, budget in itertools.product(space.datasets, MODES, BUDGETS):
        env = gym.make(f"hwnas_env:{env_id}", dataset=dataset, mode=mode, budget=budget)
        numbers = iter(uniform_numbers(10_000, stream=space.length).tolist())
        step: tuple[Any, ...] = env.reset(seed=7)
        _add(found, step)
        while len(step) == 2 or not (step[2] or step[3]):
            step = env.step(_action(env.unwrapped, numbers))
            _add(found, step)
    return found.hexdigest()[:16]


def _action(core: Any, numbers: Any) -> Any:
    mask = core.action_masks()
    if isinstance(core.action_space, gym.spaces.Discrete):
        allowed = np.flatnonzero(mask)
        return int(allowed[int(next(numbers) * len(allowed))])
    rows = mask.reshape(core.problem.space.length, -1)
    allowed_rows = [np.flatnonzero(row) for row in rows]
    return np.array([row[int(next(numbers) * len(row))] for row in allowed_rows])


def _add(found: Any, step: tuple[Any, ...]) -> None:
    observation, *numbers, info = step
    found.update(np.ascontiguousarray(observation).tobytes())
    found.update(repr([float(number) for number in numbers]).encode())
    for key, value in info.items():
        if key != "action_mask":  # whose form differs between modes
            found.update(f"{key} {np.asarray(value).tolist()}".encode())


def evaluations(space: str, device: str) -> str:
    """Hashes evaluations, optima and rewards of a space on a device."""
    found = hashlib.sha256()
    described = SEARCH_SPACES[space]
    accuracies = ["mean"] if described.has_numbers else ["mean", "noisy-3"]
    for dataset, accuracy in itertools.product(described.datasets, accuracies):
        problem = hwnas_env.make_problem(
            space, device=device, dataset=dataset, accuracy=accuracy
        )
        answer = problem.evaluate(networks(problem.space))
        for array in (answer.accuracy_percent, answer.costs, answer.deployable):
            found.update(np.ascontiguousarray(array).tobytes())
        ratio, budget = answer.costs[:, problem.metric_column], problem.budget("medium")
        for reward in REWARDS.values():
            rewards = reward(answer.accuracy_percent / 100, ratio, budget)
            found.update(rewards.tobytes())
        for preset in BUDGETS[:3]:
            best = problem.optimum(preset)
            found.update(repr((best.accuracy_percent, best.cost)).encode())
            found.update(best.genotypes.tobytes())
    return found.hexdigest()[:16]


def drawn_devices(devices: RandomDevices) -> str:
    """Hashes three drawn devices: what they say, cost and are best at."""
    found = hashlib.sha256()
    for number in (0, 1, MOST):
        problem = devices.draw(number)
        found.update(json.dumps(problem.describe()).encode())
        costs = problem.evaluate(problem.space.population.networks).costs
        found.update(np.ascontiguousarray(costs).tobytes())
        found.update(problem.optimum("medium").genotypes.tobytes())
    return found.hexdigest()[:16]


def networks(space: Any) -> Genotypes:
    """Networks that are the same on every machine: ``(NETWORKS, L)``."""
    numbers = uniform_numbers(NETWORKS * space.length, stream=1)
    drawn = (numbers * space.choices).astype(np.int8)
    return np.asarray(drawn.reshape(NETWORKS, space.length))


def searches() -> dict[str, str]:
    """Hashes what our own searchers propose; of one version of NumPy's generators."""
    found = {}
    for name, agent in AGENTS.items():
        own = issubclass(agent, Searcher) and not issubclass(agent, OptunaSearcher)
        if own and name != "exhaustive":
            task = Task("HWNAS-FBNet-EdgeGPU-v0")
            run = run_once(task, name, seed=1, queries=60)
            found[name] = hashlib.sha256(" ".join(run.networks).encode()).hexdigest()
    return found


def everything() -> dict[str, str]:
    """Hashes all there is, by id and by pair of space and device."""
    pairs = list(itertools.product(("nasbench201", "fbnet"), SIX_DEVICES))
    several = [environment_id(space, None) for space in ("nasbench201", "fbnet")]
    ids = [*itertools.starmap(environment_id, pairs), *several]
    return {
        **{env_id: trajectories(env_id) for env_id in ids},
        **{f"{space} {device}": evaluations(space, device) for space, device in pairs},
        **{f"{s} drawn": drawn_devices(random_devices(s)) for s in DRAWN_IN},
    }


if __name__ == "__main__":
    print(json.dumps(everything(), indent=1))  # noqa: T201
