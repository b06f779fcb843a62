"""Exports recordings as Minari datasets, for offline reinforcement learning."""

from collections.abc import Collection
from typing import Any

import gymnasium as gym
import numpy as np

from hwnas_env.arguments import path_of
from hwnas_env.errors import InvalidArgumentError
from hwnas_env.extras import load_extra
from hwnas_env.types import AnyPath
from hwnas_env.wrappers.protocols import AnySpace, Observation
from hwnas_env.wrappers.recordings import (
    Episode,
    make_recorded,
    parse,
    read_trajectories,
)


def to_minari(
    path: AnyPath,
    dataset_id: str,
    *,
    allow: Collection[str] = (),
    **metadata: object,
) -> Any:
    """Makes a Minari dataset of a recording that has observations.

    An episode that was left before its end is marked as truncated there. Info keys
    that are no numbers on every line are left out. Where datasets go is Minari's
    ``MINARI_DATASETS_PATH``.

    Args:
        path: what ``TrajectoryRecorder(..., observations=True)`` wrote.
        dataset_id: in Minari's form, ``hwnas/fpga/random-v0``.
        allow: see :func:`hwnas_env.wrappers.replay`.
        metadata: to ``minari.create_dataset_from_buffers``: ``algorithm_name``,
            ``author``, ``description``, ...

    Returns:
        The ``minari.MinariDataset``.

    Raises:
        MissingExtraError: Minari is not installed.
        InvalidArgumentError: no observations were recorded, or no steps.
        DataMissingError, ForeignFileError, TruncatedFileError: as for
            :func:`hwnas_env.wrappers.recordings.read_trajectories`.

    Source:
        https://minari.farama.org, ``create_dataset_from_buffers``.
    """
    for module in ("h5py", "minari"):  # Minari writes by h5py
        minari = load_extra(module, extra="minari", purpose="to_minari")
    episodes = [e for e in read_trajectories(path) if len(e.actions)]
    seen = [e.observations for e in episodes if e.observations is not None]
    if not episodes or len(seen) < len(episodes):
        message = (
            f"{path} has no observations: TrajectoryRecorder(..., observations=True)"
        )
        raise InvalidArgumentError(message)
    env = make_recorded(parse(path_of(path))[0], allow=allow)
    buffers = [
        minari.data_collector.EpisodeBuffer(
            id=number,
            seed=episode.seed,
            options=episode.options,
            observations=_typed(observations, env.observation_space),
            actions=_typed(episode.actions, env.action_space),
            rewards=list(episode.rewards),
            **_ends(episode),
            infos={k: v for k, v in episode.infos.items() if v.dtype.kind in "biuf"},
        )
        for number, (episode, observations) in enumerate(
            zip(episodes, seen, strict=True)
        )
    ]
    return minari.create_dataset_from_buffers(dataset_id, buffers, env=env, **metadata)


def _typed(values: Observation, space: AnySpace) -> Observation:
    if isinstance(space, gym.spaces.Dict):
        return {key: _typed(values[key], space[key]) for key in space}
    return np.asarray(values, dtype=space.dtype)


def _ends(episode: Episode) -> dict[str, list[bool]]:
    before = [False] * (len(episode.actions) - 1)
    cut = episode.truncated or not episode.complete
    return {
        "terminations": [*before, episode.terminated],
        "truncations": [*before, cut],
    }
