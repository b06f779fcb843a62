"""MnasNet: exact counts, fitted sums, and exact answers against brute force."""

import itertools
import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from calibration import mnasnet as calibration
from calibration import mnasnet_beside
from calibration.files import content
from hwnas_env import make_problem
from hwnas_env.devices import DEVICES
from hwnas_env.engines.additive import Additive
from hwnas_env.engines.layered import LayeredModel
from hwnas_env.engines.links import largest_arguments
from hwnas_env.engines.model import Objective
from hwnas_env.envs.registration import ACCELERATORS
from hwnas_env.errors import (
    DeviceFileError,
    InvalidArgumentError,
    InvalidGenotypeError,
    NotExactError,
    UnknownNameError,
)
from hwnas_env.maths.statistics import fidelity
from hwnas_env.problems.problem import PRESETS, Problem
from hwnas_env.spaces.mnasnet import EFFICIENTNET_B0, FEATURES_AT, SPACE, blocks_at
from hwnas_env.spaces.mnasnet.accuracy import coefficients
from hwnas_env.spaces.mnasnet.costs import from_entry
from hwnas_env.spaces.mnasnet.links import SoftFloor
from hwnas_env.types import FloatArray, Genotypes

IMAGENET = "ImageNet"

TARGETS = {
    "zcu102/latency_ms": (0.993, 0.46),
    "vck190/latency_ms": (0.987, 0.60),
    "a100/image_ms": (0.996, 0.32),
    "rtx3090/image_ms": (0.984, 1.0),
    "tpuv2/image_ms": (0.968, 1.5),
    "zcu102/image_ms": (0.978, 1.6),
    "vck190/image_ms": (0.956, 2.4),
    "tpuv3/image_ms": (0.875, 3.3),
}
"""Kendall's tau-b and mean relative error in percent of plain additive ridges, on other
held-out networks of Accel-NASBench."""


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(name, marks=() if name in ("tpuv3", "a100") else pytest.mark.full)
        for name in ACCELERATORS
    ],
)
def problem(request: pytest.FixtureRequest) -> Problem:
    return make_problem("mnasnet", device=request.param)


def test_efficientnet_b0_is_in_the_space_with_its_published_size() -> None:
    assert SPACE.parameters(EFFICIENTNET_B0).tolist() == [5_288_548]  # 5.3 million
    assert SPACE.decode(EFFICIENTNET_B0) == (
        "e1_k3_l1_se|e6_k3_l2_se|e6_k5_l2_se|e6_k3_l3_se|e6_k5_l3_se|e6_k5_l4_se|"
        "e6_k3_l1_se"
    )


def test_the_space_is_that_of_accel_nasbench() -> None:
    assert SPACE.choices_at == (36, 36, 36, 36, 36, 48, 36)
    assert SPACE.size == 36**6 * 48
    assert [len(names) for names in FEATURES_AT] == [6, 6, 6, 6, 6, 7, 6]
    for position in range(7):
        names = [block.name for block in blocks_at(position)]
        assert tuple(names) == SPACE.operations_at[position]


def test_counts_follow_from_the_layers_one_by_one(rng: np.random.Generator) -> None:
    """Parameters and multiply-adds, counted here from the definition."""
    channels, strides = (16, 24, 40, 80, 112, 192, 320), (1, 2, 2, 2, 1, 2, 1)
    for row in SPACE.sample(20, rng=rng):
        parameters, adds, wide, side = 27 * 32 + 64, 31 * 32 * 112**2, 32, 112
        for position, choice in enumerate(row):
            block = blocks_at(position)[choice]
            for layer in range(block.layers):
                inner = wide * block.expansion
                if block.expansion > 1:
                    parameters += wide * inner + 2 * inner
                    adds += (wide + 4) * inner * side**2
                side //= strides[position] if layer == 0 else 1
                parameters += block.kernel**2 * inner + 2 * inner
                adds += (block.kernel**2 + 4) * inner * side**2
                if block.squeeze:
                    squeezed = wide // 4
                    parameters += 2 * inner * squeezed + inner + squeezed
                    adds += 2 * inner * squeezed + inner * (side**2 + 1)
                parameters += inner * channels[position] + 2 * channels[position]
                adds += (inner + 4) * channels[position] * side**2
                wide = channels[position]
        parameters += 320 * 1280 + 2560 + 1281 * 1000
        adds += 324 * 1280 * side**2 + 1280 * (side**2 + 1) + 1_280_000
        assert SPACE.parameters(row).tolist() == [parameters]
        assert SPACE.flops(row).tolist() == [adds]


