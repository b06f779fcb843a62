"""Keeps ledgers and functions out of the worker processes of vector environments."""

import multiprocessing
import traceback
from collections.abc import Mapping
from typing import Any

from hwnas_env.envs.spec import refuse_objects
from hwnas_env.errors import WorkerProcessError

_WORKER_MODULES = (
    "gymnasium.vector.async_vector_env",
    "stable_baselines3.common.vec_env.subproc_vec_env",
)


def refuse_worker(keywords: Mapping[str, Any]) -> None:
    """Raises if this runs in a vector environment's worker process.

    A process of one's own (a job of joblib, Dask or Ray) is no such worker.

    Args:
        keywords: the constructor's, of which functions and tables are named first.

    Raises:
        NotSerialisableError: a keyword is a function; shows the string form.
        WorkerProcessError: a ledger would span processes.
    """
    if multiprocessing.parent_process() is None:
        return
    frames = traceback.walk_stack(None)
    modules = {frame.f_globals.get("__name__") for frame, _ in frames}
    if modules.isdisjoint(_WORKER_MODULES):
        return
    refuse_objects(keywords, "a worker process")
    message = (
        "max_queries in a worker process: a ledger never spans processes, and each "
        "worker would count alone; use gym.make_vec(..., vectorization_mode='sync') or "
        "DummyVecEnv"
    )
    raise WorkerProcessError(message)
