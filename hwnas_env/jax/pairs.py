"""Numbers of about 35 bits as pairs of float32, where jax has no float64.

A pair is the unevaluated sum of a float32 and a much smaller one. What an episode comes
to is computed in pairs and rounded once at its end, so that it is the float32 next to
the float64 that the Gymnasium environments compute. Factors are cut in two by their
bits: products of halves are exact, so that a compiler may fuse them with a sum or not.

References:
    Dekker, A floating-point technique for extending the available precision,
    Numerische Mathematik 18, 1971.
"""

from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

Pair: TypeAlias = tuple[Any, Any]
"""A large and a small float32 array of one shape."""

_UPPER_HALF = np.int32(-4096)
_LN2 = 0.6931471805599453
_HALVINGS = 4


def split(numbers: Any) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Returns the pair next to float64 numbers, outside of any traced function."""
    numbers = np.asarray(numbers, dtype=np.float64)
    large = numbers.astype(np.float32)
    return large, (numbers - large).astype(np.float32)


def constant(number: float) -> Pair:
    """Returns the pair next to one Python number, hidden from the compiler.

    It would put constants together in an order of its own, and lose the small part.
    """
    hide: Any = jax.lax.optimization_barrier
    large, small = hide(tuple(map(jnp.float32, split(number))))
    return large, small


def _fast_sum(large: Any, small: Any) -> Pair:
    """Returns the exact sum of two float32, of which the first is larger."""
    total = large + small
    return total, small - (total - large)


def _exact_sum(a: Any, b: Any) -> Pair:
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


def _cut(a: Any) -> Pair:
    bits = jax.lax.bitcast_convert_type(a, jnp.int32) & _UPPER_HALF
    upper = jax.lax.bitcast_convert_type(bits, jnp.float32)
    return upper, a - upper


def add(a: Pair, b: Pair) -> Pair:
    """Returns a + b."""
    total, rest = _exact_sum(a[0], b[0])
    return _fast_sum(total, rest + (a[1] + b[1]))


def negative(a: Pair) -> Pair:
    """Returns -a."""
    return -a[0], -a[1]


def multiply(a: Pair, b: Pair) -> Pair:
    """Returns a b."""
    (a1, a2), (b1, b2) = _cut(a[0]), _cut(b[0])
    rest = (a1 * b2 + a2 * b1) + (a2 * b2 + (a[0] * b[1] + a[1] * b[0]))
    return _fast_sum(a1 * b1, rest)


def rounded_product(a: Pair, b: Pair) -> Any:
    """Returns a b as float32, within two roundings of it: quicker than a pair."""
    return a[0] * b[0] + (a[0] * b[1] + a[1] * b[0])


def divide(a: Pair, b: Pair) -> Pair:
    """Returns a / b."""
    first = a[0] / b[0]
    left = add(a, negative(multiply((first, jnp.zeros_like(first)), b)))
    return _fast_sum(first, left[0] / b[0])


def maximum(a: Pair, b: Pair) -> Pair:
    """Returns the larger one, element by element."""
    larger = (a[0] > b[0]) | ((a[0] == b[0]) & (a[1] > b[1]))
    return where(larger, a, b)


def where(condition: Any, a: Pair, b: Pair) -> Pair:
    """Returns a where a condition holds, else b."""
    return jnp.where(condition, a[0], b[0]), jnp.where(condition, a[1], b[1])


def rounded(a: Pair) -> Any:
    """Returns the float32 next to a pair."""
    return a[0] + a[1]


def sqrt(a: Pair) -> Pair:
    """Returns the square root of a positive pair, by one step of Newton's."""
    first = jnp.sqrt(a[0])
    guess = first, jnp.zeros_like(first)
    left = add(a, negative(multiply(guess, guess)))
    return _fast_sum(first, left[0] / (first + first))


def exp(x: Pair) -> Pair:
    """Returns e to the power of x, for x between -80 and 80."""
    twos = jnp.round(x[0] * np.float32(1.0 / _LN2))
    rest = add(x, negative(multiply((twos, jnp.zeros_like(twos)), constant(_LN2))))
    scale = np.float32(0.5**_HALVINGS)
    small = rest[0] * scale, rest[1] * scale  # at most 0.022: few terms are enough
    # e^r - 1 - r in float32 is a two-hundredth of the whole
    term = small[0]
    tail = term * term * (0.5 + term * (1 / 6 + term * (1 / 24 + term * (1 / 120))))
    found = add(constant(1.0), _fast_sum(small[0], small[1] + tail))
    for _ in range(_HALVINGS):
        found = multiply(found, found)
    power = twos.astype(jnp.int32) + 127  # as the bits of a float32's exponent
    whole = jax.lax.bitcast_convert_type(power << 23, jnp.float32)
    return found[0] * whole, found[1] * whole


def log(a: Pair) -> Pair:
    """Returns the natural logarithm of a positive pair, by one step of Newton's."""
    first = jnp.log(a[0])
    guess = first, jnp.zeros_like(first)
    ratio = multiply(a, exp(negative(guess)))
    return add(guess, add(ratio, constant(-1.0)))


def power(a: Pair, exponent: float) -> Pair:
    """Returns a positive pair to the power of a number."""
    return exp(multiply(log(a), constant(exponent)))
