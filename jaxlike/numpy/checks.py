"""Elementwise tests of values (isnan, isclose), and of what a value is (isscalar)."""

from __future__ import annotations

from typing import Any

import numpy as np

from jaxlike.core import dtypes
from jaxlike.core.array import Array
from jaxlike.core.errors import format_error
from jaxlike.core.trace import Tracer
from jaxlike.numpy import dispatch
from jaxlike.numpy.composites import composite_of
from jaxlike.numpy.promote import (
    ArrayLike,
    as_array,
    check_arraylike,
    convert,
    dtype_of,
    is_complex,
    promote_args,
    promote_args_inexact,
    scalar_like,
    shape_of,
    strong_scalar_like,
    to_arrays,
)
from jaxlike.primitives import (
    arithmetic,
    bitwise,
    comparison,
    complexes,
    conversion,
    reductions,
    rounding,
)
from jaxlike.primitives.broadcasting import broadcast_shapes, full, full_like

__all__ = [
    "allclose",
    "array_equal",
    "array_equiv",
    "isclose",
    "iscomplex",
    "iscomplexobj",
    "isfinite",
    "isinf",
    "isnan",
    "isneginf",
    "isposinf",
    "isreal",
    "isrealobj",
    "isscalar",
    "iterable",
    "signbit",
]

_bool = np.dtype(bool)


def _all_over(x, value: bool) -> Array:
    return full_like(x, value, dtype=_bool)


def _is_float(x) -> bool:
    return dtypes.issubdtype(dtype_of(x), np.floating)


@dispatch.unary_of(comparison.ne_p, "f", lambda evaluate: lambda x: evaluate(x, x))
def isnan(x: ArrayLike, /) -> Array:
    """Whether each element is NaN (in either part, for complex numbers).

    >>> import jaxlike.numpy as jnp
    >>> jnp.isnan(jnp.array([1.0, jnp.nan])).tolist()
    [False, True]
    """
    [x] = to_arrays("isnan", x)
    return comparison.ne(x, x)


@dispatch.unary_of(rounding.is_finite_p, "f")
def isfinite(x: ArrayLike, /) -> Array:
    """Whether each element is neither infinite nor NaN.

    >>> import jaxlike.numpy as jnp
    >>> jnp.isfinite(jnp.array([1.0, jnp.inf])).tolist()
    [True, False]
    """
    [x] = to_arrays("isfinite", x)
    if _is_float(x):
        return rounding.is_finite(x)
    if is_complex(x):
        parts = complexes.real(x), complexes.imag(x)
        return bitwise.bitwise_and(*map(rounding.is_finite, parts))
    return _all_over(x, True)


@composite_of(1)
def isinf(x: ArrayLike, /) -> Array:
    """Whether each element is infinite (in either part, for complex numbers).

    >>> import jaxlike.numpy as jnp
    >>> jnp.isinf(jnp.array([1.0, -jnp.inf])).tolist()
    [False, True]
    """
    [x] = to_arrays("isinf", x)
    if _is_float(x):
        return comparison.eq(arithmetic.abs(x), strong_scalar_like(x, np.inf))
    if is_complex(x):
        return bitwise.bitwise_or(isinf(complexes.real(x)), isinf(complexes.imag(x)))
    return _all_over(x, False)


@composite_of(1)
def isposinf(x, /, out=None):
    """Whether each element is positive infinity.

    Raises: ValueError for complex numbers.

    >>> import jaxlike.numpy as jnp
    >>> jnp.isposinf(jnp.array([jnp.inf, -jnp.inf])).tolist()
    [True, False]
    """
    return _is_infinity("isposinf", np.inf, x, out)


@composite_of(1)
def isneginf(x, /, out=None):
    """Whether each element is negative infinity.

    Raises: ValueError for complex numbers.

    >>> import jaxlike.numpy as jnp
    >>> jnp.isneginf(jnp.array([jnp.inf, -jnp.inf])).tolist()
    [False, True]
    """
    return _is_infinity("isneginf", -np.inf, x, out)


