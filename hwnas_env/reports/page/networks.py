"""The networks that a page shows: what they are made of, and how to build them."""

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hwnas_env.engines.choices import LETTERS
from hwnas_env.engines.space import SearchSpace
from hwnas_env.reports.page.study import TaskRuns
from hwnas_env.types import Genotypes

ARCHITECTURE = "ARCHITECTURE"
"""Stands in a place's commands for a network's name, in quotes of their language."""


@dataclass
class Networks:
    """Networks of a page, each once, by the number that figures call it by.

    Attributes:
        places: spaces on datasets, with the commands that build a network of each.
        rows: a network's place, its word, and its name where that is not the names of
            its choices joined by ``|``.
    """

    places: list[dict[str, Any]] = field(default_factory=list)
    rows: list[list[Any]] = field(default_factory=list)
    _numbers: dict[tuple[int, str], int] = field(default_factory=dict)
    _places: dict[tuple[str, str, str], int] = field(default_factory=dict)

    def number(self, task: TaskRuns, genotype: Genotypes) -> int:
        """Returns a network's number, and keeps the network where it is new.

        Args:
            task: whose problem it is of.
            genotype: ``(L,)``, valid.
        """
        problem = task.problem
        place = self._place(task)
        (word,) = problem.space.words(genotype[None])
        if (place, word) not in self._numbers:
            self._numbers[place, word] = len(self.rows)
            name = problem.decode(genotype)
            plain = [
                problem.space.choice_name(position, int(choice))
                for position, choice in enumerate(genotype)
            ]
            row: list[Any] = [place, word]
            self.rows.append(row if name == "|".join(plain) else [*row, name])
        return self._numbers[place, word]

    def _place(self, task: TaskRuns) -> int:
        problem = task.problem
        key = (problem.space.name, problem.device.name, problem.dataset)
        if key not in self._places:
            self._places[key] = len(self.places)
            space = problem.space
            self.places.append(
                {
                    "where": problem.where,
                    "positions": list(space.positions),
                    "choices": [list(names) for names in space.operations_at],
                    **commands(task),
                }
            )
        return self._places[key]

    def data(self) -> Mapping[str, Any]:
        """Returns what a page's script needs of them."""
        return {"letters": LETTERS, "places": self.places, "networks": self.rows}


def commands(task: TaskRuns) -> dict[str, str]:
    """Returns what builds and exports a network; nothing where its space offers none.

    Args:
        task: whose networks they are of.

    Returns:
        "python" and "shell", with ``ARCHITECTURE`` for the network's name.
    """
    problem, space = task.problem, task.problem.space
    if type(space).network is SearchSpace.network:
        return {}
    device, dataset = (json.dumps(w) for w in (problem.device.name, problem.dataset))
    made = f"{json.dumps(space.name)}, device={device}, dataset={dataset}"
    env, data = (shlex.quote(word) for word in (task.task.env_id, problem.dataset))
    return {
        "python": (
            f"import hwnas_env\nproblem = hwnas_env.make_problem({made})\n"
            f"network = problem.network(problem.encode({ARCHITECTURE}))"
        ),
        "shell": (
            f"hwnas-env export {ARCHITECTURE} --env {env} --dataset {data} "
            "--onnx network.onnx"
        ),
    }


def commands_for(task: TaskRuns, name: str) -> dict[str, str]:
    """Returns the commands of one network, quoted as their languages ask.

    Args:
        task: whose network it is.
        name: the architecture's.
    """
    quoted = {"python": json.dumps(name), "shell": shlex.quote(name)}
    found = commands(task)
    return {k: words.replace(ARCHITECTURE, quoted[k]) for k, words in found.items()}
