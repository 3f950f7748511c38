"""quantile, percentile, median, and their variants that leave NaN out."""

from __future__ import annotations

import math

import numpy as np

from jaxlike.core import dtypes
from jaxlike.core.array import Array
from jaxlike.core.errors import format_error
from jaxlike.numpy import manipulation, reductions
from jaxlike.numpy.axes import reduction_axes
from jaxlike.numpy.binary import clip
from jaxlike.numpy.checks import isnan
from jaxlike.numpy.composites import composite_of
from jaxlike.numpy.parts import ceil, floor
from jaxlike.numpy.promote import (
    ArrayLike,
    as_array,
    broadcast_to_shape,
    check_arraylike,
    convert,
    promote_dtypes_inexact,
    to_arrays,
)
from jaxlike.numpy.searching import where
from jaxlike.primitives import sorting

__all__ = [
    "median",
    "nanmedian",
    "nanpercentile",
    "nanquantile",
    "percentile",
    "quantile",
]

_METHODS = ("linear", "lower", "higher", "midpoint", "nearest", "inverted_cdf")


def _quantile(
    name: str,
    a: ArrayLike,
    q: ArrayLike,
    axis,
    method: str,
    keepdims: bool,
    skip_nan: bool,
    weights: ArrayLike | None = None,
) -> Array:
    if method not in _METHODS:
        raise ValueError(
            format_error(
                f"there is no method {method!r} of quantiles",
                try_="linear, lower, higher, midpoint, nearest, inverted_cdf",
            )
        )
    if weights is not None and method != "inverted_cdf":
        raise NotImplementedError(
            format_error(
                f"method {method!r} takes no weights", try_="method='inverted_cdf'"
            )
        )
    a, q = to_arrays(name, a, q)
    [a] = promote_dtypes_inexact(a)
    dtype = a.dtype
    if dtypes.issubdtype(dtype, np.complexfloating):
        raise ValueError(
            format_error(
                "quantiles have no meaning for complex numbers, which have no order"
            )
        )
    axes = reduction_axes(axis, a.ndim)
    kept_shape = tuple(1 if i in axes else n for i, n in enumerate(a.shape))
    if weights is not None:
        weights = _weights_like(as_array(weights), a, axes)
        weights = _axes_last(weights, axes)
    a = _axes_last(convert(a, dtype), axes)
    q_shape, q = q.shape, convert(q, dtype).reshape(-1)
    if weights is not None or method == "inverted_cdf":
        out = _inverted_cdf(a, q, weights, skip_nan)
    else:
        out = _interpolated(a, q, method, skip_nan)
    rest = kept_shape if keepdims else a.shape[:-1]
    return manipulation.moveaxis(out, -1, 0).reshape(q_shape + tuple(rest))


def _axes_last(a, axes: tuple[int, ...]):
    """The array with these axes flattened into one, the last."""
    rest = [i for i in range(a.ndim) if i not in axes]
    moved = manipulation.transpose(a, (*rest, *axes))
    size = math.prod(a.shape[i] for i in axes)
    return moved.reshape((*(a.shape[i] for i in rest), size))


def _weights_like(weights, a, axes):
    if weights.shape == a.shape:
        return weights
    if weights.ndim != len(axes) or weights.shape != tuple(a.shape[i] for i in axes):
        raise ValueError(
            format_error(
                f"Shape of weights {weights.shape} must be that of a {a.shape}, or of "
                "its axes that are reduced"
            )
        )
    placed = [1] * a.ndim
    for i, n in zip(axes, weights.shape):
        placed[i] = n
    return broadcast_to_shape(weights.reshape(tuple(placed)), a.shape)


def _interpolated(a, q, method: str, skip_nan: bool):
    """Quantiles along the last axis, which becomes that of q."""
    size = a.shape[-1]
    if skip_nan:
        missing = isnan(a)
        count = size - reductions.sum(missing, axis=-1, keepdims=True, dtype=a.dtype)
        last = count - 1
    else:
        # one NaN makes every quantile NaN
        spoilt = reductions.any(isnan(a), axis=-1, keepdims=True)
        a = where(spoilt, np.asarray(np.nan, a.dtype), a)
        last = as_array(np.asarray(size - 1, a.dtype))
    a = sorting.sort(a, dimension=a.ndim - 1)
    q = q.reshape((1,) * (a.ndim - 1) + q.shape)
    place = q * last
    low, high = floor(place), ceil(place)
    high_weight = place - low
    low_weight = 1 - high_weight
    low = clip(low, 0, last).astype("int32")
    high = clip(high, 0, last).astype("int32")
    if not skip_nan:  # the same places in every row
        low, high = low.reshape(-1), high.reshape(-1)
    low_value, high_value = _elements(a, low), _elements(a, high)
    if method == "linear":
        out = low_value * low_weight + high_value * high_weight
    elif method == "lower":
        out = low_value
    elif method == "higher":
        out = high_value
    elif method == "nearest":
        out = where(high_weight <= 0.5, low_value, high_value)
    else:
        out = (low_value + high_value) * 0.5
    if skip_nan:
        out = where(last < 0, np.asarray(np.nan, a.dtype), out)
    return convert(out, a.dtype)


def _elements(a, index):
    """The elements of the last axis at indices, one vector or one for each row."""
    if index.ndim == 1:
        return a[..., index]
    from jaxlike.numpy.taking import take_along_axis

    return take_along_axis(a, index, axis=-1)


