"""What is searched, what a run may spend, and who searches; checked before it runs."""

import dataclasses
import functools
import os
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import gymnasium as gym
import numpy as np

from hwnas_env.agents import Agent, Config
from hwnas_env.arguments import (
    as_number,
    check_jobs,
    check_name,
    check_names,
    check_type,
    check_whole,
)
from hwnas_env.benchmark.agent_options import agent_of, config_of, parts_of
from hwnas_env.benchmark.faults import fault_words
from hwnas_env.devices import get_device
from hwnas_env.envs.registration import (
    MULTI_DEVICE_ENVIRONMENTS,
    RANDOM_DEVICE_ENVIRONMENTS,
    environments,
    single_device_ids,
)
from hwnas_env.errors import (
    HWNASError,
    InvalidArgumentError,
    NotExactError,
    shown,
)
from hwnas_env.problems.budget import BudgetedProblem
from hwnas_env.problems.make import choose_metric, make_problem
from hwnas_env.problems.problem import Problem
from hwnas_env.showing import cut, line
from hwnas_env.spaces import get_space

Result = TypeVar("Result")


@dataclass(frozen=True)
class Task:
    """What is searched: an environment's problem under a budget on its cost.

    Attributes:
        env: an environment's id.
        dataset: one of the space's; None for its default.
        metric: what the budget is on; by default the first of the device's metrics that
            a budget can be on.
        budget: tight, medium, loose, a number in the metric's unit, or None for none;
            a front has none, whatever it is.
        source: builtin, measured or auto.
        objectives: "accuracy" and names out of the problem's metrics, whose front is
            searched; empty for the best accuracy within the budget.
        train: ids of the environments that are searched before this one, for a warm
            start; empty for a start from nothing.
        costs: your own in the place of the device's, as a file .npz or .csv or as
            "package.module:function"; None for the device's.
    """

    env: str
    dataset: str | None = None
    metric: str = ""
    budget: float | str | None = "medium"
    source: str = "builtin"
    objectives: tuple[str, ...] = ()
    train: tuple[str, ...] = ()
    costs: str | None = None

    def __post_init__(self) -> None:
        """Takes names in any sequence.

        Raises:
            InvalidArgumentError: objectives or train are no sequence of names.
        """
        for what in ("objectives", "train"):
            names = check_names(getattr(self, what), what=what, least=0)
            object.__setattr__(self, what, names)
        if self.metric is None or (isinstance(self.metric, str) and not self.metric):
            object.__setattr__(self, "metric", self._usual_metric())
        if isinstance(self.costs, os.PathLike):
            object.__setattr__(self, "costs", os.fspath(self.costs))
        if not (self.costs is None or isinstance(self.costs, str)):
            message = (
                "costs: a task goes into records and workers, which take a file, "
                'costs="costs.npz", or "package.module:function", got '
                f"{shown(self.costs)}"
            )
            raise InvalidArgumentError(message)

    def __repr__(self) -> str:
        """Returns the id, and what is asked of it besides the usual."""
        words = [cut(str(self.env), 60), *([str(self.dataset)] if self.dataset else [])]
        bound = f"accuracy under {self.budget} {self.metric}"
        aim = ", ".join(self.objectives) or bound
        words += [aim, *([f"{self.source} costs"] if self.source != "builtin" else [])]
        words += [f"costs {cut(self.costs, 40)}"] if self.costs else []
        words += [f"trained on {len(self.train)} others"] if self.train else []
        return line("Task", ", ".join(words))

    def _usual_metric(self) -> str:
        """Returns the device's first metric that a budget can be on."""
        if not (isinstance(self.env, str) and self.env_id in environments()):
            return "latency_ms"
        keywords = gym.spec(self.env_id).kwargs
        if self.costs is not None:
            found = make_problem(
                keywords["space"], dataset=self.dataset, costs=self.costs
            )
            return found.metric
        device = get_device(keywords["device"])
        return choose_metric(get_space(keywords["space"]), [device], None)

    @property
    def env_id(self) -> str:
        """The environment's id, without the package's name before it."""
        return self.env.removeprefix("hwnas_env:")

    def problem(self) -> Problem:
        """Makes the problem.

        Raises:
            UnknownNameError: no environment of this package has that id.
            InvalidArgumentError: it is one of several devices, and no problem.
        """
        name = self.env_id if isinstance(self.env, str) else self.env
        several = (*MULTI_DEVICE_ENVIRONMENTS, *RANDOM_DEVICE_ENVIRONMENTS)
        every = (*environments(), *several)
        if check_name(name, every, what="environment") in several:
            singles = ", ".join(single_device_ids(name))
            message = (
                f"{name} draws a device each episode, for training a policy; a search "
                f"has one: {singles}"
            )
            raise InvalidArgumentError(message)
        keywords = gym.spec(name).kwargs
        return make_problem(
            keywords["space"],
            device=keywords["device"],
            dataset=self.dataset,
            metric=self.metric,
            source=self.source,
            costs=self.costs,
        )

    def train_problems(self) -> list[Problem]:
        """Makes the problems of the environments to train on."""
        return [
            dataclasses.replace(self, env=env, train=()).problem() for env in self.train
        ]

    def limit(self, problem: Problem) -> float | None:
        """Returns the budget as a number, None where there is none."""
        return None if self.budget is None else problem.budget(self.budget)


