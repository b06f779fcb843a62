"""Who is told of the queries of runs: a function, or its name for other processes."""

from typing import Any, TypeAlias

from hwnas_env.benchmark.jobs import Job
from hwnas_env.envs.spec import refuse_objects
from hwnas_env.errors import InvalidArgumentError, shown
from hwnas_env.extras import load_object
from hwnas_env.problems.asking import Record
from hwnas_env.problems.watching import Callback

RunCallback: TypeAlias = Callback | str
"""Takes the number of a query and its record; or "package.module:function"."""


def check_callback(callback: RunCallback | None, *, elsewhere: bool) -> None:
    """Raises where a callback cannot be called, before anything runs.

    Args:
        callback: what came; None for none.
        elsewhere: whether runs are in other processes, which a function cannot reach.

    Raises:
        NotSerialisableError: a function, and runs are elsewhere; shows the string form.
        InvalidArgumentError: no function, or a name of none.
    """
    if callback is None:
        return
    if elsewhere and not isinstance(callback, str):
        refuse_objects({"callback": callback}, "a worker process")
    if not callable(_loaded(callback)):
        message = f"callback: expected a function or its name, got {shown(callback)}"
        raise InvalidArgumentError(message)


def callback_of(callback: RunCallback, job: Job) -> Callback:
    """Returns what a run's ledger calls: records also name the run.

    Args:
        callback: a function, or its name.
        job: what is run; its ``env``, ``agent`` and ``seed`` go into each record.
    """
    call = _loaded(callback)
    names = {"env": job.task.env_id, "agent": job.agent, "seed": job.seed}

    def told(query: int, record: Record) -> None:
        call(query, {**record, **names})

    return told


def _loaded(callback: RunCallback) -> Any:
    if isinstance(callback, str):
        return load_object(callback, form="package.module:function")
    return callback
