"""Recordings that are malformed, or that would run or write what they must not."""

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from contracts import CELL, NET, make
from test_record import edited, path, play, recorded

from hwnas_env import wrappers
from hwnas_env.data.json_lines import MOST_LINES
from hwnas_env.errors import (
    ForeignFileError,
    InvalidArgumentError,
    TruncatedFileError,
)
from hwnas_env.wrappers.record import TrajectoryRecorder
from hwnas_env.wrappers.recordings import read_trajectories
from hwnas_env.wrappers.replays import replay

__all__ = ["path", "recorded"]  # fixtures


@pytest.mark.parametrize(
    ("line", "changes"),
    [
        (1, {"spec": 5}),
        (1, {"spec": {}}),
        (1, {"generator_seed": "x"}),
        (1, {"generator_seed": -1}),
        (1, {"problem": [1]}),
        (2, {"info": 5}),
        (2, {"info": [1]}),
        (2, {"seed": "x"}),
        (2, {"seed": -1}),
        (2, {"seed": 1.5}),
        (2, {"options": [1]}),
        (3, {"step": "1"}),
        (3, {"episode": True}),
        (3, {"reward": "abc"}),
        (3, {"reward": 10**400}),
        (3, {"episode": 10**400}),
        (3, {"reward": None}),
        (3, {"action": {}}),
        (3, {"terminated": "no"}),
        (3, {"truncated": 0}),
        (3, {"observation": [1.0]}),
    ],
    ids=str,
)
def test_malformed_lines_are_named_by_reading_and_replaying(
    line: int, changes: dict[str, Any], recorded: Path
) -> None:
    changed = edited(recorded, line, **changes)
    errors = (TruncatedFileError, ForeignFileError)
    for read in (read_trajectories, replay):
        if read is replay or changes != {"spec": {}}:
            with pytest.raises(errors, match=f"line {line}|spec is none"):
                read(changed)


def test_rewards_of_different_lengths_do_not_make_an_episode(recorded: Path) -> None:
    changed = edited(recorded, 3, reward=[1.0, 2.0])
    with pytest.raises(TruncatedFileError, match="episode 0"):
        read_trajectories(changed)
    assert not replay(changed).agrees


def test_files_that_cannot_be_read_or_are_nested_are_clear_errors(
    recorded: Path,
) -> None:
    with pytest.raises(ForeignFileError, match="is a folder"):
        read_trajectories(recorded.parent)
    lines = recorded.read_text().splitlines()
    deep = recorded.with_name("deep.jsonl")
    for place in (0, 1):
        nested = [*lines[:place], "[" * 200_000, *lines[place:]]
        deep.write_text("\n".join(nested) + "\n")
        with pytest.raises((TruncatedFileError, ForeignFileError)):
            replay(deep)


@pytest.mark.parametrize("keyword", ["colour", "max_steps"])
def test_a_spec_with_an_unknown_keyword_is_a_foreign_file(
    keyword: str, recorded: Path
) -> None:
    spec = json.loads(recorded.read_text().splitlines()[0])["spec"]
    spec["kwargs"][keyword] = "blue"
    with pytest.raises(ForeignFileError, match="cannot be made"):
        replay(edited(recorded, 1, spec=spec))


def test_a_recording_of_too_many_lines_is_named(recorded: Path) -> None:
    recorded.write_bytes(recorded.read_bytes() + b"\n" * (MOST_LINES + 1))
    with pytest.raises(ForeignFileError, match=f"{recorded.name}: .* lines, expected"):
        read_trajectories(recorded)


def test_a_used_environment_is_not_recorded(path: Path) -> None:
    env = make(CELL)
    env.reset()
    with pytest.raises(InvalidArgumentError, match="wrap a new one"):
        TrajectoryRecorder(env, path)


def test_a_recording_cannot_name_an_accuracy_or_make_files(
    recorded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "evil_accuracy.py").write_text("raise SystemExit('ran')")
    monkeypatch.syspath_prepend(str(tmp_path))
    spec = json.loads(recorded.read_text().splitlines()[0])["spec"]
    spec["kwargs"]["accuracy"] = "evil_accuracy:f"
    with pytest.raises(ForeignFileError, match="evil_accuracy:f"):
        replay(edited(recorded, 1, spec=spec))
    del spec["kwargs"]["accuracy"]
    target = tmp_path / "new.jsonl"
    keywords = {"path": str(target), "observations": False}
    for module in ("hwnas_env.wrappers.record", "hwnas_env.wrappers", __name__):
        wrapper = {"name": "x", "entry_point": f"{module}:TrajectoryRecorder"}
        spec["additional_wrappers"] = [{**wrapper, "kwargs": keywords}]
        changed = edited(recorded, 1, spec=spec)
        assert replay(changed, allow=(__name__,)).agrees
        assert not target.exists()
    with pytest.raises(ForeignFileError, match=f"allow=..{__name__}"):
        replay(changed)
    point = "gymnasium.wrappers:RecordVideo"
    keywords = {"video_folder": str(target)}
    spec["additional_wrappers"] = [
        {"name": "x", "entry_point": point, "kwargs": keywords}
    ]
    assert replay(edited(recorded, 1, spec=spec)).agrees
    assert not target.exists()


