"""Vectors start episodes anew when Gymnasium's autoreset modes say."""

import copy
import itertools
import json
import pickle
from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from contracts import CELL, NET
from gymnasium.vector import AutoresetMode
from test_vector_wrappers import (
    CONSTRAINED,
    NAMES,
    SCALAR,
    assert_same,
    assert_same_info,
)

from hwnas_env import wrappers
from hwnas_env.errors import EpisodeEndedError, UnknownNameError

SAME_STEP, NEXT_STEP, DISABLED = (
    AutoresetMode.SAME_STEP,
    AutoresetMode.NEXT_STEP,
    AutoresetMode.DISABLED,
)
MODES = pytest.mark.parametrize("autoreset", [NEXT_STEP, DISABLED])
Wrap = Callable[[Any], Any]


def native(count: int = 3, env_id: str = CELL, **keywords: Any) -> Any:
    return gym.make_vec(f"hwnas_env:{env_id}", count, **keywords)


@pytest.mark.parametrize("mode", AutoresetMode)
def test_modes_are_taken_by_name_and_go_through_json(mode: AutoresetMode) -> None:
    for given in (mode, mode.name, mode.value):
        envs = native(autoreset_mode=given)
        again = gym.make_vec(
            gym.envs.registration.EnvSpec.from_json(envs.spec.to_json())
        )
        for one in (envs, again, wrappers.HardMask(envs)):
            assert one.autoreset_mode is one.metadata["autoreset_mode"] is mode
        assert again.spec.kwargs == envs.spec.kwargs
        json.dumps(envs.spec.kwargs)
    assert native().autoreset_mode is SAME_STEP
    assert type(envs.unwrapped).metadata["autoreset_mode"] is SAME_STEP


@pytest.mark.parametrize("mode", ["next_steps", "", 1, None, ["NEXT_STEP"], True])
def test_wrong_modes_are_named(mode: Any) -> None:
    with pytest.raises(UnknownNameError, match=r"unknown autoreset mode.*NEXT_STEP"):
        native(autoreset_mode=mode)


@pytest.mark.parametrize("name", [*SCALAR, *CONSTRAINED])
def test_wrappers_say_the_mode_of_what_is_inside(name: str) -> None:
    keywords = {"objectives": NAMES} if name in SCALAR else {}
    wrap = {**SCALAR, **CONSTRAINED}[name]
    for mode in AutoresetMode:
        assert wrap(native(autoreset_mode=mode, **keywords)).autoreset_mode is mode


class Singles:
    """Single environments that are reset when an autoreset mode says."""

    def __init__(self, envs: list[Any], mode: AutoresetMode) -> None:
        self.envs, self.next_step = envs, mode is NEXT_STEP
        self.ended = [False] * len(envs)

    def reset(self, seed: int) -> list[Any]:
        return [env.reset(seed=seed + row) for row, env in enumerate(self.envs)]

    def step(self, actions: Any) -> list[Any]:
        found = []
        for row, env in enumerate(self.envs):
            if self.next_step and self.ended[row]:
                seen, info = env.reset()
                found.append((seen, 0.0, False, False, info))
            else:
                found.append(env.step(int(actions[row])))
            self.ended[row] = found[-1][2] or found[-1][3]
        return found


def assert_rows_equal_singles(
    wrap: Wrap,
    autoreset: AutoresetMode,
    env_id: str = NET,
    *,
    count: int = 3,
    steps: int = 70,
    **keywords: Any,
) -> None:
    envs = wrap(native(count, env_id, autoreset_mode=autoreset, **keywords))
    made = [wrap(gym.make(f"hwnas_env:{env_id}", **keywords)) for _ in range(count)]
    singles = Singles(made, autoreset)
    observation, infos = envs.reset(seed=3)
    for row, (seen, info) in enumerate(singles.reset(3)):
        assert_same(observation, seen, row)
        assert_same_info(infos, info, row)
    rng, ends = np.random.default_rng(1), 0
    for _ in range(steps):
        actions = rng.integers(0, envs.single_action_space.n, count)
        observation, rewards, terminated, truncated, infos = envs.step(actions)
        assert envs.observation_space.contains(observation)
        assert "final_info" not in infos
        for row, step in enumerate(singles.step(actions)):
            assert_same(observation, step[0], row)
            assert (rewards[row], terminated[row], truncated[row]) == step[1:4]
            assert_same_info(infos, step[4], row)
        ended = terminated | truncated
        ends += int(ended.sum())
        if autoreset is DISABLED and ended.any():
            with pytest.raises(EpisodeEndedError, match="DISABLED: call reset"):
                envs.step(actions)
            observation, infos = envs.reset(options={"reset_mask": ended.copy()})
            for row in np.flatnonzero(ended).tolist():
                seen, info = made[row].reset()
                assert_same(observation, seen, row)
                assert_same_info(infos, info, row)
    assert ends >= count


