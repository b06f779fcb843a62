"""The face of a package: public names that are loaded when they are first asked for."""

import importlib
from collections.abc import Callable, Mapping
from typing import Any


def lazy(
    package: str, homes: Mapping[str, str]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Returns a package's ``__getattr__`` and ``__dir__``.

    Args:
        package: its full name.
        homes: the module that each public name stands in.
    """

    def find(name: str) -> Any:
        if name not in homes:
            message = f"module {package!r} has no attribute {name!r}"
            raise AttributeError(message)
        return getattr(importlib.import_module(homes[name]), name)

    def names() -> list[str]:
        loaded = vars(importlib.import_module(package))
        return sorted({*loaded.get("__all__", ()), *homes})

    return find, names
