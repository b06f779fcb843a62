"""Pure functions on arrays: indicators, scalarisations, statistics, elementary ones."""

from typing import TYPE_CHECKING

from hwnas_env.faces import lazy

if TYPE_CHECKING:
    from hwnas_env.maths.indicators import distinct_rows as distinct_rows
    from hwnas_env.maths.indicators import non_dominated as non_dominated
    from hwnas_env.maths.scalarise import REWARDS as REWARDS

_HOMES = {
    "REWARDS": "hwnas_env.maths.scalarise",
    "distinct_rows": "hwnas_env.maths.indicators",
    "non_dominated": "hwnas_env.maths.indicators",
}

__all__ = [*_HOMES]

__getattr__, __dir__ = lazy(__name__, _HOMES)
