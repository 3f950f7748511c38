"""Order: sort, argsort, lexsort, partition, searchsorted."""

from __future__ import annotations

import numpy as np

from jaxlike.core import dtypes
from jaxlike.core.array import Array
from jaxlike.core.errors import format_error
from jaxlike.core.state import state
from jaxlike.core.trace import eval_trace
from jaxlike.numpy import creation
from jaxlike.numpy.arrays import from_ndarray
from jaxlike.numpy.axes import canonical_axis, one_axis
from jaxlike.numpy.composites import composite_of
from jaxlike.numpy.promote import (
    ArrayLike,
    DTypeLike,
    as_array,
    convert,
    promote_dtypes,
    to_arrays,
    user_dtype,
)
from jaxlike.numpy.searching import where
from jaxlike.primitives import broadcasting, shapes
from jaxlike.primitives import sorting as lax_sorting

__all__ = [
    "argpartition",
    "argsort",
    "lexsort",
    "partition",
    "searchsorted",
    "sort",
    "sort_complex",
]


def _check(name: str, kind, order) -> None:
    if kind is not None:
        raise TypeError(
            format_error(f"{name} takes no kind", try_="stable=True or stable=False")
        )
    if order is not None:
        raise TypeError(format_error(f"{name} takes no order"))


@composite_of(1)
def sort(
    a: ArrayLike,
    axis: int | None = -1,
    *,
    kind: None = None,
    order: None = None,
    stable: bool = True,
    descending: bool = False,
) -> Array:
    """The elements in order along an axis, NaN last.

    Args: `axis`, None to flatten the array first; `descending`, for the greatest first.
    Raises: TypeError for `kind` or `order`.

    >>> import jaxlike.numpy as jnp
    >>> jnp.sort(jnp.array([3, 1, 2])).tolist()
    [1, 2, 3]
    """
    [a] = to_arrays("sort", a)
    _check("sort", kind, order)
    if axis is None:
        a, axis = a.reshape(-1), 0
    axis = one_axis(axis, a.ndim)
    out = lax_sorting.sort(a, dimension=axis, is_stable=stable)
    return shapes.rev(out, (axis,)) if descending else out


@composite_of(1)
def argsort(
    a: ArrayLike,
    axis: int | None = -1,
    *,
    kind: None = None,
    order: None = None,
    stable: bool = True,
    descending: bool = False,
    dtype: DTypeLike | None = None,
) -> Array:
    """The indices that would put the elements in order along an axis.

    Args: `axis`, None to flatten the array first; `stable`, whether equal elements keep
    their order, which holds for `descending` too; `dtype`, of the indices.
    Raises: TypeError for `kind` or `order`.

    >>> import jaxlike.numpy as jnp
    >>> jnp.argsort(jnp.array([3, 1, 2])).tolist()
    [1, 2, 0]
    """
    [a] = to_arrays("argsort", a)
    _check("argsort", kind, order)
    if axis is None:
        a, axis = a.reshape(-1), 0
    axis = one_axis(axis, a.ndim)
    if dtype is None:
        dtype = dtypes.default_int_dtype()
    dtype = user_dtype(dtype, "argsort")
    index = broadcasting.broadcasted_iota(dtype, a.shape, axis)
    # equal elements come last to first after the reversal, so they start that way
    turn = descending and stable
    if turn:
        a, index = shapes.rev(a, (axis,)), shapes.rev(index, (axis,))
    _, index = lax_sorting.sort(
        (a, index), dimension=axis, is_stable=stable, num_keys=1
    )
    return shapes.rev(index, (axis,)) if descending else index


@composite_of(1)
def sort_complex(a: ArrayLike) -> Array:
    """The elements along the last axis in order, as complex numbers.

    >>> import jaxlike.numpy as jnp
    >>> jnp.sort_complex(jnp.array([2.0, 1.0])).tolist()
    [(1+0j), (2+0j)]
    """
    [a] = to_arrays("sort_complex", a)
    complex_dtype = dtypes.canonicalize_dtype(dtypes.to_complex_dtype(a.dtype))
    return convert(lax_sorting.sort(a, dimension=a.ndim - 1), complex_dtype)


def lexsort(keys, axis: int = -1) -> Array:
    """The indices that sort by several keys, the last one first.

    Args: `keys`, arrays of one shape, or the rows of one array.
    Raises: TypeError without keys, ValueError if their shapes differ.

    >>> import jaxlike.numpy as jnp
    >>> jnp.lexsort((jnp.array([2, 1, 0]), jnp.array([1, 0, 1]))).tolist()
    [1, 2, 0]
    """
    keys = tuple(keys)
    if not keys:
        raise TypeError(format_error("lexsort takes at least one key"))
    keys = to_arrays("lexsort", *keys)
    if len({k.shape for k in keys}) > 1:
        raise ValueError(format_error("lexsort takes keys of one shape"))
    if not keys[0].ndim:
        return creation.zeros((), dtypes.default_int_dtype())
    axis = one_axis(axis, keys[0].ndim)
    dtype = dtypes.default_int_dtype()
    index = broadcasting.broadcasted_iota(dtype, keys[0].shape, axis)
    operands = (*keys[::-1], index)
    return lax_sorting.sort(operands, dimension=axis, num_keys=len(keys))[-1]


