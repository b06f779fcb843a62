"""PPO in one file as CleanRL writes it, on a vector, with the mask in its logits."""

import gymnasium as gym
import numpy as np
import torch
from gymnasium.wrappers.vector import RecordEpisodeStatistics
from rich import print
from torch import nn

ENVS, STEPS, UPDATES = 16, 44, 12
torch.set_num_threads(1)
torch.manual_seed(0)
envs = RecordEpisodeStatistics(gym.make_vec("hwnas_env:HWNAS-FBNet-EdgeTPU-v0", ENVS))
width, choices = envs.single_observation_space.shape[0], envs.single_action_space.n


def network(outputs):
    """Makes a small network."""
    return nn.Sequential(nn.Linear(width, 64), nn.Tanh(), nn.Linear(64, outputs))


actor, critic = network(choices), network(1)
optimizer = torch.optim.Adam([*actor.parameters(), *critic.parameters()], lr=3e-3)


def policy(seen, mask):
    """Returns the distribution over the actions that the mask allows."""
    return torch.distributions.Categorical(
        logits=actor(seen).masked_fill(mask == 0, -1e8)
    )


seen, infos = envs.reset(seed=0)
returns, feasible = [], []
for _ in range(UPDATES):
    rows = []
    for _ in range(STEPS):
        now = torch.as_tensor(seen)
        mask = torch.as_tensor(np.array(infos["action_mask"]))
        with torch.no_grad():
            chosen = policy(now, mask)
            action = chosen.sample()
            value = critic(now).squeeze(-1)
        seen, reward, ended, cut, infos = envs.step(action.numpy())
        done = ended | cut
        if done.any():  # SAME_STEP: how they ended is in final_info
            returns += list(reward[done])
            feasible += list(infos["final_info"]["feasible"][done])
        paid = torch.as_tensor(reward, dtype=torch.float32)
        over = torch.as_tensor(done, dtype=torch.float32)
        log_prob = chosen.log_prob(action)
        rows.append((now, mask, action, log_prob, value, paid, over))
    now, mask, action, before, value, reward, done = map(
        torch.stack, zip(*rows, strict=True)
    )
    with torch.no_grad():
        target = critic(torch.as_tensor(seen)).squeeze(-1)
    targets = torch.zeros_like(reward)
    for step in reversed(range(STEPS)):  # an episode pays once, at its end
        target = reward[step] + (1 - done[step]) * target
        targets[step] = target
    gain = targets - value
    gain = (gain - gain.mean()) / (gain.std() + 1e-8)
    for _ in range(4):
        chosen = policy(now, mask)
        ratio = (chosen.log_prob(action) - before).exp()
        clipped = torch.min(ratio * gain, ratio.clamp(0.8, 1.2) * gain).mean()
        error = (critic(now).squeeze(-1) - targets).square().mean()
        loss = error / 2 - clipped - 0.01 * chosen.entropy().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

episodes = len(returns)
print(f"mean return {np.mean(returns[-64:]):.4f} after {episodes} episodes")
assert episodes == ENVS * STEPS * UPDATES // 22
assert all(feasible), "the masks are exact"
