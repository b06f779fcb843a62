"""One ledger for many environments of a process, and none in a worker."""

import copy
import json
import multiprocessing
import pickle
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from contracts import CELL, NET, make
from gymnasium.vector import SyncVectorEnv

from hwnas_env import BudgetedProblem, make_problem, wrappers
from hwnas_env.envs import workers
from hwnas_env.errors import (
    HWNASError,
    InvalidArgumentError,
    NotSerialisableError,
    WorkerProcessError,
)

MODES = pytest.mark.parametrize("mode", ["construct", "mutate", "joint"])


def ledger(space: str = "nasbench201", **keywords: Any) -> BudgetedProblem:
    return BudgetedProblem(make_problem(space, device="edgetpu"), **keywords)


def action(env: Any) -> Any:
    """One step towards the network of 3x3 convolutions alone."""
    return np.full(6, 3) if env.unwrapped.action_space.shape else 3


def until_end(env: Any) -> Any:
    env.reset()
    step: Any = (None, None, False, False)
    while not (step[2] or step[3]):
        step = env.step(action(env))
    return step


@MODES
def test_environments_spend_one_ledger(mode: str) -> None:
    shared = ledger(max_queries=5)
    keywords = {"horizon": 2} if mode == "mutate" else {}
    envs = [make(CELL, mode=mode, ledger=shared, **keywords) for _ in range(2)]
    for seed, env in enumerate(envs):
        assert env.unwrapped.ledger is shared
        assert env.unwrapped.problem is shared.problem
        env.reset(seed=seed)  # refunds nothing
    infos = [until_end(envs[number % 2])[4] for number in range(8)]
    counts = [info["queries"] for info in infos]
    assert counts == sorted(counts)
    assert counts[-1] == shared.queries == 5
    assert [info["evaluated"] for info in infos[-3:]] == [False] * 3
    for env in envs:
        env.reset(seed=3)
        _, reward, terminated, truncated, info = env.step(action(env))
        assert (reward, terminated, truncated) == (0.0, False, True)
        assert info["budget_exhausted"]
    assert shared.queries == 5


def test_a_step_hears_of_what_others_spent_since_the_last() -> None:
    shared = ledger(max_queries=1)
    env, other = (make(CELL, ledger=shared) for _ in range(2))
    env.reset(seed=0)
    env.step(3)
    until_end(other)
    _, _, _, truncated, info = env.step(3)
    assert truncated
    assert info["queries"] == 1


@MODES
@pytest.mark.parametrize("objectives", [None, ("accuracy", "latency_ms")])
def test_a_network_that_cannot_be_paid_is_not_answered(
    objectives: Any, mode: str
) -> None:
    network = make_problem("nasbench201", device="edgetpu").evaluate([[3] * 6])
    assert network.train_seconds is not None
    seconds = float(network.train_seconds[0])
    found = []
    for count in (None, 1):
        keywords = {"mode": mode, "ledger": ledger(max_train_seconds=seconds * 1.5)}
        if objectives:
            keywords["objectives"] = objectives
        options = {"genotype": [3] * 6} if mode == "mutate" else None
        env: Any = (
            gym.make(CELL, **keywords)
            if count is None
            else gym.make_vec(CELL, 1, autoreset_mode="NEXT_STEP", **keywords)
        )
        for _ in range(2):
            env.reset(options=options)
            for _ in range(6 if mode == "construct" else 1):
                one = np.full(6, 3) if mode == "joint" else 3
                step = env.step(one if count is None else np.array([one]))
        found.append(step)
    single, rows = found
    assert single[2:4] == (False, True)
    assert not single[4]["evaluated"]
    assert single[4]["budget_exhausted"]
    assert single[4]["queries"] == 1
    assert np.sum(single[1]) == 0.0
    for mine, theirs in zip(rows[:4], single[:4], strict=True):
        assert np.array_equal(mine[0], theirs)
    for key, value in single[4].items():
        assert np.array_equal(rows[4][key][0], value), key


def test_gymnasiums_own_vector_spends_one_ledger_too() -> None:
    shared = ledger("fbnet", max_queries=5)
    envs = gym.make_vec(
        f"hwnas_env:{NET}", 4, vectorization_mode="sync", mode="joint", ledger=shared
    )
    assert isinstance(envs, SyncVectorEnv)
    envs.reset(seed=0)
    for _ in range(5):
        envs.step(np.zeros((4, 22), dtype=int))
    assert shared.queries == 5


def test_copies_spend_the_ledger_that_was_given() -> None:
    shared = ledger(max_queries=9)
    volume = wrappers.HypervolumeImprovement(
        make(CELL, mode="joint", ledger=shared, objectives=("accuracy", "latency_ms"))
    )
    envs = gym.make_vec(f"hwnas_env:{CELL}", 2, ledger=shared, mode="joint")
    envs.reset()
    for env in (volume, envs):
        twins: list[Any] = [copy.deepcopy(env), *copy.deepcopy([env, env])]
        for twin in (env, *twins):
            assert twin.unwrapped.ledger is shared
            assert twin.unwrapped.config.problems[0] is not None
    until_end(copy.deepcopy(volume))
    copy.deepcopy(envs).step(np.full((2, 6), 3))
    assert shared.queries == 3
    own = make(CELL, max_queries=2)
    assert copy.deepcopy(own).unwrapped.ledger is not own.unwrapped.ledger


