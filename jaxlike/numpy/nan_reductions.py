"""Reductions that leave NaN out: nansum, nanmax, nanmean, nanvar, nanargmax ..."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from jaxlike.core import dtypes
from jaxlike.core.array import Array
from jaxlike.core.errors import format_error
from jaxlike.numpy import averages, reductions
from jaxlike.numpy.checks import isnan
from jaxlike.numpy.composites import composite_of
from jaxlike.numpy.promote import (
    ArrayLike,
    DTypeLike,
    convert,
    promote_args,
    to_arrays,
    user_dtype,
)
from jaxlike.numpy.reductions import Axis
from jaxlike.numpy.searching import where as choose_where
from jaxlike.numpy.unary import sqrt
from jaxlike.primitives import arithmetic, bitwise, comparison
from jaxlike.primitives import reductions as lax_reductions

__all__ = [
    "nanargmax",
    "nanargmin",
    "nanmax",
    "nanmean",
    "nanmin",
    "nanprod",
    "nanstd",
    "nansum",
    "nanvar",
]


def _filled(a, value):
    """`a` with a value in place of NaN."""
    return choose_where(isnan(a), np.asarray(value).astype(a.dtype), a)


def _present(a, where):
    """The mask of the elements that are not NaN and take part."""
    from jaxlike.numpy.ufuncs import logical_and

    mask = bitwise.bitwise_not(isnan(a))
    mask = convert(mask, np.dtype(bool))
    return mask if where is None else logical_and(mask, where)


@composite_of(1)
def nansum(
    a: ArrayLike,
    axis: Axis = None,
    dtype: DTypeLike | None = None,
    out: None = None,
    keepdims: bool = False,
    initial: ArrayLike | None = None,
    where: ArrayLike | None = None,
) -> Array:
    """As `sum`, with NaN counted as 0.

    >>> import jaxlike.numpy as jnp
    >>> jnp.nansum(jnp.array([1.0, jnp.nan, 3.0])).item()
    4.0
    """
    [a] = to_arrays("nansum", a)
    return reductions.sum(_filled(a, 0), axis, dtype, out, keepdims, initial, where)


@composite_of(1)
def nanprod(
    a: ArrayLike,
    axis: Axis = None,
    dtype: DTypeLike | None = None,
    out: None = None,
    keepdims: bool = False,
    initial: ArrayLike | None = None,
    where: ArrayLike | None = None,
) -> Array:
    """As `prod`, with NaN counted as 1.

    >>> import jaxlike.numpy as jnp
    >>> jnp.nanprod(jnp.array([2.0, jnp.nan, 3.0])).item()
    6.0
    """
    [a] = to_arrays("nanprod", a)
    return reductions.prod(_filled(a, 1), axis, dtype, out, keepdims, initial, where)


def _extreme(name, a, axis, out, keepdims, initial, where, reduce, identity):
    [a] = to_arrays(f"nan{name}", a)
    if out is not None:
        raise NotImplementedError(
            format_error(f"The 'out' argument to jnp.nan{name} is not supported.")
        )
    filled = _filled(a, identity(a.dtype))
    result = reduce(filled, axis, None, keepdims, initial, where)
    if initial is not None:
        return result
    # only NaN gives NaN
    nothing = reductions.all(isnan(a), axis=axis, keepdims=keepdims)
    if not dtypes.issubdtype(a.dtype, np.inexact):
        return result
    return choose_where(nothing, np.asarray(np.nan).astype(a.dtype), result)


@composite_of(1)
def nanmax(
    a: ArrayLike,
    axis: Axis = None,
    out: None = None,
    keepdims: bool = False,
    initial: ArrayLike | None = None,
    where: ArrayLike | None = None,
) -> Array:
    """As `max`, leaving NaN out; NaN where there is nothing else.

    >>> import jaxlike.numpy as jnp
    >>> jnp.nanmax(jnp.array([1.0, jnp.nan, 3.0])).item()
    3.0
    """
    reduce, identity = reductions.max, lax_reductions.max_identity
    return _extreme("max", a, axis, out, keepdims, initial, where, reduce, identity)


@composite_of(1)
def nanmin(
    a: ArrayLike,
    axis: Axis = None,
    out: None = None,
    keepdims: bool = False,
    initial: ArrayLike | None = None,
    where: ArrayLike | None = None,
) -> Array:
    """As `min`, leaving NaN out; NaN where there is nothing else.

    >>> import jaxlike.numpy as jnp
    >>> jnp.nanmin(jnp.array([1.0, jnp.nan, 3.0])).item()
    1.0
    """
    reduce, identity = reductions.min, lax_reductions.min_identity
    return _extreme("min", a, axis, out, keepdims, initial, where, reduce, identity)


@composite_of(1)
def nanmean(
    a: ArrayLike,
    axis: Axis = None,
    dtype: DTypeLike | None = None,
    out: None = None,
    keepdims: bool = False,
    where: ArrayLike | None = None,
) -> Array:
    """As `mean`, leaving NaN out; NaN where there is nothing else.

    >>> import jaxlike.numpy as jnp
    >>> jnp.nanmean(jnp.array([1.0, jnp.nan, 3.0])).item()
    2.0
    """
    [a] = to_arrays("nanmean", a)
    if out is not None:
        raise NotImplementedError(
            format_error("nanmean takes no out", try_="x = jnp.nanmean(x)")
        )
    if dtypes.isdtype(a.dtype, ("bool", "integral")):
        return averages.mean(a, axis, dtype, out, keepdims, where=where)
    dtype = a.dtype if dtype is None else dtype
    dtype = user_dtype(dtype, "nanmean")
    count = reductions.sum(_present(a, where), axis, dtype=dtype, keepdims=keepdims)
    total = nansum(a, axis, dtype=dtype, keepdims=keepdims, where=where)
    return arithmetic.div(*promote_args("nanmean", total, count))


def _nan_variance(name, a, axis, dtype, out, ddof, keepdims, where, mean):
    [a] = to_arrays(name, a)
    if out is not None:
        raise NotImplementedError(
            format_error(f"{name} takes no out", try_=f"x = jnp.{name}(x)")
        )
    computed, result = averages.variance_dtypes(name, dtype, a.dtype)
    x = convert(a, computed)
    if mean is None:
        mean = nanmean(x, axis, dtype=computed, keepdims=True, where=where)
    present = _present(x, where)
    gap = arithmetic.sub(*promote_args(name, x, mean))
    gap = choose_where(isnan(x), np.asarray(0, gap.dtype), gap)
    squares = averages.squared_size(gap)
    real = squares.dtype
    count = reductions.sum(present, axis, dtype=real, keepdims=keepdims)
    divisor = arithmetic.sub(*promote_args(name, count, convert(ddof, real)))
    total = reductions.sum(squares, axis, dtype=real, keepdims=keepdims, where=where)
    # no more elements than ddof leave nothing to say
    nothing = comparison.le(divisor, np.array(0, real))
    one = np.array(1, real)
    quotient = arithmetic.div(total, choose_where(nothing, one, divisor))
    out = choose_where(nothing, np.array(np.nan, real), quotient)
    return convert(out, result)


@composite_of(1)
def nanvar(
    a: ArrayLike,
    axis: Axis = None,
    dtype: DTypeLike | None = None,
    out: None = None,
    ddof: int = 0,
    keepdims: bool = False,
    where: ArrayLike | None = None,
    mean: ArrayLike | None = None,
) -> Array:
    """As `var`, leaving NaN out.

    >>> import jaxlike.numpy as jnp
    >>> jnp.nanvar(jnp.array([1.0, jnp.nan, 3.0])).item()
    1.0
    """
    return _nan_variance("nanvar", a, axis, dtype, out, ddof, keepdims, where, mean)


@composite_of(1)
def nanstd(
    a: ArrayLike,
    axis: Axis = None,
    dtype: DTypeLike | None = None,
    out: None = None,
    ddof: int = 0,
    keepdims: bool = False,
    where: ArrayLike | None = None,
    mean: ArrayLike | None = None,
) -> Array:
    """As `std`, leaving NaN out.

    >>> import jaxlike.numpy as jnp
    >>> jnp.nanstd(jnp.array([1.0, jnp.nan, 3.0])).item()
    1.0
    """
    return sqrt(
        _nan_variance("nanstd", a, axis, dtype, out, ddof, keepdims, where, mean)
    )


def _position(name: str, a, axis, out, keepdims, find: Callable, identity) -> Array:
    [a] = to_arrays(name, a)
    if out is not None:
        raise NotImplementedError(
            format_error(f"{name} takes no out", try_=f"x = jnp.{name}(x)")
        )
    if not dtypes.issubdtype(a.dtype, np.inexact):
        return find(a, axis=axis, keepdims=keepdims)
    nothing = reductions.all(isnan(a), axis=axis, keepdims=bool(keepdims))
    filled = _filled(a, identity(a.dtype))
    found = find(filled, axis=axis, keepdims=keepdims)
    return choose_where(nothing, np.array(-1, found.dtype), found)


@composite_of(1)
def nanargmax(
    a: ArrayLike,
    axis: int | None = None,
    out: None = None,
    keepdims: bool | None = None,
) -> Array:
    """As `argmax`, leaving NaN out; -1 where there is nothing else.

    >>> import jaxlike.numpy as jnp
    >>> jnp.nanargmax(jnp.array([1.0, jnp.nan, 3.0])).item()
    2
    """
    find, identity = reductions.argmax, lax_reductions.max_identity
    return _position("nanargmax", a, axis, out, keepdims, find, identity)


@composite_of(1)
def nanargmin(
    a: ArrayLike,
    axis: int | None = None,
    out: None = None,
    keepdims: bool | None = None,
) -> Array:
    """As `argmin`, leaving NaN out; -1 where there is nothing else.

    >>> import jaxlike.numpy as jnp
    >>> jnp.nanargmin(jnp.array([1.0, jnp.nan, 3.0])).item()
    0
    """
    find, identity = reductions.argmin, lax_reductions.min_identity
    return _position("nanargmin", a, axis, out, keepdims, find, identity)
