"""Exceptions, grouped by room; every one is an :class:`HWNASError`.

Each class also inherits the builtin it specialises, so that ``except ValueError``
keeps working. Messages say what came, what was expected and, for names, the nearest
valid one.
"""

import difflib
from collections.abc import Iterable


class HWNASError(Exception):
    """Root of all errors that this package raises on purpose."""


# Words and arguments


class UnknownNameError(HWNASError, ValueError):
    """Raised when a name is not one of a closed set (dataset, device, operation)."""


class InvalidGenotypeError(HWNASError, ValueError):
    """Raised when genotypes have a wrong shape, dtype or an out-of-range entry."""


class InvalidArgumentError(HWNASError, ValueError):
    """Raised when an argument is outside what its docstring allows."""


class InvalidBudgetError(HWNASError, ValueError):
    """Raised when a budget is no number, not positive, or no preset's name."""


class InfeasibleBudgetError(InvalidBudgetError):
    """Raised when a budget is below the cheapest deployable network."""


class MissingExtraError(HWNASError, ImportError):
    """Raised when an optional package is needed; names the install line."""


# Data files


class DataError(HWNASError):
    """Root of what can be wrong with a data file or the cache."""


class DataMissingError(DataError, FileNotFoundError):
    """Raised when data was asked for by name and has not been imported."""


class UnsafePickleError(DataError, ValueError):
    """Raised when a pickle asks for anything but NumPy arrays and containers."""


class TruncatedFileError(DataError, ValueError):
    """Raised when a file ends early or is not of the format its name says."""


class ForeignFileError(DataError, ValueError):
    """Raised when a file is readable but is not the file that was expected."""


class ChecksumError(DataError, ValueError):
    """Raised when bytes differ from the checksum recorded for them."""


class NotMeasuredError(DataError, LookupError):
    """Raised when a value is asked for that nobody measured, or is not held."""


# Problems and environments


class NotExactError(HWNASError, ValueError):
    """Raised when an exact answer is asked for that this problem cannot give."""


class BudgetExhaustedError(HWNASError, RuntimeError):
    """Raised when a query is asked for that the budget cannot pay."""


class SearchExhaustedError(HWNASError, RuntimeError):
    """Raised when a searcher is asked for more and has proposed every network."""


class RestoreError(HWNASError, ValueError):
    """Raised when a saved search does not belong here or no longer replays."""


class InvalidActionError(HWNASError, ValueError):
    """Raised when an action is no integer that the action space contains."""


class EpisodeEndedError(HWNASError, RuntimeError):
    """Raised when a step is taken after an episode's end or before its start."""


class WorkerProcessError(HWNASError, RuntimeError):
    """Raised when a worker process is given what must stay in one process."""


class NotSerialisableError(HWNASError, ValueError):
    """Raised when a callable would have to be written to JSON."""


def unknown_name(name: object, valid: Iterable[str], *, what: str) -> UnknownNameError:
    """Builds the error for a wrong name, with the nearest right one.

    Args:
        name: what came.
        valid: the names that exist.
        what: what the name should be, as a noun ("dataset").

    Returns:
        The error, ready to be raised.

    Example:
        >>> str(unknown_name("edgtpu", ["edgegpu", "edgetpu"], what="device"))
        "unknown device 'edgtpu'; did you mean 'edgetpu'? Valid: edgegpu, edgetpu"
    """
    names = list(valid)
    lowered = {candidate.lower(): candidate for candidate in names}
    near = difflib.get_close_matches(str(name).lower(), lowered, n=1, cutoff=0.4)
    hint = f"did you mean {lowered[near[0]]!r}? " if near else ""
    message = f"unknown {what} {name!r}; {hint}Valid: {', '.join(names)}"
    return UnknownNameError(message)
