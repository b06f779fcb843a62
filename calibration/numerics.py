"""Small numerics of calibration: non-negative and damped least squares, rounding."""

from collections.abc import Callable

import numpy as np

from hwnas_env.types import FloatArray


def nnls(matrix: FloatArray, target: FloatArray) -> FloatArray:
    """Solves min ``|matrix @ x - target|`` over x >= 0.

    Args:
        matrix: ``(N, P)``.
        target: ``(N,)``.

    Returns:
        ``(P,)`` float64.

    Source:
        Lawson and Hanson, Solving Least Squares Problems, 1974, chapter 23.

    Example:
        >>> nnls(np.eye(2), np.array([2.0, -1.0])).tolist()
        [2.0, 0.0]
    """
    scale = np.linalg.norm(matrix, axis=0)
    scale[scale == 0.0] = 1.0
    a = matrix / scale
    unknowns = a.shape[1]
    x, passive = np.zeros(unknowns), np.zeros(unknowns, dtype=bool)
    for _ in range(10 * unknowns):
        gradient = a.T @ (target - a @ x)
        gradient[passive] = -np.inf
        if gradient.max() < 1e-10:
            break
        passive[int(gradient.argmax())] = True
        while True:
            trial = np.zeros(unknowns)
            trial[passive] = np.linalg.lstsq(a[:, passive], target, rcond=None)[0]
            bad = passive & (trial <= 0.0)
            if not bad.any():
                break
            step = np.min(x[bad] / (x[bad] - trial[bad]))
            x = x + step * (trial - x)
            passive &= x > 1e-15
            x[~passive] = 0.0
        x = trial
    return np.asarray(x / scale)


def gauss_newton(
    residual: Callable[[FloatArray], FloatArray], start: FloatArray, *, steps: int = 200
) -> FloatArray:
    """Minimises a sum of squares, with numeric derivatives and damping.

    Args:
        residual: parameters ``(P,)`` to residuals ``(N,)``.
        start: ``(P,)``.
        steps: how many are tried.

    Returns:
        ``(P,)`` float64, the best parameters seen.
    """
    delta = 1e-6
    x, damping = start.copy(), 1e-2
    r = residual(x)
    for _ in range(steps):
        shifted = [residual(x + d) for d in np.eye(len(x)) * delta]
        jacobian = (np.stack(shifted, axis=1) - r[:, None]) / delta
        normal = jacobian.T @ jacobian
        damped = normal + damping * np.diag(np.diag(normal) + 1e-9)
        trial = x + np.linalg.solve(damped, -jacobian.T @ r)
        after = residual(trial)
        if after @ after < r @ r:
            x, r, damping = trial, after, damping / 3.0
        else:
            damping *= 4.0
    return x


def rounded(value: float, *, digits: int = 6) -> float:
    """Rounds to significant digits.

    Example:
        >>> rounded(1234.5678), rounded(0.00012345678, digits=3)
        (1234.57, 0.000123)
    """
    return float(f"{value:.{digits}g}")


def robust_ridge(
    design: FloatArray,
    costs: FloatArray,
    *,
    ridge: float,
    least_error: float,
    rounds: int = 8,
) -> FloatArray:
    """Solves for coefficients by relative errors, large ones weighing less.

    Args:
        design: ``(N, P)``; a column that is 1 everywhere is not penalised.
        costs: ``(N,)``, positive.
        ridge: penalty on every other coefficient, in rows.
        least_error: relative errors below this one weigh the same.
        rounds: how often weights follow the errors.

    Returns:
        ``(P,)`` float64.
    """
    base = 1.0 / costs**2
    penalty = np.where((design == 1.0).all(axis=0), 1e-9, ridge * base.mean())
    weight = base
    for _ in range(rounds):
        weighted = design * weight[:, None]
        normal = weighted.T @ design + np.diag(penalty)
        solution = np.linalg.solve(normal, weighted.T @ costs)
        robust = 1.0 / np.maximum(np.abs(design @ solution / costs - 1.0), least_error)
        weight = base * robust / robust.mean()
    return np.asarray(solution)
