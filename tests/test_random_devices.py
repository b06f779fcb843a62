"""Drawn devices: problems like any other, the same for a number, blind to some."""

import itertools
import json
import math
import pickle
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from digests import DRAWN_IN, drawn_devices
from toys import CELL, CHAIN

import hwnas_env
from calibration.population import shares
from hwnas_env import make_problem
from hwnas_env.devices import DEVICES
from hwnas_env.engines.population import UNIT
from hwnas_env.engines.states import merged
from hwnas_env.errors import (
    InvalidArgumentError,
    InvalidBudgetError,
    NoPopulationError,
    UnknownNameError,
)
from hwnas_env.fitting.known import machine, packaged_devices
from hwnas_env.problems.problem import Problem
from hwnas_env.problems.random_devices import MOST, RandomDevices, random_devices
from hwnas_env.spaces import get_space

COMMITTED = json.loads(Path(__file__).with_name("digests.json").read_text())


@pytest.mark.parametrize("space", DRAWN_IN)
def test_a_number_is_the_same_device_everywhere(space: str) -> None:
    """Numbers change only with a release; other processors: test_same_bits.py."""
    assert drawn_devices(random_devices(space)) == COMMITTED[f"{space} drawn"]


@pytest.mark.parametrize("space", DRAWN_IN)
def test_numbers_are_different_devices(space: str) -> None:
    devices = random_devices(space)
    networks = get_space(space).population.networks
    drawn = [devices.draw(number) for number in range(20)]
    columns = {problem.known_costs(networks).tobytes() for problem in drawn}
    assert len(columns) == len({problem.device.label for problem in drawn}) == 20


@pytest.mark.parametrize("space", DRAWN_IN)
def test_presets_are_quantiles_of_the_listed_networks(space: str) -> None:
    devices = random_devices(space)
    networks = get_space(space).population.networks
    for number in range(5):
        problem = devices.draw(number)
        costs = problem.evaluate(networks).costs[:, problem.metric_column]
        assert (costs > 0).all()
        fractions = {**problem.space.budgets, "q05": 0.05, "q95": 0.95}
        assert problem.presets.keys() == fractions.keys()
        for name, fraction in fractions.items():
            exact = np.quantile(costs, fraction, method="inverted_cdf")
            assert exact <= problem.presets[name] <= exact * (1 + 1e-3)


@pytest.mark.parametrize("space", DRAWN_IN)
def test_every_budget_binds_and_can_be_met(space: str) -> None:
    devices = random_devices(space)
    free = devices.draw(0).optimum(None)
    for number in range(30):
        problem = devices.draw(number)
        assert problem.cheapest <= problem.budget("tight")
        assert (problem.known_costs(free.genotypes) > problem.budget("loose")).all()
    best = problem.optimum("tight")
    assert (problem.known_costs(best.genotypes) <= problem.budget("tight")).all()
    assert best.accuracy_percent < free.accuracy_percent


def test_where_the_best_network_is_never_too_dear_no_device_is_drawn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    space = get_space("fbnet")
    best = random_devices("fbnet").draw(0).optimum(None).genotypes
    population = replace(space.population, networks=np.repeat(best, 10, axis=0))
    monkeypatch.setitem(vars(space), "population", population)
    with pytest.raises(InvalidBudgetError, match="costs too little"):
        RandomDevices(space, "ImageNet").draw(0)


@pytest.mark.parametrize("space", DRAWN_IN)
def test_a_drawn_problem_has_the_columns_and_accuracy_of_a_real_one(space: str) -> None:
    population = get_space(space).population
    real = make_problem(
        space, device=next(iter(population.machines)), metric=population.metric
    )
    problem = random_devices(space).draw(3)
    assert (problem.dataset, problem.accuracy) == (real.dataset, real.accuracy)
    networks = population.networks[:50]
    one, other = problem.evaluate(networks), real.evaluate(networks)
    assert one.accuracy_percent.tolist() == other.accuracy_percent.tolist()
    assert one.deployable.all()
    for metric in ("parameters_m", "flops_m"):
        columns = [
            answer.costs[:, owner.metrics.index(metric)]
            for answer, owner in ((one, problem), (other, real))
        ]
        assert columns[0].tolist() == columns[1].tolist()
    said = problem.provenance[problem.metric]
    assert said.kind == "modelled"
    assert "drawn device" in said.method
    assert (
        said.sha256 != random_devices(space).draw(4).provenance[problem.metric].sha256
    )


@pytest.mark.parametrize("space", DRAWN_IN)
def test_costs_are_the_same_in_any_batch_and_after_a_pickle(space: str) -> None:
    problem = random_devices(space).draw(11)
    networks = problem.space.population.networks[:40]
    whole = problem.evaluate(networks).costs
    single = [problem.evaluate(row).costs[0].tolist() for row in networks]
    assert whole.tolist() == single
    assert whole[:, 0].tolist() == problem.known_costs(networks).tolist()
    again = pickle.loads(pickle.dumps(problem))
    assert again.evaluate(networks).costs.tolist() == whole.tolist()
    assert again.presets == problem.presets


def last_prefixes(problem: Problem, *, left: int) -> Iterator[tuple[list[int], int]]:
    """Prefixes of listed networks, ``left`` decisions short, and their number."""
    for row in problem.space.population.networks[:12].tolist():
        depth = problem.space.length - left
        yield row[:depth], depth


