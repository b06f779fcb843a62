"""Agents that spend a ledger on a problem."""

from collections.abc import Mapping
from types import MappingProxyType

from hwnas_env.agents.evolution import RegularizedEvolution
from hwnas_env.agents.random_search import RandomSearch
from hwnas_env.agents.reinforce import Reinforce
from hwnas_env.agents.searcher import Searcher

AGENTS: Mapping[str, type[Searcher]] = MappingProxyType(
    {
        "random": RandomSearch,
        "evolution": RegularizedEvolution,
        "reinforce": Reinforce,
    }
)
"""Every agent by the name that the command line uses."""

__all__ = ["AGENTS", "Searcher"]
