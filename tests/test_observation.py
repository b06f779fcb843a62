"""Observations with their masks, in single and in vector environments."""

import json
from functools import partial
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from contracts import CELL, NET, make
from gymnasium.envs.registration import EnvSpec
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode

from hwnas_env import wrappers
from hwnas_env.envs.modes import MODES
from hwnas_env.errors import InvalidArgumentError
from hwnas_env.wrappers import DictObservation

pytestmark = pytest.mark.filterwarnings("ignore:.*different from the unwrapped")


def make_vec(env_id: str, autoreset: AutoresetMode, **keywords: Any) -> Any:
    return gym.make_vec(
        f"hwnas_env:{env_id}",
        num_envs=3,
        vectorization_mode="sync",
        vector_kwargs={"autoreset_mode": autoreset},
        **keywords,
    )


def assert_equal(one: Any, other: Any) -> None:
    """Compares nested dictionaries and arrays, object arrays of dictionaries too."""
    assert type(one) is type(other)
    if isinstance(one, dict):
        assert one.keys() == other.keys()
        for key in one:
            assert_equal(one[key], other[key])
    elif isinstance(one, tuple) or getattr(one, "dtype", "") == "object":
        for left, right in zip(one, other, strict=True):
            assert_equal(left, right)
    else:
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("env_id", [CELL, NET])
def test_the_mask_is_observed_in_every_mode(env_id: str, mode: str) -> None:
    env = DictObservation(make(env_id, mode=mode, budget="tight"))
    check_env(env, skip_render_check=True)
    plain = make(env_id, mode=mode, budget="tight")
    seen, info = env.reset(seed=3)
    expected, _ = plain.reset(seed=3)
    plain.action_space.seed(0)
    done = False
    while not done:
        assert env.observation_space.contains(seen)
        assert (seen["observations"] == expected).all()
        assert (seen["action_mask"] == info["action_mask"]).all()
        flat = seen["action_mask"].reshape(-1).astype(bool)
        assert (flat == env.unwrapped.action_masks()).all()
        action = plain.action_space.sample()
        expected, *_ = plain.step(action)
        seen, _, terminated, truncated, info = env.step(action)
        done = terminated or truncated
    shape = {"joint": (len(info["genotype"]), -1)}.get(mode, (-1,))
    assert seen["action_mask"].shape == seen["action_mask"].reshape(shape).shape


FORMS: list[dict[str, Any]] = [
    {"keys": ("obs", "mask")},
    {"dtype": bool},
    {"dtype": "int8", "flat": True},
    {"keys": ["a", "b"], "dtype": np.bool_, "flat": True},
]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("form", FORMS, ids=str)
def test_keys_type_and_shape_of_the_mask_are_chosen(
    form: dict[str, Any], mode: str
) -> None:
    def wrap(env: Any) -> Any:
        return DictObservation(env, **form)

    key, mask_key = form.get("keys", ("observations", "action_mask"))
    keywords = {"mode": mode, "budget": "tight"}
    env = wrap(make(CELL, **keywords))
    check_env(env, skip_render_check=True)
    again = gym.make(EnvSpec.from_json(env.spec.to_json()))
    assert again.observation_space == env.observation_space
    seen, info = env.reset(seed=1)
    assert_equal(again.reset(seed=1), (seen, info))
    assert set(seen) == {key, mask_key}
    expected = np.array(info["action_mask"]).astype(form.get("dtype", np.int8))
    if form.get("flat"):
        assert (seen[mask_key] == env.unwrapped.action_masks()).all()
        expected = expected.reshape(-1)
    np.testing.assert_array_equal(seen[mask_key], expected, strict=True)
    space = env.observation_space[mask_key]
    assert isinstance(space, gym.spaces.Box)
    assert (space.shape, space.dtype) == (expected.shape, expected.dtype)
    envs = wrap(gym.make_vec(f"hwnas_env:{CELL}", 2, **keywords))
    envs.action_space.seed(0)
    rows, _ = envs.reset(seed=1)
    assert envs.observation_space.contains(rows)
    assert (rows[mask_key][0] == seen[mask_key]).all()
    for _ in range(7):
        rows, *_, infos = envs.step(envs.action_space.sample())
        assert envs.observation_space.contains(rows)
        for final in infos.get("final_obs", []):
            assert env.observation_space.contains(final)


@pytest.mark.parametrize(
    "form",
    [
        {"keys": "ab"},
        {"keys": ("a",)},
        {"keys": ("a", "a")},
        {"keys": ("a", 1)},
        {"keys": 5},
        {"dtype": "float"},
        {"dtype": None},
        {"dtype": "nothing"},
        {"flat": 1},
        {"flat": None},
    ],
    ids=str,
)
def test_wrong_forms_of_the_mask_are_refused(form: dict[str, Any]) -> None:
    for made in (make(CELL), gym.make_vec(f"hwnas_env:{CELL}", 2)):
        with pytest.raises(InvalidArgumentError, match=next(iter(form))):
            DictObservation(made, **form)  # type: ignore[arg-type]


