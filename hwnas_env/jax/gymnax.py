"""Episodes as an environment of gymnax 1.0 or later, for what is written for those."""

from typing import Any

import jax.numpy as jnp

from hwnas_env.engines.walk import RATIO_LIMIT
from hwnas_env.envs.config import LOG_LIMIT
from hwnas_env.extras import load_extra
from hwnas_env.jax.envs import State, action_mask, reset, step_env
from hwnas_env.jax.params import Params

_environment: Any = load_extra(
    "gymnax.environments.environment", extra="gymnax", purpose="this adapter"
)
_spaces: Any = load_extra(
    "gymnax.environments.spaces", extra="gymnax", purpose="this adapter"
)


class GymnaxEnv(_environment.Environment):  # type: ignore[misc]
    """Episodes of params; gymnax starts a new one where one ends.

    ``reset`` and ``step`` are gymnax's own: a step returns six values, of which the
    fourth says that a network is complete, and the fifth is always False.

    Args:
        params: what is searched by default; others of the same shape can be given to
            every call, as gymnax has it.
    """

    def __init__(self, params: Params) -> None:
        """See the class."""
        super().__init__()
        self._params = params

    @property
    def default_params(self) -> Params:
        """The params that it was made with."""
        return self._params

    @property
    def name(self) -> str:
        """Name of the search space."""
        return self._params.spec.space

    @property
    def num_actions(self) -> int:
        """Number of actions, K."""
        return self._params.spec.choices

    def reset_env(self, key: Any, params: Params) -> tuple[Any, State]:
        """Starts an episode: see :func:`hwnas_env.jax.reset`."""
        return reset(key, params)

    def step_env(
        self, key: Any, state: State, action: Any, params: Params
    ) -> tuple[Any, State, Any, Any, dict[str, Any]]:
        """Decides the next position: see :func:`hwnas_env.jax.step_env`."""
        return step_env(key, state, action, params)

    def action_mask(self, state: State, params: Params | None = None) -> Any:
        """Returns which actions are open: ``(K,)`` bool."""
        return action_mask(state, self._params if params is None else params)

    def is_truncated(self, state: State, params: Params) -> Any:
        """Returns False: every episode ends by its last decision."""
        del state, params
        return jnp.bool_(False)

    def is_terminated(self, state: State, params: Params) -> Any:
        """Returns whether the network is complete."""
        return state.time == params.spec.length

    def action_space(self, params: Params | None = None) -> Any:
        """Returns gymnax's ``Discrete`` of the actions."""
        del params
        return _spaces.Discrete(self.num_actions)

    def observation_space(self, params: Params | None = None) -> Any:
        """Returns gymnax's ``Box`` of the observations, float32."""
        own = self._params if params is None else params
        ones, size = own.spec.ones, own.observation_size
        low, high = jnp.zeros(size), jnp.ones(size)
        high = high.at[ones : ones + 2].set(RATIO_LIMIT).at[ones + 2 :].set(LOG_LIMIT)
        low = low.at[ones + 2 :].set(-LOG_LIMIT)
        return _spaces.Box(low, high, (size,), jnp.float32)
