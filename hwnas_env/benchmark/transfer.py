"""Runs that may learn on other devices first, and are scored on one that is new."""

import zlib
from dataclasses import replace
from typing import Any

import numpy as np

from hwnas_env.agents.learner import Learner
from hwnas_env.agents.searcher import Searcher
from hwnas_env.benchmark.faults import fault_words
from hwnas_env.benchmark.runs import Limits, Run, Task, make_agent, summarise
from hwnas_env.problems.problem import Problem
from hwnas_env.types import FloatArray, Genotypes


def transfer_run(task: Task, agent: str, *, seed: int, limits: Limits) -> Run:
    """Lets an agent search the devices to train on, and then the task's.

    The devices to train on share as many queries as the task's own ledger has. All
    networks found there, best accuracy first, are the warm start: those within the
    task's budget are asked first, for at most half of its ledger. A searcher is told
    them; a learner's policy goes on from device to device, the task's last. Then the
    agent spends the rest. Only the task's ledger is recorded and scored.

    Args:
        task: what is searched, and on which environments the agent may train.
        agent: a name out of ``AGENTS``, or "package.module:Class".
        seed: of the agents' generators, together with the agent's name and the device.
        limits: what the run may spend on the task; its queries are limited.

    Raises:
        UnknownNameError: no agent has that name.
    """
    problem = task.problem()
    ledger = limits.ledger(problem)
    queries = ledger.max_queries or 0
    error = ""
    try:
        networks, accuracy, model = _trained(task, agent, seed=seed, queries=queries)
        warm = warm_start(problem, task.limit(problem), networks, accuracy)
        searching = make_agent(task, problem, agent, seed=seed)
        warm = warm[: queries // 2]
        answer = ledger.spend(warm)
        if isinstance(searching, Searcher) and len(answer.accuracy_percent):
            searching.tell(warm[: len(answer.accuracy_percent)], answer)
        if isinstance(searching, Learner):
            searching.model = model
        if not ledger.exhausted:
            searching.search(ledger)
    except KeyboardInterrupt:
        raise
    except BaseException as raised:  # an agent's fault is its run's alone
        error = fault_words(raised)
    return summarise(task, problem, agent, seed=seed, ledger=ledger, error=error)


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
    task: Task, agent: str, *, seed: int, queries: int
) -> tuple[Genotypes, FloatArray, Any]:
    """Searches every device to train on: all that was seen, and a learner's model."""
    genotypes, accuracy, model = [], [], None
    for env in task.train:
        other = replace(task, env=env, train=())
        problem = other.problem()
        ledger = Limits(queries // len(task.train)).ledger(problem)
        number = seed + zlib.crc32(env.encode())  # each device its own generator
        searching = make_agent(other, problem, agent, seed=number)
        if isinstance(searching, Learner):
            searching.model = model
        searching.search(ledger)
        model = searching.model if isinstance(searching, Learner) else None
        history = ledger.history()
        genotypes.append(history.genotypes)
        accuracy.append(history.accuracy_percent)
    return np.concatenate(genotypes), np.concatenate(accuracy), model
