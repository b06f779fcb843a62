"""Arguments and options that several commands take, and what completes them.

Whatever a command computes with is imported when it runs, so that help and completion
come at once.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from hwnas_env.devices import DEVICES
from hwnas_env.envs.registration import environments
from hwnas_env.errors import InvalidArgumentError, shown
from hwnas_env.metrics import METRICS
from hwnas_env.spaces import SEARCH_SPACES


def _begin(names: Iterable[str], typed: str) -> list[str]:
    return [name for name in names if name.startswith(typed)]


def complete_env(incomplete: str) -> list[str]:
    """Completes an environment's id."""
    return _begin(environments(), incomplete)


def complete_device(incomplete: str) -> list[str]:
    """Completes a device's name."""
    return _begin((device.name for device in DEVICES.listed()), incomplete)


def complete_label(incomplete: str) -> list[str]:
    """Completes a device's label."""
    return _begin((device.label for device in DEVICES.listed()), incomplete)


def complete_space(incomplete: str) -> list[str]:
    """Completes a search space's name."""
    return _begin((space.name for space in SEARCH_SPACES.listed()), incomplete)


def complete_metric(incomplete: str) -> list[str]:
    """Completes the name of a metric that a budget can be on."""
    names = (name for name, metric in METRICS.items() if metric.budgetable)
    return _begin(names, incomplete)


def complete_budget(incomplete: str) -> list[str]:
    """Completes the name of a budget."""
    from hwnas_env.problems.problem import PRESETS

    return _begin((*PRESETS, "none"), incomplete)


def complete_suite(incomplete: str) -> list[str]:
    """Completes a suite's name."""
    from hwnas_env.benchmark.suites import SUITES

    return _begin(SUITES, incomplete)


def complete_agent(incomplete: str) -> list[str]:
    """Completes an agent's name, or the name of its next option."""
    from hwnas_env.agents import AGENTS

    name, colon, options = incomplete.partition(":")
    if not colon or name not in AGENTS:
        return _begin(AGENTS, incomplete)
    before = f"{name}:{options[: options.rfind(',') + 1]}"
    fields = AGENTS[name].config_type().as_dict()
    return _begin((f"{before}{field}=" for field in fields), incomplete)


AGENT_HELP = (
    "A name, with options behind a colon (ppo:n_envs=32,gamma=0.9), or module:Class; "
    "may be repeated. See: hwnas-env agents."
)

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]
Env = Annotated[
    str,
    typer.Option(
        help="An environment's id; see: hwnas-env envs.", autocompletion=complete_env
    ),
]
Agents = Annotated[
    list[str] | None,
    typer.Option("--agent", help=AGENT_HELP, autocompletion=complete_agent),
]
Dataset = Annotated[str | None, typer.Option(help="A dataset of the search space.")]
MetricName = Annotated[
    str | None,
    typer.Option(help="What the budget is on.", autocompletion=complete_metric),
]
CostBudget = Annotated[
    str,
    typer.Option(
        help="tight, medium, loose, a number in the metric's unit, or none.",
        autocompletion=complete_budget,
    ),
]
Source = Annotated[
    str,
    typer.Option(
        help="builtin, measured or auto.",
        autocompletion=lambda incomplete: _begin(
            ("builtin", "measured", "auto"), incomplete
        ),
    ),
]
Costs = Annotated[
    str | None,
    typer.Option(
        help="Your own in the place of the device's: FILE.npz, FILE.csv, or "
        "module:function."
    ),
]
Jobs = Annotated[int, typer.Option(help="Processes; -1: one a core.")]
Timeout = Annotated[
    float | None, typer.Option(help="Seconds after which a run is given up.")
]
OldQueries = Annotated[str | None, typer.Option("--budget", hidden=True)]
Architecture = Annotated[
    str,
    typer.Argument(
        help="An architecture's name (operations with |, commas or blanks between "
        "them), its index in a table (NAS-Bench-201: the official one), or a genotype: "
        "numbers with commas, or as records write it."
    ),
]
SpaceName = Annotated[
    str,
    typer.Argument(help="A search space's name.", autocompletion=complete_space),
]
SpaceOption = Annotated[
    str,
    typer.Option(
        help="The search space that was measured.", autocompletion=complete_space
    ),
]
Label = Annotated[
    str,
    typer.Argument(
        help="The device's word in environment ids.", autocompletion=complete_label
    ),
]
DeviceNames = Annotated[
    list[str] | None,
    typer.Option(
        "--device", help="A device's name; repeated.", autocompletion=complete_device
    ),
]
Folder = Annotated[Path, typer.Option("--output", "-o", help="A folder.")]


def one_of(queries: int | None, budget: str | None) -> int | None:
    """Returns the number of queries by its name or by its old one, "--budget".

    Raises:
        InvalidArgumentError: both were given, and differ; or the old one is a cost's.
    """
    if budget is None:
        return queries
    try:
        old = int(budget)
    except ValueError:
        message = (
            f"--budget is the old name of --queries, expected a whole number, got "
            f"{shown(budget)}; a budget on the cost is --cost-budget"
        )
        raise InvalidArgumentError(message) from None
    if queries is not None and queries != old:
        message = f"--queries {queries} and --budget {old}, its old name: give one"
        raise InvalidArgumentError(message)
    return old


def budget_of(text: str) -> float | str | None:
    """Returns a budget: a number, a name, or None for none."""
    if text == "none":
        return None
    try:
        return float(text)
    except ValueError:
        return text
