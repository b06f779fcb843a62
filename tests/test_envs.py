"""The environment's contract, over every registered id."""

import copy
import itertools
import json
import math
import multiprocessing
import pickle
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import numpy.typing as npt
import pytest
from contracts import PROBLEMS
from gymnasium.utils.env_checker import check_env as gym_check
from stable_baselines3.common.env_checker import check_env as sb3_check

from hwnas_env import BudgetedProblem, make_problem
from hwnas_env.envs.registration import ENVIRONMENTS, environment_id
from hwnas_env.errors import (
    EpisodeEndedError,
    InfeasibleBudgetError,
    InvalidActionError,
    InvalidArgumentError,
    InvalidBudgetError,
    NotSerialisableError,
    UnknownNameError,
    WorkerProcessError,
)
from hwnas_env.scalarise import REWARDS
from hwnas_env.spaces import SEARCH_SPACES

IDS = pytest.mark.parametrize("env_id", ENVIRONMENTS)
CELL, NET = "HWNAS-NASBench201-EdgeTPU-v0", "HWNAS-FBNet-EdgeTPU-v0"


def make(env_id: str, **keywords: Any) -> gym.Env[Any, Any]:
    return gym.make(f"hwnas_env:{env_id}", **keywords)


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


def play(env: gym.Env[Any, Any], actions: Any) -> tuple[Any, ...]:
    step: tuple[Any, ...] = ()
    for action in actions:
        step = env.step(int(action))
    return step


def test_twelve_ids_are_registered_with_json_keywords() -> None:
    assert len(ENVIRONMENTS) == 12
    for env_id in ENVIRONMENTS:
        spec = gym.spec(env_id)
        assert isinstance(spec.entry_point, str)
        assert spec.disable_env_checker
        json.dumps(spec.kwargs)


