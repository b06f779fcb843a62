"""Records for optimisers of other projects, and adapters to those that are here."""

import json
import keyword
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from contracts import FORMS
from hypothesis import given
from hypothesis import strategies as st

import hwnas_env
from hwnas_env import integrations
from hwnas_env.benchmark import Limits, Task, run_all, run_once
from hwnas_env.errors import (
    BudgetExhaustedError,
    InvalidArgumentError,
    InvalidGenotypeError,
    MissingExtraError,
    NotSerialisableError,
    UnknownNameError,
)
from hwnas_env.integrations import loss, parameters
from hwnas_env.problems.asking import parameter_names, violation
from hwnas_env.spaces import SEARCH_SPACES

TASK = Task("HWNAS-NASBench201-EdgeTPU-v0", budget="medium")
FORM = pytest.mark.parametrize(("space", "device"), FORMS)


def make_ledger(
    space: str = "nasbench201", device: str = "edgetpu", **limits: Any
) -> Any:
    problem = hwnas_env.make_problem(space, device=device)
    return hwnas_env.BudgetedProblem(problem, **limits)


def drawn(ledger: Any, count: int, *, seed: int = 0) -> Any:
    """Draws genotypes, and the mappings that mean them."""
    space, choices = ledger.problem.space, parameters(ledger.problem)
    rows = space.sample(count, rng=np.random.default_rng(seed))
    return rows, [
        {name: choices[name][at] for name, at in zip(choices, row, strict=True)}
        for row in rows.tolist()
    ]


@pytest.mark.parametrize("name", SEARCH_SPACES)
def test_names_are_identifiers_that_differ_and_stay(name: str) -> None:
    space = SEARCH_SPACES[name]
    names = parameter_names(space)
    assert len({one.lower() for one in names}) == space.length
    for one in names:
        assert one.isascii()
        assert one.isidentifier()
        assert not keyword.iskeyword(one)
        assert not one.startswith("_")
    assert names == parameter_names(space)


@pytest.mark.parametrize(
    ("positions", "expected"),
    [
        (("0→1", "0→2"), ["at_0_1", "at_0_2"]),
        (("layer 1", "class"), ["layer_1", "at_class"]),
        (("größe", "→"), ["gr_e", "at_"]),
        (("a+b", "a-b"), ["position_1", "position_2"]),
        (("→", "←"), ["position_1", "position_2"]),
        (("A", "a"), ["position_1", "position_2"]),
    ],
)
def test_names_of_anyones_positions(positions: Any, expected: list[str]) -> None:
    class Space:
        def __init__(self) -> None:
            self.positions = positions

    space: Any = Space()
    assert parameter_names(space) == expected


@FORM
def test_records_say_what_the_evaluation_says(space: str, device: str) -> None:
    ledger = make_ledger(space, device)
    problem, limit = ledger.problem, ledger.problem.budget("medium")
    rows, asked = drawn(ledger, 200)
    found = problem.evaluate(rows)
    told = ledger.ask(asked)
    assert told == make_ledger(space, device).ask(rows)
    assert ledger.queries == 200
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    for row, record in enumerate(told):
        cost = float(found.costs[row, problem.metric_column])
        assert record["queries"] == row + 1
        assert record["architecture"] == problem.decode(rows[row])
        assert record["accuracy_percent"] == found.accuracy_percent[row]
        assert record["deployable"] == found.deployable[row]
        assert record["feasible"] == (cost <= limit) == (record["violation"] <= 0)
        assert -1 <= record["violation"] <= 1
        for at, metric in enumerate(problem.metrics):
            value = float(found.costs[row, at])
            assert record.get(metric, math.inf) == value
        assert ("train_seconds" in record) == problem.has_train_seconds
        assert 0 <= loss(record) <= 200
        assert (loss(record) <= 100) == record["feasible"] or loss(record) == 100
    assert {True, False} <= {record["feasible"] for record in told}


def test_one_mapping_is_one_record_and_a_choice_of_one_may_be_left_out() -> None:
    ledger = make_ledger("toyragged", "toybox")
    _, (asked,) = drawn(ledger, 1)
    record = ledger.ask(asked)
    single = [n for n, at in parameters(ledger.problem).items() if len(at) == 1]
    assert single, "the toy has a position with one choice"
    short = {name: value for name, value in asked.items() if name not in single}
    assert ledger.ask(short) == {**record, "queries": 2}
    assert ledger.ask([]) == []


@given(st.floats(1e-6, 1e6), st.floats(1e-6, 1e6))
def test_a_violation_is_positive_exactly_where_a_cost_is_over(
    c: float, t: float
) -> None:
    for cost in (c, t, math.nextafter(t, math.inf), math.nextafter(t, 0), math.inf):
        assert (violation(cost, t) <= 0) == (cost <= t)
        assert -1 <= violation(cost, t) <= 1
    assert violation(c, math.inf) == -1
    assert violation(math.inf, math.inf) == 1


