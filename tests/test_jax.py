"""Compiled episodes are those of the Gymnasium environments; PPO is sb3-contrib's."""

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

from hwnas_env import REWARDS, make_problem
from hwnas_env.devices import DEVICES, devices_of
from hwnas_env.envs.registration import MULTI_DEVICE
from hwnas_env.errors import (
    InvalidArgumentError,
    InvalidBudgetError,
    NotExactError,
    UnknownNameError,
)
from hwnas_env.metrics import METRICS
from hwnas_env.problems.problem import Problem
from hwnas_env.problems.rewards import VectorReward
from hwnas_env.spaces import SEARCH_SPACES
from tests.contracts import FORMS

jax = pytest.importorskip("jax")

from hwnas_env import jax as compiled_room  # noqa: E402  after jax is known to be there
from hwnas_env.jax import (  # noqa: E402
    Params,
    action_mask,
    make_params,
    pairs,
    reset,
    reset_batch,
    stack_params,
    step,
    step_batch,
    step_env,
)
from hwnas_env.jax.params import SAMPLED  # noqa: E402
from hwnas_env.jax.prefixes import look  # noqa: E402
from hwnas_env.jax.rewards import REWARDS as COMPILED_REWARDS  # noqa: E402

USUAL = ("toystates", "toybox")
"""The form that `make test` plays: layers that differ, 48 states, quick to compile."""

ROWS = 64
ULPS = 3

RESET = jax.jit(jax.vmap(reset, in_axes=(0, None)))
STEP_ENV = jax.jit(jax.vmap(step_env, in_axes=(None, 0, 0, None)))
STEP = jax.jit(jax.vmap(step, in_axes=(0, 0, 0, None)))
RESET_BATCH = jax.jit(reset_batch, static_argnums=2)
STEP_BATCH = jax.jit(step_batch)
EXACT = ("completable", "feasible", "evaluated", "deployable", "genotype")


def ulps(came: Any, expected: Any) -> float:
    """How far float32 are from float64, in units of the last place of float32."""
    near = np.asarray(expected).astype(np.float32)
    away = np.abs(np.asarray(came, dtype=np.float64) - near)
    return float((away / np.spacing(np.abs(near))).max())


def vector(problem: Problem, **keywords: Any) -> Any:
    """The native vector of a problem, in which rows stay where they end."""
    label = SEARCH_SPACES[problem.space.name].label
    envs = gym.make_vec(
        f"hwnas_env:HWNAS-{label}-{DEVICES[problem.device.name].label}-v0",
        ROWS,
        dataset=problem.dataset,
        metric=problem.metric,
        autoreset_mode=AutoresetMode.DISABLED,
        **keywords,
    )
    return envs.unwrapped


def compare(
    envs: Any, params: Params, *, seed: int, whole: bool = True, options: Any = None
) -> None:
    """Plays episodes in both, some masked and some not, and compares every number.

    Args:
        envs: a native vector without resets.
        params: of the same problem and budget.
        seed: of the actions.
        whole: whether the functions that reset are compared too.
        options: of the vector's reset.
    """
    ones, rng = params.spec.ones, np.random.default_rng(seed)
    masked = rng.random(ROWS) < 0.6
    keys = jax.random.split(jax.random.key(seed), ROWS)
    expected, info = envs.reset(seed=seed, options=options)
    observation, state = RESET(keys, params)
    if whole:
        begun = observation
        shown, batch = RESET_BATCH(keys[0], params, ROWS)
        assert np.array_equal(shown, observation)
        auto = state
    mask = info["action_mask"]
    assert np.array_equal(jax.vmap(action_mask, (0, None))(state, params), mask == 1)
    for depth in range(params.spec.length):
        allowed = np.where(masked[:, None], mask, 1)
        action = (rng.random(allowed.shape) * allowed).argmax(axis=1)
        expected, reward, terminated, _, info = envs.step(action)
        mask, last = info["action_mask"], depth + 1 == params.spec.length
        observation, state, gained, done, said = STEP_ENV(None, state, action, params)
        assert np.array_equal(observation[:, :ones], expected[:, :ones])
        assert ulps(observation, expected) <= ULPS
        assert np.array_equal(said["action_mask"], mask == 1)
        for key in EXACT:
            assert np.array_equal(said[key], info[key]), key
        assert np.array_equal(done, terminated)
        assert ulps(gained, reward) <= ULPS
        assert ulps(said["accuracy_percent"], info["accuracy_percent"]) <= ULPS
        assert ulps(said["budget"], info["budget"]) <= ULPS
        assert np.allclose(said["cost"], info["cost"], rtol=1e-5, atol=1e-6)
        if not whole:
            continue
        seen, auto, *ended = STEP(keys, auto, action, params)
        shown, batch, *together = STEP_BATCH(keys[0], batch, action, params)
        now = begun if last else observation
        for other, (gains, dones, infos) in ((seen, ended), (shown, together)):
            assert np.array_equal(other[:, :ones], now[:, :ones])
            assert ulps(other, now) <= 1
            assert ulps(gains, gained) <= 1
            assert np.array_equal(dones, done)
            for key in EXACT[1:]:
                assert np.array_equal(infos[key], said[key]), key
        open_now = jax.vmap(action_mask, (0, None))(auto, params)
        assert np.array_equal(together[2]["action_mask"], open_now)
        assert np.array_equal(ended[2]["action_mask"], open_now)


