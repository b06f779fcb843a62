"""What a searcher was asked and told, in order, as JSON holds it.

A searcher is a deterministic function of its problem, budget, configuration, the first
state of its generator and the answers that it got. So these are its whole state: to
restore one is to play its journal again. No searcher has to say what is inside it.
"""

import copy
import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from hwnas_env.errors import InvalidArgumentError, RestoreError, shown
from hwnas_env.types import Evaluation, Genotypes

GENERATORS = ("PCG64", "PCG64DXSM", "Philox", "SFC64", "MT19937")


@dataclass(frozen=True, eq=False)
class Entry:
    """One line of a journal.

    Attributes:
        genotypes: ``(N, L)`` int8 that were proposed or answered.
        evaluation: the answer; None where the genotypes were proposed.
        number: how many were asked for; None where that was not said.
    """

    genotypes: Genotypes
    evaluation: Evaluation | None
    number: int | None = None

    def as_dict(self) -> dict[str, Any]:
        """Returns JSON-able values; infinity is None, so that strict JSON holds it."""
        rows = self.genotypes.tolist()
        if self.evaluation is None:
            return {"asked": rows, "number": self.number}
        seconds = self.evaluation.train_seconds
        return {
            "told": rows,
            "accuracy_percent": self.evaluation.accuracy_percent.tolist(),
            "costs": [
                [cost if math.isfinite(cost) else None for cost in row]
                for row in self.evaluation.costs.tolist()
            ],
            "deployable": self.evaluation.deployable.tolist(),
            "train_seconds": None if seconds is None else seconds.tolist(),
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any], *, length: int) -> "Entry":
        """Returns the entry that :meth:`as_dict` wrote.

        Args:
            values: what it wrote.
            length: positions of a genotype, L.

        Raises:
            RestoreError: the values are no entry.
        """
        try:
            if "asked" in values:
                rows = _rows(values["asked"], length)
                return cls(rows, None, values["number"])
            genotypes = _rows(values["told"], length)
            costs = [
                [math.inf if cost is None else cost for cost in row]
                for row in values["costs"]
            ]
            seconds = values["train_seconds"]
            evaluation = Evaluation(
                np.array(values["accuracy_percent"], dtype=np.float64),
                np.array(costs, dtype=np.float64).reshape(len(genotypes), -1),
                np.array(values["deployable"], dtype=np.bool_),
                None if seconds is None else np.array(seconds, dtype=np.float64),
            )
        except (KeyError, TypeError, ValueError) as error:
            message = f"expected an entry of a searcher's history: {error!r}"
            raise RestoreError(message) from None
        return cls(genotypes, evaluation)


@dataclass(eq=False)
class Journal:
    """Keeps a generator's first state and everything that follows.

    Attributes:
        generator: the state before the first draw, JSON-able.
        entries: proposals and answers in order.
    """

    generator: dict[str, Any]
    entries: list[Entry] = field(default_factory=list)

    def asked(self, genotypes: Genotypes, number: int | None) -> None:
        """Notes a proposal, and how many networks were asked for."""
        self.entries.append(Entry(genotypes.copy(), None, number))

    def told(self, genotypes: Genotypes, evaluation: Evaluation) -> None:
        """Notes an answer, as a copy."""
        seconds = evaluation.train_seconds
        kept = Evaluation(
            evaluation.accuracy_percent.copy(),
            evaluation.costs.copy(),
            evaluation.deployable.copy(),
            None if seconds is None else seconds.copy(),
        )
        self.entries.append(Entry(genotypes.copy(), kept))


def generator_state(rng: np.random.Generator) -> dict[str, Any]:
    """Returns a generator's present state as JSON-able values.

    Raises:
        InvalidArgumentError: not one of NumPy's own generators.
    """
    name = type(rng.bit_generator).__name__
    if name not in GENERATORS:
        message = f"rng: expected one of {', '.join(GENERATORS)}, got {name}"
        raise InvalidArgumentError(message)
    plain: dict[str, Any] = _plain(copy.deepcopy(dict(rng.bit_generator.state)))
    return plain


def generator_from(state: dict[str, Any]) -> np.random.Generator:
    """Returns a generator in a state that :func:`generator_state` gave.

    Raises:
        RestoreError: it is no such state.
    """
    name = state.get("bit_generator")
    if name not in GENERATORS:
        message = (
            f"generator: expected one of {', '.join(GENERATORS)}, got {shown(name)}"
        )
        raise RestoreError(message)
    bits = getattr(np.random, name)()
    try:
        bits.state = state
    except (KeyError, TypeError, ValueError) as error:
        message = f"expected a state of {name}: {error!r}"
        raise RestoreError(message) from None
    return np.random.Generator(bits)


def _rows(rows: list[list[int]], length: int) -> Genotypes:
    return np.array(rows, dtype=np.int8).reshape(-1, length)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (np.ndarray, np.generic)):
        return value.tolist()
    return value
