"""Measures a network on this machine as a device's own networks were measured."""

import tempfile
from collections.abc import Callable
from typing import Any

import numpy as np

from hwnas_env.errors import InvalidArgumentError
from hwnas_env.measuring import RUNTIMES, measure
from hwnas_env.problems.problem import Problem
from hwnas_env.types import Genotypes

Measure = Callable[[Genotypes], float]
"""A genotype ``(L,)`` to its cost in the metric's unit."""

BESIDE = 8
"""Networks of the device that are measured beside a new one, for the scale."""

ROUNDS = 12


def measures_here(problem: Problem) -> Measure:
    """Returns what measures a network's latency on this machine.

    A few of the networks that the device was fitted from are measured beside it; the
    result is on their scale, so that it counts how fast the machine was then.

    Args:
        problem: on a device that was measured on this machine.

    Raises:
        InvalidArgumentError: the device was measured elsewhere or in another way.
    """
    facts = problem.device.facts(problem.space.name).get("measured", {})
    rows: dict[str, Any] = facts.get(problem.dataset, {})
    runtime = rows.get("protocol", {}).get("runtime")
    if problem.metric != "latency_ms" or runtime not in RUNTIMES:
        message = (
            f"{problem.device.label}: its networks were not measured by this package "
            "on a machine; measure picks with your own tool, and give --rows FILE"
        )
        raise InvalidArgumentError(message)
    passes = [rows["latency_ms"], rows.get("latency_ms_again", rows["latency_ms"])]
    latencies = np.mean(passes, axis=0)
    order = np.argsort(latencies)
    spread = order[np.linspace(0, len(order) - 1, min(BESIDE, len(order))).astype(int)]
    words = [rows["networks"][row] for row in spread.tolist()]
    beside, known = problem.space.from_words(words), latencies[spread]

    def measured(genotype: Genotypes) -> float:
        networks = np.concatenate([genotype[None], beside])
        with tempfile.TemporaryDirectory() as folder:
            found = measure(
                problem.space,
                networks,
                folder=folder,
                dataset=problem.dataset,
                runtime=runtime,
                passes=1,
                rounds=ROUNDS,
                energy=False,
            )
        now = found.latency_ms[0]
        return float(now[0] * np.median(known / now[1:]))

    return measured
