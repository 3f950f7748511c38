"""x[index]: taking parts of an array, in every form that NumPy has.

Static scalars and slices become slice, rev and squeeze; one traced position a
dynamic_slice; arrays of positions a gather. Concrete arrays are indexed by NumPy itself
where its rules are the same. indexers.py reads the index, at.py is the way back.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import EllipsisType
from typing import Any

import numpy as np

from jaxlike.core import dtypes
from jaxlike.core.array import Array
from jaxlike.core.avals import ShapedArray
from jaxlike.core.errors import format_error
from jaxlike.core.source_info import filter_traceback
from jaxlike.core.state import state
from jaxlike.core.trace import Tracer, eval_trace
from jaxlike.numpy.indexers import Indexer, New, Pick, Span, parse
from jaxlike.primitives import arithmetic, comparison, conversion, selection, shapes
from jaxlike.primitives.broadcasting import broadcast_in_dim
from jaxlike.primitives.dynamic_slicing import dynamic_slice_p
from jaxlike.primitives.joining import concatenate
from jaxlike.primitives.slicing import slice as lax_slice

_BASIC_TYPES = frozenset((int, slice, type(None), EllipsisType))


def getitem(x: Any, index: Any) -> Any:
    """x[index] for an array or a tracer.

    Positions out of bounds are clamped into the axis.
    Raises: IndexError, TypeError as `indexers.parse`.

    >>> import jaxlike.numpy as jnp
    >>> jnp.arange(5)[jnp.array([0, -1, 9])]
    Array([0, 4, 4], dtype=int32)
    """
    if type(x) is Array:
        out = _by_numpy(x, index)
        if out is not None:
            return out
    try:
        return take_index(x, index)
    except Exception as error:
        filter_traceback(error)
        raise


# --- eager mode


def _by_numpy(x: Array, index: Any) -> Array | None:
    """The result by NumPy's own indexing, or None where the general way is needed."""
    kind = type(index)
    aval = x.aval
    try:
        if kind is int:
            out = x._data[index, ...]  # the Ellipsis keeps scalars 0-d arrays
        elif kind is slice:
            out = x._data[index]
        elif kind is tuple and _BASIC_TYPES.issuperset(map(type, index)):
            out = x._data[index if Ellipsis in index else (*index, ...)]
        elif state.trace is eval_trace:
            parts = numpy_index(index)
            if parts is None:
                return None
            out = x._data[parts]
        else:
            return None
    except Exception:  # out of bounds, or an error that the general way words
        return None
    return Array(out, ShapedArray(out.shape, aval.dtype, aval.weak_type))


def numpy_index(index: Any) -> tuple | None:
    """The index as NumPy takes it, in a tuple with an Ellipsis; None if it cannot."""
    parts = index if type(index) is tuple else (index,)
    out: list[Any] = []
    full = False
    for part in parts:
        kind = type(part)
        if kind is Array:
            part = part._data
            if part.dtype.kind not in "iub":
                return None
            out.append(part if part.ndim or part.dtype.kind == "b" else int(part))
        elif kind is np.ndarray:
            if part.dtype.kind not in "iub":
                return None
            out.append(part if part.ndim or part.dtype.kind == "b" else int(part))
        elif kind in _BASIC_TYPES or kind is bool:
            full = full or part is Ellipsis
            out.append(part)
        elif isinstance(part, (np.integer, np.bool_)):
            out.append(part)
        else:
            return None
    if not full:
        out.append(Ellipsis)
    return tuple(out)


# --- the general way


def take_index(
    x: Any,
    index: Any,
    *,
    indices_are_sorted: bool = False,
    unique_indices: bool = False,
    mode: Any = None,
    fill_value: Any = None,
    wrap_negative_indices: bool = True,
) -> Any:
    """x[index] by primitives. For `mode` and the rest see `x.at[index].get`."""
    from jaxlike.primitives.gather import GatherScatterMode

    mode = (
        GatherScatterMode.PROMISE_IN_BOUNDS
        if mode is None
        else GatherScatterMode.from_any(mode)
    )
    indexer = parse(index, x.shape)
    x = add_axes(x, indexer)
    fills = mode == GatherScatterMode.FILL_OR_DROP
    in_bounds = resolve(indexer, wrap_negative_indices, clamp=not fills)
    if not indexer.is_basic:
        return _gather(
            x,
            indexer,
            mode,
            fill_value,
            indices_are_sorted=indices_are_sorted,
            unique_indices=unique_indices,
        )
    if fills and not in_bounds:
        return _gather(
            x,
            indexer,
            mode,
            fill_value,
            indices_are_sorted=True,
            unique_indices=True,
        )
    return _basic(x, indexer)


