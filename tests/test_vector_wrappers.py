"""Wrappers of a vector do to every row what they do to one environment."""

import copy
import itertools
import math
import pickle
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from hwnas_env import wrappers
from hwnas_env.envs.modes import MODES
from hwnas_env.errors import InvalidArgumentError
from hwnas_env.wrappers.protocols import (
    DiscreteEnvironment,
    SingleEnvironment,
    VectorEnvironment,
    core_of,
)
from hwnas_env.wrappers.reward_rules import RewardRule, RewardRuleWrapper

CELL, NET = "HWNAS-NASBench201-EdgeTPU-v0", "HWNAS-FBNet-Pixel3-v0"
NAMES = ("accuracy", "latency_ms")
Wrap = Callable[[Any], Any]

SCALAR: dict[str, Wrap] = {
    "weighted": lambda e: wrappers.WeightedSum(e, weights=[2, 1]),
    "drawn": lambda e: wrappers.WeightedSum(e, weights="sampled"),
    "chebyshev": lambda e: wrappers.Chebyshev(e, weights="sampled", rho=0.1),
    "pbi": lambda e: wrappers.PenaltyBoundary(e, weights=[0.3, 0.7], theta=2.0),
    "epsilon": lambda e: wrappers.EpsilonConstraint(e, bounds={"latency_ms": 40.0}),
    "volume": lambda e: wrappers.HypervolumeImprovement(e, keep="episode"),
}
CONSTRAINED: dict[str, Wrap] = {
    "penalty": lambda e: wrappers.PenaltyReward(e, coefficient=2.0),
    "early": lambda e: wrappers.EarlyTermination(e, reward=-0.5),
    "hard": wrappers.HardMask,
    "dictionary": wrappers.DictObservation,
}


def assert_rows_equal_singles(
    wrap: Wrap, env_id: str, *, count: int = 3, steps: int = 30, **keywords: Any
) -> None:
    envs = wrap(gym.make_vec(env_id, count, **keywords))
    singles = [wrap(gym.make(env_id, **keywords)) for _ in range(count)]
    assert envs.single_observation_space == singles[0].observation_space
    observation, infos = envs.reset(seed=3)
    found = [env.reset(seed=3 + row) for row, env in enumerate(singles)]
    rng = np.random.default_rng(1)
    ends = 0
    for _ in range(steps):
        for row, (seen, info) in enumerate(found):
            assert_same(observation, seen, row)
            assert_same_info(infos, info, row)
        actions = rng.integers(0, envs.single_action_space.n, count)
        observation, rewards, terminated, truncated, infos = envs.step(actions)
        assert envs.observation_space.contains(observation)
        found = []
        for row, env in enumerate(singles):
            seen, reward, ended, cut, info = env.step(int(actions[row]))
            assert rewards[row] == reward
            assert (terminated[row], truncated[row]) == (ended, cut)
            if ended or cut:
                ends += 1
                assert infos["_final_info"][row]
                assert_same_info(infos["final_info"], info, row)
                final = infos["final_obs"][row]
                assert_same({"": final}, {"": seen}, None)
                seen, info = env.reset()
            found.append((seen, info))
    assert ends >= count


def one_or_many(count: int | None, env_id: str = CELL, **keywords: Any) -> Any:
    if count is None:
        return gym.make(env_id, **keywords)
    return gym.make_vec(env_id, count, **keywords)


def assert_same(ours: Any, theirs: Any, row: int | None) -> None:
    if isinstance(theirs, dict):
        for key, value in theirs.items():
            if isinstance(value, dict):
                assert_same(ours[key], value, row)
            else:
                mine = ours[key] if row is None else ours[key][row]
                assert (mine == value).all()
    else:
        assert (ours[row] == theirs).all()


def assert_same_info(infos: dict[str, Any], info: dict[str, Any], row: int) -> None:
    for key, value in info.items():
        if key in ("queries", "unique_queries"):
            continue  # a vector's ledger counts over all rows
        assert np.array_equal(infos[key][row], value), key
        assert infos[f"_{key}"][row], key


@pytest.mark.parametrize("env_id", [CELL, NET])
@pytest.mark.parametrize("name", SCALAR)
def test_scalarisations_of_rows_equal_single_ones(name: str, env_id: str) -> None:
    assert_rows_equal_singles(SCALAR[name], env_id, objectives=NAMES)


