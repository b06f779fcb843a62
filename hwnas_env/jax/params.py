"""From problems to params: everything that an episode depends on, as arrays for jax.

What decides is compared exactly. A cost is a whole number here: its rank among all
costs where the space is a table, else a sum on the grid of its layers, in two parts
("limbs") of an int32 each. A budget then is the largest such number that meets it, and
the only thing about masks that a budget changes. What is only looked at is a pair of
float32; see :mod:`hwnas_env.jax.pairs`.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import numpy as np
import numpy.typing as npt

from hwnas_env.arguments import check_name, check_type, check_whole
from hwnas_env.engines.additive import Additive, extremes, last_sums, needs
from hwnas_env.engines.layered import LayeredModel
from hwnas_env.engines.states import merged
from hwnas_env.engines.table import TableModel
from hwnas_env.envs.config import LOG_LIMIT, describe_devices, log_ranges
from hwnas_env.errors import InvalidArgumentError, InvalidBudgetError
from hwnas_env.errors import shown as shown_value
from hwnas_env.jax.links import convert_link, mix
from hwnas_env.jax.pairs import split
from hwnas_env.jax.rewards import REWARDS
from hwnas_env.maths.elementary import exp, log
from hwnas_env.problems.problem import Problem
from hwnas_env.problems.rewards import VectorReward
from hwnas_env.showing import Outlined
from hwnas_env.types import FloatArray

BITS = 28
"""Bits of the lower limb; sums have at most 53, so a float32 holds the upper one."""

SAMPLED = 4096
"""Budgets that sampled ones are drawn from: the midpoints of equal parts of the log."""

NEVER = 2**30
"""A rank, or an upper limb, of what no budget meets."""

ABSENT = NEVER + 1
"""The rank of a choice that a position does not have."""

LARGEST_BUDGET = 1e30
"""Rewards multiply it by a thousand in float32."""

MOST_STATES = 1 << 16
"""Most states that layers are given."""

_FAR = 1e25
"""Stands for an infinite cost over the medium budget; it is shown clipped to 4."""

Ints = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Spec:
    """What a compiled function is made for; it may be a key of a dictionary.

    Attributes:
        space: name of the search space.
        counts: how many choices each position has.
        shifts: of a table, what leads from a prefix's number to its children's.
        leaves: of a table, number of the first complete prefix.
        reward: name of the reward; empty where there are objectives.
        objectives: of a vector reward: the place, -1 of the accuracy, 0 of the budget's
            metric, then of the others; and whether less is better.
        shown: whether an observation shows the budget.
    """

    space: str
    counts: tuple[int, ...]
    shifts: tuple[int, ...]
    leaves: int
    reward: str
    objectives: tuple[tuple[int, bool], ...]
    shown: bool

    @property
    def length(self) -> int:
        """Decisions an episode, L."""
        return len(self.counts)

    @property
    def choices(self) -> int:
        """Number of actions, K."""
        return max(self.counts)

    @property
    def offsets(self) -> tuple[int, ...]:
        """Where each position's choices begin in the observation."""
        return (0, *itertools.accumulate(self.counts[:-1]))

    @property
    def ones(self) -> int:
        """Columns of the observation that say what was decided, and where one is."""
        return sum(self.counts) + self.length


class Budgets(NamedTuple):
    """The budgets that episodes may have, B for each of D devices.

    Attributes:
        last: ``(D, B, 2)`` the largest sum, in limbs, or rank (first of the two).
        over: ``(D, B, 2)`` medium / budget, a pair.
        under: ``(D, B, 2)`` budget / medium, a pair.
        shown: ``(D, B)`` log(budget / medium).
    """

    last: Any
    over: Any
    under: Any
    shown: Any


class Table(NamedTuple):
    """A space that is enumerated: P prefixes and N networks on each of D devices.

    Attributes:
        prefixes: ``(D, P, K + 5)`` int32: ranks of the cheapest network behind each
            choice, that behind the prefix, and as bits of pairs the smallest and the
            largest cost over the medium budget.
        networks: ``(D, N, 6 + k)`` int32: rank of the cost, whether deployable, and as
            bits accuracy in [0, 1] and cost over the medium budget, each a pair, and
            the k components of a vector reward.
    """

    prefixes: Any
    networks: Any


