"""Moving and repeating elements: flip, roll, rot90, tile, repeat, resize, insert,
delete, trim_zeros."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from jaxlike.core import dtypes
from jaxlike.core.array import Array
from jaxlike.core.errors import format_error
from jaxlike.core.trace import Tracer, concrete_or_error
from jaxlike.numpy import creation, cumulative, manipulation
from jaxlike.numpy.axes import as_tuple
from jaxlike.numpy.binary import remainder
from jaxlike.numpy.composites import composite_of
from jaxlike.numpy.joining import concatenate
from jaxlike.numpy.promote import (
    ArrayLike,
    broadcast_to_shape,
    check_arraylike,
    convert,
    to_arrays,
)
from jaxlike.numpy.searching import nonzero, where
from jaxlike.primitives import dynamic_slicing, joining, shapes, slicing
from jaxlike.primitives.axes import canonical_axis

__all__ = [
    "delete",
    "flip",
    "fliplr",
    "flipud",
    "insert",
    "repeat",
    "resize",
    "roll",
    "rot90",
    "tile",
    "trim_zeros",
]


@composite_of(1)
def flip(m: ArrayLike, axis: int | Sequence[int] | None = None) -> Array:
    """The elements in reverse order along some axes, all of them for None.

    >>> import jaxlike.numpy as jnp
    >>> jnp.flip(jnp.arange(3)).tolist()
    [2, 1, 0]
    """
    [m] = to_arrays("flip", m)
    if axis is None:
        return shapes.rev(m, tuple(range(m.ndim)))
    axes = axis if isinstance(axis, (tuple, list)) else (axis,)
    return shapes.rev(m, tuple(canonical_axis(i, m.ndim) for i in axes))


@composite_of(1)
def fliplr(m: ArrayLike) -> Array:
    """The columns in reverse order: `flip` along the second axis.

    >>> import jaxlike.numpy as jnp
    >>> jnp.fliplr(jnp.array([[1, 2]])).tolist()
    [[2, 1]]
    """
    return flip(m, 1)


@composite_of(1)
def flipud(m: ArrayLike) -> Array:
    """The rows in reverse order: `flip` along the first axis.

    >>> import jaxlike.numpy as jnp
    >>> jnp.flipud(jnp.array([[1], [2]])).tolist()
    [[2], [1]]
    """
    return flip(m, 0)


@composite_of(1)
def rot90(m: ArrayLike, k: int = 1, axes: tuple[int, int] = (0, 1)) -> Array:
    """The array turned by k quarter turns, from the first of the axes to the second.

    Raises: ValueError for fewer than two axes, or equal ones.

    >>> import jaxlike.numpy as jnp
    >>> jnp.rot90(jnp.array([[1, 2]])).tolist()
    [[2], [1]]
    """
    [m] = to_arrays("rot90", m)
    if m.ndim < 2:
        raise ValueError(
            format_error(f"rot90 takes at least 2 axes, got shape {m.shape}")
        )
    first, second = (canonical_axis(i, m.ndim) for i in axes)
    if first == second:
        raise ValueError(format_error("Axes must be different"))
    k = operator.index(k) % 4
    if k == 0:
        return m
    if k == 2:
        return flip(flip(m, first), second)
    if k == 1:
        return manipulation.swapaxes(flip(m, second), first, second)
    return flip(manipulation.swapaxes(m, first, second), second)


def roll(
    a: ArrayLike,
    shift: ArrayLike | Sequence[int],
    axis: int | Sequence[int] | None = None,
) -> Array:
    """The elements moved on by `shift` places; those at the end come to the front.

    Args: `axis`, one or several axes, with a shift for each; None rolls the elements
    as one vector. The shift may be traced.

    >>> import jaxlike.numpy as jnp
    >>> jnp.roll(jnp.arange(4), 1).tolist()
    [3, 0, 1, 2]
    """
    if isinstance(shift, (tuple, list)):
        shift = creation.asarray(shift)
    a, shift = to_arrays("roll", a, shift)
    if axis is None:
        if shift.size != 1:
            axis = 0
            return roll(a.reshape(-1), manipulation.ravel(shift).sum(), 0).reshape(
                a.shape
            )
        return roll(a.reshape(-1), shift.reshape(()), 0).reshape(a.shape)
    axes = tuple(axis) if isinstance(axis, (tuple, list)) else (axis,)
    axes = tuple(canonical_axis(i, a.ndim) for i in axes)
    if not a.size:
        return a
    count = manipulation.broadcast_shapes(shift.shape, (len(axes),))
    if len(count) > 1:
        raise ValueError(format_error("roll: shift is a number or a vector"))
    shifts = broadcast_to_shape(shift, count)
    axes = axes * (count[0] // len(axes)) if len(axes) == 1 else axes
    for i, one in enumerate(axes):
        a = _roll_axis(a, shifts[i], one)
    return a


def _roll_axis(a, shift, axis: int):
    size = a.shape[axis]
    if isinstance(shift, Tracer):
        # the wanted window of two copies begins where the shift says
        start = remainder(-shift, size)
        if not dtypes.issubdtype(start.dtype, np.integer):
            start = convert(start, dtypes.default_int_dtype())
        return dynamic_slicing.dynamic_slice_in_dim(
            joining.concatenate([a, a], axis), start, size, axis
        )
    cut = -int(shift) % size
    if not cut:
        return a
    parts = (
        slicing.slice_in_dim(a, cut, size, axis=axis),
        slicing.slice_in_dim(a, 0, cut, axis=axis),
    )
    return joining.concatenate(parts, axis)


@composite_of(1)
def tile(A: ArrayLike, reps: int | Sequence[int]) -> Array:
    """The array repeated as a whole, `reps` times along each axis.

    >>> import jaxlike.numpy as jnp
    >>> jnp.tile(jnp.arange(2), (2, 2)).tolist()
    [[0, 1, 0, 1], [0, 1, 0, 1]]
    """
    [A] = to_arrays("tile", A)
    counts = tuple(map(operator.index, as_tuple(reps)))
    rank = max(A.ndim, len(counts))
    counts = (1,) * (rank - len(counts)) + counts
    sizes = (1,) * (rank - A.ndim) + A.shape
    split = tuple(n for pair in zip([1] * rank, sizes) for n in pair)
    whole = tuple(n for pair in zip(counts, sizes) for n in pair)
    out = broadcast_to_shape(shapes.reshape(A, split), whole)
    return shapes.reshape(out, tuple(n * c for n, c in zip(sizes, counts)))


def repeat(
    a: ArrayLike,
    repeats: ArrayLike,
    axis: int | None = None,
    *,
    total_repeat_length: int | None = None,
    out_sharding=None,
) -> Array:
    """Each element (each slice along an axis) repeated.

    Args: `repeats`, how often: one number, or one for each; `total_repeat_length`, the
    size of the result, needed under jit if `repeats` is traced. What is too long is
    cut off, what is missing repeats the last one.

    >>> import jaxlike.numpy as jnp
    >>> jnp.repeat(jnp.array([7, 8]), jnp.array([1, 2])).tolist()
    [7, 8, 8]
    """
    check_arraylike("repeat", a)
    if type(repeats) is not int:
        check_arraylike("repeat", a, repeats)
    [a] = to_arrays("repeat", a)
    if axis is None:
        a, axis = a.reshape(-1), 0
    axis = canonical_axis(
        concrete_or_error(operator.index, axis, "axis of repeat"), a.ndim
    )
    size = a.shape[axis]
    if total_repeat_length is None:
        repeats = concrete_or_error(
            None,
            repeats,
            "the length of the result of repeat depends on it",
            "total_repeat_length=n",
        )
        counts = np.asarray(repeats)
        if counts.size and counts.dtype.kind not in "iub":
            raise TypeError(
                format_error(f"repeat: repeats must be integers, got {counts.dtype}")
            )
        if counts.ndim == 0 or counts.size == 1:
            return _repeat_each(a, int(counts.reshape(())), axis)
        counts = np.broadcast_to(np.ravel(counts), (size,))
        index = np.repeat(np.arange(size, dtype=np.int32), counts)
        return _rows(a, index, axis)
    total = operator.index(total_repeat_length)
    [repeats] = to_arrays("repeat", repeats)
    counts = broadcast_to_shape(manipulation.ravel(repeats), (size,))
    if not size or not total:
        return _rows(a, np.zeros(total, np.int32), axis)
    # a step up at every place where the next element begins
    ends = cumulative.cumsum(convert(counts, np.dtype("int32")))
    steps = creation.zeros(total, "int32").at[ends[:-1]].add(1, mode="drop")
    return _rows(a, cumulative.cumsum(steps), axis)


def _repeat_each(a, count: int, axis: int):
    if count == 1:
        return a
    if count < 0:
        raise TypeError(
            format_error(f"repeat: repeats must not be negative, got {count}")
        )
    sizes = a.shape
    inner = (*sizes[: axis + 1], 1, *sizes[axis + 1 :])
    whole = (*sizes[: axis + 1], count, *sizes[axis + 1 :])
    out = broadcast_to_shape(shapes.reshape(a, inner), whole)
    return shapes.reshape(out, (*sizes[:axis], sizes[axis] * count, *sizes[axis + 1 :]))


def _rows(a, index, axis: int):
    where_ = (slice(None),) * axis + (creation.asarray(index),)
    return a[where_]


@composite_of(1)
def resize(a: ArrayLike, new_shape: Any) -> Array:
    """The elements, repeated or cut off as needed, in another shape.

    Raises: ValueError for negative sizes.

    >>> import jaxlike.numpy as jnp
    >>> jnp.resize(jnp.arange(3), (2, 2)).tolist()
    [[0, 1], [2, 0]]
    """
    [a] = to_arrays("resize", a)
    sizes = tuple(map(operator.index, as_tuple(new_shape)))
    if any(n < 0 for n in sizes):
        raise ValueError(format_error("resize: sizes must not be negative"))
    total = math.prod(sizes)
    if not a.size or not total:
        return creation.zeros_like(a, shape=sizes)
    flat = a.reshape(-1)
    copies = -(-total // flat.shape[0])
    return tile(flat, copies)[:total].reshape(sizes)


# --- insert, delete


def insert(
    arr: ArrayLike, obj: Any, values: ArrayLike, axis: int | None = None
) -> Array:
    """`values` put in before the given positions of an axis.

    Args: `obj`, an index, a vector of indices or a slice, into the array as it was;
    `axis`, None to flatten the array first.

    >>> import jaxlike.numpy as jnp
    >>> jnp.insert(jnp.arange(3), 1, 9).tolist()
    [0, 9, 1, 2]
    """
    check_arraylike("insert", arr, 0 if isinstance(obj, slice) else obj, values)
    arr, values = to_arrays("insert", arr, values)
    if axis is None:
        arr, axis = arr.reshape(-1), 0
    axis = canonical_axis(axis, arr.ndim)
    size = arr.shape[axis]
    if isinstance(obj, slice):
        index = creation.asarray(np.arange(*obj.indices(size)), "int32")
    else:
        index = creation.asarray(obj)
    if dtypes.isdtype(index.dtype, "bool"):
        [index] = nonzero(index)
    if index.ndim > 1:
        raise ValueError(
            format_error("insert: obj must be an index, a vector of indices or a slice")
        )
    if index.size and not dtypes.issubdtype(index.dtype, np.integer):
        raise IndexError(
            format_error(f"insert: indices must be integers, got {index.dtype}")
        )
    if values.ndim == 0:
        values = values.reshape(1)
    if index.ndim == 0:
        # one index: the values' own axis is the one that is inserted
        values = manipulation.moveaxis(
            values.reshape((1,) * (arr.ndim - values.ndim) + values.shape)
            if values.ndim < arr.ndim
            else values,
            0,
            axis,
        )
    index = index.reshape(-1)
    count = values.shape[axis] if index.size == 1 and values.ndim > axis else index.size
    if index.size == 1 and count != 1:
        index = broadcast_to_shape(index, (count,))
    count = index.size
    shape = (*arr.shape[:axis], count, *arr.shape[axis + 1 :])
    values = convert(manipulation.broadcast_to(values, shape), arr.dtype)
    index = where(index < 0, index + size, index)
    index = index.clip(0, size)
    # in order, each one a place further on for every one before it
    order = index.argsort()
    places = index[order] + creation.asarray(np.arange(count, dtype=np.int32))
    total = size + count
    old = creation.ones(total, bool).at[places].set(False)
    [kept] = nonzero(old, size=size)
    lead = (slice(None),) * axis
    out = creation.zeros_like(arr, shape=(*arr.shape[:axis], total, *shape[axis + 1 :]))
    out = out.at[(*lead, kept)].set(arr)
    return out.at[(*lead, places)].set(values[(*lead, order)])


def delete(
    arr: ArrayLike,
    obj: Any,
    axis: int | None = None,
    *,
    assume_unique_indices: bool = False,
) -> Array:
    """The array without the given positions of an axis.

    Args: `obj`, an index, a slice, a vector of indices or a mask known now; `axis`,
    None to flatten the array first; `assume_unique_indices`, a promise that makes
    traced vectors of indices possible.

    >>> import jaxlike.numpy as jnp
    >>> jnp.delete(jnp.arange(4), jnp.array([1, 3])).tolist()
    [0, 2]
    """
    [arr] = to_arrays("delete", arr)
    if axis is None:
        arr, axis = arr.reshape(-1), 0
    axis = canonical_axis(axis, arr.ndim)
    size = arr.shape[axis]
    lead = (slice(None),) * axis
    if isinstance(obj, slice):
        gone = np.arange(size)[obj]
        return _rows(arr, np.delete(np.arange(size, dtype=np.int32), gone), axis)
    check_arraylike("delete", arr, obj)
    [obj] = to_arrays("delete", obj)
    if dtypes.isdtype(obj.dtype, "bool"):
        mask = np.asarray(
            concrete_or_error(None, obj, "the mask of jnp.delete must be known now")
        )
        if mask.shape != (size,):
            raise ValueError(
                format_error(
                    f"delete: a mask must be a vector of {size}, as long as the axis; "
                    f"got {mask.shape}"
                )
            )
        return _rows(arr, np.flatnonzero(~mask).astype(np.int32), axis)
    if obj.size and not dtypes.issubdtype(obj.dtype, np.integer):
        raise ValueError(
            format_error(f"delete: indices must be integers, got {obj.dtype}")
        )
    if obj.ndim == 0:
        if not isinstance(obj, Tracer):
            index = canonical_axis(int(obj), size)
            parts = (
                arr[(*lead, slice(0, index))],
                arr[(*lead, slice(index + 1, None))],
            )
            return concatenate(parts, axis)
        index = where(obj < 0, obj + size, obj).clip(0, size - 1)
        steps = creation.asarray(np.arange(size - 1, dtype=np.int32))
        return arr[(*lead, steps + (steps >= index))]
    if assume_unique_indices:
        flat = obj.reshape(-1)
        index = where(flat < 0, flat + size, flat).clip(0, size)
        keep = creation.ones(size, bool).at[index].set(False, mode="drop")
        [kept] = nonzero(keep, size=size - index.size)
        return arr[(*lead, kept)]
    known = concrete_or_error(
        np.asarray,
        obj,
        "the number of results of delete depends on how many of them differ",
        "assume_unique_indices=True, if all of them do",
    )
    kept = np.delete(np.arange(size, dtype=np.int32), known)
    return _rows(arr, kept, axis)


def trim_zeros(
    filt: ArrayLike, trim: str = "fb", axis: int | Sequence[int] | None = None
) -> Array:
    """The array without the zeros at its ends.

    Args: `trim`, 'f' for the front, 'b' for the back, or both; `axis`, None for all.

    >>> import jaxlike.numpy as jnp
    >>> jnp.trim_zeros(jnp.array([0, 1, 0, 2, 0])).tolist()
    [1, 0, 2]
    """
    check_arraylike("trim_zeros", filt)
    core = np.asarray(
        concrete_or_error(
            None,
            creation.asarray(filt),
            "the length of the result of trim_zeros depends on it",
        )
    )
    [filt] = to_arrays("trim_zeros", filt)
    axes = range(core.ndim) if axis is None else np.atleast_1d(axis)
    axes = [canonical_axis(i, core.ndim) for i in axes]
    window = [slice(None)] * core.ndim
    positions = np.nonzero(core)
    for i in axes:
        found = positions[i]
        if not found.size:
            window[i] = slice(0, 0)
            continue
        first = int(found.min()) if "f" in trim.lower() else 0
        last = int(found.max()) + 1 if "b" in trim.lower() else core.shape[i]
        window[i] = slice(first, last)
    return filt[tuple(window)]
