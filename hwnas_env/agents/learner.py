"""Agents that learn a policy with Stable-Baselines3 on a vector of environments."""

import io
import json
from abc import abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import numpy as np

from hwnas_env.agents.agent import Agent
from hwnas_env.agents.config import (
    Config,
    check_flag,
    check_number,
    check_whole,
    wrong_value,
)
from hwnas_env.agents.saved import damaged, made_with, restored
from hwnas_env.arguments import check_type, is_whole, path_of
from hwnas_env.data.files import read_file, write_file
from hwnas_env.envs.vector import HWNASVectorEnv
from hwnas_env.errors import InvalidArgumentError, NotExactError
from hwnas_env.extras import error_words, load_extra
from hwnas_env.problems.budget import BudgetedProblem
from hwnas_env.problems.problem import Problem
from hwnas_env.types import AnyPath, Genotypes

LearnerT = TypeVar("LearnerT", bound="Learner")

TOTAL_STEPS = 10**9
"""What ``learn`` is told; the ledger ends it long before."""


@dataclass(frozen=True)
class LearnerConfig(Config):
    """What all learners have.

    Attributes:
        n_envs: rows of the vector that the policy acts in.
        learning_rate: of Adam (A2C: RMSprop).
        gamma: discount; 1, since the reward comes once, at an episode's known end.
        net_arch: units of the policy's hidden layers.
        reward: a name out of ``hwnas_env.REWARDS``.
        sampled_budgets: True draws each episode's budget and observes it, so that one
            policy serves all budgets. What breaks the agent's own budget counts as a
            query all the same.
        hard_mask: True plays an allowed action, drawn uniformly, for a masked one.
    """

    n_envs: int = 8
    learning_rate: float = 1e-3
    gamma: float = 1.0
    net_arch: tuple[int, ...] = (64, 64)
    reward: str = "mnas_hard"
    sampled_budgets: bool = False
    hard_mask: bool = True

    def __post_init__(self) -> None:
        """Checks the values.

        Raises:
            InvalidArgumentError: a value is out of range.
        """
        check_whole(self, "n_envs")
        check_number(self, "learning_rate")
        check_number(self, "gamma", at_most=1.0)
        check_flag(self, "sampled_budgets", "hard_mask")
        layers = self.net_arch
        if not isinstance(layers, (tuple, list)) or not all(
            is_whole(units) and units >= 1 for units in layers
        ):
            raise wrong_value(self, "net_arch", "whole numbers of at least 1")
        object.__setattr__(self, "net_arch", tuple(layers))


if TYPE_CHECKING:  # with a default, so that types may say Learner without brackets
    import typing_extensions

    LearnerConfigT_co = typing_extensions.TypeVar(
        "LearnerConfigT_co", bound=LearnerConfig, covariant=True, default=LearnerConfig
    )
else:
    LearnerConfigT_co = TypeVar("LearnerConfigT_co")


