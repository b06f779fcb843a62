"""The ledger: the only counter of queries and of simulated training time."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from hwnas_env.arguments import as_number, check_name, check_type, check_whole
from hwnas_env.errors import BudgetExhaustedError, InvalidArgumentError, shown
from hwnas_env.problems.asking import genotypes_of, limit_of, records
from hwnas_env.problems.history import History, Receipt
from hwnas_env.problems.problem import Problem
from hwnas_env.problems.watching import Callback, Watcher
from hwnas_env.showing import line, number
from hwnas_env.types import BoolArray, Evaluation, FloatArray, IntArray

REPEATS = ("charged", "free")
MOST_REPEATS = 100
"""Where repeats are free, a search ends after this many times its queries all the same,
since one that only repeats itself would never end."""

MOST_IN_A_ROW = 100_000
"""Where repeats are free and anything is limited, a search ends after so many of them
in a row: it has found what it reaches, which may be less than its limits could pay."""

MOST_DEVICES = 1000
"""Most devices that share a ledger."""

Keys = IntArray | list[bytes]
"""What tells networks apart: a number each, or their bytes where none fits 64 bits."""


class BudgetedProblem:
    """Spends a budget of queries or of simulated training seconds on a problem.

    Environments, searchers and learners all spend the same one.

    Args:
        problem: what is evaluated.
        max_queries: queries to spend; None for no limit.
        max_train_seconds: simulated seconds of training to spend; None for no limit.
        repeats: "charged": every query is, a repeated one too; "free": a network that
            was evaluated before costs neither a query nor seconds. A limited ledger is
            exhausted all the same after 100 times ``max_queries`` queries, and after
            100,000 repeats in a row.
        devices: how many devices share the ledger; one network on two devices counts
            as two.
        record: True keeps what was queried, for :meth:`history`.
        drawn: True where devices are drawn, more than can be counted in advance: keys
            are bytes then, whatever the space.

    Raises:
        InvalidArgumentError: a limit is not positive, or seconds are limited on a
            problem that has none.
        UnknownNameError: another word for ``repeats``.
    """

    def __init__(
        self,
        problem: Problem,
        *,
        max_queries: int | None = None,
        max_train_seconds: float | None = None,
        repeats: str = "charged",
        devices: int = 1,
        record: bool = False,
        drawn: bool = False,
    ) -> None:
        """See the class."""
        check_type(problem, Problem, what="problem")
        if max_queries is not None:
            max_queries = check_whole(max_queries, what="max_queries", least=1)
        if max_train_seconds is not None:
            if not problem.has_train_seconds:
                message = (
                    f"{problem.space.name} has no training times: limit max_queries"
                )
                raise InvalidArgumentError(message)
            came, max_train_seconds = max_train_seconds, as_number(max_train_seconds)
            if not max_train_seconds > 0:
                message = f"expected max_train_seconds > 0, got {shown(came)}"
                raise InvalidArgumentError(message)
        self.problem = problem
        self.max_queries = max_queries
        self.max_train_seconds = max_train_seconds
        self.repeats = check_name(repeats, REPEATS, what="rule for repeats")
        self._devices = check_whole(devices, what="devices", least=1, most=MOST_DEVICES)
        self._record, self._drawn = record, drawn
        self._most = (max_queries or 0) * (MOST_REPEATS if repeats == "free" else 1)
        limited = not (max_queries is None and max_train_seconds is None)
        self._may_tire = limited and repeats == "free"
        self.run = -1
        self._watcher: Watcher | None = None
        self._cheapest = 0.0
        if max_train_seconds is not None:
            self._cheapest = problem.model.cheapest_train_seconds()
        self.restart()

    def __repr__(self) -> str:
        """Returns what is searched, and how much of what it may spend is spent."""
        limit, spent = self.max_queries, f"{self.charged:,}"
        words = f"{spent} queries" if limit is None else f"{spent} of {limit:,} queries"
        if self.max_train_seconds is not None:
            seconds = f"{number(self.train_seconds)} of {self.max_train_seconds:,.0f}"
            words += f", {seconds} training seconds"
        return line("BudgetedProblem", f"{self.problem.where}: {words}")

    def restart(self) -> None:
        """Forgets what was spent; ``run`` counts how often."""
        self.run += 1
        self.queries, self.unique_queries, self.train_seconds = 0, 0, 0.0
        self._closed = False
        self._in_a_row = 0  # free repeats since the last network that was new
        self._tired = False
        self._log: list[tuple[Any, Any]] = []
        self._seen: set[bytes] = set()
        # one flag a network where networks have numbers: quick for one and for many
        numbered = self.problem.space.has_numbers and not self._drawn
        size = self.problem.space.size * self._devices if numbered else 0
        self._unseen = np.ones(size, dtype=np.bool_)
        self._first = np.empty(size, dtype=np.int64)

    @property
    def unique_classes(self) -> int | None:
        """Number of isomorphism classes evaluated; None where nothing counts them."""
        space = self.problem.space
        if self._drawn:
            return None
        if space.isomorphism_class(np.zeros((0, space.length), np.int8)) is None:
            return None
        seen = ~self._unseen.reshape(-1, space.size)
        found = [space.classes_of_numbers(np.flatnonzero(row)) for row in seen]
        return sum(len(np.unique(one)) for one in found if one is not None)

    @property
    def charged(self) -> int:
        """Queries that count against ``max_queries``."""
        return self.queries if self.repeats == "charged" else self.unique_queries

    @property
    def remaining(self) -> int | None:
        """Queries left, or None where they are not limited."""
        return None if self.max_queries is None else self.max_queries - self.charged

    @property
    def exhausted(self) -> bool:
        """Whether no further query can be paid."""
        if self._closed or self._tired:
            return True
        if self.max_queries is not None and (
            self.charged >= self.max_queries or self.queries >= self._most
        ):
            return True
        if self.max_train_seconds is None:
            return False
        return self.train_seconds + self._cheapest > self.max_train_seconds

    def evaluate(
        self, genotypes: npt.ArrayLike, *, rng: np.random.Generator | None = None
    ) -> Evaluation:
        """Evaluates and charges a batch; see :meth:`Problem.evaluate`.

        A batch that cannot be paid in full is refused as a whole: nothing is charged.

        Raises:
            BudgetExhaustedError: the budget cannot pay for the whole batch.
            InvalidGenotypeError: wrong shape, dtype or range; nothing is charged.
        """
        rows = self.problem.space.validate(genotypes)
        keys = self.problem.space.keys(rows)
        uniforms = self.problem.draw(len(rows), rng=rng)
        evaluation = self.problem.evaluate_valid(rows, uniforms=uniforms)
        new = self._new(keys)
        paid = self._affordable(new, evaluation.train_seconds)
        if paid < len(rows):
            raise self._too_much(len(rows), evaluation.train_seconds)
        self._charge(keys, new, evaluation.train_seconds, evaluation.accuracy_percent)
        return evaluation

    def spend(
        self, genotypes: npt.ArrayLike, *, rng: np.random.Generator | None = None
    ) -> Evaluation:
        """Evaluates and charges as many rows, from the first on, as can be paid.

        Where not all could be, nothing later can be either.

        Returns:
            One row a query that was paid.

        Raises:
            InvalidGenotypeError: wrong shape, dtype or range; nothing is charged.
        """
        rows = self.problem.space.validate(genotypes)
        uniforms = self.problem.draw(len(rows), rng=rng)
        evaluation = self.problem.evaluate_valid(rows, uniforms=uniforms)
        seconds = evaluation.train_seconds
        receipt = self.charge(
            self.problem.space.keys(rows), seconds, evaluation.accuracy_percent
        )
        paid = slice(receipt.paid)
        return Evaluation(
            evaluation.accuracy_percent[paid],
            evaluation.costs[paid],
            evaluation.deployable[paid],
            None if seconds is None else seconds[paid],
            evaluation.metrics,
        )

    def ask(
        self,
        asked: Any,
        *,
        budget: float | str | None = "medium",
        rng: np.random.Generator | None = None,
    ) -> Any:
        """Evaluates and charges what an optimiser proposes, and answers in records.

        A record is flat, and all of its numbers are finite: ``queries``, the number of
        the query; ``architecture``, its name; ``accuracy_percent``; every metric in its
        unit; ``deployable``; ``feasible``; ``violation``, cost / budget - 1 within
        [-1, 1] and 1 where the device cannot run the network, at most 0 if and only if
        it is feasible; and ``train_seconds``, where the problem has them. Of a network
        that is not deployable the device's metrics are left out.

        Args:
            asked: a mapping of :func:`hwnas_env.integrations.parameters` to names of
                choices; or a list of such mappings, or genotypes ``(N, L)``.
            budget: as for :meth:`Problem.budget`; None for no bound on the cost.
            rng: draws among an accuracy's runs, where it is sampled.

        Returns:
            A record for a mapping, else a list with one each.

        Raises:
            BudgetExhaustedError: the budget cannot pay for all of them.
            InvalidGenotypeError, UnknownNameError: it is no network of the space.
        """
        limit = limit_of(self.problem, budget)
        rows, before = genotypes_of(self.problem.space, asked), self.queries
        found = self.evaluate(rows, rng=rng)
        told = records(self.problem, rows, found, limit=limit, first=before + 1)
        return told[0] if isinstance(asked, Mapping) else told

    def watch(
        self, callback: Callback, *, budget: float | str | None = "medium"
    ) -> None:
        """Calls a function after every query from now on, whoever asks.

        It hears the number of the query, and a record as of :meth:`ask`. It changes no
        search: what it raises becomes a warning, once, and it is called no more; only
        KeyboardInterrupt and SystemExit pass.

        Args:
            callback: takes a number and a record.
            budget: what violations are of; None for no bound.

        Raises:
            InvalidArgumentError: no function, or the ledger serves several devices.
        """
        if self._devices > 1 or self._drawn:
            message = "watch: expected a ledger of one device"
            raise InvalidArgumentError(message)
        self._watcher = Watcher(self.problem, callback, budget=budget)

    def history(self) -> History:
        """Returns all queries since the start.

        Raises:
            InvalidArgumentError: the ledger was not made with ``record=True``, or
                serves several devices.
        """
        if not self._record or self._devices > 1 or self._drawn:
            message = "history: expected a ledger of one device made with record=True"
            raise InvalidArgumentError(message)
        space = self.problem.space
        rows = [space.from_keys(keys) for keys, _ in self._log]
        empty = np.zeros((0, space.length), dtype=np.int8)
        accuracy = [np.atleast_1d(values) for _, values in self._log]
        return History(
            np.concatenate([empty, *rows]),
            np.concatenate([np.zeros(0), *accuracy]),
            space,
        )

    def charge(
        self,
        keys: Keys,
        train_seconds: FloatArray | None = None,
        accuracy_percent: FloatArray | None = None,
    ) -> Receipt:
        """Charges queries in order, as many as can be paid; then no later one is.

        Args:
            keys: see :meth:`SearchSpace.keys`; of device d, d times the space's size is
                added to numbers.
            train_seconds: ``(N,)`` what their training takes, or None.
            accuracy_percent: ``(N,)`` what they were answered, for :meth:`history`.
        """
        count, before, unique = len(keys), self.queries, self.unique_queries
        new = self._new(keys)
        paid = self._affordable(new, train_seconds)
        queries = np.arange(before + 1, before + count + 1)
        exhausted = np.zeros(count, dtype=np.bool_)
        if paid < count:
            self._closed = True
            new[paid:], exhausted[paid:] = False, True
            queries[paid:] = before + paid
        unique_queries = np.add.accumulate(new, dtype=np.int64)
        unique_queries += unique
        if self.max_queries is not None:
            charged = unique_queries if self.repeats == "free" else queries
            exhausted |= (charged >= self.max_queries) | (queries >= self._most)
        if self._may_tire:
            exhausted |= self._repeats_in_a_row(new) >= MOST_IN_A_ROW
        if paid < count:
            keys, new = keys[:paid], new[:paid]
            train_seconds = None if train_seconds is None else train_seconds[:paid]
        if self.max_train_seconds is not None and train_seconds is not None:
            totals = self._totals(new, train_seconds)
            exhausted[:paid] |= totals + self._cheapest > self.max_train_seconds
        self._charge(keys, new, train_seconds, accuracy_percent)
        return Receipt(paid, queries, unique_queries, exhausted)

    def charge_one(
        self,
        key: int | bytes,
        train_seconds: float | None = None,
        accuracy_percent: float | None = None,
    ) -> bool:
        """Charges one query: the same as a batch of one, quicker.

        Returns:
            Whether it could be paid.
        """
        if self._closed or self._tired:
            return False
        new = self._unseen.item(key) if isinstance(key, int) else key not in self._seen
        price = 1 if new or self.repeats == "charged" else 0
        if self.max_queries is not None and self.charged + price > self.max_queries:
            self._closed = True
            return False
        if train_seconds is not None and price:
            total = self.train_seconds + train_seconds
            if self.max_train_seconds is not None and total > self.max_train_seconds:
                self._closed = True
                return False
            self.train_seconds = total
        self.queries += 1
        if self._record:
            self._log.append(([key], accuracy_percent))
        if new:
            self._in_a_row = 0
            self.unique_queries += 1
            if isinstance(key, int):
                self._unseen[key] = False
            else:
                self._seen.add(key)
        elif self._may_tire:
            self._in_a_row += 1
            self._tired = self._in_a_row >= MOST_IN_A_ROW
        if self._watcher is not None and accuracy_percent is not None:
            self._watcher.tell([key], [accuracy_percent], first=self.queries)
        return True

    def _new(self, keys: Keys) -> BoolArray:
        """Marks the keys that were not seen before, each at its first place."""
        if isinstance(keys, list):
            batch: set[bytes] = set()
            found = []
            for key in keys:
                found.append(key not in self._seen and key not in batch)
                batch.add(key)
            return np.array(found, dtype=np.bool_)
        place = np.arange(len(keys))
        self._first[keys[::-1]] = place[::-1]  # of equal keys the first write is last
        new = self._first.take(keys) == place
        new &= self._unseen.take(keys)
        return np.asarray(new)

    def _affordable(self, new: BoolArray, seconds: FloatArray | None) -> int:
        """Returns how many queries, from the first on, can be paid."""
        count = len(new)
        if self._closed or self._tired:
            return 0
        if self.max_queries is not None and count > self.max_queries - self.charged:
            price = new if self.repeats == "free" else np.ones_like(new)
            over = self.charged + np.cumsum(price) > self.max_queries
            count = int(over.argmax()) if over.any() else count
        if self.max_queries is not None:
            count = min(count, max(0, self._most - self.queries))
        if self._may_tire:
            tired = self._repeats_in_a_row(new) >= MOST_IN_A_ROW
            count = min(count, int(tired.argmax()) + 1) if tired.any() else count
        if self.max_train_seconds is not None and seconds is not None:
            over = self._totals(new, seconds) > self.max_train_seconds
            count = min(count, int(over.argmax())) if over.any() else count
        return count

    def _repeats_in_a_row(self, new: BoolArray) -> IntArray:
        """Returns how many repeats there were in a row after each query: ``(N,)``."""
        place = np.arange(1, len(new) + 1)
        last = np.maximum.accumulate(np.where(new, place, -self._in_a_row))
        return np.asarray(place - last)

    def _totals(self, new: BoolArray, seconds: FloatArray) -> FloatArray:
        """Returns the seconds spent after each query, added one by one: ``(N,)``."""
        totals = np.where(new, seconds, 0.0) if self.repeats == "free" else +seconds
        if len(totals):
            totals[0] += self.train_seconds
        return np.asarray(np.add.accumulate(totals, out=totals))

    def _charge(
        self,
        keys: Keys,
        new: BoolArray,
        seconds: FloatArray | None,
        accuracy: FloatArray | None,
    ) -> None:
        if len(keys) == 0:
            return
        if self._record and accuracy is not None:
            self._log.append((keys, accuracy[: len(keys)].copy()))
        if seconds is not None:
            self.train_seconds = float(self._totals(new, seconds)[-1])
        if self._may_tire:
            self._in_a_row = int(self._repeats_in_a_row(new)[-1])
            self._tired = self._in_a_row >= MOST_IN_A_ROW
        self.queries += len(keys)
        self.unique_queries += int(np.count_nonzero(new))
        if isinstance(keys, list):
            self._seen.update(keys)
        else:
            self._unseen[keys] = False
        if self._watcher is not None and accuracy is not None:
            first = self.queries - len(keys) + 1
            self._watcher.tell(keys, accuracy[: len(keys)], first=first)

    def _too_much(self, count: int, seconds: FloatArray | None) -> BudgetExhaustedError:
        if self._tired:
            message = f"{MOST_IN_A_ROW:,} queries in a row asked for nothing new"
            return BudgetExhaustedError(message)
        if self.max_queries is not None and self.charged + count > self.max_queries:
            message = (
                f"{count} queries asked for, {self.max_queries - self.charged} of "
                f"{self.max_queries} left"
            )
            return BudgetExhaustedError(message)
        if self.max_train_seconds is None or seconds is None:
            message = f"{count} queries asked for, none are left"
            return BudgetExhaustedError(message)
        message = (
            f"{seconds.sum():.1f} training seconds asked for, "
            f"{self.max_train_seconds - self.train_seconds:.1f} of "
            f"{self.max_train_seconds:g} left"
        )
        return BudgetExhaustedError(message)
