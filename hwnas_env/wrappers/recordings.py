"""Reads what ``TrajectoryRecorder`` wrote."""

import importlib
import itertools
import json
import math
import warnings
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import gymnasium as gym
import numpy as np
from gymnasium.envs.registration import EnvSpec

from hwnas_env.arguments import check_allow, path_of
from hwnas_env.data.json_lines import Json, is_deeper, parse_line, read_lines
from hwnas_env.errors import (
    DataError,
    DataMissingError,
    ForeignFileError,
    HWNASError,
    TruncatedFileError,
    UnknownKeywordError,
    shown,
)
from hwnas_env.texts import plain
from hwnas_env.types import AnyPath, FloatArray
from hwnas_env.wrappers.protocols import AnyEnv, Array, Observation
from hwnas_env.wrappers.record import SCHEMA, SCHEMA_VERSION, Line, TrajectoryRecorder

WrapperType: TypeAlias = type[gym.Wrapper[Any, Any, Any, Any]]

_WRAPPERS = ("hwnas_env.wrappers.", "gymnasium.wrappers.")
_MOST_NUMBERS = 10_000_000
"""Numbers that a recording's wrappers may make observations of: 40 MB of float32."""
_DEEPEST = 64
"""Levels that a line may be nested to; what we write has five at most."""
_NUMBERS = {"inf": math.inf, "-inf": -math.inf, "nan": math.nan}


@dataclass(frozen=True, eq=False)
class Episode:
    """Holds one recorded episode of T steps.

    Attributes:
        number: from 0, in the order of the file.
        seed: what the reset was given.
        options: what the reset was given.
        actions: ``(T, ...)``.
        rewards: ``(T,)`` float64, or ``(T, k)``.
        terminated: whether the last step said so.
        truncated: whether the last step said so.
        infos: by key ``(T + 1, ...)``, the reset first; None where a line lacks it.
        observations: ``(T + 1, ...)``, or a dictionary of such; None where they were
            not recorded.
    """

    number: int
    seed: int | None
    options: Line | None
    actions: Array
    rewards: FloatArray
    terminated: bool
    truncated: bool
    infos: dict[str, Array]
    observations: Observation | None

    @property
    def complete(self) -> bool:
        """Whether the episode came to its end."""
        return self.terminated or self.truncated


def read_trajectories(path: AnyPath) -> list[Episode]:
    """Reads a recording.

    An episode at the end that is not complete is returned with a warning; a last line
    that was not written whole is left out, also with a warning.

    Args:
        path: what :class:`TrajectoryRecorder` wrote.

    Returns:
        The episodes in their order; complete or not, see :attr:`Episode.complete`.

    Raises:
        DataMissingError: there is no such file.
        ForeignFileError: the file is no recording, or of another version.
        TruncatedFileError: a line is corrupt; names it.
    """
    _, rows = parse(path_of(path))
    episodes = []
    for number, group in itertools.groupby(rows, key=lambda row: row[1]["episode"]):
        try:
            episodes.append(_episode([line for _, line in group]))
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            message = f"{path}, episode {number}: its lines do not fit: {error!r}"
            raise TruncatedFileError(message) from None
    return episodes


def make_recorded(header: Line, *, allow: Collection[str] = ()) -> AnyEnv:
    """Makes the environment that a header describes.

    Args:
        header: line 1 of a recording.
        allow: names of modules whose functions and wrappers it may name.

    Raises:
        ForeignFileError: it cannot be made.
        InvalidArgumentError: ``allow`` is no collection of names.
    """
    spec, wrappers = spec_of(header, allow=allow)
    try:
        env = gym.make(spec)
        for wrapper, keywords in wrappers:
            if not wrapper.__module__.startswith("hwnas_env."):  # ours make nothing big
                _check_size(env, wrapper.__name__, keywords)
            env = wrapper(env=env, **keywords)
        return env
    except UnknownKeywordError as error:
        message = f"the recording's environment cannot be made: {error}"
        raise ForeignFileError(message) from error
    except HWNASError:
        raise
    except (Exception, SystemExit) as error:  # whatever a foreign file makes code say
        message = f"the recording's environment cannot be made: {error}"
        raise ForeignFileError(message) from error


