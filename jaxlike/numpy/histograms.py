"""Counting: bincount, histogram in one or more dimensions, digitize."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from jaxlike.core import dtypes
from jaxlike.core.array import Array
from jaxlike.core.errors import format_error
from jaxlike.core.trace import concrete_or_error
from jaxlike.numpy import creation, reductions
from jaxlike.numpy.binary import clip
from jaxlike.numpy.numeric import diff
from jaxlike.numpy.promote import (
    ArrayLike,
    check_arraylike,
    convert,
    promote_dtypes_inexact,
    shape_of,
    to_arrays,
)
from jaxlike.numpy.ranges import linspace
from jaxlike.numpy.searching import where
from jaxlike.numpy.sorting import searchsorted

__all__ = [
    "bincount",
    "digitize",
    "histogram",
    "histogram2d",
    "histogram_bin_edges",
    "histogramdd",
]


def bincount(
    x: ArrayLike,
    weights: ArrayLike | None = None,
    minlength: int = 0,
    *,
    length: int | None = None,
    out_sharding=None,
) -> Array:
    """How often each number 0, 1, 2, ... occurs in a vector of integers.

    Args:
      weights: what each element counts, 1 by default.
      length: the size of the result, needed under jit; greater numbers are left out.
      minlength: the least size of the result otherwise.
    Raises: TypeError unless `x` is of integers, ValueError unless it is a vector.

    >>> import jaxlike.numpy as jnp
    >>> jnp.bincount(jnp.array([1, 1, 3])).tolist()
    [0, 2, 0, 1]
    """
    [x] = to_arrays("bincount", x)
    if dtypes.isdtype(x.dtype, "bool"):
        x = convert(x, np.dtype("int32"))
    if not dtypes.issubdtype(x.dtype, np.integer):
        raise TypeError(format_error(f"bincount counts integers, got {x.dtype}"))
    if x.ndim != 1:
        raise ValueError(format_error(f"bincount takes a vector, got shape {x.shape}"))
    needed = "the length of the result of bincount depends on it"
    minlength = concrete_or_error(operator.index, minlength, needed)
    if length is None:
        known = np.asarray(concrete_or_error(None, x, needed, "length=n"))
        length = max(minlength, int(known.max()) + 1 if known.size else 0)
    else:
        length = concrete_or_error(operator.index, length, needed)
    if weights is None:
        counted = creation.ones(x.shape, dtypes.default_int_dtype())
    else:
        [counted] = to_arrays("bincount", weights)
        if counted.shape != x.shape:
            raise ValueError(format_error("shape of weights must match shape of x."))
    out = creation.zeros(length, counted.dtype)
    return out.at[clip(x, 0, None)].add(counted, mode="drop")


def digitize(
    x: ArrayLike, bins: ArrayLike, right: bool = False, *, method: str | None = None
) -> Array:
    """The number of the bin in which each value falls; bins are given by their edges.

    Args: `bins`, a vector of ascending or descending edges; `right`, whether an edge
    belongs to the bin below it.

    >>> import jaxlike.numpy as jnp
    >>> jnp.digitize(jnp.array([0, 2, 5]), jnp.array([1, 2, 3])).tolist()
    [0, 2, 3]
    """
    x, bins = to_arrays("digitize", x, bins)
    if bins.ndim != 1:
        raise ValueError(format_error(f"digitize: bins must have 1 axis, got {bins!r}"))
    if not bins.shape[0]:
        return creation.zeros(x.shape, dtypes.default_int_dtype())
    side = "left" if right else "right"
    how = {} if method is None else {"method": method}
    up = searchsorted(bins, x, side=side, **how)
    down = bins.shape[0] - searchsorted(bins[::-1], x, side=side, **how)
    return where(bins[-1] >= bins[0], up, down)


def histogram_bin_edges(
    a: ArrayLike,
    bins: ArrayLike = 10,
    range: Array | Sequence[ArrayLike] | None = None,
    weights: ArrayLike | None = None,
) -> Array:
    """The edges of the bins of `histogram`.

    Args: `bins`, how many bins of equal width, or the edges; `range`, the first and the
    last edge, by default the least and the greatest element. `weights` has no effect.

    >>> import jaxlike.numpy as jnp
    >>> jnp.histogram_bin_edges(jnp.array([0, 1, 4]), bins=2).tolist()
    [0.0, 2.0, 4.0]
    """
    del weights
    if isinstance(bins, str):
        raise TypeError(
            format_error(
                f"bins cannot be a rule such as {bins!r}, as their number "
                "would depend on values"
            )
        )
    check_arraylike("histogram_bin_edges", a, bins)
    [a] = to_arrays("histogram_bin_edges", a)
    dtype = dtypes.canonicalize_dtype(dtypes.to_inexact_dtype(a.dtype))
    if len(shape_of(bins)) == 1:
        return convert(creation.asarray(bins), dtype)
    count = concrete_or_error(operator.index, bins, "bins argument of histogram")
    a = a.reshape(-1)
    if range is None:
        low, high = reductions.min(a), reductions.max(a)
    else:
        if len(range) != 2:
            raise ValueError(
                format_error(f"expected a range of two numbers; got {range}")
            )
        low, high = range
    low, high = creation.asarray(low), creation.asarray(high)
    point = low == high
    low = where(point, low - 0.5, low)
    high = where(point, high + 0.5, high)
    return linspace(low, high, count + 1, dtype=dtype)


def _bin_numbers(x, edges):
    """Which bin each element is in, from 1; 0 is before, len(edges) after them all."""
    number = searchsorted(edges, x, side="right")
    # the last edge belongs to the last bin
    return where(x == edges[-1], edges.shape[0] - 1, number)


def histogram(
    a: ArrayLike,
    bins: ArrayLike = 10,
    range: Sequence[ArrayLike] | None = None,
    weights: ArrayLike | None = None,
    density: bool | None = None,
) -> tuple[Array, Array]:
    """How many elements fall in each bin.

    Args: `bins` and `range`, as in `histogram_bin_edges`; `weights`, what each element
    counts; `density`, whether to divide so that the integral is 1.
    Returns: the pair (counts, edges), both of floats.

    >>> import jaxlike.numpy as jnp
    >>> [x.tolist() for x in jnp.histogram(jnp.array([0, 1, 4]), bins=2)]
    [[2.0, 1.0], [0.0, 2.0, 4.0]]
    """
    if isinstance(bins, str):
        raise TypeError(
            format_error(
                f"bins cannot be a rule such as {bins!r}, as their number "
                "would depend on values"
            )
        )
    check_arraylike("histogram", a, bins)
    if weights is None:
        [a] = promote_dtypes_inexact(*to_arrays("histogram", a))
        counted = creation.ones_like(a)
    else:
        if shape_of(a) != shape_of(weights):
            raise ValueError(format_error("histogram: weights and a differ in shape"))
        a, counted = promote_dtypes_inexact(*to_arrays("histogram", a, weights))
    edges = histogram_bin_edges(a, bins, range)
    number = _bin_numbers(a.reshape(-1), edges)
    counts = creation.zeros(edges.shape[0], counted.dtype)
    counts = counts.at[number].add(counted.reshape(-1), mode="drop")[1:]
    if density:
        widths = convert(diff(edges), counts.dtype)
        counts = counts / widths / reductions.sum(counts)
    return counts, edges


def histogram2d(
    x: ArrayLike,
    y: ArrayLike,
    bins: Any = 10,
    range: Sequence[Array | Sequence[ArrayLike] | None] | None = None,
    weights: ArrayLike | None = None,
    density: bool | None = None,
) -> tuple[Array, Array, Array]:
    """How many pairs of elements fall in each bin of a grid; see `histogramdd`.

    Returns: (counts, edges of x, edges of y).

    >>> import jaxlike.numpy as jnp
    >>> x = jnp.array([0.0, 1.0, 1.0])
    >>> jnp.histogram2d(x, x, bins=2)[0].tolist()
    [[1, 0], [0, 2]]
    """
    check_arraylike("histogram2d", x, y)
    try:
        per_axis = len(bins)
    except TypeError:
        per_axis = 1
    if per_axis not in (1, 2):
        edges = creation.asarray(bins)
        bins = [edges, edges]
    from jaxlike.numpy.joining import stack

    sample = stack([creation.asarray(x), creation.asarray(y)], axis=1)
    counts, (x_edges, y_edges) = histogramdd(sample, bins, range, weights, density)
    return counts, x_edges, y_edges


def histogramdd(
    sample: ArrayLike,
    bins: Any = 10,
    range: Sequence[Array | Sequence[ArrayLike] | None] | None = None,
    weights: ArrayLike | None = None,
    density: bool | None = None,
) -> tuple[Array, list[Array]]:
    """How many points fall in each bin of a grid.

    Args: `sample`, a row of coordinates for each point; `bins` and `range`, as in
    `histogram_bin_edges`, or a sequence of those, one for each coordinate.
    Returns: (counts, list of edges).
    Raises: ValueError unless there is a bin argument and a range for each coordinate.

    >>> import jaxlike.numpy as jnp
    >>> points = jnp.array([[0.0, 0.0], [1.0, 1.0]])
    >>> jnp.histogramdd(points, bins=2)[0].tolist()
    [[1, 0], [0, 1]]
    """
    if weights is None:
        [sample] = promote_dtypes_inexact(*to_arrays("histogramdd", sample))
        counted = None
    else:
        sample, counted = to_arrays("histogramdd", sample, weights)
        if counted.shape != sample.shape[:1]:
            raise ValueError(
                format_error("histogramdd: weights and samples differ in length")
            )
        sample, counted = promote_dtypes_inexact(sample, counted)
    _, dims = sample.shape
    if range is not None and (
        len(range) != dims or any(r is not None and len(r) != 2 for r in range)
    ):
        raise ValueError(
            format_error(
                f"histogramdd: range takes {dims} pairs for samples of shape "
                f"{sample.shape}"
            )
        )
    try:
        if len(bins) != dims:
            raise ValueError(
                format_error("histogramdd: bins and dimensions differ in number")
            )
        per_dim = list(bins)
    except TypeError:
        per_dim = [bins] * dims
    numbers, all_edges, sizes = [], [], []
    for i in np.arange(dims):
        extent = None if range is None else range[i]
        edges = histogram_bin_edges(sample[:, i], per_dim[i], extent)
        all_edges.append(edges)
        numbers.append(_bin_numbers(sample[:, i], edges))
        sizes.append(edges.shape[0] + 1)
    flat = creation.zeros_like(numbers[0])
    for number, size in zip(numbers, sizes):
        flat = flat * size + number
    counts = bincount(flat, counted, length=int(np.prod(sizes)))
    counts = counts.reshape(tuple(sizes))[(slice(1, -1),) * dims]
    if density:
        counts = counts.astype(sample.dtype)
        counts = counts / reductions.sum(counts)
        for i, edges in enumerate(all_edges):
            width = diff(edges).reshape((-1,) + (1,) * (dims - i - 1))
            counts = counts / width
    return counts, all_edges
