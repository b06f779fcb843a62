"""Learners: one ledger, masks, budgets that they never saw, save and load."""

import inspect
import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hwnas_env import BudgetedProblem, make_problem
from hwnas_env.agents import (
    A2C,
    AGENTS,
    DQN,
    PPO,
    DQNConfig,
    Learner,
    MaskablePPO,
    MaskablePPOConfig,
    PPOConfig,
    ScalarisedPPO,
    ScalarisedPPOConfig,
)
from hwnas_env.agents.contract import AgentContract
from hwnas_env.envs.registration import MULTI_DEVICE, environment_id
from hwnas_env.errors import (
    DataError,
    DataMissingError,
    InvalidArgumentError,
    RestoreError,
    UnknownNameError,
)
from hwnas_env.problems.problem import Problem

LEARNERS = [name for name, agent in AGENTS.items() if issubclass(agent, Learner)]
PROBLEMS = {
    "nasbench201": make_problem("nasbench201", device="edgetpu"),
    "fbnet": make_problem("fbnet", device="pixel3"),
}
TOYS = {
    space: make_problem(space, device="toybox")
    for space in ("toycell", "toyragged", "toychain", "toystates")
}
CASES = [
    pytest.param(
        (agent, space),
        marks=() if place % 2 == (space == "fbnet") else pytest.mark.full,
        id=f"{agent}-{space}",
    )
    for place, agent in enumerate(LEARNERS)
    for space in PROBLEMS
]
"""Every learner on one of the two spaces; on both in ``make test-all``."""


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> tuple[str, str]:
    case: tuple[str, str] = request.param
    return case


class TestEveryLearner(AgentContract):
    queries = 50

    @pytest.fixture(autouse=True)
    def _case(self, case: tuple[str, str]) -> None:
        self.agent, self.space = case

    def make(
        self, problem: Problem, budget: float | None, *, rng: np.random.Generator
    ) -> Any:
        return AGENTS[self.agent](problem, budget, rng=rng)

    def make_problem(self) -> Problem:
        return PROBLEMS[self.space]


def searched(
    agent: type[Learner], problem: Problem, queries: int, **keywords: Any
) -> tuple[Any, BudgetedProblem]:
    ledger = BudgetedProblem(problem, max_queries=queries, record=True)
    learner = agent(
        problem, problem.budget("medium"), rng=np.random.default_rng(0), **keywords
    )
    learner.search(ledger)
    return learner, ledger


class TestEveryLearnerOnMadeUpSpaces(AgentContract):
    queries = 20
    preset = "loose"  # which 12 networks of the smallest space meet

    @pytest.fixture(
        autouse=True,
        params=[
            pytest.param(
                (agent, space),
                marks=[] if space == "toystates" else [pytest.mark.full],
                id=f"{agent}-{space}",
            )
            for agent, space in itertools.product(LEARNERS, TOYS)
        ],
    )
    def _case(self, request: pytest.FixtureRequest) -> None:
        self.agent, self.space = request.param

    def make(
        self, problem: Problem, budget: float | None, *, rng: np.random.Generator
    ) -> Any:
        return AGENTS[self.agent](problem, budget, rng=rng)

    def make_problem(self) -> Problem:
        return TOYS[self.space]


@pytest.mark.parametrize(
    "space",
    [
        "toyragged",
        *(pytest.param(n, marks=pytest.mark.full) for n in TOYS if n != "toyragged"),
    ],
)
@pytest.mark.parametrize("masked", [True, False], ids=["masked", "unmasked"])
@pytest.mark.parametrize("agent", LEARNERS)
def test_learners_build_networks_of_positions_that_differ(
    agent: str, masked: bool, space: str
) -> None:
    problem, found = TOYS[space], AGENTS[agent]
    config = found.config_type.from_dict({"hard_mask": masked})
    learner, ledger = searched(found, problem, 20, config=config)  # type: ignore[arg-type]
    assert ledger.queries == 20
    for built in (ledger.history().genotypes, learner.networks(9, masked=masked)):
        assert problem.space.validate(built).shape == built.shape
        feasible = problem.known_costs(built) <= problem.budget("medium")
        assert feasible.all() or not (masked or issubclass(found, MaskablePPO))


@pytest.mark.parametrize("rows", [1, 5, 8, 16])
def test_any_number_of_environments_spends_the_same_ledger(rows: int) -> None:
    config = MaskablePPOConfig(n_envs=rows, networks_per_update=16)
    _, ledger = searched(MaskablePPO, PROBLEMS["nasbench201"], 53, config=config)
    assert ledger.queries == len(ledger.history().genotypes) == 53


