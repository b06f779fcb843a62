"""Prints the figures that docs/audit.md quotes.

    python -m calibration.audit_study REFERENCE [FIGURE]

REFERENCE is the folder that holds ``hwnasbench_nb201_cifar10.npz`` and, for the last
table, ``nb201_pi5_pixel.npz`` and ``help_nb201_latency.npz``. FIGURE is a file in which
four of these are drawn.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from hwnas_env.devices import DEVICES
from hwnas_env.maths.audit import Audit, audit
from hwnas_env.maths.statistics import kendall_tau_b
from hwnas_env.problems.audited import Audited, Column
from hwnas_env.problems.make import make_problem
from hwnas_env.reports.terminal.auditing import audit_figure
from hwnas_env.spaces.nasbench201.space import SPACE
from hwnas_env.types import BoolArray, FloatArray, IntArray

DATASET = "cifar10"
PUBLISHED = ("pixel3", "raspi4", "edgegpu", "edgetpu", "eyeriss", "fpga")
TIGHT = tuple(number / 100 for number in range(2, 31))
"""Budgets, as quantiles of the fitted latency."""

FOLDED = 0.1
"""Milliseconds that a network takes at most whose output ignores its input."""

HELP = {
    "1080ti": "gtx1080ti",
    "2080ti": "rtx2080ti",
    "titan": "titan",
    "essential": "essential",
    "gold": "xeongold6240",
    "silver_4114": "xeonsilver4114",
    "silver_4210r": "xeonsilver4210r",
    "samsung_a50": "galaxya50",
    "samsung_s7": "galaxys7",
}
"""How the names in HELP's file begin, and those of our devices."""


def fitted(device: str) -> FloatArray:
    """Returns a device's built-in column, NaN where it cannot run a network."""
    costs = SPACE.costs(DEVICES[device], DATASET)
    metric = DEVICES[device].metrics_in(SPACE.name)[0]
    return np.where(costs.deployable, costs.values[metric], np.nan)


def classes() -> IntArray:
    """Returns the isomorphism class of every row."""
    found = SPACE.isomorphism_class(SPACE.genotypes())
    assert found is not None, "the space has classes"
    return found


def measured(reference: Path) -> dict[str, FloatArray]:
    """Returns the published latencies by device, NaN where there are none."""
    with np.load(reference / "hwnasbench_nb201_cifar10.npz") as arrays:
        columns = {device: arrays[f"{device}_latency"] for device in PUBLISHED}
    columns["edgetpu"] = np.where(
        columns["edgetpu"] == -1.0, np.nan, columns["edgetpu"]
    )
    return columns


def summary(name: str, found: Audit) -> str:
    """Writes one line on an audit."""
    held = len(found.sequence)
    words = [f"{name:48}{held:7,}{100 * found.noise:8.1f}{found.window:8}"]
    masks = (found.suspect, found.shifted, found.outlier)
    words += [f"{100 * np.count_nonzero(mask) / held:9.2f}" for mask in masks]
    repeats = found.repeats
    assert repeats is not None, "groups were given"
    words.append(f"{len(found.bands):7}{100 * repeats.spread:10.1f}")
    return "".join(words) + f"{repeats.shared:7} of {repeats.twins}"


TITLE = (
    f"{'':48}{'rows':>7}{'noise %':>8}{'window':>8}{'suspect':>9}{'bands %':>9}"
    f"{'outl. %':>9}{'bands':>7}{'repeats %':>10}  twins"
)


def ratios(found: Audit) -> str:
    """Writes which shares of rows are how far from what is usual."""
    ratio = found.ratio[found.sequence]
    bounds = (0.8, 0.9, 0.95, 0.97, 1.05, 1.2, 1.3, 1.6)
    shares = [ratio < b if b < 1 else ratio > b for b in bounds]
    return "  ".join(
        f"{'<' if b < 1 else '>'}{b}: {100 * share.mean():.1f} %"
        for b, share in zip(bounds, shares, strict=True)
    )


