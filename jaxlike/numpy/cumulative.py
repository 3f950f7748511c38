"""Sums and products up to each element: cumsum, cumprod and their variants."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from jaxlike.core import dtypes
from jaxlike.core.array import Array
from jaxlike.core.errors import format_error
from jaxlike.numpy.axes import one_axis
from jaxlike.numpy.composites import composite_of
from jaxlike.numpy.promote import ArrayLike, DTypeLike, convert, to_arrays
from jaxlike.numpy.reductions import Axis, sum_dtype
from jaxlike.numpy.searching import where
from jaxlike.primitives import cumulative, joining, shapes
from jaxlike.primitives.broadcasting import full

__all__ = [
    "cumprod",
    "cumsum",
    "cumulative_prod",
    "cumulative_sum",
    "nancumprod",
    "nancumsum",
]


def _cumulate(
    name: str,
    a: ArrayLike,
    axis: Axis,
    dtype: DTypeLike | None,
    out: None,
    accumulate: Callable,
    *,
    fill_nan: float | None = None,
    promote_integers: bool = False,
) -> Array:
    [a] = to_arrays(name, a)
    if out is not None:
        raise NotImplementedError(
            format_error(f"{name} takes no out", try_=f"x = jnp.{name}(x)")
        )
    dtype = sum_dtype(a, dtype, promote_integers, name)
    if axis is None or not a.shape:
        a = shapes.reshape(a, (a.size,))
        axis = 0 if axis is None else axis
    axis = one_axis(axis, a.ndim)
    if fill_nan is not None and dtypes.issubdtype(a.dtype, np.inexact):
        from jaxlike.numpy.checks import isnan

        a = where(isnan(a), np.array(fill_nan, a.dtype), a)
    if dtype == np.bool_:
        counts = convert(convert(a, np.dtype(bool)), dtypes.default_int_dtype())
        return convert(accumulate(counts, axis), dtype)
    return accumulate(convert(a, dtype), axis)


@composite_of(1)
def cumsum(
    a: ArrayLike,
    axis: int | None = None,
    dtype: DTypeLike | None = None,
    out: None = None,
) -> Array:
    """The sums of the first 1, 2, ... elements along an axis.

    Args: `axis`, None to flatten the array first.
    Returns: an array of the dtype of `a`, int32 for booleans, unless one is given.

    >>> import jaxlike.numpy as jnp
    >>> jnp.cumsum(jnp.array([1, 2, 3])).tolist()
    [1, 3, 6]
    """
    return _cumulate("cumsum", a, axis, dtype, out, cumulative.cumsum)


@composite_of(1)
def cumprod(
    a: ArrayLike,
    axis: int | None = None,
    dtype: DTypeLike | None = None,
    out: None = None,
) -> Array:
    """The products of the first 1, 2, ... elements along an axis.

    Args: `axis`, None to flatten the array first.
    Returns: an array of the dtype of `a`, int32 for booleans, unless one is given.

    >>> import jaxlike.numpy as jnp
    >>> jnp.cumprod(jnp.array([1, 2, 3])).tolist()
    [1, 2, 6]
    """
    return _cumulate("cumprod", a, axis, dtype, out, cumulative.cumprod)


@composite_of(1)
def nancumsum(
    a: ArrayLike,
    axis: int | None = None,
    dtype: DTypeLike | None = None,
    out: None = None,
) -> Array:
    """As `cumsum`, with NaN counted as 0.

    >>> import jaxlike.numpy as jnp
    >>> jnp.nancumsum(jnp.array([1.0, jnp.nan, 3.0])).tolist()
    [1.0, 1.0, 4.0]
    """
    how = cumulative.cumsum
    return _cumulate("nancumsum", a, axis, dtype, out, how, fill_nan=0)


@composite_of(1)
def nancumprod(
    a: ArrayLike,
    axis: int | None = None,
    dtype: DTypeLike | None = None,
    out: None = None,
) -> Array:
    """As `cumprod`, with NaN counted as 1.

    >>> import jaxlike.numpy as jnp
    >>> jnp.nancumprod(jnp.array([2.0, jnp.nan, 3.0])).tolist()
    [2.0, 2.0, 6.0]
    """
    how = cumulative.cumprod
    return _cumulate("nancumprod", a, axis, dtype, out, how, fill_nan=1)


def _with_initial(
    name: str, what: str, x, axis, dtype, include_initial, accumulate, initial: int
) -> Array:
    [x] = to_arrays(name, x)
    if not x.ndim:
        raise ValueError(
            format_error(f"a cumulative {what} needs an axis, and a scalar has none")
        )
    if axis is None:
        if x.ndim > 1:
            raise ValueError(
                format_error(
                    f"the axis of a cumulative function must be given for {x.ndim} axes"
                )
            )
        axis = 0
    axis = one_axis(axis, x.ndim)
    out = _cumulate(name, x, axis, dtype, None, accumulate, promote_integers=True)
    if not include_initial:
        return out
    lead = (*out.shape[:axis], 1, *out.shape[axis + 1 :])
    return joining.concatenate([full(lead, initial, out.dtype), out], axis)


@composite_of(1)
def cumulative_sum(
    x: ArrayLike,
    /,
    *,
    axis: int | None = None,
    dtype: DTypeLike | None = None,
    include_initial: bool = False,
) -> Array:
    """As `cumsum`, under the array API's name, summing small integers as int32.

    Args: `axis`, needed unless `x` is a vector; `include_initial`, whether the sum of
    no elements comes first.

    >>> import jaxlike.numpy as jnp
    >>> jnp.cumulative_sum(jnp.array([1, 2]), include_initial=True).tolist()
    [0, 1, 3]
    """
    how = cumulative.cumsum
    return _with_initial(
        "cumulative_sum", "sum", x, axis, dtype, include_initial, how, 0
    )


@composite_of(1)
def cumulative_prod(
    x: ArrayLike,
    /,
    *,
    axis: int | None = None,
    dtype: DTypeLike | None = None,
    include_initial: bool = False,
) -> Array:
    """As `cumprod`, under the array API's name, multiplying small integers as int32.

    Args: `axis`, needed unless `x` is a vector; `include_initial`, whether the product
    of no elements comes first.

    >>> import jaxlike.numpy as jnp
    >>> jnp.cumulative_prod(jnp.array([2, 3]), include_initial=True).tolist()
    [1, 2, 6]
    """
    how = cumulative.cumprod
    return _with_initial(
        "cumulative_prod", "product", x, axis, dtype, include_initial, how, 1
    )
