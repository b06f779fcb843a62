"""Correlations between devices, and what is best where."""

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from hwnas_env import make_problem
from hwnas_env.benchmark.analysis import best_by_device, correlate, cost_correlations
from hwnas_env.cli import app
from hwnas_env.envs.registration import SIX_DEVICES
from hwnas_env.errors import InvalidArgumentError
from hwnas_env.spaces import SEARCH_SPACES


def test_correlations_are_those_of_the_rows_that_have_both() -> None:
    table = np.array([[1.0, 4.0], [2.0, 3.0], [3.0, 1.0], [np.inf, 9.0], [5.0, np.nan]])
    found = correlate(("a", "b"), table)
    assert found.kendall[0, 1] == found.kendall[1, 0] == pytest.approx(-1.0)
    assert found.pearson[0, 1] == pytest.approx(np.corrcoef(table[:3].T)[0, 1])
    assert (np.diag(found.kendall) == 1).all()
    assert np.isnan(correlate(("a", "b"), np.ones((5, 2))).kendall[0, 1])
    with pytest.raises(InvalidArgumentError, match="3 columns"):
        correlate(("a", "b", "c"), table)


@pytest.mark.data
def test_measured_devices_agree_as_published(reference: Path) -> None:
    """Figures of the complete table; the reference folder lacks some rows."""
    held = np.load(reference / "hwnasbench_nb201_cifar10.npz")
    names = ("raspi4", "pixel3", "fpga", "eyeriss")
    columns = [held[f"{name}_latency"].astype(np.float64) for name in names]
    space = SEARCH_SPACES["nasbench201"]
    flops = space.flops(space.from_index(np.arange(space.size)), dataset="cifar10")
    found = correlate((*names, "flops"), np.column_stack([*columns, flops / 1e6]))
    expected = {
        ("raspi4", "pixel3"): 0.846,
        ("raspi4", "fpga"): 0.742,
        ("raspi4", "eyeriss"): 0.507,
        ("pixel3", "fpga"): 0.703,
        ("fpga", "eyeriss"): 0.573,
        ("flops", "fpga"): 0.831,
        ("flops", "raspi4"): 0.739,
        ("flops", "pixel3"): 0.682,
        ("flops", "eyeriss"): 0.418,
    }
    for pair, tau in expected.items():
        i, j = (found.names.index(name) for name in pair)
        assert found.kendall[i, j] == pytest.approx(tau, abs=0.006), pair


@pytest.mark.parametrize("space", ["nasbench201", "fbnet"])
def test_built_in_devices_disagree_on_what_is_cheap(space: str) -> None:
    found = cost_correlations(space, devices=SIX_DEVICES, sample=400)
    latencies = [n for n, name in enumerate(found.names) if "latency" in name]
    assert len(latencies) == 6
    taus = found.kendall[np.ix_(latencies, latencies)]
    others = taus[~np.eye(6, dtype=bool)]
    assert 0 < others.min() < 0.75
    pair = [
        found.names.index(f"fpga_{metric}") for metric in ("latency_ms", "energy_mj")
    ]
    assert found.kendall[pair[0], pair[1]] == pytest.approx(1.0)


@pytest.mark.parametrize("space", ["nasbench201", "fbnet"])
def test_a_devices_best_network_keeps_its_own_budget(space: str) -> None:
    rows = best_by_device(space)
    for row in rows:
        assert row["shares"][row["device"]] <= 1.0
        problem = make_problem(space, device=row["device"])
        assert row["accuracy_percent"] == problem.optimum("medium").accuracy_percent
    elsewhere = [
        share
        for row in rows
        for name, share in row["shares"].items()
        if name != row["device"] and share is not None
    ]
    assert max(elsewhere) > 1.0


def test_the_command_prints_and_draws(tmp_path: Path) -> None:
    picture = tmp_path / "map.png"
    call = ["analyze", "fbnet", "--dataset", "cifar100", "--figure", str(picture)]
    call += [
        word for name in ("raspi4", "fpga", "pixel3") for word in ("--device", name)
    ]
    text = CliRunner().invoke(app, call)
    assert text.exit_code == 0, text.output
    assert "tau-b" in text.stdout
    assert picture.stat().st_size > 20_000
    values = json.loads(CliRunner().invoke(app, [*call, "--json"]).stdout)
    size = len(values["correlations"]["names"])
    assert np.array(values["correlations"]["kendall"]).shape == (size, size)