def _is_infinity(name: str, infinity: float, x, out):
    if out is not None:
        raise NotImplementedError(
            format_error(
                "isneginf and isposinf take no out", try_="x = jnp.isneginf(x)"
            )
        )
    [x] = to_arrays(name, x)
    if _is_float(x):
        return comparison.eq(x, strong_scalar_like(x, infinity))
    if is_complex(x):
        raise ValueError(
            format_error("isneginf and isposinf have no meaning for complex numbers")
        )
    return _all_over(x, False)


@composite_of(1)
def signbit(x: ArrayLike, /) -> Array:
    """Whether the sign bit is set: for numbers below zero, and for negative zero.

    Raises: ValueError for complex numbers.

    >>> import jaxlike.numpy as jnp
    >>> jnp.signbit(jnp.array([-0.0, 1.0])).tolist()
    [True, False]
    """
    [x] = to_arrays("signbit", x)
    dtype = x.dtype
    if dtypes.issubdtype(dtype, np.integer):
        return comparison.lt(x, strong_scalar_like(x, 0))
    if dtype == _bool:
        return _all_over(x, False)
    if not _is_float(x):
        raise ValueError(format_error(f"signbit has no meaning for {dtype}"))
    bits = dtypes.itemsize_bits(dtype)
    word = np.dtype(f"int{bits}")
    as_int = conversion.bitcast_convert_type(x, word)
    sign = bitwise.shift_right_arithmetic(as_int, np.array(bits - 1, word))
    return convert(sign, _bool)


@composite_of(1)
def iscomplex(x: ArrayLike) -> Array:
    """Whether each element has an imaginary part that is not zero.

    >>> import jaxlike.numpy as jnp
    >>> jnp.iscomplex(jnp.array([1, 1j])).tolist()
    [False, True]
    """
    from jaxlike.numpy.parts import imag

    part = imag(x)
    return comparison.ne(part, scalar_like(part, 0))


@composite_of(1)
def isreal(x: ArrayLike) -> Array:
    """Whether each element has no imaginary part, or one of zero.

    >>> import jaxlike.numpy as jnp
    >>> jnp.isreal(jnp.array([1, 1j])).tolist()
    [True, False]
    """
    from jaxlike.numpy.parts import imag

    part = imag(x)
    return comparison.eq(part, scalar_like(part, 0))


@composite_of(2)
def isclose(
    a: ArrayLike,
    b: ArrayLike,
    rtol: ArrayLike = 1e-05,
    atol: ArrayLike = 1e-08,
    equal_nan: bool = False,
) -> Array:
    """Whether |a - b| <= atol + rtol * |b|, elementwise; infinities equal themselves.

    Args: `equal_nan`, whether NaN counts as close to NaN.

    >>> import jaxlike.numpy as jnp
    >>> jnp.isclose(jnp.array([1.0, 2.0]), jnp.array([1.0, 2.1])).tolist()
    [True, False]
    """
    check_arraylike("isclose", a, b, rtol, atol)
    a, b = promote_args("isclose", a, b)
    if dtypes.issubdtype(dtype_of(a), dtypes.extended):
        return comparison.eq(a, b)
    a, b = promote_args_inexact("isclose", a, b)
    tolerance = dtypes.to_real_dtype(dtype_of(a))
    rtol, atol = (convert(as_array(t), tolerance) for t in (rtol, atol))
    limit = arithmetic.add(
        *promote_args("isclose", atol, _product(rtol, arithmetic.abs(b)))
    )
    near = comparison.le(
        *promote_args("isclose", arithmetic.abs(arithmetic.sub(a, b)), limit)
    )
    out = bitwise.bitwise_or(
        comparison.eq(a, b),
        bitwise.bitwise_and(*_together(isfinite(b), near)),
    )
    if equal_nan:
        both = bitwise.bitwise_and(comparison.ne(a, a), comparison.ne(b, b))
        out = bitwise.bitwise_or(out, both)
    return convert(out, _bool)


