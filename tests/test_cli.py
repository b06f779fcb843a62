"""The command line, run as a user does."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import synthetic
from contracts import ENVIRONMENTS, SIX
from typer.testing import CliRunner, Result

from hwnas_env.benchmark.runs import Task
from hwnas_env.cli import app, main
from hwnas_env.envs.registration import (
    MULTI_DEVICE_ENVIRONMENTS,
    RANDOM_DEVICE_ENVIRONMENTS,
)
from hwnas_env.errors import HWNASError
from hwnas_env.problems.fidelity import ERRORS
from hwnas_env.spaces import SEARCH_SPACES

FRONT = ("--objective", "accuracy", "--objective", "latency_ms")
CELL, NET = "HWNAS-NASBench201-EdgeGPU-v0", "HWNAS-FBNet-EdgeTPU-v0"
SEVERAL = "HWNAS-FBNet-MultiDevice-v0"


def call(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def answer(*arguments: str) -> str:
    result = call(*arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def failure(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: str
) -> str:
    monkeypatch.setattr("sys.argv", ["hwnas-env", *arguments])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Traceback" not in captured.err
    return captured.err


def test_run_compares_agents_with_the_exact_optimum() -> None:
    text = answer(
        *("run", "--env", NET, "--env", CELL, "--agent", "random"),
        *("--agent", "evolution", "--queries", "40", "--seeds", "2", "--json"),
    )
    studies = json.loads(text)
    assert [study["env"] for study in studies] == [NET, CELL]
    for study in studies:
        assert {row["agent"] for row in study["agents"]} == {"random", "evolution"}
        assert len(study["runs"]) == 4
        best = study["optimum"]["accuracy_percent"]
        assert study["optimum"]["cost"] <= study["budget"]
        for run in study["runs"]:
            assert run["queries"] == 40
            assert run["cost"] <= study["budget"]
            assert run["regret_percent"] == pytest.approx(
                best - run["accuracy_percent"]
            )
            assert run["regret_percent"] >= 0
            assert len(run["curve"]) == 40
            assert run["curve"] == sorted(run["curve"])
            assert run["curve"][-1] == run["accuracy_percent"]
    kinds = {s["env"]: s["problem"]["columns"]["latency_ms"]["kind"] for s in studies}
    assert kinds == {NET: "modelled", CELL: "fitted"}


def test_run_gives_the_same_for_any_number_of_processes() -> None:
    arguments = ("run", "--env", CELL, "--queries", "30", "--seeds", "2", "--json")
    assert answer(*arguments) == answer(*arguments, "--jobs", "2")


def test_run_prints_a_table() -> None:
    text = answer(
        "run", "--env", NET, "--agent", "random", "--queries", "5", "--seeds", "1"
    )
    assert "exact optimum" in text
    assert "modelled" in text
    assert "surrogate" in text


@pytest.mark.parametrize("number", ["9" * 5000, "\u0663", "99999"])
def test_numbers_that_are_no_index_are_one_line(number: str) -> None:
    result = call("query", number, "--env", CELL)
    assert isinstance(result.exception, HWNASError)
    assert len(str(result.exception)) < 500


def test_a_genotype_out_of_a_record_is_queried() -> None:
    found = json.loads(call("query", "013210", "--env", CELL, "--json").output)
    space = SEARCH_SPACES["nasbench201"]
    assert found["architecture"] == space.decode([0, 1, 3, 2, 1, 0])


def test_envs_lists_every_id() -> None:
    every = [*ENVIRONMENTS, *MULTI_DEVICE_ENVIRONMENTS, *RANDOM_DEVICE_ENVIRONMENTS]
    rows = json.loads(answer("envs", "--json"))
    assert [row["id"] for row in rows] == every
    for row, devices in ((rows[-4], [*SIX]), (rows[-1], "random")):
        assert row["devices"] == devices
        assert row["metrics"] == ["latency_ms", "parameters_m", "flops_m"]
        assert row["medium"] is None
    assert rows[-1]["cost"] == "modelled"
    text = answer("envs")
    assert all(env_id in text for env_id in every)


@pytest.mark.parametrize("columns", ["20", "80"])
def test_names_can_be_copied_from_any_terminal(
    columns: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setenv("FORCE_COLOR", "1")  # as on a terminal, whose width counts
    words = re.sub(r"\x1b\[[0-9;]*m", "", answer("envs")).split()
    several = {*MULTI_DEVICE_ENVIRONMENTS, *RANDOM_DEVICE_ENVIRONMENTS}
    assert {*ENVIRONMENTS} | several <= {*words}
    name = "|".join(["k5_e1_g2"] * 22)
    for call in (
        ("query", name, "--env", NET),
        ("run", "--env", NET, "--agent", "random", "--queries", "5", "--seeds", "1"),
    ):
        words = re.sub(r"\x1b\[[0-9;]*m", "", answer(*call)).split()
        assert sum(word.count("|") == 21 for word in words) == 1
        assert "latency_ms" in " ".join(words)


def test_the_old_name_of_queries_works_and_is_not_shown() -> None:
    call = ("run", "--env", CELL, "--agent", "random", "--seeds", "1", "--json")
    assert answer(*call, "--budget", "7") == answer(*call, "--queries", "7")
    for command in (("run",), ("bench", "run")):
        text = answer(*command, "--help")
        assert "--queries" in text
        assert "--budget" not in text


def test_the_optimum_has_the_default_that_the_problem_has() -> None:
    found = json.loads(answer("optimum", "--env", NET, "--json"))
    best = Task(NET).problem().optimum()
    assert found["values"]["accuracy"]["value"] == best.accuracy_percent
    assert found["budget"] is None
    assert "latency_ms: no bound" in answer("optimum", "--env", NET)
    medium = answer("optimum", "--env", NET, "--cost-budget", "medium")
    assert "latency_ms: at most 4.588 ms" in medium


def test_numbers_are_numbers_in_json() -> None:
    rows = json.loads(answer("data", "fidelity", "--json"))
    errors = {type(row[key]) for row in rows for key in ERRORS}
    assert errors == {int, float, type(None)}
    assert {row["kind"] for row in rows} >= {"fitted", "measured"}
    assert not {row["column"] for row in rows} & {"parameters_m", "flops_m"}


OWN = """
from hwnas_env.agents import RandomSearch
class Own(RandomSearch):
    name = "own"
