"""``python -m calibration.population``: what the real devices of a space share.

Writes the file that devices are drawn from (see hwnas_env/problems/device_law.py): a
list of networks, and for every dataset and packaged device how much of the mean cost
each term makes, by non-negative least squares on relative errors. With ``--judge`` it
prints how well drawn devices stand for real ones instead (see
:mod:`calibration.population_study`).
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np

import hwnas_env
from calibration.files import content
from calibration.numerics import nnls, rounded
from calibration.population_study import HEAD, judge
from hwnas_env.devices import DEVICES
from hwnas_env.engines.population import UNIT, mean_counts, priced_terms
from hwnas_env.engines.space import SearchSpace
from hwnas_env.fitting.known import costs_of, machine, packaged_devices
from hwnas_env.fitting.solve import LEAST_COST
from hwnas_env.problems.make import choose_metric
from hwnas_env.spaces import SEARCH_SPACES
from hwnas_env.types import FloatArray, Genotypes

NETWORKS = 1000
RIDGE = 0.3
"""Root of the penalty on a share, in rows: terms that look alike share evenly."""

SPACES = ("nasbench201", "fbnet", "mnasnet")


def networks_of(space: SearchSpace) -> Genotypes:
    """Draws the list of networks: ``(1000, L)`` int8, distinct."""
    drawn = space.sample(2 * NETWORKS, rng=np.random.default_rng(0))
    words = dict.fromkeys(space.words(drawn))
    return space.from_words(list(words)[:NETWORKS])


def shares(
    space: SearchSpace, dataset: str, name: str, *, metric: str, networks: Genotypes
) -> tuple[float, FloatArray]:
    """Returns a device's mean cost, and the share of each term in it.

    A device without the dataset is taken on one that it has: relative costs are alike.

    Args:
        space: the search space.
        dataset: one of its datasets, whose terms count.
        name: the device.
        metric: of the costs.
        networks: ``(N, L)``; those that the device cannot run are left out.

    Returns:
        The mean cost, and ``(1 + P,)``, the base first.
    """
    device = DEVICES[name]
    having = device.datasets_in(space.name)
    chosen = dataset if dataset in having else having[0]
    costs = costs_of(space, device, chosen, networks)[metric]
    terms = priced_terms(space, dataset)
    counts = terms.count(networks) / mean_counts(terms, networks)
    counts = np.hstack([np.ones((len(counts), 1)), counts])
    run = np.isfinite(costs)
    level = float(costs[run].mean())
    size = np.maximum(costs[run] / level, LEAST_COST)
    matrix = counts[run] / size[:, None]
    ridge = RIDGE * np.eye(counts.shape[1])
    target = np.concatenate([costs[run] / level / size, np.zeros(len(ridge))])
    return level, nnls(np.concatenate([matrix, ridge]), target)


def population(space: SearchSpace) -> dict[str, Any]:
    """Computes what the file of a space holds."""
    names = packaged_devices(space.name)
    metric = choose_metric(space, [DEVICES[name] for name in names], None)
    networks = networks_of(space)
    costs: dict[str, dict[str, float]] = {}
    rows: dict[str, dict[str, list[int]]] = {}
    for dataset in space.datasets:
        for name in names:
            level, found = shares(
                space, dataset, name, metric=metric, networks=networks
            )
            costs.setdefault(dataset, {})[name] = rounded(level)
            whole = np.round(found * UNIT).astype(int).tolist()
            rows.setdefault(dataset, {})[name] = whole
    return {
        "metric": metric,
        "networks": " ".join(space.words(networks)),
        "machines": {name: machine(DEVICES[name]) for name in names},
        "mean_costs": costs,
        "shares_millionths": rows,
    }


def main() -> None:
    """Writes the files, or prints the table."""
    root = Path(hwnas_env.__file__).parent / "spaces"
    judged = "--judge" in sys.argv[1:]
    if judged:
        sys.stdout.write(HEAD)
    for name in SPACES:
        space = SEARCH_SPACES[name]
        if judged:
            sys.stdout.write(judge(space))
            continue
        path = root / name / "population.json"
        path.write_bytes(content(population(space)))
        sys.stdout.write(f"wrote {path} ({path.stat().st_size} bytes)\n")


if __name__ == "__main__":
    main()