def spec_of(
    header: Line, *, allow: Collection[str] = ()
) -> tuple[EnvSpec, list[tuple[WrapperType, Line]]]:
    """Returns what a header says to make, of code that a recording may name.

    A recording is data: it chooses among this package's ids, and its and Gymnasium's
    wrappers. Rewards, accuracies and wrappers of other modules are not even looked up
    unless their module is in ``allow``. What only watches, and may write files, is left
    out, and so is drawing.

    Args:
        header: line 1 of a recording.
        allow: names of modules.

    Returns:
        The specification without wrappers; and their classes with their arguments, the
        innermost first.

    Raises:
        ForeignFileError: it names other code.
        InvalidArgumentError: ``allow`` is no collection of names.
    """
    allow = check_allow(allow)
    try:
        spec = EnvSpec.from_json(json.dumps(header["spec"]))
        known = gym.registry.get(spec.id)
        spec.kwargs.pop("render_mode", None)
        texts = [value for value in spec.kwargs.values() if isinstance(value, str)]
        named = [(str(w.entry_point), w.kwargs) for w in spec.additional_wrappers]
    except Exception as error:  # whatever a foreign file makes Gymnasium say
        message = f"the recording's spec is none: {error!r}"
        raise ForeignFileError(message) from error
    ours = known is not None and str(known.entry_point).startswith("hwnas_env.")
    if known is None or not ours or spec.entry_point != known.entry_point:
        message = f"the recording's spec is of no environment of hwnas_env: {spec.id!r}"
        raise ForeignFileError(message)
    code = [text for text in texts if ":" in text]
    code += [point for point, _ in named if not _is_known(point)]
    if foreign := [name for name in code if name.partition(":")[0] not in allow]:
        message = (
            f"the recording's spec names code, {', '.join(foreign):.200}, which is not "
            f"run unless you trust it: allow=({foreign[0].partition(':')[0]!r:.80},)"
        )
        raise ForeignFileError(message)
    wrappers = [(_wrapper_class(point), keywords) for point, keywords in named]
    spec.vector_entry_point = known.vector_entry_point
    spec.additional_wrappers = ()
    return spec, [
        (w, keywords or {}) for w, keywords in wrappers if not _only_watches(w)
    ]


def _is_known(entry_point: str) -> bool:
    """Whether a wrapper is of this package or of Gymnasium."""
    return f"{entry_point.partition(':')[0]}.".startswith(_WRAPPERS)


def _wrapper_class(entry_point: str) -> WrapperType:
    """Imports a wrapper of a module that may be named.

    Raises:
        ForeignFileError: there is none.
    """
    module, _, name = entry_point.partition(":")
    try:
        found = getattr(importlib.import_module(module), name)
    except (Exception, SystemExit) as error:  # whatever the module says
        message = f"the recording's spec: {entry_point!r} cannot be imported: {error!r}"
        raise ForeignFileError(message) from None
    if not isinstance(found, type) or not issubclass(found, gym.Wrapper):
        message = f"the recording's spec: {entry_point!r} is no wrapper"
        raise ForeignFileError(message)
    return found


def _check_size(env: AnyEnv, name: str, keywords: Json) -> None:
    """Raises if a wrapper may multiply observations beyond what a recording needs.

    Raises:
        ForeignFileError: by its whole numbers, taken together.
    """
    size = gym.spaces.flatdim(env.observation_space) * _product(keywords)
    if size > _MOST_NUMBERS:
        message = (
            f"the recording's environment cannot be made: {name} with "
            f"{keywords!s:.80} may observe more than {_MOST_NUMBERS:,} numbers"
        )
        raise ForeignFileError(message)


