"""One run: an agent, a problem, a seed, a ledger."""

import dataclasses
import math
import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import gymnasium as gym
import numpy as np

from hwnas_env.agents import Agent, Config, find_agent
from hwnas_env.arguments import (
    as_number,
    check_jobs,
    check_name,
    check_names,
    check_type,
    check_whole,
)
from hwnas_env.benchmark.faults import fault_words
from hwnas_env.envs.registration import (
    ENVIRONMENTS,
    MULTI_DEVICE_ENVIRONMENTS,
    single_device_ids,
)
from hwnas_env.errors import HWNASError, InvalidArgumentError, shown
from hwnas_env.problems.budget import BudgetedProblem
from hwnas_env.problems.make import make_problem
from hwnas_env.problems.problem import Problem
from hwnas_env.types import FloatArray, Genotypes


@dataclass(frozen=True)
class Task:
    """What is searched: an environment's problem under a budget on its cost.

    Attributes:
        env: an environment's id.
        dataset: one of the space's; None for its default.
        metric: what the budget is on.
        budget: tight, medium, loose, a number in the metric's unit, or None for none.
        source: builtin, measured or auto.
        objectives: "accuracy" and names out of the problem's metrics, whose front is
            searched; empty for the best accuracy under the budget.
        train: ids of the environments that may be searched before this one; empty
            where nothing is transferred.
    """

    env: str
    dataset: str | None = None
    metric: str = "latency_ms"
    budget: float | str | None = "medium"
    source: str = "builtin"
    objectives: tuple[str, ...] = ()
    train: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Takes names in any sequence.

        Raises:
            InvalidArgumentError: objectives or train are no sequence of names.
        """
        for what in ("objectives", "train"):
            names = check_names(getattr(self, what), what=what, least=0)
            object.__setattr__(self, what, names)

    def problem(self) -> Problem:
        """Makes the problem.

        Raises:
            UnknownNameError: no environment of this package has that id.
            InvalidArgumentError: it is one of several devices, and no problem.
        """
        name = self.env
        if isinstance(name, str):
            name = name.removeprefix("hwnas_env:")
            if name in MULTI_DEVICE_ENVIRONMENTS:
                singles = ", ".join(single_device_ids(name))
                message = f"{name} draws a device each episode; choose one: {singles}"
                raise InvalidArgumentError(message)
        every = (*ENVIRONMENTS, *MULTI_DEVICE_ENVIRONMENTS)
        check_name(name, every, what="environment")
        keywords = gym.spec(name).kwargs
        return make_problem(
            keywords["space"],
            device=keywords["device"],
            dataset=self.dataset,
            metric=self.metric,
            source=self.source,
        )

    def limit(self, problem: Problem) -> float | None:
        """Returns the budget as a number, None where there is none."""
        return None if self.budget is None else problem.budget(self.budget)


MOST_SECONDS = 1_000_000
"""A timeout's largest number of seconds, eleven days: what every system can wait."""


@dataclass(frozen=True)
class Limits:
    """What a run may spend.

    Attributes:
        queries: networks to evaluate; None where only seconds are limited.
        train_seconds: simulated seconds of training; None where they are not limited.
        repeats: "charged" or "free", see :class:`hwnas_env.BudgetedProblem`.
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


@dataclass(frozen=True)
class Run:
    """What one run found; accuracies are means over runs of training.

    Attributes:
        env: the environment's id.
        agent: the agent's name.
        seed: the run's seed.
        queries: queries spent.
        unique_queries: distinct networks among them.
        train_seconds: simulated seconds of training spent; 0 where there are none.
        incumbent: name of the best feasible network; empty if none was found.
        accuracy_percent: its accuracy; NaN if none was found.
        cost: its cost in the metric's unit; NaN if none was found.
        regret_percent: accuracy of the exact optimum less its own.
        curve: accuracy of the incumbent after every query, NaN before the first.
        networks: every query in order, a digit a position.
        error: why the run failed; empty where it did not. What it found before is kept.
    """

    env: str
    agent: str
    seed: int
    queries: int
    unique_queries: int
    train_seconds: float
    incumbent: str
    accuracy_percent: float
    cost: float
    regret_percent: float
    curve: tuple[float, ...]
    networks: tuple[str, ...] = ()
    error: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Returns JSON-able values, None for what was not found."""
        fields = asdict(self)
        fields["curve"], fields["networks"] = list(self.curve), list(self.networks)
        return {key: _plain(value) for key, value in fields.items()}


