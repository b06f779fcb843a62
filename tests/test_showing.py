"""How things show themselves: one line, tables, frames, and names for genotypes."""

import importlib
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import hwnas_env
from hwnas_env import make_problem
from hwnas_env.benchmark import Limits, Suite, Task, run_once
from hwnas_env.benchmark.jobs import Job
from hwnas_env.engines.model import Optimum, ParetoFront
from hwnas_env.errors import (
    InvalidActionError,
    InvalidGenotypeError,
    MissingExtraError,
    UnknownNameError,
)
from hwnas_env.problems import make_device_costs, random_devices
from hwnas_env.problems.problem import Problem
from hwnas_env.showing import ROWS, ByName, Columned, html_table
from hwnas_env.types import Provenance

LONGEST = 200
FACES = (
    *("", "agents", "benchmark", "devices", "engines", "fitting", "measuring"),
    *("networks", "problems", "spaces", "wrappers"),
)
"""Rooms that name what is public in ``__all__``."""

DEVICES = {"nasbench201": "edgegpu", "fbnet": "edgetpu", "mnasnet": "zcu102"}
CELL, NET = "HWNAS-NASBench201-EdgeGPU-v0", "HWNAS-FBNet-EdgeTPU-v0"


@pytest.fixture(scope="module", params=DEVICES)
def problem(request: pytest.FixtureRequest) -> Problem:
    return make_problem(request.param, device=DEVICES[request.param])


def things(problem: Problem) -> Iterator[Any]:
    """Objects that people meet, of one problem."""
    rows = problem.space.sample(30, rng=np.random.default_rng(0))
    ledger = hwnas_env.BudgetedProblem(problem, max_queries=40, record=True)
    evaluation = ledger.evaluate(rows)
    yield from (problem, problem.space, problem.device, problem.model, ledger)
    yield from (evaluation, problem.evaluate(rows[:1]), problem.evaluate(rows[:0]))
    yield from (ledger.history(), problem.optimum("medium"), problem.pareto_front())
    yield from problem.provenance.values()
    yield make_device_costs(problem.space.name)
    yield random_devices(problem.space.name)
    yield random_devices(problem.space.name).draw(0)


def test_what_people_meet_is_one_short_line(problem: Problem) -> None:
    for thing in things(problem):
        shown = repr(thing)
        assert len(shown) < LONGEST, shown
        assert "\n" not in shown
        assert shown.startswith("<")


def test_every_public_name_is_one_short_line() -> None:
    for room in FACES:
        module = importlib.import_module(f"hwnas_env.{room}".rstrip("."))
        for word in module.__all__:
            thing = getattr(module, word)
            assert len(repr(thing)) < LONGEST, (room, word)
            if isinstance(thing, type) and word.endswith("Config"):
                assert repr(thing()) == f"{word}()"


def test_lines_say_what_it_is() -> None:
    problem = make_problem("nasbench201", device="edgegpu")
    where = "NASBench201 on EdgeGPU, cifar10"
    assert repr(problem) == f"<Problem {where}: accuracy under latency_ms>"
    ledger = hwnas_env.BudgetedProblem(problem, max_queries=500)
    ledger.evaluate(problem.space.from_index(np.arange(37)))
    assert repr(ledger) == f"<BudgetedProblem {where}: 37 of 500 queries>"
    ledger = hwnas_env.BudgetedProblem(problem, max_train_seconds=1e6)
    assert repr(ledger).endswith("0 queries, 0 of 1,000,000 training seconds>")
    best = problem.optimum("medium")
    shown = f"{best.accuracy_percent:.2f} %, latency_ms {best.cost:.4g}: |avg_pool"
    assert shown in repr(best)
    assert isinstance(hwnas_env.ENVIRONMENTS, tuple)
    count = len(hwnas_env.ENVIRONMENTS)
    assert repr(hwnas_env.ENVIRONMENTS).startswith(f"<{count} names: HWNAS-NASBench201")
    assert repr(hwnas_env.SEARCH_SPACES).startswith("<")


