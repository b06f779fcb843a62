"""What a prefix shows and what a network comes to, in one row; vmap makes them many."""

import math
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from hwnas_env.engines.walk import RATIO_LIMIT
from hwnas_env.jax import pairs
from hwnas_env.jax.links import value
from hwnas_env.jax.pairs import Pair
from hwnas_env.jax.params import ABSENT, BITS, NEVER, Budgets, Layers, Params, Table
from hwnas_env.jax.rewards import REWARDS, query

_LOWER = np.int32((1 << BITS) - 1)
_HALF = BITS // 2


class Place(NamedTuple):
    """Where an episode is.

    Attributes:
        node: ``()`` int32: the prefix's number in a table, or the state of layers.
        total: ``(C, 2)`` int32: sums so far in limbs; C is 0 in a table.
        device: ``()`` int32: which of the params' devices.
        budget: ``()`` int32: which of that device's budgets.
    """

    node: Any
    total: Any
    device: Any
    budget: Any


class Look(NamedTuple):
    """What is seen from a prefix.

    Attributes:
        mask: ``(K,)`` bool: which actions are open.
        completable: ``()`` bool: whether any completion meets the budget.
        ratios: ``(2,)`` float32: least and most cost over budget, clipped to [0, 4].
    """

    mask: Any
    completable: Any
    ratios: Any


class Outcome(NamedTuple):
    """What a complete network comes to.

    Attributes:
        reward: ``()`` float32, or ``(k,)`` with objectives.
        accuracy_percent: ``()`` float32.
        cost: ``()`` float32: how far over the budget, cost / budget - 1 in [0, 1].
        feasible: ``()`` bool.
        deployable: ``()`` bool.
    """

    reward: Any
    accuracy_percent: Any
    cost: Any
    feasible: Any
    deployable: Any


def start(key: Any, params: Params) -> Place:
    """Returns the empty prefix of an episode whose device and budget are drawn."""
    devices, budgets = params.budgets.shown.shape
    of_device, of_budget = (
        jax.random.split(key) if devices * budgets > 1 else (key, key)
    )
    device = budget = jnp.int32(0)
    if devices > 1:
        device = jax.random.randint(of_device, (), 0, devices, dtype=jnp.int32)
    if budgets > 1:
        budget = jax.random.randint(of_budget, (), 0, budgets, dtype=jnp.int32)
    total: Any = jnp.zeros((0, 2), jnp.int32)
    if isinstance(params.form, Layers):
        total = _row(params.form.start, device)
    return Place(jnp.int32(0), total, device, budget)


def advance(place: Place, depth: Any, choice: Any, params: Params) -> Place:
    """Returns the prefix that is longer by a choice.

    Args:
        place: a prefix that is not complete.
        depth: ``()`` int32, its length.
        choice: ``()`` int32, below the number of choices at that position.
        params: of the episodes.
    """
    form = params.form
    if isinstance(form, Table):
        counts, shifts = params.spec.counts, params.spec.shifts
        if len(set(counts)) == 1:  # then a child's number is a sum
            return place._replace(node=place.node * counts[0] + 1 + choice)
        grown = place.node * jnp.array(counts, jnp.int32)[depth]
        node = grown + jnp.array(shifts, jnp.int32)[depth] + choice
        return place._replace(node=node)
    step = _row(form.steps, place.device, depth, place.node, choice)
    columns = place.total.shape[0]
    added = jnp.stack([step[:columns], step[columns : 2 * columns]], axis=-1)
    return place._replace(node=step[-1], total=_carried(place.total + added))


def look(place: Place, depth: Any, params: Params) -> Look:
    """Returns what is seen from a prefix of a length."""
    form, choices = params.form, params.spec.choices
    budget = _budget(place, params)
    if isinstance(form, Table):
        row = _row(form.prefixes, place.device, place.node)
        ranks, last = row[:choices], budget.last[0]
        opened, exists = ranks <= last, ranks != ABSENT
        completable = row[choices] <= last
        low, high = (_pair_of(row, choices + 1 + at) for at in (0, 2))
    else:
        row = _row(form.rows, place.device, depth, place.node)
        upper, lower = row[:choices], row[choices : 2 * choices]
        total, (least, most) = place.total[0], row[2 * choices :].reshape(2, 2)
        needed = jnp.stack([total[0] + upper, total[1] + lower], axis=-1)
        opened, exists = _within(needed, budget.last), upper != NEVER
        completable = _within(total + least, budget.last)
        link = jax.tree.map(lambda leaf: _row(leaf, place.device), form.links[0])
        low, high = (value(link, _whole(_carried(total + x))) for x in (least, most))
    ratios = [pairs.rounded_product(x, _of(budget.over)) for x in (low, high)]
    clipped = jnp.clip(jnp.stack(ratios), 0.0, RATIO_LIMIT)
    return Look(opened | (exists & ~completable), completable, clipped)