def _product(x, y):
    return arithmetic.mul(*promote_args("isclose", x, y))


def _together(x, y):
    from jaxlike.numpy.promote import promote_shapes

    return promote_shapes("isclose", x, y)


@composite_of(2)
def allclose(
    a: ArrayLike,
    b: ArrayLike,
    rtol: ArrayLike = 1e-05,
    atol: ArrayLike = 1e-08,
    equal_nan: bool = False,
) -> Array:
    """Whether all elements are close; see `isclose` for the arguments.

    >>> import jaxlike.numpy as jnp
    >>> jnp.allclose(jnp.ones(2), 1.0).item()
    True
    """
    check_arraylike("allclose", a, b)
    return _all(isclose(a, b, rtol=rtol, atol=atol, equal_nan=equal_nan))


def _all(mask) -> Array:
    return reductions.reduce_and(mask, tuple(range(mask.ndim)))


@composite_of(2)
def array_equal(a1: ArrayLike, a2: ArrayLike, equal_nan: bool = False) -> Array:
    """Whether two arrays have the same shape and elements.

    Args: `equal_nan`, whether NaN equals NaN.

    >>> import jaxlike.numpy as jnp
    >>> jnp.array_equal(jnp.arange(3), jnp.arange(3)).item()
    True
    """
    from jaxlike.numpy import creation

    try:
        a1, a2 = creation.asarray(a1), creation.asarray(a2)
    except Exception:
        return creation.asarray(False)
    if a1.shape != a2.shape:
        return creation.asarray(False)
    a1, a2 = promote_args("array_equal", a1, a2)
    same = comparison.eq(a1, a2)
    if equal_nan:
        same = bitwise.bitwise_or(
            same, bitwise.bitwise_and(comparison.ne(a1, a1), comparison.ne(a2, a2))
        )
    return convert(_all(same), _bool)


@composite_of(2)
def array_equiv(a1: ArrayLike, a2: ArrayLike) -> Array:
    """Whether two arrays broadcast together to the same elements.

    >>> import jaxlike.numpy as jnp
    >>> jnp.array_equiv(jnp.array([2, 2]), 2).item()
    True
    """
    from jaxlike.numpy import creation

    try:
        a1, a2 = creation.asarray(a1), creation.asarray(a2)
    except Exception:
        return full((), False)
    try:
        broadcast_shapes(shape_of(a1), shape_of(a2))
    except ValueError:
        return creation.asarray(False)
    return _all(comparison.eq(*promote_args("array_equiv", a1, a2)))


# --- of whole values


def isscalar(element: Any) -> bool:
    """Whether the value is a scalar: a number, a 0-d array, a string.

    >>> import jaxlike.numpy as jnp
    >>> jnp.isscalar(jnp.array(3)), jnp.isscalar(jnp.array([3]))
    (True, False)
    """
    if isinstance(element, (np.ndarray, Array, Tracer)) or hasattr(
        element, "__jax_array__"
    ):
        return shape_of(as_array(element)) == ()
    return np.isscalar(element)


def iscomplexobj(x: Any) -> bool:
    """Whether the value has a complex dtype, or holds complex numbers.

    >>> import jaxlike.numpy as jnp
    >>> jnp.iscomplexobj(jnp.array([1j]))
    True
    """
    if x is None:
        return False
    try:
        dtype = x.dtype
    except AttributeError:
        return np.iscomplexobj(x)
    return bool(dtypes.issubdtype(dtype, np.complexfloating))


def isrealobj(x: Any) -> bool:
    """Whether the value has no complex dtype, and holds no complex numbers.

    >>> import jaxlike.numpy as jnp
    >>> jnp.isrealobj(jnp.array([1j]))
    False
    """
    return not iscomplexobj(x)


def iterable(y: Any) -> bool:
    """Whether the value can be iterated over.

    >>> import jaxlike.numpy as jnp
    >>> jnp.iterable(jnp.array([1])), jnp.iterable(jnp.array(1))
    (True, False)
    """
    try:
        iter(y)
    except TypeError:
        return False
    return True
