"""TorchRL: PPO's policy with ``ActionMask``, one environment of exact masks."""

import gymnasium as gym
import torch
from rich import print
from tensordict.nn import TensorDictModule
from torchrl.envs import ActionMask, Compose, GymWrapper, RewardSum, TransformedEnv
from torchrl.modules import MLP, MaskedCategorical, ProbabilisticActor, ValueOperator
from torchrl.objectives import ClipPPOLoss
from torchrl.objectives.value import GAE

from hwnas_env.wrappers import DictObservation

torch.set_num_threads(1)
torch.manual_seed(0)
base = gym.make("hwnas_env:HWNAS-FBNet-EdgeTPU-v0")
base = DictObservation(base, dtype=bool)
env = GymWrapper(base, categorical_action_encoding=True)
env = TransformedEnv(env, Compose(ActionMask(), RewardSum()))
env.set_seed(0)

width, choices = base.observation_space["observations"].shape[0], base.action_space.n
cells = {"num_cells": [64, 64], "activation_class": torch.nn.Tanh}
logits = MLP(in_features=width, out_features=choices, **cells)
actor = ProbabilisticActor(
    TensorDictModule(logits, ["observations"], ["logits"]),
    in_keys={"logits": "logits", "mask": "action_mask"},
    out_keys=["action"],
    distribution_class=MaskedCategorical,
    return_log_prob=True,
)
value = MLP(in_features=width, out_features=1, **cells)
critic = ValueOperator(value, ["observations"])
advantage = GAE(gamma=1.0, lmbda=0.95, value_network=critic)
loss = ClipPPOLoss(actor, critic, entropy_coeff=0.01)
optimizer = torch.optim.Adam(loss.parameters(), 3e-3)

returns = []
for _ in range(8):
    with torch.no_grad():
        data = env.rollout(220, actor, break_when_any_done=False)
        advantage(data)
    done = data["next", "done"].squeeze(-1)
    returns += data["next", "episode_reward"][done].flatten().tolist()
    for _ in range(5):
        found = loss(data)
        total = found["loss_objective"] + found["loss_critic"] + found["loss_entropy"]
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
print(f"mean return {sum(returns[-20:]) / 20:.4f} after {len(returns)} episodes")
assert len(returns) == 8 * 220 // 22
assert min(returns) > 0.2, "every network is feasible, since masks are exact"
