"""Keeps ledgers and functions out of the worker processes of vector environments."""

import multiprocessing
import sys
from collections.abc import Mapping
from typing import Any

from hwnas_env.envs.spec import refuse_objects
from hwnas_env.errors import WorkerProcessError

LIBRARIES = (
    "gymnasium.vector.",
    "mo_gymnasium.wrappers.",
    "stable_baselines3.common.vec_env.",
    "ray.rllib.env.",
    "ray.rllib.evaluation.",
    "tianshou.",
    "torchrl.",
)
"""Where the libraries keep what runs in the workers of their vectors."""

_STARTERS = ("multiprocessing.process", "ray._private.function_manager")
"""What calls the function of a process, and the method of a Ray actor."""

_BETWEEN = ("ray.util.tracing.",)
"""What stands between a starter and what it calls."""


def refuse_worker(keywords: Mapping[str, Any]) -> None:
    """Raises if this runs in a vector environment's worker process.

    A process of one's own (a job of joblib, Dask or Ray) is no such worker.

    Args:
        keywords: the constructor's, of which functions and tables are named first.

    Raises:
        NotSerialisableError: a keyword is a function; shows the string form.
        WorkerProcessError: a ledger would span processes.
    """
    if multiprocessing.parent_process() is None and "ray" not in sys.modules:
        return
    started = started_function()
    if not started.startswith(LIBRARIES):
        return
    refuse_objects(keywords, "a worker process")
    message = (
        f"max_queries or ledger in a worker process of {started}: a ledger never spans "
        "processes, and each worker would count alone; use the native vector, "
        "gym.make_vec(id, num_envs), whose rows share one ledger, or give the same "
        "ledger= to single environments of one process"
    )
    raise WorkerProcessError(message)


def started_function() -> str:
    """Returns the module of what this process or actor was started to run, "" if none.

    It is that of the frame just within the innermost one of a starter: a forked process
    has its parent's frames below.
    """
    within, frame = "", sys._getframe()
    while frame is not None:
        module = str(frame.f_globals.get("__name__", ""))
        if module in _STARTERS:
            return within
        if not module.startswith(_BETWEEN):
            within = module
        frame = frame.f_back  # type: ignore[assignment]
    return ""
