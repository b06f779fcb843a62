"""Calls a function in a process of its own, which may hang or die."""

import multiprocessing
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from hwnas_env.errors import WorkerProcessError


def guarded(
    function: Callable[..., Any],
    arguments: tuple[Any, ...],
    keywords: dict[str, Any],
    *,
    seconds: float,
) -> Any:
    """Returns a function's answer, or a sentence on why there is none.

    Args:
        function: importable by its name, as are its arguments' classes.
        arguments: in their order.
        keywords: by name.
        seconds: after which the process is killed.

    Returns:
        The answer; a string if the process hung, died or raised.

    Raises:
        WorkerProcessError: this process is a daemon, which cannot have another.
    """
    if multiprocessing.current_process().daemon:
        message = (
            "a timeout needs a process of its own, which daemons must not have; on "
            "Dask set DASK_DISTRIBUTED__WORKER__DAEMON=False where workers start"
        )
        raise WorkerProcessError(message)
    context = multiprocessing.get_context("spawn")  # forks of threads may deadlock
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(
        target=_answer, args=(theirs, function, arguments, keywords), daemon=True
    )
    process.start()
    theirs.close()
    try:
        if not ours.poll(seconds):
            return f"TimeoutError: no end within {seconds:g} seconds"
        answer = ours.recv()
    except EOFError:
        process.join()
        return f"the process died with exit code {process.exitcode}"
    finally:
        process.kill()
        process.join()
        ours.close()
    return answer


def _answer(
    connection: Connection,
    function: Callable[..., Any],
    arguments: tuple[Any, ...],
    keywords: dict[str, Any],
) -> None:
    try:
        answer = function(*arguments, **keywords)
    except (Exception, SystemExit) as error:
        answer = f"{type(error).__name__}: {error}"
    connection.send(answer)
    connection.close()
