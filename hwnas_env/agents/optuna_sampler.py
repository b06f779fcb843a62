"""An Optuna sampler as a searcher: one study, asked and told."""

import functools
import warnings
from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

import numpy as np

from hwnas_env.agents.config import Config, check_whole
from hwnas_env.agents.searcher import Searcher
from hwnas_env.extras import load_extra
from hwnas_env.types import Evaluation, Genotypes


@dataclass(frozen=True)
class OptunaConfig(Config):
    """What all samplers of Optuna have.

    Attributes:
        startup: networks drawn by the mask before the sampler proposes.
        redraws: how often a network that was evaluated before is drawn again; the
            sampler is told the known answer, which costs no query. 0 spends queries on
            repetitions.
        objectives: "accuracy" and names out of the problem's metrics; several make the
            search multi-objective. The budget stays a constraint.
    """

    startup: int = 20
    redraws: int = 20
    objectives: tuple[str, ...] = ("accuracy",)

    def __post_init__(self) -> None:
        """Checks the values; objectives are checked against the problem.

        Raises:
            InvalidArgumentError: a value is not a positive whole number.
        """
        check_whole(self, "startup")
        check_whole(self, "redraws", at_least=0)


OptunaConfigT_co = TypeVar("OptunaConfigT_co", bound=OptunaConfig, covariant=True)


class OptunaSearcher(Searcher[OptunaConfigT_co]):
    """Asks a sampler of Optuna for one categorical choice a position.

    Constraint: the first networks are masked samples. After that the sampler does not
    know the mask: it may propose networks that break the budget, spends queries on
    them, and is told by how much, as Optuna's constraint ``cost / budget - 1``, clipped
    to [-1, 1] and 1 where a network is not deployable. What it makes of that is its
    own.

    Raises:
        MissingExtraError: Optuna is not installed.
        UnknownNameError: an objective that the problem does not have.
    """

    packages: ClassVar[tuple[str, ...]] = ("optuna",)
    config_type = OptunaConfig

    def start(self) -> None:
        """Opens a study with the sampler, whose seed is the one number drawn here."""
        self._objectives = self.problem.objectives(self.config.objectives)
        seed = int(self.rng.integers(2**32))
        self._study = self._new_study(_optuna(), seed=seed)
        self._answers: dict[bytes, tuple[list[float], float]] = {}
        self._open: dict[bytes, list[Any]] = {}
        self._started = 0

    @abstractmethod
    def sampler(self, optuna: Any, *, seed: int) -> Any:
        """Builds the sampler.

        Args:
            optuna: the module, loaded.
            seed: of the sampler's own generator.
        """

    def propose(self) -> Genotypes:
        """Draws one network by the mask at first, then from the sampler."""
        if self._started < self.config.startup:
            self._started += 1
            choices = dict(zip(self._names, self.sample()[0].tolist(), strict=True))
            self._study.enqueue_trial(choices)
            return self._next_trial()
        nothing_new = len(self._answers) >= self.problem.space.size
        for _ in range(0 if nothing_new else self.config.redraws):
            genotype = self._next_trial()
            known = self._answers.get(genotype.tobytes())
            if known is None:
                return genotype
            self._finish(genotype.tobytes(), *known)
        return self._next_trial()

    def learn(self, genotypes: Genotypes, evaluation: Evaluation) -> None:
        """Tells the study; networks that it did not ask for become trials too."""
        values = self._values(evaluation)
        violations = self._violations(evaluation)
        for row, genotype in enumerate(genotypes):
            key = genotype.tobytes()
            self._answers[key] = (values[row], violations[row])
            self._finish(key, values[row], violations[row])

    @functools.cached_property
    def _names(self) -> list[str]:
        return [f"position {n}" for n in range(self.problem.space.length)]

    @functools.cached_property
    def _distributions(self) -> dict[str, Any]:
        categorical = _optuna().distributions.CategoricalDistribution
        counts = self.problem.space.choices_at
        return {
            name: categorical(tuple(range(count)))
            for name, count in zip(self._names, counts, strict=True)
        }

    def _next_trial(self) -> Genotypes:
        """Asks the study: ``(1, L)``; the trial is open until it is told."""
        trial = self._study.ask(self._distributions)
        row = [trial.params[name] for name in self._names]
        genotype = np.array([row], dtype=np.int8)
        self._open.setdefault(genotype.tobytes(), []).append(trial)
        return genotype

    def _finish(self, key: bytes, values: list[float], violation: float) -> None:
        trials = self._open.get(key)
        if trials:
            trial = trials.pop(0)
            trial.set_constraint("budget", violation)
            self._study.tell(trial, values)
            return
        row = np.frombuffer(key, dtype=np.int8).tolist()
        trial = _optuna().trial.create_trial(
            params=dict(zip(self._names, row, strict=True)),
            distributions=self._distributions,
            values=values,
            constraints={"budget": violation},
        )
        self._study.add_trial(trial)

    def _values(self, evaluation: Evaluation) -> list[list[float]]:
        columns = [
            evaluation.accuracy_percent
            if objective.column < 0
            # a network that is not deployable costs inf, which no model can learn
            else np.minimum(
                evaluation.costs[:, objective.column],
                self.problem.model.largest(objective.column),
            )
            for objective in self._objectives
        ]
        values: list[list[float]] = np.stack(columns, axis=1).tolist()
        return values

    def _violations(self, evaluation: Evaluation) -> list[float]:
        cost = evaluation.costs[:, self.problem.metric_column]
        excess = np.where(evaluation.deployable, cost / self.limit - 1.0, 1.0)
        violations: list[float] = np.clip(excess, -1.0, 1.0).tolist()
        return violations

    def _new_study(self, optuna: Any, *, seed: int) -> Any:
        directions = [
            "minimize" if objective.minimise else "maximize"
            for objective in self._objectives
        ]
        spoken = optuna.logging.get_verbosity()
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        try:
            with warnings.catch_warnings():
                experimental = optuna.exceptions.ExperimentalWarning
                warnings.simplefilter("ignore", experimental)
                sampler = self.sampler(optuna, seed=seed)
            return optuna.create_study(directions=directions, sampler=sampler)
        finally:
            optuna.logging.set_verbosity(spoken)


def _optuna() -> Any:
    return load_extra("optuna", extra="bbo", purpose="this agent")
