"""skrl's PPO on a vector, with a policy that reads the mask out of what it observes."""

import gymnasium as gym
import torch
from rich import print
from skrl.agents.torch.ppo import PPO, PPO_CFG
from skrl.envs.wrappers.torch import wrap_env
from skrl.memories.torch import RandomMemory
from skrl.models.torch import CategoricalMixin, DeterministicMixin, Model
from skrl.trainers.torch import SequentialTrainer
from skrl.utils import set_seed
from skrl.utils.spaces.torch import unflatten_tensorized_space

from hwnas_env.wrappers import DictObservation

ENVS, STEPS = 8, 220


def network(inputs, outputs):
    """Makes a small network."""
    hidden, last = torch.nn.Linear(inputs, 64), torch.nn.Linear(64, outputs)
    return torch.nn.Sequential(hidden, torch.nn.Tanh(), last)


class Policy(CategoricalMixin, Model):
    """Sets the logits of what is masked to almost minus infinity."""

    def __init__(self, observations, states, actions, device):
        """Takes the spaces as skrl gives them."""
        Model.__init__(
            self,
            observation_space=observations,
            state_space=states,
            action_space=actions,
            device=device,
        )
        CategoricalMixin.__init__(self)
        self.net = network(observations["observations"].shape[0], self.num_actions)

    def compute(self, inputs, role):  # noqa: ARG002
        """Returns the logits."""
        seen = unflatten_tensorized_space(
            self.observation_space, inputs["observations"]
        )
        logits = self.net(seen["observations"])
        return logits.masked_fill(seen["action_mask"] == 0, -1e8), {}


class Value(DeterministicMixin, Model):
    """Predicts the return of what is observed, the mask included."""

    def __init__(self, observations, states, actions, device):
        """Takes the spaces as skrl gives them."""
        Model.__init__(
            self,
            observation_space=observations,
            state_space=states,
            action_space=actions,
            device=device,
        )
        DeterministicMixin.__init__(self)
        self.net = network(self.num_observations, 1)

    def compute(self, inputs, role):  # noqa: ARG002
        """Returns the value."""
        return self.net(inputs["observations"]), {}


class Feasible(gym.vector.VectorWrapper):
    """Keeps what the networks of ended episodes were worth."""

    found = []  # noqa: RUF012

    def step(self, actions):
        """Steps, and looks at what ended."""
        step = self.env.step(actions)
        ended = step[2] | step[3]
        if ended.any():
            self.found += step[4]["final_info"]["feasible"][ended].tolist()
        return step


set_seed(1)
torch.set_num_threads(1)
envs = gym.make_vec("hwnas_env:HWNAS-FBNet-EdgeTPU-v0", ENVS)
env = wrap_env(DictObservation(Feasible(envs)), verbose=False)
spaces = (env.observation_space, env.state_space, env.action_space)
config = PPO_CFG()
config.rollouts, config.learning_epochs, config.mini_batches = 44, 4, 4
config.discount_factor = 1.0
config.experiment.write_interval = config.experiment.checkpoint_interval = 0
agent = PPO(
    models={"policy": Policy(*spaces, env.device), "value": Value(*spaces, env.device)},
    memory=RandomMemory(memory_size=44, num_envs=ENVS, device=env.device),
    cfg=config,
    observation_space=spaces[0],
    state_space=spaces[1],
    action_space=spaces[2],
    device=env.device,
)
settings = {"timesteps": STEPS, "headless": True, "disable_progressbar": True}
SequentialTrainer(cfg=settings, env=env, agents=agent).train()
print(f"{len(Feasible.found)} episodes, all feasible: {all(Feasible.found)}")
assert len(Feasible.found) == ENVS * STEPS // 22
assert all(Feasible.found), "the masks are exact"
