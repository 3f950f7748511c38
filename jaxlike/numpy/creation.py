"""Making arrays: array, asarray, astype, zeros, ones, full and their _like forms.

Ranges are in ranges.py, matrices of given patterns in matrices.py.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from jaxlike.core import dtypes
from jaxlike.core.array import Array
from jaxlike.core.avals import ShapedArray
from jaxlike.core.errors import format_error
from jaxlike.core.state import state
from jaxlike.core.trace import eval_trace
from jaxlike.numpy.arrays import array_of
from jaxlike.numpy.composites import composite_of
from jaxlike.numpy.promote import (
    ArrayLike,
    DTypeLike,
    as_array,
    broadcast_to_shape,
    check_arraylike,
    convert,
    dtype_of,
    ndim_of,
    shape_of,
    to_arrays,
    user_dtype,
)
from jaxlike.primitives import broadcasting
from jaxlike.primitives.axes import canonical_shape

__all__ = [
    "array",
    "asarray",
    "astype",
    "copy",
    "empty",
    "empty_like",
    "full",
    "full_like",
    "ones",
    "ones_like",
    "zeros",
    "zeros_like",
]

_SCALARS = (bool, int, float, complex)


def arange_int(n: int) -> Array:
    """0, 1, ... n - 1, of the default integer dtype."""
    return broadcasting.iota(dtypes.default_int_dtype(), n)


def on_device(x: Any, device: Any) -> Any:
    """`x` on a device or with a sharding; None leaves it where it is."""
    if device is None:
        return x
    from jaxlike import device_put

    return device_put(x, device)


# --- array


def array(
    object: Any,
    dtype: DTypeLike | None = None,
    *args,
    copy: bool = True,
    order: str | None = "K",
    ndmin: int = 0,
    device=None,
    out_sharding=None,
) -> Array:
    """An array of the values in `object`.

    Args:
      object: a number, an array, (nested) lists or tuples of those, or anything that
        NumPy can read.
      dtype: by default the one the values promote to. Python numbers give the default
        dtypes; a single one stays weakly typed.
      copy: whether to copy even where `object` could be shared.
      ndmin: leading axes of size 1 are added up to this rank.
    Raises: OverflowError for integers that do not fit, TypeError for other values.

    >>> import jaxlike.numpy as jnp
    >>> jnp.array([[1, 2], [3, 4.5]])
    Array([[1. , 2. ],
           [3. , 4.5]], dtype=float32)
    """
    if args:
        raise TypeError(
            format_error(f"array takes 2 arguments by position, got {2 + len(args)}")
        )
    if order is not None and order != "K":
        raise NotImplementedError(format_error("array has order='K' only"))
    if dtype is not None:
        dtype = user_dtype(dtype, "array")
    out = array_of(object, dtype, copy)
    if out.ndim < ndmin:
        out = _reshape(out, (1,) * (ndmin - out.ndim) + out.shape)
    if device is not None or out_sharding is not None:
        out = on_device(out, device if device is not None else out_sharding)
    return out


def asarray(
    a: Any,
    dtype: DTypeLike | None = None,
    order: str | None = None,
    *,
    copy: bool | None = None,
    device=None,
    out_sharding=None,
) -> Array:
    """As `array`, and arrays of the right dtype come back as they are.

    >>> import jaxlike.numpy as jnp
    >>> x = jnp.arange(3)
    >>> jnp.asarray(x) is x
    True
    """
    if dtype is None and type(a) is Array and not copy and device is None:
        return a
    return array(
        a,
        dtype=dtype,
        copy=bool(copy),
        order="K" if order is None else order,
        device=device,
        out_sharding=out_sharding,
    )


def _reshape(x, shape):
    from jaxlike.primitives.shapes import reshape

    return reshape(x, shape)


def copy(a: ArrayLike, order: str | None = None) -> Array:
    """A copy of an array.

    >>> import jaxlike.numpy as jnp
    >>> x = jnp.arange(3)
    >>> jnp.copy(x) is x
    False
    """
    check_arraylike("copy", a)
    return array(a, copy=True, order="K" if order is None else order)


def astype(
    x: ArrayLike,
    dtype: DTypeLike | None,
    /,
    *,
    copy: bool = False,
    device=None,
) -> Array:
    """`x` converted to a dtype (the default float dtype for None).

    Complex numbers lose their imaginary part; floats are cut towards zero on the way
    to integers, to the nearest one in range.

    >>> import jaxlike.numpy as jnp
    >>> jnp.astype(jnp.array([1.7, -1.7]), int).tolist()
    [1, -1]
    """
    [x_arr] = to_arrays("astype", x)
    if dtype is None:
        dtype = dtypes.default_float_dtype()
    target = user_dtype(dtype, "astype")
    if isinstance(target, dtypes.ExtendedDType) != isinstance(
        x_arr.dtype, dtypes.ExtendedDType
    ):
        raise ValueError(
            format_error(
                f"astype: {x_arr.dtype} has no numbers that {target} could hold"
            )
        )
    out = _convert(x_arr, target)
    if copy and out is x_arr:
        out = array(out, copy=True)
    return on_device(out, device)


@composite_of(1)
def _convert(x, dtype):
    return convert(x, dtype)


# --- constant arrays


def _full(shape: tuple[int, ...], value: Any, dtype: np.dtype) -> Array:
    """An array of one number, without an equation in eager mode."""
    if state.trace is eval_trace:
        data = np.zeros(shape, dtype) if value == 0 else np.full(shape, value, dtype)
        return Array(data, ShapedArray(shape, dtype))
    return broadcasting.full(shape, value, dtype)


def _constant(name: str, value: int, shape, dtype, device, out_sharding) -> Array:
    if dtype is None:
        dtype = dtypes.default_float_dtype()
    else:
        dtype = user_dtype(dtype, name)
    if type(dtype) is not np.dtype and not isinstance(dtype, np.dtype):
        raise TypeError(format_error(f"{name} cannot have dtype {dtype}"))
    out = _full(canonical_shape(shape), value, dtype)
    if device is None and out_sharding is None:
        return out
    return on_device(out, device if device is not None else out_sharding)


def zeros(
    shape: Any, dtype: DTypeLike | None = None, *, device=None, out_sharding=None
):
    """An array of zeros, of float32 unless a dtype is given.

    Args: `shape`, an int or a sequence of ints.

    >>> import jaxlike.numpy as jnp
    >>> jnp.zeros((2, 3)).shape
    (2, 3)
    """
    return _constant("zeros", 0, shape, dtype, device, out_sharding)


def ones(shape: Any, dtype: DTypeLike | None = None, *, device=None, out_sharding=None):
    """An array of ones, of float32 unless a dtype is given.

    Args: `shape`, an int or a sequence of ints.

    >>> import jaxlike.numpy as jnp
    >>> jnp.ones(2, int).tolist()
    [1, 1]
    """
    return _constant("ones", 1, shape, dtype, device, out_sharding)


def empty(
    shape: Any, dtype: DTypeLike | None = None, *, device=None, out_sharding=None
):
    """As `zeros`: arrays are never uninitialised.

    >>> import jaxlike.numpy as jnp
    >>> jnp.empty(2).tolist()
    [0.0, 0.0]
    """
    return _constant("empty", 0, shape, dtype, device, out_sharding)


def full(
    shape: Any,
    fill_value: ArrayLike,
    dtype: DTypeLike | None = None,
    *,
    device=None,
    out_sharding=None,
) -> Array:
    """An array of one value, or of values that broadcast to the shape.

    Args: `shape`, an int or a sequence of ints; `dtype`, by default that of the value,
    which is weak for Python numbers.

    >>> import jaxlike.numpy as jnp
    >>> jnp.full(2, 7).tolist()
    [7, 7]
    """
    check_arraylike("full", fill_value)
    if dtype is not None:
        dtype = user_dtype(dtype, "full")
    shape = canonical_shape(shape)
    out = _filled(shape, fill_value, dtype)
    if device is None and out_sharding is None:
        return out
    return on_device(out, device if device is not None else out_sharding)


def _filled(shape, fill_value, dtype) -> Array:
    value = fill_value if dtype is None else _as_dtype(fill_value, dtype)
    value = as_array(value)
    data = value._data if type(value) is Array else None
    if data is not None and state.trace is eval_trace:
        whole = np.empty(shape, data.dtype)
        whole[...] = _check_broadcasts(data, shape)
        aval = value.aval
        return Array(whole, ShapedArray(shape, aval.dtype, aval.weak_type))
    if (
        data is not None
        and data.dtype == value.dtype
        and not (data.ndim or value.weak_type)
    ):
        value = data[()]  # a literal of the jaxpr
    _check_broadcasts(value, shape)
    return broadcast_to_shape(value, shape)


def _check_broadcasts(value, shape):
    own = value.shape
    fits = len(own) <= len(shape) and all(
        n in (1, m) for n, m in zip(own[::-1], shape[::-1])
    )
    if not fits:
        raise ValueError(
            format_error(
                f"Incompatible shapes for broadcasting: {own} and requested shape "
                f"{shape}"
            )
        )
    return value


def _as_dtype(value, dtype):
    if type(value) in _SCALARS:
        if isinstance(dtype, np.dtype) and dtype.kind != "c" and type(value) is complex:
            value = value.real
        return convert(value, dtype)
    return convert(as_array(value), dtype)


def full_like(
    a: ArrayLike,
    fill_value: ArrayLike,
    dtype: DTypeLike | None = None,
    shape: Any = None,
    *,
    device=None,
    out_sharding=None,
) -> Array:
    """As `full`, with the shape and the dtype of `a` where none is given.

    Args: `a`, an array or anything with `.shape` and `.dtype`.

    >>> import jaxlike.numpy as jnp
    >>> jnp.full_like(jnp.arange(2), 7).tolist()
    [7, 7]
    """
    if not _is_duck(a):
        check_arraylike("full_like", a)
    check_arraylike("full_like", 0, fill_value)
    return _like("full_like", a, fill_value, dtype, shape, device, out_sharding)


def _is_duck(a: Any) -> bool:
    return hasattr(a, "shape") and hasattr(a, "dtype")


def _like(name, a, value, dtype, shape, device, out_sharding) -> Array:
    if dtype is not None:
        dtype = user_dtype(dtype, name)
        weak = False
    else:
        weak = bool(getattr(a, "weak_type", type(a) in (int, float, complex)))
    own = _is_duck(a)
    if not own:
        check_arraylike(name, a)
    own_dtype = dtypes.canonicalize_dtype(a.dtype) if own else dtype_of(a)
    shape = (a.shape if own else shape_of(a)) if shape is None else shape
    shape = canonical_shape(shape)
    if isinstance(own_dtype, dtypes.ExtendedDType) and dtype is None:
        return _key_like(shape, value, own_dtype)
    target = own_dtype if dtype is None else dtype
    if type(value) is int and not weak:
        out = _full(shape, convert(value, target).item(), target)
    else:
        out = convert(_filled(shape, value, target), target, weak)
    if device is None and out_sharding is None:
        return out
    return on_device(out, device if device is not None else out_sharding)


def _key_like(shape, value, dtype):
    if ndim_of(value) or not isinstance(value, int) or value:
        raise ValueError(
            format_error(f"arrays of {dtype} can be filled with 0 only, got {value}")
        )
    data = np.zeros(shape, dtype.storage)
    return Array(data, ShapedArray(shape, dtype))


def zeros_like(
    a: ArrayLike,
    dtype: DTypeLike | None = None,
    shape: Any = None,
    *,
    device=None,
    out_sharding=None,
) -> Array:
    """Zeros, with the shape and the dtype of `a` where none is given.

    >>> import jaxlike.numpy as jnp
    >>> jnp.zeros_like(jnp.arange(2)).tolist()
    [0, 0]
    """
    if type(a) is Array and dtype is shape is device is out_sharding is None:
        aval = a.aval
        if state.trace is eval_trace and isinstance(aval.dtype, np.dtype):
            return Array(np.zeros(aval.shape, aval.dtype), aval)
    return _like("zeros_like", a, 0, dtype, shape, device, out_sharding)


def ones_like(
    a: ArrayLike,
    dtype: DTypeLike | None = None,
    shape: Any = None,
    *,
    device=None,
    out_sharding=None,
) -> Array:
    """Ones, with the shape and the dtype of `a` where none is given.

    >>> import jaxlike.numpy as jnp
    >>> jnp.ones_like(jnp.arange(2)).tolist()
    [1, 1]
    """
    if type(a) is Array and dtype is shape is device is out_sharding is None:
        aval = a.aval
        if state.trace is eval_trace and isinstance(aval.dtype, np.dtype):
            return Array(np.ones(aval.shape, aval.dtype), aval)
    return _like("ones_like", a, 1, dtype, shape, device, out_sharding)


def empty_like(
    prototype: ArrayLike,
    dtype: DTypeLike | None = None,
    shape: Any = None,
    *,
    device=None,
) -> Array:
    """As `zeros_like`: arrays are never uninitialised.

    >>> import jaxlike.numpy as jnp
    >>> jnp.empty_like(jnp.arange(2)).tolist()
    [0, 0]
    """
    return _like("empty_like", prototype, 0, dtype, shape, device, None)