def test_what_is_no_network_is_refused_and_costs_nothing() -> None:
    ledger = make_ledger(max_queries=1)
    _, (asked, other) = drawn(ledger, 2)
    with pytest.raises(UnknownNameError, match="at_0_1"):
        ledger.ask({**asked, "at_0_11": "none"})
    with pytest.raises(UnknownNameError, match="skip_connect"):
        ledger.ask({**asked, "at_0_1": "skip_conect"})
    with pytest.raises(InvalidGenotypeError, match="a choice for at_0_1"):
        ledger.ask({})
    with pytest.raises(InvalidGenotypeError, match="a mapping"):
        ledger.ask([asked, 3])
    with pytest.raises(BudgetExhaustedError):
        ledger.ask([asked, other])
    assert ledger.queries == 0
    ledger.ask(asked)
    assert ledger.exhausted


def test_without_a_budget_all_that_is_deployable_is_feasible() -> None:
    ledger = make_ledger()
    rows, _ = drawn(ledger, 300)
    for record in ledger.ask(rows, budget=None):
        assert record["feasible"] == record["deployable"]
        assert record["violation"] == (-1.0 if record["deployable"] else 1.0)


def test_accuracies_are_drawn_where_they_are_sampled() -> None:
    problem = hwnas_env.make_problem("nasbench201", device="fpga", accuracy="sampled")
    ledger, heard = hwnas_env.BudgetedProblem(problem), []
    ledger.watch(lambda _, record: heard.append(record))
    rows, _ = drawn(ledger, 50)
    told = ledger.ask(rows, rng=np.random.default_rng(3))
    expected = problem.evaluate(rows, rng=np.random.default_rng(3))
    assert [one["accuracy_percent"] for one in told] == list(expected.accuracy_percent)
    assert heard == told


# Who watches


@FORM
def test_who_watches_hears_what_was_asked(space: str, device: str) -> None:
    ledger, heard = make_ledger(space, device), []
    ledger.watch(lambda query, record: heard.append((query, record)), budget="tight")
    rows, asked = drawn(ledger, 20)
    told = [*ledger.ask(rows[:5], budget="tight"), ledger.ask(asked[5], budget="tight")]
    ledger.spend(rows[6:9])
    ledger.charge(
        ledger.problem.space.keys(rows[9:10]),
        ledger.problem.evaluate(rows[9:10]).train_seconds,
        ledger.problem.evaluate(rows[9:10]).accuracy_percent,
    )
    again = make_ledger(space, device)
    assert [record for _, record in heard] == again.ask(rows[:10], budget="tight")
    assert heard[:6] == [(one["queries"], one) for one in told]


@pytest.mark.parametrize("agent", ["random", "evolution", "reinforce"])
def test_a_callback_hears_every_query_and_changes_no_run(agent: str) -> None:
    heard: list[Any] = []

    def callback(query: int, record: Any) -> None:
        heard.append((query, dict(record)))
        record.clear()

    plain = run_once(TASK, agent, seed=1, queries=40)
    assert run_once(TASK, agent, seed=1, queries=40, callback=callback) == plain
    assert [query for query, _ in heard] == list(range(1, 41))
    space = TASK.problem().space
    asked = space.validate([record["architecture"] for _, record in heard])
    assert space.words(asked) == plain.networks
    best = max(one["accuracy_percent"] for _, one in heard if one["feasible"])
    assert best == plain.accuracy_percent
    names = {"env": TASK.env_id, "agent": agent, "seed": 1}
    assert all(record.items() >= names.items() for _, record in heard)


def test_environments_tell_who_watches_of_their_queries() -> None:
    import gymnasium as gym

    ledger, heard = make_ledger(max_queries=10), []
    ledger.watch(lambda query, record: heard.append((query, record)))
    env = gym.make(TASK.env_id, ledger=ledger, mode="mutate")
    env.reset(seed=0)
    env.action_space.seed(0)
    seen = [env.step(env.action_space.sample())[4] for _ in range(4)]
    envs = gym.make_vec(TASK.env_id, 3, ledger=ledger, mode="joint")
    envs.reset(seed=0)
    envs.action_space.seed(0)
    envs.step(envs.action_space.sample())
    assert [query for query, _ in heard] == list(range(1, 8))
    for info, (_, record) in zip(seen, heard[:4], strict=True):
        assert record["accuracy_percent"] == info["accuracy_percent"]
        assert record["feasible"] == info["feasible"]


