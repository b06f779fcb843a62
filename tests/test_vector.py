"""The native vector environment equals single environments, step for step."""

import copy
import pickle
import warnings
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from contracts import CELL, IDS, NET
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from hwnas_env.errors import (
    EpisodeEndedError,
    InvalidActionError,
    InvalidArgumentError,
    InvalidGenotypeError,
    UnknownNameError,
)

MODES = pytest.mark.parametrize("mode", ["construct", "mutate", "joint"])
SAME_STEP, NEXT_STEP, DISABLED = (
    AutoresetMode.SAME_STEP,
    AutoresetMode.NEXT_STEP,
    AutoresetMode.DISABLED,
)
COUNTS = ("queries", "unique_queries")
"""A vector's ledger counts over all rows, so these differ from single ones."""


def native(env_id: str, count: int, **keywords: Any) -> Any:
    return gym.make_vec(f"hwnas_env:{env_id}", count, **keywords)


def sync(
    env_id: str, count: int, *, autoreset: AutoresetMode = SAME_STEP, **keywords: Any
) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return gym.make_vec(
            f"hwnas_env:{env_id}",
            count,
            vectorization_mode="sync",
            vector_kwargs={"autoreset_mode": autoreset},
            **keywords,
        )


def listed(column: Any) -> Any:
    """A column of info as one array; joint's masks are tuples of arrays, a row each.

    Where positions have fewer choices than others, -1 stands for those there are not.
    """
    if column.dtype != object:
        return column
    width = max(len(part) for row in column for part in row)
    return np.array(
        [
            [np.pad(p, (0, width - len(p)), constant_values=-1) for p in row]
            for row in column
        ]
    )


def some_actions(infos: dict[str, Any], rng: np.random.Generator) -> Any:
    """Random actions, most of them those that the masks allow."""
    mask = listed(infos["action_mask"])
    ignores = rng.random(len(mask)) < 0.1  # somebody ignores the mask
    allowed = np.where(ignores.reshape(-1, *[1] * (mask.ndim - 1)), mask >= 0, mask > 0)
    weights = allowed * rng.random(mask.shape)
    return weights.argmax(axis=-1)


def assert_same_infos(ours: dict[str, Any], theirs: dict[str, Any], rows: Any) -> None:
    assert set(ours) == set(theirs)
    for key, value in theirs.items():
        if key in ("final_obs", "final_info", *COUNTS):
            continue
        assert (listed(ours[key][rows]) == listed(value[rows])).all(), key
        if not key.startswith("_"):
            assert ours[key].dtype == value.dtype, key


def assert_equal_play(
    env_id: str,
    count: int,
    steps: int,
    *,
    autoreset: AutoresetMode = SAME_STEP,
    **keywords: Any,
) -> None:
    """Drives both with the same actions, and compares all that they say.

    Where autoreset is disabled, rows that ended are reset at once.
    """
    ours = native(env_id, count, autoreset_mode=autoreset, **keywords)
    theirs = sync(env_id, count, autoreset=autoreset, **keywords)
    assert ours.metadata["autoreset_mode"] is ours.autoreset_mode is autoreset
    assert ours.single_observation_space == theirs.single_observation_space
    assert ours.single_action_space == theirs.single_action_space
    assert ours.observation_space == theirs.observation_space
    rng = np.random.default_rng(7)
    (observation, infos), (expected, their_infos) = (
        envs.reset(seed=11) for envs in (ours, theirs)
    )
    assert (observation == expected).all()
    assert_same_infos(infos, their_infos, slice(None))
    ends = 0
    for _ in range(steps):
        actions = some_actions(infos, rng)
        *step, infos = ours.step(actions)
        *their_step, their_infos = theirs.step(actions)
        for one, other in zip(step, their_step, strict=True):
            assert one.shape == other.shape
            assert (one == other).all()
        assert step[0].dtype == np.float32
        assert_same_infos(infos, their_infos, slice(None))
        ended = step[2] | step[3]
        ends += int(ended.sum())
        if autoreset is DISABLED and ended.any():
            (observation, infos), (expected, their_infos) = (
                envs.reset(options={"reset_mask": ended.copy()})
                for envs in (ours, theirs)
            )
            assert (observation == expected).all()
            assert_same_infos(infos, their_infos, np.flatnonzero(ended))
            for key in their_infos:
                if key.startswith("_"):
                    assert (infos[key] == their_infos[key]).all(), key
        if autoreset is SAME_STEP and ended.any():
            rows = np.flatnonzero(ended)
            assert (infos["_final_obs"] == ended).all()
            for row in rows:
                final = their_infos["final_obs"][row]
                assert (infos["final_obs"][row] == final).all()
            assert_same_infos(infos["final_info"], their_infos["final_info"], rows)
        flat = listed(infos["action_mask"]).reshape(count, -1)
        masks = flat[:, flat[0] >= 0].astype(bool)
        assert (ours.unwrapped.action_masks() == masks).all()
    assert ends >= count


