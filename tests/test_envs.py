"""The environment's contract, over every registered id."""

import copy
import inspect
import json
import math
import multiprocessing
import pickle
import pydoc
import re
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from contracts import CELL, ENVIRONMENTS, IDS, NET, make, play
from gymnasium.utils.env_checker import check_env as gym_check

from hwnas_env import BudgetedProblem
from hwnas_env.envs.base import HWNASEnv
from hwnas_env.envs.registration import (
    MULTI_DEVICE_ENVIRONMENTS,
    RANDOM_DEVICE_ENVIRONMENTS,
)
from hwnas_env.errors import (
    EpisodeEndedError,
    InfeasibleBudgetError,
    InvalidActionError,
    InvalidArgumentError,
    InvalidBudgetError,
    UnknownNameError,
    WorkerProcessError,
)


def trajectory(env_id: str, seed: int, episodes: int = 3, **keywords: Any) -> list[Any]:
    """Everything an agent sees under seeded masked actions, as plain values."""
    env = make(env_id, **keywords)
    rng = np.random.default_rng(seed)
    seen: list[Any] = []
    for episode in range(episodes):
        step: tuple[Any, ...] = env.reset(seed=seed if episode == 0 else None)
        while True:
            info = {
                k: v.tolist() if isinstance(v, np.ndarray) else v
                for k, v in step[-1].items()
            }
            seen.append([step[0].tolist(), *map(plain, step[1:-1]), info])
            if len(step) == 5 and (step[2] or step[3]):
                break
            step = env.step(int(rng.choice(np.flatnonzero(info["action_mask"]))))
    return seen


def plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray) else value


def test_every_pair_is_registered_with_json_keywords() -> None:
    toys = [env_id for env_id in ENVIRONMENTS if "-Toy" in env_id]
    assert len(ENVIRONMENTS) == 58 + len(toys) == 58 + 4
    for env_id in ENVIRONMENTS:
        spec = gym.spec(env_id)
        assert isinstance(spec.entry_point, str)
        assert spec.disable_env_checker
        json.dumps(spec.kwargs)


@pytest.mark.parametrize(
    "env_id",
    [*ENVIRONMENTS, *MULTI_DEVICE_ENVIRONMENTS, *RANDOM_DEVICE_ENVIRONMENTS],
)
def test_every_id_is_made_checked_masked_and_solved(env_id: str) -> None:
    env = gym.make(env_id)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        gym_check(env.unwrapped, skip_render_check=True)
    rng = np.random.default_rng(0)
    core: Any = env.unwrapped
    for seed, budget in enumerate(("tight", "medium", "loose")):
        _, info = env.reset(seed=seed, options={"budget": budget})
        done = False
        while not done:
            action = int(rng.choice(np.flatnonzero(info["action_mask"])))
            *_, done, _, info = env.step(action)
        assert info["feasible"]
        assert (
            info[core.problem.metric] <= info["budget"] == core.problem.budget(budget)
        )
        best = core.problem.optimum(budget)
        assert best.cost <= info["budget"]
        assert best.accuracy_percent >= info["accuracy_percent"]
        again = core.problem.evaluate(best.genotypes)
        assert (again.accuracy_percent == best.accuracy_percent).all()


@IDS
def test_checkers_pass_without_a_warning(env_id: str) -> None:
    # here, since processes that tests start import this module and not PyTorch
    from stable_baselines3.common.env_checker import check_env

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # what this says of every environment with rendering; not about ours
        warnings.filterwarnings("ignore", message=".*skip_render_check.*")
        gym_check(gym.make(env_id).unwrapped)
        check_env(gym.make(env_id).unwrapped)
        gym_check(gym.make(env_id, render_mode="rgb_array").unwrapped)


@IDS
def test_spec_round_trip_makes_the_same_environment(env_id: str) -> None:
    env = make(env_id, budget=np.float64(50.0), reward="mnas_soft", max_queries=7)
    assert env.spec is not None
    text = env.spec.to_json()
    again = gym.make(gym.envs.registration.EnvSpec.from_json(text))
    assert again.spec is not None
    assert again.spec.kwargs == env.spec.kwargs
    for one in (env, again):
        one.reset(seed=3)
    space: Any = env.unwrapped.problem.space
    actions = space.sample(1, rng=np.random.default_rng(0))[0]
    ours, theirs = play(env, actions), play(again, actions)
    assert ours[1:4] == theirs[1:4]
    assert (ours[0] == theirs[0]).all()