def _product(value: Json) -> int:
    """Multiplies the whole numbers in arguments, at any depth."""
    if isinstance(value, int):
        return max(1, abs(value))
    if isinstance(value, dict):
        value = list(value.values())
    if not isinstance(value, list):
        return 1
    product = 1
    for part in value:
        product *= _product(part)
    return product


def _only_watches(wrapper: WrapperType) -> bool:
    """Whether a wrapper changes nothing, and may write files."""
    drawing = "gymnasium.wrappers.rendering"
    return issubclass(wrapper, TrajectoryRecorder) or any(
        base.__module__ == drawing for base in wrapper.__mro__
    )


def parse(path: Path) -> tuple[Line, list[tuple[int, Line]]]:
    """Returns the header, and every further line with its number, checked.

    Raises:
        DataMissingError, ForeignFileError, TruncatedFileError: as for
            :func:`read_trajectories`.
    """
    try:
        texts, unfinished = read_lines(path)
    except DataMissingError:
        message = f"no recording at {path}"
        raise DataMissingError(message) from None
    except DataError as error:
        message = f"no recording: {error}"
        raise ForeignFileError(message) from None
    header = _header(path, texts[0] if texts else unfinished)
    rows: list[tuple[int, Line]] = []
    episode, step, ended = -1, 0, True
    for number, text in enumerate(texts[1:], start=2):
        line = _line(path, number, text)
        begins = line["step"] == 0
        expected = (episode + 1, 0) if begins else (episode, step + 1)
        if (line["episode"], line["step"]) != expected or (ended and not begins):
            message = (
                f"{path}, line {number}: expected step {step + 1} of episode {episode} "
                f"or a reset, got step {line['step']} of episode {line['episode']}"
            )
            raise TruncatedFileError(message)
        if ("observation" in line) != ("observation" in (rows[0][1] if rows else line)):
            message = f"{path}, line {number}: an observation on some lines, not on all"
            raise TruncatedFileError(message)
        episode, step = expected
        ended = not begins and (line["terminated"] or line["truncated"])
        rows.append((number, line))
    if unfinished:
        message = (
            f"{path}: line {len(texts) + 1} was not written whole, and is left out"
        )
        warnings.warn(plain(message), stacklevel=3)
    if not ended:
        warnings.warn(plain(f"{path}: episode {episode} is not complete"), stacklevel=3)
    return header, rows


def _header(path: Path, text: bytes) -> Line:
    try:
        header = _read(text)
    except ValueError:
        header = None
    if not isinstance(header, dict) or header.get("schema") != SCHEMA:
        message = f"{path} is no recording: line 1 does not say schema {SCHEMA!r}"
        raise ForeignFileError(message)
    if header.get("version") != SCHEMA_VERSION:
        message = (
            f"{path}: expected version {SCHEMA_VERSION} of {SCHEMA}, "
            f"got {shown(header.get('version'))}"
        )
        raise ForeignFileError(message)
    _check(path, 1, header, ("spec", "generator_seed", "problem"))
    return header


def _line(path: Path, number: int, text: bytes) -> Line:
    try:
        line = _read(text)
    except ValueError as error:
        message = f"{path}, line {number} is no JSON: {error}"
        raise TruncatedFileError(message) from None
    if not isinstance(line, dict):
        message = f"{path}, line {number}: expected an object, got {shown(line)}"
        raise TruncatedFileError(message)
    reset, step = ("seed", "options"), ("action", "reward", "terminated", "truncated")
    _check(path, number, line, ("episode", "step", "info"))
    _check(path, number, line, reset if line["step"] == 0 else step)
    return line


def _read(text: bytes) -> Json:
    """Reads JSON.

    Raises:
        ValueError: it is none, or nested beyond what we write.
    """
    message = f"nested to more than {_DEEPEST} levels"
    try:
        values = parse_line(text)
    except RecursionError:
        raise ValueError(message) from None
    if is_deeper(values, _DEEPEST, text=text):
        raise ValueError(message)
    return values


