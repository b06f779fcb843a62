"""Optional packages: imported where they are needed, and named where they lack."""

import importlib
from typing import Any

from hwnas_env.errors import MissingExtraError


def load_extra(module: str, *, extra: str, purpose: str) -> Any:
    """Imports a module of an optional package.

    Args:
        module: its full name.
        extra: the extra of this package that installs it.
        purpose: who needs it, for the error.

    Raises:
        MissingExtraError: it is not installed; says how to.

    Example:
        >>> load_extra("no_such", extra="plots", purpose="a picture")
        Traceback (most recent call last):
        hwnas_env.errors.MissingExtraError: a picture needs no_such: pip install ...
    """
    package = module.split(".")[0]
    try:
        importlib.import_module(package)
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        lacking = (error.name or package).split(".")[0]
        message = f'{purpose} needs {lacking}: pip install "hwnas_env[{extra}]"'
        raise MissingExtraError(message) from None
    except ImportError as error:
        message = f"{purpose} needs {package}, which cannot be imported: {error}"
        raise MissingExtraError(message) from error
