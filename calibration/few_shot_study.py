"""``python -m calibration.few_shot_study REFERENCE``: fits of measured devices.

Every setting of the reference data is fitted from the first networks of the space's
list and compared with all others that were measured. What is known are the package's
devices without any setting of the same machine.
"""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from calibration.designs import chosen
from calibration.help_devices import COLUMNS
from hwnas_env.devices import DEVICES
from hwnas_env.engines.space import SearchSpace
from hwnas_env.fitting.cards import predicted
from hwnas_env.fitting.fit import fitted
from hwnas_env.fitting.known import packaged_devices
from hwnas_env.fitting.rows import MeasuredRows
from hwnas_env.fitting.verifying import verify
from hwnas_env.maths.statistics import kendall_tau_b, spearman
from hwnas_env.problems.make import make_problem
from hwnas_env.spaces import SEARCH_SPACES
from hwnas_env.types import FloatArray, Genotypes

SAMPLES = (10, 20, 50)
METRIC = "latency_ms"
TEST = ("raspi4", "eyeriss", "fpga")
"""HELP's test devices that are in the reference data."""

BUDGETS = (0.10, 0.25, 0.50)
"""Quantiles of the measured costs that are budgets of the checks."""


class Setting(NamedTuple):
    """One measured column.

    Attributes:
        name: what was measured.
        device: name of a device of the same machine; "" for a machine that is not here.
        networks: ``(N, L)``.
        costs: ``(N,)``.
    """

    name: str
    device: str
    networks: Genotypes
    costs: FloatArray


class Score(NamedTuple):
    """How a fit follows the other networks of a setting."""

    name: str
    tau_b: float
    spearman: float
    mape_percent: float


def cell_settings(reference: Path) -> Iterator[Setting]:
    """Yields the settings of NAS-Bench-201; cells that ignore their input are left."""
    space = SEARCH_SPACES["nasbench201"]
    every = space.genotypes()  # type: ignore[attr-defined]
    alive = ~space.constant(every)
    names = {column: name for name, column in COLUMNS.items()}
    for file in ("help_nb201_latency", "hwnasbench_nb201_cifar10", "nb201_pi5_pixel"):
        with np.load(reference / f"{file}.npz") as data:
            for column in data.files:
                device = names.get(column, column.split("_")[0])
                device = device if device in DEVICES else ""
                if column == "fpga_energy" or column.endswith("_intensity"):
                    continue  # 7.0 times the latency, and no cost
                costs = data[column].astype(np.float64)
                held = alive & np.isfinite(costs) & (costs > 0)
                yield Setting(column, device, every[held], costs[held])


def chain_settings(reference: Path) -> Iterator[Setting]:
    """Yields the settings of FBNet, all on the same 4,000 networks."""
    names = {column: name for name, column in COLUMNS.items()}
    for file in ("help_fbnet_latency_4000", "hwnasbench_fbnet_cifar100_4000"):
        with np.load(reference / f"{file}.npz") as data:
            networks = data["genotypes"].astype(np.int8)
            for column in data.files:
                device = names.get(column, column.split("_")[0])
                if device in DEVICES:
                    yield Setting(column, device, networks, data[column])


def listed(space: SearchSpace, setting: Setting, count: int) -> list[int]:
    """Returns the rows of the space's list that were measured, the first ones."""
    place = {word: row for row, word in enumerate(space.words(setting.networks))}
    return [place[w] for w in space.words(space.design.fit) if w in place][:count]


def known_without(space: SearchSpace, setting: Setting) -> list[str]:
    """Returns the known devices: the package's without the setting's machine."""
    without = [setting.device] if setting.device else []
    return packaged_devices(space.name, without=without)


def estimate_all(
    space: SearchSpace, dataset: str, setting: Setting, rows: Sequence[int]
) -> FloatArray:
    """Fits a setting from some rows, and estimates all of them: ``(N,)``."""
    measured = _rows(space, dataset, setting, list(rows))
    every = np.ones(len(rows), dtype=np.bool_)
    known = known_without(space, setting)
    model = fitted(measured, METRIC, every, known=known)
    asked = _rows(space, dataset, setting, list(range(len(setting.costs))))
    return predicted(asked, model)


def _rows(
    space: SearchSpace, dataset: str, setting: Setting, rows: list[int]
) -> MeasuredRows:
    return MeasuredRows(
        *(space, dataset, setting.networks[rows]),
        {METRIC: setting.costs[rows]},
        validation=np.zeros(len(rows), dtype=np.bool_),
    )


