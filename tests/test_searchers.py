"""The contract over every searcher, and what each one has of its own."""

import itertools
import json
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from hwnas_env import AGENTS, make_problem
from hwnas_env.agents import (
    AnnealingConfig,
    Config,
    EvolutionConfig,
    Exhaustive,
    ExhaustiveConfig,
    LocalSearch,
    LocalSearchConfig,
    NSGA2Config,
    RandomSearch,
    RegularizedEvolution,
    Reinforce,
    ReinforceConfig,
    Searcher,
    SimulatedAnnealing,
    TPEConfig,
)
from hwnas_env.agents.contract import SearcherContract, proposals, run
from hwnas_env.agents.journal import GENERATORS, generator_from, generator_state
from hwnas_env.agents.optuna_sampler import OptunaSearcher
from hwnas_env.benchmark.protocols import (
    NASBENCH201_EVOLUTION,
    NASBENCH201_REINFORCE,
)
from hwnas_env.errors import (
    InvalidArgumentError,
    InvalidGenotypeError,
    MissingExtraError,
    RestoreError,
    SearchExhaustedError,
    UnknownNameError,
)
from hwnas_env.extras import load_extra
from hwnas_env.problems.problem import Problem

PROBLEMS = {
    "nasbench201": make_problem("nasbench201", device="edgetpu"),
    "fbnet": make_problem("fbnet", device="pixel3"),
}
TOYS = {
    space: make_problem(space, device="toybox")
    for space in ("toycell", "toyragged", "toychain", "toystates")
}
SEARCHERS = {
    name: agent for name, agent in AGENTS.items() if issubclass(agent, Searcher)
}
CASES: list[Any] = [
    pytest.param((agent, space), id=f"{agent}-{space}")
    for agent in SEARCHERS
    for space in PROBLEMS
    # enumeration cannot, and the process takes a second a query there
    if space == "nasbench201" or agent not in ("exhaustive", "gaussian_process")
]
CASES += [
    # the one whose layers differ and have states; the others, and the process, by hand
    pytest.param(
        (agent, space),
        marks=[pytest.mark.full]
        if space != "toystates" or agent == "gaussian_process"
        else [],
        id=f"{agent}-{space}",
    )
    for agent, space in itertools.product(SEARCHERS, TOYS)
    # one made-up space is enough for the process: the one of 3, 48 and 2 choices
    if space == "toystates" or agent != "gaussian_process"
]


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> tuple[str, str]:
    agent, space = request.param
    if issubclass(SEARCHERS[agent], OptunaSearcher):
        pytest.importorskip("optuna")
    if agent == "gaussian_process":
        pytest.importorskip("torch")
    return agent, space


class TestEverySearcher(SearcherContract):
    @pytest.fixture(autouse=True)
    def _case(self, case: tuple[str, str]) -> None:
        self.agent, self.space = case
        self.masked = not issubclass(SEARCHERS[self.agent], OptunaSearcher)
        self.queries = 22 if self.agent == "gaussian_process" else 60
        if self.space in TOYS:  # of which the smallest has 24 networks
            self.queries = 24 if self.masked else 12
        if self.space in TOYS and self.agent == "exhaustive":
            self.queries, self.preset = 6, "loose"  # which 12 of the 24 meet

    def make(
        self, problem: Problem, budget: float | None, *, rng: np.random.Generator
    ) -> Searcher:
        agent: Any = SEARCHERS[self.agent]
        optuna_on_toys = self.space in TOYS and issubclass(agent, OptunaSearcher)
        config = agent.config_type(startup=5) if optuna_on_toys else None
        return agent(problem, budget, rng=rng, config=config)

    def make_problem(self) -> Problem:
        return {**PROBLEMS, **TOYS}[self.space]


@pytest.fixture
def cells() -> Problem:
    return PROBLEMS["nasbench201"]


def make(
    searcher: type[Searcher], problem: Problem, *, seed: int = 0, **keywords: Any
) -> Searcher:
    budget = problem.budget("medium")
    return searcher(problem, budget, rng=np.random.default_rng(seed), **keywords)


