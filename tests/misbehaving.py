"""Agents that do what agents should not."""

import os
import time
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
    """Never comes to its fifth network."""

    name = "hangs"

    def propose(self) -> Any:
        while len(self.seen) >= 4:
            time.sleep(0.05)
        return super().propose()


class Dies(RandomSearch):
    """Takes its process along."""

    name = "dies"

    def propose(self) -> Any:
        os._exit(3)


class Leaves(RandomSearch):
    """Wants to end the program."""

    name = "leaves"

    def propose(self) -> Any:
        raise SystemExit(4)


class Undeployable(RandomSearch):
    """Ignores its masks, and draws any network."""

    name = "undeployable"

    def propose(self) -> Any:
        return self.problem.space.sample(1, rng=self.rng)
