"""pow, integer_pow, square, sqrt, rsqrt, cbrt, reciprocal: powers and roots."""

from __future__ import annotations

import operator

import numpy as np

from jaxlike.core import dtypes
from jaxlike.core.array import Array
from jaxlike.core.avals import get_aval
from jaxlike.core.errors import format_error
from jaxlike.primitives.arithmetic import add, div, div_p, mul, mul_p, sub
from jaxlike.primitives.rules import (
    FLOAT,
    INEXACT,
    NUMBER,
    defjvp,
    defjvp_with_output,
    dtype_kind,
    elementwise,
    elementwise_shape,
    scalar_like,
)
from jaxlike.primitives.types import ArrayLike

__all__ = [
    "cbrt",
    "cbrt_p",
    "integer_pow",
    "integer_pow_p",
    "pow",
    "pow_p",
    "reciprocal",
    "rsqrt",
    "rsqrt_p",
    "sqrt",
    "sqrt_p",
    "square",
    "square_p",
]


def with_accuracy(primitive, x, accuracy):
    """Apply a primitive; a param that is None is left out of the equation."""
    if accuracy is None:
        return primitive.bind(x)
    return primitive.bind(x, accuracy=accuracy)


# --- square: x * x


def _square_evaluate(x):
    return np.multiply(x, x)


square_p = elementwise("square", _square_evaluate, NUMBER)
defjvp(square_p, lambda t, x: mul_p.bind(t, mul_p.bind(scalar_like(x, 2.0), x)))


def square(x: ArrayLike) -> Array:
    """x * x, elementwise, of an integer, float or complex array.

    >>> from jaxlike import lax
    >>> lax.square(3.0).item()
    9.0
    """
    return square_p.bind(x)


# --- integer_pow: x ** y for a static integer y; d = t * y * x ** (y - 1)


def _integer_pow_shape(x, y):
    out = elementwise_shape("integer_pow", (NUMBER,), None, True, x)
    if y < 0 and dtype_kind(x.dtype) == "integer":
        raise TypeError(
            format_error(
                f"an integer has no negative power: integer_pow({x}, {y})",
                try_="convert the operand to a float dtype first",
            )
        )
    return out


def _integer_pow_evaluate(x, y):
    if y == 2:
        return np.multiply(x, x)
    if y == 0:
        return np.ones_like(x)
    dtype = x.dtype
    if dtype == np.float16 or dtype == dtypes.bfloat16:
        x = x.astype(np.float32)  # round once, at the end
    n, result = (y if y > 0 else -y), None
    while True:
        if n & 1:
            result = x if result is None else np.multiply(result, x)
        n >>= 1
        if not n:
            break
        x = np.multiply(x, x)
    if y < 0:
        result = np.divide(np.ones((), result.dtype), result)
    return result if result.dtype is dtype else result.astype(dtype)


def _integer_pow_jvp(t, x, y):
    if y == 0:
        return mul(t, scalar_like(x, 0.0))
    slope = x if y == 2 else integer_pow_p.bind(x, y=y - 1)
    return t if y == 1 else mul_p.bind(t, mul_p.bind(scalar_like(x, float(y)), slope))


integer_pow_p = elementwise("integer_pow", _integer_pow_evaluate, NUMBER)
integer_pow_p.shape = _integer_pow_shape
defjvp(integer_pow_p, _integer_pow_jvp)


def integer_pow(x: ArrayLike, y: int) -> Array:
    """x ** y for a number array and a Python integer y.

    Raises TypeError for a negative power of an integer array.

    >>> from jaxlike import lax
    >>> lax.integer_pow(2.0, -2).item()
    0.25
    """
    if not isinstance(y, int):
        y = int(y) if y == int(y) else operator.index(y)
    return integer_pow_p.bind(x, y=y)


def reciprocal(x: ArrayLike) -> Array:
    """1 / x, elementwise, of a float or complex array.

    >>> from jaxlike import lax
    >>> lax.reciprocal(4.0).item()
    0.25
    """
    return integer_pow_p.bind(x, y=-1)


# --- pow: x ** y, where y has x's dtype or an integer dtype


def _pow_shape(x, y):
    kinds = dtype_kind(x.dtype), dtype_kind(y.dtype)
    inexact = kinds[0] in INEXACT
    if not inexact or (kinds[1] != "integer" and y.dtype != x.dtype):
        raise TypeError(
            format_error(
                "the first argument of pow must have a float or complex dtype, and "
                f"the second an integer dtype or that of the first, but pow got {x} "
                f"and {y}"
            )
        )
    accepts = (INEXACT, ("integer", *INEXACT))
    return elementwise_shape("pow", accepts, None, False, x, y)


