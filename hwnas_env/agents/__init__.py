"""Agents that spend a ledger on a problem.

What an agent is, :class:`hwnas_env.agents.agent.Agent` says; what it has to hold,
:class:`hwnas_env.agents.contract.AgentContract` tests, and for searchers
:class:`hwnas_env.agents.contract.SearcherContract`.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from hwnas_env.agents.agent import Agent
from hwnas_env.agents.annealing import AnnealingConfig, SimulatedAnnealing
from hwnas_env.agents.config import Config
from hwnas_env.agents.evolution import EvolutionConfig, RegularizedEvolution
from hwnas_env.agents.exhaustive import Exhaustive, ExhaustiveConfig
from hwnas_env.agents.gaussian_process import GaussianProcess, GaussianProcessConfig
from hwnas_env.agents.jax_ppo import JaxPPO
from hwnas_env.agents.learner import Learner, LearnerConfig
from hwnas_env.agents.learners import (
    A2C,
    DQN,
    PPO,
    A2CConfig,
    DQNConfig,
    MaskablePPO,
    MaskablePPOConfig,
    PPOConfig,
)
from hwnas_env.agents.local_search import (
    WHITE2021_LOCAL_SEARCH,
    LocalSearch,
    LocalSearchConfig,
)
from hwnas_env.agents.nsga2 import NSGA2, NSGA2Config
from hwnas_env.agents.optuna_sampler import OptunaConfig, OptunaSearcher
from hwnas_env.agents.random_search import RandomSearch
from hwnas_env.agents.reinforce import Reinforce, ReinforceConfig
from hwnas_env.agents.scalarised import ScalarisedPPO, ScalarisedPPOConfig
from hwnas_env.agents.searcher import Searcher
from hwnas_env.agents.tpe import TPE, TPEConfig
from hwnas_env.agents.transfer_ppo import TransferPPO
from hwnas_env.agents.transfer_training import TransferPPOConfig
from hwnas_env.arguments import check_name
from hwnas_env.errors import InvalidArgumentError, shown
from hwnas_env.extras import load_object
from hwnas_env.moved import renamed
from hwnas_env.showing import ByName, Names

SEARCHERS: tuple[type[Searcher], ...] = Names(
    (
        RandomSearch,
        LocalSearch,
        RegularizedEvolution,
        SimulatedAnnealing,
        Reinforce,
        Exhaustive,
        TPE,
        NSGA2,
        GaussianProcess,
    )
)
"""Those that propose networks and are told what they are worth."""

LEARNERS: tuple[type[Learner], ...] = Names((PPO, A2C, DQN, MaskablePPO, ScalarisedPPO))
"""Those that learn a policy in environments, with Stable-Baselines3."""

_EVERY: tuple[type[Agent], ...] = (*SEARCHERS, *LEARNERS, JaxPPO, TransferPPO)

AGENTS: Mapping[str, type[Agent]] = ByName(
    {agent.name: agent for agent in _EVERY}, what="agents"
)
"""Every agent by the name that the command line uses."""

DEFAULT_AGENTS = ("random", "local_search", "evolution", "annealing", "reinforce")
"""Those that run on every problem, in seconds, without an extra."""


def find_agent(name: str) -> type[Agent]:
    """Returns an agent's class.

    Args:
        name: a name out of ``AGENTS``, or "package.module:Class" for one of your own,
            which worker processes can import too.

    Raises:
        UnknownNameError: no agent has that name.
        InvalidArgumentError: the class cannot be imported or is no agent.
    """
    if not isinstance(name, str) or ":" not in name:
        return AGENTS[check_name(name, AGENTS, what="agent")]
    found = load_object(name, form="package.module:Class")
    if not (isinstance(found, type) and issubclass(found, Agent)):
        message = f"{shown(name)}: expected a subclass of Agent, got {shown(found)}"
        raise InvalidArgumentError(message)
    return found


if not TYPE_CHECKING:
    __getattr__ = renamed(__name__)


__all__ = [
    "A2C",
    "AGENTS",
    "DEFAULT_AGENTS",
    "DQN",
    "LEARNERS",
    "NSGA2",
    "PPO",
    "SEARCHERS",
    "TPE",
    "WHITE2021_LOCAL_SEARCH",
    "A2CConfig",
    "Agent",
    "AnnealingConfig",
    "Config",
    "DQNConfig",
    "EvolutionConfig",
    "Exhaustive",
    "ExhaustiveConfig",
    "GaussianProcess",
    "GaussianProcessConfig",
    "JaxPPO",
    "Learner",
    "LearnerConfig",
    "LocalSearch",
    "LocalSearchConfig",
    "MaskablePPO",
    "MaskablePPOConfig",
    "NSGA2Config",
    "OptunaConfig",
    "OptunaSearcher",
    "PPOConfig",
    "RandomSearch",
    "RegularizedEvolution",
    "Reinforce",
    "ReinforceConfig",
    "ScalarisedPPO",
    "ScalarisedPPOConfig",
    "Searcher",
    "SimulatedAnnealing",
    "TPEConfig",
    "TransferPPO",
    "TransferPPOConfig",
    "find_agent",
]
