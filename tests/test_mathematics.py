"""Dominance, rank correlation and rewards, against closed forms and definitions."""

import math

import moocore
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kendalltau

from hwnas_env.maths.indicators import distinct_rows, non_dominated
from hwnas_env.maths.scalarise import RATIO_FLOOR, REWARDS
from hwnas_env.maths.statistics import fidelity, kendall_tau_b


@given(st.integers(0, 10**6), st.integers(1, 3), st.integers(1, 60))
def test_non_dominated_is_the_definition(seed: int, width: int, count: int) -> None:
    points = np.random.default_rng(seed).integers(0, 6, (count, width)).astype(float)
    definition = [
        not any((q <= p).all() and (q < p).any() for q in points) for p in points
    ]
    assert non_dominated(points).tolist() == definition
    library = moocore.is_nondominated(points, keep_weakly=True)
    assert library.tolist() == definition


def test_dominance_of_nothing_is_nothing() -> None:
    assert non_dominated(np.zeros((0, 2))).tolist() == []
    assert distinct_rows(np.array([[1.0, 2.0], [0.0, 1.0], [1.0, 2.0]])).tolist() == [
        0,
        1,
    ]


@given(st.integers(0, 10**6), st.integers(2, 200), st.integers(2, 20))
def test_tau_b_is_scipys(seed: int, count: int, levels: int) -> None:
    rng = np.random.default_rng(seed)
    x, y = rng.integers(0, levels, (2, count)).astype(float)
    if len(set(x)) == 1 or len(set(y)) == 1:
        return
    assert kendall_tau_b(x, y) == pytest.approx(kendalltau(x, y)[0], abs=1e-12)


def test_fidelity_states_relative_errors() -> None:
    card = fidelity(np.array([1.0, 2.2, 3.0]), np.array([1.0, 2.0, 4.0]), method="m")
    assert card.n == 3
    assert card.tau_b == 1.0
    assert card.mape_percent == pytest.approx(35 / 3, rel=1e-3)
    assert card.worst_percent == pytest.approx(25.0)


def _reward(name: str, accuracy: float, cost: float, budget: float) -> float:
    answer = REWARDS[name](np.array([accuracy]), np.array([cost]), budget)
    assert answer.shape == (1,)
    return float(answer[0])


def test_rewards_are_their_papers_formulas() -> None:
    a, c, t = 0.7, 6.0, 4.0
    assert _reward("mnas_hard", a, c, t) == pytest.approx(a * t / c)
    assert _reward("mnas_hard", a, 3.0, t) == a
    assert _reward("mnas_soft", a, c, t) == pytest.approx(a * (c / t) ** -0.07)
    # "five per cent of accuracy for twice the latency" (MnasNet, section 3)
    assert _reward("mnas_soft", 1.0, 8.0, t) == pytest.approx(0.95, abs=0.003)
    assert _reward("tunas_absolute", a, c, t) == pytest.approx(a - 0.07 * 0.5)
    assert _reward("proxyless_rl", a, c, t) == pytest.approx(a * (t / c) ** 0.1)
    loss = -math.log(a) * 0.2 * math.log(6000.0) ** 0.6
    assert _reward("fbnet_loss", a, c, t) == pytest.approx(-loss)
    assert _reward("accuracy_only", a, c, t) == a


@pytest.mark.parametrize("name", REWARDS)
def test_rewards_at_their_edges(name: str) -> None:
    on_budget = _reward(name, 0.7, 4.0, 4.0)
    if name != "fbnet_loss":
        assert on_budget == pytest.approx(0.7)
        assert _reward(name, 0.0, 4.0, 4.0) == 0.0
    assert math.isfinite(_reward(name, 0.0, 400.0, 4.0))
    assert math.isfinite(_reward(name, 0.7, 0.0, 4.0))
    # more accuracy is never worse; more cost above the budget neither better
    assert _reward(name, 0.8, 5.0, 4.0) > _reward(name, 0.7, 5.0, 4.0)
    assert _reward(name, 0.7, 6.0, 4.0) >= _reward(name, 0.7, 8.0, 4.0)


@pytest.mark.parametrize("name", ["mnas_soft", "proxyless_rl", "fbnet_loss"])
def test_ratios_have_a_floor_against_cells_that_cost_nothing(name: str) -> None:
    floor = _reward(name, 0.1, RATIO_FLOOR * 4.0, 4.0)
    assert _reward(name, 0.1, 1e-6, 4.0) == pytest.approx(floor)
    # so a cell at chance does not beat a trained one on the budget
    assert _reward(name, 0.1, 1e-6, 4.0) < _reward(name, 0.9, 4.0, 4.0)
