"""Suites: tasks under a name, scores that do not saturate, shards that add up."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from record_files import put, text_of
from typer.testing import CliRunner

from hwnas_env import BudgetedProblem
from hwnas_env.agents.learner import Learner
from hwnas_env.benchmark.backends import Workers
from hwnas_env.benchmark.expectations import masked_chances
from hwnas_env.benchmark.runs import Limits, Task, check_request, run_once
from hwnas_env.benchmark.scores import expected_best, score
from hwnas_env.benchmark.suite_runs import (
    find_suite,
    jobs_of,
    run_suite,
    suite_summary,
)
from hwnas_env.benchmark.suites import SUITES
from hwnas_env.benchmark.transfer import warm_start
from hwnas_env.cli import app, main
from hwnas_env.engines.noise import uniform_numbers
from hwnas_env.errors import InvalidArgumentError, UnknownNameError

SMOKE = SUITES["smoke"]
CELL = Task("HWNAS-NASBench201-EdgeTPU-v0", budget="tight")
NET = Task("HWNAS-FBNet-EdgeTPU-v0")


def test_suites_name_every_device_and_preset() -> None:
    for name in ("nasbench201-v0", "fbnet-v0"):
        assert len(set(SUITES[name].tasks)) == 18
    with pytest.raises(UnknownNameError, match="did you mean 'fbnet-v0'"):
        find_suite("fbnet")


def test_chances_of_cells_are_those_of_masked_decisions() -> None:
    problem = CELL.problem()
    chance = masked_chances(problem, CELL.limit(problem))
    assert chance.sum() == pytest.approx(1.0)
    rows = problem.space.from_keys(np.arange(problem.space.size))
    feasible = problem.known_costs(rows) <= problem.budget("tight")
    assert ((chance > 0) == feasible).all()
    walk = problem.walk(problem.budget("tight"))
    for number in np.random.default_rng(0).choice(np.flatnonzero(feasible), 50):
        state, expected = walk.root, 1.0
        for depth, choice in enumerate(rows[number].tolist()):
            mask = walk.view(depth, state)[0]
            expected *= mask[choice] / mask.sum()
            state = walk.child(depth, state, choice)
        assert chance[number] == pytest.approx(expected)


RUNS = 60


@pytest.mark.parametrize("task", [CELL, NET], ids=["cells", "fbnet"])
def test_random_search_scores_zero_on_average(task: Task) -> None:
    runs = [run_once(task, "random", seed=seed, queries=30) for seed in range(RUNS)]
    found = np.array([run.accuracy_percent for run in runs])
    expected = expected_best(task, 30)
    error = np.hypot(found.std(ddof=1) / np.sqrt(RUNS), expected.error_percent)
    assert abs(found.mean() - expected.accuracy_percent) < 4 * error
    assert abs(np.mean([score(task, run, Limits(30)) for run in runs])) < 0.2
    more = expected_best(task, 300).accuracy_percent
    assert expected.accuracy_percent < more
    assert more < task.problem().optimum(task.budget).accuracy_percent


def test_the_optimum_scores_one() -> None:
    run = run_once(CELL, "exhaustive", seed=0, queries=15_000)
    assert run.regret_percent == 0.0
    assert score(CELL, run, Limits(15_000)) == pytest.approx(1.0)


def test_numbers_are_uniform_and_the_same_everywhere() -> None:
    drawn = uniform_numbers(100_000, stream=3)
    assert 0 <= drawn.min() < 1e-3
    assert 1 - 1e-3 < drawn.max() < 1
    assert drawn.mean() == pytest.approx(0.5, abs=0.005)
    assert abs(np.corrcoef(drawn, uniform_numbers(100_000, stream=4))[0, 1]) < 0.02
    first = [0.3475515136259677, 0.8336035605323391, 0.490121000374489]
    assert uniform_numbers(3, stream=0) == pytest.approx(first, abs=1e-15)


def test_shards_and_interruptions_add_up_to_one_run(tmp_path: Path) -> None:
    agents, limits = ["random", "evolution"], Limits(40)
    whole = run_suite(SMOKE, agents, seeds=3, limits=limits)
    for shard in ("1/3", "3/3"):
        run_suite(SMOKE, agents, seeds=3, limits=limits, folder=tmp_path, shard=shard)
    assert len(list(tmp_path.glob("*.jsonl.gz"))) == 12
    merged = run_suite(
        SMOKE, agents, seeds=3, limits=limits, folder=tmp_path, workers=Workers(2)
    )
    assert len(list(tmp_path.glob("*.jsonl.gz"))) == 18
    assert merged == whole
    assert suite_summary(SMOKE, merged) == suite_summary(SMOKE, whole)
    jobs = jobs_of(SMOKE, agents, seeds=3, limits=limits)
    parts = [
        jobs_of(SMOKE, agents, seeds=3, limits=limits, shard=f"{i}/5")
        for i in range(1, 6)
    ]
    assert sorted(map(str, jobs)) == sorted(str(job) for part in parts for job in part)
    for shard in ("0/2", "3/2", "1", "a/b"):
        with pytest.raises(InvalidArgumentError, match="shard"):
            jobs_of(SMOKE, agents, seeds=1, limits=limits, shard=shard)


def test_failed_runs_gain_nothing() -> None:
    found = run_suite(
        SMOKE, ["misbehaving:Raises", "random"], seeds=2, limits=Limits(60)
    )
    summary = suite_summary(SMOKE, found)
    rows = {row["agent"]: row for row in summary["agents"]}
    assert rows["misbehaving:Raises"]["failed"] == 6
    assert rows["misbehaving:Raises"]["score"] <= 0
    assert summary["accuracies"] == ["measured", "surrogate"]


def test_the_command_scores_agents(tmp_path: Path) -> None:
    call = ["bench", "run", "smoke", "--out", str(tmp_path), "--seeds", "2"]
    call += ["--queries", "40", "--agent", "random", "--agent", "evolution"]
    text = CliRunner().invoke(app, call)
    assert text.exit_code == 0, text.output
    assert "1 the exact optimum" in text.stdout
    again = json.loads(CliRunner().invoke(app, [*call, "--json"]).stdout)
    assert {row["agent"] for row in again["agents"]} == {"random", "evolution"}


def test_fronts_are_searched_on_every_device_and_energy_where_it_is_its_own() -> None:
    tasks = SUITES["multiobjective-v0"].tasks
    assert len(set(tasks)) == 16
    energy = [task for task in tasks if "energy_mj" in task.objectives]
    assert {task.problem().device.name for task in energy} == {"edgegpu", "eyeriss"}
    assert all(task.budget is None for task in tasks)
    for task in tasks:
        check_request(task, ["random", "nsga2"], seeds=1, limits=Limits(5))


def test_transfer_leaves_one_device_out() -> None:
    tasks = SUITES["transfer-v0"].tasks
    assert len(set(tasks)) == 12
    for task in tasks:
        assert len({task.env, *task.train}) == 6
        check_request(task, ["random"], seeds=1, limits=Limits(10))
    task = tasks[0]
    with pytest.raises(InvalidArgumentError, match="two a device"):
        check_request(task, ["random"], seeds=1, limits=Limits(9))
    for env in (task.env, "HWNAS-FBNet-FPGA-v0"):
        wrong = replace(task, train=(env,))
        with pytest.raises(InvalidArgumentError, match="other environments"):
            check_request(wrong, ["random"], seeds=1, limits=Limits(100))
    for objectives, words in (
        (("accuracy",), "at least two"),
        (("accuracy", "latency_ms"), "no environments"),
    ):
        wrong = replace(task, objectives=objectives)
        with pytest.raises(InvalidArgumentError, match=words):
            check_request(wrong, ["random"], seeds=1, limits=Limits(100))


def test_transferred_networks_come_first_and_the_ledger_is_the_new_devices() -> None:
    task = next(t for t in SUITES["transfer-v0"].tasks if "FBNet" in t.env)
    problem, limit = task.problem(), task.limit(task.problem())
    run = run_once(task, "evolution", seed=0, limits=Limits(100))
    assert run.error == ""
    assert run.queries == 100
    digits = [[int(digit) for digit in word] for word in run.networks]
    warm = np.array(digits[:50])
    accuracy = problem.evaluate(warm).accuracy_percent
    assert (np.diff(accuracy) <= 0).all()
    assert (problem.known_costs(warm) <= limit).all()
    assert len(np.unique(warm, axis=0)) == 50
    alone = run_once(replace(task, train=()), "evolution", seed=0, queries=100)
    assert accuracy[0] > np.mean(alone.curve[:20])
    again = run_once(task, "evolution", seed=0, limits=Limits(100))
    assert again == run
    failed = run_once(task, "misbehaving:Raises", seed=0, limits=Limits(100))
    assert failed.error.startswith("RuntimeError")


def test_agents_that_cannot_be_told_start_from_the_same_networks() -> None:
    task = SUITES["transfer-v0"].tasks[2]
    run = run_once(task, "ppo", seed=0, limits=Limits(60))
    assert run.error == ""
    assert run.queries == 60


def test_warm_starts_are_distinct_feasible_and_best_first() -> None:
    problem = CELL.problem()
    limit = CELL.limit(problem)
    rows = problem.space.from_keys(np.arange(0, 15_625, 100))
    accuracy = problem.evaluate(rows).accuracy_percent
    twice, both = np.concatenate([rows, rows]), np.concatenate([accuracy, accuracy])
    found = warm_start(problem, limit, twice, both)
    within = problem.known_costs(rows) <= limit
    assert len(found) == within.sum()
    values = problem.evaluate(found).accuracy_percent
    assert values.tolist() == sorted(accuracy[within], reverse=True)


def test_summaries_say_of_which_kind_every_task_is(tmp_path: Path) -> None:
    found = run_suite(SMOKE, ["random"], seeds=2, limits=Limits(30))
    summary = suite_summary(SMOKE, found)
    kinds = [row["kinds"] for row in summary["kinds"]]
    assert kinds == [
        {"accuracy": "measured", "latency_ms": "fitted"},
        {"accuracy": "surrogate", "latency_ms": "modelled"},
        {"accuracy": "measured", "latency_ms": "fitted"},
    ]
    rows = summary["agents"][0]["tasks"]
    assert [row["kinds"] for row in rows] == kinds
    assert rows[0]["log10_regret"] >= -3
    assert rows[2]["share"] > 0
    assert rows[2]["log10_regret"] is None
    mean = np.mean([row["log10_regret"] for row in rows[:2]])
    assert summary["agents"][0]["log10_regret"] == pytest.approx(mean)
    call = ["bench", "run", "smoke", "--out", str(tmp_path), "--seeds", "1"]
    text = CliRunner().invoke(app, [*call, "--queries", "20", "--agents", "random"])
    for word in ("surrogate", "modelled", "measured", "fitted"):
        assert word in text.stdout
    listed = CliRunner().invoke(app, ["bench", "suites"]).stdout
    assert all(name in listed for name in SUITES)


def test_a_corrupt_record_ends_in_status_two_after_everything_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    call = ["hwnas-env", "bench", "run", "smoke", "--out", str(tmp_path)]
    call += ["--agents", "random", "--seeds", "2", "--queries", "10"]
    monkeypatch.setattr("sys.argv", call)
    with pytest.raises(SystemExit) as first:
        main()
    assert not first.value.code
    one, two, *_ = sorted(tmp_path.iterdir())
    put(one, text_of(one)[:200])
    two.unlink()
    capsys.readouterr()
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 2
    assert one.name in capsys.readouterr().err
    assert two.exists()


def test_a_learners_policy_goes_on_from_device_to_device(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    task = SUITES["transfer-v0"].tasks[2]
    seen: list[tuple[str, object]] = []
    search = Learner.search

    def watched(self: Learner, ledger: BudgetedProblem) -> None:
        seen.append((self.problem.device.name, self.model))
        search(self, ledger)

    monkeypatch.setattr(Learner, "search", watched)
    run_once(task, "ppo", seed=0, limits=Limits(60))
    devices, models = zip(*seen, strict=True)
    assert len(set(devices)) == 6
    assert devices[-1] == task.problem().device.name
    assert models[0] is None
    assert len(set(map(id, models[1:]))) == 1


def test_tasks_with_one_objective_and_fronts_are_averaged_apart(tmp_path: Path) -> None:
    found = run_suite(SMOKE, ["random", "evolution"], seeds=2, limits=Limits(30))
    for row in suite_summary(SMOKE, found)["agents"]:
        first, second, front = (task["score"] for task in row["tasks"])
        assert row["score"] == pytest.approx((first + second) / 2)
        assert row["front_score"] == front
    fronts = [pair for pair in found if pair[0].task.objectives]
    for row in suite_summary(SMOKE, fronts)["agents"]:
        assert row["score"] == row["tasks"][0]["score"]
        assert row["front_score"] is None
    call = ["bench", "run", "smoke", "--out", str(tmp_path), "--seeds", "1"]
    text = CliRunner().invoke(app, [*call, "--budget", "20", "--agents", "random"])
    assert "front score" in text.stdout
    # and validation sums up, with a line a record only where that is asked for
    call = ["bench", "validate", str(tmp_path)]
    text = CliRunner().invoke(app, call)
    assert text.exit_code == 0
    assert "records: 3; valid: 3; differ: 0" in text.stdout
    assert ".jsonl" not in text.stdout
    verbose = CliRunner().invoke(app, [*call, "--verbose"]).stdout
    assert verbose.count(".jsonl.gz: valid (") == 3
    broken = min(tmp_path.iterdir())
    put(broken, text_of(broken).replace("true", "false", 1))
    text = CliRunner().invoke(app, call)
    assert text.exit_code == 1
    assert text.stdout.count(".jsonl.gz: differs (") == 1
    assert "records: 3; valid: 2; differ: 1" in text.stdout
