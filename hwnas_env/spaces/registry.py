"""Every search space there is: the rooms of this package, and the user's own."""

import importlib
import os
import re
import sys
import warnings
from typing import TYPE_CHECKING, Any

from hwnas_env.engines.registry import Registry
from hwnas_env.errors import InvalidArgumentError, shown
from hwnas_env.extras import load_object
from hwnas_env.texts import plain

if TYPE_CHECKING:
    from hwnas_env.engines.space import SearchSpace

VARIABLE = "HWNAS_ENV_SPACES"
"""The environment variable that names the user's spaces, by "package.module:SPACE"."""

SEARCH_SPACES: "Registry[SearchSpace]" = Registry(
    "search space", order=lambda space: (space.size, space.name)
)
"""Every search space by name, the smallest first."""


def get_space(name: str) -> "SearchSpace":
    """Returns the search space of that name or label ("fbnet" or "FBNet").

    Raises:
        UnknownNameError: there is none; the message names the nearest.
    """
    return SEARCH_SPACES.find(name)


def add_space(space: "SearchSpace | str") -> "SearchSpace":
    """Adds a search space; the same one a second time is nothing.

    Args:
        space: itself, or "package.module:SPACE", which worker processes can import.

    Raises:
        TakenNameError: another space has its name or label.
        InvalidArgumentError: it cannot be imported, or is no search space.
    """
    from hwnas_env.engines.forms import LayeredSpace, TableSpace  # not at import

    found: Any = space
    if isinstance(space, str):
        found = load_object(space, form="package.module:SPACE")
    if not isinstance(found, (TableSpace, LayeredSpace)):
        message = f"space: expected a TableSpace or a LayeredSpace, got {shown(found)}"
        raise InvalidArgumentError(message)
    check_facts(found)
    known = SEARCH_SPACES.get(found.name)
    SEARCH_SPACES.add(found, same=type(known) is type(found) and known == found)
    return SEARCH_SPACES[found.name]


def check_facts(space: "SearchSpace") -> None:
    """Raises unless a space's positions, operations and datasets are what they can be.

    Raises:
        InvalidArgumentError: names the fact, what came and what was expected.
    """
    from hwnas_env.engines.choices import LETTERS  # not at import
    from hwnas_env.engines.forms import TableSpace

    where = f"space {shown(space.name)}"
    for key in ("positions", "datasets"):
        _check_distinct(getattr(space, key), f"{where}: {key}")
    if space.default_dataset not in space.datasets:
        expected = f"one of {', '.join(space.datasets)}"
        came = shown(space.default_dataset)
        message = f"{where}: default_dataset: expected {expected}, got {came}"
        raise InvalidArgumentError(message)
    given: Any = space.operations
    nested = isinstance(given, tuple) and bool(given) and not isinstance(given[0], str)
    if nested and len(given) != space.length:
        message = (
            f"{where}: operations: expected names, or a tuple of names for each of "
            f"{space.length} positions, got {len(given)} of them"
        )
        raise InvalidArgumentError(message)
    for position, names in enumerate(given if nested else [given]):
        place = f"{where}: operations" + (f" of position {position}" if nested else "")
        _check_distinct(names, place)
        parted = any(re.search(r"[|,\s]", n) or not n.isprintable() for n in names)
        if len(names) > len(LETTERS) or parted:
            message = (
                f"{place}: expected names without blanks, commas and |, "
                f"{len(LETTERS)} at most, got {shown(names)}"
            )
            raise InvalidArgumentError(message)
    if isinstance(space, TableSpace):
        space.check_size()


def _check_distinct(names: Any, where: str) -> None:
    """Raises unless there is a tuple of different texts, one at least."""
    good = isinstance(names, tuple) and bool(names)
    if not good or not all(isinstance(name, str) and name for name in names):
        message = f"{where}: expected a tuple of names, got {shown(names)}"
        raise InvalidArgumentError(message)
    if len(set(names)) < len(names):
        message = f"{where}: expected different names, got {shown(names)}"
        raise InvalidArgumentError(message)


def add_rooms() -> None:
    """Adds the search spaces of this package."""
    here = os.path.dirname(__file__)
    for name in sorted(os.listdir(here)):
        if os.path.isfile(os.path.join(here, name, "__init__.py")):
            room = importlib.import_module(f"hwnas_env.spaces.{name}")
            SEARCH_SPACES.add(room.LISTED)


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
            warnings.warn(plain(words), stacklevel=2)
            continue
        try:
            add_space(reference)
        except Exception as error:  # the user's module is a program of its own
            words = f"{VARIABLE}: {reference} is left out: {error!r:.300}"
            warnings.warn(plain(words), stacklevel=2)


add_rooms()
