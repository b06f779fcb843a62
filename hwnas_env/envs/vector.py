"""Many episodes of one environment in one process, without a loop over them."""

import inspect
import itertools
from collections.abc import Sequence
from typing import Any, ClassVar

import gymnasium as gym
import numpy as np
import numpy.typing as npt
from gymnasium.envs.registration import EnvSpec
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space

from hwnas_env.arguments import check_whole
from hwnas_env.engines.forms import TableSpace
from hwnas_env.envs.base import with_shared_words
from hwnas_env.envs.checks import (
    check_autoreset_mode,
    check_keywords,
    check_not_drawn,
    check_seeds,
)
from hwnas_env.envs.config import EnvConfig
from hwnas_env.envs.construct_rows import LayeredRows, TableRows
from hwnas_env.envs.joint import JointRows
from hwnas_env.envs.modes import check_mode
from hwnas_env.envs.mutate import MutateRows
from hwnas_env.envs.query_columns import query_rows
from hwnas_env.envs.random_config import make_config
from hwnas_env.envs.rows import Look, Rows
from hwnas_env.envs.spec import HWNASEnvSpec
from hwnas_env.envs.uniforms import Uniforms
from hwnas_env.errors import EpisodeEndedError, InvalidArgumentError, shown
from hwnas_env.problems.budget import BudgetedProblem
from hwnas_env.problems.problem import Problem
from hwnas_env.types import BoolArray, FloatArray, IntArray

Infos = dict[str, Any]
Step = tuple[
    npt.NDArray[np.float32],
    FloatArray,
    npt.NDArray[np.bool_],
    npt.NDArray[np.bool_],
    Infos,
]


