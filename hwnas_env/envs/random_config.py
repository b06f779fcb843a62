"""What an environment's keywords decide where devices are drawn as they are needed."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from hwnas_env.arguments import check_whole
from hwnas_env.envs.config import EnvConfig, describe_devices, log_ranges
from hwnas_env.envs.registration import RANDOM
from hwnas_env.errors import InvalidArgumentError, InvalidBudgetError, shown
from hwnas_env.problems.budget import Keys
from hwnas_env.problems.make import Accuracy
from hwnas_env.problems.problem import Problem
from hwnas_env.problems.random_devices import MOST, random_devices
from hwnas_env.types import Genotypes, IntArray, RewardFunction

NUMBERS = 10**9
"""How many devices an episode may draw; ``reset`` reaches the others by number."""


def make_config(
    space: str, device: str | None = None, *, count: int = 1, **keywords: Any
) -> EnvConfig:
    """Returns what keywords decide for so many environments of one process."""
    devices = keywords.get("devices")
    if isinstance(devices, str) and devices == RANDOM:
        return RandomConfig(space, device, count=count, **keywords)
    return EnvConfig(space, device, **keywords)


class RandomConfig(EnvConfig):
    """Problems on drawn devices, one a row; :meth:`seat` gives a row another.

    ``problems`` and all that is kept of them have a place a row, not a device.
    """

    changing = True

    def __init__(
        self,
        space: str,
        device: str | None = None,
        *,
        count: int,
        without: Sequence[str] = (),
        dataset: str | None = None,
        metric: str | None = None,
        budget: float | str = "medium",
        reward: str | RewardFunction = "mnas_hard",
        accuracy: Accuracy = "mean",
        max_queries: int | None = None,
        **others: Any,
    ) -> None:
        """Checks the keywords; every row has device 0 until it is given another."""
        _refuse({"device": device, **others})
        self._drawn_by = random_devices(
            space, dataset=dataset, accuracy=accuracy, without=without
        )
        own = self._drawn_by.metric
        if not (metric is None or (isinstance(metric, str) and metric == own)):
            message = f"metric: drawn devices have one, {own}, got {shown(metric)}"
            raise InvalidArgumentError(message)
        if not isinstance(budget, str):
            raise _no_number(budget)
        self.several, self.devices, self.drawn = True, (), NUMBERS
        self._numbers = np.zeros(count, dtype=np.int64)
        self.problems = [self._drawn_by.draw(0)] * count
        self._settle(
            budget=budget,
            reward=reward,
            objectives=None,
            accuracy=accuracy,
            costs=None,
            max_queries=max_queries,
            ledger=None,
        )

    def seat(self, rows: IntArray, numbers: IntArray) -> IntArray:
        """Gives rows their devices, and returns the rows, whose own places they are."""
        moved = self._numbers[rows] != numbers
        places, wanted = rows[moved], numbers[moved].tolist()
        if wanted:
            drawn = {number: self._drawn_by.draw(number) for number in {*wanted}}
            problems = [drawn[number] for number in wanted]
            for place, problem in zip(places.tolist(), problems, strict=True):
                self.problems[place] = problem
                columns = replace(self.query_columns[place], problem=problem)
                self.query_columns[place] = columns
            tables = self.budgets, self.medium, self._cheapest
            for table, found in zip(tables, self._budgets_on(problems), strict=True):
                table[places] = found
            if self.sampled:
                self._log_low[places], self._log_high[places] = log_ranges(problems)
            self.tails[places] = describe_devices(problems)
            self._numbers[places] = wanted
        return rows

    def shown(self, places: IntArray) -> IntArray:
        """Returns the numbers of the devices: see :meth:`EnvConfig.shown`."""
        return self._numbers[places]

    def check_device(self, device: Any) -> int | None:
        """Returns the number of an episode's device, None where it is to be drawn.

        Raises:
            InvalidArgumentError: neither a number from 0 to 2^63 - 1 nor None.
        """
        if device is None:
            return None
        return check_whole(device, what="device", least=0, most=MOST)

    def check_budget(self, budget: Any, number: int | None) -> float | str | None:
        """Returns an episode's budget as it came; see :meth:`EnvConfig.check_budget`.

        Raises:
            InvalidBudgetError: a number without a device, too.
        """
        if number is None and budget is not None and not isinstance(budget, str):
            raise _no_number(budget)
        return super().check_budget(budget, number)

    def _candidates(self, number: int | None) -> Sequence[Problem]:
        """Returns one for all that may be drawn: names mean something on each."""
        return self.problems[:1] if number is None else [self._drawn_by.draw(number)]

    def keys(self, genotypes: Genotypes, numbers: IntArray) -> Keys:
        """Tells networks on devices apart: 8 bytes of the device, then the network."""
        devices = self._numbers[numbers][:, None].view(np.int8)
        rows = np.ascontiguousarray(np.hstack([devices, genotypes]))
        return list(rows.view(f"V{rows.shape[1]}").ravel().tolist())


def _refuse(keywords: Mapping[str, Any]) -> None:
    """Raises where a keyword is given that says nothing of drawn devices.

    Raises:
        InvalidArgumentError: names it, and what to give.
    """
    for name, value in keywords.items():
        nothing, words = _OTHERS[name]
        if not any(type(value) is type(one) and value == one for one in nothing):
            message = f'{name}: {words}, got {shown(value)} with devices="{RANDOM}"'
            raise InvalidArgumentError(message)


_OTHERS: Mapping[str, tuple[tuple[Any, ...], str]] = {
    "devices": ((RANDOM,), "random"),
    "device": ((None,), 'an episode takes its number by reset(options={"device": 7})'),
    "test_devices": (((), []), "expected none; without= names real ones to leave out"),
    "objectives": ((None,), "a vector reward has no bounds over all drawn devices"),
    "source": (("builtin",), "drawn devices are built in"),
    "costs": ((None,), "drawn devices have their own"),
    "ledger": ((None,), "its problem is of one device"),
}
"""Keywords that are senseless here: what asks for nothing, and why not more."""


def _no_number(budget: Any) -> InvalidBudgetError:
    return InvalidBudgetError(
        f"budget: drawn devices differ in scale: expected tight, medium, loose or "
        f'"sampled", got {shown(budget)}; a number goes with a device, '
        'reset(options={"device": 7, "budget": 3.0})'
    )
