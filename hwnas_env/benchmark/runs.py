"""One run: an agent spends a ledger on a task, and what it found is measured."""

import math
from dataclasses import asdict, dataclass
from typing import Any

from hwnas_env.agents import Config
from hwnas_env.benchmark.agent_options import settled
from hwnas_env.benchmark.callbacks import (
    RunCallback,
    callback_of,
    check_callback,
)
from hwnas_env.benchmark.faults import fault_words
from hwnas_env.benchmark.jobs import Job
from hwnas_env.benchmark.measures import answers_in, measured
from hwnas_env.benchmark.records import json_value
from hwnas_env.benchmark.tasks import (
    Limits,
    Task,
    check_request,
    check_task,
    make_agent,
)
from hwnas_env.benchmark.transfer import start_warm
from hwnas_env.problems.budget import BudgetedProblem
from hwnas_env.showing import Columned, cut, line, number

__all__ = ["Limits", "Run", "Task", "check_request", "make_agent", "run_once"]

INCUMBENT = ("incumbent", "accuracy_percent", "cost", "regret_percent")
ARCHIVE = ("share", "archive")
"""Fields that only runs without, and only runs with objectives fill."""


@dataclass(frozen=True, eq=False)
class Run(Columned):
    """What one run found; accuracies are means over runs of training.

    A task with objectives is measured by an archive, and its runs have no incumbent;
    any other one by the incumbent, and its runs have no archive. Runs are equal if all
    that they found is, where nothing was found too.

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
        regret_percent: accuracy of the exact optimum less its own; NaN where no optimum
            is known, as with costs that are a function of layers.
        objectives: the task's; empty where the best accuracy was searched.
        share: hypervolume of the archive over that of the exact front; NaN without
            objectives.
        archive: names of the networks that no other found one dominates.
        curve: accuracy of the incumbent after every query, NaN before the first; with
            objectives the share.
        networks: every query in order, as ``space.words`` writes it.
        error: why the run failed; empty where it did not. What it found before is kept.
    """

    env: str
    agent: str
    seed: int
    queries: int = 0
    unique_queries: int = 0
    train_seconds: float = 0.0
    incumbent: str = ""
    accuracy_percent: float = math.nan
    cost: float = math.nan
    regret_percent: float = math.nan
    objectives: tuple[str, ...] = ()
    share: float = math.nan
    archive: tuple[str, ...] = ()
    curve: tuple[float, ...] = ()
    networks: tuple[str, ...] = ()
    error: str = ""

    def columns(self) -> dict[str, Any]:
        """Returns every query: its number, the network's word and the curve."""
        curve = "share" if self.objectives else "incumbent_accuracy_percent"
        return {
            "query": list(range(1, len(self.curve) + 1)),
            "network": list(self.networks),
            curve: list(self.curve),
        }

    def __repr__(self) -> str:
        """Returns who searched where, and what was found."""
        found = f"{self.accuracy_percent:.2f} %, cost {number(self.cost)}"
        if self.objectives:
            found = f"share {self.share:.4f} of the front"
        elif not self.incumbent:
            found = "nothing found"
        found = f"failed, {cut(self.error, 40)}" if self.error else found
        who = f"{cut(self.agent, 40)}, seed {self.seed} on {cut(self.env, 50)}"
        return line("Run", f"{who}: {found} after {self.queries:,} queries")

    def as_dict(self) -> dict[str, Any]:
        """Returns JSON-able values of the fields that the run's measure has.

        They are None for what was not found.
        """
        others = INCUMBENT if self.objectives else ("objectives", *ARCHIVE)
        fields = asdict(self)
        return {key: json_value(fields[key]) for key in fields if key not in others}

    def __eq__(self, other: object) -> bool:
        """Compares all that was found; NaN equals NaN."""
        return isinstance(other, Run) and self.as_dict() == other.as_dict()

    def __hash__(self) -> int:
        """Returns a hash of who searched where, and of the queries."""
        return hash((self.env, self.agent, self.seed, self.networks))


