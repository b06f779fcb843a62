"""Devices that are drawn: as many as there are whole numbers, each a full problem."""

import functools
import hashlib
import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np

from hwnas_env.arguments import check_names, check_whole
from hwnas_env.devices import Device
from hwnas_env.engines.additive import stateless
from hwnas_env.engines.columns import LayeredCosts, TableCosts
from hwnas_env.engines.forms import TableSpace
from hwnas_env.engines.layered import LayeredModel
from hwnas_env.engines.links import Linear
from hwnas_env.engines.model import Model
from hwnas_env.engines.noise import uniform_numbers
from hwnas_env.engines.space import SearchSpace
from hwnas_env.engines.table import TableModel
from hwnas_env.maths.elementary import ordered_sum
from hwnas_env.problems.device_law import DeviceLaw
from hwnas_env.problems.make import Accuracy, assemble
from hwnas_env.problems.presets import SAMPLED, round_up
from hwnas_env.problems.problem import Problem
from hwnas_env.spaces import get_space
from hwnas_env.types import FloatArray, Genotypes, Provenance

MOST = 2**63 - 1
"""The largest number of a device."""

DRAWN = Provenance(
    kind="modelled",
    method=(
        "a drawn device: terms of the space weighed as on a real device of the "
        "package, times log-normal factors that vary together as among the real ones"
    ),
    citation="docs/random_devices.md",
    calibrated_on="the packaged devices of the space",
)


def random_devices(
    space: str,
    *,
    dataset: str | None = None,
    accuracy: Accuracy = "mean",
    without: Sequence[str] = (),
) -> "RandomDevices":
    """Returns the drawn devices of a space; the last ones asked for are kept.

    Args:
        space: a search space's name or label.
        dataset: one of the space's; by default its own.
        accuracy: as for :func:`hwnas_env.make_problem`.
        without: names of packaged devices that the drawn ones must know nothing of;
            whatever is of the same machine is left out too.

    Raises:
        UnknownNameError: a name that does not exist; the message names the nearest.
        NoPopulationError: the space does not say what its real devices have in common.
        InvalidArgumentError: no real device is left.

    Example:
        >>> devices = random_devices("fbnet", without=("pixel3",))
        >>> problem = devices.draw(7)
        >>> problem.device.label, problem.cheapest < problem.budget("tight")
        ('Random-7', True)
    """
    found = get_space(space)
    name = found.default_dataset if dataset is None else found.check_dataset(dataset)
    names = check_names(without, what="without", least=0)
    if isinstance(accuracy, (str, int)):
        return _kept(found, name, accuracy, names, id(found))
    return RandomDevices(found, name, accuracy=accuracy, without=names)


@functools.lru_cache(maxsize=16)
def _kept(
    space: SearchSpace,
    dataset: str,
    accuracy: str | int,
    without: tuple[str, ...],
    which: int,
) -> "RandomDevices":
    del which  # by identity too: a space under the same name is another
    return RandomDevices(space, dataset, accuracy=accuracy, without=without)


class RandomDevices:
    """Draws devices of a space; built by :func:`random_devices`, and immutable.

    A drawn device runs every network, also where a real one cannot. Its one metric is
    the first budgetable one that all packaged devices of the space share. Its preset
    budgets are quantiles of its costs over the networks of the space's population. A
    device is drawn until the loose budget binds: until it excludes the network of the
    best mean accuracy.

    Attributes:
        space: the search space.
        dataset: one of its datasets.
        metric: what budgets are set on.
        without: names of the packaged devices that are left out.
    """

    def __init__(
        self,
        space: SearchSpace,
        dataset: str,
        *,
        accuracy: Accuracy = "mean",
        without: tuple[str, ...] = (),
    ) -> None:
        """Prepares what all devices share; see :func:`random_devices`."""
        population = space.population
        self.space, self.dataset, self.without = space, dataset, without
        self.metric = population.metric
        self._law = DeviceLaw.of(population, dataset, without=without)
        self._costs: _Costs = (
            _TableCosts(space, dataset, population.networks)
            if isinstance(space, TableSpace)
            else _LayeredCosts(space, dataset, population.networks)
        )
        self._problem, usual = (
            assemble(
                *(space, Device("random", "Random", {}), dataset, self.metric),
                *(self._costs.blank(self.metric), "builtin", one),
                presets={},
            )
            for one in (accuracy, "mean")
        )
        self._best = usual.model.optimum(0, math.inf).genotypes
        count = len(population.networks)
        self._places = {
            name: math.ceil(fraction * count) - 1
            for name, fraction in {**space.budgets, **SAMPLED}.items()
        }

    def draw(self, number: int) -> Problem:
        """Returns the problem on a device: the same for a number, on every machine.

        Args:
            number: 0 to 2^63 - 1.

        Raises:
            InvalidArgumentError: another value.
        """
        number = check_whole(number, what="device", least=0, most=MOST)
        size, tries = self._law.uniforms, 0
        while True:
            tries += 1
            uniforms = uniform_numbers(tries * size, stream=number)[-size:]
            weights = self._law.draw(uniforms)
            model, listed = self._costs.model(self._problem.model, weights)
            ordered = np.sort(listed)
            presets = {
                name: round_up(float(ordered[place]))
                for name, place in self._places.items()
            }
            if (model.known_costs(self._best, 0) > presets["loose"]).all():
                break
        origin = replace(DRAWN, sha256=hashlib.sha256(weights.tobytes()).hexdigest())
        return replace(
            self._problem,
            device=Device(f"random-{number}", f"Random-{number}", {}, "drawn"),
            committed=tuple(presets.items()),
            origins=tuple(
                (name, origin if name == self.metric else other)
                for name, other in self._problem.origins
            ),
            model=model,
        )