class Layers(NamedTuple):
    """Sums over L layers with S states and C columns, on each of D devices.

    Attributes:
        rows: ``(D, L + 1, S, 2 K + 4)`` int32: for each block the upper limbs, then the
            lower ones, of its entry with the least that follows; then the least and the
            most that this and all later layers add.
        steps: ``(D, L, S, K, 2 C + 1)`` int32: upper and lower limbs of an entry by
            column, and the next state.
        start: ``(D, C, 2)`` int32.
        links: one a column, each with numbers of ``(D, ...)``; the budget's metric is
            the first column and counts in medium budgets, the accuracy is the last.
    """

    rows: Any
    steps: Any
    start: Any
    links: tuple[Any, ...]


@dataclass(frozen=True)
class Params(Outlined):
    """All that episodes of a problem depend on; a pytree, so jax traces its arrays.

    Problems of one search space have params of one shape if their layers have equally
    many states: one compilation serves all devices and budgets.

    Attributes:
        form: the costs and the accuracy.
        budgets: what is drawn from, or the one there is.
        medium: ``(D, 2)`` the medium budget in the metric's unit, a pair.
        tails: ``(D, T)`` float32, what describes a device in the observation; T is 0
            where there is one device.
        spec: what is not traced.
    """

    form: Table | Layers
    budgets: Budgets
    medium: Any
    tails: Any
    spec: Spec

    @property
    def observation_size(self) -> int:
        """Numbers of an observation."""
        return self.spec.ones + 2 + self.spec.shown + int(self.tails.shape[-1])


jax.tree_util.register_dataclass(
    Params,
    data_fields=["form", "budgets", "medium", "tails"],
    meta_fields=["spec"],
)


def make_params(
    problem: Problem | Sequence[Problem],
    *,
    budget: float | str = "medium",
    reward: str = "mnas_hard",
    objectives: Sequence[str] | None = None,
    shown: bool = False,
    states: int = 0,
) -> Params:
    """Turns problems into the params of episodes that build a network.

    Args:
        problem: a problem, or several of one search space and metric, of which each
            episode draws one, as the ids of several devices do.
        budget: in the metric's unit, a preset's name, or "sampled".
        reward: a name out of ``hwnas_env.REWARDS``.
        objectives: of a vector reward instead; see ``problem.objectives``.
        shown: whether observations show a budget that is not drawn, too, as a policy
            that learnt with "sampled" needs it.
        states: of layers at least, so that devices with fewer share a compilation.

    Raises:
        InvalidBudgetError: no budget, one that no deployable network meets, or one
            above 1e30.
        UnknownNameError: another reward or objective.
        NotExactError: costs or accuracy are a function of unknown form.
        InvalidArgumentError: problems of several spaces or metrics, a sampled accuracy,
            reward and objectives, or a link that jax has no form of.
    """
    several = not isinstance(problem, Problem)
    if several and not isinstance(problem, Sequence):
        message = f"problem: expected a problem, or several, got {shown_value(problem)}"
        raise InvalidArgumentError(message)
    states = check_whole(states, what="states", most=MOST_STATES)
    check_type(shown, bool, what="shown")
    problems: list[Problem] = [problem] if isinstance(problem, Problem) else [*problem]
    _check(problems)
    check_name(reward, REWARDS, what="reward in jax")
    if objectives is not None and reward != "mnas_hard":
        message = "reward and objectives: give one; objectives make it a vector"
        raise InvalidArgumentError(message)
    vectors: list[VectorReward] = []
    if objectives is not None:
        vectors = [VectorReward.of(one, objectives) for one in problems]
    sampled = isinstance(budget, str) and budget == "sampled"
    if not sampled and max(one.budget(budget) for one in problems) > LARGEST_BUDGET:
        message = f"budget: in jax at most {LARGEST_BUDGET:g}, got {budget}"
        raise InvalidBudgetError(message)
    drawn = [_drawn(p) if sampled else np.array([p.budget(budget)]) for p in problems]
    if isinstance(problems[0].model, TableModel):
        rewards: list[Any] = [*vectors] or [None] * len(problems)
        made: Any = map(_table_of, problems, drawn, rewards)
        forms, lasts = zip(*made, strict=True)
    else:
        sums = [_sums_of(one, objectives or ()) for one in problems]
        most = [max([states, *(one.states for one in sums)])] * len(problems)
        forms, lasts = zip(*map(_layers_of, problems, sums, drawn, most), strict=True)
        mixed = [mix(links) for links in zip(*(f.links for f in forms), strict=True)]
        forms = tuple(
            form._replace(links=links)
            for form, links in zip(forms, zip(*mixed, strict=True), strict=True)
        )
    mediums = np.array([one.presets["medium"] for one in problems])
    under = np.array(drawn) / mediums[:, None]
    logs = np.clip(log(under), -LOG_LIMIT, LOG_LIMIT).astype(np.float32)
    tails = describe_devices(problems) if several else np.zeros((1, 0))
    return Params(
        form=stack_params(forms),
        budgets=Budgets(np.array(lasts), _pairs(1.0 / under), _pairs(under), logs),
        medium=_pairs(mediums),
        tails=tails.astype(np.float32),
        spec=_spec_of(
            problems[0],
            reward="" if vectors else reward,
            objectives=objectives or (),
            shown=shown or sampled,
        ),
    )