def _four(x: Any) -> Any:
    return pairs.add(pairs.multiply(x, pairs.constant(0.1)), pairs.constant(4.0))


@pytest.mark.parametrize(
    ("function", "truth", "ends"),
    [
        (lambda x, y: pairs.add(x, y), np.add, (0.01, 100.0)),
        (lambda x, y: pairs.multiply(x, y), np.multiply, (0.01, 100.0)),
        (lambda x, y: pairs.divide(x, y), np.divide, (0.01, 100.0)),
        (lambda x, _: pairs.sqrt(x), lambda x, _: np.sqrt(x), (0.01, 100.0)),
        (lambda x, _: pairs.exp(x), lambda x, _: np.exp(x), (-20.0, 20.0)),
        (lambda x, _: pairs.log(x), lambda x, _: np.log(x), (1.5, 1e4)),
        (lambda x, _: pairs.power(x, -0.07), lambda x, _: x**-0.07, (0.1, 1e3)),
        (lambda x, _: _four(x), lambda x, _: 0.1 * x + 4.0, (0.01, 100.0)),
    ],
)
def test_pairs_hold_more_than_float32_compiled_or_not(
    function: Any, truth: Any, ends: tuple[float, float]
) -> None:
    numbers = np.random.default_rng(0).uniform(*ends, (2, 20_000))
    expected = truth(*numbers)
    given = [tuple(map(jax.numpy.asarray, pairs.split(x))) for x in numbers]
    for one in (function, jax.jit(function)):
        large, small = one(*given)
        found = np.asarray(large, dtype=np.float64) + np.asarray(small)
        assert np.abs(found / expected - 1.0).max() < 2.0**-29


def budgets_of(problem: Problem, *, count: int) -> list[float]:
    """Presets, and costs that networks have, with the floats below and above."""
    genotypes = problem.space.sample(200, rng=np.random.default_rng(1))
    costs = problem.known_costs(genotypes)
    costs = np.unique(costs[np.isfinite(costs) & (costs > problem.cheapest)])[:count]
    beside = [np.nextafter(costs, 0.0), costs, np.nextafter(costs, np.inf)]
    return [problem.presets["tight"], *np.concatenate(beside).tolist()]


@pytest.mark.parametrize(
    ("space", "device"),
    [
        pytest.param(*form, marks=() if form == USUAL else pytest.mark.jax)
        for form in FORMS
    ],
)
def test_every_form_plays_as_gymnasium_does(space: str, device: str) -> None:
    problem = make_problem(space, device=device)
    for seed, budget in enumerate(budgets_of(problem, count=2)):
        params = make_params(problem, budget=budget)
        compare(vector(problem, budget=budget), params, seed=seed)


TASKS = [
    (space, device.name, dataset, metric)
    for space in SEARCH_SPACES
    for device in devices_of(space)
    for dataset in device.datasets_in(space)
    for metric in device.metrics_in(space)
    if METRICS[metric].budgetable
]


@pytest.mark.jax
@pytest.mark.parametrize(("space", "device", "dataset", "metric"), TASKS)
def test_every_task_plays_as_gymnasium_does(
    space: str, device: str, dataset: str, metric: str
) -> None:
    problem = make_problem(space, device=device, dataset=dataset, metric=metric)
    for seed, budget in enumerate(("tight", "medium", "loose")):
        params = make_params(problem, budget=budget)
        compare(vector(problem, budget=budget), params, seed=seed, whole=False)


@pytest.mark.jax
@pytest.mark.parametrize("reward", REWARDS)
@pytest.mark.parametrize(
    ("space", "device"),
    [("nasbench201", "edgetpu"), ("fbnet", "edgegpu"), ("toystates", "toybox")],
)
def test_every_reward_is_that_of_gymnasium(
    space: str, device: str, reward: str
) -> None:
    problem = make_problem(space, device=device)
    for budget in ("tight", "loose"):
        params = make_params(problem, budget=budget, reward=reward)
        envs = vector(problem, budget=budget, reward=reward)
        compare(envs, params, seed=3, whole=False)


