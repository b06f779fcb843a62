"""The report's page in a browser, and what its script is told."""

import base64
import hashlib
import html
import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hwnas_env.benchmark.jobs import Job
from hwnas_env.benchmark.loading import Loaded, header_of
from hwnas_env.benchmark.runs import Limits, Task, run_once
from hwnas_env.benchmark.suites import SUITES
from hwnas_env.reports import write_report
from hwnas_env.reports.page.networks import ARCHITECTURE, commands, commands_for
from hwnas_env.reports.page.page import as_json
from hwnas_env.reports.page.reproduction import reproducing
from hwnas_env.reports.page.study import TaskRuns, study_of

LIMITS = Limits(25)
CELL = Task("HWNAS-NASBench201-FPGA-v0")
NET = Task("HWNAS-FBNet-EdgeTPU-v0")
FRONT = Task(CELL.env, budget=None, objectives=("accuracy", "latency_ms"))
NASTY = "=1+1</script><b>\u2028'\"&,`$(x) agent"


@pytest.fixture(scope="module")
def loaded() -> Loaded:
    """Records of three tasks with wall times; an agent's name tries to be markup."""
    jobs = [
        Job(task, agent, seed, LIMITS)
        for task in (CELL, NET, FRONT)
        for agent in ("random", "evolution")
        for seed in range(2)
    ]
    rows = [(j, run_once(j.task, j.agent, seed=j.seed, limits=LIMITS)) for j in jobs]
    for job, run in rows[:2]:
        other: Any = replace(run, agent=NASTY, error="Boom: </script>")
        rows.append((replace(job, agent=NASTY), other))
    headers = [header_of(job, job.task.problem()) for job, _ in rows]
    seconds = {job: 0.5 + place for place, (job, _) in enumerate(rows[:-1])}
    return Loaded(rows, headers, [], seconds)


@pytest.fixture(scope="module")
def page(loaded: Loaded, tmp_path_factory: pytest.TempPathFactory) -> Path:
    written = tmp_path_factory.mktemp("page") / "report.html"
    write_report(loaded, written)
    return written


@pytest.fixture(scope="module")
def data(page: Path) -> dict[str, Any]:
    """What the page's script is told."""
    text = page.read_text(encoding="utf-8")
    begin = '<script type="application/json" id="data">'
    found = text.split(begin)[1].split("</script>")[0]
    values: dict[str, Any] = json.loads(found)
    return values


def task_of(loaded: Loaded, task: Task) -> TaskRuns:
    return next(row for row in study_of(loaded).tasks if row.task == task)


# What the script is told


def test_no_text_ends_the_script_or_a_line_of_it() -> None:
    words = ["</script>", "<!--", "&amp;", "\u2028\u2029", "\x00", "\ud800", "é"]
    written = as_json({word: words for word in words})
    assert json.loads(written) == {word: words for word in words}
    assert not re.search(r"[<>&\u2028\u2029\x00]", written)
    assert written.isascii()
    with pytest.raises(ValueError, match="JSON compliant"):
        as_json(float("nan"))


def test_names_of_agents_come_only_as_words(
    page: Path, data: Mapping[str, Any]
) -> None:
    text = page.read_text(encoding="utf-8")
    assert text.count("</script>") == 2
    assert "<b>" not in text
    assert "\u2028" not in text
    names = [look["name"] for look in data["agents"]]
    assert [name for name in names if name.startswith("=1+1</script>")]
    assert {"random", "evolution"} < set(names)


