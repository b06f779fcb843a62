"""Problems: evaluation, budgets, exact optima and fronts, over the whole registry."""

import copy
import itertools
import json
import math
import pickle

import numpy as np
import numpy.typing as npt
import pytest
from contracts import PAIRS, PROBLEMS, SIX
from toys import TOY

from hwnas_env import make_problem
from hwnas_env.engines.additive import Additive
from hwnas_env.engines.layered import LayeredModel
from hwnas_env.engines.model import Objective
from hwnas_env.errors import (
    InfeasibleBudgetError,
    InvalidArgumentError,
    InvalidBudgetError,
    InvalidGenotypeError,
    NotExactError,
    NotMeasuredError,
    UnknownNameError,
)
from hwnas_env.metrics import METRICS
from hwnas_env.problems.make import build_model
from hwnas_env.problems.presets import compute_presets, round_up
from hwnas_env.problems.problem import PRESETS, Problem
from hwnas_env.spaces import SEARCH_SPACES
from hwnas_env.spaces.nasbench201 import runs as nasbench201_runs
from hwnas_env.types import FloatArray, Genotypes

CELLS, FBNET = SEARCH_SPACES["nasbench201"], SEARCH_SPACES["fbnet"]


def problem_of(space: str, device: str, dataset: str, metric: str) -> Problem:
    return make_problem(space, device=device, dataset=dataset, metric=metric)


ACCURACY = {"nasbench201": "measured", "mnasnet": "fitted"}
"""Kinds of accuracy; of every other space it is a surrogate."""


@pytest.mark.parametrize(("space", "device", "dataset", "metric"), PROBLEMS)
def test_every_problem_answers_batches_bit_for_bit(
    space: str, device: str, dataset: str, metric: str, rng: np.random.Generator
) -> None:
    problem = problem_of(space, device, dataset, metric)
    rows = problem.space.sample(64, rng=rng)
    before = rows.copy()
    batch = problem.evaluate(rows)
    assert (rows == before).all()
    assert batch.accuracy_percent.shape == batch.deployable.shape == (64,)
    assert batch.costs.shape == (64, len(problem.metrics))
    for number, row in enumerate(rows):
        single = problem.evaluate(row)
        assert single.accuracy_percent[0] == batch.accuracy_percent[number]
        assert (single.costs[0] == batch.costs[number]).all()
        assert single.deployable[0] == batch.deployable[number]
    order = rng.permutation(64)
    assert (problem.evaluate(rows[order]).costs == batch.costs[order]).all()
    assert problem.evaluate(rows[:0]).costs.shape == (0, len(problem.metrics))
    # what a device cannot run costs infinitely much, and nothing else does
    counted = problem.space.counts(dataset)
    measured = len(problem.metrics) - len(counted)
    infinite = np.isinf(batch.costs[:, :measured])
    assert (infinite == ~batch.deployable[:, None]).all()
    assert np.isfinite(batch.costs[:, measured:]).all()
    assert (batch.costs >= 0).all()
    assert ((batch.accuracy_percent > 0) & (batch.accuracy_percent < 100)).all()
    assert tuple(counted) == problem.metrics[measured:]
    if device != TOY:
        known = {"dataset": dataset} if len(problem.space.datasets) > 1 else {}
        counts = problem.space.parameters(rows, **known) / 1e6
        assert (batch.costs[:, problem.metrics.index("parameters_m")] == counts).all()
        counts = problem.space.flops(rows, **known) / 1e6
        assert (batch.costs[:, problem.metrics.index("flops_m")] == counts).all()


@pytest.mark.parametrize(("space", "device", "dataset", "metric"), PROBLEMS)
def test_every_preset_budget_binds(
    space: str, device: str, dataset: str, metric: str, rng: np.random.Generator
) -> None:
    problem = problem_of(space, device, dataset, metric)
    free = problem.optimum()
    column = problem.metric_column
    costs = problem.evaluate(free.genotypes).costs[:, column]
    for preset in PRESETS:
        budget = problem.budget(preset)
        assert isinstance(budget, float)
        binds = (costs > budget).all()  # what is made up need not
        assert binds or device == TOY, f"{preset}: the free optimum is feasible"
        walk = problem.walk(budget)
        rows = np.array([masked_sample(problem, walk, rng) for _ in range(40)])
        feasible = problem.evaluate(rows)
        assert (feasible.costs[:, column] <= budget).all()
        assert feasible.deployable.all()
        assert len(np.unique(feasible.accuracy_percent)) > 1 or device == TOY
    budgets = [problem.presets[name] for name in ("q05", *PRESETS, "q95")]
    assert budgets[0] <= budgets[1] <= budgets[2] <= budgets[3]
    assert budgets[3] <= budgets[4]