def _inverted_cdf(a, q, weights, skip_nan: bool):
    """The first element, in order, up to which the share of the weights reaches q."""
    from jaxlike.numpy.cumulative import cumsum

    if weights is None:
        weights = (
            a * 0 + 1
            if skip_nan
            else broadcast_to_shape(as_array(np.asarray(1, a.dtype)), a.shape)
        )
    weights = convert(weights, a.dtype)
    missing = isnan(a)
    if skip_nan:
        weights = where(missing, np.asarray(0, a.dtype), weights)
    spoilt = reductions.any(missing, axis=-1, keepdims=True)
    a, weights = sorting.sort((a, weights), dimension=a.ndim - 1, num_keys=1)
    total = cumsum(weights, axis=-1)
    share = total / total[..., -1:]
    reached = share[..., None, :] >= q.reshape((1,) * (a.ndim - 1) + (-1, 1))
    index = reductions.argmax(reached, axis=-1)
    out = _elements(a, index)
    nothing = total[..., -1:] == 0 if skip_nan else spoilt
    return where(nothing, np.asarray(np.nan, a.dtype), out)


def _check(name: str, out, overwrite_input: bool) -> None:
    if overwrite_input or out is not None:
        raise ValueError(format_error(f"{name} takes neither overwrite_input nor out"))


@composite_of(2)
def quantile(
    a: ArrayLike,
    q: ArrayLike,
    axis: int | tuple[int, ...] | None = None,
    out: None = None,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: bool = False,
    *,
    weights: ArrayLike | None = None,
) -> Array:
    """The values below which a share `q` of the elements lies.

    Args:
      q: shares in [0, 1], of any shape, which comes first in the result's.
      method: what to do between two elements: 'linear', 'lower', 'higher', 'midpoint',
        'nearest', or 'inverted_cdf', the one that takes `weights`.
    Raises: ValueError for complex numbers or another method.

    >>> import jaxlike.numpy as jnp
    >>> jnp.quantile(jnp.arange(5.0), jnp.array([0.25, 0.5])).tolist()
    [1.0, 2.0]
    """
    _check("quantile", out, overwrite_input)
    return _quantile("quantile", a, q, axis, method, keepdims, False, weights)


@composite_of(2)
def nanquantile(
    a: ArrayLike,
    q: ArrayLike,
    axis: int | tuple[int, ...] | None = None,
    out: None = None,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: bool = False,
    *,
    weights: ArrayLike | None = None,
) -> Array:
    """As `quantile`, leaving NaN out.

    >>> import jaxlike.numpy as jnp
    >>> jnp.nanquantile(jnp.array([1.0, jnp.nan, 3.0]), 0.5).item()
    2.0
    """
    _check("nanquantile", out, overwrite_input)
    return _quantile("nanquantile", a, q, axis, method, keepdims, True, weights)


def _share(name: str, q: ArrayLike):
    check_arraylike(name, q)
    [q] = promote_dtypes_inexact(q)
    return as_array(q) / 100


@composite_of(2)
def percentile(
    a: ArrayLike,
    q: ArrayLike,
    axis: int | tuple[int, ...] | None = None,
    out: None = None,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: bool = False,
    *,
    weights: ArrayLike | None = None,
    out_sharding=None,
) -> Array:
    """As `quantile`, of shares in percent.

    >>> import jaxlike.numpy as jnp
    >>> jnp.percentile(jnp.arange(5.0), 75).item()
    3.0
    """
    _check("percentile", out, overwrite_input)
    q = _share("percentile", q)
    return _quantile("percentile", a, q, axis, method, keepdims, False, weights)


@composite_of(2)
def nanpercentile(
    a: ArrayLike,
    q: ArrayLike,
    axis: int | tuple[int, ...] | None = None,
    out: None = None,
    overwrite_input: bool = False,
    method: str = "linear",
    keepdims: bool = False,
    *,
    weights: ArrayLike | None = None,
) -> Array:
    """As `percentile`, leaving NaN out.

    >>> import jaxlike.numpy as jnp
    >>> jnp.nanpercentile(jnp.array([1.0, jnp.nan, 3.0]), 50).item()
    2.0
    """
    _check("nanpercentile", out, overwrite_input)
    q = _share("nanpercentile", q)
    return _quantile("nanpercentile", a, q, axis, method, keepdims, True, weights)


@composite_of(1)
def median(
    a: ArrayLike,
    axis: int | tuple[int, ...] | None = None,
    out: None = None,
    overwrite_input: bool = False,
    keepdims: bool = False,
) -> Array:
    """The middle element, or the average of the two in the middle.

    >>> import jaxlike.numpy as jnp
    >>> jnp.median(jnp.array([1, 9, 2, 3])).item()
    2.5
    """
    _check("median", out, overwrite_input)
    return _quantile("median", a, 0.5, axis, "midpoint", keepdims, False)


@composite_of(1)
def nanmedian(
    a: ArrayLike,
    axis: int | tuple[int, ...] | None = None,
    out: None = None,
    overwrite_input: bool = False,
    keepdims: bool = False,
) -> Array:
    """As `median`, leaving NaN out.

    >>> import jaxlike.numpy as jnp
    >>> jnp.nanmedian(jnp.array([1.0, jnp.nan, 3.0])).item()
    2.0
    """
    _check("nanmedian", out, overwrite_input)
    return _quantile("nanmedian", a, 0.5, axis, "midpoint", keepdims, True)
