"""reduce_window by a Python monoid, of one array or several together."""

from __future__ import annotations

import itertools

import numpy as np

from jaxlike.core.avals import ShapedArray, get_aval
from jaxlike.core.errors import format_error
from jaxlike.core.primitive import Primitive
from jaxlike.core.zeros import Zero
from jaxlike.primitives.conv_numpy import Windows, pad_and_dilate, window_counts
from jaxlike.primitives.monoids import (
    evaluate_monoid,
    instantiated_pairs,
    jvp_of_monoid,
    known_ufunc,
)
from jaxlike.primitives.reductions import wide_dtypes
from jaxlike.primitives.window_shapes import batched_window, check_windows

__all__ = ["reduce_window_p"]

reduce_window_p = Primitive("reduce_window", multiple_results=True)
reduce_window_p.cache_shape = False


def _split(args):
    n = len(args) // 2
    return list(args[:n]), list(args[n:])


def _generic_shape(*avals, jaxpr, consts, window_dimensions, **windows):
    operands, inits = _split(avals)
    for operand, init in zip(operands, inits):
        if init.shape:
            raise TypeError(
                format_error(f"reduce_window needs scalar initial values, got {init}")
            )
        if operand.dtype != init.dtype:
            raise TypeError(
                format_error(
                    "reduce_window needs initial values of the operands' dtypes, got "
                    f"{init} for {operand}"
                )
            )
        if operand.shape != operands[0].shape:
            raise TypeError(
                format_error(
                    "reduce_window needs operands of one shape, got "
                    + " and ".join(map(str, operands))
                )
            )
    shape = check_windows("reduce_window", operands[0], window_dimensions, **windows)
    return [ShapedArray(shape, operand.dtype) for operand in operands]


def _offset_slices(window_dimensions, counts, strides, dilation):
    """For each place in the window, the (start, stop, step) of all axes, in order."""
    for offset in itertools.product(*map(range, window_dimensions)):
        yield [
            (k * hole, k * hole + (count - 1) * s + 1, s)
            for k, hole, count, s in zip(offset, dilation, counts, strides)
        ]


def _inside(shape, windows: Windows) -> np.ndarray | None:
    """Where a padded and dilated array holds elements; None if it does everywhere.

    Padding takes no part, so that initial values other than the identity count once.
    """
    holes = any(d > 1 for d in windows.base_dilation)
    if not holes and all(low <= 0 and high <= 0 for low, high in windows.padding):
        return None
    return pad_and_dilate(np.ones(shape, bool), range(len(shape)), windows, False)


def _generic_evaluate(
    *args,
    jaxpr,
    consts,
    window_dimensions,
    window_strides,
    padding,
    base_dilation,
    window_dilation,
):
    operands, inits = _split(args)
    windows = Windows(window_strides, padding, base_dilation, window_dilation)
    counts = window_counts(operands[0].shape, window_dimensions, windows)
    ufunc = known_ufunc(jaxpr)
    dtypes = [x.dtype for x in operands]
    if ufunc is not None:  # sums of narrow floats are rounded once
        wide = wide_dtypes.get(dtypes[0], dtypes[0])
        operands = [operands[0].astype(wide, copy=False)]
        inits = [inits[0].astype(wide, copy=False)]
    out = [np.full(counts, init, init.dtype) for init in inits]
    if 0 in counts:
        return [o.astype(dtype) for o, dtype in zip(out, dtypes)]
    padded = [pad_and_dilate(x, range(x.ndim), windows) for x in operands]
    inside = _inside(operands[0].shape, windows)
    for place in _offset_slices(
        window_dimensions, counts, window_strides, window_dilation
    ):
        at = tuple(slice(*bounds) for bounds in place)
        if ufunc is not None:
            joined = [ufunc(out[0], padded[0][at])]
        else:
            joined = evaluate_monoid(jaxpr, out, [x[at] for x in padded])
        if inside is not None:
            joined = [np.where(inside[at], j, o) for j, o in zip(joined, out)]
        out = joined
    return [np.asarray(o).astype(dtype, copy=False) for o, dtype in zip(out, dtypes)]


def _generic_jvp(primals, tangents, **params):
    from jaxlike.primitives.joining import pad
    from jaxlike.primitives.selection import select_n
    from jaxlike.primitives.shapes import broadcast_in_dim
    from jaxlike.primitives.slicing import slice as lax_slice

    outs = reduce_window_p.bind(*primals, **params)
    operands, inits = _split(primals)
    operand_tangents, init_tangents = _split(tangents)
    counts = get_aval(outs[0]).shape
    config = tuple(
        (low, high, base - 1)
        for (low, high), base in zip(params["padding"], params["base_dilation"])
    )

    starts = instantiated_pairs(zip(inits, init_tangents))
    pairs = []
    for (x, t), (init, init_t) in zip(
        instantiated_pairs(zip(operands, operand_tangents)), starts
    ):
        if type(t) is not Zero:
            t = pad(t, init_t, config)
        pairs.append((pad(x, init, config), t))

    windows = Windows(
        params["window_strides"],
        params["padding"],
        params["base_dilation"],
        params["window_dilation"],
    )
    inside = _inside(get_aval(operands[0]).shape, windows)

    def select(where, x, otherwise):
        return x if type(x) is Zero else select_n(where, otherwise, x)

    def both(f, pair):
        primal = f(pair[0])
        if type(pair[1]) is Zero:
            return primal, Zero.from_primal_value(primal)
        return primal, f(pair[1])

    total = [both(lambda a: broadcast_in_dim(a, counts, ()), s) for s in starts]
    for place in _offset_slices(
        params["window_dimensions"],
        counts,
        params["window_strides"],
        params["window_dilation"],
    ):
        start, stop, step = zip(*place) if place else ((), (), ())
        parts = [both(lambda a: lax_slice(a, start, stop, step), p) for p in pairs]
        joined = jvp_of_monoid(params["jaxpr"], total, parts)
        if inside is not None:
            here = inside[tuple(slice(*bounds) for bounds in place)]
            joined = [
                (select(here, x, old), select(here, t, old_t))
                for (x, t), (old, old_t) in zip(instantiated_pairs(joined), total)
            ]
        total = joined
    return outs, [t for _, t in total]


def _generic_batch(axis_data, args, dims, **params):
    from jaxlike.primitives.shapes import broadcast_in_dim, moveaxis

    operands, inits = _split(args)
    operand_dims, init_dims = _split(dims)
    if any(d is not None for d in init_dims):
        raise NotImplementedError(
            format_error(
                "vmap of reduce_window over its initial values",
                try_="reducing from the identity, and joining the initial value after",
            )
        )
    moved = []
    for x, d in zip(operands, operand_dims):
        shape = get_aval(x).shape
        if d is None:
            axes = range(1, len(shape) + 1)
            moved.append(broadcast_in_dim(x, (axis_data.size, *shape), axes))
        else:
            moved.append(moveaxis(x, d, 0))
    outs = reduce_window_p.bind(*moved, *inits, **batched_window(params, 0))
    return outs, [0] * len(outs)


reduce_window_p.shape = _generic_shape
reduce_window_p.evaluate = _generic_evaluate
reduce_window_p.jvp = _generic_jvp
reduce_window_p.batch = _generic_batch
reduce_window_p.not_transposable = (
    "a Python function's reduction is differentiated by its jvp"
)
