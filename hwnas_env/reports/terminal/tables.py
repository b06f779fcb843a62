"""Tables for the terminal."""

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

import gymnasium as gym
from rich.console import Group
from rich.table import Table

from hwnas_env.benchmark.runs import Limits, Run, Task
from hwnas_env.envs.registration import RANDOM
from hwnas_env.metrics import METRICS
from hwnas_env.problems.fidelity import ERRORS, fidelity_words
from hwnas_env.problems.problem import PRESETS, Problem
from hwnas_env.problems.random_devices import random_devices
from hwnas_env.reports.terminal.printing import heading
from hwnas_env.types import Provenance


def run_summary(
    task: Task, problem: Problem, runs: Sequence[Run], *, limits: Limits
) -> dict[str, Any]:
    """Returns a study's result as plain values: the optimum, and agents best first.

    The optimum, and regrets, are None where none is known.

    Args:
        task: what was searched.
        problem: its problem.
        runs: of all agents, at least one.
        limits: what each might spend; where only seconds were limited, the most
            queries that a run spent are said too.
    """
    budget = task.limit(problem)
    best = None
    if problem.model.exact:
        optimum = problem.optimum(budget)
        best = {
            "architecture": problem.decode(optimum.genotypes[0]),
            "accuracy_percent": optimum.accuracy_percent,
            "cost": optimum.cost,
        }
    agents: list[dict[str, Any]] = []
    for agent in dict.fromkeys(run.agent for run in runs):
        mine = [run for run in runs if run.agent == agent]
        found = [run for run in mine if run.incumbent]
        agents.append(
            {
                "agent": agent,
                "runs": len(mine),
                "found_feasible": len(found),
                "failed": sum(bool(run.error) for run in mine),
                "error": next((run.error for run in mine if run.error), ""),
                "accuracy_percent": _mean([r.accuracy_percent for r in found]),
                "accuracy_deviation": _deviation([r.accuracy_percent for r in found]),
                "cost": _mean([run.cost for run in found]),
                "regret_percent": _mean([r.regret_percent for r in found if best]),
                "best": max(found, key=lambda r: r.accuracy_percent).incumbent
                if found
                else None,
            }
        )
    agents.sort(key=lambda row: -(row["accuracy_percent"] or 0.0))
    return {
        "problem": problem.describe(),
        "env": runs[0].env,
        "budget": budget,
        "queries": limits.queries or max(run.queries for run in runs),
        "train_seconds": limits.train_seconds,
        "optimum": best,
        "agents": agents,
    }


def failure_lines(agents: Sequence[Mapping[str, Any]]) -> list[str]:
    """Says of every agent with failed runs how many these are, and why the first."""
    return [
        f"{row['agent']}: {row['failed']} of {row['runs']} runs failed: {row['error']}"
        for row in agents
        if row["failed"]
    ]


def exit_status(rows: Sequence[Mapping[str, Any]]) -> int:
    """Returns 1 where all runs of an agent on a task failed, else 0.

    Args:
        rows: one an agent and task, with its "runs" and how many "failed".
    """
    return int(any(row["failed"] == row["runs"] for row in rows))


