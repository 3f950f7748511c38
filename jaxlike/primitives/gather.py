"""gather: windows of an array read at many places, which indices give.

out[b, w] = operand[start(indices[b]) + w]. indexing_numbers.py explains the axes,
windows_plan.py does it by NumPy, scatter.py is its transpose.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from jaxlike.core import dtypes
from jaxlike.core.array import Array
from jaxlike.core.avals import ShapedArray, get_aval
from jaxlike.core.errors import format_error
from jaxlike.core.primitive import Primitive
from jaxlike.core.zeros import Zero
from jaxlike.primitives.axes import canonical_axis, canonical_ints
from jaxlike.primitives.indexing_numbers import (
    GatherDimensionNumbers,
    GatherScatterMode,
    as_scatter,
    canonical_numbers,
    check_numbers,
)
from jaxlike.primitives.linear import zeros_of
from jaxlike.primitives.rules import dtype_kind
from jaxlike.primitives.shapes import expand_dims, moveaxis
from jaxlike.primitives.windows_plan import plan

__all__ = [
    "GatherDimensionNumbers",
    "GatherScatterMode",
    "gather",
    "gather_p",
    "index_take",
]

gather_p = Primitive("gather")


def check_indices(indices) -> None:
    if dtype_kind(indices.dtype) != "integer":
        raise ValueError(format_error(f"gather takes integer indices, got {indices}"))


def _gather_shape(
    operand,
    indices,
    *,
    dimension_numbers,
    slice_sizes,
    indices_are_sorted,
    unique_indices,
    mode,
    fill_value,
):
    check_indices(indices)
    window, collapsed, _, op_batch, _ = dimension_numbers
    rank = len(window) + indices.ndim - 1
    if len(slice_sizes) != operand.ndim:
        _fail(f"slice_sizes {slice_sizes} needs one size for each axis of {operand}")
    check_numbers("gather", dimension_numbers, operand, indices, rank)
    for axis, (m, n) in enumerate(zip(slice_sizes, operand.shape)):
        if not 0 <= m <= n:
            _fail(f"slice size {m} of axis {axis} must be in [0, {n}] for {operand}")
        if m > 1 and (axis in collapsed or axis in op_batch):
            _fail(
                f"axis {axis} is collapsed or batched, so its slice size is 1, not {m}"
            )
    inside = [
        m for i, m in enumerate(slice_sizes) if i not in collapsed and i not in op_batch
    ]
    shape, outside = [0] * rank, iter(indices.shape[:-1])
    for axis, m in zip(window, inside):
        shape[axis] = m
    for axis in range(rank):
        if axis not in window:
            shape[axis] = next(outside)
    return ShapedArray(tuple(shape), operand.dtype, operand.weak_type)


def _fail(message: str):
    raise TypeError(format_error(f"gather: {message}"))


def default_fill(dtype) -> Any:
    """What fills windows out of bounds, by storage dtype: NaN, extreme integers."""
    if dtype.names is not None:  # keys: all bits set
        return np.frombuffer(b"\xff" * dtype.itemsize, dtype)[0]
    kind = dtype_kind(dtype)
    if kind == "bool":
        return np.True_
    if kind == "integer":
        info = dtypes.iinfo(dtype)
        signed = dtypes.issubdtype(dtype, np.signedinteger)
        return np.asarray(int(info.min if signed else info.max)).astype(dtype)[()]
    return np.asarray(np.nan).astype(dtype)[()]


def _gather_evaluate(
    operand,
    indices,
    *,
    dimension_numbers,
    slice_sizes,
    indices_are_sorted,
    unique_indices,
    mode,
    fill_value,
):
    p = plan(operand.shape, indices.shape, dimension_numbers, slice_sizes)
    columns, valid = p.starts(indices, mode)
    taken = np.asarray(p.take(operand, columns))
    if valid is not None and mode is not GatherScatterMode.PROMISE_IN_BOUNDS:
        if mode is GatherScatterMode.ONE_HOT:
            fill_value = 0
        if fill_value is None:
            taken[~valid] = default_fill(operand.dtype)
        else:
            taken[~valid] = np.asarray(fill_value).astype(operand.dtype)
    return p.home(taken)


def _gather_jvp(primals, tangents, **params):
    operand, indices = primals
    out = gather_p.bind(operand, indices, **params)
    if type(tangents[0]) is Zero:
        return out, Zero(get_aval(out).to_tangent_aval())
    if params["mode"] is GatherScatterMode.FILL_OR_DROP:
        params = {**params, "fill_value": 0}
    return out, gather_p.bind(tangents[0], indices, **params)


def _gather_transpose(
    ct,
    operand,
    indices,
    *,
    dimension_numbers,
    slice_sizes,
    indices_are_sorted,
    unique_indices,
    mode,
    fill_value,
):
    if type(ct) is Zero:
        return [Zero(operand.aval), None]
    from jaxlike.primitives.scatter import scatter_add

    total = scatter_add(
        zeros_of(operand.aval),
        indices,
        ct,
        as_scatter(dimension_numbers),
        indices_are_sorted=indices_are_sorted,
        unique_indices=unique_indices,
        mode=mode,
    )
    return [total, None]


def _up(dims) -> tuple[int, ...]:
    return tuple([d + 1 for d in dims])


def _gather_batch(axis_data, args, dims, *, dimension_numbers, slice_sizes, **params):
    (operand, indices), (op_dim, idx_dim) = args, dims
    window, collapsed, index_map, op_batch, idx_batch = dimension_numbers
    if op_dim is not None:
        operand = moveaxis(operand, op_dim, 0)
        collapsed, index_map, op_batch = map(_up, (collapsed, index_map, op_batch))
    if idx_dim is not None:
        indices = moveaxis(indices, idx_dim, 0)
        idx_batch = _up(idx_batch)
    window = _up(window)
    if op_dim is not None and idx_dim is not None:
        op_batch, idx_batch = (0, *op_batch), (0, *idx_batch)
        slice_sizes = (1, *slice_sizes)
    elif op_dim is not None:
        window = (0, *window)
        slice_sizes = (axis_data.size, *slice_sizes)
    # indices that were sorted or unique are so for each entry of the batch alone
    if idx_dim is not None and op_dim is None:
        params = {**params, "indices_are_sorted": False, "unique_indices": False}
    numbers = GatherDimensionNumbers(window, collapsed, index_map, op_batch, idx_batch)
    out = gather_p.bind(
        operand,
        indices,
        dimension_numbers=numbers,
        slice_sizes=slice_sizes,
        **params,
    )
    return out, 0


gather_p.shape = _gather_shape
gather_p.evaluate = _gather_evaluate
gather_p.jvp = _gather_jvp
gather_p.transpose = _gather_transpose
gather_p.batch = _gather_batch


def gather(
    operand: Any,
    start_indices: Any,
    dimension_numbers: GatherDimensionNumbers,
    slice_sizes: Sequence[int],
    *,
    unique_indices: bool = False,
    indices_are_sorted: bool = False,
    mode: str | GatherScatterMode | None = None,
    fill_value: Any = None,
) -> Any:
    """Read windows of an array at the places that index vectors give.

    Args: `start_indices`, ints [..., c] whose last axis holds index vectors;
    `dimension_numbers`, what each axis does; `slice_sizes`, the window, one size for
    each axis of the operand; `mode`, what happens out of bounds ("clip", "fill",
    "promise_in_bounds", the default); `fill_value` for "fill".
    Raises: TypeError if shapes and numbers do not fit, ValueError for float indices.

    >>> from jaxlike import lax
    >>> rows = lax.GatherDimensionNumbers((1,), (0,), (0,))
    >>> x = np.arange(6).reshape(3, 2)
    >>> lax.gather(x, np.array([[2], [0]]), rows, (1, 2)).tolist()
    [[4, 5], [0, 1]]
    """
    if mode is None:
        mode = GatherScatterMode.PROMISE_IN_BOUNDS
    mode = GatherScatterMode.from_any(mode)
    if mode is not GatherScatterMode.FILL_OR_DROP:
        fill_value = None
    elif isinstance(fill_value, (Array, np.ndarray)):
        fill_value = np.asarray(fill_value).item()
    return gather_p.bind(
        operand,
        start_indices,
        dimension_numbers=canonical_numbers(dimension_numbers),
        slice_sizes=canonical_ints(slice_sizes, "gather: slice_sizes"),
        indices_are_sorted=bool(indices_are_sorted),
        unique_indices=bool(unique_indices),
        mode=mode,
        fill_value=fill_value,
    )


def take_along(x: Any, indices: Any, axis: int) -> Any:
    """x[..., indices[..., i, ...], ...]: one element a line, `indices` in bounds."""
    rank = get_aval(x).ndim
    others = tuple(i for i in range(rank) if i != axis)
    numbers = GatherDimensionNumbers((), (axis,), (axis,), others, others)
    return gather(
        x, expand_dims(indices, (rank,)), numbers, (1,) * rank, unique_indices=True
    )


def index_take(src: Any, idxs: Sequence[Any], axes: Sequence[int]) -> Any:
    """Entries of `src` at integer arrays along some axes; indices wrap around.

    Args: `idxs`, one 1-d array for each of `axes`, all of one length n.
    Returns: [n, ...] with the remaining axes.

    >>> from jaxlike import lax
    >>> lax.index_take(np.arange(6).reshape(3, 2), (np.array([-1]),), (0,)).tolist()
    [[4, 5]]
    """
    from jaxlike.primitives.arithmetic import add, rem
    from jaxlike.primitives.comparison import lt
    from jaxlike.primitives.joining import concatenate
    from jaxlike.primitives.selection import select_n

    shape = get_aval(src).shape
    axes = tuple([canonical_axis(a, len(shape)) for a in axes])
    columns = []
    for index, axis in zip(idxs, axes, strict=True):
        n = np.asarray(shape[axis]).astype(get_aval(index).dtype)
        index = rem(index, n)
        index = select_n(lt(index, np.zeros((), n.dtype)), index, add(index, n))
        columns.append(expand_dims(index, (1,)))
    indices = concatenate(columns, 1)
    sizes = tuple([1 if a in axes else n for a, n in enumerate(shape)])
    numbers = GatherDimensionNumbers(
        offset_dims=tuple(range(1, len(shape) - len(axes) + 1)),
        collapsed_slice_dims=tuple(sorted(axes)),
        start_index_map=axes,
    )
    return gather(src, indices, numbers, sizes)
