"""Every search space there is: the rooms of this package, and the user's own."""

import importlib
import os
import pkgutil
import sys
import warnings
from typing import Any

from hwnas_env.engines.forms import LayeredSpace, TableSpace
from hwnas_env.engines.registry import Registry
from hwnas_env.engines.space import LETTERS, SearchSpace
from hwnas_env.errors import InvalidArgumentError, shown
from hwnas_env.extras import load_object

VARIABLE = "HWNAS_ENV_SPACES"
"""The environment variable that names the user's spaces, by "package.module:SPACE"."""

SEARCH_SPACES: Registry[SearchSpace] = Registry(
    "search space", order=lambda space: (space.size, space.name)
)
"""Every search space by name, the smallest first."""


def get_space(name: str) -> SearchSpace:
    """Returns the search space of that name or label ("fbnet" or "FBNet").

    Raises:
        UnknownNameError: there is none; the message names the nearest.
    """
    return SEARCH_SPACES.find(name)


def add_space(space: SearchSpace | str) -> SearchSpace:
    """Adds a search space; the same one a second time is nothing.

    Args:
        space: itself, or "package.module:SPACE", which worker processes can import.

    Raises:
        TakenNameError: another space has its name or label.
        InvalidArgumentError: it cannot be imported, or is no search space.
    """
    found: Any = space
    if isinstance(space, str):
        found = load_object(space, form="package.module:SPACE")
    if not isinstance(found, (TableSpace, LayeredSpace)):
        message = f"space: expected a TableSpace or a LayeredSpace, got {shown(found)}"
        raise InvalidArgumentError(message)
    if found.choices > len(LETTERS):
        message = (
            f"space {found.name}: {found.choices} choices at a position, expected "
            f"{len(LETTERS)} at most"
        )
        raise InvalidArgumentError(message)
    known = SEARCH_SPACES.get(found.name)
    SEARCH_SPACES.add(found, same=type(known) is type(found) and known == found)
    return SEARCH_SPACES[found.name]


def add_rooms() -> None:
    """Adds the search spaces of this package."""
    package = importlib.import_module("hwnas_env.spaces")
    for room in pkgutil.iter_modules(package.__path__, "hwnas_env.spaces."):
        if room.ispkg:
            SEARCH_SPACES.add(importlib.import_module(room.name).SPACE)


def add_named_spaces() -> None:
    """Adds what ``HWNAS_ENV_SPACES`` names; what cannot be added is a warning."""
    for reference in map(str.strip, os.environ.get(VARIABLE, "").split(",")):
        if not reference:
            continue
        module = reference.partition(":")[0]
        spec = getattr(sys.modules.get(module), "__spec__", None)
        if getattr(spec, "_initializing", False):
            # it imports this package, so it has no space yet
            words = (
                f"{VARIABLE}: {reference} is left out, since {module} is being "
                f"imported: import hwnas_env before {module}, or end {module} with "
                "hwnas_env.register_space"
            )
            warnings.warn(words, stacklevel=2)
            continue
        try:
            add_space(reference)
        except Exception as error:  # the user's module is a program of its own
            words = f"{VARIABLE}: {reference} is left out: {error!r:.300}"
            warnings.warn(words, stacklevel=2)


add_rooms()