@pytest.mark.parametrize(
    ("config", "values", "match"),
    [
        (EvolutionConfig, {"population": 0}, "EvolutionConfig.population: .* got 0"),
        (EvolutionConfig, {"sample": True}, "whole number of at least 1, got True"),
        (EvolutionConfig, {"double": -0.1}, "of at least 0 and at most 1, got -0.1"),
        (AnnealingConfig, {"initial": math.nan}, "a number above 0, got nan"),
        (AnnealingConfig, {"final": 9.0}, "at most initial"),
        (ReinforceConfig, {"momentum": 1.0}, "at most 0.9999, got 1.0"),
        (ReinforceConfig, {"normalise": 1}, "True or False, got 1"),
        (ReinforceConfig, {"optimiser": "adams"}, "did you mean 'adam'"),
        (LocalSearchConfig, {"move": "frist"}, "did you mean 'first'"),
        (LocalSearchConfig, {"reach": 3}, "at least 1 and at most 2, got 3"),
        (ExhaustiveConfig, {"batch": 0.5}, "got 0.5"),
        (NSGA2Config, {"population": 1}, "at least 2"),
        (NSGA2Config, {"startup": 0}, "at least 1"),
        (EvolutionConfig, {"popualtion": 3}, "did you mean 'population'"),
    ],
)
def test_wrong_hyperparameters_say_what_was_expected(
    config: Any, values: dict[str, Any], match: str
) -> None:
    with pytest.raises((InvalidArgumentError, UnknownNameError), match=match):
        config.from_dict(values)


def test_a_configuration_survives_json() -> None:
    config = NSGA2Config(objectives=("accuracy", "latency_ms"), population=7)
    assert NSGA2Config.from_dict(json.loads(json.dumps(config.as_dict()))) == config


def test_another_searchers_configuration_is_refused(cells: Problem) -> None:
    with pytest.raises(InvalidArgumentError, match="expected config of Config, got"):
        make(RandomSearch, cells, config=EvolutionConfig())


@pytest.mark.parametrize("name", GENERATORS)
def test_every_generator_of_numpy_can_be_saved(name: str) -> None:
    rng = np.random.Generator(getattr(np.random, name)(7))
    rng.random(3)
    state = json.loads(json.dumps(generator_state(rng)))
    assert generator_from(state).random(5).tolist() == rng.random(5).tolist()


def test_a_state_goes_back_to_its_own_search_only(cells: Problem) -> None:
    searcher = make(RandomSearch, cells)
    state, budget = searcher.state(), searcher.budget
    with pytest.raises(RestoreError, match="expected agent 'evolution', got 'random'"):
        RegularizedEvolution.restore(cells, budget, state=state)
    with pytest.raises(RestoreError, match="expected problem"):
        RandomSearch.restore(PROBLEMS["fbnet"], budget, state=state)
    with pytest.raises(RestoreError, match="expected budget None"):
        RandomSearch.restore(cells, None, state=state)
    with pytest.raises(RestoreError, match="generator, history missing"):
        RandomSearch.restore(cells, budget, state={"agent": "random"})
    broken = {**state, "history": [{"told": [[0] * 6]}]}
    with pytest.raises(RestoreError, match="an entry of a searcher's history"):
        RandomSearch.restore(cells, budget, state=broken)
    broken = {**state, "generator": {"bit_generator": "Sobol"}}
    with pytest.raises(RestoreError, match="generator: expected one of"):
        RandomSearch.restore(cells, budget, state=broken)


def test_garbage_is_an_error_and_not_a_query(cells: Problem) -> None:
    class Garbage(RandomSearch):
        def propose(self) -> Any:
            return next(self.garbage)

        garbage: Iterator[Any] = iter([[[9] * 6], "abc", np.empty((0, 6), np.int8)])

    searcher = make(Garbage, cells)
    for match in ("expected 0 to 4, got 9", "expected", "at least one proposal"):
        with pytest.raises(InvalidGenotypeError, match=match):
            searcher.ask()
    with pytest.raises(InvalidArgumentError, match="expected 1 accuracies"):
        searcher.tell(np.zeros((1, 6), np.int8), cells.evaluate([[0] * 6, [1] * 6]))


def test_exhaustive_enumeration_finds_the_optimum_and_ends(cells: Problem) -> None:
    budget = cells.budget("tight")
    rng = np.random.default_rng(0)
    searcher = Exhaustive(cells, budget, rng=rng, config=ExhaustiveConfig(batch=64))
    rows = np.concatenate(run(searcher, 20_000))
    evaluation = cells.evaluate(rows)
    assert len({row.tobytes() for row in rows}) == len(rows)
    assert evaluation.accuracy_percent.max() == cells.optimum(budget).accuracy_percent
    everything = cells.evaluate(cells.space.from_index(np.arange(15625)))
    assert len(rows) == (everything.costs[:, 0] <= budget).sum()
    with pytest.raises(SearchExhaustedError, match=f"all {len(rows)} feasible"):
        searcher.ask()
    with pytest.raises(InvalidArgumentError, match="fbnet has 984,770,902,183"):
        make(Exhaustive, PROBLEMS["fbnet"])


