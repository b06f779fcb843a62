"""The page of a report: what stands on it, and in which order."""

from collections.abc import Mapping, Sequence

from hwnas_env.benchmark.suites import SUITES
from hwnas_env.metrics import METRICS
from hwnas_env.reports.page import (
    charts,
    front_figures,
    matrix_figures,
    networks,
    runs_table,
    study_figures,
    study_sheets,
)
from hwnas_env.reports.page.canvas import label, styles
from hwnas_env.reports.page.estimates import Estimates, estimate
from hwnas_env.reports.page.methods import METHODS
from hwnas_env.reports.page.naming import short_names
from hwnas_env.reports.page.page import Page
from hwnas_env.reports.page.reproduction import reproducing
from hwnas_env.reports.page.sheets import as_words
from hwnas_env.reports.page.study import Group, Study, TaskRuns, spent_words
from hwnas_env.reports.page.study_sheets import interval, number
from hwnas_env.texts import counted, plain
from hwnas_env.types import Genotypes


def page_of(study: Study) -> Page:
    """Lays a study out.

    Args:
        study: with at least one run.

    Raises:
        MissingExtraError: matplotlib or scipy is not installed.
    """
    page = Page(styles(study.agents))
    found = [estimate(group) for group in study.groups]
    _overview(page, study, found)
    anchors = {task: f"task{n}" for n, task in enumerate(study.tasks, start=1)}
    for place, estimates in enumerate(found, start=1):
        _group(page, estimates, anchors, place, listed=len(found) == 1)
    _runs(page, study)
    _records(page, study)
    page.section("reproduce", "Reproduce")
    for command in reproducing(study):
        if command.words:
            page.command(command.words)
        if command.remark:
            page.words(command.remark)
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
        return "No run found a network."
    runs = group.most_runs(best)
    said = f"{best} leads with a score of {number(float(one.value))} (IQM"
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


def _overview(page: Page, study: Study, found: Sequence[Estimates]) -> None:
    """Says who leads where, and whether anything was left out."""
    runs, tasks = study.runs, len(study.tasks)
    counts = {"task": tasks, "agent": len(study.agents), "run": len(runs)}
    words = ", ".join(counted(count, noun) for noun, count in counts.items())
    page.words(f"{words}.", kind="meta")
    if study.faults:
        page.parts.append(
            f'<p class="warn"><a href="#faults">Left out or at fault: '
            f"{len(study.faults)}</a></p>\n"
        )
    if len(found) < 2:
        return
    cards = []
    for place, one in enumerate(found, start=1):
        best = one.agents[0]
        score = number(float(one.iqm[best].value))
        mixed = ", mixed kinds of data" if one.group.mixed else ""
        cards.append(
            f'<li><a href="#group{place}"><strong>{as_words(one.group.name)}</strong>'
            f"<span>{counted(len(one.group.tasks), 'task')}{mixed}</span>"
            f"<span>{as_words(label(best))} {score}</span></a></li>"
        )
    page.parts.append(f'<ul class="cards">{"".join(cards)}</ul>\n')


def _group(
    page: Page,
    found: Estimates,
    anchors: Mapping[TaskRuns, str],
    place: int,
    *,
    listed: bool,
) -> None:
    group, stem = found.group, f"group{place}"
    page.section(stem, group.name, listed=listed)
    page.parts.append(_badges(group))
    if group.name in SUITES:
        page.words(SUITES[group.name].description, kind="meta")
    page.words(headline(found))
    if group.mixed:
        page.words(
            "These numbers average over tasks whose data are of different kinds; the "
            "sections above hold each kind on its own.",
            kind="warn",
        )
    if len(group.common) < len(group.tasks):
        page.words(
            f"Not every agent ran on every task: ranks are over {len(group.common)} of "
            f"{len(group.tasks)} tasks, and agents that lack tasks stand last.",
            kind="warn",
        )
    page.parts.append('<div class="first">\n')
    page.table(study_sheets.leaderboard(found, name=f"{stem}-leaderboard"))
    drawn, places = page.drawn, page.places
    page.figures([study_figures.leaderboard_figure(found, drawn, name=f"{stem}-iqm")])
    page.parts.append("</div>\n")
    page.charts[f"{stem}-iqm"] = charts.leaderboard_chart(found, places)
    pictures = [
        study_figures.curves_figure(found, drawn, name=f"{stem}-curves"),
        study_figures.profile_figure(found, drawn, name=f"{stem}-profiles"),
    ]
    page.charts[f"{stem}-curves"] = charts.curves_chart(found, places)
    page.charts[f"{stem}-profiles"] = charts.profile_chart(found, places)
    times = charts.time_chart(found, places)
    if times is not None:
        page.charts[f"{stem}-time"] = times
        pictures.append(study_figures.time_figure(found, drawn, name=f"{stem}-time"))
    page.figures(pictures)
    if len(found.agents) > 1:
        matrix = matrix_figures.improvement_figure(found, name=f"{stem}-improvement")
        page.pictures.append(matrix)  # as a file; the page has the table
        page.table(study_sheets.improvements(found, name=f"{stem}-improvement"))
        ranks = study_sheets.rank_test(found, name=f"{stem}-ranks")
        if ranks is not None:
            page.parts.append("<details><summary>Rank tests</summary>\n")
            page.table(ranks)
            page.parts.append("</details>\n")
    if group.mixed:  # their tasks are above
        return
    page.pictures.append(matrix_figures.heat_figure(found, name=f"{stem}-heat"))
    page.table(study_sheets.heat(found, anchors=anchors, name=f"{stem}-heat"))
    _fronts(page, group, anchors)
    names = short_names(group.tasks)
    page.parts.append(f'<h3 id="{stem}-tasks">Tasks of {as_words(group.name)}</h3>\n')
    page.parts.append('<div class="tasks">\n')
    for task, words in zip(group.tasks, names, strict=True):
        _task(page, task, words, anchors[task])
    page.parts.append("</div>\n")


