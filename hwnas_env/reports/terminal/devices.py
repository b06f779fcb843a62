"""Lays devices out: a list, one device's card, and what was checked on it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Group
from rich.table import Table

from hwnas_env.devices import Device
from hwnas_env.fitting.verifying import Check, Verifier
from hwnas_env.metrics import METRICS
from hwnas_env.problems.problem import Problem
from hwnas_env.reports.terminal.printing import heading
from hwnas_env.spaces import SEARCH_SPACES
from hwnas_env.texts import plain
from hwnas_env.types import Genotypes


def row(device: Device) -> dict[str, Any]:
    """Returns what a list says of a device."""
    spaces = [
        SEARCH_SPACES[name].label for name in device.spaces if name in SEARCH_SPACES
    ]
    return {
        "label": device.label,
        "hardware": device.hardware,
        "spaces": spaces,
        "metrics": sorted({m for s in device.spaces for m in device.metrics_in(s)}),
        "file": device.origin,
    }


def table(rows: Sequence[Mapping[str, Any]]) -> Table:
    """Lays a list of devices out."""
    found = Table()
    for title in ("label", "hardware", "spaces", "metrics"):
        found.add_column(title)
    for one in rows:
        cells = (one["label"], one["hardware"])
        lists = (", ".join(one["spaces"]), ", ".join(one["metrics"]))
        found.add_row(*map(plain, (*cells, *lists)))
    return found


def device_values(device: Device) -> dict[str, Any]:
    """Returns what a device is: a column each space, dataset and metric."""
    columns = []
    for space in device.spaces:
        for dataset in device.datasets_in(space):
            measured = device.facts(space).get("measured", {}).get(dataset, {})
            for metric in device.metrics_in(space):
                provenance = device.provenance(space, dataset, metric)
                columns.append(
                    {
                        "space": space,
                        "dataset": dataset,
                        "metric": metric,
                        **provenance.as_dict(),
                        "budgets": device.presets(space, dataset, metric),
                        "protocol": measured.get("protocol", {}),
                    }
                )
    return {**row(device), "group": device.group, "columns": columns}


CARD = (
    ("tau_b", "tau-b", ".3f"),
    ("tau_b_deviation", "±", ".3f"),
    ("mape_percent", "MAPE %", ".3g"),
    ("ratio_90", "90 % within x", ".3g"),
    ("repeat_tau_b", "repeat tau-b", ".3f"),
)
"""Figures of a fidelity: key, title and form."""


def card(values: Mapping[str, Any]) -> Group:
    """Lays one device out: how good its costs are, how they came, its budgets."""
    found = Table()
    for title in ("space", "dataset", "metric", "kind"):
        found.add_column(title)
    for _, title, _ in CARD:
        found.add_column(title, justify="right", no_wrap=True)
    budgets = Table(title="Budgets")
    for title in ("space", "dataset", "metric"):
        budgets.add_column(title)
    names = ("tight", "medium", "loose")
    for title in names:
        budgets.add_column(title, justify="right", no_wrap=True)
    lines = []
    for one in values["columns"]:
        where = [one[key] for key in ("space", "dataset", "metric")]
        fidelity = one["fidelity"] or {}
        figures = [(fidelity.get(key), form) for key, _, form in CARD]
        cells = [
            "" if value is None else format(value, form) for value, form in figures
        ]
        found.add_row(*map(plain, (*where, one["kind"])), *cells)
        if one["budgets"]:
            unit = METRICS[one["metric"]].unit
            cells = [f"{one['budgets'][name]:g} {unit}" for name in names]
            budgets.add_row(*map(plain, where), *cells)
        words = [one["calibrated_on"], fidelity.get("method", "")]
        lines.append(
            f"{one['metric']} in {one['space']}: " + "; ".join(filter(None, words))
        )
        protocol = one["protocol"]
        said = [
            f"{k} {protocol[k]}"
            for k in ("runtime", "threads", "precision")
            if protocol.get(k)
        ]
        if said and one["metric"] == values["columns"][0]["metric"]:
            lines.append(f"  measured with {', '.join(said)}")
    rest = ", ".join(filter(None, (values["hardware"], values["group"])))
    return Group(
        heading(values["label"], rest),
        *(found, budgets),
        *map(plain, lines),
    )


def check_values(problem: Problem, check: Check) -> dict[str, Any]:
    """Returns one network that was measured, as plain values."""
    return {
        "architecture": problem.decode(check.genotype),
        "accuracy_percent": check.accuracy_percent,
        "predicted": check.predicted,
        "measured": check.measured,
        "feasible": check.feasible,
    }


def checks_table(checks: Sequence[Mapping[str, Any]], metric: str) -> Table:
    """Lays out networks that were measured, and whether they keep the budget."""
    unit = METRICS[metric].unit
    found = Table()
    for title in ("accuracy %", f"predicted {unit}", f"measured {unit}"):
        found.add_column(title, justify="right", no_wrap=True)
    found.add_column("keeps it")
    for check in checks:
        cells = (f"{check[key]:.4g}" for key in ("predicted", "measured"))
        kept = "yes" if check["feasible"] else "no"
        found.add_row(f"{check['accuracy_percent']:.2f}", *cells, kept)
    return found


def verified_values(
    verifier: Verifier, *, waiting: Genotypes | None, table: Path | None
) -> dict[str, Any]:
    """Returns what was checked, the best of it, and what to measure next."""
    problem, best = verifier.problem, verifier.best

    return {
        "device": problem.device.label,
        "space": problem.space.name,
        "dataset": problem.dataset,
        "metric": problem.metric,
        "budget": verifier.budget,
        "checks": [check_values(problem, check) for check in verifier.checks],
        "best": None if best is None else check_values(problem, best),
        "next": None if waiting is None else problem.decode(waiting),
        "table": None if table is None else str(table),
    }


def verified(values: Mapping[str, Any]) -> Group:
    """Lays out what was checked on a device."""
    unit = METRICS[values["metric"]].unit
    budget = f"{values['metric']} within {values['budget']:g} {unit}"
    lines: list[Any] = [
        heading(values["device"], f"{values['space']}, {values['dataset']}: {budget}")
    ]
    if values["checks"]:
        lines.append(checks_table(values["checks"], values["metric"]))
    if values["next"] is not None:
        lines += [
            f"measure this network, write its {values['metric']} into "
            f"{values['table']}, and run the command again:",
            plain(values["next"]),
        ]
    elif values["best"] is None:
        lines.append("no network that was measured keeps the budget")
    else:
        best = values["best"]
        lines += [
            f"best that keeps it: {best['accuracy_percent']:.2f} %, "
            f"{best['measured']:.4g} {unit}",
            plain(best["architecture"]),
        ]
    return Group(*lines)
