"""What construct shows in layers, against brute force and an interpreter of its own.

The truth here reads a quantity's tables and nothing else: it sums in fractions, so
without rounding, and asks the link itself about every completion.
"""

import functools
import itertools
import math
from fractions import Fraction
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import toys
from gymnasium.vector import AutoresetMode

import hwnas_env
from hwnas_env.engines.additive import (
    Additive,
    extremes,
    last_sums,
    needs,
    stateless,
)
from hwnas_env.engines.links import Inverse, Linear, Link, Logistic, Saturating
from hwnas_env.engines.walk import LayeredWalk
from hwnas_env.envs.construct_rows import Ratios
from hwnas_env.types import FloatArray

LINKS: list[Link] = [
    Linear(),
    Linear(floor=3.0, scale=1 / 3, unit=7.0),
    Linear(scale=1e-3, unit=1e9),
    Logistic(ceiling=90.0),
    Saturating(ceiling=80.0, span=50.0),
    Inverse(Linear(), 1000.0),
]


def quantity(link: Link, *, seed: int, states: int = 3) -> Additive:
    """Layers of 3, 2, 4 and 2 blocks, and states."""
    rng, blocks_at = np.random.default_rng(seed), (3, 2, 4, 2)
    sign = -1.0 if isinstance(link, Inverse) else 1.0  # whose sums are negative
    return Additive(
        np.array([sign * 0.3]),
        sign * rng.random((4, states, 4, 1)),
        rng.integers(0, states, (4, states, 4)),
        (link,),
        blocks_at,
    )


def total(cost: Additive, genotype: tuple[int, ...]) -> float:
    """The exact sum of a genotype or a prefix; it is a float."""
    exact, state = Fraction(float(cost.start[0])), 0
    for layer, block in enumerate(genotype):
        exact += Fraction(float(cost.entries[layer, state, block, 0]))
        state = int(cost.next_state[layer, state, block])
    assert Fraction(float(exact)) == exact
    return float(exact)


def values_of(cost: Additive) -> dict[tuple[int, ...], float]:
    """The value of every genotype, one by one."""
    link = cost.links[0]
    return {
        genotype: float(link(np.array([total(cost, genotype)]))[0])
        for genotype in itertools.product(*map(range, cost.blocks_at))
    }


def beside(values: Any) -> list[float]:
    """Numbers, and the floats on both sides of each."""
    return [
        float(b)
        for value in values
        for b in (math.nextafter(value, -math.inf), value, math.nextafter(value, 1e9))
    ]


def expected_view(
    cost: Additive,
    values: dict[tuple[int, ...], float],
    prefix: tuple[int, ...],
    budget: float,
) -> tuple[list[int], float, float, bool]:
    """Mask, ratios and completable of a prefix, by going over all completions."""
    depth, blocks = len(prefix), max(cost.blocks_at)
    reached = {g: v for g, v in values.items() if g[:depth] == prefix}
    ratios = [min(max(value / budget, 0.0), 4.0) for value in reached.values()]
    completable = min(reached.values()) <= budget
    if depth == len(cost.blocks_at):
        mask = [1] * blocks
    elif completable:
        met = {g[depth] for g, value in reached.items() if value <= budget}
        mask = [int(block in met) for block in range(blocks)]
    else:
        mask = [int(block < cost.blocks_at[depth]) for block in range(blocks)]
    return mask, min(ratios), max(ratios), completable


