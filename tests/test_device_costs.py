"""Every device's costs in one batch are those that the problems give."""

from typing import Any

import numpy as np
import pytest
from contracts import SIX

from hwnas_env import make_device_costs, make_problem
from hwnas_env.devices import devices_of
from hwnas_env.errors import (
    DataMissingError,
    InvalidArgumentError,
    InvalidGenotypeError,
    UnknownNameError,
)
from hwnas_env.spaces import SEARCH_SPACES


@pytest.mark.parametrize("space", SEARCH_SPACES)
@pytest.mark.parametrize("count", [0, 1, 300, 20_000])
def test_columns_are_those_of_the_problems(
    space: str, count: int, rng: np.random.Generator
) -> None:
    costs = make_device_costs(space)
    rows = SEARCH_SPACES[space].sample(count, rng=rng)
    found = costs.evaluate(rows)
    assert found.shape == (count, len(costs.names))
    for device in devices_of(space):
        if costs.dataset not in device.datasets_in(space):
            assert not any(name.startswith(f"{device.name}_") for name in costs.names)
            continue
        problem = make_problem(space, device=device.name, dataset=costs.dataset)
        evaluation = problem.evaluate(rows)
        for column, metric in enumerate(device.metrics_in(space)):
            place = costs.names.index(f"{device.name}_{metric}")
            assert (found[:, place] == evaluation.costs[:, column]).all()
            assert costs.provenance[place].kind in ("fitted", "modelled", "user")
    out = np.full_like(found, 7.0)
    assert costs.evaluate(rows, out=out) is out
    assert (out == found).all()


def test_upstreams_metrics_are_there() -> None:
    assert len(make_device_costs("nasbench201", devices=[*SIX]).names) == 10
    measured = [name for name in SIX if name != "edgetpu"]
    assert len(make_device_costs("fbnet", devices=measured).names) == 8


@pytest.mark.parametrize(
    ("keywords", "error", "message"),
    [
        ({"devices": []}, InvalidArgumentError, "distinct device names"),
        ({"devices": "fpga"}, InvalidArgumentError, "distinct device names"),
        ({"devices": ["fpga", "fpga"]}, InvalidArgumentError, "distinct"),
        ({"devices": ["fgpa"]}, UnknownNameError, "did you mean 'fpga'"),
        ({"dataset": "cifar"}, UnknownNameError, "did you mean 'cifar10"),
    ],
)
def test_wrong_keywords_have_their_own_errors(
    keywords: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        make_device_costs("nasbench201", **keywords)


@pytest.mark.usefixtures("cache")
def test_measured_costs_want_the_import() -> None:
    with pytest.raises(DataMissingError, match="import"):
        make_device_costs("nasbench201", source="measured")


def test_wrong_batches_and_outputs_are_refused() -> None:
    costs = make_device_costs("nasbench201", devices=["fpga"])
    with pytest.raises(InvalidGenotypeError):
        costs.evaluate([[9] * 6])
    rows = np.zeros((3, 6), dtype=np.int8)
    for out in (np.empty((2, 2)), np.empty((3, 2), np.float32), np.empty((2, 3)).T):
        with pytest.raises(InvalidArgumentError, match=r"float64 \(3, 2\), got float"):
            costs.evaluate(rows, out=out)
    with pytest.raises(InvalidArgumentError, match="got list"):
        costs.evaluate(rows, out=[1.0])  # type: ignore[arg-type]
