"""The page of a report: one HTML file that asks nothing of any network."""

import importlib.resources
from collections.abc import Sequence
from dataclasses import dataclass, field

from hwnas_env.benchmark.suites import SUITES
from hwnas_env.reports.page import front_figures, study_figures, study_sheets
from hwnas_env.reports.page.canvas import Picture, styles
from hwnas_env.reports.page.estimates import Estimates, estimate
from hwnas_env.reports.page.methods import METHODS
from hwnas_env.reports.page.sheets import Sheet, as_html, as_words
from hwnas_env.reports.page.study import Study, TaskRuns, spent_words
from hwnas_env.reports.page.study_figures import Styles
from hwnas_env.reports.page.study_sheets import interval, number

TITLE = "Hardware-aware architecture search: benchmark report"


@dataclass
class Page:
    """A page in the making, and all of its figures and tables.

    Attributes:
        parts: HTML, in order.
        contents: anchors and titles of the sections.
        pictures: every figure.
        sheets: every table.
    """

    parts: list[str] = field(default_factory=list)
    contents: list[tuple[str, str]] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)
    sheets: list[Sheet] = field(default_factory=list)

    def section(self, anchor: str, title: str) -> None:
        """Begins a section."""
        self.contents.append((anchor, title))
        self.parts.append(f'<h2 id="{anchor}">{as_words(title)}</h2>\n')

    def table(self, sheet: Sheet, *, wide: bool = False) -> None:
        """Adds a table."""
        self.sheets.append(sheet)
        words = as_html(sheet)
        if wide:
            words = words.replace('class="table"', 'class="table wide"', 1)
        self.parts.append(words)

    def figures(self, pictures: Sequence[Picture]) -> None:
        """Adds figures, beside each other where there is room."""
        self.pictures += pictures
        drawn = "".join(map(_figure, pictures))
        self.parts.append(f'<div class="figures">{drawn}</div>\n')

    def words(self, sentence: str, *, kind: str = "") -> None:
        """Adds a paragraph."""
        mark = f' class="{kind}"' if kind else ""
        self.parts.append(f"<p{mark}>{as_words(sentence)}</p>\n")

    def html(self) -> str:
        """Returns the whole page."""
        files = importlib.resources.files("hwnas_env.reports.page")
        css = files.joinpath("report.css").read_text(encoding="utf-8")
        items = "".join(
            f'<li><a href="#{anchor}">{as_words(title)}</a></li>'
            for anchor, title in self.contents
        )
        return (
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            f"<title>{TITLE}</title>\n<style>\n{css}</style>\n</head>\n<body>\n"
            f"<header><h1>{TITLE}</h1></header>\n"
            f'<nav aria-label="Contents"><strong>Contents</strong><ol>{items}</ol>'
            f"</nav>\n<main>\n{''.join(self.parts)}</main>\n</body>\n</html>\n"
        )


def page_of(study: Study) -> Page:
    """Lays a study out.

    Args:
        study: with at least one run.

    Raises:
        MissingExtraError: matplotlib or scipy is not installed.
    """
    page, drawn = Page(), styles(study.agents)
    found = [estimate(group) for group in study.groups]
    _summary(page, study, found)
    for place, estimates in enumerate(found, start=1):
        _group(page, estimates, drawn, place)
    _fronts(page, study, drawn)
    page.section("tasks", "Every task")
    one_limit = len({task.limits for task in study.tasks}) == 1
    for place, task in enumerate(study.tasks, start=1):
        _task(page, task, drawn, place, one_limit=one_limit)
    page.section("methods", "How to read this")
    page.parts.append(METHODS)
    return page


FEW_RUNS = 10
"""Runs below which bootstrap intervals are plainly too narrow."""