@pytest.mark.parametrize("link", LINKS, ids=str)
@pytest.mark.parametrize("states", [1, 3])
def test_views_equal_brute_force_on_attained_costs_and_beside_them(
    link: Link, states: int
) -> None:
    cost = quantity(link, seed=states, states=states)
    values = values_of(cost)
    attained = sorted(set(values.values()))
    chosen = attained[:2] + attained[len(attained) // 2 :][:2] + attained[-1:]
    for budget in (*beside(chosen), attained[0] / 2, attained[-1] * 2):
        walk = LayeredWalk(cost, budget=budget)
        for depth in range(5):
            for prefix in itertools.product(*map(range, cost.blocks_at[:depth])):
                state, seen = walk.root, walk.view(0, walk.root)
                for layer, block in enumerate(prefix):
                    state, seen = walk.follow(layer, state, block)
                mask, low, high, completable = seen
                truth = expected_view(cost, values, prefix, budget)
                assert (mask.tolist(), completable) == (truth[0], truth[3])
                assert (low, high) == pytest.approx(truth[1:3], rel=1e-15)


def test_following_is_a_child_and_its_view() -> None:
    walk = LayeredWalk(quantity(Linear(), seed=2), budget=1.5)
    state, after = walk.root, walk.root
    for depth, action in enumerate((2, 1, 3, 0)):
        after = walk.child(depth, after, action)
        state, (mask, *rest) = walk.follow(depth, state, action)
        mask_there, *rest_there = walk.view(depth + 1, after)
        assert (state, mask.tolist()) == (after, mask_there.tolist())
        assert rest == rest_there


@pytest.mark.parametrize("link", LINKS, ids=str)
def test_last_sums_are_the_last_that_meet_a_bound(link: Link) -> None:
    cost = quantity(link, seed=5)
    grid, values = float(cost.grid[0]), values_of(cost)
    inside = beside(values.values())
    outside = [1e-300, min(values.values()) / 2, max(values.values()) * 2, 1e300]
    bounds = np.array([*inside, *outside, math.inf])
    for given in (bounds, bounds[: len(inside)], bounds[:0]):  # all and few at once
        for bound, last in zip(given, last_sums(cost, given), strict=True):
            assert last / grid == math.floor(last / grid)
            if abs(last) < grid * 2.0**52:
                assert link(np.array([last]))[0] <= bound
                assert link(np.array([last + grid]))[0] > bound
            else:
                met = [value <= bound for value in values.values()]
                assert all(met) if last > 0 else not any(met)


def test_coarse_and_fine_units_keep_last_sums_exact(rng: np.random.Generator) -> None:
    for _ in range(50):
        scale, unit = 10.0 ** rng.uniform(-12, 12, 2)
        link = Linear(scale=float(scale), unit=float(unit))
        cost = stateless(1.0, rng.random((3, 4)), link=link)
        sums = cost.totals(np.array([[0, 1, 2], [3, 3, 3]], dtype=np.int8))[:, 0]
        for bound in beside(link(sums)):
            (last,) = last_sums(cost, [bound])
            assert link(np.array([last]))[0] <= bound
            assert link(np.array([last + cost.grid[0]]))[0] > bound


def test_needs_are_the_cheapest_completions() -> None:
    cost = quantity(Linear(), seed=8, states=1)
    needed = needs(cost)[:, 0]
    for layer, blocks in enumerate(cost.blocks_at):
        rest = sum(float(n[: cost.blocks_at[m]].min()) for m, n in _later(cost, layer))
        for block in range(4):
            own = float(cost.entries[layer, 0, block, 0])
            there = block < blocks
            assert needed[layer, block] == (own + rest if there else math.inf)


def _later(cost: Additive, layer: int) -> list[tuple[int, FloatArray]]:
    return [(m, cost.entries[m, 0, :, 0]) for m in range(layer + 1, len(cost.entries))]


@functools.cache
def rest(cost: Additive, depth: int, state: int) -> tuple[float, float]:
    """The smallest and the largest sum of the layers from a depth on."""
    if depth == len(cost.entries):
        return 0.0, 0.0
    sums = []
    for block in range(cost.blocks_at[depth]):
        own = float(cost.entries[depth, state, block, 0])
        after = rest(cost, depth + 1, int(cost.next_state[depth, state, block]))
        sums.append((own + after[0], own + after[1]))
    return min(low for low, _ in sums), max(high for _, high in sums)


class Interpreter:
    """One row of a layered environment, played by the book."""

    def __init__(self, envs: Any, row: int, infos: dict[str, Any]) -> None:
        config = envs.unwrapped.config
        number = int(infos["device"][row]) if "device" in infos else 0
        self.problem = config.problems[row if config.changing else number]
        self.budget = float(infos["budget"][row])
        self.cost = self.problem.model.cost(self.problem.metric_column)
        self.prefix: tuple[int, ...] = ()

    def take(self, action: int) -> None:
        self.prefix += (action % self.problem.space.choices_at[len(self.prefix)],)

    def check(self, observation: Any, infos: dict[str, Any], row: int) -> None:
        """Compares all that the row shows with sums over the layers that are left."""
        space, depth = self.problem.space, len(self.prefix)
        so_far, state = total(self.cost, self.prefix), 0
        for layer, block in enumerate(self.prefix):
            state = int(self.cost.next_state[layer, state, block])
        low, high = rest(self.cost, depth, state)
        link = self.cost.links[0]
        reach = link(np.array([so_far + low, so_far + high]))
        completable = reach[0] <= self.budget
        mask = np.ones(space.choices, dtype=bool)
        if depth < space.length:
            mask = space.existing[depth] == 1
        if depth < space.length and completable:
            for block in range(space.choices_at[depth]):
                own = float(self.cost.entries[depth, state, block, 0])
                after = int(self.cost.next_state[depth, state, block])
                least = so_far + (own + rest(self.cost, depth + 1, after)[0])
                mask[block] = link(np.array([least]))[0] <= self.budget
        assert infos["action_mask"][row].tolist() == mask.astype(int).tolist()
        assert infos["completable"][row] == completable
        blank = [-1] * (space.length - depth)
        assert infos["genotype"][row].tolist() == [*self.prefix, *blank]
        ones = np.zeros(space.offsets[-1] + space.length, dtype=np.float32)
        for position, choice in enumerate(self.prefix):
            ones[space.offsets[position] + choice] = 1.0
        if depth < space.length:
            ones[space.offsets[-1] + depth] = 1.0
        assert observation[row, : len(ones)].tolist() == ones.tolist()
        ratios = np.clip(reach / self.budget, 0.0, 4.0)
        shown = observation[row, len(ones) : len(ones) + 2]
        assert shown == pytest.approx(ratios, rel=1e-6)


ROWS = 6
PLAYED = [
    ("HWNAS-ToyChain-ToyBox-v0", {}),
    ("HWNAS-ToyStates-ToyBox-v0", {"budget": "sampled"}),
    ("HWNAS-FBNet-EdgeTPU-v0", {"budget": "sampled"}),
    ("HWNAS-FBNet-MultiDevice-v0", {"budget": "sampled"}),
    ("HWNAS-FBNet-MultiDevice-v0", {"budget": "tight"}),
    ("HWNAS-MnasNet-TPUv3-v0", {}),
    ("HWNAS-FBNet-RandomDevice-v0", {"budget": "tight"}),
    ("HWNAS-MnasNet-RandomDevice-v0", {"budget": "sampled"}),
]


@pytest.mark.parametrize("autoreset", list(AutoresetMode), ids=str)
@pytest.mark.parametrize(("env_id", "keywords"), PLAYED, ids=str)
def test_rows_show_what_the_book_says(
    env_id: str, keywords: dict[str, Any], autoreset: AutoresetMode
) -> None:
    envs = gym.make_vec(env_id, ROWS, autoreset_mode=autoreset, **keywords)
    rng = np.random.default_rng(3)
    observation, infos = envs.reset(seed=4)
    rows = [Interpreter(envs, row, infos) for row in range(ROWS)]
    waiting = np.zeros(ROWS, dtype=bool)
    for step in range(70):
        for row, player in enumerate(rows):
            player.check(observation, infos, row)
        masks = infos["action_mask"]
        assert (envs.unwrapped.action_masks() == (masks == 1)).all()
        ignores = rng.random(ROWS) < (0.0 if step < 25 else 0.2)
        allowed = np.where(ignores[:, None], 1, masks)
        actions = (allowed * rng.random(masks.shape)).argmax(axis=1)
        observation, _, terminated, truncated, infos = envs.step(actions)
        ended = terminated | truncated
        for row in np.flatnonzero(~waiting):
            rows[row].take(int(actions[row]))
        if autoreset is AutoresetMode.SAME_STEP and ended.any():
            for row in np.flatnonzero(ended):
                rows[row].check(infos["final_obs"], infos["final_info"], row)
        anew = waiting if autoreset is AutoresetMode.NEXT_STEP else ended
        if autoreset is AutoresetMode.DISABLED and ended.any():
            observation, infos = envs.reset(options={"reset_mask": ended})
        waiting = ended if autoreset is AutoresetMode.NEXT_STEP else waiting
        if autoreset is not AutoresetMode.NEXT_STEP and step % 13 == 7:
            # some start elsewhere, so that depths differ from row to row
            picked = rng.random(ROWS) < 0.5
            options = {"reset_mask": picked, "genotype": [0] * int(step % 2)}
            observation, infos = envs.reset(options=options)
            anew = anew | picked
            for row in np.flatnonzero(picked):
                rows[row] = Interpreter(envs, row, infos)
                rows[row].prefix = (0,) * (step % 2)
            anew = anew & ~picked
        for row in np.flatnonzero(anew):
            rows[row] = Interpreter(envs, row, infos)


def test_budgets_on_attained_costs_hold_in_every_row(rng: np.random.Generator) -> None:
    """A network stays reachable under its own cost, and under no float below it."""
    envs = gym.make_vec("HWNAS-FBNet-EdgeGPU-v0", 2)
    single = gym.make("HWNAS-FBNet-EdgeGPU-v0")
    problem = envs.unwrapped.problem
    for genotype in problem.space.sample(25, rng=rng):
        cost = float(problem.known_costs(genotype[None])[0])
        for budget, reachable in zip(beside([cost]), (False, True, True), strict=True):
            _, infos = envs.reset(options={"budget": budget})
            _, info = single.reset(options={"budget": budget})
            still = bool(infos["completable"].all())
            for choice in genotype.tolist():
                still &= bool(infos["action_mask"][:, choice].all())
                assert (infos["action_mask"] == info["action_mask"]).all()
                *_, infos = envs.step(np.full(2, choice))
                *_, info = single.step(choice)
            assert still == reachable
            assert infos["final_info"]["feasible"].tolist() == [reachable] * 2
            assert info["feasible"] == reachable


@pytest.mark.parametrize("space", [toys.CHAIN.name, toys.STATES.name, "fbnet"])
def test_one_network_in_numbers_has_the_bits_of_a_batch(space: str) -> None:
    device = toys.TOY if space != "fbnet" else "edgetpu"
    problem = hwnas_env.make_problem(space, device=device)
    rows = problem.space.sample(300, rng=np.random.default_rng(1))
    batch = problem.evaluate(rows)
    for row, genotype in enumerate(rows.tolist()):
        answer = problem.model.evaluate_one(genotype)
        assert answer is not None
        assert answer.accuracy_percent == batch.accuracy_percent[row]
        assert answer.costs == batch.costs[row].tolist()
        if batch.train_seconds is not None:
            assert answer.train_seconds == batch.train_seconds[row]
    noisy = hwnas_env.make_problem("fbnet", device="edgetpu", accuracy="noisy-3")
    assert noisy.model.evaluate_one([0] * 22) is None


def test_rows_of_different_links_have_the_ratios_of_their_walks() -> None:
    links: list[Link] = [Linear(floor=1.0, scale=1 / 3), Logistic(ceiling=9.0)]
    for chosen in (links, links[:1], links[1:]):
        costs = [quantity(link, seed=4) for link in chosen]
        numbers, budgets = np.arange(6) % len(costs), np.linspace(0.4, 4.0, 6)
        ratios = Ratios(chosen, 6)
        ratios.place(np.arange(6), numbers, budgets)
        sums, expected = np.empty((2, 6)), np.empty((2, 6))
        for row, number in enumerate(numbers):
            cost, budget = costs[number], float(budgets[row])
            low, high = extremes(cost)
            sums[:, row] = cost.start[0] + np.array([low[0, 0], high[0, 0]])
            walk = LayeredWalk(cost, budget=budget)
            expected[:, row] = walk.view(0, walk.root)[1:3]
        assert (ratios(sums) == expected).all()
