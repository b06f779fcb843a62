"""Wrappers: scalarisations and constraints, with specs and stacking."""

import json
import math
from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from hwnas_env import make_problem, wrappers
from hwnas_env.errors import InvalidArgumentError, UnknownNameError
from hwnas_env.maths.scalarise import chebyshev, penalty_boundary, weighted_sum

# The checker warns of every wrapper that it is one.
pytestmark = pytest.mark.filterwarnings("ignore:.*different from the unwrapped")

CELL, NET = "HWNAS-NASBench201-EdgeTPU-v0", "HWNAS-FBNet-Pixel3-v0"
NAMES = ("accuracy", "latency_ms")

Wrap = Callable[[Any], Any]
SCALAR: dict[str, Wrap] = {
    "drawn": lambda env: wrappers.WeightedSum(env, weights="sampled"),
    "drawn-pbi": lambda env: wrappers.PenaltyBoundary(env, weights="sampled"),
    "volume-episode": lambda env: wrappers.HypervolumeImprovement(env, keep="episode"),
    "weighted": lambda env: wrappers.WeightedSum(env, weights=[2, 1]),
    "chebyshev": lambda env: wrappers.Chebyshev(env, weights=[0.5, 0.5], rho=0.1),
    "pbi": lambda env: wrappers.PenaltyBoundary(env, weights=[0.3, 0.7], theta=2.0),
    "epsilon": lambda env: wrappers.EpsilonConstraint(env, bounds={"latency_ms": 40.0}),
    "volume": lambda env: wrappers.HypervolumeImprovement(env, keep="run"),
}
CONSTRAINED: dict[str, Wrap] = {
    "penalty": lambda env: wrappers.PenaltyReward(env, coefficient=2.0),
    "lagrangian": lambda env: wrappers.LagrangianReward(env, observe=True),
    "early": lambda env: wrappers.EarlyTermination(env, reward=-0.5),
    "hard": wrappers.HardMask,
}


def play(env: Any, actions: Any) -> Any:
    step: Any = None
    for action in actions:
        step = env.step(int(action))
        if step[2] or step[3]:
            break
    return step


@pytest.mark.parametrize("name", [*SCALAR, *CONSTRAINED])
@pytest.mark.parametrize("env_id", [CELL, NET])
def test_wrapped_environments_pass_the_checker_and_go_through_json(
    name: str, env_id: str
) -> None:
    objectives = {"objectives": NAMES} if name in SCALAR else {}
    wrap = {**SCALAR, **CONSTRAINED}[name]
    env = wrap(gym.make(f"hwnas_env:{env_id}", **objectives))
    check_env(env, skip_render_check=True)
    text = env.spec.to_json()
    again = gym.make(gym.envs.registration.EnvSpec.from_json(text))
    assert json.loads(again.spec.to_json()) == json.loads(text)
    rng = np.random.default_rng(3)
    for seed in range(3):
        actions = rng.integers(0, env.action_space.n, 22)
        for one in (env, again):
            one.reset(seed=seed)
        ours, theirs = play(env, actions), play(again, actions)
        assert (ours[0] == theirs[0]).all()
        assert ours[1:4] == theirs[1:4]
        assert isinstance(ours[1], float)
        assert math.isfinite(ours[1])


def test_stacks_of_sensible_orders_hold() -> None:
    env: Any = gym.make(CELL, objectives=NAMES)
    env = wrappers.WeightedSum(env, weights=[1, 1])
    env = wrappers.PenaltyReward(env, coefficient=1.0)
    env = wrappers.LagrangianReward(env, observe=True)
    env = wrappers.HardMask(env)
    env = gym.wrappers.RecordEpisodeStatistics(env)
    check_env(env, skip_render_check=True)
    env.reset(seed=0)
    *_, info = play(env, [4] * 6)
    assert info["episode"]["l"] == 6
    assert {"vector_reward", "multiplier", "action_replaced"} <= set(info)


def scalar(env: Any, vector: Any) -> float:
    """What a scalarisation makes of one vector reward."""
    rows = np.zeros(1, dtype=np.int64)
    return float(env.rule.scalars(np.asarray(vector)[None], rows, rows)[0])


