"""What there is to reach in an environment: how long episodes are, and the best reward.

The specification holds neither: making an environment loads no table, and a number of
steps in it would make Gymnasium truncate what ends by itself.
"""

import numpy as np

from hwnas_env.envs.config import EnvConfig


class Goals:
    """Says what an environment's episodes can come to.

    Attributes:
        config: what the keywords decided.
    """

    config: EnvConfig

    @property
    def max_episode_steps(self) -> int:
        """Steps of an episode from its usual start: a decision each."""
        return self.config.length

    @property
    def reward_threshold(self) -> float | None:
        """Reward of the exact optimum within the budget; the optimum is kept.

        None where it has no meaning: devices, budgets or accuracies are drawn, the
        reward is a vector or a function of yours, or no optimum is known.
        """
        config, problem = self.config, self.config.problems[0]
        named = config.reward is not None and config.reward.trusted
        drawn = config.several or config.sampled or problem.sampled
        if config.reward is None or not named or drawn or not problem.model.exact:
            return None
        budget = float(config.budgets.item(0))
        best = problem.optimum(budget).genotypes[:1]
        found = problem.evaluate_valid(np.ascontiguousarray(best))
        reward = config.reward(found, column=problem.metric_column, budget=budget)
        return float(reward[0])