def outside(found: Audit) -> BoolArray:
    """Marks rows outside the stretches of bands, whatever they are themselves."""
    mask = ~np.isnan(found.ratio)
    for band in found.bands:
        mask[band.first : band.last + 1] = False
    return mask


def fidelity(name: str, column: FloatArray, found: Audit) -> str:
    """Writes how well the fit follows all rows and clean ones."""
    fit, held = fitted(name), ~np.isnan(found.ratio)
    words = []
    for which, rows in (
        ("all", held),
        ("outside bands", outside(found)),
        ("clean", held & ~found.suspect),
    ):
        error = 100 * np.mean(np.abs(1 - 1 / found.ratio[rows]))
        tau = kendall_tau_b(column[rows], fit[rows])
        words.append(f"{which} rows: mean error {error:.2f} %, tau-b {tau:.3f}")
    return f"{name}: {'; '.join(words)}"


def cycle(found: Audit) -> str:
    """Writes how long dips last and how far their starts are apart, in rows."""
    shifted = found.shifted[found.sequence]
    starts = np.flatnonzero(shifted[1:] & ~shifted[:-1]) + 1
    ends = np.flatnonzero(~shifted[1:] & shifted[:-1]) + 1
    ends = ends[ends > starts[0]][: len(starts)]
    lengths = ends - starts[: len(ends)]
    return (
        f"{len(starts)} dips; median length {np.median(lengths):.0f} rows, median "
        f"distance of starts {np.median(np.diff(starts)):.0f} rows"
    )


def optima(
    cost: FloatArray, fit: FloatArray, found: Audit, accuracy: FloatArray
) -> Iterator[str]:
    """Compares optima on measured rows, with and without suspects, with the fit's."""
    held = ~np.isnan(found.ratio)
    usual = np.nanmedian(cost[held] / fit[held])
    fit = fit * usual
    presets = {"tight": 0.1, "medium": 0.25, "loose": 0.5}
    for name, quantile in presets.items():
        budget = float(np.quantile(fit[held], quantile))
        yield f"  {name} budget, {budget:.3f} ms"
        for words, rows in (("all rows", held), ("clean rows", held & ~found.suspect)):
            row = _best(cost, accuracy, rows, budget)
            yield (
                f"    {words:11} row {row:6}: {accuracy[row]:.2f} %, measured "
                f"{cost[row]:.3f} ms, fitted {fit[row]:.3f} ms "
                f"({100 * (fit[row] / budget - 1):+.1f} % of the budget)"
            )
        row = _best(fit, accuracy, held, budget)
        yield f"    {'fit':11} row {row:6}: {accuracy[row]:.2f} %"
    for words, rows in (("all rows", held), ("clean rows", held & ~found.suspect)):
        over, gain, flagged = [], [], 0
        for quantile in TIGHT:
            budget = float(np.quantile(fit[held], quantile))
            row = _best(cost, accuracy, rows, budget)
            true = _best(fit, accuracy, held, budget)
            over.append(100 * (fit[row] / budget - 1))
            gain.append(accuracy[row] - accuracy[true])
            flagged += bool(found.suspect[row])
        yield (
            f"  {len(TIGHT)} budgets, {words}: optimum suspect in {flagged}; its "
            f"fitted latency beyond the budget in {sum(o > 5 for o in over)} by more "
            f"than 5 %, at most by {max(over):.0f} %, mean {np.mean(over):+.1f} %; "
            f"accuracy less the fit's optimum: mean {np.mean(gain):+.2f} points"
        )


def _best(
    cost: FloatArray, accuracy: FloatArray, rows: BoolArray, budget: float
) -> int:
    """Returns the row with the best accuracy that a budget pays."""
    paid = rows & (np.where(np.isnan(cost), np.inf, cost) <= budget)
    return int(np.argmax(np.where(paid, accuracy, -1.0)))


