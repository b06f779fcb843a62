"""What an environment's keywords decide: for one environment, and for many at once."""

import copy
import math
from collections.abc import Mapping, Sequence
from typing import Any

import gymnasium as gym
import numpy as np

from hwnas_env.arguments import check_names
from hwnas_env.engines.walk import RATIO_LIMIT
from hwnas_env.envs.checks import (
    check_asked,
    check_ledger,
    choose_devices,
    refuse_accuracy,
    require_metric,
)
from hwnas_env.envs.prefix_table import PrefixTable, make_prefix_table
from hwnas_env.envs.query_columns import QueryColumns
from hwnas_env.envs.spec import is_object, refuse_objects
from hwnas_env.envs.workers import refuse_worker
from hwnas_env.errors import InvalidArgumentError, shown, unknown_name
from hwnas_env.maths.elementary import exp, log
from hwnas_env.problems.budget import BudgetedProblem, Keys
from hwnas_env.problems.make import (
    Accuracy,
    choose_dataset,
    choose_metric,
    make_problem,
)
from hwnas_env.problems.own_costs import Costs
from hwnas_env.problems.problem import SAMPLED_RANGE, Problem
from hwnas_env.problems.rewards import NamedReward, VectorReward, resolve_reward
from hwnas_env.spaces import get_space
from hwnas_env.types import FloatArray, Genotypes, IntArray, RewardFunction

LOG_LIMIT = 10.0
"""Logarithms of costs over budgets are observed clipped to [-10, 10]."""