def test_the_policy_lets_only_the_pages_own_script_run(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    (script,) = re.findall(r"(?s)<script>(.*?)</script>", text)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', text)
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules.pop("style-src") == "'unsafe-inline'"
    assert rules.pop("script-src") == f"'sha256-{digest}'"
    assert set(rules.values()) == {"'none'"}
    assert "default-src" in rules
    assert "innerHTML" not in script


def test_every_chart_has_its_picture_for_who_runs_no_script(
    page: Path, data: Mapping[str, Any]
) -> None:
    text = page.read_text(encoding="utf-8")
    assert len(data["charts"]) > 10
    for name, chart in data["charts"].items():
        found = re.search(rf'(?s)<figure id="{name}">.*?</figure>', text)
        assert found is not None, name
        assert "<svg" in found.group(), name
        assert chart["series"], name


def test_points_name_networks_that_have_their_accuracy(
    loaded: Loaded, data: Mapping[str, Any]
) -> None:
    for name, first in (("front1", NET), ("front2", CELL), ("archive3", CELL)):
        chart = data["charts"][name]
        problem = task_of(loaded, first).problem
        points = [point for one in chart["series"] for point in one["points"]]
        assert points
        for cost, accuracy, number, *_ in [*points, *chart["line"]["points"]]:
            _, word, *written = data["networks"][number]
            genotypes = problem.space.from_words([word])
            found = problem.evaluate(genotypes)
            cost_here = found.costs[0, problem.metrics.index("latency_ms")]
            assert accuracy == pytest.approx(found.accuracy_percent[0], rel=1e-5)
            assert cost == pytest.approx(cost_here, rel=1e-5)
            choices = map(problem.space.choice_name, range(99), genotypes[0].tolist())
            assert [*written, "|".join(choices)][0] == problem.decode(genotypes[0])


def test_commands_build_the_network_that_they_name(loaded: Loaded) -> None:
    task = task_of(loaded, CELL)
    name = task.best.incumbent  # type: ignore[union-attr]
    found = commands_for(task, name)
    assert f"'{name}' --env {CELL.env} --dataset cifar10" in found["shell"]
    *made, built = found["python"].splitlines()
    here: dict[str, Any] = {}
    exec("\n".join(made), here)
    call = built.removeprefix("network = problem.network(").removesuffix(")")
    genotype = eval(call, here)
    assert here["problem"].decode(genotype) == name
    assert all(ARCHITECTURE in words for words in commands(task).values())


def test_wall_times_stand_beside_scores(page: Path, data: Mapping[str, Any]) -> None:
    board = (page.with_name("report_files") / "group2-leaderboard.csv").read_text()
    head, *rows = [line.split(",") for line in board.splitlines()]
    assert head[1] == "score IQM"
    places = {row[0]: row for row in rows}
    wall = next(place for place, word in enumerate(head) if word == "wall s")
    assert wall < head.index("mean")
    assert float(places["random"][-len(head) + wall]) == pytest.approx(1.0)
    (run,) = (r for r in data["runs"] if data["tasks"][r[0]]["front"] and r[7] == 8.5)
    assert run[2] == 0


def test_commands_run_the_study_again(loaded: Loaded) -> None:
    study = study_of(loaded)
    words = [command.words for command in reproducing(study)]
    assert words[-1] == "hwnas-env bench report records -o report.html"
    assert any(line.startswith("hwnas-env run --env") for line in words)
    rows = [
        (Job(task, agent, seed, LIMITS), run_once(task, agent, seed=seed, queries=25))
        for task in SUITES["smoke"].tasks
        for agent in ("random", "evolution")
        for seed in range(2)
    ]
    whole = Loaded(rows, [header_of(j, j.task.problem()) for j, _ in rows], [])
    first, _ = reproducing(study_of(whole))
    assert first.remark == ""
    assert first.words == (
        "hwnas-env bench run smoke --agents evolution,random --seeds 2 --queries 25 "
        "--out records"
    )


# In a browser

TOOLS = """
const wait = (ms) => new Promise((done) => setTimeout(done, ms));
const drawn = async (id) => {
  const figure = document.getElementById(id);
  figure.scrollIntoView();
  for (let n = 0; n < 50 && !figure.querySelector(".live"); n += 1) {
    await wait(100);
  }
  return figure;
};
const leave = (name, value) => {
  document.body.dataset[name] = JSON.stringify(value);
};
"""


def browsed(page: Path, folder: Path, *, at: str = "", act: str = "") -> str:
    """Returns the page's elements after its script, and after what a test does there.

    Args:
        page: the page.
        folder: for the browser.
        at: what stands behind "#" in the address.
        act: JavaScript that may ``wait(ms)`` and ``leave(name, value)``, in a copy
            of the page without its policy.
    """
    browser = shutil.which("chromium") or shutil.which("chromium-browser")
    if browser is None:
        pytest.skip("chromium is not installed")
    if act:
        text = page.read_text(encoding="utf-8")
        text = re.sub(r"<meta http-equiv[^>]*>", "", text)
        run = f"<script>{TOOLS}(async () => {{{act}}})()</script>"
        page = folder / "acted.html"
        page.write_text(text.replace("</body>", f"{run}</body>"), encoding="utf-8")
    done = subprocess.run(
        [
            *(browser, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"),
            *("--disable-background-networking", "--disable-component-update"),
            *("--disable-sync", "--disable-quic", "--enable-logging=stderr"),
            *(f"--user-data-dir={folder / 'user'}", "--window-size=1366,900"),
            *("--virtual-time-budget=20000", "--dump-dom"),
            page.as_uri() + (f"#{at}" if at else ""),
        ],
        capture_output=True,
        text=True,
        timeout=600,
        check=True,
    )
    assert "CONSOLE" not in done.stderr, done.stderr
    assert done.stdout.rstrip().endswith("</html>")
    return done.stdout


def left(dom: str, name: str) -> Any:
    """Returns what a test left in the page."""
    (found,) = re.findall(rf'<body[^>]* data-{name}="([^"]*)"', dom)
    return json.loads(html.unescape(found))


def test_a_browser_finds_no_fault(page: Path, tmp_path: Path) -> None:
    dom = browsed(page, tmp_path)
    assert 'class="agents"' in dom
    assert 'class="live"' in dom
    assert "copy CSV" in dom
    assert "<b>\u2028" not in dom


def test_the_address_says_what_is_seen(page: Path, tmp_path: Path) -> None:
    at = (
        "at=task2&off=random&theme=dark&net=0&sort.group2-leaderboard-table=0.down"
        "&find.runs=evolution+seed%3D1&scale.group2-curves=none"
    )
    dom = browsed(page, tmp_path, at=at)
    assert re.search(r'<html[^>]*data-theme="dark"', dom)
    assert re.search(r'<details id="task2"[^>]* open', dom)
    assert '<dialog id="network"' in dom
    board = dom.split('id="group2-leaderboard-table"')[1].split("</figure>")[0]
    order = re.findall(r'<tr[^>]*data-agent="(\d+)"', board)
    assert order == ["2", "1", "0"]  # words from the last to the first
    assert 'aria-sort="descending"' in board
    off = re.findall(r'<tr[^>]*class="[^"]*\boff\b[^>]*', board)
    assert len(off) == 1
    assert 'data-agent="2"' in off[0]
    assert "3 of 3 runs" in dom  # seed 1 on three tasks
    curves = dom.split('id="group2-curves"')[1].split("</figure>")[0]
    assert 'aria-pressed="true"' not in curves


def test_titles_sort_fields_filter_and_chips_hide(page: Path, tmp_path: Path) -> None:
    act = """
    const table = document.getElementById("group2-leaderboard-table");
    const titles = [...table.querySelectorAll("thead button")];
    const title = titles.find((one) => one.textContent === "score IQM");
    const rows = () => [...table.querySelectorAll("tbody tr")];
    const scores = () => rows().map((row) => Number(row.cells[1].textContent));
    const seen = [scores()];
    for (let n = 0; n < 3; n += 1) { title.click(); seen.push(scores()); }
    leave("scores", seen);
    const field = document.querySelector("#runs-table input");
    field.value = "random seed=0";
    field.dispatchEvent(new Event("input"));
    leave("runs", document.querySelectorAll("#runs-table tbody tr").length);
    const marks = () => document.querySelectorAll("#group2-iqm .live .mark").length;
    await drawn("group2-iqm");
    const counts = [marks()];
    document.querySelector(".agents button").click();
    counts.push(marks());
    leave("marks", counts);
    leave("hash", location.hash);
    """
    dom = browsed(page, tmp_path, act=act)
    as_written, down, up, back = left(dom, "scores")
    assert down == sorted(down, reverse=True)
    assert up == sorted(up)
    assert back == as_written
    assert left(dom, "runs") == 3
    assert left(dom, "marks") == [3, 2]
    assert "find.runs=random+seed%3D0" in left(dom, "hash")
    assert "off=" in left(dom, "hash")


def test_a_pointer_finds_values_and_a_press_the_network(
    page: Path, loaded: Loaded, data: Mapping[str, Any], tmp_path: Path
) -> None:
    act = """
    const middle = (mark) => {
      const at = mark.getBoundingClientRect();
      return { clientX: at.x + at.width / 2, clientY: at.y + at.height / 2 };
    };
    const told = (id, mark) => {
      const box = document.querySelector(`#${id} .live`);
      const at = { ...middle(mark), pointerType: "mouse" };
      box.dispatchEvent(new PointerEvent("pointermove", at));
      return box.querySelector(".tip").textContent;
    };
    const show = async (id) => [...(await drawn(id)).querySelectorAll(".live .mark")];
    leave("values", told("group2-curves", (await show("group2-curves"))[0]));
    const mark = (await show("front2")).at(-1);
    leave("point", told("front2", mark));
    const box = document.querySelector("#front2 .live");
    box.dispatchEvent(new MouseEvent("click", middle(mark)));
    const panel = document.getElementById("network");
    leave("lines", [...panel.querySelectorAll("code")].map((one) => one.textContent));
    leave("boxes", panel.querySelectorAll(".boxes > div").length);
    leave("net", location.hash);
    """
    dom = browsed(page, tmp_path, act=act)
    assert "queries" in left(dom, "values")
    assert "evolution" in left(dom, "values")
    assert "latency_ms" in left(dom, "point")
    name, python, shell = left(dom, "lines")
    task = task_of(loaded, CELL)
    assert {"python": python, "shell": shell} == commands_for(task, name)
    assert left(dom, "boxes") == task.problem.space.length
    number = int(left(dom, "net").removeprefix("#net="))
    word = data["networks"][number][1]
    assert task.problem.decode(task.problem.space.from_words([word])[0]) == name


def test_dragging_zooms_and_axes_turn(page: Path, tmp_path: Path) -> None:
    act = """
    const figure = await drawn("group2-curves");
    const box = figure.querySelector(".live");
    const frame = box.querySelector("svg").getBoundingClientRect();
    const at = (share, type) => box.dispatchEvent(new PointerEvent(type, {
      bubbles: true, button: 0, pointerType: "mouse",
      clientX: frame.x + share * frame.width, clientY: frame.y + 100 }));
    at(0.4, "pointerdown");
    at(0.7, "pointermove");
    at(0.7, "pointerup");
    const said = new URLSearchParams(location.hash.slice(1)).get("zoom.group2-curves");
    leave("zoomed", said.split(",").map(Number));
    const tools = [...figure.querySelectorAll(".tools button")];
    const press = (words) => tools.find((one) => one.textContent === words).click();
    press("reset");
    leave("reset", location.hash);
    press("log x");
    leave("turned", location.hash);
    leave("lines", figure.querySelectorAll(".live .line").length);
    """
    dom = browsed(page, tmp_path, act=act)
    low, high, *_ = left(dom, "zoomed")
    assert 1 < low < high < 25
    assert "zoom" not in left(dom, "reset")
    assert "scale.group2-curves=y" in left(dom, "turned")
    assert left(dom, "lines") == 3


def test_copied_tables_hold_no_formulas(page: Path, tmp_path: Path) -> None:
    act = """
    const texts = [], writeText = async (text) => texts.push(text);
    Object.defineProperty(navigator, "clipboard", { value: { writeText } });
    for (const id of ["group2-leaderboard-table", "runs-table"]) {
      const tools = [...document.querySelectorAll(`#${id} .tools button`)];
      tools.find((one) => one.textContent === "copy CSV").click();
      await wait(50);
    }
    leave("copied", texts);
    """
    board, runs = left(browsed(page, tmp_path, act=act), "copied")
    written = (page.with_name("report_files") / "group2-leaderboard.csv").read_text()
    assert board == written
    assert "\"'=1+1</script>" in runs
    assert not re.search(r'(?m)(^|,)"?[=+@]', board + runs)


def test_without_script_the_page_reads(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    bare = re.sub(r"(?s)<(script|style)\b.*?</\1>", "", text)
    assert " hidden" not in bare
    assert "<button" not in bare
    assert bare.count("<figure") > 20
    assert "runs.csv, beside the page" in bare
    for place in (1, 2, 3):
        assert f'<details id="task{place}">' in bare
