"""Choices as a ConfigSpace, for SMAC and whatever else takes one."""

from typing import Any

from hwnas_env.extras import load_extra
from hwnas_env.problems.asking import parameters
from hwnas_env.problems.problem import Problem


def to_configspace(problem: Problem, *, seed: int | None = None) -> Any:
    """Returns a ``ConfigurationSpace`` with one categorical a position.

    Its configurations are mappings, so ``ledger.ask(dict(configuration))`` evaluates.

    Args:
        problem: what is searched.
        seed: of the draws of the space itself.

    Raises:
        MissingExtraError: ConfigSpace is not installed.
    """
    module = load_extra("ConfigSpace", extra="peers", purpose="to_configspace")
    space = module.ConfigurationSpace(name=problem.space.name, seed=seed)
    for name, choices in parameters(problem).items():
        space.add(module.CategoricalHyperparameter(name, choices))
    return space
