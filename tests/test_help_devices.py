"""Devices measured by HELP: their files, their fidelity, the published split."""

from pathlib import Path

import numpy as np
import pytest

from calibration import help_devices
from hwnas_env import make_problem
from hwnas_env.benchmark.splits import SPLITS
from hwnas_env.devices import DEVICES
from hwnas_env.envs.registration import ENVIRONMENTS, MULTI_DEVICE
from hwnas_env.errors import DeviceFileError
from hwnas_env.maths.statistics import kendall_tau_b
from hwnas_env.spaces.nasbench201 import OPERATIONS, official_genotypes
from hwnas_env.spaces.nasbench201.costs import PAIRS, counted_costs

NAMES = [name for name in help_devices.COLUMNS if name in DEVICES]
HELD = [
    (space, dataset, name)
    for space, dataset in (("nasbench201", "cifar10"), ("fbnet", "cifar100"))
    for name in NAMES
    if space in DEVICES[name].spaces
]

# Least tau-b, largest mean error in percent, of networks that were not fitted. The
# phones' latencies are whole milliseconds.
TARGETS = {
    ("nasbench201", "GPU"): (0.87, 2.8),
    ("nasbench201", "CPU"): (0.83, 7.5),
    ("nasbench201", "phone"): (0.80, 8.5),
    ("fbnet", "GPU"): (0.79, 1.7),
    ("fbnet", "CPU"): (0.82, 2.0),
    ("fbnet", "phone"): (0.56, 9.1),
}


def test_there_are_24_settings_and_40_ids() -> None:
    assert (len(NAMES), len(HELD)) == (24, 40)
    assert "HWNAS-NASBench201-GTX1080Ti-256-v0" in ENVIRONMENTS
    assert "HWNAS-FBNet-TitanXp-64-v0" in ENVIRONMENTS
    assert not set(NAMES) & {name for those in MULTI_DEVICE.values() for name in those}


@pytest.mark.parametrize(("space", "dataset", "name"), HELD)
def test_what_a_file_says_of_itself_meets_the_targets(
    space: str, dataset: str, name: str
) -> None:
    problem = make_problem(space, device=name)
    card = problem.provenance["latency_ms"].fidelity
    assert card is not None
    assert problem.dataset == dataset
    least, most = TARGETS[space, problem.device.group]
    assert card.tau_b is not None
    assert card.tau_b > least
    assert card.mape_percent < most
    assert "HELP" in problem.provenance["latency_ms"].citation


@pytest.mark.data
@pytest.mark.parametrize(("space", "dataset", "name"), HELD)
def test_columns_follow_what_was_measured(
    space: str, dataset: str, name: str, reference: Path
) -> None:
    problem = make_problem(space, device=name, dataset=dataset)
    cell = space == "nasbench201"
    file = "help_nb201_latency" if cell else "help_fbnet_latency_4000"
    with np.load(reference / f"{file}.npz") as data:
        measured = data[help_devices.COLUMNS[name]]
        rows = official_genotypes() if cell else data["genotypes"].astype(np.int8)
    held = np.isfinite(measured)
    estimate = problem.known_costs(rows[held])
    card = problem.provenance["latency_ms"].fidelity
    assert card is not None
    assert card.n == held.sum()
    assert kendall_tau_b(estimate, measured[held]) > card.tau_b - 0.001


@pytest.mark.data
@pytest.mark.full
def test_calibration_gives_the_committed_columns(reference: Path) -> None:
    for space, entries in (
        ("nasbench201", help_devices.nasbench201_entries(reference)),
        ("fbnet", help_devices.fbnet_entries(reference)),
    ):
        for key, entry in entries.items():
            dataset, name, metric = key.split("/")
            assert DEVICES[name].coefficients(space, dataset, metric) == entry, key


@pytest.mark.parametrize("space", ["nasbench201", "fbnet"])
def test_the_published_split_names_devices_that_are_here(space: str) -> None:
    split = SPLITS["HELP"][space]
    named = (*split.train, *split.valid, *split.test)
    assert len(set(named)) == len(named) == 16
    assert all(space in DEVICES[name].spaces for name in named)


def test_products_count_pairs_of_operations() -> None:
    cells = official_genotypes()
    counts = [(cells == op).sum(axis=1) for op in range(len(OPERATIONS))]
    for pair in PAIRS:
        one, other = (OPERATIONS.index(name) for name in pair.split(" x "))
        found = counted_costs({"base": 1.0}, {pair: 0.25})
        assert (found == 1.0 + 0.25 * counts[one] * counts[other]).all()


def test_products_may_not_make_a_cost_negative() -> None:
    import hwnas_env
    from hwnas_env.devices import Device

    column = {
        "kind": "user",
        "method": "m",
        "counts": {"base": 1.0},
        "products": {"nor_conv_1x1 x nor_conv_3x3": -0.2},
    }
    facts = {"metrics": ["latency_ms"], "columns": {"cifar10": {"latency_ms": column}}}
    with pytest.raises(DeviceFileError, match=r"add up to -0\.8 for network"):
        hwnas_env.register_device(
            Device("negative", "Negative", {"nasbench201": facts})
        )
