"""Agents with options: what is typed, what is recorded, and what is searched."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from record_files import text_of
from typer.testing import CliRunner

from hwnas_env.agents import AGENTS, Config, EvolutionConfig, RandomSearch
from hwnas_env.agents.learners import PPOConfig
from hwnas_env.benchmark.agent_options import (
    agents_in,
    config_of,
    option_kinds,
    option_text,
    settled,
    settled_names,
)
from hwnas_env.benchmark.jobs import Job
from hwnas_env.benchmark.loading import load_folder, versions
from hwnas_env.benchmark.records import record_path, records_in
from hwnas_env.benchmark.runner import run_all
from hwnas_env.benchmark.runs import Limits, Task, make_agent, run_once
from hwnas_env.benchmark.suite_runs import jobs_of
from hwnas_env.benchmark.suites import SUITES
from hwnas_env.benchmark.validate import validate
from hwnas_env.cli import app
from hwnas_env.errors import HWNASError, InvalidArgumentError, UnknownNameError

CELL = Task("HWNAS-NASBench201-EdgeTPU-v0")
SMALL = "evolution:population=5,sample=2"


@dataclass(frozen=True)
class OwnConfig(Config):
    rounds: int = 3
    rate: float | None = None
    names: tuple[str, ...] = ("a",)
    fast: bool = False

    def __post_init__(self) -> None:
        if self.rounds > 100:
            message = "too many rounds"
            raise RuntimeError(message)


class Own(RandomSearch):
    name = "own"
    config_type = OwnConfig


class Untold(RandomSearch):
    name = "untold"

    @dataclass(frozen=True)
    class Hidden(Config):
        size: "Missing" = 1  # type: ignore[name-defined]  # noqa: F821

    config_type = Hidden


OWN = "test_agent_options:Own"


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("ppo", "ppo"),
        ("ppo:n_envs=8", "ppo"),
        ("ppo:n_envs=32,learning_rate=1e-3", "ppo:learning_rate=0.001,n_envs=32"),
        ("ppo: n_envs = 32 , gamma = 1", "ppo:n_envs=32"),
        ("ppo:net_arch=32,16,hard_mask=FALSE", "ppo:hard_mask=false,net_arch=32,16"),
        ("ppo:net_arch=64,64", "ppo"),
        ("ppo:net_arch=", "ppo:net_arch="),
        (OWN, OWN),
        (f"{OWN}:rounds=3", OWN),
        (f"{OWN}:rounds=4,rate=none", f"{OWN}:rounds=4"),
        (f"{OWN}:rate=2,names=b,c", f"{OWN}:names=b,c,rate=2.0"),
    ],
)
def test_what_searches_alike_has_one_name(typed: str, name: str) -> None:
    assert settled(typed) == name == settled(name)


@pytest.mark.parametrize("name", AGENTS)
def test_every_option_of_every_agent_can_be_typed(name: str) -> None:
    agent = AGENTS[name]
    usual = agent.config_type()
    kinds = option_kinds(agent)
    assert {*kinds} == {*usual.as_dict()}
    for option in kinds:
        typed = option_text(getattr(usual, option))
        assert settled(f"{name}:{option}={typed}") == name


@pytest.mark.parametrize(
    ("typed", "kind", "words"),
    [
        ("evolution:poplation=5", UnknownNameError, "did you mean 'population'"),
        ("evolutoin:population=5", UnknownNameError, "did you mean 'evolution'"),
        ("evolution:sample=many", InvalidArgumentError, "a whole number, got 'many'"),
        ("evolution:sample=2.5", InvalidArgumentError, "sample of evolution"),
        ("evolution:double=x", InvalidArgumentError, "expected a number, got 'x'"),
        ("evolution:double=nan", InvalidArgumentError, "EvolutionConfig.double"),
        ("evolution:distinct=maybe", UnknownNameError, "Valid: true, false"),
        ("evolution:population=0", InvalidArgumentError, "of at least 1, got 0"),
        ("evolution:sample=2,sample=3", InvalidArgumentError, "there twice"),
        ("random:size=3", InvalidArgumentError, "'random' has no options"),
        ("evolution:sample=4,annealing", InvalidArgumentError, "'4,annealing'"),
        ("n_envs=4", UnknownNameError, "unknown agent 'n_envs=4'"),
        (f"{OWN}:rounds=101", InvalidArgumentError, "RuntimeError: too many rounds"),
        ("test_agent_options:Untold:size=1", InvalidArgumentError, "'Missing'"),
    ],
)
def test_options_that_are_none_say_what_is(
    typed: str, kind: type[HWNASError], words: str
) -> None:
    with pytest.raises(kind) as raised:
        settled(typed)
    assert words in str(raised.value)
    with pytest.raises(kind):
        run_once(CELL, typed, seed=0, queries=2)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("random, evolution,", ["random", "evolution"]),
        (f"{SMALL},random", [SMALL, "random"]),
        (f"ppo:net_arch=8,8,n_envs=2,{OWN}:names=b,c,random", None),
    ],
)
def test_a_list_is_split_between_agents(text: str, names: list[str] | None) -> None:
    several = ["ppo:net_arch=8,8,n_envs=2", f"{OWN}:names=b,c", "random"]
    assert agents_in(text) == (several if names is None else names)


def test_options_search_as_the_configuration_does() -> None:
    typed = run_once(CELL, f"{SMALL},double=0.5", seed=3, queries=40)
    config = EvolutionConfig(population=5, sample=2)
    by_config = run_once(CELL, "evolution", seed=3, queries=40, config=config)
    assert typed.agent == SMALL
    assert typed.networks == by_config.networks
    usual = run_once(CELL, "evolution", seed=3, queries=40)
    assert typed.networks != usual.networks
    problem = CELL.problem()
    made = make_agent(CELL, problem, "ppo:n_envs=2,learning_rate=1e-4", seed=0)
    assert made.config == PPOConfig(n_envs=2, learning_rate=1e-4)
    with pytest.raises(InvalidArgumentError, match="not both"):
        run_once(CELL, SMALL, seed=0, queries=2, config=config)
    wide = make_agent(CELL, problem, "ppo:n_envs=32", seed=0)
    assert wide.config == PPOConfig(n_envs=32, networks_per_update=32)
    with pytest.raises(InvalidArgumentError, match="of at least 32, got 20"):
        settled("ppo:n_envs=32,networks_per_update=20")
    assert versions("ppo:n_envs=2") == versions("ppo")


def test_objectives_are_the_tasks_unless_they_are_typed() -> None:
    names = ("accuracy", "latency_ms")
    task = Task("HWNAS-NASBench201-EdgeGPU-v0", budget=None, objectives=names)
    problem = task.problem()
    made = make_agent(task, problem, "nsga2:population=8", seed=0)
    assert made.config.as_dict()["objectives"] == names
    assert made.config.as_dict()["population"] == 8
    typed = make_agent(task, problem, "nsga2:objectives=accuracy,energy_mj", seed=0)
    assert typed.config.as_dict()["objectives"] == ("accuracy", "energy_mj")


def test_transferred_searches_have_the_options_too() -> None:
    ids = [f"HWNAS-FBNet-{device}-v0" for device in ("FPGA", "Raspi4", "Pixel3")]
    task = Task(ids[0], train=tuple(ids[1:]))
    small = run_once(task, SMALL, seed=0, queries=40)
    usual = run_once(task, "evolution", seed=0, queries=40)
    assert not small.error
    assert small.networks[:20] != usual.networks[:20]


def test_records_tell_configured_agents_apart(tmp_path: Path) -> None:
    agents = ["evolution", "evolution:sample=2, population=5", OWN, f"{OWN}:rounds=5"]
    runs = run_all(CELL, agents, seeds=2, queries=20, folder=tmp_path)
    again = run_all(CELL, settled_names(agents), seeds=2, queries=20, folder=tmp_path)
    assert runs == again
    assert len(records_in(tmp_path)) == 8
    assert not any(validate(path).differences for path in records_in(tmp_path))
    found = {job.agent for job, _ in load_folder(tmp_path).found}
    assert found == {"evolution", SMALL, OWN, f"{OWN}:rounds=5"}
    path = record_path(tmp_path, Job(CELL, SMALL, 1, Limits(20)))
    assert json.loads(text_of(path).split("\n")[0])["request"]["agent"] == SMALL


def test_requests_hold_agents_that_are_not_here() -> None:
    job = Job(CELL, "no_such_module:Agent:size=3,", 0, Limits(2))
    assert Job.from_request(job.request()) == job
    jobs = jobs_of(SUITES["smoke"], ["random", SMALL], seeds=1, limits=Limits(2))
    assert [one.agent for one in jobs[:2]] == ["random", SMALL]


def command(*words: str) -> Sequence[str]:
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.output
    rows = json.loads(result.stdout)
    return [
        row["agent"] for row in (rows[0] if isinstance(rows, list) else rows)["agents"]
    ]


def test_the_command_line_takes_options(tmp_path: Path) -> None:
    call = ("run", "--env", CELL.env, "--queries", "9", "--seeds", "1", "--json")
    typed = ("--agent", "evolution:sample=2,population=5", "--agent", "random")
    assert {*command(*call, *typed)} == {SMALL, "random"}
    fronts = ("--objective", "accuracy", "--objective", "latency_ms")
    names = ("--agent", "nsga2:population=4", "--agent", "nsga2:population=20")
    assert {*command(*call, *fronts, *names)} == {"nsga2:population=4", "nsga2"}
    suite = ("bench", "run", "smoke", "--seeds", "1", "--queries", "9", "--json")
    found = command(
        *(*suite, "--out", str(tmp_path)),
        *("--agents", "evolution:sample=2,population=5,random", "--agent", OWN),
    )
    assert {*found} == {SMALL, "random", OWN}


def test_a_configuration_of_ones_own_may_raise_anything() -> None:
    assert config_of(Own, {"rounds": 5}) == OwnConfig(rounds=5)
    with pytest.raises(InvalidArgumentError, match="too many rounds"):
        config_of(Own, {"rounds": 500})
