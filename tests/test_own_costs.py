"""Costs of one's own: files, functions and tables, and an error for each mistake."""

import csv
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from contracts import make
from toys import ToyLayers, ToyTable
from typer.testing import CliRunner

from hwnas_env import (
    SEARCH_SPACES,
    BudgetedProblem,
    make_problem,
    register_space,
    unregister_space,
)
from hwnas_env.agents import AGENTS, DEFAULT_AGENTS, find_agent
from hwnas_env.benchmark.jobs import Job
from hwnas_env.benchmark.loading import load_file
from hwnas_env.benchmark.records import record_path
from hwnas_env.benchmark.runner import load_or_run
from hwnas_env.benchmark.runs import run_once
from hwnas_env.benchmark.tasks import Limits, Task, check_request
from hwnas_env.benchmark.validate import validate
from hwnas_env.cli import app
from hwnas_env.envs.modes import make as make_env
from hwnas_env.errors import (
    DataMissingError,
    ForeignFileError,
    HWNASError,
    InvalidArgumentError,
    NotExactError,
    NotSerialisableError,
    UnknownNameError,
)
from hwnas_env.types import FloatArray, Genotypes
from hwnas_env.wrappers import HypervolumeImprovement

CELL = SEARCH_SPACES["toycell"]
ROWS = CELL.genotypes()
COLUMN = 1.0 + np.arange(CELL.size)
ENV = "HWNAS-ToyCell-ToyBox-v0"
NET = "HWNAS-FBNet-EdgeTPU-v0"


def summed(genotypes: Genotypes) -> FloatArray:
    """A cost that a worker can import by its name."""
    return np.asarray(1.0 + genotypes.sum(axis=1), dtype=np.float64)


def write_csv(path: Path, rows: list[list[Any]]) -> Path:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


def csv_rows() -> list[list[Any]]:
    """A whole table, with its rows in an order of its own."""
    body = [[CELL.decode(row), cost] for row, cost in zip(ROWS, COLUMN, strict=True)]
    return [["architecture", "latency_ms"], *body[::-1]]


def test_every_form_gives_the_same_problem(tmp_path: Path) -> None:
    np.savez(tmp_path / "costs.npz", latency_ms=COLUMN)
    forms: list[Any] = [
        COLUMN,
        {"latency_ms": COLUMN},
        lambda genotypes: COLUMN[CELL.index(genotypes)],
        lambda genotypes: {"latency_ms": COLUMN[CELL.index(genotypes)]},
        tmp_path / "costs.npz",
        str(write_csv(tmp_path / "costs.csv", csv_rows())),
    ]
    for costs in forms:
        problem = make_problem("toycell", costs=costs)
        assert problem.source == "user"
        assert problem.provenance["latency_ms"].kind == "user"
        assert (problem.evaluate(ROWS).costs[:, 0] == COLUMN).all()
        quantiles = np.quantile(COLUMN, [0.1, 0.25, 0.5], method="inverted_cdf")
        assert [problem.presets[n] for n in ("tight", "medium", "loose")] == [
            *quantiles.tolist()
        ]
        best = problem.optimum("medium")
        within = problem.budget("medium") >= COLUMN
        assert (
            best.accuracy_percent
            == problem.evaluate(ROWS).accuracy_percent[within].max()
        )


def test_a_file_is_known_by_its_digest_and_counts_stay() -> None:
    problem = make_problem("nasbench201", costs=f"{__name__}:summed")
    assert problem.metrics == ("latency_ms", "parameters_m", "flops_m")
    assert problem.provenance["latency_ms"].method.endswith("test_own_costs:summed")


def test_infinite_means_that_the_device_cannot_run_it(tmp_path: Path) -> None:
    rows = csv_rows()
    rows[5][1] = "inf"
    path = write_csv(tmp_path / "costs.csv", rows)
    problem = make_problem("toycell", device="toybox", costs=path)
    evaluation = problem.evaluate(ROWS)
    assert np.flatnonzero(~evaluation.deployable).tolist() == [
        int(CELL.index(CELL.encode(rows[5][0]))[0])
    ]


