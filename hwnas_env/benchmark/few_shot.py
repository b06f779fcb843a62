"""Few-shot latency prediction beside what was published of it.

A device is new: ten or so of its networks are measured, and the latency of all others
is predicted. HELP (Lee et al., NeurIPS 2021) learns that from other devices; we fit the
device (see ``hwnas_env.fitting``). A device that is tested is left out of what is
known, with every setting of the same machine.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from hwnas_env.arguments import check_name, check_whole
from hwnas_env.benchmark.splits import SPLITS
from hwnas_env.devices import get_device
from hwnas_env.engines.forms import TableSpace
from hwnas_env.engines.space import SearchSpace
from hwnas_env.errors import DataError, NotMeasuredError
from hwnas_env.fitting.cards import predicted
from hwnas_env.fitting.fit import fitted
from hwnas_env.fitting.known import machine, packaged_devices
from hwnas_env.fitting.rows import MeasuredRows
from hwnas_env.maths.statistics import kendall_tau_b, spearman
from hwnas_env.problems.make import make_problem
from hwnas_env.spaces import get_space
from hwnas_env.types import FloatArray, Genotypes

FEW_SHOT = "few-shot"
"""The experiment's name."""

SAMPLES = (10, 20, 50)
TESTED = 4000
"""Networks of a layered space that predictions are compared on."""

DRAWS = 20
"""Random draws of the measured networks."""

SPLIT, METRIC = "HELP", "latency_ms"
DATASETS: Mapping[str, str] = MappingProxyType(
    {"nasbench201": "cifar10", "fbnet": "cifar100"}
)
"""The spaces of the published table, and the datasets there."""

PUBLISHED: Mapping[str, Mapping[str, float]] = MappingProxyType(
    {
        "nasbench201": MappingProxyType(
            {
                "HELP, 10 networks": 0.932,
                "BRP-NAS, 900 networks": 0.789,
                "multiply-adds": 0.787,
            }
        ),
        "fbnet": MappingProxyType({"HELP, 10 networks": 0.910}),
    }
)
"""Published mean Spearman correlations over the six test devices of HELP."""

DIFFERENCES = (
    "the truth is what was measured where HW-NAS-Bench is imported (hwnas-env data "
    "fetch); a built-in column that is a fit itself is smoother, and easier to follow",
    "three of HELP's six test devices are here; its mean is over all six",
    "HELP draws the ten networks at random; ours are a fixed list, draws beside it",
    "HELP learns from 900 measured networks of each training device; our known devices "
    "are their fitted files, those of the training split or all of the package",
    "the fixed list was chosen with all devices of the package known, the tested ones "
    "among them; the draws were not",
)
"""What differs from the published protocol."""


@dataclass(frozen=True)
class FewShot:
    """One device that was fitted from a few of its networks.

    Attributes:
        space: the search space's name.
        device: the device's name.
        source: what the truth is: measured, or builtin, whose kind it says.
        known: "all" devices of the package, or those of the split.
        chosen: "list", the fixed one of the space, or "drawn".
        networks: how many were measured.
        spearman: correlation with the truth, a mean over draws.
        tau_b: likewise.
        mape_percent: likewise.
    """

    space: str
    device: str
    source: str
    known: str
    chosen: str
    networks: int
    spearman: float
    tau_b: float
    mape_percent: float


def few_shot(
    space: str, *, samples: Sequence[int] = SAMPLES, draws: int = DRAWS
) -> list[FewShot]:
    """Fits each test device of the split from a few networks.

    Args:
        space: nasbench201 or fbnet.
        samples: how many networks are measured.
        draws: random draws of them, beside the fixed list.
    """
    check_name(space, DATASETS, what="space of the published table")
    check_whole(draws, what="draws", most=10_000)
    found, split = get_space(space), SPLITS[SPLIT][space]
    results = []
    for name in split.test:
        networks, costs, source = _truth(found, name)
        own = machine(get_device(name))
        every = packaged_devices(space, without=[name])
        train = [one for one in split.train if machine(get_device(one)) != own]
        for known, names in (("all", every), (SPLIT, train)):
            for count in samples:
                one = _Trial(found, DATASETS[space], networks, costs, names)
                said = (space, name, source, known)
                listed = one.scores(one.listed(count))
                results.append(FewShot(*said, "list", count, *listed))
                if draws:
                    rows = [one.drawn(count, seed) for seed in range(draws)]
                    mean = np.mean([one.scores(row) for row in rows], axis=0)
                    results.append(FewShot(*said, "drawn", count, *mean.tolist()))
    return results


@dataclass(frozen=True, eq=False)
class _Trial:
    """A device's networks and costs, and which devices are known."""

    space: SearchSpace
    dataset: str
    networks: Genotypes
    costs: FloatArray
    known: list[str]

    def listed(self, count: int) -> list[int]:
        """Returns the rows of the fixed list that are held."""
        place = {word: row for row, word in enumerate(self.space.words(self.networks))}
        words = self.space.words(self.space.design.fit)
        return [place[word] for word in words if word in place][:count]

    def drawn(self, count: int, seed: int) -> list[int]:
        """Returns rows drawn at random."""
        rng = np.random.default_rng([seed, count])
        found: list[int] = rng.choice(len(self.costs), count, replace=False).tolist()
        return found

    def scores(self, rows: list[int]) -> tuple[float, float, float]:
        """Fits to some rows and compares the rest: Spearman, tau-b, MAPE in percent."""
        measured = MeasuredRows(
            *(self.space, self.dataset, self.networks[rows]),
            {METRIC: self.costs[rows]},
            validation=np.zeros(len(rows), dtype=np.bool_),
        )
        every = np.ones(len(rows), dtype=np.bool_)
        model = fitted(measured, METRIC, every, known=self.known)
        rest = np.setdiff1d(np.arange(len(self.costs)), rows)
        asked = MeasuredRows(
            *(self.space, self.dataset, self.networks[rest]),
            {METRIC: self.costs[rest]},
            validation=np.zeros(len(rest), dtype=np.bool_),
        )
        estimate, truth = predicted(asked, model), self.costs[rest]
        error = 100.0 * float(np.abs(estimate / truth - 1.0).mean())
        return spearman(estimate, truth), kendall_tau_b(estimate, truth), error


def _truth(space: SearchSpace, device: str) -> tuple[Genotypes, FloatArray, str]:
    """Returns networks of a device with their costs, and where these come from.

    Networks whose output ignores their input are left out where the space marks them.
    """
    dataset = DATASETS[space.name]
    problem = make_problem(space.name, device=device, dataset=dataset, metric=METRIC)
    if not isinstance(space, TableSpace):
        networks = _listed_and_drawn(space)
        costs, source = problem.known_costs(networks), "builtin"
    else:
        networks = space.genotypes()
        try:
            held = space.held_columns(problem.device, dataset)[METRIC]
            costs, source = np.asarray(held, dtype=np.float64), "measured"
        except (DataError, KeyError, NotMeasuredError):
            costs, source = problem.known_costs(networks), "builtin"
    if source == "builtin":
        source += f" ({problem.provenance[METRIC].kind})"
    kept = np.isfinite(costs) & (costs > 0) & ~space.constant(networks)
    return networks[kept], costs[kept], source


def _listed_and_drawn(space: SearchSpace) -> Genotypes:
    drawn = space.sample(TESTED, rng=np.random.default_rng(1))
    return np.unique(np.concatenate([space.design.fit, drawn]), axis=0)
