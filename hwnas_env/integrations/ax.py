"""Choices as parameters of Ax."""

from typing import Any

from hwnas_env.extras import load_extra
from hwnas_env.problems.asking import parameters
from hwnas_env.problems.problem import Problem


def ax_parameters(problem: Problem) -> list[Any]:
    """Returns one unordered ``ChoiceParameterConfig`` a position with choices.

    A trial's parameters are a mapping that ``ledger.ask`` takes. Of its record,
    ``accuracy_percent`` is an objective, and ``"violation <= 0.0"`` an outcome
    constraint.

    Args:
        problem: what is searched.

    Raises:
        MissingExtraError: Ax is not installed.
    """
    module = load_extra("ax.api.configs", extra="peers", purpose="ax_parameters")
    return [
        module.ChoiceParameterConfig(
            name=name, values=list(names), parameter_type="str", is_ordered=False
        )
        for name, names in parameters(problem).items()
        if len(names) > 1
    ]
