"""Builds one feasible FBNet for the Edge TPU by masked random decisions."""

import gymnasium as gym
from rich import print

import hwnas_env

env = gym.make("HWNAS-FBNet-EdgeTPU-v0", render_mode="ansi")
env.action_space.seed(0)
observation, info = env.reset(seed=0)
done = False
while not done:
    action = env.action_space.sample(info["action_mask"])
    observation, reward, terminated, truncated, info = env.step(action)
    done = terminated or truncated

problem = env.unwrapped.problem
best = problem.optimum("medium")
print(env.render())
print(f"reward {reward:.4f}, accuracy {info['accuracy_percent']:.2f} %")
print(f"exact optimum {best.accuracy_percent:.2f} % at {best.cost:.3f} ms")
print(
    f"latency is {problem.provenance['latency_ms'].kind}; hwnas_env",
    hwnas_env.__version__,
)
assert info["feasible"]
