"""Search spaces: a room each, with facts, costs, accuracy and picture."""

from hwnas_env.engines.forms import LayeredSpace, TableSpace
from hwnas_env.engines.space import SearchSpace
from hwnas_env.spaces.registry import SEARCH_SPACES, get_space

__all__ = ["SEARCH_SPACES", "LayeredSpace", "SearchSpace", "TableSpace", "get_space"]
