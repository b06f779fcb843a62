"""Tianshou's DQN, which reads the mask where ``DictObservation`` puts it."""

import gymnasium as gym
import tianshou as ts
import torch
from rich import print
from tianshou.algorithm.modelfree.dqn import DiscreteQLearningPolicy
from tianshou.algorithm.optim import AdamOptimizerFactory
from tianshou.data import Collector, CollectStats, VectorReplayBuffer
from tianshou.utils.net.common import Net

from hwnas_env.wrappers import DictObservation

torch.set_num_threads(1)
torch.manual_seed(0)


def make():
    """Makes an environment that observes {"obs", "mask"}."""
    env = gym.make("hwnas_env:HWNAS-FBNet-EdgeTPU-v0")
    return DictObservation(env, keys=("obs", "mask"), dtype=bool)


envs = ts.env.DummyVectorEnv([make] * 4)
one = make()
net = Net(
    state_shape=one.observation_space["obs"].shape,
    action_shape=one.action_space.n,
    hidden_sizes=[64, 64],
)
policy = DiscreteQLearningPolicy(
    model=net, action_space=one.action_space, eps_training=0.3, eps_inference=0.0
)
dqn = ts.algorithm.DQN(
    policy=policy,
    optim=AdamOptimizerFactory(lr=1e-3),
    gamma=1.0,
    n_step_return_horizon=22,  # an episode pays once, at its end
    target_update_freq=100,
)
collector = Collector[CollectStats](
    dqn, envs, VectorReplayBuffer(10_000, 4), exploration_noise=True
)
collector.reset()
episodes, returns = 0, []
for _ in range(40):
    with ts.utils.torch_utils.policy_within_training_step(dqn.policy):
        found = collector.collect(n_step=88)
        dqn.update(buffer=collector.buffer, sample_size=64)
    episodes += found.n_collected_episodes
    returns += list(found.returns)
print(f"mean return {sum(returns[-20:]) / 20:.4f} after {episodes} episodes")
assert episodes == 160
assert min(returns) > 0.2, "every network is feasible, since masks are exact"
