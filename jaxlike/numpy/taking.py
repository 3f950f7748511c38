"""take and put and their kin: indexing along an axis, as functions.

They rest on gather and scatter, as x[index] (indexing.py) and x.at[index] (at.py) do.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import jaxlike.numpy as jnp
from jaxlike.core import dtypes, errors
from jaxlike.core.array import Array
from jaxlike.core.avals import ShapedArray
from jaxlike.core.errors import format_error
from jaxlike.core.state import state
from jaxlike.core.trace import eval_trace
from jaxlike.numpy.axes import canonical_axis
from jaxlike.numpy.composites import composite_of
from jaxlike.numpy.indexing import wrap_traced
from jaxlike.numpy.promote import ArrayLike, to_arrays
from jaxlike.primitives import shapes
from jaxlike.primitives.broadcasting import broadcast_in_dim

_PROMISE = "promise_in_bounds"


def take(
    a: ArrayLike,
    indices: ArrayLike,
    axis: int | None = None,
    out: None = None,
    mode: str | None = None,
    unique_indices: bool = False,
    indices_are_sorted: bool = False,
    fill_value: Any = None,
) -> Array:
    """The entries of `a` at `indices` along `axis`; None means the flattened array.

    Args:
      mode: what is out of bounds: "fill" (the default; NaN, or for integers the
        least), "clip" or "wrap". Under "clip" negative indices are out of bounds.
      fill_value: what "fill" gives instead.
    Returns: an array of shape `a.shape[:axis] + indices.shape + a.shape[axis + 1:]`.
    Raises: ValueError for other modes, and indices that are not integers.

    >>> import jaxlike.numpy as jnp
    >>> jnp.take(jnp.array([[1, 2], [3, 4]]), jnp.array([1, 0]), axis=1)
    Array([[2, 1],
           [4, 3]], dtype=int32)
    """
    if type(a) is Array and type(indices) is Array and out is None:
        taken = _by_numpy(a, indices, axis, mode)
        if taken is not None:
            return taken
    a, indices = to_arrays("take", a, indices)
    if out is not None:
        raise NotImplementedError(
            format_error("take takes no out", try_="x = jnp.take(...)")
        )
    if axis is None:
        a = jnp.ravel(a)
        axis = 0
    axis = canonical_axis(axis, a.ndim)
    if indices.dtype == np.bool_:
        indices = indices.astype(np.int32)
    if not dtypes.issubdtype(indices.dtype, np.integer):
        raise ValueError(format_error("take: indices must be integers"))
    size = a.shape[axis]
    if size == 0 and indices.size:
        raise IndexError(format_error("take: the axis has no elements"))
    gather_mode = "clip"
    if mode in (None, "fill"):
        gather_mode = "fill"
        indices = _count_from_front(indices, size)
    elif mode == "wrap":
        indices = jnp.mod(indices, size) if size else indices
    elif mode == "raise":
        raise NotImplementedError(
            format_error(
                "take has no mode='raise', as an error cannot depend on values",
                try_="mode='fill'",
            )
        )
    elif mode != "clip":
        raise ValueError(format_error(f"take has no mode {mode!r}"))
    return _take(
        a,
        indices,
        axis,
        mode=gather_mode,
        unique_indices=unique_indices,
        indices_are_sorted=indices_are_sorted,
        fill_value=fill_value,
    )


def _by_numpy(a: Array, indices: Array, axis: Any, mode: Any) -> Array | None:
    """The entries in eager mode where all indices are in bounds, or None."""
    data, where = a._data, indices._data
    if (
        state.trace is not eval_trace
        or mode not in (None, "fill", "clip", "wrap")
        or data is None
        or where is None
        or where.dtype.kind not in "iu"
        or type(axis) not in (int, type(None))
    ):
        return None
    try:
        out = np.take(data, where, axis, mode="clip" if mode == "clip" else "raise")
    except Exception:  # out of bounds, or an error that the general way words
        return None
    return Array(np.asarray(out), ShapedArray(out.shape, a.dtype, a.aval.weak_type))


def _count_from_front(indices: Any, size: int) -> Any:
    if type(indices) is Array and state.trace is eval_trace:
        if not dtypes.issubdtype(indices.dtype, np.signedinteger):
            return indices
        wide = np.int64 if size > 2**31 - 1 else np.int32
        data = indices._data.astype(np.promote_types(indices.dtype, wide), copy=False)
        return jnp.asarray(np.where(data < 0, data + size, data))
    return wrap_traced(indices, size)


def _take(a: Any, indices: Any, axis: int, **options: Any) -> Any:
    from jaxlike.primitives.gather import GatherDimensionNumbers, gather

    shape = (*a.shape[:axis], *indices.shape, *a.shape[axis + 1 :])
    if 0 in shape:
        nothing = a[tuple(slice(0, 0) for _ in a.shape)]
        return shapes.reshape(nothing, shape)
    numbers = GatherDimensionNumbers(
        offset_dims=(*range(axis), *range(axis + indices.ndim, len(shape))),
        collapsed_slice_dims=(axis,),
        start_index_map=(axis,),
    )
    sizes = (*a.shape[:axis], 1, *a.shape[axis + 1 :])
    columns = broadcast_in_dim(indices, (*indices.shape, 1), range(indices.ndim))
    return gather(a, columns, numbers, sizes, **options)


@composite_of(2)
def take_along_axis(
    arr: ArrayLike,
    indices: ArrayLike,
    axis: int | None = -1,
    mode: Any = None,
    fill_value: Any = None,
    *,
    wrap_negative_indices: bool | None = None,
) -> Array:
    """For each line of `arr` along `axis`, the entries at that line of `indices`.

    Args:
      indices: integers; has the rank of `arr`, and the other axes broadcast. With
        axis=None, a vector of positions in the flattened array.
      mode: what is out of bounds: "fill" (the default; NaN, or for integers the
        least), "clip" or "promise_in_bounds".
      fill_value: what "fill" gives instead.
    Raises: TypeError for indices that are not integers, ValueError for another rank.

    >>> import jaxlike.numpy as jnp
    >>> x = jnp.array([[3, 1, 2], [6, 4, 5]])
    >>> jnp.take_along_axis(x, jnp.argsort(x, axis=1), axis=1)
    Array([[1, 2, 3],
           [4, 5, 6]], dtype=int32)
    """
    from jaxlike.primitives.gather import GatherDimensionNumbers, gather

    arr, indices = to_arrays("take_along_axis", arr, indices)
    if not dtypes.issubdtype(indices.dtype, np.integer):
        raise TypeError(
            format_error(
                f"take_along_axis: indices must be integers, got {indices.dtype}"
            )
        )
    if axis is None:
        if indices.ndim != 1:
            raise ValueError(
                format_error(
                    "take_along_axis indices must be 1D if axis=None, got shape "
                    f"{indices.shape}"
                )
            )
        return take_along_axis(
            jnp.ravel(arr),
            indices,
            0,
            mode,
            fill_value,
            wrap_negative_indices=wrap_negative_indices,
        )
    if arr.ndim != indices.ndim:
        raise ValueError(
            format_error(
                f"take_along_axis: indices have {indices.ndim} axes, the array "
                f"{arr.ndim}"
            )
        )
    axis = canonical_axis(axis, arr.ndim)
    size = arr.shape[axis]
    if wrap_negative_indices is None:
        wrap_negative_indices = str(mode).rpartition(".")[2].lower() != _PROMISE
    if wrap_negative_indices:
        indices = _count_from_front(indices, size)
    # axes walked together are batching axes; stretched ones are not walked at all
    lines = _other_shape(arr.shape, indices.shape, axis)
    shape = (*lines[:axis], indices.shape[axis], *lines[axis:])
    if 0 in shape:
        nothing = arr[tuple(slice(0, 0) for _ in arr.shape)]
        return shapes.reshape(nothing, shape)
    if size == 0:
        raise IndexError(
            format_error(f"take_along_axis: axis {axis} of {arr.aval} has no elements")
        )
    others = [i for i in range(arr.ndim) if i != axis]
    together = [i for i in others if arr.shape[i] != 1 and indices.shape[i] != 1]
    whole = [i for i in others if arr.shape[i] != 1 and indices.shape[i] == 1]
    walked = [i for i in range(arr.ndim) if i not in whole]
    indices = shapes.reshape(indices, (*(indices.shape[i] for i in walked), 1))
    numbers = GatherDimensionNumbers(
        offset_dims=tuple(whole),
        collapsed_slice_dims=tuple(
            i for i in range(arr.ndim) if i not in whole and i not in together
        ),
        start_index_map=(axis,),
        operand_batching_dims=tuple(together),
        start_indices_batching_dims=tuple(walked.index(i) for i in together),
    )
    sizes = tuple(arr.shape[i] if i in whole else 1 for i in range(arr.ndim))
    return gather(
        arr,
        indices,
        numbers,
        sizes,
        mode="fill" if mode is None else mode,
        fill_value=fill_value,
    )


def _other_shape(
    shape: tuple[int, ...], indices: tuple[int, ...], axis: int
) -> tuple[int, ...]:
    """The shape that the axes other than `axis` broadcast to."""
    pair = [(*s[:axis], *s[axis + 1 :]) for s in (shape, indices)]
    try:
        return np.broadcast_shapes(*pair)
    except ValueError:
        raise ValueError(
            format_error(
                "Incompatible shapes for broadcasting: take_along_axis got an array "
                f"of shape {shape} and indices of shape {indices}, with axis={axis}"
            )
        ) from None


# --- their inverses, which return updated copies


def put(
    a: ArrayLike,
    ind: ArrayLike,
    v: ArrayLike,
    mode: str | None = None,
    *,
    inplace: bool = True,
) -> Array:
    """`a` with the values `v` at the positions `ind` of the flattened array.

    Args:
      v: repeated or cut to the number of positions.
      mode: for positions out of bounds, "clip" (the default) or "wrap".
      inplace: must be False, since arrays never change.
    Raises: ValueError if `inplace`, and for other modes.

    >>> import jaxlike.numpy as jnp
    >>> jnp.put(jnp.zeros(4), jnp.array([0, 2]), 1.0, inplace=False)
    Array([1., 0., 1., 0.], dtype=float32)
    """
    if inplace:
        raise ValueError(_not_in_place("put"))
    arr, ind, v = to_arrays("put", a, ind, v)
    ind, v = jnp.ravel(ind), jnp.ravel(v)
    if not arr.size or not ind.size or not v.size:
        return arr
    if mode == "clip":
        ind = jnp.clip(ind, 0, arr.size - 1)
    elif mode == "wrap":
        ind = jnp.mod(ind, arr.size)
    elif mode == "raise":
        raise NotImplementedError(
            format_error(
                "put has no mode='raise', as an error cannot depend on values",
                try_="mode='clip'",
            )
        )
    elif mode is not None:
        raise ValueError(format_error(f"put: mode is 'wrap' or 'clip', got {mode!r}"))
    flat = jnp.ravel(arr).at[ind].set(jnp.resize(v, ind.shape), mode="drop")
    return shapes.reshape(flat, arr.shape)


def put_along_axis(
    arr: ArrayLike,
    indices: ArrayLike,
    values: ArrayLike,
    axis: int | None,
    inplace: bool = True,
    *,
    mode: Any = None,
) -> Array:
    """`arr` with `values` at the places that `take_along_axis` would read.

    Args:
      values: broadcast to the shape of `indices`.
      inplace: must be False, since arrays never change.
      mode: for indices out of bounds, "drop" (the default) or "clip".
    Raises: ValueError if `inplace`, and for indices of another rank.

    >>> import jaxlike.numpy as jnp
    >>> ones = jnp.array([[0], [1]])
    >>> jnp.put_along_axis(jnp.zeros((2, 2)), ones, 1.0, axis=1, inplace=False)
    Array([[1., 0.],
           [0., 1.]], dtype=float32)
    """
    if inplace:
        raise ValueError(_not_in_place("put_along_axis"))
    arr, indices, values = to_arrays("put_along_axis", arr, indices, values)
    if not dtypes.issubdtype(indices.dtype, np.integer):
        raise TypeError(
            format_error(
                f"put_along_axis: indices must be integers, got {indices.dtype}"
            )
        )
    original = arr.shape
    if axis is None:
        arr = jnp.ravel(arr)
        axis = 0
    if arr.ndim != indices.ndim:
        raise ValueError(
            format_error(
                f"put_along_axis: indices have {indices.ndim} axes, the array "
                f"{arr.ndim}"
            )
        )
    axis = canonical_axis(axis, arr.ndim)
    lines = _other_shape(arr.shape, indices.shape, axis)
    index = [
        np.arange(n).reshape((-1,) + (1,) * (len(lines) - i))
        for i, n in enumerate((*lines[:axis], 1, *lines[axis:]))
    ]
    index[axis] = indices
    out = arr.at[tuple(index)].set(values, mode=mode)
    return shapes.reshape(out, original)


def place(
    arr: ArrayLike, mask: ArrayLike, vals: ArrayLike, *, inplace: bool = True
) -> Array:
    """`arr` with the elements where `mask` holds replaced by `vals`, one after another.

    Args:
      mask: of the size of `arr`.
      vals: repeated as often as needed.
      inplace: must be False, since arrays never change.
    Raises: ValueError if `inplace`, if sizes differ, or if `vals` is empty.

    >>> import jaxlike.numpy as jnp
    >>> x = jnp.arange(5)
    >>> jnp.place(x, x > 1, jnp.array([7, 8]), inplace=False)
    Array([0, 1, 7, 8, 7], dtype=int32)
    """
    if inplace:
        raise ValueError(_not_in_place("place"))
    arr, mask, vals = to_arrays("place", arr, mask, vals)
    vals = jnp.ravel(vals)
    if arr.size != mask.size:
        raise ValueError(
            format_error(
                f"place: mask {mask.shape} and array {arr.shape} differ in size"
            )
        )
    if not vals.size:
        raise ValueError(format_error("place: there are no values"))
    if not arr.size:
        return arr
    flat = jnp.ravel(arr)
    positions = jnp.nonzero(jnp.ravel(mask), size=arr.size, fill_value=arr.size)[0]
    out = flat.at[positions].set(jnp.resize(vals, positions.shape), mode="drop")
    return shapes.reshape(out, arr.shape)


def fill_diagonal(
    a: ArrayLike, val: ArrayLike, wrap: bool = False, *, inplace: bool = True
) -> Array:
    """`a` with `val` on its main diagonal, the elements whose indices are all equal.

    Args:
      a: a matrix, or an array of more axes that are all of one size.
      val: repeated or cut to the length of the diagonal.
      inplace: must be False, since arrays never change.

    >>> import jaxlike.numpy as jnp
    >>> jnp.fill_diagonal(jnp.zeros((2, 3)), 5.0, inplace=False)
    Array([[5., 0., 0.],
           [0., 5., 0.]], dtype=float32)
    """
    if inplace:
        raise NotImplementedError(
            format_error(
                "fill_diagonal cannot change an Array in place",
                try_="inplace=False, which returns the result",
            )
        )
    if wrap:
        raise NotImplementedError(format_error("fill_diagonal has no wrap=True"))
    a, val = to_arrays("fill_diagonal", a, val)
    if a.ndim < 2:
        raise ValueError(
            format_error(f"fill_diagonal takes at least 2 axes, got shape {a.shape}")
        )
    if a.ndim > 2 and len(set(a.shape)) > 1:
        raise ValueError(
            format_error(f"fill_diagonal takes axes of one length, got {a.shape}")
        )
    n = min(a.shape)
    index = (np.arange(n),) * a.ndim
    values = jnp.resize(jnp.ravel(val), (n,)) if val.ndim else val
    return a.at[index].set(values)


def _not_in_place(name: str) -> str:
    return errors.format_error(
        f"jaxlike.numpy.{name} cannot modify arrays in-place, because arrays are "
        "immutable",
        try_=f"x = jnp.{name}(x, ..., inplace=False)",
    )
