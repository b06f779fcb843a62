"""Surrogate accuracy of FBNet: anchors, order of blocks, reproducible coefficients."""

import json
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from calibration import fbnet, fbnet_accuracy
from calibration.files import content
from calibration.numerics import gauss_newton
from hwnas_env.errors import InvalidArgumentError, UnknownNameError
from hwnas_env.problems.make import make_problem
from hwnas_env.spaces import SEARCH_SPACES
from hwnas_env.spaces.fbnet import SETTINGS, SKIP
from hwnas_env.spaces.fbnet import accuracy as source
from hwnas_env.spaces.fbnet.accuracy import surrogate_accuracy

LENGTH = 22

# Pairs (worse, better): k3_e1 k3_e1_g2 k3_e3 k3_e6 k5_e1 k5_e1_g2 k5_e3 k5_e6 skip.
ORDER = [
    (6, 7), (2, 3), (0, 2), (1, 0), (8, 1), (3, 7), (2, 6), (0, 4), (4, 6), (5, 4),
    (1, 5), (8, 5), (5, 0),
]  # fmt: skip


def _percent(dataset: str, genotypes: list[list[int]]) -> np.ndarray:
    score = surrogate_accuracy("mean", dataset=dataset).score
    assert score is not None
    return score.values(np.array(genotypes, dtype=np.int8))[:, 0]


@pytest.mark.data
def test_fbnet_a_b_c_come_out_near_their_published_accuracy(reference: Path) -> None:
    found = json.loads((reference / "fbnet_abc_imagenet.json").read_text())
    names = ("fbnet_a", "fbnet_b", "fbnet_c")
    got = _percent("ImageNet", [found[name]["op_idx_list"] for name in names])
    # Source: facebookresearch/mobile-vision, fp32 table; the folder holds another.
    assert got == pytest.approx([73.3, 74.1, 74.9], abs=0.4)
    assert got == pytest.approx([found[name]["top1"] for name in names], abs=0.4)
    assert (np.diff(got) > 0).all()


def test_imagenet_anchors_are_met_within_their_uncertainty() -> None:
    anchors = fbnet_accuracy.IMAGENET_ANCHORS
    got = _percent("ImageNet", [[block] * LENGTH for block in anchors])
    for percent, (target, sigma) in zip(got, anchors.values(), strict=True):
        assert percent == pytest.approx(target, abs=2 * sigma)


def test_cifar100_anchors_are_met() -> None:
    anchors = fbnet_accuracy.CIFAR100_ANCHORS
    got = _percent("cifar100", [[block] * LENGTH for block in anchors])
    assert got == pytest.approx(list(anchors.values()), abs=1e-3)


@pytest.mark.parametrize("dataset", SETTINGS)
def test_blocks_are_in_strict_order_in_every_layer(dataset: str) -> None:
    score = surrogate_accuracy("mean", dataset=dataset).score
    assert score is not None
    entries = score.entries[:, 0, :, 0]
    for worse, better in ORDER:
        assert (entries[:, worse] < entries[:, better]).all()
    assert (entries[:, SKIP] == 0).all()


@pytest.mark.parametrize("dataset", SETTINGS)
def test_accuracy_stays_in_the_range_of_real_networks(
    dataset: str, rng: np.random.Generator
) -> None:
    genotypes = rng.integers(0, SKIP + 1, (5000, LENGTH)).tolist()
    low, high = _percent(dataset, [[SKIP] * LENGTH, [7] * LENGTH])
    assert 15 < low < 40
    assert 70 < high < 77
    got = _percent(dataset, genotypes)
    assert ((got > low) & (got < high)).all()


@pytest.mark.parametrize("dataset", SETTINGS)
def test_the_source_says_that_it_is_a_surrogate_and_how_uncertain(dataset: str) -> None:
    found = surrogate_accuracy("mean", dataset=dataset)
    sigma = source.coefficients()[dataset]
    assert found.name == f"surrogate-{dataset}-mean"
    assert found.function is None
    assert found.provenance.kind == "surrogate"
    assert f"sigma is {sigma['sigma_points']:g} points" in found.provenance.method


@pytest.mark.parametrize("accuracy", ["sampled", 0, "valid-200ep-mean", None])
def test_another_accuracy_raises_and_names_the_way_out(accuracy: object) -> None:
    with pytest.raises(InvalidArgumentError, match=r"no runs; .* table \(22, 9\)"):
        surrogate_accuracy(accuracy, dataset="ImageNet")  # type: ignore[arg-type]


def test_a_wrong_dataset_raises_with_the_nearest_one() -> None:
    with pytest.raises(UnknownNameError, match="ImageNet"):
        surrogate_accuracy("mean", dataset="imagenet")


@pytest.mark.parametrize("dataset", SETTINGS)
def test_positions_add_up_to_one_and_worths_to_the_scale(dataset: str) -> None:
    entry = source.coefficients()[dataset]
    worths = source.worths(entry)
    assert source.positions(entry).sum() == pytest.approx(1.0)
    assert (worths[7], worths[SKIP]) == (pytest.approx(1.0), 0.0)


def test_gauss_newton_finds_a_known_minimum() -> None:
    found = gauss_newton(
        lambda x: np.array([10 * (x[1] - x[0] ** 2), 1 - x[0]]), np.array([-1.2, 1.0])
    )
    assert found == pytest.approx([1.0, 1.0], abs=1e-6)


@pytest.mark.data
@pytest.mark.slow
def test_calibration_gives_the_committed_bytes(reference: Path) -> None:
    committed = (files("hwnas_env.spaces.fbnet") / "accuracy.json").read_bytes()
    assert content(fbnet.calibrate_accuracy(reference)) == committed


def test_noise_has_the_stated_size_and_is_a_function_of_genotype_and_seed() -> None:
    rows = SEARCH_SPACES["fbnet"].sample(20_000, rng=np.random.default_rng(0))
    for dataset, sigma in (("ImageNet", 1.2), ("cifar100", 3.0)):
        keywords = {"device": "edgetpu", "dataset": dataset}
        mean = make_problem("fbnet", **keywords)
        noisy = make_problem("fbnet", accuracy="noisy-7", **keywords)
        other = make_problem("fbnet", accuracy="noisy-8", **keywords)
        drawn = noisy.evaluate(rows).accuracy_percent
        noise = drawn - mean.evaluate(rows).accuracy_percent
        noise /= 1.0 + (rows == SKIP).mean(axis=1)  # grows as layers skip
        assert noise.std() == pytest.approx(sigma, rel=0.03)
        assert abs(noise.mean()) < 0.05 * sigma
        assert (noisy.evaluate(rows[::-1]).accuracy_percent == drawn[::-1]).all()
        assert noisy.evaluate(rows[5]).accuracy_percent[0] == drawn[5]
        again = other.evaluate(rows).accuracy_percent - drawn
        again /= 1.0 + (rows == SKIP).mean(axis=1)
        assert again.std() == pytest.approx(sigma * 2**0.5, rel=0.05)
        # neighbours draw independently
        near = rows.copy()
        near[:, 0] = (near[:, 0] + 1) % 9
        shift = noisy.evaluate(near).accuracy_percent
        shift -= mean.evaluate(near).accuracy_percent
        assert abs(np.corrcoef(noise, shift)[0, 1]) < 0.03
        # regret is measured on the mean
        optimum = noisy.optimum("medium").accuracy_percent
        assert optimum == mean.optimum("medium").accuracy_percent
        assert "noise" in noisy.provenance["accuracy"].method
