"""Choices as a parametrisation of Nevergrad."""

from typing import Any

from hwnas_env.extras import load_extra
from hwnas_env.problems.asking import parameters
from hwnas_env.problems.problem import Problem


def nevergrad_choices(problem: Problem, *, seed: int | None = None) -> Any:
    """Returns a ``nevergrad.p.Dict`` with one unordered choice a position.

    A candidate's value is a mapping, so ``ledger.ask(candidate.value)`` evaluates, and
    ``hwnas_env.integrations.loss`` of the record is what to tell.

    Args:
        problem: what is searched.
        seed: of the parametrisation's generator, which the optimisers draw from.

    Raises:
        MissingExtraError: Nevergrad is not installed.
    """
    module = load_extra("nevergrad", extra="peers", purpose="nevergrad_choices")
    choices = {
        name: module.p.TransitionChoice(list(names), ordered=False)
        for name, names in parameters(problem).items()
        if len(names) > 1
    }
    found = module.p.Dict(**choices)
    if seed is not None:
        found.random_state.seed(seed)
    return found