def run_once(
    task: Task,
    agent: str,
    *,
    seed: int,
    queries: int | None = 300,
    limits: Limits | None = None,
    config: Config | None = None,
    callback: RunCallback | None = None,
) -> Run:
    """Lets an agent spend one ledger; the same arguments give the same run.

    An agent that raises ends its run there, with ``error``; what it found before stays.
    An agent whose configuration has ``objectives`` is given the task's; another one
    searches for accuracy, and its queries are an archive all the same. On a task with
    environments to train on it starts warm; see
    :func:`hwnas_env.benchmark.transfer.start_warm`.

    Args:
        task: what is searched.
        agent: a name out of ``AGENTS``, or "package.module:Class"; behind either
            options, as "ppo:n_envs=32".
        seed: of the agent's generator, together with the agent's name.
        queries: size of the ledger, where ``limits`` are not given.
        limits: what it may spend.
        config: the agent's hyperparameters; its defaults where None.
        callback: a function, or "package.module:function", that is called after every
            query with its number and a record: that of
            :meth:`hwnas_env.BudgetedProblem.ask`, with the run's env, agent and seed.
            It changes no run: what it raises becomes a warning, and it is called no
            more.

    Raises:
        UnknownNameError: no agent, or no objective, has that name.
        InvalidArgumentError: the agent cannot search this problem, or the task cannot
            be searched within these limits; or no such callback.
    """
    limits = Limits(queries) if limits is None else limits
    check_callback(callback, elsewhere=False)
    job = Job(task, settled(agent), seed, limits)
    return run_here(job, config=config, callback=callback)


def run_here(
    job: Job, *, config: Config | None = None, callback: RunCallback | None = None
) -> Run:
    """Runs a job in this process, as :func:`run_once` does; no timeout ends it.

    Args:
        job: what is run.
        config: the agent's hyperparameters; its defaults where None.
        callback: told of every query; see :func:`run_once`.
    """
    task, limits = job.task, job.limits
    problem = check_task(task, limits)
    ledger = limits.ledger(problem)
    if callback is not None:
        ledger.watch(callback_of(callback, job), budget=task.limit(problem))
    agent = make_agent(task, problem, job.agent, seed=job.seed, config=config)
    error = ""
    try:
        if task.train and agent.trains_elsewhere:
            agent.train_on([one.device.name for one in task.train_problems()])
        elif task.train:
            start_warm(job, agent, ledger, config=config)
        if not ledger.exhausted:
            agent.search(ledger)
    except KeyboardInterrupt:
        raise
    except BaseException as raised:  # an agent's fault is its run's alone
        error = fault_words(raised)
    return summarise(job, ledger, error=error)


def summarise(job: Job, ledger: BudgetedProblem, *, error: str) -> Run:
    """Returns the run that a ledger's history amounts to.

    Args:
        job: what was run.
        ledger: with its history.
        error: why the agent failed; empty where it did not.
    """
    task, problem, genotypes = job.task, ledger.problem, ledger.history().genotypes
    limit = task.limit(problem)
    curve, places = measured(task, answers_in(ledger, limit))
    found, reached = genotypes[places], curve[-1] if curve else 0.0
    names = tuple(dict.fromkeys(map(problem.decode, found)))
    values: dict[str, Any] = {}
    if task.objectives:
        values = {"share": reached, "archive": names}
    elif names:
        values["incumbent"], values["accuracy_percent"] = names[0], reached
        values["cost"] = float(problem.known_costs(found)[0])
        if problem.model.exact:
            best = problem.optimum(limit).accuracy_percent
            values["regret_percent"] = best - reached
    return Run(
        env=task.env_id,
        agent=job.agent,
        seed=job.seed,
        queries=ledger.queries,
        unique_queries=ledger.unique_queries,
        train_seconds=ledger.train_seconds,
        objectives=task.objectives,
        curve=tuple(curve),
        networks=task.problem().space.words(genotypes),
        error=error,
        **values,
    )


def failed_run(job: Job, *, error: str) -> Run:
    """Returns the run of an agent of which nothing is left but why it failed."""
    return summarise(job, job.limits.ledger(job.task.problem()), error=error)
