"""Parts of arrays at one place: slice, dynamic_slice and dynamic_update_slice.

Here are those with static bounds; dynamic_slicing.py has the dynamic ones, whose names
this file gives out too. gather.py and scatter.py work at many places at once.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from jaxlike.core.avals import ShapedArray, get_aval
from jaxlike.core.errors import format_error
from jaxlike.core.primitive import Primitive
from jaxlike.core.zeros import Zero
from jaxlike.primitives.axes import canonical_ints, index_axis, owned
from jaxlike.primitives.dynamic_slicing import (
    dynamic_index_in_dim,
    dynamic_slice,
    dynamic_slice_in_dim,
    dynamic_slice_p,
    dynamic_update_index_in_dim,
    dynamic_update_slice,
    dynamic_update_slice_in_dim,
    dynamic_update_slice_p,
)
from jaxlike.primitives.rules import deflinear
from jaxlike.primitives.shapes import squeeze

__all__ = [
    "dynamic_index_in_dim",
    "dynamic_slice",
    "dynamic_slice_in_dim",
    "dynamic_slice_p",
    "dynamic_update_index_in_dim",
    "dynamic_update_slice",
    "dynamic_update_slice_in_dim",
    "dynamic_update_slice_p",
    "index_in_dim",
    "slice",
    "slice_in_dim",
    "slice_p",
]

_slice = slice  # the builtin, which lax.slice hides below

# --- slice: out[i] = operand[start + stride * i]

slice_p = Primitive("slice")


def _slice_shape(operand, *, start_indices, limit_indices, strides):
    shape, rank = operand.shape, operand.ndim
    steps = (1,) * rank if strides is None else strides
    if not len(start_indices) == len(limit_indices) == len(steps) == rank:
        raise TypeError(
            format_error(
                f"slice of {operand} needs one start, limit and stride for each axis, "
                f"got {start_indices}, {limit_indices} and {strides}"
            )
        )
    for axis, (n, start, limit, step) in enumerate(
        zip(shape, start_indices, limit_indices, steps)
    ):
        if not 0 <= start <= limit <= n or step <= 0:
            raise TypeError(
                format_error(
                    f"slice of {operand}: starts {start_indices}, limits "
                    f"{limit_indices} and strides {strides} do not fit",
                    details=[
                        f"axis {axis}: needs 0 <= {start} <= {limit} <= {n} and a "
                        f"positive stride, got {step}"
                    ],
                    try_="x[start:limit:stride], which clips and counts from the end",
                )
            )
    out = tuple(
        [-(-(m - s) // k) for s, m, k in zip(start_indices, limit_indices, steps)]
    )
    return ShapedArray(out, operand.dtype, operand.weak_type)


def _slice_evaluate(operand, *, start_indices, limit_indices, strides):
    if strides is None:
        return operand[tuple(map(_slice, start_indices, limit_indices))]
    return operand[tuple(map(_slice, start_indices, limit_indices, strides))]


def _slice_transpose(ct, operand, *, start_indices, limit_indices, strides):
    aval = operand.aval
    if type(ct) is Zero:
        return [Zero(aval)]
    from jaxlike.primitives.joining import pad

    steps = (1,) * aval.ndim if strides is None else strides
    config = []
    for n, start, step, got in zip(
        aval.shape, start_indices, steps, get_aval(ct).shape
    ):
        covered = (got - 1) * step + 1 if got else 0
        config.append((start, n - start - covered, step - 1))
    return [pad(ct, np.zeros((), aval.dtype), config)]


def _slice_batch(axis_data, args, dims, *, start_indices, limit_indices, strides):
    (x,), (d,) = args, dims
    size = get_aval(x).shape[d]

    def insert(values, value):
        return (*values[:d], value, *values[d:])

    out = slice_p.bind(
        x,
        start_indices=insert(start_indices, 0),
        limit_indices=insert(limit_indices, size),
        strides=None if strides is None else insert(strides, 1),
    )
    return out, d


slice_p.shape = _slice_shape
slice_p.evaluate = _slice_evaluate
deflinear(slice_p, _slice_transpose)
slice_p.batch = _slice_batch


def slice(
    operand: Any,
    start_indices: Sequence[int],
    limit_indices: Sequence[int],
    strides: Sequence[int] | None = None,
) -> Any:
    """The part operand[start:limit:stride, ...], with static bounds for each axis.

    Raises: TypeError unless 0 <= start <= limit <= size on each axis.

    >>> from jaxlike import lax
    >>> lax.slice(np.arange(6), (1,), (5,), (2,)).tolist()
    [1, 3]
    """
    return slice_p.bind(
        owned(operand),
        start_indices=canonical_ints(start_indices, "slice: start_indices"),
        limit_indices=canonical_ints(limit_indices, "slice: limit_indices"),
        strides=None if strides is None else canonical_ints(strides, "slice: strides"),
    )


def slice_in_dim(
    operand: Any,
    start_index: int | None,
    limit_index: int | None,
    stride: int = 1,
    axis: int = 0,
) -> Any:
    """`slice` along one axis; bounds may count from the end, or be None.

    >>> from jaxlike import lax
    >>> lax.slice_in_dim(np.arange(6), -3, None).tolist()
    [3, 4, 5]
    """
    shape = get_aval(operand).shape
    axis = index_axis(axis, len(shape))
    size = shape[axis]
    start = 0 if start_index is None else operator.index(start_index)
    limit = size if limit_index is None else operator.index(limit_index)
    starts, limits, strides = [0] * len(shape), list(shape), [1] * len(shape)
    starts[axis] = start + size if start < 0 else start
    limits[axis] = limit + size if limit < 0 else limit
    strides[axis] = operator.index(stride)
    return slice(operand, starts, limits, strides)


def index_in_dim(operand: Any, index: int, axis: int = 0, keepdims: bool = True) -> Any:
    """The entry at a static index along one axis.

    Raises: IndexError if it is out of bounds.

    >>> from jaxlike import lax
    >>> lax.index_in_dim(np.arange(6).reshape(3, 2), -1, keepdims=False).tolist()
    [4, 5]
    """
    index = operator.index(index)
    shape = get_aval(operand).shape
    axis = index_axis(axis, len(shape))
    size = shape[axis]
    if not -size <= index < size:
        raise IndexError(
            format_error(f"index {index} lies outside axis {axis}, of {size} elements")
        )
    index = index + size if index < 0 else index
    out = slice_in_dim(operand, index, index + 1, 1, axis)
    return out if keepdims else squeeze(out, (axis,))
