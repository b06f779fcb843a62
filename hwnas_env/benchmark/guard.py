"""Calls a function in a process of its own, which may hang or die.

Processes end with the one that started them, however that ends.
"""

import ctypes
import functools
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from hwnas_env.benchmark.faults import fault_words
from hwnas_env.errors import WorkerProcessError

START_SECONDS = 120.0
"""How long a process may take to start, on a machine that is busy."""

_BEGUN = "begun"
_PR_SET_PDEATHSIG = 1  # of Linux's prctl
_LOOK_SECONDS = 0.5


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
        seconds: after which the process is killed, counted from its start.

    Returns:
        The answer; a string if the process hung, died or raised.

    Raises:
        WorkerProcessError: this process is a daemon, which cannot have another, or the
            other did not start.
    """
    if multiprocessing.current_process().daemon:
        message = (
            "a timeout needs a process of its own, which daemons must not have; on "
            "Dask set DASK_DISTRIBUTED__WORKER__DAEMON=False where workers start"
        )
        raise WorkerProcessError(message)
    known = multiprocessing.get_all_start_methods()
    if multiprocessing.get_start_method(allow_none=True) not in (None, *known):
        # a worker of loky has a method that a child of its own cannot know
        multiprocessing.set_start_method("spawn", force=True)
    context = multiprocessing.get_context("spawn")  # forks of threads may deadlock
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(
        target=_answer, args=(theirs, os.getpid(), function, arguments, keywords)
    )
    process.start()
    theirs.close()
    try:
        if not _began(ours):
            message = "a process for a run did not start; see what it printed above"
            raise WorkerProcessError(message)
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


@functools.cache
def end_with(parent: int) -> None:
    """Ends this process when the one that started it does, however that ends.

    On Linux the kernel does it, even while this process never comes back to Python;
    where there is no such help a thread looks now and then.

    Args:
        parent: the other's number; this process's own, or any on Windows, is ignored.
    """
    if parent == os.getpid() or os.name != "posix":
        return
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    threading.Thread(target=_look_after, args=(parent,), daemon=True).start()


def _look_after(parent: int) -> None:
    started_by = os.getppid()
    while os.getppid() == started_by and _lives(parent):
        time.sleep(_LOOK_SECONDS)
    os.kill(os.getpid(), signal.SIGKILL)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's: it lives
        return True
    return True


def _began(connection: Connection) -> bool:
    try:
        return connection.poll(START_SECONDS) and connection.recv() == _BEGUN
    except EOFError:
        return False


def _answer(
    connection: Connection,
    parent: int,
    function: Callable[..., Any],
    arguments: tuple[Any, ...],
    keywords: dict[str, Any],
) -> None:
    end_with(parent)
    connection.send(_BEGUN)
    try:
        answer = function(*arguments, **keywords)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        answer = fault_words(error)
    connection.send(answer)
    connection.close()
