"""A session: networks are visited in shuffled rounds, and anchors among them.

A pass visits every network in several rounds, each in an order of its own, and after
every ten networks a few anchor networks, which tell how fast the machine is at that
time. Every visit is in the journal before the next one begins, so that a session that
was killed goes on where it stopped.
"""

import hashlib
import platform
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from hwnas_env.arguments import check_name, check_type, check_whole, path_of
from hwnas_env.engines.space import SearchSpace
from hwnas_env.errors import ForeignFileError, shown
from hwnas_env.measuring.analysis import Measurement, analyse, check_steady
from hwnas_env.measuring.clock import Clock, system_clock
from hwnas_env.measuring.energy import find_counter
from hwnas_env.measuring.journal import (
    FORMAT,
    NAME,
    Line,
    Session,
    Writer,
    begin,
    read_session,
)
from hwnas_env.measuring.machine import load_average, machine_facts, one_core
from hwnas_env.measuring.opened import Networks
from hwnas_env.measuring.runners import RUNTIMES, one_thread
from hwnas_env.networks.build import load_torch
from hwnas_env.types import AnyPath

ROUNDS, REPEATS, WARM = 16, 6, 2
"""Rounds of a pass, timed runs of a visit, and runs before the first that is timed.

Many short visits repeat better than few long ones: what other programs do lasts longer
than a visit, so that its runs share it.
"""

EVERY = 10
"""Anchors are visited after so many networks."""

MOST_NETWORKS, MOST_PASSES, MOST_ROUNDS, MOST_REPEATS = 10_000, 10, 1000, 10_000

Progress: TypeAlias = Callable[[int, int], object]
"""Is told how many steps are done, and how many there are."""


def measure(
    space: SearchSpace,
    genotypes: npt.ArrayLike,
    *,
    folder: AnyPath,
    dataset: str | None = None,
    runtime: str = "onnxruntime",
    passes: int = 2,
    rounds: int = ROUNDS,
    repeats: int = REPEATS,
    seed: int = 0,
    anyway: bool = False,
    energy: bool = True,
    progress: Progress | None = None,
) -> Measurement:
    """Measures networks on this machine, or goes on where an earlier call stopped.

    Args:
        space: the search space, which offers networks.
        genotypes: ``(N, L)``, N at least 1.
        folder: where the journal is kept, one folder a session; the networks' files
            are there too while it runs.
        dataset: one of the space's, its default by default.
        runtime: a name in :data:`~hwnas_env.measuring.runners.RUNTIMES`.
        passes: how often the whole is measured; two passes show how well a measurement
            repeats.
        rounds: visits to a network in one pass.
        repeats: timed runs in a visit.
        seed: what the weights and the order of the visits are drawn from.
        anyway: whether an unsteady machine's numbers are returned nevertheless.
        energy: whether an energy counter is looked for.
        progress: is called with how many steps are done and how many there are.

    Returns:
        The measurement; from a finished session nothing is measured again.

    Raises:
        UnsteadyMachineError: the anchors moved by more than is allowed.
        ForeignFileError: the folder holds another session; says what differs.
        DataError: the journal cannot be read or written.
        NoNetworkError: the space offers no networks.
        MissingExtraError: the runtime or PyTorch is not installed.
        InvalidGenotypeError, InvalidArgumentError, UnknownNameError: as their names
            say.
    """
    check_type(space, SearchSpace, what="space")
    name = space.default_dataset if dataset is None else space.check_dataset(dataset)
    rows = space.validate(genotypes)
    check_whole(len(rows), what="number of genotypes", least=1, most=MOST_NETWORKS)
    check_name(runtime, RUNTIMES, what="runtime")
    header = {
        "format": FORMAT,
        "space": space.name,
        "dataset": name,
        "networks": hashlib.sha256(rows.tobytes()).hexdigest(),
        "runtime": runtime,
        "version": RUNTIMES[runtime].version(),
        "torch": str(load_torch().__version__),
        **machine_facts(),
        "passes": check_whole(passes, what="passes", least=1, most=MOST_PASSES),
        "rounds": check_whole(rounds, what="rounds", least=1, most=MOST_ROUNDS),
        "repeats": check_whole(repeats, what="repeats", least=1, most=MOST_REPEATS),
        "warm": WARM,
        "every": EVERY,
        "seed": check_whole(seed, what="seed"),
        "genotypes": rows.tolist(),
    }
    path = path_of(folder, what="folder") / NAME
    networks = Networks(
        space,
        rows,
        dataset=name,
        runtime=RUNTIMES[runtime],
        folder=path.parent,
        seed=seed,
    )
    steps = len(rows) * (1 + passes * rounds)
    tell = progress or _nobody
    tell(0, steps)
    with one_thread():
        session = _session(path, header, networks)
        if _missing(session):
            with Writer(path) as writer, networks:
                session, _ = read_session(path)  # and what others added until now
                _visit_all(
                    session,
                    writer,
                    networks=networks,
                    tell=tell,
                    anyway=anyway,
                    energy=energy,
                )
    tell(steps, steps)
    session, _ = read_session(path)
    measurement = analyse(session)
    if not anyway:
        check_steady(session)
    return measurement