@pytest.mark.parametrize("autoreset", [NEXT_STEP, DISABLED])
@pytest.mark.parametrize(
    "keywords", [{}, {"budget": "sampled"}, {"accuracy": "sampled"}], ids=str
)
@pytest.mark.parametrize("env_id", [CELL, NET])
@MODES
def test_rows_equal_single_environments_in_other_autoreset_modes(
    mode: str, env_id: str, keywords: dict[str, Any], autoreset: AutoresetMode
) -> None:
    if env_id == NET and "accuracy" in keywords:
        keywords = {"accuracy": "noisy-3"}
    if mode == "mutate":
        keywords = {**keywords, "horizon": 5}
    steps = 50 if env_id == NET else 16
    assert_equal_play(env_id, 4, steps, mode=mode, autoreset=autoreset, **keywords)


@IDS
@MODES
def test_rows_equal_single_environments(env_id: str, mode: str) -> None:
    steps = 50 if "FBNet" in env_id else 14
    assert_equal_play(env_id, 4, steps, mode=mode)


@pytest.mark.parametrize("env_id", [CELL, NET])
@MODES
@pytest.mark.parametrize(
    "keywords",
    [
        {"budget": "sampled"},
        {"budget": "tight", "reward": "tunas_absolute"},
        {"reward": f"{__name__}:half", "budget": "sampled"},
        {"metric": "energy_mj"},
    ],
)
def test_rows_equal_single_ones_under_other_keywords(
    env_id: str, mode: str, keywords: dict[str, Any]
) -> None:
    if "metric" in keywords:
        env_id = env_id.replace("EdgeTPU", "Eyeriss")
    assert_equal_play(env_id, 5, 50 if "FBNet" in env_id else 14, mode=mode, **keywords)


def half(accuracy: Any, cost: Any, budget: float) -> Any:
    return accuracy * np.where(cost <= budget, 1.0, 0.5)


@MODES
def test_drawn_accuracies_are_those_of_single_environments(mode: str) -> None:
    for budget in ("medium", "sampled"):
        keywords = {"accuracy": "sampled", "budget": budget}
        assert_equal_play(CELL, 6, 30, mode=mode, **keywords)


def test_blocks_of_draws_go_on_where_the_last_one_ended() -> None:
    assert_equal_play(CELL, 2, 700, mode="mutate", horizon=1, budget="sampled")


def test_vector_rewards_equal_those_of_single_environments() -> None:
    for env_id in (CELL, NET):
        length = 22 if env_id == NET else 6
        names = ("accuracy", "latency_ms", "parameters_m")[: 2 if env_id == NET else 3]
        envs = native(env_id, 3, objectives=names)
        singles = [gym.make(env_id, objectives=names) for _ in range(3)]
        envs.reset(seed=0)
        for env in singles:
            env.reset(seed=0)
        rng = np.random.default_rng(0)
        assert envs.unwrapped.reward_dim == len(names)
        assert envs.unwrapped.reward_space == singles[0].unwrapped.reward_space
        for step in range(length):
            actions = rng.integers(0, 5, 3)
            _, rewards, terminated, *_ = envs.step(actions)
            expected = [
                env.step(int(action))[1]
                for env, action in zip(singles, actions, strict=True)
            ]
            assert (rewards == np.array(expected)).all()
            assert terminated.all() == (step == length - 1)
        ours, theirs = envs.unwrapped.pareto_front(0.9), singles[0].unwrapped
        assert (np.array(ours) == np.array(theirs.pareto_front(0.9))).all()


