"""The rule behind ``HardMask``; see ``hwnas_env.wrappers.constraints``."""

import gymnasium as gym
import numpy as np

from hwnas_env.engines.walk import draw_allowed
from hwnas_env.errors import InvalidArgumentError
from hwnas_env.types import BoolArray, IntArray
from hwnas_env.wrappers.protocols import (
    AnyEnv,
    AnyVector,
    Array,
    core_of,
    spaces_of,
)
from hwnas_env.wrappers.rules import Rule


class AllowedActions(Rule):
    """Replaces masked actions; see :class:`hwnas_env.wrappers.HardMask`.

    Attributes:
        core: the environment beneath all wrappers.
        replaced: ``(N,)`` the rows whose last action was replaced.
    """

    def __init__(self, env: AnyEnv | AnyVector, count: int) -> None:
        """Takes environments with a ``Discrete`` action.

        Raises:
            InvalidArgumentError: no environment of this package, or an action of
                another kind.
        """
        self.core = core_of(env)
        super().__init__(env, count)
        _, actions = spaces_of(env)
        if not isinstance(actions, gym.spaces.Discrete):
            message = f"HardMask: expected a Discrete action, got {actions}"
            raise InvalidArgumentError(message)
        self.replaced: BoolArray = np.zeros(count, dtype=np.bool_)

    def begin(self, rows: IntArray, *, anew: bool) -> None:
        """Forgets what was replaced in the episodes before."""
        del anew
        self.replaced[rows] = False

    def masked(self, actions: IntArray, masks: BoolArray) -> BoolArray:
        """Returns which actions ``(N,)`` the masks ``(N, K)`` forbid."""
        return np.asarray(~masks[np.arange(self.count), actions])

    def allowed(
        self, actions: IntArray, masks: BoolArray, replaced: BoolArray
    ) -> IntArray:
        """Returns the actions to play: allowed ones, drawn, where marked.

        Args:
            actions: ``(N,)`` as they came.
            masks: ``(N, K)``.
            replaced: ``(N,)`` whose action is drawn anew.
        """
        rows = np.flatnonzero(replaced)
        if not len(rows):
            return actions
        played, uniforms = actions.copy(), self.core.draw(rows, 1)[:, 0]
        played[rows] = draw_allowed(masks[rows], uniforms)
        return played

    def shown(self) -> dict[str, Array]:
        """Shows which rows' actions were replaced."""
        return {"action_replaced": self.replaced.copy()}
