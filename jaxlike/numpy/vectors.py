"""cross, and index arithmetic: ravel_multi_index, unravel_index."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from jaxlike.core import dtypes
from jaxlike.core.array import Array
from jaxlike.core.errors import format_error
from jaxlike.core.trace import concrete_or_error
from jaxlike.numpy import creation, manipulation, reductions
from jaxlike.numpy.binary import clip, remainder
from jaxlike.numpy.composites import composite_of
from jaxlike.numpy.joining import stack
from jaxlike.numpy.promote import (
    ArrayLike,
    DTypeLike,
    as_array,
    check_arraylike,
    convert,
    promote_dtypes,
    to_arrays,
    user_dtype,
)

__all__ = ["cross", "ravel_multi_index", "unravel_index"]


@composite_of(2)
def cross(
    a: ArrayLike,
    b: ArrayLike,
    axisa: int = -1,
    axisb: int = -1,
    axisc: int = -1,
    axis: int | None = None,
) -> Array:
    """The cross product of vectors of 2 or 3 elements.

    Args: `axisa`, `axisb`, the vectors' axes; `axisc`, that of the result; `axis`, all
    of them. The product of vectors of 2 elements is a scalar.
    Raises: ValueError for vectors of other sizes.

    >>> import jaxlike.numpy as jnp
    >>> jnp.cross(jnp.array([1, 0, 0]), jnp.array([0, 1, 0])).tolist()
    [0, 0, 1]
    """
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = (as_array(x) for x in promote_dtypes(*to_arrays("cross", a, b)))
    a = manipulation.moveaxis(a, axisa, -1)
    b = manipulation.moveaxis(b, axisb, -1)
    if a.shape[-1] not in (2, 3) or b.shape[-1] not in (2, 3):
        raise ValueError(format_error("cross takes vectors of 2 or 3 elements"))
    a0, a1, *a2 = (a[..., i] for i in range(a.shape[-1]))
    b0, b1, *b2 = (b[..., i] for i in range(b.shape[-1]))
    third = a0 * b1 - a1 * b0
    if not a2 and not b2:
        return third
    # a vector in the plane has a third element of 0
    if a2 and b2:
        first = a1 * b2[0] - a2[0] * b1
        second = a2[0] * b0 - a0 * b2[0]
    elif a2:
        first, second = -(a2[0] * b1), a2[0] * b0
    else:
        first, second = a1 * b2[0], -(a0 * b2[0])
    out = stack(manipulation.broadcast_arrays(first, second, third), axis=-1)
    return manipulation.moveaxis(out, -1, axisc)


def _strides(dims: Sequence[int]) -> list[int]:
    """The distance, in a row-major array, of neighbours along each axis."""
    strides = [1]
    for n in reversed(dims[1:]):
        strides.insert(0, strides[0] * n)
    return strides if dims else []


def ravel_multi_index(
    multi_index: Sequence[ArrayLike],
    dims: Sequence[int],
    mode: str = "raise",
    order: str = "C",
    *,
    dtype: DTypeLike | None = None,
) -> Array:
    """Positions in the flattened array from an index for each axis.

    Args: `dims`, the array's shape; `mode`, what indices out of range do: 'raise'
    (outside of jit), 'wrap' or 'clip'; `order`, 'C' or 'F'.
    Raises: ValueError for an index out of range.

    >>> import jaxlike.numpy as jnp
    >>> jnp.ravel_multi_index((jnp.array([0, 1]), jnp.array([1, 2])), (2, 3)).tolist()
    [1, 5]
    """
    if len(multi_index) != len(dims):
        raise ValueError(
            format_error(
                f"ravel_multi_index: {len(multi_index)} indices for {len(dims)} "
                "dimensions"
            )
        )
    dims = tuple(
        concrete_or_error(operator.index, d, "dims of ravel_multi_index") for d in dims
    )
    check_arraylike("ravel_multi_index", *multi_index)
    parts = [creation.asarray(i) for i in multi_index]
    for part in parts:
        if mode == "raise":
            concrete_or_error(
                None,
                part,
                "ravel_multi_index looks whether it is in range",
                "mode='wrap' or mode='clip'",
            )
        if not dtypes.issubdtype(part.dtype, np.integer):
            raise TypeError(format_error("only int indices permitted"))
    if mode == "raise":
        if any(bool(reductions.any((i < 0) | (i >= d))) for i, d in zip(parts, dims)):
            raise ValueError(
                format_error("ravel_multi_index: an index is out of bounds")
            )
    elif mode == "clip":
        parts = [clip(i, 0, d - 1) for i, d in zip(parts, dims)]
    elif mode == "wrap":
        parts = [remainder(i, d) for i, d in zip(parts, dims)]
    else:
        raise ValueError(
            format_error(
                f"ravel_multi_index: mode is 'raise', 'wrap' or 'clip', got {mode!r}"
            )
        )
    if order == "F":
        strides = _strides(dims[::-1])[::-1]
    elif order == "C":
        strides = _strides(dims)
    else:
        raise ValueError(format_error(f"order is 'C' or 'F', got {order!r}"))
    dtype = dtypes.default_int_dtype() if dtype is None else dtype
    dtype = user_dtype(dtype, "ravel_multi_index")
    out: Any = as_array(np.zeros((), dtype))
    for part, stride in zip(parts, strides):
        out = out + convert(part, dtype) * convert(stride, dtype)
    return out


def unravel_index(indices: ArrayLike, shape: Any) -> tuple[Array, ...]:
    """An index for each axis from positions in the flattened array.

    Positions before the first or after the last element give that element.

    >>> import jaxlike.numpy as jnp
    >>> [i.tolist() for i in jnp.unravel_index(jnp.array([1, 5]), (2, 3))]
    [[0, 1], [1, 2]]
    """
    [indices] = to_arrays("unravel_index", indices)
    try:
        sizes = [int(n) for n in shape]
    except TypeError:
        sizes = [int(shape)]
    if any(n < 0 for n in sizes):
        raise ValueError(
            format_error(f"unravel_index: sizes must not be negative, got {shape}")
        )
    total = int(np.prod(sizes, dtype=int))
    indices = clip(indices, -total, max(total - 1, 0))
    from jaxlike.numpy.searching import where

    rest = where(indices < 0, indices + total, indices)
    out = []
    for stride in _strides(sizes):
        out.append(rest // stride)
        rest = rest % stride
    return tuple(out)
