"""Agents with options, as people type them: "ppo:n_envs=32,learning_rate=1e-3".

A run's agent is such a text. It goes into requests, and so into records, with the
options in alphabetical order and without those that are the default: what searches
alike has one name, and an agent without options has its own.
"""

import dataclasses
import typing
from collections.abc import Mapping, Sequence
from types import UnionType
from typing import Any

from hwnas_env.agents import AGENTS, Agent, Config, find_agent
from hwnas_env.arguments import check_name, check_names
from hwnas_env.benchmark.faults import fault_words
from hwnas_env.errors import HWNASError, InvalidArgumentError, shown

FLAGS: Mapping[str, bool] = {"true": True, "false": False}
NUMBERS: Mapping[Any, str] = {int: "a whole number", float: "a number"}


def parts_of(agent: str) -> tuple[str, dict[str, str]]:
    """Splits a text into the agent's own name and its options.

    A part without "=" goes on with the value before it.

    Raises:
        InvalidArgumentError: an option is there twice.

    Example:
        >>> parts_of("ppo:net_arch=64,64,n_envs=4")
        ('ppo', {'net_arch': '64,64', 'n_envs': '4'})
        >>> parts_of("package.module:Class"), parts_of("package.module:Class:size=3")
        (('package.module:Class', {}), ('package.module:Class', {'size': '3'}))
    """
    before, equals, after = agent.partition("=")
    name, colon, first = before.rpartition(":")
    if not (equals and colon):
        return agent, {}
    options: dict[str, str] = {}
    last = ""
    for part in f"{first}={after}".split(","):
        key, equals, value = part.partition("=")
        if equals and key.strip() in options:
            message = f"agent {shown(agent)}: {shown(key.strip())} is there twice"
            raise InvalidArgumentError(message)
        if equals:
            last = key.strip()
            options[last] = value.strip()
        else:
            options[last] += f",{part.strip()}"
    return name, options


def agents_in(text: str) -> list[str]:
    """Splits a list of agents at its commas, but for those between options.

    Example:
        >>> agents_in("random,ppo:net_arch=64,64,n_envs=4,evolution")
        ['random', 'ppo:net_arch=64,64,n_envs=4', 'evolution']
    """
    names: list[str] = []
    for part in filter(None, map(str.strip, text.split(","))):
        new = part in AGENTS or ":" in part.partition("=")[0]
        if names and "=" in names[-1] and not new:
            names[-1] += f",{part}"
        else:
            names.append(part)
    return names


def agent_of(agent: str) -> tuple[type[Agent], dict[str, Any]]:
    """Returns an agent's class, and the values of its options by name.

    Args:
        agent: a name out of ``AGENTS``, or "package.module:Class"; behind it options,
            as the fields of its configuration are called.

    Raises:
        UnknownNameError: no agent, or no option of it, has that name.
        InvalidArgumentError: the class cannot be imported or is no agent, or a value
            is not of the option's type.
    """
    if not isinstance(agent, str):
        return find_agent(agent), {}
    name, options = parts_of(agent)
    found = find_agent(name)
    kinds = option_kinds(found) if options else {}
    for key in options:
        if not kinds:
            message = f"agent {shown(name)} has no options, got {shown(key)}"
            raise InvalidArgumentError(message)
        check_name(key, kinds, what=f"option of {name}")
    return found, {
        key: _value(text, kinds[key], what=f"option {key} of {name}")
        for key, text in options.items()
    }


def option_kinds(agent: type[Agent]) -> dict[str, Any]:
    """Returns the types of an agent's options by name.

    Raises:
        InvalidArgumentError: its configuration does not say them.
    """
    try:
        kinds = typing.get_type_hints(agent.config_type)
        return {
            one.name: kinds[one.name] for one in dataclasses.fields(agent.config_type)
        }
    except Exception as error:  # of a configuration of one's own
        message = f"{agent.config_type.__name__}: its options: {fault_words(error)}"
        raise InvalidArgumentError(message) from error


def config_of(agent: type[Agent], values: Mapping[str, Any]) -> Config:
    """Returns an agent's configuration with some values.

    Raises:
        HWNASError: what the configuration says of a value.
        InvalidArgumentError: it raises anything else.
    """
    try:
        return agent.config_type.from_dict(values)
    except (HWNASError, KeyboardInterrupt):
        raise
    except BaseException as error:  # of a configuration of one's own
        message = f"{agent.config_type.__name__}: {fault_words(error)}"
        raise InvalidArgumentError(message) from error


def settled(agent: str) -> str:
    """Returns the one text of an agent with its options.

    Raises:
        HWNASError: what :func:`agent_of` and the configuration say.

    Example:
        >>> settled("evolution:sample=4,population=1_00,double=0.5")
        'evolution:population=100,sample=4'
        >>> settled("evolution:population=20"), settled("random")
        ('evolution', 'random')
    """
    found, values = agent_of(agent)
    if not values:
        return agent
    config, usual = config_of(found, values), config_of(found, {})
    chosen = {name: getattr(config, name) for name in sorted(values)}
    words = [
        f"{name}={option_text(value)}"
        for name, value in chosen.items()
        if value != getattr(usual, name)
    ]
    return ":".join([parts_of(agent)[0], *([",".join(words)] if words else [])])


def settled_names(agents: Sequence[str]) -> tuple[str, ...]:
    """Returns the texts of several agents; one that is named twice is there once.

    Raises:
        InvalidArgumentError: no sequence of names.
        HWNASError: what :func:`settled` says.
    """
    return tuple(dict.fromkeys(map(settled, check_names(agents, what="agents"))))


def option_text(value: Any) -> str:
    """Writes the value of an option as it is typed.

    Example:
        >>> option_text((64, 64)), option_text(True), option_text(1e-3)
        ('64,64', 'true', '0.001')
    """
    if isinstance(value, tuple):
        return ",".join(map(option_text, value))
    return (
        str(value).lower() if value is None or value in FLAGS.values() else str(value)
    )


def _value(text: str, kind: Any, *, what: str) -> Any:
    """Reads the value of an option."""
    inner = typing.get_args(kind)
    if typing.get_origin(kind) is tuple:
        parts = filter(None, map(str.strip, text.split(",")))
        return tuple(_value(part, inner[0], what=what) for part in parts)
    if typing.get_origin(kind) in (typing.Union, UnionType):
        if type(None) in inner and text.lower() == "none":
            return None
        kind = next(one for one in inner if one is not type(None))
    if kind is bool:
        return FLAGS[check_name(text.lower(), FLAGS, what=f"value of {what}")]
    try:
        return kind(text) if kind in NUMBERS else text
    except ValueError:
        message = f"{what}: expected {NUMBERS[kind]}, got {shown(text)}"
        raise InvalidArgumentError(message) from None
