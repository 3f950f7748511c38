"""Shapes and the order of axes: reshape, transpose, moveaxis, squeeze, broadcast_to.

What puts arrays together or takes them apart is in joining.py, what repeats or moves
elements in rearranging.py.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from jaxlike.core.array import Array
from jaxlike.core.avals import ShapedArray
from jaxlike.core.errors import format_error
from jaxlike.core.state import state
from jaxlike.core.trace import eval_trace
from jaxlike.numpy.axes import as_tuple
from jaxlike.numpy.composites import composite_of
from jaxlike.numpy.promote import (
    ArrayLike,
    broadcast_args,
    broadcast_to_shape,
    check_arraylike,
    shape_of,
    to_arrays,
)
from jaxlike.primitives import broadcasting, shapes
from jaxlike.primitives.axes import (
    canonical_axes,
    canonical_axis,
    canonical_shape,
    index_axis,
)

__all__ = [
    "atleast_1d",
    "atleast_2d",
    "atleast_3d",
    "broadcast_arrays",
    "broadcast_shapes",
    "broadcast_to",
    "expand_dims",
    "matrix_transpose",
    "moveaxis",
    "ndim",
    "permute_dims",
    "ravel",
    "reshape",
    "rollaxis",
    "shape",
    "size",
    "squeeze",
    "swapaxes",
    "transpose",
]


def shape(a: ArrayLike) -> tuple[int, ...]:
    """The shape of an array, a scalar or nested lists.

    >>> import jaxlike.numpy as jnp
    >>> jnp.shape(jnp.zeros((2, 3)))
    (2, 3)
    """
    return tuple(a.shape) if hasattr(a, "shape") else np.shape(a)


def ndim(a: ArrayLike) -> int:
    """The number of axes of an array, a scalar or nested lists.

    >>> import jaxlike.numpy as jnp
    >>> jnp.ndim(jnp.zeros((2, 3)))
    2
    """
    return len(shape(a))


def size(a: ArrayLike, axis: int | Sequence[int] | None = None) -> int:
    """The number of elements, or the product of the sizes of some axes.

    >>> import jaxlike.numpy as jnp
    >>> jnp.size(jnp.zeros((2, 3))), jnp.size(jnp.zeros((2, 3)), axis=1)
    (6, 3)
    """
    sizes = shape(a)
    if axis is None:
        return math.prod(sizes)
    axes = as_tuple(axis)
    return math.prod(sizes[canonical_axis(i, len(sizes))] for i in axes)


def complete_shape(sizes: Any, of: tuple[int, ...]) -> tuple[int, ...]:
    """A shape argument as a tuple, with the size that -1 stands for."""
    if type(sizes) is tuple and all(type(n) is int and n >= 0 for n in sizes):
        return canonical_shape(sizes, "reshape: shape")
    scalar = not hasattr(sizes, "__iter__") or getattr(sizes, "ndim", 1) == 0
    entries = (sizes,) if scalar else tuple(sizes)
    try:
        entries = tuple(map(operator.index, entries))
    except TypeError:
        return canonical_shape(entries, "reshape: shape")
    unknown = entries.count(-1)
    if not unknown:
        return canonical_shape(entries, "reshape: shape")
    if unknown > 1:
        raise TypeError(format_error(f"reshape to {entries}: one -1 at most"))
    known = -math.prod(entries)
    total = math.prod(of)
    if total % known:
        raise TypeError(
            format_error(
                f"reshape of {of} to {entries}: {total} elements are no multiple of "
                f"{known}"
            )
        )
    return tuple(total // known if n == -1 else n for n in entries)


def reshape(
    a: ArrayLike,
    shape: Any,
    order: str = "C",
    *,
    copy: bool | None = None,
    out_sharding=None,
) -> Array:
    """The elements in another shape of the same size.

    Args: `shape`, an int or ints, of which one may be -1, to be worked out; `order`,
    'C' to read and write rows first, 'F' columns first. `copy` has no effect.
    Raises: TypeError if the sizes differ.

    >>> import jaxlike.numpy as jnp
    >>> jnp.reshape(jnp.arange(6), (2, -1)).tolist()
    [[0, 1, 2], [3, 4, 5]]
    """
    [a] = to_arrays("reshape", a)
    if order == "F":
        sizes = complete_shape(shape, a.shape)
        reversed_ = shapes.reshape(transpose(a), sizes[::-1])
        return transpose(reversed_)
    if order == "A":
        raise NotImplementedError(format_error("reshape has no order='A'"))
    if order != "C":
        raise ValueError(format_error(f"order {order!r} is neither 'C' nor 'F'"))
    sizes = complete_shape(shape, a.shape)
    if type(a) is Array and state.trace is eval_trace and a._data is not None:
        if math.prod(sizes) == a.aval.size:
            if sizes == a.aval.shape:
                return a
            aval = ShapedArray(sizes, a.aval.dtype, a.aval.weak_type)
            return Array(a._data.reshape(sizes), aval)
    return shapes.reshape(a, sizes)


@composite_of(1)
def ravel(a: ArrayLike, order: str = "C", *, out_sharding=None) -> Array:
    """The elements as a vector; `order` as in `reshape`.

    >>> import jaxlike.numpy as jnp
    >>> jnp.ravel(jnp.array([[1, 2], [3, 4]]), order="F").tolist()
    [1, 3, 2, 4]
    """
    check_arraylike("ravel", a)
    if order == "K":
        raise NotImplementedError(format_error("ravel has no order='K'"))
    return reshape(a, (math.prod(shape_of(a)),), order)


@composite_of(1)
def transpose(a: ArrayLike, axes: Sequence[int] | None = None) -> Array:
    """The axes in another order: reversed, unless the order is given.

    >>> import jaxlike.numpy as jnp
    >>> jnp.transpose(jnp.zeros((2, 3, 4)), (0, 2, 1)).shape
    (2, 4, 3)
    """
    [a] = to_arrays("transpose", a)
    rank = a.ndim
    if axes is None:
        order = tuple(range(rank - 1, -1, -1))
    else:
        order = tuple(canonical_axis(i, rank) for i in axes)
    return shapes.transpose(a, order)


@composite_of(1)
def permute_dims(a: ArrayLike, /, axes: tuple[int, ...]) -> Array:
    """The axes in the order given: `transpose`, under the array API's name.

    >>> import jaxlike.numpy as jnp
    >>> jnp.permute_dims(jnp.zeros((2, 3)), (1, 0)).shape
    (3, 2)
    """
    [a] = to_arrays("permute_dims", a)
    return shapes.transpose(a, tuple(canonical_axis(i, a.ndim) for i in axes))


@composite_of(1)
def matrix_transpose(x: ArrayLike, /) -> Array:
    """The last two axes exchanged.

    Raises: ValueError for fewer than two axes.

    >>> import jaxlike.numpy as jnp
    >>> jnp.matrix_transpose(jnp.zeros((2, 3, 4))).shape
    (2, 4, 3)
    """
    [x] = to_arrays("matrix_transpose", x)
    if x.ndim < 2:
        raise ValueError(
            format_error(f"matrix_transpose takes at least 2 axes, got {x.ndim}")
        )
    order = (*range(x.ndim - 2), x.ndim - 1, x.ndim - 2)
    return shapes.transpose(x, order)


@composite_of(1)
def swapaxes(a: ArrayLike, axis1: int, axis2: int) -> Array:
    """Two axes exchanged.

    >>> import jaxlike.numpy as jnp
    >>> jnp.swapaxes(jnp.zeros((2, 3, 4)), 0, 2).shape
    (4, 3, 2)
    """
    [a] = to_arrays("swapaxes", a)
    order = list(range(a.ndim))
    axis1, axis2 = index_axis(axis1, a.ndim), index_axis(axis2, a.ndim)
    order[axis1], order[axis2] = axis2, axis1
    return shapes.transpose(a, tuple(order))


@composite_of(1)
def moveaxis(
    a: ArrayLike, source: int | Sequence[int], destination: int | Sequence[int]
) -> Array:
    """Axes moved to other positions; the rest keep their order.

    >>> import jaxlike.numpy as jnp
    >>> jnp.moveaxis(jnp.zeros((2, 3, 4)), 0, -1).shape
    (3, 4, 2)
    """
    [a] = to_arrays("moveaxis", a)
    source = _axes(source, a.ndim)
    destination = _axes(destination, a.ndim)
    if len(source) != len(destination):
        raise ValueError(
            format_error(
                f"moveaxis: {len(source)} sources for {len(destination)} destinations"
            )
        )
    if source == destination:
        return a
    order = [i for i in range(a.ndim) if i not in source]
    for to, axis in sorted(zip(destination, source)):
        order.insert(to, axis)
    return shapes.transpose(a, order)


def _axes(axis: Any, rank: int) -> tuple[int, ...]:
    return tuple(canonical_axis(i, rank) for i in as_tuple(axis))


@composite_of(1)
def rollaxis(a: ArrayLike, axis: int, start: int = 0) -> Array:
    """One axis moved to just before the axis `start`.

    Raises: ValueError for `start` out of range.

    >>> import jaxlike.numpy as jnp
    >>> jnp.rollaxis(jnp.zeros((2, 3, 4)), 2).shape
    (4, 2, 3)
    """
    [a] = to_arrays("rollaxis", a)
    start = operator.index(start)
    axis = canonical_axis(axis, a.ndim)
    if not -a.ndim <= start <= a.ndim:
        raise ValueError(
            format_error(
                f"rollaxis: start must lie in {-a.ndim} to {a.ndim}, got {start!r}"
            )
        )
    if start < 0:
        start += a.ndim
    if start > axis:
        start -= 1
    return moveaxis(a, axis, start)


@composite_of(1)
def squeeze(a: ArrayLike, axis: int | Sequence[int] | None = None) -> Array:
    """The array without axes of size 1: all of them, or those given.

    Raises: ValueError for an axis of another size.

    >>> import jaxlike.numpy as jnp
    >>> jnp.squeeze(jnp.zeros((1, 2, 1)), axis=0).shape
    (2, 1)
    """
    [a] = to_arrays("squeeze", a)
    if axis is None:
        axes = tuple(i for i, n in enumerate(a.shape) if n == 1)
    elif isinstance(axis, (tuple, list)):
        axes = canonical_axes(axis, a.ndim, "squeeze: repeated axes")
    else:
        axes = (canonical_axis(axis, a.ndim),)
    return shapes.squeeze(a, axes)


@composite_of(1)
def expand_dims(a: ArrayLike, axis: int | Sequence[int]) -> Array:
    """The array with axes of size 1 at these positions of the result.

    >>> import jaxlike.numpy as jnp
    >>> jnp.expand_dims(jnp.zeros((2, 3)), (0, -1)).shape
    (1, 2, 3, 1)
    """
    [a] = to_arrays("expand_dims", a)
    axes = tuple(axis) if isinstance(axis, (tuple, list)) else (axis,)
    return broadcasting.expand_dims(a, axes)


@composite_of(1)
def broadcast_to(array: ArrayLike, shape: Any, *, out_sharding=None) -> Array:
    """The array stretched to a shape: axes of size 1 repeat, leading ones are added.

    Raises: ValueError if it does not broadcast to the shape.

    >>> import jaxlike.numpy as jnp
    >>> jnp.broadcast_to(jnp.arange(2), (2, 2)).tolist()
    [[0, 1], [0, 1]]
    """
    [array] = to_arrays("broadcast_to", array)
    sizes = canonical_shape(shape, "broadcast_to: shape")
    own = array.shape
    if own == sizes:
        return array
    if len(own) > len(sizes):
        raise ValueError(
            format_error(
                f"{own} has more axes than {sizes}, to which it should broadcast"
            )
        )
    if any(n not in (1, m) for n, m in zip(own[::-1], sizes[::-1])):
        raise ValueError(
            format_error(
                f"Incompatible shapes for broadcasting: {own} and requested shape "
                f"{sizes}"
            )
        )
    return broadcast_to_shape(array, sizes)


def broadcast_arrays(*args: ArrayLike) -> list[Array]:
    """The arrays stretched to their common shape.

    Raises: ValueError if there is none.

    >>> import jaxlike.numpy as jnp
    >>> [x.shape for x in jnp.broadcast_arrays(jnp.zeros((2, 1)), jnp.zeros(3))]
    [(2, 3), (2, 3)]
    """
    arrays = to_arrays("broadcast_arrays", *args)
    return broadcast_args(*arrays) if arrays else []


def broadcast_shapes(*shapes: Any) -> tuple[int, ...]:
    """The shape that arrays of these shapes broadcast to.

    Raises: ValueError if there is none.

    >>> import jaxlike.numpy as jnp
    >>> jnp.broadcast_shapes((2, 1), (3,))
    (2, 3)
    """
    if not shapes:
        return ()
    sizes = [as_tuple(s) for s in shapes]
    return broadcasting.broadcast_shapes(
        *(tuple(map(operator.index, s)) for s in sizes)
    )


def _each(fun, arrays: list[Any]):
    out = [fun(a) for a in arrays]
    return out[0] if len(out) == 1 else out


def atleast_1d(*arys: ArrayLike) -> Array | list[Array]:
    """The arrays with at least one axis: scalars become vectors of one element.

    >>> import jaxlike.numpy as jnp
    >>> jnp.atleast_1d(3).shape
    (1,)
    """
    arrays = to_arrays("atleast_1d", *arys)
    return _each(lambda a: a if a.ndim else shapes.reshape(a, (1,)), arrays)


def atleast_2d(*arys: ArrayLike) -> Array | list[Array]:
    """The arrays with at least two axes: vectors become one row.

    >>> import jaxlike.numpy as jnp
    >>> jnp.atleast_2d(jnp.zeros(3)).shape
    (1, 3)
    """
    arrays = to_arrays("atleast_2d", *arys)

    def one(a):
        return a if a.ndim >= 2 else shapes.reshape(a, (1,) * (2 - a.ndim) + a.shape)

    return _each(one, arrays)


def atleast_3d(*arys: ArrayLike) -> Array | list[Array]:
    """The arrays with at least three axes: n becomes (1, n, 1), m x n (m, n, 1).

    >>> import jaxlike.numpy as jnp
    >>> jnp.atleast_3d(jnp.zeros(3)).shape
    (1, 3, 1)
    """
    arrays = to_arrays("atleast_3d", *arys)

    def one(a):
        if a.ndim >= 3:
            return a
        lead = () if a.ndim == 2 else (1,)
        return shapes.reshape(a, (*lead, *(a.shape or (1,)), 1))

    return _each(one, arrays)
