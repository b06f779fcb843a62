"""Makes an environment of the mode that is asked for; what registered ids call."""

import inspect
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from hwnas_env.envs.base import HWNASEnv
from hwnas_env.envs.checks import check_keywords
from hwnas_env.envs.construct import ConstructEnv
from hwnas_env.envs.joint import JointEnv
from hwnas_env.envs.mutate import MutateEnv
from hwnas_env.errors import InvalidArgumentError, unknown_name

MODES: Mapping[str, type[HWNASEnv]] = MappingProxyType(
    {"construct": ConstructEnv, "mutate": MutateEnv, "joint": JointEnv}
)
"""Every mode by name."""


def make(
    space: str, device: str | None = None, *, mode: str = "construct", **keywords: Any
) -> HWNASEnv:
    """Makes the environment of a space and a device.

    Args:
        space: a search space's name or label.
        device: a device's name or label; or give ``devices``.
        mode: construct, mutate or joint.
        keywords: see :class:`hwnas_env.envs.base.HWNASEnv`; mutate also takes
            ``horizon``.

    Raises:
        UnknownNameError: there is no such mode, or no such keyword.
        InvalidArgumentError: a horizon where there is none.
    """
    check_mode(mode, keywords.get("horizon"))
    if mode != "mutate":
        keywords.pop("horizon", None)
    known = {*inspect.signature(HWNASEnv).parameters, "mode", "horizon"}
    check_keywords(keywords, known, what="an environment")
    return MODES[mode](space, device, **keywords)


def check_mode(mode: str, horizon: int | None) -> None:
    """Raises where there is no such mode, or it has no horizon.

    Raises:
        UnknownNameError: there is no such mode.
        InvalidArgumentError: a horizon of another mode than mutate.
    """
    if not isinstance(mode, str) or mode not in MODES:
        raise unknown_name(mode, MODES, what="mode")
    if horizon is not None and mode != "mutate":
        message = f"horizon is of mode mutate, not {mode}"
        raise InvalidArgumentError(message)