def run_once(
    task: Task,
    agent: str,
    *,
    seed: int,
    queries: int | None = 300,
    limits: Limits | None = None,
    config: Config | None = None,
) -> Run:
    """Lets an agent spend one ledger; the same arguments give the same run.

    An agent that raises ends its run there, with ``error``; what it found before stays.

    Args:
        task: what is searched.
        agent: a name out of ``AGENTS``, or "package.module:Class".
        seed: of the agent's generator, together with the agent's name.
        queries: size of the ledger, where ``limits`` are not given.
        limits: what it may spend.
        config: the agent's hyperparameters; its defaults where None.

    Raises:
        UnknownNameError: no agent has that name.
        InvalidArgumentError: the agent cannot search this problem, or the task has
            objectives or environments to train on.
    """
    limits = Limits(queries) if limits is None else limits
    check_types(task, limits)
    if task.objectives or task.train:
        words = "objectives" if task.objectives else "environments to train on"
        message = f"task: expected no {words}; run_all runs tasks of any form"
        raise InvalidArgumentError(message)
    problem = task.problem()
    ledger = limits.ledger(problem)
    searching = make_agent(task, problem, agent, seed=seed, config=config)
    error = ""
    try:
        searching.search(ledger)
    except KeyboardInterrupt:
        raise
    except BaseException as raised:  # an agent's fault is its run's alone
        error = fault_words(raised)
    return summarise(task, problem, agent, seed=seed, ledger=ledger, error=error)


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
    task's.

    Raises:
        InvalidArgumentError: its class raises anything, or lacks a method.
        HWNASError: what an agent of this package says.
    """
    found = find_agent(agent)
    seed = check_whole(seed, what="seed")
    rng = np.random.default_rng([seed, zlib.crc32(agent.encode())])
    if config is None and task.objectives:
        kind = found.config_type
        if "objectives" in kind().as_dict():
            config = kind.from_dict({"objectives": task.objectives})
    try:
        return found(problem, task.limit(problem), rng=rng, config=config)
    except (HWNASError, KeyboardInterrupt):
        raise
    except BaseException as error:  # whatever an agent of one's own raises
        message = f"agent {shown(agent)} cannot be made: {fault_words(error)}"
        raise InvalidArgumentError(message) from error


def incumbents(problem: Problem, limit: float | None, ledger: BudgetedProblem) -> Any:
    """Returns the incumbent's accuracy after every query, and the best query.

    Args:
        problem: what was searched.
        limit: the budget, or None.
        ledger: with its history.

    Returns:
        The curve ``(Q,)``, NaN before the first feasible network, and the place of the
        final incumbent, None if there is none.
    """
    history = ledger.history()
    evaluation = problem.evaluate_valid(
        history.genotypes, uniforms=np.zeros(len(history.genotypes))
    )
    cost = evaluation.costs[:, problem.metric_column]
    feasible = evaluation.deployable & (cost <= (np.inf if limit is None else limit))
    score: FloatArray = np.where(feasible, history.accuracy_percent, -np.inf)
    curve = np.maximum.accumulate(score) if len(score) else score
    best = int(score.argmax()) if len(score) and np.isfinite(score.max()) else None
    return np.where(np.isfinite(curve), curve, np.nan), best


def summarise(
    task: Task,
    problem: Problem,
    agent: str,
    *,
    seed: int,
    ledger: BudgetedProblem,
    error: str,
) -> Run:
    """Returns the run that a ledger's history amounts to.

    Args:
        task: what was searched.
        problem: the task's.
        agent: who searched.
        seed: its seed.
        ledger: with its history.
        error: why the agent failed; empty where it did not.
    """
    limit = task.limit(problem)
    curve, best = incumbents(problem, limit, ledger)
    name, accuracy, cost = "", math.nan, math.nan
    if best is not None:
        history = ledger.history()
        genotype = history.genotypes[best]
        name, accuracy = problem.decode(genotype), float(history.accuracy_percent[best])
        cost = float(problem.known_costs(genotype[None])[0])
    return Run(
        env=task.env.removeprefix("hwnas_env:"),
        agent=agent,
        seed=seed,
        queries=ledger.queries,
        unique_queries=ledger.unique_queries,
        train_seconds=ledger.train_seconds,
        incumbent=name,
        accuracy_percent=accuracy,
        cost=cost,
        regret_percent=problem.optimum(limit).accuracy_percent - accuracy,
        curve=tuple(curve.tolist()),
        networks=digits(ledger.history().genotypes),
        error=error,
    )


def digits(genotypes: Genotypes) -> tuple[str, ...]:
    """Writes genotypes ``(N, L)``, a digit a position."""
    return tuple("".join(map(str, row)) for row in genotypes.tolist())


def failed_run(task: Task, agent: str, *, seed: int, error: str) -> Run:
    """Returns the run of an agent of which nothing is left but why."""
    nothing = (math.nan, math.nan, math.nan)
    env = task.env.removeprefix("hwnas_env:")
    return Run(env, agent, seed, 0, 0, 0.0, "", *nothing, curve=(), error=error)


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
    check_types(task, limits)
    check_whole(seeds, what="seeds", least=1)
    check_names(agents, what="agents")
    check_jobs(jobs)
    problem = check_task(task, limits)
    for agent in agents:  # one that needs an extra, or a smaller space, says so here
        make_agent(task, problem, agent, seed=0)


def check_task(task: Task, limits: Limits) -> Problem:
    """Returns a task's problem, if there is such a task and its limits can be spent.

    Args:
        task: what is searched.
        limits: what a run of it may spend.

    Raises:
        UnknownNameError: an environment, dataset or objective that does not exist.
        InvalidArgumentError: objectives or environments to train on that a task cannot
            have, or limits that its problem does not know.
        InvalidBudgetError: no budget, or one that no deployable network meets.
    """
    problem = task.problem()
    task.limit(problem)
    limits.ledger(problem)
    if task.objectives:
        _check_objectives(task, problem)
    if task.train:
        _check_transfer(task, limits)
    return problem


def check_types(task: Task, limits: Limits) -> None:
    """Raises if a task or limits are something else.

    Raises:
        InvalidArgumentError: names which.
    """
    check_type(task, Task, what="task")
    check_type(limits, Limits, what="limits")


def _check_objectives(task: Task, problem: Problem) -> None:
    problem.objectives(task.objectives)
    if len(task.objectives) < 2:
        message = f"objectives: expected at least two objectives, got {task.objectives}"
        raise InvalidArgumentError(message)
    if task.train:
        message = "train: expected no environments on a task with objectives"
        raise InvalidArgumentError(message)


def _check_transfer(task: Task, limits: Limits) -> None:
    space = gym.spec(task.env.removeprefix("hwnas_env:")).kwargs["space"]
    for env in task.train:
        other = dataclasses.replace(task, env=env, train=()).problem()
        if other.space.name != space or env == task.env:
            message = f"train: expected other environments of {space}, got {env}"
            raise InvalidArgumentError(message)
    if limits.queries is None or limits.queries < 2 * len(task.train):
        message = (
            f"queries: expected at least {2 * len(task.train)}, two a device to train "
            f"on, got {limits.queries}"
        )
        raise InvalidArgumentError(message)


def _plain(value: Any) -> Any:
    if isinstance(value, float) and math.isnan(value):
        return None
    return [_plain(item) for item in value] if isinstance(value, list) else value
