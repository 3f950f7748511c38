"""Matrices of given patterns and parts of matrices: eye, tri, diag, tril, trace,
vander, and the indices of diagonals and triangles."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from jaxlike.core import dtypes
from jaxlike.core.array import Array
from jaxlike.core.errors import format_error
from jaxlike.core.trace import concrete_or_error
from jaxlike.numpy import creation, reductions
from jaxlike.numpy.arrays import from_ndarray
from jaxlike.numpy.axes import canonical_axis
from jaxlike.numpy.composites import composite_of
from jaxlike.numpy.promote import (
    ArrayLike,
    DTypeLike,
    as_array,
    broadcast_to_shape,
    convert,
    to_arrays,
    user_dtype,
)
from jaxlike.numpy.searching import nonzero, where
from jaxlike.primitives import arithmetic, broadcasting, comparison, shapes, slicing
from jaxlike.primitives import joining as lax_joining
from jaxlike.primitives.axes import canonical_shape

__all__ = [
    "diag",
    "diag_indices",
    "diag_indices_from",
    "diagflat",
    "diagonal",
    "eye",
    "identity",
    "mask_indices",
    "trace",
    "tri",
    "tril",
    "tril_indices",
    "tril_indices_from",
    "triu",
    "triu_indices",
    "triu_indices_from",
    "vander",
]


def _grid(shape: tuple[int, ...], offset: Any):
    """Row numbers plus `offset`, and column numbers, of matrices of this shape."""
    dtype = dtypes.int32
    rows = broadcasting.broadcasted_iota(dtype, shape, len(shape) - 2)
    columns = broadcasting.broadcasted_iota(dtype, shape, len(shape) - 1)
    if type(offset) is not int or offset:
        rows = arithmetic.add(rows, convert(offset, dtype))
    return rows, columns


def _size(value: Any, name: str) -> int:
    if isinstance(value, float):
        raise TypeError(
            format_error(f"jnp.{name} needs integers as sizes, got {value}")
        )
    return concrete_or_error(operator.index, value, f"the sizes of jnp.{name}")


@composite_of(0)
def eye(
    N: int,
    M: int | None = None,
    k: int | ArrayLike = 0,
    dtype: DTypeLike | None = None,
    *,
    device=None,
) -> Array:
    """The matrix of N rows and M columns (N, if not given) with ones on a diagonal.

    Args: `k`, which diagonal: above the main one if positive, below it if negative.
    Raises: ValueError for negative sizes.

    >>> import jaxlike.numpy as jnp
    >>> jnp.eye(2, 3, k=1).tolist()
    [[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    """
    if dtype is not None:
        dtype = user_dtype(dtype, "eye")
    dtype = dtypes.default_float_dtype() if dtype is None else dtype
    rows, columns = _size(N, "eye"), N if M is None else M
    columns = _size(columns, "eye")
    if rows < 0 or columns < 0:
        raise ValueError(
            format_error(f"eye: sizes must not be negative, got {N} and {M}")
        )
    if not (isinstance(k, int) or dtypes.issubdtype(as_array(k).dtype, np.integer)):
        raise ValueError(format_error(f"eye: k must be an integer, got {k}"))
    i, j = _grid((rows, columns), k)
    return creation.on_device(convert(comparison.eq(i, j), dtype), device)


@composite_of(0)
def identity(n: int, dtype: DTypeLike | None = None) -> Array:
    """The identity matrix of n rows.

    >>> import jaxlike.numpy as jnp
    >>> jnp.identity(2).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    return eye(n, dtype=dtype)


@composite_of(0)
def tri(
    N: int, M: int | None = None, k: int = 0, dtype: DTypeLike | None = None
) -> Array:
    """The matrix with ones on the diagonal k and below it, zeros above.

    >>> import jaxlike.numpy as jnp
    >>> jnp.tri(2, 3).tolist()
    [[1.0, 0.0, 0.0], [1.0, 1.0, 0.0]]
    """
    if dtype is not None:
        dtype = user_dtype(dtype, "tri")
    dtype = dtypes.default_float_dtype() if dtype is None else dtype
    shape = canonical_shape((N, N if M is None else M), "tri: shape")
    i, j = _grid(shape, operator.index(k))
    return convert(comparison.ge(i, j), dtype)


def _triangle(name: str, m: ArrayLike, k: int, lower: bool) -> Array:
    [m] = to_arrays(name, m)
    if m.ndim < 2:
        raise ValueError(format_error(f"{name} takes at least 2 axes"))
    i, j = _grid(m.shape[-2:], k if lower else k - 1)
    mask = broadcast_to_shape(comparison.ge(i, j), m.shape)
    zero = creation.zeros_like(m, shape=())
    return where(mask, m, zero) if lower else where(mask, zero, m)


@composite_of(1)
def tril(m: ArrayLike, k: int = 0) -> Array:
    """The matrices with zeros above the diagonal k.

    Raises: ValueError for fewer than two axes.

    >>> import jaxlike.numpy as jnp
    >>> jnp.tril(jnp.ones((2, 2))).tolist()
    [[1.0, 0.0], [1.0, 1.0]]
    """
    return _triangle("tril", m, k, lower=True)


@composite_of(1)
def triu(m: ArrayLike, k: int = 0) -> Array:
    """The matrices with zeros below the diagonal k.

    Raises: ValueError for fewer than two axes.

    >>> import jaxlike.numpy as jnp
    >>> jnp.triu(jnp.ones((2, 2))).tolist()
    [[1.0, 1.0], [0.0, 1.0]]
    """
    return _triangle("triu", m, k, lower=False)


@composite_of(1)
def diagonal(a: ArrayLike, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Array:
    """The elements on a diagonal of two axes, which become one, the last.

    Raises: ValueError for fewer than two axes.

    >>> import jaxlike.numpy as jnp
    >>> jnp.diagonal(jnp.array([[1, 2], [3, 4]]), offset=1).tolist()
    [2]
    """
    [a] = to_arrays("diagonal", a)
    if a.ndim < 2:
        raise ValueError(format_error("diagonal takes at least 2 axes"))
    offset = concrete_or_error(operator.index, offset, "'offset' of jnp.diagonal")
    first, second = canonical_axis(axis1, a.ndim), canonical_axis(axis2, a.ndim)
    if first == second:
        raise ValueError(format_error("axis1 and axis2 must differ"))
    rest = [i for i in range(a.ndim) if i not in (first, second)]
    a = shapes.transpose(a, (*rest, first, second))
    n, m = a.shape[-2:]
    count = max(0, min(n + min(offset, 0), m - max(offset, 0)))
    if not count:
        return creation.zeros_like(a, shape=(*a.shape[:-2], 0))
    # in a row-major matrix the diagonal is every (m + 1)-th element
    start = max(offset, 0) + max(-offset, 0) * m
    flat = shapes.reshape(a, (*a.shape[:-2], n * m))
    stop = start + (count - 1) * (m + 1) + 1
    return slicing.slice_in_dim(flat, start, stop, m + 1, flat.ndim - 1)


@composite_of(1)
def diag(v: ArrayLike, k: int = 0) -> Array:
    """The diagonal k of a matrix, or the matrix with a vector on its diagonal k.

    Raises: ValueError unless there are one or two axes.

    >>> import jaxlike.numpy as jnp
    >>> jnp.diag(jnp.array([1, 2])).tolist()
    [[1, 0], [0, 2]]
    """
    [v] = to_arrays("diag", v)
    k = operator.index(k)
    if v.ndim == 2:
        return diagonal(v, offset=k)
    if v.ndim != 1:
        raise ValueError(format_error("diag takes 1 or 2 axes"))
    size = v.shape[0] + abs(k)
    i, j = _grid((size, size), k)
    placed = lax_joining.pad(
        v, creation.zeros_like(v, shape=()), [(max(k, 0), max(-k, 0), 0)]
    )
    zero = creation.zeros_like(v, shape=())
    return where(comparison.eq(i, j), placed, zero)


@composite_of(1)
def diagflat(v: ArrayLike, k: int = 0) -> Array:
    """The matrix with the elements of an array on its diagonal k.

    >>> import jaxlike.numpy as jnp
    >>> jnp.diagflat(jnp.array([[1, 2]])).tolist()
    [[1, 0], [0, 2]]
    """
    [v] = to_arrays("diagflat", v)
    return diag(v.reshape(-1), k)


@composite_of(1)
def trace(
    a: ArrayLike,
    offset: int | ArrayLike = 0,
    axis1: int = 0,
    axis2: int = 1,
    dtype: DTypeLike | None = None,
    out: None = None,
) -> Array:
    """The sum of the elements on a diagonal of two axes.

    >>> import jaxlike.numpy as jnp
    >>> jnp.trace(jnp.array([[1, 2], [3, 4]])).item()
    5
    """
    [a] = to_arrays("trace", a)
    if out is not None:
        raise NotImplementedError(
            format_error("trace takes no out", try_="x = jnp.trace(x)")
        )
    from jaxlike.numpy.manipulation import moveaxis

    first, second = canonical_axis(axis1, a.ndim), canonical_axis(axis2, a.ndim)
    a = moveaxis(a, (first, second), (-2, -1))
    i, j = _grid(a.shape[-2:], offset)
    mask = broadcast_to_shape(comparison.eq(i, j), a.shape)
    kept = where(mask, a, creation.zeros_like(a, shape=()))
    return reductions.sum(kept, axis=(-2, -1), dtype=dtype)


@composite_of(1)
def vander(x: ArrayLike, N: int | None = None, increasing: bool = False) -> Array:
    """The matrix of the powers of a vector, one column each, the highest first.

    Args: `N`, how many columns; `increasing`, whether the lowest power comes first.
    Raises: ValueError unless `x` is a vector.

    >>> import jaxlike.numpy as jnp
    >>> jnp.vander(jnp.array([2, 3]), 3).tolist()
    [[4, 2, 1], [9, 3, 1]]
    """
    [x] = to_arrays("vander", x)
    if x.ndim != 1:
        raise ValueError(format_error("vander takes 1 axis"))
    columns = (
        x.shape[0]
        if N is None
        else concrete_or_error(operator.index, N, "'N' argument of jnp.vander()")
    )
    if columns < 0:
        raise ValueError(format_error("N must be nonnegative"))
    exponents = broadcasting.iota(dtypes.default_int_dtype(), columns)
    if not increasing:
        exponents = shapes.rev(exponents, (0,))
    from jaxlike.numpy.binary import power

    return power(x[..., None], convert(exponents, x.dtype)[None, :])


# --- indices


def diag_indices(n: int, ndim: int = 2) -> tuple[Array, ...]:
    """The indices of the main diagonal of an array with `ndim` axes of size n.

    >>> import jaxlike.numpy as jnp
    >>> [i.tolist() for i in jnp.diag_indices(2)]
    [[0, 1], [0, 1]]
    """
    n = concrete_or_error(operator.index, n, "'n' argument of jnp.diag_indices()")
    ndim = concrete_or_error(
        operator.index, ndim, "'ndim' argument of jnp.diag_indices()"
    )
    if n < 0:
        raise ValueError(format_error(f"diag_indices: n must not be negative, got {n}"))
    if ndim < 0:
        raise ValueError(
            format_error(f"diag_indices: ndim must not be negative, got {ndim}")
        )
    index = broadcasting.iota(dtypes.default_int_dtype(), n)
    return (index,) * ndim


def diag_indices_from(arr: ArrayLike) -> tuple[Array, ...]:
    """The indices of the main diagonal of an array whose axes are of one size.

    >>> import jaxlike.numpy as jnp
    >>> [i.tolist() for i in jnp.diag_indices_from(jnp.zeros((2, 2)))]
    [[0, 1], [0, 1]]
    """
    [arr] = to_arrays("diag_indices_from", arr)
    if arr.ndim < 2:
        raise ValueError(format_error("diag_indices_from takes at least 2 axes"))
    if len(set(arr.shape)) != 1:
        raise ValueError(format_error("diag_indices_from takes axes of one length"))
    return diag_indices(arr.shape[0], arr.ndim)


def _triangle_indices(mask: np.ndarray) -> tuple[Array, Array]:
    rows, columns = np.nonzero(mask)
    dtype = dtypes.default_int_dtype()
    return (
        from_ndarray(rows.astype(dtype)),
        from_ndarray(columns.astype(dtype)),
    )


def tril_indices(n: int, k: int = 0, m: int | None = None) -> tuple[Array, Array]:
    """The indices of the lower triangle, diagonal k included, of an n x m matrix.

    >>> import jaxlike.numpy as jnp
    >>> [i.tolist() for i in jnp.tril_indices(2)]
    [[0, 1, 1], [0, 0, 1]]
    """
    n, k, m = (_known(x, "tril_indices") for x in (n, k, n if m is None else m))
    return _triangle_indices(np.tri(n, m, k, bool))


def triu_indices(n: int, k: int = 0, m: int | None = None) -> tuple[Array, Array]:
    """The indices of the upper triangle, diagonal k included, of an n x m matrix.

    >>> import jaxlike.numpy as jnp
    >>> [i.tolist() for i in jnp.triu_indices(2)]
    [[0, 0, 1], [0, 1, 1]]
    """
    n, k, m = (_known(x, "triu_indices") for x in (n, k, n if m is None else m))
    return _triangle_indices(~np.tri(n, m, k - 1, bool))


def _known(value: Any, name: str) -> int:
    return concrete_or_error(operator.index, value, f"arguments of jnp.{name}()")


def _two_axes(arr: Any) -> tuple[int, int]:
    from jaxlike.numpy.manipulation import shape

    sizes = shape(arr)
    if len(sizes) != 2:
        raise ValueError(
            format_error(f"Only 2-D inputs are accepted, got shape {sizes}")
        )
    return sizes


def tril_indices_from(arr: ArrayLike, k: int = 0) -> tuple[Array, Array]:
    """The indices of the lower triangle of a matrix of the shape of `arr`.

    >>> import jaxlike.numpy as jnp
    >>> [i.tolist() for i in jnp.tril_indices_from(jnp.zeros((2, 2)), -1)]
    [[1], [0]]
    """
    n, m = _two_axes(arr)
    return tril_indices(n, k, m)


def triu_indices_from(arr: ArrayLike, k: int = 0) -> tuple[Array, Array]:
    """The indices of the upper triangle of a matrix of the shape of `arr`.

    >>> import jaxlike.numpy as jnp
    >>> [i.tolist() for i in jnp.triu_indices_from(jnp.zeros((2, 2)), 1)]
    [[0], [1]]
    """
    n, m = _two_axes(arr)
    return triu_indices(n, k, m)


def mask_indices(
    n: int,
    mask_func: Callable[[ArrayLike, int], Array],
    k: int = 0,
    *,
    size: int | None = None,
) -> tuple[Array, Array]:
    """The indices at which a function like `triu` leaves an n x n matrix nonzero.

    Args: `size`, how many indices to return, needed under jit.

    >>> import jaxlike.numpy as jnp
    >>> [i.tolist() for i in jnp.mask_indices(2, jnp.triu)]
    [[0, 0, 1], [0, 1, 1]]
    """
    rows, columns = nonzero(mask_func(creation.ones((n, n)), k), size=size)
    return rows, columns
