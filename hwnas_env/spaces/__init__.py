"""Search spaces: a room each, with facts, costs, accuracy and picture."""

from typing import TYPE_CHECKING

from hwnas_env.faces import lazy
from hwnas_env.spaces.registry import SEARCH_SPACES, get_space

if TYPE_CHECKING:
    from hwnas_env.engines.forms import LayeredSpace as LayeredSpace
    from hwnas_env.engines.forms import TableSpace as TableSpace
    from hwnas_env.engines.space import SearchSpace as SearchSpace

_HOMES = {
    "LayeredSpace": "hwnas_env.engines.forms",
    "SearchSpace": "hwnas_env.engines.space",
    "TableSpace": "hwnas_env.engines.forms",
}

__all__ = ["SEARCH_SPACES", "get_space", *_HOMES]

__getattr__, __dir__ = lazy(__name__, _HOMES)
