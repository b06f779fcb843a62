"""What every agent is: something that spends a ledger on its problem.

There are two kinds. A :class:`hwnas_env.agents.searcher.Searcher` proposes networks and
is told what they are worth; a :class:`hwnas_env.agents.learner.Learner` acts in
environments that spend the ledger. Whatever else can evaluate through a ledger is an
agent too: subclass :class:`Agent` and write :meth:`Agent.search`.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, Generic, get_args

import numpy as np

from hwnas_env.agents.config import Config, ConfigT_co
from hwnas_env.arguments import check_generator, check_type
from hwnas_env.errors import InvalidArgumentError, shown
from hwnas_env.problems.budget import BudgetedProblem
from hwnas_env.problems.problem import Problem


class Agent(ABC, Generic[ConfigT_co]):
    """Searches one problem under one budget on its cost.

    It is deterministic given its arguments and the answers, and draws from ``rng``
    only. It evaluates through the ledger alone, which counts, and stops it.

    An agent with hyperparameters names their class in brackets behind its base, as in
    ``class Mine(Agent[MyConfig])``: that becomes its ``config_type``. One whose base is
    another agent has that one's, unless it sets ``config_type`` itself.

    Args:
        problem: what is searched.
        budget: bound on the cost, in the problem's metric; None for no bound, which
            leaves that a network has to be deployable.
        rng: its only source of randomness, one of NumPy's own generators.
        config: hyperparameters; the defaults of ``config_type`` where None.

    Attributes:
        packages: installed packages whose numbers it computes with, so that another
            version or processor may give another search; a record names them.
        trains_elsewhere: whether it trains on other devices by itself, so that a task
            with devices to train on gives it no warm start: it is told their names.
        limit: the bound as a number: the budget, or what no cost exceeds.

    Raises:
        InvalidArgumentError: the configuration is another agent's.
        InvalidBudgetError: the budget is no positive number.
        InfeasibleBudgetError: no deployable network meets the budget.
    """

    name: ClassVar[str]
    packages: ClassVar[tuple[str, ...]] = ()
    trains_elsewhere: ClassVar[bool] = False
    config_type: ClassVar[type[Config]] = Config
    config: ConfigT_co

    def __init_subclass__(cls) -> None:
        """Takes ``config_type`` from the brackets behind the name of the base."""
        super().__init_subclass__()
        for base in cls.__dict__.get("__orig_bases__", ()):
            for argument in get_args(base):
                if isinstance(argument, type) and issubclass(argument, Config):
                    cls.config_type = argument

    def __init__(
        self,
        problem: Problem,
        budget: float | None,
        *,
        rng: np.random.Generator,
        config: ConfigT_co | None = None,
    ) -> None:
        """See the class."""
        check_type(problem, Problem, what="problem")
        check_generator(rng)
        chosen: Any = self.config_type() if config is None else config
        self.config = chosen
        if type(chosen) is not self.config_type:
            expected = self.config_type.__name__
            message = f"{self.name}: expected config of {expected}, got {shown(chosen)}"
            raise InvalidArgumentError(message)
        self.problem = problem
        self.budget = None if budget is None else problem.budget(budget)
        self.rng = rng
        self.limit = (
            problem.model.largest(problem.metric_column)
            if self.budget is None
            else self.budget
        )

    def take_over(self, trained: "Agent") -> None:
        """Goes on from what another agent of its class learnt on another problem.

        Nothing by default; a policy is taken over.

        Args:
            trained: of the same configuration and search space, after its search.
        """
        del trained

    def train_on(self, devices: Sequence[str]) -> None:
        """Lets an agent that trains elsewhere know these devices alone.

        Nothing by default.

        Args:
            devices: names, those that a task has to train on.
        """
        del devices

    @abstractmethod
    def search(self, ledger: BudgetedProblem) -> None:
        """Spends the ledger until it is exhausted, or until nothing is left to ask.

        Args:
            ledger: of the agent's problem.

        Raises:
            BudgetExhaustedError: the agent asked for more than the ledger could pay.
        """
