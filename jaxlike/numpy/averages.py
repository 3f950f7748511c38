"""Averages over axes: mean, var, std."""

from __future__ import annotations

import math

import numpy as np

from jaxlike.core import dtypes
from jaxlike.core.array import Array
from jaxlike.core.errors import format_error
from jaxlike.numpy import reductions
from jaxlike.numpy.axes import reduction_axes
from jaxlike.numpy.composites import composite_of
from jaxlike.numpy.promote import (
    ArrayLike,
    DTypeLike,
    as_array,
    broadcast_args,
    check_arraylike_or_none,
    convert,
    promote_args,
    to_arrays,
    user_dtype,
)
from jaxlike.numpy.reductions import Axis
from jaxlike.numpy.searching import where as choose_where
from jaxlike.primitives import arithmetic, comparison, complexes, powers

__all__ = ["mean", "std", "var"]


def _count(a, axes: tuple[int, ...], where, dtype):
    """How many elements take part for each result."""
    if where is None:
        return np.asarray(math.prod(a.shape[i] for i in axes), dtype)
    mask = broadcast_args(a, as_array(where))[1]
    return reductions.sum(mask, axis=axes, dtype=dtype)


def _inexact_dtype(a, dtype, name: str):
    if dtype is not None:
        return user_dtype(dtype, name)
    return dtypes.canonicalize_dtype(dtypes.to_inexact_dtype(a.dtype))


@composite_of(1)
def mean(
    a: ArrayLike,
    axis: Axis = None,
    dtype: DTypeLike | None = None,
    out: None = None,
    keepdims: bool = False,
    *,
    where: ArrayLike | None = None,
) -> Array:
    """The average over some axes, all of them for None.

    Args: `where`, a mask of the elements that take part.
    Returns: floats, of integers too, unless a dtype is given.

    >>> import jaxlike.numpy as jnp
    >>> jnp.mean(jnp.array([[1, 2], [3, 5]]), axis=0).tolist()
    [2.0, 3.5]
    """
    if type(a) is not Array:
        [a] = to_arrays("mean", a)
    reductions.not_supported("mean", out)
    result = _inexact_dtype(a, dtype, "mean")
    computed = np.dtype("float32") if reductions.is_half(result) else result
    axes = reduction_axes(axis, a.ndim)
    if not dtypes.issubdtype(result, np.inexact):
        computed = np.dtype("float32")
    total = reductions.sum(convert(a, computed), axes, dtype=computed, where=where)
    count = _count(a, axes, where, computed)
    quotient = arithmetic.div(*promote_args("mean", total, count))
    out = convert(quotient, result)
    return reductions.kept(a, out, axes) if keepdims else out


def squared_size(x):
    """|x|**2, as a real array."""
    if dtypes.issubdtype(x.dtype, np.complexfloating):
        re, im = complexes.real(x), complexes.imag(x)
        return arithmetic.add(powers.square(re), powers.square(im))
    return powers.square(x)


def variance_dtypes(name: str, dtype, own):
    """The dtypes to compute the variance in, and to return it in."""
    if dtype is None:
        computed = dtypes.canonicalize_dtype(dtypes.to_inexact_dtype(own))
        return computed, dtypes.to_real_dtype(computed)
    dtype = user_dtype(dtype, name)
    complex_in = dtypes.issubdtype(own, np.complexfloating)
    if complex_in and not dtypes.issubdtype(dtype, np.complexfloating):
        raise ValueError(
            format_error(
                f"jax.numpy.{name} of complex numbers needs a complex dtype, got "
                f"{dtype}"
            )
        )
    computed = dtypes.canonicalize_dtype(dtypes.to_inexact_dtype(dtype))
    return computed, dtype


@composite_of(1)
def var(
    a: ArrayLike,
    axis: Axis = None,
    dtype: DTypeLike | None = None,
    out: None = None,
    ddof: int = 0,
    keepdims: bool = False,
    *,
    where: ArrayLike | None = None,
    mean: ArrayLike | None = None,
    correction: int | float | None = None,
) -> Array:
    """The variance over some axes, all of them for None.

    Args:
      ddof, correction: what is taken off the number of elements in the divisor.
      where: a mask of the elements that take part.
      mean: the averages, with the axes kept, if they are known.
    Returns: real floats; NaN where the divisor is not positive.

    >>> import jaxlike.numpy as jnp
    >>> jnp.var(jnp.array([1, 2, 3]), ddof=1).item()
    1.0
    """
    return _variance(
        "var", a, axis, dtype, out, ddof, keepdims, where, mean, correction
    )


def _variance(name, a, axis, dtype, out, ddof, keepdims, where, mean_, correction):
    check_arraylike_or_none(name, a, mean_)
    [a] = to_arrays(name, a)
    reductions.not_supported(name, out)
    if correction is None:
        correction = ddof
    elif not isinstance(ddof, int) or ddof != 0:
        raise ValueError(format_error("var and std take ddof or correction, not both"))
    computed, result = variance_dtypes(name, dtype, a.dtype)
    if reductions.is_half(computed):
        computed = np.dtype("float32")
    x = convert(a, computed)
    axes = reduction_axes(axis, a.ndim)
    if mean_ is None:
        mean_ = mean(x, axes, dtype=computed, keepdims=True, where=where)
    else:
        mean_ = convert(as_array(mean_), computed)
    squares = squared_size(arithmetic.sub(*promote_args(name, x, mean_)))
    real = squares.dtype
    total = reductions.sum(squares, axes, dtype=real, keepdims=keepdims, where=where)
    count = _count(a, axes, where, real)
    divisor = arithmetic.sub(*promote_args(name, count, convert(correction, real)))
    divisor = as_array(divisor)
    if keepdims and divisor.ndim:
        divisor = reductions.kept(a, divisor, axes)
    quotient = arithmetic.div(*promote_args(name, total, divisor))
    nan = np.array(np.nan, real)
    positive = comparison.gt(divisor, np.array(0, real))
    out = choose_where(positive, quotient, nan)
    return convert(out, result)


@composite_of(1)
def std(
    a: ArrayLike,
    axis: Axis = None,
    dtype: DTypeLike | None = None,
    out: None = None,
    ddof: int = 0,
    keepdims: bool = False,
    *,
    where: ArrayLike | None = None,
    mean: ArrayLike | None = None,
    correction: int | float | None = None,
) -> Array:
    """The standard deviation: the square root of the variance; arguments as in `var`.

    >>> import jaxlike.numpy as jnp
    >>> jnp.std(jnp.array([1, 3])).item()
    1.0
    """
    if dtype is not None and not dtypes.issubdtype(dtype, np.inexact):
        raise ValueError(
            format_error(f"std of dtype {dtype}: the dtype must be a float or complex")
        )
    out = _variance("std", a, axis, dtype, out, ddof, keepdims, where, mean, correction)
    return powers.sqrt(out)