@pytest.mark.parametrize("env_id", [CELL, NET])
@pytest.mark.parametrize("mode", ["construct", "mutate"])
@pytest.mark.parametrize("name", CONSTRAINED)
def test_constraints_of_rows_equal_single_ones(
    name: str, mode: str, env_id: str
) -> None:
    wrap = CONSTRAINED[name]
    keywords = {"mode": mode, "budget": "sampled"}
    if mode == "mutate":
        keywords["horizon"] = 5  # type: ignore[assignment]
    assert_rows_equal_singles(wrap, env_id, steps=50, **keywords)


@pytest.mark.parametrize(
    "order", [*itertools.permutations(["hard", "early", "penalty"])], ids="-".join
)
def test_stacks_of_rows_equal_stacks_of_single_ones(order: tuple[str, ...]) -> None:
    def wrap(env: Any) -> Any:
        env = SCALAR["drawn"](env)
        for name in order:
            env = CONSTRAINED[name](env)
        return wrappers.DictObservation(env)

    assert_rows_equal_singles(wrap, NET, steps=60, objectives=NAMES, budget="tight")


@pytest.mark.parametrize("name", SCALAR)
def test_scalarisations_take_rewards_of_episodes_that_were_ended(name: str) -> None:
    assert_rows_equal_singles(
        lambda env: SCALAR[name](CONSTRAINED["early"](env)),
        NET,
        steps=40,
        objectives=NAMES,
        budget="tight",
    )


@pytest.mark.parametrize(
    "inside",
    [
        wrappers.DictObservation,
        lambda env: wrappers.DictObservation(wrappers.HardMask(env)),
        lambda env: CONSTRAINED["early"](wrappers.DictObservation(env)),
    ],
    ids=["dictionary", "hard-dictionary", "early-twice"],
)
@pytest.mark.parametrize("env_id", [CELL, NET])
def test_early_ends_merge_dictionaries(env_id: str, inside: Wrap) -> None:
    assert_rows_equal_singles(
        lambda env: CONSTRAINED["early"](inside(env)), env_id, steps=60, budget="tight"
    )


def test_early_ends_merge_the_statistics_of_rows_that_ended_beside_them() -> None:
    inner = gym.wrappers.vector.RecordEpisodeStatistics(
        gym.make_vec(CELL, 6, budget="tight")
    )
    envs: Any = CONSTRAINED["early"](inner)
    envs.reset(seed=0)
    rng, both = np.random.default_rng(0), 0
    for _ in range(200):
        _, _, ended, _, infos = envs.step(rng.integers(0, 5, 6))
        if "episode" in infos and (ended & ~infos["episode"]["l"].astype(bool)).any():
            both += 1
        final = infos.get("final_info", {})
        if "episode" in final:
            assert (final["episode"]["l"][final["_episode"]] > 0).all()
    assert both > 5


def test_penalties_and_multipliers_count_episodes_that_were_ended() -> None:
    for count in (None, 1):
        keywords = {"budget": "tight", "reward": "accuracy_only"}
        env: Any = wrappers.LagrangianReward(
            wrappers.PenaltyReward(
                wrappers.EarlyTermination(one_or_many(count, NET, **keywords)),
                coefficient=3.0,
            ),
            step_size=0.25,
            initial=0.5,
        )
        env.reset(seed=0)
        ended = False
        while not ended:
            _, reward, ended, _, info = env.step(7 if count is None else np.array([7]))
        assert reward == -3.0 - 0.5
        final = info if count is None else info["final_info"]
        assert final["cost"] == 1.0
        assert not final["evaluated"]
        assert env.multiplier == 0.75


def test_archives_and_multipliers_last_as_long_as_the_ledger() -> None:
    network = [3, 3, 1, 3, 1, 3]
    for count, limit in itertools.product((None, 2), (None, 8)):
        keywords: dict[str, Any] = {"mode": "joint", "max_queries": limit}
        volume: Any = wrappers.HypervolumeImprovement(
            one_or_many(count, objectives=NAMES, **keywords)
        )
        dual: Any = wrappers.LagrangianReward(
            one_or_many(count, budget="tight", **keywords)
        )
        action = network if count is None else np.array([network] * count)
        gains, multipliers = [], []
        for _ in range(3):
            volume.reset(seed=5)
            gains.append(float(np.sum(volume.step(action)[1])))
            dual.reset(seed=5)
            multipliers.append(dual.multiplier)
            dual.step(action)
        assert gains[0] > 0
        if limit is None:  # every seeded reset begins a new run
            assert gains == [gains[0]] * 3
            assert multipliers == [0.0] * 3
        else:
            assert gains[1:] == [0.0, 0.0]
            assert multipliers == sorted(set(multipliers))