@pytest.mark.parametrize("move", ["best", "first"])
def test_local_search_ends_at_networks_without_better_neighbours(
    cells: Problem, move: str
) -> None:
    config = LocalSearchConfig(move=move, reach=1)
    searcher = make(LocalSearch, cells, config=config)
    batches = run(searcher, 120)
    rows = np.concatenate(batches)
    scores = searcher.score(cells.evaluate(rows))
    best = rows[int(scores.argmax())]
    around = searcher.neighbours(best)
    assert searcher.score(cells.evaluate(around)).max() <= scores.max()
    assert (max(len(batch) for batch in batches) > 1) == (move == "best")


@pytest.mark.parametrize("space", PROBLEMS)
def test_a_neighbour_differs_in_one_position_or_in_two(space: str) -> None:
    searcher = make(RandomSearch, PROBLEMS[space])
    centre = searcher.sample()[0]
    for double, expected in ((0.0, 1), (1.0, 2)):
        rows = [searcher.neighbour(centre, double=double)[0] for _ in range(50)]
        assert {int((row != centre).sum()) for row in rows} == {expected}
        assert searcher.feasible(np.array(rows)).all()
        assert len({row.tobytes() for row in rows}) > 1


@pytest.mark.parametrize("agent", ["local_search", "evolution", "annealing"])
def test_moves_lead_to_networks_that_were_not_evaluated_before(agent: str) -> None:
    told = proposals(make(AGENTS[agent], PROBLEMS["fbnet"]), 150)
    assert len({tuple(row) for row in told}) == len(told) == 150


def test_local_search_tries_one_and_two_changes_in_turn(cells: Problem) -> None:
    searcher = make(LocalSearch, cells)
    best = cells.optimum("medium").genotypes[0]
    searcher.tell(best[None, :], cells.evaluate(best))
    one = len(searcher.neighbours(best))
    around = np.concatenate([searcher.ask() for _ in range(2 * one + 5)])
    changes = (around != best).sum(axis=1)
    assert changes.tolist() == [1, 2] * one + [2] * 5


def test_annealing_cools_and_climbs_when_it_is_cold(cells: Problem) -> None:
    config = AnnealingConfig(initial=1e-9, final=1e-9, queries=10)
    searcher = make(SimulatedAnnealing, cells, config=config)
    highest = -1.0
    for _ in range(60):
        genotypes = searcher.ask()
        evaluation = cells.evaluate(genotypes)
        searcher.tell(genotypes, evaluation)
        highest = max(highest, float(searcher.score(evaluation)[0]))
        assert searcher._score == highest, "cold: it never goes down"
    hot = make(SimulatedAnnealing, cells, config=AnnealingConfig(2.0, 0.5, 10))
    assert hot.temperature == 2.0
    run(hot, 5)
    assert hot.temperature == pytest.approx(1.0)
    run(hot, 20)
    assert hot.temperature == pytest.approx(0.5)


def test_the_oldest_of_the_population_dies(cells: Problem) -> None:
    searcher = make(RegularizedEvolution, cells, config=NASBENCH201_EVOLUTION)
    told = proposals(searcher, 25)
    assert [row.tolist() for _, row in searcher._alive] == told[-10:]
    parents = np.array(told)
    for number in range(10, 25):
        differs = (parents[number - 10 : number] != parents[number]).sum(axis=1)
        assert differs.min() <= 1, "a child differs from a living parent in one place"


def test_reinforce_as_in_the_paper_follows_a_hand_written_gradient() -> None:
    problem = make_problem("nasbench201", device="edgegpu")
    rng = np.random.default_rng(0)
    searcher = Reinforce(problem, None, rng=rng, config=NASBENCH201_REINFORCE)
    genotypes = searcher.ask()
    searcher.tell(genotypes, problem.evaluate(genotypes))
    assert not searcher._logits.any(), "the first answer is its own baseline"
    other = (genotypes + 1) % 5
    searcher.tell(other, problem.evaluate(other))
    first, second = problem.evaluate(
        np.concatenate([genotypes, other])
    ).accuracy_percent
    baseline = (0.09 * first + 0.1 * second) / 0.19
    gradient = np.full((6, 5), -0.2)
    gradient[np.arange(6), other[0]] += 1.0
    gradient *= second - baseline
    mean, size = 0.1 * gradient / 0.19, 0.001 * gradient**2 / 0.001999
    step = 0.01 * mean / (np.sqrt(size) + 1e-8)
    assert searcher._logits == pytest.approx(step)


