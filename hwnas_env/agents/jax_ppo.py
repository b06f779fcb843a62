"""Masked PPO that is compiled by jax: the whole of a run, not the network alone."""

import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import numpy as np

from hwnas_env.agents.agent import Agent
from hwnas_env.agents.learners import MaskablePPOConfig
from hwnas_env.agents.saved import damaged, made_with, restored
from hwnas_env.arguments import check_type, check_whole, path_of
from hwnas_env.data.files import check_unpacked, read_file, write_file
from hwnas_env.errors import InvalidArgumentError
from hwnas_env.extras import error_words, load_extra
from hwnas_env.problems.budget import BudgetedProblem
from hwnas_env.problems.problem import Problem
from hwnas_env.types import AnyPath, Genotypes

if TYPE_CHECKING:
    from hwnas_env.jax.ppo import Hyperparameters

JaxPPOT = TypeVar("JaxPPOT", bound="JaxPPO")

UPDATES = 8
"""Updates of one compiled call; what they queried is charged behind it."""


class JaxPPO(Agent[MaskablePPOConfig]):
    """MaskablePPO on compiled episodes: the algorithm of ``maskable_ppo``, quicker.

    A run is other than one of ``maskable_ppo``, since its random numbers are. It does
    not depend on how many runs a process has had before, nor on worker processes.

    Constraint: masked, so every network is feasible.

    Args:
        problem: what is searched.
        budget: bound on the cost, in the problem's metric; None for no bound.
        rng: its only source of randomness.
        config: hyperparameters, those of ``maskable_ppo``.

    Attributes:
        training: the run, once :meth:`search` has begun: a pytree, see
            :class:`hwnas_env.jax.ppo.Training`.

    Raises:
        MissingExtraError: jax is not installed.
        NotExactError: the costs or the accuracy are a function of unknown form.
        InvalidArgumentError: the accuracy is drawn, or a reward is no named one.
    """

    name = "jax_ppo"
    packages: ClassVar[tuple[str, ...]] = ("jax", "jaxlib")

    def __init__(
        self,
        problem: Problem,
        budget: float | None,
        *,
        rng: np.random.Generator,
        config: MaskablePPOConfig | None = None,
    ) -> None:
        """See the class."""
        super().__init__(problem, budget, rng=rng, config=config)
        load_extra("jax", extra="jax", purpose="this agent")
        self._params: Any = self._params_of(
            problem, "sampled" if self.config.sampled_budgets else self.limit
        )
        self._seed = int(rng.integers(2**31))
        self.training: Any = None

    @property
    def hyper(self) -> "Hyperparameters":
        """The configuration as the compiled functions take it."""
        from hwnas_env.jax.ppo import Hyperparameters

        config = self.config
        return Hyperparameters(
            rows=config.n_envs,
            rounds=max(1, config.networks_per_update // config.n_envs),
            epochs=config.n_epochs,
            minibatches=config.minibatches,
            units=config.net_arch,
            learning_rate=config.learning_rate,
            clip_range=config.clip_range,
            ent_coef=config.ent_coef,
            gamma=config.gamma,
            gae_lambda=config.gae_lambda,
        )

    def search(self, ledger: BudgetedProblem) -> None:
        """Learns until the ledger is exhausted; its queries are charged in order.

        The last of them may be learnt from beyond the ledger's end, which changes none.
        """
        from hwnas_env.jax import compiled

        check_type(ledger, BudgetedProblem, what="ledger")
        if self.training is None:
            self.training = self._begin()
        while not ledger.exhausted:
            self.training, queried = compiled.train(
                self.training, self._params, hyper=self.hyper, updates=UPDATES
            )
            ledger.spend(np.asarray(queried))

    def take_over(self, trained: Agent) -> None:
        """Goes on with another one's networks; see :meth:`Agent.take_over`."""
        assert isinstance(trained, JaxPPO), "agents are of one class"
        if trained.training is not None:
            names = ("networks", "first", "second", "updates")
            kept = {name: getattr(trained.training, name) for name in names}
            self.training = self._begin()._replace(**kept)

    def _begin(self) -> Any:
        """Returns a run at its beginning, on this agent's problem."""
        import jax

        from hwnas_env.jax import compiled

        compiled.keep_compilations()
        key = jax.random.key(self._seed)
        return compiled.begin(key, self._params, hyper=self.hyper)

    def networks(
        self,
        n: int,
        *,
        problem: Problem | None = None,
        budget: float | str | None = None,
        deterministic: bool = False,
        seed: int = 0,
    ) -> Genotypes:
        """Returns networks that the policy builds; no query is charged.

        Args:
            n: how many.
            problem: another one of the same space, say on another device; the agent's
                own by default.
            budget: to build them for; the agent's own by default. Another one makes
                sense with ``sampled_budgets``.
            deterministic: whether the likeliest decision is taken.
            seed: of what is drawn.

        Returns:
            ``(n, L)`` int8, all within the budget.

        Raises:
            InvalidArgumentError: nothing was learnt yet, n is not positive, the seed no
                whole number, or the problem of another space.
            InvalidBudgetError: no budget, or one that no deployable network meets.
        """
        import jax

        from hwnas_env.jax import compiled

        check_whole(n, what="n", least=1)
        check_whole(seed, what="seed")
        if self.training is None:
            message = "networks: nothing was learnt yet; search first"
            raise InvalidArgumentError(message)
        target = self.problem if problem is None else problem
        check_type(target, Problem, what="problem")
        if target.space != self.problem.space:
            expected, came = self.problem.space.name, target.space.name
            message = f"networks: the policy is of {expected}, the problem of {came}"
            raise InvalidArgumentError(message)
        limit = target.budget(self.limit if budget is None else budget)
        drawn = compiled.draw_networks(
            self.training.networks,
            jax.random.key(seed),
            self._params_of(target, limit),
            count=n,
            greedy=deterministic,
        )
        return np.asarray(drawn)

    def save(self, path: AnyPath) -> None:
        """Writes the policy, and what it was made with.

        Args:
            path: to which ``.npz`` is appended, unless it ends so.

        Raises:
            InvalidArgumentError: nothing was learnt yet.
            DataError: the file cannot be written; what was there before still is.
        """
        if self.training is None:
            message = "save: nothing was learnt yet; search first"
            raise InvalidArgumentError(message)
        content = io.BytesIO()
        made = np.array(json.dumps(made_with(self)))
        leaves = _leaves(self.training.networks)
        np.savez(content, made=made, **leaves, **self._kept())
        write_file(_file(path), content.getvalue(), what="policy")

    @classmethod
    def load(
        cls: type[JaxPPOT],
        path: AnyPath,
        problem: Problem,
        *,
        rng: np.random.Generator,
    ) -> JaxPPOT:
        """Returns an agent with a saved policy, whose search goes on from there.

        Args:
            path: what :meth:`save` was given.
            problem: of the same search space.
            rng: for what it draws from now on.

        Raises:
            RestoreError: another agent's, of another search space, or damaged.
            DataMissingError: there is no such file.
        """
        content = read_file(_file(path))
        import jax  # not before there is something to load

        try:
            check_unpacked(content, most=2 * len(content))  # it was not compressed
            with np.load(io.BytesIO(content), allow_pickle=False) as file:
                made = json.loads(str(file["made"]))
                arrays = {name: file[name] for name in file.files if name != "made"}
        except Exception as error:  # a damaged file makes NumPy raise of many kinds
            words = f"no policy of {cls.name}: {error_words(error)}"
            raise damaged(path, words) from error
        agent = restored(cls, made, problem, rng=rng, path=path)
        training = agent._begin()
        fresh = {**_leaves(training.networks), **agent._kept()}
        came, wanted = (
            {name: (array.shape, array.dtype) for name, array in found.items()}
            for found in (arrays, fresh)
        )
        if came != wanted:
            raise damaged(path, "its arrays have other forms than it was made with")
        if not all(np.isfinite(array).all() for array in arrays.values()):
            raise damaged(path, "its arrays have numbers that are not finite")
        agent._restore(arrays)
        tree = jax.tree.structure(training.networks)
        leaves = [arrays[name] for name in _leaves(training.networks)]
        networks = jax.tree.unflatten(tree, leaves)
        agent.training = agent._begin()._replace(networks=networks)
        return agent

    def _kept(self) -> dict[str, Any]:
        """Returns arrays that a saved policy needs besides its networks."""
        return {}

    def _restore(self, arrays: dict[str, Any]) -> None:
        """Takes what :meth:`_kept` returned, of the same forms."""

    def _params_of(self, problem: Problem, budget: float | str) -> Any:
        """Returns a problem's params, whose observations are those that it learns in.

        A policy for all budgets sees which one an episode has.
        """
        from hwnas_env.jax.params import make_params

        return make_params(
            problem,
            budget=budget,
            reward=self.config.reward,
            shown=self.config.sampled_budgets,
        )


def _leaves(networks: Any) -> dict[str, Any]:
    import jax

    leaves = jax.tree.leaves(networks)
    return {f"layer_{n:02d}": np.asarray(leaf) for n, leaf in enumerate(leaves)}


def _file(path: AnyPath) -> Path:
    return Path(f"{str(path_of(path)).removesuffix('.npz')}.npz")
