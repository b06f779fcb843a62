"""Public functions answer any argument, or say what is wrong with it in few words."""

import contextlib
import inspect
from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from hwnas_env import BudgetedProblem, make_device_costs, make_problem
from hwnas_env.agents import EvolutionConfig, RegularizedEvolution, find_agent
from hwnas_env.benchmark.backends import Workers
from hwnas_env.benchmark.front_studies import run_fronts
from hwnas_env.benchmark.runner import run_all
from hwnas_env.benchmark.runs import Limits, Run, Task, check_request, run_once
from hwnas_env.benchmark.suite_runs import find_suite, jobs_of, run_suite
from hwnas_env.devices import get_device
from hwnas_env.errors import HWNASError, InvalidArgumentError, shown
from hwnas_env.problems.make import load_function
from hwnas_env.problems.random_devices import random_devices
from hwnas_env.problems.rewards import resolve_reward
from hwnas_env.spaces import SEARCH_SPACES, get_space
from hwnas_env.wrappers import DictObservation
from tests.campaign.arguments import KEYWORDS

CELL = "HWNAS-NASBench201-FPGA-v0"
KINDS = (
    CELL,
    CELL.replace("FPGA", "MultiDevice"),
    CELL.replace("FPGA", "RandomDevice"),
)
TASK, NAMES = Task(CELL), ("accuracy", "latency_ms")
FRONT = Task(CELL, objectives=NAMES)
TRAINED = Task(CELL, train=("HWNAS-NASBench201-Pixel3-v0",))
ONE_OBJECTIVE = Task(CELL, objectives=NAMES[:1])
LIMITS = Limits(1)


class Broken:
    """What no message may print or compare."""

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        raise RuntimeError

    def __eq__(self, other: object) -> bool:
        raise RuntimeError


ODD: list[Any] = [
    *(None, True, 5, 0, -1, 1.5, np.nan, np.inf, 10**400, 2**70, 1j, np.int64(-3)),
    *("x", "", ":", "a:b", "os:path", "\ud800", b"x", "x" * 10**6),
    *([], [1], ["x"], [[1], [1, 2]], [1.0] * 15625, {}, {"a": 1}, set(), range(3)),
    *(np.zeros(3), np.array("a"), np.array([1, "a"], dtype=object), np.zeros((2, 2))),
    *(object(), Broken(), lambda *_: None, type, Ellipsis, np.datetime64("2020")),
]


def problem(space: str = "nasbench201", **keywords: Any) -> Any:
    return make_problem(space, **{"device": "fpga", **keywords})


def ledger(**keywords: Any) -> BudgetedProblem:
    return BudgetedProblem(problem(), **keywords)


def reset(env: Any) -> None:
    env.reset(seed=0)


def searcher(*arguments: Any, rng: Any = None, **keywords: Any) -> Any:
    rng = np.random.default_rng(0) if rng is None else rng
    found = arguments or (problem(), 5.0)
    return RegularizedEvolution(*found, rng=rng, **keywords)


CALLS: dict[str, Callable[[Any], Any]] = {
    "space": lambda x: make_problem(x, device="fpga"),
    "device": lambda x: problem(device=x),
    "dataset": lambda x: problem(dataset=x),
    "metric": lambda x: problem(metric=x),
    "source": lambda x: problem(source=x),
    "accuracy": lambda x: problem("fbnet", accuracy=x),
    "table of accuracies": lambda x: problem(accuracy=x),
    "devices": lambda x: make_device_costs("nasbench201", devices=x),
    "costs of": lambda x: make_device_costs("nasbench201").evaluate(x),
    "out": lambda x: make_device_costs("nasbench201").evaluate([[0] * 6], out=x),
    "ledger of": BudgetedProblem,
    "max_queries": lambda x: ledger(max_queries=x),
    "max_train_seconds": lambda x: ledger(max_train_seconds=x),
    "repeats": lambda x: ledger(repeats=x),
    "ledger's devices": lambda x: ledger(devices=x),
    "spend": lambda x: ledger(max_queries=3).spend(x),
    "evaluate": lambda x: problem().evaluate(x),
    "draw by": lambda x: problem(accuracy="sampled").evaluate([[3] * 6], rng=x),
    "draw": lambda x: problem(accuracy="sampled").draw(x, rng=np.random.default_rng(0)),
    "encode": lambda x: problem("fbnet").encode(x),
    "decode": lambda x: problem().decode(x),
    "budget": lambda x: problem().budget(x),
    "optimum": lambda x: problem().optimum(x),
    "front": lambda x: problem().pareto_front(x),
    "objective": lambda x: problem().objectives(("accuracy", x)),
    "walk": lambda x: problem().walk(x),
    "get_space": get_space,
    "get_device": get_device,
    "load_function": load_function,
    "reward": resolve_reward,
    "find_agent": find_agent,
    "agent's problem": lambda x: searcher(x, 5.0),
    "agent's budget": lambda x: searcher(problem(), x),
    "agent's rng": lambda x: searcher(rng=x),
    "agent's config": lambda x: searcher(config=x),
    "search": lambda x: searcher().search(x),
    "ask": lambda x: searcher().ask(x),
    "tell": lambda x: searcher().tell([[3] * 6], x),
    "restore": lambda x: RegularizedEvolution.restore(problem(), 5.0, state=x),
    "from_dict": EvolutionConfig.from_dict,
    "population": lambda x: EvolutionConfig(population=x),
    "task": lambda x: check_request(x, ["random"], seeds=1),
    "agents": lambda x: run_all(TASK, x, seeds=1, queries=1),
    "seeds": lambda x: check_request(TASK, ["random"], seeds=x),
    "jobs": lambda x: check_request(TASK, ["random"], seeds=1, jobs=x),
    "limits": lambda x: run_fronts(TASK, ["random"], NAMES, seeds=1, limits=x),
    "env": lambda x: Task(x).problem(),
    "task's objectives": lambda x: run_all(
        Task(CELL, objectives=x), ["random"], seeds=1, queries=1
    ),
    "task's train": lambda x: check_request(Task(CELL, train=x), ["random"], seeds=1),
    "task's budget": lambda x: run_once(Task(CELL, budget=x), "random", seed=0),
    "seed": lambda x: run_once(TASK, "random", seed=x, queries=1),
    "agent": lambda x: run_once(FRONT, x, seed=0, limits=LIMITS),
    "queries": Limits,
    "timeout": lambda x: Limits(3, timeout_seconds=x),
    "study's objectives": lambda x: run_fronts(
        TASK, ["random"], x, seeds=1, limits=LIMITS
    ),
    "suite": find_suite,
    "run_suite": lambda x: run_suite(x, ["random"], seeds=1, limits=LIMITS),
    "shard": lambda x: jobs_of(
        find_suite("smoke"), ["random"], seeds=1, limits=LIMITS, shard=x
    ),
    "workers": Workers,
    "backend": lambda x: Workers(1, x),
    "address": lambda x: Workers(1, "dask", x),
    **{
        f"{space.name}.{method}": getattr(space, method)
        for space in SEARCH_SPACES.values()
        for method in (
            *("encode", "decode", "index", "from_index", "isomorphism_class"),
            *("check_dataset", "validate", "validate_one", "neighbours", "operation"),
        )
    },
    "sample by": lambda x: get_space("fbnet").sample(3, rng=x),
    "parameters on": lambda x: get_space("fbnet").parameters([[0] * 22], dataset=x),
    "network's seed": lambda x: problem().network([3] * 6, seed=x),
    "task's metric": lambda x: check_request(Task(CELL, metric=x), ["random"], seeds=1),
    **{
        f"drawn devices' {name}": lambda x, name=name: random_devices(
            **{"space": "nasbench201", name: x}
        ).draw(0)
        for name in inspect.signature(random_devices).parameters
    },
    **{
        f"{name} of {env_id}": lambda x, name=name, env_id=env_id: reset(
            gym.make(env_id, **{name: x})
        )
        for env_id in KINDS
        for name in KEYWORDS
    },
    **{
        f"{name} of a vector of {env_id}": lambda x, name=name, env_id=env_id: reset(
            gym.make_vec(env_id, **{"num_envs": 2, name: x})
        )
        for env_id in KINDS
        for name in (*KEYWORDS, "autoreset_mode")
    },
    **{
        f"observed {name}": lambda x, name=name: DictObservation(
            gym.make(CELL), **{name: x}
        )
        for name in ("keys", "dtype", "flat")
    },
}