def _visit_all(
    session: Session,
    writer: Writer,
    *,
    networks: Networks,
    tell: Progress,
    anyway: bool,
    energy: bool,
) -> None:
    """Makes the visits that a journal lacks, in one stretch."""
    todo, opened = _missing(session), len(session.header["genotypes"])
    passes, rounds = session.header["passes"], session.header["rounds"]
    steps = opened * (1 + passes * rounds)
    done = steps - len(todo) - opened
    for row in range(opened):
        networks.runner(row)
        done += 1
        tell(done, steps)
    clock = _clock(energy=energy)
    with one_core() as core:
        stretch = Stretch(session, writer, networks=networks, clock=clock, core=core)
        for number, (lap, turn, row) in enumerate(todo, 1):
            stretch.visit(lap, turn, row)
            done += 1
            tell(done, steps)
            if number == len(todo) or todo[number][0] != lap:  # a pass ends
                stretch.anchors(lap, turn)
                writer.sync()
                if not anyway:
                    check_steady(read_session(writer.path)[0])


class Stretch:
    """Visits networks without a break, from when it is made."""

    def __init__(
        self,
        session: Session,
        writer: Writer,
        *,
        networks: Networks,
        clock: Clock,
        core: int | None,
    ) -> None:
        """Notes in the journal that a stretch begins."""
        self._networks, self._writer, self._clock = networks, writer, clock
        self._header = session.header
        self._number = len(session.stretches)
        self._since = EVERY  # anchors come first
        self._start = time.perf_counter()
        writer.add(
            {
                "stretch": self._number,
                "began": datetime.now(timezone.utc).isoformat(timespec="seconds"),
                "core": core,
                "load": load_average(),
                "python": platform.python_version(),
            }
        )

    def visit(self, lap: int, turn: int, row: int) -> None:
        """Visits a network, and before it the anchors where it is time for them."""
        if self._since >= EVERY:
            self.anchors(lap, turn)
        self._since += 1
        self._visit(lap, turn, row, anchor=False)

    def anchors(self, lap: int, turn: int) -> None:
        """Visits every anchor."""
        self._since = 0
        for row in self._header["anchors"]:
            self._visit(lap, turn, row, anchor=True)

    def _visit(self, lap: int, turn: int, row: int, *, anchor: bool) -> None:
        run = self._networks.runner(row)
        begun = time.perf_counter()
        visit = self._clock.visit(run, warm=WARM, repeats=self._header["repeats"])
        middle = (begun + time.perf_counter()) / 2 - self._start
        load = load_average() if anchor else None
        line = Line(self._number, lap, turn, row, anchor, middle, visit, load)
        self._writer.add(line.as_dict())


def _session(path: Path, header: Mapping[str, Any], networks: Networks) -> Session:
    """Returns the folder's session, a new one where there is none."""
    if not path.exists():
        begin(path, {**header, "anchors": networks.anchors()})
    session, _ = read_session(path)
    found = session.header
    differing = [key for key, value in header.items() if found.get(key) != value]
    if differing:
        parts = [
            f"{key} is {shown(found.get(key))} there and {shown(header[key])} here"
            for key in differing
            if key != "genotypes" or differing == ["genotypes"]
        ]
        message = (
            f"{path}: the folder holds another session: {'; '.join(parts)}; measure in "
            "another folder"
        )
        raise ForeignFileError(message)
    return session


def _missing(session: Session) -> list[tuple[int, int, int]]:
    """Returns the visits that the journal lacks, in order: pass, round, row."""
    done = {
        (one.lap, one.round, one.network) for one in session.lines if not one.anchor
    }
    return [place for place in _order(session.header) if place not in done]


def _order(header: Mapping[str, Any]) -> Iterator[tuple[int, int, int]]:
    """Yields all visits to networks in the order that the seed draws."""
    rng = np.random.default_rng(header["seed"])
    for lap in range(header["passes"]):
        for turn in range(header["rounds"]):
            for row in rng.permutation(len(header["genotypes"])).tolist():
                yield lap, turn, row


def _clock(*, energy: bool) -> Clock:
    counter = find_counter() if energy else None
    return system_clock(counter.joules if counter else None)


def _nobody(done: int, steps: int) -> None:
    del done, steps
