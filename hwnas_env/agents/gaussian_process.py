"""Bayesian optimisation with a Gaussian process, by Optuna.

References:
    Jones, Schonlau and Welch, Efficient Global Optimization of Expensive Black-Box
    Functions, 1998; Gardner et al., Bayesian Optimization with Inequality Constraints,
    ICML 2014.
"""

from dataclasses import dataclass
from typing import Any

from hwnas_env.agents.optuna_sampler import OptunaConfig, OptunaSearcher
from hwnas_env.extras import load_extra


@dataclass(frozen=True)
class GaussianProcessConfig(OptunaConfig):
    """Hyperparameters of the Gaussian process: those of every sampler of Optuna."""


class GaussianProcess(OptunaSearcher[GaussianProcessConfig]):
    """Proposes where the expected improvement is largest.

    Meant for tens of queries: every proposal fits the model again, which takes a
    fraction of a second at 60 queries and grows with their cube.

    Constraint: as every sampler's of Optuna; a second process models the violation, and
    the improvement is weighted with the probability of meeting the budget.

    Raises:
        MissingExtraError: Optuna, PyTorch or SciPy is not installed.
    """

    name = "gaussian_process"
    packages = ("optuna", "torch", "scipy")

    def sampler(self, optuna: Any, *, seed: int) -> Any:
        """Builds the sampler; see :meth:`OptunaSearcher.sampler`."""
        for module in ("scipy", "torch"):  # Optuna loads them later, in silence
            load_extra(module, extra="torch", purpose="this agent")
        return optuna.samplers.GPSampler(
            n_startup_trials=self.config.startup,
            deterministic_objective=not self.problem.sampled,
            seed=seed,
        )