@pytest.mark.parametrize("name", CALLS)
def test_no_argument_makes_a_raw_error_or_a_long_message(name: str) -> None:
    for value in ODD:
        words = ""
        try:
            CALLS[name](value)
        except (HWNASError, gym.error.Error) as error:
            words = str(error)
        assert len(words) < 700


@pytest.mark.parametrize(
    ("words", "call"),
    [
        ("unknown device an array of shape", lambda: problem(device=np.zeros(3))),
        (
            "devices: expected a whole number of at least 1, got None",
            lambda: ledger(devices=None),
        ),
        ("problem: expected a Problem, got 'x'", lambda: BudgetedProblem("x")),
        ("default_rng", lambda: get_space("fbnet").sample(3, rng=0)),  # type: ignore[arg-type]
        ("agents: expected a sequence", lambda: run_all(TASK, "random", seeds=1)),
        (r"got \[1.0, 1.0, 1.0", lambda: problem(accuracy=[1.0] * 15625)),
        ("22 block names joined by", lambda: get_space("fbnet").from_index([0])),
        (
            "at least two objectives",
            lambda: run_once(ONE_OBJECTIVE, "random", seed=0),
        ),
        (
            "queries: expected at least 2, two a device",
            lambda: run_once(TRAINED, "random", seed=0, queries=1),
        ),
    ],
)
def test_given_cases_say_what_came(words: str, call: Callable[[], Any]) -> None:
    with pytest.raises(HWNASError, match=words) as caught:
        call()
    assert len(str(caught.value)) < 200


def test_a_module_that_raises_is_named(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "raising_module.py").write_text("import sys\nsys.exit(3)\n")
    monkeypatch.syspath_prepend(tmp_path)
    for load in (find_agent, load_function):
        with pytest.raises(InvalidArgumentError, match="SystemExit: 3"):
            load("raising_module:Agent")


def test_tasks_of_any_form_come_to_runs() -> None:
    assert isinstance(run_all(TASK, ["random"], seeds=1, queries=2)[0], Run)
    for task in (TASK, FRONT, TRAINED):
        (one,) = run_all(task, ["random"], seeds=1, queries=5)
        assert one == run_once(task, "random", seed=0, queries=5)
    task = Task(CELL, objectives=list(NAMES))  # type: ignore[arg-type]
    fronts = run_all(task, ["random", "nsga2"], seeds=1, queries=5)
    assert [(run.agent, run.queries) for run in fronts] == [("random", 5), ("nsga2", 5)]
    assert all(run.objectives == NAMES and run.share > 0 for run in fronts)


def test_what_came_is_shown_in_few_words() -> None:
    shared: Any = ()
    for _ in range(60):
        shared = (shared, shared)
    for value in (*ODD, shared, [shared], {"a": shared}):
        assert len(shown(value)) < 300
    assert shown((1, "a")) == "(1, 'a')"
    assert shown(np.float32(1.5)) == "1.5"
    with contextlib.suppress(HWNASError):
        get_device(shared)
