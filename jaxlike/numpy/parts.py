"""Elementwise functions of one array: rounding, and the parts of complex numbers."""

from __future__ import annotations

import builtins
import operator
from collections.abc import Callable
from functools import partial

import numpy as np

from jaxlike.core import dtypes
from jaxlike.core.array import Array
from jaxlike.core.errors import format_error
from jaxlike.numpy import dispatch
from jaxlike.numpy.composites import composite_of
from jaxlike.numpy.promote import (
    ArrayLike,
    convert,
    is_complex,
    scalar_like,
    to_arrays,
)
from jaxlike.numpy.unary import rad2deg
from jaxlike.primitives import (
    arithmetic,
    broadcasting,
    comparison,
    complexes,
    rounding,
    selection,
    transcendental,
)

__all__ = [
    "angle",
    "around",
    "ceil",
    "conj",
    "conjugate",
    "floor",
    "imag",
    "real",
    "rint",
    "round",
    "trunc",
]


def _quick(primitive, kinds: str) -> Callable[[Callable], Callable]:
    return lambda fun: dispatch.unary(fun, primitive, kinds)


def _rounding(name: str, rounded: Callable, x: ArrayLike) -> Array:
    [x] = to_arrays(name, x)
    if dtypes.isdtype(x.dtype, ("integral", "bool")):
        return x
    return rounded(x)


@_quick(rounding.floor_p, "f")
def floor(x: ArrayLike, /) -> Array:
    """The greatest whole number not above x, elementwise; integers stay.

    >>> import jaxlike.numpy as jnp
    >>> jnp.floor(-1.5).item()
    -2.0
    """
    return _rounding("floor", rounding.floor, x)


@_quick(rounding.ceil_p, "f")
def ceil(x: ArrayLike, /) -> Array:
    """The least whole number not below x, elementwise; integers stay.

    >>> import jaxlike.numpy as jnp
    >>> jnp.ceil(-1.5).item()
    -1.0
    """
    return _rounding("ceil", rounding.ceil, x)


@composite_of(1)
def trunc(x: ArrayLike) -> Array:
    """The fraction cut off: x rounded towards zero, elementwise; integers stay.

    >>> import jaxlike.numpy as jnp
    >>> jnp.trunc(-1.5).item()
    -1.0
    """
    return _rounding("trunc", _trunc, x)


def _trunc(x) -> Array:
    below = comparison.lt(x, scalar_like(x, 0))
    return selection.select(below, rounding.ceil(x), rounding.floor(x))


_to_even = partial(
    rounding.round, rounding_method=rounding.RoundingMethod.TO_NEAREST_EVEN
)


@composite_of(1)
def rint(x: ArrayLike, /) -> Array:
    """The nearest whole number, elementwise, the even one of two; as a float.

    >>> import jaxlike.numpy as jnp
    >>> jnp.rint(2.5).item()
    2.0
    """
    [x] = to_arrays("rint", x)
    if dtypes.isdtype(x.dtype, ("integral", "bool")):
        return convert(x, dtypes.canonicalize_dtype(dtypes.to_inexact_dtype(x.dtype)))
    return _by_parts(_to_even, x)


def _by_parts(fun: Callable, x) -> Array:
    if not is_complex(x):
        return fun(x)
    return complexes.complex(fun(complexes.real(x)), fun(complexes.imag(x)))


@composite_of(1)
def round(a: ArrayLike, decimals: int = 0, out: None = None) -> Array:
    """Rounded to `decimals` digits after the point, halves to even, elementwise.

    Args: `decimals`, a Python int, negative only for floats. Integers stay.
    Raises: NotImplementedError for `out`, or for integers and negative `decimals`.

    >>> import jaxlike.numpy as jnp
    >>> jnp.round(jnp.array([2.5, 3.5])).tolist()
    [2.0, 4.0]
    """
    [a] = to_arrays("round", a)
    decimals = operator.index(decimals)
    if out is not None:
        raise NotImplementedError(
            format_error("round takes no out", try_="x = jnp.round(x)")
        )
    dtype = a.dtype
    if dtypes.isdtype(dtype, ("integral", "bool")):
        if decimals < 0:
            raise NotImplementedError(
                format_error("round of integers has no decimals below 0")
            )
        return a
    if not decimals:
        return _by_parts(_to_even, a)
    narrow = dtypes.itemsize_bits(dtype) < 32

    def to_decimals(x):
        if narrow:  # the scaled numbers may not fit, or lose the digits in question
            x = convert(x, np.dtype("float32"), x.weak_type)
        factor = scalar_like(x, float(10.0 ** builtins.abs(decimals)))
        if decimals < 0:
            scaled = _to_even(arithmetic.div(x, factor))
            out = arithmetic.mul(scaled, factor)
        else:
            scaled = _to_even(arithmetic.mul(x, factor))
            out = arithmetic.div(scaled, factor)
        return convert(out, dtype, out.weak_type) if narrow else out

    return _by_parts(to_decimals, a)


around = round

# --- parts of complex numbers


@composite_of(1)
def real(val: ArrayLike, /) -> Array:
    """The real parts, elementwise; real numbers stay.

    >>> import jaxlike.numpy as jnp
    >>> jnp.real(3 + 4j).item()
    3.0
    """
    [val] = to_arrays("real", val)
    return complexes.real(val) if is_complex(val) else val


@composite_of(1)
def imag(val: ArrayLike, /) -> Array:
    """The imaginary parts, elementwise; zero for real numbers.

    >>> import jaxlike.numpy as jnp
    >>> jnp.imag(3 + 4j).item()
    4.0
    """
    [val] = to_arrays("imag", val)
    return complexes.imag(val) if is_complex(val) else broadcasting.full_like(val, 0)


@composite_of(1)
def conjugate(x: ArrayLike, /) -> Array:
    """The complex conjugates, elementwise; real numbers stay.

    >>> import jaxlike.numpy as jnp
    >>> jnp.conjugate(3 + 4j).item()
    (3-4j)
    """
    [x] = to_arrays("conjugate", x)
    return complexes.conj(x) if is_complex(x) else x


conj = conjugate


@composite_of(1)
def angle(z: ArrayLike, deg: bool = False) -> Array:
    """The angle of complex numbers from the positive real axis, elementwise.

    Args: `deg`, whether to give degrees rather than radians.
    Returns: a float array, in (-pi, pi].

    >>> import jaxlike.numpy as jnp
    >>> jnp.angle(1j, deg=True).item()
    90.0
    """
    re, im = real(z), imag(z)
    if not dtypes.issubdtype(re.dtype, np.inexact):
        dtype = dtypes.canonicalize_dtype(dtypes.to_inexact_dtype(re.dtype))
        re, im = (convert(part, dtype, part.weak_type) for part in (re, im))
    out = transcendental.atan2(im, re)
    return rad2deg(out) if deg else out
