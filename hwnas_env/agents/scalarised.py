"""MaskablePPO on a weighted sum of objectives whose weights are drawn each episode.

One policy for all trade-offs: it observes the weights.

References:
    Abels et al., Dynamic Weights in Multi-Objective Deep Reinforcement Learning, ICML
    2019, for conditioning one policy on weights.
"""

from dataclasses import dataclass
from typing import Any

from hwnas_env.agents.config import check_name
from hwnas_env.agents.learners import MaskablePPO, MaskablePPOConfig

FORMULAS = ("weighted_sum", "chebyshev")


@dataclass(frozen=True)
class ScalarisedPPOConfig(MaskablePPOConfig):
    """Hyperparameters of the scalarised PPO.

    Attributes:
        objectives: "accuracy" and names out of the problem's metrics; the default, on a
            device without latency, is the accuracy and the budget's metric.
        scalarisation: "weighted_sum" or "chebyshev", normalised by the exact front.
    """

    objectives: tuple[str, ...] = ("accuracy", "latency_ms")
    scalarisation: str = "chebyshev"

    def __post_init__(self) -> None:
        """Checks the values; objectives are checked against the problem.

        Raises:
            InvalidArgumentError: a value is out of range.
            UnknownNameError: there is no such scalarisation.
        """
        super().__post_init__()
        check_name(self, "scalarisation", valid=FORMULAS)


class ScalarisedPPO(MaskablePPO):
    """Learns one policy for all weights of the objectives.

    Constraint: masked, so every network is feasible. Scalarisation normalises by the
    exact front's ideal and nadir, which a search on a new device would not know.
    """

    name = "scalarised_ppo"
    config_type = ScalarisedPPOConfig
    config: ScalarisedPPOConfig

    def vector_keywords(self) -> dict[str, Any]:
        """Returns the objectives in place of a reward.

        The default is meant for devices with a latency; on others it is the accuracy
        and the budget's metric.
        """
        objectives = self.config.objectives
        if objectives == ScalarisedPPOConfig.objectives:
            objectives = self.problem.usual_objectives
        return {"objectives": objectives}

    def wrap(self, envs: Any) -> Any:
        """Scalarises with drawn weights."""
        from hwnas_env.wrappers import Chebyshev, WeightedSum

        wrapper = WeightedSum if self.config.scalarisation == FORMULAS[0] else Chebyshev
        return wrapper(envs, weights="sampled")

    def wrap_for_play(self, envs: Any) -> Any:
        """Scalarises, so that networks are built for weights drawn anew."""
        return self.wrap(envs)
