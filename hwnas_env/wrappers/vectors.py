"""What wrappers of vectors share: a base class, and which rows a reset names."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode

from hwnas_env.errors import InvalidArgumentError, shown
from hwnas_env.types import BoolArray
from hwnas_env.wrappers.protocols import AnyVector

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


def autoreset_mode_of(envs: AnyVector) -> AutoresetMode:
    """Returns when a vector's rows that ended start anew; Gymnasium's default is next.

    Args:
        envs: any vector. Before Gymnasium 1.4 those of single environments share their
            metadata, so that their own attribute comes first.
    """
    found = getattr(envs.unwrapped, "autoreset_mode", None)
    found = found or envs.metadata.get("autoreset_mode", AutoresetMode.NEXT_STEP)
    return AutoresetMode(found)


def reset_mask(options: object, count: int) -> BoolArray:
    """Marks the rows that a reset with these options starts anew: ``(N,)``.

    Args:
        options: of ``reset``; wrappers of Gymnasium take the mask out of them, so this
            comes before the reset inside.
        count: N.

    Raises:
        InvalidArgumentError: options are no mapping, or the mask is none.
    """
    if options is None:
        return np.ones(count, dtype=np.bool_)
    if not isinstance(options, Mapping):
        message = f"reset options: expected a mapping, got {shown(options)}"
        raise InvalidArgumentError(message)
    mask = options.get("reset_mask")
    if mask is None:
        return np.ones(count, dtype=np.bool_)
    array = np.array(mask)
    if array.dtype != np.bool_ or array.shape != (count,):
        message = f"reset_mask: expected ({count},) bool, got {shown(mask)}"
        raise InvalidArgumentError(message)
    return array
