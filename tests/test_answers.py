"""What a space of one's own answers with is checked; a mistake names its place."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from toys import CELL, CHAIN, RAGGED, ToyLayers, ToyTable

import hwnas_env
from hwnas_env.engines.additive import Additive, stateless
from hwnas_env.engines.columns import LayeredAccuracy, TableAccuracy
from hwnas_env.engines.links import Linear
from hwnas_env.errors import HWNASError, InvalidArgumentError
from hwnas_env.problems.answers import check_answers

COSTS = {"latency_ms": np.ones((4, 3))}


def table(changed: Any) -> Any:
    """A table space whose accuracy is another one."""

    @dataclass(frozen=True)
    class Wrong(ToyTable):
        def accuracy(self, name: str | int, dataset: str) -> TableAccuracy:
            right = super().accuracy(name, dataset)
            found: TableAccuracy = changed(right)
            return found

    return Wrong("wrong", "Wrong", CELL.operations, CELL.positions, ("a",), "a")


def layers(changed: Any) -> Any:
    """A layered space whose accuracy is another one."""

    @dataclass(frozen=True)
    class Wrong(ToyLayers):
        def accuracy(self, name: str | int, dataset: str) -> LayeredAccuracy:
            right = super().accuracy(name, dataset)
            found: LayeredAccuracy = changed(right)
            return found

    return Wrong("wrong", "Wrong", CHAIN.operations, CHAIN.positions, ("a",), "a")


def score(entries: Any, start: float = 0.0) -> Any:
    """Replaces the score by one without states."""
    return lambda right: replace(right, score=stateless(start, entries, link=Linear()))


MISTAKES: dict[str, Any] = {
    "accuracy: expected a TableAccuracy, got": table(lambda right: right.mean),
    r"accuracy: expected shape \(27,\), got shape \(26,\)": table(
        lambda right: replace(right, mean=right.mean[:-1])
    ),
    "accuracy: number 0, of pool.*: expected 0 to 100, got 101.0": table(
        lambda right: replace(right, mean=right.mean * 0 + 101.0)
    ),
    "accuracy: number 0, .* got nan": table(
        lambda right: replace(right, mean=right.mean * np.nan)
    ),
    "accuracy: run 1: number 0, .* got -1.0": table(
        lambda right: replace(right, runs=right.runs * [[1, 0]] - [[0, 1]])
    ),
    r"accuracy: runs: expected \(27, R\)": table(
        lambda right: replace(right, runs=right.mean)
    ),
    "accuracy: train_seconds: number 0": table(
        lambda right: replace(right, train_seconds=-right.train_seconds)
    ),
    "accuracy: expected a LayeredAccuracy, got": layers(lambda right: right.score),
    "accuracy: expected an Additive, got 3": layers(
        lambda right: replace(right, score=3)
    ),
    "accuracy: expected 0 to 100, got 0 to 120": layers(score([[0, 10, 30]] * 4)),
    "accuracy: expected one quantity of": layers(score([[0, 10]] * 4)),
    "accuracy: expected a link that is a function and never falls": layers(
        lambda right: replace(
            right,
            score=stateless(0.0, [[0, 1, 3]] * 4, link=lambda x: 50.0 - np.asarray(x)),
        )
    ),
    "accuracy: expected a score, or a function": layers(
        lambda right: replace(right, score=None)
    ),
}


@pytest.mark.parametrize("words", MISTAKES)
def test_a_wrong_answer_names_its_place(words: str) -> None:
    space = MISTAKES[words]
    costs: Any = COSTS if space.length == 4 else {"latency_ms": np.ones(space.size)}
    hwnas_env.register_space(space)
    try:
        with pytest.raises(InvalidArgumentError, match=f"wrong: {words}"):
            hwnas_env.make_problem("wrong", costs=costs)
    finally:
        hwnas_env.unregister_space("wrong")


def test_counts_are_checked_too(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(HWNASError, match=r"unknown metric of toycell\.counts 'params'"):
        check_answers(CELL, None, {"params": 1}, CELL.accuracy("mean", "small"))  # type: ignore[arg-type]
    monkeypatch.setattr(ToyTable, "counts", lambda *_: {"flops_m": np.ones(3)})
    costs = {"latency_ms": np.ones(RAGGED.size)}
    with pytest.raises(InvalidArgumentError, match="counts: flops_m: expected shape"):
        hwnas_env.make_problem("toyragged", costs=costs)


ONE = np.zeros((2, 2, 3, 1))


@pytest.mark.parametrize(
    ("words", "given"),
    [
        ("entries: expected", (np.zeros(1), ONE[0], ONE[..., 0])),
        ("start: expected the shape", (np.zeros(2), ONE, ONE[..., 0])),
        ("next_state: expected the shape", (np.zeros(1), ONE, ONE[0, ..., 0])),
        ("next_state: expected 0 to 1, got 2", (np.zeros(1), ONE, ONE[..., 0] + 2)),
        ("next_state: expected 0 to 1, got -1", (np.zeros(1), ONE, ONE[..., 0] - 1)),
        ("expected finite numbers", (np.zeros(1), ONE * np.nan, ONE[..., 0])),
        ("blocks_at: expected 2 counts", (np.zeros(1), ONE, ONE[..., 0], (3, 4))),
    ],
)
def test_sums_over_layers_are_of_one_shape(words: str, given: Any) -> None:
    start, entries, following, *more = given
    with pytest.raises(InvalidArgumentError, match=words):
        Additive(start, entries, following.astype(np.int64), (Linear(),), *more)
