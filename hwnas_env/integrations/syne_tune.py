"""All networks of an enumerated space as a table of syne-tune, with training times."""

from typing import Any

import numpy as np

from hwnas_env.errors import InvalidArgumentError
from hwnas_env.extras import load_extra
from hwnas_env.problems.asking import limit_of, loss, parameters, records
from hwnas_env.problems.problem import Problem

MOST_ROWS = 1_000_000
"""Networks of a table at most."""

OBJECTIVES = ("loss", "accuracy_percent", "violation")
"""Columns of every table; ``train_seconds`` follows where the problem has them."""


def syne_tune_table(problem: Problem, *, budget: float | str | None = "medium") -> Any:
    """Returns a ``BlackboxTabular`` of all networks of an enumerated space.

    Its objectives are ``loss`` (see :func:`hwnas_env.integrations.loss`),
    ``accuracy_percent``, ``violation``, and ``train_seconds`` where the problem has
    them: then a ``UserBlackboxBackend`` with ``elapsed_time_attr="train_seconds"``
    simulates asynchronous searches. It is a table of answers, and counts no queries.

    Args:
        problem: what is searched; its accuracy must not be drawn.
        budget: what violations are of; None for no bound.

    Raises:
        MissingExtraError: syne-tune is not installed.
        InvalidArgumentError: the networks cannot be enumerated, or answers are drawn.
    """
    space, purpose = problem.space, "syne_tune_table"
    if not space.has_numbers or space.size > MOST_ROWS or problem.sampled:
        message = f"{purpose}: expected an enumerated space, and no sampled accuracy"
        raise InvalidArgumentError(message)
    tables: Any = load_extra(
        "syne_tune.blackbox_repository.blackbox_tabular",
        extra="syne-tune",
        purpose=purpose,
    )
    spaces: Any = load_extra(
        "syne_tune.config_space", extra="syne-tune", purpose=purpose
    )
    pandas: Any = load_extra("pandas", extra="pandas", purpose=purpose)
    genotypes = space.from_keys(np.arange(space.size))
    limit = limit_of(problem, budget)
    answers = problem.evaluate_valid(genotypes)
    told = records(problem, genotypes, answers, limit=limit, first=1)
    for record in told:
        record["loss"] = loss(record)
    names = [*OBJECTIVES, *(["train_seconds"] if problem.has_train_seconds else [])]
    values = np.array([[record[name] for name in names] for record in told])
    choices = parameters(problem)
    columns = {
        name: np.array(choices[name])[genotypes[:, at]]
        for at, name in enumerate(choices)
    }
    return tables.BlackboxTabular(
        hyperparameters=pandas.DataFrame(columns),
        configuration_space={
            name: spaces.choice(list(choices[name])) for name in choices
        },
        fidelity_space={"epoch": spaces.randint(1, 1)},
        objectives_evaluations=values[:, None, None, :],
        objectives_names=names,
    )