class HWNASVectorEnv(gym.vector.VectorEnv[Any, Any, Any]):
    """N environments that share one ledger; what ``gym.make_vec`` makes.

    Row i equals the single environment seeded with ``seed + i``, step for step: the
    same observations, rewards, ends and info, but for the ledger's counts, which go
    over all rows. Info has Gymnasium's form: an array a key, and under ``_key`` which
    rows have it. Arrays in info that no step changes are read-only.

    Autoreset:
        ``autoreset_mode`` says when a row that ended starts anew, as Gymnasium defines
        it. SAME_STEP, the default: in the step that ends it; the last observation is
        ``infos["final_obs"][i]``, its info in ``infos["final_info"]``. NEXT_STEP: in
        the step after, which ignores the row's action, charges no query and has reward
        0. DISABLED: by ``reset(options={"reset_mask": ...})``; a step before is an
        error.

    Ledger:
        A step's queries are charged in the order of the rows. Rows that cannot be
        afforded get reward 0 and are truncated without an evaluation, and so is every
        row of every later step.

    Reset:
        ``seed`` is one number, of row 0, or one a row. ``options`` are those of the
        single environment, for all rows, and ``reset_mask`` ``(N,)`` bool, which
        leaves the other rows, and their generators, where they are.
    """

    metadata: ClassVar[dict[str, Any]] = {  # type: ignore[misc]
        "render_modes": [],
        "autoreset_mode": AutoresetMode.SAME_STEP,
    }
    autoreset_mode: AutoresetMode

    def __init__(
        self,
        space: str,
        device: str | None = None,
        *,
        num_envs: int = 1,
        mode: str = "construct",
        horizon: int | None = None,
        render_mode: str | None = None,
        autoreset_mode: AutoresetMode | str = AutoresetMode.SAME_STEP,
        **keywords: Any,
    ) -> None:
        """Makes N environments.

        Args:
            space: a search space's name or label.
            device: a device's name or label.
            num_envs: N.
            mode: construct, mutate or joint.
            horizon: of mode mutate.
            render_mode: None: a vector is not drawn.
            autoreset_mode: SAME_STEP, NEXT_STEP or DISABLED; see the class.
            keywords: those of :class:`hwnas_env.envs.base.HWNASEnv`.

        Raises:
            UnknownNameError: there is no such mode.
            InvalidArgumentError: no positive number of environments, a render mode, or
                a horizon where there is none.
        """
        check_mode(mode, horizon)
        check_not_drawn(render_mode)
        self.num_envs = num_envs = check_whole(num_envs, what="num_envs", least=1)
        self.mode = mode
        self.autoreset_mode = check_autoreset_mode(autoreset_mode)
        mode_said = {"autoreset_mode": self.autoreset_mode}
        self.metadata = {**self.metadata, **mode_said}  # type: ignore[misc]
        self._spec: EnvSpec | None = None
        known = (
            inspect.signature(one).parameters for one in (HWNASVectorEnv, EnvConfig)
        )
        names = {*itertools.chain(*known)} - {"keywords", "count"}
        check_keywords(keywords, names, what="a vector")
        self.config = config = make_config(space, device, count=num_envs, **keywords)
        self._uniforms = Uniforms(num_envs)
        self._rows: Rows
        if mode == "mutate":
            draw = self._uniforms.take
            self._rows = MutateRows(config, num_envs, draw=draw, horizon=horizon)
        elif mode == "joint":
            self._rows = JointRows(config, num_envs)
        elif isinstance(config.space, TableSpace):
            self._rows = TableRows(config, num_envs)
        else:
            self._rows = LayeredRows(config, num_envs)
        self.single_observation_space = self._rows.observation_space
        self.single_action_space = self._rows.action_space
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        if config.vector_rewards:
            self.reward_dim = len(config.vector_rewards[0].objectives)
            self.reward_space = config.reward_space()
        self._counted: tuple[int, int, bool] | None = None
        self._blank = self._make_blank()
        self._everything = np.arange(num_envs)
        self._begun = False
        self._nobody = np.zeros(num_envs, dtype=np.bool_)
        self._nobody.setflags(write=False)
        self._ended: BoolArray = self._nobody  # rows that wait to start anew
        self._held: BoolArray = self._nobody

    def _zeros(self) -> FloatArray:
        vector = self.config.vector_rewards
        return np.zeros((self.num_envs, self.reward_dim) if vector else self.num_envs)

    def _make_blank(self) -> Infos:
        """Returns what info says of rows that are not evaluated, read-only."""
        blank: Infos = {}
        yes = np.ones(self.num_envs, dtype=np.bool_)
        yes.setflags(write=False)
        for key, value in self.config.blank().items():
            column = np.full(self.num_envs, 0 if value is None else value)
            column.setflags(write=False)
            blank[key], blank[f"_{key}"] = column, yes
        return blank

    @property
    def spec(self) -> EnvSpec | None:
        """How this environment was made; ``to_json`` explains what it refuses."""
        return self._spec

    @spec.setter
    def spec(self, spec: EnvSpec | None) -> None:
        self._spec = None if spec is None else HWNASEnvSpec.of(spec)

    @property
    def devices(self) -> tuple[str, ...]:
        """Names of the devices, none where they are drawn; see ``info["device"]``."""
        return self.config.devices

    @property
    def ledger(self) -> BudgetedProblem:
        """The counter of queries, over all rows."""
        return self.config.ledger

    @property
    def problem(self) -> Problem:
        """The problem, of the first device where there are several; or of row 0."""
        return self.config.problems[0]

    def pareto_front(self, gamma: float = 1.0) -> list[FloatArray]:
        """Returns the exact front as vector rewards, on the first device.

        Args:
            gamma: discount of a return, of which the reward comes last.

        Raises:
            InvalidArgumentError: the environment has no objectives.
            NotExactError: the front of this problem cannot be computed exactly.
        """
        steps = self._rows.steps_before_reward
        return self.config.discounted_front(0, gamma=gamma, steps=steps)

    def describe(self) -> dict[str, Any]:
        """Says what is searched, where its numbers come from, and what is rewarded."""
        reward = self.config.describe_reward()
        return {**self.problem.describe(), "reward": reward}

    def action_masks(self) -> BoolArray:
        """Returns the masks of the next actions ``(N, K)``, joint's flat, as flags.

        Raises:
            EpisodeEndedError: no episode was started.
        """
        self._require_begun()
        return self._rows.masks()

    def check_actions(self, actions: Any) -> npt.NDArray[Any]:
        """Returns the actions of a step, one a row, without taking it.

        Raises:
            InvalidActionError: one is wrong.
            EpisodeEndedError: autoreset is DISABLED, and a row has to be reset.
        """
        if self._ended is self._held:  # nobody waits
            return self._rows.check(actions)
        if self.autoreset_mode is AutoresetMode.DISABLED and self.still.any():
            rows = np.flatnonzero(self.still).tolist()
            message = (
                f"rows {rows} have ended, and autoreset is DISABLED: call "
                'reset(options={"reset_mask": terminated | truncated})'
            )
            raise EpisodeEndedError(message)
        given = np.asarray(actions)
        if given.shape[:1] == (self.num_envs,):  # others are refused as they are
            still = self.still.reshape(-1, *(1,) * (given.ndim - 1))
            given = np.where(still, np.zeros_like(given), given)
        return self._rows.check(given)

    @property
    def still(self) -> BoolArray:
        """Marks the rows that the next step does not move, whatever their action."""
        return self._ended | self._held

    def hold(self, rows: BoolArray) -> None:
        """Keeps rows where they are, for a wrapper that ended them, until a reset.

        Args:
            rows: ``(N,)``. With NEXT_STEP the wrapper resets them after the next step.
        """
        self._held = self._held | rows

    def draw(self, rows: IntArray, count: int) -> FloatArray:
        """Draws uniform numbers ``(len(rows), count)`` in [0, 1) from rows' generators.

        Args:
            rows: distinct.
            count: numbers a row.
        """
        return self._uniforms.take(rows, count)

    def reset(
        self,
        *,
        seed: int | Sequence[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[npt.NDArray[np.float32], Infos]:
        """Starts episodes; see the class.

        Raises:
            UnknownNameError: another option, or no device of this environment.
            InvalidBudgetError, InvalidActionError: as their names say.
            InvalidArgumentError: seeds or a mask of another length.
        """
        config, given = self.config, {} if options is None else options
        config.check_options(given, others=("reset_mask",))
        options = dict(given)
        rows = self._masked(options.pop("reset_mask", None))
        start, number = None, config.check_device(options.get("device"))
        if "genotype" in options:
            start = self._rows.check_start(options["genotype"])
        budget = config.check_budget(options.get("budget"), number)
        config.refuse_worker()
        seeds = check_seeds(seed, self.num_envs)
        if any(one is not None for one in seeds):
            self._uniforms.seed(rows, seeds)
            if seeds[0] is not None and 0 in rows:
                super().reset(seed=seeds[0])  # np_random, of which nothing here draws
            if config.restarts and len(rows) == self.num_envs:
                self.ledger.restart()
        self._begin(rows, number=number, budget=budget, start=start)
        self._begun = True
        look = self._rows.look()
        infos = self._info(look)
        if len(rows) == self.num_envs:
            self._ended = self._held = self._nobody
            return look.observation, infos
        mask = np.isin(self._everything, rows)
        self._ended, self._held = self._ended & ~mask, self._held & ~mask
        said = {key: mask if key[0] == "_" else infos[key] for key in infos}
        return look.observation, said

    def _masked(self, mask: Any) -> IntArray:
        if mask is None:
            return self._everything
        array = np.asarray(mask)
        if array.dtype != np.bool_ or array.shape != (self.num_envs,):
            came = f"{shown(mask)} of {array.dtype}"
            message = f"reset_mask: expected ({self.num_envs},) bool, got {came}"
            raise InvalidArgumentError(message)
        self._require_begun()
        return np.flatnonzero(array)

    def _require_begun(self) -> None:
        if not self._begun:
            message = "no episode was started: call reset() first"
            raise EpisodeEndedError(message)

    def _begin(
        self,
        rows: IntArray,
        *,
        number: int | None = None,
        budget: float | str | None = None,
        start: Any = None,
    ) -> None:
        """Starts episodes of rows; what is not given is drawn, or the usual."""
        config = self.config
        drawn = config.sampled or config.several
        if not drawn and budget is None and self._rows.usual:
            self._rows.start(rows, start)  # devices and budgets stay as they are
            return
        numbers = np.full(len(rows), number or 0)
        if number is None and config.several:
            uniforms = self._uniforms.take(rows, 1)[:, 0]
            numbers = (uniforms * config.drawn).astype(np.int64)
        places = config.seat(rows, numbers)
        if budget is not None:
            chosen = config.budgets_of(budget, places)
        elif config.sampled:
            uniforms = self._uniforms.take(rows, 1)[:, 0]
            chosen = config.draw_budgets(places, uniforms)
        else:
            chosen = config.budgets[places]
        self._rows.place(rows, places, chosen)
        self._rows.start(rows, start)
        self._placed = self._rows.budget.copy(), config.shown(self._rows.number)
        for column in self._placed:
            column.setflags(write=False)

    def step(self, actions: Any) -> Step:
        """Takes one action a row.

        Args:
            actions: integers ``(N,)``, or ``(N, L)`` in mode joint.

        Raises:
            InvalidActionError: a wrong one; no row has moved then.
            EpisodeEndedError: no episode was started.
        """
        self._require_begun()
        checked = self.check_actions(actions)
        moving = None
        if self._ended is not self._held:  # somebody waits
            moving = ~self.still
            if np.count_nonzero(self._ended):
                self._begin(np.flatnonzero(self._ended))
            self._ended = self._held = self._nobody
        if self.ledger.exhausted:
            look = self._rows.look()
            ended = np.ones(self.num_envs, dtype=np.bool_)
            return self._end(look, self._zeros(), ~ended, ended, self._info(look))
        self._rows.advance(checked, None if moving is None else np.flatnonzero(moving))
        look, due = self._rows.look(), self._rows.due()
        if moving is not None:
            due &= moving
        if not np.count_nonzero(due):
            infos = self._info(look)
            return look.observation, self._zeros(), due, due.copy(), infos
        self._begun = False  # until a user's reward has answered
        rewards, infos, unpaid = self._evaluate(look, due)
        self._begun = True
        terminated, truncated = self._rows.ended()
        if moving is not None:
            terminated, truncated = terminated & moving, truncated & moving
        if unpaid is not None:
            terminated, truncated = terminated & ~unpaid, truncated | unpaid
        if not np.count_nonzero(terminated | truncated):
            return look.observation, rewards, terminated, truncated, infos
        return self._end(look, rewards, terminated, truncated, infos)

    def _evaluate(
        self, look: Look, due: BoolArray
    ) -> tuple[FloatArray, Infos, BoolArray | None]:
        """Queries rows: rewards ``(N,)`` or ``(N, k)``, info, and who could not pay.

        The last is ``(N,)``, or None where every row could.
        """
        every = np.count_nonzero(due) == self.num_envs
        rows = self._everything if every else np.flatnonzero(due)
        # where every row is due and looked up, one gather answers for all
        if isinstance(self._rows, TableRows) and self._rows.looked_up and every:
            keys: Any
            keys, columns = self._rows.networks()
        else:
            numbers = self._rows.number[rows]
            columns = query_rows(
                self.config.query_columns,
                look.genotype[rows],
                numbers,
                self._rows.budget[rows],
                draw=lambda: self._uniforms.take(rows, 1)[:, 0],
            )
            keys = self.config.keys(look.genotype[rows], numbers)
        before = self.ledger.queries, self.ledger.unique_queries
        receipt = self.ledger.charge(
            keys, columns.get("train_seconds"), columns["accuracy_percent"]
        )
        infos = self._info(look)
        counts = receipt.queries, receipt.unique_queries, receipt.exhausted
        infos["queries"], infos["unique_queries"], infos["budget_exhausted"] = counts
        rewards: FloatArray = columns.pop("reward")
        if every and receipt.paid == len(rows):
            infos.update(columns)
            infos["evaluated"] = due
            return rewards, infos, None
        # a row that is not due has the counts of the queries before it
        place = np.cumsum(due)
        names = ("queries", "unique_queries", "budget_exhausted")
        for name, count, first in zip(names, counts, (*before, False), strict=True):
            infos[name] = np.append(first, count)[place]
        paid, unpaid = rows[: receipt.paid], np.zeros(self.num_envs, dtype=np.bool_)
        unpaid[rows[receipt.paid :]] = True
        infos["evaluated"] = due & ~unpaid
        for key, column in columns.items():
            infos[key] = np.zeros(self.num_envs, dtype=column.dtype)
            infos[key][paid] = column[: receipt.paid]
        every_reward = self._zeros()
        every_reward[paid] = rewards[: receipt.paid]
        return every_reward, infos, unpaid

    def _info(self, look: Look) -> Infos:
        """Returns what info says of rows that are not evaluated."""
        infos = self._blank.copy()
        infos["genotype"], infos["action_mask"] = look.genotype, look.mask
        infos["completable"] = look.completable
        infos["budget"] = self._placed[0]
        if self.config.several:
            infos["device"] = self._placed[1]
        ledger = self.ledger
        now = ledger.queries, ledger.unique_queries, ledger.exhausted
        if now != self._counted:
            self._counted = now
            self._counts = tuple(np.full(self.num_envs, count) for count in now)
            for column in self._counts:
                column.setflags(write=False)
        infos["queries"], infos["unique_queries"], infos["budget_exhausted"] = (
            self._counts
        )
        return infos

    def _end(
        self,
        look: Look,
        rewards: FloatArray,
        terminated: BoolArray,
        truncated: BoolArray,
        infos: Infos,
    ) -> Step:
        """Starts the rows that ended anew, and keeps how they ended; or they wait."""
        ended = terminated | truncated
        if self.autoreset_mode is not AutoresetMode.SAME_STEP:
            self._ended = ended
            return look.observation, rewards, terminated, truncated, infos
        every = np.count_nonzero(ended) == self.num_envs
        self._begin(self._everything if every else np.flatnonzero(ended))
        after = self._rows.look()
        following = self._info(after)
        final = infos
        if not every:
            final = {
                key: ended if key.startswith("_") else value
                for key, value in infos.items()
            }
            for key, value in infos.items():
                if not key.startswith("_"):
                    where = ended.reshape(-1, *(1,) * (value.ndim - 1))
                    following[key] = np.where(where, following[key], value)
        following["final_obs"], following["_final_obs"] = look.observation, ended
        following["final_info"], following["_final_info"] = final, ended
        return after.observation, rewards, terminated, truncated, following


HWNASVectorEnv.__doc__ = with_shared_words(HWNASVectorEnv.__doc__)