def score(
    space: SearchSpace, dataset: str, setting: Setting, rows: Sequence[int]
) -> Score:
    """Compares a fit from some rows with the rest."""
    estimate = estimate_all(space, dataset, setting, rows)
    rest = np.setdiff1d(np.arange(len(setting.costs)), rows)
    one, other = estimate[rest], setting.costs[rest]
    error = 100.0 * float(np.abs(one / other - 1.0).mean())
    return Score(setting.name, kendall_tau_b(one, other), spearman(one, other), error)


def cells(reference: Path, count: int) -> list[Score]:
    """Fits every setting of NAS-Bench-201 from so many networks of the list."""
    space = SEARCH_SPACES["nasbench201"]
    return [
        score(space, "cifar10", one, listed(space, one, count))
        for one in cell_settings(reference)
    ]


def chains(reference: Path, count: int) -> list[Score]:
    """Fits every setting of FBNet from so many of the 4,000, chosen as lists are."""
    space, scores = SEARCH_SPACES["fbnet"], []
    order: list[int] = []
    for one in chain_settings(reference):
        if not order:
            known = packaged_devices(space.name)
            networks = chosen(space, one.networks, known=known, count=max(SAMPLES))
            words = space.words(one.networks)
            order = [words.index(word) for word in space.words(networks)]
        scores.append(score(space, "cifar100", one, order[:count]))
    return scores


def checked(reference: Path, count: int, checks: int) -> list[float | None]:
    """Searches every cifar10 setting on its fit, with checks on what was measured.

    Returns:
        For each setting and budget the regret in percent of accuracy against the best
        measured network; None where no check kept the budget.
    """
    found: list[float | None] = []
    for one in cell_settings(reference):
        if one.device:
            found += _regrets(one, count, checks)
    return found


def _regrets(setting: Setting, count: int, checks: int) -> list[float | None]:
    space = SEARCH_SPACES["nasbench201"]
    rows = space.index(setting.networks)
    estimate = estimate_all(space, "cifar10", setting, listed(space, setting, count))
    column = np.full(space.size, np.inf)  # what was not measured cannot be chosen
    column[rows] = estimate
    truth = dict(
        zip(space.words(setting.networks), setting.costs.tolist(), strict=True)
    )
    problem = make_problem("nasbench201", costs={METRIC: column})
    accuracy = problem.evaluate(setting.networks).accuracy_percent
    regrets: list[float | None] = []
    for quantile in BUDGETS:
        budget = float(np.quantile(setting.costs, quantile))
        verifier = verify(
            problem,
            budget,
            measure=lambda row: truth[space.words(row[None])[0]],
            checks=checks,
        )
        best = float(accuracy[setting.costs <= budget].max())
        kept = verifier.best
        regrets.append(None if kept is None else best - kept.accuracy_percent)
    return regrets


def report(reference: Path) -> Iterator[str]:
    """Yields lines that say how good fits of few networks are."""
    for count in SAMPLES:
        scores = cells(reference, count)
        groups = {
            "all": scores,
            "datasets of the space": [s for s in scores if s.name not in ELSEWHERE],
            "HELP's test devices": [s for s in scores if s.name in CELL_TEST],
        }
        for name, those in groups.items():
            yield _line(f"nasbench201, {count} networks, {name}", those)
    for count in SAMPLES:
        scores = chains(reference, count)
        test = [s for s in scores if s.name.removesuffix("_latency") in TEST]
        yield _line(f"fbnet, {count} networks, all", scores)
        yield _line(f"fbnet, {count} networks, HELP's test devices", test)
    for checks in (1, 3, 5):
        found = checked(reference, 20, checks)
        kept = [regret for regret in found if regret is not None]
        yield (
            f"nasbench201, 20 networks and {checks} checks: {len(found)} searches, "
            f"{100 * (1 - len(kept) / len(found)):.1f} % break the budget, mean regret "
            f"{np.mean(kept):.3f} points"
        )


CELL_TEST = tuple(f"{name}_latency" for name in TEST)
ELSEWHERE = tuple(
    f"{board}_{dataset}_{metric}"
    for board in ("pi5_litert", "pi5_onnx", "pi5_torchmobile", "pixel_litert")
    for dataset in ("darcy", "ninapro")
    for metric in ("latency_ms", "energy_mj")
)
"""Settings of networks for other tasks than the space's datasets."""


def _line(what: str, scores: Sequence[Score]) -> str:
    tau, rank, error = np.mean([score[1:] for score in scores], axis=0)
    return (
        f"{what} ({len(scores)} settings): tau-b {tau:.4f}, Spearman {rank:.4f}, MAPE "
        f"{error:.2f} %"
    )


if __name__ == "__main__":
    for text in report(Path(sys.argv[1])):
        sys.stdout.write(f"{text}\n")
