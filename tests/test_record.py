"""Recordings: written, cut, read, replayed and exported."""

import copy
import json
import math
import pickle
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from contracts import CELL, NET, make
from gymnasium.envs.registration import EnvSpec
from gymnasium.utils.env_checker import check_env

from hwnas_env import wrappers
from hwnas_env.data import older
from hwnas_env.errors import (
    DataMissingError,
    ForeignFileError,
    InvalidArgumentError,
    NotSerialisableError,
    TruncatedFileError,
)
from hwnas_env.wrappers.minari_export import to_minari
from hwnas_env.wrappers.observation import DictObservation
from hwnas_env.wrappers.record import TrajectoryRecorder
from hwnas_env.wrappers.recordings import read_trajectories
from hwnas_env.wrappers.replays import replay

Make = Callable[[], gym.Env[Any, Any]]
OBJECTIVES = ("accuracy", "latency_ms")
STACKS: dict[str, Make] = {
    "construct": lambda: make(CELL),
    "sampled budget": lambda: make(NET, budget="sampled"),
    "mutate": lambda: make(CELL, mode="mutate", horizon=4),
    "joint": lambda: make(NET, mode="joint"),
    "vector": lambda: make(CELL, objectives=OBJECTIVES),
    "ledger": lambda: make(CELL, max_queries=2),
    "noise": lambda: make(CELL, accuracy="sampled"),
    "constraints": lambda: wrappers.HardMask(wrappers.LagrangianReward(make(CELL))),
    "archive": lambda: wrappers.HypervolumeImprovement(
        make(CELL, objectives=OBJECTIVES)
    ),
    "masks": lambda: DictObservation(make(CELL, budget="tight")),
}


def play(env: gym.Env[Any, Any], episodes: int, **first: Any) -> list[Any]:
    """Plays uniform actions; returns what reset and step returned."""
    env.action_space.seed(0)
    told = []
    for _ in range(episodes):
        told.append(env.reset(**first))
        first, done = {}, False
        while not done:
            told.append(env.step(env.action_space.sample()))
            done = told[-1][2] or told[-1][3]
    return told


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.jsonl"


@pytest.fixture
def recorded(path: Path) -> Path:
    """Three episodes, the second of which is not deployable."""
    env = TrajectoryRecorder(make(CELL), path)
    for actions in ([3] * 6, [0] * 6, [1, 2, 3, 4, 1, 2]):
        env.reset(seed=4)
        for action in actions:
            env.step(action)
    env.close()
    return path


def edited(path: Path, number: int, **changes: Any) -> Path:
    """Writes a copy with keys of one line changed ("info_x" is ``info.x``)."""
    lines = path.read_text().splitlines()
    line = json.loads(lines[number - 1])
    for key, value in changes.items():
        place = line["info"] if key.startswith("info_") else line
        place[key.removeprefix("info_")] = value
    lines[number - 1] = json.dumps(line)
    copied = path.with_suffix(f".{number}")
    copied.write_text("\n".join(lines) + "\n")
    return copied


@pytest.mark.parametrize("seed", [None, 7])
@pytest.mark.parametrize("name", STACKS)
def test_recordings_replay_to_the_same(name: str, seed: int | None, path: Path) -> None:
    env = TrajectoryRecorder(STACKS[name](), path, observations=True)
    told = play(env, 4, seed=seed)
    again = replay(path)
    assert again.agrees, str(again)
    assert (again.episodes, again.steps) == (4, len(told) - 4)


@pytest.mark.parametrize("name", STACKS)
def test_what_is_read_is_what_was_seen(name: str, path: Path) -> None:
    env = TrajectoryRecorder(STACKS[name](), path, observations=True)
    told = play(env, 3, seed=1)
    episodes = read_trajectories(path)
    assert [episode.number for episode in episodes] == [0, 1, 2]
    assert [episode.seed for episode in episodes] == [1, None, None]
    assert all(episode.complete for episode in episodes)
    row = -1
    for episode in episodes:
        for step in range(len(episode.actions) + 1):
            row += 1
            seen, info = told[row][0], told[row][-1]
            if isinstance(seen, dict):
                for key, value in seen.items():
                    assert (episode.observations[key][step] == value).all()
            else:
                assert (episode.observations[step] == seen).all()
            for key, value in info.items():
                assert np.array_equal(episode.infos[key][step], value), key
            if step:
                assert np.array_equal(episode.rewards[step - 1], told[row][1])
        assert (episode.terminated, episode.truncated) == told[row][2:4]
    assert row == len(told) - 1


