"""Sets: unique, union1d, intersect1d, setdiff1d, setxor1d, isin.

The results' sizes depend on the data, so under jit they need `size`.
"""

from __future__ import annotations

import operator
from typing import Any, NamedTuple

import numpy as np

from jaxlike.core import dtypes
from jaxlike.core.array import Array
from jaxlike.core.errors import format_error
from jaxlike.core.trace import concrete_or_error
from jaxlike.numpy import creation, manipulation, reductions
from jaxlike.numpy.axes import canonical_axis
from jaxlike.numpy.cumulative import cumsum
from jaxlike.numpy.joining import concatenate
from jaxlike.numpy.promote import (
    ArrayLike,
    as_array,
    check_arraylike,
    convert,
    promote_dtypes,
    to_arrays,
)
from jaxlike.numpy.searching import nonzero, where
from jaxlike.numpy.sorting import argsort, lexsort, searchsorted, sort

__all__ = [
    "intersect1d",
    "isin",
    "setdiff1d",
    "setxor1d",
    "union1d",
    "unique",
    "unique_all",
    "unique_counts",
    "unique_inverse",
    "unique_values",
]


class _UniqueAllResult(NamedTuple):
    values: Array
    indices: Array
    inverse_indices: Array
    counts: Array


class _UniqueCountsResult(NamedTuple):
    values: Array
    counts: Array


class _UniqueInverseResult(NamedTuple):
    values: Array
    inverse_indices: Array


def _known_size(size: Any, name: str) -> int | None:
    if size is None:
        return None
    return concrete_or_error(operator.index, size, f"size of {name}")


class _Runs(NamedTuple):
    """An array's rows in order, and where rows that differ begin."""

    rows: Any  # sorted, first axis
    order: Any  # which row of the array each one is
    starts: Any  # whether a row differs from the one before


def _runs(a, equal_nan: bool) -> _Runs:
    """Sort the rows of `a`, of shape (n, ...)."""
    n = a.shape[0]
    flat = a.reshape(n, -1) if a.ndim != 1 else a
    if a.ndim == 1:
        order = argsort(a)
    else:
        columns = flat.T
        order = lexsort(columns[::-1]) if columns.shape[0] else creation.arange_int(n)
    rows, ordered = a[order], flat[order]
    before, after = ordered[:-1], ordered[1:]
    same = before == after
    if equal_nan and dtypes.issubdtype(a.dtype, np.inexact):
        same = same | ((before != before) & (after != after))
    if same.ndim > 1:
        same = reductions.all(same, axis=1)
    first = creation.ones(min(n, 1), bool)
    return _Runs(rows, order, concatenate([first, ~same]))