def test_a_seed_for_some_rows_leaves_the_archive_and_the_other_rows_alone() -> None:
    network, mask = np.array([[3, 3, 1, 3, 1, 3]] * 2), np.array([True, False])
    keywords: dict[str, Any] = {"mode": "joint", "budget": "sampled"}
    envs: Any = wrappers.HypervolumeImprovement(
        gym.make_vec(CELL, 2, objectives=NAMES, **keywords)
    )
    undisturbed: Any = gym.make_vec(CELL, 2, **keywords)
    fresh: Any = gym.make(CELL, **keywords)
    envs.reset(seed=[1, 2])
    undisturbed.reset(seed=[1, 2])
    assert envs.step(network)[1][0] > 0
    undisturbed.step(network)
    envs.reset(seed=[5, 9], options={"reset_mask": mask})
    _, info = fresh.reset(seed=5)
    for _ in range(3):
        _, rewards, *_, infos = envs.step(network)
        assert rewards.tolist() == [0.0, 0.0]
        budgets = infos["final_info"]["budget"]
        other = undisturbed.step(network)[4]["final_info"]["budget"]
        assert budgets.tolist() == [info["budget"], other[1]]
        _, info = fresh.reset()


@pytest.mark.parametrize("name", [*SCALAR, *CONSTRAINED, "lagrangian"])
def test_copies_and_pickles_of_wrapped_environments_go_on_alike(name: str) -> None:
    wrap = {
        **SCALAR,
        **CONSTRAINED,
        "lagrangian": lambda e: wrappers.LagrangianReward(e, observe=True),
    }[name]
    keywords = {"objectives": NAMES} if name in SCALAR else {}
    for made in (gym.make(CELL, **keywords), gym.make_vec(CELL, 2, **keywords)):
        env: Any = wrap(made)
        env.reset(seed=0)
        twins = [copy.deepcopy(env), pickle.loads(pickle.dumps(env))]
        for _ in range(8):
            vector = isinstance(env, gym.vector.VectorEnv)
            action = np.array([1, 3]) if vector else 3
            step = env.step(action)
            for twin in twins:
                other = twin.step(action)
                assert np.array_equal(other[1], step[1])
                assert type(twin) is type(env)
            if not vector and (step[2] or step[3]):
                for one in (env, *twins):
                    one.reset()


def test_one_row_moves_the_multiplier_as_one_environment_does() -> None:
    assert_rows_equal_singles(
        lambda e: wrappers.LagrangianReward(e, step_size=0.5, observe=True),
        NET,
        count=1,
        steps=80,
        budget="tight",
    )


def test_rows_share_one_multiplier() -> None:
    envs: Any = wrappers.LagrangianReward(
        gym.make_vec(CELL, 4, budget="tight"), step_size=0.5, observe=True
    )
    observation, infos = envs.reset(seed=0)
    assert observation[:, -1].tolist() == [0.0] * 4
    multiplier = 0.0
    for _ in range(5):
        for step in range(6):
            actions = np.array([0, 3, 3, 4]) if step else np.array([1, 3, 1, 3])
            observation, rewards, _, _, infos = envs.step(actions)
        final = infos["final_info"]
        base = np.where(
            final["feasible"],
            final["accuracy_percent"] / 100,
            np.where(
                final["deployable"],
                final["accuracy_percent"]
                / 100
                * final["budget"]
                / np.where(final["deployable"], final["latency_ms"], 1.0),
                0.0,
            ),
        )
        assert rewards == pytest.approx(base - multiplier * final["cost"])
        excess = np.clip(final["latency_ms"] / final["budget"] - 1, -1, 1)
        multiplier = max(0.0, multiplier + 0.5 * excess.mean())
        assert infos["multiplier"].tolist() == pytest.approx([multiplier] * 4)
        shown = multiplier / (1 + multiplier)
        assert observation[:, -1] == pytest.approx([shown] * 4)
    assert multiplier > 0
    assert envs.reset(seed=0)[1]["multiplier"].tolist() == [0.0] * 4


