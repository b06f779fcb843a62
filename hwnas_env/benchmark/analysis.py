"""What the costs of a search space say: correlations, and the best network a device.

The questions are those of HW-NAS-Bench (Li et al., ICLR 2021): how far counts and
devices agree on which network is cheap, and what a network that is best for one device
costs on another.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from hwnas_env.devices import get_device
from hwnas_env.errors import InvalidArgumentError
from hwnas_env.maths.statistics import kendall_tau_b
from hwnas_env.problems.device_costs import devices_with, make_device_costs
from hwnas_env.problems.make import choose_dataset, make_problem
from hwnas_env.spaces import get_space
from hwnas_env.types import FloatArray

SAMPLE = 5000
"""Networks that are compared where a space cannot be enumerated."""


@dataclass(frozen=True, eq=False)
class Correlations:
    """How columns of networks agree.

    Attributes:
        names: the columns.
        networks: how many networks were compared.
        kendall: ``(M, M)`` tau-b, NaN where fewer than three networks have both.
        pearson: ``(M, M)``.
    """

    names: tuple[str, ...]
    networks: int
    kendall: FloatArray
    pearson: FloatArray


def correlate(names: Sequence[str], table: FloatArray) -> Correlations:
    """Correlates columns over the rows that have both.

    Args:
        names: of the M columns.
        table: ``(N, M)``; NaN or inf where a network has no value.

    Raises:
        InvalidArgumentError: not one name a column.
    """
    if table.ndim != 2 or table.shape[1] != len(names):
        message = f"table: expected {len(names)} columns, got shape {table.shape}"
        raise InvalidArgumentError(message)
    size = len(names)
    kendall, pearson = np.eye(size), np.eye(size)
    for i in range(size):
        for j in range(i):
            both = np.isfinite(table[:, [i, j]]).all(axis=1)
            x, y = table[both, i], table[both, j]
            if len(x) < 3 or x.min() == x.max() or y.min() == y.max():
                tau = linear = np.nan
            else:
                tau, linear = kendall_tau_b(x, y), float(np.corrcoef(x, y)[0, 1])
            kendall[i, j] = kendall[j, i] = tau
            pearson[i, j] = pearson[j, i] = linear
    return Correlations(tuple(names), len(table), kendall, pearson)


def cost_correlations(
    space: str,
    *,
    dataset: str | None = None,
    devices: Sequence[str] | None = None,
    source: str = "builtin",
    sample: int = SAMPLE,
    seed: int = 0,
) -> Correlations:
    """Correlates every device's metrics, parameters and multiply-adds.

    Args:
        space: a search space; all networks count where it is enumerated, else a sample.
        dataset: one of the space's.
        devices: names; by default all with costs there.
        source: builtin, measured or auto.
        sample: networks of a space that is not.
        seed: of that sample.

    Raises:
        UnknownNameError: a name that does not exist.
        DataMissingError, NotMeasuredError: as their names say.
    """
    costs = make_device_costs(space, dataset=dataset, devices=devices, source=source)
    found = costs.space
    if found.has_numbers:
        rows = found.from_keys(np.arange(found.size))
    else:
        rows = found.sample(sample, rng=np.random.default_rng(seed))
    first = devices_with(found, dataset=costs.dataset)[0]
    problem = make_problem(space, device=first, dataset=costs.dataset)
    counted = tuple(found.counts(costs.dataset))
    counts = problem.evaluate(rows).costs[:, len(problem.metrics) - len(counted) :]
    table = np.column_stack([costs.evaluate(rows), counts])
    return correlate((*costs.names, *counted), table)


def best_by_device(
    space: str,
    *,
    dataset: str | None = None,
    devices: Sequence[str] | None = None,
    budget: str = "medium",
    source: str = "builtin",
) -> list[dict[str, Any]]:
    """Finds each device's exact optimum, and what it costs on the other devices.

    Args:
        space: a search space's name.
        dataset: one of the space's.
        devices: names; by default all with costs there.
        budget: tight, medium or loose, each device's own.
        source: builtin or measured.

    Returns:
        One row a device: "device", "architecture", "accuracy_percent", and "shares":
        by device, latency over that device's budget; None where it cannot run there.
    """
    found = get_space(space)
    if devices is None:
        devices = devices_with(found, dataset=dataset, source=source)
    dataset = choose_dataset(found, [get_device(name) for name in devices], dataset)
    problems = {
        device: make_problem(space, device=device, dataset=dataset, source=source)
        for device in devices
    }
    rows = []
    for name, problem in problems.items():
        best = problem.optimum(budget)
        network = best.genotypes[:1]
        shares = {}
        for other, asked in problems.items():
            cost = float(asked.known_costs(network)[0])
            share = cost / asked.budget(budget)
            shares[other] = round(share, 4) if np.isfinite(share) else None
        rows.append(
            {
                "device": name,
                "architecture": problem.decode(network[0]),
                "accuracy_percent": best.accuracy_percent,
                "shares": shares,
            }
        )
    return rows