def run_table(summary: Mapping[str, Any]) -> Group:
    """Lays a study's result out: incumbent, cost and regret of every agent."""
    problem = summary["problem"]
    unit = METRICS[problem["metric"]].unit
    kinds = {name: column["kind"] for name, column in problem["columns"].items()}
    table = Table()
    for title in ("agent", "runs", "accuracy %", f"cost {unit}", "regret %"):
        table.add_column(title, justify="left" if title == "agent" else "right")
    for row in summary["agents"]:
        if row["best"] is None:
            nothing = "all failed" if row["failed"] == row["runs"] else "none feasible"
            table.add_row(row["agent"], str(row["runs"]), nothing, "", "")
            continue
        table.add_row(
            row["agent"],
            str(row["runs"]),
            f"{row['accuracy_percent']:.2f} ± {row['accuracy_deviation']:.2f}",
            f"{row['cost']:.4g}",
            "" if row["regret_percent"] is None else f"{row['regret_percent']:.3f}",
        )
    best = summary["optimum"]
    table.add_section()
    if best is None:
        table.add_row("exact optimum", "", "not known", "", "")
    else:
        table.add_row(
            "exact optimum",
            "",
            f"{best['accuracy_percent']:.2f}",
            f"{best['cost']:.4g}",
            "0.000",
        )
    leader = summary["agents"][0]
    incumbent = "none" if leader["best"] is None else leader["best"]
    return Group(
        heading(
            summary["env"],
            f"{problem['dataset']}, "
            f"{bound_words(problem['metric'], summary['budget'])}, "
            f"{limit_words(summary)}",
        ),
        table,
        f"cost: {kinds[problem['metric']]}; accuracy: {kinds['accuracy']} "
        f"({problem['accuracy']}); mean ± standard deviation over seeds",
        f"best incumbent of {leader['agent']}: {incumbent}",
        *failure_lines(summary["agents"]),
        "",
    )


def limit_words(summary: Mapping[str, Any]) -> str:
    """Says what a run could spend."""
    seconds = summary["train_seconds"]
    if seconds is None:
        return f"{summary['queries']} queries a run"
    if not summary["queries"]:
        return f"{seconds:,.0f} training seconds a run, which pay for no network"
    most = f"{summary['queries']} queries at most"
    return f"{seconds:,.0f} training seconds a run, {most}"


def bound_words(metric: str, budget: float | None) -> str:
    """Says what a cost may be at most."""
    if budget is None:
        return f"{metric}: no bound"
    return f"{metric}: at most {budget:g} {METRICS[metric].unit}"


def front_tables(summaries: Sequence[Mapping[str, Any]]) -> Group:
    """Lays multi-objective studies out, one below another."""
    return Group(*map(front_table, summaries))


def front_table(summary: Mapping[str, Any]) -> Group:
    """Lays out what share of the exact front's hypervolume agents' archives reach."""
    table = Table()
    for title in ("agent", "runs", "share of the exact hypervolume", "networks"):
        table.add_column(title, justify="left" if title == "agent" else "right")
    for row in summary["agents"]:
        table.add_row(
            row["agent"],
            str(row["runs"]),
            f"{row['share']:.4f} ± {row['share_deviation']:.4f}",
            f"{row['archive']:.1f}",
        )
    return Group(
        heading(
            summary["env"],
            f"{', '.join(summary['objectives'])}, {limit_words(summary)}; "
            f"exact front: {summary['front']} points",
        ),
        table,
        "reference point: the exact front's nadir and a tenth of its range beyond",
        *failure_lines(summary["agents"]),
        "",
    )


def environment_rows(problems: Mapping[str, Problem]) -> list[dict[str, Any]]:
    """Returns one row an environment: its default dataset, budgets and provenance."""
    return [
        {
            "id": name,
            "dataset": problem.dataset,
            "devices": [problem.device.name],
            "metrics": list(problem.metrics),
            "metric": problem.metric,
            "cost": problem.provenance[problem.metric].kind,
            "accuracy": problem.provenance["accuracy"].kind,
            "networks": problem.space.size,
            **{preset: problem.presets[preset] for preset in PRESETS},
        }
        for name, problem in problems.items()
    ]


def several_row(name: str, problems: Sequence[Problem]) -> dict[str, Any]:
    """Returns the row of an environment of several devices; budgets are each its own.

    Args:
        name: the environment's id.
        problems: one a device.
    """
    rows = environment_rows({problem.device.name: problem for problem in problems})
    shared = [m for m in rows[0]["metrics"] if all(m in row["metrics"] for row in rows)]
    return {
        **rows[0],
        "id": name,
        "devices": [problem.device.name for problem in problems],
        "metrics": shared,
        "metric": next(name for name in shared if METRICS[name].budgetable),
        "cost": ", ".join(dict.fromkeys(row["cost"] for row in rows)),
        **dict.fromkeys(PRESETS),
    }


