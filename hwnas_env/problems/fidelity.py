"""How good the built-in numbers are: one row a column, with its error where known."""

from collections.abc import Iterator, Mapping
from typing import Any

from hwnas_env.devices import devices_of
from hwnas_env.metrics import METRICS
from hwnas_env.problems.make import make_problem
from hwnas_env.problems.problem import Problem
from hwnas_env.spaces import SEARCH_SPACES

ERRORS = ("n", "tau-b", "MAPE %", "worst %")
"""Numbers among a row of :func:`fidelity_rows`; None where nothing is known."""


def every_problem() -> Iterator[Problem]:
    """Yields the built-in problem of every space, device, dataset and budget metric."""
    for space in SEARCH_SPACES.values():
        for device in devices_of(space.name):
            for dataset in space.datasets:
                if dataset not in device.datasets_in(space.name):
                    continue
                for metric in device.metrics_in(space.name):
                    if METRICS[metric].budgetable:
                        yield make_problem(
                            space.name,
                            device=device.name,
                            dataset=dataset,
                            metric=metric,
                        )


def fidelity_rows() -> list[dict[str, Any]]:
    """Returns one row a built-in column: what it is, and its error where known."""
    rows: list[dict[str, Any]] = []
    seen = set()
    for problem in every_problem():
        for name, provenance in problem.provenance.items():
            if provenance.kind == "exact":
                continue
            device = "" if name == "accuracy" else problem.device.name
            key = (problem.space.name, problem.dataset, device, name)
            if key in seen:
                continue
            seen.add(key)
            card = provenance.fidelity
            rows.append(
                {
                    "space": problem.space.name,
                    "dataset": problem.dataset,
                    "device": device or "any",
                    "column": name,
                    "kind": provenance.kind,
                    "n": card.n if card else None,
                    "tau-b": card.tau_b if card else None,
                    "MAPE %": card.mape_percent if card else None,
                    "worst %": card.worst_percent if card else None,
                    "how": card.method if card else "",
                    "method": provenance.method,
                    "citation": provenance.citation,
                }
            )
    return rows


def fidelity_words(row: Mapping[str, Any]) -> dict[str, str]:
    """Returns a row of :func:`fidelity_rows` as people read it, numbers rounded."""
    forms = dict(zip(ERRORS, ("d", ".3f", ".3g", ".3g"), strict=True))
    return {
        key: "" if value is None else format(value, forms.get(key, ""))
        for key, value in row.items()
    }
