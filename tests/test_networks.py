"""Networks as PyTorch modules: counted as the space counts, and written to files."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from hwnas_env import make_problem
from hwnas_env.cli import app
from hwnas_env.errors import DataError, InvalidGenotypeError, NoNetworkError
from hwnas_env.networks import (
    build_network,
    count,
    example,
    export_onnx,
    export_torch,
)
from hwnas_env.spaces import SEARCH_SPACES, SearchSpace

torch = pytest.importorskip("torch")
runtime = pytest.importorskip("onnxruntime")
pytest.importorskip("onnx")

REAL = [
    (name, dataset)
    for name in ("nasbench201", "mnasnet", "fbnet")
    for dataset in SEARCH_SPACES[name].datasets
]
EVERY = pytest.mark.parametrize(("name", "dataset"), REAL)


def known(space: SearchSpace, dataset: str) -> dict[str, str]:
    return {"dataset": dataset} if len(space.datasets) > 1 else {}


def shaken(network: Any, seed: int) -> Any:
    """Normalisations with statistics and weights of their own."""
    generator = torch.Generator().manual_seed(seed)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            for name, low, high in (
                ("running_mean", -0.2, 0.2),
                ("running_var", 0.5, 1.5),
                ("weight", 0.5, 1.5),
                ("bias", -0.2, 0.2),
            ):
                getattr(module, name).data.uniform_(low, high, generator=generator)
    return network


@EVERY
def test_networks_have_the_parameters_and_multiply_adds_of_the_space(
    name: str, dataset: str, rng: np.random.Generator
) -> None:
    space: Any = SEARCH_SPACES[name]
    ends = np.stack([np.zeros(space.length, int), np.array(space.choices_at) - 1])
    for genotype in np.concatenate([ends, space.sample(6, rng=rng)]).astype(np.int8):
        network = build_network(space, genotype, dataset=dataset)
        expected = (
            int(space.parameters(genotype, **known(space, dataset))[0]),
            int(space.flops(genotype, **known(space, dataset))[0]),
        )
        assert count(space, network, dataset=dataset) == expected
        assert not network.training


@EVERY
def test_an_onnx_file_answers_as_the_network(
    name: str, dataset: str, tmp_path: Path, rng: np.random.Generator
) -> None:
    space = SEARCH_SPACES[name]
    images = example(space, dataset=dataset, batch=2)
    for seed, genotype in enumerate(space.sample(2, rng=rng)):
        network = shaken(build_network(space, genotype, dataset=dataset), seed)
        file = export_onnx(network, images, tmp_path / "network.onnx")
        session = runtime.InferenceSession(str(file))
        (answer,) = session.run(None, {"images": images.numpy()})
        with torch.inference_mode():
            logits = network(images).numpy()
        assert answer.shape == logits.shape == (2, space.network(dataset).classes)
        assert np.abs(answer - logits).max() <= 1e-5 * np.abs(logits).max()


@EVERY
def test_networks_train(name: str, dataset: str) -> None:
    space = SEARCH_SPACES[name]
    genotype = np.array(space.choices_at) - 1
    network = build_network(space, genotype, dataset=dataset).train()
    loss = network(example(space, dataset=dataset, batch=2)).square().mean()
    loss.backward()
    assert all(one.grad is not None for one in network.parameters())


def test_every_operation_of_a_cell_is_exported(tmp_path: Path) -> None:
    space = SEARCH_SPACES["nasbench201"]
    for genotype in ([0, 1, 2, 3, 4, 0], [0] * 6, [4, 4, 0, 3, 2, 1]):
        network = shaken(build_network(space, genotype), 3)
        images = example(space)
        file = export_onnx(network, images, tmp_path / "cell.onnx")
        session = runtime.InferenceSession(str(file))
        (answer,) = session.run(None, {"images": images.numpy()})
        logits = network(images).detach().numpy()
        assert np.abs(answer - logits).max() <= 1e-5 * np.abs(logits).max()


def test_modules_of_a_users_own_are_exported(tmp_path: Path) -> None:
    nn = torch.nn
    twice = nn.Conv2d(4, 4, 3, padding=1)
    network = nn.Sequential(
        nn.Conv2d(3, 4, 1),
        twice,
        nn.SiLU(),
        twice,  # the same weights
        nn.AvgPool2d((2, 4), (2, 4), (1, 0)),
        nn.Flatten(),
        nn.Linear(4 * 5 * 2, 6, bias=False),
    )
    images = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    file = export_onnx(network, images, tmp_path / "own.onnx")
    session = runtime.InferenceSession(str(file))
    (answer,) = session.run(None, {"images": images.numpy()})
    assert np.abs(answer - network(images).detach().numpy()).max() <= 1e-5


def test_weights_come_from_the_seed_alone() -> None:
    space = SEARCH_SPACES["nasbench201"]
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    first = build_network(space, [3] * 6, seed=1)
    assert torch.rand(1) == expected
    second, other = (build_network(space, [3] * 6, seed=seed) for seed in (1, 2))
    images = example(space)
    assert (first(images) == second(images)).all()
    assert (first(images) != other(images)).any()
    problem = make_problem("nasbench201", device="fpga", dataset="cifar100")
    assert problem.network([3] * 6)(images).shape == (1, 100)


def test_a_space_without_networks_and_foreign_operations_are_typed_errors(
    tmp_path: Path,
) -> None:
    with pytest.raises(NoNetworkError, match="toycell offers no networks"):
        build_network(SEARCH_SPACES["toycell"], [0, 0, 0])
    with pytest.raises(InvalidGenotypeError):
        build_network(SEARCH_SPACES["nasbench201"], [9] * 6)
    odd = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 1), torch.nn.GELU())
    with pytest.raises(NoNetworkError, match="GELU is not known; known are"):
        export_onnx(odd, torch.zeros(1, 3, 8, 8), tmp_path / "odd.onnx")

    nn = torch.nn
    for module in (
        nn.Conv2d(3, 4, 3, dilation=2),
        nn.Conv2d(3, 4, 3, padding="same"),
        nn.Conv2d(3, 4, 3, padding=1, padding_mode="reflect"),
        nn.AvgPool2d(3, ceil_mode=True),
        nn.BatchNorm2d(3, track_running_stats=False),
        nn.BatchNorm2d(3, affine=False),
        nn.Flatten(2),
    ):
        with pytest.raises(NoNetworkError, match=f"{type(module).__name__} with "):
            export_onnx(module, torch.zeros(1, 3, 8, 8), tmp_path / "odd.onnx")

    class Minus(torch.nn.Module):  # type: ignore[misc,name-defined]
        def forward(self, x: Any) -> Any:
            return x - 1.0

    with pytest.raises(NoNetworkError, match="sub"):
        export_onnx(Minus(), torch.zeros(1, 3), tmp_path / "odd.onnx")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").write_text("here")
    network = build_network(SEARCH_SPACES["nasbench201"], [1] * 6)
    images = example(SEARCH_SPACES["nasbench201"])
    with pytest.raises(DataError, match="the network cannot be written"):
        export_onnx(network, images, tmp_path / "file" / "n.onnx")


def test_the_command_writes_both_files(tmp_path: Path) -> None:
    files = [tmp_path / "n.onnx", tmp_path / "n.pt2"]
    command = ["export", "0", "--env", "HWNAS-NASBench201-FPGA-v0", "--batch", "2"]
    done = CliRunner().invoke(
        app, [*command, "--onnx", str(files[0]), "--torch", str(files[1])]
    )
    assert done.exit_code == 0, done.output
    space = SEARCH_SPACES["nasbench201"]
    images = example(space, batch=2)
    network = build_network(space, space.from_index([0])[0])
    logits = network(images).detach()
    (answer,) = runtime.InferenceSession(str(files[0])).run(
        None, {"images": images.numpy()}
    )
    largest = logits.abs().max()
    assert np.abs(answer - logits.numpy()).max() <= 1e-5 * largest
    read = torch.export.load(files[1]).module()
    assert (read(images) - logits).abs().max() <= 1e-5 * largest
    assert CliRunner().invoke(app, command).exit_code == 2
    assert export_torch(network, images, tmp_path / "again.pt2").is_file()


def test_networks_are_named_in_every_form_that_help_says() -> None:
    words = SEARCH_SPACES["mnasnet"].words(np.array([[1, 27, 33, 29, 35, 47, 25]]))[0]
    shown = set()
    for text in (words, "1,27,33,29,35,47,25", "[1 27 33 29 35 47 25]"):
        command = ["query", text, "--env", "HWNAS-MnasNet-A100-v0", "--json"]
        done = CliRunner().invoke(app, command)
        assert done.exit_code == 0, done.exception
        shown.add(done.output)
    assert len(shown) == 1
    done = CliRunner().invoke(app, ["query", "1rxtzL~", *command[2:]])
    assert isinstance(done.exception, InvalidGenotypeError)
