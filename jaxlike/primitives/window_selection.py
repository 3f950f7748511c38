"""Tangents and cotangents through window extrema: the element that each window chose.

select_and_gather_add picks, for each window, the tangent where the extremum is;
select_and_scatter_add, its transpose, adds each window's cotangent there. A window
chooses the first element that `select_prim` (ge, le) does not prefer another one to.
"""

from __future__ import annotations

import itertools
from functools import partial
from typing import Any

import numpy as np

from jaxlike.core.avals import get_aval
from jaxlike.core.errors import format_error
from jaxlike.core.primitive import Primitive
from jaxlike.core.zeros import Zero, is_undefined_primal
from jaxlike.primitives.conv_numpy import Windows, pad_and_dilate, window_counts
from jaxlike.primitives.monoids import evaluate_monoid
from jaxlike.primitives.window_shapes import batched_window, check_windows

__all__ = [
    "select_and_gather_add_p",
    "select_and_scatter_add_p",
    "select_and_scatter_p",
]

# --- evaluation


def _places(window, windows: Windows, counts):
    """For each place in the window, the slices of the padded array that it sees."""
    for offset in itertools.product(*map(range, window)):
        yield tuple(
            slice(k * hole, k * hole + (count - 1) * s + 1, s)
            for k, hole, count, s in zip(
                offset, windows.window_dilation, counts, windows.strides
            )
        )


def _chosen(prefers, x, window, windows: Windows) -> np.ndarray:
    """Each window's choice, as an index into x.ravel(); -1 where it sees only padding.

    prefers(a, b): where a stays chosen when b is met.
    """
    counts = window_counts(x.shape, window, windows)
    index = np.arange(x.size, dtype=np.intp).reshape(x.shape)
    padded = any(low > 0 or high > 0 for low, high in windows.padding)
    holes = padded or any(d > 1 for d in windows.base_dilation)
    values = pad_and_dilate(x, range(x.ndim), windows)
    index = pad_and_dilate(index, range(x.ndim), windows, -1)
    best = choice = None
    for at in _places(window, windows, counts):
        value, place = values[at], index[at]
        if best is None:
            best, choice = value, place
            continue
        better = ~prefers(best, value)
        if holes:
            better = (better | (choice < 0)) & (place >= 0)
        best = np.where(better, value, best)
        choice = np.where(better, place, choice)
    return choice


def _gather_evaluate(
    tangents,
    operand,
    *,
    select_prim,
    window_dimensions,
    window_strides,
    padding,
    base_dilation,
    window_dilation,
):
    windows = Windows(window_strides, padding, base_dilation, window_dilation)
    counts = window_counts(operand.shape, window_dimensions, windows)
    if 0 in counts or not operand.size:
        return np.zeros(counts, tangents.dtype)
    choice = _chosen(select_prim.evaluate, operand, window_dimensions, windows)
    out = tangents.reshape(-1)[choice]
    if choice.min() < 0:
        out[choice < 0] = 0
    return out


def _undilated(strides, padding) -> Windows:
    ones = (1,) * len(strides)
    return Windows(strides, padding, ones, ones)


def _scatter_add_evaluate(
    source, operand, *, select_prim, window_dimensions, window_strides, padding
):
    out = np.zeros(operand.shape, source.dtype)
    windows = _undilated(window_strides, padding)
    if not source.size or not operand.size:
        return out
    choice = _chosen(select_prim.evaluate, operand, window_dimensions, windows)
    seen = choice >= 0
    if not seen.all():
        choice, source = choice[seen], source[seen]
    choice, source = choice.reshape(-1), source.reshape(-1)
    if all(k <= s for k, s in zip(window_dimensions, window_strides)):
        out.reshape(-1)[choice] = source  # windows do not overlap
        return out
    if source.dtype.kind in "iuc":
        np.add.at(out.reshape(-1), choice, source)
        return out
    sums = np.bincount(choice, source.astype(np.float64), operand.size)
    return sums.astype(source.dtype).reshape(operand.shape)


# --- select_and_gather_add

select_and_gather_add_p = Primitive("select_and_gather_add")


def _gather_shape(tangents, operand, *, select_prim, window_dimensions, **windows):
    if tangents.shape != operand.shape:
        raise TypeError(
            format_error(
                "select_and_gather_add needs tangents of the operand's shape, got "
                f"{tangents} and {operand}"
            )
        )
    shape = check_windows(
        "select_and_gather_add", operand, window_dimensions, **windows
    )
    return tangents.update(shape=shape)