class Learner(Agent[LearnerConfigT_co]):
    """Learns a policy that builds networks decision by decision.

    A subclass sets ``algorithm_name`` and writes :meth:`arguments`. Everything random
    follows from ``rng``, by a seed for Stable-Baselines3, PyTorch and NumPy's global
    generator, which Stable-Baselines3 sets; PyTorch uses one thread, so that a run does
    not depend on the machine's cores.

    Args:
        problem: what is searched.
        budget: bound on the cost, in the problem's metric; None for no bound.
        rng: its only source of randomness.
        config: hyperparameters; the defaults of ``config_type`` where None.
        tensorboard: folder for TensorBoard's logs, or None.

    Attributes:
        algorithm_name: package and class of the algorithm: "stable_baselines3.PPO".
        model: Stable-Baselines3's, once :meth:`search` has begun.

    Raises:
        MissingExtraError: Stable-Baselines3 is not installed.
        NotExactError: the costs are a function of layers, which has no exact masks.
    """

    packages: ClassVar[tuple[str, ...]] = ("torch", "stable_baselines3")
    config_type = LearnerConfig
    algorithm_name: ClassVar[str]

    def __init__(
        self,
        problem: Problem,
        budget: float | None,
        *,
        rng: np.random.Generator,
        config: LearnerConfigT_co | None = None,
        tensorboard: str | None = None,
    ) -> None:
        """See the class."""
        super().__init__(problem, budget, rng=rng, config=config)
        if not problem.model.exact:
            message = (
                f"{self.name}: a learner builds networks by exact masks, which costs "
                "that are a function of layers do not have; searchers, such as random, "
                "evolution or tpe, work"
            )
            raise NotExactError(message)
        load_extra("stable_baselines3", extra="rl", purpose="this agent")
        if tensorboard is not None:
            load_extra("tensorboard", extra="rl", purpose="its log")
        self.model: Any = None
        self._seed = int(rng.integers(2**31))
        self._tensorboard = tensorboard

    @property
    def algorithm(self) -> Any:
        """The algorithm's class, loaded from the package of ``algorithm_name``."""
        package, name = self.algorithm_name.split(".")
        return getattr(load_extra(package, extra="rl", purpose="this agent"), name)

    @abstractmethod
    def arguments(self) -> dict[str, Any]:
        """Returns the algorithm's own arguments, for episodes of this problem."""

    def take_over(self, trained: Agent) -> None:
        """Goes on with another learner's model; see :meth:`Agent.take_over`."""
        assert isinstance(trained, Learner), "agents are of one class"
        self.model = trained.model

    def search(self, ledger: BudgetedProblem) -> None:
        """Learns until the ledger is exhausted."""
        import torch
        from stable_baselines3.common.callbacks import BaseCallback

        class StopAtBudget(BaseCallback):
            """Ends ``learn`` with the step that spends the last query."""

            def _on_step(self) -> bool:
                return not ledger.exhausted

        if check_type(ledger, BudgetedProblem, what="ledger").exhausted:
            return
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            envs = self.environments(ledger)
            envs.seed(self._seed)
            if self.model is None:
                self.model = self._new_model(envs)
            else:
                self.model.set_env(envs)
            self.model.learn(
                TOTAL_STEPS, callback=StopAtBudget(), reset_num_timesteps=False
            )
        finally:
            torch.set_num_threads(threads)

    def environments(self, ledger: BudgetedProblem) -> Any:
        """Returns the vector that the policy acts in, for Stable-Baselines3.

        Args:
            ledger: what its queries are charged to.
        """
        from hwnas_env.wrappers.sb3 import SB3VecEnv

        return SB3VecEnv(self.wrap(self._vector(ledger)))

    def wrap(self, envs: Any) -> Any:
        """Wraps the native vector before the policy acts in it."""
        from hwnas_env.wrappers import HardMask

        return HardMask(envs) if self.config.hard_mask else envs

    def vector_keywords(self) -> dict[str, Any]:
        """Returns the keywords of the environments that are the learner's to choose."""
        return {"reward": self.config.reward}

    def _vector(self, ledger: BudgetedProblem, *, count: int = 0) -> HWNASVectorEnv:
        sampled = self.config.sampled_budgets
        return HWNASVectorEnv(
            self.problem.space.name,
            self.problem.device.name,
            num_envs=count or self.config.n_envs,
            budget="sampled" if sampled else self.limit,
            ledger=ledger,
            **self.vector_keywords(),
        )

    def _new_model(self, envs: Any) -> Any:
        return self.algorithm(
            "MlpPolicy",
            envs,
            learning_rate=self.config.learning_rate,
            gamma=self.config.gamma,
            policy_kwargs={"net_arch": list(self.config.net_arch)},
            seed=self._seed,
            device="cpu",
            tensorboard_log=self._tensorboard,
            **self.arguments(),
        )

    def networks(
        self,
        n: int,
        *,
        budget: float | str | None = None,
        deterministic: bool = False,
        masked: bool = True,
        seed: int = 0,
    ) -> Genotypes:
        """Returns networks that the policy builds; no query is charged.

        Args:
            n: how many.
            budget: to build them for; the agent's own by default. Another one makes
                sense with ``sampled_budgets``.
            deterministic: whether the likeliest decision is taken.
            masked: whether masked decisions are replaced.
            seed: of the environments; the policy samples from PyTorch's generator.

        Returns:
            ``(n, L)`` int8.

        Raises:
            InvalidArgumentError: nothing was learnt yet, or n is not positive.
            InvalidBudgetError: no budget, or one that no deployable network meets.
        """
        if self.model is None or n < 1:
            message = f"networks: expected a learner that has searched, and {n} > 0"
            raise InvalidArgumentError(message)
        from hwnas_env.wrappers import HardMask
        from hwnas_env.wrappers.sb3 import SB3VecEnv

        core: Any = self._vector(BudgetedProblem(self.problem), count=n)
        wrapped = HardMask(core) if masked else core
        envs = SB3VecEnv(self.wrap_for_play(wrapped))
        envs.seed(seed)
        limit = self.limit if budget is None else self.problem.budget(budget)
        envs.set_options({"budget": limit})
        observation = envs.reset()
        infos: Any = None
        for _ in range(self.problem.space.length):
            actions = self.act(envs, observation, deterministic=deterministic)
            observation, _, _, infos = envs.step(actions)
        return np.array([info["genotype"] for info in infos], dtype=np.int8)

    def wrap_for_play(self, envs: Any) -> Any:
        """Wraps the vector that :meth:`networks` plays in, so that spaces agree."""
        return envs

    def act(self, envs: Any, observation: Any, *, deterministic: bool) -> Any:
        """Returns the policy's actions ``(N,)``."""
        del envs
        actions, _ = self.model.predict(observation, deterministic=deterministic)
        return actions

    def save(self, path: AnyPath) -> None:
        """Writes the policy, and beside it what it was made with.

        Args:
            path: to which ``.zip`` is appended for Stable-Baselines3's file, unless it
                ends so, and ``.json`` for the other one.

        Raises:
            InvalidArgumentError: nothing was learnt yet.
            DataError: a file cannot be written; each is whole, as it was or new.
        """
        if self.model is None:
            message = "save: nothing was learnt yet; search first"
            raise InvalidArgumentError(message)
        zipped, beside = _files(path)
        content = io.BytesIO()
        self.model.save(content)
        made = json.dumps(made_with(self), indent=1)
        write_file(zipped, content.getvalue(), what="policy")
        write_file(beside, made.encode(), what="policy")

    @classmethod
    def load(
        cls: type[LearnerT],
        path: AnyPath,
        problem: Problem,
        *,
        rng: np.random.Generator,
    ) -> LearnerT:
        """Returns a learner with a saved policy; only trust files of your own.

        Args:
            path: what :meth:`save` was given.
            problem: of the same search space.
            rng: for what it draws from now on.

        Raises:
            RestoreError: another agent's, of another search space, or damaged.
            DataMissingError: a file is not there.
        """
        zipped, beside = _files(path)
        content = io.BytesIO(read_file(zipped))
        try:
            made = json.loads(read_file(beside))
        except (ValueError, RecursionError) as error:
            raise damaged(path, f"not JSON ({error})") from error
        learner = restored(cls, made, problem, rng=rng, path=path)
        try:
            learner.model = learner.algorithm.load(content, device="cpu")
        except Exception as error:  # a damaged file makes PyTorch raise of many kinds
            words = f"no policy of {cls.name}: {error_words(error)}"
            raise damaged(path, words) from error
        return learner


def _files(path: AnyPath) -> tuple[Path, Path]:
    """Returns a policy's zip file and the JSON file beside it; dots in names stay."""
    stem = str(path_of(path)).removesuffix(".zip")
    return Path(f"{stem}.zip"), Path(f"{stem}.json")
