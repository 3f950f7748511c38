"""Reading what `jnp.array` is given: numbers, NumPy arrays, nested lists of arrays."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from jaxlike.core import dtypes
from jaxlike.core.array import Array
from jaxlike.core.avals import ShapedArray
from jaxlike.core.errors import format_error
from jaxlike.core.state import state
from jaxlike.core.trace import Tracer, eval_trace
from jaxlike.numpy.promote import as_array, convert

_SCALARS = (bool, int, float, complex)


def from_ndarray(data: np.ndarray) -> Array:
    """An Array over an ndarray of a canonical dtype that nobody else writes to."""
    return Array(data, ShapedArray(data.shape, data.dtype))


def array_of(obj: Any, dtype: Any, copy: bool) -> Any:
    t = type(obj)
    if t is Array:
        return _of_array(obj, dtype, copy)
    if isinstance(obj, Tracer):
        return obj if dtype is None else convert(obj, dtype)
    if t in _SCALARS:
        if dtype is None:
            return as_array(obj)
        return from_ndarray(_numpy_array(obj, dtype))
    if isinstance(obj, (np.ndarray, np.generic)):
        return _of_numpy(obj, dtype, copy)
    if obj is None:
        raise ValueError(format_error("array: None is no array"))
    if hasattr(obj, "__jax_array__"):
        return array_of(obj.__jax_array__(), dtype, copy)
    if isinstance(obj, (list, tuple)):
        return _of_sequence(obj, dtype)
    return _of_other(obj, dtype, copy)


def _of_array(x: Array, dtype: Any, copy: bool) -> Any:
    if dtype is not None and (dtype != x.aval.dtype or x.aval.weak_type):
        x = convert(x, dtype)
    elif not copy:
        return x
    if copy and state.trace is eval_trace and x._data is not None:
        return Array(x._data.copy(), x.aval)
    return x


def _numpy_array(obj: Any, dtype: Any) -> np.ndarray:
    try:
        with np.errstate(all="ignore"):
            return np.array(obj, dtype, order="C")
    except ValueError as error:
        message = str(error)
    raise ValueError(_not_rectangular(obj) or format_error(f"array: {message}"))


def _not_rectangular(obj: Any) -> str | None:
    """What is wrong with nested lists whose parts differ in shape, if they do."""
    if not isinstance(obj, (list, tuple)):
        return None
    try:
        shapes = [np.shape(part) for part in obj]
    except ValueError:
        return next(filter(None, map(_not_rectangular, obj)), None)
    odd = next((i for i, shape in enumerate(shapes) if shape != shapes[0]), None)
    if odd is None:
        return None
    return format_error(
        "array: the parts of a list must have one shape",
        details=[f"part 0 is {shapes[0]}, part {odd} is {shapes[odd]}"],
        try_="padding them to one length, or a list of arrays",
    )


def _of_numpy(x: Any, dtype: Any, copy: bool) -> Array:
    if x.dtype not in dtypes.all_dtypes_set and x.dtype != dtypes.float0:
        if x.dtype.kind not in "US" or dtype is None:
            raise _not_an_array(x, x.dtype)
    target = dtypes.canonicalize_dtype(x.dtype if dtype is None else dtype)
    if not x.dtype.isnative:
        raise TypeError(
            format_error(
                f"arrays hold numbers in the machine's byte order, got {x.dtype}",
                try_="x.astype(x.dtype.newbyteorder('='))",
            )
        )
    if x.dtype == target:
        if not copy and type(x) is np.ndarray and _never_written(x):
            return from_ndarray(x)
        return from_ndarray(_numpy_array(x, target))
    if x.dtype.kind in "US":
        return from_ndarray(_numpy_array(x, target))
    if dtype is None:
        with np.errstate(all="ignore"):
            return from_ndarray(np.asarray(x).astype(target, order="C"))
    # conversions that NumPy does another way: floats out of an integer's range
    return convert(_of_numpy(x, None, copy), target)


def _never_written(x: Any) -> bool:
    """Whether neither the ndarray nor any that it is a view of can be written to."""
    while type(x) is np.ndarray:
        if x.flags.writeable:
            return False
        x = x.base
    return x is None or type(x) is bytes


def _leaves(obj: Any) -> Iterator[Any]:
    for x in obj:
        if isinstance(x, (list, tuple)):
            yield from _leaves(x)
        else:
            yield x


def _of_sequence(obj: Any, dtype: Any) -> Any:
    kinds: dict[Any, Any] = {}
    staged = False
    for leaf in _leaves(obj):
        t = type(leaf)
        if t in _SCALARS:
            kinds[t] = leaf
            continue
        if leaf is None:
            raise ValueError(format_error("array: None is no array"))
        if hasattr(leaf, "__jax_array__"):
            return _of_sequence(_unwrapped(obj), dtype)
        if isinstance(leaf, (Array, Tracer)):
            staged = True
        if hasattr(leaf, "dtype"):
            kinds[leaf.dtype, getattr(leaf, "weak_type", False)] = leaf
        else:
            kinds[t] = leaf
    strings = any(isinstance(x, (str, bytes)) for x in kinds.values())
    if dtype is None:
        if strings:
            raise _not_an_array(obj, np.asarray(obj).dtype)
        samples = [_sample(x) for x in kinds.values()]
        dtype = dtypes.lattice_result_type(*samples)[0] if samples else None
        if dtype is None:
            dtype = dtypes.default_float_dtype()
    if not staged:
        return _checked(_numpy_array(obj, dtype), obj)
    return _stacked(obj, dtype)


def _sample(leaf: Any) -> Any:
    if type(leaf) in _SCALARS or hasattr(leaf, "dtype"):
        return leaf
    return _of_other(leaf, None, False)


def _unwrapped(obj: Any) -> Any:
    if isinstance(obj, (list, tuple)):
        return [_unwrapped(x) for x in obj]
    return obj.__jax_array__() if hasattr(obj, "__jax_array__") else obj


def _checked(data: np.ndarray, obj: Any) -> Array:
    if data.dtype not in dtypes.all_dtypes_set:
        raise _not_an_array(obj, data.dtype)
    return from_ndarray(data)


def _stacked(obj: Any, dtype: Any) -> Any:
    """Nested lists with Arrays or tracers among the leaves."""
    if not isinstance(obj, (list, tuple)):
        return array_of(obj, dtype, False)
    if not obj:
        return from_ndarray(np.zeros(0, dtypes.storage_dtype(dtype)))
    if state.trace is eval_trace and not isinstance(dtype, dtypes.ExtendedDType):
        plain = _to_numpy(obj)
        if plain is not None:
            shapes = {np.shape(x) for x in plain}
            if len(shapes) == 1:
                return from_ndarray(_numpy_array(plain, dtype))
    from jaxlike.numpy.joining import stack

    parts = [_stacked(x, dtype) for x in obj]
    if any(p.shape != parts[0].shape for p in parts):
        raise TypeError(_not_rectangular(parts))
    return stack(parts)


def _to_numpy(obj: Any) -> Any:
    """Nested lists with ndarrays for Arrays, or None if there are tracers."""
    if isinstance(obj, (list, tuple)):
        parts = [_to_numpy(x) for x in obj]
        return None if any(p is None for p in parts) else parts
    if type(obj) is Array:
        return None if isinstance(obj.dtype, dtypes.ExtendedDType) else obj._data
    return None if isinstance(obj, Tracer) else obj


def _of_other(obj: Any, dtype: Any, copy: bool) -> Any:
    if hasattr(obj, "__array__") or hasattr(obj, "__array_interface__"):
        return _of_numpy(np.asarray(obj), dtype, copy)
    if hasattr(obj, "__cuda_array_interface__"):
        raise TypeError(
            format_error(
                f"a {type(obj)} is in a GPU's memory", try_="a copy on the host"
            )
        )
    data = np.asarray(obj)
    if isinstance(obj, (bool, int, float, complex)):  # an IntEnum's member, say
        target = dtypes.canonicalize_dtype(data.dtype if dtype is None else dtype)
        return from_ndarray(_numpy_array(obj, target))
    if isinstance(obj, (memoryview, bytearray)):
        return _of_numpy(np.array(obj), dtype, False)
    if data.dtype.kind == "O":
        raise _not_an_array(obj, data.dtype)
    return _of_numpy(data, dtype, copy=True)


def _not_an_array(obj: Any, dtype: Any) -> TypeError:
    return TypeError(
        format_error(
            f"arrays hold numbers, booleans and random keys, not {dtype}: {obj!r:.100}"
        )
    )
