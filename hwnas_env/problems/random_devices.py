"""Devices that are drawn: as many as there are whole numbers, each a full problem."""

import functools
import hashlib
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from hwnas_env.arguments import check_names, check_whole
from hwnas_env.devices import Device
from hwnas_env.engines.additive import Additive, stateless
from hwnas_env.engines.columns import LayeredCosts, TableCosts
from hwnas_env.engines.forms import TableSpace
from hwnas_env.engines.layered import LayeredModel
from hwnas_env.engines.links import Linear
from hwnas_env.engines.model import Model
from hwnas_env.engines.noise import uniform_numbers
from hwnas_env.engines.population import mean_counts, priced_terms
from hwnas_env.engines.space import SearchSpace
from hwnas_env.engines.table import TableModel
from hwnas_env.errors import InvalidBudgetError
from hwnas_env.maths.elementary import ordered_sum
from hwnas_env.problems.device_law import DeviceLaw
from hwnas_env.problems.make import Accuracy, assemble, check_accuracy
from hwnas_env.problems.presets import SAMPLED, round_up
from hwnas_env.problems.problem import Problem
from hwnas_env.spaces import get_space
from hwnas_env.types import FloatArray, Genotypes, IntArray, Provenance

MOST = 2**63 - 1
"""The largest number of a device."""

