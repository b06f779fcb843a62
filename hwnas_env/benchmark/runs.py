"""One run: an agent, a problem, a seed, a number of queries; and many of them."""

import math
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import gymnasium as gym
import joblib
import numpy as np

from hwnas_env.agents import find_agent
from hwnas_env.envs.registration import ENVIRONMENTS
from hwnas_env.errors import (
    InvalidArgumentError,
    SearchExhaustedError,
    unknown_name,
)
from hwnas_env.problems.budget import BudgetedProblem
from hwnas_env.problems.catalog import make_problem
from hwnas_env.problems.problem import Problem


@dataclass(frozen=True)
class Task:
    """What is searched: an environment's problem under a budget on its cost.

    Attributes:
        env: an environment's id.
        dataset: one of the space's; None for its default.
        metric: what the budget is on.
        budget: tight, medium, loose, or a number in the metric's unit.
        source: builtin, measured or auto.
    """

    env: str
    dataset: str | None = None
    metric: str = "latency_ms"
    budget: float | str = "medium"
    source: str = "builtin"

    def problem(self) -> Problem:
        """Makes the problem.

        Raises:
            UnknownNameError: no environment of this package has that id.
        """
        name = self.env.removeprefix("hwnas_env:")
        if name not in ENVIRONMENTS:
            raise unknown_name(self.env, ENVIRONMENTS, what="environment")
        keywords = gym.spec(name).kwargs
        return make_problem(
            keywords["space"],
            device=keywords["device"],
            dataset=self.dataset,
            metric=self.metric,
            source=self.source,
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
        incumbent: name of the best feasible network; empty if none was found.
        accuracy_percent: its accuracy; NaN if none was found.
        cost: its cost in the metric's unit; NaN if none was found.
        regret_percent: accuracy of the exact optimum less its own.
        curve: accuracy of the incumbent after every query, NaN before the first.
    """

    env: str
    agent: str
    seed: int
    queries: int
    unique_queries: int
    incumbent: str
    accuracy_percent: float
    cost: float
    regret_percent: float
    curve: tuple[float, ...]

    def as_dict(self) -> dict[str, Any]:
        """Returns JSON-able values, None for what was not found."""
        fields = asdict(self)
        fields["curve"] = list(self.curve)
        return {key: _plain(value) for key, value in fields.items()}


def run_once(task: Task, agent: str, *, seed: int, queries: int) -> Run:
    """Spends exactly that many queries; the same arguments give the same run.

    A searcher that has proposed every network ends its run earlier.

    Args:
        task: what is searched.
        agent: a name out of ``AGENTS``, or "package.module:Class".
        seed: of the agent's generator, together with the agent's name.
        queries: size of the ledger.

    Raises:
        UnknownNameError: no agent has that name.
    """
    searcher_class = find_agent(agent)
    problem = task.problem()
    budget = problem.budget(task.budget)
    rng = np.random.default_rng([seed, zlib.crc32(agent.encode())])
    searcher = searcher_class(problem, budget, rng=rng)
    ledger = BudgetedProblem(problem, max_queries=queries)
    best, best_cost, incumbent = math.nan, math.nan, ""
    curve: list[float] = []
    while not ledger.exhausted:
        try:
            genotypes = searcher.ask()[: ledger.remaining]
        except SearchExhaustedError:
            break
        evaluation = ledger.evaluate(genotypes)
        searcher.tell(genotypes, evaluation)
        costs = evaluation.costs[:, problem.metric_column].tolist()
        accuracies = evaluation.accuracy_percent.tolist()
        for row, (accuracy, cost) in enumerate(zip(accuracies, costs, strict=True)):
            better = not accuracy <= best
            if evaluation.deployable[row] and cost <= budget and better:
                best, best_cost = accuracy, cost
                incumbent = problem.decode(genotypes[row])
            curve.append(best)
    optimum = problem.optimum(budget).accuracy_percent
    return Run(
        env=task.env.removeprefix("hwnas_env:"),
        agent=agent,
        seed=seed,
        queries=ledger.queries,
        unique_queries=ledger.unique_queries,
        incumbent=incumbent,
        accuracy_percent=best,
        cost=best_cost,
        regret_percent=optimum - best,
        curve=tuple(curve),
    )


def check_request(
    task: Task, agents: Sequence[str], *, seeds: int, queries: int, jobs: int = 1
) -> None:
    """Raises what :func:`run_all` would, before any process starts.

    Raises:
        UnknownNameError: an environment, dataset or agent that does not exist.
        InvalidArgumentError: seeds, queries or jobs out of range, no agent, or one
            that cannot search this problem.
        MissingExtraError: an agent needs a package that is not installed.
        InvalidBudgetError: no budget, or one that no deployable network meets.
    """
    counts = {"seeds": seeds, "queries": queries, "agents": len(agents)}
    for name, value in counts.items():
        if value < 1:
            message = f"{name}: expected at least 1, got {value}"
            raise InvalidArgumentError(message)
    if jobs < 1 and jobs != -1:
        message = f"jobs: expected at least 1, or -1 for one a core, got {jobs}"
        raise InvalidArgumentError(message)
    problem = task.problem()
    budget = problem.budget(task.budget)
    for agent in agents:  # one that needs an extra, or a smaller space, says so here
        find_agent(agent)(problem, budget, rng=np.random.default_rng(0))


def run_all(
    task: Task,
    agents: Sequence[str],
    *,
    seeds: int,
    queries: int,
    jobs: int = 1,
    finished: Callable[[Run], None] | None = None,
) -> list[Run]:
    """Runs every agent with seeds 0, 1, ...; any number of jobs gives the same.

    Args:
        task: what is searched.
        agents: names out of ``AGENTS``, or "package.module:Class".
        seeds: runs of each agent.
        queries: queries of each run.
        jobs: processes; -1 for one a core.
        finished: told of every run as it ends.

    Raises:
        HWNASError: what :func:`check_request` finds.
    """
    check_request(task, agents, seeds=seeds, queries=queries, jobs=jobs)
    calls = [
        joblib.delayed(run_once)(task, agent, seed=seed, queries=queries)
        for agent in agents
        for seed in range(seeds)
    ]
    runs: list[Run] = []
    results: Iterator[Run] = joblib.Parallel(n_jobs=jobs, return_as="generator")(calls)
    for run in results:
        if finished is not None:
            finished(run)
        runs.append(run)
    return runs


def _plain(value: Any) -> Any:
    if isinstance(value, float) and math.isnan(value):
        return None
    return [_plain(item) for item in value] if isinstance(value, list) else value