def cached_by_data(function: Callable[..., Result]) -> Callable[..., Result]:
    """Keeps what a function of a task last answered, as long as its data is the same.

    A device that was replaced under its name, and a file of costs that changed, are
    other data.

    Args:
        function: of a task, and of more that can be hashed.
    """

    @functools.lru_cache(maxsize=256)
    def answer(task: Task, data: tuple[Any, ...], *more: Any) -> Result:
        del data
        return function(task, *more)

    @functools.wraps(function)
    def ask(task: Task, *more: Any) -> Result:
        problem = task.problem()
        digests = (one.sha256 for one in problem.provenance.values())
        return answer(task, (id(problem.device), *digests), *more)

    return ask


MOST_SECONDS = 1_000_000
"""A timeout's largest number of seconds, eleven days: what every system can wait."""


@dataclass(frozen=True)
class Limits:
    """What a run may spend.

    Attributes:
        queries: networks to evaluate; None where only seconds are limited.
        train_seconds: simulated seconds of training; None where they are not limited.
        repeats: "charged" or "free", which ends after very many in a row; see
            :class:`hwnas_env.BudgetedProblem`.
        timeout_seconds: real seconds after which a run is given up; None for never.
    """

    queries: int | None = 300
    train_seconds: float | None = None
    repeats: str = "charged"
    timeout_seconds: float | None = None

    def __post_init__(self) -> None:
        """Checks the values.

        Raises:
            InvalidArgumentError: nothing is limited, or a limit is not positive.
        """
        if self.queries is None and self.train_seconds is None:
            message = "limits: expected queries or train_seconds, got neither"
            raise InvalidArgumentError(message)
        if self.queries is not None:
            queries = check_whole(self.queries, what="queries", least=1)
            object.__setattr__(self, "queries", queries)  # NumPy's go to no JSON
        timeout = self.timeout_seconds
        if timeout is not None and not 0 < as_number(timeout) <= MOST_SECONDS:
            message = (
                f"timeout: expected seconds above 0, at most {MOST_SECONDS}, got "
                f"{shown(timeout)}"
            )
            raise InvalidArgumentError(message)

    def ledger(self, problem: Problem) -> BudgetedProblem:
        """Makes a run's ledger, which keeps its history."""
        return BudgetedProblem(
            problem,
            max_queries=self.queries,
            max_train_seconds=self.train_seconds,
            repeats=self.repeats,
            record=True,
        )