def test_a_recorder_within_a_recorder_replays(tmp_path: Path) -> None:
    inner = TrajectoryRecorder(make(CELL), tmp_path / "inner.jsonl")
    outer = TrajectoryRecorder(wrappers.HardMask(inner), tmp_path / "outer.jsonl")
    play(outer, 2, seed=1)
    outer.close()
    for name in ("inner", "outer"):
        assert replay(tmp_path / f"{name}.jsonl").agrees


@pytest.mark.parametrize("action", [["inf"] * 22, [10**30] * 22])
def test_actions_beyond_integers_are_differences(action: Any, path: Path) -> None:
    env = TrajectoryRecorder(make(NET, mode="joint"), path)
    env.reset(seed=0)
    env.step([8] * 22)
    env.close()
    found = replay(edited(path, 3, action=action))
    assert [difference.key for difference in found.differences] == ["error"]


def test_a_users_reward_that_raises_is_a_difference(recorded: Path) -> None:
    spec = json.loads(recorded.read_text().splitlines()[0])["spec"]
    spec["kwargs"]["reward"] = f"{__name__}:raises"
    changed = edited(recorded, 1, spec=spec)
    with pytest.raises(ForeignFileError, match=f"{__name__}:raises"):
        replay(changed)
    found = replay(changed, allow=[__name__]).differences
    assert any(difference.key == "error" for difference in found)


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("reward", "os:system"),
        ("reward", f"{__name__}:leaves"),
        ("accuracy", "sys:exit"),
        ("accuracy", "builtins:input"),
        ("anything", "builtins:print"),
    ],
)
def test_functions_of_modules_that_are_imported_are_not_looked_up(
    key: str, name: str, recorded: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = json.loads(recorded.read_text().splitlines()[0])["spec"]
    spec["kwargs"][key] = name
    changed = edited(recorded, 1, spec=spec)
    for allow in ((), ("hwnas_env", "o")):
        with pytest.raises(ForeignFileError, match=rf"{name}.*allow="):
            replay(changed, allow=allow)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("allow", ["test_hostile_recordings", (1,), [None]])
def test_what_is_allowed_is_a_list_of_names(allow: Any, recorded: Path) -> None:
    with pytest.raises(InvalidArgumentError, match="names of modules"):
        replay(recorded, allow=allow)


def test_an_exit_of_allowed_code_does_not_pass(
    recorded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "leaving.py").write_text("raise SystemExit('ran')")
    monkeypatch.syspath_prepend(str(tmp_path))
    spec = json.loads(recorded.read_text().splitlines()[0])["spec"]
    spec["kwargs"]["reward"] = f"{__name__}:leaves"
    found = replay(edited(recorded, 1, spec=spec), allow=[__name__]).differences
    assert [one.got for one in found if one.key == "error"] == ["left"] * 3
    wrapper = {"name": "x", "entry_point": "leaving:Wrapper", "kwargs": {}}
    for change in ({"reward": "leaving:f"}, {"reward": "mnas_hard"}):
        spec["kwargs"] |= change
        spec["additional_wrappers"] = [wrapper] * (change["reward"] == "mnas_hard")
        with pytest.raises((ForeignFileError, InvalidArgumentError), match="ran"):
            replay(edited(recorded, 1, spec=spec), allow=["leaving"])


def leaves(accuracy: Any, cost: Any, budget: float) -> Any:
    del accuracy, cost, budget
    sys.exit("left")


@pytest.mark.parametrize(
    "sizes", [[10**9], [10**6], [100, 100, 100, 100, 100, 100], [2**200]], ids=str
)
def test_wrappers_of_a_file_stay_small(sizes: list[int], recorded: Path) -> None:
    spec = json.loads(recorded.read_text().splitlines()[0])["spec"]
    name = "FrameStackObservation"
    spec["additional_wrappers"] = [
        {
            "name": name,
            "entry_point": f"gymnasium.wrappers.stateful_observation:{name}",
            "kwargs": {"stack_size": size, "padding_type": "reset"},
        }
        for size in sizes
    ]
    with pytest.raises(ForeignFileError, match="may observe more than"):
        replay(edited(recorded, 1, spec=spec))
    spec["additional_wrappers"] = spec["additional_wrappers"][:1]
    spec["additional_wrappers"][0]["kwargs"]["stack_size"] = 4
    assert replay(edited(recorded, 1, spec=spec)).agrees


def test_a_recording_does_not_draw(
    recorded: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = json.loads(recorded.read_text().splitlines()[0])["spec"]
    for mode in ("human", "rgb_array_list", 5):
        spec["kwargs"]["render_mode"] = mode
        assert replay(edited(recorded, 1, spec=spec)).agrees
    assert capsys.readouterr().out == ""


def raises(accuracy: Any, cost: Any, budget: float) -> Any:
    del accuracy, cost
    raise KeyError(budget)


def test_a_recording_is_a_file_of_bounded_size(tmp_path: Path) -> None:
    sparse, pipe = tmp_path / "sparse.jsonl", tmp_path / "pipe.jsonl"
    with sparse.open("wb") as file:
        file.truncate(20 << 30)  # takes no room on the disk
    os.mkfifo(pipe)
    for odd in (sparse, pipe):
        for read in (read_trajectories, replay):
            with pytest.raises(ForeignFileError, match="no recording"):
                read(odd)
