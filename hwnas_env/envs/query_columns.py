"""What a query comes to: the numbers of info, and the reward; one row a network."""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from hwnas_env.problems.problem import Problem
from hwnas_env.problems.rewards import NamedReward, VectorReward
from hwnas_env.types import Evaluation, FloatArray, Genotypes, IntArray

Columns = dict[str, npt.NDArray[Any]]


@dataclass(frozen=True)
class QueryColumns:
    """Turns evaluations on one device into columns, the reward among them.

    Attributes:
        problem: what is evaluated.
        metrics: the metrics that info names.
        reward: one number, or a vector.
    """

    problem: Problem
    metrics: tuple[str, ...]
    reward: NamedReward | VectorReward

    def __call__(
        self, evaluation: Evaluation, *, budget: float | FloatArray
    ) -> Columns:
        """Returns columns ``(N,)`` by info key, and "reward" ``(N,)`` or ``(N, k)``.

        Args:
            evaluation: of N networks.
            budget: one, or one a network.
        """
        problem = self.problem
        column = problem.metric_column
        cost = evaluation.costs[:, column]
        columns: Columns = {"accuracy_percent": evaluation.accuracy_percent}
        for name in self.metrics:
            columns[name] = evaluation.costs[:, problem.metrics.index(name)]
        columns["cost"] = np.minimum(np.maximum(cost / budget - 1.0, 0.0), 1.0)
        columns["feasible"] = cost <= budget  # inf where not deployable
        columns["deployable"] = evaluation.deployable
        if evaluation.train_seconds is not None:
            columns["train_seconds"] = evaluation.train_seconds
        if isinstance(self.reward, VectorReward):
            columns["reward"] = self.reward(evaluation)
        else:
            columns["reward"] = self.reward(evaluation, column=column, budget=budget)
        return columns

    @functools.cached_property
    def _places(self) -> tuple[int, list[tuple[str, int]]]:
        """The column of the budget's metric, and of every metric that info names."""
        metrics = self.problem.metrics
        columns = [(name, metrics.index(name)) for name in self.metrics]
        return self.problem.metric_column, columns

    def of_one(
        self, genotype: Genotypes, *, budget: float, uniforms: FloatArray | None = None
    ) -> dict[str, Any]:
        """Queries one network: the same by key, as Python's numbers.

        Args:
            genotype: ``(L,)`` a valid one.
            budget: in the metric's unit.
            uniforms: ``(1,)``, where an accuracy's runs are drawn.
        """
        problem, reward, answer = self.problem, self.reward, None
        plain = isinstance(reward, NamedReward) and reward.trusted
        if plain and uniforms is None:
            answer = problem.model.evaluate_one(genotype.tolist())
        if answer is None or not isinstance(reward, NamedReward):
            evaluation = problem.evaluate_valid(genotype[None, :], uniforms=uniforms)
            columns = self(evaluation, budget=budget)
            first = columns.pop("reward")[0]
            found = {name: column.item() for name, column in columns.items()}
            return {**found, "reward": first if first.ndim else float(first)}
        place, places = self._places
        costs, cost = answer.costs, answer.costs[place]
        one = {"accuracy_percent": answer.accuracy_percent}
        for name, column in places:
            one[name] = costs[column]
        one["cost"] = min(max(cost / budget - 1.0, 0.0), 1.0)
        one["feasible"], one["deployable"] = cost <= budget, True
        if answer.train_seconds is not None:
            one["train_seconds"] = answer.train_seconds
        accuracy = np.array([answer.accuracy_percent / 100.0])
        one["reward"] = float(reward.function(accuracy, np.array([cost]), budget)[0])
        return one


def query_rows(
    on_devices: Sequence[QueryColumns],
    genotypes: Genotypes,
    numbers: IntArray,
    budgets: FloatArray,
    *,
    draw: Callable[[], FloatArray],
) -> Columns:
    """Evaluates networks, each on its device: columns, one row a network.

    Args:
        on_devices: what turns evaluations into columns, one a device.
        genotypes: ``(N, L)`` valid ones.
        numbers: ``(N,)`` which device.
        budgets: ``(N,)`` in the metric's unit.
        draw: gives ``(N,)`` uniform numbers, where an accuracy's runs are drawn.
    """
    uniforms = draw() if on_devices[0].problem.sampled else None
    if len(on_devices) == 1:
        (device,) = on_devices
        evaluation = device.problem.evaluate_valid(genotypes, uniforms=uniforms)
        columns = device(evaluation, budget=budgets)
        return {key: np.ascontiguousarray(columns[key]) for key in columns}
    found: Columns = {}
    for number in np.unique(numbers).tolist():
        mine, device = numbers == number, on_devices[number]
        drawn = None if uniforms is None else uniforms[mine]
        evaluation = device.problem.evaluate_valid(genotypes[mine], uniforms=drawn)
        for key, column in device(evaluation, budget=budgets[mine]).items():
            if key not in found:
                shape = (len(genotypes), *column.shape[1:])
                found[key] = np.empty(shape, dtype=column.dtype)
            found[key][mine] = column
    return found
