"""Putting arrays together and taking them apart: pad, concatenate, stack, tile, split.

shapes.py has what keeps the elements of one array, slicing.py what picks some.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from jaxlike.core.array import Array
from jaxlike.core.avals import ShapedArray, get_aval
from jaxlike.core.errors import format_error
from jaxlike.core.primitive import Primitive
from jaxlike.core.zeros import Zero, is_undefined_primal
from jaxlike.primitives.axes import canonical_axis, canonical_ints, owned
from jaxlike.primitives.linear import instantiate, zeros_of
from jaxlike.primitives.rules import check_same_dtypes, deflinear
from jaxlike.primitives.shapes import batch_axis_at, broadcast_in_dim, full, reshape

__all__ = [
    "concatenate",
    "concatenate_p",
    "pad",
    "pad_p",
    "split",
    "split_p",
    "stack",
    "stack_p",
    "tile",
    "tile_p",
    "unstack",
    "unstack_p",
]


def _deflinear_list(primitive: Primitive) -> None:
    """The JVP of a linear primitive with several results."""

    def jvp(primals, tangents, **params):
        outs = primitive.bind(*primals, **params)
        if all(type(t) is Zero for t in tangents):
            return outs, [Zero(get_aval(o).to_tangent_aval()) for o in outs]
        return outs, primitive.bind(*map(instantiate, tangents), **params)

    primitive.jvp = jvp


def _all_weak(operands) -> bool:
    return all(x.weak_type for x in operands)


# --- pad: (low, high, interior) of each axis; low and high may be negative

pad_p = Primitive("pad")


def _pad_shape(operand, padding_value, *, padding_config):
    check_same_dtypes("pad", (operand, padding_value))
    if padding_value.shape:
        raise ValueError(
            format_error(f"pad: padding_value must be a scalar, got {padding_value}")
        )
    if len(padding_config) != operand.ndim:
        raise ValueError(
            format_error(
                f"pad: {operand} needs a (low, high, interior) for each axis, got "
                f"{padding_config}"
            )
        )
    if any(interior < 0 for _, _, interior in padding_config):
        raise ValueError(
            format_error(
                f"pad: interior padding must not be negative, got {padding_config}"
            )
        )
    shape = tuple(
        [
            low + high + n + interior * max(n - 1, 0)
            for n, (low, high, interior) in zip(operand.shape, padding_config)
        ]
    )
    if any(n < 0 for n in shape):
        raise ValueError(
            format_error(
                f"Dimension size after padding is not at least 0, got shape {shape} "
                f"for padding_config {padding_config} and operand {operand}"
            )
        )
    return ShapedArray(shape, operand.dtype, _all_weak((operand, padding_value)))


def _pad_evaluate(operand, padding_value, *, padding_config):
    shape, taken, put = [], [], []
    for n, (low, high, interior) in zip(operand.shape, padding_config):
        step = interior + 1
        size = low + high + n + interior * max(n - 1, 0)
        first = 0 if low >= 0 else -(low // step)
        last = min(n, -((low - size) // step))  # the first that falls behind the end
        last = max(last, first)
        shape.append(size)
        taken.append(slice(first, last))
        put.append(slice(low + first * step, max(low + (last - 1) * step + 1, 0), step))
        if first == last:
            put[-1] = slice(0, 0)
    out = np.empty(shape, operand.dtype)
    out[...] = padding_value
    out[tuple(put)] = operand[tuple(taken)]
    return out


def _pad_transpose(ct, operand, padding_value, *, padding_config):
    from jaxlike.primitives.reductions import reduce_sum
    from jaxlike.primitives.selection import select_n
    from jaxlike.primitives.slicing import slice as lax_slice

    if type(ct) is Zero:
        return [None, None]
    ct_operand = ct_value = None
    linear = is_undefined_primal(operand)
    aval = operand.aval if linear else get_aval(operand)
    zero = np.zeros((), aval.dtype)
    if linear:
        back = [(-low, -high, 0) for low, high, _ in padding_config]
        steps = [interior + 1 for _, _, interior in padding_config]
        ct_operand = pad(ct, zero, back)
        if any(step != 1 for step in steps):
            limits = get_aval(ct_operand).shape
            ct_operand = lax_slice(ct_operand, [0] * len(limits), limits, steps)
    if is_undefined_primal(padding_value):
        outside = _outside(aval.shape, padding_config)
        kept = select_n(outside, zeros_of(get_aval(ct)), ct)
        ct_value = reduce_sum(kept, tuple(range(aval.ndim)))
    return [ct_operand, ct_value]


def _outside(shape, padding_config):
    """Where the padded array holds the padding value."""
    inside = full(shape, np.False_)
    return pad_p.bind(inside, np.True_, padding_config=padding_config)


def _pad_batch(axis_data, args, dims, *, padding_config):
    (operand, value), (d, value_dim) = args, dims
    if value_dim is None:
        config = (*padding_config[:d], (0, 0, 0), *padding_config[d:])
        return pad_p.bind(operand, value, padding_config=config), d
    from jaxlike.primitives.selection import select_n
    from jaxlike.primitives.slicing import index_in_dim

    size = axis_data.size
    operand = batch_axis_at(operand, d, 0, size)
    any_value = index_in_dim(value, 0, 0, False) if size else _a_scalar(operand)
    out = pad_p.bind(operand, any_value, padding_config=((0, 0, 0), *padding_config))
    shape = get_aval(out).shape
    outside = _outside(get_aval(operand).shape[1:], padding_config)
    outside = broadcast_in_dim(outside, shape, range(1, len(shape)))
    return select_n(outside, out, broadcast_in_dim(value, shape, (0,))), 0


def _a_scalar(x):
    return np.zeros((), get_aval(x).dtype)


pad_p.shape = _pad_shape
pad_p.evaluate = _pad_evaluate
deflinear(pad_p, _pad_transpose)
pad_p.batch = _pad_batch


def pad(
    operand: Any, padding_value: Any, padding_config: Sequence[tuple[int, int, int]]
) -> Any:
    """Put a value around, and between, the elements of an array.

    Args: `padding_value`, a scalar of the operand's dtype; `padding_config`, for each
    axis (low, high, interior): how many go before, after and between. Negative low
    and high take elements away.
    Raises: TypeError for another dtype, ValueError if the configuration does not fit.

    >>> from jaxlike import lax
    >>> lax.pad(np.array([1, 2]), 0, [(1, -1, 2)]).tolist()
    [0, 1, 0, 0]
    """
    config = tuple([canonical_ints(c, "pad: padding_config") for c in padding_config])
    if any(len(c) != 3 for c in config):
        raise ValueError(
            format_error(f"padding_config needs (low, high, interior), got {config}")
        )
    return pad_p.bind(operand, padding_value, padding_config=config)


# --- concatenate

concatenate_p = Primitive("concatenate")


def _concatenate_shape(*operands, dimension):
    if not operands:
        raise ValueError(
            format_error("concatenate requires a non-empty sequence of arrays")
        )
    first = operands[0]
    got = " and ".join(map(str, operands[:8])) + (", ..." if operands[8:] else "")
    if any(x.ndim != first.ndim for x in operands):
        raise TypeError(
            format_error("concatenate got arrays of different rank: " + got)
        )
    if not 0 <= dimension < first.ndim:
        raise TypeError(
            format_error(
                f"concatenate dimension out of bounds: dimension {dimension} for {got}"
            )
        )
    d = dimension
    rest = first.shape[:d], first.shape[d + 1 :]
    if any((x.shape[:d], x.shape[d + 1 :]) != rest for x in operands):
        raise TypeError(
            format_error(
                f"concatenate along axis {d} got incompatible shapes {got}",
                ["only the size of that axis may differ"],
                try_="another axis; jnp.stack for a new one",
            )
        )
    check_same_dtypes("concatenate", operands)
    size = sum(x.shape[d] for x in operands)
    shape = (*rest[0], size, *rest[1])
    return ShapedArray(shape, first.dtype, _all_weak(operands))


def _concatenate_transpose(ct, *operands, dimension):
    from jaxlike.primitives.slicing import slice_in_dim

    cts, start = [], 0
    for x in operands:
        linear = is_undefined_primal(x)
        size = (x.aval if linear else get_aval(x)).shape[dimension]
        if linear and type(ct) is not Zero:
            cts.append(slice_in_dim(ct, start, start + size, 1, dimension))
        else:
            cts.append(None)
        start += size
    return cts


def _concatenate_batch(axis_data, args, dims, *, dimension):
    to = next(d for d in dims if d is not None)
    args = [batch_axis_at(x, d, to, axis_data.size) for x, d in zip(args, dims)]
    return concatenate_p.bind(*args, dimension=dimension + (to <= dimension)), to


concatenate_p.shape = _concatenate_shape
concatenate_p.evaluate = lambda *xs, dimension: np.concatenate(xs, dimension)
deflinear(concatenate_p, _concatenate_transpose)
concatenate_p.batch = _concatenate_batch


def concatenate(operands: Any, dimension: int) -> Any:
    """Arrays one after another along an axis they have.

    Raises: TypeError if other axes or dtypes differ, ValueError without arrays.

    >>> from jaxlike import lax
    >>> lax.concatenate([np.arange(2), np.arange(3)], 0).tolist()
    [0, 1, 0, 1, 2]
    """
    operands = _as_list(operands)
    dimension = operator.index(dimension)
    if len(operands) == 1 and isinstance(operands[0], Array):
        if 0 <= dimension < operands[0].ndim:
            return operands[0]
    return concatenate_p.bind(*operands, dimension=dimension)


def _as_list(operands) -> list[Any]:
    if isinstance(operands, (Array, np.ndarray)):
        return list(unstack(operands, 0))
    return list(operands)


# --- split

split_p = Primitive("split", multiple_results=True)


def _split_shape(operand, *, sizes, axis):
    total = operand.shape[axis]
    if any(n < 0 for n in sizes):
        raise ValueError(
            format_error(f"split: sizes must not be negative, got {sizes}")
        )
    if sum(sizes) != total:
        raise ValueError(
            format_error(
                f"split: {sizes} add up to {sum(sizes)}, not to axis {axis} of "
                f"{operand}"
            )
        )
    before, after = operand.shape[:axis], operand.shape[axis + 1 :]
    return [
        ShapedArray((*before, n, *after), operand.dtype, operand.weak_type)
        for n in sizes
    ]


def _split_evaluate(operand, *, sizes, axis):
    outs, start, before = [], 0, (slice(None),) * axis
    for n in sizes:
        outs.append(operand[(*before, slice(start, start + n))])
        start += n
    return outs


def _split_transpose(cts, operand, *, sizes, axis):
    if all(type(ct) is Zero for ct in cts):
        return [Zero(operand.aval)]
    return [concatenate_p.bind(*map(instantiate, cts), dimension=axis)]


def _split_batch(axis_data, args, dims, *, sizes, axis):
    (x,), (d,) = args, dims
    outs = split_p.bind(x, sizes=sizes, axis=axis + (d <= axis))
    return outs, [d] * len(outs)


split_p.shape = _split_shape
split_p.evaluate = _split_evaluate
_deflinear_list(split_p)
split_p.transpose = _split_transpose
split_p.batch = _split_batch


def split(operand: Any, sizes: Sequence[int], axis: int = 0) -> list[Any]:
    """The array cut along an axis into parts of the given sizes.

    Raises: ValueError unless the sizes add up to the axis.

    >>> from jaxlike import lax
    >>> [part.tolist() for part in lax.split(np.arange(3), (1, 2))]
    [[0], [1, 2]]
    """
    axis = canonical_axis(axis, get_aval(operand).ndim)
    sizes = canonical_ints(sizes, "split: sizes")
    return split_p.bind(owned(operand), sizes=sizes, axis=axis)


# --- tile

tile_p = Primitive("tile")


def _tile_shape(operand, *, reps):
    if len(reps) != operand.ndim:
        raise TypeError(
            format_error(
                f"tile needs one of reps for each axis, got reps {reps} for {operand}"
            )
        )
    if any(r < 0 for r in reps):
        raise TypeError(format_error(f"tile: reps must not be negative, got {reps}"))
    shape = tuple([r * n for r, n in zip(reps, operand.shape)])
    return ShapedArray(shape, operand.dtype, operand.weak_type)


def _tile_transpose(ct, operand, *, reps):
    from jaxlike.primitives.reductions import reduce_sum

    aval = operand.aval
    if type(ct) is Zero:
        return [Zero(aval)]
    parts = [m for pair in zip(reps, aval.shape) for m in pair]
    return [reduce_sum(reshape(ct, parts), tuple(range(0, 2 * aval.ndim, 2)))]


def _tile_batch(axis_data, args, dims, *, reps):
    (x,), (d,) = args, dims
    return tile_p.bind(x, reps=(*reps[:d], 1, *reps[d:])), d


def _tile_evaluate(operand, *, reps):
    out = np.empty(
        [m for pair in zip(reps, operand.shape) for m in pair], operand.dtype
    )
    out[...] = operand.reshape([m for n in operand.shape for m in (1, n)])
    return out.reshape([r * n for r, n in zip(reps, operand.shape)])


tile_p.shape = _tile_shape
tile_p.evaluate = _tile_evaluate
deflinear(tile_p, _tile_transpose)
tile_p.batch = _tile_batch


def tile(operand: Any, reps: Sequence[int]) -> Any:
    """The array repeated as a whole, `reps[i]` times along axis i.

    Raises: TypeError unless there is one of `reps` for each axis.

    >>> from jaxlike import lax
    >>> lax.tile(np.array([1, 2]), (2,)).tolist()
    [1, 2, 1, 2]
    """
    return tile_p.bind(operand, reps=canonical_ints(reps, "tile: reps"))


# --- stack and unstack

stack_p = Primitive("stack")
unstack_p = Primitive("unstack", multiple_results=True)


def _stack_shape(*operands, axis):
    first = operands[0]
    if any(x.shape != first.shape for x in operands):
        got = " and ".join(map(str, operands[:8])) + (", ..." if operands[8:] else "")
        raise ValueError(
            format_error(f"Cannot stack arrays of different shapes: got {got}")
        )
    check_same_dtypes("stack", operands)
    shape = (*first.shape[:axis], len(operands), *first.shape[axis:])
    return ShapedArray(shape, first.dtype, _all_weak(operands))


def _stack_transpose(ct, *operands, axis):
    if type(ct) is Zero:
        return [None] * len(operands)
    cts = unstack_p.bind(ct, axis=axis)
    return [c if is_undefined_primal(x) else None for c, x in zip(cts, operands)]


def _stack_batch(axis_data, args, dims, *, axis):
    to = next(d for d in dims if d is not None)
    args = [batch_axis_at(x, d, to, axis_data.size) for x, d in zip(args, dims)]
    if to < axis:
        return stack_p.bind(*args, axis=axis + 1), to
    return stack_p.bind(*args, axis=axis), to + 1


stack_p.shape = _stack_shape
stack_p.evaluate = lambda *xs, axis: np.stack(xs, axis)
deflinear(stack_p, _stack_transpose)
stack_p.batch = _stack_batch


def stack(operands: Any, axis: int = 0) -> Any:
    """Arrays of one shape, put together along a new axis.

    Raises: ValueError if shapes differ or there are none, TypeError if dtypes do.

    >>> from jaxlike import lax
    >>> lax.stack([np.arange(2), np.arange(2)], axis=1).tolist()
    [[0, 0], [1, 1]]
    """
    operands = _as_list(operands)
    if not operands:
        raise ValueError(format_error("stack requires a non-empty sequence of arrays"))
    axis = canonical_axis(axis, get_aval(operands[0]).ndim + 1)
    return stack_p.bind(*operands, axis=axis)


def _unstack_shape(x, *, axis):
    shape = (*x.shape[:axis], *x.shape[axis + 1 :])
    return [ShapedArray(shape, x.dtype, x.weak_type)] * x.shape[axis]


def _unstack_evaluate(x, *, axis):
    before = (slice(None),) * axis
    return [x[(*before, i, ...)] for i in range(x.shape[axis])]


def _unstack_transpose(cts, x, *, axis):
    if all(type(ct) is Zero for ct in cts):
        return [Zero(x.aval)]
    return [stack_p.bind(*map(instantiate, cts), axis=axis)]


def _unstack_batch(axis_data, args, dims, *, axis):
    (x,), (d,) = args, dims
    outs = unstack_p.bind(x, axis=axis + (d <= axis))
    return outs, [d - (d > axis)] * len(outs)


unstack_p.shape = _unstack_shape
unstack_p.evaluate = _unstack_evaluate
_deflinear_list(unstack_p)
unstack_p.transpose = _unstack_transpose
unstack_p.batch = _unstack_batch


def unstack(x: Any, axis: int = 0) -> tuple[Any, ...]:
    """The array's entries along an axis, each without that axis.

    >>> from jaxlike import lax
    >>> [int(i) for i in lax.unstack(np.arange(3))]
    [0, 1, 2]
    """
    axis = canonical_axis(axis, get_aval(x).ndim)
    return tuple(unstack_p.bind(owned(x), axis=axis))