MISTAKES: dict[str, Any] = {
    "expected numbers of shape": COLUMN[:-1],
    "row 3, .*: expected a cost of at least 0, got nan; write inf": np.where(
        np.arange(len(COLUMN)) == 3, np.nan, COLUMN
    ),
    "row 4, .*: expected a cost of at least 0, got -1.0; write inf": np.where(
        np.arange(len(COLUMN)) == 4, -1.0, COLUMN
    ),
    "unknown metric of costs 'latency'; did you mean 'latency_ms'": {"latency": COLUMN},
    "a metric at least": {},
    "no network can run": COLUMN * np.inf,
    "expected a file .npz or .csv": 7,
    "expected real numbers": COLUMN + 1j,
    "expected real numbers, got": COLUMN.astype(str),
    "masked; expected an array": np.ma.array(COLUMN, mask=COLUMN > 3),
    "a metric that a budget can be on": {"parameters_m": COLUMN},
    "one of them is 0: expected costs above 0": COLUMN * 0,
}


@pytest.mark.parametrize("words", MISTAKES)
def test_a_wrong_table_is_an_error_that_names_the_row(words: str) -> None:
    with pytest.raises((InvalidArgumentError, UnknownNameError), match=words):
        make_problem("toycell", costs=MISTAKES[words])


def changed(place: int, *cells: Any) -> list[list[Any]]:
    rows = csv_rows()
    rows[place] = list(cells)
    return rows


FILES = {
    "line 28: network .* stands there twice": lambda: changed(-1, *csv_rows()[1]),
    "1 networks have no value, the first at index": lambda: csv_rows()[:-1],
    "line 3, column 2 .*got 'nan'; write inf": lambda: changed(
        2, csv_rows()[2][0], "nan"
    ),
    "line 3, column 2 .*got '-1'; write inf": lambda: changed(2, csv_rows()[2][0], -1),
    "column 2: 'latency' is not understood": lambda: changed(
        0, "architecture", "latency"
    ),
    "expected 3 operation names": lambda: changed(1, "none|none", 3.0),
    "did you mean 'conv'": lambda: changed(1, "none|cnv|none", 3.0),
    "expected a column 'index' or 'architecture'": lambda: changed(
        0, "latency_ms", "energy_mj"
    ),
}


@pytest.mark.parametrize("words", FILES)
def test_a_wrong_file_is_an_error_that_names_the_line(
    words: str, tmp_path: Path
) -> None:
    path = write_csv(tmp_path / "costs.csv", FILES[words]())
    with pytest.raises(ForeignFileError, match=words):
        make_problem("toycell", costs=path)


def test_files_that_are_none_of_costs(tmp_path: Path) -> None:
    with pytest.raises(DataMissingError, match="there is no such file"):
        make_problem("toycell", costs=tmp_path / "no.csv")
    np.savez(tmp_path / "other.npz", speed=COLUMN)
    with pytest.raises(ForeignFileError, match="'speed': expected a metric, which"):
        make_problem("toycell", costs=tmp_path / "other.npz")
    path = write_csv(tmp_path / "costs.csv", csv_rows())
    with pytest.raises(InvalidArgumentError, match="numbers add up"):
        make_problem("fbnet", costs=path)
    with pytest.raises(InvalidArgumentError, match="source and costs: give one"):
        make_problem("toycell", device="toybox", source="auto", costs=COLUMN)
    with pytest.raises(InvalidArgumentError, match="device: expected a device's name"):
        make_problem("toycell")


def test_additive_costs_of_layers_are_exact(tmp_path: Path) -> None:
    table = np.arange(22 * 9.0).reshape(22, 9)
    np.savez(tmp_path / "costs.npz", energy_mj=table)
    for costs in ({"energy_mj": table}, tmp_path / "costs.npz"):
        problem = make_problem("fbnet", costs=costs)
        assert problem.metric == "energy_mj"
        row = np.full((1, 22), 3, dtype=np.int8)
        assert problem.known_costs(row).tolist() == [table[:, 3].sum()]
        assert problem.optimum("tight").cost <= problem.budget("tight")


