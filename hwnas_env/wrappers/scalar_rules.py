"""The rules behind the scalarisations; see ``hwnas_env.wrappers.scalarise``."""

import math
from abc import abstractmethod
from collections.abc import Mapping, Sequence

import numpy as np

from hwnas_env.errors import InvalidArgumentError, NotExactError, shown, unknown_name
from hwnas_env.maths.elementary import log, ordered_sum
from hwnas_env.maths.scalarise import chebyshev, penalty_boundary, weighted_sum
from hwnas_env.types import BoolArray, FloatArray, IntArray
from hwnas_env.wrappers.arguments import at_least_zero, is_finite
from hwnas_env.wrappers.protocols import AnyEnv, AnyVector, Array, Info
from hwnas_env.wrappers.reward_rules import RewardRule

SAMPLED = "sampled"
"""Weights that are drawn each episode."""

SAME = 1e-12
"""Relative difference that is none between a network's rewards and a front's."""


class Scalarisation(RewardRule):
    """Turns the vector rewards of evaluations into numbers."""

    scalar = True

    def __init__(self, env: AnyEnv | AnyVector, count: int) -> None:
        """Finds the objectives of the environment.

        Raises:
            InvalidArgumentError: the environment has no objectives.
        """
        super().__init__(env, count)
        if not self.core.config.vector_rewards:
            message = (
                "a scalarisation needs a vector reward: make the environment "
                'with objectives=("accuracy", "latency_ms")'
            )
            raise InvalidArgumentError(message)
        self.vectors = self.core.config.vector_rewards
        self.objectives = self.vectors[0].objectives
        self._last = np.zeros((count, len(self.objectives)))

    @abstractmethod
    def scalars(
        self, rewards: FloatArray, rows: IntArray, numbers: IntArray
    ) -> FloatArray:
        """Returns the numbers ``(M,)`` of vector rewards ``(M, k)``.

        Args:
            rewards: of networks that were evaluated.
            rows: ``(M,)`` whose they are.
            numbers: ``(M,)`` the rows' devices.
        """

    def fronts(self) -> list[FloatArray]:
        """Returns the exact front ``(P, k)`` of each device, as vector rewards.

        Raises:
            InvalidArgumentError: more objectives than an exact front has.
            NotExactError: the front of this problem cannot be computed exactly.
        """
        config = self.core.config
        try:
            return [config.front(number) for number in range(len(self.vectors))]
        except (InvalidArgumentError, NotExactError) as error:
            message = f"{error}; EpsilonConstraint needs no front"
            raise type(error)(message) from None

    def begin(self, rows: IntArray, *, anew: bool) -> None:
        """Shows no vector of an episode that has none yet."""
        del anew
        self._last[rows] = 0.0

    def rewards(self, rewards: FloatArray, info: Info) -> FloatArray:
        """Scalarises the rows that were evaluated."""
        self._last = rewards.copy()
        numbers = np.zeros(self.count)
        rows = np.flatnonzero(info("evaluated"))
        if len(rows):
            devices = self.numbers(info)[rows]
            numbers[rows] = self.scalars(rewards[rows], rows, devices)
        return numbers

    def shown(self) -> dict[str, Array]:
        """Shows the vector."""
        return {"vector_reward": self._last.copy()}