class EnvConfig:
    """Problems, ledger, budgets and rewards; environments act on it.

    One problem a device; ``MultiDevice`` environments have several, and draw one of the
    first ``drawn`` each episode.
    """

    changing = False
    """Whether the problem at a place becomes another from episode to episode."""

    def __init__(
        self,
        space: str,
        device: str | None = None,
        *,
        devices: Sequence[str] | str | None = None,
        test_devices: Sequence[str] = (),
        dataset: str | None = None,
        metric: str | None = None,
        budget: float | str = "medium",
        reward: str | RewardFunction = "mnas_hard",
        objectives: Sequence[str] | None = None,
        source: str = "builtin",
        accuracy: Accuracy = "mean",
        costs: Costs | None = None,
        max_queries: int | None = None,
        ledger: BudgetedProblem | None = None,
        without: Sequence[str] = (),
    ) -> None:
        """Checks the keywords; see :class:`hwnas_env.envs.base.HWNASEnv`."""
        if isinstance(source, str) and source == "auto":
            message = 'source: "auto" differs between machines; builtin or measured'
            raise InvalidArgumentError(message)
        if len(check_names(without, what="without", least=0)):
            message = 'without: of drawn devices only, devices="random"'
            raise InvalidArgumentError(message)
        targets, drawn = choose_devices(device, devices, test_devices, ledger=ledger)
        names = [target.name for target in targets]
        self.several = device is None
        found = get_space(space)
        if self.several and costs is not None:
            message = (
                "costs: those of one device; an environment of several has its own"
            )
            raise InvalidArgumentError(message)
        if self.several:
            require_metric(found.name, targets, metric)
        self.devices, self.drawn = tuple(names), drawn
        self._labels = [target.label for target in targets]
        self.problems: list[Problem]
        if ledger is not None:
            check_ledger(ledger)
            named = accuracy
            usual = ("mean", ledger.problem.accuracy)
            if isinstance(accuracy, (str, int)) and accuracy not in usual:
                named = make_problem(
                    space, device=names[0], dataset=dataset, accuracy=accuracy
                ).accuracy
            asked = {
                "space": (found.name, None),
                "device": (", ".join(names), None),
                "dataset": (dataset, None),
                "metric": (metric, None),
                "source": (source, "builtin"),
                "accuracy": (named, "mean"),
                "costs": (costs, None),
                "max_queries": (max_queries, None),
            }
            check_asked(ledger, asked)
            self.problems = [ledger.problem]
        else:
            if costs is None:
                dataset = choose_dataset(found, targets, dataset)
                metric = choose_metric(found, targets, metric)
            self.problems = [
                make_problem(
                    space,
                    device=name,
                    dataset=dataset,
                    metric=metric,
                    source=source,
                    accuracy=accuracy,
                    costs=costs,
                )
                for name in names
            ]
        self._settle(
            budget=budget,
            reward=reward,
            objectives=objectives,
            accuracy=accuracy,
            costs=costs,
            max_queries=max_queries,
            ledger=ledger,
        )

    def _settle(
        self,
        *,
        budget: float | str,
        reward: str | RewardFunction,
        objectives: Sequence[str] | None,
        accuracy: Accuracy,
        costs: Costs | None,
        max_queries: int | None,
        ledger: BudgetedProblem | None,
    ) -> None:
        """Decides all that follows from the problems."""
        first = self.problems[0]
        refuse_accuracy(first)
        self.space = first.space
        self.length, self.choices = self.space.length, self.space.choices
        self.given = ledger is not None
        counted = self.given or max_queries is not None
        self._keywords = {"reward": reward, "accuracy": accuracy, "costs": costs}
        self._local = counted or any(map(is_object, self._keywords.values()))
        self.refuse_worker()
        # a ledger that was given is never set back
        self.restarts = ledger is None and max_queries is None
        if ledger is None:
            ledger = BudgetedProblem(
                first,
                max_queries=max_queries,
                devices=1 if self.changing else len(self.problems),
                drawn=self.changing,
            )
        self.ledger = ledger
        self._set_budgets(budget)
        self._set_reward(reward, objectives)
        tails = describe_devices(self.problems) if self.several else np.zeros((1, 0))
        self.tails: FloatArray = tails
        self._prefix_tables: dict[int, PrefixTable] = {}
        self.fixed = (
            self.space.has_numbers
            and not (self.sampled or self.changing)
            and not first.sampled
            and (self.reward is None or self.reward.trusted)
        )

    def __deepcopy__(self, memo: dict[int, Any]) -> "EnvConfig":
        """Copies everything but a ledger that was given: copies spend it too."""
        if self.given:
            memo[id(self.ledger)] = self.ledger
        copied = memo[id(self)] = object.__new__(type(self))
        vars(copied).update(copy.deepcopy(vars(self), memo))
        return copied

    def __getstate__(self) -> dict[str, Any]:
        """Returns what a pickle holds.

        Raises:
            NotSerialisableError: a ledger was given, which would count twice.
        """
        if self.given:
            refuse_objects({"ledger": self.ledger}, "a pickle")
        return vars(self)

    def require_exact(self) -> None:
        """Raises where masks cannot be exact, as mode construct needs them.

        Raises:
            NotExactError: the costs are a function of unknown form.
        """
        for problem, budget in zip(self.problems, self.budgets, strict=True):
            if not problem.model.exact:
                problem.walk(float(budget))

    def refuse_worker(self) -> None:
        """Raises if a ledger or a function is in a vector worker process."""
        if self._local:
            refuse_worker(self._keywords)

    def _set_budgets(self, budget: float | str) -> None:
        self.sampled = isinstance(budget, str) and budget == "sampled"
        self._usual = "medium" if self.sampled else budget
        self.budgets, self.medium, self._cheapest = self._budgets_on(self.problems)
        if self.sampled:
            self._log_low, self._log_high = log_ranges(self.problems)

    def _budgets_on(self, problems: Sequence[Problem]) -> FloatArray:
        """Returns the usual budgets, the medium and the least possible ones: (3, P)."""
        usual = [problem.budget(self._usual) for problem in problems]
        medium = [problem.presets["medium"] for problem in problems]
        return np.array([usual, medium, [problem.cheapest for problem in problems]])

    def _set_reward(
        self, reward: str | RewardFunction, objectives: Sequence[str] | None
    ) -> None:
        self.reward: NamedReward | None = None
        self.vector_rewards: tuple[VectorReward, ...] = ()
        rewards: Sequence[NamedReward | VectorReward]
        if objectives is None:
            self.reward = resolve_reward(reward)
            rewards = [self.reward] * len(self.problems)
        elif not isinstance(reward, str) or reward != "mnas_hard":
            message = "reward and objectives: give one; objectives make it a vector"
            raise InvalidArgumentError(message)
        else:
            rewards = self.vector_rewards = tuple(
                VectorReward.of(problem, objectives) for problem in self.problems
            )
        shared = [
            name
            for name in self.problems[0].metrics
            if all(name in problem.metrics for problem in self.problems)
        ]
        self.metrics = tuple(shared)
        self.query_columns = [
            QueryColumns(problem, self.metrics, one)
            for problem, one in zip(self.problems, rewards, strict=True)
        ]

    def blank(self) -> dict[str, Any]:
        """Returns the info keys in their order, with what they say of no network."""
        seconds = self.problems[0].has_train_seconds
        return {
            "evaluated": False,
            "genotype": None,
            "accuracy_percent": 0.0,
            **dict.fromkeys(self.metrics, 0.0),
            "budget": 0.0,
            **({"device": 0} if self.several else {}),
            "cost": 0.0,
            "feasible": False,
            "deployable": False,
            "completable": False,
            **({"train_seconds": 0.0} if seconds else {}),
            "queries": 0,
            "unique_queries": 0,
            "budget_exhausted": False,
            "action_mask": None,
        }

    def reward_space(self) -> gym.spaces.Box:
        """Returns the bounds of vector rewards, over all devices."""
        return gym.spaces.Box(
            np.min([vector.reference for vector in self.vector_rewards], axis=0),
            np.max([vector.high for vector in self.vector_rewards], axis=0),
            dtype=np.float64,
        )

    def observation_space(self, ones: int) -> Any:
        """Returns a Box of ``ones`` indicators, a cost interval, and the tail."""
        tail = self.sampled + self.tails.shape[1]
        size = ones + 2 + tail
        low, high = np.zeros(size, np.float32), np.ones(size, np.float32)
        high[ones : ones + 2] = RATIO_LIMIT
        low[ones + 2 :], high[ones + 2 :] = -LOG_LIMIT, LOG_LIMIT
        return gym.spaces.Box(low, high, dtype=np.float32)

    def tail(self, numbers: IntArray, budgets: FloatArray) -> FloatArray:
        """Returns what ends the observations of episodes: ``(N, T)``.

        Args:
            numbers: ``(N,)`` which problem.
            budgets: ``(N,)`` in its metric's unit.
        """
        if not self.sampled:
            return self.tails[numbers]
        logs = log(budgets / self.medium[numbers])
        logs = np.minimum(np.maximum(logs, -LOG_LIMIT), LOG_LIMIT)
        return np.concatenate([logs[:, None], self.tails[numbers]], axis=1)

    def draw_budgets(self, numbers: IntArray, uniforms: FloatArray) -> FloatArray:
        """Draws sampled budgets ``(N,)`` from uniform numbers in [0, 1)."""
        low, high = self._log_low[numbers], self._log_high[numbers]
        drawn = exp(low + uniforms * (high - low))
        return np.asarray(np.maximum(drawn, self._cheapest[numbers]))

    def prefix_table(self, number: int) -> PrefixTable:
        """Returns a device's table under its budget; asked only where ``fixed``."""
        found = self._prefix_tables.get(number)
        if found is None:
            tail = tuple(self.tails[number].tolist())
            found = make_prefix_table(
                self.query_columns[number], self.budgets.item(number), tail
            )
            self._prefix_tables[number] = found
        return found

    def check_options(
        self, options: Mapping[str, Any], *, others: Sequence[str] = ()
    ) -> None:
        """Raises if an option of ``reset`` is none.

        Args:
            options: what came.
            others: names that are valid too.

        Raises:
            InvalidArgumentError: not a mapping.
            UnknownNameError: names the nearest.
        """
        if not isinstance(options, Mapping):
            message = f"reset options: expected a mapping, got {shown(options)}"
            raise InvalidArgumentError(message)
        device = ("device",) if self.several else ()
        valid = ("budget", "genotype", *device, *others)
        for key in options:
            if key not in valid:
                raise unknown_name(key, valid, what="reset option")

    def check_device(self, device: Any) -> int | None:
        """Returns the number of an episode's device, None where it is to be drawn.

        Args:
            device: a name, or None.

        Raises:
            UnknownNameError: no device of this environment; names the nearest.
        """
        if device is None:
            return None if self.several else 0
        labels = {label: n for n, label in enumerate(self._labels)}
        found = {**labels, **{name: n for n, name in enumerate(self.devices)}}
        if not isinstance(device, str) or device not in found:
            raise unknown_name(device, self.devices, what="device of this environment")
        return found[device]

    def seat(self, rows: IntArray, numbers: IntArray) -> IntArray:
        """Returns which problems rows have, by their places, once devices are chosen.

        Args:
            rows: ``(M,)`` of a vector; 0 of one environment.
            numbers: ``(M,)`` of their devices, as :meth:`check_device` has them.
        """
        del rows
        return numbers

    def shown(self, places: IntArray) -> IntArray:
        """Returns what info calls the devices of problems: ``(M,)``, a new array."""
        return places.copy()

    def check_budget(self, budget: Any, number: int | None) -> float | str | None:
        """Returns an episode's budget as it came, None for the usual one.

        Args:
            budget: as in the constructor, or None.
            number: of the device, or None for all that may be drawn.

        Raises:
            InvalidBudgetError: no budget, or one that no deployable network meets.
            InvalidArgumentError: "sampled" where the constructor's is not.
        """
        sampled = isinstance(budget, str) and budget == "sampled"
        if budget is None or (sampled and self.sampled):
            return None
        if sampled:
            message = 'budget "sampled" is the constructor\'s: it is observed'
            raise InvalidArgumentError(message)
        for problem in self._candidates(number):
            problem.budget(budget)
        found: float | str = budget
        return found

    def _candidates(self, number: int | None) -> Sequence[Problem]:
        """Returns the problems that an episode may have."""
        if number is None:
            return self.problems[: self.drawn]
        return [self.problems[number]]

    def budgets_of(self, budget: float | str, places: IntArray) -> FloatArray:
        """Returns a checked budget on each of several problems: ``(M,)``."""
        chosen = places.tolist()
        found = {place: self.problems[place].budget(budget) for place in {*chosen}}
        return np.array([found[place] for place in chosen])

    def keys(self, genotypes: Genotypes, numbers: IntArray) -> Keys:
        """Tells networks on devices apart, for the ledger: N keys."""
        if self.space.has_numbers:
            keys: Any = self.space.keys(genotypes)
            return np.asarray(keys + numbers * self.space.size)
        if not self.several:
            return self.space.keys(genotypes)
        devices = numbers.astype(np.int8)[:, None]
        rows = np.ascontiguousarray(np.hstack([genotypes, devices]))
        return list(rows.view(f"V{rows.shape[1]}").ravel().tolist())

    def vector(self, number: int) -> VectorReward:
        """Returns the vector reward on a device.

        Raises:
            InvalidArgumentError: there are no objectives.
        """
        if not self.vector_rewards:
            message = 'no vector of one number: objectives=("accuracy", "latency_ms")'
            raise InvalidArgumentError(message)
        return self.vector_rewards[number]

    def front(self, number: int) -> FloatArray:
        """Returns a device's exact front as vector rewards ``(P, k)``.

        Raises:
            InvalidArgumentError: there are no objectives.
            NotExactError: the front of this problem cannot be computed exactly.
        """
        vector = self.vector(number)
        names = tuple(objective.name for objective in vector.objectives)
        return vector.of_points(self.problems[number].pareto_front(names).points)

    def discounted_front(
        self, number: int, *, gamma: float, steps: int
    ) -> list[FloatArray]:
        """Returns the points of a device's front as returns of episodes.

        Args:
            number: which device.
            gamma: discount a step.
            steps: steps before the reward.

        Raises:
            InvalidArgumentError: there are no objectives, or gamma is no number.
            NotExactError: the front of this problem cannot be computed exactly.
        """
        if not isinstance(gamma, (int, float, np.number)):
            message = f"gamma: expected a number, got {shown(gamma)}"
            raise InvalidArgumentError(message)
        return list(self.front(number) * math.prod([float(gamma)] * steps))

    def describe_reward(self) -> dict[str, Any]:
        """Says what is rewarded: a name and its kind, or objectives."""
        if self.reward is None:
            names = [one.name for one in self.vector(0).objectives]
            return {"objectives": names}
        kind = "named" if self.reward.trusted else "user"
        return {"name": self.reward.name, "kind": kind}


def describe_devices(problems: Sequence[Problem]) -> FloatArray:
    """Returns what describes each device at the end of an observation: ``(P, K)``.

    The log of cost / medium budget of the K networks that repeat one choice at every
    position (its remainder, where there are fewer), clipped to [-10, 10].

    Args:
        problems: of one search space, one a device.
    """
    space = problems[0].space
    # a position with fewer choices repeats them
    every = np.arange(space.choices)[:, None] % np.array(space.choices_at)
    networks = every.astype(np.int8)
    costs = np.array([problem.known_costs(networks) for problem in problems])
    medium = np.array([problem.presets["medium"] for problem in problems])
    # -inf where a network of nothing but skips costs nothing
    logs = log(costs / medium[:, None])
    return np.asarray(np.minimum(np.maximum(logs, -LOG_LIMIT), LOG_LIMIT))


def log_ranges(problems: Sequence[Problem]) -> FloatArray:
    """Returns logarithms of the least and the largest sampled budgets: ``(2, P)``."""
    low, high = np.array(
        [[one.presets[name] for one in problems] for name in SAMPLED_RANGE]
    )
    low = np.maximum(low, [one.cheapest for one in problems])
    return np.array([log(low), log(np.maximum(low, high))])
