"""What the environments of all modes share: problem, ledger, budget, reward, info."""

import inspect
import operator
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

import gymnasium as gym
import numpy as np
import numpy.typing as npt
from gymnasium.envs.registration import EnvSpec

from hwnas_env.engines.walk import RATIO_LIMIT
from hwnas_env.envs.checks import check_seed
from hwnas_env.envs.config import EnvConfig
from hwnas_env.envs.goals import Goals
from hwnas_env.envs.random_config import make_config
from hwnas_env.envs.spec import HWNASEnvSpec
from hwnas_env.errors import EpisodeEndedError, InvalidActionError, shown, unknown_name
from hwnas_env.problems.budget import BudgetedProblem
from hwnas_env.problems.make import Accuracy
from hwnas_env.problems.own_costs import Costs
from hwnas_env.problems.problem import Problem
from hwnas_env.problems.rewards import VectorReward
from hwnas_env.types import RewardFunction

Observation = npt.NDArray[np.float32]
Info = dict[str, Any]

ROW = np.zeros(1, dtype=np.int64)
"""The row of a single environment, which is the first of its only one."""

_SEEN = ("genotype", "completable", "action_mask")
"""Info keys that say where an episode is, not what a query came to."""


class HWNASEnv(Goals, gym.Env[Observation, Any]):
    """Searches one space on one device; a subclass says what an action is.

    Mode:
        ``gym.make(id, mode=...)`` and ``gym.make_vec`` choose what an action is:
        construct (the default), one decision a step; mutate, one change of a network a
        step, with ``horizon``, the steps of an episode, twice the number of positions
        by default; joint, all decisions at once.

    Info keys:
        The same from reset and step; before the evaluation numbers are 0.0 and flags
        False.

        - evaluated: whether this step evaluated a network.
        - genotype: ``(L,)`` int8, -1 where undecided.
        - accuracy_percent: of the network.
        - one key a metric of the problem, in its unit (latency_ms, image_ms, energy_mj,
          throughput_ips, arithmetic_intensity, parameters_m, flops_m): inf where the
          device cannot run the network.
        - budget: of this episode, in the metric's unit.
        - device: with several devices, the place of the episode's in
          ``env.unwrapped.devices``; there only metrics that all of them have are keys.
          With drawn devices, its number.
        - cost: the excess over the budget, min(max(0, c / T - 1), 1); 1 where not
          deployable.
        - feasible: whether the network meets the budget.
        - deployable: whether the device can run the network.
        - completable: whether a completion can still meet the budget.
        - train_seconds: of the network, where the problem has it.
        - queries, unique_queries: what the ledger has counted so far.
        - budget_exhausted: whether the ledger can pay nothing more.
        - action_mask: int8, 1 where an action is allowed, as ``action_space.sample``
          takes it.

    Several devices:
        Each episode's device is drawn uniformly from ``devices``, or named by
        ``reset(options={"device": ...})``, which takes those of ``test_devices`` too.
        It is described at the end of the observation: the log of cost / medium budget
        of the K networks that repeat one choice everywhere, clipped to [-10, 10]; where
        a position has K_p choices, choice c there is c mod K_p. So an
        environment of other devices has the same spaces, and a policy can be tested on
        devices that it has never seen.

    Drawn devices:
        With ``devices="random"`` each episode draws a device that never was, of the law
        in docs/random_devices.md: uniformly from the first 10^9, or by its number, up
        to 2^63 - 1, in ``reset(options={"device": ...})``. It is described likewise, so
        a policy of real devices acts here, and the reverse. A budget is a preset's
        name or "sampled"; a number goes with a device, in ``options``.

    Ledger:
        The step that spends the last of ``max_queries`` ends as usual; every later step
        is truncated with reward 0 and without an evaluation. Counts go on from episode
        to episode. Where queries are not limited, a seeded reset begins a new run and
        counts from 0, so that one seed always gives one trajectory.

        ``ledger`` may be given to many environments of one process, which then spend
        the same; so do deep copies of them. It goes into no specification, pickle or
        worker process, where a copy of it would count alone.
    """

    metadata: ClassVar[dict[str, Any]] = {  # type: ignore[misc]
        "render_modes": ["ansi", "human", "rgb_array"],
        "render_fps": 4,
    }

    _steps_before_reward = 0
    _ratio: slice

    def __init_subclass__(cls, **keywords: Any) -> None:
        """Completes the subclass's docstring, so that help() needs no other row."""
        super().__init_subclass__(**keywords)
        cls.__doc__ = with_shared_words(cls.__doc__)

    def __init__(
        self,
        space: str,
        device: str | None = None,
        *,
        devices: Sequence[str] | str | None = None,
        test_devices: Sequence[str] = (),
        dataset: str | None = None,
        metric: str | None = None,
        budget: float | str = "medium",
        reward: str | RewardFunction = "mnas_hard",
        objectives: Sequence[str] | None = None,
        source: str = "builtin",
        accuracy: Accuracy = "mean",
        costs: Costs | None = None,
        max_queries: int | None = None,
        ledger: BudgetedProblem | None = None,
        without: Sequence[str] = (),
        render_mode: str | None = None,
    ) -> None:
        """Makes the environment.

        Args:
            space: a search space's name or label, one of ``SEARCH_SPACES``.
            device: a device's name or label, one of ``DEVICES``.
            devices: in place of ``device``, those to draw from each episode; "random"
                for devices of :func:`hwnas_env.problems.random_devices`.
            test_devices: others that are never drawn, only named.
            dataset: by default the space's own where the devices have it, else the
                first that they have.
            metric: what the budget is on; by default the first of the device's metrics
                that a budget can be on, or the first that all devices share.
            budget: a number in the metric's unit; tight, medium or loose; or
                "sampled": log-uniform from the 5 % to the 95 % quantile, each episode.
            reward: a name out of ``hwnas_env.maths.scalarise.REWARDS``, a function, or
                "package.module:function".
            objectives: "accuracy" and metrics: makes the reward a vector.
            source: builtin or measured.
            accuracy: see :func:`hwnas_env.make_problem`; never test accuracy.
            costs: your own in the place of the device's: a file .npz or .csv,
                "package.module:function", an array, a mapping of metric to array, or a
                function; see :func:`hwnas_env.problems.own_costs.read_costs`.
            max_queries: evaluations to spend over all episodes; None for no limit.
            ledger: a :class:`hwnas_env.BudgetedProblem` to spend in place of one of its
                own; its problem is searched then.
            without: of "random" devices, real ones that they must know nothing of.
            render_mode: ansi, human (writes every step to the terminal) or rgb_array.

        Raises:
            UnknownNameError: a name that does not exist; the message names the nearest.
            InvalidBudgetError: no budget, or one that no deployable network meets.
            InvalidArgumentError: a value of the wrong kind, or no device.
            DataMissingError: measured data was asked for and is not imported.
            NotExactError: costs are a function, whose masks mode construct cannot know.
            WorkerProcessError: a ledger or a function in a vector worker process.
        """
        modes = self.metadata["render_modes"]
        named = isinstance(render_mode, str) and render_mode in modes
        if render_mode is not None and not named:
            raise unknown_name(render_mode, modes, what="render mode")
        self.config: EnvConfig = make_config(
            space,
            device,
            devices=devices,
            test_devices=test_devices,
            dataset=dataset,
            metric=metric,
            budget=budget,
            reward=reward,
            objectives=objectives,
            source=source,
            accuracy=accuracy,
            costs=costs,
            max_queries=max_queries,
            ledger=ledger,
            without=without,
        )
        self._shared = ledger is not None
        # a copy: vectors of Gymnasium before 1.4 write their autoreset mode into it
        self.metadata = {**self.metadata}  # type: ignore[misc]
        self.render_mode = render_mode
        self._spec: EnvSpec | None = None
        self._length, self._choices = self.config.length, self.config.choices
        self._vector = bool(self.config.vector_rewards)
        if self._vector:
            self.reward_dim = len(self.config.vector_rewards[0].objectives)
            self.reward_space = self.config.reward_space()
        self._blank = self.config.blank()
        self._seconds = self.config.problems[0].has_train_seconds
        self._open = self._begun = False
        self._budget: float = self.config.budgets.item(0)
        self._number = -1
        self._choose_device(0)
        self._make_spaces()

    @abstractmethod
    def _make_spaces(self) -> None:
        """Sets ``observation_space``, ``action_space`` and ``_ratio``."""

    @abstractmethod
    def _check_start(self, genotype: Any) -> Any:
        """Checks ``reset``'s option "genotype", None where it is not given."""

    @abstractmethod
    def _begin(self, start: Any) -> None:
        """Starts an episode under the device and the budget that are set."""

    @abstractmethod
    def _look(self) -> tuple[Observation, Info]:
        """Observes, and says what info says of a network that is not evaluated."""

    @property
    def devices(self) -> tuple[str, ...]:
        """Names of the devices, those to test on at the end; none where they are drawn.

        ``info["device"]`` is a place in it; of a drawn device, its number.
        """
        return self.config.devices

    @property
    def begun(self) -> bool:
        """Whether an episode was ever started."""
        return self._begun

    @property
    def ledger(self) -> BudgetedProblem:
        """The counter of queries."""
        return self.config.ledger

    @property
    def vector_reward(self) -> VectorReward | None:
        """What the objectives come to on the episode's device; None without any."""
        vectors = self.config.vector_rewards
        return vectors[self._place] if vectors else None

    @property
    def reward_reference(self) -> npt.NDArray[np.float64]:
        """The vector reward of what the device cannot run: ``(k,)``.

        Raises:
            InvalidArgumentError: the environment has no objectives.
        """
        return self.config.vector(self._place).reference

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

        Every draw of the environment is ``np_random.random()``: the device first, then
        the budget, then the network to start from.

        Args:
            seed: of the environment's own generator: an int of at least 0.
            options: ``budget`` for this episode, as in the constructor; ``genotype``
                to start from: see the class; ``device`` where there are several.

        Raises:
            UnknownNameError: another option, or no device of this environment.
            InvalidBudgetError, InvalidActionError: as their names say.
            InvalidArgumentError: another seed.
        """
        config, seed = self.config, check_seed(seed)
        start, number, budget = None, config.check_device(None), None
        if options is not None:
            config.check_options(options)
            if "genotype" in options:
                start = self._check_start(options["genotype"])
            number = config.check_device(options.get("device"))
            budget = config.check_budget(options.get("budget"), number)
        config.refuse_worker()
        super().reset(seed=seed)
        if seed is not None and config.restarts:
            self.ledger.restart()
        if number is None:
            number = int(self.np_random.random() * config.drawn)
        self._choose_device(number)
        if budget is not None:
            self._budget = self.problem.budget(budget)
        elif config.sampled:
            drawn = config.draw_budgets(self._one, self.np_random.random(1))
            self._budget = float(drawn[0])
        else:
            self._budget = config.budgets.item(self._place)
        self._blank["budget"] = self._budget
        self._count()
        self._accuracy: float | None = None
        self._begin(start)
        self._open = self._begun = True
        if self.render_mode == "human":
            self.render()
        return self._look()

    def _choose_device(self, number: int) -> None:
        if number == self._number:
            return
        self._number, self._one = number, self.config.seat(ROW, np.array([number]))
        self._place = int(self._one[0])
        self.problem: Problem = self.config.problems[self._place]
        if self.config.several:
            self._blank["device"] = number

    def draw(self, rows: npt.NDArray[np.int64], count: int) -> npt.NDArray[np.float64]:
        """Draws uniform numbers ``(1, count)`` in [0, 1), as wrappers need them.

        Args:
            rows: of one environment, ``[0]``; a vector draws for several.
            count: how many.
        """
        del rows
        return self.np_random.random((1, count))

    def _tail(self) -> npt.NDArray[np.float64]:
        """Returns what ends this episode's observations: ``(T,)``."""
        tails = self.config.tail(self._one, np.array([self._budget]))
        return np.asarray(tails[0])

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
            expected = f"expected an action from 0 to {limit - 1} ({meaning})"
            message = f"{expected}, got {shown(action)}"
            raise InvalidActionError(message)
        return number

    def _observed(self, cost: float) -> float:
        """Returns a whole network's cost / budget as it is observed."""
        return min(max(cost / self._budget, 0.0), RATIO_LIMIT)

    def _require_open(self) -> None:
        if not self._open:
            message = "the episode is over (or none was started): call reset() first"
            raise EpisodeEndedError(message)

    def _broke(self) -> bool:
        """Whether the ledger can pay nothing more, whoever spends it."""
        if self._shared:
            self._count()
        return bool(self._blank["budget_exhausted"])

    def _unpaid(self) -> tuple[Observation, Any, bool, bool, Info]:
        """Answers a step that the ledger cannot pay for."""
        self._open = False
        observation, info = self._look()
        return observation, self._nothing(), False, True, info

    def _nothing(self) -> Any:
        return np.zeros(self.reward_dim) if self._vector else 0.0

    def _evaluate(self, genotype: npt.NDArray[np.int8], info: Info) -> Any:
        """Queries a network, fills info in, and returns the reward; None if unpaid."""
        problem, config = self.problem, self.config
        uniforms = problem.draw(1, rng=self.np_random)
        query = config.query_columns[self._place].of_one
        answer = query(genotype, budget=self._budget, uniforms=uniforms)
        reward = answer.pop("reward")
        info.update(answer)
        key = config.keys(genotype[None, :], self._one)[0]
        paid = self._pay(key if isinstance(key, bytes) else int(key), info)
        return reward if paid else None

    def _pay(self, key: int | bytes, info: Info) -> bool:
        """Charges a query whose numbers info has; takes them out if it cannot be paid.

        Returns:
            Whether it could be paid.
        """
        accuracy = info["accuracy_percent"]
        paid = self.ledger.charge_one(key, info.get("train_seconds"), accuracy)
        self._count()
        blank = self._blank
        if not paid:
            seen = {key: info[key] for key in _SEEN}
            info.update({**blank, **seen})
            return False
        self._accuracy = accuracy
        info["evaluated"] = True
        info["queries"] = blank["queries"]
        info["unique_queries"] = blank["unique_queries"]
        info["budget_exhausted"] = blank["budget_exhausted"]
        return True

    def _count(self) -> None:
        """Copies the ledger into what info says."""
        ledger, blank = self.ledger, self._blank
        blank["queries"] = ledger.queries
        blank["unique_queries"] = ledger.unique_queries
        blank["budget_exhausted"] = ledger.exhausted

    @abstractmethod
    def _mask(self) -> npt.NDArray[np.int8]:
        """Returns the mask; it may be part of a table."""

    def action_masks(self) -> npt.NDArray[np.bool_]:
        """Returns the mask as flags, as sb3-contrib asks for it.

        Raises:
            EpisodeEndedError: no episode was started.
        """
        self._require_begun()
        return self._mask().astype(np.bool_).reshape(-1)

    def _require_begun(self) -> None:
        if not self._begun:
            message = "no episode was started: call reset() first"
            raise EpisodeEndedError(message)

    def pareto_front(self, gamma: float = 1.0) -> list[npt.NDArray[np.float64]]:
        """Returns the exact front as vector rewards, as MO-Gymnasium asks for it.

        Args:
            gamma: discount of a return, of which the reward comes last.

        Raises:
            InvalidArgumentError: the environment has no objectives.
            NotExactError: the front of this problem cannot be computed exactly.
        """
        steps = self._steps_before_reward
        return self.config.discounted_front(self._place, gamma=gamma, steps=steps)

    def describe(self) -> dict[str, Any]:
        """Says what is searched, where its numbers come from, and what is rewarded.

        Returns:
            ``problem.describe()`` of the episode's device with ``reward``: its name,
            and kind "user" for a function of the user's own; for a vector the
            objectives.
        """
        reward = self.config.describe_reward()
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
        self._require_begun()
        from hwnas_env.envs import render  # here: most environments never draw

        observation, info = self._look()
        low, high = observation[self._ratio].tolist()
        view = render.View(
            self.problem,
            tuple(info["genotype"].tolist()),
            self._budget,
            (low * self._budget, high * self._budget),
            accuracy_percent=self._accuracy,
        )
        if self.render_mode == "rgb_array":
            return render.image(view)
        text = render.text(view)
        return text if self.render_mode == "ansi" else render.show(text)


def with_shared_words(doc: str | None) -> str:
    """Returns a docstring with the keywords and sections that all modes share."""
    _, _, sections = inspect.cleandoc(HWNASEnv.__doc__ or "").partition("\n\n")
    keywords = inspect.cleandoc(HWNASEnv.__init__.__doc__ or "").partition("\n\n")[2]
    return "\n\n".join([inspect.cleandoc(doc or ""), keywords, sections])
