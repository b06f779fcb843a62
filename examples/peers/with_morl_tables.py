"""Pareto Q-learning of morl-baselines, whose table has a row a prefix."""

import contextlib
import io

import mo_gymnasium
from morl_baselines.multi_policy.pareto_q_learning.pql import PQL
from rich import print

from hwnas_env.wrappers import DiscreteObservation

STEPS = 6_000


def make():
    """Makes the environment: a state is the number of what is decided."""
    name = "hwnas_env:HWNAS-NASBench201-FPGA-v0"
    env = mo_gymnasium.make(name, objectives=("accuracy", "latency_ms"))
    return DiscreteObservation(env, array=True)


env = make()
core = env.unwrapped
agent = PQL(
    env,
    core.reward_reference,
    gamma=1.0,
    epsilon_decay_steps=STEPS // 2,
    seed=0,
    log=False,
)
with contextlib.redirect_stdout(io.StringIO()):  # it prints every evaluation
    found = agent.train(
        STEPS, make(), core.reward_reference, log_every=STEPS, action_eval="hypervolume"
    )
queries = core.ledger.queries
best = max(point[0] for point in found)
print(f"{len(found)} points, {100 * best:.2f} % at best, after {queries} queries")
assert queries == STEPS // core.problem.space.length
assert best <= max(point[0] for point in core.pareto_front()) + 1e-6
