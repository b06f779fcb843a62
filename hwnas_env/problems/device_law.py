"""The law by which devices are drawn: near a real one, and varied as real ones vary.

In logarithms of the shares that terms have in the mean cost, a drawn device is

    v = v_d + u^2 * sum_e g_e sqrt(w_e) (v_e - m)

with ``d`` a real device (each machine equally likely, and each of its settings), ``u``
uniform in [0, 1), ``g`` standard normal, ``w`` the probabilities of the real devices
and ``m`` their mean. The sum is a normal vector with the covariance of the real
devices: terms that rise together among them rise together here. With ``u`` near 0 the
device is nearly a real one; with ``u`` near 1 it is as far from it as real ones are
from each other. The mean cost is log-uniform over the range of the real ones'.

Everything is a function of uniform numbers by operations that IEEE 754 rounds in one
way, so a device has the same bits on every machine.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hwnas_env.engines.population import Population
from hwnas_env.errors import InvalidArgumentError, unknown_name
from hwnas_env.maths.elementary import cosine_of_turns, exp, log, ordered_sum
from hwnas_env.showing import Outlined
from hwnas_env.types import FloatArray, IntArray

LEAST_SHARE = 0.003
"""What is added to all shares together before logarithms, the same to each."""


@dataclass(frozen=True, eq=False)
class DeviceLaw(Outlined):
    """The law of a space's devices, from D real ones; immutable.

    Attributes:
        logs: ``(D, 1 + P)`` logarithms of shares.
        settings: the rows of each machine.
        directions: ``(D, 1 + P)``, ``sqrt(w_e) (v_e - m)``.
        log_costs: logarithms of the smallest and the largest mean cost.
    """

    logs: FloatArray
    settings: tuple[IntArray, ...]
    directions: FloatArray
    log_costs: tuple[float, float]

    @classmethod
    def of(
        cls, population: Population, dataset: str, *, without: Sequence[str] = ()
    ) -> "DeviceLaw":
        """Fits the law to the real devices.

        Args:
            population: what they have in common.
            dataset: of the costs.
            without: names of devices that it must know nothing of; whatever is of the
                same machine is left out too.

        Raises:
            UnknownNameError: a name that is not in the population.
            InvalidArgumentError: no device is left.
        """
        machines = population.machines
        for name in without:
            if name not in machines:
                raise unknown_name(name, machines, what="device of the population")
        left_out = {machines[name] for name in without}
        names = [name for name in machines if machines[name] not in left_out]
        if not names:
            message = "without: expected that some real device is left, got all of them"
            raise InvalidArgumentError(message)
        own = [machines[name] for name in names]
        settings = tuple(
            np.flatnonzero([one == machine for one in own])
            for machine in dict.fromkeys(own)
        )
        weights = np.array([1.0 / (len(settings) * own.count(one)) for one in own])
        shares = np.array([population.shares[dataset][name] for name in names])
        logs = log(shares + LEAST_SHARE / shares.shape[1])
        mean = ordered_sum((logs * weights[:, None]).T)
        costs = [population.costs[dataset][name] for name in names]
        low, high = log([min(costs), max(costs)]).tolist()
        directions = np.sqrt(weights)[:, None] * (logs - mean)
        return cls(logs, settings, directions, (low, high))

    @property
    def uniforms(self) -> int:
        """How many uniform numbers a draw takes."""
        return 4 + 2 * len(self.logs)

    def draw(self, uniforms: FloatArray) -> FloatArray:
        """Draws a device: what the mean count of each term costs, ``(1 + P,)``.

        Args:
            uniforms: ``(uniforms,)`` in [0, 1).
        """
        first, second, near, speed = uniforms[:4].tolist()
        rows = self.settings[math.floor(first * len(self.settings))]
        row = rows[math.floor(second * len(rows))]
        # Two uniform numbers make a normal one (Box and Muller, 1958).
        one, other = uniforms[4:].reshape(2, -1)
        normal = np.sqrt(-2.0 * log(1.0 - one)) * cosine_of_turns(other)
        moved = ordered_sum((normal[:, None] * self.directions).T)
        shares = exp(self.logs[row] + near * near * moved)
        low, high = self.log_costs
        cost = float(exp(low + speed * (high - low)))
        return np.asarray(shares * (cost / float(ordered_sum(shares))))