def test_scalarisations_are_their_formulas() -> None:
    points, weights = np.array([[0.5, 0.25], [1.0, 1.0]]), np.array([0.75, 0.25])
    assert weighted_sum(points, weights).tolist() == [0.4375, 1.0]
    # distances (0.5, 0.75), weighted (0.375, 0.1875)
    expected = -(0.375 + 0.1 * 0.5625)
    assert chebyshev(points, weights, rho=0.1) == pytest.approx([expected, 0.0])
    direction = weights / np.linalg.norm(weights)
    distance = np.array([0.5, 0.75])
    along = distance @ direction
    across = np.linalg.norm(distance - along * direction)
    expected = -(along + 3.0 * across)
    assert penalty_boundary(points, weights, theta=3.0) == pytest.approx(
        [expected, 0.0]
    )


def test_the_best_weighted_sum_is_on_the_front() -> None:
    env = SCALAR["weighted"](gym.make("HWNAS-NASBench201-FPGA-v0", objectives=NAMES))
    problem = make_problem("nasbench201", device="fpga")
    rows = problem.space.from_index(np.arange(15625))
    vectors = env.unwrapped.vector_reward(problem.evaluate(rows))
    scalars = [scalar(env, vector) for vector in vectors]
    best = vectors[int(np.argmax(scalars))]
    front = np.array(env.unwrapped.pareto_front())
    assert (np.abs(front - best).sum(axis=1) < 1e-12).any()
    assert max(scalar(env, point) for point in front) == max(scalars)


def test_epsilon_constraint_prefers_what_keeps_the_bounds() -> None:
    env = wrappers.EpsilonConstraint(
        gym.make(CELL, objectives=NAMES), bounds={"latency_ms": 0.8}
    )
    assert scalar(env, [0.6, -0.8]) == 0.6
    assert scalar(env, [0.9, -0.88]) == pytest.approx(-0.1)
    assert scalar(env, [0.9, -99.0]) == -1.0
    env.reset(seed=0)
    assert play(env, [0] * 6)[1] == -1.0  # not deployable


def test_hypervolume_improvements_add_up_to_the_share_of_the_front() -> None:
    env = SCALAR["volume"](gym.make("HWNAS-NASBench201-FPGA-v0", objectives=NAMES))
    front = env.unwrapped.pareto_front()
    problem = env.unwrapped.problem
    env.reset(seed=0)
    total = 0.0
    for genotype in problem.pareto_front(NAMES).genotypes:
        env.reset()
        _, reward, *_, info = play(env, genotype)
        assert reward >= 0
        total += reward
        assert info["hypervolume"] == pytest.approx(total)
    assert total == pytest.approx(1.0)
    env.reset()
    assert play(env, genotype)[1] == 0.0  # nothing new
    assert len(front) > 5
    anew = wrappers.HypervolumeImprovement(env.env, keep="episode")
    for _ in range(2):
        anew.reset()
        assert play(anew, genotype)[1] > 0


def test_penalties_are_zero_on_the_budget_and_finite_beyond() -> None:
    env = wrappers.PenaltyReward(gym.make(NET, reward="accuracy_only"), coefficient=3.0)
    env.reset(seed=0, options={"budget": "tight"})
    *_, info = play(env, [8] * 22)
    assert info["cost"] == 0.0
    env.reset()
    _, reward, *_, info = play(env, [7] * 22)
    excess = info["latency_ms"] / info["budget"] - 1
    assert reward == pytest.approx(
        info["accuracy_percent"] / 100 - 3.0 * min(excess, 1.0)
    )
    cell = wrappers.PenaltyReward(gym.make(CELL), coefficient=3.0)
    cell.reset(seed=0)
    assert play(cell, [0] * 6)[1] == -3.0  # not deployable: accuracy 0, cost 1