def test_lines_are_strict_json_with_infinity_as_a_string(recorded: Path) -> None:
    def refuse(word: str) -> None:
        pytest.fail(f"{word} is no JSON")

    header, *lines = [
        json.loads(text, parse_constant=refuse)
        for text in recorded.read_text().splitlines()
    ]
    assert header["schema"] == "hwnas_env.trajectories"
    assert header["problem"]["columns"]["latency_ms"]["kind"] == "fitted"
    assert {"hwnas_env", "gymnasium", "numpy"} <= header["versions"].keys()
    assert len(lines) == 3 * 7
    assert lines[13]["info"]["latency_ms"] == "inf"
    assert "observation" not in lines[0]
    assert read_trajectories(recorded)[1].infos["latency_ms"][-1] == math.inf


def test_reset_options_are_recorded_and_replayed(path: Path) -> None:
    env = TrajectoryRecorder(make(NET), path)
    prefix = np.array([8, 8, 3] + [-1] * 19, dtype=np.int8)
    env.reset(seed=3, options={"genotype": prefix, "budget": "loose"})
    for _ in range(19):
        env.step(np.int64(2))
    assert read_trajectories(path)[0].options == {
        "genotype": prefix.tolist(),
        "budget": "loose",
    }
    assert replay(path).agrees


def test_an_episode_that_was_left_is_kept_as_incomplete(path: Path) -> None:
    env = TrajectoryRecorder(make(CELL), path)
    for _ in range(2):
        env.reset()
        env.step(1)
    env.close()
    with pytest.warns(UserWarning, match="episode 1 is not complete"):
        episodes = read_trajectories(path)
    assert [episode.complete for episode in episodes] == [False, False]
    with pytest.warns(UserWarning, match="not complete"):
        assert replay(path).agrees


def test_a_file_cut_anywhere_loses_only_its_end(recorded: Path, path: Path) -> None:
    whole = recorded.read_bytes()
    lines = whole.splitlines(keepends=True)
    start = len(b"".join(lines[:15]))  # the third episode
    cut = path.with_name("cut.jsonl")
    for size in range(start + 1, len(whole), 97):
        cut.write_bytes(whole[:size])
        with pytest.warns(UserWarning, match="not complete|not written whole"):
            episodes = read_trajectories(cut)
        assert [e.complete for e in episodes[:2]] == [True, True]
        assert not any(e.complete for e in episodes[2:])