def test_simulated_seconds_stop_a_learner() -> None:
    problem = PROBLEMS["nasbench201"]
    ledger = BudgetedProblem(problem, max_train_seconds=150_000.0, record=True)
    learner = PPO(problem, problem.budget("medium"), rng=np.random.default_rng(0))
    learner.search(ledger)
    assert ledger.exhausted
    every = problem.evaluate(problem.space.genotypes()).train_seconds
    assert every is not None
    assert ledger.queries >= 150_000 // every.max() > 10
    assert ledger.train_seconds <= 150_000.0


@pytest.mark.slow
@pytest.mark.parametrize(
    "space", ["nasbench201", pytest.param("fbnet", marks=pytest.mark.full)]
)
def test_a_policy_for_all_budgets_meets_budgets_that_it_never_saw(space: str) -> None:
    problem = PROBLEMS[space]
    config = MaskablePPOConfig(sampled_budgets=True)
    learner, _ = searched(MaskablePPO, problem, 600, config=config)
    for preset in ("tight", "medium", "loose"):
        budget = problem.budget(preset)
        built = learner.networks(64, budget=budget)
        evaluation = problem.evaluate(built)
        assert evaluation.deployable.all()
        assert (evaluation.costs[:, problem.metric_column] <= budget).all()
        drawn = make_untrained(problem, config).networks(64, budget=budget)
        untrained = problem.evaluate(drawn).accuracy_percent.mean()
        # the margin was at least 1.9 points in 24 runs: 6 seeds of each space, with one
        # thread and old kernels of PyTorch and OpenBLAS, and with two and today's
        assert evaluation.accuracy_percent.mean() > untrained


def make_untrained(problem: Problem, config: MaskablePPOConfig) -> Any:
    """A policy after one query: as good as no training."""
    ledger = BudgetedProblem(problem, max_queries=1)
    learner = MaskablePPO(
        problem,
        problem.budget("medium"),
        rng=np.random.default_rng(1),
        config=config,
    )
    learner.search(ledger)
    return learner


def test_a_masked_policy_never_builds_an_infeasible_network() -> None:
    for space, problem in PROBLEMS.items():
        learner, ledger = searched(MaskablePPO, problem, 40)
        for preset in ("tight", "loose"):
            built = learner.networks(50, budget=preset)
            assert (problem.known_costs(built) <= problem.budget(preset)).all(), space
        costs = problem.known_costs(ledger.history().genotypes)
        assert (costs <= problem.budget("medium")).all()


def test_without_a_mask_what_breaks_the_budget_is_queried() -> None:
    problem = PROBLEMS["fbnet"]
    config = PPOConfig(hard_mask=False)
    _, ledger = searched(PPO, problem, 60, config=config)
    costs = problem.known_costs(ledger.history().genotypes)
    assert (costs > problem.budget("medium")).any()
    assert ledger.queries == 60


@pytest.mark.parametrize("agent", [MaskablePPO, DQN, ScalarisedPPO])
def test_policies_are_saved_and_go_on_learning(
    agent: type[Learner], tmp_path: Path
) -> None:
    problem = PROBLEMS["nasbench201"]
    learner, _ = searched(agent, problem, 40)
    path = tmp_path / "policy"
    learner.save(path)
    assert json.loads((tmp_path / "policy.json").read_text())["agent"] == agent.name
    again = agent.load(path, problem, rng=np.random.default_rng(5))
    assert again.config == learner.config
    for one in (learner, again):
        found = one.networks(8, deterministic=True)
        assert found.shape == (8, 6)
        assert found.dtype == np.int8
    if agent is not ScalarisedPPO:  # whose weights are drawn, also for play
        ours = learner.networks(8, deterministic=True)
        assert (ours == again.networks(8, deterministic=True)).all()
    more = BudgetedProblem(problem, max_queries=20)
    again.search(more)
    assert more.queries == 20
    with pytest.raises(RestoreError, match="expected space 'fbnet'"):
        agent.load(path, PROBLEMS["fbnet"], rng=np.random.default_rng(0))
    with pytest.raises(RestoreError, match="expected agent 'ppo'"):
        PPO.load(path, problem, rng=np.random.default_rng(0))