@pytest.mark.parametrize("space", TOYS)
def test_a_sampler_goes_on_where_every_network_is_known(space: str) -> None:
    pytest.importorskip("optuna")
    problem = TOYS[space]
    searcher = make(AGENTS["tpe"], problem, config=TPEConfig(startup=1))
    digits = np.unravel_index(np.arange(problem.space.size), problem.space.choices_at)
    networks = np.stack(digits, axis=1).astype(np.int8)
    searcher.tell(networks, problem.evaluate(networks))
    assert len(proposals(searcher, 30)) == 30
    trials = len(searcher._study.trials)  # type: ignore[attr-defined]
    assert trials == len(networks) + 30, "nothing is drawn again for free"


class OwnConfig(Config):
    """Hyperparameters of one's own: none."""


class WithHook(Searcher[OwnConfig]):
    """Prepares itself in the hook."""

    name = "with_hook"

    def start(self) -> None:
        self.first = self.sample()

    def propose(self) -> Any:
        return self.first

    def learn(self, genotypes: Any, evaluation: Any) -> None:
        del genotypes, evaluation


class WithConstructor(Searcher):
    """Prepares itself as searchers of version 0.1 did."""

    name = "with_constructor"
    config_type = OwnConfig
    config: OwnConfig

    def __init__(self, problem: Any, budget: Any, *, rng: Any, config: Any = None):
        super().__init__(problem, budget, rng=rng, config=config)
        self.first = self.sample()

    propose = WithHook.propose
    learn = WithHook.learn


def test_a_searcher_prepares_itself_in_a_hook_or_in_a_constructor() -> None:
    for problem in TOYS.values():
        hook, constructor = (make(one, problem) for one in (WithHook, WithConstructor))
        assert type(hook.config) is type(constructor.config) is OwnConfig
        assert np.array_equal(hook.ask(3), constructor.ask(3))
        again = WithHook.restore(problem, hook.budget, state=hook.state())
        assert np.array_equal(again.ask(), hook.ask())


class Inherits(RegularizedEvolution):
    """Changes nothing, so that it has its base's hyperparameters."""

    name = "inherits"


def test_brackets_name_the_configuration_of_an_agent() -> None:
    assert WithHook.config_type is OwnConfig
    assert Inherits.config_type is EvolutionConfig
    assert RandomSearch.config_type is Searcher.config_type is Config
    found = {name: agent.config_type.__name__ for name, agent in AGENTS.items()}
    assert found == {
        "random": "Config",
        "local_search": "LocalSearchConfig",
        "evolution": "EvolutionConfig",
        "annealing": "AnnealingConfig",
        "reinforce": "ReinforceConfig",
        "exhaustive": "ExhaustiveConfig",
        "tpe": "TPEConfig",
        "nsga2": "NSGA2Config",
        "gaussian_process": "GaussianProcessConfig",
        "ppo": "PPOConfig",
        "a2c": "A2CConfig",
        "dqn": "DQNConfig",
        "maskable_ppo": "MaskablePPOConfig",
        "scalarised_ppo": "ScalarisedPPOConfig",
        "jax_ppo": "MaskablePPOConfig",
        "transfer_ppo": "TransferPPOConfig",
    }


def test_a_missing_extra_names_its_install_line() -> None:
    with pytest.raises(MissingExtraError, match=r'pip install -e "\.\[bbo\]"'):
        load_extra("no_such_package", extra="bbo", purpose="this agent")


def test_a_known_network_is_drawn_again_for_free(cells: Problem) -> None:
    pytest.importorskip("optuna")
    searcher = make(AGENTS["tpe"], cells)
    told = proposals(searcher, 120)
    after = told[searcher.config.startup :]  # type: ignore[attr-defined]
    assert len({tuple(row) for row in after}) == len(after)


def test_nsga2_searches_for_a_front(cells: Problem) -> None:
    pytest.importorskip("optuna")
    config = NSGA2Config(objectives=("accuracy", "latency_ms"))
    searcher = make(AGENTS["nsga2"], cells, config=config)
    run(searcher, 60)
    directions = [direction.name for direction in searcher._study.directions]  # type: ignore[attr-defined]
    assert directions == ["MAXIMIZE", "MINIMIZE"]
    with pytest.raises(UnknownNameError, match="did you mean 'latency_ms'"):
        make(AGENTS["nsga2"], cells, config=NSGA2Config(objectives=("latency",)))
