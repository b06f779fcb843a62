"""PPO, A2C, DQN and MaskablePPO, with hyperparameters for short episodes.

A step is one decision, an episode one query. So batches are counted in networks, and
updates are frequent: 500 queries are all there is.

References:
    Schulman et al., Proximal Policy Optimization Algorithms, 2017; Mnih et al.,
    Asynchronous Methods for Deep Reinforcement Learning, ICML 2016; Mnih et al.,
    Human-level Control through Deep Reinforcement Learning, Nature 2015; Huang and
    Ontañón, A Closer Look at Invalid Action Masking in Policy Gradient Algorithms,
    FLAIRS 2022. Implementations: Raffin et al., Stable-Baselines3, JMLR 2021.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hwnas_env import arguments
from hwnas_env.agents.config import ConfigT, check_flag, check_number, check_whole
from hwnas_env.agents.learner import TOTAL_STEPS, Learner, LearnerConfig


@dataclass(frozen=True)
class PPOConfig(LearnerConfig):
    """Hyperparameters of PPO.

    Tried: ``docs/agent_studies.md``. A faster learning rate needs more entropy, or the
    policy settles on few networks.

    Attributes:
        networks_per_update: episodes between two updates, over all rows.
        n_epochs: passes over them.
        minibatches: parts of a pass.
        clip_range: of the probability ratio (0.2 in the paper).
        ent_coef: weight of the entropy.
        gae_lambda: of the advantage; 1, since one reward ends an episode.
    """

    learning_rate: float = 3e-3
    networks_per_update: int = 16
    n_epochs: int = 10
    minibatches: int = 4
    clip_range: float = 0.2
    ent_coef: float = 0.03
    gae_lambda: float = 1.0

    @classmethod
    def from_dict(cls: type[ConfigT], values: Mapping[str, Any]) -> ConfigT:
        """Returns a configuration; an update has a network of each row at least.

        Args:
            values: fields by name; what is missing keeps its default, but
                ``networks_per_update`` is ``n_envs`` where that is more.

        Raises:
            UnknownNameError: no field has that name.
            InvalidArgumentError: a value is out of range.
        """
        given = arguments.check_type(values, Mapping, what=cls.__name__)
        rows, usual = given.get("n_envs"), cls().as_dict()["networks_per_update"]
        more = arguments.is_whole(rows) and rows > usual
        least = {"networks_per_update": rows} if more else {}
        made: ConfigT = super().from_dict({**least, **given})
        return made

    def __post_init__(self) -> None:
        """Checks the values.

        Raises:
            InvalidArgumentError: a value is out of range.
        """
        super().__post_init__()
        check_whole(self, "networks_per_update", at_least=self.n_envs)
        check_whole(self, "n_epochs", "minibatches")
        check_number(self, "clip_range")
        check_number(self, "ent_coef", at_least=0.0)
        check_number(self, "gae_lambda", at_least=0.0, at_most=1.0)


class PPO(Learner[PPOConfig]):
    """Proximal policy optimisation.

    Constraint: ``hard_mask`` replaces decisions that no feasible network has, so every
    network is feasible; without it what breaks the budget has its reward, by default
    accuracy x budget / cost.
    """

    name = "ppo"
    algorithm_name = "stable_baselines3.PPO"

    def arguments(self) -> dict[str, Any]:
        """Returns PPO's own arguments."""
        config, length = self.config, self.problem.space.length
        n_steps = max(1, config.networks_per_update // config.n_envs) * length
        return {
            "n_steps": n_steps,
            "batch_size": max(2, n_steps * config.n_envs // config.minibatches),
            "n_epochs": config.n_epochs,
            "clip_range": config.clip_range,
            "ent_coef": config.ent_coef,
            "gae_lambda": config.gae_lambda,
        }


@dataclass(frozen=True)
class MaskablePPOConfig(PPOConfig):
    """Hyperparameters of MaskablePPO, those of PPO; it needs no other mask."""

    hard_mask: bool = False


class MaskablePPO(PPO):
    """Proximal policy optimisation whose policy gives masked actions no probability.

    Constraint: masked, so every network is feasible.
    """

    name = "maskable_ppo"
    algorithm_name = "sb3_contrib.MaskablePPO"
    packages = (*PPO.packages, "sb3_contrib")
    config_type = MaskablePPOConfig

    def act(self, envs: Any, observation: Any, *, deterministic: bool) -> Any:
        """Returns the policy's actions among those that the masks allow."""
        from sb3_contrib.common.maskable.utils import get_action_masks

        actions, _ = self.model.predict(
            observation,
            deterministic=deterministic,
            action_masks=get_action_masks(envs),
        )
        return actions


@dataclass(frozen=True)
class A2CConfig(LearnerConfig):
    """Hyperparameters of A2C. Tried: ``docs/agent_studies.md``.

    Attributes:
        learning_rate: of RMSprop (7e-4 in Stable-Baselines3).
        ent_coef: weight of the entropy.
        gae_lambda: of the advantage; 1, since one reward ends an episode.
        normalize_advantage: True divides advantages by their deviation in a batch.
    """

    learning_rate: float = 2e-3
    ent_coef: float = 0.01
    gae_lambda: float = 1.0
    normalize_advantage: bool = False

    def __post_init__(self) -> None:
        """Checks the values.

        Raises:
            InvalidArgumentError: a value is out of range.
        """
        super().__post_init__()
        check_flag(self, "normalize_advantage")
        check_number(self, "ent_coef", at_least=0.0)
        check_number(self, "gae_lambda", at_least=0.0, at_most=1.0)


class A2C(Learner[A2CConfig]):
    """Advantage actor-critic, synchronous: one update an episode of all rows.

    Constraint: as :class:`PPO`.
    """

    name = "a2c"
    algorithm_name = "stable_baselines3.A2C"

    def arguments(self) -> dict[str, Any]:
        """Returns A2C's own arguments."""
        return {
            "n_steps": self.problem.space.length,
            "ent_coef": self.config.ent_coef,
            "gae_lambda": self.config.gae_lambda,
            "normalize_advantage": self.config.normalize_advantage,
        }


@dataclass(frozen=True)
class DQNConfig(LearnerConfig):
    """Hyperparameters of DQN. Tried: ``docs/agent_studies.md``.

    Attributes:
        learning_starts: networks before the first update.
        batch_size: decisions a gradient step.
        gradient_steps: of them a step of all rows.
        target_networks: networks between two copies of the target network.
        exploration_networks: networks over which exploration falls.
        exploration_final: chance of a random decision after that.
    """

    n_envs: int = 4
    learning_starts: int = 40
    batch_size: int = 64
    gradient_steps: int = 1
    target_networks: int = 20
    exploration_networks: int = 250
    exploration_final: float = 0.05

    def __post_init__(self) -> None:
        """Checks the values.

        Raises:
            InvalidArgumentError: a value is out of range.
        """
        super().__post_init__()
        check_whole(self, "learning_starts", "batch_size", "gradient_steps")
        check_whole(self, "target_networks", "exploration_networks")
        check_number(self, "exploration_final", at_least=0.0, at_most=1.0)


class DQN(Learner[DQNConfig]):
    """Deep Q-learning.

    Constraint: as :class:`PPO`.
    """

    name = "dqn"
    algorithm_name = "stable_baselines3.DQN"

    def arguments(self) -> dict[str, Any]:
        """Returns DQN's own arguments; decisions are counted from networks."""
        config, length = self.config, self.problem.space.length
        return {
            "learning_starts": config.learning_starts * length,
            "batch_size": config.batch_size,
            "gradient_steps": config.gradient_steps,
            "train_freq": 1,
            "buffer_size": 50_000,
            "target_update_interval": config.target_networks * length,
            "exploration_fraction": config.exploration_networks * length / TOTAL_STEPS,
            "exploration_final_eps": config.exploration_final,
        }