def drawn_row(name: str) -> dict[str, Any]:
    """Returns the row of an environment of drawn devices; each has its own budgets.

    Args:
        name: the environment's id.
    """
    devices = random_devices(gym.spec(name).kwargs["space"])
    (row,) = environment_rows({name: devices.draw(0)})
    return {**row, "devices": RANDOM, **dict.fromkeys(PRESETS)}


def environment_table(rows: Sequence[Mapping[str, Any]]) -> Group:
    """Lays the environments out."""
    table = Table()
    names = ("id", "dataset", "metric", "cost", "accuracy")
    for title in (*names, *PRESETS):
        justify: Any = "left" if title in names else "right"
        table.add_column(title, justify=justify, no_wrap=True)
    for row in rows:
        budgets = [row[preset] for preset in PRESETS]
        words = ("" if budget is None else f"{budget:g}" for budget in budgets)
        table.add_row(*(str(row[name]) for name in names), *words)
    return Group(
        table,
        "tight, medium, loose: preset budgets on the metric, in its unit; those of "
        "MultiDevice and RandomDevice are each device's, on a metric that all have",
    )


def fidelity_table(rows: Sequence[Mapping[str, Any]]) -> Group:
    """Lays the errors of the built-in columns out, and how each was found."""
    table = Table()
    names = ("space", "dataset", "device", "column", "kind")
    for title in names:
        table.add_column(title)
    for title in ERRORS:
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("how")
    for row in map(fidelity_words, rows):
        table.add_row(*(row[str(column.header)] for column in table.columns))
    return Group(table, "methods and citations: --json, or docs/fidelity.md")


def network_values(problem: Problem, genotype: Any) -> dict[str, Any]:
    """Evaluates one network and says every value with unit and provenance."""
    evaluation = problem.evaluate(genotype)
    values = {"accuracy": float(evaluation.accuracy_percent[0])}
    values.update(zip(problem.metrics, evaluation.costs[0].tolist(), strict=True))
    found = _network(problem, genotype, values, problem.provenance)
    return {**found, "deployable": bool(evaluation.deployable[0])}


def held_values(problem: Problem, genotype: Any) -> dict[str, Any]:
    """Says what an imported file of measurements holds of one network.

    Args:
        problem: of the built-in costs, on the device that is asked for.
        genotype: ``(L,)``.
    """
    values, origin = problem.space.measured_values(
        problem.device, problem.dataset, genotype
    )
    return _network(problem, genotype, values, dict.fromkeys(values, origin))


def _network(
    problem: Problem,
    genotype: Any,
    values: Mapping[str, float],
    origins: Mapping[str, Provenance],
) -> dict[str, Any]:
    return {
        "architecture": problem.decode(genotype),
        "genotype": [int(choice) for choice in genotype],
        "device": problem.device.name,
        "dataset": problem.dataset,
        "deployable": float("inf") not in values.values(),
        "values": {
            name: {
                "value": value if value != float("inf") else None,
                "unit": _unit(name),
                "kind": origins[name].kind,
                "method": origins[name].method,
            }
            for name, value in values.items()
        },
    }


def _unit(name: str) -> str:
    """Returns the unit of a metric, of seconds, or percent."""
    if name in METRICS:
        return METRICS[name].unit
    return "s" if name.endswith("_seconds") else "%"


def network_table(network: Mapping[str, Any]) -> Group:
    """Lays one network's values out."""
    table = Table()
    for title in ("quantity", "value", "unit", "source", "method"):
        table.add_column(title, justify="right" if title == "value" else "left")
    for name, column in network["values"].items():
        value = column["value"]
        shown = "not deployable" if value is None else f"{value:.6g}"
        table.add_row(name, shown, column["unit"], column["kind"], column["method"])
    keys = ("device", "dataset", "bound")
    return Group(
        heading(network["architecture"], ""),
        ", ".join(network[key] for key in keys if key in network),
        table,
    )


def _mean(values: Sequence[float]) -> float | None:
    return statistics.fmean(values) if values else None


def _deviation(values: Sequence[float]) -> float | None:
    return statistics.pstdev(values) if values else None