@pytest.mark.jax
@pytest.mark.parametrize(
    ("space", "device", "objectives"),
    [
        ("nasbench201", "edgetpu", ("accuracy", "latency_ms")),
        ("fbnet", "edgegpu", ("energy_mj", "accuracy", "latency_ms")),
        ("mnasnet", "zcu102", ("throughput_ips", "accuracy")),
    ],
)
def test_vector_rewards_are_those_of_gymnasium(
    space: str, device: str, objectives: tuple[str, ...]
) -> None:
    problem = make_problem(space, device=device)
    params = make_params(problem, objectives=objectives)
    compare(vector(problem, objectives=objectives), params, seed=5, whole=False)


@pytest.mark.jax
@pytest.mark.parametrize("space", MULTI_DEVICE)
def test_several_devices_are_drawn_and_described(space: str) -> None:
    devices = MULTI_DEVICE[space]
    listed = [[*DEVICES[one].metrics_in(space)] for one in devices]
    shared = [name for name in listed[0] if all(name in other for other in listed)]
    metric = next(name for name in shared if METRICS[name].budgetable)
    problems = [make_problem(space, device=one, metric=metric) for one in devices]
    params = make_params(problems, budget="tight")
    label = SEARCH_SPACES[space].label
    envs: Any = gym.make_vec(
        f"hwnas_env:HWNAS-{label}-MultiDevice-v0",
        ROWS,
        budget="tight",
        autoreset_mode=AutoresetMode.DISABLED,
    ).unwrapped
    keys = jax.random.split(jax.random.key(0), 40 * len(devices))
    _, states = RESET(keys, params)
    drawn = np.asarray(states.place.device)
    counts = np.bincount(drawn, minlength=len(devices))
    assert (counts > 15).all(), counts
    for number, device in enumerate(devices):
        mine = np.flatnonzero(drawn == number)[:1].repeat(ROWS)
        observation, state = RESET(keys[mine], params)
        expected, info = envs.reset(seed=1, options={"device": device})
        rng = np.random.default_rng(number)
        for _ in range(params.spec.length):
            assert ulps(observation, expected) <= ULPS
            open_now = jax.vmap(action_mask, (0, None))(state, params)
            assert np.array_equal(open_now, info["action_mask"] == 1)
            action = (rng.random(open_now.shape) * open_now).argmax(axis=1)
            expected, reward, *_, info = envs.step(action)
            observation, state, gained, _, said = STEP_ENV(None, state, action, params)
        assert ulps(gained, reward) <= ULPS
        assert np.array_equal(said["feasible"], info["feasible"])
        assert (said["device"] == number).all()


@pytest.mark.jax
def test_several_devices_have_their_own_objectives() -> None:
    # where devices have different metrics, an objective stands in different columns
    names = ("parameters_m", "accuracy", "latency_ms")
    problems = [make_problem("fbnet", device=one) for one in ("edgegpu", "raspi4")]
    params = make_params(problems, objectives=names)
    _, state = RESET(jax.random.split(jax.random.key(0), ROWS), params)
    genotypes = problems[0].space.sample(ROWS, rng=np.random.default_rng(0))
    for column in genotypes.T:
        _, state, reward, _, info = STEP_ENV(None, state, column, params)
    assert set(np.asarray(info["device"]).tolist()) == {0, 1}
    for number, problem in enumerate(problems):
        expected = VectorReward.of(problem, names)(problem.evaluate(genotypes))
        mine = np.asarray(info["device"]) == number
        assert ulps(reward[mine], expected[mine]) <= ULPS


