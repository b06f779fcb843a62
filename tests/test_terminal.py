"""What the terminal shows at any width: whole numbers, whole names, whole words."""

import csv
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import synthetic
from rich.cells import cell_len
from rich.console import Group
from rich.table import Table
from rich.text import Text
from test_reproduce import made_up
from typer.main import get_command
from typer.testing import CliRunner

import hwnas_env
from hwnas_env import make_problem
from hwnas_env.cli import app
from hwnas_env.devices import DEVICES
from hwnas_env.reports.terminal import printing
from hwnas_env.reports.terminal.stacking import fits

CELL, NET = "HWNAS-NASBench201-EdgeGPU-v0", "HWNAS-FBNet-EdgeTPU-v0"
FRONT = "--objective accuracy --objective latency_ms --objective energy_mj"
SUITE = "bench run smoke --agents random,evolution:population=5 --seeds 2 --queries 20"
BLOCKS = "k3_e1,k5_e6," + ",".join(["k5_e1_g2"] * 20)

LAID_OUT = {
    "run": f"run --env {CELL} --env {NET} --agent random --agent evolution:sample=3 "
    "--queries 30 --seeds 2",
    "run, fronts": f"run --env {CELL} {FRONT} --agent random --queries 20 --seeds 2",
    "run, failing": f"run --env {CELL} --agent misbehaving:Markup --queries 9",
    "envs": "envs",
    "agents": "agents",
    "query": f"query 5 --env {CELL}",
    "query, by names": f"query {BLOCKS} --env {NET}",
    "query, all devices": "query 5 --space nasbench201 --all-devices",
    "optimum": f"optimum --env {NET} --cost-budget 4.0",
    "analyze": "analyze nasbench201 --device edgegpu --device raspi4 --device fpga",
    "reproduce": "reproduce nasbench201-table5 --runs 2",
    "reproduce, few-shot": "reproduce few-shot --draws 1",
    "data fidelity": "data fidelity",
    "data audit": "data audit --device edgegpu",
    "bench run": f"{SUITE} --out RECORDS",
    "bench run, dry": f"{SUITE} --out RECORDS --dry-run",
    "bench suites": "bench suites",
    "device list": "device list --all",
    "device show": "device show Raspi4",
    "device add": "device add Phone ROWS --space nasbench201 --hardware Pocket",
    "device verify": "device verify Raspi4 --space nasbench201 --rows CHECKS",
}
"""Calls whose tables are filled."""

TOLD = {
    "reproduce, few-shot": ("0.932", "What differs from the published protocol"),
    "reproduce": ("93.92 ± 0.30", "What differs"),
}
"""Words that are among what is told."""

SAID = {
    *("export", "data import", "data fetch", "data status", "data check"),
    *("bench validate", "bench export", "bench report"),
    *("device design", "device measure", "device remove"),
}
"""Commands that say lines alone, or lay out what another does: "device add"."""

FRAMES = re.compile(r"[\u2500-\u257f]")


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """Files that calls name, and a folder of devices."""
    devices = tmp_path / "devices"
    devices.mkdir()
    monkeypatch.setenv("HWNAS_ENV_DEVICES", str(devices))
    rows, checks = tmp_path / "rows.csv", tmp_path / "checks.csv"
    problem = make_problem("nasbench201", device="raspi4")
    fit = problem.space.design.fit[:12]
    for path, networks in ((rows, fit), (checks, fit[:2])):
        costs = problem.known_costs(networks).tolist()
        with path.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["architecture", "latency_ms"])
            names = map(problem.decode, networks)
            writer.writerows(zip(names, costs, strict=True))
    before = set(DEVICES)
    yield {
        "RECORDS": str(tmp_path / "records"),
        "ROWS": str(rows),
        "CHECKS": str(checks),
    }
    for name in set(DEVICES) - before:
        hwnas_env.unregister_device(name)


def leaves(command: Any, name: str = "") -> Iterator[str]:
    """Yields the names of all commands."""
    inside = getattr(command, "commands", None)
    if inside is None:
        yield name
    else:
        for word, inner in inside.items():
            yield from leaves(inner, f"{name} {word}".strip())


def test_every_command_is_looked_at() -> None:
    laid_out = {name.partition(",")[0] for name in LAID_OUT}
    assert {*leaves(get_command(app))} == laid_out | SAID
    assert not laid_out & SAID


def words(text: str) -> Counter[str]:
    return Counter(FRAMES.sub(" ", text).split())


