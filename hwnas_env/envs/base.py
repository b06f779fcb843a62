"""What the environments of all modes share: problem, ledger, budget, reward, info."""

import operator
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

import gymnasium as gym
import numpy as np
import numpy.typing as npt
from gymnasium.envs.registration import EnvSpec

from hwnas_env.envs.spec import HWNASEnvSpec
from hwnas_env.envs.workers import refuse_worker
from hwnas_env.errors import (
    EpisodeEndedError,
    InvalidActionError,
    InvalidArgumentError,
    unknown_name,
)
from hwnas_env.problems.budget import BudgetedProblem
from hwnas_env.problems.catalog import Accuracy, make_problem
from hwnas_env.problems.problem import SAMPLED_RANGE, Problem
from hwnas_env.problems.rewards import NamedReward, VectorReward, resolve_reward
from hwnas_env.problems.walk import RATIO_LIMIT
from hwnas_env.types import RewardFunction

LOG_LIMIT = 10.0
"""log(budget / medium) is observed clipped to [-10, 10]; presets stay within 3."""

Observation = npt.NDArray[np.float32]
Info = dict[str, Any]


class HWNASEnv(gym.Env[Observation, Any]):
    """Searches one space on one device; a subclass says what an action is.

    Info keys:
        evaluated, genotype (int8, -1 where undecided), accuracy_percent, one key a
        metric, budget, cost (excess over the budget: min(max(0, c / T - 1), 1), 1 where
        not deployable), feasible, deployable, completable, train_seconds where the
        problem has it, queries, unique_queries, budget_exhausted, action_mask (int8).
        Before the evaluation numbers are 0.0 and flags False.

    Ledger:
        The step that spends the last of ``max_queries`` ends as usual; every later step
        is truncated with reward 0 and without an evaluation. Counts go on from episode
        to episode. Where queries are not limited, a seeded reset begins a new run and
        counts from 0, so that one seed always gives one trajectory.
    """

    metadata: ClassVar[dict[str, Any]] = {  # type: ignore[misc]
        "render_modes": ["ansi", "human", "rgb_array"],
        "render_fps": 4,
    }

    _steps_before_reward = 0
    _mask: npt.NDArray[np.int8]
    _ratio: slice
    _genotype: npt.NDArray[np.int8]
    _completable: bool

    def __init__(
        self,
        space: str,
        device: str,
        *,
        dataset: str | None = None,
        metric: str = "latency_ms",
        budget: float | str = "medium",
        reward: str | RewardFunction = "mnas_hard",
        objectives: Sequence[str] | None = None,
        source: str = "builtin",
        accuracy: Accuracy = "mean",
        max_queries: int | None = None,
        render_mode: str | None = None,
    ) -> None:
        """Makes the environment.

        Args:
            space: nasbench201 or fbnet.
            device: edgegpu, raspi4, edgetpu, pixel3, eyeriss or fpga.
            dataset: by default cifar10 (NAS-Bench-201) or ImageNet (FBNet).
            metric: what the budget is on: latency_ms or energy_mj.
            budget: a number in the metric's unit; tight, medium or loose; or
                "sampled": log-uniform from the 5 % to the 95 % quantile, each episode.
            reward: a name out of ``hwnas_env.scalarise.REWARDS``, a function, or
                "package.module:function".
            objectives: "accuracy" and metrics: makes the reward a vector.
            source: builtin or measured.
            accuracy: see :func:`hwnas_env.make_problem`; never test accuracy.
            max_queries: evaluations to spend over all episodes; None for no limit.
            render_mode: ansi, human (writes every step to the terminal) or rgb_array.

        Raises:
            UnknownNameError: a name that does not exist; the message names the nearest.
            InvalidBudgetError: no budget, or one that no deployable network meets.
            InvalidArgumentError: a value of the wrong kind.
            DataMissingError: measured data was asked for and is not imported.
            WorkerProcessError: a ledger or a function in a vector worker process.
        """
        if render_mode is not None and render_mode not in self.metadata["render_modes"]:
            raise unknown_name(
                render_mode, self.metadata["render_modes"], what="render mode"
            )
        if source == "auto":
            message = 'source: "auto" differs between machines; builtin or measured'
            raise InvalidArgumentError(message)
        self.problem = make_problem(
            space,
            device=device,
            dataset=dataset,
            metric=metric,
            source=source,
            accuracy=accuracy,
        )
        _refuse_accuracy(self.problem)
        self.render_mode = render_mode
        self._spec: EnvSpec | None = None
        self._local = max_queries is not None or callable(reward) or callable(accuracy)
        self._keywords = {"reward": reward, "accuracy": accuracy}
        if self._local:
            refuse_worker(self._keywords)
        self.ledger = BudgetedProblem(self.problem, max_queries=max_queries)
        self._sampled = budget == "sampled"
        if self._sampled:
            low, high = (self.problem.presets[name] for name in SAMPLED_RANGE)
            low = max(low, self.problem.cheapest)
            self._range = np.log(low), np.log(self.problem.budget(max(low, high)))
        self._budget = self.problem.budget("medium" if self._sampled else budget)
        self._default_budget = self._budget
        self._walk = self.problem.walk(self._budget)
        self._length = self.problem.space.length
        self._choices = self.problem.space.choices
        self._make_reward(reward, objectives)
        self._make_spaces()
        self._make_info()
        self._open = False

    @abstractmethod
    def _make_spaces(self) -> None:
        """Sets ``observation_space``, ``action_space`` and ``_ratio``."""

    @abstractmethod
    def _check_start(self, genotype: Any) -> Any:
        """Checks ``reset``'s option "genotype", None where it is not given."""

    @abstractmethod
    def _begin(self, start: Any) -> None:
        """Starts an episode under the budget that is set, and observes."""

    def _observation_space(self, ones: int) -> gym.Space[Observation]:
        """Bounds of ``ones`` indicators, an interval of cost / budget, and log T."""
        size = ones + 2 + self._sampled
        low, high = np.zeros(size, np.float32), np.ones(size, np.float32)
        self._ratio = slice(ones, ones + 2)
        high[self._ratio] = RATIO_LIMIT
        if self._sampled:
            low[-1], high[-1] = -LOG_LIMIT, LOG_LIMIT
        return gym.spaces.Box(low, high, dtype=np.float32)

    def _make_reward(
        self, reward: str | RewardFunction, objectives: Sequence[str] | None
    ) -> None:
        self._reward: NamedReward | None = None
        self.vector_reward: VectorReward | None = None
        if objectives is None:
            self._reward = resolve_reward(reward)
            return
        if reward != "mnas_hard":
            message = "reward and objectives: give one; objectives make it a vector"
            raise InvalidArgumentError(message)
        self.vector_reward = VectorReward.of(self.problem, objectives)
        self.reward_dim = len(self.vector_reward.objectives)
        self.reward_reference = self.vector_reward.reference
        self.reward_space = gym.spaces.Box(
            self.vector_reward.reference, self.vector_reward.high, dtype=np.float64
        )

    def _make_info(self) -> None:
        """Prepares what info says before an evaluation."""
        problem = self.problem
        self._blank: Info = {
            "evaluated": False,
            "genotype": None,
            "accuracy_percent": 0.0,
            **dict.fromkeys(problem.metrics, 0.0),
            "budget": 0.0,
            "cost": 0.0,
            "feasible": False,
            "deployable": False,
            "completable": False,
            **({"train_seconds": 0.0} if problem.has_train_seconds else {}),
            "queries": 0,
            "unique_queries": 0,
            "budget_exhausted": False,
            "action_mask": None,
        }

    @property
    def spec(self) -> EnvSpec | None:
        """How this environment was made; ``to_json`` explains what it refuses."""
        return self._spec

    @spec.setter
    def spec(self, spec: EnvSpec | None) -> None:
        self._spec = None if spec is None else HWNASEnvSpec.of(spec)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, Info]:
        """Starts an episode.

        Args:
            seed: of the environment's own generator.
            options: ``budget`` for this episode, as in the constructor; ``genotype``
                to start from: see the class.

        Raises:
            UnknownNameError: another option.
            InvalidBudgetError, InvalidActionError: as their names say.
        """
        options = {} if options is None else options
        for key in options:
            if key not in ("budget", "genotype"):
                raise unknown_name(key, ("budget", "genotype"), what="reset option")
        given = "genotype" in options
        start = self._check_start(options["genotype"]) if given else None
        budget = self._check_budget(options.get("budget"))
        if self._local:
            refuse_worker(self._keywords)
        super().reset(seed=seed)
        if seed is not None and self.ledger.max_queries is None:
            self.ledger.restart()
        self._set_budget(budget)
        self._observation = np.zeros(self.observation_space.shape or (), np.float32)
        if self._sampled:
            ratio = np.log(self._budget / self.problem.presets["medium"])
            self._observation[-1] = np.clip(ratio, -LOG_LIMIT, LOG_LIMIT)
        self._blank["budget"] = self._budget
        self._count()
        self._begin(start)
        self._open = True
        if self.render_mode == "human":
            self.render()
        return self._observation.copy(), self._info()

    def _integer(self, action: Any, limit: int, *, meaning: str) -> int:
        """Returns an action in [0, limit) as an int.

        Raises:
            InvalidActionError: it is no such integer.
        """
        try:
            number = operator.index(action)
        except TypeError:
            number = -1
        if not 0 <= number < limit or isinstance(action, bool):
            message = (
                f"expected an action from 0 to {limit - 1} ({meaning}), got {action!r}"
            )
            raise InvalidActionError(message)
        return number

    def _observe_cost(self, cost: float) -> None:
        """Observes the cost of a whole network, in the place of an interval."""
        ratio = min(max(cost / self._budget, 0.0), RATIO_LIMIT)
        self._observation[self._ratio] = ratio, ratio

    def _require_open(self) -> None:
        if not self._open:
            message = "the episode is over (or none was started): call reset() first"
            raise EpisodeEndedError(message)

    def _unpaid(self) -> tuple[Observation, Any, bool, bool, Info]:
        """Answers a step that the ledger cannot pay for."""
        self._open = False
        return self._observation.copy(), self._nothing(), False, True, self._info()

    def _info(self) -> Info:
        info = self._blank.copy()
        info["genotype"] = self._genotype.copy()
        info["completable"] = self._completable
        info["action_mask"] = self._mask.copy()
        return info

    def _nothing(self) -> Any:
        return 0.0 if self.vector_reward is None else np.zeros(self.reward_dim)

    def _evaluate(self) -> tuple[Any, Info]:
        """Queries the finished network: its reward and info."""
        problem = self.problem
        evaluation = self.ledger.evaluate(
            self._genotype[None, :], rng=self.np_random if problem.sampled else None
        )
        self._count()
        column, budget = problem.metric_column, self._budget
        costs = evaluation.costs[0].tolist()
        deployable = bool(evaluation.deployable[0])
        excess = costs[column] / budget - 1.0 if deployable else 1.0
        info = self._info()
        info.update(zip(problem.metrics, costs, strict=True))
        info["evaluated"] = True
        info["accuracy_percent"] = float(evaluation.accuracy_percent[0])
        info["cost"] = min(max(0.0, excess), 1.0)
        info["deployable"] = deployable
        info["feasible"] = deployable and costs[column] <= budget
        if evaluation.train_seconds is not None:
            info["train_seconds"] = float(evaluation.train_seconds[0])
        if self.vector_reward is not None:
            return self.vector_reward(evaluation)[0], info
        assert self._reward is not None, "there is one or the other"
        rewards = self._reward(evaluation, column=column, budget=budget)
        return float(rewards[0]), info

    def _count(self) -> None:
        ledger, blank = self.ledger, self._blank
        blank["queries"] = ledger.queries
        blank["unique_queries"] = ledger.unique_queries
        blank["budget_exhausted"] = ledger.exhausted

    def action_masks(self) -> npt.NDArray[np.bool_]:
        """Returns the mask of the next action, flat, bool, for sb3-contrib."""
        if not hasattr(self, "_mask"):
            message = "no episode was started: call reset() first"
            raise EpisodeEndedError(message)
        return self._mask.astype(np.bool_).reshape(-1)

    def pareto_front(self, gamma: float = 1.0) -> list[npt.NDArray[np.float64]]:
        """Returns the exact front as vector rewards, as MO-Gymnasium asks for it.

        Args:
            gamma: discount of a return, of which the reward comes last.

        Raises:
            InvalidArgumentError: the environment has no objectives.
            NotExactError: the front of this problem cannot be computed exactly.
        """
        if self.vector_reward is None:
            message = 'no front of one number: objectives=("accuracy", "latency_ms")'
            raise InvalidArgumentError(message)
        names = tuple(objective.name for objective in self.vector_reward.objectives)
        front = self.vector_reward.of_points(self.problem.pareto_front(names).points)
        return list(front * gamma**self._steps_before_reward)

    def describe(self) -> dict[str, Any]:
        """Says what is searched, where its numbers come from, and what is rewarded.

        Returns:
            ``problem.describe()`` with ``reward``: its name, and kind "user" for a
            function of the user's own; for a vector the objectives.
        """
        if self.vector_reward is not None:
            names = [objective.name for objective in self.vector_reward.objectives]
            return {**self.problem.describe(), "reward": {"objectives": names}}
        assert self._reward is not None, "there is one or the other"
        kind = "named" if self._reward.trusted else "user"
        reward = {"name": self._reward.name, "kind": kind}
        return {**self.problem.describe(), "reward": reward}

    def render(self) -> Any:
        """Draws the network so far, its costs and the budget.

        Returns:
            Text (ansi), an image ``(H, W, 3)`` uint8 (rgb_array), or None (human).

        Raises:
            MissingExtraError: rgb_array without matplotlib.
            EpisodeEndedError: no episode was started.
        """
        if self.render_mode is None:
            return None
        if not hasattr(self, "_mask"):
            message = "no episode was started: call reset() first"
            raise EpisodeEndedError(message)
        from hwnas_env.envs import render  # here: most environments never draw

        low, high = self._observation[self._ratio].tolist()
        view = render.View(
            self.problem,
            tuple(self._genotype.tolist()),
            self._budget,
            (low * self._budget, high * self._budget),
        )
        if self.render_mode == "rgb_array":
            return render.image(view)
        text = render.text(view)
        return text if self.render_mode == "ansi" else render.show(text)

    def _check_budget(self, budget: float | str | None) -> float | None:
        """Returns an episode's budget, None for the constructor's."""
        if budget is None or (budget == "sampled" and self._sampled):
            return None
        if budget == "sampled":
            message = 'budget "sampled" is the constructor\'s: it is observed'
            raise InvalidArgumentError(message)
        return self.problem.budget(budget)

    def _set_budget(self, budget: float | None) -> None:
        if budget is None and self._sampled:
            drawn = float(np.exp(self.np_random.uniform(*self._range)))
            budget = max(drawn, self.problem.cheapest)
        value = self._default_budget if budget is None else budget
        if value != self._budget:
            self._budget = value
            self._walk = self.problem.walk(value)


def _refuse_accuracy(problem: Problem) -> None:
    name, lacking = problem.accuracy, problem.model.networks_without_run
    if name.startswith("test-"):
        message = (
            f"accuracy {name}: a search never sees test accuracy; score what it chose "
            "with make_problem(..., accuracy=...).evaluate"
        )
        raise InvalidArgumentError(message)
    if lacking:
        message = (
            f"accuracy {name}: {lacking} of {problem.space.size} networks have fewer "
            "runs; 'mean' averages those there are, 'sampled' draws among them"
        )
        raise InvalidArgumentError(message)
