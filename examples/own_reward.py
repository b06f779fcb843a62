"""A reward and an accuracy of one's own, and a front of accuracy against latency."""

import gymnasium as gym
import numpy as np
from rich import print

import hwnas_env


def saves_half(accuracy, cost, budget):
    """Rewards accuracy, and up to five points for a budget that is not spent."""
    return accuracy + 0.05 * np.clip(1.0 - cost / budget, 0.0, 1.0)


env = gym.make("HWNAS-FBNet-Pixel3-v0", reward=saves_half, budget="loose")
env.reset(seed=0)
for _ in range(22):
    *_, info = env.step(int(np.flatnonzero(env.unwrapped.action_masks())[0]))
print(f"accuracy {info['accuracy_percent']:.2f} %, {info['latency_ms']:.1f} ms")

# Your own additive table in place of the surrogate: exact optima stay exact.
table = np.tile(np.linspace(0.0, 3.5, 9)[::-1], (22, 1))
problem = hwnas_env.make_problem("fbnet", device="pixel3", accuracy=table)
front = problem.pareto_front(("accuracy", "latency_ms"))
print(f"{len(front.points)} networks on the exact front")
assert problem.provenance["accuracy"].kind == "user"
