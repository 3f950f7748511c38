"""Evenly spaced numbers: arange, linspace, logspace, geomspace; meshgrid, indices."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from jaxlike.core import dtypes
from jaxlike.core.array import Array
from jaxlike.core.errors import format_error
from jaxlike.core.state import state
from jaxlike.core.trace import concrete_or_error, eval_trace
from jaxlike.numpy.arrays import from_ndarray
from jaxlike.numpy.binary import power
from jaxlike.numpy.checks import isfinite
from jaxlike.numpy.composites import composite_of
from jaxlike.numpy.creation import array, asarray, on_device
from jaxlike.numpy.parts import floor
from jaxlike.numpy.promote import (
    ArrayLike,
    DTypeLike,
    broadcast_args,
    broadcast_to_shape,
    check_arraylike,
    convert,
    dtype_of,
    is_arraylike,
    promote_shapes,
    scalar_like,
    shape_of,
    to_arrays,
    user_dtype,
)
from jaxlike.numpy.searching import where
from jaxlike.numpy.unary import log10, sign
from jaxlike.primitives import arithmetic, broadcasting, joining, shapes
from jaxlike.primitives.axes import canonical_axis

__all__ = [
    "arange",
    "geomspace",
    "indices",
    "linspace",
    "logspace",
    "meshgrid",
]


def arange(
    start: ArrayLike,
    stop: ArrayLike | None = None,
    step: ArrayLike | None = None,
    dtype: DTypeLike | None = None,
    *,
    device=None,
    out_sharding=None,
) -> Array:
    """The numbers from `start` (0, if one bound is given) up to `stop`, by `step`.

    Args: real scalars known now; `stop` itself is left out.
    Returns: a vector of the dtype that the bounds promote to.

    >>> import jaxlike.numpy as jnp
    >>> jnp.arange(2, 8, 3).tolist()
    [2, 5]
    """
    if dtype is not None:
        dtype = user_dtype(dtype, "arange")
    if stop is None:
        start, stop = 0, start
        if stop is None:
            raise TypeError(
                format_error("arange: 'stop' must be a real number, not None")
            )
        named = (("stop", stop), ("step", step))
    else:
        named = (("start", start), ("stop", stop), ("step", step))
    for name, value in named:
        if value is not None:
            _check_bound(name, value)
    if dtype is None:
        bounds = [x for x in (start, stop, step) if x is not None]
        if start == 0 and type(start) is int and len(bounds) > 1:
            bounds = bounds[1:] if dtypes.is_python_scalar(stop) else bounds
        dtype = _bounds_dtype(bounds)
    needed = "a bound of arange, which decides its length"
    start, stop, step = (
        _number(concrete_or_error(None, x, needed)) for x in (start, stop, step)
    )
    if step is None:
        count = math.ceil(stop - start)
    elif step == 0:
        raise ZeroDivisionError(format_error("arange: step is zero"))
    else:
        count = math.ceil((stop - start) / step)
    if dtype == np.bool_:
        raise TypeError(
            format_error("arange does not make booleans; give another dtype")
        )
    return on_device(_progression(dtype, max(count, 0), start, step), device)


def _check_bound(name: str, value: Any) -> None:
    if not is_arraylike(value):
        if isinstance(value, str):
            raise TypeError(format_error(f"arange: {name} is a string, {value!r}"))
        check_arraylike("arange", value)
    if shape_of(value) != ():
        raise ValueError(format_error(f"arange takes scalars, got {name}={value}"))
    if dtypes.issubdtype(dtype_of(value), np.complexfloating):
        raise ValueError(format_error("arange takes real numbers"))


def _bounds_dtype(bounds: list) -> np.dtype:
    dtype = dtypes.lattice_result_type(*bounds)[0]
    if all(type(x) is int for x in bounds):
        return dtypes.default_int_dtype()
    return dtype


def _number(x: Any) -> Any:
    """A scalar as a Python number, exactly."""
    if x is None or type(x) in (int, float):
        return x
    if type(x) is Array:
        x = x._data
    return np.asarray(x).item()


def _progression(dtype: np.dtype, count: int, start: Any, step: Any) -> Array:
    if state.trace is eval_trace and dtype.kind in "iu" and step is None:
        if isinstance(start, int):
            info = np.iinfo(dtype)
            if info.min <= start and start + count <= info.max:
                return from_ndarray(np.arange(start, start + count, dtype=dtype))
    out = broadcasting.iota(dtype, count)
    if step is not None:
        out = arithmetic.mul(_wrapped(step, dtype), out)
    if step is not None or start:
        out = arithmetic.add(_wrapped(start, dtype), out)
    return out


def _wrapped(value: Any, dtype: np.dtype) -> np.ndarray:
    if dtype.kind in "iu" and isinstance(value, int):
        return np.asarray(value & (2**64 - 1), np.uint64).astype(dtype)
    with np.errstate(all="ignore"):
        return np.asarray(value).astype(dtype)


@composite_of(2)
def linspace(
    start: ArrayLike,
    stop: ArrayLike,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: DTypeLike | None = None,
    axis: int = 0,
    *,
    device=None,
) -> Array | tuple[Array, Array]:
    """`num` evenly spaced numbers from `start` to `stop`.

    Args: `start`, `stop`, scalars or arrays that broadcast; `endpoint`, whether `stop`
    is the last number; `retstep`, whether to return the step too; `axis`, where the
    numbers go.
    Returns: floats, unless a dtype is given; integers are rounded down.
    Raises: ValueError for negative `num`.

    >>> import jaxlike.numpy as jnp
    >>> jnp.linspace(0, 1, 3).tolist()
    [0.0, 0.5, 1.0]
    """
    num = concrete_or_error(operator.index, num, "'num' argument of jnp.linspace")
    if num < 0:
        raise ValueError(format_error(f"num must not be negative, got {num}"))
    if dtype is not None:
        dtype = user_dtype(dtype, "linspace")
    start, stop = to_arrays("linspace", start, stop)
    if dtype is None:
        joint = dtypes.lattice_result_type(start, stop)[0]
        dtype = dtypes.canonicalize_dtype(dtypes.to_inexact_dtype(joint))
    joint = dtypes.lattice_result_type(start, stop, dtype)[0]
    computed = dtypes.canonicalize_dtype(dtypes.to_inexact_dtype(joint))
    start, stop = (convert(x, computed) for x in (start, stop))
    start, stop = broadcast_args(*promote_shapes("linspace", start, stop))
    shape = start.shape
    axis = canonical_axis(axis, len(shape) + 1)
    divisions = num - 1 if endpoint else num
    difference = arithmetic.sub(stop, start)
    if num > 1:
        step = arithmetic.div(difference, scalar_like(difference, divisions))
        lead = (1, *shape)
        real = dtypes.to_real_dtype(computed)
        index = broadcasting.iota(real, divisions)
        part = arithmetic.div(index, scalar_like(index, divisions))
        part = convert(part, computed)
        part = shapes.reshape(part, (divisions,) + (1,) * len(shape))
        rest = arithmetic.sub(scalar_like(part, 1), part)
        out = arithmetic.add(
            arithmetic.mul(shapes.reshape(start, lead), rest),
            arithmetic.mul(shapes.reshape(stop, lead), part),
        )
        if endpoint:
            last = broadcast_to_shape(stop, lead)
            out = joining.concatenate([out, last], 0)
    else:
        # the step from one number to none is unknown, unless the end is left out
        nan = scalar_like(difference, np.nan)
        step = where(num == 1 and not endpoint, difference, nan)
        out = shapes.reshape(start, (1, *shape))
        if num == 0:
            out = broadcasting.full((0, *shape), 0, computed)
    if axis:
        out = shapes.moveaxis(out, 0, axis)
    if dtypes.issubdtype(dtype, np.integer) and not dtypes.issubdtype(
        out.dtype, np.integer
    ):
        out = floor(out)
    out = on_device(convert(out, dtype), device)
    return (out, step) if retstep else out


@composite_of(2)
def logspace(
    start: ArrayLike,
    stop: ArrayLike,
    num: int = 50,
    endpoint: bool = True,
    base: ArrayLike = 10.0,
    dtype: DTypeLike | None = None,
    axis: int = 0,
) -> Array:
    """`base` to the power of `num` evenly spaced exponents; see `linspace`.

    >>> import jaxlike.numpy as jnp
    >>> jnp.logspace(0, 2, 3, base=2).tolist()
    [1.0, 2.0, 4.0]
    """
    check_arraylike("logspace", start, stop)
    num = concrete_or_error(operator.index, num, "'num' argument of jnp.logspace")
    if dtype is None:
        joint = dtypes.lattice_result_type(start, stop)[0]
        dtype = dtypes.canonicalize_dtype(dtypes.to_inexact_dtype(joint))
    dtype = user_dtype(dtype, "logspace")
    joint = dtypes.lattice_result_type(start, stop, dtype)[0]
    computed = dtypes.canonicalize_dtype(dtypes.to_inexact_dtype(joint))
    start, stop = (convert(asarray(x), computed) for x in (start, stop))
    exponents = linspace(start, stop, num, endpoint=endpoint, axis=axis)
    return convert(power(convert(asarray(base), computed), exponents), dtype)


@composite_of(2)
def geomspace(
    start: ArrayLike,
    stop: ArrayLike,
    num: int = 50,
    endpoint: bool = True,
    dtype: DTypeLike | None = None,
    axis: int = 0,
) -> Array:
    """`num` numbers from `start` to `stop`, each the same multiple of the one before.

    Args: as `linspace`; `start` and `stop` have one sign.

    >>> import jaxlike.numpy as jnp
    >>> jnp.geomspace(1, 1000, 4).round().tolist()
    [1.0, 10.0, 100.0, 1000.0]
    """
    check_arraylike("geomspace", start, stop)
    num = concrete_or_error(operator.index, num, "'num' argument of jnp.geomspace")
    if dtype is None:
        joint = dtypes.lattice_result_type(start, stop)[0]
        dtype = dtypes.canonicalize_dtype(dtypes.to_inexact_dtype(joint))
    dtype = user_dtype(dtype, "geomspace")
    joint = dtypes.lattice_result_type(start, stop, dtype)[0]
    computed = dtypes.canonicalize_dtype(dtypes.to_inexact_dtype(joint))
    start, stop = (convert(asarray(x), computed) for x in (start, stop))
    # both ends are turned so that the first one is positive
    direction = sign(start)
    rotated = arithmetic.div(stop, arithmetic.sign(start))
    positive = arithmetic.div(start, direction)
    out = logspace(
        log10(positive), log10(rotated), num, endpoint=endpoint, base=10.0, axis=0
    )
    out = arithmetic.mul(out, broadcast_to_shape(direction, out.shape))
    if num > 0:
        # rounding must not move the ends; NaN stays where there is no such sequence
        out = out.at[0].set(_exact(start, out[0]))
        if endpoint and num > 1:
            out = out.at[-1].set(_exact(stop, out[-1]))
    axis = canonical_axis(axis, out.ndim)
    if axis:
        out = shapes.moveaxis(out, 0, axis)
    return convert(out, dtype)


def _exact(end, computed):
    good = isfinite(computed)
    return where(good, broadcast_to_shape(end, computed.shape), computed)


def meshgrid(
    *xi: ArrayLike, copy: bool = True, sparse: bool = False, indexing: str = "xy"
) -> list[Array]:
    """The coordinate arrays of a grid, one for each vector of coordinates.

    Args: `sparse`, whether to return arrays that broadcast to the grid; `indexing`,
    'xy' if the first two coordinates run along the columns and the rows, or 'ij'.
    Raises: ValueError unless all arguments are vectors.

    >>> import jaxlike.numpy as jnp
    >>> [x.tolist() for x in jnp.meshgrid(jnp.array([1, 2]), jnp.array([3, 4]))]
    [[[1, 2], [1, 2]], [[3, 3], [4, 4]]]
    """
    args = list(to_arrays("meshgrid", *xi))
    if not copy:
        raise ValueError(format_error("meshgrid has copy=True only"))
    if indexing not in ("xy", "ij"):
        raise ValueError(
            format_error(f"meshgrid: indexing is 'xy' or 'ij', got {indexing!r}")
        )
    if any(a.ndim != 1 for a in args):
        raise ValueError(
            format_error(
                f"meshgrid takes vectors, got shapes {[a.shape for a in args]}"
            )
        )
    if indexing == "xy" and len(args) >= 2:
        args[0], args[1] = args[1], args[0]
    whole = tuple(a.shape[0] for a in args)
    out = []
    for i, a in enumerate(args):
        size = a.shape[0]
        shape = tuple(size if i == j else 1 for j in range(len(args)))
        shape = shape if sparse else whole
        out.append(broadcasting.broadcast_in_dim(a, shape, (i,)))
    if indexing == "xy" and len(args) >= 2:
        out[0], out[1] = out[1], out[0]
    return out


def indices(
    dimensions: Sequence[int], dtype: DTypeLike | None = None, sparse: bool = False
) -> Array | tuple[Array, ...]:
    """The index of every element along each axis of an array of these dimensions.

    Returns: an array of shape (axes, *dimensions), or if `sparse`, arrays that
    broadcast to the dimensions.

    >>> import jaxlike.numpy as jnp
    >>> jnp.indices((2, 2)).tolist()
    [[[0, 0], [1, 1]], [[0, 1], [0, 1]]]
    """
    dimensions = tuple(
        concrete_or_error(operator.index, d, "dimensions argument of jnp.indices")
        for d in dimensions
    )
    dtype = dtypes.default_int_dtype() if dtype is None else dtype
    dtype = user_dtype(dtype, "indices")
    rank = len(dimensions)
    out = []
    for i, n in enumerate(dimensions):
        shape = tuple(n if i == j else 1 for j in range(rank)) if sparse else dimensions
        row = broadcasting.iota(dtype, n)
        out.append(broadcasting.broadcast_in_dim(row, shape, (i,)))
    if sparse:
        return tuple(out)
    if not out:
        return array([], dtype=dtype)
    return joining.stack(out, 0)