class _Costs(Protocol):
    """Turns weights of terms into costs, in the form of a space."""

    def blank(self, metric: str) -> TableCosts | LayeredCosts:
        """Returns costs that a drawn device's will stand in place of."""

    def model(self, blank: Model, weights: FloatArray) -> tuple[Model, FloatArray]:
        """Returns the model on a device, and the costs ``(N,)`` of listed networks.

        Args:
            blank: the model on no device.
            weights: cost of the mean count of each term, ``(1 + P,)``, the base first.
        """


class _TableCosts:
    """Costs of drawn devices in a space that is enumerated."""

    def __init__(self, space: TableSpace, dataset: str, networks: Genotypes) -> None:
        """Counts the terms of all networks, equal counts once: ``(1 + P, U)``."""
        counts = space.terms(dataset).count
        relative = counts(space.all_genotypes) / _mean(counts(networks))
        distinct, which = np.unique(relative, axis=0, return_inverse=True)
        ones = np.ones((len(distinct), 1))
        self._counts = np.ascontiguousarray(np.hstack([ones, distinct]).T)
        self._which = which.reshape(-1)
        self._listed = space.numbers(networks)

    def blank(self, metric: str) -> TableCosts:
        size = len(self._which)
        return TableCosts(
            {metric: np.ones(size)}, np.ones(size, dtype=np.bool_), {metric: DRAWN}
        )

    def model(self, blank: Model, weights: FloatArray) -> tuple[Model, FloatArray]:
        assert isinstance(blank, TableModel), "a space is of one form"
        costs = _weigh(weights, self._counts)[self._which]
        return blank.with_cost(0, costs), costs[self._listed]


class _LayeredCosts:
    """Costs of drawn devices in a space of sums over layers."""

    def __init__(self, space: SearchSpace, dataset: str, networks: Genotypes) -> None:
        """Counts the terms of every choice at every position: ``(P, L * K)``."""
        terms = space.terms(dataset)
        self._counts_at = space.choices_at
        mean = _mean(terms.count(networks))
        table = np.zeros((space.length, space.choices, len(mean)))
        for position, entries in enumerate(terms.entries):
            table[position, : len(entries)] = entries / mean
        self._shape = table.shape[:2]
        self._counts = np.ascontiguousarray(table.reshape(-1, len(mean)).T)
        first = np.arange(space.length) * space.choices
        self._listed = np.ascontiguousarray((networks + first).T)

    def blank(self, metric: str) -> LayeredCosts:
        rows = [np.zeros(count) for count in self._counts_at]
        return LayeredCosts({metric: stateless(1.0, rows, link=Linear())}, {metric: DRAWN})

    def model(self, blank: Model, weights: FloatArray) -> tuple[Model, FloatArray]:
        assert isinstance(blank, LayeredModel), "a space is of one form"
        table = _weigh(weights[1:], self._counts).reshape(self._shape)
        rows = [row[:count] for row, count in zip(table, self._counts_at, strict=True)]
        quantity = stateless(float(weights[0]), rows, link=Linear())
        # sums of multiples of the grid are exact in any order
        entries = quantity.entries.reshape(-1)
        listed = quantity.start[0] + entries[self._listed].sum(axis=0)
        return blank.with_cost(0, quantity), listed


def _mean(counts: FloatArray) -> FloatArray:
    """Returns the mean count of each term ``(P,)``, 1 where it is 0."""
    mean = ordered_sum(counts.T) / len(counts)
    return np.where(mean == 0.0, 1.0, mean)


def _weigh(weights: FloatArray, table: FloatArray) -> FloatArray:
    """Adds up weighted rows ``(P, R)`` in their order: ``(R,)``."""
    total = np.zeros(table.shape[1])
    for weight, row in zip(weights.tolist(), table, strict=True):
        total += weight * row
    return total
