"""Trains one policy on many devices and all budgets, by compiled episodes."""

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hwnas_env.agents.config import check_name, check_number, check_whole
from hwnas_env.agents.jax_ppo import UPDATES
from hwnas_env.agents.learners import MaskablePPOConfig
from hwnas_env.arguments import check_names
from hwnas_env.devices import DEVICES
from hwnas_env.errors import InvalidArgumentError
from hwnas_env.fitting.known import packaged_devices
from hwnas_env.problems.make import make_problem
from hwnas_env.problems.problem import Problem
from hwnas_env.problems.random_devices import random_devices
from hwnas_env.spaces import get_space
from hwnas_env.types import FloatArray, Genotypes

if TYPE_CHECKING:
    from hwnas_env.jax.ppo import Hyperparameters, Networks

KINDS = ("random", "real")
ASKS = ("policy", "archive")


@dataclass(frozen=True)
class TransferPPOConfig(MaskablePPOConfig):
    """Hyperparameters of a policy for every device.

    Attributes:
        devices: what it is trained on: "random", drawn ones; or "real", all others of
            the package with the task's dataset and metric.
        without: devices that training must know nothing of, with all of their
            machines; the task's own is always left out.
        networks: that training asks for, all on other devices.
        drawn: random devices at a time.
        stays: updates until others are drawn.
        sampled: queries on the new device that the policy answers before it learns on.
        tuning_rate: the learning rate there.
        asks: "policy"; or "archive", which asks for the best networks that training
            saw, within the budget: what the same training comes to without a policy.
        policies: how many trainings there are; a seed chooses one of them.
    """

    n_envs: int = 32
    networks_per_update: int = 32
    n_epochs: int = 4
    learning_rate: float = 1e-3
    ent_coef: float = 0.02
    sampled_budgets: bool = True
    devices: str = "random"
    without: tuple[str, ...] = ()
    networks: int = 65_536
    drawn: int = 64
    stays: int = 128
    sampled: int = 50
    tuning_rate: float = 1e-3
    asks: str = "policy"
    policies: int = 10

    def __post_init__(self) -> None:
        """Checks the values.

        Raises:
            InvalidArgumentError: a value is out of range.
            UnknownNameError: no such devices, nor such a way to ask.
        """
        super().__post_init__()
        check_name(self, "devices", valid=KINDS)
        check_name(self, "asks", valid=ASKS)
        names = check_names(self.without, what="without", least=0)
        object.__setattr__(self, "without", names)
        check_number(self, "tuning_rate")
        check_whole(self, "networks", "drawn", "stays", "sampled", "policies")
        if not self.sampled_budgets:
            message = "TransferPPOConfig.sampled_budgets: expected True, got False"
            raise InvalidArgumentError(message)


@dataclass(frozen=True, eq=False)
class Trained:
    """What training on other devices came to.

    Attributes:
        networks: the policy.
        low: ``(T,)`` the least of what described a device in training.
        high: ``(T,)`` the most.
        asked: ``(N, L)`` int8, the networks that training asked for, each once.
        accuracy_percent: ``(N,)`` theirs, the package's mean accuracy.
    """

    networks: "Networks"
    low: FloatArray
    high: FloatArray
    asked: Genotypes
    accuracy_percent: FloatArray


@functools.lru_cache(maxsize=64)
def train_on_others(
    costs: tuple[str, str, str],
    without: tuple[str, ...],
    config: TransferPPOConfig,
    hyper: "Hyperparameters",
    seed: int,
) -> Trained:
    """Trains a policy on devices of a space; kept by the process.

    Args:
        costs: names of the search space, the dataset and the metric.
        without: names of devices that training must know nothing of.
        config: how.
        hyper: the same as the compiled functions take it.
        seed: of the training.

    Raises:
        NoPopulationError: the space does not say how devices are drawn.
        InvalidArgumentError: no other real device has these costs.
    """
    import jax

    from hwnas_env.jax import compiled

    calls = max(1, config.networks // (UPDATES * hyper.rows * hyper.rounds))
    low, high, asked = [], [], []
    training: Any = None
    for params in _params_of_calls(costs, without, config, calls, seed):
        if training is None:
            training = compiled.begin(jax.random.key(seed), params, hyper=hyper)
        training, queried = compiled.train(
            training, params, hyper=hyper, updates=UPDATES
        )
        asked.append(np.asarray(queried))
        low.append(np.asarray(params.tails).min(axis=0))
        high.append(np.asarray(params.tails).max(axis=0))
    space, dataset, _ = costs
    networks = np.unique(np.concatenate(asked), axis=0)
    seen = random_devices(space, dataset=dataset).draw(0).evaluate(networks)
    return Trained(
        training.networks,
        np.min(low, axis=0),
        np.max(high, axis=0),
        networks,
        seen.accuracy_percent,
    )


def _params_of_calls(
    costs: tuple[str, str, str],
    without: tuple[str, ...],
    config: TransferPPOConfig,
    calls: int,
    seed: int,
) -> Iterator[Any]:
    """Yields the params of every compiled call; random devices change now and then."""
    import jax

    from hwnas_env.jax.params import make_params

    def placed(problems: list[Problem]) -> Any:
        made = make_params(problems, budget="sampled", reward=config.reward)
        return jax.tree.map(jax.numpy.asarray, made)

    space, dataset, _ = costs
    params: Any = None
    for call in range(calls):
        if config.devices == "real":
            params = placed(_real(*costs, without)) if params is None else params
        elif call % max(1, config.stays // UPDATES) == 0:
            known = get_space(space).population.machines
            names = tuple(name for name in without if name in known)
            devices = random_devices(space, dataset=dataset, without=names)
            first = (seed * calls + call) * config.drawn
            numbers = range(first, first + config.drawn)
            params = placed([devices.draw(number) for number in numbers])
        yield params


def _real(
    space: str, dataset: str, metric: str, without: tuple[str, ...]
) -> list[Problem]:
    """Returns the problems on the other real devices that have such costs."""
    known = [name for name in without if name in DEVICES]
    found = [
        make_problem(space, device=name, dataset=dataset, metric=metric)
        for name in packaged_devices(space, without=known)
        if dataset in DEVICES[name].datasets_in(space)
        and metric in DEVICES[name].metrics_in(space)
    ]
    if not found:
        message = (
            f"no other real device has {metric} of {space} on {dataset}; "
            "devices='random' draws some"
        )
        raise InvalidArgumentError(message)
    return found
