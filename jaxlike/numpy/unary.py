"""Elementwise functions of one array: exponentials, trigonometry, rounding, parts of
complex numbers.

Tests of values (isnan and the like) are in checks.py, less common ones in special.py.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from jaxlike.core import dtypes
from jaxlike.core.array import Array
from jaxlike.core.errors import format_error
from jaxlike.numpy import dispatch
from jaxlike.numpy.composites import composite_of
from jaxlike.numpy.promote import (
    ArrayLike,
    check_arraylike,
    convert,
    dtype_of,
    is_complex,
    promote_args,
    promote_args_inexact,
    promote_args_numeric,
    scalar_like,
    strong_scalar_like,
    to_arrays,
)
from jaxlike.primitives import (
    arithmetic,
    bitwise,
    comparison,
    complexes,
    powers,
    selection,
    transcendental,
)

__all__ = [
    "abs",
    "absolute",
    "acos",
    "acosh",
    "arccos",
    "arccosh",
    "arcsin",
    "arcsinh",
    "arctan",
    "arctanh",
    "asin",
    "asinh",
    "atan",
    "atanh",
    "bitwise_count",
    "bitwise_invert",
    "bitwise_not",
    "cbrt",
    "cos",
    "cosh",
    "deg2rad",
    "degrees",
    "exp",
    "exp2",
    "expm1",
    "fabs",
    "invert",
    "log",
    "log10",
    "log1p",
    "log2",
    "logical_not",
    "positive",
    "rad2deg",
    "radians",
    "reciprocal",
    "sign",
    "sin",
    "sinh",
    "sqrt",
    "square",
    "tan",
    "tanh",
]


def _quick(primitive, kinds: str) -> Callable[[Callable], Callable]:
    return lambda fun: dispatch.unary(fun, primitive, kinds)


def _inexact(name: str, x: ArrayLike) -> Array:
    """The argument as a float or complex array."""
    return promote_args_inexact(name, x)[0]


@_quick(transcendental.exp_p, "fc")
def exp(x: ArrayLike, /) -> Array:
    """e ** x, elementwise.

    An array or a scalar; integers and booleans become floats.

    >>> import jaxlike.numpy as jnp
    >>> jnp.exp(0.0).item()
    1.0
    """
    return transcendental.exp(_inexact("exp", x))


@_quick(transcendental.exp2_p, "fc")
def exp2(x: ArrayLike, /) -> Array:
    """2 ** x, elementwise.

    An array or a scalar; integers and booleans become floats.

    >>> import jaxlike.numpy as jnp
    >>> jnp.exp2(3).item()
    8.0
    """
    return transcendental.exp2(_inexact("exp2", x))


@_quick(transcendental.expm1_p, "fc")
def expm1(x: ArrayLike, /) -> Array:
    """e ** x - 1, elementwise, precise near zero.

    An array or a scalar; integers and booleans become floats.

    >>> import jaxlike.numpy as jnp
    >>> jnp.expm1(0.0).item()
    0.0
    """
    return transcendental.expm1(_inexact("expm1", x))


@_quick(transcendental.log_p, "fc")
def log(x: ArrayLike, /) -> Array:
    """The natural logarithm, elementwise; NaN below zero.

    An array or a scalar; integers and booleans become floats.

    >>> import jaxlike.numpy as jnp
    >>> jnp.log(1.0).item()
    0.0
    """
    return transcendental.log(_inexact("log", x))


@_quick(transcendental.log1p_p, "fc")
def log1p(x: ArrayLike, /) -> Array:
    """log(1 + x), elementwise, precise near zero.

    An array or a scalar; integers and booleans become floats.

    >>> import jaxlike.numpy as jnp
    >>> jnp.log1p(0.0).item()
    0.0
    """
    return transcendental.log1p(_inexact("log1p", x))


@_quick(powers.sqrt_p, "fc")
def sqrt(x: ArrayLike, /) -> Array:
    """The square root, elementwise; NaN below zero.

    An array or a scalar; integers and booleans become floats.

    >>> import jaxlike.numpy as jnp
    >>> jnp.sqrt(9).item()
    3.0
    """
    return powers.sqrt(_inexact("sqrt", x))


@_quick(powers.cbrt_p, "f")
def cbrt(x: ArrayLike, /) -> Array:
    """The real cube root, elementwise, of real numbers.

    An array or a scalar; integers and booleans become floats.

    >>> import jaxlike.numpy as jnp
    >>> jnp.cbrt(8.0).item()
    2.0
    """
    return powers.cbrt(_inexact("cbrt", x))


@_quick(transcendental.sin_p, "fc")
def sin(x: ArrayLike, /) -> Array:
    """The sine of angles in radians, elementwise.

    An array or a scalar; integers and booleans become floats.

    >>> import jaxlike.numpy as jnp
    >>> jnp.sin(0.0).item()
    0.0
    """
    return transcendental.sin(_inexact("sin", x))


@_quick(transcendental.cos_p, "fc")
def cos(x: ArrayLike, /) -> Array:
    """The cosine of angles in radians, elementwise.

    An array or a scalar; integers and booleans become floats.

    >>> import jaxlike.numpy as jnp
    >>> jnp.cos(0.0).item()
    1.0
    """
    return transcendental.cos(_inexact("cos", x))


@_quick(transcendental.tan_p, "fc")
def tan(x: ArrayLike, /) -> Array:
    """The tangent of angles in radians, elementwise.

    An array or a scalar; integers and booleans become floats.

    >>> import jaxlike.numpy as jnp
    >>> jnp.tan(0.0).item()
    0.0
    """
    return transcendental.tan(_inexact("tan", x))


@_quick(transcendental.asin_p, "fc")
def arcsin(x: ArrayLike, /) -> Array:
    """The angle in [-pi/2, pi/2] whose sine is x, elementwise.

    An array or a scalar; integers and booleans become floats.

    >>> import jaxlike.numpy as jnp
    >>> jnp.arcsin(0.0).item()
    0.0
    """
    return transcendental.asin(_inexact("arcsin", x))


@_quick(transcendental.acos_p, "fc")
def arccos(x: ArrayLike, /) -> Array:
    """The angle in [0, pi] whose cosine is x, elementwise.

    An array or a scalar; integers and booleans become floats.

    >>> import jaxlike.numpy as jnp
    >>> jnp.arccos(1.0).item()
    0.0
    """
    return transcendental.acos(_inexact("arccos", x))


@_quick(transcendental.atan_p, "fc")
def arctan(x: ArrayLike, /) -> Array:
    """The angle in [-pi/2, pi/2] whose tangent is x, elementwise.

    An array or a scalar; integers and booleans become floats.

    >>> import jaxlike.numpy as jnp
    >>> jnp.arctan(0.0).item()
    0.0
    """
    return transcendental.atan(_inexact("arctan", x))


@_quick(transcendental.sinh_p, "fc")
def sinh(x: ArrayLike, /) -> Array:
    """The hyperbolic sine, elementwise.

    An array or a scalar; integers and booleans become floats.

    >>> import jaxlike.numpy as jnp
    >>> jnp.sinh(0.0).item()
    0.0
    """
    return transcendental.sinh(_inexact("sinh", x))


@_quick(transcendental.cosh_p, "fc")
def cosh(x: ArrayLike, /) -> Array:
    """The hyperbolic cosine, elementwise.

    An array or a scalar; integers and booleans become floats.

    >>> import jaxlike.numpy as jnp
    >>> jnp.cosh(0.0).item()
    1.0
    """
    return transcendental.cosh(_inexact("cosh", x))


@_quick(transcendental.tanh_p, "fc")
def tanh(x: ArrayLike, /) -> Array:
    """The hyperbolic tangent, elementwise.

    An array or a scalar; integers and booleans become floats.

    >>> import jaxlike.numpy as jnp
    >>> jnp.tanh(0.0).item()
    0.0
    """
    return transcendental.tanh(_inexact("tanh", x))


@_quick(transcendental.asinh_p, "fc")
def arcsinh(x: ArrayLike, /) -> Array:
    """The number whose hyperbolic sine is x, elementwise.

    An array or a scalar; integers and booleans become floats.

    >>> import jaxlike.numpy as jnp
    >>> jnp.arcsinh(0.0).item()
    0.0
    """
    return transcendental.asinh(_inexact("arcsinh", x))


@_quick(transcendental.atanh_p, "fc")
def arctanh(x: ArrayLike, /) -> Array:
    """The number whose hyperbolic tangent is x, elementwise.

    An array or a scalar; integers and booleans become floats.

    >>> import jaxlike.numpy as jnp
    >>> jnp.arctanh(0.0).item()
    0.0
    """
    return transcendental.atanh(_inexact("arctanh", x))


@composite_of(1)
def arccosh(x: ArrayLike, /) -> Array:
    """The number, not negative, whose hyperbolic cosine is x, elementwise.

    An array or a scalar; integers and booleans become floats.

    >>> import jaxlike.numpy as jnp
    >>> jnp.arccosh(1.0).item()
    0.0
    """
    out = transcendental.acosh(_inexact("arccosh", x))
    if dtypes.issubdtype(dtype_of(out), np.complexfloating):
        # NumPy takes the branch with a real part that is not negative
        left = comparison.lt(complexes.real(out), scalar_like(complexes.real(out), 0))
        out = selection.select(left, arithmetic.neg(out), out)
    return out


@composite_of(1)
def log2(x: ArrayLike, /) -> Array:
    """The logarithm to base 2, elementwise; NaN below zero.

    An array or a scalar; integers and booleans become floats.

    >>> import jaxlike.numpy as jnp
    >>> jnp.log2(8).item()
    3.0
    """
    x = _inexact("log2", x)
    two = strong_scalar_like(complexes.real(x) if is_complex(x) else x, 2)
    return _scaled_log(x, transcendental.log(two))


@composite_of(1)
def log10(x: ArrayLike, /) -> Array:
    """The logarithm to base 10, elementwise; NaN below zero.

    An array or a scalar; integers and booleans become floats.

    >>> import jaxlike.numpy as jnp
    >>> round(jnp.log10(100).item(), 4)
    2.0
    """
    x = _inexact("log10", x)
    out = transcendental.log(x)
    return arithmetic.mul(out, scalar_like(out, float(1 / np.log(10))))


asin, acos, atan = arcsin, arccos, arctan
asinh, acosh, atanh = arcsinh, arccosh, arctanh


def _scaled_log(x, log_of_base) -> Array:
    out = transcendental.log(x)
    if not is_complex(out):
        return arithmetic.div(out, log_of_base)
    return complexes.complex(
        arithmetic.div(complexes.real(out), log_of_base),
        arithmetic.div(complexes.imag(out), log_of_base),
    )


@composite_of(1)
def deg2rad(x: ArrayLike, /) -> Array:
    """Degrees to radians, elementwise.

    An array or a scalar; integers and booleans become floats.

    >>> import jaxlike.numpy as jnp
    >>> round(jnp.deg2rad(180.0).item(), 4)
    3.1416
    """
    x = _inexact("deg2rad", x)
    return arithmetic.mul(x, scalar_like(x, float(np.pi / 180)))


@composite_of(1)
def rad2deg(x: ArrayLike, /) -> Array:
    """Radians to degrees, elementwise.

    An array or a scalar; integers and booleans become floats.

    >>> import jaxlike.numpy as jnp
    >>> jnp.rad2deg(jnp.pi).item()
    180.0
    """
    x = _inexact("rad2deg", x)
    return arithmetic.mul(x, scalar_like(x, float(180 / np.pi)))


degrees, radians = rad2deg, deg2rad


@_quick(powers.square_p, "iufc")
def square(x: ArrayLike, /) -> Array:
    """x * x, elementwise; booleans become integers.

    >>> import jaxlike.numpy as jnp
    >>> jnp.square(3).item()
    9
    """
    return powers.square(*promote_args_numeric("square", x))


@composite_of(1)
def reciprocal(x: ArrayLike, /) -> Array:
    """1 / x, elementwise; integers and booleans become floats.

    >>> import jaxlike.numpy as jnp
    >>> jnp.reciprocal(4).item()
    0.25
    """
    return powers.integer_pow(_inexact("reciprocal", x), -1)


# --- signs and sizes


@_quick(arithmetic.abs_p, "ifc")
def abs(x: ArrayLike, /) -> Array:
    """The absolute value, elementwise; the modulus of complex numbers.

    >>> import jaxlike.numpy as jnp
    >>> jnp.abs(jnp.array([-2, 3])).tolist()
    [2, 3]
    """
    [x] = to_arrays("absolute", x)
    dtype = x.dtype
    if dtype == np.bool_ or dtypes.issubdtype(dtype, np.unsignedinteger):
        return x
    return arithmetic.abs(x)


absolute = abs


@composite_of(1)
def fabs(x: ArrayLike, /) -> Array:
    """The absolute value as a float, elementwise, of real numbers.

    Raises: TypeError for complex numbers.

    >>> import jaxlike.numpy as jnp
    >>> jnp.fabs(-2).item()
    2.0
    """
    check_arraylike("fabs", x)
    if is_complex(x):
        raise TypeError(format_error("fabs takes real numbers", try_="jnp.abs"))
    return arithmetic.abs(_inexact("fabs", x))


@_quick(arithmetic.sign_p, "iufc")
def sign(x: ArrayLike, /) -> Array:
    """-1, 0 or 1 by the sign of each element; x / abs(x) for complex numbers.

    >>> import jaxlike.numpy as jnp
    >>> jnp.sign(jnp.array([-2, 0, 3])).tolist()
    [-1, 0, 1]
    """
    return arithmetic.sign(*promote_args("sign", x))


def positive(x: ArrayLike, /) -> Array:
    """The argument itself, as an array.

    >>> import jaxlike.numpy as jnp
    >>> jnp.positive(-2).item()
    -2
    """
    return to_arrays("positive", x)[0]


@_quick(bitwise.not_p, "biu")
def invert(x: ArrayLike, /) -> Array:
    """Every bit flipped, elementwise, of integers; `not` for booleans.

    >>> import jaxlike.numpy as jnp
    >>> jnp.invert(jnp.array([0, 1])).tolist()
    [-1, -2]
    """
    return bitwise.bitwise_not(*promote_args("invert", x))


bitwise_not = bitwise_invert = invert


@_quick(bitwise.not_p, "b")
def logical_not(x: ArrayLike, /) -> Array:
    """Whether each element is zero.

    >>> import jaxlike.numpy as jnp
    >>> jnp.logical_not(jnp.array([0, 2])).tolist()
    [True, False]
    """
    from jaxlike.numpy.ufuncs import to_bool

    return bitwise.bitwise_not(*map(to_bool, promote_args("logical_not", x)))


@composite_of(1)
def bitwise_count(x: ArrayLike, /) -> Array:
    """How many bits are set in the absolute value of each integer, as uint8.

    >>> import jaxlike.numpy as jnp
    >>> jnp.bitwise_count(jnp.array([5, -1])).tolist()
    [2, 1]
    """
    [x] = promote_args_numeric("bitwise_count", x)
    if dtypes.issubdtype(dtype_of(x), np.signedinteger):
        x = arithmetic.abs(x)
    return convert(bitwise.population_count(x), np.dtype("uint8"))