def test_text_pickles_and_specifications_hold_no_ledger() -> None:
    shared = ledger(max_queries=9)
    env: Any = wrappers.PenaltyReward(make(CELL, ledger=shared))
    envs: Any = gym.make_vec(f"hwnas_env:{CELL}", 2, ledger=shared)
    for one in (env, envs):
        with pytest.raises(NotSerialisableError, match="would count alone"):
            one.spec.to_json()
        with pytest.raises(NotSerialisableError, match="cannot go into a pickle"):
            pickle.dumps(one)
        with pytest.raises(NotSerialisableError, match="would count alone"):
            copy.deepcopy(one.spec).to_json()
    for spec, made in ((env.spec, gym.make), (envs.spec, gym.make_vec)):
        with pytest.raises(
            InvalidArgumentError, match=r"'a ledger of this process'.*again"
        ):
            made(spec)
        again: Any = made(spec, ledger=shared)
        assert again.unwrapped.ledger is shared
    with pytest.raises(NotSerialisableError, match="ledger"):
        wrappers.TrajectoryRecorder(make(CELL, ledger=shared), "new.jsonl")


def test_a_ledger_of_something_else_is_refused() -> None:
    for wrong in (5, "ledger", make_problem("fbnet", device="edgetpu")):
        with pytest.raises(InvalidArgumentError, match="expected a BudgetedProblem"):
            make(CELL, ledger=wrong)
    with pytest.raises(InvalidArgumentError, match="its space is fbnet"):
        make(CELL, ledger=ledger("fbnet"))
    with pytest.raises(InvalidArgumentError, match="its max_queries is 5"):
        make(CELL, ledger=ledger(max_queries=5), max_queries=6)


LONG = [1.0] * 15_625


@pytest.mark.parametrize(
    "value", [LONG, np.ones(15_625), "x" * 99_999], ids=["list", "array", "text"]
)
@pytest.mark.parametrize(
    "name", ["accuracy", "costs", "max_queries", "dataset", "metric", "source"]
)
def test_what_a_ledger_is_not_of_is_said_in_a_line(name: str, value: Any) -> None:
    for made in (make, lambda *given, **keywords: gym.make_vec(*given, 2, **keywords)):
        with pytest.raises(HWNASError, match=name) as caught:
            made(CELL, ledger=ledger(), **{name: value})
        assert len(str(caught.value)) < 400
        if isinstance(value, np.ndarray) and name in ("accuracy", "costs"):
            continue  # which may be arrays where there is no ledger
        with pytest.raises(HWNASError) as caught:
            made(CELL, **{name: value})
        assert len(str(caught.value)) < 400


# --- workers


def module_of(name: str) -> Any:
    """A function of a library's worker module, which is not installed here."""
    code = compile("def run(call, *given):\n    call(*given)", name, "exec")
    namespace = types.ModuleType(name).__dict__
    exec(code, namespace)
    return namespace["run"]


LIBRARIES = [
    "gymnasium.vector.async_vector_env",
    "mo_gymnasium.wrappers.vector.wrappers",
    "stable_baselines3.common.vec_env.subproc_vec_env",
    "tianshou.env.worker.subproc",
    "torchrl.envs.batched_envs",
    "torchrl.collectors.collectors",
]
OTHERS = ["my_own_jobs", "joblib.workers"]
KEYWORDS: list[dict[str, Any]] = [{"max_queries": 5}, {"ledger": 5}, {}]


def report(keywords: dict[str, Any], pipe: Any) -> None:
    """Makes an environment, and sends what comes of it."""
    if "ledger" in keywords:
        keywords = {"ledger": ledger(max_queries=keywords["ledger"])}
    try:
        make(CELL, **keywords).reset()
    except Exception as error:
        pipe.send((type(error).__name__, str(error)))
    else:
        pipe.send(("none", ""))


def forked() -> list[Any]:
    """What each library's worker process reports, for all keywords."""
    context: Any = multiprocessing.get_context("fork")
    reports = []
    for name in [*LIBRARIES, *OTHERS]:
        for keywords in KEYWORDS:
            ours, theirs = context.Pipe()
            run = module_of(name)
            process = context.Process(target=run, args=(report, keywords, theirs))
            process.start()
            reports.append(ours.recv())
            process.join()
    return reports


def test_the_workers_of_libraries_are_known() -> None:
    if "fork" not in multiprocessing.get_all_start_methods():
        pytest.skip("this machine cannot fork")
    code = (  # forks a process that has no threads
        "import json, sys; sys.path.insert(0, sys.argv[1])\n"
        "import test_shared_ledger as tests; print(json.dumps(tests.forked()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(Path(__file__).parent)],
        capture_output=True,
        text=True,
        check=True,
    )
    reports = iter(json.loads(done.stdout))
    for name in [*LIBRARIES, *OTHERS]:
        for keywords in KEYWORDS:
            kind, message = next(reports)
            if name in OTHERS or not keywords:
                assert kind == "none", message
                continue
            assert kind == WorkerProcessError.__name__
            assert name in message
            assert "native vector" in message
            assert "Dummy" not in message
            assert "'sync'" not in message


@pytest.mark.parametrize(
    ("names", "known"),
    [
        (["ray.rllib.env.single_agent_env_runner"], True),
        (["ray.util.tracing.tracing_helper", "tianshou.env.worker.ray"], True),
        (["ray.tune.trainable.trainable", "ray.rllib.env.env_runner"], False),
        (["my_own_jobs"], False),
    ],
)
def test_actors_of_ray_are_known_by_what_they_run(
    names: list[str], known: bool
) -> None:
    found = []
    calls = [module_of(name) for name in ("ray._private.function_manager", *names)]
    calls[0](*calls[1:], lambda: found.append(workers.started_function()))
    assert found[0].startswith(workers.LIBRARIES) == known


def test_nothing_is_known_outside_a_worker() -> None:
    assert workers.started_function() == ""
