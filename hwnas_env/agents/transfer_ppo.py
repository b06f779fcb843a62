"""A policy that was trained on other devices, and is asked about one that is new."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from hwnas_env.agents.jax_ppo import JaxPPO
from hwnas_env.agents.transfer_training import (
    Trained,
    TransferPPOConfig,
    train_on_others,
)
from hwnas_env.arguments import check_name, check_type
from hwnas_env.devices import DEVICES
from hwnas_env.errors import InvalidArgumentError
from hwnas_env.fitting.known import packaged_devices
from hwnas_env.problems.budget import BudgetedProblem
from hwnas_env.problems.problem import Problem
from hwnas_env.types import FloatArray, Genotypes


class TransferPPO(JaxPPO):
    """MaskablePPO trained beforehand on other devices and all budgets, then asked.

    Its first query is the policy's likeliest network; then it samples networks that it
    has not asked for; then it learns on, on the new device. Training asks for networks
    on other devices, which no ledger counts: ``config.networks`` says how many. One
    training serves all budgets of a device; it is kept while the process lives. It sees
    the package's mean accuracy, also where the problem has another one.

    Constraint: masked, so every network is feasible.

    The arguments are those of :class:`hwnas_env.agents.jax_ppo.JaxPPO`.

    Raises:
        NoPopulationError: the space does not say how devices are drawn.
        UnknownNameError: ``config.without`` names a device that does not exist.
        InvalidArgumentError: no other real device has these costs, or drawn ones have
            other costs than the problem's.
    """

    name = "transfer_ppo"
    config_type = TransferPPOConfig
    config: TransferPPOConfig
    trains_elsewhere = True

    _bounds: tuple[FloatArray, FloatArray] | None = None

    def __init__(
        self,
        problem: Problem,
        budget: float | None,
        *,
        rng: np.random.Generator,
        config: TransferPPOConfig | None = None,
    ) -> None:
        """See the class."""
        super().__init__(problem, budget, rng=rng, config=config)
        population = problem.space.population
        self._without = self.config.without
        for name in self._without:
            check_name(name, [*population.machines, *DEVICES], what="device")
        if self.config.devices == "random" and problem.metric != population.metric:
            message = (
                f"transfer_ppo: drawn devices have {population.metric}, the problem's "
                f'budget is on {problem.metric}; devices="real" trains on that'
            )
            raise InvalidArgumentError(message)

    def train_on(self, devices: Sequence[str]) -> None:
        """Leaves out all other devices of the package; see :meth:`Agent.train_on`."""
        others = packaged_devices(self.problem.space.name, without=devices)
        self._without = (*self.config.without, *others)

    def search(self, ledger: BudgetedProblem) -> None:
        """Asks the policy, then learns on until the ledger is exhausted."""
        from hwnas_env.jax import compiled

        check_type(ledger, BudgetedProblem, what="ledger")
        if self.training is None and not ledger.exhausted:
            compiled.keep_compilations()
            seed = self._seed % self.config.policies
            problem, config = self.problem, self.config
            trained = train_on_others(
                (problem.space.name, problem.dataset, problem.metric),
                tuple(sorted({*self._without, problem.device.name})),
                # what comes after training makes no difference to it
                dataclasses.replace(config, asks="policy", sampled=1, tuning_rate=1.0),
                super().hyper,
                seed,
            )
            if self.config.asks == "archive":
                ledger.spend(self._best_of(trained))
            self._start_with(trained)
            if self.config.asks == "policy":
                ledger.spend(self._answers())
        super().search(ledger)

    def _start_with(self, trained: Trained) -> None:
        """Begins a run on the new device with the policy."""
        self._bounds = trained.low, trained.high
        self._params = self._params_of(self.problem, self.limit)
        self.training = self._begin()._replace(networks=trained.networks)

    def _answers(self) -> Genotypes:
        """Returns different networks of the policy, the likeliest first."""
        likeliest = self.networks(1, deterministic=True)
        others = self.networks(4 * self.config.sampled, seed=self._seed)
        drawn = np.concatenate([likeliest, others])
        _, places = np.unique(drawn, axis=0, return_index=True)
        return drawn[np.sort(places)][: self.config.sampled]

    def _best_of(self, trained: Trained) -> Genotypes:
        """Returns networks within the budget, by the accuracy that training saw."""
        costs = self.problem.known_costs(trained.asked)
        within = np.isfinite(costs) & (costs <= self.limit)
        accuracy = trained.accuracy_percent[within]
        return trained.asked[within][np.argsort(-accuracy, kind="stable")]

    def _kept(self) -> dict[str, FloatArray]:
        """Returns what described devices in training: see :meth:`_params_of`."""
        count = self._params.tails.shape[-1]
        bounds = self._bounds or (np.zeros(count, np.float32),) * 2
        return dict(zip(("low", "high"), bounds, strict=True))

    def _restore(self, arrays: dict[str, FloatArray]) -> None:
        """Takes what :meth:`_kept` returned."""
        self._bounds = arrays["low"], arrays["high"]
        self._params = self._params_of(self.problem, self.limit)

    @property
    def hyper(self) -> Any:
        """The hyperparameters of learning on."""
        return super().hyper._replace(learning_rate=self.config.tuning_rate)

    def _params_of(self, problem: Problem, budget: float | str) -> Any:
        """Returns params whose observations describe the device, as in training.

        What describes it is clipped to what training saw: beyond that a policy says
        nothing sensible.
        """
        from hwnas_env.jax.params import make_params

        params = make_params(
            [problem], budget=budget, reward=self.config.reward, shown=True
        )
        if self._bounds is None:
            return params
        tails = np.clip(params.tails, *self._bounds).astype(np.float32)
        return dataclasses.replace(params, tails=tails)
