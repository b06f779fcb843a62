"""The NAS-Bench-201 paper's baselines, by our agents under its protocol."""

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from hwnas_env.benchmark.reproduce import PUBLISHED, reproduce_table5
from hwnas_env.cli import app
from hwnas_env.data.nasbench201_runs import import_accuracy
from hwnas_env.errors import DataMissingError, InvalidArgumentError
from hwnas_env.spaces import SEARCH_SPACES

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
    one, two = (reproduce_table5(runs=4, seed=7, jobs=jobs) for jobs in (1, 2))
    assert one == two
    assert len(one) == 9
    found = {(cell.agent, cell.dataset): cell for cell in one}
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
    assert {cell["agent"] for cell in cells} == set(PUBLISHED)


@pytest.mark.usefixtures("cache")
def test_accuracies_that_are_missing_name_the_import() -> None:
    with pytest.raises(DataMissingError, match="hwnas-env data import"):
        reproduce_table5(runs=2)
    with pytest.raises(InvalidArgumentError, match="at least 2"):
        reproduce_table5(runs=1)


@pytest.mark.data
@pytest.mark.slow
@pytest.mark.usefixtures("cache")
def test_published_means_come_out(reference: Path) -> None:
    """Within the bounds for 500 runs, and three standard errors of 120 more."""
    valid, test = "nb201_valid_accuracy_12ep.npz", "nb201_test_accuracy_200ep.npz"
    import_accuracy(reference / valid, split="valid", epochs=12)
    import_accuracy(reference / test, split="test", epochs=200)
    runs = 120
    cells = reproduce_table5(runs=runs)  # workers may have another cache
    for cell in cells:
        allowed = 0.15 if cell.dataset == "cifar10" else 0.4
        spread = 3.0 * cell.deviation * np.sqrt(1 / runs - 1 / 500)
        off = abs(cell.accuracy_percent - cell.published_percent)
        assert off <= allowed + spread, cell
    means = {(c.agent, c.dataset): c.accuracy_percent for c in cells}
    for dataset in PUBLISHED["random"]:
        assert means["evolution", dataset] > means["random", dataset]
