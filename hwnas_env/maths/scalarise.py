"""Rewards of one number, and scalarisations of several objectives into one.

Rewards take accuracy in [0, 1], a cost and a budget T, and are maximised.

Each reward is the formula of its paper. Three of them are ratios, which grow without
bound as the cost goes to 0: a cell whose output ignores its input costs almost nothing
and scores at chance, and would win. Every ratio therefore counts a cost below
``RATIO_FLOOR`` times the budget as that much.

A network that the device cannot run (c = inf) counts as accuracy 0 at
``UNDEPLOYABLE_RATIO`` times the budget, so that its reward is finite and no better than
any other's. What each reward is at c = T, there, and at a = 0 is in its docstring.
"""

from collections.abc import Callable, Mapping

import numpy as np

from hwnas_env.maths.elementary import log, ordered_sum, power
from hwnas_env.showing import ByName
from hwnas_env.types import FloatArray

RATIO_FLOOR = 0.1
UNDEPLOYABLE_RATIO = 100.0
_SMALLEST_ACCURACY = 1e-3


def mnas_hard(accuracy: FloatArray, cost: FloatArray, budget: float) -> FloatArray:
    """Returns a where c <= T, else a T / c.

    At c = T it is a; at c = inf and at a = 0 it is 0.

    Source:
        Tan et al., MnasNet, CVPR 2019, eq. 2 with alpha = 0, beta = -1.
    """
    return np.asarray(accuracy * (budget / np.maximum(cost, budget)))


def mnas_soft(accuracy: FloatArray, cost: FloatArray, budget: float) -> FloatArray:
    """Returns a (c / T)^-0.07.

    At c = T it is a; at c = inf and at a = 0 it is 0; below the budget it is more than
    a, at most 1.17 a.

    Source:
        Tan et al., MnasNet, CVPR 2019, eq. 2 with alpha = beta = -0.07.
    """
    return np.asarray(accuracy * power(_ratio(cost, budget), -0.07))


def tunas_absolute(accuracy: FloatArray, cost: FloatArray, budget: float) -> FloatArray:
    """Returns a - 0.07 |c / T - 1|: networks on the budget, not below it, are best.

    At c = T it is a; at c = inf it is -6.93; at a = 0 it is 0 or less.

    Source:
        Bender et al., Can Weight Sharing Outperform Random Architecture Search?
        (TuNAS), CVPR 2020; beta = -0.07 as in its published code's tests.
    """
    return np.asarray(accuracy - 0.07 * np.abs(cost / budget - 1.0))


def proxyless_rl(accuracy: FloatArray, cost: FloatArray, budget: float) -> FloatArray:
    """Returns a (T / c)^0.1.

    At c = T it is a; at c = inf and at a = 0 it is 0; below the budget it is more than
    a, at most 1.26 a.

    Source:
        Cai et al., ProxylessNAS, ICLR 2019; exponent 0.1 as in its published code.
    """
    return np.asarray(accuracy * power(_ratio(cost, budget), -0.1))


def fbnet_loss(accuracy: FloatArray, cost: FloatArray, budget: float) -> FloatArray:
    """Returns -CE alpha ln(c)^beta with alpha = 0.2, beta = 0.6 and CE = -ln(a).

    The cost counts in thousandths of its unit (microseconds, microjoules), so that the
    logarithm is positive; accuracy counts as at least 0.001. The budget only sets the
    floor of the cost: at c = T nothing happens. At a = 0 it is that of a = 0.001, about
    -5 for milliseconds; at c = inf that at 100 T, the least of all.

    Source:
        Wu et al., Hardware-Aware Efficient ConvNet Design via Differentiable Neural
        Architecture Search, CVPR 2019, eq. 2.
    """
    entropy = -log(np.maximum(accuracy, _SMALLEST_ACCURACY))
    thousandths = 1e3 * budget * _ratio(cost, budget)
    time = power(log(np.maximum(thousandths, 1.0)), 0.6)
    return np.asarray(-entropy * 0.2 * time)


def accuracy_only(accuracy: FloatArray, cost: FloatArray, budget: float) -> FloatArray:
    """Returns a, whatever the cost; 0 at c = inf, which counts as a = 0."""
    del cost, budget
    return accuracy.copy()


REWARDS: Mapping[str, Callable[[FloatArray, FloatArray, float], FloatArray]] = ByName(
    {
        function.__name__: function
        for function in (
            mnas_hard,
            mnas_soft,
            tunas_absolute,
            proxyless_rl,
            fbnet_loss,
            accuracy_only,
        )
    },
    what="rewards",
)
"""Every named reward."""


def _ratio(cost: FloatArray, budget: float) -> FloatArray:
    return np.maximum(cost / budget, RATIO_FLOOR)


# Scalarisations. Objectives (N, k) are maximised and normalised, so that the nadir of
# the exact front is 0 and its ideal 1 in every objective; weights (k,) or (N, k) add up
# to 1.


def weighted_sum(objectives: FloatArray, weights: FloatArray) -> FloatArray:
    """Returns the weighted sum: ``(N,)``. It finds no point of a concave front."""
    total = objectives[:, 0] * weights[..., 0]
    for column in range(1, objectives.shape[1]):
        total = total + objectives[:, column] * weights[..., column]
    return np.asarray(total)


def chebyshev(
    objectives: FloatArray, weights: FloatArray, *, rho: float = 0.05
) -> FloatArray:
    """Returns the negative augmented Chebyshev distance to the ideal: ``(N,)``.

    Source:
        Knowles, ParEGO, IEEE Transactions on Evolutionary Computation 2006; rho 0.05.
    """
    distance = (1.0 - objectives) * weights
    together = weighted_sum(distance, np.ones_like(weights))
    return np.asarray(-(distance.max(axis=1) + rho * together))


def penalty_boundary(
    objectives: FloatArray, weights: FloatArray, *, theta: float = 5.0
) -> FloatArray:
    """Returns the negative penalty-based boundary intersection (PBI): ``(N,)``.

    d1 along the direction of the weights from the ideal, plus theta times d2 across it.

    Source:
        Zhang and Li, MOEA/D, IEEE Transactions on Evolutionary Computation 2007.
    """
    norm = np.sqrt(ordered_sum(weights * weights))
    direction = weights / norm[..., None]
    distance = 1.0 - objectives
    along = weighted_sum(distance, direction)
    aside = distance - along[:, None] * direction
    across = np.sqrt(ordered_sum(aside * aside))
    return np.asarray(-(np.abs(along) + theta * across))
