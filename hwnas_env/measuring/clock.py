"""One visit to a network: a few runs to warm up, then repeats that are timed.

On a machine that other programs use too, the wall time of a run holds whatever else the
core did meanwhile. The time that a thread's own work took does not, so it is noted
beside the wall time where the system has a clock for it, and so is whether the system
took the core away during the run.
"""

import gc
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

LONGEST_VISIT_S, FEWEST_REPEATS = 0.5, 5
"""A visit ends after so many seconds of wall time, but not before so many repeats."""

COARSEST_CLOCK_S = 1e-5
"""A thread's clock that ticks more coarsely than this is not used."""


@dataclass(frozen=True)
class Visit:
    """What one visit to a network measured, one number a repeat.

    Attributes:
        wall_ms: wall time in milliseconds.
        cpu_ms: CPU time of the thread in milliseconds; None where the system has no
            clock for it.
        preempted: whether the system took the core away meanwhile; None where the
            system does not count that.
        energy_mj: energy of one run in millijoules, over all repeats, of everything
            that the processor did meanwhile; None without a counter.
    """

    wall_ms: tuple[float, ...]
    cpu_ms: tuple[float, ...] | None
    preempted: tuple[bool, ...] | None
    energy_mj: float | None = None


def thread_clock() -> Callable[[], int] | None:
    """Returns the clock of a thread's CPU time in nanoseconds, where it is fine enough.

    None where there is no such clock, or where its ticks are coarser than
    :data:`COARSEST_CLOCK_S`, as on Windows.
    """
    try:
        resolution = time.get_clock_info("thread_time").resolution
        time.thread_time_ns()
    except (ValueError, AttributeError, OSError):
        return None
    return time.thread_time_ns if resolution <= COARSEST_CLOCK_S else None


def preemption_counter() -> Callable[[], int] | None:
    """Returns what counts how often the system took the core away from this thread.

    None where the system does not count that for a thread; only Linux does.
    """
    try:
        import resource  # here: Windows has none
    except ImportError:
        return None
    found: Any = resource
    if not hasattr(found, "RUSAGE_THREAD"):
        return None
    usage, thread = found.getrusage, found.RUSAGE_THREAD
    return lambda: int(usage(thread).ru_nivcsw)


@dataclass(frozen=True)
class Clock:
    """Times runs on this system.

    Attributes:
        thread_ns: CPU time of the thread; None where there is no such clock.
        preemptions: how often the thread lost its core so far; None where not counted.
        joules: energy so far, None once it can no longer be read; None where there is
            no counter.
    """

    thread_ns: Callable[[], int] | None
    preemptions: Callable[[], int] | None
    joules: Callable[[], float | None] | None = None

    def visit(self, run: Callable[[], object], *, warm: int, repeats: int) -> Visit:
        """Runs a network a few times unseen, then times it.

        Args:
            run: runs the network once.
            warm: runs before the first that is timed.
            repeats: runs that are timed; fewer where they take longer than
                :data:`LONGEST_VISIT_S`, but at least :data:`FEWEST_REPEATS`.
        """
        thread = self.thread_ns or _zero
        lost = self.preemptions or _zero
        joules = self.joules or _unknown
        wall: list[float] = []
        cpu: list[float] = []
        preempted: list[bool] = []
        collecting = gc.isenabled()
        gc.disable()
        try:
            for _ in range(warm):
                run()
            energy_before = joules()
            end = time.perf_counter() + LONGEST_VISIT_S
            least = min(repeats, FEWEST_REPEATS)
            while len(wall) < repeats and (
                len(wall) < least or time.perf_counter() < end
            ):
                lost_before, cpu_before = lost(), thread()
                before = time.perf_counter_ns()
                run()
                after = time.perf_counter_ns()
                cpu_after, lost_after = thread(), lost()
                wall.append(_ms(after - before))
                cpu.append(_ms(cpu_after - cpu_before))
                preempted.append(lost_after > lost_before)
            energy_after = joules()
        finally:
            if collecting:
                gc.enable()
        return Visit(
            tuple(wall),
            tuple(cpu) if self.thread_ns else None,
            tuple(preempted) if self.preemptions else None,
            _share_mj(energy_before, energy_after, len(wall)),
        )


def system_clock(joules: Callable[[], float | None] | None = None) -> Clock:
    """Returns the clock of this system, with what it lacks left out.

    Args:
        joules: what reads the energy, see :class:`Clock`.
    """
    return Clock(thread_clock(), preemption_counter(), joules)


def _zero() -> int:
    return 0


def _unknown() -> None:
    return None


def _share_mj(before: float | None, after: float | None, runs: int) -> float | None:
    if before is None or after is None or not runs:
        return None
    return round(1000 * (after - before) / runs, 5)


def _ms(nanoseconds: int) -> float:
    return round(nanoseconds / 1e6, 5)
