"""Adapters to optimisers of other projects, each loaded when it is first asked for.

All of them stand on :func:`parameters`, which names what there is to choose, and
:meth:`hwnas_env.BudgetedProblem.ask`, which answers in flat records.
"""

from typing import TYPE_CHECKING

from hwnas_env.faces import lazy

if TYPE_CHECKING:
    from hwnas_env.integrations.ax import ax_parameters as ax_parameters
    from hwnas_env.integrations.configspace import to_configspace as to_configspace
    from hwnas_env.integrations.nevergrad import nevergrad_choices as nevergrad_choices
    from hwnas_env.integrations.optuna import optuna_objective as optuna_objective
    from hwnas_env.integrations.optuna import optunahub_problem as optunahub_problem
    from hwnas_env.integrations.pymoo import pymoo_operators as pymoo_operators
    from hwnas_env.integrations.pymoo import pymoo_problem as pymoo_problem
    from hwnas_env.integrations.syne_tune import syne_tune_table as syne_tune_table
    from hwnas_env.integrations.vizier import vizier_experimenter as vizier_experimenter
    from hwnas_env.problems.asking import loss as loss
    from hwnas_env.problems.asking import parameters as parameters

_HOMES = {
    "ax_parameters": "hwnas_env.integrations.ax",
    "loss": "hwnas_env.problems.asking",
    "nevergrad_choices": "hwnas_env.integrations.nevergrad",
    "optuna_objective": "hwnas_env.integrations.optuna",
    "optunahub_problem": "hwnas_env.integrations.optuna",
    "parameters": "hwnas_env.problems.asking",
    "pymoo_operators": "hwnas_env.integrations.pymoo",
    "pymoo_problem": "hwnas_env.integrations.pymoo",
    "syne_tune_table": "hwnas_env.integrations.syne_tune",
    "to_configspace": "hwnas_env.integrations.configspace",
    "vizier_experimenter": "hwnas_env.integrations.vizier",
}

__all__ = [*_HOMES]

__getattr__, __dir__ = lazy(__name__, _HOMES)