def _linear_in_first(primitive, primals, tangents, **params):
    """The choice does not move with the operand: only the first tangent counts."""
    out = primitive.bind(*primals, **params)
    t = tangents[0]
    if type(t) is Zero:
        return out, Zero(get_aval(out).to_tangent_aval())
    return out, primitive.bind(t, primals[1], **params)


def _gather_transpose(
    ct, tangents, operand, *, base_dilation, window_dilation, **params
):
    if all(d == 1 for d in (*base_dilation, *window_dilation)):
        return [select_and_scatter_add_p.bind(ct, operand, **params), None]
    strides, padding = params["window_strides"], params["padding"]
    windows = Windows(strides, padding, base_dilation, window_dilation)
    window = params["window_dimensions"]
    return [_dilated_scatter(ct, operand, params["select_prim"], window, windows), None]


def _dilated_scatter(ct, operand, select_prim, window, windows: Windows):
    """The cotangent of the gathered tangents, one place in the window at a time.

    select_and_scatter_add has no dilation; this is the same sum in other primitives.
    """
    from jaxlike.primitives.arithmetic import add
    from jaxlike.primitives.bitwise import bitwise_and, bitwise_not, bitwise_or
    from jaxlike.primitives.comparison import eq, lt
    from jaxlike.primitives.joining import pad
    from jaxlike.primitives.selection import select_n
    from jaxlike.primitives.shapes import full
    from jaxlike.primitives.slicing import slice as lax_slice

    aval, counts = get_aval(operand), get_aval(ct).shape
    config = tuple(
        (low, high, base - 1)
        for (low, high), base in zip(windows.padding, windows.base_dilation)
    )
    inside = pad_and_dilate(np.ones(aval.shape, bool), range(aval.ndim), windows)
    padded = pad(operand, np.zeros((), aval.dtype), config)
    places = list(_places(window, windows, counts))
    best = choice = None
    for k, at in enumerate(places):
        start, stop, step = zip(*((s.start, s.stop, s.step) for s in at))
        value = lax_slice(padded, start, stop, step)
        here = np.where(inside[at], k, -1).astype(np.int32)
        if best is None:
            best, choice = value, here
            continue
        better = bitwise_not(select_prim.bind(best, value))
        better = bitwise_or(better, lt(choice, full(counts, 0, np.int32)))
        better = bitwise_and(better, inside[at])
        best = select_n(better, best, value)
        choice = select_n(better, choice, here)
    zero = np.zeros((), get_aval(ct).dtype)
    zeros = full(counts, 0, get_aval(ct).dtype)
    total = None
    for k, at in enumerate(places):
        part = select_n(eq(choice, full(counts, k, np.int32)), zeros, ct)
        spread = tuple(
            (s.start, n - s.stop, s.step - 1) for s, n in zip(at, inside.shape)
        )
        part = pad(part, zero, spread)
        total = part if total is None else add(total, part)
    # take the padding and the holes out again
    cut = tuple((-low, -high, 0) for low, high in windows.padding)
    total = pad(total, zero, cut)
    starts = (0,) * aval.ndim
    return lax_slice(total, starts, get_aval(total).shape, windows.base_dilation)


def _both_batched(axis_data, args, dims):
    from jaxlike.primitives.shapes import broadcast_in_dim, moveaxis

    out = []
    for x, d in zip(args, dims):
        shape = get_aval(x).shape
        if d is None:
            axes = range(1, len(shape) + 1)
            out.append(broadcast_in_dim(x, (axis_data.size, *shape), axes))
        else:
            out.append(moveaxis(x, d, 0))
    return out


def _selection_batch(primitive, axis_data, args, dims, **params):
    x, operand = _both_batched(axis_data, args, dims)
    return primitive.bind(x, operand, **batched_window(params, 0)), 0


select_and_gather_add_p.shape = _gather_shape
select_and_gather_add_p.evaluate = _gather_evaluate
select_and_gather_add_p.jvp = partial(_linear_in_first, select_and_gather_add_p)
select_and_gather_add_p.transpose = _gather_transpose
select_and_gather_add_p.batch = partial(_selection_batch, select_and_gather_add_p)

# --- select_and_scatter_add

select_and_scatter_add_p = Primitive("select_and_scatter_add")


def _scatter_add_shape(
    source, operand, *, select_prim, window_dimensions, window_strides, padding
):
    _check_source(
        "select_and_scatter_add",
        source,
        operand,
        window_dimensions,
        window_strides,
        padding,
    )
    return source.update(shape=operand.shape)


