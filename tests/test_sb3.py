"""The Stable-Baselines3 adapter does what DummyVecEnv does, and masks."""

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from contracts import CELL, NET
from sb3_contrib import MaskablePPO
from sb3_contrib.common.maskable.utils import get_action_masks, is_masking_supported
from stable_baselines3 import DQN, PPO
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import DummyVecEnv, VecMonitor, VecNormalize

from hwnas_env import wrappers
from hwnas_env.errors import InvalidArgumentError
from hwnas_env.wrappers.sb3 import SB3VecEnv


def adapted(env_id: str, count: int, **keywords: Any) -> SB3VecEnv:
    return SB3VecEnv(gym.make_vec(f"hwnas_env:{env_id}", count, **keywords))


@pytest.mark.parametrize("env_id", [CELL, NET])
@pytest.mark.parametrize("mode", ["construct", "mutate", "joint"])
def test_steps_equal_those_of_a_dummy_vector(env_id: str, mode: str) -> None:
    keywords = {"mode": mode, "budget": "sampled"}
    ours = adapted(env_id, 3, **keywords)
    theirs = DummyVecEnv(
        [lambda: Monitor(gym.make(f"hwnas_env:{env_id}", **keywords))] * 3
    )
    ours.seed(5)
    theirs.seed(5)
    assert (ours.reset() == theirs.reset()).all()
    rng = np.random.default_rng(0)
    ends = 0
    for _ in range(50):
        masks = get_action_masks(ours)
        assert (masks == get_action_masks(theirs)).all()
        if mode == "joint":
            shape = (3, len(ours.action_space.nvec))  # type: ignore[attr-defined]
            actions = rng.integers(0, 5, shape)
        else:
            weights = masks * rng.random(masks.shape)
            actions = weights.argmax(axis=1)
        observation, rewards, dones, infos = ours.step(actions)
        expected = theirs.step(actions)
        assert (observation == expected[0]).all()
        assert rewards == pytest.approx(expected[1])
        assert rewards.dtype == np.float32
        assert (dones == expected[2]).all()
        for row, info in enumerate(expected[3]):
            mine = infos[row]
            assert set(mine) == set(info)
            for key, value in info.items():
                if key == "episode":
                    assert mine[key]["l"] == value["l"]
                    assert mine[key]["r"] == pytest.approx(value["r"], abs=1e-5)
                elif key not in ("queries", "unique_queries"):
                    assert np.array_equal(mine[key], value), key
                    assert type(mine[key]) is type(value), key
        ends += int(dones.sum())
    assert ends >= 3


def test_infos_are_plain_dictionaries() -> None:
    envs = adapted(CELL, 4)
    envs.reset()
    for _ in range(6):
        *_, dones, infos = envs.step(np.full(4, 1))
        assert [type(row) for row in infos] == [dict] * 4
        assert [type(row) for row in envs.reset_infos] == [dict] * 4
    assert dones.all()
    assert len(infos) == 4
    assert infos[-1]["accuracy_percent"] == infos[0]["accuracy_percent"]
    assert [row["episode"]["l"] for row in infos] == [6] * 4
    row = infos[0]
    assert row.get("nothing", 7) == 7
    assert "final_obs" not in row
    assert "_cost" not in row
    row["mine"] = 1
    assert infos[0]["mine"] == 1
    assert "mine" not in infos[1]
    del row["mine"], row["cost"]
    assert "cost" not in infos[0]
    assert "cost" in infos[1]
    assert len(infos[1:3]) == 2
    with pytest.raises(IndexError):
        infos[4]


@pytest.mark.parametrize("mode", ["NEXT_STEP", "DISABLED"])
def test_other_autoreset_modes_are_refused_by_name(mode: str) -> None:
    envs: Any = gym.make_vec(CELL, 2, autoreset_mode=mode)
    with pytest.raises(InvalidArgumentError, match=f"SAME_STEP.*with {mode}"):
        SB3VecEnv(wrappers.HardMask(envs))


