"""Learns a Pareto front with morl-baselines, and measures it by the exact one.

Takes a number of steps, 4,000 by default.
"""

import contextlib
import io
import sys

import mo_gymnasium
import moocore
import numpy as np
import torch
from rich import print

try:
    from morl_baselines.multi_policy.pcn.pcn import PCN
except ImportError:
    print("[yellow]This needs morl-baselines: make peers")
    raise SystemExit(0) from None

STEPS = int(sys.argv[1]) if len(sys.argv) > 1 else 4_000


def make():
    """Makes the environment: maximise accuracy, minimise milliseconds."""
    name = "hwnas_env:HWNAS-NASBench201-FPGA-v0"
    return mo_gymnasium.make(name, objectives=("accuracy", "latency_ms"))


def share(points):
    """Returns the part of the exact front's hypervolume that points dominate."""
    volume = moocore.Hypervolume(ref=reference, maximise=True)
    return volume(np.asarray(points, dtype=np.float64)) / volume(front)


env = make()
core = env.unwrapped
front, reference = np.array(core.pareto_front()), core.reward_reference
best = front.max(axis=0)

torch.set_num_threads(1)  # networks this small are slower with more
torch.manual_seed(0)
env.reset(seed=0)
env.action_space.seed(0)
scale = np.append(1 / (best - reference), 1 / core.problem.space.length)
agent = PCN(env, np.float32(scale), learning_rate=3e-3, seed=0, log=False)
agent.save = lambda: None  # it would write its weights to the current folder
with contextlib.redirect_stdout(io.StringIO()):  # it prints every episode
    agent.train(STEPS, make(), reference, max_return=np.float32(best))
followed, *_ = agent.evaluate(make(), np.float32(best), n=20)

queries = core.ledger.queries
archive = [episode[2][0].reward for episode in agent.experience_replay]
drawn = core.problem.space.sample(queries, rng=np.random.default_rng(0))
uniform = core.vector_reward(core.problem.evaluate(drawn))
print(f"share of the exact hypervolume, {queries} queries")
for name, points in (("archive", archive), ("policy", followed), ("uniform", uniform)):
    print(f"{name:8} {share(points):.4f}")