@IDS
def test_pickle_and_deepcopy_mid_episode_go_on_alike(env_id: str) -> None:
    env = make(env_id, budget="sampled", max_queries=3)
    env.reset(seed=5)
    rng = np.random.default_rng(1)
    space: Any = env.unwrapped.problem.space
    actions, half = space.sample(1, rng=rng)[0], space.length // 2
    play(env, actions[:half])
    copies = [copy.deepcopy(env), pickle.loads(pickle.dumps(env))]
    rest = actions[half:]
    results = [play(one, rest) for one in (env, *copies)]
    for other in results[1:]:
        assert (other[0] == results[0][0]).all()
        assert other[1:4] == results[0][1:4]
        metric = env.unwrapped.problem.metric
        assert other[4][metric] == results[0][4][metric]
        assert other[4]["queries"] == 1
    # and their generators go on alike
    budgets = {one.reset()[1]["budget"] for one in (env, *copies)}
    assert len(budgets) == 1


def test_the_same_seed_gives_the_same_trajectory_in_another_process() -> None:
    code = (
        "import json, sys; sys.path.insert(0, sys.argv[1]); import test_envs as t\n"
        "every = [t.trajectory(i, 11, budget='sampled') for i in t.ENVIRONMENTS]\n"
        "print(json.dumps(every))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(Path(__file__).parent)],
        capture_output=True,
        text=True,
        check=True,
    )
    here = [trajectory(env_id, 11, budget="sampled") for env_id in ENVIRONMENTS]
    assert json.loads(done.stdout) == json.loads(json.dumps(here))


def _spawned(env_id: str, results: Any) -> None:
    env = gym.make(f"hwnas_env:{env_id}")
    results.put((env.reset(seed=2)[0].tolist(), env_id))


def test_environments_work_in_a_spawned_process() -> None:
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    for env_id in (CELL, NET):
        process = context.Process(target=_spawned, args=(env_id, results))
        process.start()
        observation, name = results.get(timeout=600)
        process.join(timeout=600)
        assert process.exitcode == 0
        assert observation == make(name).reset(seed=2)[0].tolist()


@IDS
def test_info_has_one_set_of_flat_keys_and_nothing_but_numbers(env_id: str) -> None:
    env = make(env_id)
    problem = env.unwrapped.problem
    _, info = env.reset(seed=0)
    expected = {
        *("evaluated", "genotype", "accuracy_percent", "budget", "cost", "feasible"),
        *("deployable", "completable", "queries", "unique_queries"),
        *("budget_exhausted", "action_mask", *problem.metrics),
        *(["train_seconds"] if problem.has_train_seconds else []),
    }
    flags = {"evaluated", "feasible", "deployable", "completable", "budget_exhausted"}
    done = False
    while True:
        assert set(info) == expected
        for key, value in info.items():
            if key in ("genotype", "action_mask"):
                assert value.dtype == np.int8
            else:
                kind = bool if key in flags else (int, float)
                assert isinstance(value, kind), key
                assert not math.isnan(value)
        assert math.isfinite(info["cost"])
        if not done:
            assert not info["evaluated"]
            assert info["accuracy_percent"] == info[problem.metric] == 0.0
        if done:
            break
        mask = info["action_mask"]
        assert (env.unwrapped.action_masks() == mask.astype(bool)).all()
        _, reward, done, truncated, info = env.step(int(np.flatnonzero(mask)[-1]))
        assert type(reward) is float
        assert type(done) is type(truncated) is bool
    evaluation = problem.evaluate(info["genotype"])
    assert info["evaluated"]
    assert info["accuracy_percent"] == evaluation.accuracy_percent[0]
    assert [info[name] for name in problem.metrics] == evaluation.costs[0].tolist()
    assert info["feasible"]


