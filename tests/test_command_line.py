"""The command line itself: help at once, the version, completion, every device."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from test_terminal import leaves
from typer.main import get_command
from typer.testing import CliRunner, Result

from hwnas_env import make_problem
from hwnas_env.agents import AGENTS
from hwnas_env.benchmark.suites import SUITES
from hwnas_env.cli import app
from hwnas_env.devices import DEVICES
from hwnas_env.envs.registration import environments
from hwnas_env.errors import (
    InvalidArgumentError,
    InvalidGenotypeError,
    UnknownNameError,
)
from hwnas_env.spaces import SEARCH_SPACES
from hwnas_env.version import __version__

CELL, NET = "HWNAS-NASBench201-EdgeGPU-v0", "HWNAS-FBNet-EdgeTPU-v0"
HEAVY = ("joblib", "rich", "moocore", "pandas", "torch", "matplotlib", "scipy")
ROOMS = (
    "agents",
    "benchmark",
    "problems",
    "reports",
    "fitting.fit",
    "measuring.runners",
)


def call(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def shell(*words: str, **variables: str) -> str:
    """What a shell prints, where the package was never imported before."""
    done = subprocess.run(
        [sys.executable, "-m", "hwnas_env", *words],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **variables},
    )
    return done.stdout


@pytest.mark.parametrize("command", ["", "bench run", "query", "device measure"])
def test_help_loads_nothing_that_computes(command: str) -> None:
    code = (
        "import sys\n"
        "from hwnas_env.cli import main\n"
        f"sys.argv[1:] = {[*command.split(), '--help']}\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        f"heavy = {HEAVY} + tuple(f'hwnas_env.{{room}}' for room in {ROOMS})\n"
        "print('loaded', [name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("Usage: hwnas-env")
    assert done.stdout.endswith("loaded []\n")


def test_every_command_has_short_help() -> None:
    for name in ("", *leaves(get_command(app)), "bench", "data", "device"):
        long, short = (call(*name.split(), option) for option in ("--help", "-h"))
        assert long.exit_code == short.exit_code == 0
        assert long.stdout == short.stdout
        assert not re.search(r"\w\.\.\.\n", long.stdout), name  # no summary is cut


def test_the_version_is_said() -> None:
    assert call("--version").stdout == f"hwnas-env {__version__}\n"
    assert shell("--version") == f"hwnas-env {__version__}\n"


def completed(*words: str, fresh: bool = False) -> list[str]:
    """What bash offers for the last word, in a process of its own or in this one."""
    asked = {
        "_HWNAS_ENV_COMPLETE": "complete_bash",
        "COMP_WORDS": " ".join(["hwnas-env", *words]),
        "COMP_CWORD": str(len(words)),
    }
    if fresh:
        return shell(**asked).split()
    return CliRunner().invoke(app, env=asked, prog_name="hwnas-env").stdout.split()


def test_shells_complete_names() -> None:
    # the shell is the nearest one above, whatever started the tests
    call = f"{shlex.quote(sys.executable)} -m hwnas_env --show-completion; exit $?"
    shown = subprocess.run(["bash", "-c", call], capture_output=True, text=True)
    assert "_HWNAS_ENV_COMPLETE" in shown.stdout, shown.stderr
    ids = [env for env in environments() if env.startswith("HWNAS-FBNet-E")]
    assert completed("query", "0", "--env", "HWNAS-FBNet-E", fresh=True) == ids
    assert completed("run", "--agent", "p") == ["ppo"]
    assert completed("bench", "run", "n") == ["nasbench201-v0"]
    assert set(completed("bench", "run", "")) == {*SUITES}
    assert completed("bench", "run", "smoke", "--agents", "ppo,ra") == ["ppo,random"]
    assert completed("analyze", "nas") == ["nasbench201"]
    assert completed("analyze", "fbnet", "--device", "edge") == ["edgegpu", "edgetpu"]
    assert completed("device", "show", "Eye") == ["Eyeriss"]
    assert completed("optimum", "--cost-budget", "m") == ["medium"]
    assert completed("optimum", "--metric", "e") == ["energy_mj"]
    assert completed("optimum", "--source", "m") == ["measured"]
    assert completed("reproduce", "few") == ["few-shot"]


def test_options_of_agents_are_completed() -> None:
    from hwnas_env.cli.options import complete_agent

    assert complete_agent("evolution:s") == ["evolution:sample="]
    assert complete_agent("ppo:n_envs=4,gae") == ["ppo:n_envs=4,gae_lambda="]
    assert complete_agent("mine:Own:s") == []


def test_agents_are_listed_with_their_options() -> None:
    rows = json.loads(call("agents", "--json").stdout)
    assert [row["agent"] for row in rows] == [*AGENTS]
    options = {row["agent"]: row["options"] for row in rows}
    assert options["evolution"]["population"] == "20"
    assert options["ppo"]["net_arch"] == "64,64"
    assert options["random"] == {}
    assert all(row["description"].endswith(".") for row in rows)


@pytest.mark.parametrize("name", ["nasbench201", "fbnet", "mnasnet"])
def test_a_network_is_asked_of_every_device(name: str) -> None:
    space = SEARCH_SPACES[name]
    network = space.decode(space.from_words(["1" * space.length])[0])
    result = call("query", network, "--space", name, "--all-devices", "--json")
    rows = json.loads(result.stdout)
    devices = [one.name for one in DEVICES.listed() if name in one.spaces]
    assert [row["device"] for row in rows] == devices
    for row in rows:
        problem = make_problem(name, device=row["device"], dataset=row["dataset"])
        answer = problem.evaluate(network)
        assert row["values"]["accuracy"]["value"] == answer.accuracy_percent[0]
        found = {key: value["value"] for key, value in row["values"].items()}
        for metric, cost in zip(problem.metrics, answer.costs[0], strict=True):
            assert found[metric] == (None if cost == float("inf") else cost)
        kinds = {key: value["kind"] for key, value in row["values"].items()}
        assert kinds["parameters_m"] == "exact"
    text = call("query", network, "--space", name, "--all-devices").stdout
    assert network in text
    assert all(device in text for device in devices)
    env = f"HWNAS-{space.label}-MultiDevice-v0"
    by_env = call("query", network, "--env", env, "--all-devices", "--json")
    assert by_env.stdout == result.stdout


def test_devices_without_values_are_named_and_the_others_shown() -> None:
    words = ("query", "1" * 22, "--space", "fbnet", "--all-devices")
    rows = json.loads(call(*words, "--dataset", "cifar100", "--json").stdout)
    assert {row["dataset"] for row in rows if "error" not in row} == {"cifar100"}
    every = json.loads(call(*words, "--dataset", "ImageNet", "--json").stdout)
    without = [row for row in every if "error" in row]
    assert without
    assert all("ImageNet" in row["error"] for row in without)
    text = call(*words, "--dataset", "ImageNet").stdout
    names = ", ".join(row["device"] for row in without)
    assert f"{names}: no costs on ImageNet, but on cifar100" in text
    for more, kind in (
        (("--dataset", "imagenet1"), UnknownNameError),
        (("--source", "measured"), Exception),
    ):
        assert isinstance(call(*words, *more).exception, kind)


@pytest.mark.parametrize(
    "words",
    [
        ("query", "0"),
        ("query", "0", "--space", "nasbench201"),
        ("query", "0", "--all-devices"),
        ("query", "0", "--env", CELL, "--space", "nasbench201", "--all-devices"),
        ("query", "0", "--env", CELL, "--all-devices", "--metric", "latency_ms"),
        ("query", "0", "--env", CELL, "--all-devices", "--costs", "x.npz"),
    ],
)
def test_questions_that_are_none_say_what_to_give(words: tuple[str, ...]) -> None:
    result = call(*words)
    assert result.exit_code == 2
    assert "--all-devices" in result.output


def test_a_network_is_named_as_records_have_it() -> None:
    expected = call("query", "012340", "--env", CELL).stdout
    assert call("query", "g012340", "--env", CELL).stdout == expected
    for text in ("g01234", "gg012340", "h012340"):
        assert isinstance(call("query", text, "--env", CELL).exception, ValueError)
    blocks = ["k3_e1"] * 21 + ["skip"]
    shown = {
        call("query", mark.join(blocks), "--env", NET).stdout
        for mark in ("|", ",", " ")
    }
    assert len(shown) == 1
    short = call("query", ",".join(blocks[1:]), "--env", NET).exception
    assert isinstance(short, InvalidGenotypeError)


def test_options_of_the_command_line_name_no_folder(tmp_path: Path) -> None:
    result = call(
        "bench", "export", str(tmp_path / "none"), "-o", str(tmp_path / "out")
    )
    assert "expected a record or a folder" in str(result.exception)
    assert not (tmp_path / "out").exists()


def test_an_agent_or_an_environment_that_is_named_twice_is_run_once() -> None:
    words = ["run", "--env", CELL, "--env", CELL, "--agent", "random"]
    words += ["--agent", "random", "--queries", "3", "--seeds", "2", "--json"]
    for more in ((), ("--objective", "accuracy", "--objective", "latency_ms")):
        (study,) = json.loads(call(*words, *more).stdout)
        (row,) = study["agents"]
        assert (row["agent"], row["runs"]) == ("random", 2)


@pytest.mark.parametrize("option", ["--cost-budget", "--metric"])
def test_a_front_has_no_budget(option: str) -> None:
    front = ("--objective", "accuracy", "--objective", "latency_ms")
    value = "latency_ms" if option == "--metric" else "medium"
    result = call("run", "--env", CELL, *front, option, value, "--queries", "3")
    assert result.exit_code == 2
    assert f"{option} is of searches for the best network" in result.output


def test_the_old_name_of_queries_says_what_a_budget_is_called() -> None:
    result = call("run", "--env", CELL, "--agent", "random", "--budget", "medium")
    assert isinstance(result.exception, InvalidArgumentError)
    assert "--cost-budget" in str(result.exception)


def test_a_word_that_lacks_a_letter_says_so() -> None:
    result = call("query", "g01340", "--env", CELL)
    assert "expected 6 letters behind 'g', got 5" in str(result.exception)