@MODES
def test_a_ledger_is_charged_in_the_order_of_the_rows(mode: str) -> None:
    envs = native(CELL, 4, mode=mode, max_queries=6)
    _, infos = envs.reset(seed=0)
    rng = np.random.default_rng(1)
    seen: set[bytes] = set()
    queries = 0
    for _ in range(30):
        actions = some_actions(infos, rng)
        _, rewards, terminated, truncated, infos = envs.step(actions)
        ended = terminated | truncated
        # what the step's rows say, those that ended before they were started anew
        said = dict(infos)
        if ended.any():
            final = infos["final_info"]
            for key in ("evaluated", "queries", "unique_queries", "budget_exhausted"):
                said[key] = np.where(ended, final[key], infos[key])
            said["genotype"] = np.where(
                ended[:, None], final["genotype"], infos["genotype"]
            )
        for row in range(4):
            if said["evaluated"][row]:
                queries += 1
                seen.add(said["genotype"][row].tobytes())
            assert said["queries"][row] == queries
            assert said["unique_queries"][row] == len(seen)
            assert said["budget_exhausted"][row] == (queries == 6) or queries < 6
            if queries == 6 and not said["evaluated"][row]:
                assert rewards[row] == 0.0
        if queries == 6 and not said["evaluated"].any():
            assert truncated.all()
            assert not terminated.any()
    assert queries == 6
    assert envs.unwrapped.ledger.exhausted


def test_resets_take_options_and_masks_of_rows() -> None:
    envs = native(NET, 3)
    _, infos = envs.reset(seed=0, options={"budget": 5.0, "genotype": [0, 3]})
    assert infos["budget"].tolist() == [5.0] * 3
    assert infos["genotype"][:, :3].tolist() == [[0, 3, -1]] * 3
    envs.step(np.array([1, 2, 3]))
    mask = np.array([False, True, False])
    observation, infos = envs.reset(options={"reset_mask": mask})
    assert infos["genotype"][:, 2].tolist() == [1, -1, 3]
    assert infos["genotype"][1].tolist() == [-1] * 22
    medium = envs.unwrapped.problem.budget("medium")
    assert infos["budget"].tolist() == [5.0, medium, 5.0]
    single = gym.make(NET)
    expected, _ = single.reset()
    assert (observation[1] == expected).all()
    for _ in range(18):
        _, _, terminated, _, infos = envs.step(np.zeros(3, dtype=int))
    assert terminated.tolist() == [False] * 3
    _, _, terminated, _, infos = envs.step(np.zeros(3, dtype=int))
    assert terminated.tolist() == [True, False, True]
    assert infos["genotype"][1, 19:].tolist() == [-1, -1, -1]
    assert infos["budget"].tolist() == [medium] * 3
    with pytest.raises(InvalidArgumentError, match="reset_mask"):
        envs.reset(options={"reset_mask": np.array([True])})


def test_a_start_holds_for_all_rows_or_is_one_a_row() -> None:
    envs = native(CELL, 2, mode="mutate")
    _, infos = envs.reset(options={"genotype": [1] * 6})
    assert infos["genotype"].tolist() == [[1] * 6] * 2
    _, infos = envs.reset(options={"genotype": [[1] * 6, [3] * 6]})
    assert infos["genotype"].tolist() == [[1] * 6, [3] * 6]
    with pytest.raises(InvalidArgumentError, match="one for all or 2"):
        envs.reset(options={"genotype": [[1] * 6] * 3})
    with pytest.raises(InvalidGenotypeError):
        envs.reset(options={"genotype": [[9] * 6]})
    with pytest.raises(InvalidArgumentError, match="all positions at once"):
        native(CELL, 2, mode="joint").reset(options={"genotype": [1] * 6})
    with pytest.raises(InvalidActionError, match="at most 5"):
        native(CELL, 2).reset(options={"genotype": [1] * 6})
    with pytest.raises(InvalidActionError, match="from 0 to 4"):
        native(CELL, 2).reset(options={"genotype": [7]})