def _badges(group: Group) -> str:
    """Says what a group's numbers are of, beside its name."""
    first = group.tasks[0]
    words = [group.kinds, counted(len(group.tasks), "task"), first.shape.lower()]
    words += [spent_words(first.limits), *(["mixed kinds"] if group.mixed else [])]
    badges = "".join(f"<li>{as_words(word)}</li>" for word in words)
    return f'<ul class="badges">{badges}</ul>\n'


def _fronts(page: Page, group: Group, anchors: Mapping[TaskRuns, str]) -> None:
    """Draws the exact fronts of a group's problems, and what agents found there."""
    single: dict[tuple[object, ...], list[TaskRuns]] = {}
    pictures = []
    for task in group.tasks:
        if task.is_front:
            name = anchors[task].replace("task", "archive")
            found = front_figures.archives_figure(task, page.drawn, name=name)
            pictures.append(found)
            chart = charts.archives_chart(task, page.places, page.networks)
            page.charts[name] = chart
        else:
            asked = task.task
            where = (asked.env, asked.dataset, asked.metric, asked.source, asked.costs)
            single.setdefault((*where, asked.train), []).append(task)
    before = sum(picture.name.startswith("front") for picture in page.pictures)
    for place, tasks in enumerate(single.values(), start=before + 1):
        name = f"front{place}"
        pictures.append(front_figures.incumbents_figure(tasks, page.drawn, name=name))
        chart = charts.incumbents_chart(tasks, page.places, page.networks)
        page.charts[name] = chart
    page.parts.append("<h3>Exact fronts, and what agents found</h3>\n")
    page.figures(pictures)


def _task(page: Page, task: TaskRuns, words: str, stem: str) -> None:
    page.parts.append(f'<details id="{stem}"><summary>{as_words(words)}</summary>\n')
    page.table(study_sheets.task_sheet(task, name=f"{stem}-agents"))
    pictures = [
        study_figures.task_curves_figure(task, page.drawn, name=f"{stem}-curves")
    ]
    page.charts[f"{stem}-curves"] = charts.task_curves_chart(task, page.places)
    best = task.best
    if best is not None:
        found = front_figures.network_figure(task, best, name=f"{stem}-best")
        pictures.append(found)
    page.figures(pictures)
    if not task.is_front:
        exact = task.problem.optimum(task.task.budget)
        unit = METRICS[task.task.metric].unit
        said = f"Exact optimum: {exact.accuracy_percent:.3f} % at {exact.cost:.4g} "
        _network(page, task, exact.genotypes[0], said + unit)
    if best is not None:
        genotype = task.problem.encode(best.incumbent)
        _network(page, task, genotype, "Best network that was found")
        for command in networks.commands_for(task, best.incumbent).values():
            page.command(command)
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


def _network(page: Page, task: TaskRuns, genotype: Genotypes, words: str) -> None:
    """Names a network, to copy and to look at."""
    place = page.networks.number(task, genotype)
    name = as_words(task.problem.decode(genotype))
    page.parts.append(
        f'<p>{as_words(words)}:</p><pre class="copy" data-network="{place}"><code>'
        f"{name}</code></pre>\n"
    )


def _runs(page: Page, study: Study) -> None:
    """Lists every run, which takes the script; a file has them too."""
    page.section("runs", "Every run")
    page.sheets.append(runs_table.runs_sheet(study, name="runs"))
    page.words("The file runs.csv, beside the page, lists every run.", kind="runs")
    page.more["runs"] = runs_table.runs_data(study, page.places, page.networks)
    page.more["tasks"] = [
        {"name": plain(task.name), "anchor": f"task{place}", "front": task.is_front}
        for place, task in enumerate(study.tasks, start=1)
    ]


def _records(page: Page, study: Study) -> None:
    """Says what records these are, what is missing, and whose numbers they are."""
    page.section("records", "Records and provenance")
    runs = study.runs
    failed = sum(bool(run.error) for run in runs)
    limits = dict.fromkeys(spent_words(task.limits) for task in study.tasks)
    counts = {
        "Suites": suites_words(study),
        "Tasks": f"{len(study.tasks)}",
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
            '<div class="warn" id="faults"><strong>Faults</strong>'
            f"<ul>{faults}</ul></div>\n"
        )
    page.table(study_sheets.kinds_sheet(study, name="kinds"))
    page.table(study_sheets.provenance_sheet(study, name="provenance"))


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
