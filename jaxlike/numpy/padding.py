"""pad, in all its modes, and the bit packing of packbits and unpackbits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from jaxlike.core import dtypes
from jaxlike.core.array import Array
from jaxlike.core.errors import format_error
from jaxlike.core.trace import concrete_or_error
from jaxlike.numpy import averages, creation, manipulation, quantiles, reductions
from jaxlike.numpy.axes import canonical_axis
from jaxlike.numpy.joining import concatenate
from jaxlike.numpy.parts import round as round_
from jaxlike.numpy.promote import (
    ArrayLike,
    as_array,
    broadcast_to_shape,
    convert,
    to_arrays,
)
from jaxlike.numpy.ranges import linspace
from jaxlike.numpy.rearranging import flip
from jaxlike.primitives import joining, slicing

__all__ = ["packbits", "pad", "unpackbits"]

Pairs = tuple[tuple[Any, Any], ...]

_OPTIONS = {
    "constant": {"constant_values"},
    "edge": set(),
    "empty": set(),
    "linear_ramp": {"end_values"},
    "maximum": {"stat_length"},
    "mean": {"stat_length"},
    "median": {"stat_length"},
    "minimum": {"stat_length"},
    "reflect": {"reflect_type"},
    "symmetric": {"reflect_type"},
    "wrap": set(),
}


def _pairs(nvals: Any, ndim: int, name: str) -> Any:
    """An argument that may be one value, a pair, or a pair an axis, as the last."""
    array = np.asarray(nvals) if not isinstance(nvals, Array) else nvals
    shape = array.shape
    valid = ((ndim, 2), (1, 2), (2,), (1,), ())
    if shape not in valid:
        raise ValueError(
            format_error(
                f"pad: {name} of shape {shape} does not fit {ndim} axes: one of "
                f"{', '.join(map(str, valid))}"
            )
        )
    if shape == (1, 2) or shape == (ndim, 2):
        rows = [array[i if shape[0] == ndim else 0] for i in range(ndim)]
        return tuple((row[0], row[1]) for row in rows)
    if shape == (2,):
        return ((array[0], array[1]),) * ndim
    value = array[0] if shape == (1,) else array
    return ((value, value),) * ndim


def _widths(pad_width: Any, ndim: int) -> Pairs:
    known = concrete_or_error(None, pad_width, "`pad_width` argument of jnp.pad()")
    array = np.asarray(known)
    if array.dtype.kind not in "iu" and array.size:
        raise TypeError(format_error("pad: pad_width must be integers"))
    pairs = _pairs(array, ndim, "pad_width")
    pairs = tuple((int(a), int(b)) for a, b in pairs)
    if any(n < 0 for pair in pairs for n in pair):
        raise ValueError(format_error("pad: pad_width must not be negative"))
    return pairs


def pad(
    array: ArrayLike,
    pad_width: Any,
    mode: str | Callable[..., Any] = "constant",
    **kwargs,
) -> Array:
    """The array with values added at the ends of its axes.

    Args:
      pad_width: how many: one number, a pair (before, after), or a pair for each axis.
      mode: 'constant' (with `constant_values`, 0 by default), 'edge', 'empty',
        'linear_ramp' (`end_values`), 'maximum', 'mean', 'median', 'minimum'
        (`stat_length`), 'reflect', 'symmetric' (`reflect_type`), 'wrap', or a function
        as np.pad takes, which returns the padded vector.
    Raises: ValueError for negative widths or options of another mode,
      NotImplementedError for an unknown mode.

    >>> import jaxlike.numpy as jnp
    >>> jnp.pad(jnp.array([1, 2]), (1, 2), mode="edge").tolist()
    [1, 1, 2, 2, 2]
    """
    [array] = to_arrays("pad", array)
    widths = _widths(pad_width, array.ndim)
    if callable(mode):
        return _by_function(array, widths, mode, kwargs)
    if mode not in _OPTIONS:
        raise NotImplementedError(
            format_error(f"Unimplemented padding mode {mode!r} for np.pad.")
        )
    unknown = set(kwargs) - _OPTIONS[mode]
    if unknown:
        raise ValueError(
            format_error(f"pad with mode {mode!r} does not take {unknown}")
        )
    if not array.ndim:
        return array
    if mode == "constant":
        return _constant(array, widths, kwargs.get("constant_values", 0))
    if mode == "empty":
        return _constant(array, widths, 0)
    if mode == "edge":
        return _edge(array, widths)
    if mode == "wrap":
        return _wrap(array, widths)
    if mode in ("reflect", "symmetric"):
        odd = kwargs.get("reflect_type", "even")
        if odd not in ("even", "odd"):
            raise ValueError(
                format_error(f"reflect_type must be 'even' or 'odd', got {odd!r}")
            )
        return _reflect(array, widths, mode == "symmetric", odd == "odd")
    if mode == "linear_ramp":
        return _ramp(array, widths, kwargs.get("end_values", 0))
    return _statistic(array, widths, mode, kwargs.get("stat_length"))


def _constant(array, widths: Pairs, values: Any):
    if not isinstance(values, Array):
        values = as_array(values) if np.ndim(values) == 0 else creation.asarray(values)
    values = convert(values, array.dtype)
    if not values.ndim:
        return joining.pad(array, values, [(a, b, 0) for a, b in widths])
    for i, (before, after) in enumerate(_pairs(values, array.ndim, "constant_values")):
        lead = [(0, 0, 0)] * array.ndim
        lead[i] = (widths[i][0], 0, 0)
        array = joining.pad(array, before, lead)
        lead[i] = (0, widths[i][1], 0)
        array = joining.pad(array, after, lead)
    return array


def _part(array, start: int, stop: int, axis: int):
    return slicing.slice_in_dim(array, start, stop, axis=axis)


def _stretched(part, size: int, axis: int):
    shape = (*part.shape[:axis], size, *part.shape[axis + 1 :])
    return broadcast_to_shape(part, shape)


def _edge(array, widths: Pairs):
    for axis, (before, after) in enumerate(widths):
        size = array.shape[axis]
        if not size:
            if before or after:
                raise ValueError(
                    format_error(
                        f"Cannot apply 'edge' padding to an empty axis; axis {axis}"
                    )
                )
            continue
        first, last = _part(array, 0, 1, axis), _part(array, size - 1, size, axis)
        array = concatenate(
            [_stretched(first, before, axis), array, _stretched(last, after, axis)],
            axis,
        )
    return array


def _wrap(array, widths: Pairs):
    for axis, (before, after) in enumerate(widths):
        size = array.shape[axis]
        if not size:
            if before or after:
                raise ValueError(
                    format_error(
                        f"Cannot apply 'wrap' padding to an empty axis; axis {axis}"
                    )
                )
            continue
        whole_before, rest_before = divmod(before, size)
        whole_after, rest_after = divmod(after, size)
        parts = [
            _part(array, size - rest_before, size, axis),
            *[array] * (whole_before + 1 + whole_after),
            _part(array, 0, rest_after, axis),
        ]
        array = concatenate(parts, axis)
    return array


def _reflect(array, widths: Pairs, symmetric: bool, odd: bool):
    for axis, (before, after) in enumerate(widths):
        if not array.shape[axis]:
            if before or after:
                raise ValueError(
                    format_error(
                        f"Cannot apply 'reflect' padding to an empty axis; axis {axis}"
                    )
                )
            continue
        array = _reflect_end(array, before, axis, symmetric, odd, front=True)
        array = _reflect_end(array, after, axis, symmetric, odd, front=False)
    return array


def _reflect_end(array, count: int, axis: int, symmetric: bool, odd: bool, front: bool):
    # mirrored piece by piece, since the padding may be longer than the array
    offset = 0 if symmetric else 1
    original = array.shape[axis]
    while count > 0:
        size = array.shape[axis]
        if original == 1 and not symmetric:
            edge = _part(array, 0, 1, axis)
            piece = _stretched(edge, count, axis)
            return concatenate([piece, array] if front else [array, piece], axis)
        step = min(count, original - offset)
        if front:
            piece = flip(_part(array, offset, offset + step, axis), axis)
            edge = _part(array, 0, 1, axis)
        else:
            piece = _part(array, size - offset - step, size - offset, axis)
            piece = flip(piece, axis)
            edge = _part(array, size - 1, size, axis)
        if odd:
            piece = 2 * edge - piece
        array = concatenate([piece, array] if front else [array, piece], axis)
        count -= step
    return array


def _ramp(array, widths: Pairs, end_values: Any):
    ends = _pairs(end_values, array.ndim, "end_values")
    for axis, (before, after) in enumerate(widths):
        size = array.shape[axis]
        edges = _part(array, 0, 1, axis), _part(array, size - 1, size, axis)
        parts = [array]
        for count, end, edge, front in (
            (before, ends[axis][0], edges[0], True),
            (after, ends[axis][1], edges[1], False),
        ):
            inner = manipulation.squeeze(edge, axis)
            ramp = linspace(
                end, inner, count, endpoint=False, dtype=array.dtype, axis=axis
            )
            if front:
                parts.insert(0, ramp)
            else:
                parts.append(flip(ramp, axis))
        array = concatenate(parts, axis)
    return array


def _statistic(array, widths: Pairs, mode: str, stat_length: Any):
    statistic = {
        "maximum": reductions.amax,
        "minimum": reductions.amin,
        "mean": averages.mean,
        "median": quantiles.median,
    }[mode]
    if stat_length is not None:
        lengths = _pairs(stat_length, array.ndim, "stat_length")
        lengths = tuple((int(a), int(b)) for a, b in lengths)
        if any(n < 1 for pair in lengths for n in pair):
            raise ValueError(
                format_error(
                    f"stat_length of {stat_length} must be positive for {mode}"
                )
            )
    for axis, (before, after) in enumerate(widths):
        size = array.shape[axis]
        if stat_length is None:
            parts = array, array
        else:
            first, last = (min(n, size) for n in lengths[axis])
            parts = _part(array, 0, first, axis), _part(array, size - last, size, axis)
        values = [statistic(part, axis=axis, keepdims=True) for part in parts]
        if dtypes.issubdtype(array.dtype, np.integer):
            values = [round_(v) for v in values]
        values = [convert(v, array.dtype) for v in values]
        array = concatenate(
            [
                _stretched(values[0], before, axis),
                array,
                _stretched(values[1], after, axis),
            ],
            axis,
        )
    return array


def _by_function(array, widths: Pairs, function: Callable, kwargs: dict):
    from jaxlike.numpy.apply import apply_along_axis

    padded = _constant(array, widths, 0)
    for axis in range(array.ndim):
        padded = apply_along_axis(function, axis, padded, widths[axis], axis, kwargs)
    return padded


# --- bits


def packbits(a: ArrayLike, axis: int | None = None, bitorder: str = "big") -> Array:
    """Truth values along an axis as the bits of bytes, the last one filled with zeros.

    Args: `axis`, None to flatten the array first; `bitorder`, 'big' if the first value
    is the highest bit, or 'little'.
    Raises: TypeError unless `a` is of integers or booleans.

    >>> import jaxlike.numpy as jnp
    >>> jnp.packbits(jnp.array([1, 0, 1])).tolist()
    [160]
    """
    [a] = to_arrays("packbits", a)
    if not dtypes.isdtype(a.dtype, ("integral", "bool")):
        raise TypeError(format_error("packbits takes integers or booleans"))
    if bitorder not in ("big", "little"):
        raise ValueError(format_error("packbits: bitorder is 'big' or 'little'"))
    bits = a > 0 if a.dtype != np.bool_ else a
    if axis is None:
        bits, axis = bits.reshape(-1), 0
    axis = canonical_axis(axis, bits.ndim)
    bits = manipulation.moveaxis(bits, axis, -1)
    missing = -bits.shape[-1] % 8
    bits = pad(bits, [(0, 0)] * (bits.ndim - 1) + [(0, missing)])
    bits = bits.reshape((*bits.shape[:-1], bits.shape[-1] // 8, 8))
    weights = 1 << np.arange(8, dtype=np.uint8)
    weights = creation.asarray(weights[::-1] if bitorder == "big" else weights)
    weights = weights.reshape((1,) * (bits.ndim - 1) + (8,))
    packed = reductions.sum(bits.astype("uint8") * weights, -1, promote_integers=False)
    return manipulation.moveaxis(packed, -1, axis)


def unpackbits(
    a: ArrayLike,
    axis: int | None = None,
    count: int | None = None,
    bitorder: str = "big",
) -> Array:
    """The bits of bytes along an axis, as 0 and 1.

    Args: `axis`, None to flatten the array first; `count`, how many bits to return,
    filled with zeros, or to leave out at the end if negative; `bitorder`, as in
    `packbits`.
    Raises: TypeError unless `a` is of uint8.

    >>> import jaxlike.numpy as jnp
    >>> jnp.unpackbits(jnp.array([5], dtype="uint8")).tolist()
    [0, 0, 0, 0, 0, 1, 0, 1]
    """
    [a] = to_arrays("unpackbits", a)
    if a.dtype != np.uint8:
        raise TypeError(format_error("unpackbits takes uint8"))
    if bitorder not in ("big", "little"):
        raise ValueError(format_error("unpackbits: bitorder is 'big' or 'little'"))
    if axis is None:
        a, axis = a.reshape(-1), 0
    axis = canonical_axis(axis, a.ndim)
    a = manipulation.moveaxis(a, axis, -1)
    shifts = np.arange(8, dtype=np.uint8)
    shifts = creation.asarray(shifts[::-1] if bitorder == "big" else shifts)
    shifts = shifts.reshape((1,) * a.ndim + (8,))
    bits = (a[..., None] >> shifts) & 1
    bits = bits.reshape((*a.shape[:-1], a.shape[-1] * 8))
    size = bits.shape[-1]
    if count is not None:
        if count > size:
            bits = pad(bits, [(0, 0)] * (bits.ndim - 1) + [(0, count - size)])
        else:
            bits = bits[..., :count]
    return manipulation.moveaxis(bits, -1, axis)