def test_what_is_handed_out_is_the_callers_own() -> None:
    for env_id, mode in ((CELL, "construct"), (NET, "construct"), (NET, "mutate")):
        envs, twin = native(env_id, 2, mode=mode), native(env_id, 2, mode=mode)
        for one in (envs, twin):
            observation, infos = one.reset(seed=0)
        for _ in range(8):
            for one in (envs, twin):
                observation, *_, infos = one.step(np.array([1, 2]))
                kept = {key: np.copy(value) for key, value in infos.items()}
                if one is envs:
                    observation[:] = 9.0
                    for value in infos.values():
                        if isinstance(value, np.ndarray) and value.flags.writeable:
                            value[:] = 1
                else:
                    expected = kept
            for key in ("genotype", "action_mask", "budget", "completable"):
                assert (kept[key] == expected[key]).all()


@MODES
def test_copies_and_pickles_go_on_alike(mode: str) -> None:
    for env_id in (CELL, NET):
        envs = native(env_id, 3, mode=mode, budget="sampled", max_queries=20)
        _, infos = envs.reset(seed=2)
        rng = np.random.default_rng(0)
        *_, infos = envs.step(some_actions(infos, rng))
        twins = [copy.deepcopy(envs), pickle.loads(pickle.dumps(envs))]
        for _ in range(25):
            actions = some_actions(infos, rng)
            observation, rewards, *_, infos = envs.step(actions)
            for twin in twins:
                other = twin.step(actions)
                assert (other[0] == observation).all()
                assert (other[1] == rewards).all()
                assert (other[-1]["queries"] == infos["queries"]).all()


@pytest.mark.parametrize(
    "actions",
    [[0, 1], [0, 1, 5], [0, 1, -1], [0.0, 1.0, 2.0], None, 3, [[0], [1], [2]]],
)
def test_wrong_actions_move_no_row(actions: Any) -> None:
    for env_id in (CELL, NET.replace("EdgeTPU", "FPGA")):
        envs = native(env_id, 3)
        envs.reset(seed=0)
        wrong = [0, 1, 9] if actions == [0, 1, 5] else actions
        with pytest.raises(InvalidActionError, match="expected 3 actions from 0"):
            envs.step(wrong)
        *_, infos = envs.step(np.array([1, 1, 1]))
        assert (infos["genotype"][:, 1] == -1).all()


def test_wrong_keywords_have_their_own_errors() -> None:
    for count in (0, -1, 2.5, True, 2**63):
        with pytest.raises(InvalidArgumentError, match="num_envs"):
            native(CELL, count)
    with pytest.raises(UnknownNameError, match="did you mean 'mutate'"):
        native(CELL, 2, mode="mutation")
    with pytest.raises(InvalidArgumentError, match="horizon"):
        native(CELL, 2, horizon=3)
    with pytest.raises(InvalidArgumentError, match="not drawn"):
        native(CELL, 2, render_mode="ansi")
    with pytest.raises(UnknownNameError, match="did you mean 'budget'"):
        native(CELL, 2).reset(options={"budgets": 3.0})
    with pytest.raises(InvalidArgumentError, match="seed"):
        native(CELL, 2).reset(seed=[1, 2, 3])
    envs = native(CELL, 2)
    for call in (lambda: envs.step(np.zeros(2, int)), envs.unwrapped.action_masks):
        with pytest.raises(EpisodeEndedError, match="reset"):
            call()


