"""Elementary functions: near the true value, monotone, the same in every form."""

import math
from collections.abc import Callable
from decimal import Decimal, localcontext
from typing import Any

import numpy as np
import pytest

from hwnas_env.maths import elementary
from hwnas_env.maths.elementary import (
    cosine_of_turns,
    exp,
    log,
    ordered_sum,
    power,
    whole_power,
)
from hwnas_env.types import FloatArray


def worst_units(
    x: FloatArray, answers: FloatArray, true: Callable[[Decimal], Decimal]
) -> float:
    """The largest error of answers, in units in the last place."""
    worst = 0.0
    with localcontext() as context:
        context.prec = 40
        for argument, answer in zip(x.tolist(), answers.tolist(), strict=True):
            error = abs(true(Decimal(argument)) - Decimal(answer))
            worst = max(worst, float(error / Decimal(math.ulp(answer))))
    return worst


@pytest.mark.parametrize("bound", [700.0, 8.0, 1e-2, 1e-8])
def test_the_exponential_is_as_near_as_it_says(
    bound: float, rng: np.random.Generator
) -> None:
    x = rng.uniform(-bound, bound, 2000)
    assert worst_units(x, exp(x), Decimal.exp) <= 0.51


def test_the_exponential_never_falls_where_its_formula_changes() -> None:
    steps = np.arange(-1075 * 2048, 1024 * 2048)
    x = (steps + 0.5) / elementary._STEPS_PER_UNIT
    for _ in range(4):
        x = np.nextafter(x, -np.inf)
    before = exp(x)
    for _ in range(8):
        x = np.nextafter(x, np.inf)
        after = exp(x)
        assert (before <= after).all()
        before = after


@pytest.mark.parametrize("scale", [1e-300, 1e-12, 1e-4, 1e-3, 0.02, 0.5, 6.0, 700.0])
def test_the_exponential_never_falls_between_neighbouring_floats(
    scale: float, rng: np.random.Generator
) -> None:
    x = rng.choice([-1.0, 1.0], 100_000) * rng.uniform(scale / 2, scale, 100_000)
    assert (exp(x) <= exp(np.nextafter(x, np.inf))).all()


@pytest.mark.parametrize(("low", "high"), [(1e-300, 1e300), (0.5, 2.0), (0.999, 1.001)])
def test_the_logarithm_is_as_near_as_it_says(
    low: float, high: float, rng: np.random.Generator
) -> None:
    x = np.exp(rng.uniform(np.log(low), np.log(high), 2000))
    assert worst_units(x, log(x), Decimal.ln) <= 1.0


@pytest.mark.parametrize("exponent", [-0.07, -0.1, 0.6, 7.0])
def test_powers_are_as_near_as_they_say(
    exponent: float, rng: np.random.Generator
) -> None:
    x = rng.uniform(0.1, 100.0, 2000)
    bound = 2 + 2 * abs(exponent) * math.log(100.0)
    exact = Decimal(exponent)
    assert worst_units(x, power(x, exponent), lambda d: d**exact) <= bound


def test_whole_powers_and_cosines_agree_with_the_library(
    rng: np.random.Generator,
) -> None:
    x = rng.random(10_000)
    for exponent in (0, 1, 2, 5, 500):
        assert whole_power(x, exponent) == pytest.approx(x**exponent, rel=1e-12)
    assert cosine_of_turns(x) == pytest.approx(np.cos(2 * np.pi * x), abs=2**-50)
    eighths = cosine_of_turns(np.arange(9) / 8).round(15).tolist()
    root = round(math.sqrt(0.5), 15)
    assert eighths == [1, root, 0, -root, -1, -root, 0, root, 1]


@pytest.mark.parametrize("function", [exp, log])
def test_arrays_of_any_size_and_numbers_have_the_same_bits(
    function: Callable[[Any], FloatArray], rng: np.random.Generator
) -> None:
    x = np.concatenate([rng.uniform(-745, 745, 4999), [0.0, -0.0, 5e-324, 1.0, -746]])
    if function is log:
        x = np.abs(x)
    whole = function(x)
    assert whole.tobytes() == b"".join(function(row).tobytes() for row in x)
    assert whole.tobytes() == function(x.reshape(4, -1)).tobytes()
    assert whole[::3].tobytes() == function(x[::3]).tobytes()
    assert function(np.zeros((0, 2))).shape == (0, 2)


def test_the_ends_are_those_of_the_standard() -> None:
    with np.errstate(all="raise"):
        for times in (1, 20):  # by Python's numbers, and by arrays
            ends = np.array([np.inf, -np.inf, np.nan, 1e308, -1e308] * times)
            found = np.array([np.inf, 0.0, np.nan, np.inf, 0.0] * times)
            assert np.array_equal(exp(ends), found, equal_nan=True)
            ends = np.array([0.0, -1.0, np.nan, np.inf, -np.inf] * times)
            found = np.array([-np.inf, np.nan, np.nan, np.inf, np.nan] * times)
            assert np.array_equal(log(ends), found, equal_nan=True)
    assert exp(-744.5) == math.exp(-744.5)


def test_sums_run_from_left_to_right() -> None:
    x = np.array([[1e16, *[1.0] * 20], [0.0, *[0.1] * 20]])
    expected = []
    for row in x.tolist():
        total = 0.0
        for value in row:
            total += value
        expected.append(total)
    assert ordered_sum(x).tolist() == expected