def test_changing_what_was_observed_changes_nothing() -> None:
    env = DictObservation(make(CELL, budget="tight"))
    seen, info = env.reset(seed=0)
    before = info["action_mask"].copy()
    seen["action_mask"][:] = 7
    assert (info["action_mask"] == before).all()
    assert (env.unwrapped.action_masks() == before).all()


def test_stacks_with_constraints_go_through_json() -> None:
    env: Any = wrappers.LagrangianReward(make(CELL), observe=True)
    env = wrappers.PenaltyReward(wrappers.HardMask(DictObservation(env)))
    env = wrappers.EarlyTermination(env)
    check_env(env, skip_render_check=True)
    text = env.spec.to_json()
    again = gym.make(EnvSpec.from_json(text))
    assert json.loads(again.spec.to_json()) == json.loads(text)
    for one in (env, again):
        one.reset(seed=1)
    assert_equal(env.step(2), again.step(2))


@pytest.mark.parametrize("autoreset", AutoresetMode)
@pytest.mark.parametrize("mode", MODES)
def test_vector_environments_observe_what_single_ones_do(
    mode: str, autoreset: AutoresetMode
) -> None:
    whole = DictObservation(make_vec(CELL, autoreset, mode=mode))
    parts = make_vec(CELL, autoreset, mode=mode, wrappers=[DictObservation])
    assert whole.observation_space == parts.observation_space
    assert whole.single_observation_space == parts.single_observation_space
    assert_equal(whole.reset(seed=5), parts.reset(seed=5))
    parts.action_space.seed(0)
    finals = 0
    for _ in range(20):
        actions = parts.action_space.sample()
        ours, theirs = whole.step(actions), parts.step(actions)
        assert_equal(ours, theirs)
        assert whole.observation_space.contains(ours[0])
        finals += "final_obs" in ours[4]
        if autoreset is AutoresetMode.DISABLED and (ours[2] | ours[3]).all():
            assert_equal(whole.reset(), parts.reset())
    assert (finals > 0) == (autoreset is AutoresetMode.SAME_STEP)


class _Batched(gym.vector.VectorWrapper):
    """Gives ``final_obs`` as one float array, as a native vector environment may."""

    def step(self, actions: Any) -> Any:
        *step, infos = self.env.step(actions)
        if "final_obs" in infos:
            rows = infos["final_obs"]
            size = self.single_observation_space.shape
            array = np.array([np.zeros(size) if r is None else r for r in rows])
            infos = {**infos, "final_obs": array}
        return *step, infos


def test_final_observations_may_come_as_one_array() -> None:
    inner = make_vec(CELL, AutoresetMode.SAME_STEP, mode="mutate", horizon=2)
    envs = DictObservation(_Batched(inner))
    envs.reset(seed=0)
    envs.step(np.array([0, 7, 14]))
    seen, *_, infos = envs.step(np.array([1, 8, 16]))
    assert infos["_final_obs"].all()
    for row, final in enumerate(infos["final_obs"]):
        assert final["observations"].shape == seen["observations"][row].shape
        mask = infos["final_info"]["action_mask"][row]
        assert (final["action_mask"] == mask).all()


def test_a_partial_reset_keeps_the_masks_of_the_other_rows() -> None:
    envs = DictObservation(make_vec(NET, AutoresetMode.DISABLED, budget="tight"))
    envs.reset(seed=0)
    for _ in range(6):
        before, *_ = envs.step(np.array([7, 4, 8]))
    rows = np.array([True, False, False])
    seen, _ = envs.reset(options={"reset_mask": rows})
    assert (seen["action_mask"][1:] == before["action_mask"][1:]).all()
    assert (before["action_mask"][1:] == 0).any()
    fresh = DictObservation(make(NET, budget="tight")).reset()[0]
    assert (seen["action_mask"][0] == fresh["action_mask"]).all()


def test_environments_without_a_mask_are_refused() -> None:
    with pytest.raises(InvalidArgumentError, match="Discrete"):
        DictObservation(gym.make("Pendulum-v1"))
    with pytest.raises(InvalidArgumentError, match="action_mask"):
        DictObservation(gym.make("CartPole-v1")).reset()


def test_vectors_of_wrapped_environments_are_made_by_name() -> None:
    stack = [DictObservation, partial(wrappers.PenaltyReward, coefficient=2.0)]
    envs = make_vec(CELL, AutoresetMode.SAME_STEP, wrappers=stack)
    seen, _ = envs.reset(seed=0)
    assert seen["action_mask"].shape == (3, 5)
