"""Compiled training, kept between processes in the cache folder of this package."""

import contextlib
from typing import Any

import jax

from hwnas_env.data.cache import cache_dir
from hwnas_env.errors import DataError
from hwnas_env.jax import ppo

begin = jax.jit(ppo.begin, static_argnames="hyper")
"""See :func:`hwnas_env.jax.ppo.begin`."""

train = jax.jit(ppo.train, static_argnames=("hyper", "updates"))
"""See :func:`hwnas_env.jax.ppo.train`."""

draw_networks = jax.jit(ppo.draw_networks, static_argnames=("count", "greedy"))
"""See :func:`hwnas_env.jax.ppo.draw_networks`."""


def keep_compilations() -> None:
    """Lets jax keep what it compiles in our cache folder, unless it has another one.

    A training run of a space then takes seconds to compile once a machine, and not once
    a process. Set ``JAX_COMPILATION_CACHE_DIR`` to have it elsewhere.
    """
    settings: Any = jax.config
    if settings.jax_compilation_cache_dir is not None:
        return
    with contextlib.suppress(DataError):  # no such folder: nothing is kept
        settings.update("jax_compilation_cache_dir", str(cache_dir() / "jax"))
