"""From a session's journal to latencies: what the machine did is taken out again.

A visit counts as the fastest of its runs, since other programs only ever slow a run
down. The logarithm of a visit is then its network's plus the machine's level at that
time. Both are found by turns, as medians: the level from the visits around, anchors
included, the network from its visits of all rounds. No level reaches over a break.

Each pass is computed from its own visits alone, so that comparing two passes says how
well a measurement repeats. Only their common scale comes from both: the anchors, which
are visited often, have the same latency in every pass.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from hwnas_env.errors import NotMeasuredError, TruncatedFileError, UnsteadyMachineError
from hwnas_env.maths.statistics import kendall_tau_b
from hwnas_env.measuring.journal import Line, Session
from hwnas_env.showing import Outlined
from hwnas_env.types import BoolArray, FloatArray, Genotypes, IntArray

LARGEST_SPREAD_PERCENT = 10.0
"""Anchor spread beyond which a machine is too unsteady to measure on."""

WINDOW = 4
"""Visits before, and as many after, from which the machine's level is found.

Of 2, 4 and 7, tried on busy machines, none is better than the others by more than .02
of tau.
"""

TURNS, SETTLED = 30, 1e-5
"""Most turns between levels and networks; fewer where nothing moves by more."""

THREAD, UNPREEMPTED, WALL = (
    "thread CPU time",
    "wall time of unpreempted runs",
    "wall time",
)


@dataclass(frozen=True, eq=False)
class Measurement(Outlined):
    """What a session measured.

    Attributes:
        genotypes: ``(N, L)`` int8.
        latency_ms: ``(passes, N)``, corrected for what the machine did meanwhile.
        wall_median_ms: ``(passes, N)``: medians of wall time as they came, to compare.
        energy_mj: ``(passes, N)`` millijoules a run, of everything that the processor
            did meanwhile; None without a counter that is believed.
        anchor_spread_percent: two thirds of the anchors' visits lie within so many
            percent of what the visits around them say.
        clock: what was timed, and how it was corrected.
        repeat_tau_b: Kendall's tau-b of the first two passes; None where there is one
            pass, or fewer than three networks.
        protocol: how it was measured, JSON-able.
    """

    genotypes: Genotypes
    latency_ms: FloatArray
    wall_median_ms: FloatArray
    energy_mj: FloatArray | None
    anchor_spread_percent: float
    clock: str
    repeat_tau_b: float | None
    protocol: Mapping[str, Any]


def analyse(session: Session) -> Measurement:
    """Computes the latencies of a finished session.

    Args:
        session: what its journal holds; the same gives the same.

    Raises:
        NotMeasuredError: visits are missing.
        TruncatedFileError: a visit took no time.
    """
    header, visits = session.header, _Visits(session)
    networks = len(header["genotypes"])
    wanted = (header["passes"], networks, header["rounds"])
    lacking = math.prod(wanted) - int((~visits.anchor).sum())
    if lacking:
        message = (
            f"the session lacks {lacking:,} of {math.prod(wanted):,} visits; the "
            "call that began it, made again, goes on there"
        )
        raise NotMeasuredError(message)
    anchors = np.array(header["anchors"])
    fits = [visits.fit(lap) for lap in range(wanted[0])]
    logarithms = np.stack([fit.networks for fit in fits])
    scale = logarithms[:, anchors]
    offsets = np.median(scale - np.median(scale, axis=0), axis=1)
    latency = np.exp(logarithms - offsets[:, None])
    spread = _spread_percent(fits)
    energy = _energy(session.lines, wanted[0], networks)
    clock = f"{visits.clock} corrected by anchors"
    return Measurement(
        genotypes=_frozen(np.array(header["genotypes"], dtype=np.int8)),
        latency_ms=_frozen(latency),
        wall_median_ms=_frozen(visits.wall_medians(wanted[0], networks)),
        energy_mj=None if energy is None else _frozen(energy),
        anchor_spread_percent=spread,
        clock=clock,
        repeat_tau_b=_tau(latency),
        protocol=_protocol(session, visits, spread, clock, energy is not None),
    )


def check_steady(
    session: Session, *, limit_percent: float = LARGEST_SPREAD_PERCENT
) -> None:
    """Refuses a session, finished or not, whose anchors moved too much.

    Args:
        session: what its journal holds.
        limit_percent: the largest anchor spread that is allowed.

    Raises:
        UnsteadyMachineError: says what was seen and what to do.
    """
    visits = _Visits(session)
    laps = sorted(set(visits.lap.tolist()))
    spread = _spread_percent([visits.fit(lap) for lap in laps])
    if spread <= limit_percent:
        return
    loads = [one.load for one in session.lines if one.load is not None]
    busy = f" (load average {np.median(loads):.1f})" if loads else ""
    message = (
        f"this machine is too unsteady to measure on{busy}: anchor networks, whose "
        f"latency is always the same, spread by {spread:.1f} % where {limit_percent:g} "
        "% is allowed. End other programs, or measure at another time in another "
        "folder; --anyway (anyway=True) takes the numbers as they are"
    )
    raise UnsteadyMachineError(message)


@dataclass(frozen=True)
class _Fit:
    """Logarithms of latencies ``(N,)``, NaN where not visited, and what anchors left.

    Attributes:
        networks: the networks' logarithms.
        strays: of every anchor visit, how far it is from what the others say.
    """

    networks: FloatArray
    strays: FloatArray


class _Visits:
    """The visits of a session as columns."""

    def __init__(self, session: Session) -> None:
        lines = session.lines
        self._lines = lines
        self.networks = len(session.header["genotypes"])
        self.lap: IntArray = np.array([one.lap for one in lines], dtype=np.int64)
        self.network: IntArray = np.array([one.network for one in lines], np.int64)
        self.stretch: IntArray = np.array([one.stretch for one in lines], np.int64)
        self.anchor: BoolArray = np.array([one.anchor for one in lines], dtype=bool)
        self.clock = _clock(lines)
        values = np.array([_fastest(one, self.clock) for one in lines])
        if (values <= 0).any():
            place = int(np.argmax(values <= 0))
            message = (
                f"visit {place + 1:,} took no time; expected a positive number of "
                "milliseconds in every run"
            )
            raise TruncatedFileError(message)
        self._logarithms = np.log(values)

    def fit(self, lap: int) -> _Fit:
        """Finds networks and levels of a pass by turns."""
        (rows,) = np.nonzero(self.lap == lap)
        y, network = self._logarithms[rows], self.network[rows]
        pieces = np.split(
            np.arange(len(rows)), np.flatnonzero(np.diff(self.stretch[rows])) + 1
        )
        members = [np.flatnonzero(network == one) for one in range(self.networks)]
        found = _medians(y, members)
        for _ in range(TURNS):
            levels = _levels(y - found[network], pieces)
            before, found = found, _medians(y - levels, members)
            if np.nanmax(np.abs(found - before), initial=0.0) < SETTLED:
                break
        others = _levels(y - found[network], pieces, without_itself=True)
        strays = (y - found[network] - others)[self.anchor[rows]]
        return _Fit(found, strays)

    def wall_medians(self, laps: int, networks: int) -> FloatArray:
        """Returns medians of wall time as they came, ``(passes, N)``."""
        found = np.empty((laps, networks))
        groups = _groups(self._lines)
        for (lap, network), lines in groups.items():
            medians = [float(np.median(one.visit.wall_ms)) for one in lines]
            found[lap, network] = np.median(medians)
        return found

    def preempted_percent(self) -> float | None:
        """Returns the share of runs in which the core was taken away."""
        flags = [flag for one in self._lines for flag in one.visit.preempted or (None,)]
        if None in flags:
            return None
        return round(100 * float(np.mean(np.array(flags, dtype=float))), 2)


def _clock(lines: tuple[Line, ...]) -> str:
    if all(one.visit.cpu_ms is not None for one in lines):
        return THREAD
    if all(one.visit.preempted is not None for one in lines):
        return UNPREEMPTED
    return WALL


def _fastest(line: Line, clock: str) -> float:
    visit = line.visit
    if clock == THREAD and visit.cpu_ms is not None:
        return min(visit.cpu_ms)
    if clock == UNPREEMPTED and visit.preempted is not None:
        pairs = zip(visit.wall_ms, visit.preempted, strict=True)
        clean = [time for time, preempted in pairs if not preempted]
        return min(clean or visit.wall_ms)
    return min(visit.wall_ms)


def _medians(values: FloatArray, members: list[IntArray]) -> FloatArray:
    """Medians of the members' values; NaN where there is none."""
    return np.array([np.median(values[one]) if len(one) else np.nan for one in members])


