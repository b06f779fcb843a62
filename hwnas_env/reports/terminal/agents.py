"""The list of agents, and the options that each takes."""

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group
from rich.table import Table

from hwnas_env.agents import AGENTS
from hwnas_env.benchmark.agent_options import option_text


def agent_rows() -> list[dict[str, Any]]:
    """Returns every agent: its name, what it is, and its options as they are typed."""
    return [
        {
            "agent": name,
            "description": (inspect.getdoc(agent) or "").partition("\n")[0],
            "options": {
                option: option_text(value)
                for option, value in agent.config_type().as_dict().items()
            },
        }
        for name, agent in AGENTS.items()
    ]


def agents_table(rows: Sequence[Mapping[str, Any]]) -> Group:
    """Lays the list of agents out."""
    table = Table()
    for title in ("agent", "what it is", "options"):
        table.add_column(title)
    for row in rows:
        options = " ".join(f"{key}={text}" for key, text in row["options"].items())
        table.add_row(row["agent"], row["description"], options)
        table.add_section()
    return Group(
        table,
        "--agent NAME:OPTION=VALUE,OPTION=VALUE, as ppo:n_envs=32,net_arch=64,64; an "
        "agent of your own is package.module:Class, with options behind another colon",
    )