def test_a_killed_process_leaves_whole_episodes(path: Path) -> None:
    code = (
        "import os, sys, gymnasium as gym\n"
        "from hwnas_env.wrappers.record import TrajectoryRecorder\n"
        f"env = TrajectoryRecorder(gym.make('hwnas_env:{CELL}'), sys.argv[1])\n"
        "for steps in (6, 6, 2):\n"
        "    env.reset()\n"
        "    for _ in range(steps): env.step(3)\n"
        "os._exit(9)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], check=False)
    assert done.returncode == 9
    assert [episode.complete for episode in read_trajectories(path)] == [True, True]


def test_corrupt_lines_are_named(recorded: Path) -> None:
    lines = recorded.read_text().splitlines(keepends=True)
    for text, message in (
        (lines[4][:-9] + "\n", "line 5 is no JSON"),
        ("[1]\n", "line 5: expected an object"),
        ('{"episode": 0, "step": 3, "info": {}}\n', "line 5 lacks action, reward"),
        (lines[5], "line 5: expected step 3 of episode 0"),
        (lines[14], "line 5: expected step 3 of episode 0 or a reset"),
        ("\n", "line 5 is no JSON"),
    ):
        broken = recorded.with_name("broken.jsonl")
        broken.write_text("".join([*lines[:4], text, *lines[5:]]))
        with pytest.raises(TruncatedFileError, match=message):
            read_trajectories(broken)


def test_files_that_are_no_recording_are_refused(recorded: Path) -> None:
    other = recorded.with_name("other.jsonl")
    with pytest.raises(DataMissingError, match=r"other\.jsonl"):
        read_trajectories(other)
    for text in ("", "{}\n", "not JSON\n", "\xff"):
        other.write_text(text, encoding="latin-1")
        with pytest.raises(ForeignFileError, match="no recording"):
            read_trajectories(other)
    with pytest.raises(ForeignFileError, match="expected version 1"):
        read_trajectories(edited(recorded, 1, version=2))
    other.write_text(recorded.read_text().replace('"spec"', '"speck"'))
    with pytest.raises(TruncatedFileError, match="line 1 lacks spec"):
        read_trajectories(other)


def test_a_replay_says_exactly_what_differs(recorded: Path) -> None:
    found = replay(edited(recorded, 8, info_latency_ms=1.5, reward=0.25))
    latency = read_trajectories(recorded)[0].infos["latency_ms"][-1]
    assert [(d.line, d.key, d.recorded) for d in found.differences] == [
        (8, "info.latency_ms", 1.5),
        (8, "reward", 0.25),
    ]
    assert found.differences[0].got == latency
    assert "line 8, reward: recorded 0.25" in str(found)
    mask = replay(edited(recorded, 2, info_action_mask=[1, 1, 0, 1, 1]))
    assert [d.key for d in mask.differences] == ["info.action_mask[2]"]
    extra = replay(edited(recorded, 3, info_more=1))
    assert [(d.key, d.got) for d in extra.differences] == [("info.more", "absent")]


def test_a_replay_gives_up_an_episode_that_raises_and_goes_on(recorded: Path) -> None:
    found = replay(edited(recorded, 4, action=9))
    assert [(d.line, d.key) for d in found.differences[:1]] == [(4, "error")]
    assert "0 to 4" in found.differences[0].got
    # one evaluation less than recorded, in all that follows
    assert {d.key for d in found.differences[1:]} <= {
        "info.queries",
        "info.unique_queries",
    }


@pytest.mark.parametrize(
    "change",
    [
        {"entry_point": "subprocess:check_output"},
        {"id": "CartPole-v1"},
        {"kwargs": {"reward": "antigravity:geohash"}},
        {
            "additional_wrappers": [
                {"name": "Any", "entry_point": "subprocess:check_output", "kwargs": {}}
            ]
        },
        {
            "additional_wrappers": [
                {"name": "Any", "entry_point": "antigravity:Any", "kwargs": {}}
            ]
        },
        {"kwargs": 5},
    ],
)
def test_a_recording_cannot_name_code_to_run(
    change: dict[str, Any], recorded: Path
) -> None:
    lines = recorded.read_text().splitlines()
    header = json.loads(lines[0])
    header["spec"] |= change
    recorded.write_text("\n".join([json.dumps(header), *lines[1:]]) + "\n")
    with pytest.raises(ForeignFileError, match=r"spec|not imported"):
        replay(recorded)
    assert "antigravity" not in sys.modules


def test_existing_files_and_bad_places_are_refused(path: Path) -> None:
    path.write_text("mine")
    env = TrajectoryRecorder(make(CELL), path)
    with pytest.raises(InvalidArgumentError, match="not overwritten"):
        env.reset()
    assert path.read_text() == "mine"
    for place in (path / "below.jsonl", path.parent / "none" / "run.jsonl"):
        env = TrajectoryRecorder(make(CELL), place)
        with pytest.raises(InvalidArgumentError, match="cannot record to"):
            env.reset()
    for name in (5, "a\0b", "\ud800"):
        with pytest.raises(InvalidArgumentError, match="path: expected"):
            TrajectoryRecorder(make(CELL), name)  # type: ignore[arg-type]


def own_reward(accuracy: Any, cost: Any, budget: float) -> Any:
    return accuracy - cost / budget


def test_what_cannot_be_made_again_is_refused_by_name(path: Path) -> None:
    with pytest.raises(NotSerialisableError, match="reward is a function"):
        TrajectoryRecorder(make(CELL, reward=own_reward), path)
    clipped = gym.wrappers.TransformReward(make(CELL), lambda reward: reward)
    with pytest.raises(
        NotSerialisableError, match=r"TransformReward cannot be recorded.*func"
    ):
        TrajectoryRecorder(clipped, path)
    with pytest.raises(NotSerialisableError, match="Wrapper does not say"):
        TrajectoryRecorder(gym.Wrapper(make(CELL)), path)
    with pytest.raises(NotSerialisableError, match="no spec"):
        TrajectoryRecorder(
            gym.Wrapper(type(make(CELL).unwrapped)("fbnet", "fpga")), path
        )
    with pytest.raises(InvalidArgumentError, match="vector environments"):
        TrajectoryRecorder(gym.make_vec(CELL, vectorization_mode="sync"), path)
    recorder = TrajectoryRecorder(make(CELL), path)
    for refused in (copy.deepcopy, pickle.dumps):
        with pytest.raises(NotSerialisableError, match="one file"):
            refused(recorder)
    assert not path.exists()


@pytest.mark.parametrize("room", [1, 40, 1_000, 4_000])
def test_a_full_disk_leaves_whole_episodes(room: int, path: Path) -> None:
    resource = pytest.importorskip("resource")
    env = TrajectoryRecorder(make(CELL), path)
    play(env, 1, seed=0)
    whole = path.read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(whole) + room, hard))
    try:
        with pytest.raises(OSError, match=r"File too large|No space"):
            play(env, 3)
        written = path.read_bytes()
        assert written.startswith(whole)
        with pytest.raises(OSError, match=r"File too large|No space"):
            env.close()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.read_bytes() == written
    episodes = read_trajectories(path)
    assert all(episode.complete for episode in episodes)
    play(env, 1)  # there is room again: what could not be written is
    found = read_trajectories(path)
    assert len(found) == len(episodes) + 2
    assert replay(path).agrees


