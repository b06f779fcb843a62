"""Pure functions on arrays: indicators, scalarisations, statistics, elementary ones."""

from hwnas_env.maths.indicators import distinct_rows, non_dominated
from hwnas_env.maths.scalarise import REWARDS

__all__ = ["REWARDS", "distinct_rows", "non_dominated"]