def _check(path: Path, number: int, line: Line, keys: Sequence[str]) -> None:
    """Raises where a line lacks a key, or has what that key cannot hold.

    Raises:
        TruncatedFileError: names the line.
    """
    lacking = [key for key in keys if key not in line]
    if lacking:
        message = f"{path}, line {number} lacks {', '.join(lacking)}"
        raise TruncatedFileError(message)
    for key in keys:
        words, holds = _FIELDS[key]
        if not holds(line[key]):
            message = (
                f"{path}, line {number}: {key}: expected {words}, got "
                f"{shown(line[key])}"
            )
            raise TruncatedFileError(message)


_BITS = 1000
"""Most bits of a whole number that is a reward, as floats have; seeds may have more."""


def _whole(value: Json) -> bool:
    if not isinstance(value, int) or isinstance(value, bool):
        return False
    return value >= 0 and value.bit_length() <= 4 * _BITS


def _number(value: Json) -> bool:
    if isinstance(value, list):
        return all(_number(item) for item in value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value.bit_length() <= _BITS
    return isinstance(value, float) or (isinstance(value, str) and value in _NUMBERS)


_COUNT = "a whole number of at least 0"
_FIELDS: Mapping[str, tuple[str, Callable[[Json], bool]]] = {
    "spec": ("an object", lambda value: isinstance(value, dict)),
    "problem": ("an object", lambda value: isinstance(value, dict)),
    "info": ("an object", lambda value: isinstance(value, dict)),
    "episode": (_COUNT, _whole),
    "step": (_COUNT, _whole),
    "seed": (f"null or {_COUNT}", lambda value: value is None or _whole(value)),
    "generator_seed": (
        f"null or {_COUNT}",
        lambda value: value is None or _whole(value),
    ),
    "options": (
        "null or an object",
        lambda value: value is None or isinstance(value, dict),
    ),
    "action": ("a number or a list of them", _number),
    "reward": ("a number or a list of them", _number),
    "terminated": ("true or false", lambda value: isinstance(value, bool)),
    "truncated": ("true or false", lambda value: isinstance(value, bool)),
}
"""What each key of a line must hold, in words and as a test."""


def _episode(lines: list[Line]) -> Episode:
    reset, steps = lines[0], lines[1:]
    last = steps[-1] if steps else {"terminated": False, "truncated": False}
    infos = [numbers(line["info"]) for line in lines]
    keys = dict.fromkeys(key for info in infos for key in info)
    seen = [numbers(line.get("observation")) for line in lines]
    return Episode(
        number=reset["episode"],
        seed=reset["seed"],
        options=numbers(reset["options"]),
        actions=_array([numbers(line["action"]) for line in steps]),
        rewards=np.array([numbers(line["reward"]) for line in steps], np.float64),
        terminated=last["terminated"],
        truncated=last["truncated"],
        infos={key: _array([info.get(key) for info in infos]) for key in keys},
        observations=None if seen[0] is None else _stacked(seen),
    )


def _stacked(values: list[Any]) -> Observation:
    """Stacks observations, dictionaries key by key."""
    if isinstance(values[0], dict):
        return {key: _stacked([value[key] for value in values]) for key in values[0]}
    return _array(values)


def _array(values: list[Any]) -> Array:
    """Stacks values; to an array of objects where they are of different shapes."""
    try:
        return np.array(values)
    except ValueError:
        array = np.full(len(values), None, dtype=object)
        array[:] = values
        return array


def numbers(value: Any) -> Any:
    """Turns "inf", "-inf" and "nan" back into numbers, at any depth."""
    if isinstance(value, list):
        return [numbers(item) for item in value]
    if isinstance(value, dict):
        return {key: numbers(item) for key, item in value.items()}
    return _NUMBERS.get(value, value) if isinstance(value, str) else value
