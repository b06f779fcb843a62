"""Agents that do what agents should not."""

import asyncio
import os
import re
import signal
import time
from pathlib import Path
from typing import Any

import numpy as np

from hwnas_env import BudgetedProblem
from hwnas_env.agents import Agent, RandomSearch


class Raises(RandomSearch):
    """Breaks after twelve networks."""

    name = "raises"

    def propose(self) -> Any:
        if len(self.seen) >= 12:
            message = "no more ideas"
            raise RuntimeError(message)
        return super().propose()


class Markup(RandomSearch):
    """Breaks with words that a terminal, or a library for tables, would obey."""

    name = "markup"

    def propose(self) -> Any:
        message = f"closing [/b] tag \x1b[31m boom:Boom: list[int] {'é' * 100_000}"
        raise ValueError(message)


class Sometimes(RandomSearch):
    """Breaks at once in about half of its runs, as their seeds have it."""

    name = "sometimes"

    def propose(self) -> Any:
        if self.rng.random() < 0.5 and not self.seen:
            message = "not this time"
            raise RuntimeError(message)
        return super().propose()


class Garbage(RandomSearch):
    """Proposes what is no network."""

    name = "garbage"

    def propose(self) -> Any:
        return np.full((1, 3), 99)


class Greedy(Agent):
    """Evaluates more than its ledger can pay."""

    name = "greedy"

    def search(self, ledger: BudgetedProblem) -> None:
        space = self.problem.space
        for _ in range(10):
            ledger.evaluate(space.sample(15, rng=self.rng))


class Hangs(RandomSearch):
    """Never comes to its fifth network, and says so in the folder of marks."""

    name = "hangs"

    def propose(self) -> Any:
        if len(self.seen) >= 4:
            if MARKS in os.environ:
                (Path(os.environ[MARKS]) / str(os.getpid())).touch()
            self.hang()
        return super().propose()

    def hang(self) -> None:
        while True:
            time.sleep(0.05)


class Stuck(Hangs):
    """Hangs in code that never comes back to Python, and lets no thread run."""

    name = "stuck"

    def hang(self) -> None:
        re.match(r"(a|a)*$", "a" * 200 + "b")


class Dies(RandomSearch):
    """Takes its process along."""

    name = "dies"

    def propose(self) -> Any:
        os._exit(3)


MARKS, KILLS, GROUP = "MISBEHAVING_MARKS", "MISBEHAVING_KILLS", "MISBEHAVING_GROUP"
"""Variables of the environment that say how often ``Fatal`` kills, and whom."""


class Fatal(RandomSearch):
    """Is killed in the middle of some runs, each once, as the environment says.

    Every kill leaves a mark in a folder first, so that their number is exact and no
    test has to hit a moment: ``MISBEHAVING_MARKS`` names the folder,
    ``MISBEHAVING_KILLS`` the most kills, and ``MISBEHAVING_GROUP`` is set where the
    whole process group is killed and not the process alone.
    """

    name = "fatal"

    def propose(self) -> Any:
        if len(self.seen) == 7:
            fated, number = self.rng.integers(2) == 0, self.rng.integers(2**31)
            folder = os.environ.get(MARKS)
            if fated and folder is not None:
                self._kill_once(Path(folder), f"{self.problem.space.name}-{number}")
        return super().propose()

    def _kill_once(self, folder: Path, mark: str) -> None:
        if mark in {path.read_text() for path in folder.iterdir()}:
            return
        for number in range(int(os.environ[KILLS])):
            try:  # of several processes at once, one alone gets a number
                with (folder / str(number)).open("x") as file:
                    file.write(mark)
            except FileExistsError:
                continue
            if GROUP in os.environ:
                os.killpg(0, signal.SIGKILL)
            os.kill(os.getpid(), signal.SIGKILL)


class Leaves(RandomSearch):
    """Wants to end the program."""

    name = "leaves"

    def propose(self) -> Any:
        raise SystemExit(4)


class Speechless(RandomSearch):
    """Raises an error that wants to end the program when it is read."""

    name = "speechless"

    def propose(self) -> Any:
        raise _ExitsWhenReadError


class _ExitsWhenReadError(Exception):
    def __str__(self) -> str:
        raise SystemExit(0)


class Cancels(RandomSearch):
    """Raises what is no Exception."""

    name = "cancels"

    def propose(self) -> Any:
        message = "enough"
        raise asyncio.CancelledError(message)


class Unmade(RandomSearch):
    """Cannot be made."""

    name = "unmade"

    def __init__(self, *_: Any, **__: Any) -> None:
        message = "no"
        raise SystemExit(message)


class Undeployable(RandomSearch):
    """Ignores its masks, and draws any network."""

    name = "undeployable"

    def propose(self) -> Any:
        return self.problem.space.sample(1, rng=self.rng)
