"""reduce_window: sums, extrema or any Python monoid over sliding windows.

Sums and extrema go one axis at a time; where windows overlap much, by doubling.
generic_window.py has other monoids, window_selection.py the tangents of extrema.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from jaxlike.core.avals import ShapedArray, get_aval
from jaxlike.core.errors import format_error
from jaxlike.core.primitive import Primitive
from jaxlike.core.zeros import Zero
from jaxlike.primitives.conv_dimensions import padtype_to_pads
from jaxlike.primitives.conv_numpy import (
    Windows,
    dilated,
    pad_and_dilate,
    window_counts,
)
from jaxlike.primitives.generic_window import reduce_window_p
from jaxlike.primitives.monoids import named_monoid, trace_monoid
from jaxlike.primitives.reductions import max_identity, min_identity, wide_dtypes
from jaxlike.primitives.rules import check_dtypes, deflinear
from jaxlike.primitives.window_shapes import (
    batched_window,
    check_windows,
    reduce_window_shape_tuple,
)

__all__ = [
    "reduce_window",
    "reduce_window_max_p",
    "reduce_window_min_p",
    "reduce_window_p",
    "reduce_window_shape_tuple",
    "reduce_window_sum_p",
]


def _known_shape(name, kinds, operand, *, window_dimensions, **windows):
    check_dtypes(name, (kinds,), (operand,))
    shape = check_windows(name, operand, window_dimensions, **windows)
    return operand.update(shape=shape)


# --- evaluation


def _slide(ufunc, x, axis, k, count, stride, hole):
    """Reduce the windows of k elements, `hole` apart, along one axis of padded `x`."""

    def part(y, start, length, step=1):
        at = [slice(None)] * y.ndim
        at[axis] = slice(start, start + (length - 1) * step + 1, step)
        return y[tuple(at)]

    if k == 1:
        return part(x, 0, count, stride)
    if k <= stride * (k.bit_length() + 1):
        out = ufunc(part(x, 0, count, stride), part(x, hole, count, stride))
        for i in range(2, k):
            ufunc(out, part(x, i * hole, count, stride), out=out)
        return out
    # windows of k are made of windows of the powers of two that k is the sum of
    power, total, covered = x, None, 0
    length = 1
    while True:
        if k & length:
            if total is None:
                total = power
            else:
                room = min(total.shape[axis], power.shape[axis] - covered * hole)
                total = ufunc(part(total, 0, room), part(power, covered * hole, room))
            covered += length
        if length * 2 > k:
            return part(total, 0, count, stride)
        room = power.shape[axis] - length * hole
        power = ufunc(part(power, 0, room), part(power, length * hole, room))
        length *= 2


def _known_evaluate(
    ufunc,
    identity: Callable[[np.dtype], Any],
    x,
    *,
    window_dimensions,
    window_strides,
    padding,
    base_dilation,
    window_dilation,
):
    dtype = x.dtype
    x = x.astype(wide_dtypes.get(dtype, dtype), copy=False)
    windows = Windows(window_strides, padding, base_dilation, window_dilation)
    counts = window_counts(x.shape, window_dimensions, windows)
    if 0 in counts:
        return np.zeros(counts, dtype)
    x = pad_and_dilate(x, range(x.ndim), windows, identity(x.dtype))
    # the axes that shrink most come first
    axes = [
        i for i in range(x.ndim) if window_dimensions[i] > 1 or window_strides[i] > 1
    ]
    for axis in sorted(axes, key=lambda i: counts[i] / x.shape[i]):
        x = _slide(
            ufunc,
            x,
            axis,
            window_dimensions[axis],
            counts[axis],
            window_strides[axis],
            window_dilation[axis],
        )
    return x.astype(dtype, copy=False)


# --- sum, max, min

_NUMBERS = ("integer", "floating", "complexfloating")


def _known_batch(primitive, axis_data, args, dims, **params):
    (x,), (dim,) = args, dims
    return primitive.bind(x, **batched_window(params, dim)), dim


def _known_window(name: str, kinds, ufunc, identity) -> Primitive:
    primitive = Primitive(name)
    primitive.shape = partial(_known_shape, name, kinds)
    primitive.evaluate = partial(_known_evaluate, ufunc, identity)
    primitive.batch = partial(_known_batch, primitive)
    return primitive


def _spread(ct, shape, window, window_strides, padding):
    """Each element of ct at all places of its window, where windows do not overlap."""
    from jaxlike.primitives.joining import pad
    from jaxlike.primitives.shapes import broadcast_in_dim, reshape

    aval = get_aval(ct)
    counts, zero = aval.shape, np.zeros((), aval.dtype)
    places = tuple(n for pair in zip(counts, window) for n in pair)
    out = broadcast_in_dim(ct, places, tuple(range(0, 2 * aval.ndim, 2)))
    steps = [k if n == 1 else s for n, k, s in zip(counts, window, window_strides)]
    gaps = [(0, s - k, 0) for k, s in zip(window, steps)]
    if any(map(any, gaps)):
        config = [each for gap in gaps for each in ((0, 0, 0), gap)]
        out = pad(out, zero, tuple(config))
    out = reshape(out, tuple(n * s for n, s in zip(counts, steps)))
    around = [
        (-low, size - n * s + low, 0)
        for size, n, s, (low, _) in zip(shape, counts, steps, padding)
    ]
    return pad(out, zero, tuple(around)) if any(map(any, around)) else out


def _window_sum_transpose(
    ct,
    x,
    *,
    window_dimensions,
    window_strides,
    padding,
    base_dilation,
    window_dilation,
):
    from jaxlike.primitives.joining import pad

    shape, counts = x.aval.shape, get_aval(ct).shape
    if all(d == 1 for d in (*base_dilation, *window_dilation)) and all(
        count == 1 or 0 < k <= s
        for count, k, s in zip(counts, window_dimensions, window_strides)
    ):
        return [_spread(ct, shape, window_dimensions, window_strides, padding)]
    config = []
    for n, k, count, s, (low, _), base, hole in zip(
        shape,
        window_dimensions,
        counts,
        window_strides,
        padding,
        base_dilation,
        window_dilation,
    ):
        reach = dilated(k, hole)
        before = reach - 1 - low
        after = dilated(n, base) + reach - 1 - dilated(count, s) - before
        config.append((before, after, s - 1))
    zero = np.zeros((), get_aval(ct).dtype)
    spread = pad(ct, zero, tuple(config))
    none = (1,) * len(shape)
    return [
        reduce_window_sum_p.bind(
            spread,
            window_dimensions=window_dimensions,
            window_strides=base_dilation,
            padding=((0, 0),) * len(shape),
            base_dilation=none,
            window_dilation=window_dilation,
        )
    ]


reduce_window_sum_p = _known_window(
    "reduce_window_sum", _NUMBERS, np.add, lambda dtype: 0
)
deflinear(reduce_window_sum_p, _window_sum_transpose)


def _window_extremum_jvp(primitive, select_name, primals, tangents, **params):
    from jaxlike.primitives import comparison
    from jaxlike.primitives.window_selection import select_and_gather_add_p

    (x,), (t,) = primals, tangents
    out = primitive.bind(x, **params)
    if type(t) is Zero:
        return out, Zero(get_aval(out).to_tangent_aval())
    select = getattr(comparison, select_name)
    return out, select_and_gather_add_p.bind(t, x, select_prim=select, **params)


reduce_window_max_p = _known_window(
    "reduce_window_max", ("bool", *_NUMBERS), np.maximum, max_identity
)
reduce_window_max_p.jvp = partial(_window_extremum_jvp, reduce_window_max_p, "ge_p")
reduce_window_min_p = _known_window(
    "reduce_window_min", ("bool", *_NUMBERS), np.minimum, min_identity
)
reduce_window_min_p.jvp = partial(_window_extremum_jvp, reduce_window_min_p, "le_p")

# --- the user's function


def reduce_window(
    operand: Any,
    init_value: Any,
    computation: Callable,
    window_dimensions: Sequence[int],
    window_strides: Sequence[int] | None = None,
    padding: str | Sequence[tuple[int, int]] = "VALID",
    base_dilation: Sequence[int] | None = None,
    window_dilation: Sequence[int] | None = None,
) -> Any:
    """Reduce what a sliding window sees by an associative function of two elements.

    operand: an array, or a tree of arrays of one shape, reduced together.
    init_value: a scalar of each dtype, the function's identity; it fills the padding.
    padding: 'SAME', 'SAME_LOWER', 'VALID', or (low, high) for each axis.
    Raises TypeError for windows, dtypes or initial values that do not fit.

    >>> from jaxlike import lax
    >>> import jaxlike.numpy as jnp
    >>> lax.reduce_window(jnp.arange(5.0), 0.0, lax.add, (2,), (1,))
    Array([1., 3., 5., 7.], dtype=float32)
    """
    from jaxlike.core import tree

    flat, treedef = tree.flatten(operand)
    inits, init_tree = tree.flatten(init_value)
    if treedef != init_tree:
        raise ValueError(
            format_error(
                "reduce_window needs operands and initial values of one structure, "
                f"got {treedef} and {init_tree}"
            )
        )
    if not flat:
        raise ValueError(format_error("reduce_window needs at least one operand"))
    avals = [get_aval(x) for x in flat]
    window = tuple(int(k) for k in window_dimensions)
    ones = (1,) * len(window)

    def ints(values):
        return ones if values is None else tuple(int(v) for v in values)

    strides, base, holes = map(ints, (window_strides, base_dilation, window_dilation))
    if isinstance(padding, str):
        reach = [dilated(k, d) for k, d in zip(window, holes)]
        padding = padtype_to_pads(avals[0].shape, reach, strides, padding)
    params = dict(
        window_dimensions=window,
        window_strides=strides,
        padding=tuple((int(low), int(high)) for low, high in padding),
        base_dilation=base,
        window_dilation=holes,
    )
    if len(flat) == 1 and not get_aval(inits[0]).shape:
        name = named_monoid(computation, inits[0], avals[0].dtype)
        primitive = _named.get(name)
        if primitive is not None:
            return treedef.unflatten([primitive.bind(flat[0], **params)])
    scalars = [ShapedArray((), aval.dtype) for aval in avals]
    jaxpr = trace_monoid(computation, scalars, treedef)
    outs = reduce_window_p.bind(*flat, *inits, jaxpr=jaxpr, consts=(), **params)
    return treedef.unflatten(outs)


_named = {
    "sum": reduce_window_sum_p,
    "max": reduce_window_max_p,
    "min": reduce_window_min_p,
}