def masked_sample(problem, walk, rng):  # type: ignore[no-untyped-def]
    state, genotype = walk.root, []
    for depth in range(problem.space.length):
        mask = walk.view(depth, state)[0]
        choice = int(rng.choice(np.flatnonzero(mask)))
        genotype.append(choice)
        state = walk.child(depth, state, choice)
    return genotype


def test_committed_budgets_are_those_that_the_costs_give() -> None:
    spaces = (SEARCH_SPACES["nasbench201"], SEARCH_SPACES["fbnet"])
    for space, device in itertools.product(spaces, SIX.values()):
        for dataset in space.datasets:
            metrics, model = build_model(space, device, dataset)
            for metric in device.metrics_in(space.name):
                if METRICS[metric].budgetable:
                    found = compute_presets(space, model, metrics.index(metric))
                    assert found == device.presets(space.name, dataset, metric)


def test_rounding_up_never_goes_below(rng: np.random.Generator) -> None:
    values = [*rng.uniform(1e-3, 1e3, 2000).tolist(), 3.646, 2.5728, 9.999999]
    for value in values:
        up = round_up(value)
        assert value <= up <= value * 1.0011
        assert float(f"{up:.4g}") == up


@pytest.mark.parametrize("device", SIX)
def test_cell_optima_equal_a_scan_of_the_table(device: str) -> None:
    problem = make_problem("nasbench201", device=device)
    rows = CELLS.from_index(np.arange(CELLS.size))
    table = problem.evaluate(rows)
    cost = table.costs[:, problem.metric_column]
    attained = np.unique(cost[table.deployable])
    picks = attained[:: max(1, len(attained) // 20)]
    for budget in [*picks.tolist(), *(problem.presets[name] for name in PRESETS)]:
        feasible = table.deployable & (cost <= budget)
        best = table.accuracy_percent[feasible].max()
        found = problem.optimum(budget)
        assert found.accuracy_percent == best
        reach = feasible & (table.accuracy_percent == best)
        expected = {row.tobytes() for row in rows[reach]}
        assert {row.tobytes() for row in found.genotypes} == expected
        assert found.cost == cost[reach].min()


@pytest.mark.parametrize(
    ("dataset", "best"),
    [("cifar10", 91.607), ("cifar100", 73.493), ("ImageNet16-120", 46.733)],
)
def test_measured_optima_are_the_published_ones(dataset: str, best: float) -> None:
    # Dong and Yang, ICLR 2020, table 5: 91.61, 73.49, and 46.73 in later releases.
    problem = make_problem("nasbench201", device="fpga", dataset=dataset)
    assert round(problem.optimum().accuracy_percent, 3) == best


@pytest.mark.parametrize(
    "names",
    [
        ("accuracy", "latency_ms"),
        ("accuracy", "latency_ms", "parameters_m"),
        ("accuracy", "energy_mj", "arithmetic_intensity", "flops_m"),
    ],
)
def test_cell_fronts_equal_the_definition(names: tuple[str, ...]) -> None:
    problem = make_problem("nasbench201", device="eyeriss")
    rows = CELLS.from_index(np.arange(CELLS.size))
    points = natural_points(problem, rows, names)
    signs = np.array(
        [-1.0 if n == "accuracy" or not METRICS[n].minimise else 1.0 for n in names]
    )
    front = problem.pareto_front(names)
    oriented, kept = points * signs, front.points * signs
    for point in oriented[:: 1 if len(names) == 2 else 7]:
        covered = (kept <= point).all(axis=1)
        assert covered.any()
    for point in kept:
        worse = (oriented <= point).all(axis=1) & (oriented < point).any(axis=1)
        assert not worse.any()
    # equal points are all there
    on_front = {tuple(point) for point in front.points}
    count = sum(tuple(point) in on_front for point in points)
    assert count == len(front.genotypes)
    assert (natural_points(problem, front.genotypes, names) == front.points).all()


def natural_points(
    problem: Problem, rows: Genotypes, names: tuple[str, ...]
) -> FloatArray:
    evaluation = problem.evaluate(rows)
    return np.column_stack(
        [
            evaluation.accuracy_percent
            if name == "accuracy"
            else evaluation.costs[:, problem.metrics.index(name)]
            for name in names
        ]
    )


def cut_down(problem: Problem, layers: list[int]) -> tuple[LayeredModel, Genotypes]:
    """Keeps some layers of an FBNet problem, and lists all networks of what is left."""
    model = problem.model
    assert isinstance(model, LayeredModel)
    whole = model.quantities
    small = Additive(
        whole.start,
        np.ascontiguousarray(whole.entries[layers]),
        np.ascontiguousarray(whole.next_state[layers]),
        whole.links,
    )
    rows = np.array(
        list(itertools.product(range(9), repeat=len(layers))), dtype=np.int8
    )
    return LayeredModel("small", small), rows


@pytest.mark.parametrize("device", ["edgetpu", "raspi4", "edgegpu", "fpga"])
@pytest.mark.parametrize("dataset", FBNET.datasets)
def test_fbnet_optima_equal_brute_force_on_a_cut_down_space(
    device: str, dataset: str
) -> None:
    problem = make_problem("fbnet", device=device, dataset=dataset)
    model, rows = cut_down(problem, [1, 2, 9, 17, 21])
    table = model.evaluate(rows)
    cost = table.costs[:, 0]
    attained = np.unique(cost)
    for budget in attained[:: len(attained) // 40].tolist():
        found = model.optimum(0, budget)
        best = table.accuracy_percent[cost <= budget].max()
        assert found.accuracy_percent == best
        assert found.cost == cost[table.accuracy_percent == best].min()
        assert len(found.genotypes) == 1


@pytest.mark.parametrize(
    "device",
    [
        "edgetpu",
        *(pytest.param(n, marks=pytest.mark.full) for n in ("raspi4", "edgegpu")),
    ],
)
def test_fbnet_fronts_equal_brute_force_on_a_cut_down_space(device: str) -> None:
    problem = make_problem("fbnet", device=device)
    model, rows = cut_down(problem, [1, 5, 10, 21])
    table = model.evaluate(rows)
    second = problem.metrics.index("parameters_m")
    for columns in ((0,), (0, second)):
        objectives = (
            Objective("accuracy", -1, minimise=False),
            *(Objective(problem.metrics[c], c, minimise=True) for c in columns),
        )
        front = model.pareto_front(objectives)
        oriented = np.column_stack(
            [-table.accuracy_percent, table.costs[:, list(columns)]]
        )
        unique = np.unique(oriented, axis=0)
        expected = {
            tuple(p)
            for p in unique
            if not ((unique <= p).all(1) & (unique < p).any(1)).any()
        }
        signs = np.array([-1.0, *[1.0] * len(columns)])
        assert {tuple(point) for point in front.points * signs} == expected
        assert len(front.genotypes) == len(expected)


@pytest.mark.parametrize(("space", "device", "dataset", "metric"), PROBLEMS)
def test_no_random_or_climbed_network_beats_an_optimum(
    space: str, device: str, dataset: str, metric: str, rng: np.random.Generator
) -> None:
    problem = problem_of(space, device, dataset, metric)
    column = problem.metric_column
    for preset in PRESETS:
        budget = problem.budget(preset)
        best = problem.optimum(preset)
        evaluation = problem.evaluate(best.genotypes)
        assert (evaluation.accuracy_percent == best.accuracy_percent).all()
        assert (evaluation.costs[:, column] <= budget).all()
        # climb from the optimum itself and from random networks
        starts = [best.genotypes[0], *problem.space.sample(3, rng=rng)]
        for start in starts:
            around = problem.space.neighbours(start)
            more = problem.space.sample(2000, rng=rng)
            rows = np.concatenate([around, more, problem.space.neighbours(around[0])])
            table = problem.evaluate(rows)
            feasible = table.deployable & (table.costs[:, column] <= budget)
            if feasible.any():
                assert table.accuracy_percent[feasible].max() <= best.accuracy_percent


@pytest.mark.full
@pytest.mark.parametrize("device", ["edgetpu", "fpga"])
def test_three_objectives_on_the_full_fbnet_space(device: str) -> None:
    problem = make_problem("fbnet", device=device)
    front = problem.pareto_front(("accuracy", "latency_ms", "parameters_m"))
    two = problem.pareto_front(("accuracy", "latency_ms"))
    points = {tuple(point) for point in front.points[:, :2]}
    assert len(front.points) > len(two.points)
    assert {tuple(point) for point in two.points} <= points


def test_fbnet_front_is_beaten_by_no_random_network(rng: np.random.Generator) -> None:
    problem = make_problem("fbnet", device="edgetpu")
    front = problem.pareto_front()
    assert len(front.points) > 200
    cost, accuracy = front.points[:, 1], front.points[:, 0]
    table = problem.evaluate(problem.space.sample(20000, rng=rng))
    # best accuracy on the front at no more cost
    order = np.argsort(cost)
    best = np.maximum.accumulate(accuracy[order])
    at = np.searchsorted(cost[order], table.costs[:, 0], side="right") - 1
    assert (at >= 0).all()
    assert (table.accuracy_percent <= best[at]).all()


def test_four_objectives_on_fbnet_name_the_limit() -> None:
    problem = make_problem("fbnet", device="edgegpu")
    with pytest.raises(InvalidArgumentError, match="at most 3 objectives"):
        problem.pareto_front(("accuracy", "latency_ms", "energy_mj", "flops_m"))


def test_wrong_objectives_have_their_own_errors() -> None:
    problem = make_problem("fbnet", device="raspi4")
    with pytest.raises(UnknownNameError, match="did you mean 'latency_ms'"):
        problem.pareto_front(("accuracy", "latency"))
    with pytest.raises(InvalidArgumentError, match="twice"):
        problem.pareto_front(("accuracy", "accuracy"))
    with pytest.raises(InvalidArgumentError, match="sequence of names"):
        problem.pareto_front("accuracy")
    with pytest.raises(InvalidArgumentError, match="sequence of names"):
        problem.pareto_front(())
    with pytest.warns(UserWarning, match="one objective"):
        make_problem("fbnet", device="fpga").objectives(["latency_ms", "energy_mj"])


def test_wrong_budgets_have_their_own_errors() -> None:
    problem = make_problem("nasbench201", device="edgegpu")
    with pytest.raises(InvalidBudgetError, match="did you mean 'medium'"):
        problem.budget("mediun")
    for wrong in (0.0, -1.0, math.nan, math.inf, True, None, [1.0]):
        with pytest.raises(InvalidBudgetError):
            problem.budget(wrong)  # type: ignore[arg-type]
    with pytest.raises(InfeasibleBudgetError, match="cheapest deployable"):
        problem.budget(problem.cheapest * (1 - 1e-12))
    assert problem.budget(problem.cheapest) == problem.cheapest
    exact = problem.optimum(problem.cheapest)
    assert exact.cost == problem.cheapest
    assert type(problem.budget(np.float32(9.0))) is float


def test_wrong_names_name_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'edgetpu'"):
        make_problem("fbnet", device="edge_tpu")
    with pytest.raises(UnknownNameError, match="did you mean 'ImageNet'"):
        make_problem("fbnet", device="edgetpu", dataset="imagenet")
    with pytest.raises(UnknownNameError, match="Valid: cifar100, ImageNet"):
        make_problem("fbnet", device="edgetpu", dataset="cifar10")
    with pytest.raises(UnknownNameError, match="Valid: latency_ms"):
        make_problem("fbnet", device="raspi4", metric="energy_mj")
    with pytest.raises(UnknownNameError, match="source"):
        make_problem("fbnet", device="raspi4", source="build-in")
    with pytest.raises(UnknownNameError, match="search space"):
        make_problem("darts", device="raspi4")
    with pytest.raises(InvalidArgumentError, match="valid-200ep-mean"):
        make_problem("nasbench201", device="raspi4", accuracy="median")
    with pytest.raises(InvalidArgumentError, match="accuracy"):
        make_problem("nasbench201", device="raspi4", accuracy=1.5)  # type: ignore[arg-type]
    with pytest.raises(InvalidGenotypeError):
        make_problem("fbnet", device="raspi4").evaluate([0] * 21)
    with pytest.raises(InvalidArgumentError, match="surrogate"):
        make_problem("fbnet", device="raspi4", accuracy="sampled")


def run_count() -> npt.NDArray[np.int64]:
    runs = nasbench201_runs.load_runs("cifar10").accuracy_percent
    return np.asarray((~np.isnan(runs)).sum(axis=1))


def test_accuracy_runs_are_averaged_chosen_and_drawn(rng: np.random.Generator) -> None:
    keywords = {"device": "fpga"}
    mean = make_problem("nasbench201", **keywords)
    rows = CELLS.from_index(np.arange(CELLS.size))
    first = make_problem("nasbench201", accuracy=0, **keywords).evaluate(rows)
    second = make_problem("nasbench201", accuracy=1, **keywords).evaluate(rows)
    third = make_problem("nasbench201", accuracy=2, **keywords)
    drawn = make_problem("nasbench201", accuracy="sampled", **keywords)
    average = mean.evaluate(rows).accuracy_percent
    runs = [first.accuracy_percent, second.accuracy_percent]
    lacking = int(np.flatnonzero(run_count() == 2)[0])
    with pytest.raises(NotMeasuredError, match="has 2 runs"):
        third.evaluate(rows[lacking])
    assert third.evaluate(rows[run_count() == 3]).accuracy_percent.min() > 0
    two = (runs[0][lacking] + runs[1][lacking]) / 2
    assert average[lacking] == pytest.approx(two, rel=1e-12)
    values = {
        drawn.evaluate(rows[lacking], rng=rng).accuracy_percent[0] for _ in range(50)
    }
    assert values == {runs[0][lacking], runs[1][lacking]}
    with pytest.raises(InvalidArgumentError, match="rng"):
        drawn.evaluate(rows[0])
    with pytest.raises(InvalidArgumentError, match="2 or 3 runs"):
        make_problem("nasbench201", accuracy=3, **keywords)
    # optima always use the mean
    best = mean.optimum("medium")
    assert drawn.optimum("medium").accuracy_percent == best.accuracy_percent
    assert (
        make_problem("nasbench201", accuracy=0, **keywords).accuracy
        == "valid-200ep-run0"
    )


def doubled_skips(genotypes: Genotypes) -> FloatArray:
    return 50.0 + (genotypes == 1).sum(axis=1)


def test_a_users_own_accuracy_takes_the_place_of_ours(rng: np.random.Generator) -> None:
    cells = make_problem("nasbench201", device="fpga", accuracy=doubled_skips)
    assert cells.optimum("tight").accuracy_percent == 56.0
    assert cells.provenance["accuracy"].kind == "user"
    named = make_problem(
        "nasbench201", device="fpga", accuracy=f"{__name__}:doubled_skips"
    )
    assert named.optimum("tight").accuracy_percent == 56.0
    nets = make_problem("fbnet", device="fpga", accuracy=doubled_skips)
    rows = FBNET.sample(10, rng=rng)
    assert (nets.evaluate(rows).accuracy_percent == doubled_skips(rows)).all()
    with pytest.raises(NotExactError, match="table of additive scores"):
        nets.optimum("medium")
    table = np.tile(np.arange(9.0) / 9.0, (22, 1))
    own = make_problem("fbnet", device="fpga", accuracy=table)
    assert own.optimum().accuracy_percent == pytest.approx(22 * 8 / 9)
    assert not cells.has_train_seconds
    for wrong in (np.zeros((9, 22)), np.full((22, 9), 5.0)):
        with pytest.raises(InvalidArgumentError):
            make_problem("fbnet", device="fpga", accuracy=wrong)
    with pytest.raises(InvalidArgumentError, match=r"shape \(1,\)"):
        make_problem("fbnet", device="fpga", accuracy=lambda g: np.zeros((len(g), 2)))
    with pytest.raises(InvalidArgumentError, match="percent"):
        make_problem("fbnet", device="fpga", accuracy=lambda g: np.full(len(g), np.nan))
    with pytest.raises(InvalidArgumentError, match=r"package\.module:function"):
        make_problem("fbnet", device="fpga", accuracy="no_such_module:function")


@pytest.mark.parametrize(("space", "device"), PAIRS)
def test_problems_describe_every_column(space: str, device: str) -> None:
    problem = make_problem(space, device=device)
    description = json.loads(json.dumps(problem.describe()))
    assert set(description["columns"]) == {"accuracy", *problem.metrics}
    for name, column in description["columns"].items():
        assert (column["kind"] == "exact") == (name in ("parameters_m", "flops_m"))
        kinds = ("fitted", "modelled", "surrogate", "measured", "exact")
        assert column["kind"] in kinds or device == TOY
        assert column["method"]
        assert column["citation"] or device == TOY
    found = {name: c["kind"] for name, c in description["columns"].items()}
    assert found["accuracy"] == ACCURACY.get(space, "surrogate")
    if (space, device) == ("fbnet", "edgetpu"):
        assert found["latency_ms"] == "modelled"


@pytest.mark.parametrize(("space", "device"), PAIRS)
def test_problems_survive_pickle_and_copies(
    space: str, device: str, rng: np.random.Generator
) -> None:
    problem = make_problem(space, device=device)
    rows = problem.space.sample(20, rng=rng)
    clone = pickle.loads(pickle.dumps(problem))
    assert (clone.evaluate(rows).costs == problem.evaluate(rows).costs).all()
    assert clone.optimum("tight").cost == problem.optimum("tight").cost
    assert copy.deepcopy(problem) is problem


def test_fpga_energy_is_seven_watts_times_latency(rng: np.random.Generator) -> None:
    for space in (SEARCH_SPACES["nasbench201"], SEARCH_SPACES["fbnet"]):
        for dataset in space.datasets:
            problem = make_problem(space.name, device="fpga", dataset=dataset)
            costs = problem.evaluate(space.sample(200, rng=rng)).costs
            latency, energy = costs[:, 0], costs[:, problem.metrics.index("energy_mj")]
            assert (energy == 7.0 * latency).all()
