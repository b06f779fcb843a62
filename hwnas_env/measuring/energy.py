"""Energy counters of the processor, believed only where they move under load.

Linux shows the counters that Intel and AMD processors have (RAPL) as files under
/sys/class/powercap. Many machines show files that never move, for example in a virtual
machine; numbers from those would be zeros that look like measurements.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

POWERCAP = Path("/sys/class/powercap")

LEAST_WATTS, MOST_WATTS = 0.5, 1000.0
"""Power under load that is believed, in watts."""

LOAD_S = 1.0
"""Seconds of load under which a counter has to move."""

MICROJOULES = 1_000_000
LARGEST_DIGITS = 20
"""Digits of the largest number that 64 bits hold."""


@dataclass
class EnergyCounter:
    """Counts joules of whole processors, over all their packages.

    Attributes:
        files: the counters' files, each with the number of microjoules after which it
            begins again at 0.
    """

    files: tuple[tuple[Path, int], ...]
    _last: list[int] = field(default_factory=list)
    _total: int = 0
    _lost: bool = False

    def joules(self) -> float | None:
        """Returns the energy since the first call, in joules.

        To be called more often than a counter begins again at 0, which takes a minute
        at the least. None once a file could not be read, and from then on.
        """
        now = [
            number for file, _ in self.files if (number := _number(file)) is not None
        ]
        if self._lost or len(now) < len(self.files):
            self._lost = True
            return None
        limits = [limit for _, limit in self.files]
        for limit, before, after in zip(limits, self._last or now, now, strict=True):
            self._total += after - before + (limit if after < before else 0)
        self._last = now
        return self._total / MICROJOULES


def find_counter(
    root: Path = POWERCAP,
    *,
    load: Callable[[float], float] | None = None,
    seconds: float = LOAD_S,
) -> EnergyCounter | None:
    """Returns the processor's energy counter, if it is to be believed.

    It is read before and after a load: where it stood still, or moved by less than
    :data:`LEAST_WATTS` or more than :data:`MOST_WATTS`, there is no counter.

    Args:
        root: the folder of the counters.
        load: keeps a core busy for so many seconds and returns how many passed; by
            default a loop.
        seconds: how long.
    """
    files = _files(root)
    if not files:
        return None
    counter = EnergyCounter(files)
    before = counter.joules()
    passed = (load or busy)(seconds)
    after = counter.joules()
    if before is None or after is None or passed <= 0:
        return None
    watts = (after - before) / passed
    return counter if LEAST_WATTS <= watts <= MOST_WATTS else None


def busy(seconds: float) -> float:
    """Keeps a core busy for so many seconds, and returns how many passed."""
    begun = time.perf_counter()
    total = 0.0
    while (passed := time.perf_counter() - begun) < seconds:
        for one in range(1000):
            total += math.sqrt(one)
    return passed


def _files(root: Path) -> tuple[tuple[Path, int], ...]:
    """Returns the packages' counters; parts of a package stand deeper (a:0:1)."""
    try:
        folders = sorted(one for one in root.iterdir() if one.name.count(":") == 1)
    except OSError:
        return ()
    named: dict[str, Path] = {}
    for one in folders:  # a package may be shown twice, under two drivers
        named.setdefault(_text(one / "name"), one)
    packages = [one for name, one in named.items() if name.startswith("package")]
    found = []
    for one in packages or [one for name, one in named.items() if name != "psys"]:
        limit = _number(one / "max_energy_range_uj")
        if _number(one / "energy_uj") is not None and limit:
            found.append((one / "energy_uj", limit))
    return tuple(found)


def _text(file: Path) -> str:
    try:
        return file.read_text("ascii", "replace").strip()
    except OSError:
        return ""


def _number(file: Path) -> int | None:
    text = _text(file)
    return int(text) if text.isdecimal() and len(text) <= LARGEST_DIGITS else None