"""


def test_modules_of_the_working_folder_are_found(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "own_search.py").write_text(OWN)
    script = tmp_path / "hwnas-env"  # as pip writes it: elsewhere than one stands
    script.write_text("from hwnas_env.cli import main\nmain()\n")
    call = [sys.executable, str(script), "run", "--env", CELL, "--json"]
    call += ["--agent", "own_search:Own", "--queries", "3", "--seeds", "1"]
    for jobs in (["--jobs", "1"], ["--jobs", "2", "--timeout", "300"]):
        done = subprocess.run(
            [*call, *jobs, "--out", f"records{jobs[1]}"],
            cwd=tmp_path / "here",
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        (row,) = json.loads(done.stdout)[0]["agents"]
        assert (row["agent"], row["failed"]) == ("own_search:Own", 0)


def test_python_runs_the_package_as_the_command_line() -> None:
    call = [sys.executable, "-m", "hwnas_env", "query", "0", "--env", "x"]
    done = subprocess.run(call, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith("hwnas-env: unknown environment 'x'")
    own = "your own: by HWNAS_ENV_SPACES and HWNAS_ENV_DEVICES, also in commands"
    assert own in done.stderr


@pytest.mark.parametrize("call", ["query 000000", "run --agent random --seeds 1"])
@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("raise KeyError('no such')", "own_costs:cost raised KeyError: 'no such'"),
        ("raise RuntimeError('two\\nlines')", "raised RuntimeError: two lines"),
        ("raise SystemExit(3)", "own_costs:cost raised SystemExit: 3"),
    ],
)
def test_a_function_that_raises_is_one_line_that_names_it(
    call: str, body: str, words: str, tmp_path: Path
) -> None:
    (tmp_path / "own_costs.py").write_text(f"def cost(genotypes):\n    {body}\n")
    command = [sys.executable, "-m", "hwnas_env", *call.split(), "--env", CELL]
    done = subprocess.run(
        [*command, "--costs", "own_costs:cost"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("hwnas-env: own_costs:cost raised")
    assert words in done.stderr
    assert done.stderr.count("\n") == 1


def test_query_takes_a_genotype_in_every_form() -> None:
    expected = answer("query", "012340", "--env", CELL)
    for text in ("0,1,2,3,4,0", "[0, 1, 2, 3, 4, 0]", "(0 1 2 3 4 0)", "0 1 2 3 4 0"):
        assert answer("query", text, "--env", CELL) == expected
    for text, words in (
        ("0,1,2", "expected genotypes of shape"),
        ("0,1,2,3,4,9", "expected 0 to 4, got 9"),
        ("0,1,2,x,4,0", "expected a string of the form"),
    ):
        done = CliRunner().invoke(app, ["query", text, "--env", CELL])
        assert words in str(done.exception)


def test_query_takes_a_string_or_an_index() -> None:
    by_index = answer("query", "0", "--env", CELL, "--json")
    name = json.loads(by_index)["architecture"]
    assert answer("query", name, "--env", CELL, "--json") == by_index
    values = json.loads(by_index)["values"]
    assert values["parameters_m"]["value"] == 0.129306
    assert values["accuracy"]["kind"] == "measured"
    net = answer("query", " ".join(["k3_e1"] * 22), "--env", NET)
    assert "latency_ms" in net


def test_optimum_is_within_the_budget() -> None:
    found = json.loads(
        answer("optimum", "--env", NET, "--cost-budget", "4.0", "--json")
    )
    assert found["values"]["latency_ms"]["value"] <= 4.0
    assert "not deployable" in answer(
        *("query", "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"),
        *("--env", "HWNAS-NASBench201-EdgeTPU-v0"),
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("run", "--env", "HWNAS-FBNet-EdgeTp-v0"),
            "did you mean 'HWNAS-FBNet-EdgeTPU-v0'",
        ),
        (("run", "--env", NET, "--agent", "evolve"), "did you mean 'evolution'"),
        (("run", "--env", NET, "--queries", "0"), "queries: expected at least 1"),
        (("run", "--env", NET, "--queries", "3", "--budget", "4"), "give one"),
        (
            ("run", "--env", NET, "--env", SEVERAL, "--queries", "1"),
            "a search has one: HWN",
        ),
        (
            ("query", "0", "--env", SEVERAL),
            "a search has one: HWNAS-FBNet-EdgeGPU-v0, ",
        ),
        (("optimum", "--env", SEVERAL), "HWNAS-FBNet-FPGA-v0"),
        (("query", "0", "--env", NET), "22 block names joined by |"),
        (
            ("run", "--env", NET, "--objective", "accuracy", "--objective", "latency"),
            "did you mean 'latency_ms'",
        ),
        (("analyze", "fbnet", "--figure", "x.xyz"), "ending of the figure x.xyz"),
        (("analyze", "fbnet", "--figure", "no/x.png"), "there is no folder no"),
        (("analyze", "fbnet", "--preset", "hard"), "tight, medium, loose"),
        (("bench", "run", "smoke", "--agents", "my:Own"), "No module named 'my'"),
        (("run", "--env", NET, "--cost-budget", "hard"), "tight, medium, loose"),
        (("run", "--env", NET, "--cost-budget", "0.001"), "cheapest deployable"),
        (("query", "k3", "--env", NET), "expected 22 operation names"),
        (("query", "99999", "--env", CELL), "from 0 to 15624"),
        (("optimum", "--env", NET, "--dataset", "cifar10"), "cifar100"),
        (("optimum", "--env", CELL, "--source", "measured"), "hwnas-env data import"),
    ],
)
def test_errors_are_one_clear_line(
    arguments: tuple[str, ...],
    message: str,
    cache: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = failure(capsys, monkeypatch, *arguments)
    assert message in text
    assert text.count("\n") == 1
    assert not cache.exists() or not list(cache.glob("hw-nas*"))


@pytest.mark.filterwarnings("ignore:imported from")
def test_data_is_imported_checked_and_shown(
    cache: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert "not imported" in answer("data", "status")
    path = synthetic.write(tmp_path / "official.pickle", synthetic.official())
    assert "every column is complete" in answer("data", "import", str(path))
    checked = answer("data", "check")
    assert "all as recorded" in checked
    assert "official.pickle, which is not upstream's file" in checked
    status = json.loads(answer("data", "status", "--json"))
    assert status["imported"]["hw-nas-bench"]["source"] == "official.pickle"
    measured = json.loads(
        answer("optimum", "--env", CELL, "--source", "measured", "--json")
    )
    assert measured["values"]["latency_ms"]["kind"] == "measured"
    folder = next(p for p in cache.iterdir() if p.is_dir() and "hw-nas" in p.name)
    (folder / "000.npy").write_bytes(b"damaged")
    damaged = call("data", "check")
    assert damaged.exit_code == 1
    assert "SHA-256" in damaged.stdout
    text = failure(
        capsys, monkeypatch, "data", "import", str(tmp_path / "absent.pickle")
    )
    assert "absent.pickle" in text


def test_accuracies_are_imported_by_split_and_epochs(
    cache: Path, tmp_path: Path
) -> None:
    path = tmp_path / "test.npz"
    np.savez(path, cifar10=np.linspace(10.0, 90.0, 15625))
    missing = call("data", "import", str(path))
    assert missing.exit_code == 2
    assert "--split and --epochs" in missing.output
    text = answer("data", "import", str(path), "--split", "test", "--epochs", "200")
    assert "test accuracy after 200 epochs: cifar10" in text
    assert cache.is_dir()


FAILING = ("--agent", "misbehaving:Markup", "--budget", "12", "--seeds", "2")
SUITE = ("bench", "run", "smoke", "--agents", "misbehaving:Markup", "--seeds", "1")


def test_errors_of_agents_are_printed_as_they_are() -> None:
    """Square brackets, colons and escapes of others mean nothing to the tables."""
    for words in (("--env", CELL), ("--env", CELL, *FRONT)):
        result = call("run", *words, *FAILING)
        assert "2 of 2 runs failed: ValueError: closing [/b] tag" in result.stdout
        assert "boom:Boom: list[int]" in result.stdout.replace("\n", " ")
        assert "\x1b" not in result.stdout
        assert len(result.stdout) < 10_000
        assert "letters ...]" in result.stdout


def test_a_study_of_which_an_agent_always_fails_ends_with_status_one(
    tmp_path: Path,
) -> None:
    for words in (("--env", CELL), ("--env", CELL, *FRONT)):
        result = call("run", *words, "--agent", "random", *FAILING)
        assert result.exit_code == 1
        assert json.loads(call("run", *words, *FAILING, "--json").stdout)
        assert call("run", *words, *FAILING, "--json").exit_code == 1
    assert "all failed" in call("run", "--env", CELL, *FAILING).stdout
    found = call(*SUITE, "--out", str(tmp_path))
    assert found.exit_code == 1
    assert "misbehaving:Markup: 3 of 3 runs failed: ValueError" in found.stdout
    some = ("--agent", "misbehaving:Sometimes", "--budget", "20", "--seeds", "2")
    partly = call("run", "--env", CELL, *some)
    assert partly.exit_code == 0
    assert "1 of 2 runs failed" in partly.stdout


@pytest.mark.parametrize(
    "variables",
    [
        {"PYTHONIOENCODING": "cp1252"},
        {"PYTHONIOENCODING": "iso8859-2"},
        {"PYTHONIOENCODING": "ascii"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    ],
    ids=str,
)
def test_streams_that_lack_letters_get_the_results(
    variables: dict[str, str], tmp_path: Path
) -> None:
    study = ["run", "--env", CELL, "--agent", "random", "--seeds", "1"]
    studies = [study, [*study, "--json"], [*SUITE, "--out", str(tmp_path), "--json"]]
    code = (
        "import sys, gymnasium as gym\n"
        "from hwnas_env.cli import main\n"
        f"env = gym.make('hwnas_env:{CELL}', render_mode='human')\n"
        "env.reset(seed=0)\n"
        f"for words in {studies}:\n"
        "    print('=====', flush=True)\n"
        "    sys.argv[1:] = words\n"
        "    try: main()\n"
        "    except SystemExit as ended: print(ended.code, file=sys.stderr)\n"
    )
    tests = [str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]
    unset = {"LC_ALL", "PYTHONIOENCODING", "PYTHONUTF8"}
    kept = {key: value for key, value in os.environ.items() if key not in unset}
    environment = {**kept, "PYTHONPATH": os.pathsep.join(tests), **variables}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, env=environment, check=True
    )
    codes = [line for line in done.stderr.splitlines() if line.isdigit()]
    assert codes == [b"0", b"0", b"1"]  # of the suite all runs fail
    drawing, table, runs, suite = done.stdout.split(b"=====")
    assert b"budget" in drawing
    assert b"exact optimum" in table
    assert json.loads(runs.decode("ascii"))
    assert json.loads(suite.decode("ascii"))


def test_a_program_without_standard_streams_keeps_its_results(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "sys.stdout = sys.stderr = None\n"
        "from hwnas_env.cli import main\n"
        "import gymnasium as gym\n"
        f"env = gym.make('hwnas_env:{CELL}', render_mode='human')\n"
        "env.reset(seed=0)\n"
        "main()\n"
    )
    words = ("run", "--env", CELL, "--agent", "random", "--budget", "5", "--seeds", "1")
    done = subprocess.run(
        [sys.executable, "-c", code, *words, "--out", str(tmp_path)], check=False
    )
    assert done.returncode == 0
    assert len(list(tmp_path.iterdir())) == 1
