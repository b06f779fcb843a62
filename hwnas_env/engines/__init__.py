"""Engines: exact machinery for search spaces of tables and of layers, of any name."""

from hwnas_env.engines.additive import Additive, join, stateless
from hwnas_env.engines.columns import (
    Alias,
    CostSource,
    LayeredAccuracy,
    LayeredCosts,
    TableAccuracy,
    TableCosts,
)
from hwnas_env.engines.forms import LayeredSpace, TableSpace
from hwnas_env.engines.links import Linear, Link, Logistic, Saturating
from hwnas_env.engines.space import SearchSpace

__all__ = [
    "Additive",
    "Alias",
    "CostSource",
    "LayeredAccuracy",
    "LayeredCosts",
    "LayeredSpace",
    "Linear",
    "Link",
    "Logistic",
    "Saturating",
    "SearchSpace",
    "TableAccuracy",
    "TableCosts",
    "TableSpace",
    "join",
    "stateless",
]
