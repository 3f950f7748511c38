"""Data movement that changes the shape alone: reshape, transpose, squeeze, rev.

broadcasting.py has what repeats elements, joining.py what puts arrays together;
slicing.py and gather.py take parts of them.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from jaxlike.core.array import Array
from jaxlike.core.avals import ShapedArray, get_aval
from jaxlike.core.errors import format_error
from jaxlike.core.primitive import Primitive
from jaxlike.core.zeros import Zero
from jaxlike.primitives.axes import (
    canonical_axes,
    canonical_ints,
    canonical_shape,
    owned,
)
from jaxlike.primitives.broadcasting import (
    broadcast,
    broadcast_in_dim,
    broadcast_in_dim_p,
    broadcast_like,
    broadcast_shapes,
    broadcast_to_rank,
    broadcasted_iota,
    empty,
    empty_p,
    expand_dims,
    full,
    full_like,
    iota,
    iota_p,
)
from jaxlike.primitives.rules import deflinear

__all__ = [
    "broadcast",
    "broadcast_in_dim",
    "broadcast_in_dim_p",
    "broadcast_like",
    "broadcast_shapes",
    "broadcast_to_rank",
    "broadcasted_iota",
    "collapse",
    "empty",
    "empty_p",
    "expand_dims",
    "full",
    "full_like",
    "iota",
    "iota_p",
    "reshape",
    "reshape_p",
    "rev",
    "rev_p",
    "squeeze",
    "squeeze_p",
    "transpose",
    "transpose_p",
]


def moveaxis(x: Any, source: int, destination: int) -> Any:
    """`x` with the axis `source` moved to `destination` (both >= 0)."""
    if source == destination:
        return x
    order = [i for i in range(get_aval(x).ndim) if i != source]
    order.insert(destination, source)
    return transpose_p.bind(x, permutation=tuple(order))


def batch_axis_at(x, dim: int | None, to: int, size: int):
    """`x` with its batch axis at `to`, made there if it has none."""
    if dim is not None:
        return moveaxis(x, dim, to)
    shape = get_aval(x).shape
    kept = [i + (i >= to) for i in range(len(shape))]
    return broadcast_in_dim(x, (*shape[:to], size, *shape[to:]), kept)


# --- reshape: the same elements in row-major order

reshape_p = Primitive("reshape")


def _reshape_shape(operand, *, new_sizes, dimensions):
    if any(n < 0 for n in new_sizes):
        raise TypeError(
            format_error(
                f"reshape new_sizes must all be nonnegative, got {new_sizes}",
                try_="jnp.reshape, which takes -1",
            )
        )
    if math.prod(new_sizes) != operand.size:
        raise TypeError(
            format_error(
                f"reshape of {operand.shape} to {new_sizes}: {operand.size} elements "
                f"against {math.prod(new_sizes)}"
            )
        )
    if dimensions is not None and set(dimensions) != set(range(operand.ndim)):
        raise TypeError(
            format_error(
                "reshape dimensions must be a permutation of operand dimensions, got "
                f"dimensions {dimensions} for shape {operand.shape}"
            )
        )
    return ShapedArray(new_sizes, operand.dtype, operand.weak_type)


def _reshape_evaluate(operand, *, new_sizes, dimensions):
    if dimensions is not None:
        operand = operand.transpose(dimensions)
    return operand.reshape(new_sizes)


def _reshape_transpose(ct, operand, *, new_sizes, dimensions):
    aval = operand.aval
    if type(ct) is Zero:
        return [Zero(aval)]
    if dimensions is None:
        return [reshape(ct, aval.shape)]
    ct = reshape(ct, tuple(aval.shape[d] for d in dimensions))
    return [transpose(ct, np.argsort(dimensions))]


def _reshape_batch(axis_data, args, dims, *, new_sizes, dimensions):
    x = moveaxis(args[0], dims[0], 0)
    if dimensions is not None:
        dimensions = (0, *(d + 1 for d in dimensions))
    new_sizes = (get_aval(x).shape[0], *new_sizes)
    return reshape_p.bind(x, new_sizes=new_sizes, dimensions=dimensions), 0


reshape_p.shape = _reshape_shape
reshape_p.evaluate = _reshape_evaluate
deflinear(reshape_p, _reshape_transpose)
reshape_p.batch = _reshape_batch


def reshape(
    operand: Any,
    new_sizes: Sequence[int],
    dimensions: Sequence[int] | None = None,
    *,
    out_sharding=None,
) -> Any:
    """The elements in row-major order, with another shape of the same size.

    Args: `dimensions`, a permutation of the operand's axes to apply first.
    Raises: TypeError if the sizes differ. There is no -1; jnp.reshape has it.

    >>> from jaxlike import lax
    >>> lax.reshape(np.arange(6), (2, 3)).tolist()
    [[0, 1, 2], [3, 4, 5]]
    """
    new_sizes = canonical_shape(new_sizes, "reshape: new_sizes")
    if dimensions is not None:
        dimensions = canonical_ints(dimensions, "reshape: dimensions")
        if dimensions == tuple(range(get_aval(operand).ndim)):
            dimensions = None
    if dimensions is None and isinstance(operand, Array) and operand.shape == new_sizes:
        return operand
    return reshape_p.bind(owned(operand), new_sizes=new_sizes, dimensions=dimensions)


def collapse(
    operand: Any, start_dimension: int, stop_dimension: int | None = None
) -> Any:
    """Flatten the axes from `start_dimension` up to `stop_dimension` into one.

    >>> from jaxlike import lax
    >>> lax.collapse(np.zeros((2, 3, 4)), 1).shape
    (2, 12)
    """
    shape = get_aval(operand).shape
    start, stop, _ = slice_indices(start_dimension, stop_dimension, len(shape))
    if stop < start:
        raise ValueError(
            format_error(
                f"collapse: {start_dimension}:{stop_dimension} is no range of the "
                f"axes of {shape}"
            )
        )
    middle = math.prod(shape[start:stop])
    return reshape(operand, (*shape[:start], middle, *shape[stop:]))


def slice_indices(start: Any, stop: Any, size: int) -> tuple[int, int, int]:
    """(start, stop, step) of a Python slice on an axis of this size, made explicit."""
    return slice(start, stop).indices(size)


# --- transpose: out[i_p0, ..., i_pk] = operand[i_0, ..., i_k]

transpose_p = Primitive("transpose")


def _transpose_shape(operand, *, permutation):
    if sorted(permutation) != list(range(operand.ndim)):
        raise TypeError(
            format_error(
                f"transpose: {permutation} does not name each axis of {operand.shape} "
                "once"
            )
        )
    shape = tuple([operand.shape[i] for i in permutation])
    return ShapedArray(shape, operand.dtype, operand.weak_type)


def _inverse(permutation: tuple[int, ...]) -> tuple[int, ...]:
    out = [0] * len(permutation)
    for i, p in enumerate(permutation):
        out[p] = i
    return tuple(out)


def _transpose_transpose(ct, operand, *, permutation):
    if type(ct) is Zero:
        return [Zero(operand.aval)]
    return [transpose_p.bind(ct, permutation=_inverse(permutation))]


def _transpose_batch(axis_data, args, dims, *, permutation):
    (x,), (d,) = args, dims
    order = (d, *(i + (i >= d) for i in permutation))
    return transpose_p.bind(x, permutation=order), 0


transpose_p.shape = _transpose_shape
transpose_p.evaluate = lambda operand, *, permutation: operand.transpose(permutation)
deflinear(transpose_p, _transpose_transpose)
transpose_p.batch = _transpose_batch


def transpose(operand: Any, permutation: Sequence[int]) -> Any:
    """The array with its axes in another order: axis i is the old `permutation[i]`.

    Raises: TypeError if `permutation` is none.

    >>> from jaxlike import lax
    >>> lax.transpose(np.zeros((2, 3, 4)), (2, 0, 1)).shape
    (4, 2, 3)
    """
    permutation = tuple(map(operator.index, permutation))
    if permutation == tuple(range(len(permutation))) and isinstance(operand, Array):
        if len(permutation) == operand.ndim:
            return operand
    return transpose_p.bind(owned(operand), permutation=permutation)


# --- squeeze: without some axes of size 1

squeeze_p = Primitive("squeeze")


def _squeeze_shape(array, *, dimensions):
    shape = array.shape
    if any(shape[d] != 1 for d in dimensions):
        raise ValueError(
            format_error(
                f"squeeze takes axes of size 1, but {dimensions} of {shape} are not"
            )
        )
    shape = tuple([n for i, n in enumerate(shape) if i not in dimensions])
    return ShapedArray(shape, array.dtype, array.weak_type)


def _squeeze_transpose(ct, array, *, dimensions):
    return [Zero(array.aval) if type(ct) is Zero else reshape(ct, array.aval.shape)]


def _squeeze_batch(axis_data, args, dims, *, dimensions):
    x = moveaxis(args[0], dims[0], 0)
    return squeeze_p.bind(x, dimensions=tuple(d + 1 for d in dimensions)), 0


squeeze_p.shape = _squeeze_shape
squeeze_p.evaluate = lambda array, *, dimensions: array.squeeze(dimensions)
deflinear(squeeze_p, _squeeze_transpose)
squeeze_p.batch = _squeeze_batch


def squeeze(array: Any, dimensions: Sequence[int]) -> Any:
    """The array without the axes `dimensions`, each of size 1.

    Raises: ValueError if one of them has another size.

    >>> from jaxlike import lax
    >>> lax.squeeze(np.zeros((2, 1, 3)), (1,)).shape
    (2, 3)
    """
    ndim = get_aval(array).ndim
    axes = canonical_axes(dimensions, ndim, "dimensions are not unique")
    if not axes and isinstance(array, Array):
        return array
    return squeeze_p.bind(owned(array), dimensions=axes)


# --- rev: out[..., i, ...] = operand[..., n - 1 - i, ...]

rev_p = Primitive("rev")


def _rev_shape(operand, *, dimensions):
    if len(set(dimensions)) != len(dimensions):
        raise TypeError(
            format_error(f"rev dimensions must be unique, got {dimensions}")
        )
    if any(not 0 <= d < operand.ndim for d in dimensions):
        raise TypeError(
            format_error(
                f"rev dimensions must all be axes of the operand {operand}, got "
                f"{dimensions}"
            )
        )
    return operand


def _rev_transpose(ct, operand, *, dimensions):
    return [ct if type(ct) is Zero else rev_p.bind(ct, dimensions=dimensions)]


def _rev_batch(axis_data, args, dims, *, dimensions):
    (x,), (d,) = args, dims
    return rev_p.bind(x, dimensions=tuple(i + (i >= d) for i in dimensions)), d


rev_p.shape = _rev_shape
rev_p.evaluate = lambda operand, *, dimensions: np.flip(operand, dimensions)
deflinear(rev_p, _rev_transpose)
rev_p.batch = _rev_batch


def rev(operand: Any, dimensions: Sequence[int]) -> Any:
    """The array with the order of its elements reversed along some axes.

    >>> from jaxlike import lax
    >>> lax.rev(np.arange(3), (0,)).tolist()
    [2, 1, 0]
    """
    dimensions = canonical_ints(dimensions, "rev: dimensions")
    return rev_p.bind(owned(operand), dimensions=dimensions)
