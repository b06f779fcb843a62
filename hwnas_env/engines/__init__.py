"""Engines: exact machinery for search spaces of tables and of layers, of any name."""

from typing import TYPE_CHECKING

from hwnas_env.faces import lazy

if TYPE_CHECKING:
    from hwnas_env.engines.additive import Additive as Additive
    from hwnas_env.engines.additive import join as join
    from hwnas_env.engines.additive import stateless as stateless
    from hwnas_env.engines.columns import CostSource as CostSource
    from hwnas_env.engines.columns import LayeredAccuracy as LayeredAccuracy
    from hwnas_env.engines.columns import LayeredCosts as LayeredCosts
    from hwnas_env.engines.columns import TableAccuracy as TableAccuracy
    from hwnas_env.engines.columns import TableCosts as TableCosts
    from hwnas_env.engines.forms import LayeredSpace as LayeredSpace
    from hwnas_env.engines.forms import TableSpace as TableSpace
    from hwnas_env.engines.links import Linear as Linear
    from hwnas_env.engines.links import Link as Link
    from hwnas_env.engines.links import Logistic as Logistic
    from hwnas_env.engines.links import Saturating as Saturating
    from hwnas_env.engines.space import Blueprint as Blueprint
    from hwnas_env.engines.space import SearchSpace as SearchSpace

_HOMES = {
    "Additive": "hwnas_env.engines.additive",
    "Blueprint": "hwnas_env.engines.space",
    "CostSource": "hwnas_env.engines.columns",
    "LayeredAccuracy": "hwnas_env.engines.columns",
    "LayeredCosts": "hwnas_env.engines.columns",
    "LayeredSpace": "hwnas_env.engines.forms",
    "Linear": "hwnas_env.engines.links",
    "Link": "hwnas_env.engines.links",
    "Logistic": "hwnas_env.engines.links",
    "Saturating": "hwnas_env.engines.links",
    "SearchSpace": "hwnas_env.engines.space",
    "TableAccuracy": "hwnas_env.engines.columns",
    "TableCosts": "hwnas_env.engines.columns",
    "TableSpace": "hwnas_env.engines.forms",
    "join": "hwnas_env.engines.additive",
    "stateless": "hwnas_env.engines.additive",
}

__all__ = [*_HOMES]

__getattr__, __dir__ = lazy(__name__, _HOMES)