def test_damaged_policies_are_errors_and_a_failed_save_keeps_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem, rng = PROBLEMS["nasbench201"], np.random.default_rng(0)
    learner, _ = searched(PPO, problem, 10)
    learner.save(tmp_path / "policy")
    files = {path: path.read_bytes() for path in tmp_path.iterdir()}
    for path, whole in files.items():
        for damaged in (b"", whole[: len(whole) // 2], b"\0" * len(whole), b"[" * 9999):
            path.write_bytes(damaged)
            with pytest.raises(RestoreError, match=r"policy: "):
                PPO.load(tmp_path / "policy", problem, rng=rng)
        path.unlink()
        with pytest.raises(DataMissingError, match="there is no such file"):
            PPO.load(tmp_path / "policy", problem, rng=rng)
        path.write_bytes(whole)
    made = json.loads((tmp_path / "policy.json").read_text())
    for odd in (None, [], {**made, "budget": "x"}, {**made, "config": {"n_envs": 0}}):
        (tmp_path / "policy.json").write_text(json.dumps(odd))
        with pytest.raises(RestoreError, match=r"policy: "):
            PPO.load(tmp_path / "policy", problem, rng=rng)
    (tmp_path / "policy.json").write_bytes(files[tmp_path / "policy.json"])

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(DataError, match="policy cannot be written"):
        learner.save(tmp_path / "policy")
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == files


def test_dots_in_names_of_policies_stay(tmp_path: Path) -> None:
    problem = PROBLEMS["nasbench201"]
    learners = [
        searched(PPO, problem, 10, config=PPOConfig(learning_rate=rate))[0]
        for rate in (1e-3, 2e-3)
    ]
    names = [f"{tmp_path}/run.1", tmp_path / "run.2.zip"]
    for learner, name in zip(learners, names, strict=True):
        learner.save(name)
    files = {path.name for path in tmp_path.iterdir()}
    assert files == {"run.1.zip", "run.1.json", "run.2.zip", "run.2.json"}
    for learner, name in zip(learners, (names[0], tmp_path / "run.2"), strict=True):
        again = PPO.load(name, problem, rng=np.random.default_rng(0))
        assert again.config == learner.config


def test_tensorboard_logs_are_written(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard", reason="tensorboard is not installed")
    searched(PPO, PROBLEMS["nasbench201"], 40, tensorboard=str(tmp_path / "logs"))
    assert list((tmp_path / "logs").rglob("events.*"))


def test_one_policy_serves_all_weights() -> None:
    config = ScalarisedPPOConfig(objectives=("accuracy", "latency_ms", "parameters_m"))
    learner, ledger = searched(
        ScalarisedPPO, PROBLEMS["nasbench201"], 60, config=config
    )
    assert ledger.queries == 60
    assert len(np.unique(learner.networks(64), axis=0)) > 5


@pytest.mark.parametrize(
    ("config", "values", "match"),
    [
        (PPOConfig, {"n_envs": 0}, "n_envs"),
        (PPOConfig, {"networks_per_update": 3}, "at least 8"),
        (PPOConfig, {"gamma": 1.5}, "at most 1"),
        (PPOConfig, {"hard_mask": 1}, "True or False"),
        (DQNConfig, {"exploration_final": 2.0}, "at most 1"),
        (DQNConfig, {"bufer": 2}, "field of DQNConfig"),
        (ScalarisedPPOConfig, {"scalarisation": "chebychev"}, "'chebyshev'"),
    ],
)
def test_wrong_hyperparameters_say_what_was_expected(
    config: Any, values: dict[str, Any], match: str
) -> None:
    with pytest.raises((InvalidArgumentError, UnknownNameError), match=match):
        config.from_dict(values)


def test_nothing_can_be_built_or_saved_before_a_search(tmp_path: Path) -> None:
    learner = PPO(PROBLEMS["fbnet"], None, rng=np.random.default_rng(0))
    with pytest.raises(InvalidArgumentError, match="has searched"):
        learner.networks(3)
    with pytest.raises(InvalidArgumentError, match="search first"):
        learner.save(tmp_path / "x")
    with pytest.raises(UnknownNameError, match="did you mean 'accuracy'"):
        searched(
            ScalarisedPPO,
            PROBLEMS["fbnet"],
            9,
            config=ScalarisedPPOConfig(objectives=("acuracy", "latency_ms")),
        )


@pytest.mark.parametrize("agent", [A2C, DQN, PPO])
def test_the_zoos_files_name_every_id_and_arguments_that_there_are(
    agent: type[Learner],
) -> None:
    yaml = pytest.importorskip("yaml")
    folder = Path(__file__).parents[1] / "docs" / "rl_zoo3"
    found = yaml.safe_load((folder / f"{agent.name}.yml").read_text())
    assert sorted(found) == sorted(
        environment_id(space, device)
        for space, devices in MULTI_DEVICE.items()
        for device in devices
    )
    learner = agent(PROBLEMS["fbnet"], None, rng=np.random.default_rng(0))
    valid = set(inspect.signature(learner.algorithm.__init__).parameters)
    for values in found.values():
        assert set(values) - valid == {"n_envs", "n_timesteps", "env_wrapper"}
    assert found["HWNAS-FBNet-FPGA-v0"]["n_timesteps"] == 500 * 22
