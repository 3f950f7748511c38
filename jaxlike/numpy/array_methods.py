"""Methods and properties of arrays and tracers: most are jaxlike.numpy functions.

Importing this file, after the rest of jaxlike.numpy, puts them and the operators (of
operators.py) on core's Array and Tracer. `x[...]` is in indexing.py, `x.at` in at.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

import jaxlike.core.devices  # noqa: F401  (devices, device and sharding of arrays)
import jaxlike.numpy as jnp
from jaxlike.core import dtypes
from jaxlike.core.array import Array
from jaxlike.core.avals import ShapedArray
from jaxlike.core.errors import format_error
from jaxlike.core.source_info import api_boundary
from jaxlike.core.state import state
from jaxlike.core.trace import (
    Tracer,
    eval_trace,
    ignore_float_errors,
    restore_float_errors,
)
from jaxlike.numpy.dispatch import _all_plans, _blockers
from jaxlike.numpy.operators import PLANNED_DTYPES, operators
from jaxlike.primitives import complexes, conversion

ARRAY_API_VERSION = "2024.12"

# methods that are the function of that name, with the array as its first argument
_FUNCTIONS = (
    *("all", "any", "argmax", "argmin", "argpartition", "argsort", "choose", "clip"),
    *("conj", "conjugate", "cumprod", "cumsum", "diagonal", "dot", "max", "mean"),
    *("min", "nonzero", "prod", "ptp", "ravel", "repeat", "round", "searchsorted"),
    *("sort", "squeeze", "std", "sum", "swapaxes", "take", "trace", "var"),
)


# the result's aval for pairs of an array's aval and a dtype asked for
_casts: dict[Any, ShapedArray] = {}
_all_plans.append(_casts)
_CASTS_LIMIT = 1024


def astype(x: Any, dtype: Any, copy: bool = False, device: Any = None) -> Any:
    """The array with another dtype; None means the default float dtype.

    >>> import jaxlike.numpy as jnp
    >>> jnp.arange(3).astype("float16")
    Array([0., 1., 2.], dtype=float16)
    """
    if type(x) is not Array or copy or device is not None:
        return jnp.astype(x, dtype, copy=copy, device=device)
    if state.trace is not eval_trace or not isinstance(dtype, (str, type, np.dtype)):
        return jnp.astype(x, dtype)
    key = x.aval, dtype
    aval = _casts.get(key)
    if aval is None or x._data is None:
        out = jnp.astype(x, dtype)
        says_it = dtype in (bool, int, float, complex) or np.dtype(dtype) == out.dtype
        if says_it and _is_plain_cast(x.aval.dtype, out.dtype) and not _blockers:
            if len(_casts) >= _CASTS_LIMIT:
                _casts.clear()
            _casts[key] = out.aval
        return out
    token = ignore_float_errors()
    try:
        evaluate = conversion.convert_element_type_p.evaluate
        return Array(evaluate(x._data, new_dtype=aval.dtype), aval)
    finally:
        restore_float_errors(token)


def _is_plain_cast(old: Any, new: Any) -> bool:
    """Whether no warning can be due: about 64 bits, or a lost imaginary part."""
    return (
        {old, new} <= PLANNED_DTYPES
        and new.itemsize <= 4
        and (old.kind != "c" or new.kind == "c")
    )


def compress(
    x: Any,
    condition: Any,
    axis: int | None = None,
    *,
    out: None = None,
    size: int | None = None,
    fill_value: Any = 0,
) -> Any:
    """The entries along `axis` where `condition` holds; see jax.numpy.compress.

    >>> import jaxlike.numpy as jnp
    >>> jnp.arange(3).compress(jnp.array([True, False, True]))
    Array([0, 2], dtype=int32)
    """
    return jnp.compress(
        condition, x, axis=axis, out=out, size=size, fill_value=fill_value
    )


def copy(x: Any) -> Any:
    """The same values in a buffer of their own.

    >>> import jaxlike.numpy as jnp
    >>> jnp.arange(3).copy()
    Array([0, 1, 2], dtype=int32)
    """
    return jnp.array(x, copy=True)


def flatten(x: Any, order: str = "C", *, out_sharding: None = None) -> Any:
    """The elements as a vector, in row-major ("C") or column-major ("F") order.

    >>> import jaxlike.numpy as jnp
    >>> jnp.ones((2, 3)).flatten().shape
    (6,)
    """
    return jnp.ravel(x, order=order)


def reshape(x: Any, *args: Any, order: str = "C", out_sharding: None = None) -> Any:
    """The elements in another shape, given as ints or as one tuple; -1 is worked out.

    Raises: TypeError if the number of elements would change.

    >>> import jaxlike.numpy as jnp
    >>> jnp.arange(6).reshape(2, -1).shape
    (2, 3)
    """
    shape = args[0] if len(args) == 1 else args
    return jnp.reshape(x, shape, order=order)


def transpose(x: Any, *args: Any) -> Any:
    """The array with its axes reversed, or in the order given as ints or a tuple.

    >>> import jaxlike.numpy as jnp
    >>> jnp.ones((2, 3, 4)).transpose(0, 2, 1).shape
    (2, 4, 3)
    """
    if not args:
        axes = None
    elif len(args) == 1:
        axes = args[0]
        if axes is not None and not isinstance(axes, (tuple, list)):
            axes = (axes,)
    else:
        axes = args
    return jnp.transpose(x, axes)


def t(x: Any) -> Any:
    """The array with its axes reversed."""
    if type(x) is Array and state.trace is eval_trace:
        x._check_not_deleted()
        aval = x.aval
        return Array(
            x._data.T, ShapedArray(aval.shape[::-1], aval.dtype, aval.weak_type)
        )
    return jnp.transpose(x)


def to_device(x: Any, device: Any, *, stream: Any = None) -> Any:
    """The array on another device; `stream` must be None."""
    if stream is not None:
        raise NotImplementedError(format_error("to_device: stream must be None"))
    import jaxlike

    return jaxlike.device_put(x, device)


def no_flat(x: Any) -> Any:
    raise NotImplementedError(
        format_error(
            "arrays have no arr.flat, since they cannot be changed through it; try: "
            "arr.ravel()"
        )
    )


def array_namespace(x: Any, *, api_version: str | None = None) -> ModuleType:
    """The module of the array API standard: jaxlike.numpy.

    Raises: ValueError for a version of the standard that is not implemented.
    """
    if api_version is not None and api_version != ARRAY_API_VERSION:
        raise ValueError(
            format_error(
                f"api_version={api_version!r} of the array API is not there, only "
                f"{ARRAY_API_VERSION!r}"
            )
        )
    return jnp


def iterate(x: Any) -> Iterator[Any]:
    """The rows of an array, as `for row in x` takes them.

    Raises: TypeError if the array has no axes.
    """
    aval = x.aval
    if not aval.shape:
        raise TypeError(format_error("a 0-d array has no elements to go through"))
    if type(x) is Array:
        x._check_not_deleted()
        row = ShapedArray(aval.shape[1:], aval.dtype, aval.weak_type)
        data = x._data
        return (Array(data[i, ...], row) for i in range(aval.shape[0]))
    return (x[i] for i in range(aval.shape[0]))


def reverse(x: Any) -> Iterator[Any]:
    return iterate(x[::-1])


# --- the same bits, as another dtype


def view(x: Any, dtype: Any = None, type: None = None) -> Any:
    """The array's bytes read as another dtype; the last axis shrinks or grows.

    Raises: ValueError if the last axis does not divide into the larger dtype.

    >>> import jaxlike.numpy as jnp
    >>> jnp.arange(8, dtype="int8").view("int32")
    Array([ 50462976, 117835012], dtype=int32)
    """
    if type is not None:
        raise NotImplementedError(
            format_error("view: the argument `type` is not supported")
        )
    if dtype is None:
        return x
    dtype = dtypes.check_user_dtype_supported(dtype, "view")
    if dtype == x.dtype:
        return x
    old, new = dtypes.itemsize_bits(x.dtype), dtypes.itemsize_bits(dtype)
    if not x.ndim and old != new:
        raise ValueError(
            format_error(
                f"view of a 0-d array keeps the size of the dtype: {x.dtype} against "
                f"{dtype}"
            )
        )
    if old < new and x.shape[-1] * old % new:
        raise ValueError(
            format_error(
                f"view to a larger dtype: the last axis of {x.aval} does not divide "
                f"into {dtype}"
            )
        )
    bits = _to_bits(x)
    if dtype == np.bool_:
        return _cast_bits(bits, dtypes.uint8) != 0
    if dtypes.issubdtype(dtype, np.complexfloating):
        real = np.dtype(dtype.type(0).real.dtype)
        if not bits.ndim:
            raise ValueError(format_error("view() of a 0d array cannot be complex"))
        pairs = _cast_bits(bits, real).reshape(*bits.shape[:-1], -1, 2)
        return complexes.complex(pairs[..., 0], pairs[..., 1])
    return _cast_bits(bits, dtype)


def _to_bits(x: Any) -> Any:
    """The array as a dtype that bitcast_convert_type takes."""
    if x.dtype == np.bool_:
        return x.astype(dtypes.uint8)
    if dtypes.issubdtype(x.dtype, np.complexfloating):
        parts = jnp.stack([jnp.real(x), jnp.imag(x)], axis=-1)
        return parts.reshape(*x.shape[:-1], -1)
    return x


def _cast_bits(x: Any, dtype: Any) -> Any:
    old, new = dtypes.itemsize_bits(x.dtype), dtypes.itemsize_bits(dtype)
    if old < new:
        x = x.reshape(*x.shape[:-1], x.shape[-1] * old // new, new // old)
    out = conversion.bitcast_convert_type(x, dtype)
    return out.reshape(*x.shape[:-1], -1) if old > new else out


def byteswap(x: Any) -> Any:
    """The array with the bytes of each element in the opposite order.

    >>> import jaxlike.numpy as jnp
    >>> jnp.array([1], dtype="int16").byteswap()
    Array([256], dtype=int16)
    """
    if dtypes.issubdtype(x.dtype, np.complexfloating):
        return complexes.complex(byteswap(jnp.real(x)), byteswap(jnp.imag(x)))
    if dtypes.itemsize_bits(x.dtype) <= 8:
        return x
    swapped = conversion.bitcast_convert_type(x, dtypes.uint8)[..., ::-1]
    return conversion.bitcast_convert_type(swapped, x.dtype)


# --- putting them on the classes


# indexing is imported when it is first used, and then stands on the classes itself


@api_boundary
def _first_getitem(x, index):
    from jaxlike.numpy.indexing import getitem

    for cls in (Array, Tracer):
        cls.__getitem__ = getitem
    return getitem(x, index)


def _first_at(x):
    from jaxlike.numpy.at import IndexUpdateHelper

    for cls in (Array, Tracer):
        cls.at = property(IndexUpdateHelper)
    return IndexUpdateHelper(x)


def install() -> None:
    """Put operators, methods and properties on Array and Tracer."""
    shared: dict[str, Any] = {name: _LateMethod(name) for name in _FUNCTIONS}
    shared.update(
        astype=astype,
        at=property(_first_at),
        byteswap=byteswap,
        compress=compress,
        copy=copy,
        flat=property(no_flat),
        flatten=flatten,
        imag=property(lambda x: jnp.imag(x)),
        mT=property(lambda x: jnp.matrix_transpose(x)),
        real=property(lambda x: jnp.real(x)),
        reshape=reshape,
        to_device=to_device,
        transpose=transpose,
        view=view,
        T=property(t),
        __array_namespace__=array_namespace,
        __iter__=iterate,
        __reversed__=reverse,
        __getitem__=_first_getitem,
    )
    for name, method in shared.items():
        if isinstance(method, FunctionType) and name != "__getitem__":
            shared[name] = api_boundary(method)
    of_arrays, of_tracers = operators()
    for cls, methods in ((Array, of_arrays), (Tracer, of_tracers)):
        for name, method in {**shared, **methods}.items():
            setattr(cls, name, method)
    for name, value in _SIZES.items():
        setattr(Tracer, name, value)
    Array.clone = copy
    Array.addressable_data = lambda self, index: self


_SIZES = {
    "itemsize": property(lambda self: self.aval.dtype.itemsize),
    "nbytes": property(lambda self: self.aval.size * self.aval.dtype.itemsize),
}


class _LateMethod:
    """A function of jaxlike.numpy as a method; it is imported when it is asked for."""

    __slots__ = ("name",)

    def __init__(self, name: str):
        self.name = name

    def __get__(self, instance: Any, owner: type) -> Any:
        function = getattr(jnp, self.name)
        for cls in (Array, Tracer):
            setattr(cls, self.name, function)
        return function if instance is None else partial(function, instance)


install()
