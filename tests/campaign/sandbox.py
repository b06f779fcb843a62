"""Runs what may hang, crash or eat the memory, in a process that is allowed little."""

import json
import os
import resource
import select
import signal
import traceback
from collections.abc import Callable

MEGABYTE = 1 << 20
MOST_MEMORY = 1024 * MEGABYTE
"""What a batch may take beside what the process has already."""


def attempt(batch: Callable[[], list[str]], *, seconds: int) -> list[str]:
    """Runs a batch in a child process, and returns the failures that it names.

    Args:
        batch: what returns sentences on its failures.
        seconds: how long it may take; longer is a failure.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        _limit()
        try:
            failures = batch()
        except BaseException:
            failures = [traceback.format_exc(limit=-4)]
        with os.fdopen(writer, "w") as stream:
            json.dump(failures, stream)
        os._exit(0)
    os.close(writer)
    answer = b""
    ready = select.select([reader], [], [], seconds)[0]
    if not ready:
        os.kill(child, signal.SIGKILL)
    else:
        with os.fdopen(reader, "rb", closefd=False) as stream:
            answer = stream.read()
    os.close(reader)
    _, status = os.waitpid(child, 0)
    if not ready:
        return [f"no end within {seconds} seconds"]
    if status or not answer:
        return [f"the process ended with status {status}"]
    failures = json.loads(answer)
    return [str(failure) for failure in failures]


def _limit() -> None:
    with open("/proc/self/statm", "rb") as stream:
        pages = int(stream.read().split()[0])
    most = pages * resource.getpagesize() + MOST_MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
