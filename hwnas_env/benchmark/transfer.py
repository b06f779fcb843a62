"""Warm starts: an agent searches other devices before the one that is new to it."""

import zlib
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from hwnas_env.agents import Agent, Config
from hwnas_env.agents.searcher import Searcher
from hwnas_env.benchmark.jobs import Job
from hwnas_env.benchmark.tasks import Limits, make_agent
from hwnas_env.moved import renamed
from hwnas_env.problems.budget import BudgetedProblem
from hwnas_env.problems.problem import Problem
from hwnas_env.types import FloatArray, Genotypes


def start_warm(
    job: Job, agent: Agent, ledger: BudgetedProblem, *, config: Config | None = None
) -> None:
    """Searches the devices to train on, and asks the task what was found there.

    The devices to train on share as many queries as the task's own ledger has. All
    networks found there, best accuracy first, are the warm start: those within the
    task's budget are asked first, for at most half of its ledger. A searcher is told
    them; a learner's policy goes on from device to device, the task's last. Then the
    agent may spend the rest. Only the task's ledger is recorded and scored.

    Args:
        job: whose task says on which environments the agent may train; its queries are
            limited. The seed is that of the agents' generators, together with the
            agent's name and the device.
        agent: who searches the task afterwards.
        ledger: the task's, unspent.
        config: the hyperparameters of the agents that train.
    """
    problem, queries = ledger.problem, ledger.max_queries or 0
    networks, accuracy, trained = _trained(job, queries, config)
    limit = job.task.limit(problem)
    warm = warm_start(problem, limit, networks, accuracy)[: queries // 2]
    answer = ledger.spend(warm)
    if isinstance(agent, Searcher) and len(answer.accuracy_percent):
        agent.tell(warm[: len(answer.accuracy_percent)], answer)
    if trained is not None:
        agent.take_over(trained)


def warm_start(
    problem: Problem, limit: float | None, networks: Genotypes, accuracy: FloatArray
) -> Genotypes:
    """Returns distinct networks within a budget, best accuracy first.

    Args:
        problem: of the device that is new; its costs are known, as to all searches.
        limit: the budget, or None.
        networks: ``(N, L)`` that were found on other devices.
        accuracy: ``(N,)`` theirs, which depends on no device.
    """
    _, first = np.unique(networks, axis=0, return_index=True)
    first.sort()  # of equals the earlier one counts
    networks, accuracy = networks[first], accuracy[first]
    within = problem.known_costs(networks) <= (np.inf if limit is None else limit)
    within &= np.isfinite(problem.known_costs(networks))
    networks, accuracy = networks[within], accuracy[within]
    return networks[np.argsort(-accuracy, kind="stable")]


def _trained(
    job: Job, queries: int, config: Config | None
) -> tuple[Genotypes, FloatArray, Agent | None]:
    """Searches every device to train on: all that was seen, and who saw it last."""
    genotypes, accuracy = [], []
    trained: Agent | None = None
    for env in job.task.train:
        task = replace(job.task, env=env, train=())
        problem = task.problem()
        ledger = Limits(queries // len(job.task.train)).ledger(problem)
        seed = job.seed + zlib.crc32(env.encode())  # each device its own generator
        agent = make_agent(task, problem, job.agent, seed=seed, config=config)
        if trained is not None:
            agent.take_over(trained)
        agent.search(ledger)
        trained = agent
        history = ledger.history()
        genotypes.append(history.genotypes)
        accuracy.append(history.accuracy_percent)
    return np.concatenate(genotypes), np.concatenate(accuracy), trained


if not TYPE_CHECKING:
    __getattr__ = renamed(__name__)
