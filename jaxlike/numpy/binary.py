"""Elementwise functions of two arrays: comparisons, division and its remainders,
powers, shifts, clip.

Those that are ufunc objects are in ufuncs.py, less common ones in special.py.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from jaxlike.core import dtypes
from jaxlike.core.array import Array
from jaxlike.core.avals import get_aval
from jaxlike.core.errors import format_error
from jaxlike.core.trace import Tracer
from jaxlike.numpy import dispatch
from jaxlike.numpy.composites import composite, composite_of
from jaxlike.numpy.promote import (
    ArrayLike,
    as_array,
    broadcast_args,
    check_arraylike,
    check_arraylike_or_none,
    convert,
    dtype_of,
    is_complex,
    promote_args,
    promote_args_inexact,
    promote_args_numeric,
    promote_dtypes_numeric,
    scalar_like,
    weak_scalar_like,
)
from jaxlike.numpy.searching import where
from jaxlike.primitives import (
    arithmetic,
    bitwise,
    comparison,
    powers,
    rounding,
    selection,
    transcendental,
)

__all__ = [
    "arctan2",
    "atan2",
    "bitwise_left_shift",
    "bitwise_right_shift",
    "clip",
    "divide",
    "divmod",
    "equal",
    "float_power",
    "floor_divide",
    "fmod",
    "greater",
    "greater_equal",
    "left_shift",
    "less",
    "less_equal",
    "mod",
    "nextafter",
    "not_equal",
    "pow",
    "power",
    "remainder",
    "right_shift",
    "true_divide",
]


def _quick(primitive, kinds: str) -> Callable[[Callable], Callable]:
    return lambda fun: dispatch.binary(fun, primitive, kinds)


# --- comparisons


@_quick(comparison.eq_p, "biufc")
def equal(x: ArrayLike, y: ArrayLike, /) -> Array:
    """Whether x == y, elementwise.

    Arrays or scalars that broadcast together.

    >>> import jaxlike.numpy as jnp
    >>> jnp.equal(jnp.array([1, 2]), 2).tolist()
    [False, True]
    """
    return comparison.eq(*promote_args("equal", x, y))


@_quick(comparison.ne_p, "biufc")
def not_equal(x: ArrayLike, y: ArrayLike, /) -> Array:
    """Whether x != y, elementwise.

    Arrays or scalars that broadcast together.

    >>> import jaxlike.numpy as jnp
    >>> jnp.not_equal(jnp.array([1, 2]), 2).tolist()
    [True, False]
    """
    return comparison.ne(*promote_args("not_equal", x, y))


@_quick(comparison.lt_p, "biuf")
def less(x: ArrayLike, y: ArrayLike, /) -> Array:
    """Whether x < y, elementwise.

    Complex numbers go by their real parts, then by their imaginary parts.

    >>> import jaxlike.numpy as jnp
    >>> jnp.less(jnp.array([1, 2]), 2).tolist()
    [True, False]
    """
    return _ordered(comparison.lt, *promote_args("less", x, y))


@_quick(comparison.le_p, "biuf")
def less_equal(x: ArrayLike, y: ArrayLike, /) -> Array:
    """Whether x <= y, elementwise.

    Complex numbers go by their real parts, then by their imaginary parts.

    >>> import jaxlike.numpy as jnp
    >>> jnp.less_equal(jnp.array([1, 2]), 2).tolist()
    [True, True]
    """
    return _ordered(comparison.le, *promote_args("less_equal", x, y))


@_quick(comparison.gt_p, "biuf")
def greater(x: ArrayLike, y: ArrayLike, /) -> Array:
    """Whether x > y, elementwise.

    Complex numbers go by their real parts, then by their imaginary parts.

    >>> import jaxlike.numpy as jnp
    >>> jnp.greater(jnp.array([3, 2]), 2).tolist()
    [True, False]
    """
    return _ordered(comparison.gt, *promote_args("greater", x, y))


@_quick(comparison.ge_p, "biuf")
def greater_equal(x: ArrayLike, y: ArrayLike, /) -> Array:
    """Whether x >= y, elementwise.

    Complex numbers go by their real parts, then by their imaginary parts.

    >>> import jaxlike.numpy as jnp
    >>> jnp.greater_equal(jnp.array([1, 2]), 2).tolist()
    [False, True]
    """
    return _ordered(comparison.ge, *promote_args("greater_equal", x, y))


def _ordered(compare: Callable, x, y) -> Array:
    if not is_complex(x):
        return compare(x, y)
    from jaxlike.numpy.parts import imag, real

    same = comparison.eq(real(x), real(y))
    parts = compare(imag(x), imag(y)), compare(real(x), real(y))
    return selection.select(*broadcast_args(same, *parts))


def _is_integer(x) -> bool:
    return dtypes.issubdtype(dtype_of(x), np.integer)


# --- division


@_quick(arithmetic.div_p, "fc")
def true_divide(x1: ArrayLike, x2: ArrayLike, /) -> Array:
    """x1 / x2, elementwise; integers and booleans become floats.

    >>> import jaxlike.numpy as jnp
    >>> jnp.true_divide(7, 2).item()
    3.5
    """
    return arithmetic.div(*promote_args_inexact("true_divide", x1, x2))


divide = true_divide


def _whole_quotient(x, y):
    if not y.all():
        raise ZeroDivisionError  # what division by zero gives is XLA's own
    return np.floor_divide(x, y)


@dispatch.binary_by(_whole_quotient, "iu")
def floor_divide(x1: ArrayLike, x2: ArrayLike, /) -> Array:
    """The quotient x1 / x2 rounded down, elementwise, of real numbers.

    Raises: TypeError for complex numbers.

    >>> import jaxlike.numpy as jnp
    >>> jnp.floor_divide(jnp.array([7, -7]), 2).tolist()
    [3, -4]
    """
    x1, x2 = promote_args_numeric("floor_divide", x1, x2)
    dtype = dtype_of(x1)
    if dtypes.issubdtype(dtype, np.unsignedinteger):
        return arithmetic.div(x1, x2)
    if dtypes.issubdtype(dtype, np.integer):
        quotient = arithmetic.div(x1, x2)
        apart = comparison.ne(arithmetic.sign(x1), arithmetic.sign(x2))
        rest = arithmetic.rem(x1, x2)
        inexact = comparison.ne(rest, weak_scalar_like(rest, 0))
        down = bitwise.bitwise_and(apart, inexact)
        lower = arithmetic.sub(quotient, weak_scalar_like(quotient, 1))
        return where(down, lower, quotient)
    if is_complex(x1):
        raise TypeError(format_error("floor_divide has no meaning for complex numbers"))
    return _float_divmod(x1, x2)[0]


@composite_of(2)
def divmod(x1: ArrayLike, x2: ArrayLike, /) -> tuple[Array, Array]:
    """The pair (floor_divide(x1, x2), remainder(x1, x2)), elementwise.

    >>> import jaxlike.numpy as jnp
    >>> [part.item() for part in jnp.divmod(-7, 2)]
    [-4, 1]
    """
    x1, x2 = promote_args_numeric("divmod", x1, x2)
    if _is_integer(x1):
        return floor_divide(x1, x2), remainder(x1, x2)
    return _float_divmod(x1, x2)


def _float_divmod(x1, x2):
    rest = arithmetic.rem(x1, x2)
    # x / 0 is what division says
    exact = where(
        comparison.eq(x2, weak_scalar_like(x2, 0)), x1, arithmetic.sub(x1, rest)
    )
    quotient = arithmetic.div(exact, x2)
    apart = comparison.ne(arithmetic.sign(x2), arithmetic.sign(rest))
    down = bitwise.bitwise_and(comparison.ne(rest, weak_scalar_like(rest, 0)), apart)
    shifted = arithmetic.add(rest, x2)
    rest = where(down, shifted, rest)
    lower = arithmetic.sub(quotient, weak_scalar_like(quotient, 1))
    return rounding.round(where(down, lower, quotient)), rest


def _nonzero(x):
    """x with 1 in place of 0."""
    zero = comparison.eq(x, weak_scalar_like(x, 0))
    return where(zero, weak_scalar_like(x, 1), x)


@dispatch.binary_by(np.remainder, "iu")
def remainder(x1: ArrayLike, x2: ArrayLike, /) -> Array:
    """What is left of x1 / x2 rounded down, elementwise: it has the sign of x2.

    Returns: real numbers; integers give 0 and floats NaN where x2 is 0.

    >>> import jaxlike.numpy as jnp
    >>> jnp.remainder(jnp.array([7, -7]), 3).tolist()
    [1, 2]
    """
    x1, x2 = promote_args_numeric("remainder", x1, x2)
    zero = weak_scalar_like(x1, 0)
    if _is_integer(x1):
        x2 = where(
            comparison.eq(x2, weak_scalar_like(x2, 0)), weak_scalar_like(x2, 1), x2
        )
    rest = arithmetic.rem(x1, x2)
    nonzero = comparison.ne(rest, zero)
    apart = comparison.ne(
        comparison.lt(rest, zero), comparison.lt(x2, weak_scalar_like(x2, 0))
    )
    return where(bitwise.bitwise_and(apart, nonzero), arithmetic.add(rest, x2), rest)


mod = remainder


@composite_of(2)
def fmod(x1: ArrayLike, x2: ArrayLike, /) -> Array:
    """What is left of x1 / x2 rounded towards zero, elementwise: it has x1's sign.

    >>> import jaxlike.numpy as jnp
    >>> jnp.fmod(jnp.array([7, -7]), 3).tolist()
    [1, -1]
    """
    x1, x2 = promote_args_numeric("fmod", x1, x2)
    if _is_integer(x1):
        x2 = where(
            comparison.eq(x2, weak_scalar_like(x2, 0)), weak_scalar_like(x2, 1), x2
        )
    return arithmetic.rem(x1, x2)


# --- powers


def power(x1: ArrayLike, x2: ArrayLike, /) -> Array:
    """x1 ** x2, elementwise.

    An exponent that is one integer known now is applied by multiplication.
    Returns: an array of the promoted dtype; two booleans give integers.
    Raises: TypeError for an integer to a negative integer that is known now.

    >>> import jaxlike.numpy as jnp
    >>> jnp.power(jnp.array([1, 2, 3]), 2).tolist()
    [1, 4, 9]
    """
    check_arraylike("power", x1, x2)
    if _is_static(x1, x2):
        [x1] = promote_dtypes_numeric(x1)
        return powers.integer_pow(x1, int(x2))
    return _power(x1, x2)


def _is_static(x1, x2) -> bool:
    """Whether x2 is one integer known now (an Array only where x1 is known too)."""
    if isinstance(x2, int):
        return True
    if isinstance(x2, Tracer) or (type(x2) is Array and isinstance(x1, Tracer)):
        return False
    aval = get_aval(x2)
    return not aval.shape and dtypes.isdtype(aval.dtype, ("integral", "bool"))


@composite
def _power(x1, x2):
    exponent_is_int = dtypes.issubdtype(dtype_of(x2), np.integer)
    base = dtype_of(x1)
    if exponent_is_int and dtypes.issubdtype(base, np.inexact):
        # the exponent stays an integer, which is more precise
        dtype, weak = dtypes.lattice_result_type(x1, x2)
        from jaxlike.numpy.promote import promote_shapes

        x1 = convert(x1, dtype, weak)
        x1, x2 = promote_shapes("power", x1, x2)
        if dtypes.is_python_scalar(x2):
            x2 = as_array(x2)
        return powers.pow(x1, x2)
    x1, x2 = promote_args_numeric("power", x1, x2)
    if not dtypes.issubdtype(dtype_of(x1), np.integer):
        return powers.pow(x1, x2)
    return _integer_power(x1, x2)


def _integer_power(x1, x2):
    """Squaring and multiplying, over the exponent's bits that matter: the last six
    bits decide, since higher powers of an even number wrap to 0."""
    [x1, x2] = (as_array(x) for x in (x1, x2))
    zero_to_nonzero = bitwise.bitwise_and(
        comparison.eq(x1, scalar_like(x1, 0)), comparison.ne(x2, scalar_like(x2, 0))
    )
    one, zero = scalar_like(x1, 1), scalar_like(x1, 0)
    out = where(zero_to_nonzero, zero, one)
    for step in range(6):
        odd = bitwise.bitwise_and(x2, scalar_like(x2, 1))
        out = where(odd, arithmetic.mul(out, x1), out)
        if step < 5:
            x1 = arithmetic.mul(x1, x1)
            x2 = bitwise.shift_right_logical(x2, scalar_like(x2, 1))
    return out


pow = power


@composite_of(2)
def float_power(x: ArrayLike, y: ArrayLike, /) -> Array:
    """x ** y, elementwise, as floats or complex numbers.

    >>> import jaxlike.numpy as jnp
    >>> jnp.float_power(2, -1).item()
    0.5
    """
    return powers.pow(*promote_args_inexact("float_power", x, y))


@_quick(transcendental.atan2_p, "f")
def arctan2(x1: ArrayLike, x2: ArrayLike, /) -> Array:
    """The angle of the point (x2, x1) from the positive first axis, elementwise.

    Returns: floats in [-pi, pi].

    >>> import jaxlike.numpy as jnp
    >>> round(jnp.arctan2(1.0, -1.0).item(), 4)
    2.3562
    """
    return transcendental.atan2(*promote_args_inexact("arctan2", x1, x2))


atan2 = arctan2


@composite_of(2)
def nextafter(x: ArrayLike, y: ArrayLike, /) -> Array:
    """The next float after x on the way to y, elementwise.

    >>> import jaxlike.numpy as jnp
    >>> jnp.nextafter(1.0, 2.0).item() > 1
    True
    """
    return rounding.nextafter(*promote_args_inexact("nextafter", x, y))


# --- shifts


@_quick(bitwise.shift_left_p, "iu")
def left_shift(x: ArrayLike, y: ArrayLike, /) -> Array:
    """The bits of x moved to the left by y places, elementwise, of integers.

    >>> import jaxlike.numpy as jnp
    >>> jnp.left_shift(1, jnp.array([0, 3])).tolist()
    [1, 8]
    """
    return bitwise.shift_left(*promote_args_numeric("left_shift", x, y))


bitwise_left_shift = left_shift


@composite_of(2)
def right_shift(x1: ArrayLike, x2: ArrayLike, /) -> Array:
    """The bits of x1 moved to the right by x2 places, elementwise, of integers.

    Signed integers keep their sign.

    >>> import jaxlike.numpy as jnp
    >>> jnp.right_shift(jnp.array([8, -8]), 1).tolist()
    [4, -4]
    """
    x1, x2 = promote_args_numeric("right_shift", x1, x2)
    if dtypes.issubdtype(dtype_of(x1), np.unsignedinteger):
        return bitwise.shift_right_logical(x1, x2)
    return bitwise.shift_right_arithmetic(x1, x2)


bitwise_right_shift = right_shift

# --- clip


def clip(
    arr: ArrayLike | None = None,
    /,
    min: ArrayLike | None = None,
    max: ArrayLike | None = None,
) -> Array:
    """Numbers below `min` raised to it, numbers above `max` lowered to it.

    Args: `min` and `max`, arrays or scalars that broadcast, or None for no bound.
    Raises: ValueError for complex numbers.

    >>> import jaxlike.numpy as jnp
    >>> jnp.clip(jnp.array([-1, 5, 20]), 0, 10).tolist()
    [0, 5, 10]
    """
    if arr is None:
        raise ValueError(format_error("clip got no array"))
    check_arraylike("clip", arr)
    check_arraylike_or_none("clip", min, max)
    if any(x is not None and is_complex(x) for x in (arr, min, max)):
        raise ValueError(
            format_error(
                "clip has no meaning for complex numbers, which have no order",
                try_="jnp.real(x) and jnp.imag(x), each by itself",
            )
        )
    from jaxlike.numpy.ufuncs import maximum, minimum

    if min is not None:
        arr = maximum(min, arr)
    if max is not None:
        arr = minimum(max, arr)
    return as_array(arr)
