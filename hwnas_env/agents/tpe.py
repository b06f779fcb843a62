"""Tree-structured Parzen estimators, by Optuna.

References:
    Bergstra et al., Algorithms for Hyper-Parameter Optimization, NeurIPS 2011;
    Watanabe, Tree-Structured Parzen Estimator: Understanding Its Algorithm Components,
    arXiv 2304.11127.
"""

from dataclasses import dataclass
from typing import Any

from hwnas_env.agents.config import check_flag, check_whole
from hwnas_env.agents.optuna_sampler import OptunaConfig, OptunaSearcher


@dataclass(frozen=True)
class TPEConfig(OptunaConfig):
    """Hyperparameters of TPE.

    Attributes:
        multivariate: True models the positions together, which is also four times as
            fast; False one by one.
        candidates: networks drawn from the good ones' density, of which the best is
            proposed.
    """

    multivariate: bool = True
    candidates: int = 24

    def __post_init__(self) -> None:
        """Checks the values.

        Raises:
            InvalidArgumentError: a value is out of range.
        """
        super().__post_init__()
        check_flag(self, "multivariate")
        check_whole(self, "candidates")


class TPE(OptunaSearcher[TPEConfig]):
    """Proposes what is likely among good networks and unlikely among the others.

    Constraint: as every sampler's of Optuna; TPE takes the feasible networks for the
    better ones, and orders the others by their violation (Watanabe and Hutter, c-TPE,
    IJCAI 2023, in a simpler form).
    """

    name = "tpe"

    def sampler(self, optuna: Any, *, seed: int) -> Any:
        """Builds the sampler; see :meth:`OptunaSearcher.sampler`."""
        return optuna.samplers.TPESampler(
            n_startup_trials=self.config.startup,
            n_ei_candidates=self.config.candidates,
            multivariate=self.config.multivariate,
            seed=seed,
        )