MOST_TRIES = 100
"""How often a device is drawn until its budgets bind; on our spaces 4 were enough."""

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
        InvalidArgumentError: no real device is left, or an accuracy of no known kind.

    Example:
        >>> devices = random_devices("fbnet", without=("pixel3",))
        >>> problem = devices.draw(7)
        >>> problem.device.label, problem.cheapest < problem.budget("tight")
        ('Random-7', True)
    """
    found = get_space(space)
    name = found.default_dataset if dataset is None else found.check_dataset(dataset)
    names = check_names(without, what="without", least=0)
    return _again(found, name, check_accuracy(accuracy), names)


def _again(
    space: SearchSpace, dataset: str, accuracy: Accuracy, without: tuple[str, ...]
) -> "RandomDevices":
    """Returns what is kept, or prepares it."""
    if isinstance(accuracy, (str, int)):
        return _kept(space, dataset, accuracy, without, id(space))
    return RandomDevices(space, dataset, accuracy=accuracy, without=without)


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
        accuracy: as it was asked for.
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
        self.accuracy = accuracy
        self.metric = population.metric
        self._law = DeviceLaw.of(population, dataset, without=without)
        self._problem, usual = (
            assemble(
                *(space, Device("random", "Random", {}), dataset, self.metric),
                *(_blank(space, self.metric), "builtin", one),
                presets={},
            )
            for one in (accuracy, "mean")
        )
        best = usual.model.optimum(0, math.inf).genotypes
        self._costs = _costs(self._problem, population.networks, best)
        self._listed = len(population.networks)
        self._places = {
            name: math.ceil(fraction * self._listed) - 1
            for name, fraction in {**space.budgets, **SAMPLED}.items()
        }

    def __reduce__(self) -> Any:
        """Is prepared anew where it is unpickled."""
        return _again, (self.space, self.dataset, self.accuracy, self.without)

    def __deepcopy__(self, memo: dict[int, Any]) -> "RandomDevices":
        """Returns itself: nothing of it changes."""
        return self

    def draw(self, number: int) -> Problem:
        """Returns the problem on a device: the same for a number, on every machine.

        Args:
            number: 0 to 2^63 - 1.

        Raises:
            InvalidArgumentError: another value.
            InvalidBudgetError: the best network is never among the dear ones.
        """
        number = check_whole(number, what="device", least=0, most=MOST)
        size = self._law.uniforms
        for tries in range(1, MOST_TRIES + 1):
            uniforms = uniform_numbers(tries * size, stream=number)[-size:]
            weights = self._law.draw(uniforms)
            costs, make_model = self._costs(weights)
            ordered = np.sort(costs[: self._listed])
            presets = {
                name: round_up(float(ordered[place]))
                for name, place in self._places.items()
            }
            if (costs[self._listed :] > presets["loose"]).all():
                break
        else:
            message = (
                f"{self.space.name}: in {MOST_TRIES} draws no loose budget excludes "
                "the network of the best accuracy: it costs too little"
            )
            raise InvalidBudgetError(message)
        origin = replace(DRAWN, sha256=hashlib.sha256(weights.tobytes()).hexdigest())
        return replace(
            self._problem,
            device=Device(f"random-{number}", f"Random-{number}", {}, "drawn"),
            committed=tuple(presets.items()),
            origins=tuple(
                (name, origin if name == self.metric else other)
                for name, other in self._problem.origins
            ),
            model=make_model(),
        )


_Costs = Callable[[FloatArray], tuple[FloatArray, Callable[[], Model]]]
"""Costs of terms ``(1 + P,)``, those of their mean counts and the base first, to the
costs of listed networks ``(N,)``, and to what makes the model."""


def _blank(space: SearchSpace, metric: str) -> TableCosts | LayeredCosts:
    """Returns costs in whose place those of a drawn device will stand."""
    if isinstance(space, TableSpace):
        every = np.ones(space.size, dtype=np.bool_)
        return TableCosts({metric: np.ones(space.size)}, every, {metric: DRAWN})
    nothing = [np.zeros(count) for count in space.choices_at]
    return LayeredCosts(
        {metric: stateless(1.0, nothing, link=Linear())}, {metric: DRAWN}
    )


def _costs(problem: Problem, networks: Genotypes, others: Genotypes) -> _Costs:
    """Prepares what costs are computed by.

    Args:
        problem: on no device.
        networks: over which the mean counts of terms are taken.
        others: listed behind them.
    """
    space, model = problem.space, problem.model
    terms = priced_terms(space, problem.dataset)
    mean, listed = mean_counts(terms, networks), np.concatenate([networks, others])
    if isinstance(space, TableSpace):
        assert isinstance(model, TableModel), "a space is of one form"
        counts = terms.count(space.all_genotypes) / mean
        return _table_costs(model, counts, space.numbers(listed))
    assert isinstance(model, LayeredModel), "a space is of one form"
    return _layered_costs(model, [table / mean for table in terms.entries], listed)


def _table_costs(model: TableModel, counts: FloatArray, listed: IntArray) -> _Costs:
    """See :func:`_costs`: of counts ``(size, P)``; networks are listed by numbers."""
    distinct, which = np.unique(counts, axis=0, return_inverse=True)
    rows, which = np.ascontiguousarray(distinct.T), which.reshape(-1)

    def costs(weights: FloatArray) -> tuple[FloatArray, Callable[[], Model]]:
        base, *others = weights.tolist()
        total = np.full(len(distinct), base)
        for weight, row in zip(others, rows, strict=True):
            total += weight * row
        column = total.take(which)
        return column.take(listed), functools.partial(model.with_cost, 0, column)

    return costs


def _layered_costs(
    model: LayeredModel, counts: list[FloatArray], listed: Genotypes
) -> _Costs:
    """See :func:`_costs`: of what each choice counts, ``(K_p, P)`` a position."""
    choices_at = tuple(len(table) for table in counts)
    length, choices = len(counts), max(choices_at)
    existing = np.arange(choices) < np.array(choices_at)[:, None]
    one_state = np.zeros((length, 1, choices), dtype=np.int64)
    rows = np.concatenate(counts)
    # the few terms that a choice has, in their order
    most = int((rows != 0.0).sum(axis=1).max())
    which = np.argsort(rows == 0.0, axis=1, kind="stable")[:, :most]
    rows = np.take_along_axis(rows, which, axis=1)
    places = np.ascontiguousarray((listed + choices * np.arange(length)).T)

    def costs(weights: FloatArray) -> tuple[FloatArray, Callable[[], Model]]:
        added = ordered_sum(weights[1:].take(which) * rows)
        entries = np.zeros((length, choices))
        entries[existing] = added
        table = entries.reshape(length, 1, choices, 1)
        quantity = Additive(weights[:1], table, one_state, (Linear(),), choices_at)
        # sums of multiples of the grid are exact in any order
        sums = quantity.entries.reshape(-1).take(places).sum(axis=0)
        make_model = functools.partial(model.with_cost, 0, quantity)
        return quantity.start[0] + sums, make_model

    return costs