class Weighted(Scalarisation):
    """Scalarises with weights, on objectives normalised by the exact front."""

    def __init__(
        self,
        env: AnyEnv | AnyVector,
        count: int,
        *,
        weights: Sequence[float] | str,
        **parameters: float,
    ) -> None:
        """Takes weights and the formula's parameters.

        Raises:
            InvalidArgumentError: wrong weights or parameters, or no vector reward.
        """
        super().__init__(env, count)
        size = len(self.objectives)
        self._drawn = isinstance(weights, str) and weights == SAMPLED
        self.observed = size if self._drawn else 0
        fixed = np.ones(size) if self._drawn else self._check(weights)
        self.weights = np.tile(fixed / ordered_sum(fixed), (count, 1))
        for name, value in parameters.items():
            at_least_zero(name, value)
        self._parameters = parameters
        fronts = self.fronts()
        self._nadir = np.array([front.min(axis=0) for front in fronts])
        ideal = np.array([front.max(axis=0) for front in fronts])
        self._range = np.where(ideal > self._nadir, ideal - self._nadir, 1.0)

    def _check(self, weights: Sequence[float] | str) -> FloatArray:
        size = len(self.objectives)
        listed = isinstance(weights, Sequence) and not isinstance(weights, str)
        fits = listed and len(weights) == size and all(map(is_finite, weights))
        array = np.array([float(weight) for weight in weights] if fits else [0.0])
        if (array < 0).any() or not 0 < sum(array.tolist()) < math.inf:
            names = ", ".join(objective.name for objective in self.objectives)
            message = (
                f"weights: expected {size} numbers of at least 0, not all 0, for "
                f'{names}, or "{SAMPLED}"; got {shown(weights)}'
            )
            raise InvalidArgumentError(message)
        return array

    def begin(self, rows: IntArray, *, anew: bool) -> None:
        """Draws weights uniformly from the simplex, where they are to be drawn."""
        super().begin(rows, anew=anew)
        if self._drawn and len(rows):
            # normalised exponential variables are uniform on the simplex
            uniforms = self.core.draw(rows, len(self.objectives))
            drawn = -log(1.0 - uniforms) + 1e-12
            self.weights[rows] = drawn / ordered_sum(drawn)[:, None]

    def normalised(self, rewards: FloatArray, numbers: IntArray) -> FloatArray:
        """Returns objectives ``(M, k)``: 0 at the front's nadir, 1 at its ideal."""
        return np.asarray((rewards - self._nadir[numbers]) / self._range[numbers])

    def shown(self) -> dict[str, Array]:
        """Shows the vector, and weights that are drawn."""
        drawn = {"weights": self.weights.copy()} if self._drawn else {}
        return {**super().shown(), **drawn}

    def observe(self) -> FloatArray:
        """Shows the weights."""
        return self.weights

    def scalars(
        self, rewards: FloatArray, rows: IntArray, numbers: IntArray
    ) -> FloatArray:
        """Applies the formula."""
        values = self.normalised(rewards, numbers)
        return self.formula(values, self.weights[rows])

    @abstractmethod
    def formula(self, values: FloatArray, weights: FloatArray) -> FloatArray:
        """Returns the numbers ``(M,)`` of normalised objectives and weights."""


class WeightedRule(Weighted):
    """See :class:`WeightedSum`."""

    def formula(self, values: FloatArray, weights: FloatArray) -> FloatArray:
        """See :func:`hwnas_env.maths.scalarise.weighted_sum`."""
        return weighted_sum(values, weights)


class ChebyshevRule(Weighted):
    """See :class:`Chebyshev`."""

    def formula(self, values: FloatArray, weights: FloatArray) -> FloatArray:
        """See :func:`hwnas_env.maths.scalarise.chebyshev`."""
        return chebyshev(values, weights, rho=self._parameters["rho"])


class BoundaryRule(Weighted):
    """See :class:`PenaltyBoundary`."""

    def formula(self, values: FloatArray, weights: FloatArray) -> FloatArray:
        """See :func:`hwnas_env.maths.scalarise.penalty_boundary`."""
        return penalty_boundary(values, weights, theta=self._parameters["theta"])


