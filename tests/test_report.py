"""The report: whole HTML, the same bytes for the same records, and nothing hidden."""

import csv
import html
import math
import os
import re
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from hwnas_env.agents import AGENTS
from hwnas_env.benchmark.jobs import Job
from hwnas_env.benchmark.loading import Loaded, header_of, record_of
from hwnas_env.benchmark.records import record_path, write_record
from hwnas_env.benchmark.runs import Limits, Task, run_once
from hwnas_env.benchmark.suite_runs import counted_score
from hwnas_env.cli import app
from hwnas_env.errors import DataError, InvalidArgumentError, MissingExtraError
from hwnas_env.reports.page import bench_report, canvas, sheets, study_sheets
from hwnas_env.reports.page.bench_report import report_folders, write_report
from hwnas_env.reports.page.estimates import estimate
from hwnas_env.reports.page.front_figures import archive_points
from hwnas_env.reports.page.merging import merged
from hwnas_env.reports.page.page import Page
from hwnas_env.reports.page.study import groups_of, study_of
from hwnas_env.reports.page.study_page import headline

LIMITS = Limits(30)
CELLS = [
    Task("HWNAS-NASBench201-FPGA-v0", budget="tight"),
    Task("HWNAS-NASBench201-FPGA-v0", budget="loose"),
]
NET = Task("HWNAS-FBNet-EdgeTPU-v0")
FRONT = Task(
    "HWNAS-NASBench201-EdgeGPU-v0",
    budget=None,
    objectives=("accuracy", "latency_ms"),
)
NASTY = '<b>&"x$_{%'


@pytest.fixture(scope="module")
def loaded() -> Loaded:
    """Records of four tasks; one agent has a name that tries to be markup."""
    rows = []
    for task in (*CELLS, NET):
        for agent in ("random", "evolution"):
            for seed in range(3):
                run = run_once(task, agent, seed=seed, limits=LIMITS)
                rows.append((Job(task, agent, seed, LIMITS), run))
                if task != NET and agent == "random" and seed < 2:
                    copy = replace(run, agent=NASTY, error="" if seed else "Boom: <i>")
                    rows.append((Job(task, NASTY, seed, LIMITS), copy))
    for agent in ("random", "nsga2"):
        for seed in range(2):
            found = run_once(FRONT, agent, seed=seed, limits=LIMITS)
            rows.append((Job(FRONT, agent, seed, LIMITS), found))
    headers = [header_of(job, job.task.problem()) for job, _ in rows]
    return Loaded(rows, headers, ["cut.jsonl, line 4: <cut> off"])


@pytest.fixture(scope="module")
def written(loaded: Loaded, tmp_path_factory: pytest.TempPathFactory) -> Path:
    page = tmp_path_factory.mktemp("report") / "report.html"
    files = write_report(loaded, page)
    assert all(file.is_file() for file in files)
    assert len(set(files)) == len(files)
    return page


