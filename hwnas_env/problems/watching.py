"""Who watches a ledger: a function that is told of every query."""

import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np

from hwnas_env.errors import InvalidArgumentError, shown
from hwnas_env.extras import error_words
from hwnas_env.problems.asking import Record, limit_of, records
from hwnas_env.problems.problem import Problem

Callback: TypeAlias = Callable[[int, Record], object]
"""Is told the number of each query, and its record."""


class Watcher:
    """Tells a callback of queries that were charged, until it raises.

    Attributes:
        active: whether the callback is still called.
    """

    def __init__(
        self, problem: Problem, callback: Callback, *, budget: float | str | None
    ) -> None:
        """Takes what is searched, and who is told.

        Args:
            problem: whose networks the queries are.
            callback: takes a number and a record.
            budget: what violations are of; None for no bound.

        Raises:
            InvalidArgumentError: no function.
        """
        if not callable(callback):
            message = f"callback: expected a function, got {shown(callback)}"
            raise InvalidArgumentError(message)
        self.active = True
        self._problem, self._callback = problem, callback
        self._limit = limit_of(problem, budget)

    def tell(self, keys: Any, accuracy: Any, *, first: int) -> None:
        """Tells of queries in their order.

        Args:
            keys: what tells the networks apart.
            accuracy: in percent, as each query was answered.
            first: number of the first query.
        """
        if not self.active or len(keys) == 0:
            return
        problem = self._problem
        rows = problem.space.from_keys(keys)
        uniforms = np.zeros(len(rows)) if problem.sampled else None
        found = problem.evaluate_valid(rows, uniforms=uniforms)
        found = replace(found, accuracy_percent=np.asarray(accuracy))
        told = records(problem, rows, found, limit=self._limit, first=first)
        try:
            for record in told:
                self._callback(record["queries"], record)
        except Exception as error:  # whoever watches changes no search
            self.active = False
            message = f"a callback is called no more: it raised {error_words(error)}"
            warnings.warn(message, stacklevel=2)