def add_axes(x: Any, indexer: Indexer) -> Any:
    """`x` with the axes of size 1 that scalar booleans take elements from."""
    if not indexer.added:
        return x
    return broadcast_in_dim(
        x,
        indexer.shape,
        tuple(i for i in range(len(indexer.shape)) if i not in indexer.added),
    )


def resolve(indexer: Indexer, wrap: bool, clamp: bool) -> bool:
    """Count all positions from the front of their axes, in place.

    Static positions out of bounds are clamped, or moved to -1 or the axis' size.
    Returns: whether every position is known to be in bounds.
    """
    known = indexer.is_static
    for span in indexer.spans:
        if isinstance(span.start, Tracer) and wrap:
            span.start = wrap_traced(span.start, indexer.shape[span.axis])
    for pick in indexer.picks:
        size, value = indexer.shape[pick.axis], pick.value
        if size == 0 and np.prod(pick.shape, dtype=int):
            raise IndexError(format_error(f"axis {pick.axis} has no elements to index"))
        if isinstance(value, Tracer):
            pick.value = wrap_traced(value, size) if wrap else as_index(value)
        elif isinstance(value, int):
            value = value + size if value < 0 and wrap else value
            known = known and 0 <= value < size
            lowest, highest = (0, size - 1) if clamp else (-1, size)
            pick.value = min(max(value, lowest), highest)
        else:
            value = value.astype(np.int64)
            if wrap:
                value = np.where(value < 0, value + size, value)
            known = known and bool(((value >= 0) & (value < size)).all())
            pick.value = value.clip(*((0, max(size - 1, 0)) if clamp else (-1, size)))
    return known


def as_index(value: Any) -> Any:
    """A traced integer array as int32; int64 stays."""
    dtype = value.dtype
    if dtype == np.int32 or dtype == np.int64:
        target = dtype
    else:
        target = np.dtype(np.int64 if dtype == np.uint64 else np.int32)
    return conversion.convert_element_type(value, target)


def wrap_traced(value: Any, size: int) -> Any:
    """Positions counted from the front, of an axis of this size."""
    signed = dtypes.issubdtype(value.dtype, np.signedinteger)
    value = as_index(value)
    if not signed:
        return value
    zero, n = np.zeros((), value.dtype), np.array(size, value.dtype)
    return selection.select_n(
        comparison.lt(value, zero), value, arithmetic.add(value, n)
    )


def _basic(x: Any, indexer: Indexer) -> Any:
    """Scalars, slices and new axes: slice or dynamic_slice, rev, squeeze, expand."""
    shape = indexer.shape
    starts: list[Any] = [0] * len(shape)
    sizes, steps = list(shape), [1] * len(shape)
    for part in indexer.parts:
        if type(part) is Pick:
            starts[part.axis], sizes[part.axis] = part.value, 1
        elif type(part) is Span:
            starts[part.axis], sizes[part.axis] = part.start, part.size
            steps[part.axis] = part.step
    if not indexer.is_static:
        x = _dynamic(x, starts, sizes, steps)
        # what is left to do is to take every step-th element
        starts = [start if step != 1 else 0 for start, step in zip(starts, steps)]
    limits = [
        start + (size - 1) * step + 1 if size else start
        for start, size, step in zip(starts, sizes, steps)
    ]
    if tuple(limits) != x.shape or any(starts) or any(s != 1 for s in steps):
        strided = any(s != 1 for s in steps)
        x = lax_slice(x, starts, limits, steps if strided else None)
    reverse = tuple(s.axis for s in indexer.spans if s.reversed)
    if reverse:
        x = shapes.rev(x, reverse)
    picked = tuple(p.axis for p in indexer.picks)
    if picked:
        x = shapes.squeeze(x, picked)
    return expand(x, indexer.layout())


def _dynamic(x: Any, starts: list, sizes: list, steps: list) -> Any:
    """dynamic_slice of the axes that are not strided; those stay whole."""
    wide = any(isinstance(s, Tracer) and s.dtype == np.int64 for s in starts)
    dtype = np.dtype(np.int64 if wide else np.int32)
    operands, taken = [], []
    for start, size, step, n in zip(starts, sizes, steps, x.shape):
        if isinstance(start, Tracer):
            operands.append(conversion.convert_element_type(start, dtype))
        else:
            operands.append(np.array(start if step == 1 else 0, dtype))
        taken.append(size if step == 1 else n)
    return dynamic_slice_p.bind(x, *operands, slice_sizes=tuple(taken))


