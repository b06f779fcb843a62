"""A user's own accuracy: a function of genotypes, or a table."""

from typing import Any

import numpy as np
import numpy.typing as npt

from hwnas_env.engines.additive import stateless
from hwnas_env.engines.columns import LayeredAccuracy, TableAccuracy
from hwnas_env.engines.forms import TableSpace
from hwnas_env.engines.links import Linear
from hwnas_env.engines.space import SearchSpace
from hwnas_env.errors import InvalidArgumentError
from hwnas_env.types import AccuracyFunction, FloatArray, Genotypes, Provenance


def checked(function: AccuracyFunction, *, name: str) -> AccuracyFunction:
    """Wraps a user's function so that a wrong answer is an error that names it.

    Args:
        function: genotypes ``(N, L)`` int8 to percent ``(N,)``.
        name: how messages call it.
    """
    return _Checked(function, name)


class _Checked:
    """A function with its name; a class, so that it can be pickled."""

    def __init__(self, function: AccuracyFunction, name: str) -> None:
        self.function, self.name = function, name

    def __call__(self, genotypes: Genotypes) -> FloatArray:
        answer = self.function(genotypes)
        values = _numbers(answer)
        if values is None or values.shape != (len(genotypes),):
            came = "no numbers" if values is None else f"shape {values.shape}"
            message = (
                f"accuracy {self.name}: expected percent of shape ({len(genotypes)},), "
                f"got {came} ({type(answer).__name__})"
            )
            raise InvalidArgumentError(message)
        wrong = ~((values >= 0) & (values <= 100))
        if wrong.any():
            message = (
                f"accuracy {self.name}: expected percent from 0 to 100, got "
                f"{values[wrong][0]}"
            )
            raise InvalidArgumentError(message)
        return values


def _numbers(values: Any) -> FloatArray | None:
    try:
        return np.array(values, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        return None


def function_accuracy(
    space: SearchSpace, function: AccuracyFunction, *, name: str
) -> TableAccuracy | LayeredAccuracy:
    """Takes a function; it is asked once for every network of an enumerated space.

    Raises:
        InvalidArgumentError: it answers with a wrong shape, or not with percent.
    """
    safe = checked(function, name=name)
    provenance = _provenance(f"the user's function {name}")
    if isinstance(space, TableSpace):
        mean = safe(space.genotypes())
        return TableAccuracy(name, mean, None, None, provenance)
    safe(np.zeros((1, space.length), dtype=np.int8))
    return LayeredAccuracy(name, None, safe, provenance)


def table_accuracy(
    space: SearchSpace, table: npt.NDArray[Any]
) -> TableAccuracy | LayeredAccuracy:
    """Takes a table in percent.

    Args:
        space: the search space.
        table: of an enumerated space ``(size,)``, in the order of its tables; of a
            layered one ``(L, K)`` contributions that add up to the accuracy, with NaN
            where a position has no such choice.

    Raises:
        InvalidArgumentError: wrong shape, or totals outside 0 to 100.
    """
    values = _numbers(table)
    tabular = isinstance(space, TableSpace)
    shape = (space.size,) if tabular else (space.length, space.choices)
    if values is None or values.shape != shape:
        came = "no numbers" if values is None else values.shape
        message = f"accuracy: expected a table of shape {shape}, got {came}"
        raise InvalidArgumentError(message)
    rows = [values[p, :k] for p, k in enumerate(space.choices_at) if not tabular]
    low = values.min() if tabular else sum(row.min() for row in rows)
    high = values.max() if tabular else sum(row.max() for row in rows)
    if not (low >= 0 and high <= 100):
        message = f"accuracy: expected percent from 0 to 100, got {low:g} to {high:g}"
        raise InvalidArgumentError(message)
    provenance = _provenance("the user's table")
    if tabular:
        return TableAccuracy("user table", values, None, None, provenance)
    score = stateless(0.0, rows, link=Linear())
    return LayeredAccuracy("user table", score, None, provenance)


def _provenance(method: str) -> Provenance:
    return Provenance(kind="user", method=method, citation="")
