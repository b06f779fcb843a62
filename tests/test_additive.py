"""Sums over layers: exact limits, against brute force on small spaces."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hwnas_env.engines.additive import (
    Additive,
    extremes,
    join,
    largest_prefixes,
    smallest_value,
    stateless,
)
from hwnas_env.engines.links import Linear, Saturating
from hwnas_env.engines.quantiles import quantiles
from hwnas_env.engines.states import merged
from hwnas_env.types import FloatArray, Genotypes

LAYERS, BLOCKS = 4, 3
ALL: Genotypes = np.array(
    list(itertools.product(range(BLOCKS), repeat=LAYERS)), dtype=np.int8
)


def small(seed: int, *, states: int = 2, rounded: bool = True) -> Additive:
    """A random quantity; rounded entries make sums that tie and round."""
    rng = np.random.default_rng(seed)
    entries = rng.normal(size=(LAYERS, states, BLOCKS, 1))
    return Additive(
        rng.random(1),
        entries.round(1) if rounded else entries,
        rng.integers(0, states, (LAYERS, states, BLOCKS)),
        (Linear(floor=-1.0, scale=3.0, unit=7.0),),
    )


def fold(quantity: Additive, genotype: Genotypes) -> float:
    """Sums one genotype with Python floats, from left to right."""
    total, state = float(quantity.start[0]), 0
    for layer, block in enumerate(genotype.tolist()):
        total += float(quantity.entries[layer, state, block, 0])
        state = int(quantity.next_state[layer, state, block])
    return total


@given(st.integers(0, 10**6))
def test_totals_are_exact_sums_of_what_was_given(seed: int) -> None:
    quantity = small(seed, rounded=False)
    assert quantity.totals(ALL)[:, 0].tolist() == [fold(quantity, g) for g in ALL]
    given = np.random.default_rng(seed).normal(size=quantity.entries.shape)
    assert np.abs(quantity.entries - given).max() <= quantity.grid[0] / 2
    assert quantity.grid[0] < 1e-14


@given(st.integers(0, 10**6))
def test_sums_do_not_depend_on_their_order(seed: int) -> None:
    quantity = small(seed, rounded=False, states=1)
    for genotype in ALL[:: len(ALL) // 10]:
        terms = [float(quantity.start[0])]
        terms += [float(quantity.entries[n, 0, b, 0]) for n, b in enumerate(genotype)]
        assert {sum(order) for order in itertools.permutations(terms)} == {sum(terms)}


@given(st.integers(0, 10**6))
def test_a_batch_equals_singles_in_any_order(seed: int) -> None:
    quantity = small(seed, rounded=False)
    values = quantity.values(ALL)
    assert (quantity.values(ALL[::-1]) == values[::-1]).all()
    assert [quantity.values(g[None])[0, 0] for g in ALL] == values[:, 0].tolist()
    assert quantity.values(ALL[:0]).shape == (0, 1)


@settings(max_examples=60)
@given(st.integers(0, 10**6), st.integers(0, len(ALL) - 1), st.booleans())
def test_limits_are_exact_at_attained_values(
    seed: int, which: int, rounded: bool
) -> None:
    quantity = small(seed, rounded=rounded)
    values = quantity.values(ALL)[:, 0]
    bound = float(values[which])
    limits, actions = (table[0] for table in largest_prefixes(quantity, [bound]))
    for depth in range(LAYERS + 1):
        for prefix in itertools.product(range(BLOCKS), repeat=depth):
            total, state = float(quantity.start[0]), 0
            for layer, block in enumerate(prefix):
                total += float(quantity.entries[layer, state, block, 0])
                state = int(quantity.next_state[layer, state, block])
            within = values[(ALL[:, :depth] == prefix).all(axis=1)]
            assert (total <= limits[depth, state]) == (within <= bound).any()
            if depth < LAYERS:
                meets = (within.reshape(BLOCKS, -1) <= bound).any(axis=1)
                assert ((total <= actions[depth, state]) == meets).all()


@given(st.integers(0, 10**6), st.integers(1, 40))
def test_few_and_many_sum_alike(seed: int, count: int) -> None:
    quantity = join([small(seed, rounded=False), small(seed + 1, states=3)])
    rows = np.random.default_rng(seed).integers(0, BLOCKS, (count, LAYERS))
    rows = rows.astype(np.int8)
    many = quantity.values(np.concatenate([rows, ALL]))[:count]
    assert (quantity.values(rows) == many).all()
    assert [quantity.values(row[None])[0].tolist() for row in rows] == many.tolist()


@given(st.integers(0, 10**6))
def test_the_smallest_value_is_attained(seed: int) -> None:
    quantity = small(seed, rounded=False)
    assert smallest_value(quantity) == quantity.values(ALL).min()


@given(st.integers(0, 10**6))
def test_extremes_bound_what_remains(seed: int) -> None:
    quantity = small(seed, rounded=False)
    low, high = extremes(quantity)
    totals = quantity.totals(ALL)[:, 0] - quantity.start[0]
    assert totals.min() == pytest.approx(low[0, 0], abs=1e-12)
    assert totals.max() == pytest.approx(high[0, 0], abs=1e-12)


@pytest.mark.parametrize("layers", [1, 3])
def test_one_choice_a_layer_is_a_space_of_one(layers: int) -> None:
    entries = np.arange(1.0, layers + 1)[:, None]
    quantity = stateless(0.5, entries, link=Linear())
    rows: Genotypes = np.zeros((3, layers), np.int8)
    assert quantity.totals(rows)[:, 0].tolist() == [0.5 + entries.sum()] * 3
    assert smallest_value(quantity) == 0.5 + entries.sum()


def test_quantiles_follow_the_distribution_of_all_genotypes() -> None:
    for seed in range(5):
        quantity = small(seed, rounded=False)
        values = quantity.values(ALL)[:, 0]
        fractions = [0.05, 0.25, 0.7, 0.95]
        exact = np.quantile(values, fractions, method="inverted_cdf")
        spread = values.max() - values.min()
        found = quantiles(quantity, fractions)
        # a quantile may fall on the next attained value where the mass is close
        near = [np.abs(values - q).min() for q in found]
        assert max(near) < 1e-3 * spread
        assert np.abs(found - exact).max() < 0.05 * spread


def test_joined_quantities_keep_their_values() -> None:
    parts = [small(1), small(2, states=1), small(3, states=3, rounded=False)]
    longer = stateless(1.0, np.ones((LAYERS, BLOCKS)), tail=(1, 2, 3), link=Linear())
    joined = join([*parts, longer])
    assert joined.states == 6
    for column, part in enumerate([*parts, longer]):
        expected = part.values(ALL)[:, 0].tolist()
        assert joined.values(ALL)[:, column].tolist() == expected
        assert joined.columns([column]).values(ALL)[:, 0].tolist() == expected


@given(st.integers(0, 10**6), st.integers(1, 6))
def test_merged_states_change_no_sum(seed: int, states: int) -> None:
    part = small(seed, states=states)
    joined = join([part, small(seed + 1, states=3), small(seed + 2, states=1)])
    for column, needed in enumerate((states, 3, 1)):
        alone = joined.columns([column])
        fewer = merged(alone)
        assert fewer.states <= needed
        assert (fewer.totals(ALL) == alone.totals(ALL)).all()
        bounds = np.unique(alone.values(ALL))
        limits, _ = largest_prefixes(fewer, bounds)
        assert (limits[:, 0, 0] == largest_prefixes(alone, bounds)[0][:, 0, 0]).all()
    assert (merged(joined).totals(ALL) == joined.totals(ALL)).all()
    assert merged(joined).states <= joined.states


def test_states_that_add_the_same_are_one() -> None:
    twin = small(5, states=2)
    entries = np.concatenate([twin.entries, twin.entries], axis=1)
    following = np.concatenate([twin.next_state + 2, twin.next_state], axis=1)
    doubled = Additive(twin.start, entries, following, twin.links)
    assert doubled.states == 4
    assert merged(doubled).states == merged(twin).states <= 2


def test_an_inverse_is_better_where_the_quantity_is_worse() -> None:
    cost = stateless(5.0, np.arange(12.0).reshape(LAYERS, BLOCKS), link=Linear())
    speed = cost.inverse(1000.0)
    assert (speed.values(ALL) == 1000.0 / cost.values(ALL)).all()
    assert smallest_value(speed) == 1000.0 / cost.values(ALL).max()
    assert np.argsort(speed.totals(ALL)[:, 0]).tolist()[-1] == 0


@pytest.mark.parametrize("link", [Linear(0.5, 2.0, 3.0), Saturating(80.0, 50.0)])
def test_links_never_decrease(
    link: Linear | Saturating, rng: np.random.Generator
) -> None:
    x: FloatArray = np.sort(rng.normal(size=1000))
    assert (np.diff(link(x)) >= 0).all()
