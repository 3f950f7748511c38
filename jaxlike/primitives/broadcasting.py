"""Broadcasting, and the arrays made of nothing by it: iota, full, empty.

shapes.py has reshape and transpose, and gives the names here out again.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from jaxlike.core import dtypes
from jaxlike.core.array import Array, to_array
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
from jaxlike.primitives.rules import deflinear, dtype_kind, unbroadcast

__all__ = [
    "broadcast",
    "broadcast_in_dim",
    "broadcast_in_dim_p",
    "broadcast_like",
    "broadcast_shapes",
    "broadcast_to_rank",
    "broadcasted_iota",
    "empty",
    "empty_p",
    "expand_dims",
    "full",
    "full_like",
    "iota",
    "iota_p",
]

# --- broadcast_in_dim: out[..., i_b0, ..., i_bk, ...] = operand[i_b0, ..., i_bk]

broadcast_in_dim_p = Primitive("broadcast_in_dim")


def _broadcast_in_dim_shape(operand, *, shape, broadcast_dimensions):
    dims, rank = broadcast_dimensions, len(shape)
    if len(dims) != operand.ndim:
        raise TypeError(
            format_error(
                "broadcast_in_dim needs one of broadcast_dimensions for each axis of "
                f"the operand; got {dims} for {operand}"
            )
        )
    if operand.ndim > rank or any(not 0 <= d < rank for d in dims):
        raise TypeError(
            format_error(
                f"broadcast_in_dim: broadcast_dimensions {dims} of {operand} are no "
                f"axes of the target shape {shape}"
            )
        )
    if any(d >= e for d, e in itertools.pairwise(dims)):
        raise TypeError(
            format_error(
                "broadcast_in_dim: broadcast_dimensions must be strictly increasing, "
                f"got {dims}",
                try_="lax.transpose before or after",
            )
        )
    for axis, (n, d) in enumerate(zip(operand.shape, dims)):
        if n != 1 and n != shape[d]:
            raise TypeError(
                format_error(
                    f"broadcast_in_dim cannot stretch {operand} to {shape} along "
                    f"broadcast_dimensions {dims}",
                    details=[f"axis {axis}: {n} against {shape[d]}"],
                )
            )
    return ShapedArray(shape, operand.dtype, operand.weak_type)


def _broadcast_in_dim_evaluate(operand, *, shape, broadcast_dimensions):
    if not operand.ndim:
        if math.prod(shape) > 4096 and not any(operand.tobytes()):
            return np.zeros(shape, operand.dtype)  # pages are given when touched
        out = np.empty(shape, operand.dtype)
        out[...] = operand
        return out
    lined_up = [1] * len(shape)
    for n, d in zip(operand.shape, broadcast_dimensions):
        lined_up[d] = n
    operand = operand.reshape(lined_up)
    if operand.shape == shape:
        return operand
    out = np.empty(shape, operand.dtype)
    out[...] = operand
    return out


def _broadcast_in_dim_transpose(ct, operand, *, shape, broadcast_dimensions):
    from jaxlike.primitives.reductions import reduce_sum

    aval = operand.aval
    if type(ct) is Zero:
        return [Zero(aval)]
    new = tuple(i for i in range(len(shape)) if i not in broadcast_dimensions)
    return [unbroadcast(aval, reduce_sum(ct, new) if new else ct)]


def _broadcast_in_dim_batch(axis_data, args, dims, *, shape, broadcast_dimensions):
    from jaxlike.primitives.shapes import moveaxis

    x = moveaxis(args[0], dims[0], 0)
    out = broadcast_in_dim_p.bind(
        x,
        shape=(get_aval(x).shape[0], *shape),
        broadcast_dimensions=(0, *(d + 1 for d in broadcast_dimensions)),
    )
    return out, 0


broadcast_in_dim_p.shape = _broadcast_in_dim_shape
broadcast_in_dim_p.evaluate = _broadcast_in_dim_evaluate
deflinear(broadcast_in_dim_p, _broadcast_in_dim_transpose)
broadcast_in_dim_p.batch = _broadcast_in_dim_batch


def broadcast_in_dim(
    operand: Any,
    shape: Sequence[int],
    broadcast_dimensions: Sequence[int],
    *,
    out_sharding=None,
) -> Any:
    """Repeat an array along new axes, and along its axes of size 1.

    Args: `shape` of the result; `broadcast_dimensions` says which axis of the result
    each axis of `operand` is.
    Raises: TypeError if the operand does not fit.

    >>> from jaxlike import lax
    >>> lax.broadcast_in_dim(np.arange(3), (2, 3), (1,)).tolist()
    [[0, 1, 2], [0, 1, 2]]
    """
    shape = canonical_shape(shape, "broadcast_in_dim: shape")
    if isinstance(operand, Array) and operand.shape == shape:
        dims = tuple(broadcast_dimensions)
        if dims == tuple(range(len(shape))):
            return operand
    else:
        dims = broadcast_dimensions
    dims = canonical_ints(dims, "broadcast_in_dim: broadcast_dimensions")
    operand = owned(operand)
    if dims != tuple(sorted(dims)) and len(dims) == len(set(dims)):
        from jaxlike.primitives.shapes import transpose

        order = sorted(range(len(dims)), key=dims.__getitem__)
        operand, dims = transpose(operand, order), tuple(sorted(dims))
    return broadcast_in_dim_p.bind(operand, shape=shape, broadcast_dimensions=dims)


def broadcast(operand: Any, sizes: Sequence[int], *, out_sharding=None) -> Any:
    """Repeat an array along new leading axes of the given sizes.

    >>> from jaxlike import lax
    >>> lax.broadcast(np.arange(3), (4, 2)).shape
    (4, 2, 3)
    """
    sizes = tuple(sizes)
    if not sizes and isinstance(operand, Array):
        return operand
    shape = get_aval(operand).shape
    rank = len(sizes)
    return broadcast_in_dim(operand, sizes + shape, range(rank, rank + len(shape)))


def broadcast_to_rank(x: Any, rank: int) -> Any:
    """Give `x` leading axes of size 1 until it has `rank` axes, or leave it."""
    shape = get_aval(x).shape
    extra = rank - len(shape)
    if extra <= 0:
        return x if isinstance(x, Array) else to_array(x)
    return broadcast(x, (1,) * extra)


def broadcast_like(arr: Any, like_arr: Any) -> Any:
    """Broadcast `arr` to the shape of `like_arr` by NumPy's rules.

    Raises: ValueError if it cannot be.
    """
    aval, like = get_aval(arr), get_aval(like_arr)
    extra = like.ndim - aval.ndim
    if extra < 0:
        raise ValueError(
            format_error(f"Cannot broadcast {aval} to {like}, which has fewer axes")
        )
    if any(n != 1 and n != m for n, m in zip(aval.shape, like.shape[extra:])):
        raise ValueError(
            format_error(f"Incompatible types for broadcasting: {aval} and {like}")
        )
    return broadcast_in_dim(arr, like.shape, range(extra, like.ndim))


def broadcast_shapes(*shapes: Sequence[int]) -> tuple[int, ...]:
    """The shape that arrays of these shapes broadcast to, by NumPy's rules.

    Raises: ValueError if they do not broadcast together.

    >>> from jaxlike import lax
    >>> lax.broadcast_shapes((2, 1), (3,))
    (2, 3)
    """
    if len(shapes) == 1:
        return canonical_shape(shapes[0])
    shapes = tuple(canonical_shape(s) for s in shapes)
    if len(set(shapes)) == 1:
        return shapes[0]
    rank = max(map(len, shapes), default=0)
    out = []
    for sizes in zip(*[(1,) * (rank - len(s)) + s for s in shapes]):
        others = {n for n in sizes if n != 1}
        if len(others) > 1:
            raise ValueError(
                format_error(f"shapes {list(shapes)} do not broadcast to one")
            )
        out.append(others.pop() if others else 1)
    return tuple(out)


def expand_dims(array: Any, dimensions: Sequence[int]) -> Any:
    """The array with axes of size 1 added; `dimensions` are axes of the result.

    Raises: ValueError if one is out of bounds or there twice.

    >>> from jaxlike import lax
    >>> lax.expand_dims(np.zeros((2, 3)), (0, -1)).shape
    (1, 2, 3, 1)
    """
    old = get_aval(array).shape
    dimensions = tuple(dimensions)
    rank = len(old) + len(dimensions)
    new = canonical_axes(dimensions, rank, "repeated axis in lax.expand_dims")
    if not new and isinstance(array, Array):
        return array
    shape, sizes = [], iter(old)
    for i in range(rank):
        shape.append(1 if i in new else next(sizes))
    kept = tuple([i for i in range(rank) if i not in new])
    return broadcast_in_dim_p.bind(
        owned(array), shape=tuple(shape), broadcast_dimensions=kept
    )


# --- iota: out[i_0, ..., i_k] = i_d

iota_p = Primitive("iota")


def _iota_shape(*, dtype, shape, dimension):
    if not 0 <= dimension < len(shape):
        raise ValueError(format_error(f"iota: {dimension} is no axis of {shape}"))
    if dtype_kind(dtype) in ("bool", "extended"):
        raise TypeError(
            format_error(
                f"iota does not accept dtype {dtype}. Accepted dtypes are subtypes of "
                "integer, floating, complexfloating."
            )
        )
    return ShapedArray(shape, dtype)


def _iota_evaluate(*, dtype, shape, dimension):
    line = np.arange(shape[dimension])
    if dtype != line.dtype:
        line = line.astype(dtype)
    if len(shape) == 1:
        return line
    out = np.empty(shape, dtype)
    out[...] = line.reshape(-1, *(1,) * (len(shape) - dimension - 1))
    return out


iota_p.shape = _iota_shape
iota_p.evaluate = _iota_evaluate
iota_p.not_differentiable = "it has no operand"
iota_p.not_transposable = "it has no operand"
iota_p.not_batchable = "it has no operand"


def iota(dtype: Any, size: int) -> Any:
    """The numbers 0, 1, ..., size - 1.

    >>> from jaxlike import lax
    >>> lax.iota(np.float32, 3).tolist()
    [0.0, 1.0, 2.0]
    """
    return broadcasted_iota(dtype, (size,), 0)


def broadcasted_iota(
    dtype: Any, shape: Sequence[int], dimension: int, *, out_sharding=None
) -> Any:
    """An array that holds at each element its index along the axis `dimension`.

    >>> from jaxlike import lax
    >>> lax.broadcasted_iota(np.int32, (2, 3), 1).tolist()
    [[0, 1, 2], [0, 1, 2]]
    """
    dtype = dtypes.check_user_dtype_supported(dtype, "broadcasted_iota")
    shape = canonical_shape(shape, "iota shape")
    return iota_p.bind(
        dtype=dtypes.canonicalize_dtype(dtype), shape=shape, dimension=int(dimension)
    )


# --- empty: nobody said what is in it; zeros, so that programs repeat

empty_p = Primitive("empty")
empty_p.shape = lambda *, shape, dtype: ShapedArray(shape, dtype)
empty_p.evaluate = lambda *, shape, dtype: np.zeros(shape, dtypes.storage_dtype(dtype))
empty_p.not_differentiable = "it has no operand"
empty_p.not_transposable = "it has no operand"
empty_p.not_batchable = "it has no operand"


def empty(shape: Sequence[int], dtype: Any, *, out_sharding=None) -> Any:
    """An array whose values are not to be relied on."""
    dtype = dtypes.check_user_dtype_supported(dtype, "empty")
    shape = canonical_shape(shape, "empty: shape")
    return empty_p.bind(shape=shape, dtype=dtypes.canonicalize_dtype(dtype))


# --- full


def full(
    shape: Sequence[int], fill_value: Any, dtype: Any = None, *, sharding=None
) -> Any:
    """An array of one value everywhere.

    Args: `fill_value`, a scalar; `dtype`, that of fill_value by default.
    Raises: TypeError if fill_value is no scalar.

    >>> from jaxlike import lax
    >>> lax.full((2,), 7, np.int8).tolist()
    [7, 7]
    """
    shape = canonical_shape(shape, "full: shape")
    dtype = dtypes.check_user_dtype_supported(dtype, "full")
    if isinstance(fill_value, (list, tuple)):
        fill_value = np.asarray(fill_value)
    aval = get_aval(fill_value)
    if aval.shape:
        raise TypeError(
            format_error(f"full needs a scalar as fill_value, got one of {aval}")
        )
    if dtype is None:
        value = fill_value
    else:
        value = scalar_of(fill_value, dtypes.canonicalize_dtype(dtype))
    if not shape:
        return to_array(value)
    return broadcast_in_dim_p.bind(value, shape=shape, broadcast_dimensions=())


def full_like(
    x: Any, fill_value: Any, dtype: Any = None, shape: Any = None, sharding=None
) -> Any:
    """As `full`, with the shape and the dtype of `x` where none is given.

    Args: `x`, an array or anything with `.shape` and `.dtype`.

    >>> from jaxlike import lax
    >>> lax.full_like(np.zeros((2,), np.int8), 7).dtype
    dtype('int8')
    """
    if hasattr(x, "shape") and hasattr(x, "dtype"):
        own_shape, own_dtype, weak = x.shape, x.dtype, getattr(x, "weak_type", False)
    else:
        aval = get_aval(x)
        own_shape, own_dtype, weak = aval.shape, aval.dtype, aval.weak_type
    shape = own_shape if shape is None else canonical_shape(shape, "full_like: shape")
    if dtype is not None or not weak:
        return full(shape, fill_value, own_dtype if dtype is None else dtype)
    return full(shape, weak_scalar_of(fill_value, own_dtype))


def scalar_of(value: Any, dtype: Any) -> Any:
    """A scalar as one of `dtype`: NumPy's where the value is known to Python."""
    if isinstance(value, Array) or isinstance(dtype, dtypes.ExtendedDType):
        if get_aval(value).dtype == dtype and not get_aval(value).weak_type:
            return value
        from jaxlike.primitives.conversion import convert_element_type

        return convert_element_type(value, dtype)
    value = np.asarray(value)
    if value.dtype == dtype:
        return value
    with np.errstate(all="ignore"):
        if value.dtype.kind == "c" and dtype_kind(dtype) != "complexfloating":
            value = value != 0 if dtype == np.bool_ else value.real
        return value.astype(dtype)


def weak_scalar_of(value: Any, dtype: Any) -> Any:
    """A scalar as a weakly typed one of `dtype`."""
    aval = get_aval(value)
    if aval.weak_type and aval.dtype == dtype:
        return value
    if not isinstance(value, Array):
        known = scalar_of(value, dtype).item()
        if get_aval(known) is ShapedArray((), dtype, True):
            return known
    from jaxlike.primitives.conversion import convert_element_type_p

    return convert_element_type_p.bind(value, new_dtype=dtype, weak_type=True)
