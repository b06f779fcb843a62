"""What ``test_speed.py`` times: each function gives a run that returns CPU seconds."""

import itertools
import os
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode
from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import DummyVecEnv

import hwnas_env
from hwnas_env.benchmark import Task, run_once
from hwnas_env.envs.registration import SIX_DEVICES
from hwnas_env.spaces import SEARCH_SPACES, fbnet
from hwnas_env.wrappers.sb3 import SB3VecEnv

Run = Callable[[], float]
UPSTREAM = ("edgegpu", "raspi4", "pixel3", "eyeriss", "fpga")
"""The devices that upstream measured FBNet's blocks on: eight metrics."""


def _timed(step: Callable[[Any], Any], actions: Any) -> float:
    """Seconds a call, over all actions."""
    start = time.process_time()
    for action in actions:
        step(action)
    return (time.process_time() - start) / len(actions)


def single_steps(name: str) -> Run:
    """Seconds a step of one environment, resets left out."""
    env = gym.make("CartPole-v1" if name == "CartPole" else name)
    space: Any = env.action_space
    actions = np.random.default_rng(0).integers(0, space.n, 5000).tolist()

    def run() -> float:
        env.reset(seed=0)
        spent, clock, start = 0.0, time.process_time, time.process_time()
        for action in actions:
            step = env.step(action)
            if step[2] or step[3]:
                spent += clock() - start
                env.reset()
                start = clock()
        return (spent + clock() - start) / len(actions)

    return run


def single_resets(name: str) -> Run:
    """Seconds a reset of one environment; each draws anew."""
    env = gym.make("CartPole-v1" if name == "CartPole" else name)
    env.reset(seed=0)
    return lambda: _timed(lambda _: env.reset(), range(100))


def vector_steps(name: str, count: int, **keywords: Any) -> Run:
    """Seconds a row and step of the vector entry point, starting anew included."""
    env_id = "CartPole-v1" if name == "CartPole" else name
    envs = gym.make_vec(
        env_id, count, vectorization_mode="vector_entry_point", **keywords
    )
    return _vector(envs, count)


def sync_steps(name: str, count: int = 16) -> Run:
    """Seconds a row and step of Gymnasium's loop over single environments."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        envs = gym.make_vec(
            name,
            count,
            vectorization_mode="sync",
            vector_kwargs={"autoreset_mode": AutoresetMode.SAME_STEP},
        )
    return _vector(envs, count)


def _vector(envs: Any, count: int) -> Run:
    choices = envs.single_action_space.n
    actions = np.random.default_rng(0).integers(0, choices, (132, count))
    envs.reset(seed=0)
    return lambda: _timed(envs.step, actions) / count


def sb3_steps(name: str, count: int) -> Run:
    """Seconds a step of our adapter."""
    envs = SB3VecEnv(gym.make_vec(name, count))
    envs.reset()
    actions = np.random.default_rng(0).integers(0, 5, (66, count))
    return lambda: _timed(envs.step, actions)


def dummy_steps(name: str, count: int) -> Run:
    """Seconds a step of Stable-Baselines3's loop over single environments."""
    envs = DummyVecEnv([lambda: gym.make(name)] * count)
    envs.reset()
    actions = np.random.default_rng(0).integers(0, 5, (66, count))
    return lambda: _timed(envs.step, actions)


class _Timed(SB3VecEnv):
    spent = 0.0

    def step_wait(self) -> Any:
        start = time.process_time()
        step = super().step_wait()
        self.env_method("action_masks")  # as learners with masks ask for them
        self.spent += time.process_time() - start
        return step


def learner_share(name: str) -> float:
    """Share of ``PPO.learn`` that the steps and masks of 64 environments take."""
    envs = _Timed(gym.make_vec(name, 64))
    model = PPO("MlpPolicy", envs, n_steps=128, batch_size=1024, n_epochs=4, seed=0)
    start = time.process_time()
    model.learn(3 * 8192)
    return envs.spent / (time.process_time() - start)


def every_cost(space: str, size: int) -> Run:
    """Seconds a network, for checked genotypes and every metric of upstream's."""
    devices = UPSTREAM if space == "fbnet" else SIX_DEVICES
    costs = hwnas_env.make_device_costs(space, devices=devices)
    rows = costs.space.sample(size, rng=np.random.default_rng(0))
    out = np.empty((size, len(costs.names)))
    repeats = max(1, 2000 // size)

    def run() -> float:
        start = time.process_time()
        for _ in range(repeats):
            costs.evaluate(rows, out=out)
        return (time.process_time() - start) / size / repeats

    return run


def dictionary_sums(metrics: int = 8, networks: int = 100) -> Run:
    """Seconds a network of the published look-up: one formatted key a layer and metric.

    A dictionary a metric, from keys like "ConvBlock_H112_W112_Cin16_..." to a number,
    as upstream's file has them; a key is formatted for every layer of every metric.
    """
    layers, keys = fbnet.layers("ImageNet"), fbnet.frame_keys("ImageNet")
    rng = np.random.default_rng(0)
    names = {
        *keys,
        *(fbnet.block_key(*pair) for pair in itertools.product(layers, range(9))),
    }
    tables = [
        dict(zip(names, rng.random(len(names)).tolist(), strict=True))
        for _ in range(metrics)
    ]
    space = SEARCH_SPACES["fbnet"]
    rows = space.sample(networks, rng=rng).tolist()

    def run() -> float:
        start = time.process_time()
        for row in rows:
            for table in tables:
                total = table[keys[0]]
                for layer, choice in zip(layers, row, strict=True):
                    total += table[fbnet.block_key(layer, choice)]
                for key in keys[1:]:
                    total += table[key]
        return (time.process_time() - start) / networks

    return run


def dictionary_queries(metrics: int = 10, networks: int = 2000) -> Run:
    """Seconds a network of the published query: a number a metric, and their product.

    Nested dictionaries of lists, as upstream's file has them.
    """
    names = [f"metric{number}" for number in range(metrics)]
    rng = np.random.default_rng(0)
    columns = {name: rng.random(15625).tolist() for name in names}
    data = {"nasbench201": {"cifar10": columns}}
    rows = rng.integers(0, 15625, networks).tolist()

    def run() -> float:
        start = time.process_time()
        for row in rows:
            found = {}
            for name in names:
                found[name] = float(data["nasbench201"]["cifar10"][name][row])
            product = 1.0
            for name in names[:-1]:
                product *= found[name]
            found["product"] = product
        return (time.process_time() - start) / networks

    return run


def _children() -> float:
    spent = os.times()
    return spent.children_user + spent.children_system


def whole_run(agent: str, env: str, queries: int = 500) -> Run:
    """Seconds of one run of a learner, what it compiles the first time left out."""
    seeds = itertools.count()
    run_once(Task(env), agent, seed=0, queries=queries)

    def run() -> float:
        start = time.process_time()
        run_once(Task(env), agent, seed=next(seeds), queries=queries)
        return time.process_time() - start

    return run


def process(code: str) -> Run:
    """Seconds of a new Python process."""

    def run() -> float:
        start = _children()
        subprocess.run([sys.executable, "-c", code], check=True)
        return _children() - start

    return run