def test_the_multiplier_rises_while_the_budget_is_broken() -> None:
    env = wrappers.LagrangianReward(
        gym.make(NET, budget="tight"), step_size=0.5, observe=True
    )
    observation, info = env.reset(seed=0)
    assert observation[-1] == info["multiplier"] == 0.0
    multipliers = []
    for actions in ([7] * 22, [7] * 22, [8] * 22, [8] * 22, [8] * 22, [8] * 22):
        env.reset()
        before = env.multiplier
        observation, *_, info = play(env, actions)
        excess = info["latency_ms"] / info["budget"] - 1
        expected = max(0.0, before + 0.5 * min(max(excess, -1), 1))
        assert env.multiplier == info["multiplier"] == pytest.approx(expected)
        shown = expected / (1 + expected)
        assert observation[-1] == pytest.approx(shown, rel=1e-6)
        assert env.observation_space.contains(observation)
        multipliers.append(env.multiplier)
    assert multipliers[0] < multipliers[1]
    assert multipliers[-1] < multipliers[1]
    assert min(multipliers) >= 0
    assert env.reset(seed=1)[1]["multiplier"] == 0.0


def test_early_termination_stops_where_the_budget_is_lost_and_no_earlier() -> None:
    env = wrappers.EarlyTermination(gym.make(NET, budget="tight"), reward=-0.5)
    problem = make_problem("fbnet", device="pixel3")
    walk = problem.walk(problem.budget("tight"))
    env.reset(seed=0)
    state = walk.root
    for depth in range(22):
        _, reward, terminated, _, info = env.step(7)
        state = walk.child(depth, state, 7)
        assert terminated == (not walk.view(depth + 1, state)[3])
        if terminated:
            break
    assert reward == -0.5
    assert not info["evaluated"]
    assert depth < 21
    env.reset()
    done = play(env, [8] * 22)
    assert done[4]["evaluated"]


def test_a_hard_mask_keeps_every_agent_within_the_budget() -> None:
    env = wrappers.HardMask(gym.make(NET, budget="tight"))
    replaced = 0
    for seed in range(10):
        _, info = env.reset(seed=seed)
        done = False
        while not done:
            *_, done, _, info = env.step(7)
            replaced += info["action_replaced"]
        assert info["feasible"]
    assert replaced > 10
    assert info["action_replaced"]


@pytest.mark.parametrize(
    ("error", "wrap"),
    [
        (InvalidArgumentError, lambda v: wrappers.WeightedSum(v, weights=[1, 1, 1])),
        (InvalidArgumentError, lambda v: wrappers.WeightedSum(v, weights=[-1, 2])),
        (InvalidArgumentError, lambda v: wrappers.WeightedSum(v, weights=[0, 0])),
        (InvalidArgumentError, lambda v: wrappers.Chebyshev(v, [1, 1], rho=-1)),
        (InvalidArgumentError, lambda v: wrappers.PenaltyBoundary(v, [1, math.nan])),
        (InvalidArgumentError, lambda v: wrappers.EpsilonConstraint(v, bounds={})),
        (
            UnknownNameError,
            lambda v: wrappers.EpsilonConstraint(v, bounds={"latency": 1.0}),
        ),
        (UnknownNameError, lambda v: wrappers.HypervolumeImprovement(v, keep="all")),
    ],
)
def test_wrong_arguments_have_their_own_errors(
    error: type[Exception], wrap: Wrap
) -> None:
    vector = gym.make(CELL, objectives=NAMES)
    with pytest.raises(error):
        wrap(vector)


@pytest.mark.parametrize(
    "wrap",
    [
        lambda env: wrappers.WeightedSum(env, weights=[1, 1]),
        lambda env: wrappers.PenaltyReward(env, coefficient=-1),
        lambda env: wrappers.LagrangianReward(env, step_size=True),
        lambda env: wrappers.EarlyTermination(env, reward=math.inf),
    ],
)
def test_wrong_arguments_of_constraints_have_their_own_errors(wrap: Wrap) -> None:
    plain = gym.make(CELL)
    with pytest.raises(InvalidArgumentError):
        wrap(plain)


def test_a_hard_mask_wants_a_discrete_action() -> None:
    with pytest.raises(InvalidArgumentError, match="Discrete"):
        wrappers.HardMask(gym.make(CELL, mode="joint"))