def test_a_callback_that_raises_is_a_warning_and_the_run_goes_on() -> None:
    calls: list[int] = []

    def callback(query: int, record: Any) -> None:
        del record
        calls.append(query)
        if query == 3:
            message = "no disk"
            raise OSError(message)

    plain = run_once(TASK, "random", seed=0, queries=20)
    with pytest.warns(UserWarning, match="called no more: it raised OSError: no disk"):
        found = run_once(TASK, "random", seed=0, queries=20, callback=callback)
    assert found == plain
    assert found.error == ""
    assert calls == [1, 2, 3]


def test_an_interrupt_in_a_callback_passes() -> None:
    def callback(*_: Any) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_once(TASK, "random", seed=0, queries=20, callback=callback)


def record_in_file(query: int, record: Any) -> None:
    """What a worker process is told to call."""
    path = Path(f"{record['agent']}-{record['seed']}.txt")
    with path.open("a", encoding="utf-8") as file:
        file.write(f"{query} {record['accuracy_percent']}\n")


NAME = "test_integrations:record_in_file"


def test_workers_take_a_callback_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent), prepend=":")
    limits = Limits(5, timeout_seconds=600.0)
    run_all(TASK, ["random"], seeds=1, limits=limits, callback=NAME)
    run_all(TASK, ["evolution"], seeds=2, queries=5, callback=NAME, jobs=1)
    files = sorted(tmp_path.iterdir())
    expected = ["evolution-0.txt", "evolution-1.txt", "random-0.txt"]
    assert [file.name for file in files] == expected
    assert all(len(file.read_text().splitlines()) == 5 for file in files)


@pytest.mark.parametrize(
    "elsewhere", [{"jobs": 2}, {"limits": Limits(5, timeout_seconds=60)}], ids=str
)
def test_workers_refuse_a_function_and_show_its_name(elsewhere: dict[str, Any]) -> None:
    form = r'callback="test_integrations:record_in_file"'
    with pytest.raises(NotSerialisableError, match=form):
        run_all(TASK, ["random"], seeds=1, callback=record_in_file, **elsewhere)
    own = r'callback="package.module:function"'
    with pytest.raises(NotSerialisableError, match=own):
        run_all(TASK, ["random"], seeds=1, callback=lambda *_: None, **elsewhere)


@pytest.mark.parametrize("wrong", ["no:such", "math:pi", 3, "print"])
def test_what_is_no_callback_is_refused_before_a_run(wrong: Any) -> None:
    for call in (run_all, run_once):
        keywords: Any = {"seeds": 1} if call is run_all else {"seed": 0}
        agents: Any = ["random"] if call is run_all else "random"
        with pytest.raises(InvalidArgumentError):
            call(TASK, agents, callback=wrong, **keywords)
    with pytest.raises(InvalidArgumentError):
        make_ledger().watch(wrong)


def test_recorded_runs_are_not_run_again_and_tell_nobody(tmp_path: Path) -> None:
    heard: list[int] = []
    for _ in range(2):
        run_all(
            TASK,
            ["random"],
            seeds=1,
            queries=4,
            folder=tmp_path,
            callback=lambda query, _: heard.append(query),
        )
    assert heard == [1, 2, 3, 4]


def test_a_ledger_of_several_devices_has_no_watcher() -> None:
    with pytest.raises(InvalidArgumentError, match="one device"):
        make_ledger(devices=2).watch(print)


# Adapters