def test_a_function_on_layers_is_evaluated_and_what_is_not_exact_says_so() -> None:
    problem = make_problem("fbnet", costs=summed)
    assert "10,000 fixed networks" in problem.describe()["budgets_are"]
    for ask in (
        lambda: problem.optimum("medium"),
        lambda: problem.pareto_front(),
        lambda: gym.make(NET, costs=summed),
        lambda: gym.make_vec(NET, 2, costs=summed),
    ):
        with pytest.raises(NotExactError, match=r"additive costs \(22, 9\)"):
            ask()
    for mode in ("mutate", "joint"):
        env = make(NET, costs=summed, mode=mode)
        many = gym.make_vec(NET, 2, costs=summed, mode=mode)
        _, info = env.reset(seed=3)
        many.reset(seed=3)
        if mode == "joint":
            assert all(part.all() for part in info["action_mask"])
        env.action_space.seed(0)
        action = env.action_space.sample()
        observed, reward, *_, info = env.step(action)
        assert info["latency_ms"] == summed(info["genotype"][None])[0]
        _, rewards, *_ = many.step(np.stack([action, action]))
        assert rewards[0] == reward
        assert env.observation_space.contains(observed)


def test_a_function_that_lets_nothing_run_is_an_error() -> None:
    with pytest.raises(InvalidArgumentError, match="the device can run none"):
        make_problem("fbnet", costs=lambda genotypes: np.full(len(genotypes), np.inf))


def test_what_no_text_can_carry_is_refused_with_the_form_that_can() -> None:
    for costs in (summed, COLUMN, {"latency_ms": COLUMN}):
        spec: Any = gym.make(ENV, costs=costs).spec
        with pytest.raises(NotSerialisableError, match=r"module:function|:summed"):
            spec.to_json()
    env = gym.make(ENV, costs=f"{__name__}:summed")
    assert env.spec is not None
    assert gym.make(type(env.spec).from_json(env.spec.to_json())).unwrapped


def test_records_name_the_costs_and_validation_reads_them_again(
    tmp_path: Path,
) -> None:
    path = write_csv(tmp_path / "costs.csv", csv_rows())
    job = Job(Task(ENV, costs=str(path)), "random", 1, Limits(8))
    load_or_run(job, tmp_path)
    record = record_path(tmp_path, job)
    assert load_file(record)[2]["request"]["task"]["costs"] == str(path)
    assert validate(record).differences == ()
    rows = csv_rows()
    rows[1][1] += 0.5
    write_csv(path, rows)
    assert any("provenance" in words for words in validate(record).differences)
    path.unlink()
    assert any("no such file" in words for words in validate(record).differences)
    plain = Job(Task(ENV), "random", 1, Limits(8))
    assert "costs" not in json.dumps(plain.request())


@pytest.mark.parametrize("command", ["run", "query", "optimum"])
def test_the_command_line_takes_costs(command: str, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "costs.csv", csv_rows())
    more = {
        "run": ["--queries", "9", "--seeds", "1", "--agent", "random"],
        "query": ["conv|conv|pool"],
        "optimum": ["--cost-budget", "tight"],
    }[command]
    result = CliRunner().invoke(
        app, [command, "--env", ENV, "--costs", str(path), *more, "--json"]
    )
    assert result.exit_code == 0, result.output
    assert "user" in result.stdout
    wrong = CliRunner().invoke(app, [command, "--env", ENV, "--costs", "no.npz", *more])
    assert isinstance(wrong.exception, HWNASError)


@pytest.fixture(
    params=[(kind, *n) for kind in ("table", "layers") for n in ((1, 1), (1, 3, 1))]
)
def narrow(request: pytest.FixtureRequest) -> Iterator[str]:
    """A search space whose positions have one choice, all or some."""
    kind, *counts = request.param
    space = {"table": ToyTable, "layers": ToyLayers}[kind](
        name=f"narrow{kind}{len(counts)}",
        label=f"Narrow{kind.title()}{len(counts)}",
        operations=tuple(
            tuple(f"p{position}c{choice}" for choice in range(count))
            for position, count in enumerate(counts)
        ),
        positions=tuple(f"p{position}" for position in range(len(counts))),
        datasets=("small",),
        default_dataset="small",
    )
    register_space(space)
    yield space.name
    unregister_space(space.name)


