"""What wrappers of vectors share: a base class, and which rows a reset names."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode

from hwnas_env.types import BoolArray

if TYPE_CHECKING:  # only Gymnasium 1.4 and newer can be subscripted when it runs
    _Base = gym.vector.VectorWrapper[Any, Any, Any, Any, Any]
else:
    _Base = gym.vector.VectorWrapper


class VectorWrapper(_Base):
    """Wraps a vector, native or of single environments, in any autoreset mode."""

    @property
    def autoreset_mode(self) -> AutoresetMode:
        """When rows that ended start anew; the mode of the vector inside."""
        return autoreset_mode_of(self.env)


def autoreset_mode_of(envs: gym.vector.VectorEnv[Any, Any, Any]) -> AutoresetMode:
    """Returns when a vector's rows that ended start anew; Gymnasium's default is next.

    Args:
        envs: any vector. Before Gymnasium 1.4 those of single environments share their
            metadata, so that their own attribute comes first.
    """
    found = getattr(envs.unwrapped, "autoreset_mode", None)
    found = found or envs.metadata.get("autoreset_mode", AutoresetMode.NEXT_STEP)
    return AutoresetMode(found)


def reset_mask(options: Any, count: int) -> BoolArray:
    """Marks the rows that a reset with these options starts anew: ``(N,)``.

    What is no mask marks every row: the vector inside refuses it.

    Args:
        options: of ``reset``; wrappers of Gymnasium take the mask out of them, so this
            comes before the reset inside.
        count: N.
    """
    mask = options.get("reset_mask") if isinstance(options, Mapping) else None
    array = np.array(mask)
    if array.dtype != np.bool_ or array.shape != (count,):
        return np.ones(count, dtype=np.bool_)
    return array
