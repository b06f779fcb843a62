"""How far something is, on standard error: bars on a terminal, lines in a log."""

import contextlib
import sys
import time
from collections.abc import Callable, Iterator, Mapping

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from hwnas_env.texts import plain, write

LONGEST_SECONDS, LEAST_SECONDS, SHARE = 30.0, 1.0, 0.05
"""A log has a line after so many seconds, or so large a share if it took that long."""

Advance = Callable[[str, bool], None]
"""Is told of what is done: its name, and whether it failed."""


class _Description(TextColumn):
    """Says what a bar is of."""

    def render(self, task: Task) -> Text:
        return Text(plain(task.description))


def progress_bars() -> Progress:
    """Shows how far runs are and when they may end, on standard error."""
    return Progress(
        _Description(""),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left:"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        speed_estimate_period=600.0,
        transient=True,
    )


@contextlib.contextmanager
def progress(words: str, totals: Mapping[str, int]) -> Iterator[Advance]:
    """Shows how far several things are, and gives what is told of each that is done.

    Args:
        words: what they are together, for a log.
        totals: how many there are, by name.
    """
    if sys.stderr is None or not sys.stderr.isatty():
        yield Log(words, sum(totals.values())).advance
        return
    with progress_bars() as bars:
        rows = {name: bars.add_task(name, total=n) for name, n in totals.items()}
        failures = dict.fromkeys(totals, 0)

        def advance(name: str, failed: bool) -> None:
            failures[name] += failed
            more = f", {failures[name]} failed" if failures[name] else ""
            bars.update(rows[name], advance=1, description=f"{name}{more}")

        yield advance


class Log:
    """Writes lines on how much is done, now and then, and a last one."""

    def __init__(
        self, words: str, total: int, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Begins now.

        Args:
            words: what the lines begin with.
            total: how much there is to do.
            clock: tells seconds.
        """
        self._words, self._total, self._clock = words, total, clock
        self._begun = self._said = clock()
        self._done = self._failed = self._said_done = 0

    def advance(self, name: str, failed: bool) -> None:
        """Counts one thing more, and writes a line if it is time for one."""
        del name
        self._done += 1
        self._failed += failed
        now = self._clock()
        since, more = now - self._said, self._done - self._said_done
        share = since >= LEAST_SECONDS and more >= SHARE * self._total
        if since >= LONGEST_SECONDS or share or self._done == self._total:
            self._said, self._said_done = now, self._done
            write(f"{plain(self._line(now - self._begun))}\n", sys.stderr)

    def _line(self, seconds: float) -> str:
        done, total = self._done, self._total
        parts = [f"{self._words}: {done} of {total} ({100 * done // total} %)"]
        parts += [f"{self._failed} failed"]
        rate = 60 * done / seconds if seconds > 0 else 0.0
        parts += [f"{rate:,.0f} a minute" if rate >= 10 else f"{rate:.2g} a minute"]
        left = seconds / done * (total - done)
        parts += [f"about {duration(left)} left"] if done < total else []
        return ", ".join([*parts, f"{duration(seconds)} so far"])


UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))


def duration(seconds: float) -> str:
    """Writes a time as people say it.

    Example:
        >>> duration(0.2), duration(90), duration(3 * 3600), duration(200_000)
        ('1 second', '90 seconds', '3 hours', '2.3 days')
    """
    unit, size = next((one for one in UNITS if seconds >= 2 * one[1]), UNITS[-1])
    count = max(1.0, seconds / size)
    fine = count < 10 and size >= 60
    number = f"{count:.1f}".removesuffix(".0") if fine else f"{count:.0f}"
    return f"{number} {unit}{'' if number == '1' else 's'}"
