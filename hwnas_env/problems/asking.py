"""What optimisers ask and are told: choices by name, and one flat record a network."""

import keyword
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from hwnas_env.engines.choices import Choices
from hwnas_env.errors import InvalidGenotypeError, shown, unknown_name
from hwnas_env.problems.problem import Problem
from hwnas_env.types import Evaluation, Genotypes

Record: TypeAlias = dict[str, Any]
"""Text, numbers and flags by name; what JSON and every logger takes."""


def parameters(problem: Problem) -> dict[str, tuple[str, ...]]:
    """Returns what there is to choose: a name a position, and the choices' names.

    The names are Python identifiers in ASCII, whatever the positions are called: signs
    become underscores, and a name that begins with none of a letter gets "at" before
    it. Where two would be the same, all are ``position_1`` and so on.

    Args:
        problem: what is searched.

    Example:
        >>> from hwnas_env.problems.make import make_problem
        >>> found = parameters(make_problem("nasbench201", device="edgegpu"))
        >>> list(found)[:2], found["at_0_1"][:2]
        (['at_0_1', 'at_0_2'], ('none', 'skip_connect'))
    """
    space = problem.space
    return dict(zip(parameter_names(space), space.operations_at, strict=True))


def parameter_names(space: Choices) -> list[str]:
    """Returns the positions' names as identifiers, in the order of decisions."""
    words = [re.sub(r"[^0-9A-Za-z]+", "_", at).strip("_") for at in space.positions]
    names = [
        word if word[:1].isalpha() and not keyword.iskeyword(word) else f"at_{word}"
        for word in words
    ]
    if len({name.lower() for name in names}) == len(names):
        return names
    return [f"position_{number}" for number in range(1, len(names) + 1)]


def genotypes_of(space: Choices, asked: Any) -> Genotypes:
    """Reads what optimisers propose: ``(N, L)`` int8.

    Args:
        space: whose networks they are.
        asked: a mapping as :func:`parameters` names it, to names of choices; a list of
            such mappings; or whatever ``space.validate`` takes. A position with one
            choice may be left out.

    Raises:
        InvalidGenotypeError: a position is missing, or it is none of these.
        UnknownNameError: no position, or no choice there, has that name.
    """
    if isinstance(asked, Mapping):
        return _row(space, asked)[None, :]
    listed = isinstance(asked, Sequence) and not isinstance(asked, str)
    if listed and any(isinstance(one, Mapping) for one in asked):
        return np.stack([_row(space, one) for one in asked])
    return space.validate(asked)


def _row(space: Choices, values: Any) -> Genotypes:
    if not isinstance(values, Mapping):
        message = f"{space.name}: expected a mapping a network, got {shown(values)}"
        raise InvalidGenotypeError(message)
    names = parameter_names(space)
    for name in values:
        if name not in names:
            raise unknown_name(name, names, what=f"position of {space.name}")
    chosen = []
    for name, choices in zip(names, space.operations_at, strict=True):
        if name not in values and len(choices) > 1:
            message = f"{space.name}: expected a choice for {name}, got none"
            raise InvalidGenotypeError(message)
        chosen.append(values.get(name, choices[0]))
    return space.encode_names(chosen)


def records(
    problem: Problem,
    genotypes: Genotypes,
    evaluation: Evaluation,
    *,
    limit: float,
    first: int,
) -> list[Record]:
    """Returns one flat record a network.

    Args:
        problem: what answered.
        genotypes: ``(N, L)``, valid ones.
        evaluation: the answer, one row a network.
        limit: the budget in the metric's unit.
        first: number of the first query.

    Returns:
        Records as :meth:`hwnas_env.BudgetedProblem.ask` describes them.
    """
    found = []
    cost = evaluation.costs[:, problem.metric_column].tolist()
    columns = {name: column.tolist() for name, column in evaluation.columns().items()}
    for row, genotype in enumerate(genotypes):
        values = {name: column[row] for name, column in columns.items()}
        found.append(
            {
                "queries": first + row,
                "architecture": problem.space.decode(genotype),
                "feasible": values["deployable"] and cost[row] <= limit,
                "violation": violation(cost[row], limit),
                **{key: one for key, one in values.items() if math.isfinite(one)},
            }
        )
    return found


def violation(cost: float, limit: float) -> float:
    """Returns how far a cost is over its budget: cost / budget - 1, within [-1, 1].

    It is at most 0 if and only if the cost meets the budget, to the last bit.

    Args:
        cost: inf of what is not deployable, which gives 1.
        limit: the budget.

    Example:
        >>> violation(3.0, 4.0), violation(5.0, 4.0), violation(math.inf, 4.0)
        (-0.25, 0.25, 1.0)
    """
    if cost == math.inf:
        return 1.0
    return min(max(cost / limit - 1.0, -1.0), 1.0)


def known_violation(
    problem: Problem, values: Mapping[str, str], *, budget: float | str | None
) -> float:
    """Returns the violation of one network without a query, as masks know it.

    Args:
        problem: whose network it is.
        values: a mapping as :func:`parameters` names it.
        budget: as for :meth:`Problem.budget`; None for no bound.
    """
    cost = problem.known_costs(genotypes_of(problem.space, values)).item()
    return violation(cost, limit_of(problem, budget))


def limit_of(problem: Problem, budget: float | str | None) -> float:
    """Returns a budget in the metric's unit, infinite for None."""
    return math.inf if budget is None else problem.budget(budget)


def loss(record: Record) -> float:
    """Returns one number to minimise, for optimisers that know no constraints.

    The error in percent of what is feasible; of anything else 100 and up to 100 more,
    the further it is over the budget. So all that is feasible comes first.

    Args:
        record: what ``ask`` returned.

    Example:
        >>> loss({"feasible": True, "accuracy_percent": 94.0, "violation": -0.5})
        6.0
        >>> loss({"feasible": False, "accuracy_percent": 94.0, "violation": 0.5})
        150.0
    """
    if record["feasible"]:
        return 100.0 - float(record["accuracy_percent"])
    return 100.0 * (1.0 + float(record["violation"]))


def objective_values(
    problem: Problem, record: Record, objectives: Sequence[str]
) -> list[float]:
    """Returns a record's objectives, all finite.

    Args:
        problem: what answered.
        record: what ``ask`` returned.
        objectives: "accuracy" and names of metrics.

    Returns:
        The accuracy in percent, and metrics in their units. A metric that the record
        lacks, since the network is not deployable, is the worst that a deployable
        network has; the constraint says that it is none.
    """
    values = []
    for one in problem.objectives(objectives):
        if one.name == "accuracy":
            values.append(float(record["accuracy_percent"]))
        elif one.name in record:
            values.append(float(record[one.name]))
        else:
            end = problem.model.largest if one.minimise else problem.model.smallest
            values.append(end(one.column))
    return values
