"""One search space, on one device and dataset: the only way to numbers."""

import functools
import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from hwnas_env.arguments import (
    as_number,
    check_generator,
    check_name,
    check_names,
    check_whole,
)
from hwnas_env.devices import Device
from hwnas_env.engines.model import Model, Objective, Optimum, ParetoFront
from hwnas_env.engines.space import SearchSpace
from hwnas_env.engines.walk import Overview, Walk, overview_of
from hwnas_env.errors import (
    InfeasibleBudgetError,
    InvalidArgumentError,
    InvalidBudgetError,
    shown,
    unknown_name,
)
from hwnas_env.metrics import METRICS
from hwnas_env.showing import Columned, line
from hwnas_env.types import BoolArray, Evaluation, FloatArray, Genotypes, Provenance

PRESETS = ("tight", "medium", "loose")
"""Names of the committed budgets, from the hardest to the easiest."""

KEPT_WALKS, KEPT_FRONTS = 8, 4
SAMPLED_PRESETS = "quantiles of the costs of 10,000 fixed networks"
SAMPLED_RANGE = ("q05", "q95")
"""Names of the committed 5 % and 95 % quantiles, the range of sampled budgets."""


@dataclass(frozen=True, eq=False)
class Problem(Columned):
    """Evaluates networks and knows the exact answers; immutable.

    Built by :func:`hwnas_env.make_problem`.

    Attributes:
        space: the search space.
        device: the device.
        dataset: one of the space's datasets.
        metric: the metric that budgets are set on.
        metrics: names of the cost columns: the device's, then parameters and FLOPs.
        source: where costs come from, resolved: builtin, measured or user.
        accuracy: what accuracy it is: ``split-epochs-run`` ("valid-200ep-mean"), the
            surrogate's name, or a user's own.
        committed: preset budgets, pairs of name and number in the metric's unit,
            quantiles of the built-in costs; see ``presets``.
        origins: pairs of column and provenance; see ``provenance``.
        model: what computes.
        sampled: True where evaluation draws among an accuracy's runs.
    """

    space: SearchSpace
    device: Device
    dataset: str
    metric: str
    metrics: tuple[str, ...]
    source: str
    accuracy: str
    committed: tuple[tuple[str, float], ...]
    origins: tuple[tuple[str, Provenance], ...]
    model: Model
    sampled: bool = False

    @property
    def where(self) -> str:
        """The search space, the device and the dataset, in words."""
        return f"{self.space.label} on {self.device.label}, {self.dataset}"

    def __repr__(self) -> str:
        """Returns where it is, and the metric that budgets are set on."""
        return line("Problem", f"{self.where}: accuracy under {self.metric}")

    def columns(self) -> dict[str, Any]:
        """Returns every number that it answers with, its unit and where it is from."""
        known = [METRICS.get(name) for name, _ in self.origins]
        return {
            "column": [name for name, _ in self.origins],
            "unit": [metric.unit if metric else "%" for metric in known],
            "kind": [one.kind for _, one in self.origins],
            "method": [one.method for _, one in self.origins],
        }

    @property
    def presets(self) -> dict[str, float]:
        """Committed budgets by name, in the metric's unit."""
        return dict(self.committed)

    @property
    def provenance(self) -> dict[str, Provenance]:
        """Provenance of the accuracy and of every metric, by name."""
        return dict(self.origins)

    def evaluate(
        self, genotypes: npt.ArrayLike, *, rng: np.random.Generator | None = None
    ) -> Evaluation:
        """Evaluates a batch of networks.

        Args:
            genotypes: integers ``(N, L)``, or one genotype ``(L,)``; N may be 0.
            rng: draws among an accuracy's runs; needed where the accuracy is sampled,
                and only used there.

        Returns:
            The evaluation, one row a network; the same bit for bit in any batch.

        Raises:
            InvalidGenotypeError: wrong shape, dtype or range.
            InvalidArgumentError: the accuracy is sampled and there is no generator.
        """
        rows = self.space.validate(genotypes)
        return self.evaluate_valid(rows, uniforms=self.draw(len(rows), rng=rng))

    def draw(self, n: int, *, rng: np.random.Generator | None) -> FloatArray | None:
        """Draws what ``n`` evaluations need: ``(n,)`` in [0, 1), None for nothing.

        Raises:
            InvalidArgumentError: the accuracy is sampled and there is no generator.
        """
        if not self.sampled:
            return None
        if rng is None:
            message = f"accuracy {self.accuracy!r} is drawn: evaluate(..., rng=...)"
            raise InvalidArgumentError(message)
        return check_generator(rng).random(check_whole(n, what="n"))

    def evaluate_valid(
        self, genotypes: Genotypes, *, uniforms: FloatArray | None = None
    ) -> Evaluation:
        """Evaluates genotypes ``(N, L)`` int8 that are known to be valid.

        Args:
            genotypes: valid ones.
            uniforms: ``(N,)`` in [0, 1), each draws one of the accuracy's runs; only
                where the accuracy is sampled.
        """
        found = self.model.evaluate(genotypes, uniforms=uniforms)
        return Evaluation(
            found.accuracy_percent,
            found.costs,
            found.deployable,
            found.train_seconds,
            self.metrics,
        )

    def encode(self, architecture: str | Sequence[str]) -> Genotypes:
        """Reads one architecture's name into a genotype ``(L,)`` int8."""
        return self.space.encode(architecture)

    def decode(self, genotype: npt.ArrayLike) -> str:
        """Writes one genotype ``(L,)`` as the architecture's name."""
        return self.space.decode(genotype)

    def network(self, genotype: npt.ArrayLike, *, seed: int = 0) -> Any:
        """Builds a network as a PyTorch module in evaluation mode.

        Args:
            genotype: ``(L,)``.
            seed: what the weights are drawn from.

        Raises:
            NoNetworkError: the space offers none.
            MissingExtraError: PyTorch is not installed.
        """
        from hwnas_env.networks.build import build_network  # optional, and rarely asked

        return build_network(self.space, genotype, dataset=self.dataset, seed=seed)

    @property
    def metric_column(self) -> int:
        """Column of ``metric`` in an evaluation's costs."""
        return self.metrics.index(self.metric)

    @property
    def has_train_seconds(self) -> bool:
        """Whether evaluations say how long training took."""
        return self.model.has_train_seconds

    @functools.cached_property
    def cheapest(self) -> float:
        """Smallest cost of a deployable network, in the metric's unit."""
        return self.model.smallest(self.metric_column)

    @functools.cached_property
    def suspect(self) -> BoolArray:
        """Marks measured rows that an audit flags: ``(size,)``, read-only.

        In the order of ``space.genotypes()``. The column of ``metric``, measured or a
        user's own, is compared with the device's built-in one in that order, which is
        taken for that of measuring: :mod:`hwnas_env.maths.audit` says how, and
        docs/audit.md what it finds. A network that is not deployable is not flagged. A
        warning says where the built-in column follows the rows so badly that little can
        be found.

        Raises:
            NotMeasuredError: the costs are built in, the space is layers, or there is
                no built-in column to compare with.
            InvalidArgumentError: the costs were given without a device.
        """
        from hwnas_env.problems.audit import suspect_rows  # rarely asked

        return suspect_rows(self)

    def budget(self, budget: float | str) -> float:
        """Returns a budget in the metric's unit.

        Args:
            budget: a number in the metric's unit, or tight, medium or loose.

        Raises:
            InvalidBudgetError: neither a preset's name nor a positive finite number.
            InfeasibleBudgetError: below the cheapest deployable network.
        """
        unit = METRICS[self.metric].unit
        if isinstance(budget, str):
            if budget not in PRESETS:
                words = unknown_name(budget, PRESETS, what="budget")
                message = f"{words}, or a number in {unit}"
                raise InvalidBudgetError(message)
            return self._feasible(self.presets[budget], name=budget)
        value = as_number(budget)
        if not (math.isfinite(value) and value > 0):
            came = shown(budget)
            message = f"budget: expected a positive number in {unit} or a name, got "
            raise InvalidBudgetError(message + came)
        return self._feasible(value)

    def _feasible(self, value: float, *, name: str = "") -> float:
        if value < self.cheapest:
            unit = METRICS[self.metric].unit
            preset = f" ({name}, a quantile of built-in costs)" if name else ""
            message = (
                f"budget {value:g} {unit}{preset} is below the cheapest deployable "
                f"network of the {self.source} costs, {self.cheapest!r} {unit}"
            )
            raise InfeasibleBudgetError(message)
        return value

    def known_costs(self, genotypes: npt.ArrayLike) -> FloatArray:
        """Returns the cost of genotypes ``(N, L)`` in the budget's metric: ``(N,)``.

        What masks are made of: known without a query, as a look-up table is to a
        search. inf where a network is not deployable.
        """
        rows = self.space.validate(genotypes)
        return self.model.known_costs(rows, self.metric_column)

    def walk(self, budget: float) -> Walk:
        """Returns the walk under a budget in the metric's unit; keeps the last few.

        Raises:
            InvalidBudgetError: no positive number.
        """
        came, budget = budget, as_number(budget)
        if not budget > 0:
            message = f"budget: expected a positive number, got {shown(came)}"
            raise InvalidBudgetError(message)
        found = self._walks.get(budget)
        if found is None:
            found = self.model.walk(self.metric_column, budget)
            _keep(self._walks, budget, found, most=KEPT_WALKS)
        return found

    def overview(self, budget: float) -> Overview:
        """Says what is known of all networks under a budget in the metric's unit.

        Raises:
            InvalidBudgetError: no positive number.
        """
        if self.model.exact:
            return overview_of(self.walk(budget))
        return self.model.overview(self.metric_column, budget)

    @functools.cached_property
    def _walks(self) -> dict[float, Walk]:
        return {}

    def optimum(self, budget: float | str | None = None) -> Optimum:
        """Returns the exact best networks by mean accuracy within a budget.

        The last few are kept; their genotypes are read-only.

        Args:
            budget: as for :meth:`budget`; None for no budget.

        Raises:
            InvalidBudgetError, InfeasibleBudgetError: as for :meth:`budget`.
            NotExactError: the space is layers, and the accuracy a function of unknown
                form.
        """
        limit = math.inf if budget is None else self.budget(budget)
        found = self._optima.get(limit)
        if found is None:
            best = self.model.optimum(self.metric_column, limit)
            found = replace(best, metric=self.metric, space=self.space)
            found.genotypes.setflags(write=False)
            _keep(self._optima, limit, found, most=KEPT_WALKS)
        return found

    @functools.cached_property
    def _optima(self) -> dict[float, Optimum]:
        return {}

    @property
    def usual_objectives(self) -> tuple[str, str]:
        """The accuracy and the latency; where there is none, the budget's metric."""
        usual = "latency_ms" if "latency_ms" in self.metrics else self.metric
        return "accuracy", usual

    def pareto_front(self, objectives: Sequence[str] | None = None) -> ParetoFront:
        """Returns the exact front over the deployable networks, by mean accuracy.

        The last few are kept: three objectives over layers take from seconds to a
        minute. Their arrays are read-only.

        Args:
            objectives: "accuracy" and names out of ``metrics``. Any where the
                space is enumerated; at most three where it is layers. By default the
                accuracy and the latency; where there is none, the budget's metric.

        Raises:
            UnknownNameError: a name that is no objective of this problem.
            InvalidArgumentError: none, a repeated one, or too many.
            NotExactError: the space is layers, and the accuracy a function of unknown
                form.
        """
        chosen = self.objectives(
            self.usual_objectives if objectives is None else objectives
        )
        found = self._fronts.get(chosen)
        if found is None:
            found = replace(self.model.pareto_front(chosen), space=self.space)
            for kept in (found.genotypes, found.points):
                kept.setflags(write=False)
            _keep(self._fronts, chosen, found, most=KEPT_FRONTS)
        return found

    @functools.cached_property
    def _fronts(self) -> dict[tuple[Objective, ...], ParetoFront]:
        return {}

    def objectives(self, names: Sequence[str]) -> tuple[Objective, ...]:
        """Checks names of objectives and returns what they refer to.

        Warns where two of them are one: an energy that is a power times the latency.

        Raises:
            UnknownNameError: a name that is no objective of this problem.
            InvalidArgumentError: none, or a repeated one.
        """
        valid = ("accuracy", *self.metrics)
        found = []
        for name in check_names(names, what="objectives"):
            check_name(name, valid, what=f"objective on {self.device.name}")
            if name == "accuracy":
                found.append(Objective(name, -1, minimise=False))
            else:
                column = self.metrics.index(name)
                found.append(Objective(name, column, METRICS[name].minimise))
        if len(set(names)) < len(names):
            message = f"objectives: {shown(names)} names one twice"
            raise InvalidArgumentError(message)
        for metric, alias in self.device.aliases.items():
            if {metric, alias.of} <= set(names):
                said, of = (name.rsplit("_", 1)[0] for name in (metric, alias.of))
                how = "/" if alias.inverse else "x"
                words = f"{self.device.name} {said} is {alias.factor} {how} {of}"
                warnings.warn(f"{words}: the two are one objective", stacklevel=3)
        return tuple(found)

    def describe(self) -> dict[str, Any]:
        """Says what this problem is and where each number comes from, JSON-able."""
        return {
            "space": self.space.name,
            "device": self.device.name,
            "hardware": self.device.hardware,
            "dataset": self.dataset,
            "metric": self.metric,
            "source": self.source,
            "accuracy": self.accuracy,
            "networks": self.space.size,
            "budgets": {name: self.presets[name] for name in PRESETS},
            **({} if self.model.exact else {"budgets_are": SAMPLED_PRESETS}),
            "columns": {
                name: {
                    "unit": METRICS[name].unit if name in METRICS else "%",
                    **provenance.as_dict(),
                }
                for name, provenance in self.provenance.items()
            },
        }

    def __getstate__(self) -> dict[str, Any]:
        """Leaves behind the kept walks, optima and fronts, and what is suspect."""
        state = vars(self).copy()
        for kept in ("_walks", "_fronts", "_optima", "suspect"):
            state.pop(kept, None)
        return state

    def __deepcopy__(self, memo: dict[int, Any]) -> "Problem":
        """Returns itself: nothing of a problem changes."""
        return self


def _keep(kept: dict[Any, Any], key: Any, value: Any, *, most: int) -> None:
    """Keeps a value, and the last ones before it; threads may share a problem."""
    for old in list(kept)[: max(0, len(kept) - most + 1)]:
        kept.pop(old, None)
    kept[key] = value