def _levels(
    values: FloatArray, pieces: list[IntArray], *, without_itself: bool = False
) -> FloatArray:
    """Returns the median of the values around each, within its piece."""
    found = np.zeros(len(values))
    edge = np.full(WINDOW, np.nan)
    for piece in pieces:
        padded = np.concatenate([edge, values[piece], edge])
        windows = sliding_window_view(padded, 2 * WINDOW + 1).copy()
        if without_itself and len(piece) > 1:
            windows[:, WINDOW] = np.nan
        found[piece] = np.nanmedian(windows, axis=1) if len(piece) else 0.0
    return found


def _spread_percent(fits: list[_Fit]) -> float:
    strays = np.abs(np.concatenate([fit.strays for fit in fits] or [np.zeros(0)]))
    return round(100 * float(np.quantile(strays, 2 / 3)), 2) if len(strays) else 0.0


def _tau(latency: FloatArray) -> float | None:
    passes, networks = latency.shape
    if passes < 2 or networks < 3:
        return None
    tau = kendall_tau_b(latency[0], latency[1])
    return round(tau, 4) if np.isfinite(tau) else None


def _groups(lines: tuple[Line, ...]) -> dict[tuple[int, int], list[Line]]:
    groups: dict[tuple[int, int], list[Line]] = {}
    for line in lines:
        if not line.anchor:
            groups.setdefault((line.lap, line.network), []).append(line)
    return groups