def _check_source(name, source, operand, window, strides, padding) -> None:
    ones = (1,) * operand.ndim
    shape = check_windows(name, operand, window, strides, padding, ones, ones)
    if source.shape != shape:
        raise TypeError(
            format_error(
                f"{name} needs a source of shape {shape} for windows {window} of "
                f"{operand}, got {source}"
            )
        )


def _scatter_add_transpose(ct, source, operand, **params):
    if not is_undefined_primal(source):
        return [None, None]
    ones = (1,) * len(params["window_dimensions"])
    gathered = select_and_gather_add_p.bind(
        ct, operand, base_dilation=ones, window_dilation=ones, **params
    )
    return [gathered, None]


select_and_scatter_add_p.shape = _scatter_add_shape
select_and_scatter_add_p.evaluate = _scatter_add_evaluate
select_and_scatter_add_p.jvp = partial(_linear_in_first, select_and_scatter_add_p)
select_and_scatter_add_p.transpose = _scatter_add_transpose
select_and_scatter_add_p.batch = partial(_selection_batch, select_and_scatter_add_p)

# --- select_and_scatter: with Python functions for the choice and the sum

select_and_scatter_p = Primitive("select_and_scatter")
select_and_scatter_p.cache_shape = False


def _scatter_shape(
    operand,
    source,
    init_value,
    *,
    select_jaxpr,
    select_consts,
    scatter_jaxpr,
    scatter_consts,
    window_dimensions,
    window_strides,
    padding,
):
    _check_source(
        "select_and_scatter",
        source,
        operand,
        window_dimensions,
        window_strides,
        padding,
    )
    return operand


def _scatter_evaluate(
    operand,
    source,
    init_value,
    *,
    select_jaxpr,
    select_consts,
    scatter_jaxpr,
    scatter_consts,
    window_dimensions,
    window_strides,
    padding,
):
    out = np.full(operand.size, init_value, operand.dtype)
    windows = _undilated(window_strides, padding)
    if not source.size or not operand.size:
        return out.reshape(operand.shape)

    def prefers(a, b):
        return evaluate_monoid(select_jaxpr, [a], [b])[0]

    choice = _chosen(prefers, operand, window_dimensions, windows).reshape(-1)
    source = source.reshape(-1)[choice >= 0]
    choice = choice[choice >= 0]
    # the windows that chose one element take turns
    order = np.argsort(choice, kind="stable")
    choice, source = choice[order], source[order]
    starts = np.flatnonzero(np.r_[True, choice[1:] != choice[:-1]])
    turn = np.arange(choice.size) - np.repeat(
        starts, np.diff(np.r_[starts, choice.size])
    )
    for i in range(int(turn.max()) + 1 if choice.size else 0):
        at = choice[turn == i]
        (out[at],) = evaluate_monoid(scatter_jaxpr, [out[at]], [source[turn == i]])
    return out.reshape(operand.shape)


def _scatter_batch(axis_data, args, dims, **params):
    operand, source, init = args
    if dims[2] is not None:
        raise NotImplementedError(
            format_error("vmap of select_and_scatter over its initial value")
        )
    operand, source = _both_batched(axis_data, (operand, source), dims[:2])
    return select_and_scatter_p.bind(
        operand, source, init, **batched_window(params, 0)
    ), 0


select_and_scatter_p.shape = _scatter_shape
select_and_scatter_p.evaluate = _scatter_evaluate
select_and_scatter_p.batch = _scatter_batch
select_and_scatter_p.not_differentiable = (
    "its sum is a Python function; select_and_scatter_add is differentiable"
)


def select_and_scatter(
    operand: Any,
    select,
    window_dimensions,
    window_strides,
    padding,
    source: Any,
    init_value: Any,
    scatter,
):
    """Join each window's source value into the element that the window chose.

    select(a, b): whether a stays chosen over b; scatter(a, b): the joined value.
    Returns an array like `operand`, of init_value where nothing was joined.
    """
    from jaxlike.core import tree
    from jaxlike.core.avals import ShapedArray
    from jaxlike.primitives.monoids import trace_monoid, trace_predicate

    scalar = ShapedArray((), get_aval(operand).dtype)
    return select_and_scatter_p.bind(
        operand,
        source,
        init_value,
        select_jaxpr=trace_predicate(select, scalar),
        select_consts=(),
        scatter_jaxpr=trace_monoid(scatter, [scalar], tree.structure(0)),
        scatter_consts=(),
        window_dimensions=tuple(window_dimensions),
        window_strides=tuple(window_strides),
        padding=tuple(tuple(p) for p in padding),
    )