@pytest.mark.parametrize("agent", [*DEFAULT_AGENTS, "tpe", "nsga2"])
def test_searchers_run_on_a_function_on_layers(agent: str, tmp_path: Path) -> None:
    costs = "test_own_costs:summed"
    job = Job(Task(NET, budget="tight", costs=costs), agent, 0, Limits(25))
    found = load_or_run(job, tmp_path)
    limit = job.task.limit(job.task.problem())
    assert limit is not None
    assert (found.error, found.queries) == ("", 25)
    assert found.cost <= limit
    assert np.isnan(found.regret_percent)
    path = record_path(tmp_path, job)
    assert load_file(path)[1] == found
    assert validate(path).differences == ()
    out = CliRunner().invoke(
        app, ["run", "--env", NET, "--agent", agent, "--costs", costs, "--queries", "3"]
    )
    assert out.exit_code == 0
    assert "not known" in out.output


def test_what_needs_exact_answers_says_which_agents_do_not() -> None:
    task = Task(NET, costs="test_own_costs:summed")
    with pytest.raises(NotExactError, match=r"ppo: .* random, evolution or tpe, work"):
        check_request(task, ["ppo"], seeds=1)
    fronts = replace(task, objectives=("accuracy", "latency_ms"))
    with pytest.raises(NotExactError, match=r"exact front.* random, evolution or tpe"):
        check_request(fronts, ["nsga2"], seeds=1)
    below = replace(task, budget=1.5)
    error = run_once(below, "random", seed=0, queries=3).error
    assert "no network within the budget of 1.5 was found among 10,000" in error


def narrow_costs(name: str) -> FloatArray:
    space = SEARCH_SPACES[name]
    if name.startswith("narrowtable"):
        return 1.0 + np.arange(float(space.size))
    choices = np.arange(float(space.choices))
    return np.where(space.existing == 1, 1.0 + choices, np.nan)


SEARCHING = [
    pytest.param(agent, marks=pytest.mark.jax if agent == "jax_ppo" else ())
    for agent in AGENTS
    if agent != "transfer_ppo"  # for which there is nothing to train on
]


@pytest.mark.parametrize("agent", SEARCHING)
def test_positions_of_one_choice_are_searched_by_every_agent(
    narrow: str, agent: str
) -> None:
    problem = make_problem(narrow, costs=narrow_costs(narrow))
    ledger = BudgetedProblem(problem, max_queries=5, record=True)
    found = find_agent(agent)(problem, None, rng=np.random.default_rng(0))
    found.search(ledger)
    most = problem.space.size if agent == "exhaustive" else 5
    assert ledger.queries == min(5, most)


@pytest.mark.parametrize("mode", ["construct", "mutate", "joint"])
def test_a_front_without_volume_is_shared_out_by_its_points(mode: str) -> None:
    keywords: dict[str, Any] = {"objectives": ("accuracy", "latency_ms")}
    costs = np.ones(CELL.size)
    core = make_env("toycell", "toybox", mode=mode, costs=costs, **keywords)
    env = HypervolumeImprovement(core)
    best = core.problem.optimum().accuracy_percent
    env.reset(seed=0)
    env.action_space.seed(0)
    total, reached = 0.0, False
    for _ in range(300):
        _, reward, ended, cut, info = env.step(env.action_space.sample())
        total += float(reward)
        reached |= bool(info["evaluated"]) and info["accuracy_percent"] == best
        assert total == float(reached)
        if ended or cut:
            env.reset()
    assert reached


@pytest.mark.parametrize("mode", ["construct", "mutate", "joint"])
def test_one_network_is_the_whole_front(narrow: str, mode: str) -> None:
    keywords: dict[str, Any] = {"objectives": ("accuracy", "latency_ms")}
    costs = narrow_costs(narrow)
    env = HypervolumeImprovement(
        make_env(narrow, "toybox", mode=mode, costs=costs, **keywords)
    )
    env.reset(seed=0)
    total, ended = 0.0, False
    while not ended:
        _, reward, ended, cut, _ = env.step(env.action_space.sample())
        total, ended = total + float(reward), ended or cut
    assert total == 1.0 if SEARCH_SPACES[narrow].size == 1 else 0.0 <= total <= 1.0