def _energy(lines: tuple[Line, ...], laps: int, networks: int) -> FloatArray | None:
    """Returns medians over rounds ``(passes, N)``; None where a network has none."""
    found = np.full((laps, networks), np.nan)
    for place, group in _groups(lines).items():
        known = [e for one in group if (e := one.visit.energy_mj) is not None]
        if known:
            found[place] = np.median(known)
    return found if np.isfinite(found).all() else None


HEADER_FACTS = (
    "space",
    "dataset",
    "runtime",
    "version",
    "torch",
    "processor",
    "cores",
    "system",
    "passes",
    "rounds",
    "repeats",
    "warm",
    "every",
    "seed",
    "anchors",
)


def _protocol(
    session: Session, visits: _Visits, spread: float, clock: str, energy: bool
) -> dict[str, Any]:
    loads = [one.load for one in session.lines if one.load is not None]
    seconds = [0.0] * len(session.stretches)
    for one in session.lines:
        seconds[one.stretch] = max(seconds[one.stretch], one.at_s)
    return {
        **{name: session.header.get(name) for name in HEADER_FACTS},
        "threads": 1,
        "batch": 1,
        "precision": "float32",
        "clock": clock,
        "latency": "fastest run of a visit, median over rounds",
        "anchor_spread_percent": spread,
        "preempted_percent": visits.preempted_percent(),
        "load_average": round(float(np.median(loads)), 2) if loads else None,
        "stretches": len(session.stretches),
        "python": sorted({str(one.get("python")) for one in session.stretches}),
        "pinned": [one.get("core") for one in session.stretches],
        "began": session.stretches[0].get("began"),
        "visiting_seconds": round(sum(seconds), 1),
        "energy": ENERGY if energy else None,
    }


ENERGY = "of the whole processor during the runs, idle power not subtracted"


def _frozen(array: Any) -> Any:
    array.flags.writeable = False
    return array
