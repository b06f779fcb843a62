"""The modes beside construct: mutate and joint, over every registered id."""

import copy
import itertools
import math
import pickle
import warnings
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from contracts import IDS
from gymnasium.utils.env_checker import check_env as gym_check
from stable_baselines3.common.env_checker import check_env as sb3_check

from hwnas_env import make_problem
from hwnas_env.engines.layered import LayeredModel
from hwnas_env.engines.walk import LayeredWalk
from hwnas_env.errors import (
    EpisodeEndedError,
    InvalidActionError,
    InvalidArgumentError,
    InvalidGenotypeError,
    UnknownNameError,
)

MODES = pytest.mark.parametrize("mode", ["mutate", "joint"])
CELL, NET = "HWNAS-NASBench201-EdgeTPU-v0", "HWNAS-FBNet-EdgeTPU-v0"


def make(env_id: str, mode: str, **keywords: Any) -> Any:
    return gym.make(f"hwnas_env:{env_id}", mode=mode, **keywords)


def some_action(info: dict[str, Any], rng: np.random.Generator) -> Any:
    """A random action that the mask allows."""
    mask = info["action_mask"]
    if isinstance(mask, tuple):
        return np.array([rng.choice(np.flatnonzero(row)) for row in mask])
    return int(rng.choice(np.flatnonzero(mask)))


