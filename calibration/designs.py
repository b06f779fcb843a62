"""``python -m calibration.designs REFERENCE``: which networks to measure on a device.

The list of a space is greedy and I-optimal: each network is the one that lowers the
expected relative error over the space most, given those before it, if weights of the
space's terms vary as they do among the known devices. So a longer list continues a
shorter one. The lists are committed; a new device in the package changes none.
"""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

import hwnas_env
from calibration.files import content
from hwnas_env.engines.space import SearchSpace
from hwnas_env.fitting.known import counts_of, known_costs, packaged_devices
from hwnas_env.fitting.solve import along_known
from hwnas_env.spaces import SEARCH_SPACES
from hwnas_env.spaces.nasbench201.terms import ignores_input
from hwnas_env.types import FloatArray, Genotypes

LISTED, VALIDATED = 60, 50
CANDIDATES = 4000

LEVEL, SPREAD, NOISE = 0.3, 0.03, 0.03
"""Assumed relative deviations: of the level, of a group of terms, of a measurement."""

CONSTANT_AT = (10, 25)
"""Places of cells whose output ignores their input: whether the runtime runs them."""


def chosen(
    space: SearchSpace, networks: Genotypes, *, known: list[str], count: int
) -> Genotypes:
    """Chooses networks one after another: ``(count, L)`` int8.

    Args:
        space: the search space.
        networks: the candidates ``(N, L)``.
        known: names of the known devices.
        count: how many.
    """
    dataset = space.default_dataset
    prior, terms = known_costs(space, dataset, known), space.terms(dataset)
    counts = counts_of(space, dataset, networks)
    mean = counts @ prior.weights.mean(axis=0)
    varied = counts @ along_known(prior)
    groups = np.array(["base", *terms.groups])
    standard = (counts - prior.scaling.mean) / prior.scaling.deviation
    parts = [np.full((len(networks), 1), LEVEL), varied / mean[:, None]]
    for group in dict.fromkeys(terms.groups):
        columns = standard[:, groups == group]
        parts.append(SPREAD * columns / np.sqrt(columns.shape[1]) / mean[:, None])
    return networks[_greedy(np.concatenate(parts, axis=1), count)]


def _greedy(features: FloatArray, count: int) -> list[int]:
    moments = features.T @ features / len(features)
    covariance = np.eye(features.shape[1])
    free, order = np.ones(len(features), dtype=bool), []
    for _ in range(count):
        spread = features @ covariance
        own = NOISE**2 + (spread * features).sum(axis=1)
        gain = np.where(free, ((spread @ moments) * spread).sum(axis=1) / own, -1.0)
        best = int(gain.argmax())
        order.append(best)
        free[best] = False
        covariance -= np.outer(spread[best], spread[best]) / own[best]
    return order


def cells(reference: Path) -> tuple[Genotypes, Genotypes]:
    """Returns the lists of NAS-Bench-201: of cells that published tables have."""
    space = SEARCH_SPACES["nasbench201"]
    with np.load(reference / "help_nb201_latency.npz") as data:
        held = np.isfinite(data[data.files[0]])
    every, dead = space.genotypes(), ignores_input()  # type: ignore[attr-defined]
    rng = np.random.default_rng(0)
    pool = rng.permutation(np.flatnonzero(held & ~dead))
    known = packaged_devices(space.name)
    fit = chosen(space, every[pool[:CANDIDATES]], known=known, count=LISTED - 2)
    work = space.flops(every, dataset="cifar10")  # type: ignore[attr-defined]
    for place, row in zip(
        CONSTANT_AT,
        np.flatnonzero(held & dead)[np.argsort(work[held & dead])][[-1, 0]],
        strict=True,
    ):
        fit = np.insert(fit, place, every[row], axis=0)
    return fit, every[pool[CANDIDATES : CANDIDATES + VALIDATED]]


def chains(name: str) -> Callable[[Path], tuple[Genotypes, Genotypes]]:
    """Returns what makes the lists of a layered space."""

    def lists(reference: Path) -> tuple[Genotypes, Genotypes]:
        del reference
        space, rng = SEARCH_SPACES[name], np.random.default_rng(0)
        networks = np.unique(space.sample(CANDIDATES, rng=rng), axis=0)
        known = packaged_devices(name)
        fit = chosen(space, networks, known=known, count=LISTED)
        return fit, space.sample(VALIDATED, rng=rng)

    return lists


DESIGNS: dict[str, Callable[[Path], tuple[Genotypes, Genotypes]]] = {
    "nasbench201": cells,
    "fbnet": chains("fbnet"),
    "mnasnet": chains("mnasnet"),
}

if __name__ == "__main__":
    root = Path(hwnas_env.__file__).parent / "spaces"
    for name, make in DESIGNS.items():
        space = SEARCH_SPACES[name]
        fit, validation = (space.words(rows) for rows in make(Path(sys.argv[1])))
        path = root / name / "design.json"
        lists = {"fit": list(fit), "validation": list(validation)}
        path.write_bytes(content(lists))
        sys.stdout.write(f"wrote {path} ({path.stat().st_size} bytes)\n")