def test_rows_share_the_archive_of_a_run() -> None:
    envs: Any = wrappers.HypervolumeImprovement(
        gym.make_vec(CELL, 3, objectives=NAMES), keep="run"
    )
    single: Any = wrappers.HypervolumeImprovement(gym.make(CELL, objectives=NAMES))
    envs.reset(seed=0)
    single.reset(seed=0)
    rng = np.random.default_rng(0)
    for _ in range(5):
        actions = rng.integers(0, 5, (6, 3))
        for row in range(6):
            _, rewards, *_ = envs.step(actions[row])
        expected = []
        for row in range(3):
            for step in range(6):
                _, reward, *_ = single.step(int(actions[step, row]))
            expected.append(reward)
            single.reset()
        assert rewards.tolist() == expected


def test_drawn_weights_are_uniform_on_the_simplex_and_observed() -> None:
    names = (*NAMES, "parameters_m")
    envs: Any = wrappers.WeightedSum(
        gym.make_vec("HWNAS-NASBench201-FPGA-v0", 500, objectives=names),
        weights="sampled",
    )
    observation, infos = envs.reset(seed=0)
    drawn = infos["weights"]
    assert drawn.sum(axis=1) == pytest.approx(np.ones(500))
    assert observation[:, -3:] == pytest.approx(drawn, abs=1e-6)
    # Dirichlet(1, 1, 1): every weight has mean 1/3 and variance 1/18
    assert drawn.mean(axis=0) == pytest.approx([1 / 3] * 3, abs=0.04)
    assert drawn.var(axis=0) == pytest.approx([1 / 18] * 3, abs=0.015)
    for _ in range(6):
        _, rewards, *_, infos = envs.step(np.full(500, 3))
    final = infos["final_info"]
    assert (final["weights"] == drawn).all()
    assert (infos["weights"] != drawn).any()
    core = envs.unwrapped
    front = np.array(core.pareto_front())
    low, high = front.min(axis=0), front.max(axis=0)
    values = (final["vector_reward"] - low) / (high - low)
    assert rewards == pytest.approx((values * drawn).sum(axis=1))