@pytest.mark.parametrize(("space", "left"), [("nasbench201", 3), ("fbnet", 2)])
@pytest.mark.parametrize("number", [0, 1, 2])
def test_masks_equal_brute_force(space: str, left: int, number: int) -> None:
    problem = random_devices(space).draw(number)
    budget = problem.budget("tight")
    walk, counts = problem.walk(budget), problem.space.choices_at
    for prefix, depth in last_prefixes(problem, left=left):
        state = walk.root
        for place, choice in enumerate(prefix):
            state = walk.child(place, state, choice)
        ends = itertools.product(*(range(count) for count in counts[depth:]))
        rows = np.array([[*prefix, *end] for end in ends], dtype=np.int8)
        meets = problem.known_costs(rows) <= budget
        mask, _, _, completable = walk.view(depth, state)
        assert completable == meets.any()
        by_choice = meets.reshape(counts[depth], -1).any(axis=1)
        assert mask.astype(bool).tolist() == (by_choice | (not completable)).tolist()


def test_a_front_of_a_drawn_device_is_that_of_its_table() -> None:
    problem = random_devices("nasbench201").draw(5)
    front = problem.pareto_front()
    every = problem.evaluate(problem.space.all_genotypes)  # type: ignore[attr-defined]
    for accuracy, cost in front.points.tolist():
        better = (every.accuracy_percent >= accuracy) & (every.costs[:, 0] <= cost)
        same = (every.accuracy_percent == accuracy) & (every.costs[:, 0] == cost)
        assert (better == same).all()


@pytest.mark.parametrize("space", ["fbnet", "mnasnet"])
def test_the_kept_cost_is_the_column_with_no_more_states_than_it_needs(
    space: str,
) -> None:
    model = random_devices(space).draw(2).model
    kept = model.cost(0)  # type: ignore[attr-defined]
    own = merged(model.quantities.columns([0]))  # type: ignore[attr-defined]
    assert kept.start.tolist() == own.start.tolist()
    assert kept.entries.tolist() == own.entries.tolist()
    assert kept.next_state.tolist() == own.next_state.tolist()
    assert (kept.links, kept.blocks_at) == (own.links, own.blocks_at)


def test_devices_left_out_change_what_is_drawn_with_all_of_their_machine() -> None:
    networks = get_space("fbnet").population.networks
    every, one, all_settings = (
        random_devices("fbnet", without=without).draw(0).known_costs(networks)
        for without in ((), ("titanx_1",), ("titanx_1", "titanx_32", "titanx_64"))
    )
    assert one.tolist() == all_settings.tolist()
    assert one.tolist() != every.tolist()


def test_nothing_of_a_device_left_out_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    space = get_space("fbnet")
    before = drawn_devices(RandomDevices(space, "ImageNet", without=("pixel3",)))
    row = space.population.shares["ImageNet"]["pixel3"]
    monkeypatch.setitem(space.population.shares["ImageNet"], "pixel3", row[::-1])  # type: ignore[arg-type]
    monkeypatch.setitem(space.population.costs["ImageNet"], "pixel3", 1e6)  # type: ignore[arg-type]
    assert (
        drawn_devices(RandomDevices(space, "ImageNet", without=("pixel3",))) == before
    )
    assert drawn_devices(RandomDevices(space, "ImageNet")) != COMMITTED["fbnet drawn"]


def test_wrong_arguments_are_named() -> None:
    with pytest.raises(UnknownNameError, match="'pixel3'"):
        random_devices("fbnet", without=("pixel33",))
    with pytest.raises(InvalidArgumentError, match="some real device is left"):
        random_devices("fbnet", without=tuple(get_space("fbnet").population.machines))
    for odd in (0.5, None, True, b"mean", ["mean"]):
        with pytest.raises(InvalidArgumentError, match="accuracy: expected a name"):
            random_devices("fbnet", accuracy=odd)
    with pytest.raises(UnknownNameError, match="dataset"):
        random_devices("fbnet", dataset="cifar10")
    for number in (-1, MOST + 1, 1.0, True, "1"):
        with pytest.raises(InvalidArgumentError, match="device: expected"):
            random_devices("fbnet").draw(number)  # type: ignore[arg-type]


def test_an_accuracy_of_ones_own_leaves_the_device_as_it_is() -> None:
    own = random_devices("nasbench201", accuracy="sampled").draw(9)
    usual = random_devices("nasbench201").draw(9)
    assert own.sampled
    assert own.presets == usual.presets
    best = random_devices("fbnet", accuracy=lambda rows: rows[:, 0] * 1.0).draw(9)
    assert best.presets == random_devices("fbnet").draw(9).presets


@pytest.mark.parametrize("toy", [CELL, CHAIN])
def test_a_space_without_a_population_says_so(toy: object) -> None:
    with pytest.raises(NoPopulationError, match="no population"):
        RandomDevices(toy, "small")  # type: ignore[arg-type]


@pytest.mark.parametrize("name", DRAWN_IN)
def test_the_committed_population_is_what_the_calibration_writes(name: str) -> None:
    space = get_space(name)
    population, root = space.population, Path(hwnas_env.__file__).parent
    words = space.words(population.networks)
    assert len(set(words)) == len(words) == 1000
    names = packaged_devices(name)
    assert dict(population.machines) == {one: machine(DEVICES[one]) for one in names}
    found = json.loads((root / "spaces" / name / "population.json").read_bytes())
    for dataset, device in itertools.product(space.datasets, names):
        row = found["shares_millionths"][dataset][device]
        assert min(row) >= 0
        assert math.isclose(sum(row) / UNIT, 1.0, abs_tol=0.2)
    dataset, device = space.datasets[0], names[0]
    level, row = shares(
        space,
        dataset,
        device,
        metric=population.metric,
        networks=population.networks,
    )
    assert math.isclose(level, population.costs[dataset][device], rel_tol=1e-5)
    assert np.allclose(row, population.shares[dataset][device], atol=2e-6)