def _spec_of(
    problem: Problem, *, reward: str, objectives: Sequence[str], shown: bool
) -> Spec:
    model, others = problem.model, _others(problem, objectives)
    tree = model.tree(problem.metric_column) if isinstance(model, TableModel) else None
    places = {"accuracy": -1, problem.metric: 0}
    places |= {name: place for place, name in enumerate(others, start=1)}
    named = problem.objectives(objectives) if objectives else ()
    return Spec(
        space=problem.space.name,
        counts=problem.space.choices_at,
        shifts=tree.shifts if tree else (),
        leaves=tree.leaves if tree else 0,
        reward=reward,
        objectives=tuple((places[one.name], one.minimise) for one in named),
        shown=shown,
    )


def _others(problem: Problem, objectives: Sequence[str]) -> list[str]:
    """Returns the objectives that are neither accuracy nor the budget's metric."""
    return [name for name in objectives if name not in ("accuracy", problem.metric)]


def stack_params(params: Sequence[Any]) -> Any:
    """Puts params of one shape upon one another, for ``jax.vmap`` over the first axis.

    Args:
        params: of problems of one space, made with the same keywords.

    Raises:
        InvalidArgumentError: they do not have one shape; of layers ``states`` of
            :func:`make_params` gives them one.
    """
    trees = isinstance(params, Sequence) and not isinstance(params, str)
    if not trees or not all(isinstance(one, (Params, tuple)) for one in params):
        message = f"stack_params: expected a list of params, got {shown_value(params)}"
        raise InvalidArgumentError(message)
    if not params:
        message = "stack_params: expected params, got none"
        raise InvalidArgumentError(message)
    kinds = {
        (
            jax.tree.structure(one),
            tuple(np.shape(leaf) for leaf in jax.tree.leaves(one)),
        )
        for one in params
    }
    if len(kinds) > 1:
        message = (
            "stack_params: expected params of one space, made with the same keywords "
            "and the same number of states, got some of different shapes"
        )
        raise InvalidArgumentError(message)
    return jax.tree.map(lambda *leaves: np.stack(leaves), *params)


def _check(problems: list[Problem]) -> None:
    if not problems:
        message = "problem: expected a problem, or several, got none"
        raise InvalidArgumentError(message)
    for one in problems:
        check_type(one, Problem, what="problem")
        if one.sampled:
            message = (
                f"accuracy {one.accuracy!r} is drawn: in jax accuracies are fixed, as "
                "the mean is"
            )
            raise InvalidArgumentError(message)
        if not one.model.exact:
            one.walk(one.budget("medium"))  # raises, and says what is not exact
        if (one.space.name, one.metric) != (problems[0].space.name, problems[0].metric):
            message = "problem: expected several of one search space and one metric"
            raise InvalidArgumentError(message)
    if len({type(one.model) for one in problems}) > 1:
        message = "problem: expected all of one form, tables or layers"
        raise InvalidArgumentError(message)


def _drawn(problem: Problem) -> FloatArray:
    """Returns the budgets that sampled ones are drawn from: ``(SAMPLED,)``."""
    low, high = log_ranges([problem])[:, 0].tolist()
    parts = (np.arange(SAMPLED) + 0.5) / SAMPLED
    return np.asarray(np.maximum(exp(low + parts * (high - low)), problem.cheapest))


