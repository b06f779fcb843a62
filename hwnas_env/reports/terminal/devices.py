"""Lays devices out: a list, one device's card, and what was checked on it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Group
from rich.table import Table

from hwnas_env.devices import Device
from hwnas_env.fitting.verifying import Check, Verifier
from hwnas_env.metrics import METRICS
from hwnas_env.problems.make import make_problem
from hwnas_env.problems.problem import Problem
from hwnas_env.reports.terminal.printing import heading
from hwnas_env.spaces import SEARCH_SPACES
from hwnas_env.texts import plain
from hwnas_env.types import Genotypes


def row(device: Device) -> dict[str, Any]:
    """Returns what a list says of a device."""
    if device.is_broken:
        where = Path(device.origin).name
        broken = f"damaged: {where}; device remove takes it away"
        return {
            **{"label": device.label, "hardware": broken, "spaces": [], "metrics": []},
            "file": device.origin,
        }
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
                        "odd": odd_rows(device, space, dataset, metric),
                    }
                )
    return {**row(device), "group": device.group, "columns": columns}


ODD_RATIO = 3.0
"""A measured network that a fit is off by more is named: perhaps its unit is wrong."""


def odd_rows(device: Device, space: str, dataset: str, metric: str) -> list[str]:
    """Returns the measured networks that a fit is far off, as sentences."""
    rows = device.facts(space).get("measured", {}).get(dataset, {})
    if metric not in rows or space not in SEARCH_SPACES:
        return []
    found = SEARCH_SPACES[space]
    genotypes = found.from_words(rows["networks"])
    problem = make_problem(space, device=device.name, dataset=dataset, metric=metric)
    fitted = problem.known_costs(genotypes)
    unit = METRICS[metric].unit
    return [
        f"{found.decode(genotype)}: measured {cost:.4g} {unit}, fitted {fit:.4g}"
        for genotype, cost, fit in zip(genotypes, rows[metric], fitted, strict=True)
        if max(cost / fit, fit / cost) > ODD_RATIO
    ]


CARD = (
    ("tau_b", "tau-b", ".3f"),
    ("tau_b_deviation", "±", ".3f"),
    ("mape_percent", "MAPE %", ".3g"),
    ("ratio_90", "90 % within x", ".3g"),
    ("repeat_tau_b", "repeat tau-b", ".3f"),
)
"""Figures of a fidelity: key, title and form."""


MOST_ODD = 5


def _origin(column: Mapping[str, Any]) -> str:
    """Says where a column comes from, and what its error was found on."""
    fidelity = column["fidelity"] or {}
    if not fidelity:
        return str(column["method"])
    seen = f"fitted to {column['calibrated_on']}" if column["calibrated_on"] else ""
    return f"{seen}; its error: {fidelity.get('method')}, n = {fidelity.get('n'):,}"


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
        lines.append(f"{one['metric']} in {one['space']} on {one['dataset']}:")
        lines.append(f"  {_origin(one)}")
        protocol = one["protocol"]
        keys = ("runtime", "threads", "precision")
        said = [f"{key} {protocol[key]}" for key in keys if protocol.get(key)]
        if said:
            lines.append(f"  measured with {', '.join(said)}")
        if one["odd"]:
            lines.append(f"  far from the fit by more than {ODD_RATIO:g} times:")
            lines += [f"    {text}" for text in one["odd"][:MOST_ODD]]
    rest = "; ".join(filter(None, (values["hardware"], values["group"])))
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
        "predicted_next": (
            None if waiting is None else float(problem.known_costs(waiting[None])[0])
        ),
        "most": verifier.most,
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
        number = len(values["checks"]) + 1
        lines += [
            f"check {number} of {values['most']} at most: measure this network "
            f"(predicted {values['predicted_next']:.4g} {unit}), write its "
            f"{values['metric']} into {values['table']}, and run the command again:",
            plain(values["next"]),
        ]
    elif values["best"] is None:
        lines.append(
            f"done after {len(values['checks'])} checks: no network that was measured "
            "keeps the budget; allow more with --top"
        )
    else:
        best = values["best"]
        lines += [
            f"done after {len(values['checks'])} checks; best that keeps it: "
            f"{best['accuracy_percent']:.2f} %, "
            f"{best['measured']:.4g} {unit}",
            plain(best["architecture"]),
        ]
    return Group(*lines)