def outcome(place: Place, params: Params) -> Outcome:
    """Returns what the network of a complete prefix comes to."""
    form, spec, budget = params.form, params.spec, _budget(place, params)
    vector: list[Any] = []
    if isinstance(form, Table):
        row = _row(form.networks, place.device, place.node - spec.leaves)
        feasible, deployable = row[0] <= budget.last[0], row[1] > 0
        accuracy, cost = _pair_of(row, 2), _pair_of(row, 4)
        vector = [_float(row[6 + n]) for n in range(len(spec.objectives))]
    else:
        links = jax.tree.map(lambda leaf: _row(leaf, place.device), form.links)
        feasible, deployable = _within(place.total[0], budget.last), jnp.bool_(True)
        values = [
            value(link, _whole(total))
            for link, total in zip(links, place.total, strict=True)
        ]
        cost, percent = values[0], values[-1]
        accuracy = pairs.multiply(percent, pairs.constant(0.01))
        vector = _objectives(values, accuracy, params, place)
    ratio = pairs.multiply(cost, _of(budget.over))
    medium = _of(_row(params.medium, place.device))
    if spec.objectives:
        reward = jnp.stack(vector)
    else:
        asked = query(
            accuracy,
            ratio,
            pairs.multiply(medium, _of(budget.under)),
            feasible=feasible,
            deployable=deployable,
        )
        reward = REWARDS[spec.reward](asked)
    over = jnp.clip(pairs.rounded(pairs.add(ratio, pairs.constant(-1.0))), 0.0, 1.0)
    percent = pairs.rounded(pairs.multiply(accuracy, pairs.constant(100.0)))
    return Outcome(reward, percent, over, feasible, deployable)


def _objectives(
    values: list[Pair], accuracy: Pair, params: Params, place: Place
) -> list[Any]:
    """Returns the components of a vector reward in layers, larger is better."""
    medium = _of(_row(params.medium, place.device))
    found = []
    for number, minimise in params.spec.objectives:
        one = accuracy if number < 0 else values[number]
        if number == 0:  # which counts in medium budgets
            one = pairs.multiply(one, medium)
        found.append(-pairs.rounded(one) if minimise else pairs.rounded(one))
    return found


def tail(place: Place, params: Params) -> Any:
    """Returns what ends an observation: the budget where shown, and the device."""
    parts = [_row(params.tails, place.device)]
    if params.spec.shown:
        parts.insert(0, _budget(place, params).shown[None])
    return jnp.concatenate(parts)


def budget_of(place: Place, params: Params) -> Any:
    """Returns the episode's budget in the metric's unit, ``()`` float32."""
    medium = _of(_row(params.medium, place.device))
    under = _of(_budget(place, params).under)
    return pairs.rounded(pairs.multiply(medium, under))


def _budget(place: Place, params: Params) -> Budgets:
    rows = params.budgets
    return Budgets(*(_row(table, place.device, place.budget) for table in rows))


def _row(table: Any, *places: Any) -> Any:
    """Returns a table's row; along an axis of one there is nothing to look up."""
    table = jnp.asarray(table)
    sizes = table.shape[: len(places)]
    flat: Any = 0
    for size, place in zip(sizes, places, strict=True):
        if size > 1:
            flat = flat * size + place
    rows = table.reshape(math.prod(sizes), *table.shape[len(places) :])
    return rows[flat]


def _carried(total: Any) -> Any:
    """Moves what a lower limb has too much into the upper one."""
    upper, lower = total[..., 0], total[..., 1]
    return jnp.stack([upper + (lower >> BITS), lower & _LOWER], axis=-1)


def _within(total: Any, last: Any) -> Any:
    """Returns whether sums are at most the last one that meets a budget."""
    upper = total[..., 0] + (total[..., 1] >> BITS)
    lower = total[..., 1] & _LOWER
    return (upper < last[..., 0]) | ((upper == last[..., 0]) & (lower <= last[..., 1]))


def _whole(total: Any) -> Pair:
    """Returns a sum in units of the grid, as a pair: each part is a float32 exactly."""
    upper = total[..., 0].astype(jnp.float32) * np.float32(1 << BITS)
    middle = (total[..., 1] >> _HALF).astype(jnp.float32) * np.float32(1 << _HALF)
    lower = (total[..., 1] & np.int32((1 << _HALF) - 1)).astype(jnp.float32)
    nothing = jnp.zeros_like(upper)
    return pairs.add((upper, nothing), pairs.add((middle, nothing), (lower, nothing)))


def _pair_of(row: Any, at: int) -> Pair:
    return _float(row[at]), _float(row[at + 1])


def _float(bits: Any) -> Any:
    return jax.lax.bitcast_convert_type(bits, jnp.float32)


def _of(pair: Any) -> Pair:
    return pair[..., 0], pair[..., 1]