def test_integrations_load_no_client_by_themselves() -> None:
    clients = ("optuna", "optunahub", "pymoo", "nevergrad", "ax", "ConfigSpace")
    code = (
        "import sys, hwnas_env.integrations as found\n"
        "print(len(dir(found)) > 9)\n"
        "[getattr(found, name) for name in found.__all__]\n"
        f"print(sorted(set({clients}) & set(sys.modules)))"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "True\n[]\n"


@pytest.mark.parametrize(
    ("name", "package", "extra"),
    [
        ("to_configspace", "ConfigSpace", "peers"),
        ("nevergrad_choices", "nevergrad", "peers"),
        ("ax_parameters", "ax", "peers"),
        ("pymoo_problem", "pymoo", "peers"),
        ("optunahub_problem", "optunahub", "peers"),
        ("syne_tune_table", "syne_tune", "syne-tune"),
        ("vizier_experimenter", "vizier", "vizier"),
    ],
)
def test_a_client_that_lacks_is_named_with_what_installs_it(
    name: str, package: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in [key for key in sys.modules if key.split(".")[0] == package]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, package, None)
    if package == "optunahub":
        pytest.importorskip("optuna")
    ledger = make_ledger()
    takes_problem = name in {
        "to_configspace",
        "nevergrad_choices",
        "ax_parameters",
        "syne_tune_table",
    }
    with pytest.raises(
        MissingExtraError, match=rf"{name} needs {package}.*\[{extra}\]"
    ):
        getattr(integrations, name)(ledger.problem if takes_problem else ledger)


def test_an_objective_of_optuna_spends_the_ledger_and_stops_its_study() -> None:
    optuna = pytest.importorskip("optuna")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    ledger = make_ledger(max_queries=30)
    sampler = optuna.samplers.TPESampler(seed=0)
    study = optuna.create_study(direction="maximize", sampler=sampler)
    study.optimize(integrations.optuna_objective(ledger), n_trials=50)
    assert ledger.queries == len(study.trials) == 30
    for trial in study.trials:
        record = trial.user_attrs
        assert trial.value == record["accuracy_percent"]
        assert record["architecture"]
    best = study.best_trial
    assert best.user_attrs["feasible"]
    assert best.value <= ledger.problem.optimum("medium").accuracy_percent


@FORM
def test_several_objectives_are_finite_everywhere(space: str, device: str) -> None:
    ledger = make_ledger(space, device)
    names = ("accuracy", ledger.problem.metric)

    class Trial:
        """Draws as a trial does."""

        def __init__(self, seed: int) -> None:
            self._rng, self.constraints = np.random.default_rng(seed), {}
            self.attributes: dict[str, Any] = {}

        def suggest_categorical(self, name: str, choices: Any) -> str:
            del name
            return str(choices[int(self._rng.integers(len(choices)))])

        def set_constraint(self, name: str, value: float) -> None:
            self.constraints[name] = value

        def set_user_attr(self, name: str, value: Any) -> None:
            self.attributes[name] = value

    objective = integrations.optuna_objective(ledger, objectives=names)
    largest = ledger.problem.model.largest(ledger.problem.metric_column)
    for seed in range(60):
        trial = Trial(seed)
        accuracy, cost = objective(trial)
        assert accuracy == trial.attributes["accuracy_percent"]
        assert cost == trial.attributes.get(names[1], largest)
        assert trial.constraints == {"budget": trial.attributes["violation"]}
    with pytest.raises(UnknownNameError):
        integrations.optuna_objective(ledger, objectives=("acuracy",))


def test_optunahubs_problem_costs_one_query_a_trial() -> None:
    optuna = pytest.importorskip("optuna")
    pytest.importorskip("optunahub", reason="optunahub is not installed")
    ledger = make_ledger(max_queries=20)
    problem = integrations.optunahub_problem(
        ledger, objectives=("accuracy", "latency_ms")
    )
    sampler = optuna.samplers.NSGAIISampler(seed=0, population_size=5)
    study = optuna.create_study(directions=problem.directions, sampler=sampler)
    study.optimize(problem, n_trials=20)
    assert ledger.queries == 20
    assert list(problem.search_space) == list(parameters(ledger.problem))


@FORM
def test_configurations_are_networks(space: str, device: str) -> None:
    pytest.importorskip("ConfigSpace", reason="ConfigSpace is not installed")
    ledger = make_ledger(space, device)
    found = integrations.to_configspace(ledger.problem, seed=0)
    asked = [dict(one) for one in found.sample_configuration(20)]
    assert len(ledger.ask(asked)) == 20


@FORM
def test_candidates_of_nevergrad_are_networks(space: str, device: str) -> None:
    ng = pytest.importorskip("nevergrad", reason="nevergrad is not installed")
    ledger = make_ledger(space, device, max_queries=30)
    choices = integrations.nevergrad_choices(ledger.problem, seed=0)
    optimizer = ng.optimizers.DiscreteOnePlusOne(choices, budget=30)
    while not ledger.exhausted:
        candidate = optimizer.ask()
        optimizer.tell(candidate, loss(ledger.ask(candidate.value)))
    assert ledger.queries == 30


@FORM
def test_parameters_of_ax_are_the_choices(space: str, device: str) -> None:
    pytest.importorskip("ax", reason="Ax is not installed")
    problem = hwnas_env.make_problem(space, device=device)
    found = {one.name: one.values for one in integrations.ax_parameters(problem)}
    choices = parameters(problem).items()
    assert found == {name: list(at) for name, at in choices if len(at) > 1}


@FORM
def test_pymoo_minimises_the_error_and_a_metric(space: str, device: str) -> None:
    pytest.importorskip("pymoo", reason="pymoo is not installed")
    from pymoo.algorithms.moo.nsga2 import NSGA2
    from pymoo.optimize import minimize

    ledger, seen = make_ledger(space, device), []
    ledger.watch(lambda _, record: seen.append(record))
    names = ("accuracy", ledger.problem.metric)
    problem = integrations.pymoo_problem(ledger, objectives=names)
    algorithm = NSGA2(pop_size=20, **integrations.pymoo_operators())
    result = minimize(problem, algorithm, ("n_eval", 80), seed=1)
    assert ledger.queries == len(seen) >= 80
    if result.F is not None:
        best = ledger.problem.optimum("medium").accuracy_percent
        assert (100 - result.F[:, 0] <= best).all()
        assert (result.G <= 0).all()