@pytest.mark.jax
def test_sampled_budgets_are_log_uniform_and_exact() -> None:
    problem = make_problem("fbnet", device="pixel3")
    params = make_params(problem, budget="sampled")
    _, states = RESET(jax.random.split(jax.random.key(0), 4000), params)
    place = states.place._asdict()["budget"]
    assert params.budgets.shown.shape == (1, SAMPLED)
    shares = np.asarray(place) / SAMPLED
    assert np.abs(np.quantile(shares, [0.1, 0.5, 0.9]) - [0.1, 0.5, 0.9]).max() < 0.03
    logs = np.asarray(params.budgets.shown)[0].astype(np.float64)
    ends = [
        np.log(problem.presets[q] / problem.presets["medium"]) for q in ("q05", "q95")
    ]
    assert np.allclose([logs[0], logs[-1]], ends, atol=1e-3)
    assert np.allclose(np.diff(logs), np.diff(ends) / SAMPLED, rtol=0.1)
    # one of them, as a float64, in Gymnasium
    envs = vector(problem, budget="sampled")
    for number in (0, SAMPLED // 2, SAMPLED - 1):
        width = (ends[1] - ends[0]) / SAMPLED
        budget = problem.presets["medium"] * np.exp(ends[0] + (number + 0.5) * width)
        expected, info = envs.reset(seed=0, options={"budget": float(budget)})
        forced = states._replace(
            place=states.place._replace(budget=np.full_like(place, number))
        )
        seen = jax.vmap(look, (0, 0, None))(forced.place, forced.time, params)
        assert np.array_equal(seen.mask[:ROWS], info["action_mask"] == 1)
        assert np.allclose(seen.ratios[:ROWS], expected[:, -3:-1], rtol=1e-6)


@pytest.mark.jax
def test_one_compilation_serves_devices_and_budgets() -> None:
    traced = []

    def counted(key: Any, params: Params) -> Any:
        traced.append(params.spec)
        return reset(key, params)

    function = jax.jit(counted)
    for device in ("edgegpu", "fpga"):
        for budget in ("tight", "loose", 1e9):
            problem = make_problem("nasbench201", device=device)
            function(jax.random.key(0), make_params(problem, budget=budget))
    assert len(traced) == 1
    problems = [make_problem("fbnet", device=d) for d in ("edgegpu", "pixel3", "fpga")]
    stacked = stack_params([make_params(p, budget="tight", states=4) for p in problems])
    both = jax.vmap(reset, in_axes=(None, 0))(jax.random.key(0), stacked)
    alone = [reset(jax.random.key(0), make_params(p, budget="tight")) for p in problems]
    assert np.array_equal(both[0], np.stack([observation for observation, _ in alone]))


def test_what_jax_cannot_play_is_refused_by_name() -> None:
    cell, net = (make_problem(s, device="edgegpu") for s in ("nasbench201", "fbnet"))
    with pytest.raises(UnknownNameError, match="mnas_hard"):
        make_params(cell, reward="mnas_hart")
    with pytest.raises(InvalidBudgetError):
        make_params(cell, budget=-1.0)
    with pytest.raises(InvalidArgumentError, match="one search space"):
        make_params([cell, net])
    with pytest.raises(InvalidArgumentError, match="got none"):
        make_params([])
    with pytest.raises(InvalidArgumentError, match="drawn"):
        make_params(make_problem("nasbench201", device="fpga", accuracy="sampled"))
    with pytest.raises(NotExactError, match="function"):
        make_params(make_problem("fbnet", device="fpga", accuracy=_percent))
    with pytest.raises(NotExactError):
        make_params(make_problem("fbnet", device="fpga", costs=_cost))
    with pytest.raises(InvalidArgumentError, match="different shapes"):
        stack_params([make_params(cell), make_params(net)])
    with pytest.raises(InvalidArgumentError, match="give one"):
        make_params(cell, reward="mnas_soft", objectives=("accuracy",))


def _percent(genotypes: Any) -> Any:
    return genotypes.sum(axis=1) * 1.0


def _cost(genotypes: Any) -> Any:
    return 1.0 + genotypes.sum(axis=1)


def test_every_reward_of_the_package_has_a_compiled_form() -> None:
    assert [*COMPILED_REWARDS] == [*REWARDS]


def test_the_room_says_what_it_offers() -> None:
    assert sorted(compiled_room.__all__) == compiled_room.__all__
    assert all(hasattr(compiled_room, name) for name in compiled_room.__all__)


def test_what_is_no_problem_and_no_params_is_refused() -> None:
    problem = make_problem("nasbench201", device="fpga")
    for wrong in (3, None, "fbnet", [problem, 3]):
        with pytest.raises(InvalidArgumentError, match="problem"):
            make_params(wrong)  # type: ignore[arg-type]
    for keywords in ({"states": "a"}, {"states": -1}, {"shown": "a"}):
        with pytest.raises(InvalidArgumentError, match=next(iter(keywords))):
            make_params(problem, **keywords)
    with pytest.raises(InvalidBudgetError, match=r"at most 1e\+30"):
        make_params(problem, budget=1e31)
    params = make_params(problem)
    for wrong in (3, params, [1], ["a", "b"], []):
        with pytest.raises(InvalidArgumentError, match="stack_params"):
            stack_params(wrong)  # type: ignore[arg-type]
    key = jax.random.key(0)
    for thing in (params, reset(key, params)[1], reset_batch(key, params, 3)[1]):
        assert len(repr(thing)) < 200
    with pytest.raises(InvalidArgumentError, match="params"):
        reset(key, problem)  # type: ignore[arg-type]
    for count in (-1, 1.5, 0):
        with pytest.raises(InvalidArgumentError, match="count"):
            reset_batch(key, params, count)  # type: ignore[arg-type]