@composite_of(1)
def partition(a: ArrayLike, kth: int, axis: int = -1) -> Array:
    """The array with its k-th smallest element in place, smaller ones before it.

    Raises: ValueError for `kth` out of range.

    >>> import jaxlike.numpy as jnp
    >>> jnp.partition(jnp.array([3, 1, 2]), 1).tolist()[1]
    2
    """
    [a] = to_arrays("partition", a)
    if dtypes.issubdtype(a.dtype, np.complexfloating):
        raise NotImplementedError(format_error("partition takes no complex numbers"))
    axis = canonical_axis(axis, a.ndim)
    canonical_axis(kth, a.shape[axis])
    return lax_sorting.sort(a, dimension=axis)


@composite_of(1)
def argpartition(a: ArrayLike, kth: int, axis: int = -1) -> Array:
    """The indices that would partition the array; see `partition`.

    Raises: ValueError for `kth` out of range.

    >>> import jaxlike.numpy as jnp
    >>> jnp.argpartition(jnp.array([3, 1, 2]), 1).tolist()[1]
    2
    """
    [a] = to_arrays("argpartition", a)
    if dtypes.issubdtype(a.dtype, np.complexfloating):
        raise NotImplementedError(format_error("argpartition takes no complex numbers"))
    axis = canonical_axis(axis, a.ndim)
    canonical_axis(kth, a.shape[axis])
    return argsort(a, axis=axis)


# --- searchsorted

_METHODS = ("compare_all", "scan", "scan_unrolled", "sort")


def searchsorted(
    a: ArrayLike,
    v: ArrayLike,
    side: str = "left",
    sorter: ArrayLike | None = None,
    *,
    method: str = "scan",
) -> Array:
    """Where values would go in a sorted vector to keep it sorted.

    Args:
      side: 'left' for the first such place, 'right' for the last one.
      sorter: the indices that sort `a`, if it is not sorted.
      method: how a traced search is done: 'scan' or 'scan_unrolled' for halving,
        'compare_all' for comparing with every element, 'sort' for sorting.
    Returns: integers of the shape of `v`.

    >>> import jaxlike.numpy as jnp
    >>> jnp.searchsorted(jnp.array([1, 2, 3]), jnp.array([2, 5])).tolist()
    [1, 3]
    """
    if sorter is None:
        a, v = to_arrays("searchsorted", a, v)
    else:
        a, v, sorter = to_arrays("searchsorted", a, v, sorter)
    if side not in ("left", "right"):
        raise ValueError(
            format_error(f"searchsorted: side is 'left' or 'right', got {side!r}")
        )
    if method not in _METHODS:
        raise ValueError(
            format_error(f"searchsorted has no method {method!r}: {list(_METHODS)}")
        )
    if a.ndim != 1:
        raise ValueError(format_error("a should be 1-dimensional"))
    a, v = (as_array(x) for x in promote_dtypes(a, v))
    if sorter is not None:
        a = a[sorter]
    dtype = dtypes.default_int_dtype()
    if not a.shape[0]:
        return creation.zeros(v.shape, dtype)
    if type(a) is Array and type(v) is Array and state.trace is eval_trace:
        if a.dtype.kind in "biuf":
            found = np.searchsorted(a._data, v._data, side=side)
            return from_ndarray(np.asarray(found, dtype))
    if method == "compare_all":
        return _by_comparison(a, v, side, dtype)
    if method == "sort":
        return _by_sorting(a, v, side, dtype)
    return _by_halving(a, v, side, dtype)


def _before(a, v, side: str):
    """Whether an element of `a` belongs before `v`; NaN is greater than numbers."""
    if side == "left":
        out = a < v
        other = a == a
        return out | (other & (v != v)) if _has_nan(a) else out
    out = a <= v
    return out | (v != v) if _has_nan(a) else out


def _has_nan(a) -> bool:
    return dtypes.issubdtype(a.dtype, np.inexact)


def _by_comparison(a, v, side, dtype):
    from jaxlike.numpy.reductions import sum as total

    a = a.reshape((1,) * v.ndim + a.shape)
    return total(_before(a, v[..., None], side), axis=-1, dtype=dtype)


def _by_halving(a, v, side, dtype):
    from jaxlike.control_flow.while_loop import fori_loop

    size = a.shape[0]
    levels = int(np.ceil(np.log2(size + 1)))

    def halve(_, bounds):
        low, high = bounds
        middle = (low + high) // 2
        after = _before(a.at[middle].get(mode="clip"), v, side)
        # high - low == 0 once the place is found
        open_ = low < high
        low_next = where(open_ & after, middle + 1, low)
        high_next = where(open_ & ~after, middle, high)
        return low_next.astype(dtype), high_next.astype(dtype)

    low = creation.zeros(v.shape, dtype)
    high = creation.full(v.shape, size, dtype)
    return fori_loop(0, levels + 1, halve, (low, high))[1]


def _by_sorting(a, v, side, dtype):
    flat = v.reshape(-1)
    together = (flat, a) if side == "left" else (a, flat)
    from jaxlike.numpy.joining import concatenate

    joint = concatenate(together)
    order = argsort(joint)
    index = broadcasting.iota(dtype, order.shape[0])
    place = creation.zeros(order.shape, dtype).at[order].set(index)
    own = place[: flat.shape[0]] if side == "left" else place[a.shape[0] :]
    # what comes before a value are elements of `a`, and the values sorted before it
    rank = (
        creation.zeros(flat.shape, dtype)
        .at[argsort(flat)]
        .set(broadcasting.iota(dtype, flat.shape[0]))
    )
    return (own - rank).reshape(v.shape).astype(dtype)