@IDS
def test_observations_say_decisions_position_and_reachable_costs(env_id: str) -> None:
    env = make(env_id)
    core = env.unwrapped
    space, length = core.problem.space, core.problem.space.length
    ones = space.offsets[-1]
    observation, info = env.reset(seed=0)
    assert observation.dtype == np.float32
    assert observation.shape == (sum(space.choices_at) + length + 2,)
    genotype = []
    for depth in range(length):
        assert observation[:ones].sum() == depth
        for place, choice in enumerate(genotype):
            assert observation[space.offsets[place] + choice] == 1.0
        position = observation[ones : ones + length]
        assert position.tolist() == np.eye(length)[depth].tolist()
        low, high = observation[-2:]
        assert 0 <= low <= high <= 4
        assert info["completable"] == (low <= 1)
        action = int(np.flatnonzero(info["action_mask"])[0])
        genotype.append(action)
        previous = (low, high)
        observation, reward, _, _, info = env.step(action)
        assert previous[0] - 1e-6 <= observation[-2]
        assert observation[-1] <= previous[1] + 1e-6
    assert observation[ones:-2].sum() == 0
    ratio = info[core.problem.metric] / info["budget"]
    assert observation[-2:] == pytest.approx([ratio, ratio], rel=1e-6)
    assert reward == info["accuracy_percent"] / 100


def test_copies_are_handed_out() -> None:
    env = make(CELL)
    observation, info = env.reset(seed=0)
    observation[:] = 9.0
    info["action_mask"][:] = 0
    info["genotype"][:] = 7
    after, *_, info = env.step(1)
    assert after.max() <= 4.0
    assert info["genotype"].tolist() == [1, -1, -1, -1, -1, -1]
    assert env.unwrapped.action_masks().any()


@pytest.mark.parametrize(
    "action", [5, -1, 1.0, "none", None, np.array([1]), True, 10**30]
)
def test_wrong_actions_are_refused(action: Any) -> None:
    env = make(CELL)
    env.reset(seed=0)
    with pytest.raises(InvalidActionError, match="0 to 4"):
        env.step(action)
    assert env.unwrapped._depth == 0


@pytest.mark.parametrize("action", [2, np.int64(2), np.int8(2), np.array(2)])
def test_integers_of_any_kind_are_actions(action: Any) -> None:
    env = make(CELL)
    env.reset(seed=0)
    assert env.step(action)[-1]["genotype"][0] == 2


def test_steps_outside_an_episode_are_refused() -> None:
    env = make(CELL).unwrapped
    for call in (lambda: env.step(0), env.action_masks):
        with pytest.raises(EpisodeEndedError, match="reset"):
            call()
    env.reset(seed=0)
    play(env, [1] * 6)
    with pytest.raises(EpisodeEndedError, match="reset"):
        env.step(0)


def test_the_ledger_ends_as_stated() -> None:
    env = make(CELL, max_queries=2)
    for query in (1, 2):
        env.reset(seed=0)
        _, reward, terminated, truncated, info = play(env, [1] * 6)
        assert terminated
        assert not truncated
        assert info["evaluated"]
        assert reward > 0
        assert info["queries"] == query
        assert info["unique_queries"] == 1
        assert info["budget_exhausted"] == (query == 2)
    _, info = env.reset()
    assert info["budget_exhausted"]
    for _ in range(2):
        _, reward, terminated, truncated, info = env.step(1)
        assert (reward, terminated, truncated) == (0.0, False, True)
        assert not info["evaluated"]
        assert info["queries"] == 2
        env.reset()


def test_a_seeded_reset_counts_anew_where_nothing_is_limited() -> None:
    for max_queries, expected in ((None, 1), (9, 2)):
        env = make(CELL, max_queries=max_queries)
        for seed in (0, 0):
            env.reset(seed=seed)
            info = play(env, [1] * 6)[-1]
        assert info["queries"] == expected
        env.reset()
        assert play(env, [1] * 6)[-1]["queries"] == expected + 1


def test_environment_and_ask_tell_spend_the_same_ledger() -> None:
    env = make(CELL, max_queries=3)
    ledger = env.unwrapped.ledger
    assert isinstance(ledger, BudgetedProblem)
    ledger.evaluate([[1] * 6])
    env.reset(seed=0)
    info = play(env, [1] * 6)[-1]
    assert (info["queries"], info["unique_queries"]) == (2, 1)


def _vector(kind: str, keywords: dict[str, Any]) -> None:
    env_id = f"hwnas_env:{CELL}"
    if kind == "async":
        envs = gym.make_vec(env_id, 2, vectorization_mode="async", **keywords)
        envs.close()
    else:
        from stable_baselines3.common.vec_env import SubprocVecEnv

        venv = SubprocVecEnv(
            [lambda: gym.make(env_id, **keywords)] * 2, start_method="fork"
        )
        venv.reset()
        venv.close()


