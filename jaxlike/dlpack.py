"""jax.dlpack: sharing buffers with NumPy, PyTorch and other libraries on the CPU.

The way out is `Array.__dlpack__`, which every library's own from_dlpack calls.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from jaxlike.core import dtypes, errors
from jaxlike.core.array import Array
from jaxlike.core.avals import ShapedArray
from jaxlike.core.errors import format_error

__all__ = ["from_dlpack", "is_supported_dtype"]

_SUPPORTED = frozenset(
    np.dtype(d)
    for d in (
        *("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32"),
        *("uint64", "float16", "float32", "float64", "complex64", "complex128"),
        dtypes.bfloat16,
    )
)
_CPU = 1


def is_supported_dtype(dtype: Any) -> bool:
    """Whether arrays of this dtype can be exchanged.

    >>> is_supported_dtype("bfloat16"), is_supported_dtype("int4")
    (True, False)
    """
    return np.dtype(dtype) in _SUPPORTED


def from_dlpack(
    external_array: Any, device: Any = None, copy: bool | None = None
) -> Array:
    """The array of another library, which shares its memory where that is possible.

    Args:
      external_array: has `__dlpack__` and `__dlpack_device__`; on the CPU.
      device: a device of this library, or None.
      copy: True for a copy; False for an error where one is needed, as it is for 64-bit
        dtypes without x64.
    Raises: TypeError for other objects, ValueError for another device or dtype.

    Do not write to the memory from the other library afterwards.

    >>> import numpy as np
    >>> from_dlpack(np.arange(3, dtype="int32"))
    Array([0, 1, 2], dtype=int32)
    """
    if not hasattr(external_array, "__dlpack__") or not hasattr(
        external_array, "__dlpack_device__"
    ):
        raise TypeError(
            format_error(
                "from_dlpack takes an array with __dlpack__ and __dlpack_device__, "
                f"got {type(external_array)}"
            )
        )
    kind, _ = external_array.__dlpack_device__()
    if int(kind) != _CPU:
        raise ValueError(
            errors.format_error(
                f"from_dlpack takes arrays on the CPU, got DLPack device type {kind}",
                try_="move it to the CPU first, in PyTorch by x.cpu()",
            )
        )
    data = _read(external_array)
    dtype = dtypes.canonicalize_dtype(data.dtype)
    if dtype not in _SUPPORTED:
        raise ValueError(
            format_error(f"from_dlpack: arrays cannot have dtype {data.dtype}")
        )
    if dtype != data.dtype:
        if copy is False:
            raise ValueError(
                errors.format_error(
                    f"{data.dtype} becomes {dtype}, which needs a copy, but copy=False",
                    try_="jaxlike.config.update('jax_enable_x64', True)",
                )
            )
        data = data.astype(dtype)
    elif copy:
        data = data.copy()
    array = Array(data, ShapedArray(data.shape, dtype))
    if device is None:
        return array
    import jaxlike

    return jaxlike.device_put(array, device)


def _read(source: Any) -> np.ndarray:
    if type(source) is Array:
        source._check_not_deleted()
        return source._data
    if isinstance(source, np.ndarray):
        return source
    try:
        return np.from_dlpack(source)
    except (BufferError, RuntimeError, TypeError, ValueError) as error:
        from jaxlike.core import dlpack_bfloat16

        data = dlpack_bfloat16.read(source)
        if data is None:
            raise ValueError(
                format_error(f"the array cannot be read by DLPack: {error}")
            ) from error
        return data
