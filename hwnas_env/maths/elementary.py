"""Exponentials, logarithms, powers and cosines with the same bits on every processor.

Those of NumPy and of the C library differ in the last digit from one processor or
version to the next. These use only operations that IEEE 754 rounds in one way (sums,
products, quotients, scaling by powers of two), in a fixed order, on arrays or on Python
numbers.
"""

import functools
import math
from collections.abc import Callable
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from hwnas_env.types import FloatArray

_Real = TypeVar("_Real", float, FloatArray)

_STEPS = 2048
"""Powers 2^(j / _STEPS) are tabled for j from 0 to _STEPS - 1."""
_SHIFT = _STEPS.bit_length() - 1

# ln 2 in two parts: the first has 28 bits, so that its products with the whole numbers
# that occur here are exact; the second is the rest.
_LN2 = float.fromhex("0x1.62e42fe000000p-1")
_LN2_REST = float.fromhex("0x1.f473de6af278fp-30")
_STEP, _STEP_REST = _LN2 / _STEPS, _LN2_REST / _STEPS
_STEPS_PER_UNIT = _STEPS * float.fromhex("0x1.71547652b82fep+0")  # 1 / ln 2

_NORMAL, _BEYOND = 708.0, 746.0
"""Arguments within which no exponential is subnormal; beyond which it is 0 or inf."""
_FEW = 32
"""Arguments up to which Python's numbers are quicker than NumPy's arrays."""
_BLOCK = 4096
"""Arguments that are worked on at a time, so that they stay in a near cache."""
_ROOT_OF_HALF = 0.7071067811865476
_SERIES = tuple(2.0 / (2 * n + 1) for n in range(11, 0, -1))
_COSINE = tuple((-1.0) ** n / math.factorial(2 * n) for n in range(9, -1, -1))
_SINE = tuple((-1.0) ** n / math.factorial(2 * n + 1) for n in range(9, -1, -1))


def exp(x: npt.ArrayLike) -> FloatArray:
    """Returns e^x; monotone: a larger x never has a smaller answer.

    The answer is within 0.51 units in the last place of the true value (subnormal ones
    within 1), 0 below about -745.1 and inf above about 709.8.

    x is n ln 2 / 2048 + r with a whole n. 2^(n / 2048) is tabled with 106 bits, e^r is
    a polynomial. For one n every operation is the rounding of a function that rises
    with x; the tests compare all places where n changes.

    Args:
        x: float64 of any shape.

    Returns:
        float64 of that shape.

    Example:
        >>> exp([0.0, 1.0]).tolist()
        [1.0, 2.718281828459045]
    """
    return _blockwise(x, _exp, _exp_of)


def log(x: npt.ArrayLike) -> FloatArray:
    """Returns the natural logarithm, within 1 unit in the last place of the true value.

    Args:
        x: float64 of any shape; 0 gives -inf, less gives NaN.

    Returns:
        float64 of that shape.

    Example:
        >>> log([1.0, 2.0]).tolist()
        [0.0, 0.6931471805599453]
    """
    return _blockwise(x, _log, _log_of)


def power(x: npt.ArrayLike, exponent: float) -> FloatArray:
    """Returns x^exponent of positive x, within 2 + 2 |exponent ln x| units.

    Units are those in the last place.

    Args:
        x: positive float64 of any shape.
        exponent: any.

    Returns:
        float64 of that shape.

    Example:
        >>> power([4.0, 1.0], -0.5).tolist()
        [0.5, 1.0]
    """
    return exp(exponent * log(x))


def whole_power(x: FloatArray, exponent: int) -> FloatArray:
    """Returns x^exponent by repeated squaring, for whole exponents from 0 on."""
    answer, square = np.ones_like(x), x
    while exponent:
        if exponent & 1:
            answer = answer * square
        exponent >>= 1
        if exponent:
            square = square * square
    return answer


def cosine_of_turns(x: FloatArray) -> FloatArray:
    """Returns cos(2 pi x), x in whole turns from 0 to 1, to 2^-50.

    Args:
        x: float64 ``(N,)``.

    Returns:
        ``(N,)`` float64.

    Example:
        >>> cosine_of_turns(np.array([0.0, 0.25, 0.5])).tolist()
        [1.0, 0.0, -1.0]
    """
    # cos is even and cos(pi - a) = -cos(a): a quarter turn is enough
    folded = np.minimum(x, 1.0 - x)
    far = folded > 0.25
    quarter = np.where(far, 0.5 - folded, folded)
    # beyond an eighth, cos(a) = sin(pi / 2 - a)
    steep = quarter > 0.125
    angle = (2.0 * math.pi) * np.where(steep, 0.25 - quarter, quarter)
    square = angle * angle
    cosine = _polynomial(square, _COSINE)
    sine = _polynomial(square, _SINE) * angle
    return np.where(far, -1.0, 1.0) * np.where(steep, sine, cosine)


def ordered_sum(x: FloatArray) -> FloatArray:
    """Adds up the last axis from left to right: ``(..., K)`` to ``(...)``, K >= 1.

    NumPy's ``sum`` and ``mean`` add in an order of their own.
    """
    return np.asarray(np.cumsum(x, axis=-1)[..., -1])


