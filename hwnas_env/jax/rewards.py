"""The named rewards for jax, in pairs: see :mod:`hwnas_env.maths.scalarise`."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import jax.numpy as jnp

from hwnas_env.jax import pairs
from hwnas_env.jax.pairs import Pair
from hwnas_env.maths.scalarise import RATIO_FLOOR, UNDEPLOYABLE_RATIO


class Query(NamedTuple):
    """What a complete network came to.

    Attributes:
        accuracy: in [0, 1]; 0 where not deployable.
        ratio: cost over budget; 100 where not deployable.
        budget: in the metric's unit.
        feasible: whether the cost is within the budget, decided exactly.
    """

    accuracy: Pair
    ratio: Pair
    budget: Pair
    feasible: Any


def mnas_hard(query: Query) -> Any:
    """Returns accuracy where feasible, else accuracy over the ratio."""
    over = pairs.divide(query.accuracy, query.ratio)
    return pairs.rounded(pairs.where(query.feasible, query.accuracy, over))


def _power_of_ratio(query: Query, exponent: float) -> Any:
    factor = pairs.power(_floored(query.ratio), exponent)
    return pairs.rounded(pairs.multiply(query.accuracy, factor))


def mnas_soft(query: Query) -> Any:
    """Returns accuracy times the ratio to the power of -0.07."""
    return _power_of_ratio(query, -0.07)


def proxyless_rl(query: Query) -> Any:
    """Returns accuracy times the ratio to the power of -0.1."""
    return _power_of_ratio(query, -0.1)


def tunas_absolute(query: Query) -> Any:
    """Returns accuracy less 0.07 times how far the ratio is from 1."""
    away = pairs.add(query.ratio, pairs.constant(-1.0))
    away = pairs.where(away[0] < 0.0, away, pairs.negative(away))
    return pairs.rounded(
        pairs.add(query.accuracy, pairs.multiply(away, pairs.constant(0.07)))
    )


def fbnet_loss(query: Query) -> Any:
    """Returns 0.2 ln(accuracy) ln(cost in thousandths)^0.6."""
    accuracy = pairs.maximum(query.accuracy, pairs.constant(1e-3))
    cost = pairs.multiply(query.budget, _floored(query.ratio))
    thousandths = pairs.multiply(cost, pairs.constant(1e3))
    time = pairs.log(pairs.maximum(thousandths, pairs.constant(1.0)))
    grown = pairs.power(pairs.maximum(time, pairs.constant(1e-30)), 0.6)
    loss = pairs.multiply(
        pairs.multiply(pairs.log(accuracy), pairs.constant(0.2)), grown
    )
    return jnp.where(time[0] > 0.0, pairs.rounded(loss), -0.0)


def accuracy_only(query: Query) -> Any:
    """Returns accuracy."""
    return pairs.rounded(query.accuracy)


REWARDS: Mapping[str, Callable[[Query], Any]] = MappingProxyType(
    {
        "mnas_hard": mnas_hard,
        "mnas_soft": mnas_soft,
        "tunas_absolute": tunas_absolute,
        "proxyless_rl": proxyless_rl,
        "fbnet_loss": fbnet_loss,
        "accuracy_only": accuracy_only,
    }
)
"""Every named reward, as ``hwnas_env.REWARDS`` has them: a query to a float32."""


def query(
    accuracy: Pair, ratio: Pair, budget: Pair, *, feasible: Any, deployable: Any
) -> Query:
    """Returns a query in which a network that is not deployable counts as worst."""
    zero = jnp.zeros_like(accuracy[0])
    worst = jnp.full_like(ratio[0], UNDEPLOYABLE_RATIO)
    return Query(
        pairs.where(deployable, accuracy, (zero, zero)),
        pairs.where(deployable, ratio, (worst, jnp.zeros_like(worst))),
        budget,
        feasible,
    )


def _floored(ratio: Pair) -> Pair:
    return pairs.maximum(ratio, pairs.constant(RATIO_FLOOR))