@MODES
@pytest.mark.parametrize("name", SCALAR)
def test_scalarisations_of_rows_equal_single_ones(
    name: str, autoreset: AutoresetMode
) -> None:
    assert_rows_equal_singles(SCALAR[name], autoreset, CELL, steps=25, objectives=NAMES)


@MODES
@pytest.mark.parametrize("mode", ["construct", "mutate"])
@pytest.mark.parametrize("name", CONSTRAINED)
def test_constraints_of_rows_equal_single_ones(
    name: str, mode: str, autoreset: AutoresetMode
) -> None:
    keywords: dict[str, Any] = {"mode": mode, "budget": "sampled"}
    if mode == "mutate":
        keywords["horizon"] = 5
    assert_rows_equal_singles(CONSTRAINED[name], autoreset, **keywords)


@MODES
@pytest.mark.parametrize(
    "order", [*itertools.permutations(["hard", "early", "penalty"])], ids="-".join
)
def test_stacks_of_rows_equal_stacks_of_single_ones(
    order: tuple[str, ...], autoreset: AutoresetMode
) -> None:
    def wrap(env: Any) -> Any:
        env = SCALAR["drawn"](env)
        for name in order:
            env = CONSTRAINED[name](env)
        return wrappers.DictObservation(env)

    assert_rows_equal_singles(wrap, autoreset, objectives=NAMES, budget="tight")


@MODES
def test_early_ends_within_early_ends_and_rules_around_them(
    autoreset: AutoresetMode,
) -> None:
    early = CONSTRAINED["early"]
    assert_rows_equal_singles(
        lambda env: early(wrappers.DictObservation(early(env))),
        autoreset,
        steps=40,
        budget="tight",
    )
    assert_rows_equal_singles(
        lambda env: SCALAR["drawn"](early(env)),
        autoreset,
        steps=40,
        budget="tight",
        objectives=NAMES,
    )


@MODES
def test_one_row_moves_the_multiplier_as_one_environment_does(
    autoreset: AutoresetMode,
) -> None:
    assert_rows_equal_singles(
        lambda e: wrappers.LagrangianReward(e, step_size=0.5, observe=True),
        autoreset,
        CELL,
        count=1,
        steps=40,
        budget="tight",
    )


@pytest.mark.parametrize("mode", ["construct", "mutate", "joint"])
def test_a_step_that_resets_charges_nothing_and_ignores_the_action(mode: str) -> None:
    keywords = {"horizon": 3} if mode == "mutate" else {}
    envs = native(2, mode=mode, autoreset_mode="NEXT_STEP", **keywords)
    envs.reset(seed=0)
    action = np.zeros((2, 6) if mode == "joint" else 2, dtype=int)
    ended = np.zeros(2, dtype=bool)
    while not ended.any():
        _, _, terminated, truncated, infos = envs.step(action)
        ended = terminated | truncated
    before = infos["queries"].tolist()
    _, rewards, terminated, truncated, infos = envs.step(action + 99)
    assert rewards.tolist() == [0.0, 0.0]
    assert not (terminated | truncated | infos["evaluated"]).any()
    assert infos["queries"].tolist() == [before[-1]] * 2
    assert set(infos) == set(envs.reset()[1])


@pytest.mark.parametrize("mode", ["construct", "joint"])
@MODES
def test_a_closed_ledger_truncates_every_row(
    autoreset: AutoresetMode, mode: str
) -> None:
    envs = native(3, mode=mode, autoreset_mode=autoreset, max_queries=4)
    envs.reset(seed=0)
    action = np.full((3, 6) if mode == "joint" else 3, 3)
    evaluated, closed = 0, 0
    for _ in range(25):
        was_closed = envs.unwrapped.ledger.exhausted
        _, rewards, terminated, truncated, infos = envs.step(action)
        evaluated += int(infos["evaluated"].sum())
        if was_closed:
            closed += 1
            assert truncated.all()
            assert infos["budget_exhausted"].all()
            assert not terminated.any()
            assert rewards.tolist() == [0.0] * 3
        ended = terminated | truncated
        if autoreset is DISABLED and ended.any():
            envs.reset(options={"reset_mask": ended})
    assert evaluated == envs.unwrapped.ledger.queries == 4
    assert closed > 3