@IDS
@MODES
def test_checkers_pass_without_a_warning(env_id: str, mode: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", message=".*skip_render_check.*")
        for keywords in ({}, {"budget": "sampled"}, {"render_mode": "rgb_array"}):
            gym_check(gym.make(env_id, mode=mode, **keywords).unwrapped)
        sb3_check(gym.make(env_id, mode=mode).unwrapped)


@IDS
@MODES
def test_every_step_answers_as_the_problem_does(env_id: str, mode: str) -> None:
    env = make(env_id, mode)
    problem = env.unwrapped.problem
    space, length = problem.space, problem.space.length
    rng = np.random.default_rng(2)
    queries = 0
    for episode in range(3):
        observation, info = env.reset(seed=None if episode else 5)
        assert not info["evaluated"]
        ended = False
        steps = 0
        while not ended:
            assert env.observation_space.contains(observation)
            mask = info["action_mask"]
            flat = np.concatenate(mask) if mode == "joint" else mask
            assert (env.unwrapped.action_masks() == flat).all()
            before = info["genotype"]
            action = some_action(info, rng)
            observation, reward, terminated, truncated, info = env.step(action)
            steps += 1
            queries += 1
            ended = terminated or truncated
            evaluation = problem.evaluate(info["genotype"])
            assert info["evaluated"]
            assert info["queries"] == queries
            assert info["accuracy_percent"] == evaluation.accuracy_percent[0]
            costs = [info[name] for name in problem.metrics]
            assert costs == evaluation.costs[0].tolist()
            assert math.isfinite(reward)
            assert np.isfinite(observation).all()
            if mode == "mutate":
                assert (info["genotype"] != before).sum() <= 1
                one_hot = observation[: space.offsets[-1]]
                assert (one_hot == space.one_hot(info["genotype"][None])[0]).all()
                assert one_hot.sum() == length
            ratio = min(info[problem.metric] / info["budget"], 4.0)
            place = space.offsets[-1] if mode == "mutate" else 0
            expected = pytest.approx([ratio, ratio], rel=1e-6)
            assert observation[place : place + 2].tolist() == expected
        assert steps == (2 * length if mode == "mutate" else 1)
        assert terminated == (mode == "joint")
        assert truncated == (mode == "mutate")


@pytest.mark.parametrize("env_id", [CELL, NET, "HWNAS-FBNet-FPGA-v0"])
def test_mutate_masks_what_is_not_feasible_or_changes_nothing(env_id: str) -> None:
    env = make(env_id, "mutate", budget="tight")
    problem = env.unwrapped.problem
    choices = problem.space.choices
    for seed in range(6):
        _, info = env.reset(seed=seed)
        genotype = info["genotype"]
        assert problem.evaluate(genotype).deployable[0]
        expected = []
        for position, choice in itertools.product(
            range(problem.space.length), range(choices)
        ):
            changed = genotype.copy()
            changed[position] = choice
            table = problem.evaluate(changed)
            fits = table.deployable[0] and table.costs[0, 0] <= info["budget"]
            expected.append(bool(fits) and bool((changed != genotype).any()))
        assert info["completable"] == any(expected)
        if any(expected):
            assert info["action_mask"].astype(bool).tolist() == expected
        else:
            assert info["action_mask"].all()


@pytest.mark.parametrize("mode", ["construct", "mutate", "joint"])
@pytest.mark.parametrize("env_id", [CELL, NET])
def test_masks_have_the_form_that_sample_takes(env_id: str, mode: str) -> None:
    keywords: dict[str, Any] = {"mode": mode, "budget": "tight"}
    env = make(env_id, **keywords)
    env.action_space.seed(0)
    _, info = env.reset(seed=0)
    ended = False
    while not ended:
        masks = info["action_mask"]
        parts = masks if isinstance(masks, tuple) else [masks]
        action = env.action_space.sample(masks)
        assert np.all(env.unwrapped.action_masks()[flat_places(env, action)])
        assert np.ravel(masks).tolist() == env.unwrapped.action_masks().tolist()
        for part in parts:
            assert part.dtype == np.int8
            part[:] = 0  # a copy
        assert env.unwrapped.action_masks().any()
        _, _, terminated, truncated, info = env.step(action)
        ended = terminated or truncated
    for vectorization in ("vector_entry_point", "sync"):
        envs = gym.make_vec(
            f"hwnas_env:{env_id}", 3, vectorization_mode=vectorization, **keywords
        )
        envs.single_action_space.seed(0)
        _, infos = envs.reset(seed=0)
        for _ in range(3):
            actions = [envs.single_action_space.sample(m) for m in infos["action_mask"]]
            *_, infos = envs.step(np.array(actions))
        if mode != "joint":  # Gymnasium batches a MultiDiscrete to a Box, without masks
            assert envs.action_space.contains(
                envs.action_space.sample(tuple(infos["action_mask"]))
            )


def flat_places(env: Any, action: Any) -> Any:
    """Where an action's choices stand in the flat mask."""
    if isinstance(env.action_space, gym.spaces.MultiDiscrete):
        return np.arange(len(action)) * env.action_space.nvec[0] + action
    return action


@pytest.mark.parametrize("device", ["edgetpu", "edgegpu", "eyeriss"])
def test_joint_masks_choices_that_no_feasible_cell_contains(device: str) -> None:
    problem = make_problem("nasbench201", device=device)
    rows = np.array(list(itertools.product(range(5), repeat=6)), dtype=np.int8)
    table = problem.evaluate(rows)
    cost = np.where(table.deployable, table.costs[:, 0], np.inf)
    attained = np.unique(cost[np.isfinite(cost)])
    for budget in attained[[0, 1, 5, len(attained) // 4, -1]].tolist():
        within = rows[cost <= budget]
        expected = [[(within[:, p] == c).any() for c in range(5)] for p in range(6)]
        assert problem.walk(budget).choices().tolist() == expected


@pytest.mark.parametrize("device", ["edgetpu", "pixel3"])
def test_joint_masks_are_exact_on_a_cut_down_fbnet(device: str) -> None:
    from test_problems import cut_down

    model, rows = cut_down(make_problem("fbnet", device=device), [1, 5, 13, 21])
    assert isinstance(model, LayeredModel)
    cost = model.evaluate(rows).costs[:, 0]
    attained = np.unique(cost)
    for budget in attained[[0, 1, 7, len(attained) // 3, -1]].tolist():
        within = rows[cost <= budget]
        expected = [[(within[:, p] == c).any() for c in range(9)] for p in range(4)]
        walk = LayeredWalk(model.quantities.columns([0]), budget=budget)
        assert walk.choices().tolist() == expected


def test_starts_are_uniform_over_deployable_networks() -> None:
    env = make(CELL, "mutate")
    env.reset(seed=0)
    starts = np.array([env.reset()[1]["genotype"] for _ in range(3000)])
    problem = env.unwrapped.problem
    assert problem.evaluate(starts).deployable.all()
    rows = np.array(list(itertools.product(range(5), repeat=6)), dtype=np.int8)
    deployable = rows[problem.evaluate(rows).deployable]
    for position in range(6):
        share = np.bincount(starts[:, position], minlength=5) / len(starts)
        exact = np.bincount(deployable[:, position], minlength=5) / len(deployable)
        assert np.abs(share - exact).max() < 0.04


def test_options_start_where_they_say() -> None:
    env = make(NET, "mutate", horizon=3)
    _, info = env.reset(options={"genotype": [0] * 22, "budget": "loose"})
    assert info["genotype"].tolist() == [0] * 22
    for step in range(3):
        *_, truncated, info = env.step(9 * step + 3)
        assert truncated == (step == 2)
    assert info["genotype"].tolist() == [3, 3, 3] + [0] * 19
    with pytest.raises(EpisodeEndedError):
        env.step(0)
    with pytest.raises(InvalidGenotypeError):
        env.reset(options={"genotype": [0] * 21})
    with pytest.raises(InvalidArgumentError, match="all positions at once"):
        make(NET, "joint").reset(options={"genotype": [0] * 22})


@MODES
def test_ledgers_and_copies_hold_in_every_mode(mode: str) -> None:
    env = (
        make(CELL, mode, max_queries=2, horizon=5)
        if mode == "mutate"
        else make(CELL, mode, max_queries=2)
    )
    rng = np.random.default_rng(0)
    _, info = env.reset(seed=0)
    for query in (1, 2):
        clone = pickle.loads(pickle.dumps(copy.deepcopy(env)))
        action = some_action(info, rng)
        ours, theirs = env.step(action), clone.step(action)
        assert ours[1:4] == theirs[1:4]
        info = ours[-1]
        assert info["queries"] == query
        assert info["budget_exhausted"] == (query == 2)
        if mode == "joint":
            _, info = env.reset()
    _, reward, terminated, truncated, info = env.step(some_action(info, rng))
    assert (reward, terminated, truncated) == (0.0, False, True)
    assert not info["evaluated"]


@MODES
def test_specs_and_objectives_hold_in_every_mode(mode: str) -> None:
    env = make(NET, mode, objectives=["accuracy", "latency_ms"], budget="loose")
    again = gym.make(gym.envs.registration.EnvSpec.from_json(env.spec.to_json()))
    rng = np.random.default_rng(0)
    _, info = env.reset(seed=4)
    again.reset(seed=4)
    action = some_action(info, rng)
    ours, theirs = env.step(action), again.step(action)
    assert (ours[1] == theirs[1]).all()
    assert ours[1].shape == (2,)
    front = env.unwrapped.pareto_front(gamma=0.9)
    assert any((point >= ours[1]).all() for point in front)


@pytest.mark.parametrize(
    ("mode", "action"),
    [
        *(("mutate", action) for action in (30, -1, 1.0, None, True, [1])),
        *(("joint", action) for action in ([0] * 5, [5] * 6, [0.0] * 6, 3, None)),
    ],
)
def test_wrong_actions_are_refused(mode: str, action: Any) -> None:
    env = make(CELL, mode)
    env.reset(seed=0)
    with pytest.raises(InvalidActionError, match="0 to"):
        env.step(action)
    assert env.unwrapped.ledger.queries == 0


def test_wrong_modes_and_horizons_are_refused() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'construct'"):
        make(CELL, "constructs")
    for horizon in (0, -1, 2.5, True, "6"):
        with pytest.raises(InvalidArgumentError, match="horizon"):
            make(CELL, "mutate", horizon=horizon)


@MODES
def test_pictures_are_drawn_in_every_mode(mode: str) -> None:
    for env_id in (CELL, NET):
        env = make(env_id, mode, render_mode="ansi")
        _, info = env.reset(seed=0)
        assert isinstance(env.render(), str)
        env.step(some_action(info, np.random.default_rng(0)))
        assert "?" not in env.render()
