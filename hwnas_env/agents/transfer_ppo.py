"""A policy that was trained on other devices, and is asked about one that is new."""

import dataclasses
from typing import Any

import numpy as np

from hwnas_env.agents.jax_ppo import JaxPPO
from hwnas_env.agents.transfer_training import (
    Trained,
    TransferPPOConfig,
    train_on_others,
)
from hwnas_env.arguments import check_type
from hwnas_env.problems.budget import BudgetedProblem
from hwnas_env.problems.problem import Problem
from hwnas_env.types import FloatArray, Genotypes


class TransferPPO(JaxPPO):
    """MaskablePPO trained beforehand on other devices and all budgets, then asked.

    Its first query is the policy's likeliest network; then it samples networks that it
    has not asked for; then it learns on, on the new device. Training asks for networks
    on other devices, which no ledger counts: ``config.networks`` says how many. One
    training serves all budgets of a device; it is kept while the process lives.

    Constraint: masked, so every network is feasible.

    The arguments are those of :class:`hwnas_env.agents.jax_ppo.JaxPPO`.

    Raises:
        NoPopulationError: the space does not say how devices are drawn.
        InvalidArgumentError: no other real device has these costs.
    """

    name = "transfer_ppo"
    config_type = TransferPPOConfig
    config: TransferPPOConfig
    trains_elsewhere = True

    _bounds: tuple[FloatArray, FloatArray] | None = None

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
                tuple(sorted({*config.without, problem.device.name})),
                # what comes after training makes no difference to it
                dataclasses.replace(config, asks="policy", sampled=1, tuning_rate=1.0),
                super().hyper,
                seed,
            )
            if self.config.asks == "archive":
                ledger.spend(self._best_of(trained.asked))
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

    def _best_of(self, asked: Genotypes) -> Genotypes:
        """Returns networks within the budget, best accuracy first."""
        costs = self.problem.known_costs(asked)
        within = asked[np.isfinite(costs) & (costs <= self.limit)]
        # training saw their accuracy, which depends on no device
        accuracy = self.problem.evaluate(within).accuracy_percent
        return within[np.argsort(-accuracy, kind="stable")]

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