@pytest.mark.data
def test_counts_equal_the_published_ones_in_every_row(reference: Path) -> None:
    rows, columns = calibration.read(reference)
    counts = SPACE.counts(IMAGENET)
    for metric, name in (("parameters_m", "params"), ("flops_m", "macs")):
        assert (counts[metric].values(rows)[:, 0] == columns[name]).all()


def test_lists_of_features_are_checked() -> None:
    four = [[1] * 7, [3] * 7, [1] * 7, [False] * 7]
    assert SPACE.decode(SPACE.from_lists(*four)) == "|".join(["e1_k3_l1"] * 7)
    for place, wrong in ((0, 3), (1, 7), (2, 4)):
        changed = [list(part) for part in four]
        changed[place][3] = wrong
        with pytest.raises(UnknownNameError, match="mnasnet"):
            SPACE.from_lists(*changed)
    changed = [list(part) for part in four]
    changed[2][5] = 4  # only the sixth has it
    SPACE.from_lists(*changed)
    wrong: list[Any] = [[1] * 6, 5, "1111111", None]
    for part in wrong:
        with pytest.raises(InvalidGenotypeError, match="expansion: expected 7 values"):
            SPACE.from_lists(part, *four[1:])
    flags: Any = ["False"] * 7
    with pytest.raises(InvalidGenotypeError, match="expected True or False"):
        SPACE.from_lists(*four[:3], flags)


def test_coefficients_stay_small() -> None:
    package = files("hwnas_env")
    paths = [package / "devices" / f"{name}.json" for name in ACCELERATORS]
    paths.append(package / "spaces" / "mnasnet" / "accuracy.json")
    for path in paths:
        assert content(json.loads(path.read_bytes())) == path.read_bytes()
    assert sum(len(path.read_bytes()) for path in paths) <= 48 * 1024


@pytest.mark.parametrize("key", TARGETS)
def test_cards_state_an_error_within_what_ridges_reach(key: str) -> None:
    name, metric = key.split("/")
    card = DEVICES[name].provenance("mnasnet", IMAGENET, metric).fidelity
    assert card is not None
    assert card.method == "5-fold cross-validation"
    tau, error = TARGETS[key]
    # a fifth fewer networks than the committed fit has seen
    assert card.tau_b is not None
    assert card.tau_b >= tau - 0.001
    assert card.mape_percent <= error * 1.03


@pytest.mark.data
@pytest.mark.parametrize("key", TARGETS)
def test_costs_follow_the_measured_networks(key: str, reference: Path) -> None:
    rows, columns = calibration.read(reference)
    name, metric = key.split("/")
    measured = columns[calibration.COLUMNS[key].measured]
    target = 1000.0 / measured if metric == "image_ms" else measured
    problem = make_problem("mnasnet", device=name, metric=metric)
    held = np.isfinite(target)
    found = problem.known_costs(rows)[held]
    tau, error = TARGETS[key]
    card = fidelity(found, target[held], method="the networks of the fit")
    assert card.tau_b is not None
    assert card.tau_b >= tau
    assert card.mape_percent <= error


@pytest.mark.data
def test_accuracies_follow_the_trained_networks(reference: Path) -> None:
    rows, columns = calibration.read(reference)
    for name, tau, error in (("mean", 0.91, 0.66), ("pairs", 0.918, 0.56)):
        problem = make_problem("mnasnet", device="a100", accuracy=name)
        evaluation = problem.evaluate(rows)
        card = fidelity(evaluation.accuracy_percent, columns["val_top1"], method="fit")
        assert card.tau_b is not None
        assert card.tau_b >= tau
        assert card.mape_percent <= error
        stated = problem.provenance["accuracy"]
        assert "proxy trainings of one seed, at most 67 % top-1" in stated.method
        assert stated.fidelity is not None
        assert stated.fidelity.tau_b is not None
        assert stated.fidelity.tau_b >= tau
        assert stated.fidelity.mape_percent <= error
    seconds = evaluation.train_seconds
    assert seconds is not None
    clock = fidelity(seconds, columns["train_time"], method="fit")
    assert clock.tau_b is not None
    assert clock.tau_b >= 0.77
    assert clock.mape_percent <= 8.5


