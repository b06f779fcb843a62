"""Exceptions, grouped by room; every one is an :class:`HWNASError`.

Each class also inherits the builtin it specialises, so that ``except ValueError``
keeps working. Messages say what came, what was expected and, for names, the nearest
valid one.
"""

import difflib
from collections.abc import Iterable, Mapping

import numpy as np

LETTERS, ITEMS = 60, 4
"""How much of a foreign text, and of a sequence, a message shows."""


_SPACES, _DEVICES = "HWNAS_ENV_SPACES", "HWNAS_ENV_DEVICES"
EVERYWHERE: Mapping[str, str] = {
    "environment": f"{_SPACES} and {_DEVICES}",
    "search space": _SPACES,
    "device": _DEVICES,
}
"""Variables by which commands and workers, too, know what is the user's own."""


class HWNASError(Exception):
    """Root of all errors that this package raises on purpose."""


# Words and arguments


class UnknownNameError(HWNASError, ValueError):
    """Raised when a name is not one of a closed set (dataset, device, operation)."""


class UnknownKeywordError(UnknownNameError, TypeError):
    """Raised for a keyword that an environment does not have."""


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


class InvalidPathError(InvalidArgumentError, DataError):
    """Raised for what is no path, or one that no file can have."""


class DataMissingError(DataError, FileNotFoundError):
    """Raised when data was asked for by name and has not been imported."""


class UnsafePickleError(DataError, ValueError):
    """Raised when a pickle asks for anything but NumPy arrays and containers."""


class TruncatedFileError(DataError, ValueError):
    """Raised when a file ends early or is not of the format its name says."""


class ForeignFileError(DataError, ValueError):
    """Raised when a file is readable but is not the file that was expected."""


class DeviceFileError(DataError, ValueError):
    """Raised when a device's file is not of the form that a device has."""


class ChecksumError(DataError, ValueError):
    """Raised when bytes differ from the checksum recorded for them."""


class NotMeasuredError(DataError, LookupError):
    """Raised when a value is asked for that nobody measured, or is not held."""


# Registration, problems and environments


class TakenNameError(HWNASError, ValueError):
    """Raised when something else is registered under that name or label already."""


class ReplacedDeviceError(HWNASError, ValueError):
    """Raised when a spec names a device that another one has replaced since."""


class NotExactError(HWNASError, ValueError):
    """Raised when an exact answer is asked for that this problem cannot give."""


class NoNetworkError(HWNASError, ValueError):
    """Raised when a space offers no networks, or an export lacks an operation."""


class NoDesignError(HWNASError, ValueError):
    """Raised when a space offers no list of networks to measure on a new device."""


class NoPopulationError(HWNASError, ValueError):
    """Raised when a space does not say what its real devices have in common."""


class UnsteadyMachineError(HWNASError, RuntimeError):
    """Raised when a machine's own speed moves more than a measurement allows."""


class OwnFunctionError(HWNASError, RuntimeError):
    """Raised when a user's function that a text named raises; says which and what."""


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


def shown(value: object) -> str:
    """Names a value for a message, in few words whatever it is.

    Short text and numbers stand as such, so do short sequences of them; the rest is
    named by its type. A structure is never printed: its parts may be shared so often
    that its text would have no end.

    Example:
        >>> shown("fpga"), shown(1.5), shown([1, [2]]), shown("x" * 99)[:9]
        ("'fpga'", '1.5', 'a list', "'xxxxxxxx")
        >>> shown([1.0] * 15625), shown(np.zeros((2, 3)))
        ('[1.0, 1.0, 1.0, 1.0, ...] (15,625 items)', 'an array of shape (2, 3)')
    """
    if isinstance(value, (list, tuple)) and all(map(_plain, value[:ITEMS])):
        more = len(value) > ITEMS
        text = ", ".join([*map(shown, value[:ITEMS]), *(["..."] if more else [])])
        text = f"[{text}]" if isinstance(value, list) else f"({text})"
        return text + (f" ({len(value):,} items)" if more else "")
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, (str, bytes)):
        return repr(value[:LETTERS]) + ("..." if len(value) > LETTERS else "")
    if isinstance(value, int) and abs(value) >= 1 << 64:
        return f"a whole number of {value.bit_length()} bits"
    if _plain(value):
        return repr(value)
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}"
    if isinstance(value, type):
        return f"the class {value.__name__}"
    name = type(value).__name__
    return f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}"


def _plain(value: object) -> bool:
    """Whether a value is a text, a number or None."""
    return value is None or isinstance(value, (str, bytes, int, float))


MOST_NAMES, NAMED = 12, 8
"""Most names that an error lists in full, and how many of more: the nearest."""


def unknown_name(name: object, valid: Iterable[str], *, what: str) -> UnknownNameError:
    """Builds the error for a wrong name, with the nearest right one.

    Of what can be the user's own it says how every process comes to know it.

    Args:
        name: what came.
        valid: the names that exist.
        what: what the name should be, as a noun ("dataset").

    Returns:
        The error, ready to be raised.

    Example:
        >>> str(unknown_name("cifar1", ["cifar10", "cifar100"], what="dataset"))
        "unknown dataset 'cifar1'; did you mean 'cifar10'? Valid: cifar10, cifar100"
    """
    names = list(valid)
    lowered = {candidate.lower(): candidate for candidate in names}
    word = name[:LETTERS].lower() if isinstance(name, str) else ""
    near = difflib.get_close_matches(word, lowered, n=1, cutoff=0.5)
    hint = f"did you mean {lowered[near[0]]!r}? " if near else ""
    listed = ", ".join(names)
    if len(names) > MOST_NAMES:
        nearest = difflib.get_close_matches(word, lowered, n=NAMED, cutoff=0.0)
        some = [lowered[one] for one in nearest] if word else names[:NAMED]
        listed = f"{', '.join(some)} and {len(names) - len(some)} more"
    message = f"unknown {what} {shown(name)}; {hint}Valid: {listed}"
    if what in EVERYWHERE:
        message += f"; your own: by {EVERYWHERE[what]}, also in commands and workers"
    return UnknownNameError(message)
