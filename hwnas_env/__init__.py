"""Hardware-aware neural architecture search as Gymnasium environments.

``import hwnas_env`` registers ``HWNAS-{Space}-{Device}-v0`` and
``HWNAS-{Space}-MultiDevice-v0`` and loads no tables; everything else is loaded when it
is first asked for.
"""

from typing import TYPE_CHECKING

from hwnas_env.envs.registration import (
    register_device,
    register_everything,
    register_space,
    unregister_device,
    unregister_space,
)
from hwnas_env.faces import lazy
from hwnas_env.moved import install
from hwnas_env.version import __version__

if TYPE_CHECKING:
    from hwnas_env.agents import AGENTS as AGENTS
    from hwnas_env.data.formats.accel_nasbench import AccelNASBench as AccelNASBench
    from hwnas_env.data.formats.hwnasbench import HWNASBench as HWNASBench
    from hwnas_env.devices import DEVICES as DEVICES
    from hwnas_env.errors import HWNASError as HWNASError
    from hwnas_env.fitting.fit import fit_device as fit_device
    from hwnas_env.maths.scalarise import REWARDS as REWARDS
    from hwnas_env.metrics import METRICS as METRICS
    from hwnas_env.problems.budget import BudgetedProblem as BudgetedProblem
    from hwnas_env.problems.device_costs import make_device_costs as make_device_costs
    from hwnas_env.problems.make import make_problem as make_problem
    from hwnas_env.problems.problem import Problem as Problem
    from hwnas_env.spaces import SEARCH_SPACES as SEARCH_SPACES
    from hwnas_env.types import Evaluation as Evaluation

ENVIRONMENTS: tuple[str, ...]
"""Every id of one device, without those of devices in the user's folder."""

_HOMES = {
    "AGENTS": "hwnas_env.agents",
    "AccelNASBench": "hwnas_env.data.formats.accel_nasbench",
    "BudgetedProblem": "hwnas_env.problems.budget",
    "DEVICES": "hwnas_env.devices",
    "ENVIRONMENTS": "hwnas_env.envs.registration",
    "Evaluation": "hwnas_env.types",
    "HWNASBench": "hwnas_env.data.formats.hwnasbench",
    "HWNASError": "hwnas_env.errors",
    "METRICS": "hwnas_env.metrics",
    "Problem": "hwnas_env.problems.problem",
    "REWARDS": "hwnas_env.maths.scalarise",
    "SEARCH_SPACES": "hwnas_env.spaces",
    "fit_device": "hwnas_env.fitting.fit",
    "make_device_costs": "hwnas_env.problems.device_costs",
    "make_problem": "hwnas_env.problems.make",
}

__all__ = [
    "__version__",
    "register_device",
    "register_space",
    "unregister_device",
    "unregister_space",
    *_HOMES,
]


__getattr__, __dir__ = lazy(__name__, _HOMES)

install()
register_everything()
