"""Finds a weight for every term from a few measured networks.

Two steps, both linear in the terms. First non-negative least squares on relative
errors: the cost as a mixture of known devices and of growing terms; this much ten
networks can tell. Then a Gaussian correction of all weights, as a Gaussian process
makes it: weights vary as they do among the known devices, and freely in each group of
terms, with scales that the rows themselves decide (the evidence, with weak priors on
the scales). With few rows the correction stays near zero; with fifty it finds what no
known device has.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from hwnas_env.extras import load_extra
from hwnas_env.types import FloatArray

MIXTURE_RIDGE = 1e-2
"""Penalty on the mixture's weights, in rows; it keeps ties from being arbitrary."""

SHRINKAGE = 0.3
"""Share of the known devices' covariance that is taken off its off-diagonal."""

SPREAD = 0.005
"""Standard deviation that every standardised weight may have, in mean costs."""

SCALES = (("level", 0.03, 1.0), ("known", 0.5, 1.0), ("group", 0.05, 2.0))
"""Prior scales of the correction, in mean costs: of the whole, along the known devices'
covariance, and in a group; with the deviation of the logarithm of their squares."""

NOISE = 0.03, 1.0
"""The same of the relative noise of a measurement."""

LEAST_COST = 0.25
"""Noise is relative to the cost, but at least to this share of the median cost."""


class Scaling(NamedTuple):
    """How large terms are over a sample of the space, the base first.

    Attributes:
        mean: ``(1 + P,)``, 1 for the base.
        deviation: ``(1 + P,)``; 1 for the base and for what does not vary.
    """

    mean: FloatArray
    deviation: FloatArray


class Known(NamedTuple):
    """The known devices of a space in its terms.

    Attributes:
        weights: ``(D, 1 + P)``, the base first, one row a column of costs whose mean is
            1; D may be 0.
        scaling: of the terms.
    """

    weights: FloatArray
    scaling: Scaling


def scaling_of(counts: FloatArray) -> Scaling:
    """Returns the scaling of terms ``(N, 1 + P)``, the base first."""
    deviation = counts.std(axis=0)
    deviation[deviation == 0.0] = 1.0
    return Scaling(counts.mean(axis=0), deviation)


def project(counts: FloatArray, costs: FloatArray, scaling: Scaling) -> FloatArray:
    """Returns the weights ``(1 + P,)`` that give costs best, on many networks.

    Args:
        counts: ``(N, 1 + P)``, the base first.
        costs: ``(N,)``, positive; weights are of costs in units of their mean.
        scaling: of the terms.
    """
    relative = costs / costs.mean()
    weight = 1.0 / np.maximum(relative, LEAST_COST)
    matrix = counts / scaling.deviation * weight[:, None]
    penalty = np.full(matrix.shape[1], 3.0)
    penalty[0] = 1e-9
    normal = matrix.T @ matrix + np.diag(penalty)
    solution = np.linalg.solve(normal, matrix.T @ (relative * weight))
    return np.asarray(solution / scaling.deviation)


def mixture(
    counts: FloatArray,
    costs: FloatArray,
    *,
    growing: Sequence[bool],
    known: Known,
) -> FloatArray:
    """Mixes known devices and growing terms with weights of at least 0.

    Args:
        counts: ``(n, 1 + P)``, the base first.
        costs: ``(n,)``, positive.
        growing: for each of the ``P`` terms.
        known: the known devices.

    Returns:
        Weights ``(1 + P,)`` in the unit of costs.
    """
    optimize = load_extra("scipy.optimize", extra="measure", purpose="a fit")
    own = np.flatnonzero([True, *growing])
    single = np.zeros((len(own), counts.shape[1]))
    mean = known.scaling.mean[own]
    mean = np.where(mean > 0, mean, 1.0)
    single[np.arange(len(own)), own] = 1.0 / mean
    parts = np.concatenate([single, known.weights])
    relative = costs / costs.mean()
    size = np.maximum(relative, LEAST_COST * float(np.median(relative)))
    matrix = counts @ parts.T / size[:, None]
    ridge = np.sqrt(MIXTURE_RIDGE) * np.eye(len(parts))
    target = np.concatenate([relative / size, np.zeros(len(parts))])
    shares, _ = optimize.nnls(np.concatenate([matrix, ridge]), target)
    return np.asarray(shares @ parts * costs.mean())


