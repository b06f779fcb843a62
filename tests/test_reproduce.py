"""The NAS-Bench-201 paper's baselines, by our agents under its protocol."""

import itertools
import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from hwnas_env.agents import find_agent
from hwnas_env.benchmark.reproduce import (
    ENTRIES,
    PUBLISHED,
    TOLERANCE,
    reproduce_table5,
)
from hwnas_env.cli import app
from hwnas_env.errors import DataMissingError, InvalidArgumentError
from hwnas_env.reports.terminal.reproduction import order_sentences
from hwnas_env.spaces import SEARCH_SPACES
from hwnas_env.spaces.nasbench201.imports import import_accuracy

SPACE = SEARCH_SPACES["nasbench201"]


def made_up(folder: Path) -> None:
    """Imports accuracies that grow with convolutions, with noise on the signal."""
    rng = np.random.default_rng(0)
    cells = SPACE.from_index(np.arange(SPACE.size))
    quality = 60.0 + 4.0 * (cells == 3).sum(1) + 2.0 * (cells == 2).sum(1)
    names = ("cifar10", "cifar100", "ImageNet16-120")
    for split, epochs, noise in (("valid", 12, 1.0), ("test", 200, 0.0)):
        columns = {n: quality + noise * rng.random(SPACE.size) for n in names}
        path = folder / f"{split}.npz"
        np.savez(path, **columns)
        import_accuracy(path, split=split, epochs=epochs)


@pytest.mark.usefixtures("cache")
def test_any_number_of_jobs_gives_the_same_table(tmp_path: Path) -> None:
    made_up(tmp_path)
    one, two = (reproduce_table5(runs=2, seed=7, jobs=jobs) for jobs in (1, 2))
    assert one == two
    found = {(cell.entry, cell.dataset): cell for cell in one}
    assert len(found) == len(one) == 3 * len(ENTRIES)
    best = found["evolution", "cifar10"].accuracy_percent
    assert best > found["random", "cifar10"].accuracy_percent - 1.0
    assert all(60.0 <= cell.accuracy_percent <= 84.0 for cell in one)
    assert all(60 < cell.queries < 250 for cell in one)


@pytest.mark.usefixtures("cache")
def test_the_command_prints_ours_beside_theirs(tmp_path: Path) -> None:
    made_up(tmp_path)
    call = ["reproduce", "nasbench201-table5", "--runs", "2"]
    text = CliRunner().invoke(app, call)
    assert text.exit_code == 0, text.output
    assert "What differs" in text.stdout
    assert "93.92 ± 0.30" in text.stdout
    cells = json.loads(CliRunner().invoke(app, [*call, "--json"]).stdout)
    assert {cell["entry"] for cell in cells} == set(ENTRIES)
    # made-up accuracies are far from the published ones, and the table says so
    assert not any(cell["within_tolerance"] for cell in cells)
    assert text.stdout.count(" * │") == len(cells)


@pytest.mark.usefixtures("cache")
def test_accuracies_that_are_missing_name_the_import() -> None:
    with pytest.raises(DataMissingError, match="hwnas-env data import"):
        reproduce_table5(runs=2)
    with pytest.raises(InvalidArgumentError, match="at least 2"):
        reproduce_table5(runs=1)


def test_an_order_that_is_not_kept_is_called_so() -> None:
    leads = {"evolution": 3.0, "reinforce": 2.0, "random": 1.0}
    cells = [
        {
            "entry": entry,
            "dataset": dataset,
            "accuracy_percent": sign * lead,
            "standard_error": 0.3,
        }
        for dataset, sign in (("cifar10", 1.0), ("cifar100", -1.0))
        for entry, lead in leads.items()
    ]
    kept, lost = order_sentences(cells)
    assert "evolution over reinforce +1.00 ± 0.42" in kept
    assert kept.endswith("order kept")
    assert "reinforce over random -1.00 ± 0.42" in lost
    assert lost.endswith("order not kept")


def test_every_row_has_published_numbers_to_stand_beside() -> None:
    assert list(ENTRIES)[:3] == list(PUBLISHED)
    for agent, config in ENTRIES.values():
        assert find_agent(agent).config_type is type(config)
        assert set(PUBLISHED[agent]) == set(TOLERANCE)


@pytest.mark.data
@pytest.mark.full
@pytest.mark.usefixtures("cache")
def test_published_means_come_out(reference: Path) -> None:
    """Within the bounds for 500 runs, and three standard errors of 60 more."""
    valid, test = "nb201_valid_accuracy_12ep.npz", "nb201_test_accuracy_200ep.npz"
    import_accuracy(reference / valid, split="valid", epochs=12)
    import_accuracy(reference / test, split="test", epochs=200)
    runs = 60
    cells = reproduce_table5(runs=runs)
    found = {(cell.entry, cell.dataset): cell for cell in cells}
    for entry, dataset in itertools.product(PUBLISHED, TOLERANCE):
        cell = found[entry, dataset]
        spread = 3.0 * cell.deviation * np.sqrt(1 / runs - 1 / 500)
        off = abs(cell.accuracy_percent - cell.published_percent)
        assert off <= TOLERANCE[dataset] + spread, cell
    # reinforce and random are too close for 60 runs to tell them apart
    for dataset in TOLERANCE:
        best, worst = found["evolution", dataset], found["random", dataset]
        assert best.accuracy_percent > worst.accuracy_percent