def agreement(one: str, other: str, columns: dict[str, FloatArray]) -> Iterator[str]:
    """Compares two devices by their rows, clean rows, fits and residuals."""
    fits = {name: fitted(name) for name in (one, other)}
    found = {name: audit(columns[name], fits[name]) for name in (one, other)}
    both = ~np.isnan(found[one].ratio) & ~np.isnan(found[other].ratio)
    clean = both & ~found[one].suspect & ~found[other].suspect
    calm = outside(found[one]) & outside(found[other])
    for words, rows in (
        ("all rows", both),
        ("rows outside bands", calm),
        ("clean rows", clean),
    ):
        tau = kendall_tau_b(columns[one][rows], columns[other][rows])
        fit = kendall_tau_b(fits[one][rows], fits[other][rows])
        words = f"{one} and {other}, {words} ({rows.sum():,})"
        # Networks that fold to a constant take no time that a ratio could be of.
        rows = rows & (columns[one] > FOLDED) & (columns[other] > FOLDED)
        logs = [np.log(found[name].ratio[rows]) for name in (one, other)]
        ranks = kendall_tau_b(found[one].ratio[rows], found[other].ratio[rows])
        yield (
            f"{words}: tau-b measured {tau:.3f}, fitted {fit:.3f}; residuals above "
            f"{FOLDED} ms ({rows.sum():,}): correlation of logarithms "
            f"{np.corrcoef(np.stack(logs))[0, 1]:.3f}, tau-b {ranks:.3f}"
        )


DRAWN = ("gold_6240", "samsung_s7", "essential_ph_1", "2080ti_1")


def further(reference: Path) -> Iterator[tuple[str, str, FloatArray]]:
    """Yields further tables: a name, the device that it is compared with, a column."""
    with np.load(reference / "help_nb201_latency.npz") as arrays:
        for name in arrays.files:
            start = next(start for start in HELP if name.startswith(start))
            device = HELP[start] + (name[len(start) :] if start[0] in "12" else "")
            if start == "titan":
                device = name.replace("titan_rtx", "titanrtx")
            yield name, device, arrays[name]
    with np.load(reference / "nb201_pi5_pixel.npz") as arrays:
        for name in arrays.files:
            near = {d: audit(arrays[name], fitted(d)).noise for d in PUBLISHED}
            yield name, min(near, key=near.__getitem__), arrays[name]


def main(reference: Path, figure: Path | None = None) -> None:
    """Prints everything, and draws four tables if a file is given."""
    columns, groups = measured(reference), classes()
    lines = ["HW-NAS-Bench, NAS-Bench-201 on CIFAR-10, latencies", TITLE]
    found = {
        name: audit(columns[name], fitted(name), groups=groups) for name in PUBLISHED
    }
    lines += [summary(name, one) for name, one in found.items()]
    lines += ["", "shares of rows by measured over fitted"]
    lines += [f"{name}: {ratios(one)}" for name, one in found.items()]
    lines += ["", "the fit beside the rows that it was fitted to"]
    lines += [fidelity(name, columns[name], one) for name, one in found.items()]
    lines += ["", f"pixel3: {cycle(found['pixel3'])}"]
    problem = make_problem(SPACE.name, device="pixel3", dataset=DATASET)
    accuracy = problem.evaluate(SPACE.genotypes()).accuracy_percent
    for name in PUBLISHED[:4]:
        lines += ["", f"optima on {name}"]
        lines += optima(columns[name], fitted(name), found[name], accuracy)
    lines += ["", *agreement("raspi4", "pixel3", columns)]
    lines += agreement("edgegpu", "pixel3", columns)
    lines += ["", "further tables, and the built-in column each is compared with"]
    lines.append(TITLE)
    drawn = {}
    for name, device, column in further(reference):
        one = audit(column, fitted(device), groups=groups)
        metric = DEVICES[device].metrics_in(SPACE.name)[0]
        rows = Column(column, fitted(device), np.arange(SPACE.size))
        drawn[name] = Audited(SPACE, DEVICES[device], DATASET, metric, name, rows, one)
        lines.append(summary(f"{name} / {device}", one))
    sys.stdout.write("\n".join(lines) + "\n")
    if figure is not None:
        audit_figure([drawn[name] for name in DRAWN], figure)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
