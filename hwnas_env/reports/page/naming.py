"""What tasks, and groups of tasks, are called: by suite and space, then by kind."""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from hwnas_env.benchmark.suites import SUITES
from hwnas_env.metrics import METRICS

if TYPE_CHECKING:
    from hwnas_env.reports.page.study import TaskRuns


def suite_of(part: Sequence["TaskRuns"], every: Sequence["TaskRuns"]) -> str:
    """Returns the suite that has all of some tasks; "" where none has.

    Of several it is the one of which most is there.

    Args:
        part: the tasks.
        every: all tasks of the study.
    """
    wanted, here = ({row.task for row in rows} for rows in (part, every))
    shares = {
        suite.name: len(here & set(suite.tasks)) / len(suite.tasks)
        for suite in SUITES.values()
        if wanted <= set(suite.tasks)
    }
    return max(shares, key=shares.__getitem__, default="")


def spaces_of(tasks: Sequence["TaskRuns"]) -> str:
    """Returns the labels of the tasks' search spaces.

    Args:
        tasks: of a group.
    """
    return " and ".join(dict.fromkeys(row.problem.space.label for row in tasks))


def shortest_names(details: Sequence[Sequence[str]]) -> list[str]:
    """Returns names that differ, each with no more details than it needs for that.

    Args:
        details: a thing's words, the most important first; "" for none.

    Example:
        >>> shortest_names([("a", "x", "5"), ("a", "x", "7"), ("b", "x", "5")])
        ['a, 5', 'a, 7', 'b']
    """
    names = []
    for words in details:
        chosen, alike = [words[0]], [row for row in details if row[0] == words[0]]
        for place, word in enumerate(words[1:], start=1):
            same = [row for row in alike if row[place] == word]
            if len(same) < len(alike):
                chosen.append(word)
            alike = same
        names.append(", ".join(filter(None, chosen)))
    return names


def short_names(tasks: Sequence["TaskRuns"]) -> list[str]:
    """Returns the tasks of a group in few words that tell them apart.

    Args:
        tasks: of the group.
    """
    several = len({row.problem.space.name for row in tasks}) > 1
    names = []
    for row in tasks:
        problem, budget = row.problem, row.task.budget
        words = [problem.space.label] if several else []
        words.append(problem.device.label)
        if row.is_front:
            words.append(" / ".join(row.task.objectives))
        elif isinstance(budget, str):
            words.append(budget)
        elif budget is not None:
            words.append(f"≤ {budget:.4g} {METRICS[problem.metric].unit}")
        names.append(", ".join(words))
    counts = Counter(names)
    return [
        name if counts[name] == 1 else row.name
        for name, row in zip(names, tasks, strict=True)
    ]
