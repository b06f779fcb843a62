"""Trains MaskablePPO on NAS-Bench-201 for the FPGA, within 400 queries."""

import gymnasium as gym
import torch
from rich import print
from sb3_contrib import MaskablePPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.monitor import Monitor


class StopAtBudget(BaseCallback):
    """Stops learning when the ledger is spent, and keeps the incumbent."""

    best = 0.0

    def _on_step(self) -> bool:
        info = self.locals["infos"][0]
        if info["feasible"]:
            self.best = max(self.best, info["accuracy_percent"])
        return not info["budget_exhausted"]


# A policy this small gains nothing from a second thread; on busy cores it is 12 times
# slower with two.
torch.set_num_threads(1)
env = Monitor(gym.make("hwnas_env:HWNAS-NASBench201-FPGA-v0", max_queries=400))
model = MaskablePPO(
    "MlpPolicy", env, n_steps=120, batch_size=60, learning_rate=2e-3, seed=0
)
stop = StopAtBudget()
model.learn(100_000, callback=stop)

problem = env.unwrapped.problem
optimum = problem.optimum("medium").accuracy_percent
queries = env.unwrapped.ledger.queries
print(f"{queries} queries: {stop.best:.2f} %, exact optimum {optimum:.2f} %")
assert queries == 400
assert stop.best <= optimum