def headline(found: Estimates) -> str:
    """Says which agent leads a group, and how surely.

    Args:
        found: of the group.
    """
    group, best = found.group, found.agents[0]
    one = found.iqm[best]
    if not any(
        run.incumbent or run.archive
        for task in group.tasks
        for found_by in task.runs.values()
        for run in found_by
    ):
        return f"{group.title}; tasks: {len(group.tasks)}. No run found a network."
    runs = group.most_runs(best)
    said = f"{group.title}; tasks: {len(group.tasks)}. {best} leads with "
    said += f"a score of {number(float(one.value))} (IQM"
    said += f", 95 % interval {interval(one)})" if runs > 1 else ")"
    if len(found.agents) == 1:
        return f"{said}."
    second = found.agents[1]
    said += f", before {second} with {number(float(found.iqm[second].value))}"
    pair = found.improvements.get((best, second))
    if pair is None:
        return f"{said}; they share no task."
    said += (
        f". A run of {best} beats one of {second} with probability "
        f"{number(float(pair.value), 2)}"
    )
    fewest = min(runs, group.most_runs(second))
    if fewest < 2:
        return f"{said}: one run a task does not tell the two apart."
    said += f" {interval(pair, digits=2)}"
    if pair.low <= 0.5 <= pair.high:
        return f"{said}: these runs do not tell the two apart."
    few = f", though {fewest} runs a task make intervals too narrow"
    return f"{said}{few if fewest < FEW_RUNS else ''}."


def _summary(page: Page, study: Study, found: Sequence[Estimates]) -> None:
    page.section("summary", "Summary")
    items = "".join(f"<li>{as_words(headline(one))}</li>" for one in found)
    page.parts.append(f'<div class="box"><ul>{items}</ul></div>\n')
    runs = study.runs
    failed = sum(bool(run.error) for run in runs)
    limits = dict.fromkeys(spent_words(task.limits) for task in study.tasks)
    counts = {
        "Suites": suites_words(study),
        "Tasks": str(len(study.tasks)),
        "Agents": f"{len(study.agents)}: {', '.join(study.agents)}",
        "Runs": f"{len(runs):,}, of which {failed:,} failed",
        "Each run": "; ".join(limits),
        "Queries": f"{sum(run.queries for run in runs):,} in all",
        "Kinds of data": "; ".join(
            dict.fromkeys(g.kinds for g in study.groups if not g.mixed)
        ),
        "Versions": study_sheets.version_words(study),
        "Left out": f"{len(study.faults)}, see Faults" if study.faults else "nothing",
    }
    rows = "".join(
        f"<dt>{name}</dt><dd>{as_words(words)}</dd>" for name, words in counts.items()
    )
    page.parts.append(f'<div class="box"><dl>{rows}</dl></div>\n')
    if study.faults:
        faults = "".join(f"<li>{as_words(fault)}</li>" for fault in study.faults)
        page.parts.append(
            f'<div class="warn"><strong>Faults</strong><ul>{faults}</ul></div>\n'
        )
    page.parts.append("<details><summary>Kinds of data by task</summary>\n")
    page.table(study_sheets.kinds_sheet(study, name="kinds"))
    page.parts.append("</details>\n<details><summary>Provenance</summary>\n")
    page.table(study_sheets.provenance_sheet(study, name="provenance"))
    page.parts.append("</details>\n")


def suites_words(study: Study) -> str:
    """Says how much of each suite is there.

    Args:
        study: with its tasks.
    """
    here = {task.task for task in study.tasks}
    words = []
    for suite in SUITES.values():
        count = len(here & set(suite.tasks))
        if count == len(suite.tasks):
            words.append(f"{suite.name} (whole)")
        elif count:
            words.append(f"{suite.name} ({count} of {len(suite.tasks)} tasks)")
    rest = len(here - {task for suite in SUITES.values() for task in suite.tasks})
    words += [f"{rest} tasks of no suite"] if rest else []
    return ", ".join(words)


