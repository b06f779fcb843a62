"""Costs of your own: a table of measurements, a file, and a function."""

import tempfile
from pathlib import Path

import gymnasium as gym
import numpy as np
from rich import print

import hwnas_env
from hwnas_env.types import FloatArray, Genotypes

space = hwnas_env.SEARCH_SPACES["nasbench201"]


def memory_accesses(genotypes: Genotypes) -> FloatArray:
    """Stands for measurements: a base, and a cost for every convolution."""
    return 2.0 + 0.8 * (genotypes == 2).sum(axis=1) + 3.1 * (genotypes == 3).sum(axis=1)


# A table: one number a network, in the order of space.genotypes(), inf for a network
# that the device cannot run.
table = memory_accesses(space.genotypes())
table[0] = np.inf
problem = hwnas_env.make_problem("nasbench201", costs={"latency_ms": table})
best = problem.optimum("medium")
print(f"table: {best.accuracy_percent:.2f} % within {problem.budget('medium')} ms")

# A file goes into specifications, records and workers. Rows come in any order.
with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "costs.csv"
    lines = ["architecture,latency_ms"]
    for network, cost in zip(space.genotypes(), table, strict=True):
        lines.append(f"{space.decode(network)},{cost}")
    path.write_text("\n".join(lines))
    env = gym.make("HWNAS-NASBench201-EdgeGPU-v0", costs=str(path))
    _, info = env.reset(seed=0)
    print(f"file: budget {info['budget']} ms, from {path.name}")

# Additive costs of a space of layers keep masks, optima and fronts exact.
layers = np.linspace(0.1, 1.0, 22 * 9).reshape(22, 9)
problem = hwnas_env.make_problem("fbnet", costs={"energy_mj": layers})
print(f"layers: {problem.optimum('tight').cost:.2f} mJ")

# A function of layers has no exact mask: modes mutate and joint work with it.
env = gym.make("HWNAS-FBNet-EdgeTPU-v0", costs=memory_accesses, mode="mutate")
_, info = env.reset(seed=0)
_, reward, _, _, info = env.step(env.action_space.sample(info["action_mask"]))
print(f"function: {info['latency_ms']} ms, reward {reward:.3f}")
