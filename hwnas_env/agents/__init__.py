"""Agents that spend a ledger on a problem."""

from collections.abc import Mapping
from types import MappingProxyType

from hwnas_env.agents.annealing import AnnealingConfig, SimulatedAnnealing
from hwnas_env.agents.config import Config
from hwnas_env.agents.evolution import (
    NASBENCH201_EVOLUTION,
    EvolutionConfig,
    RegularizedEvolution,
)
from hwnas_env.agents.exhaustive import Exhaustive, ExhaustiveConfig
from hwnas_env.agents.gaussian_process import GaussianProcess, GaussianProcessConfig
from hwnas_env.agents.local_search import LocalSearch, LocalSearchConfig
from hwnas_env.agents.nsga2 import NSGA2, NSGA2Config
from hwnas_env.agents.random_search import RandomSearch
from hwnas_env.agents.reinforce import (
    NASBENCH201_REINFORCE,
    Reinforce,
    ReinforceConfig,
)
from hwnas_env.agents.searcher import Searcher
from hwnas_env.agents.tpe import TPE, TPEConfig

SEARCHERS: tuple[type[Searcher], ...] = (
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
AGENTS: Mapping[str, type[Searcher]] = MappingProxyType(
    {searcher.name: searcher for searcher in SEARCHERS}
)
"""Every agent by the name that the command line uses."""

DEFAULT_AGENTS = ("random", "local_search", "evolution", "annealing", "reinforce")
"""Those that run on every problem, in seconds, without an extra."""

__all__ = [
    "AGENTS",
    "DEFAULT_AGENTS",
    "NASBENCH201_EVOLUTION",
    "NASBENCH201_REINFORCE",
    "NSGA2",
    "TPE",
    "AnnealingConfig",
    "Config",
    "EvolutionConfig",
    "Exhaustive",
    "ExhaustiveConfig",
    "GaussianProcess",
    "GaussianProcessConfig",
    "LocalSearch",
    "LocalSearchConfig",
    "NSGA2Config",
    "RandomSearch",
    "RegularizedEvolution",
    "Reinforce",
    "ReinforceConfig",
    "Searcher",
    "SimulatedAnnealing",
    "TPEConfig",
]