def corrected(
    start: FloatArray,
    counts: FloatArray,
    costs: FloatArray,
    *,
    groups: Sequence[str],
    known: Known,
) -> FloatArray:
    """Corrects weights by what they leave of the measured costs.

    Args:
        start: weights ``(1 + P,)`` in the unit of costs.
        counts: ``(n, 1 + P)``, the base first.
        costs: ``(n,)``, positive.
        groups: of the ``P`` terms.
        known: the known devices.

    Returns:
        Weights ``(1 + P,)`` in the unit of costs.
    """
    mean = float(costs.mean())
    weights, relative = start / mean, costs / mean
    # Each part moves the weights along the columns of a matrix (1 + P, Q).
    parts = [weights[:, None], along_known(known)]
    parts += [
        _along_group([name == group for name in groups], known.scaling)
        for group in dict.fromkeys(groups)
    ]
    least = LEAST_COST * float(np.median(relative))
    noise = np.maximum(relative, least)
    left = relative - counts @ weights
    features = [counts @ part for part in parts]
    kernels = [feature @ feature.T for feature in features] + [np.diag(noise**2)]
    priors = [*SCALES[:2], *[SCALES[2]] * (len(parts) - 2), ("noise", *NOISE)]
    found = _likeliest(kernels, left, priors)
    covariance = _total(found, kernels)
    answer = np.linalg.solve(covariance, left)
    for scale, part, feature in zip(found, parts, features, strict=False):
        weights = weights + scale * (part @ (feature.T @ answer))
    return np.asarray(weights * mean)


def along_known(known: Known) -> FloatArray:
    """Returns directions in which the known devices' weights vary: square, a root."""
    deviation = known.scaling.deviation
    size = len(deviation)
    spread = np.zeros((size, size))
    if len(known.weights) > 1:
        spread = np.cov((known.weights * deviation).T)
        spread = (1 - SHRINKAGE) * spread + SHRINKAGE * np.diag(np.diag(spread))
    spread += SPREAD**2 * np.eye(size)
    root = np.linalg.cholesky(spread)
    return np.asarray(root / deviation[:, None])


def _along_group(member: Sequence[bool], scaling: Scaling) -> FloatArray:
    """Returns one direction a term of a group, none of which moves the mean cost."""
    terms = 1 + np.flatnonzero(member)
    directions = np.zeros((len(scaling.mean), len(terms)))
    size = 1.0 / scaling.deviation[terms] / np.sqrt(len(terms))
    directions[terms, np.arange(len(terms))] = size
    directions[0] = -scaling.mean[terms] * size
    return directions


def _total(scales: FloatArray, kernels: Sequence[FloatArray]) -> FloatArray:
    size = len(kernels[0])
    total = 1e-9 * np.eye(size)
    for scale, kernel in zip(scales, kernels, strict=True):
        total = total + scale * kernel
    return total


def _likeliest(
    kernels: Sequence[FloatArray],
    left: FloatArray,
    priors: Sequence[tuple[str, float, float]],
) -> FloatArray:
    """Returns the scales of kernels that make what is left likeliest."""
    optimize = load_extra("scipy.optimize", extra="measure", purpose="a fit")
    centre = np.array([2 * np.log(scale) for _, scale, _ in priors])
    width = np.array([deviation for *_, deviation in priors])

    def loss(logs: FloatArray) -> tuple[Any, FloatArray]:
        scales = np.exp(logs)
        covariance = _total(scales, kernels)
        inverse = np.linalg.inv(covariance)
        answer = inverse @ left
        sign, logarithm = np.linalg.slogdet(covariance)
        if sign <= 0:
            return 1e12, np.zeros_like(logs)
        off = (logs - centre) / width
        value = 0.5 * (left @ answer + logarithm + off @ off)
        slope = [
            0.5 * scale * float((inverse * kernel).sum() - answer @ kernel @ answer)
            for scale, kernel in zip(scales, kernels, strict=True)
        ]
        return value, np.array(slope) + off / width

    bounds = list(zip(centre - 4 * width, centre + 4 * width, strict=True))
    options = {"maxiter": 40}
    found = optimize.minimize(
        loss, centre, jac=True, method="L-BFGS-B", bounds=bounds, options=options
    )
    return np.asarray(np.exp(found.x))