def test_a_header_that_cannot_be_written_leaves_no_file(path: Path) -> None:
    resource = pytest.importorskip("resource")
    env = TrajectoryRecorder(make(CELL), path)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, hard))
    try:
        with pytest.raises(InvalidArgumentError, match="cannot record to"):
            env.reset(seed=0)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not path.exists()
    play(env, 1, seed=0)
    assert replay(path).agrees


class _Odd(gym.Wrapper[Any, Any, Any, Any], gym.utils.RecordConstructorArgs):
    def __init__(self, env: gym.Env[Any, Any]) -> None:
        gym.utils.RecordConstructorArgs.__init__(self)
        gym.Wrapper.__init__(self, env)

    def reset(self, **keywords: Any) -> Any:
        observation, info = self.env.reset(**keywords)
        return observation, {**info, "odd": {"deep": object()}}


def test_values_that_are_no_data_are_named(path: Path) -> None:
    with pytest.raises(NotSerialisableError, match=r"info\.odd\.deep"):
        TrajectoryRecorder(_Odd(make(CELL)), path).reset()


@pytest.mark.filterwarnings("ignore:.*different from the unwrapped")
def test_recorders_pass_the_checker_and_go_through_json(path: Path) -> None:
    env = TrajectoryRecorder(make(CELL), path, observations=True)
    check_env(env, skip_render_check=True)
    text = env.spec.to_json()
    again = gym.make(EnvSpec.from_json(text))
    assert json.loads(again.spec.to_json()) == json.loads(text)
    assert isinstance(again, TrajectoryRecorder)
    with pytest.raises(InvalidArgumentError, match="not overwritten"):
        again.reset()


@pytest.fixture
def minari(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path / "minari"))
    return pytest.importorskip("minari")


@pytest.mark.parametrize("name", ["construct", "mutate", "joint", "vector", "masks"])
def test_recordings_become_minari_datasets(name: str, path: Path, minari: Any) -> None:
    env = TrajectoryRecorder(STACKS[name](), path, observations=True)
    play(env, 3, seed=2)
    env.reset(options={"budget": "loose"})
    if name != "joint":
        env.step(env.action_space.sample())
    env.close()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Minari wants an author; the last is cut
        to_minari(path, "hwnas/cell/random-v0", algorithm_name="random")
        episodes = read_trajectories(path)
    dataset = minari.load_dataset("hwnas/cell/random-v0")
    kept = [episode for episode in episodes if len(episode.actions)]
    assert dataset.total_episodes == len(kept)
    for ours, theirs in zip(kept, dataset.iterate_episodes(), strict=True):
        np.testing.assert_array_equal(theirs.actions, ours.actions)
        np.testing.assert_array_equal(theirs.rewards, ours.rewards)
        np.testing.assert_array_equal(
            theirs.infos["latency_ms"], ours.infos["latency_ms"]
        )
        assert theirs.terminations[-1] == ours.terminated
        assert theirs.truncations[-1] == (ours.truncated or not ours.complete)
        seen = theirs.observations
        if isinstance(seen, dict):
            seen, expected = seen["action_mask"], ours.observations["action_mask"]
        else:
            expected = ours.observations
        np.testing.assert_array_equal(seen, expected)
    dataset.set_seed(0)
    assert len(list(dataset.sample_episodes(2))) == 2
    recovered = dataset.recover_environment()
    assert recovered.observation_space == env.observation_space
    first, _ = recovered.reset(seed=2)
    if name == "mutate":
        assert (first == episodes[0].observations[0]).all()


def test_a_dataset_needs_observations(recorded: Path, minari: Any) -> None:
    del minari
    with pytest.raises(InvalidArgumentError, match="observations=True"):
        to_minari(recorded, "hwnas/cell/none-v0")


@pytest.mark.parametrize(
    ("version", "digest", "agrees"),
    [
        ("0.1.0", min(older.FILES), True),
        ("0.1.0", "0" * 64, False),
        ("0.2.0", min(older.FILES), False),
    ],
)
def test_what_0_1_wrote_otherwise_is_no_difference(
    recorded: Path, version: str, digest: str, *, agrees: bool
) -> None:
    first, *rest = recorded.read_text().splitlines()
    header = json.loads(first)
    header["versions"]["hwnas_env"] = version
    header["problem"]["columns"]["latency_ms"]["sha256"] = digest
    recorded.write_text("\n".join([json.dumps(header), *rest, ""]))
    found = replay(recorded)
    assert found.agrees == agrees, found
    assert {d.key for d in found.differences} <= {"problem.columns.latency_ms.sha256"}