def test_a_seeded_reset_seeds_the_generator_that_users_draw_from() -> None:
    envs, others = native(CELL, 2, budget="sampled"), native(CELL, 2, budget="sampled")
    envs.reset(seed=5)
    others.reset(seed=[5, 9])
    assert envs.np_random_seed == others.np_random_seed == 5
    draws = envs.np_random.random(3).tolist()
    assert others.np_random.random(3).tolist() == draws
    wrapped = gym.wrappers.vector.RecordEpisodeStatistics(others)
    budgets = wrapped.reset(seed=5)[1]["budget"].tolist()
    assert wrapped.np_random.random(3).tolist() == draws
    # a reset without a seed, or of other rows, goes on where it was
    for seed, mask in ((None, [True, True]), (7, [False, True])):
        envs.reset(seed=seed, options={"reset_mask": np.array(mask)})
        assert envs.np_random_seed == 5
    assert envs.np_random.random() not in draws
    envs.reset(seed=7, options={"reset_mask": np.array([True, False])})
    assert envs.np_random_seed == 7
    # what users draw does not move the rows
    assert envs.reset(seed=5)[1]["budget"].tolist() == budgets
    assert envs.reset(seed=np.int64(5))[1]["budget"].tolist() == budgets


def test_keywords_of_gymnasiums_make_are_said_to_be_of_single_environments() -> None:
    for name, value in (("max_episode_steps", 3), ("disable_env_checker", True)):
        with pytest.raises(InvalidArgumentError, match=f"{name}.*sync") as caught:
            native(CELL, 2, **{name: value})
        assert "max_queries" not in str(caught.value)
        assert sync(CELL, 2, **{name: value}).num_envs == 2
    for made in (
        lambda: native(CELL, 2, max_steps=3),
        lambda: gym.make(CELL, max_steps=3),
    ):
        with pytest.raises(UnknownNameError, match="length of an episode"):
            made()


@pytest.mark.parametrize(
    ("came", "meant"),
    [
        *(("max_query", "max_queries"), ("buget", "budget"), ("modes", "mode")),
        *(("render", "render_mode"), ("horizn", "horizon")),
    ],
)
def test_misspelt_keywords_are_told_what_is_meant(came: str, meant: str) -> None:
    for made in (gym.make, lambda name, **given: gym.make_vec(name, 2, **given)):
        with pytest.raises(UnknownNameError, match=f"did you mean '{meant}'") as caught:
            made(CELL, **{came: 1})
        assert isinstance(caught.value, TypeError)  # as Python's own error is
    for came, meant in (("n_envs", "num_envs"), ("autoreset", "autoreset_mode")):
        with pytest.raises(UnknownNameError, match=f"did you mean '{meant}'"):
            native(CELL, 2, **{came: 1})
    with pytest.raises(UnknownNameError) as caught:
        native(CELL, 2, seed=3)
    assert "did you mean" not in str(caught.value)


def test_specs_make_the_same_environments() -> None:
    envs = native(NET, 3, mode="mutate", budget="loose", objectives=["accuracy"])
    again = gym.make_vec(gym.envs.registration.EnvSpec.from_json(envs.spec.to_json()))
    assert again.num_envs == 3
    assert again.spec.kwargs == envs.spec.kwargs
    ours, theirs = envs.reset(seed=4), again.reset(seed=4)
    assert (ours[0] == theirs[0]).all()
    assert isinstance(sync(CELL, 2), SyncVectorEnv)
    assert not isinstance(envs, SyncVectorEnv)


def test_gymnasiums_vector_wrappers_hold() -> None:
    envs = gym.wrappers.vector.RecordEpisodeStatistics(native(CELL, 4))
    envs.reset(seed=0)
    for _ in range(6):
        *_, infos = envs.step(np.full(4, 1))
    assert infos["episode"]["l"].tolist() == [6] * 4
    dictionary = gym.wrappers.vector.DictInfoToList(native(CELL, 2))
    _, rows = dictionary.reset(seed=0)
    assert rows[0]["budget"] == rows[1]["budget"]