@pytest.mark.parametrize("kind", ["async", "subproc"])
def test_a_ledger_never_spans_processes(kind: str) -> None:
    _vector(kind, {})
    # the worker dies with the error; what reaches us differs between the two
    with pytest.raises(
        (WorkerProcessError, EOFError, ConnectionResetError, BrokenPipeError)
    ):
        _vector(kind, {"max_queries": 5})


@pytest.mark.parametrize(
    ("keywords", "error", "message"),
    [
        ({"dataset": "cifar"}, UnknownNameError, "did you mean 'cifar10"),
        ({"mode": "mutation"}, UnknownNameError, "did you mean 'mutate'"),
        ({"metric": "latency"}, UnknownNameError, "did you mean 'latency_ms'"),
        ({"metric": "energy_mj"}, UnknownNameError, "Valid: latency_ms"),
        ({"budget": "tigth"}, InvalidBudgetError, "did you mean 'tight'"),
        ({"budget": 1e-6}, InfeasibleBudgetError, "cheapest"),
        ({"reward": "mnas"}, UnknownNameError, "did you mean 'mnas_"),
        ({"reward": 3}, InvalidArgumentError, "reward"),
        ({"source": "auto"}, InvalidArgumentError, "differs between machines"),
        ({"accuracy": "test-200ep-mean"}, Exception, "test"),
        ({"accuracy": 2}, InvalidArgumentError, "7456 of 15625 networks"),
        ({"max_queries": 0}, InvalidArgumentError, "expected at least 1"),
        ({"max_queries": 2.5}, InvalidArgumentError, "a whole number of at least 1"),
        ({"objectives": ["acuracy"]}, UnknownNameError, "did you mean 'accuracy'"),
        ({"objectives": []}, InvalidArgumentError, "sequence of names"),
        (
            {"objectives": ["accuracy", "latency_ms"], "reward": "mnas_soft"},
            InvalidArgumentError,
            "give one",
        ),
        ({"render_mode": "rgb"}, UnknownNameError, "did you mean 'rgb_array'"),
    ],
)
def test_wrong_keywords_have_their_own_errors(
    keywords: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        gym.make(CELL, **keywords).reset()


def test_a_wrong_id_names_the_nearest() -> None:
    with pytest.raises(gym.error.NameNotFound, match="HWNAS-FBNet-EdgeTPU"):
        gym.make("HWNAS-FBNet-EdgeTpu-v0")


@IDS
def test_renders_are_text_and_pictures(env_id: str) -> None:
    for mode in ("ansi", "rgb_array"):
        env = make(env_id, render_mode=mode)
        env.reset(seed=0)
        drawings = [env.render()]
        for _ in range(env.unwrapped.problem.space.length):
            env.step(int(np.flatnonzero(env.unwrapped.action_masks())[0]))
        drawings.append(env.render())
        if mode == "ansi":
            assert all(isinstance(text, str) for text in drawings)
            assert "?" in drawings[0]
            assert "?" not in drawings[1]
        else:
            for picture in drawings:
                assert picture.dtype == np.uint8
                assert picture.ndim == 3
                assert picture.std() > 10
            assert (drawings[0] != drawings[1]).any()


def test_human_rendering_writes_to_the_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    env = make(NET, render_mode="human")
    env.reset(seed=0)
    assert env.render() is None
    assert "FBNet on EdgeTPU" in capsys.readouterr().out


def test_drawn_accuracies_differ_between_episodes_and_follow_the_seed() -> None:
    def rewards(seed: int) -> list[float]:
        env = make(CELL, accuracy="sampled")
        env.reset(seed=seed)
        found = []
        for _ in range(30):
            found.append(play(env, [3, 3, 1, 3, 1, 3])[1])
            env.reset()
        return found

    assert len(set(rewards(1))) > 1
    assert rewards(1) == rewards(1)


@pytest.mark.parametrize("mode", ["construct", "mutate", "joint"])
def test_help_says_every_keyword_and_info_key(mode: str) -> None:
    several = "HWNAS-NASBench201-MultiDevice-v0"
    for env_id in (CELL, "HWNAS-FBNet-Eyeriss-v0", several):
        envs = gym.make_vec(f"hwnas_env:{env_id}", 2, mode=mode)
        for env in (make(env_id, mode=mode), envs):
            words = set(re.findall(r"\w+", pydoc.render_doc(env.unwrapped)))
            keywords = set(inspect.signature(HWNASEnv).parameters) | {"mode", "horizon"}
            _, info = env.reset(seed=0)
            keys = {key for key in info if not key.startswith("_")}
            assert keywords | keys <= words
