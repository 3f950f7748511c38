"""Windows whose place is known only when run: dynamic_slice, dynamic_update_slice.

Their names are reached through slicing.py, which has the static `slice`.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from jaxlike.core import dtypes
from jaxlike.core.array import Array
from jaxlike.core.avals import ShapedArray, get_aval
from jaxlike.core.errors import format_error
from jaxlike.core.primitive import Primitive
from jaxlike.core.trace import Tracer
from jaxlike.core.zeros import Zero, is_undefined_primal
from jaxlike.primitives.axes import canonical_ints, index_axis, owned
from jaxlike.primitives.linear import instantiate, zeros_of
from jaxlike.primitives.rules import check_same_dtypes, dtype_kind
from jaxlike.primitives.shapes import (
    batch_axis_at,
    broadcast_in_dim,
    expand_dims,
    moveaxis,
    squeeze,
)

__all__ = [
    "dynamic_index_in_dim",
    "dynamic_slice",
    "dynamic_slice_in_dim",
    "dynamic_slice_p",
    "dynamic_update_index_in_dim",
    "dynamic_update_slice",
    "dynamic_update_slice_in_dim",
    "dynamic_update_slice_p",
]

# --- dynamic_slice: out[i] = operand[start + i], where start is moved so that it fits

dynamic_slice_p = Primitive("dynamic_slice")


def _check_starts(name: str, operand, starts) -> None:
    if len(starts) != operand.ndim:
        raise ValueError(
            format_error(
                f"{name} needs one start index for each axis of {operand}, got "
                f"{len(starts)}"
            )
        )
    if any(s.shape for s in starts):
        raise TypeError(
            format_error(
                f"{name} needs scalar start indices, got " + ", ".join(map(str, starts))
            )
        )
    if starts and (
        dtype_kind(starts[0].dtype) != "integer"
        or any(s.dtype != starts[0].dtype for s in starts)
    ):
        raise TypeError(
            format_error(
                f"index arguments to {name} must be integers of the same type, got: "
                + ", ".join(map(str, starts))
            )
        )


def _dynamic_slice_shape(operand, *starts, slice_sizes):
    _check_starts("dynamic_slice", operand, starts)
    if len(slice_sizes) != operand.ndim or any(
        not 0 <= m <= n for m, n in zip(slice_sizes, operand.shape)
    ):
        raise TypeError(
            format_error(
                f"dynamic_slice: sizes {slice_sizes} do not fit into {operand}"
            )
        )
    return ShapedArray(slice_sizes, operand.dtype, operand.weak_type)


def _window(shape, starts, sizes) -> tuple:
    """The builtin slices of a window that has been moved inside of the array."""
    window = []
    for n, start, m in zip(shape, starts, sizes):
        start = int(start)
        start = 0 if start < 0 else min(start, n - m)
        window.append(slice(start, start + m))
    return tuple(window)


def _dynamic_slice_evaluate(operand, *starts, slice_sizes):
    return operand[_window(operand.shape, starts, slice_sizes)]


def _dynamic_slice_jvp(primals, tangents, *, slice_sizes):
    operand, *starts = primals
    out = dynamic_slice_p.bind(operand, *starts, slice_sizes=slice_sizes)
    if type(tangents[0]) is Zero:
        return out, Zero(get_aval(out).to_tangent_aval())
    return out, dynamic_slice_p.bind(tangents[0], *starts, slice_sizes=slice_sizes)


def _dynamic_slice_transpose(ct, operand, *starts, slice_sizes):
    aval = operand.aval
    if type(ct) is Zero:
        return [Zero(aval), *(None for _ in starts)]
    out = dynamic_update_slice_p.bind(zeros_of(aval), ct, *starts)
    return [out, *(None for _ in starts)]


def _dynamic_slice_batch(axis_data, args, dims, *, slice_sizes):
    (x, *starts), (d, *start_dims) = args, dims
    if all(s is None for s in start_dims):
        size = get_aval(x).shape[d]
        starts.insert(d, _zero_like_index(starts))
        slice_sizes = (*slice_sizes[:d], size, *slice_sizes[d:])
        return dynamic_slice_p.bind(x, *starts, slice_sizes=slice_sizes), d
    from jaxlike.primitives.gather import GatherDimensionNumbers, gather

    axes = tuple(range(len(slice_sizes)))
    indices = _stack_starts(starts, start_dims, axis_data.size)
    if d is None:
        numbers = GatherDimensionNumbers(
            offset_dims=tuple(a + 1 for a in axes),
            collapsed_slice_dims=(),
            start_index_map=axes,
        )
        return gather(x, indices, numbers, slice_sizes, mode="clip"), 0
    up = tuple(a + 1 for a in axes)
    numbers = GatherDimensionNumbers(
        offset_dims=up,
        collapsed_slice_dims=(),
        start_index_map=up,
        operand_batching_dims=(0,),
        start_indices_batching_dims=(0,),
    )
    x = moveaxis(x, d, 0)
    return gather(x, indices, numbers, (1, *slice_sizes), mode="clip"), 0


def _zero_like_index(starts):
    return np.zeros((), get_aval(starts[0]).dtype) if starts else np.int32(0)


def _stack_starts(starts, dims, size: int):
    """Scalars with and without a batch axis, as one [size, len(starts)] array."""
    from jaxlike.primitives.joining import concatenate

    columns = [
        broadcast_in_dim(s, (size, 1), () if d is None else (0,))
        for s, d in zip(starts, dims)
    ]
    return concatenate(columns, 1)


dynamic_slice_p.shape = _dynamic_slice_shape
dynamic_slice_p.evaluate = _dynamic_slice_evaluate
dynamic_slice_p.jvp = _dynamic_slice_jvp
dynamic_slice_p.transpose = _dynamic_slice_transpose
dynamic_slice_p.batch = _dynamic_slice_batch


def _start_indices(name: str, shape, starts, allow_negative) -> list[Any]:
    """Start indices as scalars, counted from the front."""
    if isinstance(starts, (Array, np.ndarray)):
        aval = get_aval(starts)
        if aval.ndim != 1:
            raise ValueError(
                format_error(f"{name} needs a 1-d array of start indices, got {aval}")
            )
        if isinstance(starts, Tracer):
            from jaxlike.primitives.slicing import index_in_dim

            starts = [index_in_dim(starts, i, 0, False) for i in range(aval.shape[0])]
        else:
            starts = list(np.asarray(starts))
    starts = list(starts)
    if len(starts) != len(shape):
        raise ValueError(
            format_error(
                f"{name}: {len(starts)} start indices for an array of shape {shape}"
            )
        )
    if isinstance(allow_negative, Sequence):
        flags = list(allow_negative)
    else:
        flags = [allow_negative] * len(shape)
    if len(flags) != len(shape):
        raise ValueError(
            format_error(
                f"{name}: allow_negative_indices needs one flag for each axis, got "
                f"{len(flags)} for {len(shape)}"
            )
        )
    return [_from_front(s, n, flag) for s, n, flag in zip(starts, shape, flags)]


def _from_front(start, size: int, allow_negative: bool):
    if isinstance(start, (int, np.integer)):
        if start < 0:
            if not allow_negative:
                raise ValueError(
                    format_error(
                        f"index {start} lies outside {size} elements, and "
                        "allow_negative_indices is False"
                    )
                )
            start = np.asarray(int(start) + size).astype(get_aval(start).dtype)
        # a Python int would make the result weakly typed
        return np.asarray(start, dtypes.canonicalize_dtype(get_aval(start).dtype))
    aval = get_aval(start)
    if not allow_negative or aval.ndim or aval.dtype.kind != "i":
        return start
    if not isinstance(start, Tracer):
        index = np.asarray(start)
        return index + aval.dtype.type(size) if index < 0 else start
    from jaxlike.primitives.arithmetic import add
    from jaxlike.primitives.comparison import lt
    from jaxlike.primitives.selection import select_n

    zero, step = np.zeros((), aval.dtype), np.asarray(size).astype(aval.dtype)
    return select_n(lt(start, zero), start, add(start, step))


def dynamic_slice(
    operand: Any,
    start_indices: Any,
    slice_sizes: Sequence[int],
    *,
    allow_negative_indices: bool | Sequence[bool] = True,
) -> Any:
    """A window of static size that begins at indices known only when run.

    Negative indices count from the end; then a window that would leave the array is
    moved so that it fits.

    Args: `start_indices`, a scalar for each axis, or a 1-d array of them.
    Raises: TypeError if the window is larger than the array.

    >>> from jaxlike import lax
    >>> lax.dynamic_slice(np.arange(5), (4,), (2,)).tolist()
    [3, 4]
    """
    shape = get_aval(operand).shape
    starts = _start_indices(
        "dynamic_slice", shape, start_indices, allow_negative_indices
    )
    sizes = canonical_ints(slice_sizes, "dynamic_slice: slice_sizes")
    return dynamic_slice_p.bind(owned(operand), *starts, slice_sizes=sizes)


def dynamic_slice_in_dim(
    operand: Any,
    start_index: Any,
    slice_size: int,
    axis: int = 0,
    *,
    allow_negative_indices: bool = True,
) -> Any:
    """`dynamic_slice` along one axis.

    >>> from jaxlike import lax
    >>> lax.dynamic_slice_in_dim(np.arange(5), -2, 2).tolist()
    [3, 4]
    """
    shape = get_aval(operand).shape
    axis = index_axis(axis, len(shape))
    sizes = list(shape)
    sizes[axis] = operator.index(slice_size)
    starts, flags = _along(start_index, axis, len(shape), allow_negative_indices)
    return dynamic_slice(operand, starts, sizes, allow_negative_indices=flags)


def _along(start, axis: int, ndim: int, allow_negative: bool):
    zero = np.zeros((), get_aval(start).dtype)
    starts, flags = [zero] * ndim, [False] * ndim
    starts[axis], flags[axis] = start, allow_negative
    return starts, flags


def dynamic_index_in_dim(
    operand: Any,
    index: Any,
    axis: int = 0,
    keepdims: bool = True,
    *,
    allow_negative_indices: bool = True,
) -> Any:
    """The entry along one axis at an index known only when run (clamped).

    >>> from jaxlike import lax
    >>> int(lax.dynamic_index_in_dim(np.arange(5), 2, keepdims=False))
    2
    """
    axis = index_axis(axis, get_aval(operand).ndim)
    out = dynamic_slice_in_dim(
        operand, index, 1, axis, allow_negative_indices=allow_negative_indices
    )
    return out if keepdims else squeeze(out, (axis,))


# --- dynamic_update_slice: operand, with the window at start replaced by update

dynamic_update_slice_p = Primitive("dynamic_update_slice")


def _dynamic_update_slice_shape(operand, update, *starts):
    if update.ndim != operand.ndim:
        raise TypeError(
            format_error(
                "dynamic_update_slice update must have the same rank as operand, got "
                f"update {update} for operand {operand}"
            )
        )
    if any(m > n for m, n in zip(update.shape, operand.shape)):
        raise TypeError(
            format_error(
                "dynamic_update_slice update shape must be smaller than operand "
                f"shape, got update {update} for operand {operand}"
            )
        )
    _check_starts("dynamic_update_slice", operand, starts)
    check_same_dtypes("dynamic_update_slice", (operand, update))
    weak = all(a.weak_type for a in (operand, update, *starts))
    return ShapedArray(operand.shape, operand.dtype, weak)


def _dynamic_update_slice_evaluate(operand, update, *starts):
    out = operand.copy()
    out[_window(operand.shape, starts, update.shape)] = update
    return out


def _dynamic_update_slice_jvp(primals, tangents):
    operand, update, *starts = primals
    out = dynamic_update_slice_p.bind(operand, update, *starts)
    t_operand, t_update = tangents[:2]
    if type(t_operand) is Zero and type(t_update) is Zero:
        return out, Zero(get_aval(out).to_tangent_aval())
    return out, dynamic_update_slice_p.bind(
        instantiate(t_operand), instantiate(t_update), *starts
    )


def _dynamic_update_slice_transpose(ct, operand, update, *starts):
    ct_operand = ct_update = None
    update_aval = update.aval if is_undefined_primal(update) else get_aval(update)
    if type(ct) is Zero:
        return [None] * (2 + len(starts))
    if is_undefined_primal(operand):
        ct_operand = dynamic_update_slice_p.bind(ct, zeros_of(update_aval), *starts)
    if is_undefined_primal(update):
        ct_update = dynamic_slice_p.bind(ct, *starts, slice_sizes=update_aval.shape)
    return [ct_operand, ct_update, *(None for _ in starts)]


def _dynamic_update_slice_batch(axis_data, args, dims):
    (x, update, *starts), (x_dim, update_dim, *start_dims) = args, dims
    size = axis_data.size
    to = 0 if x_dim is None else x_dim
    if all(d is None for d in start_dims):
        x = batch_axis_at(x, x_dim, to, size)
        update = batch_axis_at(update, update_dim, to, size)
        starts.insert(to, _zero_like_index(starts))
        return dynamic_update_slice_p.bind(x, update, *starts), to
    from jaxlike.primitives.scatter import ScatterDimensionNumbers, scatter

    x, update = (
        batch_axis_at(x, x_dim, 0, size),
        batch_axis_at(update, update_dim, 0, size),
    )
    axes = tuple(range(1, get_aval(x).ndim))
    numbers = ScatterDimensionNumbers(
        update_window_dims=axes,
        inserted_window_dims=(),
        scatter_dims_to_operand_dims=axes,
        operand_batching_dims=(0,),
        scatter_indices_batching_dims=(0,),
    )
    indices = _stack_starts(starts, start_dims, size)
    out = scatter(
        x,
        indices,
        update,
        numbers,
        mode="clip",
        unique_indices=True,
        indices_are_sorted=True,
    )
    return out, 0


dynamic_update_slice_p.shape = _dynamic_update_slice_shape
dynamic_update_slice_p.evaluate = _dynamic_update_slice_evaluate
dynamic_update_slice_p.jvp = _dynamic_update_slice_jvp
dynamic_update_slice_p.transpose = _dynamic_update_slice_transpose
dynamic_update_slice_p.batch = _dynamic_update_slice_batch


def dynamic_update_slice(
    operand: Any,
    update: Any,
    start_indices: Any,
    *,
    allow_negative_indices: bool | Sequence[bool] = True,
) -> Any:
    """The array with a window replaced, at indices known only when run.

    Indices count from the end if negative, and are clamped as in `dynamic_slice`.

    Args: `update`, of the operand's rank and dtype, nowhere larger.
    Raises: TypeError if it does not fit.

    >>> from jaxlike import lax
    >>> lax.dynamic_update_slice(np.arange(5), np.array([8, 9]), (2,)).tolist()
    [0, 1, 8, 9, 4]
    """
    shape = get_aval(operand).shape
    starts = _start_indices(
        "dynamic_update_slice", shape, start_indices, allow_negative_indices
    )
    return dynamic_update_slice_p.bind(operand, update, *starts)


def dynamic_update_slice_in_dim(
    operand: Any,
    update: Any,
    start_index: Any,
    axis: int,
    *,
    allow_negative_indices: bool = True,
) -> Any:
    """`dynamic_update_slice` along one axis.

    >>> from jaxlike import lax
    >>> lax.dynamic_update_slice_in_dim(np.arange(4), np.array([9]), 1, 0).tolist()
    [0, 9, 2, 3]
    """
    ndim = get_aval(operand).ndim
    axis = index_axis(axis, ndim)
    starts, flags = _along(start_index, axis, ndim, allow_negative_indices)
    return dynamic_update_slice(operand, update, starts, allow_negative_indices=flags)


def dynamic_update_index_in_dim(
    operand: Any,
    update: Any,
    index: Any,
    axis: int,
    *,
    allow_negative_indices: bool = True,
) -> Any:
    """The array with its entry at `index` along one axis replaced.

    Args: `update`, of the operand's shape without `axis`, or with size 1 there.

    >>> from jaxlike import lax
    >>> lax.dynamic_update_index_in_dim(np.arange(4), 9, 1, 0).tolist()
    [0, 9, 2, 3]
    """
    ndim = get_aval(operand).ndim
    axis = index_axis(axis, ndim)
    if get_aval(update).ndim == ndim - 1:
        update = expand_dims(update, (axis,))
    return dynamic_update_slice_in_dim(
        operand, update, index, axis, allow_negative_indices=allow_negative_indices
    )