def test_learners_learn_on_it() -> None:
    envs = adapted(CELL, 8)
    assert is_masking_supported(envs)
    model = MaskablePPO("MlpPolicy", envs, n_steps=12, batch_size=96, seed=0)
    model.learn(96 * 3)
    assert len(model.ep_info_buffer or ()) > 0
    mean, _ = evaluate_policy(
        PPO("MlpPolicy", envs, n_steps=12, batch_size=96, seed=0).learn(96),
        adapted(CELL, 2),
        n_eval_episodes=4,
    )
    assert 0 <= mean <= 1
    DQN("MlpPolicy", envs, learning_starts=16, train_freq=4, seed=0).learn(64)
    normalised = VecNormalize(adapted(NET, 4))
    PPO("MlpPolicy", normalised, n_steps=44, batch_size=44, seed=0).learn(176)
    with pytest.warns(UserWarning, match="Monitor"):
        monitored = VecMonitor(adapted(CELL, 4))
    PPO("MlpPolicy", monitored, n_steps=12, batch_size=48, seed=0).learn(96)


def test_wrapped_vectors_are_adapted_too() -> None:
    vector: Any = gym.make_vec(CELL, 4, objectives=("accuracy", "latency_ms"))
    with pytest.raises(InvalidArgumentError, match="reward of one number"):
        SB3VecEnv(vector)
    drawn: Any = wrappers.WeightedSum(vector, weights="sampled")
    envs = SB3VecEnv(drawn)
    envs.seed(0)
    assert envs.reset().shape == (4, 40)
    MaskablePPO("MlpPolicy", envs, n_steps=12, batch_size=48, seed=0).learn(96)
    dictionary: Any = wrappers.DictObservation(gym.make_vec(CELL, 4))
    model = PPO(
        "MultiInputPolicy", SB3VecEnv(dictionary), n_steps=12, batch_size=48, seed=0
    )
    model.learn(96)


def test_attributes_and_options_are_those_of_all_rows() -> None:
    envs = adapted(CELL, 3)
    assert envs.get_attr("num_envs", [0, 1]) == [3, 3]
    assert envs.has_attr("action_masks")
    assert not envs.has_attr("nothing")
    with pytest.raises(InvalidArgumentError, match="share attributes"):
        envs.set_attr("mine", 1, indices=[0])
    envs.set_attr("mine", 1)
    assert envs.get_attr("mine") == [1, 1, 1]
    envs.set_options({"budget": "tight"})
    envs.reset()
    tight = envs.get_attr("problem")[0].budget("tight")
    assert envs.reset_infos[1]["budget"] == tight
    envs.set_options([{"budget": "tight"}, {}, {}])
    with pytest.raises(InvalidArgumentError, match="same options"):
        envs.reset()
    masks = adapted(NET, 3)
    masks.reset()
    assert len(masks.env_method("action_masks", indices=[1])) == 1
    assert masks.env_is_wrapped(Monitor) == [True] * 3
    assert masks.env_is_wrapped(gym.wrappers.TimeLimit) == [False] * 3
    assert masks.get_images() == [None] * 3
    masks.close()


def test_foreign_vectors_are_refused() -> None:
    for envs in (gym.make_vec("CartPole-v1", 2), gym.make(CELL)):
        with pytest.raises(InvalidArgumentError, match="SAME_STEP"):
            SB3VecEnv(envs)  # type: ignore[arg-type]


@pytest.mark.parametrize("outside", [True, False])
def test_statistics_of_rows_that_end_apart_are_given_a_row_each(outside: bool) -> None:
    made = gym.make_vec(CELL, 3, budget="tight")
    counted = gym.wrappers.vector.RecordEpisodeStatistics
    wrapped: Any = (
        counted(wrappers.EarlyTermination(made))
        if outside
        else wrappers.EarlyTermination(counted(made))
    )
    PPO("MlpPolicy", SB3VecEnv(wrapped), n_steps=16, batch_size=16).learn(200)
    envs, rng, episodes = SB3VecEnv(wrapped), np.random.default_rng(0), 0
    envs.reset()
    for _ in range(60):
        _, _, dones, infos = envs.step(rng.integers(0, 5, 3))
        for row, info in enumerate(infos):
            assert ("episode" in info) == bool(dones[row])
            episodes += dones[row]
    assert episodes > 20
