"""How well drawn devices stand for real ones: each machine left out in turn.

For every machine of the package, devices are drawn by a law that knows nothing of it,
and compared with it on networks of the population: by Kendall's tau-b of costs, and by
what describes a device in an observation.
"""

import itertools
from collections.abc import Iterator

import numpy as np

from hwnas_env.devices import DEVICES
from hwnas_env.engines.space import SearchSpace
from hwnas_env.envs.config import describe_devices
from hwnas_env.maths.statistics import kendall_tau_b
from hwnas_env.problems.make import make_problem
from hwnas_env.problems.problem import Problem
from hwnas_env.problems.random_devices import random_devices
from hwnas_env.types import FloatArray

DRAWN, PAIRED = 300, 60
"""Devices that are drawn for each machine, and those whose pairs are compared."""

NETWORKS = 400
"""Networks of the population that costs are compared on."""

HEAD = (
    "| space, dataset (devices) | nearest drawn | nearest real | drawn is nearer | "
    "mean drawn | pairs of drawn | pairs of real | described within |\n"
    "|---|---|---|---|---|---|---|---|\n"
)


def judge(space: SearchSpace) -> str:
    """Returns the rows of the table, one a dataset."""
    return "".join(_row(space, dataset) for dataset in space.datasets)


def _row(space: SearchSpace, dataset: str) -> str:
    population = space.population
    machines = population.machines
    names = [
        name for name in machines if dataset in DEVICES[name].datasets_in(space.name)
    ]
    real = {
        name: make_problem(
            space.name, device=name, dataset=dataset, metric=population.metric
        )
        for name in names
    }
    costs = {name: _costs(problem) for name, problem in real.items()}
    pairs = {
        pair: _tau(costs[pair[0]], costs[pair[1]])
        for pair in itertools.permutations(names, 2)
        if machines[pair[0]] != machines[pair[1]]
    }
    nearest, mean, near_real, within = [], [], [], []
    for machine in dict.fromkeys(machines[name] for name in names):
        own = [name for name in names if machines[name] == machine]
        drawn = list(_drawn(space, dataset, own[0], count=DRAWN))
        rows = [_costs(problem) for problem in drawn]
        tails = describe_devices(drawn)
        for name in own:
            taus = [_tau(costs[name], row) for row in rows]
            nearest.append(max(taus))
            mean.append(sum(taus) / len(taus))
            near_real.append(max(tau for pair, tau in pairs.items() if pair[0] == name))
            tail = describe_devices([real[name]])[0]
            inside = (tails.min(axis=0) <= tail) & (tail <= tails.max(axis=0))
            within.append(inside.mean())
    rows = [_costs(one) for one in _drawn(space, dataset, None, count=PAIRED)]
    among = [_tau(one, other) for one, other in itertools.combinations(rows, 2)]
    won = sum(a >= c for a, c in zip(nearest, near_real, strict=True))
    cells = [
        f"{space.label}, {dataset} ({len(names)})",
        *(f"{np.median(taus):.3f} ({min(taus):.2f})" for taus in (nearest, near_real)),
        f"{won} of {len(names)}",
        f"{np.median(mean):.2f}",
        *(_quartiles(taus) for taus in (among, list(pairs.values()))),
        f"{100 * np.mean(within):.0f} %",
    ]
    return f"| {' | '.join(cells)} |\n"


def _drawn(
    space: SearchSpace, dataset: str, without: str | None, *, count: int
) -> Iterator[Problem]:
    left_out = () if without is None else (without,)
    devices = random_devices(space.name, dataset=dataset, without=left_out)
    return map(devices.draw, range(count))


def _costs(problem: Problem) -> FloatArray:
    return problem.known_costs(problem.space.population.networks[:NETWORKS])


def _tau(one: FloatArray, other: FloatArray) -> float:
    """Returns tau-b over the networks that both devices run."""
    run = np.isfinite(one) & np.isfinite(other)
    return kendall_tau_b(one[run], other[run])


def _quartiles(taus: list[float]) -> str:
    return " / ".join(f"{tau:.2f}" for tau in np.percentile(taus, [0, 25, 50, 75, 100]))
