"""Made-up search spaces and a device, over which every contract runs too.

Between them they have what the engines promise to serve: a table and layers, positions
with different numbers of choices, a state of 48, a logistic link, training times, a
clock in layers, networks that a device cannot run, and a metric that is an alias.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from hwnas_env.engines.additive import Additive, stateless
from hwnas_env.engines.columns import (
    CostSource,
    LayeredAccuracy,
    TableAccuracy,
)
from hwnas_env.engines.links import Linear, Logistic
from hwnas_env.errors import InvalidArgumentError
from hwnas_env.spaces import LayeredSpace, TableSpace
from hwnas_env.types import FloatArray, IntArray, Provenance

MADE_UP = Provenance(kind="surrogate", method="made up for tests", citation="nobody")


def pseudo(shape: tuple[int, ...], *, stream: int) -> FloatArray:
    """Numbers in [0, 1) that are the same on every machine."""
    count = int(np.prod(shape))
    steps = np.arange(1, count + 1) * (stream * 2 + 1) * 40503 % 65536
    return np.asarray((steps / 65536.0).reshape(shape))


@dataclass(frozen=True)
class ToyTable(TableSpace):
    """A table whose rows stand in an order of their own."""

    def numbers_of_rows(self) -> IntArray:
        """Rows come in reverse."""
        return np.arange(self.size)[::-1]

    def accuracy(self, name: str | int, dataset: str) -> TableAccuracy:
        """Two runs a network, and what training takes."""
        if name not in ("mean", "sampled", 0, 1) or isinstance(name, bool):
            message = f"accuracy: expected mean, sampled, 0 or 1, got {name!r}"
            raise InvalidArgumentError(message)
        stream = 3 + self.datasets.index(dataset)
        runs = 10.0 + 80.0 * pseudo((self.size, 2), stream=stream)
        seconds = 100.0 + pseudo((self.size,), stream=9)
        mean = (runs[:, 0] + runs[:, 1]) / 2
        return TableAccuracy(f"toy-{name}", mean, runs, seconds, MADE_UP, name)

    def counts(self, dataset: str) -> Mapping[str, FloatArray]:
        """Counts the choices that are not the first."""
        del dataset
        return {"parameters_m": (self.genotypes() > 0).sum(axis=1) / 10.0}


@dataclass(frozen=True)
class ToyLayers(LayeredSpace):
    """Layers whose accuracy is logistic, and whose state is the preceding choice."""

    budgets = MappingProxyType({"tight": 0.25, "medium": 0.5, "loose": 0.9})

    def accuracy(self, name: str | int, dataset: str) -> LayeredAccuracy:
        """A score with a clock: training seconds are a sum over layers too."""
        if name != "mean":
            message = f"accuracy: expected mean, got {name!r}"
            raise InvalidArgumentError(message)
        stream = 5 + self.datasets.index(dataset)
        score = self.paired(stream, Logistic(ceiling=90.0), spread=2.0)
        seconds = self.paired(7, Linear(floor=1.0), spread=20.0)
        return LayeredAccuracy("toy-mean", score, None, MADE_UP, None, seconds)

    def counts(self, dataset: str) -> Mapping[str, Additive]:
        """A thousand parameters a choice's number."""
        del dataset
        rows = [np.arange(count) / 1e3 for count in self.choices_at]
        return {"parameters_m": stateless(0.001, rows, link=Linear())}

    def quantity(self, device: CostSource, dataset: str, metric: str) -> Additive:
        """A cost that depends on a choice and on the one before it."""
        entry = device.coefficients(self.name, dataset, metric)
        if "stream" not in entry:
            return super().quantity(device, dataset, metric)
        return self.paired(entry["stream"], Linear(), spread=entry["spread"])

    def paired(self, stream: int, link: Any, *, spread: float) -> Additive:
        """Sums whose entries depend on the preceding choice: K states."""
        shape = (self.length, self.choices, self.choices)
        entries = 0.1 + spread * pseudo(shape, stream=stream)
        entries *= self.existing[:, None, :]
        following = np.broadcast_to(np.arange(self.choices), shape)
        return Additive(
            np.array([0.5]),
            entries[..., None],
            np.ascontiguousarray(following, dtype=np.int64),
            (link,),
            self.choices_at,
        )


def _names(*counts: int) -> tuple[tuple[str, ...], ...]:
    letters = "abcdefgh"
    return tuple(
        tuple(f"{letters[p]}{c}" for c in range(count))
        for p, count in enumerate(counts)
    )


CELL = ToyTable(
    name="toycell",
    label="ToyCell",
    operations=("none", "conv", "pool"),
    positions=("left", "middle", "right"),
    datasets=("small", "large"),
    default_dataset="small",
)
"""A table whose positions are alike."""

RAGGED = ToyTable(
    name="toyragged",
    label="ToyRagged",
    operations=_names(2, 4, 1, 3),
    positions=("first", "second", "third", "fourth"),
    datasets=("small",),
    default_dataset="small",
)
"""A table whose positions have 2, 4, 1 and 3 choices."""

CHAIN = ToyLayers(
    name="toychain",
    label="ToyChain",
    operations=("thin", "wide", "skip"),
    positions=("one", "two", "three", "four"),
    datasets=("small", "large"),
    default_dataset="large",
)
"""Layers that are alike."""

STATES = ToyLayers(
    name="toystates",
    label="ToyStates",
    operations=_names(3, 48, 2),
    positions=("in", "wide", "out"),
    datasets=("small",),
    default_dataset="small",
)
"""Layers of 3, 48 and 2 choices, so with 48 states."""

SPACES = (CELL, RAGGED, CHAIN, STATES)


TOY = "toybox"
"""The device in ``devices/toybox.json``, which has costs in the toy spaces alone."""