class Reader(HTMLParser):
    """Checks that tags are balanced, and keeps attributes, words and tables."""

    VOID = frozenset({"meta", "br", "hr", "img", "link", "input"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.words: list[str] = []
        self.tables: list[list[list[str]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID:
            self.open.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if {"style", "script"} & set(self.open):
            return
        self.words.append(data)
        if {"td", "th"} & set(self.open):
            self.tables[-1][-1][-1] += data


def read(page: Path) -> Reader:
    reader = Reader()
    reader.feed(page.read_text(encoding="utf-8"))
    reader.close()
    assert reader.open == []
    return reader


def test_the_page_is_whole_and_asks_for_nothing(written: Path) -> None:
    reader = read(written)
    text = written.read_text(encoding="utf-8")
    assert "@import" not in text
    assert not re.search(r"url\((?!#)", text)
    assert not re.search(r"https?://", text)
    assert not re.search(r"\b(fetch|XMLHttpRequest|WebSocket|import|eval)\b\s*\(", text)
    text, scripts = re.subn(r"(?s)<script\b.*?</script>", "", text)
    assert scripts == 2
    assert "<script" not in text
    ids = [value for _, name, value in reader.attributes if name == "id"]
    assert len(set(ids)) == len(ids)
    for _, name, value in reader.attributes:
        assert name != "src"
        assert not name.startswith("on")
        if name == "href":
            assert value[0] == "#"
            assert value[1:] in ids
    used = set(re.findall(r"url\(#([^)]*)\)", text))
    assert used <= set(ids)
    assert used
    roles = [tag for tag, name, value in reader.attributes if value == "img"]
    assert len(roles) == text.count("<svg") > 10
    labels = [v for t, n, v in reader.attributes if (t, n) == ("svg", "aria-label")]
    assert len(labels) == len(roles)
    assert all(len(label) > 20 for label in labels)


def test_every_agent_task_kind_and_fault_is_there(
    written: Path, loaded: Loaded
) -> None:
    text = written.read_text(encoding="utf-8")
    words = " ".join(read(written).words)
    study = study_of(loaded)
    assert study.agents == sorted(["random", "evolution", "nsga2", NASTY])
    for agent in study.agents:
        assert agent in words
        assert html.escape(agent) in text
    assert "<b>" not in text
    assert "<i>" not in text
    for task in study.tasks:
        assert task.name in words
        for column, kind in task.kinds:
            assert column in words
            assert kind in words
    assert "cut.jsonl, line 4: <cut> off" in words
    assert "Boom: <i>" in words
    for header in loaded.headers:
        assert header["provenance"]["accuracy"]["sha256"] in words


def test_files_beside_the_page_hold_its_tables_and_figures(
    written: Path, loaded: Loaded
) -> None:
    tables = read(written).tables
    folder = written.with_name("report_files")
    files = {}
    for path in folder.glob("*.csv"):
        with path.open(newline="", encoding="utf-8") as file:
            files[path.stem] = list(csv.reader(file))
    every_run = files.pop("runs")  # which the page's script lists
    assert len(every_run) == 1 + len(study_of(loaded).runs)
    assert len(files) == len(tables) > 5
    assert all(table in files.values() for table in tables)
    for name in files:
        latex = (folder / f"{name}.tex").read_text(encoding="utf-8")
        assert latex.count(r"\\" + "\n") == len(files[name])
        body = latex.split("\n", 1)[1]
        for special in "&%$#_":
            columns = files[name][0]
            loose = len(re.findall(rf"(?<!\\)\{special}", body))
            math = body.count("$\\le$")
            expected = {"&": (len(columns) - 1) * len(files[name]), "$": 2 * math}
            assert loose == expected.get(special, 0), (name, special)
    for path in folder.glob("*.svg"):
        assert path.with_suffix(".png").read_bytes()[:4] == b"\x89PNG"
        assert "DejaVu" not in path.read_text(encoding="utf-8")
    assert not list(written.parent.rglob("*.part"))


def test_numbers_of_the_leaderboard_are_the_estimates(loaded: Loaded) -> None:
    study = study_of(loaded)
    group = study.groups[0]
    found = estimate(group)
    sheet = study_sheets.leaderboard(found, name="x")
    by_agent = {
        row[0]: dict(zip(sheet.columns, row, strict=True)) for row in sheet.rows
    }
    for agent, row in by_agent.items():
        scores = np.concatenate(group.scores(agent))
        assert row["runs"] == str(len(scores))
        cut = len(scores) // 4
        middle = np.sort(scores)[cut : len(scores) - cut].mean()
        assert float(row["score IQM"]) == pytest.approx(middle, abs=6e-4)
        logs = [
            np.log10(np.maximum(t.regrets(agent), 1e-3)).mean()
            for t in group.tasks
            if agent in t.runs
        ]
        assert float(row["log10 regret"]) == pytest.approx(np.mean(logs), abs=6e-4)
    assert found.agents[0] in headline(found)
    assert max(float(row["score IQM"]) for row in by_agent.values()) == pytest.approx(
        float(found.iqm[found.agents[0]].value), abs=6e-4
    )


def test_kinds_of_data_are_apart_before_they_are_together(loaded: Loaded) -> None:
    study = study_of(loaded)
    whole = [group for group in study.groups if group.mixed]
    assert [len(group.tasks) for group in whole] == [3]
    assert "mixing" in whole[0].title
    for group in study.groups:
        kinds = {task.kinds for task in group.tasks}
        assert group.mixed == (len(kinds) > 1)
        assert len({task.is_front for task in group.tasks}) == 1
    longer = replace(study.tasks[0], limits=Limits(31))
    titles = [group.title for group in groups_of([*study.tasks, longer])]
    assert len(set(titles)) == len(titles) == len(study.groups) + 1


def test_agents_that_lack_tasks_stand_last_and_say_so(loaded: Loaded) -> None:
    group = next(group for group in study_of(loaded).groups if group.mixed)
    found = estimate(group)
    assert found.agents[-1] == NASTY
    assert found.label(NASTY) == f"{NASTY} (2 of 3 tasks)"
    assert found.friedman is not None
    assert found.friedman.tasks == 2
    for (ours, theirs), pair in found.improvements.items():
        back = found.improvements[theirs, ours]
        assert pair.value + back.value == pytest.approx(1.0)


def test_no_archive_is_drawn_beyond_the_exact_front(loaded: Loaded) -> None:
    task = next(task for task in study_of(loaded).tasks if task.is_front)
    exact = task.problem.pareto_front(FRONT.objectives).points
    for agent in task.runs:
        found = archive_points(task, agent)
        assert len(found) > 3
        for accuracy, cost in found.tolist():
            assert accuracy <= exact[exact[:, 1] <= cost, 0].max()
        runs = task.runs[agent]
        names = {name for run in runs for name in run.archive}  # type: ignore[union-attr]
        assert len(found) == len(names)


def test_failed_runs_gain_nothing(loaded: Loaded) -> None:
    for job, run in loaded.found:
        if run.error:
            assert counted_score(job.task, run, job.limits) <= 0.0
    front = next(run for job, run in loaded.found if job.task.objectives)
    assert counted_score(FRONT, front, Limits(40)) != 0.0
    assert counted_score(FRONT, replace(front, error="Boom"), Limits(40)) <= 0.0  # type: ignore[type-var]
    _, run = loaded.found[0]
    nothing = replace(run, incumbent="", curve=(), queries=0)  # type: ignore[type-var]
    assert counted_score(CELLS[0], nothing, Limits(40)) < -1.0
    job = replace(loaded.found[0][0], agent="lost")
    lost = Loaded([(job, replace(nothing, agent="lost"))], loaded.headers[:1], [])
    study = study_of(lost)
    task = study.tasks[0]
    assert task.regrets("lost") == pytest.approx(task.optimum)
    assert task.curves("lost", np.array([1.0, 30.0])) == pytest.approx(task.optimum)
    assert estimate(study.groups[0]).agents == ("lost",)


def test_shards_and_repetitions_give_the_same_bytes(
    loaded: Loaded, written: Path, tmp_path: Path
) -> None:
    shuffled = np.random.default_rng(0).permutation(len(loaded.found)).tolist()
    parts = [
        Loaded(
            [loaded.found[i] for i in chosen],
            [loaded.headers[i] for i in chosen],
            faults,
        )
        for chosen, faults in (
            (shuffled[:11], loaded.faults),
            (shuffled[8:], []),  # three jobs are in both
        )
    ]
    page = tmp_path / "report.html"
    files = write_report(merged(parts), page)
    for file in files:
        other = written.parent / file.relative_to(tmp_path)
        assert file.read_bytes() == other.read_bytes(), file.name


def test_records_of_one_job_that_differ_are_a_fault(loaded: Loaded) -> None:
    (job, run), header = loaded.found[0], loaded.headers[0]
    other = replace(run, queries=run.queries - 1)  # type: ignore[type-var]
    both = merged([Loaded([(job, one)], [header], []) for one in (run, other)])
    assert [found for _, found in both.found] == [run]
    assert len(both.faults) == 1
    assert "differ" in both.faults[0]


def test_folders_of_records_are_reported_together(tmp_path: Path) -> None:
    limits = Limits(12)
    for shard in range(2):
        for seed in range(2):
            job = Job(CELLS[0], ("random", "evolution")[shard], seed, limits)
            run = run_once(job.task, job.agent, seed=seed, limits=limits)
            path = record_path(tmp_path / f"shard{shard}", job)
            write_record(path, record_of(job, run))
            write_record(record_path(tmp_path / "all", job), record_of(job, run))
    broken = next((tmp_path / "all").iterdir())
    pages = []
    for name, folders in {"two": ["shard0", "shard1"], "one": ["all"]}.items():
        page = tmp_path / name / "report.html"
        report_folders([tmp_path / folder for folder in folders], page)
        pages.append(page.read_bytes())
    assert pages[0] == pages[1]
    broken.write_bytes(broken.read_bytes()[:-40])
    report_folders([tmp_path / "all"], page)
    assert broken.name in " ".join(read(page).words)
    with pytest.raises(DataError, match="expected a folder"):
        report_folders([tmp_path / "none"], page)
    call = ["bench", "report", str(tmp_path / "shard0"), "-o", str(page)]
    told = CliRunner().invoke(app, call)
    assert told.exit_code == 0, told.output
    assert "evolution" not in " ".join(read(page).words)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InvalidArgumentError, match="at least one run"):
        report_folders([tmp_path / "empty"], page)
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot be written"):
        report_folders([tmp_path / "shard0"], tmp_path / "file" / "report.html")


def test_records_of_other_data_are_named(loaded: Loaded) -> None:
    header = loaded.headers[0]
    origin = {**header["provenance"]["accuracy"], "sha256": "0" * 64}
    changed = {**header, "provenance": {**header["provenance"], "accuracy": origin}}
    study = study_of(Loaded(loaded.found[:1], [changed], []))
    assert "other data" in study.faults[0]
    assert study_of(Loaded(loaded.found[:1], [header], [])).faults == ()


@pytest.mark.parametrize("package", ["matplotlib", "scipy"])
def test_a_missing_package_is_named_before_anything_is_written(
    package: str, loaded: Loaded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError, match=r"hwnas_env\[plots\]"):
        write_report(loaded, tmp_path / "report.html")
    assert list(tmp_path.iterdir()) == []


def test_words_are_escaped_for_latex() -> None:
    assert sheets.latex_escape(r"a\b~^{}") == (
        r"a\textbackslash{}b\textasciitilde{}\textasciicircum{}\{\}"
    )
    sheet = sheets.Sheet("x", "c", ("a", "b"), (("1 & 2", "3"),))
    assert r"1 \& 2 & 3 \\" in sheets.as_latex(sheet)
    assert study_sheets.number(float("nan")) == "-"


def test_agents_are_told_apart_in_figures() -> None:
    names = [f"agent{i}" for i in range(20)] + ["random"]
    drawn = canvas.styles(names)
    assert len({(s.colour, str(s.dashes)) for s in drawn.values()}) == len(names)
    assert drawn["random"].colour == canvas.INK
    assert canvas.label("a\x00b\nc") == "a?b c"
    assert canvas.label("_hidden").strip() == "_hidden"
    assert len(canvas.label("x" * 99)) == canvas.LONGEST_LABEL


def test_one_run_a_task_gives_no_interval_and_no_verdict(loaded: Loaded) -> None:
    rows = [
        (pair, header)
        for pair, header in zip(loaded.found, loaded.headers, strict=True)
        if pair[0].seed == 0 and not pair[0].task.objectives
    ]
    once = Loaded([pair for pair, _ in rows], [header for _, header in rows], [])
    found = estimate(study_of(once).groups[0])
    assert len(found.agents) > 1
    assert "does not tell the two apart" in headline(found)
    for pair in found.improvements.values():
        assert math.isnan(pair.low)
        assert math.isnan(pair.high)


def test_a_smaller_report_leaves_nothing_of_a_larger_one(
    loaded: Loaded, written: Path, tmp_path: Path
) -> None:
    shutil.copytree(written.parent, tmp_path, dirs_exist_ok=True)
    page = tmp_path / "report.html"
    names = ("notes.txt", "tasks.csv", "front.png", "group-photo.png", "task1-mine.csv")
    mine = {tmp_path / "report_files" / name for name in names}
    for own in mine:
        own.write_text("mine")
    single = Loaded(loaded.found[:1], loaded.headers[:1], [])
    files = write_report(single, page)
    left = {path for path in (tmp_path / "report_files").iterdir()}
    assert left == {*files[1:], *mine, tmp_path / "report_files" / "written.json"}
    with pytest.raises(DataError, match="got a folder"):
        write_report(single, tmp_path)


HOSTILE = (
    *("=1+cmd|' /C calc'!A0", "@SUM(1)", "+1", "-2+3", "\t=1", "\r@x", "[b]", "*x"),
    *("\x1b[31mred\x07", "a\u202eb", "line\nbreak", "[/b] :boom:", "x" * 300_000),
    "\u9032\u5316",
)


@pytest.mark.filterwarnings("error:Glyph")  # that matplotlib's own font has none
def test_words_of_others_are_only_words_in_every_file(
    loaded: Loaded, tmp_path: Path
) -> None:
    """Agents, errors and faults that a terminal, a page, a sheet or TeX would obey."""
    (job, run), header = loaded.found[0], loaded.headers[0]
    rows = [
        (replace(job, agent=word), replace(run, agent=word, error=word))  # type: ignore[type-var]
        for word in HOSTILE
    ]
    study = Loaded(rows, [header] * len(rows), [f"x.jsonl: {w}" for w in HOSTILE])
    page = write_report(study, str(tmp_path / "page"))[0]
    assert page.stat().st_size < 1_500_000
    words = " ".join(read(page).words)
    assert "letters ...] xx" in words
    for path in [page, *(tmp_path / "page_files").iterdir()]:
        if path.suffix == ".png":
            continue
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", text), path
        if path.suffix == ".csv":
            assert len(text) < 100_000
            with path.open(newline="", encoding="utf-8") as file:
                for place, row in enumerate(csv.reader(file)):
                    for cell in row if place == 0 else row[:1]:
                        assert not re.match(r"[=+\-@\t\r].", cell), (path, cell)
        if path.suffix == ".tex":
            assert not re.search(r"\\\\\n *[\[*]", text), path


def test_numbers_stay_numbers_in_sheets() -> None:
    sheet = sheets.Sheet("x", "c", ("a", "+b"), (("-", "-1.5"), ("-3", "-")))
    assert sheets.as_csv(sheet) == "a,'+b\n-,-1.5\n'-3,-\n"


@pytest.fixture
def small(
    loaded: Loaded, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Path | str, Sequence[str]], list[Path]]:
    """Writes reports that hold nothing but tables of some names, as quickly as that."""
    monkeypatch.setattr(bench_report, "study_of", lambda _: None)

    def write(output: Path | str, names: Sequence[str]) -> list[Path]:
        tables = [sheets.Sheet(name, "c", ("a",), ((name,),)) for name in names]
        monkeypatch.setattr(bench_report, "page_of", lambda _: Page(sheets=tables))
        return write_report(loaded, output)

    return write


def test_a_report_replaces_only_what_reports_wrote(
    small: Callable[..., list[Path]], loaded: Loaded, tmp_path: Path
) -> None:
    job, run = loaded.found[0]
    record = record_path(tmp_path, job)
    write_record(record, record_of(job, run))
    before = record.read_bytes()
    notes, link = tmp_path / "notes.html", tmp_path / "link.html"
    notes.write_text("<html>mine</html>")
    link.symlink_to(record)
    for wrong in (record, notes, link, Path("/dev/null")):
        with pytest.raises(DataError, match="no report"):
            small(wrong, ["task1"])
    assert record.read_bytes() == before
    assert sorted(tmp_path.iterdir()) == sorted([record, notes, link])
    page, beside = tmp_path / "report.html", tmp_path / "report_files"
    beside.mkdir()
    mine = [beside / "front9.csv", beside / "archive2.csv"]
    for own in mine:
        own.write_text("mine")
    small(page, ["task1", "task2", "task3"])
    changed = beside / "task3.csv"
    changed.write_text("mine now")
    small(page, ["task1"])
    assert {path.name for path in beside.iterdir()} == {
        *("front9.csv", "archive2.csv", "task3.csv"),
        *("task1.csv", "task1.tex", "written.json"),
    }
    assert [own.read_text() for own in mine] == ["mine", "mine"]
    for name in ("task3", "front9"):
        with pytest.raises(DataError, match=rf"{name}\.csv: written by no report"):
            small(page, ["task1", name])
    assert changed.read_text() == "mine now"
    os.truncate(beside / "written.json", 20 << 30)  # takes no room on the disk
    with pytest.raises(DataError, match="not the list"):
        small(page, ["task1"])
    for words in ('{"../notes.html": [], "front9.csv": 5', "[[]]", '{"task1.csv": 5}'):
        (beside / "written.json").write_text(words)
        with pytest.raises(DataError, match="not the list of what a report wrote"):
            small(page, ["task1"])
        assert (beside / "written.json").read_text() == words
    (tmp_path / "other_files").symlink_to(beside, target_is_directory=True)
    with pytest.raises(DataError, match="a link"):
        small(tmp_path / "other.html", ["task1"])
    assert notes.read_text() == "<html>mine</html>"


@pytest.mark.parametrize("count", range(6))
def test_a_report_that_was_killed_in_the_middle_is_written_again(
    count: int,
    small: Callable[..., list[Path]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def files() -> dict[str, bytes]:
        found = {path.name: path for path in tmp_path.rglob("*.*")}
        return {n: p.read_bytes() for n, p in found.items() if p.is_file()}

    page, left, replaced = tmp_path / "a.html", count, os.replace
    small(page, ["task1", "task2"])
    whole = files()

    def killed(source: str, target: str) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise KeyboardInterrupt
        replaced(source, target)

    with monkeypatch.context() as patched:
        patched.setattr("hwnas_env.reports.page.bench_report.os.replace", killed)
        with pytest.raises(KeyboardInterrupt):
            small(page, ["task2", "task3"])
    small(page, ["task1", "task2"])
    assert {n: f for n, f in files().items() if not n.endswith(".part")} == whole


def test_an_agent_looks_the_same_in_every_report() -> None:
    ours = [name for name in AGENTS if name != "random"]
    alone = {name: canvas.styles([name])[name] for name in ours}
    assert canvas.styles(AGENTS) == {
        **alone,
        "random": canvas.styles(["random"])["random"],
    }
    assert len({(s.colour, str(s.dashes)) for s in alone.values()}) == len(ours)
    for name in ("my_module:Mine", "agent7", "\ud800"):
        one = canvas.styles([name])[name]
        many = canvas.styles([name, *ours, *(f"agent{n}" for n in range(7))])[name]
        assert (one.colour, one.marker) == (many.colour, many.marker)


def test_dots_in_names_of_pages_stay(
    small: Callable[..., list[Path]], tmp_path: Path
) -> None:
    for name in ("run.1", "run.2", "v1.html"):
        small(str(tmp_path / name), ["task1"])
    folders = {path.name for path in tmp_path.iterdir() if path.is_dir()}
    assert folders == {"run.1_files", "run.2_files", "v1_files"}
