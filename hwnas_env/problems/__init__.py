"""Problems: one search space on one device, with exact answers and a ledger."""

from hwnas_env.problems.budget import BudgetedProblem
from hwnas_env.problems.device_costs import DeviceCosts, make_device_costs
from hwnas_env.problems.fidelity import fidelity_rows
from hwnas_env.problems.history import History, Receipt
from hwnas_env.problems.make import make_problem
from hwnas_env.problems.own_costs import read_costs
from hwnas_env.problems.problem import PRESETS, Problem
from hwnas_env.problems.random_devices import RandomDevices, random_devices
from hwnas_env.problems.rewards import NamedReward, VectorReward, resolve_reward

__all__ = [
    "PRESETS",
    "BudgetedProblem",
    "DeviceCosts",
    "History",
    "NamedReward",
    "Problem",
    "RandomDevices",
    "Receipt",
    "VectorReward",
    "fidelity_rows",
    "make_device_costs",
    "make_problem",
    "random_devices",
    "read_costs",
    "resolve_reward",
]