class EpsilonRule(Scalarisation):
    """See :class:`EpsilonConstraint`."""

    def __init__(
        self, env: AnyEnv | AnyVector, count: int, *, bounds: Mapping[str, float]
    ) -> None:
        """Takes one bound for every objective but the first."""
        super().__init__(env, count)
        names = [objective.name for objective in self.objectives[1:]]
        if not isinstance(bounds, Mapping):
            message = (
                f"bounds: expected a mapping of {', '.join(names)} to numbers, got "
                f"{shown(bounds)}"
            )
            raise InvalidArgumentError(message)
        for name in bounds:
            if name not in names:
                raise unknown_name(name, names, what="bounded objective")
        for name in names:
            bound = bounds.get(name)
            if bound is None or not (is_finite(bound) and bound > 0):
                message = (
                    f"bounds: expected a positive number for {name}, got {shown(bound)}"
                )
                raise InvalidArgumentError(message)
        points = np.array([[0.0, *(float(bounds[name]) for name in names)]])
        self._limits = self.vectors[0].of_points(points)[0, 1:]

    def scalars(
        self, rewards: FloatArray, rows: IntArray, numbers: IntArray
    ) -> FloatArray:
        """Returns the first objective, or minus the excess over the bounds."""
        del rows, numbers  # bounds are the same for all
        excess = (self._limits - rewards[:, 1:]) / np.abs(self._limits)
        broken = ordered_sum(np.clip(excess, 0.0, 1.0))
        return np.where(broken > 0, -broken, rewards[:, 0])


class VolumeRule(Scalarisation):
    """See :class:`HypervolumeImprovement`."""

    def __init__(self, env: AnyEnv | AnyVector, count: int, *, keep: str) -> None:
        """Keeps an archive a device for the whole run, or one a row and episode."""
        super().__init__(env, count)
        if keep not in ("run", "episode"):
            raise unknown_name(keep, ("run", "episode"), what="archive")
        self._keep = keep
        self._fronts = self.fronts()
        self._whole = [
            _volume(front, vector.reference)
            for front, vector in zip(self._fronts, self.vectors, strict=True)
        ]
        self._archives: dict[int, tuple[FloatArray, float]] = {}
        self._share = np.zeros(count)

    def begin(self, rows: IntArray, *, anew: bool) -> None:
        """Forgets the archives of a new run, or of new episodes."""
        super().begin(rows, anew=anew)
        if anew:
            self._archives.clear()
            self._share[:] = 0.0
        if self._keep == "episode":
            for row in rows.tolist():
                self._archives.pop(row, None)
            self._share[rows] = 0.0

    def scalars(
        self, rewards: FloatArray, rows: IntArray, numbers: IntArray
    ) -> FloatArray:
        """Adds networks to the archives, in order: what each adds to the volume."""
        import moocore  # here: most environments never need it

        gains = np.empty(len(rewards))
        empty = np.zeros((0, rewards.shape[1])), 0.0
        for place, (row, number) in enumerate(
            zip(rows.tolist(), numbers.tolist(), strict=True)
        ):
            key = row if self._keep == "episode" else number
            archive, before = self._archives.get(key, empty)
            points = np.vstack([archive, rewards[place]])
            kept: BoolArray = moocore.is_nondominated(-points, keep_weakly=False)
            share = self._share_of(points[kept], number)
            self._archives[key] = points[kept], share
            self._share[row] = share
            gains[place] = max(0.0, share - before)
        return gains

    def _share_of(self, points: FloatArray, number: int) -> float:
        """Returns the points' volume over the front's; of none, what was reached."""
        whole = self._whole[number]
        if whole > 0:
            return _volume(points, self.vectors[number].reference) / whole
        front = self._fronts[number]
        least = front - SAME * np.abs(front)
        reached = (points[:, None] >= least).all(axis=2).any(axis=0)
        return int(np.count_nonzero(reached)) / len(front)

    def shown(self) -> dict[str, Array]:
        """Shows the vector, and the share of the front's volume."""
        return {**super().shown(), "hypervolume": self._share.copy()}


def _volume(points: FloatArray, reference: FloatArray) -> float:
    import moocore

    return float(moocore.hypervolume(-points, ref=-reference))