def unique(
    ar: ArrayLike,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    *,
    equal_nan: bool = True,
    size: int | None = None,
    fill_value: ArrayLike | None = None,
    sorted: bool = True,
):
    """The different elements of an array, in order.

    Args:
      return_index, return_inverse, return_counts: whether to return, besides, where
        each one comes first, which one each element is, and how often each comes.
      axis: compare slices along this axis; None compares elements.
      equal_nan: whether all NaN are one.
      size: how many to return, needed under jit; `fill_value` stands in for missing
        ones, by default the least element. `sorted` has no effect.

    >>> import jaxlike.numpy as jnp
    >>> jnp.unique(jnp.array([3, 1, 3])).tolist()
    [1, 3]
    """
    del sorted
    [ar] = to_arrays("unique", ar)
    size = _known_size(size, "unique")
    shape = ar.shape
    if axis is None:
        rows = ar.reshape(-1)
        position = 0
    else:
        position = canonical_axis(
            concrete_or_error(operator.index, axis, "axis argument of jnp.unique()"),
            ar.ndim,
        )
        rows = manipulation.moveaxis(ar, position, 0)
    n = rows.shape[0]
    dtype = dtypes.default_int_dtype()
    if not n:
        wanted = return_index, return_inverse, return_counts
        return _unique_of_nothing(
            rows, position, size, fill_value, *wanted, shape if axis is None else (n,)
        )
    runs = _runs(rows, equal_nan)
    if size is None:
        concrete_or_error(
            None,
            runs.starts,
            "the number of results of unique depends on it",
            "size=n, the number of results",
        )
    [begin] = nonzero(runs.starts, size=size)
    count = begin.shape[0]
    found = reductions.count_nonzero(runs.starts)
    real = creation.arange_int(count) < found
    values = runs.rows[begin]
    if size is not None:
        values = _filled(values, real, runs.rows, fill_value)
    out = [manipulation.moveaxis(values, 0, position) if axis is not None else values]
    if return_index:
        first = runs.order[begin]
        if size is not None:
            first = where(real, first, first[0])
        out.append(first)
    if return_inverse:
        group = cumsum(runs.starts, dtype=dtype) - 1
        inverse = creation.zeros(n, dtype).at[runs.order].set(group)
        out.append(inverse.reshape(shape) if axis is None else inverse)
    if return_counts:
        following = concatenate([begin[1:], creation.full(min(count, 1), n, dtype)])
        if size is not None:
            last = where(real, begin, n)
            following = concatenate([last[1:], creation.full(min(count, 1), n, dtype)])
            out.append(where(real, following - begin, 0))
        else:
            out.append(following - begin)
    return out[0] if len(out) == 1 else tuple(out)


def _filled(values, real, rows, fill_value):
    mask = real.reshape((-1,) + (1,) * (values.ndim - 1))
    if fill_value is None:
        fill = rows[0]
    else:
        fill = convert(creation.asarray(fill_value), values.dtype)
    return where(mask, values, fill)


def _unique_of_nothing(
    rows, position, size, fill_value, return_index, return_inverse, return_counts, shape
):
    dtype = dtypes.default_int_dtype()
    count = 0 if size is None else size
    if count:
        if fill_value is None:
            raise ValueError(
                format_error(
                    "unique of no elements needs fill_value for a size other than 0"
                )
            )
        fill = convert(creation.asarray(fill_value), rows.dtype)
        values = creation.full((count, *rows.shape[1:]), fill)
    else:
        values = rows[:0]
    out = [manipulation.moveaxis(values, 0, position)]
    if return_index:
        out.append(creation.zeros(count, dtype))
    if return_inverse:
        out.append(creation.zeros(shape, dtype))
    if return_counts:
        out.append(creation.zeros(count, dtype))
    return out[0] if len(out) == 1 else tuple(out)


def unique_all(
    x: ArrayLike, /, *, size: int | None = None, fill_value: ArrayLike | None = None
) -> _UniqueAllResult:
    """The different elements, where they come first, which is which, and how many.

    >>> import jaxlike.numpy as jnp
    >>> jnp.unique_all(jnp.array([3, 1, 3])).counts.tolist()
    [1, 2]
    """
    check_arraylike("unique_all", x)
    out = unique(x, True, True, True, equal_nan=False, size=size, fill_value=fill_value)
    return _UniqueAllResult(*out)


def unique_counts(
    x: ArrayLike, /, *, size: int | None = None, fill_value: ArrayLike | None = None
) -> _UniqueCountsResult:
    """The different elements, and how often each comes.

    >>> import jaxlike.numpy as jnp
    >>> jnp.unique_counts(jnp.array([3, 1, 3])).counts.tolist()
    [1, 2]
    """
    check_arraylike("unique_counts", x)
    out = unique(
        x, return_counts=True, equal_nan=False, size=size, fill_value=fill_value
    )
    return _UniqueCountsResult(*out)


def unique_inverse(
    x: ArrayLike, /, *, size: int | None = None, fill_value: ArrayLike | None = None
) -> _UniqueInverseResult:
    """The different elements, and which one each element is.

    >>> import jaxlike.numpy as jnp
    >>> jnp.unique_inverse(jnp.array([3, 1, 3])).inverse_indices.tolist()
    [1, 0, 1]
    """
    check_arraylike("unique_inverse", x)
    out = unique(
        x, return_inverse=True, equal_nan=False, size=size, fill_value=fill_value
    )
    return _UniqueInverseResult(*out)