@pytest.mark.data
def test_a_prediction_is_printed_beside_its_nearest_measured_networks(
    reference: Path,
) -> None:
    lines = mnasnet_beside.table(reference, EFFICIENTNET_B0).splitlines()
    assert lines[0] == SPACE.decode(EFFICIENTNET_B0)
    assert lines[2].startswith("1: 4 blocks away, e6_k5_l2_se|")
    assert lines[9].split()[:2] == ["val_top1", "66.20"]
    assert len(lines) == 20


@pytest.mark.data
@pytest.mark.full
def test_calibration_gives_the_committed_coefficients(reference: Path) -> None:
    rows, columns = calibration.read(reference)
    key = "vck190/image_ms"
    column = calibration.COLUMNS[key]
    name, metric = key.split("/")
    found = calibration.calibrate_column(column, rows, columns[column.measured], metric)
    assert found == DEVICES[name].coefficients("mnasnet", IMAGENET, metric)


def cut_down(problem: Problem, blocks: list[int], kept: int) -> tuple[Any, Genotypes]:
    """Keeps some neighbouring blocks, and some choices of each."""
    model = problem.model
    assert isinstance(model, LayeredModel)
    whole = model.quantities
    chosen = np.linspace(0, 35, kept).astype(int)
    entries = whole.entries[blocks][:, :, chosen].copy()
    following = whole.next_state[blocks][:, :, chosen].copy()
    # it begins as behind the last choice of the block before
    entries[0, 0], following[0, 0] = entries[0, 35], following[0, 35]
    small = Additive(whole.start, entries, following, whole.links)
    rows = np.array(
        list(itertools.product(range(kept), repeat=len(blocks))), dtype=np.int8
    )
    return LayeredModel("small", small, timed=True), rows