def expand(x: Any, layout: Sequence[Any]) -> Any:
    """`x` with the new axes of the layout."""
    if not any(type(part) is New for part in layout):
        return x
    sizes = list(x.shape)
    picks_rank = len(sizes) - sum(type(part) is Span for part in layout)
    dims: list[int] = []
    shape: list[int] = []
    for part in layout:
        if type(part) is New:
            shape.append(1)
            continue
        for _ in range(picks_rank if part == "picks" else 1):
            dims.append(len(shape))
            shape.append(sizes.pop(0))
    return broadcast_in_dim(x, tuple(shape), tuple(dims))


def _gather(
    x: Any, indexer: Indexer, mode: Any, fill_value: Any, **promises: bool
) -> Any:
    """Arrays of positions, with slices of the other axes."""
    from jaxlike.primitives.gather import GatherDimensionNumbers, gather

    x = _take_strided(x, indexer)
    layout = indexer.layout()
    batch = indexer.picks_shape()
    result_shape = tuple(
        n
        for part in layout
        if type(part) is not New
        for n in (batch if part == "picks" else (part.size,))
    )
    if 0 in result_shape:
        nothing = lax_slice(x, [0] * x.ndim, [0] * x.ndim)
        return expand(shapes.reshape(nothing, result_shape), layout)
    columns: list[tuple[int, Any]] = [(p.axis, p.value) for p in indexer.picks]
    columns += [
        (s.axis, s.start)
        for s in indexer.spans
        if isinstance(s.start, Tracer) or s.size != x.shape[s.axis]
    ]
    sizes = [1] * x.ndim
    offsets, reverse, axis = [], [], 0
    for part in layout:
        if part == "picks":
            axis += len(batch)
        elif type(part) is Span:
            sizes[part.axis] = part.size
            offsets.append(axis)
            if part.reversed:
                reverse.append(axis)
            axis += 1
    numbers = GatherDimensionNumbers(
        offset_dims=tuple(offsets),
        collapsed_slice_dims=tuple(sorted(p.axis for p in indexer.picks)),
        start_index_map=tuple(axis for axis, _ in columns),
    )
    out = gather(
        x,
        stack_columns([value for _, value in columns], batch),
        numbers,
        tuple(sizes),
        mode=mode,
        fill_value=fill_value,
        **promises,
    )
    if reverse:
        out = shapes.rev(out, tuple(reverse))
    return expand(out, layout)


def _take_strided(x: Any, indexer: Indexer) -> Any:
    """Take the slices with steps first: what is left of them are whole axes."""
    starts, limits, steps = [0] * x.ndim, list(x.shape), [1] * x.ndim
    strided = [s for s in indexer.spans if s.step != 1]
    for span in strided:
        starts[span.axis], steps[span.axis] = span.start, span.step
        limits[span.axis] = span.start + (span.size - 1) * span.step + 1
        span.start, span.step = 0, 1
    return lax_slice(x, starts, limits, steps) if strided else x


def stack_columns(columns: Sequence[Any], batch: tuple[int, ...]) -> Any:
    """Positions, one column an axis, as one array of shape (*batch, len(columns))."""
    if not any(isinstance(c, Tracer) for c in columns):
        wide = any(np.max(c, initial=0) > 2**31 - 1 for c in columns)
        out = np.empty((*batch, len(columns)), np.int64 if wide else np.int32)
        for i, column in enumerate(columns):
            out[..., i] = column
        return out
    wide = any(isinstance(c, Tracer) and c.dtype == np.int64 for c in columns)
    dtype = np.dtype(np.int64 if wide else np.int32)
    spread = []
    for column in columns:
        if isinstance(column, Tracer):
            column = conversion.convert_element_type(column, dtype)
        else:
            column = np.asarray(column, dtype)
        ndim = column.ndim
        missing = len(batch) - ndim
        if column.shape != batch[missing:]:  # size-1 axes stretch
            kept = [i for i, n in enumerate(column.shape) if n != 1]
            column = shapes.reshape(column, tuple(column.shape[i] for i in kept))
        else:
            kept = list(range(ndim))
        dims = tuple(missing + i for i in kept)
        spread.append(broadcast_in_dim(column, (*batch, 1), dims))
    return spread[0] if len(spread) == 1 else concatenate(spread, len(batch))
