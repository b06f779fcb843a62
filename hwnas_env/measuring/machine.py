"""The machine that one stands at: its processor, its load, and one core of it."""

import contextlib
import os
import platform
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def processor_name() -> str:
    """Returns what the processor calls itself, or the architecture's name."""
    with contextlib.suppress(OSError, ValueError):
        for line in Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines():
            key, _, value = line.partition(":")
            if key.strip().lower() in ("model name", "hardware", "cpu model"):
                return " ".join(value.split())
    if platform.system() == "Darwin":
        with contextlib.suppress(OSError, subprocess.SubprocessError):
            command = ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"]
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=5, check=True
            )
            if done.stdout.strip():
                return done.stdout.strip()
    return platform.processor() or platform.machine() or "unknown"


def machine_facts() -> dict[str, Any]:
    """Returns what tells this machine from others, JSON-able."""
    return {
        "processor": processor_name(),
        "cores": os.cpu_count() or 1,
        "system": f"{platform.system()} {platform.machine()}",
    }


def load_average() -> float | None:
    """Returns the load average of the last minute, None where there is none."""
    try:
        return round(os.getloadavg()[0], 2)
    except (AttributeError, OSError):
        return None


@contextlib.contextmanager
def one_core() -> Iterator[int | None]:
    """Keeps this thread on the core where it runs now; afterwards it may move again.

    Yields:
        The core's number; None where the system does not let threads be kept.
    """
    system: Any = os
    try:
        allowed = system.sched_getaffinity(0)
        core = _present_core(allowed)
        system.sched_setaffinity(0, {core})
    except (AttributeError, OSError):
        yield None
        return
    try:
        yield core
    finally:
        with contextlib.suppress(OSError):
            system.sched_setaffinity(0, allowed)


def _present_core(allowed: set[int]) -> int:
    """Returns the core that the scheduler chose, which is one of the faster ones."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        words = Path("/proc/thread-self/stat").read_text("ascii", "replace")
        core = int(words.rpartition(")")[2].split()[36])
        if core in allowed:
            return core
    return max(allowed)
