"""What an agent was made with, as it stands beside a saved policy."""

from collections.abc import Mapping
from typing import Any, TypeVar

import numpy as np

from hwnas_env.agents.agent import Agent
from hwnas_env.errors import (
    InvalidArgumentError,
    InvalidBudgetError,
    RestoreError,
    UnknownNameError,
    shown,
)
from hwnas_env.problems.problem import Problem
from hwnas_env.types import AnyPath

AgentT = TypeVar("AgentT", bound=Agent)


def made_with(agent: Agent) -> dict[str, Any]:
    """Returns the agent's name, budget, search space and configuration, JSON-able."""
    return {
        "agent": agent.name,
        "budget": agent.budget,
        "space": agent.problem.space.name,
        "config": agent.config.as_dict(),
    }


def restored(
    kind: type[AgentT],
    made: Any,
    problem: Problem,
    *,
    rng: np.random.Generator,
    path: AnyPath,
) -> AgentT:
    """Returns an agent as a saved one was made, without what it learnt.

    Args:
        kind: the class that it is to be of.
        made: what :func:`made_with` returned.
        problem: that it is to act on.
        rng: for what it draws from now on.
        path: where it was, for the error.

    Raises:
        RestoreError: another agent's, of another search space, or damaged.
    """
    if not isinstance(made, Mapping) or not {"budget", "config"} <= {*made}:
        message = f"{path}: expected agent, budget, space and config, got {shown(made)}"
        raise RestoreError(message)
    for key, expected in (("agent", kind.name), ("space", problem.space.name)):
        if made.get(key) != expected:
            message = f"{path}: expected {key} {expected!r}, got {shown(made.get(key))}"
            raise RestoreError(message)
    try:
        config = kind.config_type.from_dict(made["config"])
        return kind(problem, made["budget"], rng=rng, config=config)
    except (InvalidArgumentError, UnknownNameError, InvalidBudgetError) as error:
        raise damaged(path, error) from error


def damaged(path: AnyPath, why: object) -> RestoreError:
    """Builds the error for a file that holds no agent as it was saved."""
    return RestoreError(f"{path}: {why}")