@pytest.mark.filterwarnings("ignore:imported from")
@pytest.mark.parametrize("name", LAID_OUT)
def test_no_number_and_no_name_is_cut(
    name: str,
    places: dict[str, str],
    cache: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    del cache
    if name == "data audit":
        path = synthetic.write(tmp_path / "official.pickle", synthetic.official())
        assert CliRunner().invoke(app, ["data", "import", str(path)]).exit_code == 0
    if name == "reproduce":
        made_up(tmp_path)
    parts: list[Any] = []
    lay_out = printing.lay_out

    def kept(part: Any) -> None:
        parts.append(part)
        with monkeypatch.context() as real:
            real.setattr(printing, "lay_out", lay_out)
            lay_out(part)

    monkeypatch.setattr(printing, "lay_out", kept)
    monkeypatch.setenv("COLUMNS", "80")
    call = [places.get(word, word) for word in LAID_OUT[name].split()]
    done = CliRunner().invoke(app, call)
    assert done.exit_code in (0, 1), done.output
    assert all(word in done.stdout for word in TOLD.get(name, ()))
    assert parts
    monkeypatch.setattr(printing, "lay_out", lay_out)
    shown = {}
    for width in ("5000", "80", "60"):
        monkeypatch.setenv("COLUMNS", width)
        capsys.readouterr()
        for part in parts:
            lay_out(part)
        shown[width] = capsys.readouterr().out
    assert shown["80"] in done.stdout  # which is no terminal: COLUMNS counts
    whole = words(shown["5000"])
    assert re.search(r"\d", shown["5000"])
    for width in (80, 60):
        assert words(shown[str(width)]) == whole
        for line in shown[str(width)].splitlines():
            long = cell_len(line) > width
            assert not long or len(line.split()) == 1, line


def test_what_is_said_is_never_broken(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    line = "records/x.jsonl.gz: differs (accuracy: measured, latency_ms: fitted)"
    printing.say(line)
    assert capsys.readouterr().out == f"{line}\n"


ODD: dict[str, Callable[[], Any]] = {
    "empty": lambda: Table(),
    "no rows": lambda: of(["a title", "another"], []),
    "one wide": lambda: of(["name"], [["x" * 200], ["y"]]),
    "sentences": lambda: of(["n", "said"], [["1", "a word and more " * 20]] * 2),
    "wide letters": lambda: of(["名前", "n"], [["名" * 30, "1.5"], ["名", "22.75"]]),
    "frames": lambda: of(["a", "b"], [["─" * 50, "[/b] [red]\x1b[31m"]] * 2),
    "sections": lambda: of(["a" * 50, "b" * 50], [["1", "2"], ["3", "4"]], section=0),
    "title": lambda: of(["a" * 50, "b" * 50], [["1", "2"]], title="what it shows"),
    "text": lambda: Text("  - a sentence of many words, " * 9),
    "styled": lambda: printing.heading("bold " * 30, "and more of it " * 20),
    "group": lambda: Group("", "one", Group(of(["a"], [["1"]]), "")),
}


def of(
    titles: list[str],
    rows: list[list[str]],
    *,
    section: int | None = None,
    title: str | None = None,
) -> Table:
    table = Table(title=title)
    for number, head in enumerate(titles):
        table.add_column(head, justify="right" if number else "left")
    for number, row in enumerate(rows):
        table.add_row(*row, end_section=number == section)
    return table


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("width", [1, 7, 20, 60, 80])
def test_odd_parts_are_whole_at_any_width(
    name: str,
    width: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    shown = []
    for columns in (5000, width):
        monkeypatch.setenv("COLUMNS", str(columns))
        printing.lay_out(ODD[name]())
        shown.append(capsys.readouterr().out)
    wide, narrow = shown
    assert words(narrow) == words(wide)
    assert "\x1b" not in narrow
    if width >= 60 and name not in ("one wide", "wide letters"):
        assert all(cell_len(line) <= width for line in narrow.splitlines())


def test_numbers_stand_below_one_another_in_stacked_rows(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    table = of(["network", "ms", "mJ"], [["x" * 8, "1.5", "7"], ["y", "122.75", ""]])
    assert not fits(table, 20)
    monkeypatch.setenv("COLUMNS", "20")
    printing.lay_out(table)
    assert capsys.readouterr().out.splitlines() == [
        "network       ms  mJ",
        "─" * 20,
        "xxxxxxxx     1.5   7",
        "y         122.75",
    ]
    monkeypatch.setenv("COLUMNS", "16")
    printing.lay_out(table)
    assert capsys.readouterr().out.splitlines() == [
        "network       ms",
        "  mJ",
        "─" * 16,
        "xxxxxxxx     1.5",
        "   7",
        "y         122.75",
    ]


@pytest.mark.parametrize("said", ["", "0", "-5", "wide", "9" * 400])
def test_columns_that_are_none_are_no_error(
    said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", said)
    printing.lay_out(Group("a word " * 40, of(["a"], [["1"]])))
    assert capsys.readouterr().out.splitlines()[0].rstrip() == ("a word " * 40).rstrip()


def test_piped_output_honours_columns() -> None:
    call = [sys.executable, "-m", "hwnas_env", "envs"]
    widths = {}
    for columns in ("60", "140"):
        code = f"import os; os.environ['COLUMNS'] = '{columns}'\n"
        code += "from hwnas_env.cli import main\nmain()\n"
        done = subprocess.run(
            [call[0], "-c", code, "envs"], capture_output=True, text=True, check=True
        )
        widths[columns] = max(map(cell_len, done.stdout.splitlines()))
    assert widths["60"] <= 60 < widths["140"] <= 140