def _table_of(
    problem: Problem, budgets: FloatArray, vector: VectorReward | None
) -> tuple[Table, Ints]:
    model = problem.model
    assert isinstance(model, TableModel), "spaces are of one form"
    tree, medium = model.tree(problem.metric_column), problem.presets["medium"]
    networks = problem.space.from_keys(np.arange(problem.space.size))
    found = problem.evaluate(networks)
    costs = problem.known_costs(networks)
    ranks = np.unique(costs[np.isfinite(costs)])

    def rank(cost: FloatArray) -> Ints:
        number = np.searchsorted(ranks, cost).astype(np.int32)
        return np.where(np.isfinite(cost), number, NEVER).astype(np.int32)

    def over_medium(cost: FloatArray) -> Ints:
        over = np.where(np.isfinite(cost), cost / medium, _FAR)
        return _pairs(np.minimum(over, _FAR)).view(np.int32)

    absent = np.isnan(tree.children)
    children = rank(np.where(absent, np.inf, tree.children))
    children[absent] = ABSENT
    ended = np.zeros((len(networks), children.shape[1]), dtype=np.int32)
    prefixes = np.column_stack(
        [
            np.concatenate([children, ended - 1]),  # all is open behind the end
            rank(tree.lowest),
            over_medium(tree.lowest),
            over_medium(np.where(tree.highest == -np.inf, np.inf, tree.highest)),
        ]
    )
    leaves = [
        rank(costs),
        found.deployable,
        _pairs(found.accuracy_percent / 100.0).view(np.int32),
        over_medium(np.where(np.isfinite(costs), costs, np.inf)),
    ]
    if vector is not None:
        leaves.append(vector(found).astype(np.float32).view(np.int32))
    last = np.searchsorted(ranks, budgets, side="right") - 1
    pairs = np.column_stack([last, np.zeros_like(last)]).astype(np.int32)
    return Table(prefixes, np.column_stack(leaves).astype(np.int32)), pairs


def _sums_of(problem: Problem, objectives: Sequence[str]) -> Additive:
    """Returns the budget's cost, the objectives' others, and the accuracy, as sums."""
    model = problem.model
    assert isinstance(model, LayeredModel), "spaces are of one form"
    if model.noise is not None:
        message = f"accuracy {problem.accuracy!r} has noise: jax knows only its mean"
        raise InvalidArgumentError(message)
    names = problem.metric, *_others(problem, objectives)
    costs = [problem.metrics.index(name) for name in names]
    return merged(model.quantities.columns([*costs, model.accuracy_column()]))


def _layers_of(
    problem: Problem, sums: Additive, budgets: FloatArray, states: int
) -> tuple[Layers, Ints]:
    medium, cost = problem.presets["medium"], sums.columns([0])
    grid, following = sums.grid, sums.next_state[..., None]
    needed = needs(cost)
    absent = np.isinf(needed)
    need = _limbs(np.where(absent, 0.0, needed), grid[0])
    need[absent] = NEVER, 0
    ended = np.zeros((1, *need.shape[1:]), dtype=np.int32)
    ended[..., 0] = -NEVER  # all is open behind the end
    need = np.concatenate([need, ended])
    reach = [_limbs(one, grid[0]) for one in extremes(cost)]
    rows = np.concatenate([need[..., 0], need[..., 1], *reach], axis=-1)
    entry = _limbs(sums.entries, grid)
    steps = np.concatenate([entry[..., 0], entry[..., 1], following], axis=-1)
    links = [
        convert_link(link, unit=float(unit), over=medium if column == 0 else 1.0)
        for column, (link, unit) in enumerate(zip(sums.links, grid, strict=True))
    ]
    form = Layers(
        rows=_padded(rows, states),
        steps=_padded(steps, states).astype(np.int32),
        start=_limbs(sums.start, grid),
        links=tuple(links),
    )
    return form, _limbs(last_sums(cost, budgets), grid[0])


def _padded(table: Any, states: int) -> Any:
    """Pads the states of a table ``(L, S, ...)``."""
    width = [(0, 0)] * table.ndim
    width[1] = (0, states - table.shape[1])
    return np.pad(table, width)


def _limbs(sums: FloatArray, grid: float | FloatArray) -> Ints:
    """Cuts sums, in units of their grid, into limbs along a new last axis."""
    whole = np.round(sums / grid).astype(np.int64)
    lower = whole & ((1 << BITS) - 1)
    return np.stack([whole >> BITS, lower], axis=-1).astype(np.int32)


def _pairs(numbers: FloatArray) -> Floats:
    """Returns pairs along a new last axis."""
    return np.stack(split(numbers), axis=-1)
