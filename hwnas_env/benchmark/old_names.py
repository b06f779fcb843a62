"""Names that moved: they are found where they were for one release, with a warning."""

import importlib
import warnings
from collections.abc import Callable, Mapping
from typing import Any


def moved_names(module: str, moved: Mapping[str, str]) -> Callable[[str], Any]:
    """Returns a module's ``__getattr__``, which finds the names that left it.

    Args:
        module: its ``__name__``.
        moved: "package.module:name" of today by the name of before.
    """

    def find(name: str) -> Any:
        if name not in moved:
            message = f"module {module!r} has no attribute {name!r}"
            raise AttributeError(message)
        home, _, today = moved[name].partition(":")
        message = f"{module}.{name} moved: use {home}.{today}"
        warnings.warn(message, DeprecationWarning, stacklevel=2)
        return getattr(importlib.import_module(home), today)

    return find