def _group(page: Page, found: Estimates, drawn: Styles, place: int) -> None:
    group, stem = found.group, f"group{place}"
    page.section(stem, group.title)
    if group.mixed:
        page.words(
            "These numbers average over tasks whose data are of different kinds; the "
            "groups above hold each kind on its own.",
            kind="warn",
        )
    if len(group.common) < len(group.tasks):
        page.words(
            f"Not every agent ran on every task: ranks are over {len(group.common)} of "
            f"{len(group.tasks)} tasks, and agents that lack tasks stand last.",
            kind="warn",
        )
    page.table(study_sheets.leaderboard(found, name=f"{stem}-leaderboard"))
    pictures = [
        study_figures.leaderboard_figure(found, drawn, name=f"{stem}-iqm"),
        study_figures.curves_figure(found, drawn, name=f"{stem}-curves"),
        study_figures.profile_figure(found, drawn, name=f"{stem}-profiles"),
    ]
    if len(found.agents) > 1:
        matrix = study_figures.improvement_figure(found, name=f"{stem}-improvement")
        pictures.append(matrix)
    page.figures(pictures)
    if len(found.agents) < 2:
        return
    page.parts.append("<details><summary>Intervals and rank tests</summary>\n")
    sheet = study_sheets.improvements(found, name=f"{stem}-improvement")
    page.table(sheet, wide=True)
    ranks = study_sheets.rank_test(found, name=f"{stem}-ranks")
    if ranks is not None:
        page.table(ranks)
    page.parts.append("</details>\n")


def _fronts(page: Page, study: Study, drawn: Styles) -> None:
    page.section("fronts", "Exact fronts and what agents found")
    single: dict[tuple[object, ...], list[TaskRuns]] = {}
    for task in study.tasks:
        if not task.is_front:
            asked = task.task
            where = (asked.env, asked.dataset, asked.metric, asked.source, asked.costs)
            key = (*where, task.limits, task.shape)
            single.setdefault(key, []).append(task)
    pictures = [
        front_figures.incumbents_figure(tasks, drawn, name=f"front{place}")
        for place, tasks in enumerate(single.values(), start=1)
    ]
    pictures += [
        front_figures.archives_figure(task, drawn, name=f"archive{place}")
        for place, task in enumerate(study.tasks, start=1)
        if task.is_front
    ]
    page.figures(pictures)


def _task(
    page: Page, task: TaskRuns, drawn: Styles, place: int, *, one_limit: bool
) -> None:
    stem = f"task{place}"
    title = task.name if one_limit else f"{task.name}, {spent_words(task.limits)}"
    page.parts.append(f'<details id="{stem}"><summary>{as_words(title)}</summary>\n')
    if not task.is_front:
        best = task.problem.optimum(task.task.budget)
        unit = task.problem.describe()["columns"][task.task.metric]["unit"]
        network = as_words(task.problem.decode(best.genotypes[0]))
        page.parts.append(
            f"<p>Exact optimum: {best.accuracy_percent:.3f} % at {best.cost:.4g} {unit}"
            f", <code>{network}</code></p>\n"
        )
    page.table(study_sheets.task_sheet(task, name=f"{stem}-agents"))
    pictures = [study_figures.task_curves_figure(task, drawn, name=f"{stem}-curves")]
    if task.best is not None:
        found = front_figures.network_figure(task, task.best, name=f"{stem}-best")
        pictures.append(found)
    page.figures(pictures)
    if task.best is not None:
        page.parts.append(
            f"<p>Its architecture: <code>{as_words(task.best.incumbent)}</code></p>"
        )
    errors = dict.fromkeys(
        f"{run.agent}, seed {run.seed}: {run.error}"
        for runs in task.runs.values()
        for run in runs
        if run.error
    )
    if errors:
        listed = "".join(f"<li>{as_words(error)}</li>" for error in errors)
        page.parts.append(f'<div class="warn">Failed runs<ul>{listed}</ul></div>')
    page.parts.append("</details>\n")


def _figure(picture: Picture) -> str:
    light = ' class="light"' if picture.own_light else ""
    focus = ' tabindex="0"' if picture.own_light else ""
    alt = as_words(picture.alt)
    drawing = picture.inline().replace("<svg", f'<svg role="img" aria-label="{alt}"', 1)
    return (
        f'<figure{light}><div class="paper"{focus}>{drawing}</div>'
        f"<figcaption>{as_words(picture.caption)}</figcaption></figure>\n"
    )