def test_optima_equal_brute_force_on_a_cut_down_space(problem: Problem) -> None:
    model, rows = cut_down(problem, [1, 2, 3, 4], 9)
    table = model.evaluate(rows)
    cost = table.costs[:, problem.metric_column]
    attained = np.unique(cost)
    for budget in attained[:: len(attained) // 25].tolist():
        found = model.optimum(problem.metric_column, budget)
        best = table.accuracy_percent[cost <= budget].max()
        assert found.accuracy_percent == best
        assert found.cost == cost[table.accuracy_percent == best].min()


def test_fronts_equal_brute_force_on_a_cut_down_space(problem: Problem) -> None:
    model, rows = cut_down(problem, [2, 3, 4], 12)
    table = model.evaluate(rows)
    names = ("image_ms", "throughput_ips", "parameters_m")
    for chosen in (names[:1], names[1:2], (names[0], names[2])):
        columns = [problem.metrics.index(name) for name in chosen]
        minimised = [name != "throughput_ips" for name in chosen]
        front = model.pareto_front(
            (
                Objective("accuracy", -1, minimise=False),
                *map(Objective, chosen, columns, minimised),
            )
        )
        signs = np.array([-1.0, *(1.0 if one else -1.0 for one in minimised)])
        points = np.column_stack([table.accuracy_percent, table.costs[:, columns]])
        unique = np.unique(points * signs, axis=0)
        expected = {
            tuple(p)
            for p in unique
            if not ((unique <= p).all(1) & (unique < p).any(1)).any()
        }
        assert {tuple(point) for point in front.points * signs} == expected


def test_every_budget_binds_and_optima_lie_on_the_front(problem: Problem) -> None:
    free = problem.optimum()
    front = problem.pareto_front(("accuracy", problem.metric)).points
    for preset in PRESETS:
        budget = problem.budget(preset)
        best = problem.optimum(preset)
        assert best.cost <= budget < free.cost
        assert best.accuracy_percent == front[front[:, 1] <= budget, 0].max()
    assert free.accuracy_percent == front[:, 0].max() < 69.5


def test_no_other_dataset_or_accuracy_is_answered() -> None:
    with pytest.raises(UnknownNameError, match="ImageNet"):
        make_problem("mnasnet", device="a100", dataset="imagenet")
    for name in (0, "sampled", "test-200ep-mean", True, "par"):
        with pytest.raises(InvalidArgumentError, match=r"'mean' or 'pairs'|a name"):
            make_problem("mnasnet", device="a100", accuracy=name)


def test_pairs_rank_networks_and_have_no_exact_optimum(
    rng: np.random.Generator,
) -> None:
    paired = make_problem("mnasnet", device="a100", accuracy="pairs")
    mean = make_problem("mnasnet", device="a100")
    rows = SPACE.sample(500, rng=rng)
    found = paired.evaluate(rows)
    assert (found.costs == mean.evaluate(rows).costs).all()
    assert (found.train_seconds == mean.evaluate(rows).train_seconds).all()
    single = [paired.evaluate(row).accuracy_percent[0] for row in rows[:20]]
    assert single == found.accuracy_percent[:20].tolist()
    assert (
        fidelity(
            found.accuracy_percent, mean.evaluate(rows).accuracy_percent, method=""
        ).mape_percent
        < 2.0
    )
    with pytest.raises(NotExactError, match='accuracy="mean" has them'):
        paired.optimum("medium")
    with pytest.raises(NotExactError, match='accuracy="mean" has them'):
        paired.pareto_front(("accuracy", "image_ms"))


def test_a_soft_floor_rises_and_bends_where_it_says() -> None:
    link = SoftFloor(0.6, 0.01)
    near = np.nextafter(0.6, 1.0)
    x: FloatArray = np.unique(
        [-1e308, -1e100, -5.0, *np.linspace(0.0, 2.0, 20_001), 0.6, near, 1e100, 1e308]
    )
    with np.errstate(over="ignore"):
        y = link(x)
    assert (np.diff(y) >= 0).all()
    assert link(np.array([0.6])).tolist() == [0.61]
    assert y[0] == 0.6
    assert link(np.array([1.6]))[0] == pytest.approx(1.6001, abs=1e-5)
    for bound in link(np.array([0.3, 0.6, 0.9])):
        last = largest_arguments(link, np.array([bound]))
        assert link(last)[0] <= bound < link(np.nextafter(last, 9.0))[0]


GOOD = DEVICES["tpuv3"].coefficients("mnasnet", IMAGENET, "image_ms")


@pytest.mark.parametrize(
    "changes",
    [
        {"form": "summe"},
        {"form": None},
        {"grid_ms": 0.0},
        {"grid_ms": "1e-5"},
        {"floor_ms": -1.0},
        {"softness_ms": float("nan")},
        {"start_steps": 1.5},
        {"start_steps": 10**19},
        {"start_steps": 2**62},
        {"start_steps": -(2**63)},
        {"start_steps": True},
        {"block_steps": [[True] * 36, *GOOD["block_steps"][1:]]},
        {"block_steps": GOOD["block_steps"][:6]},
        {"block_steps": [*GOOD["block_steps"][:6], [1, 2, 3]]},
        {"block_steps": {}},
        {"pair_steps": []},
        {"pair_steps": [[[1]]] * 6},
        {"large_steps": [[1] * 6] * 5},
        {"grid_mj": 1.0},
    ],
    ids=str,
)
def test_wrong_coefficients_are_an_error(changes: dict[str, Any]) -> None:
    with pytest.raises((ValueError, LookupError, TypeError, DeviceFileError)):
        from_entry({**GOOD, **changes}, "image_ms")


def test_training_seconds_end_a_ledger() -> None:
    problem = make_problem("mnasnet", device="a100")
    seconds = problem.evaluate(EFFICIENTNET_B0).train_seconds
    assert seconds is not None
    assert 1200.0 < problem.model.cheapest_train_seconds() < seconds[0] < 3000.0
    assert coefficients()["train_seconds"]["fidelity"]["n"] == 4110