def _blockwise(
    x: npt.ArrayLike,
    of_array: Callable[[FloatArray, FloatArray], None],
    of_number: Callable[[float], float],
) -> FloatArray:
    argument = np.asarray(x, dtype=np.float64)
    flat = argument.reshape(-1)
    if len(flat) <= _FEW:
        few = [of_number(number) for number in flat.tolist()]
        return np.array(few, dtype=np.float64).reshape(argument.shape)
    answer = np.empty_like(flat)
    for first in range(0, len(flat), _BLOCK):
        block = slice(first, first + _BLOCK)
        of_array(flat[block], answer[block])
    return answer.reshape(argument.shape)


def _exp(x: FloatArray, out: FloatArray) -> None:
    normal = x.min() > -_NORMAL and x.max() < _NORMAL
    if not normal:  # or NaN
        x = np.clip(x, -_BEYOND, _BEYOND)
    steps = np.rint(x * _STEPS_PER_UNIT)
    rest = x - steps * _STEP
    rest -= steps * _STEP_REST
    np.multiply(rest, 1 / 24, out=out)
    out += 1 / 6
    out *= rest
    out += 0.5
    out *= rest * rest
    out += rest
    with np.errstate(invalid="ignore"):  # of NaN, which stays NaN
        number = steps.astype(np.int64)
    place = number & (_STEPS - 1)
    high, low = _powers_of_two()
    factor = high.take(place, mode="clip")
    out *= factor
    out += low.take(place, mode="clip")
    out += factor
    number >>= _SHIFT
    if normal:  # adding to the exponents is quicker
        number <<= 52
        out.view(np.int64)[:] += number
    else:
        with np.errstate(over="ignore", under="ignore"):
            np.ldexp(out, number, out=out)


def _exp_of(x: float) -> float:
    """The same operations on one number."""
    if not -_NORMAL < x < _NORMAL:
        return _of_one(_exp, x)
    number = round(x * _STEPS_PER_UNIT)
    rest = x - number * _STEP
    rest -= number * _STEP_REST
    tail = ((rest * (1 / 24) + 1 / 6) * rest + 0.5) * (rest * rest) + rest
    high, low = _lists_of_powers()
    place = number & (_STEPS - 1)
    tail = tail * high[place] + low[place] + high[place]
    return math.ldexp(tail, number >> _SHIFT)


def _log(x: FloatArray, out: FloatArray) -> None:
    with np.errstate(invalid="ignore", divide="ignore"):
        fraction, exponent = np.frexp(x)
        low = fraction < _ROOT_OF_HALF
        fraction[low] *= 2.0
        out[:] = _log_near_one(fraction, (exponent - low).astype(np.float64))
    out[x == 0.0] = -np.inf
    out[x < 0.0] = np.nan
    out[x == np.inf] = np.inf


def _log_of(x: float) -> float:
    """The same operations on one number."""
    if not 0.0 < x < math.inf:
        return _of_one(_log, x)
    fraction, exponent = math.frexp(x)
    if fraction < _ROOT_OF_HALF:
        fraction, exponent = fraction * 2.0, exponent - 1
    return float(_log_near_one(fraction, float(exponent)))


def _log_near_one(fraction: _Real, exponent: _Real) -> _Real:
    """Returns the logarithm of fraction 2^exponent, the fraction near 1.

    With s = f / (2 + f), ln(1 + f) is 2 s + 2/3 s^3 + ..., which is written as f less
    something small, so that f, which is exact, carries most of the digits.
    """
    f = fraction - 1.0
    s = f / (2.0 + f)
    square = s * s
    half = f * f * 0.5
    tail = s * (half + _polynomial(square, _SERIES) * square)
    return exponent * _LN2 - ((half - (tail + exponent * _LN2_REST)) - f)


def _polynomial(x: _Real, coefficients: tuple[float, ...]) -> _Real:
    """Returns the polynomial of coefficients, that of the highest power first."""
    total = x * coefficients[0] + coefficients[1]
    for coefficient in coefficients[2:]:
        total *= x
        total += coefficient
    return total


def _of_one(function: Callable[[FloatArray, FloatArray], None], x: float) -> float:
    answer = np.empty(1)
    function(np.array([x]), answer)
    return float(answer[0])


@functools.cache
def _lists_of_powers() -> tuple[list[float], list[float]]:
    """Returns 2^(j / _STEPS) rounded, and what the rounding left, for all j."""
    bits = 256
    root = 2 << bits
    for _ in range(_SHIFT):
        root = math.isqrt(root << bits)
    power, high, low = 1 << bits, [], []
    for _ in range(_STEPS):
        high.append(power / (1 << bits))  # Python rounds quotients of ints correctly
        low.append((power - int(math.ldexp(high[-1], bits))) / (1 << bits))
        power = power * root >> bits
    return high, low


@functools.cache
def _powers_of_two() -> tuple[FloatArray, FloatArray]:
    high, low = _lists_of_powers()
    return np.array(high), np.array(low)
