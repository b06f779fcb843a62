"""RLlib's PPO, new stack, with its own masking module; in an environment of its own."""

import logging

import gymnasium as gym
import ray
from ray.rllib.algorithms.ppo import PPOConfig
from ray.rllib.core.rl_module.rl_module import RLModuleSpec
from ray.rllib.examples.rl_modules.classes.action_masking_rlm import (
    ActionMaskingTorchRLModule,
)
from ray.tune.registry import register_env
from rich import print

from hwnas_env.wrappers import DictObservation

NAME = "hwnas_env:HWNAS-FBNet-EdgeTPU-v0"
options = {"include_dashboard": False, "logging_level": logging.ERROR}
ray.init(num_cpus=2, log_to_driver=False, **options)
register_env("masked", lambda config: DictObservation(gym.make(NAME, **config)))
module = RLModuleSpec(
    module_class=ActionMaskingTorchRLModule,
    model_config={"head_fcnet_hiddens": [64, 64], "head_fcnet_activation": "relu"},
)
config = (
    PPOConfig()
    .environment("masked", env_config={"budget": "tight"})
    .env_runners(num_env_runners=0, num_envs_per_env_runner=4)
    .rl_module(rl_module_spec=module)
    .training(
        train_batch_size_per_learner=880,
        minibatch_size=220,
        num_epochs=4,
        lr=3e-3,
        gamma=1.0,
    )
)
algorithm = config.build_algo()
for _ in range(4):
    found = algorithm.train()["env_runners"]
algorithm.stop()
ray.shutdown()
print(
    f"mean return {found['episode_return_mean']:.4f}, "
    f"{found['episode_len_mean']:.0f} steps an episode"
)
assert found["episode_len_mean"] == 22
assert found["episode_return_min"] > 0.2, "every network is feasible"
