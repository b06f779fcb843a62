"""Masks, reachable costs and budgets of the environments: exact, also on the edge."""

import itertools
import math
from typing import Any

import numpy as np
import pytest
from contracts import CELL, NET, PROBLEMS, make, play

from hwnas_env import make_problem
from hwnas_env.envs.registration import environment_id
from hwnas_env.errors import (
    InfeasibleBudgetError,
    InvalidActionError,
    UnknownNameError,
)
from hwnas_env.maths.scalarise import REWARDS


@pytest.mark.parametrize("device", ["edgegpu", "edgetpu", "eyeriss", "raspi4"])
def test_cell_masks_and_intervals_equal_brute_force(device: str) -> None:
    """An action is masked if and only if no completion meets the budget."""
    problem = make_problem("nasbench201", device=device)
    rows = np.array(list(itertools.product(range(5), repeat=6)), dtype=np.int8)
    table = problem.evaluate(rows)
    cost = np.where(table.deployable, table.costs[:, 0], np.inf)
    attained = np.unique(cost[np.isfinite(cost)])
    budgets = [problem.presets["tight"], problem.presets["loose"]]
    budgets += attained[[0, 1, len(attained) // 3, -1]].tolist()
    budgets += [math.nextafter(b, 0.0) for b in budgets[-2:]]
    for budget in budgets:
        walk = problem.walk(budget)
        frontier = {(): walk.root}
        for depth in range(6):
            following = {}
            for prefix, state in frontier.items():
                block = slice(*block_of(prefix))
                costs = cost[block]
                mask, low, high, completable = walk.view(depth, state)
                assert completable == (costs <= budget).any()
                meets = (costs.reshape(5, -1) <= budget).any(axis=1)
                expected = meets if completable else np.ones(5, dtype=bool)
                assert (mask.astype(bool) == expected).all()
                finite = costs[np.isfinite(costs)]
                if len(finite):
                    assert low == min(max(finite.min() / budget, 0), 4)
                    assert high == min(max(finite.max() / budget, 0), 4)
                else:
                    assert low == high == 4.0
                if depth < 3 or budget == budgets[0]:
                    for action in range(5):
                        key = (*prefix, action)
                        following[key] = walk.child(depth, state, action)
            frontier = following


def block_of(prefix: tuple[int, ...]) -> tuple[int, int]:
    size = 5 ** (6 - len(prefix))
    start = sum(choice * 5 ** (5 - place) for place, choice in enumerate(prefix))
    return start, start + size


@pytest.mark.parametrize(("space", "device", "dataset", "metric"), PROBLEMS)
def test_masked_sampling_never_breaks_the_budget(
    space: str, device: str, dataset: str, metric: str, rng: np.random.Generator
) -> None:
    env = make(environment_id(space, device), dataset=dataset, metric=metric)
    problem = env.unwrapped.problem
    budgets: list[Any] = ["tight", "medium", "loose"]
    random = problem.evaluate(problem.space.sample(300, rng=rng))
    attained = random.costs[random.deployable, problem.metric_column]
    # T exactly an attained cost; all-skip FBNets cost the FPGA nothing, no budget
    budgets += [b for b in (problem.cheapest, *attained[:6].tolist()) if b > 0]
    for budget in budgets:
        _, info = env.reset(options={"budget": budget})
        done = False
        while not done:
            assert info["completable"]
            assert info["action_mask"].any()
            action = int(rng.choice(np.flatnonzero(info["action_mask"])))
            observation, reward, done, _, info = env.step(action)
            assert np.isfinite(observation).all()
            assert math.isfinite(reward)
        assert info["feasible"]
        assert info["deployable"]
        assert info["cost"] == 0.0
        assert info[metric] <= info["budget"]


@pytest.mark.parametrize("device", ["edgetpu", "pixel3", "eyeriss", "edgegpu"])
def test_an_attained_cost_as_budget_keeps_its_network_reachable(
    device: str, rng: np.random.Generator
) -> None:
    problem = make_problem("fbnet", device=device)
    for genotype in problem.space.sample(60, rng=rng):
        budget = float(problem.evaluate(genotype).costs[0, 0])
        for bound, reachable in ((budget, True), (math.nextafter(budget, 0.0), False)):
            walk = problem.walk(bound)
            state, open_so_far = walk.root, True
            for depth, choice in enumerate(genotype.tolist()):
                mask = walk.view(depth, state)[0]
                open_so_far &= bool(mask[choice])
                state = walk.child(depth, state, choice)
            assert open_so_far == reachable
            assert walk.view(22, state)[3] == reachable


def test_ignoring_the_mask_opens_it_and_is_no_longer_completable() -> None:
    env = make(NET, budget="tight")
    env.reset(seed=0)
    done = False
    while not done:
        observation, reward, done, _, info = env.step(7)  # k5_e6 everywhere
        assert np.isfinite(observation).all()
    assert not info["completable"]
    assert not info["feasible"]
    assert info["deployable"]
    assert info["action_mask"].all()
    ratio = info["latency_ms"] / info["budget"]
    assert info["cost"] == pytest.approx(min(ratio - 1, 1))
    assert reward == pytest.approx(info["accuracy_percent"] / 100 / ratio)


def test_what_the_device_cannot_run_is_finite_and_worth_nothing() -> None:
    for reward_name in REWARDS:
        env = make(CELL, reward=reward_name)
        env.reset(seed=0)
        observation, reward, _, _, info = play(env, [0] * 6)
        assert not info["deployable"]
        assert not info["feasible"]
        assert info["latency_ms"] == math.inf
        assert info["cost"] == 1.0
        assert math.isfinite(reward)
        assert np.isfinite(observation).all()
        assert observation[-2:].tolist() == [4.0, 4.0]
        if reward_name == "mnas_hard":
            assert reward == 0.0


def test_budgets_can_be_set_per_episode() -> None:
    env = make(NET)
    default = env.reset(seed=0)[1]["budget"]
    assert env.reset(options={"budget": 3.5})[1]["budget"] == 3.5
    assert env.reset(options={"budget": "loose"})[1]["budget"] > default
    assert env.reset()[1]["budget"] == default
    with pytest.raises(InfeasibleBudgetError):
        env.reset(options={"budget": 1e-3})
    with pytest.raises(UnknownNameError, match="did you mean 'budget'"):
        env.reset(options={"budgets": 3.5})


def test_a_prefix_can_be_given() -> None:
    env = make(CELL)
    observation, info = env.reset(options={"genotype": [1, 3]})
    assert info["genotype"].tolist() == [1, 3, -1, -1, -1, -1]
    env.reset()
    stepped, *_, other = play(env, [1, 3])
    assert (stepped == observation).all()
    assert (other["action_mask"] == info["action_mask"]).all()
    for wrong in ([5], [-1], [0.5], [0] * 6, [None]):
        with pytest.raises(InvalidActionError):
            env.reset(options={"genotype": wrong})
    _, named = env.reset(options={"genotype": ["skip_connect", "nor_conv_3x3"]})
    assert (named["genotype"] == info["genotype"]).all()


def test_sampled_budgets_are_observed_and_seeded() -> None:
    env = make(NET, budget="sampled")
    problem = env.unwrapped.problem
    drawn = []
    for episode in range(300):
        observation, info = env.reset(seed=1 if episode == 0 else None)
        ratio = info["budget"] / problem.presets["medium"]
        assert observation[-1] == pytest.approx(math.log(ratio), rel=1e-5, abs=1e-6)
        drawn.append(info["budget"])
    low, high = problem.presets["q05"], problem.presets["q95"]
    assert low <= min(drawn)
    assert max(drawn) <= high
    middle = np.log(drawn).mean()
    assert middle == pytest.approx((math.log(low) + math.log(high)) / 2, abs=0.1)
    assert env.reset(seed=1)[1]["budget"] == drawn[0]
