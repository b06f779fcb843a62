"""Files of other projects: one reader a public format.

What a file says of one search space, the space's room reads: it registers an object by
its string form, so that nothing is imported before a file is.
"""

from typing import Any

from hwnas_env.extras import load_object

_REGISTERED: dict[str, dict[str, str]] = {}


def register(form: str, space: str, reference: str) -> None:
    """Registers what a room has for a format.

    Args:
        form: the format's name; its reader says what it expects.
        space: the search space's name.
        reference: "package.module:OBJECT".
    """
    _REGISTERED.setdefault(form, {})[space] = reference


def registered(form: str) -> dict[str, Any]:
    """Returns the objects that rooms registered for a format, by search space."""
    found = _REGISTERED.get(form, {})
    return {
        space: load_object(reference, form="package.module:OBJECT")
        for space, reference in found.items()
    }
