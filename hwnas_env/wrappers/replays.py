"""Plays a recording again, and says what differs."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np
from gymnasium.utils import seeding

from hwnas_env.arguments import path_of
from hwnas_env.data.json_lines import Json
from hwnas_env.data.older import is_older, settled
from hwnas_env.types import AnyPath
from hwnas_env.wrappers.protocols import AnyEnv
from hwnas_env.wrappers.record import Line, describe, seen, step_line
from hwnas_env.wrappers.recordings import make_recorded, numbers, parse

_ABSENT = "absent"


@dataclass(frozen=True)
class Difference:
    """Says where a replay and its recording differ.

    Attributes:
        line: number in the file, from 1.
        key: what differs, as a path ("info.latency_ms", "observation[3]").
        recorded: what the file says.
        got: what the environment says now.
    """

    line: int
    key: str
    recorded: Json
    got: Json


@dataclass(frozen=True)
class Replay:
    """Says how far a replay agrees with its recording.

    Attributes:
        episodes: number of episodes played.
        steps: number of steps played.
        differences: everything that differs, in the order of the file.
    """

    episodes: int
    steps: int
    differences: tuple[Difference, ...]

    @property
    def agrees(self) -> bool:
        """Whether nothing differs."""
        return not self.differences

    def __str__(self) -> str:
        """Writes one line, and one more for each difference."""
        verdict = f"{len(self.differences)} differences" if self.differences else "same"
        lines = [f"{self.episodes} episodes, {self.steps} steps: {verdict}"]
        lines += [
            f"line {d.line}, {d.key}: recorded {d.recorded}, got {d.got}"
            for d in self.differences
        ]
        return "\n".join(lines)


def replay(path: AnyPath, *, allow: Collection[str] = ()) -> Replay:
    """Makes a recording's environment again, plays its actions, and compares all.

    Package versions are not compared: results are. What 0.1 wrote otherwise, last
    digits and the SHA-256 of its coefficients, is no difference in its recordings, as
    for ``hwnas-env bench validate``. An episode in which the environment raises is
    given up at that step, with the error as the difference.

    Args:
        path: what :class:`hwnas_env.wrappers.TrajectoryRecorder` wrote.
        allow: names of modules whose functions and wrappers the recording may name, as
            in ``("my_module",)``; those of others are not imported, since a file from
            elsewhere could name any.

    Raises:
        InvalidArgumentError: ``allow`` is no collection of names.
        DataMissingError, ForeignFileError, TruncatedFileError: as for
            :func:`read_trajectories`.
    """
    header, rows = parse(path_of(path))
    env = make_recorded(header, allow=allow)
    core = env.unwrapped
    if header["generator_seed"] is not None:
        core.np_random, _ = seeding.np_random(header["generator_seed"])
    forgiving = is_older(header.get("versions"))
    problem = describe(core)
    if forgiving:
        problem = settled(header["problem"], problem)
    found = [*_differences(1, "problem", header["problem"], problem)]
    given_up = False
    for number, line in rows:
        given_up = given_up and line["step"] > 0
        if given_up:
            continue
        try:
            got = _play(env, line)
        except (Exception, SystemExit) as error:  # a user's reward may raise anything
            found.append(Difference(number, "error", None, str(error)))
            given_up = True
            continue
        recorded = {key: line[key] for key in line if key not in ("episode", "step")}
        if forgiving:
            got = settled(recorded, got)
        for key in recorded.keys() | got.keys():
            pair = recorded.get(key, _ABSENT), got.get(key, _ABSENT)
            found += _differences(number, key, *pair)
    env.close()
    resets = sum(line["step"] == 0 for _, line in rows)
    order = sorted(found, key=lambda difference: (difference.line, difference.key))
    return Replay(resets, len(rows) - resets, tuple(order))


def _play(env: AnyEnv, line: Line) -> Line:
    """Does what a line records, and returns the line that would be recorded."""
    seen_too = "observation" in line
    if line["step"] == 0:
        options = numbers(line["options"])
        for key, value in (options or {}).items():
            if isinstance(value, list):
                options[key] = np.array(value)
        observation, info = env.reset(seed=line["seed"], options=options)
        given = {"seed": line["seed"], "options": line["options"]}
        return {**given, **seen(info, observation if seen_too else None)}
    action = numbers(line["action"])
    if isinstance(action, list):
        action = np.array(action, dtype=env.action_space.dtype)
    observation, reward, ended, cut, info = env.step(action)
    said = step_line(line["action"], reward, ended=ended, cut=cut)
    return {**said, **seen(info, observation if seen_too else None)}


def _differences(
    line: int, key: str, recorded: Json, got: Json
) -> Iterator[Difference]:
    if recorded == got:
        return
    if isinstance(recorded, dict) and isinstance(got, dict):
        for name in {**recorded, **got}:
            pair = recorded.get(name, _ABSENT), got.get(name, _ABSENT)
            yield from _differences(line, f"{key}.{name}", *pair)
    elif (
        isinstance(recorded, list)
        and isinstance(got, list)
        and len(recorded) == len(got)
    ):
        for index, pair in enumerate(zip(recorded, got, strict=True)):
            yield from _differences(line, f"{key}[{index}]", *pair)
    else:
        yield Difference(line, key, recorded, got)