@IDS
def test_checkers_pass_without_a_warning(env_id: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # what this says of every environment with rendering; not about ours
        warnings.filterwarnings("ignore", message=".*skip_render_check.*")
        gym_check(gym.make(env_id).unwrapped)
        sb3_check(gym.make(env_id).unwrapped)
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
    actions = np.random.default_rng(0).integers(0, 5, env.unwrapped._length)
    ours, theirs = play(env, actions), play(again, actions)
    assert ours[1:4] == theirs[1:4]
    assert (ours[0] == theirs[0]).all()


@IDS
def test_pickle_and_deepcopy_mid_episode_go_on_alike(env_id: str) -> None:
    env = make(env_id, budget="sampled", max_queries=3)
    env.reset(seed=5)
    rng = np.random.default_rng(1)
    length = SEARCH_SPACES["fbnet" if "FBNet" in env_id else "nasbench201"].length
    play(env, rng.integers(0, 5, length // 2))
    copies = [copy.deepcopy(env), pickle.loads(pickle.dumps(env))]
    rest = rng.integers(0, 5, length - length // 2)
    results = [play(one, rest) for one in (env, *copies)]
    for other in results[1:]:
        assert (other[0] == results[0][0]).all()
        assert other[1:4] == results[0][1:4]
        assert other[4]["latency_ms"] == results[0][4]["latency_ms"]
        assert other[4]["queries"] == 1
    # and their generators go on alike
    budgets = {one.reset()[1]["budget"] for one in (env, *copies)}
    assert len(budgets) == 1


def test_the_same_seed_gives_the_same_trajectory_in_another_process() -> None:
    code = (
        "import json, sys; sys.path.insert(0, sys.argv[1]); import test_envs as t\n"
        "from hwnas_env.envs.registration import ENVIRONMENTS as ids\n"
        "print(json.dumps([t.trajectory(i, 11, budget='sampled') for i in ids]))"
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
        observation, name = results.get(timeout=60)
        process.join(timeout=60)
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
            assert info["accuracy_percent"] == info["latency_ms"] == 0.0
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
    length, choices = core.problem.space.length, core.problem.space.choices
    observation, info = env.reset(seed=0)
    assert observation.dtype == np.float32
    assert observation.shape == (length * choices + length + 2,)
    genotype = []
    for depth in range(length):
        decided = observation[: length * choices].reshape(length, choices)
        assert decided.sum() == depth
        assert [int(row.argmax()) for row in decided[:depth]] == genotype
        position = observation[length * choices : length * (choices + 1)]
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
    assert observation[length * choices : -2].sum() == 0
    ratio = info[core.problem.metric] / info["budget"]
    assert observation[-2:] == pytest.approx([ratio, ratio], rel=1e-6)
    assert reward == info["accuracy_percent"] / 100


def test_copies_are_handed_out() -> None:
    env = make(CELL)
    observation, info = env.reset(seed=0)
    observation[:] = 9.0
    info["action_mask"][:] = 0
    info["genotype"][:] = 7
    after, info, *_ = *env.step(1), None
    assert after.max() <= 4.0
    assert env.unwrapped._genotype.tolist() == [1, -1, -1, -1, -1, -1]
    assert env.unwrapped.action_masks().any()


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
    for wrong in ([5], [-1], [0.5], [0] * 6, ["none"]):
        with pytest.raises(InvalidActionError):
            env.reset(options={"genotype": wrong})


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

        venv = SubprocVecEnv([lambda: gym.make(env_id, **keywords)] * 2)
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


def worth(
    accuracy: npt.NDArray[np.float64], cost: npt.NDArray[np.float64], budget: float
) -> npt.NDArray[np.float64]:
    return accuracy - cost / budget


def test_a_users_reward_works_and_is_refused_where_text_is_needed() -> None:
    env = make(CELL, reward=worth)
    env.reset(seed=0)
    _, reward, *_, info = play(env, [1] * 6)
    expected = info["accuracy_percent"] / 100 - info["latency_ms"] / info["budget"]
    assert reward == pytest.approx(expected)
    assert env.spec is not None
    with pytest.raises(NotSerialisableError, match=f'reward="{__name__}:worth"'):
        env.spec.to_json()
    named = make(CELL, reward=f"{__name__}:worth")
    named.reset(seed=0)
    assert play(named, [1] * 6)[1] == reward
    assert named.spec is not None
    assert "worth" in named.spec.to_json()
    anonymous = make(CELL, accuracy=lambda genotypes: np.full(len(genotypes), 50.0))
    anonymous.reset(seed=0)
    assert play(anonymous, [1] * 6)[1] == 0.5
    assert anonymous.spec is not None
    with pytest.raises(NotSerialisableError, match=r"package\.module:function"):
        anonymous.spec.to_json()


def not_finite(accuracy: Any, cost: Any, budget: float) -> Any:
    return accuracy + cost * budget * math.nan


def not_an_array(accuracy: Any, cost: Any, budget: float) -> Any:
    return float(accuracy[0] + cost[0] + budget)


@pytest.mark.parametrize(
    "function",
    [not_finite, not_an_array],
)
def test_a_users_reward_that_is_wrong_is_a_clear_error(function: Any) -> None:
    env = make(CELL, reward=function)
    env.reset(seed=0)
    with (
        np.errstate(divide="ignore"),
        pytest.raises(InvalidArgumentError, match="expected finite numbers"),
    ):
        play(env, [1] * 6)


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
        ({"max_queries": 0}, InvalidArgumentError, "positive"),
        ({"max_queries": 2.5}, InvalidArgumentError, "positive"),
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
def test_vector_rewards_are_finite_and_front_points_are_attained(env_id: str) -> None:
    names = ("accuracy", "latency_ms", "parameters_m")
    env = make(env_id, objectives=names[:2])
    core = env.unwrapped
    assert core.reward_dim == 2
    _, info = env.reset(seed=0)
    rng = np.random.default_rng(0)
    done = False
    while not done:
        action = int(rng.choice(np.flatnonzero(info["action_mask"])))
        _, reward, done, _, info = env.step(action)
        assert reward.shape == (2,)
        assert core.reward_space.contains(reward)
        if not done:
            assert (reward == 0).all()
    expected = [info["accuracy_percent"] / 100, -info["latency_ms"]]
    assert reward == pytest.approx(expected)
    front = core.pareto_front()
    assert all(point.shape == (2,) for point in front)
    dominating = [(p >= reward).all() for p in front]
    assert any(dominating)
    core.problem.pareto_front(names[:2])
    with pytest.raises(InvalidArgumentError, match="objectives="):
        make(env_id).unwrapped.pareto_front()


def test_a_vector_reward_of_what_cannot_run_is_the_reference() -> None:
    env = make(CELL, objectives=("accuracy", "latency_ms"))
    env.reset(seed=0)
    reward = play(env, [0] * 6)[1]
    core = env.unwrapped
    assert (reward == core.reward_reference).all()
    assert np.isfinite(reward).all()
    assert core.reward_space.contains(reward)
    rows = core.problem.space.from_index(np.arange(15625))
    table = core.problem.evaluate(rows)
    worst = table.costs[table.deployable, 0].max()
    assert core.reward_reference.tolist() == [0.0, -worst]


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


def test_randomness_is_the_environments_own() -> None:
    np.random.seed(0)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    env = make(NET, budget="sampled")
    env.reset(seed=0)
    assert (np.random.get_state()[1] == before).all()  # noqa: NPY002


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
