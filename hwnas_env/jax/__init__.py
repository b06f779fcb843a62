"""Episodes and whole training runs compiled by jax; needs the extra ``jax``."""

from hwnas_env.extras import load_extra

load_extra("jax", extra="jax", purpose="hwnas_env.jax")

from hwnas_env.jax.envs import (  # noqa: E402
    BatchState,
    State,
    action_mask,
    batch_mask,
    reset,
    reset_batch,
    step,
    step_batch,
    step_env,
)
from hwnas_env.jax.params import Params, make_params, stack_params  # noqa: E402

__all__ = [
    "BatchState",
    "Params",
    "State",
    "action_mask",
    "batch_mask",
    "make_params",
    "reset",
    "reset_batch",
    "stack_params",
    "step",
    "step_batch",
    "step_env",
]