def unique_values(
    x: ArrayLike, /, *, size: int | None = None, fill_value: ArrayLike | None = None
) -> Array:
    """The different elements.

    >>> import jaxlike.numpy as jnp
    >>> jnp.unique_values(jnp.array([3, 1, 3])).tolist()
    [1, 3]
    """
    check_arraylike("unique_values", x)
    return unique(x, equal_nan=False, size=size, fill_value=fill_value)


# --- of two sets


def union1d(
    ar1: ArrayLike,
    ar2: ArrayLike,
    *,
    size: int | None = None,
    fill_value: ArrayLike | None = None,
) -> Array:
    """The different elements of two arrays, in order.

    Args: `size` and `fill_value`, as in `unique`.

    >>> import jaxlike.numpy as jnp
    >>> jnp.union1d(jnp.array([3, 1]), jnp.array([1, 2])).tolist()
    [1, 2, 3]
    """
    ar1, ar2 = to_arrays("union1d", ar1, ar2)
    joint = concatenate([ar1.reshape(-1), ar2.reshape(-1)])
    return unique(joint, size=size, fill_value=fill_value)


def setdiff1d(
    ar1: ArrayLike,
    ar2: ArrayLike,
    assume_unique: bool = False,
    *,
    size: int | None = None,
    fill_value: ArrayLike | None = None,
) -> Array:
    """The elements of the first array that are not in the second.

    Args: `assume_unique`, whether the first array's elements are known to differ, and
    keep their order; `size` and `fill_value` (0 by default), as in `unique`.

    >>> import jaxlike.numpy as jnp
    >>> jnp.setdiff1d(jnp.array([3, 1, 2]), jnp.array([1])).tolist()
    [2, 3]
    """
    ar1, ar2 = to_arrays("setdiff1d", ar1, ar2)
    ar1 = ar1.reshape(-1)
    size = _known_size(size, "setdiff1d")
    values = ar1 if assume_unique else _sorted_unique(ar1, size)
    keep = isin(values, ar2, invert=True)
    if not assume_unique and size is not None:
        keep = keep & _first_of_runs(values)
    return _chosen(values, keep, size, fill_value)


def _sorted_unique(x, size):
    """The different elements; under jit (`size` given), sorted with repetitions."""
    return unique(x) if size is None else sort(x)


def _first_of_runs(x):
    if not x.shape[0]:
        return creation.ones(0, bool)
    same = x[1:] == x[:-1]
    return concatenate([creation.ones(1, bool), ~same])


def _chosen(values, keep, size, fill_value):
    """The values at which the mask holds, and fill values up to `size`."""
    [index] = nonzero(keep, size=size)
    out = (
        values[index]
        if values.shape[0]
        else creation.zeros_like(values, shape=index.shape)
    )
    if size is None:
        return out
    real = creation.arange_int(size) < reductions.count_nonzero(keep)
    fill = 0 if fill_value is None else fill_value
    return where(real, out, convert(creation.asarray(fill), out.dtype))


def setxor1d(
    ar1: ArrayLike,
    ar2: ArrayLike,
    assume_unique: bool = False,
    *,
    size: int | None = None,
    fill_value: ArrayLike | None = None,
) -> Array:
    """The elements that are in just one of two arrays, in order.

    Args: `assume_unique`, whether each array's elements are known to differ; `size` and
    `fill_value`, as in `unique`.

    >>> import jaxlike.numpy as jnp
    >>> jnp.setxor1d(jnp.array([3, 1]), jnp.array([1, 2])).tolist()
    [2, 3]
    """
    ar1, ar2 = to_arrays("setxor1d", ar1, ar2)
    ar1, ar2 = (as_array(x) for x in promote_dtypes(ar1.reshape(-1), ar2.reshape(-1)))
    size = _known_size(size, "setxor1d")
    from_second = concatenate(
        [creation.zeros(ar1.shape, bool), creation.ones(ar2.shape, bool)]
    )
    del assume_unique
    joint = concatenate([ar1, ar2])
    order = argsort(joint)
    values, source = joint[order], from_second[order]
    starts = _first_of_runs(values)
    n = values.shape[0]
    if not n:
        return values
    group = cumsum(starts, dtype=int) - 1
    in_first = creation.zeros(n, bool).at[group].max(~source)
    in_second = creation.zeros(n, bool).at[group].max(source)
    keep = starts & (in_first ^ in_second)[group]
    return _chosen(values, keep, size, fill_value)