def make_agent(
    task: Task,
    problem: Problem,
    agent: str,
    *,
    seed: int,
    config: Config | None = None,
) -> Agent:
    """Makes an agent with a generator that follows from the seed and its name.

    Where no configuration is given and an agent's has ``objectives``, it is given the
    task's. Its options change nothing of the generator.

    Raises:
        InvalidArgumentError: its class raises anything, or lacks a method.
        HWNASError: what an agent of this package says.
    """
    found, options = agent_of(agent)
    seed = check_whole(seed, what="seed")
    rng = np.random.default_rng([seed, zlib.crc32(parts_of(agent)[0].encode())])
    if config is not None and options:
        message = f"agent {shown(agent)}: give its options or a config, not both"
        raise InvalidArgumentError(message)
    aims = config is None and task.objectives
    if aims and "objectives" in found.config_type().as_dict():
        options = {"objectives": task.objectives, **options}
    if options:
        config = config_of(found, options)
    try:
        return found(problem, task.limit(problem), rng=rng, config=config)
    except (HWNASError, KeyboardInterrupt):
        raise
    except BaseException as error:  # whatever an agent of one's own raises
        message = f"agent {shown(agent)} cannot be made: {fault_words(error)}"
        raise InvalidArgumentError(message) from error


def check_request(
    task: Task,
    agents: Sequence[str],
    *,
    seeds: int,
    queries: int | None = 300,
    limits: Limits | None = None,
    jobs: int = 1,
) -> None:
    """Raises what :func:`run_all` would, before any process starts.

    Raises:
        UnknownNameError: an environment, dataset or agent that does not exist.
        InvalidArgumentError: seeds, queries or jobs out of range, no agent, or one
            that cannot search this problem.
        MissingExtraError: an agent needs a package that is not installed.
        InvalidBudgetError: no budget, or one that no deployable network meets.
    """
    limits = Limits(queries) if limits is None else limits
    check_whole(seeds, what="seeds", least=1)
    check_names(agents, what="agents")
    check_jobs(jobs)
    problem = check_task(task, limits)
    for agent in agents:  # one that needs an extra, or a smaller space, says so here
        make_agent(task, problem, agent, seed=0)


def check_task(task: Task, limits: Limits) -> Problem:
    """Returns a task's problem, if there is one and its limits can be spent.

    Args:
        task: what is searched.
        limits: what a run of it may spend.

    Raises:
        UnknownNameError: an environment, dataset or objective that does not exist.
        InvalidArgumentError: no task or no limits, objectives or environments to train
            on that a task cannot have, or limits that its problem does not know.
        InvalidBudgetError: no budget, or one that no deployable network meets.
        NotExactError: objectives, and no exact front to measure by.
    """
    check_type(task, Task, what="task")
    check_type(limits, Limits, what="limits")
    problem = task.problem()
    task.limit(problem)
    limits.ledger(problem)
    if task.objectives:
        _check_objectives(task, problem)
    if task.train:
        _check_transfer(task, problem, limits)
    return problem


def _check_objectives(task: Task, problem: Problem) -> None:
    problem.objectives(task.objectives)
    if not problem.model.exact:
        message = (
            "objectives: archives are measured by the exact front, which costs that "
            "are a function of layers do not have; without objectives, searchers, such "
            "as random, evolution or tpe, work"
        )
        raise NotExactError(message)
    if len(task.objectives) < 2:
        message = f"objectives: expected at least two objectives, got {task.objectives}"
        raise InvalidArgumentError(message)
    if task.train:
        message = "train: expected no environments on a task with objectives"
        raise InvalidArgumentError(message)


def _check_transfer(task: Task, problem: Problem, limits: Limits) -> None:
    space = problem.space.name
    for env, other in zip(task.train, task.train_problems(), strict=True):
        if other.space.name != space or env == task.env:
            message = f"train: expected other environments of {space}, got {env}"
            raise InvalidArgumentError(message)
    if limits.queries is None or limits.queries < 2 * len(task.train):
        message = (
            f"queries: expected at least {2 * len(task.train)}, two a device to train "
            f"on, got {limits.queries}"
        )
        raise InvalidArgumentError(message)
