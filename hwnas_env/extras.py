"""What is imported by its name: optional packages, and a user's own objects."""

import importlib
from typing import Any

from hwnas_env.errors import InvalidArgumentError, MissingExtraError, shown


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
        hwnas_env.errors.MissingExtraError: a picture needs no_such: in a checkout ...
    """
    package = module.split(".")[0]
    try:
        importlib.import_module(package)
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        lacking = (error.name or package).split(".")[0]
        raise missing_extra(package=lacking, extra=extra, purpose=purpose) from None
    except ImportError as error:
        message = f"{purpose} needs {package}, which cannot be imported: {error}"
        raise MissingExtraError(message) from error


def missing_extra(*, package: str, extra: str, purpose: str) -> MissingExtraError:
    """Builds the error for a package that lacks, with what installs it.

    Args:
        package: what lacks.
        extra: the extra of this package that installs it.
        purpose: who needs it.
    """
    message = (
        f'{purpose} needs {package}: in a checkout pip install -e ".[{extra}]", '
        f'elsewhere pip install "hwnas_env[{extra}] @ file:///PATH/OF/THE/CHECKOUT"'
    )
    return MissingExtraError(message)


def load_object(reference: Any, *, form: str) -> Any:
    """Imports an object by its string form, "package.module:name".

    Args:
        reference: what came.
        form: what was expected, for the error ("package.module:function").

    Raises:
        InvalidArgumentError: it is no such text, its module cannot be imported, or
            holds no such name.
    """
    module, _, name = (reference if isinstance(reference, str) else "").partition(":")
    try:
        return getattr(importlib.import_module(module), name)
    except (Exception, SystemExit) as error:  # a module may raise anything
        message = f"{shown(reference)}: {error_words(error)}; expected {form!r}"
        raise InvalidArgumentError(message) from error


def error_words(error: BaseException) -> str:
    """Returns the type and the message of a foreign error, in one line.

    Example:
        >>> error_words(KeyError("no such thing")), error_words(SystemExit())
        ("KeyError: 'no such thing'", 'SystemExit:')
    """
    return " ".join(f"{type(error).__name__}: {error}".split())[:200]