def test_wrappers_import_where_gymnasium_cannot_be_subscripted() -> None:
    code = (  # as before Gymnasium 1.4
        "import gymnasium as gym, gymnasium.wrappers.vector\n"
        "def refuse(*parameters): raise TypeError('not a generic class')\n"
        "gym.vector.VectorWrapper.__class_getitem__ = refuse\n"
        "import hwnas_env, hwnas_env.wrappers as wrappers\n"
        f"envs = wrappers.HardMask(gym.make_vec('{CELL}', 2))\n"
        "print(envs.reset(seed=0)[0].shape)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert done.stdout == "(2, 38)\n", done.stderr


PAIRS: dict[str, dict[str, Any]] = {
    "HardMask": {},
    "EarlyTermination": {"reward": -1.0},
    "DictObservation": {"flat": True},
    "DiscreteObservation": {"array": True},
    "PenaltyReward": {"coefficient": 3.0},
    "LagrangianReward": {"initial": 0.5},
    "WeightedSum": {"weights": [1, 2]},
    "Chebyshev": {"weights": [1, 2], "rho": 0.5},
    "PenaltyBoundary": {"weights": "sampled"},
    "EpsilonConstraint": {"bounds": {"latency_ms": 4.0}},
    "HypervolumeImprovement": {"keep": "episode"},
}


@pytest.mark.parametrize("name", PAIRS)
def test_a_wrapper_around_a_vector_is_both_classes_of_its_pair(name: str) -> None:
    single, vector = getattr(wrappers, name), getattr(wrappers, f"Vector{name}")
    scalar = issubclass(single, RewardRuleWrapper) and single.rule_type.scalar
    keywords = {"objectives": NAMES} if scalar else {}
    one = single(gym.make(CELL, **keywords), **PAIRS[name])
    made = single(gym.make_vec(CELL, 2, **keywords), **PAIRS[name])
    direct = vector(gym.make_vec(CELL, 2, **keywords), **PAIRS[name])
    assert type(one) is single
    assert isinstance(one, gym.Wrapper)
    assert not isinstance(one, vector)
    for envs in (made, direct):
        assert type(envs) is vector
        assert isinstance(envs, single)
        assert isinstance(envs, gym.vector.VectorWrapper)
        assert not isinstance(envs, gym.Wrapper)
        assert envs.single_type is single
    others = {other for other in PAIRS if isinstance(made, getattr(wrappers, other))}
    assert others == {name}
    assert_same({"": made.reset(seed=0)[0]}, {"": direct.reset(seed=0)[0]}, None)
    with pytest.raises(InvalidArgumentError, match=f"Vector{name}: expected"):
        vector(gym.make(CELL, **keywords), **PAIRS[name])


class Halved(RewardRule):
    def rewards(self, rewards: Any, info: Any) -> Any:
        del info
        return rewards / 2


class HalfReward(RewardRuleWrapper):
    rule_type = Halved


class Sparing(wrappers.HardMask):
    pass


def test_a_subclass_without_a_vector_class_makes_that_of_its_parent() -> None:
    envs: Any = HalfReward(gym.make_vec(CELL, 2, mode="joint"))
    network = np.array([[3, 3, 1, 3, 1, 3]] * 2)
    envs.reset(seed=0)
    plain: Any = gym.make_vec(CELL, 2, mode="joint")
    plain.reset(seed=0)
    assert (envs.step(network)[1] == plain.step(network)[1] / 2).all()
    assert envs.single_type is HalfReward
    assert isinstance(envs, RewardRuleWrapper)
    masked: Any = Sparing(gym.make_vec(CELL, 2))
    assert type(masked) is wrappers.VectorHardMask
    assert pickle.loads(pickle.dumps(masked)).single_type is Sparing
    with pytest.raises(InvalidArgumentError, match="HalfReward needs a reward of one"):
        HalfReward(gym.make_vec(CELL, 2, objectives=NAMES))


@pytest.mark.parametrize("mode", MODES)
def test_environments_offer_what_the_protocols_ask(mode: str) -> None:
    one, many = gym.make(CELL, mode=mode), gym.make_vec(CELL, 2, mode=mode)
    assert isinstance(one.unwrapped, SingleEnvironment)
    assert isinstance(one.unwrapped, DiscreteEnvironment) == (mode != "joint")
    assert isinstance(many.unwrapped, VectorEnvironment)
    assert not isinstance(one.unwrapped, VectorEnvironment)
    assert not isinstance(many.unwrapped, SingleEnvironment)
    assert core_of(wrappers.DictObservation(one)) is one.unwrapped
    for foreign in (gym.make("CartPole-v1"), gym.make_vec("CartPole-v1", 2), 5, None):
        with pytest.raises(InvalidArgumentError, match="environment of hwnas_env"):
            core_of(foreign)


def test_foreign_and_doubly_scalarised_vectors_are_refused() -> None:
    sync = gym.make_vec(CELL, 2, vectorization_mode="sync")
    with pytest.raises(InvalidArgumentError, match="before they are put into a vector"):
        wrappers.PenaltyReward(sync)
    with pytest.raises(InvalidArgumentError, match="of hwnas_env"):
        wrappers.PenaltyReward(gym.make("CartPole-v1"))
    vector = gym.make_vec(CELL, 2, objectives=NAMES)
    for env in (vector, gym.make(CELL, objectives=NAMES)):
        with pytest.raises(InvalidArgumentError, match="scalarise the vector first"):
            wrappers.PenaltyReward(env)
        with pytest.raises(InvalidArgumentError, match="one number already"):
            wrappers.Chebyshev(SCALAR["weighted"](env), weights=[1, 1])
    with pytest.raises(InvalidArgumentError, match='or "sampled"'):
        wrappers.WeightedSum(vector, weights="drawn")
    with pytest.raises(InvalidArgumentError, match="2 numbers"):
        wrappers.WeightedSum(vector, weights=[math.nan, 1.0])


@pytest.mark.parametrize(
    "options", [True, 5, {"reset_mask": True}, {"reset_mask": [1, 0]}], ids=str
)
def test_options_that_are_none_are_refused_around_vectors_of_any_kind(
    options: Any,
) -> None:
    singles = gym.vector.SyncVectorEnv([lambda: gym.make(f"hwnas_env:{CELL}")] * 2)
    for envs in (singles, gym.make_vec(f"hwnas_env:{CELL}", 2)):
        envs.reset(seed=0)
        wrapped = wrappers.DictObservation(envs)
        with pytest.raises(InvalidArgumentError, match=r"reset_mask|reset options"):
            wrapped.reset(options=options)