def _pow_evaluate(x, y):
    if y.dtype is x.dtype:
        return np.power(x, y)
    dtype = x.dtype
    if dtype.kind == "c":
        out = np.power(x.astype(np.complex128), y)
        return np.where(y == 0, np.ones((), dtype), out.astype(dtype))
    return np.power(x.astype(np.float64), y.astype(np.float64)).astype(dtype)


def _pow_jvp_base(t, x, y):
    if dtype_kind(get_aval(y).dtype) == "integer":
        from jaxlike.primitives.comparison import eq
        from jaxlike.primitives.conversion import convert_element_type

        # 0 * x ** 0 where y is 0, rather than 0 * x ** -1, which is NaN for x = 0
        is_zero = convert_element_type(eq(y, scalar_like(y, 0)), get_aval(y).dtype)
        less = sub(add(y, is_zero), scalar_like(y, 1))
        slope = mul(convert_element_type(y, get_aval(x).dtype), pow_p.bind(x, less))
    else:
        slope = mul(y, pow_p.bind(x, sub(y, scalar_like(y, 1.0))))
    return mul_p.bind(t, slope)


def _pow_jvp_exponent(t, out, x, y):
    from jaxlike.primitives.comparison import eq
    from jaxlike.primitives.conversion import convert_element_type
    from jaxlike.primitives.transcendental import log

    # log(1) = 0 where x is 0: the derivative of 0 ** y is 0
    is_zero = convert_element_type(eq(x, scalar_like(x, 0.0)), get_aval(x).dtype)
    return mul_p.bind(t, mul(log(add(x, is_zero)), out))


pow_p = elementwise("pow", _pow_evaluate, INEXACT, nargs=2)
pow_p.shape = _pow_shape
defjvp_with_output(
    pow_p, lambda t, out, x, y: _pow_jvp_base(t, x, y), _pow_jvp_exponent
)


def pow(x: ArrayLike, y: ArrayLike) -> Array:
    """x ** y, elementwise; x float or complex, y of the same dtype or integers.

    Raises TypeError for other dtypes; see integer_pow for powers of integers.

    >>> from jaxlike import lax
    >>> lax.pow(2.0, 3.0).item()
    8.0
    """
    return pow_p.bind(x, y)


# --- roots


def _rsqrt_evaluate(x, accuracy=None):
    if x.dtype.kind == "c" or x.dtype.itemsize >= 4:
        return np.divide(x.dtype.type(1), np.sqrt(x))
    return (np.float32(1) / np.sqrt(x.astype(np.float32))).astype(x.dtype)


sqrt_p = elementwise("sqrt", lambda x, accuracy=None: np.sqrt(x), INEXACT)
rsqrt_p = elementwise("rsqrt", _rsqrt_evaluate, INEXACT)
cbrt_p = elementwise("cbrt", lambda x, accuracy=None: np.cbrt(x), FLOAT)

defjvp_with_output(
    sqrt_p,
    lambda t, out, x, accuracy=None: mul_p.bind(t, div(scalar_like(x, 0.5), out)),
)
defjvp_with_output(
    rsqrt_p,
    lambda t, out, x, accuracy=None: mul_p.bind(
        t, mul(scalar_like(x, -0.5), div_p.bind(out, x))
    ),
)
defjvp_with_output(
    cbrt_p,
    lambda t, out, x, accuracy=None: mul_p.bind(
        t, mul(scalar_like(x, 1 / 3), integer_pow(out, -2))
    ),
)


def sqrt(x: ArrayLike, *, accuracy=None) -> Array:
    """The square root, elementwise, of a float or complex array; NaN below zero.

    >>> from jaxlike import lax
    >>> lax.sqrt(9.0).item()
    3.0
    """
    return with_accuracy(sqrt_p, x, accuracy)


def rsqrt(x: ArrayLike, *, accuracy=None) -> Array:
    """1 / sqrt(x), elementwise, of a float or complex array; infinity at zero.

    >>> from jaxlike import lax
    >>> lax.rsqrt(4.0).item()
    0.5
    """
    return with_accuracy(rsqrt_p, x, accuracy)


def cbrt(x: ArrayLike, *, accuracy=None) -> Array:
    """The real cube root, elementwise, of a float array.

    >>> from jaxlike import lax
    >>> lax.cbrt(-8.0).item()
    -2.0
    """
    return with_accuracy(cbrt_p, x, accuracy)