@pytest.mark.parametrize(
    "task",
    [
        Task(CELL),
        Task(NET, budget=None, objectives=("accuracy", "latency_ms")),
        Task(NET, "cifar100", budget=3.25, train=(CELL,)),
    ],
)
def test_tasks_jobs_suites_and_runs_are_one_short_line(task: Task) -> None:
    shown = [repr(task), repr(Job(task, "x" * 300, 0, Limits(20)))]
    shown += [repr(Suite("s", "x" * 500, (task,)))]
    assert all(task.env in line for line in shown[:1])
    for agent, found in (
        ("random", "after 20 queries"),
        ("misbehaving:Raises", "fail"),
    ):
        alone = Task(
            task.env, task.dataset, budget=task.budget, objectives=task.objectives
        )
        run = run_once(alone, agent, seed=0, queries=20)
        assert f"{agent}, seed 0 on {task.env}" in repr(run)
        assert found in repr(run)
        shown.append(repr(run))
    assert max(map(len, shown)) < LONGEST


class Tables(HTMLParser):
    """Counts rows, and keeps the text of cells."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.rows, self.cells, self.scripts = 0, [], 0
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        del attrs
        self.rows += tag == "tr"
        self.scripts += tag == "script"
        if tag in ("td", "th"):
            self.cells.append("")

    def handle_data(self, data: str) -> None:
        if self.cells:
            self.cells[-1] += data


def test_notebooks_show_tables(problem: Problem) -> None:
    shown = 0
    for thing in things(problem):
        if isinstance(thing, Columned):
            columns = thing.columns()
            count = {len(values) for values in columns.values()}
            assert len(count) == 1
            found = Tables(thing._repr_html_())
            assert found.rows == min(count.pop(), ROWS) + 1
            assert found.cells[: len(columns)] == list(columns)
            shown += 1
    assert shown == 8


def test_words_of_others_are_only_words_in_a_table() -> None:
    hostile = "</td><script>alert(1)</script>"
    found = Tables(html_table({hostile: [hostile, 1.5, float("nan")]}, title=hostile))
    assert found.scripts == 0
    assert found.cells[:3] == [hostile, hostile, "1.5"]


def test_columns_of_an_evaluation_have_names() -> None:
    problem = make_problem("nasbench201", device="edgegpu")
    evaluation = problem.evaluate(problem.space.from_index([0, 1, 2]))
    for column, name in enumerate(problem.metrics):
        assert (evaluation[name] == evaluation.costs[:, column]).all()
    assert evaluation["accuracy_percent"] is evaluation.accuracy_percent
    assert len(evaluation) == len(evaluation["train_seconds"]) == 3
    with pytest.raises(UnknownNameError, match="latency_ms"):
        evaluation["latency"]
    ledger = hwnas_env.BudgetedProblem(problem, max_queries=2)
    assert ledger.spend(problem.space.from_index([0, 1, 2]))["energy_mj"].shape == (2,)


def test_frames_have_the_columns(problem: Problem) -> None:
    pandas = pytest.importorskip("pandas")
    for thing in things(problem):
        if isinstance(thing, Columned):
            frame = thing.to_frame()
            assert isinstance(frame, pandas.DataFrame)
            assert list(frame.columns) == list(thing.columns())
    front = problem.pareto_front().to_frame()
    again = problem.evaluate(front["architecture"].tolist())
    assert (again.accuracy_percent == front["accuracy"]).all()


def test_frames_without_pandas_say_what_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingExtraError, match=r"hwnas_env\[pandas\]"):
        make_problem("nasbench201", device="fpga").to_frame()


def test_architectures_stand_for_genotypes(problem: Problem) -> None:
    rows = problem.space.sample(3, rng=np.random.default_rng(1))
    names = [problem.decode(row) for row in rows]
    expected = problem.evaluate(rows).accuracy_percent
    ledger = hwnas_env.BudgetedProblem(problem, max_queries=20, record=True)
    for given in (names, tuple(names), np.array(names)):
        assert (problem.evaluate(given).accuracy_percent == expected).all()
        assert (ledger.evaluate(given).accuracy_percent == expected).all()
    assert problem.evaluate(names[0]).accuracy_percent == expected[0]
    assert problem.decode(names[0]) == names[0]
    assert (
        problem.space.neighbours(names[0]) == problem.space.neighbours(rows[0])
    ).all()
    assert (ledger.history().genotypes[:3] == rows).all()


def test_names_may_come_out_of_a_frame(problem: Problem) -> None:
    pandas = pytest.importorskip("pandas")
    names = pandas.Series(problem.pareto_front().architectures[:3])
    for given in (names, names.astype("string"), names.to_numpy(dtype=object)):
        assert len(problem.evaluate(given)) == 3
        assert problem.known_costs(given).shape == (3,)


def test_what_an_agent_writes_into_an_answer_changes_no_ledger() -> None:
    problem = make_problem("nasbench201", device="edgegpu")
    ledger = hwnas_env.BudgetedProblem(problem, max_queries=9, record=True)
    evaluation = ledger.evaluate(problem.space.from_index([0, 1]))
    asked = evaluation.accuracy_percent.copy()
    evaluation.accuracy_percent[:] = 123.0
    spent = ledger.spend(problem.space.from_index([0]))
    spent.accuracy_percent[:] = 123.0
    assert (ledger.history().accuracy_percent == [*asked, asked[0]]).all()


def test_an_evaluation_says_that_it_is_no_sequence() -> None:
    problem = make_problem("nasbench201", device="edgegpu")
    evaluation = problem.evaluate(problem.space.from_index([0]))
    assert "latency_ms" in evaluation
    assert "latency" not in evaluation
    with pytest.raises(TypeError, match="not iterable"):
        list(evaluation)  # type: ignore[call-overload]


def test_empty_and_hostile_things_are_one_short_line() -> None:
    nothing = np.zeros((0, 6), dtype=np.int8)
    bad = "\x1b[31m" * 100
    shown = [
        Optimum(nothing, 0.0, 0.0),
        ParetoFront(("accuracy", "latency_ms"), nothing, np.zeros((0, 2))),
        Provenance(kind="user", method=bad, citation=""),
        Suite(bad, bad, ()),
        Job(Task(CELL), bad, 0, Limits(20)),
        gym.make(CELL).spec,
    ]
    for thing in shown:
        assert len(repr(thing)) < LONGEST
        assert repr(thing).isprintable()
    assert "of no network" in repr(shown[0])
    assert shown[1]._repr_html_()


def begun(mode: str, rows: int) -> Any:
    """Returns what resets an environment, or a vector, to a genotype."""
    env: Any = gym.make_vec(NET, rows, mode=mode) if rows else gym.make(NET, mode=mode)

    def reset(genotype: Any) -> list[int]:
        shown = env.reset(options={"genotype": genotype})[1]["genotype"]
        found: list[int] = (shown[-1] if rows else shown).tolist()
        return found

    return reset


@pytest.mark.parametrize("rows", [0, 2])
def test_episodes_begin_with_names(rows: int) -> None:
    space = hwnas_env.SEARCH_SPACES["fbnet"]
    row = space.sample(1, rng=np.random.default_rng(0))[0]
    assert begun("mutate", rows)(space.decode(row)) == row.tolist()
    reset = begun("construct", rows)
    for prefix in (["k3_e1", "skip"], ["k3_e1", 8], ("k3_e1", "skip")):
        assert reset(prefix) == [0, 8, *[-1] * 20]
    with pytest.raises(InvalidActionError, match="at most 21 decisions"):
        reset(space.decode(row))
    with pytest.raises(InvalidActionError, match="at most 21 decisions"):
        reset(["k3_e1"] * 23)
    with pytest.raises(UnknownNameError, match="k3_e1"):
        reset(["k3_e2"])
    with pytest.raises(InvalidGenotypeError, match="22 operation names"):
        reset("x" * 10**6)


@pytest.mark.parametrize(
    "wrong",
    ["", "none", "x" * 10**6, ["none|none"], [["none"] * 6], [None], [["a"], 3]],
)
def test_names_that_are_none_are_refused(wrong: Any) -> None:
    problem = make_problem("nasbench201", device="fpga")
    with pytest.raises((InvalidGenotypeError, UnknownNameError)) as caught:
        problem.evaluate(wrong)
    assert len(str(caught.value)) < 1000


def test_mappings_of_names_cannot_be_changed() -> None:
    values = {"a": 1}
    kept = ByName(values, what="letters")
    values["b"] = 2  # by who has the values, and by nobody else
    assert dict(kept) == values
    assert repr(kept) == "<2 letters: a, b>"
    with pytest.raises(TypeError):
        kept["c"] = 3  # type: ignore[index]