def intersect1d(
    ar1: ArrayLike,
    ar2: ArrayLike,
    assume_unique: bool = False,
    return_indices: bool = False,
    *,
    size: int | None = None,
    fill_value: ArrayLike | None = None,
) -> Array | tuple[Array, Array, Array]:
    """The elements that are in both of two arrays, in order.

    Args: `return_indices`, whether to return where they come first in each array, too;
    `size` and `fill_value` (the least element by default), as in `unique`.

    >>> import jaxlike.numpy as jnp
    >>> jnp.intersect1d(jnp.array([3, 1, 2]), jnp.array([2, 3])).tolist()
    [2, 3]
    """
    ar1, ar2 = to_arrays("intersect1d", ar1, ar2)
    ar1, ar2 = (as_array(x) for x in promote_dtypes(ar1.reshape(-1), ar2.reshape(-1)))
    size = _known_size(size, "intersect1d")
    del assume_unique
    order1 = argsort(ar1)
    values = ar1[order1]
    keep = _first_of_runs(values)
    if values.shape[0]:
        keep = keep & isin(values, ar2)
    if size is None:
        [index] = nonzero(keep)
        real = None
        out = values[index]
    else:
        [index] = nonzero(keep, size=size)
        real = creation.arange_int(size) < reductions.count_nonzero(keep)
        if fill_value is None:
            fill = out_fill(values, index)
        else:
            fill = convert(creation.asarray(fill_value), values.dtype)
        out = where(real, values[index], fill)
    if not return_indices:
        return out
    first = order1[index]
    order2 = argsort(ar2)
    second = order2[searchsorted(ar2[order2], values[index])]
    if real is not None:
        first = where(real, first, ar1.shape[0])
        second = where(real, second, ar2.shape[0])
    return out, first, second


def out_fill(values, index):
    """What stands in for missing elements of an intersection: the least one."""
    return values[index[0]] if index.shape[0] else 0


def isin(
    element: ArrayLike,
    test_elements: ArrayLike,
    assume_unique: bool = False,
    invert: bool = False,
    *,
    method: str = "auto",
) -> Array:
    """Whether each element is among `test_elements`.

    Args: `invert`, whether to ask the opposite; `method`, 'compare_all',
    'binary_search', 'sort' or 'auto'.

    >>> import jaxlike.numpy as jnp
    >>> jnp.isin(jnp.array([1, 2, 3]), jnp.array([3, 1])).tolist()
    [True, False, True]
    """
    del assume_unique
    element, tests = to_arrays("isin", element, test_elements)
    element, tests = (as_array(x) for x in promote_dtypes(element, tests.reshape(-1)))
    if method not in ("auto", "compare_all", "binary_search", "sort"):
        raise ValueError(
            format_error(
                f"isin has no method {method!r}",
                try_="auto, compare_all, binary_search, sort",
            )
        )
    if not element.size or not tests.size:
        return creation.full(element.shape, invert, bool)
    few = tests.size <= 16 or element.size <= 4
    if method == "compare_all" or (method == "auto" and few):
        row = tests.reshape((1,) * element.ndim + tests.shape)
        found = reductions.any(element[..., None] == row, axis=-1)
    else:
        ordered = sort(tests)
        place = searchsorted(ordered, element)
        found = ordered.at[place].get(mode="clip") == element
    return ~found if invert else found