@pytest.mark.parametrize("name", ["hard", "early", "penalty"])
@MODES
def test_copies_and_pickles_wait_alike(name: str, autoreset: AutoresetMode) -> None:
    envs = CONSTRAINED[name](native(2, autoreset_mode=autoreset, budget="tight"))
    envs.reset(seed=0)
    rng = np.random.default_rng(0)
    for _ in range(20):
        actions = rng.integers(0, 5, 2)
        twins = [copy.deepcopy(envs), pickle.loads(pickle.dumps(envs))]
        expected = envs.step(actions)
        for twin in twins:
            step = twin.step(actions)
            for mine, theirs in zip(step[:4], expected[:4], strict=True):
                assert np.array_equal(mine, theirs)
            assert twin.autoreset_mode is autoreset
        ended = expected[2] | expected[3]
        if autoreset is DISABLED and ended.any():
            envs.reset(options={"reset_mask": ended})


def test_rows_that_a_user_resets_wait_no_longer() -> None:
    envs = native(2, autoreset_mode="NEXT_STEP", mode="joint")
    envs.reset(seed=0)
    action = np.full((2, 6), 3)
    envs.step(action)
    envs.reset(options={"reset_mask": np.array([True, False])})
    _, _, terminated, _, infos = envs.step(action)
    assert terminated.tolist() == infos["evaluated"].tolist() == [True, False]
    assert infos["queries"].tolist() == [3, 3]


def test_statistics_and_observation_wrappers_of_gymnasium_hold() -> None:
    vector: Any = gym.wrappers.vector
    keywords: dict[str, Any] = {"mode": "mutate", "horizon": 3}
    envs = vector.NormalizeObservation(
        vector.RecordEpisodeStatistics(native(2, autoreset_mode=NEXT_STEP, **keywords))
    )
    early = wrappers.EarlyTermination(
        vector.RecordEpisodeStatistics(
            native(2, NET, autoreset_mode=NEXT_STEP, budget="tight")
        )
    )
    reference = vector.NormalizeObservation(
        vector.RecordEpisodeStatistics(
            gym.make_vec(f"hwnas_env:{CELL}", 2, vectorization_mode="sync", **keywords)
        )
    )
    ours, theirs = envs.reset(seed=1)[0], reference.reset(seed=1)[0]
    early.reset(seed=1)
    rng, episodes, length, before = np.random.default_rng(0), 0, np.zeros(2, int), None
    for _ in range(40):
        assert (ours == theirs).all()
        actions = rng.integers(0, 30, 2)
        ours, rewards, *_, infos = envs.step(actions)
        theirs, expected, *_, others = reference.step(actions)
        assert (rewards == expected).all()
        assert ("episode" in infos) == ("episode" in others)
        for key in ("r", "l") if "episode" in infos else ():
            assert (infos["episode"][key] == others["episode"][key]).all()
            episodes += 1
        # the statistics inside an early end are those of the episodes that go on
        _, _, ended, _, infos = early.step(rng.integers(0, 9, 2))
        length = np.where(before, 0, length + 1) if before is not None else length + 1
        if "episode" in infos:
            rows = infos["_episode"]
            assert (infos["episode"]["l"][rows] == length[rows]).all()
        before = ended
    assert episodes > 10


def test_statistics_of_vector_rewards_hold() -> None:
    statistics = pytest.importorskip("mo_gymnasium").wrappers.vector
    envs = statistics.MORecordEpisodeStatistics(
        native(2, mode="joint", objectives=NAMES, autoreset_mode=NEXT_STEP)
    )
    single: Any = gym.make(f"hwnas_env:{CELL}", mode="joint", objectives=NAMES)
    envs.reset(seed=0)
    rng, episodes = np.random.default_rng(0), 0
    for _ in range(20):
        actions = rng.integers(0, 5, (2, 6))
        *_, terminated, _, infos = envs.step(actions)
        for row in np.flatnonzero(terminated).tolist():
            single.reset()
            _, reward, *_ = single.step(actions[row])
            assert infos["episode"]["r"][row] == pytest.approx(reward, rel=1e-6)
            assert infos["episode"]["l"][row] == 1
            episodes += 1
    assert episodes == 20
